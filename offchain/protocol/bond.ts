/** What an operator must have at stake (docs/math.md, Bond). The twin of BondCurve.sol. */
import { ceilDiv } from "./integers.ts";
import { BP, PREDEPOSIT, wei } from "./units.ts";
import type { Wei } from "./units.ts";

/** A key passes at 98% of the requirement, so that one bad day drops nobody. */
const PASS_BP = 9_800n;

/** For `count` validators: `first` for the first, `next` for each further one. Exact. */
export function requiredBond(first: Wei, next: Wei, count: bigint): Wei {
  return wei(count === 0n ? 0n : first + next * (count - 1n));
}

/** Exact: the bond, and the 1 ETH of each queued key, which becomes bond when the key is funded. */
export function atStake(bondValue: Wei, queued: bigint): Wei {
  return wei(bondValue + PREDEPOSIT * queued);
}

/** 98% of a requirement, rounded up. */
export function passMark(requirement: Wei): Wei {
  return wei(ceilDiv(requirement * PASS_BP, BP));
}
