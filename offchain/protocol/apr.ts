/** What stakers earned, from two totals (docs/math.md, APR). */
import type { Totals } from "./shares.ts";
import { BP, YEAR, bp } from "./units.ts";
import type { Bp } from "./units.ts";

/**
 * The yearly rate, without compounding, at which T / S grew from `before` to `after` in `elapsed` seconds:
 * (T1 * S0 - T0 * S1) * 10000 * YEAR / (T0 * S1 * elapsed), rounded towards zero, negative for a fall.
 */
export function aprBp(before: Totals, after: Totals, elapsed: bigint): Bp {
  const grown = after.ether * before.shares - before.ether * after.shares;
  return bp((grown * BP * YEAR) / (before.ether * after.shares * elapsed));
}
