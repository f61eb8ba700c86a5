/** What stakers can leave through in the simulated year: an EtherPool by its twin, and a StableSwap by its invariant. Amounts in ETH. */
import { BP, SHARES_PER_UNIT, bp, shares, units, wei } from "../../../offchain/protocol/units.ts";
import {
  buyable,
  quoteBuy,
  quoteSell,
  sellableWithin,
  valueOf,
  curveOf,
} from "../../../offchain/protocol/etherPool.ts";
import type { EtherPool, EtherPoolTerms } from "../../../offchain/protocol/etherPool.ts";
import { reserveAtFee } from "../../../offchain/protocol/feeCurve.ts";
import { min } from "../../../offchain/protocol/integers.ts";
import type { Totals } from "../../../offchain/protocol/shares.ts";
import { fromWrappedDown, toWrappedDown } from "../../../offchain/protocol/wrapped.ts";
import { ETHER_POOL } from "../../../deploy/lib/parameters.ts";

export interface Venue {
  /** Of both assets, at the rate. */
  value(): number;
  /** Rewards: a share is worth so much more. */
  accrue(growth: number): void;
  /** estETH worth `value` is offered: what of it was taken, and the ether paid. */
  sell(value: number): { readonly taken: number; readonly paid: number };
  /** Whoever can buy estETH and wait in the queue at `costBp` does. Returns what it was worth beyond the ether that came. */
  arbitrage(costBp: number): number;
  /** What LPs lose to holders who know of a fall that the rate does not show yet, and sell while it pays. */
  dumped(fallBp: number): number;
}

const WEI = 1e18;
/** Far more than any pool: the ledger beside it. */
const LEDGER = 10n ** 24n; // wei

export function toWei(amount: number): bigint {
  return BigInt(Math.round(amount * 1e9)) * 10n ** 9n;
}

/** The terms that are deployed, with what `other` names in their place. */
export function termsWith(other: Partial<Record<keyof EtherPoolTerms, bigint>> = {}): EtherPoolTerms {
  const { minFeeBp, maxFeeBp, targetBp, rebateBp, entryFeeBp } = { ...ETHER_POOL.terms, ...other };
  return {
    minFeeBp: bp(minFeeBp),
    maxFeeBp: bp(maxFeeBp),
    targetBp: bp(targetBp),
    rebateBp: bp(rebateBp),
    entryFeeBp: bp(entryFeeBp),
  };
}

/** A pool of `capital` ETH, of which `ether` is there as ETH, at a rate of one. */
export function etherPoolOf(capital: number, ether: number, terms: EtherPoolTerms): EtherPool {
  const [all, held] = [toWei(capital), toWei(ether)];
  return { terms, ether: wei(held), units: units(all - held), supply: wei(all) };
}

export class EtherPoolVenue implements Venue {
  #pool: EtherPool;
  #totals: Totals = { ether: wei(LEDGER), shares: shares(LEDGER * SHARES_PER_UNIT) };

  constructor(pool: EtherPool) {
    this.#pool = pool;
  }

