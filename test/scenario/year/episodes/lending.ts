/**
 * From the forty-fifth day on: stakers who leave at once, and some who come back where it gives the most; three who lend to them; and somebody who
 * brings ether back where that pays, and queues what it bought. Through slashings, the fall and the incident.
 */
import { decide } from "../../../../offchain/keeper/arbitrage.ts";
import type { ArbitrageRules } from "../../../../offchain/keeper/arbitrage.ts";
import { rebatesToCome, valueOf } from "../../../../offchain/protocol/etherPool.ts";
import { DAY, shares, wei } from "../../../../offchain/protocol/units.ts";
import * as market from "../market.ts";
import { stake } from "../stakers.ts";
import { ETH } from "../stakers.ts";
import type { Episode } from "../story.ts";
import { seeded } from "../world.ts";
import type { World } from "../world.ts";

export const LENDING_SINCE = 45;
const LENT = [60n * ETH, 40n * ETH, 25n * ETH];
const LEAVERS = 6;
const FEES = [30n, 60n, 150n, 10_000n];
/** Everybody who can leaves at once. */
const BURSTS = new Set([130, 230, 305]);
const WAIT = 2n * DAY;
const RULES: ArbitrageRules = {
  most: 1_000n * ETH,
  mostADay: 1_000n * ETH,
  minProfit: 10n ** 14n,
  minProfitBp: 2n,
  capitalCostBp: 300n,
  reserve: 0n,
};

export interface Lending extends Episode {
  readonly counts: Record<
    "leftAtOnce" | "leftInPart" | "queued" | "stakedForMore" | "staked" | "entered" | "exited" | "bought" | "bursts",
    number
  >;
  /** Sales tried while nothing trades, by day. */
  readonly refusals: Map<number, string | undefined>;
  /** LP that left while nothing traded. */
  exitedMeanwhile: bigint;
  /** Wei: what leavers paid, and what those who brought ether got on top. */
  fees: bigint;
  rebates: bigint;
  /** Of who brings ether back: wei that it spent, and its requests. */
  spent: bigint;
  readonly bought: number[];
  /** Days on which trades and entries took something from the lenders. */
  readonly taken: number[];
  /** Of 1e18 LP, by day, after the report: wei. */
  readonly worth: Map<number, bigint>;
}

