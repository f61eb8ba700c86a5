/** Bounds of the token that hold even if the pool is wrong (docs/math.md, Rails). The twin of RateRails.sol. */
import { ensure } from "./errors.ts";
import { ceilDiv, min } from "./integers.ts";
import { rateDown } from "./shares.ts";
import type { Totals } from "./shares.ts";
import { DAY, shares } from "./units.ts";
import type { Shares, Wei } from "./units.ts";

/** Relative rises of the rate are counted in 1e-18. */
const ONE = 10n ** 18n;
/** 10 bp a day; unused allowance carries over up to 30 days. */
const MAX_RISE_PER_DAY = 10n ** 15n;
const MAX_RISE = 30n * MAX_RISE_PER_DAY;
/** What a new ledger starts with: the longest report's worth, so that no donation blocks the first one. */
export const FIRST_ALLOWANCE = 2n * MAX_RISE_PER_DAY;
/** A fee is at most a fifth of a gain. */
const MAX_FEE_DIVISOR = 5n;

/** The queue and the pool keep rates in 104 bits. */
const MAX_RATE = 2n ** 104n - 1n;

export interface Rails {
  /** Relative rise still allowed, 1e-18. */
  readonly allowance: bigint;
  /** Unix seconds. */
  readonly updatedAt: bigint;
}

/** The allowance at `time`, rounded down. */
export function allowanceAt(rails: Rails, time: bigint): bigint {
  return min(MAX_RISE, rails.allowance + ((time - rails.updatedAt) * MAX_RISE_PER_DAY) / DAY);
}

/** The relative rise of T / S in 1e-18, rounded up; zero for a fall. */
export function rateRise(before: Totals, after: Totals): bigint {
  const [grown, base] = [after.ether * before.shares, before.ether * after.shares];
  return grown <= base ? 0n : ceilDiv((grown - base) * ONE, base);
}

/** The most fee shares that a gain allows, rounded down: worth a fifth of the gain once they are minted. */
export function maxFeeShares(before: Totals, gain: Wei): Shares {
  if (gain <= 0n) return shares(0n);
  const maxFee = gain / MAX_FEE_DIVISOR;
  return shares((maxFee * before.shares) / (before.ether + gain - maxFee));
}

/** The rails after a report; refuses what they do not let through. */
export function spend(rails: Rails, before: Totals, after: Totals, gain: Wei, feeShares: Shares, now: bigint): Rails {
  const maxShares = maxFeeShares(before, gain);
  ensure(feeShares <= maxShares, "FeeTooHigh", feeShares, maxShares);
  ensure(after.ether > 0n && after.shares > 0n, "RateOutOfRange");
  const allowance = allowanceAt(rails, now);
  const rise = rateRise(before, after);
  ensure(rise <= allowance, "RateRisesTooFast", rise, allowance);
  ensure(rateDown(after) <= MAX_RATE, "RateOutOfRange");
  return { allowance: allowance - rise, updatedAt: now };
}
