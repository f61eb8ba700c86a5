/**
 * EtherPool: ether at once for estETH, estETH for ether up to the target, and what those who provide both earn (docs/liquidity.md). The twin
 * of EtherPool.sol. Amounts in, amounts out; `etherPoolModel.ts` keeps the books.
 */
import { ensure } from "./errors.ts";
import { feeAt, potential, reserveAtFee, reserveOf, weight } from "./feeCurve.ts";
import type { FeeCurve } from "./feeCurve.ts";
import { ceilDiv, min, saturatingSub } from "./integers.ts";
import type { Totals } from "./shares.ts";
import { BP, ETHER, units, wei } from "./units.ts";
import type { Bp, Units, Wei } from "./units.ts";
import { fromWrappedDown, toWrappedDown, toWrappedUp } from "./wrapped.ts";

/** Immutable in each pool. */
export interface EtherPoolTerms {
  /** Fee on top of each wei at the target, and with no ether left. */
  readonly minFeeBp: Bp;
  readonly maxFeeBp: Bp;
  /** The target, for each LP. */
  readonly targetBp: Bp;
  /** The part of the fee above the least one that those get who bring the ether back. */
  readonly rebateBp: Bp;
  /** What those who enter leave to those who are there. */
  readonly entryFeeBp: Bp;
}

const MAX_UINT96 = 2n ** 96n - 1n;
/** Ether that opens a pool, at least; that much LP stays locked. */
export const MIN_SEED = wei(ETHER / 10n);

export interface EtherPool {
  readonly terms: EtherPoolTerms;
  readonly ether: Wei;
  readonly units: Units;
  /** LP there are. */
  readonly supply: Wei;
}

/** What enters or leaves beside LP. */
export interface Both {
  readonly ether: Wei;
  readonly units: Units;
}

export function curveOf({ terms, supply }: EtherPool): FeeCurve {
  return { minFeeBp: terms.minFeeBp, maxFeeBp: terms.maxFeeBp, target: wei((supply * terms.targetBp) / BP) };
}

// --- trades ---

/** Ether that `amount` units bring, rounded down. */
export function quoteSell(pool: EtherPool, amount: Units, totals: Totals): Wei {
  ensure(amount <= MAX_UINT96, "AboveMaximum", amount, MAX_UINT96);
  const out = soldFor(pool, amount, totals);
  ensure(out > 0n, "ZeroAmount");
  return out;
}

function soldFor(pool: EtherPool, amount: Units, totals: Totals): Wei {
  const curve = curveOf(pool);
  const value = fromWrappedDown(amount, totals);
  const brought = weight(curve) * value;
  const there = potential(curve, pool.ether);
  if (brought <= there) return wei(pool.ether - reserveOf(curve, there - brought));
  // rounded up, the units that all ether costs may be worth more than that
  ensure(amount <= costOf(pool, pool.ether, totals), "NotEnoughEther", value, pool.ether);
  return pool.ether;
}

/** Units that `wanted` ether costs, rounded up. */
export function quoteSellFor(pool: EtherPool, wanted: Wei, totals: Totals): Units {
  ensure(wanted > 0n, "ZeroAmount");
  ensure(wanted <= pool.ether, "NotEnoughEther", wanted, pool.ether);
  return costOf(pool, wanted, totals);
}

function costOf(pool: EtherPool, wanted: Wei, totals: Totals): Units {
  const curve = curveOf(pool);
  const brought = potential(curve, pool.ether) - potential(curve, wei(pool.ether - wanted));
  return toWrappedUp(wei(ceilDiv(brought, weight(curve))), totals);
}

/** Units that `amount` ether buys, rounded down: at the rate, and a part of the fees that scarcity was charged. */
export function quoteBuy(pool: EtherPool, amount: Wei, totals: Totals): Units {
  const room = roomOf(pool);
  ensure(amount <= room, "AboveTarget", room);
  const bought = toWrappedDown(wei(amount + rebateOf(pool, amount)), totals);
  ensure(bought > 0n, "ZeroAmount");
  ensure(bought <= pool.units, "NotEnoughUnits", bought, pool.units);
  return bought;
}

/** What `amount` ether, at most the room, gets on top of the rate, rounded down. */
export function rebateOf(pool: EtherPool, amount: Wei): Wei {
  const { rebateBp, maxFeeBp, minFeeBp } = pool.terms;
  const curve = curveOf(pool);
  const lacking = 2n * (curve.target - pool.ether) - amount;
  return wei((rebateBp * (maxFeeBp - minFeeBp) * amount * lacking) / (weight(curve) * BP));
}

/** Ether that fits below the target. */
export function roomOf(pool: EtherPool): Wei {
  return wei(saturatingSub(curveOf(pool).target, pool.ether));
}

// --- LPs ---

/** What `amount` LP cost, rounded up. */
export function quoteEnter(pool: EtherPool, amount: Wei): Both {
  ensure(amount > 0n, "ZeroAmount");
  const most = MAX_UINT96 - pool.supply;
  ensure(amount <= most, "AboveMaximum", amount, most);
  const part = amount * (BP + pool.terms.entryFeeBp);
  const whole = pool.supply * BP;
  return { ether: wei(ceilDiv(pool.ether * part, whole)), units: units(ceilDiv(pool.units * part, whole)) };
}

/** What `amount` LP give, rounded down. */
export function quoteExit(pool: EtherPool, amount: Wei): Both {
  ensure(amount > 0n, "ZeroAmount");
  ensure(amount <= pool.supply, "AboveMaximum", amount, pool.supply);
  return {
    ether: wei((pool.ether * amount) / pool.supply),
    units: units((pool.units * amount) / pool.supply),
  };
}

// --- what can be traded, while calm ---

/** Units that can be sold until the marginal fee is `maxFeeBp`, rounded down. */
export function sellableWithin(pool: EtherPool, maxFeeBp: Bp, totals: Totals): Units {
  const curve = curveOf(pool);
  const left = reserveAtFee(curve, maxFeeBp);
  if (left === undefined || pool.ether <= left) return units(0n);
  const brought = potential(curve, pool.ether) - potential(curve, left);
  return toWrappedDown(wei(brought / weight(curve)), totals);
}

/** Ether that can buy: up to the target, and to what units there are. */
export function buyable(pool: EtherPool, totals: Totals): Wei {
  const { rebateBp, maxFeeBp, minFeeBp } = pool.terms;
  const square = BP * BP;
  const covered = (fromWrappedDown(pool.units, totals) * square) / (square + rebateBp * (maxFeeBp - minFeeBp));
  return min(roomOf(pool), wei(covered));
}

// --- what it is worth ---

/** The fee on top of the next wei that is sold, in 1e-9, rounded up. */
export function marginalFee(pool: EtherPool): bigint {
  return feeAt(curveOf(pool), pool.ether);
}

/** Ether and estETH at the rate, rounded down. */
export function valueOf(pool: EtherPool, totals: Totals): Wei {
  return wei(pool.ether + fromWrappedDown(pool.units, totals));
}

/** Rebates still to be had, rounded up: what whoever fills the pool to its target gets beyond the rate. */
export function rebatesToCome(pool: EtherPool): Wei {
  const { rebateBp, maxFeeBp, minFeeBp } = pool.terms;
  const lacking = roomOf(pool);
  return wei(ceilDiv(rebateBp * (maxFeeBp - minFeeBp) * lacking * lacking, weight(curveOf(pool)) * BP));
}
