/** Both layers as of a reference slot: what `buildReport` makes a report of. */
import type { BeaconSource, StateView } from "../beacon/types.ts";
import type { Protocol } from "../chain/connect.ts";
import { fundedKeys } from "../chain/validatorBook.ts";
import type { ValidatorBook } from "../chain/validatorBook.ts";
import { SLOTS_PER_EPOCH } from "../protocol/frames.ts";
import { toEtherDown } from "../protocol/shares.ts";
import type { Totals } from "../protocol/shares.ts";
import { shares, wei } from "../protocol/units.ts";
import type { Wei } from "../protocol/units.ts";
import { AppError, EXIT, isAbort, messageOf } from "../util/errors.ts";
import type { Hex } from "../util/hex.ts";
import type { Snapshot } from "./buildReport.ts";
import type { Standing } from "./contract.ts";
import { hasPenaltyAhead } from "./incident.ts";
import { LayerError, WholeStateNeeded, asking, layerError } from "./layers.ts";

export interface Sources {
  readonly protocol: Protocol;
  readonly beacon: BeaconSource;
  /** The validators' records as of the end of an execution block. */
  readonly validators: {
    bookAt(block: number, options?: { signal?: AbortSignal | undefined }): Promise<ValidatorBook>;
  };
}

/**
 * The reference slot must be final.
 * @throws AppError: unavailable where a node does not answer or does not have the block, invalid where the two layers don't fit together
 */
export async function readSnapshot(
  { protocol, beacon, validators }: Sources,
  standing: Pick<Standing, "slotsPerFrame" | "genesisTime">,
  refSlot: bigint,
  signal?: AbortSignal,
): Promise<Snapshot> {
  const { slotsPerFrame, genesisTime } = standing;
  const block = await asking("beacon", beacon.blockAtOrBefore(Number(refSlot), signal), signal);
  const { number, hash } = block.execution;
  try {
    await expectBlock(protocol, number, hash);
    const book = await validators.bookAt(number, { signal });
    const wanted = new Set(fundedKeys(book));
    const funded = [...book.values()].filter(({ pubkey }) => wanted.has(pubkey));
    const pubkeys = funded.map(({ pubkey }) => pubkey);
    const seen = await asking("beacon", beacon.readState(block, pubkeys, signal, true), signal);
    const state = needsWhole(seen) ? await readWhole(beacon, seen, pubkeys, signal) : seen;
    const missing = funded.filter(({ pubkey }) => !state.validators.has(pubkey));
    if (missing.length > 0)
      throw new AppError(
        EXIT.invalid,
        `the beacon node lacks ${missing.length} funded validators, ${missing[0]?.pubkey} first`,
      );
    const at = { blockTag: number };
    const [credentials, vault, rewards, bonds] = await Promise.all([
      protocol.validators.withdrawalCredentials(at),
      protocol.provider.getBalance(await protocol.withdrawalVault.getAddress(), number),
      protocol.provider.getBalance(protocol.rewardsVault, number),
      readBonds(protocol, state, funded, number),
    ]);
    // asked again: every answer in between was about this block
    await expectBlock(protocol, number, hash);
    return {
      refSlot,
      state,
      funded: funded.map(({ pubkey, operatorId }) => ({ pubkey, operatorId })),
      withdrawalCredentials: credentials as Hex,
      withdrawalVaultBalance: wei(vault),
      rewardsVaultBalance: wei(rewards),
      bonds,
      slotsPerFrame,
      genesisTime,
    };
  } catch (error) {
    throw layerError("execution", error, signal);
  }
}

/** Whether an incident depends on the sums over all validators, which the node that answered did not give. */
function needsWhole({ block, validators, totalActiveBalanceGwei, slashingsGwei }: StateView): boolean {
  if (totalActiveBalanceGwei !== undefined && slashingsGwei !== undefined) return false;
  const epoch = BigInt(block.slot) / SLOTS_PER_EPOCH;
  return [...validators.values()].some((info) => hasPenaltyAhead(info, epoch));
}

/** The same of a node that serves whole states. @throws WholeStateNeeded where none does */
async function readWhole(
  beacon: BeaconSource,
  { block }: StateView,
  pubkeys: readonly Hex[],
  signal: AbortSignal | undefined,
): Promise<StateView> {
  try {
    return await beacon.readState(block, pubkeys, signal, true, true);
  } catch (error) {
    if (isAbort(error) && signal?.aborted === true) throw error;
    throw new WholeStateNeeded(error instanceof AppError ? error.message.replaceAll("\n", "; ") : messageOf(error));
  }
}

async function expectBlock({ provider }: Protocol, number: number, hash: Hex): Promise<void> {
  const block = await provider.getBlock(number);
  if (block === null) throw new LayerError("execution", `the execution node does not have block ${number}`);
  if (block.hash?.toLowerCase() !== hash.toLowerCase())
    throw new AppError(
      EXIT.invalid,
      `the layers disagree: execution block ${number} is ${block.hash}, the beacon chain has ${hash}`,
    );
}

/** Each bond's shares at the totals of that block, rounded down. Keys that wait to be funded are no bond yet. */
async function readBonds(
  { operators, token }: Protocol,
  state: StateView,
  funded: readonly { readonly pubkey: Hex; readonly operatorId: bigint }[],
  blockTag: number,
): Promise<Map<bigint, Wei>> {
  const epoch = BigInt(state.block.slot) / SLOTS_PER_EPOCH;
  const concerned = new Set<bigint>();
  for (const { pubkey, operatorId } of funded) {
    const info = state.validators.get(pubkey);
    if (info !== undefined && hasPenaltyAhead(info, epoch)) concerned.add(operatorId);
  }
  if (concerned.size === 0) return new Map();
  const [ether, supply] = await token.totals({ blockTag });
  const totals: Totals = { ether: wei(ether), shares: shares(supply) };
  const bonds = [...concerned].map(async (operatorId) => {
    const { bondShares } = await operators.operator(operatorId, { blockTag });
    return [operatorId, toEtherDown(shares(bondShares), totals)] as const;
  });
  return new Map(await Promise.all(bonds));
}
