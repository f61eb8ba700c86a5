/** How deep a fall may be, and who must sign it (docs/math.md, Bounds). */
import { ceilDiv, max } from "./integers.ts";
import type { Totals } from "./shares.ts";
import { BP, DAY, bp } from "./units.ts";
import type { Bp } from "./units.ts";

/** A deeper fall pauses deposits until the next report. */
export const PAUSING_FALL = bp(5n);
/** A deeper fall needs a supermajority of the committee. */
export const SUPERMAJORITY_FALL = bp(50n);
/** Falls that sum up to more within the window need governance. */
export const MAX_FALL_IN_WINDOW = bp(300n);
export const FALL_WINDOW = 30n * DAY;

/** The fall of the rate, rounded up: ceil(10000 * (T0 * S1 - T1 * S0) / (T0 * S1)), zero for a rise. */
export function fallBp(before: Totals, after: Totals): Bp {
  const base = before.ether * after.shares;
  const fallen = base - after.ether * before.shares;
  return fallen <= 0n ? bp(0n) : bp(ceilDiv(BP * fallen, base));
}

/** The fewest signatures that are more than half of `members`. */
export function majorityOf(members: bigint): bigint {
  return members / 2n + 1n;
}

/** The fewest signatures that are more than two thirds of `members`: floor(2n / 3) + 1. */
export function supermajorityOf(members: bigint): bigint {
  return (2n * members) / 3n + 1n;
}

/** A fall that a report brought. */
export interface Fall {
  /** Unix seconds. */
  readonly time: bigint;
  readonly fallBp: Bp;
}

/** The sum of the falls of the last 30 days: those at `now` - 30 days or before no longer count. */
export function fallsInWindow(falls: readonly Fall[], now: bigint): Bp {
  return bp(falls.filter(({ time }) => time > now - FALL_WINDOW).reduce((sum, fall) => sum + fall.fallBp, 0n));
}

export interface Verdict {
  /** Rounded up. */
  readonly fallBp: Bp;
  /** By this fall and those of the last 30 days, summed. */
  readonly inWindowBp: Bp;
  readonly pausesDeposits: boolean;
  readonly signaturesNeeded: bigint;
  readonly needsGovernance: boolean;
}

/** What a report that moves the rate from `before` to `after` needs, given earlier falls, of a committee of `members`. */
export function judge(
  before: Totals,
  after: Totals,
  earlier: readonly Fall[],
  now: bigint,
  { quorum, members }: { readonly quorum: bigint; readonly members: bigint },
): Verdict {
  const fall = fallBp(before, after);
  const inWindow = bp(fallsInWindow(earlier, now) + fall);
  return {
    fallBp: fall,
    inWindowBp: inWindow,
    pausesDeposits: fall > PAUSING_FALL,
    signaturesNeeded: fall > SUPERMAJORITY_FALL ? max(quorum, supermajorityOf(members)) : quorum,
    needsGovernance: fall > 0n && inWindow > MAX_FALL_IN_WINDOW,
  };
}