/** @param isClosed whether deposits are impossible on a day */
export function lending(world: World, isClosed: (day: number) => boolean): Lending {
  const { chain, ledger } = world;
  // of its own: what others do on a day does not depend on it
  const random = seeded(45);
  const lenders: string[] = [];
  const leavers: string[] = [];
  let trader = "";
  const isOpen = (day: number): boolean => day > LENDING_SINCE;
  const found: Lending = {
    counts: {
      ...{ leftAtOnce: 0, leftInPart: 0, queued: 0, stakedForMore: 0, staked: 0 },
      ...{ entered: 0, exited: 0, bought: 0, bursts: 0 },
    },
    refusals: new Map(),
    exitedMeanwhile: 0n,
    fees: 0n,
    rebates: 0n,
    spent: 0n,
    bought: [],
    taken: [],
    worth: new Map(),

    morning: async (day) => {
      if (day === LENDING_SINCE) await open();
      if (!isOpen(day)) return;
      const before = ofLenders();
      if (await isCalm()) await trade(day);
      else await whileHalted(day);
      if (isLess(ofLenders(), before)) found.taken.push(day);
    },
    evening: async (day) => {
      if (isOpen(day) && (await isCalm())) await bringBack();
    },
    night: (day) => {
      if (isOpen(day)) found.worth.set(day, worth());
      return Promise.resolve();
    },
  };
  return found;

  async function open(): Promise<void> {
    await market.openMarket(world, await chain.account("opener"));
    for (const [index, amount] of LENT.entries()) {
      const who = await chain.account(`lender ${index}`);
      lenders.push(who);
      await market.provide(world, who, amount);
      found.counts.entered++;
    }
    for (let index = 0; index < LEAVERS; index++) {
      const who = await chain.account(`leaver ${index}`);
      leavers.push(who);
      await stake(world, who, 20n * ETH);
    }
    trader = await chain.account("trader");
  }

  async function isCalm(): Promise<boolean> {
    return market.marketOf(world).pool.isCalm((await chain.now()) + 1n);
  }

  async function trade(day: number): Promise<void> {
    if (BURSTS.has(day)) {
      found.counts.bursts++;
      for (const who of leavers) await leave(who, 1n, 10_000n);
      return;
    }
    for (let count = random(3); count > 0; count--) {
      const who = leavers[random(LEAVERS)] ?? "";
      const fee = FEES[random(FEES.length)] ?? 0n;
      if (ledger.balanceOf(who) > ETH && random(3) > 0) await leave(who, BigInt(1 + random(8)), fee);
      else if (!isClosed(day)) await comeBack(who);
    }
    if (day % 17 === 0) await lend(day);
  }

  /** With a part of what it has. */
  async function leave(who: string, part: bigint, maxFeeBp: bigint): Promise<void> {
    const amount = shares(ledger.sharesOf(who) / part);
    if (ledger.balanceOf(who) / part < ETH / 10n) return;
    const { ether, requestId, fee } = await market.leave(world, who, amount, maxFeeBp);
    found.fees += fee;
    if (requestId === undefined) found.counts.leftAtOnce++;
    else if (ether > 0n) found.counts.leftInPart++;
    else found.counts.queued++;
  }

  async function comeBack(who: string): Promise<void> {
    const amount = (BigInt(1 + random(12_000)) * ETH) / 1_000n + BigInt(random(1_000_000_007));
    const { bought, gain } = await market.stakeBest(world, who, amount);
    if (bought > 0n) found.counts.stakedForMore++;
    else found.counts.staked++;
    if (bought > 0n) found.rebates += gain;
  }

  /** In turn: a part in both assets, a part to ether, and in again. */
  async function lend(day: number): Promise<void> {
    const who = lenders[random(lenders.length)] ?? "";
    const lp = market.marketOf(world).pool.balanceOf(who);
    const isIn = lp > ETH;
    if (!isIn || random(3) === 0) {
      if (isClosed(day)) return;
      await market.provide(world, who, BigInt(5 + random(20)) * ETH + BigInt(random(1_000_003)));
      found.counts.entered++;
      return;
    }
    const part = lp / BigInt(2 + random(4));
    if (random(2) === 0) await market.exit(world, who, part);
    else await market.exitToEther(world, who, part, FEES[random(FEES.length)] ?? 0n);
    found.counts.exited++;
  }

  /** Nothing trades; who lends may go. */
  async function whileHalted(day: number): Promise<void> {
    const { contracts, pool } = market.marketOf(world);
    const [leaver = "", lender = ""] = [leavers[0], lenders[0]];
    const sale = contracts.etherPool.sell.populateTransaction(ETH, 0n, leaver);
    found.refusals.set(day, await chain.refusal(leaver, sale));
    if (pool.balanceOf(lender) > 20n * ETH && found.exitedMeanwhile === 0n) {
      found.exitedMeanwhile = pool.balanceOf(lender) / 10n;
      await market.exit(world, lender, found.exitedMeanwhile);
    }
  }

  async function bringBack(): Promise<void> {
    const { routing } = market.marketOf(world);
    const now = (await chain.now()) + 1n;
    const decided = decide(
      {
        ...{ account: trader, now, market: routing.market(now), balance: wei(10_000n * ETH) },
        ...{ held: ledger.sharesOf(trader), waiting: wei(0n), claimable: [], spentToday: wei(0n), gasPrice: 0n },
        waitFor: () => ({ earliest: now + WAIT, expected: now + WAIT, reason: "report" }),
      },
      RULES,
    );
    if (typeof decided === "string") return;
    await market.buy(world, trader, decided.amount, decided.units);
    const id = await market.queueAll(world, trader);
    if (id !== undefined) found.bought.push(id);
    found.spent += decided.amount;
    found.rebates += decided.value - decided.amount;
    found.counts.bought++;
  }

  /** What lenders have, less the rebates to come: wei. */
  function ofLenders(): { readonly value: bigint; readonly supply: bigint } {
    const { pool } = market.marketOf(world).pool;
    return { value: valueOf(pool, ledger.totals) - rebatesToCome(pool), supply: pool.supply };
  }

  /** L3: beyond a wei of the whole pool for each operation, of which a day has fewer than twenty. */
  function isLess(after: ReturnType<typeof ofLenders>, before: ReturnType<typeof ofLenders>): boolean {
    return (after.value + 20n) * before.supply < before.value * after.supply;
  }

  function worth(): bigint {
    const { pool } = market.marketOf(world).pool;
    return (valueOf(pool, ledger.totals) * ETH) / pool.supply;
  }
}
