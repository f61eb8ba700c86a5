/**
 * How the Router divides what it is given between the EtherPool, staking and the withdrawal queue (docs/liquidity.md, The Router). The twin of
 * Router.sol: what a call would do, before it is sent.
 */
import { buyable, marginalFee, quoteBuy, quoteEnter, quoteExit, quoteSell, sellableWithin } from "./etherPool.ts";
import type { Both, EtherPool } from "./etherPool.ts";
import { ensure } from "./errors.ts";
import { BP_IN_NANO } from "./feeCurve.ts";
import { min, saturatingSub } from "./integers.ts";
import { MIN_REQUEST } from "./queue.ts";
import { toEtherDown, toSharesDown, toUnitsDown, unitsToShares } from "./shares.ts";
import type { Totals } from "./shares.ts";
import { BP, ETHER, bp, shares, units, wei } from "./units.ts";
import type { Bp, Shares, Units, Wei } from "./units.ts";
import { fromWrappedDown, fromWrappedUp } from "./wrapped.ts";

/** Less than this is not worth the gas of a leg of its own. */
export const LEG = wei(ETHER / 100n);

/** What the Router trades with, at one time. */
export interface Market {
  readonly pool: EtherPool;
  readonly totals: Totals;
  /** StakingPool.calm(). */
  readonly calm: boolean;
  /** Whether the queue refuses new requests; it is not calm then either. */
  readonly requestsPaused: boolean;
}

// --- staking ---

export interface StakeSplit {
  /** Ether that buys from the EtherPool, and what it gets. */
  readonly bought: Wei;
  readonly units: Units;
  /** Ether that is staked. */
  readonly staked: Wei;
  /** Of both. */
  readonly shares: Shares;
  /** What that is worth above the ether that was given, rounded down; never below -1. */
  readonly gain: Wei;
}

/** What staking `amount` gives where deposits are open. */
export function splitStake({ pool, totals, calm }: Market, amount: Wei): StakeSplit {
  const most = calm ? min(amount, buyable(pool, totals)) : wei(0n);
  const bought = most < LEG ? wei(0n) : most;
  const got = bought === 0n ? units(0n) : quoteBuy(pool, bought, totals);
  const staked = wei(amount - bought);
  const all = shares(unitsToShares(got) + toSharesDown(staked, totals));
  return { bought, units: got, staked, shares: all, gain: wei(toEtherDown(all, totals) - amount) };
}

// --- leaving ---

export interface Legs {
  /** Units that are sold. */
  readonly sold: Units;
  /** Shares that are requested back: later, and without a fee. */
  readonly queued: Shares;
}

export interface LeaveSplit extends Legs {
  /** For what is sold, at once. */
  readonly ether: Wei;
  /** What is sold is worth so much more. */
  readonly fee: Wei;
  /** What is queued is worth so much now. */
  readonly queuedValue: Wei;
  /** Shares that stay: too few for a request, or requests are paused. */
  readonly kept: Shares;
}

/** What of `amount` is sold, up to a marginal fee of `maxFeeBp`, and what is queued. */
export function legsOf({ pool, totals, calm, requestsPaused }: Market, amount: Shares, maxFeeBp: Bp): Legs {
  const whole = toUnitsDown(amount);
  const most = calm ? min(whole, sellableWithin(pool, maxFeeBp, totals)) : units(0n);
  if (most === whole) return { sold: whole, queued: shares(0n) };
  const sold = fromWrappedDown(most, totals) < LEG ? units(0n) : most;
  const rest = shares(amount - unitsToShares(sold));
  const isRequested = !requestsPaused && toEtherDown(rest, totals) >= MIN_REQUEST;
  return { sold, queued: isRequested ? rest : shares(0n) };
}

/** What leaving with `amount` gives. @throws ProtocolError where all of it is sold and worth nothing */
export function splitLeave(market: Market, amount: Shares, maxFeeBp: Bp): LeaveSplit {
  const { pool, totals } = market;
  const { sold, queued } = legsOf(market, amount, maxFeeBp);
  const ether = sold === 0n ? wei(0n) : quoteSell(pool, sold, totals);
  return {
    sold,
    queued,
    ether,
    fee: wei(fromWrappedDown(sold, totals) - ether),
    queuedValue: toEtherDown(queued, totals),
    kept: shares(amount - unitsToShares(sold) - queued),
  };
}

/**
 * Limits of the marginal fee that sell different parts of `amount`, in whole bp, ascending: the first, 0, sells nothing, the last one as much as
 * can be sold.
 */
export function limitsOf(market: Market, amount: Shares): readonly Bp[] {
  const { minFeeBp, maxFeeBp } = market.pool.terms;
  const all = legsOf(market, amount, maxFeeBp).sold;
  const found = [bp(0n)];
  let most = 0n;
  for (let limit: bigint = minFeeBp; limit <= maxFeeBp && most < all; limit++) {
    const { sold } = legsOf(market, amount, bp(limit));
    if (sold > most) found.push(bp(limit));
    most = sold;
  }
  return found;
}

// --- LPs ---

export interface Provision extends Both {
  readonly lp: Wei;
  /** Ether that becomes the units. */
  readonly staked: Wei;
  /** Ether that goes back. */
  readonly back: Wei;
}

/** What providing `amount` ether gives, where deposits are open. */
export function splitProvide({ pool, totals }: Market, amount: Wei, maxFeeBp: Bp, minLp = wei(0n)): Provision {
  const fee = marginalFee(pool);
  ensure(fee <= maxFeeBp * BP_IN_NANO, "MarginalFeeAboveMaximum", fee, maxFeeBp);
  const lp = lpFor(pool, totals, amount);
  ensure(lp >= minLp, "BelowMinimum", lp, minLp);
  ensure(lp > 0n, "NothingToDo");
  const cost = quoteEnter(pool, lp);
  const staked = fromWrappedUp(cost.units, totals);
  return { lp, ...cost, staked, back: wei(amount - cost.ether - staked) };
}

/** LP that `amount` ether reaches for, where its part becomes estETH at the rate; rounded down. */
export function lpFor(pool: EtherPool, totals: Totals, amount: Wei): Wei {
  // two amounts that are rounded up, and one whose units are worth up to a unit more
  const rounding = 2n + fromWrappedUp(units(1n), totals);
  const worth = pool.ether + fromWrappedUp(pool.units, totals);
  const spent = saturatingSub(amount, rounding);
  return wei((spent * pool.supply * BP) / (worth * (BP + pool.terms.entryFeeBp)));
}

/** What exiting with `lp` gives: the pool's ether of it and what its units bring at once, and the rest of them later. */
export function splitExit(market: Market, lp: Wei, maxFeeBp: Bp): { readonly own: Both; readonly left: LeaveSplit } {
  const { own, after } = afterExit(market, lp);
  return { own, left: splitLeave(after, unitsToShares(own.units), maxFeeBp) };
}

/** What `lp` give, and the market without them. */
export function afterExit(market: Market, lp: Wei): { readonly own: Both; readonly after: Market } {
  const { pool } = market;
  const own = quoteExit(pool, lp);
  const left = {
    ...pool,
    ether: wei(pool.ether - own.ether),
    units: units(pool.units - own.units),
    supply: wei(pool.supply - lp),
  };
  return { own, after: { ...market, pool: left } };
}
