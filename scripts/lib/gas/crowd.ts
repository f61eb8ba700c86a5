/**
 * Crowds a local protocol: thousands of operators, a hundred thousand validators.
 *
 * Operators join by real calls. Validators beyond those with keys come into every sum by the real calls of the registry to its peers (the
 * pool's `fundValidators`, the operators' `onFunded`), made in its name; only what the registry itself keeps, a record for each and the slots
 * of the tiers, is written into its storage. Where these lie is found by comparing raw words with the views, and what was written is read
 * back through the views.
 */
import { ZeroAddress, concat, keccak256, toBeHex } from "ethers";
import type { Signer } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { pubkeyRoot } from "../../../devnet/keys.ts";
import type { ValidatorKey } from "../../../devnet/keys.ts";
import { DEPOSIT_CONTRACT } from "../../../devnet/predeploys.ts";
import type { Hex } from "../../../offchain/util/hex.ts";

const ETH = 10n ** 18n;
const BATCH = 100; // operators a transaction
const KEYS = 500n; // a transaction
const STOP = "0x00";
const NOBODYS_KEY = `0x${"5a".repeat(48)}`;
const MAX_SLOTS = 16n; // of a contract's own variables, among which a mapping is looked for
const CURATED = 0n;
const RICH = 2n ** 100n; // wei

interface Raw {
  request(args: { readonly method: string; readonly params: readonly unknown[] }): Promise<unknown>;
}

/** Adds curated operators, owned by nobody in particular, until there are `count`. */
export async function addOperators(p: LocalProtocol, count: bigint): Promise<void> {
  const { authority, operators, governor } = p;
  const target = await operators.getAddress();
  const admin = authority.connect(governor);
  let next = (await operators.operatorCount()) + 1n;
  while (next <= count) {
    const calls: string[] = [];
    for (; next <= count && calls.length < BATCH; next++) {
      const owner = strangerAddress(next);
      const data = operators.interface.encodeFunctionData("addOperator", [CURATED, owner, owner, `Operator ${next}`]);
      calls.push(authority.interface.encodeFunctionData("execute", [target, data]));
    }
    await admin.multicall(calls);
  }
}

function strangerAddress(operatorId: bigint): string {
  return `0x${keccak256(toBeHex(operatorId, 32)).slice(-40)}`;
}

/** Lifts the cap of a frame's deposits, from the next report on, so that a whole set of validators can be staked for at once. */
export async function liftDepositCap(p: LocalProtocol): Promise<void> {
  const { treasury, feeBp, maxAprBp } = await p.pool.policy();
  await p.pool.connect(p.governor).setPolicy({ treasury, feeBp, maxAprBp, depositCapGwei: 10n ** 16n });
}

/**
 * Stakes for `count` validators more and funds them, spread over all operators evenly. `real` is a validator that was funded with its key:
 * it shows where the registry's storage lies.
 */
export async function addValidators(
  connection: NetworkConnection,
  p: LocalProtocol,
  count: bigint,
  real: ValidatorKey,
): Promise<void> {
  const raw: Raw = connection.provider;
  const { pool, operators, validators, alice } = p;
  await raw.request({ method: "hardhat_setBalance", params: [alice.address, toBeHex(RICH)] });
  await pool.connect(alice).deposit(alice, ZeroAddress, { value: 32n * count * ETH });

  const registry = await connection.ethers.getImpersonatedSigner(await validators.getAddress());
  await raw.request({ method: "hardhat_setBalance", params: [registry.address, toBeHex(RICH)] });
  const minted = await fund(raw, p, registry, count);
  const operatorCount = await operators.operatorCount();
  const target = await operators.getAddress();
  const bonds = await bondWords(raw, p);
  for (let operatorId = 1n; operatorId <= operatorCount; operatorId++) {
    const part = count / operatorCount + (operatorId <= count % operatorCount ? 1n : 0n);
    if (part === 0n) break;
    // onFunded takes them out of the queue: they must seem proven
    await bonds.change(operatorId, (word) => word + (part << 128n));
    const data = operators.interface.encodeFunctionData("onFunded", [operatorId, part, (minted * part) / count]);
    await raw.request({ method: "eth_sendTransaction", params: [{ from: registry.address, to: target, data }] });
  }
  await writeRecords(raw, p, count, operatorCount, real);
}

