/**
 * What EtherPool charges for ether (docs/liquidity.md, The curve). The twin of FeeCurve.sol.
 *
 * The fee on top of each wei is linear in the ether that is left, so what a sale costs is the difference of a quadratic with integer
 * coefficients: no order of sales is cheaper than one sale.
 */
import { ceilDiv, sqrtDown } from "./integers.ts";
import { BP, wei } from "./units.ts";
import type { Bp, Wei } from "./units.ts";

/** A basis point in 1e-9. */
export const BP_IN_NANO = 100_000n;

export interface FeeCurve {
  /** At the target and above. */
  readonly minFeeBp: Bp;
  /** Without any ether. */
  readonly maxFeeBp: Bp;
  /** Ether from which on the fee is the least, t. Above zero. */
  readonly target: Wei;
}

/** k = 2 * t * BP: the potential of one wei's worth of estETH. */
export function weight({ target }: FeeCurve): bigint {
  return 2n * target * BP;
}

/** k times the estETH, in wei, that brings `reserve` ether out of the pool; exact. */
export function potential({ minFeeBp, maxFeeBp, target }: FeeCurve, reserve: Wei): bigint {
  if (reserve <= target) return 2n * target * (BP + maxFeeBp) * reserve - (maxFeeBp - minFeeBp) * reserve * reserve;
  return (2n * BP + maxFeeBp + minFeeBp) * target * target + 2n * target * (BP + minFeeBp) * (reserve - target);
}

/** The least reserve whose potential is at least `wanted`. */
export function reserveOf(curve: FeeCurve, wanted: bigint): Wei {
  const { minFeeBp, maxFeeBp, target } = curve;
  const atTarget = potential(curve, target);
  if (wanted >= atTarget) return wei(target + ceilDiv(wanted - atTarget, 2n * target * (BP + minFeeBp)));
  const a = maxFeeBp - minFeeBp;
  const b = 2n * target * (BP + maxFeeBp);
  return wei(ceilDiv(b - sqrtDown(b * b - 4n * a * wanted), 2n * a));
}

/** The fee on top of the next wei, in 1e-9, rounded up. */
export function feeAt({ minFeeBp, maxFeeBp, target }: FeeCurve, reserve: Wei): bigint {
  if (reserve >= target) return minFeeBp * BP_IN_NANO;
  return maxFeeBp * BP_IN_NANO - ((maxFeeBp - minFeeBp) * BP_IN_NANO * reserve) / target;
}

/** The least reserve at which the fee is not above `fee`, rounded up; undefined where no reserve has so low a fee. */
export function reserveAtFee({ minFeeBp, maxFeeBp, target }: FeeCurve, fee: Bp): Wei | undefined {
  if (fee < minFeeBp) return undefined;
  if (fee >= maxFeeBp) return wei(0n);
  return wei(ceilDiv(target * (maxFeeBp - fee), maxFeeBp - minFeeBp));
}
