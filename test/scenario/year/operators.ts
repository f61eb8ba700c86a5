/** What operators, the guardian and governance do. */
import { id as hashOf } from "ethers";
import type { Hex } from "../../../devnet/simulated/state/state.ts";
import { pubkeyRoot, signedDeposit } from "../../../devnet/keys.ts";
import { validatorBatch } from "../../../devnet/simulated/localProtocol.ts";
import { toEtherDown } from "../../../offchain/protocol/shares.ts";
import { SHARES_PER_UNIT, shares, wei } from "../../../offchain/protocol/units.ts";
import type { OperatorAccount } from "./operatorBooks.ts";
import { bondBeside } from "./operatorBooks.ts";
import type { Validator } from "./turns.ts";
import { newKeys, tierOf } from "./world.ts";
import type { World } from "./world.ts";

const ETH = 10n ** 18n;
const ONE_ETH_GWEI = 10n ** 9n;

/** Curated operators are invited, the others join by themselves. */
export async function join(world: World, tier: number, name: string): Promise<OperatorAccount> {
  const { chain, p, operators } = world;
  const terms = world.terms[tier];
  if (terms === undefined) throw new Error(`no tier ${tier}`);
  const owner = await chain.account(name);
  if (terms.open) await chain.send(owner, p.operators.join.populateTransaction(tier, owner, name));
  else await chain.send(p.governor.address, p.operators.addOperator.populateTransaction(tier, owner, owner, name));
  return operators.join(BigInt(operators.all.length + 1), tier, terms, owner);
}

export async function addBond(world: World, op: OperatorAccount, amount: bigint): Promise<void> {
  const { chain, p, at, ledger, operators } = world;
  const now = await chain.send(op.owner, p.operators.addBond.populateTransaction(op.id), amount);
  world.deposited += amount;
  operators.addBond(op, ledger.deposit(at.operators, wei(amount), now));
}

/** In estETH that the operator holds, all of it. */
export async function addBondShares(world: World, op: OperatorAccount): Promise<void> {
  const { chain, p, at, ledger, operators } = world;
  const amount = ledger.sharesOf(op.owner);
  await chain.send(op.owner, p.token.approve.populateTransaction(at.operators, 2n ** 256n - 1n));
  await chain.send(op.owner, p.operators.addBondShares.populateTransaction(op.id, amount));
  ledger.transferShares(op.owner, at.operators, amount);
  operators.addBond(op, amount);
}

/** In westETH, all of it. */
export async function addBondWrapped(world: World, op: OperatorAccount): Promise<void> {
  const { chain, p, at, ledger, operators } = world;
  const amount = await p.wrapped.balanceOf(op.owner);
  await chain.send(op.owner, p.wrapped.approve.populateTransaction(at.operators, amount));
  await chain.send(op.owner, p.operators.addBondWrapped.populateTransaction(op.id, amount));
  const moved = shares(amount * SHARES_PER_UNIT);
  ledger.transferShares(at.wrapped, at.operators, moved);
  operators.addBond(op, moved);
}

/** Whatever the contract calls free. Its value must be what the books leave beyond the requirement. */
export async function withdrawFreeBond(world: World, op: OperatorAccount): Promise<bigint> {
  const { chain, p, operators, ledger } = world;
  const free = shares(await p.operators.freeBond(op.id));
  if (free === 0n) return 0n;
  await chain.send(op.owner, p.operators.withdrawBond.populateTransaction(op.id, free, op.owner));
  operators.withdrawBond(op, free, op.owner);
  if (operators.atStake(op) < operators.required(op)) throw new Error("I8: bond withdrawn below the requirement");
  return toEtherDown(free, ledger.totals);
}

/** Governance changes what each further validator of a tier needs, for everybody in it. */
export async function setBondNext(world: World, tier: number, bondNext: bigint): Promise<void> {
  const { p, chain, operators } = world;
  const terms = world.terms[tier];
  if (terms === undefined) throw new Error(`no tier ${tier}`);
  world.terms[tier] = { ...terms, bondNext };
  await chain.send(p.governor.address, p.operators.setTier.populateTransaction(tier, { ...terms, bondNext }));
  for (const account of operators.all) if (account.tier === tier) account.terms = { ...account.terms, bondNext };
}

// --- keys ---

/** Deposits 1 ETH for each of `count` new keys. The bond beside them comes first, unless the operator is late with it. */
export async function predeposit(world: World, op: OperatorAccount, count: number): Promise<Validator[]> {
  const { chain, p, validators } = world;
  const keys = newKeys(world, count);
  const credentials = (await p.validators.withdrawalCredentials()) as Hex;
  const deposits = keys.map((key) => signedDeposit(key, credentials, ONE_ETH_GWEI));
  const prepared = p.validators.predeposit.populateTransaction(
    op.id,
    deposits.map((deposit) => deposit.pubkey),
    deposits.map((deposit) => deposit.signature),
    deposits.map((deposit) => deposit.depositDataRoot),
  );
  await chain.send(op.owner, prepared, BigInt(count) * ETH);
  const news = keys.map((key): Validator => {
    const flags = { slashed: false, weightless: false, requested: false, own: false };
    const start = { status: "predeposited", fundedAt: 0n, shortfall: wei(0n) } as const;
    return { key, keyRoot: pubkeyRoot(key.pubkey), operator: op, ...start, ...flags };
  });
  validators.push(...news);
  return news;
}

