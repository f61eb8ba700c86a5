/** What a keeper does: fund, ask for exits, and prove whatever the beacon chain's states show. */
import { contractBalanceProof, contractValidatorProof } from "../../../offchain/beacon/contractProofs.ts";
import { ETHER, TOP_UP, WEI_PER_GWEI, wei } from "../../../offchain/protocol/units.ts";
import type { Validator } from "./turns.ts";
import { stayingOf, tierToExit, tierToFund } from "./turns.ts";
import { nextRefSlot, startOf } from "./world.ts";
import type { World } from "./world.ts";

const STAKE_GWEI = 32n * 10n ** 9n;
const MAX_KEYS = 64n;
const EPOCHS_BEFORE_EXIT = 256;
const SMALL_DEMAND_AFTER = 3n * 86_400n; // seconds after the end of the oldest round that waits

/** Funds the next keys in order, as many as the pool has ether for. Returns how many. */
export async function fund(world: World): Promise<number> {
  const { chain, p, at, ledger, operators, tiers } = world;
  const affordable = ledger.depositable() / TOP_UP;
  const next: Validator[] = [];
  for (let left = affordable < MAX_KEYS ? affordable : MAX_KEYS; left > 0n; left--) {
    const tier = tierToFund(tiers);
    const validator = tier?.nextQueued();
    if (tier === undefined || validator === undefined) break;
    tier.fundHead++;
    tier.funded++;
    next.push(validator);
  }
  if (next.length === 0) return 0;
  const pubkeys = next.map(({ key }) => key.pubkey);
  const now = await chain.send(at.keeper, p.validators.fundValidators.populateTransaction(pubkeys));
  // fees are divided before, by the weights until then
  operators.divide();
  const bond = ledger.fund(BigInt(next.length), now);
  operators.funded(
    next.map(({ operator }) => operator),
    bond,
  );
  for (const validator of next) Object.assign(validator, { status: "active", fundedAt: now });
  return next.length;
}

/** While more is promised than is here or on its way: the next validator in order is asked to exit. Returns how many. */
export async function requestExits(world: World, most = Infinity): Promise<number> {
  const { p, tiers, chain, at } = world;
  let count = 0;
  while (count < most && (await isDemanded(world))) {
    const tier = tierToExit(tiers);
    const head = tier?.nextFunded();
    if (tier === undefined) break;
    if (head !== undefined && head.status !== "active") {
      await chain.send(at.keeper, p.validators.skipExited.populateTransaction([head.keyRoot]));
      tier.exitHead++;
      continue;
    }
    const validator = head ?? tier.outOfTurn.find(({ status, requested }) => status === "active" && !requested);
    if (validator === undefined || !isReady(world, validator)) break;
    await requestExit(world, validator);
    if (head !== undefined) tier.exitHead++;
    count++;
  }
  return count;
}

/** A validator's worth, or anything once a request has waited for three days. */
async function isDemanded({ p, chain, ledger, tiers }: World): Promise<boolean> {
  const demand = ledger.exitDemand(stayingOf(tiers));
  if (demand === 0n || demand >= 32n * ETHER) return demand > 0n;
  const end = await p.queue.oldestRoundEnd();
  return end !== 0n && end + SMALL_DEMAND_AFTER <= (await chain.now());
}

/** Asks one validator to exit. Whether it is its turn is for the contract to say. */
export async function requestExit({ p, chain, at, tiers }: World, validator: Validator): Promise<void> {
  const proof = contractValidatorProof(p.beacon.proveValidator(validator.key.pubkey));
  const fee = await p.withdrawalVault.exitFee();
  await chain.send(at.keeper, p.validators.requestExit.populateTransaction(validator.key.pubkey, proof), fee);
  const tier = tiers[validator.operator.tier];
  if (tier === undefined) throw new Error("no such tier");
  tier.requested++;
  validator.requested = true;
}

/** Active for 256 epochs in the newest state that can be proven, and not leaving. */
export function isReady({ p }: World, { key }: Validator): boolean {
  const { beacon } = p;
  const seen = beacon.stateAt(beacon.provenSlot).validator(key.pubkey);
  if (seen === undefined) return false;
  return seen.activationEpoch + EPOCHS_BEFORE_EXIT <= Math.floor(beacon.provenSlot / 32) && seen.exitEpoch === Infinity;
}