  value(): number {
    return Number(valueOf(this.#pool, this.#totals)) / WEI;
  }

  accrue(growth: number): void {
    const { ether, shares: all } = this.#totals;
    this.#totals = { ether: wei(ether + (ether * BigInt(Math.round(growth * 1e15))) / 10n ** 15n), shares: all };
  }

  sell(value: number): { taken: number; paid: number } {
    const pool = this.#pool;
    const offered = toWrappedDown(wei(toWei(value)), this.#totals);
    const taken = min(offered, sellableWithin(pool, bp(BP), this.#totals));
    // a wei of estETH pays nothing
    if (taken < 10n ** 9n) return { taken: 0, paid: 0 };
    const paid = quoteSell(pool, taken, this.#totals);
    this.#pool = { ...pool, ether: wei(pool.ether - paid), units: units(pool.units + taken) };
    return { taken: Number(fromWrappedDown(taken, this.#totals)) / WEI, paid: Number(paid) / WEI };
  }

  arbitrage(costBp: number): number {
    const pool = this.#pool;
    const { minFeeBp, rebateBp } = pool.terms;
    // until a part of the fee above the least is worth no more than the wait
    const until = reserveAtFee(curveOf(pool), bp(minFeeBp + (BigInt(costBp) * BP) / rebateBp)) ?? wei(0n);
    const amount = min(wei(until - pool.ether), buyable(pool, this.#totals));
    if (amount < 10n ** 9n) return 0;
    const got = quoteBuy(pool, amount, this.#totals);
    this.#pool = { ...pool, ether: wei(pool.ether + amount), units: units(pool.units - got) };
    return Number(fromWrappedDown(got, this.#totals) - amount) / WEI;
  }

  dumped(fallBp: number): number {
    const sold = sellableWithin(this.#pool, bp(BigInt(fallBp)), this.#totals);
    if (sold === 0n) return 0;
    const paid = Number(quoteSell(this.#pool, sold, this.#totals)) / WEI;
    return paid - (Number(fromWrappedDown(sold, this.#totals)) / WEI) * (1 - fallBp / 1e4);
  }
}

/**
 * Two coins, one of them counted at its rate: 4 A (x + y) + D = 4 A D + D^3 / (4 x y). All fees stay with the LPs; away from balance they grow
 * to `offPeg` times `feeBp`.
 */
export class StableSwapVenue implements Venue {
  #ether: number;
  #staked: number;
  #rate = 1;
  readonly #terms: { readonly a: number; readonly feeBp: number; readonly offPeg: number };

  constructor(ether: number, staked: number, terms: { a: number; feeBp: number; offPeg: number }) {
    this.#ether = ether;
    this.#staked = staked;
    this.#terms = terms;
  }

  value(): number {
    return this.#ether + this.#staked * this.#rate;
  }

  accrue(growth: number): void {
    this.#rate *= 1 + growth;
  }

  sell(value: number): { taken: number; paid: number } {
    const paid = this.#paidFor(value);
    this.#ether -= paid;
    this.#staked += value / this.#rate;
    return { taken: value, paid };
  }

  arbitrage(costBp: number): number {
    const gain = (amount: number): number => this.#gotFor(amount) - amount * (1 + costBp / 1e4);
    const best = argMax(gain, this.value());
    if (gain(best) <= 0) return 0;
    const got = this.#gotFor(best);
    this.#ether += best;
    this.#staked -= got / this.#rate;
    return got - best;
  }

  dumped(fallBp: number): number {
    const gain = (value: number): number => this.#paidFor(value) - value * (1 - fallBp / 1e4);
    return Math.max(0, gain(argMax(gain, this.value())));
  }

  #paidFor(value: number): number {
    return this.#swap(this.#staked * this.#rate, this.#ether, value);
  }

  #gotFor(ether: number): number {
    return this.#swap(this.#ether, this.#staked * this.#rate, ether);
  }

  /** What `amount` more of x takes out of y, after the fee. */
  #swap(x: number, y: number, amount: number): number {
    const { a, feeBp, offPeg } = this.#terms;
    const left = otherReserve(x + amount, invariant(x, y, a), a);
    const [meanX, meanY] = [x + amount / 2, (y + left) / 2];
    const balance = (4 * meanX * meanY) / (meanX + meanY) ** 2;
    const fee = (offPeg * feeBp) / ((offPeg - 1) * balance + 1) / 1e4;
    return (y - left) * (1 - fee);
  }
}

/** D, by Newton's steps. */
export function invariant(x: number, y: number, a: number): number {
  const [ann, sum] = [a * 4, x + y];
  let d = sum;
  for (let i = 0; i < 64; i++) {
    const p = d ** 3 / (4 * x * y);
    const next = ((ann * sum + 2 * p) * d) / ((ann - 1) * d + 3 * p);
    if (Math.abs(next - d) < 1e-12 * d) return next;
    d = next;
  }
  return d;
}

/** y for which the invariant is D beside x: the root of y^2 + b y = c. */
export function otherReserve(x: number, d: number, a: number): number {
  const ann = a * 4;
  const b = x + d / ann - d;
  const c = d ** 3 / (4 * x * ann);
  return (2 * c) / (b + Math.sqrt(b * b + 4 * c));
}

/** Where a function with one hill is highest, from 0 to `most`. */
function argMax(f: (x: number) => number, most: number): number {
  let [low, high] = [0, most];
  for (let i = 0; i < 80; i++) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
    if (f(a) < f(b)) low = a;
    else high = b;
  }
  return (low + high) / 2;
}