/** As `predeposit`, once the bond is there. */
export async function predepositAll(world: World, op: OperatorAccount, count: number): Promise<Validator[]> {
  const lacking = lackingBond(world, op, count);
  if (lacking > 0n) await addBond(world, op, lacking);
  return predeposit(world, op, count);
}

/** What an operator must add for `count` keys more, beside their predeposits. */
export function lackingBond(world: World, op: OperatorAccount, count: number): bigint {
  const keys = op.queued + op.active + BigInt(count);
  const have = toEtherDown(op.bond, world.ledger.totals) - op.active * ETH;
  const lacking = bondBeside(op.terms, keys) - have;
  // a wei for the rounding of shares
  return lacking > 0n ? lacking + BigInt(count) : 0n;
}

/** Proves keys that the beacon chain knows by now. Returns the error's name if it is refused. */
export async function prove(world: World, keys: readonly Validator[]): Promise<string | undefined> {
  const { chain, p, at } = world;
  const batch = validatorBatch(
    p,
    keys.map(({ key }) => key),
  );
  const prepared = p.validators.proveValidators.populateTransaction(batch);
  const refusal = await chain.refusal(at.keeper, prepared);
  if (refusal !== undefined) return refusal;
  await chain.send(at.keeper, prepared);
  for (const validator of keys) {
    validator.status = "queued";
    validator.operator.queued++;
    tierOf(world, validator).push(validator);
  }
  return undefined;
}

export async function drop(world: World, keys: readonly Validator[]): Promise<void> {
  const { chain, p, at } = world;
  await chain.send(at.keeper, p.validators.dropQueued.populateTransaction(rootsOf(keys)));
  for (const validator of keys) {
    validator.status = "dropped";
    validator.operator.queued--;
    tierOf(world, validator).remove(validator);
  }
}

/** Puts dropped keys of one operator back. */
export async function requeue(world: World, op: OperatorAccount, keys: readonly Validator[]): Promise<void> {
  const { chain, p } = world;
  await chain.send(op.owner, p.validators.requeue.populateTransaction(rootsOf(keys)));
  for (const validator of keys) {
    validator.status = "queued";
    op.queued++;
    tierOf(world, validator).push(validator);
  }
}

function rootsOf(keys: readonly Validator[]): Hex[] {
  return keys.map(({ keyRoot }) => keyRoot);
}

export async function fundOwn(world: World, validator: Validator): Promise<void> {
  const { chain, p, ledger, operators } = world;
  const { operator } = validator;
  const now = await chain.send(
    operator.owner,
    p.validators.fundOwn.populateTransaction(validator.key.pubkey),
    31n * ETH,
  );
  world.deposited += 31n * ETH;
  operators.divide();
  operators.funded([operator], ledger.fundOwn(operator.owner, now));
  const tier = tierOf(world, validator);
  tier.remove(validator);
  tier.outOfTurn.push(validator);
  tier.funded++;
  Object.assign(validator, { status: "active", fundedAt: now, own: true });
}

// --- rewards ---

export async function claim({ chain, p, at, ledger, operators }: World, op: OperatorAccount): Promise<void> {
  await chain.send(op.owner, p.operators.claimRewards.populateTransaction(op.id, op.owner));
  ledger.transferShares(at.operators, op.owner, operators.collect(op));
}

export async function claimWrapped(world: World, op: OperatorAccount): Promise<void> {
  const { chain, p, at, ledger, operators } = world;
  await chain.send(op.owner, p.operators.claimRewardsWrapped.populateTransaction(op.id, op.owner));
  const all = operators.collect(op);
  op.rewards = shares(all % SHARES_PER_UNIT);
  ledger.transferShares(at.operators, at.wrapped, shares(all - op.rewards));
}

export async function compound({ chain, p, operators }: World, op: OperatorAccount): Promise<void> {
  await chain.send(op.owner, p.operators.compoundRewards.populateTransaction(op.id));
  operators.addBond(op, operators.collect(op));
}

export async function payTreasury({ chain, p, at, operators }: World): Promise<void> {
  await chain.send(at.keeper, p.operators.payTreasury.populateTransaction());
  operators.payTreasury();
}

// --- guardian and governance ---

export async function lockFine(world: World, op: OperatorAccount, amount: bigint): Promise<void> {
  const { chain, p, operators } = world;
  const evidence = hashOf(`operator ${op.id}`);
  const now = await chain.send(p.guardian.address, p.operators.lockFine.populateTransaction(op.id, amount, evidence));
  operators.lockFine(op, wei(amount), now);
}

export async function confirmFine({ chain, p, operators }: World, op: OperatorAccount): Promise<void> {
  await chain.send(p.governor.address, p.operators.confirmFine.populateTransaction(op.id));
  operators.confirmFine(op);
}

export async function cancelFine({ chain, p, operators }: World, op: OperatorAccount): Promise<void> {
  await chain.send(p.governor.address, p.operators.cancelFine.populateTransaction(op.id));
  operators.releaseFine(op);
}

export async function releaseFine({ chain, p, at, operators }: World, op: OperatorAccount): Promise<void> {
  await chain.send(at.keeper, p.operators.releaseFine.populateTransaction(op.id));
  operators.releaseFine(op);
}

export async function unfreeze({ chain, p }: World, op: OperatorAccount): Promise<void> {
  await chain.send(p.governor.address, p.operators.unfreeze.populateTransaction(op.id));
  Object.assign(op, { frozen: false, frozenAt: 0n });
}
