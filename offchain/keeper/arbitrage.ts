/**
 * Buying from the EtherPool, queueing what was bought and claiming what came of it, with the account's own ether: whether it pays, and how much of
 * it. Pure. Whoever brings ether back to the pool gets a part of the scarcity that sellers paid for, and waits in the withdrawal queue
 * (docs/liquidity.md): it pays where that part is more than gas and what the wait costs.
 */
import { buyable, curveOf, quoteBuy, roomOf } from "../protocol/etherPool.ts";
import type { EtherPool } from "../protocol/etherPool.ts";
import { weight } from "../protocol/feeCurve.ts";
import { ceilDiv, max, min } from "../protocol/integers.ts";
import type { Market } from "../protocol/router.ts";
import { toEtherDown } from "../protocol/shares.ts";
import { BP, DAY, ETHER, YEAR, wei } from "../protocol/units.ts";
import type { Shares, Units, Wei } from "../protocol/units.ts";
import { fromWrappedDown, toWrappedUp } from "../protocol/wrapped.ts";
import type { WaitEstimate } from "../protocol/waiting.ts";
import { MOST_CLAIMS, splitAmount } from "../chain/write/withdraw.ts";
import type { Action, Part, Reason } from "./actions.ts";

export interface ArbitrageRules {
  /** Wei that may be tied up at a time: in estETH, in requests that wait and in those that can be claimed. */
  readonly most: bigint;
  /** Wei that may be spent within a day. */
  readonly mostADay: bigint;
  /** Wei that a purchase must bring, after gas and the cost of waiting. */
  readonly minProfit: bigint;
  /** The same in basis points of what is spent; so much must the last wei bring, too. */
  readonly minProfitBp: bigint;
  /** What ether costs that waits: basis points a year. */
  readonly capitalCostBp: bigint;
  /** Wei of the account that are for gas. */
  readonly reserve: bigint;
}

export interface Claimable {
  readonly id: bigint;
  readonly hint: bigint;
  readonly amount: Wei;
}

/** The pool, and what the account has, as of one block. */
export interface Trading {
  readonly account: string;
  /** Unix seconds. */
  readonly now: bigint;
  readonly market: Market;
  readonly balance: Wei;
  /** estETH of the account, bought or not. */
  readonly held: Shares;
  /** Of its requests that are not finalised. */
  readonly waiting: Wei;
  readonly claimable: readonly Claimable[];
  /** Spent on purchases within the last day. */
  readonly spentToday: Wei;
  /** What a unit of gas costs now, wei. */
  readonly gasPrice: bigint;
  /** When a request of so many wei would be paid; undefined where nothing can be bought. */
  readonly waitFor: ((amount: Wei) => WaitEstimate) | undefined;
}

/** A purchase, with what it is expected to bring. Wei, but for the units. */
export interface Purchase {
  readonly amount: Wei;
  readonly units: Units;
  /** Of the units. */
  readonly value: Wei;
  /** Of buying, queueing and claiming. */
  readonly gas: Wei;
  /** Seconds until a request for it is paid, and what they cost. */
  readonly wait: bigint;
  readonly waiting: Wei;
  /** What is left. */
  readonly profit: bigint;
}

/** Gas of a purchase, a request that opens a round, and a claim: more than measured (test/offchain/keeper/arbitrage.test.ts). */
export const ROUND_TRIP_GAS = 400_000n;
/** Of one claim in a list. */
const CLAIM_GAS = 80_000n;
/** estETH below this is not worth a request. */
const LEAST_REQUEST = ETHER / 100n;

/** What the account has in it, at the rate. */
export function tiedUp({ market, held, waiting, claimable }: Trading): Wei {
  return wei(toEtherDown(held, market.totals) + waiting + claimable.reduce((sum, { amount }) => sum + amount, 0n));
}

/** @param trading a reason where it could not be read */
export function arbitrage(trading: Trading | Reason | undefined, rules: ArbitrageRules | undefined): Part {
  if (rules === undefined) return heldBack("switched off");
  if (trading === undefined) return heldBack("it has no account");
  if (typeof trading === "string") return heldBack(trading);
  const parts = [claims(trading), queueing(trading), purchase(trading, rules)];
  return {
    actions: parts.flatMap(({ actions }) => actions),
    reasons: Object.assign({}, ...parts.map(({ reasons }) => reasons)) as Part["reasons"],
  };
}

function heldBack(reason: Reason): Part {
  return { actions: [], reasons: { claimBought: [reason], queueBought: [reason], buyFromPool: [reason] } };
}

/** Requests that somebody gave the account, and that pay less than their claim costs, stay. */
function claims({ account, claimable, gasPrice }: Trading): Part {
  if (claimable.length === 0) return { actions: [], reasons: {} };
  const worth = claimable.filter(({ amount }) => amount > CLAIM_GAS * gasPrice).slice(0, MOST_CLAIMS);
  if (worth.length === 0) return { actions: [], reasons: { claimBought: ["not worth it yet"] } };
  const action: Action = {
    kind: "claimBought",
    ids: worth.map(({ id }) => id),
    hints: worth.map(({ hint }) => hint),
    amount: wei(worth.reduce((sum, { amount }) => sum + amount, 0n)),
    receiver: account,
  };
  return { actions: [action], reasons: {} };
}