/** Lets the pool fund `count` keys of nobody. @returns the bond's shares */
async function fund(
  raw: Raw,
  { pool, token, operators }: LocalProtocol,
  registry: Signer,
  count: bigint,
): Promise<bigint> {
  // the deposit contract would use more gas than everything else here: meanwhile it only takes the ether
  const code = await raw.request({ method: "eth_getCode", params: [DEPOSIT_CONTRACT, "latest"] });
  await raw.request({ method: "hardhat_setCode", params: [DEPOSIT_CONTRACT, STOP] });
  const before = await token.sharesOf(operators);
  for (let left = count; left > 0n; left -= KEYS)
    await pool.connect(registry).fundValidators(Array(Number(left < KEYS ? left : KEYS)).fill(NOBODYS_KEY));
  await raw.request({ method: "hardhat_setCode", params: [DEPOSIT_CONTRACT, code] });
  return (await token.sharesOf(operators)) - before;
}

// --- storage ---

interface Words<Key> {
  write(key: Key, word: bigint): Promise<void>;
  change(key: Key, change: (word: bigint) => bigint): Promise<void>;
}

/** By operator: bondShares 128, queued 32, active 32, weighted 32, feeBp 16, tier 8, inDoubt 8 bits, from the lowest. */
async function bondWords(raw: Raw, { operators, operatorId }: LocalProtocol): Promise<Words<bigint>> {
  const op = await operators.operator(operatorId);
  const fields: [bigint, bigint][] = [
    [op.bondShares, 128n],
    [op.queued, 32n],
    [op.active, 32n],
    [op.weighted, 32n],
    [op.feeBp, 16n],
    [op.tier, 8n],
    [op.inDoubt ? 1n : 0n, 8n],
  ];
  return locate(raw, await operators.getAddress(), operatorId, packed(fields), (key, slot) => entry(key, slot) + 1n);
}

/** A record for each of `count` validators, and their tier's slot: see ValidatorState. */
async function writeRecords(
  raw: Raw,
  { validators }: LocalProtocol,
  count: bigint,
  operatorCount: bigint,
  real: ValidatorKey,
): Promise<void> {
  const address = await validators.getAddress();
  const known = pubkeyRoot(real.pubkey);
  const record = await validators.validator(known);
  const records = await locate<string>(raw, address, known, packedRecord(record), entry);
  const tier = record.tier;
  const before = await validators.tierQueue(tier);
  const tiers = await locate(raw, address, tier, packedTier(before), (key, slot) => slot + key);

  const { status, fundedGwei } = record;
  const healthy = {
    tier,
    status,
    fundedGwei,
    slashed: false,
    weightStopped: false,
    exitRequestedAt: 0n,
    settledEpoch: 0n,
  };
  const keyRoots: Hex[] = [];
  for (let i = 0n; i < count; i++) {
    const keyRoot = keccak256(toBeHex(i, 32)) as Hex;
    keyRoots.push(keyRoot);
    const operatorId = 1n + (i % operatorCount);
    const [sequence, validatorIndex] = [before.tail + i, record.validatorIndex + 1_000n + i];
    await records.write(keyRoot, packedRecord({ ...healthy, operatorId, sequence, validatorIndex }));
  }
  await tiers.change(tier, (word) => word + count * (1n | (1n << 32n) | (1n << 96n)));

  for (let i = 0n; i < count; i += count / 100n + 1n) {
    const read = await validators.validator(keyRoots[Number(i)] ?? known);
    if (read.status !== status || read.sequence !== before.tail + i || read.operatorId !== 1n + (i % operatorCount))
      throw new Error(`the record of validator ${i} does not read as written`);
  }
  const after = await validators.tierQueue(tier);
  const grown = [after.fundHead - before.fundHead, after.tail - before.tail, after.funded - before.funded];
  if (grown.some((by) => by !== count) || after.queued !== before.queued || after.exitHead !== before.exitHead)
    throw new Error("the slot of the tier does not read as written");
}