/** Proves every exit and, until the next reference slot, every withdrawal that the beacon chain shows. */
export async function proveLeaving(world: World): Promise<void> {
  const { p, validators } = world;
  const { beacon } = p;
  const state = beacon.stateAt(beacon.provenSlot);
  for (const validator of validators) {
    if (validator.status !== "active") continue;
    const seen = state.validator(validator.key.pubkey);
    if (seen !== undefined && seen.exitEpoch !== Infinity) await proveExiting(world, validator);
  }
  const leaving = validators
    .filter(({ status }) => status === "exiting")
    .map((validator) => ({ validator, end: state.validator(validator.key.pubkey)?.withdrawableEpoch ?? Infinity }))
    .sort((a, b) => a.end - b.end);
  for (const { validator, end } of leaving) {
    const last = startOf(end - 1);
    if (last > nextRefSlot(world)) break;
    if (beacon.head.slot < last) await beacon.advanceTo(last);
    // any block of the validator's last epoch will do, once its root can be looked up
    if (beacon.head.slot <= last + 31) await beacon.advanceSlots(1);
    const { slot } = beacon.blockAt(Math.min(last + 31, beacon.provenSlot));
    if (slot < last) throw new Error(`no block in epoch ${end - 1}`);
    await proveWithdrawn(world, validator, slot);
  }
}

async function proveExiting({ p, chain, at, operators, tiers }: World, validator: Validator): Promise<void> {
  const proof = contractValidatorProof(p.beacon.proveValidator(validator.key.pubkey));
  await chain.send(at.keeper, p.validators.proveExiting.populateTransaction(proof));
  const tier = tiers[validator.operator.tier];
  if (tier === undefined) throw new Error("no such tier");
  tier.exiting++;
  if (validator.requested) tier.requested--;
  validator.requested = false;
  validator.status = "exiting";
  if (!validator.weightless) operators.weightStopped(validator.operator);
  validator.weightless = true;
}

async function proveWithdrawn(world: World, validator: Validator, slot: number): Promise<void> {
  const { p, chain, at, operators } = world;
  const { pubkey } = validator.key;
  const settled = p.beacon.stateAt(slot).balanceGwei(pubkey);
  const proofs = [
    contractValidatorProof(p.beacon.proveValidator(pubkey, slot)),
    contractBalanceProof(p.beacon.proveBalance(pubkey, slot)),
  ] as const;
  await chain.send(at.keeper, p.validators.proveWithdrawn.populateTransaction(...proofs));
  validator.status = "withdrawn";
  const shortfall = settled < STAKE_GWEI ? (STAKE_GWEI - settled) * WEI_PER_GWEI : 0n;
  operators.withdrawn(validator.operator, wei(shortfall));
}

/** Slashes validators in one block, and proves it. */
export async function slash(world: World, slashed: readonly Validator[]): Promise<void> {
  const { p, chain, at, ledger, operators } = world;
  for (const { key } of slashed) p.beacon.slash(key.pubkey);
  await p.beacon.advanceSlots(2);
  for (const validator of slashed) {
    const proof = contractValidatorProof(p.beacon.proveValidator(validator.key.pubkey));
    await chain.send(at.keeper, p.validators.proveSlashed.populateTransaction(proof));
    ledger.noteSlashing(BigInt(p.beacon.genesisTime) + proof.header.slot * 12n);
    validator.slashed = true;
    if (!validator.weightless) operators.weightStopped(validator.operator);
    validator.weightless = true;
    validator.operator.frozen = true;
  }
}

/** A validator below 31.75 ETH loses its weight. */
export async function proveBelow({ p, chain, at, operators }: World, validator: Validator): Promise<void> {
  const { pubkey } = validator.key;
  const proofs = [
    contractValidatorProof(p.beacon.proveValidator(pubkey)),
    contractBalanceProof(p.beacon.proveBalance(pubkey)),
  ] as const;
  await chain.send(at.keeper, p.validators.proveBelow.populateTransaction(...proofs));
  operators.weightStopped(validator.operator);
  validator.weightless = true;
}