function queueing({ market, held }: Trading): Part {
  const value = toEtherDown(held, market.totals);
  if (held === 0n) return { actions: [], reasons: {} };
  if (value < LEAST_REQUEST) return { actions: [], reasons: { queueBought: ["not worth it yet"] } };
  if (market.requestsPaused) return { actions: [], reasons: { queueBought: ["requests are paused"] } };
  const count = BigInt(splitAmount(value).length);
  const shares = Array.from({ length: Number(count) }, (_, index) =>
    index === 0 ? held - (held / count) * (count - 1n) : held / count,
  );
  return { actions: [{ kind: "queueBought", shares }], reasons: {} };
}

function purchase(trading: Trading, rules: ArbitrageRules): Part {
  const decided = decide(trading, rules);
  if (typeof decided === "string") return { actions: [], reasons: { buyFromPool: [decided] } };
  return { actions: [buying(trading, rules, decided)], reasons: {} };
}

/** What is bought, or why nothing is. */
export function decide(trading: Trading, rules: ArbitrageRules): Purchase | Reason {
  const { market, balance, held, spentToday, gasPrice } = trading;
  if (market.requestsPaused) return "requests are paused";
  if (!market.calm) return "the protocol is not calm";
  const room = buyable(market.pool, market.totals);
  if (room === 0n) return "the pool is at its target";
  if (toEtherDown(held, market.totals) >= LEAST_REQUEST) return "what was bought is not queued yet";
  const limits: [bigint, Reason][] = [
    [rules.most - tiedUp(trading), "the limit is tied up"],
    [rules.mostADay - spentToday, "the day's limit is reached"],
    [balance - rules.reserve - ROUND_TRIP_GAS * gasPrice, "the account has too little ether"],
  ];
  for (const [left, reason] of limits) if (left <= 0n) return reason;
  const most = wei(limits.reduce<bigint>((least, [left]) => min(least, left), room));
  return best(trading, rules, most) ?? "it would not pay";
}

/** A larger request waits longer, by steps: the best of what pays at the wait of all, of its half, of a quarter and so on. */
function best(trading: Trading, rules: ArbitrageRules, most: Wei): Purchase | undefined {
  const { waitFor } = trading;
  if (waitFor === undefined) return undefined;
  let found: Purchase | undefined;
  for (let limit = most; pays(trading.market, limit); limit = wei(limit / 2n)) {
    const amount = min(limit, worthwhile(trading.market.pool, rules, waited(trading, waitFor(limit))));
    if (!pays(trading.market, amount)) continue;
    const one = outcome(trading, rules, amount, waited(trading, waitFor(amount)));
    if (one.profit >= leastProfit(rules, amount) && (found === undefined || one.profit > found.profit)) found = one;
  }
  return found;
}

function waited({ now }: Trading, { expected }: WaitEstimate): bigint {
  return max(0n, expected - now);
}

/** Ether up to which each wei's rebate is more than its wait and the least profit, rounded down; 0 or less where none's is. */
function worthwhile(pool: EtherPool, { capitalCostBp, minProfitBp }: ArbitrageRules, wait: bigint): Wei {
  const { rebateBp, maxFeeBp, minFeeBp } = pool.terms;
  const slope = 2n * rebateBp * (maxFeeBp - minFeeBp) * YEAR;
  if (slope === 0n) return wei(0n);
  const cost = weight(curveOf(pool)) * (capitalCostBp * wait + minProfitBp * YEAR);
  return wei(roomOf(pool) - ceilDiv(cost, slope));
}

/** Less than a unit buys nothing. */
function pays({ totals }: Market, amount: Wei): boolean {
  return amount > fromWrappedDown(1n as Units, totals) + 1n;
}

function outcome(trading: Trading, { capitalCostBp }: ArbitrageRules, amount: Wei, wait: bigint): Purchase {
  const { market, gasPrice } = trading;
  const units = quoteBuy(market.pool, amount, market.totals);
  const value = fromWrappedDown(units, market.totals);
  const gas = wei(ROUND_TRIP_GAS * gasPrice);
  const waiting = wei(ceilDiv(amount * capitalCostBp * wait, BP * YEAR));
  return { amount, units, value, gas, wait, waiting, profit: value - amount - gas - waiting };
}

function leastProfit({ minProfit, minProfitBp }: ArbitrageRules, amount: Wei): bigint {
  return max(minProfit, ceilDiv(amount * minProfitBp, BP));
}

/** What is left above the least profit may be lost to the price between now and the block, half of it, and to gas the other half. */
function buying({ account, market, gasPrice }: Trading, rules: ArbitrageRules, bought: Purchase): Action {
  const slack = (bought.profit - leastProfit(rules, bought.amount)) / 2n;
  return {
    kind: "buyFromPool",
    ether: bought.amount,
    minUnits: min(bought.units, toWrappedUp(wei(bought.value - slack), market.totals)),
    maxFeePerGas: gasPrice + slack / ROUND_TRIP_GAS,
    receiver: account,
    expected: bought,
  };
}

/** "4.2" of seconds. */
export function days(seconds: bigint): string {
  return (Number(seconds) / Number(DAY)).toFixed(1);
}

/** What arbitrage brought since the start, after gas: what is tied up counts at the rate. */
export class ProfitBook {
  #start: bigint | undefined;
  #flow = 0n;

  /** Wei; 0 the first time. */
  profit(trading: Trading): bigint {
    const now = tiedUp(trading);
    this.#start ??= now;
    return now - this.#start + this.#flow;
  }

  /** @param fee of its transaction, wei */
  done(action: Action, fee: bigint): void {
    if (action.kind === "buyFromPool") this.#flow -= action.ether + fee;
    else if (action.kind === "claimBought") this.#flow += action.amount - fee;
    else if (action.kind === "queueBought") this.#flow -= fee;
  }
}