/** Where the entry for `key` of a variable lies whose own slot is `slot`. */
type Place<Key> = (key: Key, slot: bigint) => bigint;

/**
 * The variable of `address` whose entry for `key` holds `word`: the contract's variables are tried in order. Exactly
 * one must fit.
 */
async function locate<Key extends bigint | string>(
  raw: Raw,
  address: string,
  key: Key,
  word: bigint,
  place: Place<Key>,
): Promise<Words<Key>> {
  const fits: bigint[] = [];
  for (let slot = 0n; slot < MAX_SLOTS; slot++)
    if ((await readWord(raw, address, place(key, slot))) === word) fits.push(slot);
  const [slot] = fits;
  if (slot === undefined || fits.length > 1) throw new Error(`${fits.length} variables of ${address} fit`);
  const at = (of: Key) => place(of, slot);
  const write = async (of: Key, value: bigint) => {
    await raw.request({ method: "hardhat_setStorageAt", params: [address, quantity(at(of)), toBeHex(value, 32)] });
  };
  return {
    write,
    change: async (of, change) => write(of, change(await readWord(raw, address, at(of)))),
  };
}

/** Of a mapping. */
function entry(key: bigint | string, slot: bigint): bigint {
  const word = typeof key === "bigint" ? toBeHex(key, 32) : key;
  return BigInt(keccak256(concat([word, toBeHex(slot, 32)])));
}

async function readWord(raw: Raw, address: string, slot: bigint): Promise<bigint> {
  const params = [address, quantity(slot), "latest"];
  return BigInt((await raw.request({ method: "eth_getStorageAt", params })) as string);
}

function packedRecord(record: {
  readonly operatorId: bigint;
  readonly tier: bigint;
  readonly status: bigint;
  readonly slashed: boolean;
  readonly weightStopped: boolean;
  readonly sequence: bigint;
  readonly validatorIndex: bigint;
  readonly fundedGwei: bigint;
  readonly exitRequestedAt: bigint;
  readonly settledEpoch: bigint;
}): bigint {
  return packed([
    [record.operatorId, 32n],
    [record.tier, 8n],
    [record.status, 8n],
    [record.slashed ? 1n : 0n, 8n],
    [record.weightStopped ? 1n : 0n, 8n],
    [record.sequence, 40n],
    [record.validatorIndex, 40n],
    [record.fundedGwei, 40n],
    [record.exitRequestedAt, 40n],
    [record.settledEpoch, 32n],
  ]);
}

function packedTier(queue: {
  readonly fundHead: bigint;
  readonly tail: bigint;
  readonly exitHead: bigint;
  readonly funded: bigint;
  readonly leaving: bigint;
  readonly queued: bigint;
  readonly targetShareBp: bigint;
  readonly maxShareBp: bigint;
  readonly tiers: bigint;
}): bigint {
  const { fundHead, tail, exitHead, funded, leaving, queued, targetShareBp, maxShareBp, tiers } = queue;
  return packed([
    ...[fundHead, tail, exitHead, funded, leaving, queued].map((value): [bigint, bigint] => [value, 32n]),
    ...[targetShareBp, maxShareBp].map((value): [bigint, bigint] => [value, 16n]),
    [tiers, 8n],
  ]);
}

/** Fields with their widths in bits, from the lowest. */
function packed(fields: readonly (readonly [bigint, bigint])[]): bigint {
  let [word, shift] = [0n, 0n];
  for (const [value, bits] of fields) {
    word |= value << shift;
    shift += bits;
  }
  return word;
}

function quantity(value: bigint): string {
  return `0x${value.toString(16)}`;
}
