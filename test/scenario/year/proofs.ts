/** What a keeper proves of what the beacon chain's states show: validators that leave, are slashed or lose ether. */
import { contractBalanceProof } from "../../../offchain/beacon/contractProofs.ts";
import { WEI_PER_GWEI, wei } from "../../../offchain/protocol/units.ts";
import { proofOf } from "./keeper.ts";
import type { Validator } from "./turns.ts";
import { nextFrameEnd, startOf, tierOf } from "./world.ts";
import type { World } from "./world.ts";

const STAKE_GWEI = 32n * 10n ** 9n;

/** Proves every exit and, until the day's frame ends, every withdrawal that the beacon chain shows. */
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
    if (last > nextFrameEnd(world)) break;
    if (beacon.head.slot < last) await beacon.advanceTo(last);
    // any block of the validator's last epoch will do, once its root can be looked up
    if (beacon.head.slot <= last + 31) await beacon.advanceSlots(1);
    const { slot } = beacon.blockAt(Math.min(last + 31, beacon.provenSlot));
    if (slot < last) throw new Error(`no block in epoch ${end - 1}`);
    await proveWithdrawn(world, validator, slot);
  }
}

async function proveExiting(world: World, validator: Validator): Promise<void> {
  const { p, chain, at } = world;
  await chain.send(at.keeper, p.validators.proveExiting.populateTransaction(proofOf(world, validator)));
  if (!validator.requested) tierOf(world, validator).leaving++;
  validator.requested = false;
  validator.status = "exiting";
  stopWeight(world, validator);
}

async function proveWithdrawn(world: World, validator: Validator, slot: number): Promise<void> {
  const { p, chain, at, operators } = world;
  const { pubkey } = validator.key;
  const settled = p.beacon.stateAt(slot).balanceGwei(pubkey);
  const balance = contractBalanceProof(p.beacon.proveBalance(pubkey, slot));
  const proof = proofOf(world, validator, slot);
  await chain.send(at.keeper, p.validators.proveWithdrawn.populateTransaction(proof, balance));
  validator.status = "withdrawn";
  if (settled < STAKE_GWEI) validator.shortfall = wei((STAKE_GWEI - settled) * WEI_PER_GWEI);
  operators.withdrawn(validator.operator, validator.shortfall);
}

/** Slashes validators in one block, and proves it. */
export async function slash(world: World, slashed: readonly Validator[]): Promise<void> {
  const { p, chain, at, ledger } = world;
  for (const { key } of slashed) p.beacon.slash(key.pubkey);
  await p.beacon.advanceSlots(2);
  for (const validator of slashed) {
    const proof = proofOf(world, validator);
    const now = await chain.send(at.keeper, p.validators.proveSlashed.populateTransaction(proof));
    ledger.noteSlashing(BigInt(p.beacon.genesisTime) + proof.header.slot * 12n);
    validator.slashed = true;
    stopWeight(world, validator);
    const { operator } = validator;
    if (!operator.frozen) Object.assign(operator, { frozen: true, frozenAt: now });
  }
}

/** A validator below 31.75 ETH loses its weight. */
export async function proveBelow(world: World, validator: Validator): Promise<void> {
  const { p, chain, at } = world;
  const proof = proofOf(world, validator);
  const balance = contractBalanceProof(p.beacon.proveBalance(validator.key.pubkey));
  await chain.send(at.keeper, p.validators.proveBelow.populateTransaction(proof, balance));
  stopWeight(world, validator);
}

function stopWeight({ operators }: World, validator: Validator): void {
  if (!validator.weightless) operators.weightStopped(validator.operator);
  validator.weightless = true;
}
