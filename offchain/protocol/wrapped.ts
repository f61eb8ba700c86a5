/**
 * westETH, of which one wei is always 1e9 shares, one unit (docs/math.md, Wrapping). The twin of the conversions of WrappedStakedEther.sol.
 */
import { ceilDiv, min } from "./integers.ts";
import {
  toEtherDisplayed,
  toEtherDown,
  toEtherUp,
  toSharesDown,
  toSharesUp,
  toUnitsDown,
  unitsToShares,
} from "./shares.ts";
import type { Totals } from "./shares.ts";
import { SHARES_PER_UNIT, shares, units } from "./units.ts";
import type { Shares, Units, Wei } from "./units.ts";

/** ERC-4626 convertToShares: floor(floor(amount * S / T) / 1e9). */
export function toWrappedDown(amount: Wei, totals: Totals): Units {
  return toUnitsDown(toSharesDown(amount, totals));
}

/**
 * ERC-4626 previewDeposit: the least that anybody whose balance shows `amount` gets, floor(max(0, floor(amount * S / T) - q) / 1e9), where
 * q = floor(floor(S / 1024) / T) is what a displayed balance may lack in shares.
 */
export function previewDeposit(amount: Wei, totals: Totals): Units {
  const lacking = (totals.shares >> 10n) / totals.ether;
  const covered = toSharesDown(amount, totals);
  return toUnitsDown(shares(covered > lacking ? covered - lacking : 0n));
}

/** ERC-4626 previewWithdraw: ceil(ceil(amount * S / T) / 1e9). */
export function toWrappedUp(amount: Wei, totals: Totals): Units {
  return units(ceilDiv(toSharesUp(amount, totals), SHARES_PER_UNIT));
}

/** ERC-4626 convertToAssets and previewRedeem: floor(wrapped * 1e9 * T / S). */
export function fromWrappedDown(wrapped: Units, totals: Totals): Wei {
  return toEtherDown(unitsToShares(wrapped), totals);
}

/** ERC-4626 previewMint: ceil(wrapped * 1e9 * T / S). */
export function fromWrappedUp(wrapped: Units, totals: Totals): Wei {
  return toEtherUp(unitsToShares(wrapped), totals);
}

/**
 * What wrapping `amount` of estETH gives somebody who holds `held` shares: whole units of min(floor(amount * S / T), held), rounded down.
 * Undefined where `amount` exceeds the displayed balance.
 */
export function wrapped(amount: Wei, held: Shares, totals: Totals): Units | undefined {
  if (amount > toEtherDisplayed(held, totals)) return undefined;
  return toUnitsDown(min(toSharesDown(amount, totals), held));
}
