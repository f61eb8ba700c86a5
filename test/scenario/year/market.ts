/** The EtherPool and the Router of a scenario: each action goes to the chain, and to the twins beside the ledger's books. */
import { MaxUint256, ZeroAddress } from "ethers";
import { deployLiquidity } from "../../../deploy/deployLiquidity.ts";
import type { LiquidityContracts } from "../../../deploy/deployLiquidity.ts";
import { ETHER_POOL } from "../../../deploy/lib/parameters.ts";
import { curveOf, quoteSellFor } from "../../../offchain/protocol/etherPool.ts";
import type { Both } from "../../../offchain/protocol/etherPool.ts";
import { EtherPoolModel } from "../../../offchain/protocol/etherPoolModel.ts";
import { splitLeave, splitStake } from "../../../offchain/protocol/router.ts";
import type { Provision, StakeSplit } from "../../../offchain/protocol/router.ts";
import { RouterModel } from "../../../offchain/protocol/routerModel.ts";
import type { Left } from "../../../offchain/protocol/routerModel.ts";
import { toEtherUp, unitsToShares } from "../../../offchain/protocol/shares.ts";
import { bp, shares, units, wei } from "../../../offchain/protocol/units.ts";
import type { Shares, Units, Wei } from "../../../offchain/protocol/units.ts";
import * as stakers from "./stakers.ts";
import type { World } from "./world.ts";

export interface Market {
  readonly contracts: LiquidityContracts;
  readonly pool: EtherPoolModel;
  readonly routing: RouterModel;
  /** Who approved whom. */
  readonly approved: Set<string>;
}

const NONE = wei(0n);

/** Deploys both; `opener` sells the pool what brings it to its target. */
export async function openMarket(world: World, opener: string): Promise<Market> {
  const { connection, p, chain, ledger } = world;
  const contracts = await deployLiquidity(connection, p);
  chain.knowErrors([contracts.etherPool.interface, contracts.router.interface]);
  const { seedWei, terms } = ETHER_POOL;
  const { minFeeBp, maxFeeBp, targetBp, rebateBp, entryFeeBp } = terms;
  const inBp = {
    ...{ minFeeBp: bp(minFeeBp), maxFeeBp: bp(maxFeeBp), targetBp: bp(targetBp) },
    ...{ rebateBp: bp(rebateBp), entryFeeBp: bp(entryFeeBp) },
  };
  const [account, locked] = [contracts.etherPool.target as string, await contracts.etherPool.LOCKED()];
  const pool = new EtherPoolModel(ledger, account, inBp, wei(seedWei), locked);
  const routing = new RouterModel(ledger, pool, contracts.router.target as string);
  const market: Market = { contracts, pool, routing, approved: new Set() };
  world.market = market;
  const wanted = wei(seedWei - curveOf(pool.pool).target);
  const cost = quoteSellFor(pool.pool, wanted, ledger.totals);
  await stakers.stake(world, opener, toEtherUp(unitsToShares(cost), ledger.totals) + 1n);
  await approve(world, opener, account);
  const now = await chain.send(opener, contracts.etherPool.sellFor.populateTransaction(wanted, cost, opener));
  pool.sellFor(opener, wanted, cost, now);
  return market;
}

export function marketOf({ market }: World): Market {
  if (market === undefined) throw new Error("no market is open");
  return market;
}

/** estETH of `who`, or LP where the Router may burn them. */
async function approve(world: World, who: string, spender: string, isLp = false): Promise<void> {
  const { p, chain } = world;
  const { approved, contracts } = marketOf(world);
  const name = `${who} ${spender} ${isLp}`;
  if (approved.has(name)) return;
  approved.add(name);
  const token = isLp ? contracts.etherPool : p.token;
  await chain.send(who, token.approve.populateTransaction(spender, MaxUint256));
}

/** Where it gives the most. */
export async function stakeBest(world: World, who: string, amount: bigint): Promise<StakeSplit> {
  const { router } = marketOf(world).contracts;
  const { routing } = marketOf(world);
  const sent = router.stake.populateTransaction(who, ZeroAddress, 0n, false, MaxUint256);
  const now = await world.chain.send(who, sent, amount);
  const split = splitStake(routing.market(now), wei(amount));
  const { back } = routing.stake(who, wei(amount), shares(0n), now);
  world.deposited += split.staked - back;
  return split;
}

/** At once what the pool takes up to that fee, the rest as a request. */
export async function leave(
  world: World,
  who: string,
  amount: Shares,
  maxFeeBp: bigint,
): Promise<Left & { readonly fee: Wei }> {
  const { contracts, routing } = marketOf(world);
  const { router } = contracts;
  await approve(world, who, router.target as string);
  const sent = router.leaveShares.populateTransaction(amount, maxFeeBp, 0n, who, MaxUint256);
  const now = await world.chain.send(who, sent);
  const { fee } = splitLeave(routing.market(now), amount, bp(maxFeeBp));
  return { ...noted(world, who, routing.leaveShares(who, who, amount, bp(maxFeeBp), NONE, now)), fee };
}

export async function provide(world: World, who: string, amount: bigint): Promise<Provision> {
  const { contracts, routing } = marketOf(world);
  const sent = contracts.router.provide.populateTransaction(0n, 10_000n, who, MaxUint256);
  const now = await world.chain.send(who, sent, amount);
  const plan = routing.provide(who, wei(amount), NONE, bp(10_000n), now);
  world.deposited += plan.staked;
  return plan;
}

/** For both assets. */
export async function exit(world: World, who: string, lp: bigint): Promise<Both> {
  const { contracts, pool } = marketOf(world);
  await world.chain.send(who, contracts.etherPool.exit.populateTransaction(lp, 0n, 0n, who));
  return pool.exit(who, who, wei(lp), NONE, units(0n));
}

/** The units to ether too: at once what trades up to that fee. */
export async function exitToEther(world: World, who: string, lp: bigint, maxFeeBp: bigint): Promise<Left> {
  const { contracts, routing } = marketOf(world);
  const { router } = contracts;
  await approve(world, who, router.target as string, true);
  const sent = router.exitToEther.populateTransaction(lp, maxFeeBp, 0n, who, MaxUint256);
  const now = await world.chain.send(who, sent);
  return noted(world, who, routing.exitToEther(who, who, wei(lp), bp(maxFeeBp), NONE, now));
}

export async function buy(world: World, who: string, amount: bigint, least: bigint): Promise<Units> {
  const { contracts, pool } = marketOf(world);
  const now = await world.chain.send(who, contracts.etherPool.buy.populateTransaction(least, who), amount);
  return pool.buy(who, wei(amount), units(least), now);
}

/** All estETH of an account. Returns the request's id. */
export async function queueAll(world: World, who: string): Promise<number | undefined> {
  const { chain, p, ledger, requests } = world;
  const held = ledger.sharesOf(who);
  const now = await chain.send(who, p.queue.requestWithdrawalsShares.populateTransaction([held], ZeroAddress));
  const [id] = ledger.requestShares(who, [held], now);
  if (id !== undefined) requests.push({ id, owner: who });
  return id;
}

function noted(world: World, owner: string, left: Left): Left {
  if (left.requestId !== undefined) world.requests.push({ id: left.requestId, owner });
  return left;
}
