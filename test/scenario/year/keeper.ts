/** What a keeper does with ether: fund, go on paying, and ask for exits. Its proofs are in proofs.ts. */
import { contractBalanceProof, contractValidatorProof } from "../../../offchain/beacon/contractProofs.ts";
import type { ContractValidatorProof } from "../../../offchain/beacon/contractProofs.ts";
import { oldestRoundEnd } from "../../../offchain/protocol/queue.ts";
import { TOP_UP, VALIDATOR_DEPOSIT } from "../../../offchain/protocol/units.ts";
import type { Tier, Validator } from "./turns.ts";
import { tierToExit, tierToFund } from "./turns.ts";
import { exitsAsked, tierOf } from "./world.ts";
import type { World } from "./world.ts";

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

/** Goes on with the last report's payments, if ether came for them. Returns whether it did. */
export async function continuePayments(world: World): Promise<boolean> {
  const { chain, p, at, ledger } = world;
  const next = (await chain.now()) + 1n;
  const oldest = oldestRoundEnd(ledger.queue);
  if (!ledger.isCalm(next) || oldest === undefined || oldest > ledger.books.lastCutoff) return false;
  const isAny = attempt(() => ledger.clone().continueFinalisation(next));
  if (!isAny) return false;
  const now = await chain.send(at.keeper, p.pool.continueFinalisation.populateTransaction());
  world.continued += ledger.continueFinalisation(now).paid;
  return true;
}

function attempt(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

// --- exits ---

/** While more is promised than is here or on its way: the next validator in order is asked to exit. Returns which. */
export async function requestExits(world: World, most = Infinity): Promise<Validator[]> {
  const asked: Validator[] = [];
  while (asked.length < most && (await isDemanded(world))) {
    const { validator, passed } = await nextToExit(world);
    if (validator === undefined) break;
    await requestExit(world, validator, passed);
    asked.push(validator);
    world.demanded.push(validator);
  }
  return asked;
}

/** A validator's worth, or anything once a request has waited for three days. */
async function isDemanded({ chain, ledger, ...world }: World): Promise<boolean> {
  const demand = ledger.exitDemand(exitsAsked(world));
  if (demand === 0n || demand >= VALIDATOR_DEPOSIT) return demand > 0n;
  const end = oldestRoundEnd(ledger.queue);
  return end !== undefined && end + SMALL_DEMAND_AFTER <= (await chain.now());
}

/** Whose turn it is, and the heads that are too young and must be passed over for it. */
export async function nextToExit(
  world: World,
): Promise<{ readonly validator: Validator | undefined; readonly passed: readonly Validator[] }> {
  const passed: Validator[] = [];
  const left: Tier[] = [];
  for (;;) {
    const tier = tierToExit(world.tiers, left);
    if (tier === undefined) return { validator: undefined, passed };
    await skipExited(world, tier);
    const head = tier.nextFunded() ?? tier.outOfTurn.find((validator) => stays(validator));
    if (head === undefined || isReady(world, head)) return { validator: head, passed };
    if (!isYoung(world, head)) return { validator: undefined, passed };
    passed.push(head);
    left.push(tier);
  }
}

function stays({ status, requested }: Validator): boolean {
  return status === "active" && !requested;
}

/** Moves a tier's head over those that leave already. */
export async function skipExited(world: World, tier: Tier): Promise<void> {
  const { p, chain, at, skipped } = world;
  const gone: Validator[] = [];
  for (let head = tier.nextFunded(); head !== undefined && !stays(head); head = tier.nextFunded()) {
    gone.push(head);
    tier.exitHead++;
  }
  if (gone.length === 0) return;
  const roots = gone.map(({ keyRoot }) => keyRoot);
  await chain.send(at.keeper, p.validators.skipExited.populateTransaction(roots));
  skipped.push(...gone);
}

/** Asks one validator to exit. Whether it is its turn is for the contract to say. */
export async function requestExit(
  world: World,
  validator: Validator,
  passed: readonly Validator[] = [],
): Promise<void> {
  const { pubkey } = validator.key;
  const { operator } = validator;
  const heads = passed.map((head) => proofOf(world, head));
  const { validators } = world.p;
  await ask(world, validator, validators.requestExit.populateTransaction(pubkey, proofOf(world, validator), heads));
  world.passed.push(...passed);
  const tier = tierOf(world, validator);
  // out of turn the head stays where it is
  const inTurn = !operator.frozen && operator.debt === 0n;
  if (inTurn && tier.nextFunded() === validator) tier.exitHead++;
}

/** Asks a validator to exit that lost more than 1 ETH: neither demand nor turn matter. */
export async function ejectBelow(world: World, validator: Validator): Promise<void> {
  const { p } = world;
  const { pubkey } = validator.key;
  const balance = contractBalanceProof(p.beacon.proveBalance(pubkey));
  await ask(world, validator, p.validators.ejectBelow.populateTransaction(pubkey, proofOf(world, validator), balance));
}

async function ask(world: World, validator: Validator, prepared: Parameters<World["chain"]["send"]>[1]): Promise<void> {
  const { p, chain, at, asked } = world;
  asked.push(await chain.send(at.keeper, prepared, await p.withdrawalVault.exitFee()));
  if (!validator.requested) tierOf(world, validator).leaving++;
  validator.requested = true;
}

/** Why an exit is refused; undefined if it is not. */
export async function exitRefusal(
  world: World,
  validator: Validator,
  passed: readonly ContractValidatorProof[] = [],
): Promise<string | undefined> {
  const { p, chain, at } = world;
  const { pubkey } = validator.key;
  const call = p.validators.requestExit.populateTransaction(pubkey, proofOf(world, validator), [...passed]);
  return chain.refusal(at.keeper, call, await p.withdrawalVault.exitFee());
}

/** The same of an ejection by balance. */
export async function belowRefusal(world: World, validator: Validator): Promise<string | undefined> {
  const { p, chain, at } = world;
  const { pubkey } = validator.key;
  const balance = contractBalanceProof(p.beacon.proveBalance(pubkey));
  const call = p.validators.ejectBelow.populateTransaction(pubkey, proofOf(world, validator), balance);
  return chain.refusal(at.keeper, call, await p.withdrawalVault.exitFee());
}

/** In the newest state that can be proven, or in an older one. */
export function proofOf({ p }: World, { key }: Validator, slot?: number): ContractValidatorProof {
  return contractValidatorProof(p.beacon.proveValidator(key.pubkey, slot));
}

/** Active for 256 epochs in the newest state that can be proven, and not leaving. */
export function isReady(world: World, validator: Validator): boolean {
  return isMature(world, validator) && !isLeaving(world, validator);
}

/** Not active for 256 epochs yet in that state, and not leaving. */
export function isYoung(world: World, validator: Validator): boolean {
  return !isMature(world, validator) && !isLeaving(world, validator);
}

function isMature({ p }: World, { key }: Validator): boolean {
  const { beacon } = p;
  const start = beacon.stateAt(beacon.provenSlot).validator(key.pubkey)?.activationEpoch ?? Infinity;
  return start + EPOCHS_BEFORE_EXIT <= Math.floor(beacon.provenSlot / 32);
}

function isLeaving({ p }: World, { key }: Validator): boolean {
  const { beacon } = p;
  return (beacon.stateAt(beacon.provenSlot).validator(key.pubkey)?.exitEpoch ?? Infinity) !== Infinity;
}
