/**
 * Conversions between ether and shares (docs/math.md, Shares). Every name says its rounding. The twin of ShareMath.sol.
 *
 * Totals are never zero once the protocol is open: the first deposit is locked for ever.
 */
import { ceilDiv, min } from "./integers.ts";
import { RAY, SHARES_PER_UNIT, ray, shares, units, wei } from "./units.ts";
import type { Ray, Shares, Units, Wei } from "./units.ts";

/** T and S. */
export interface Totals {
  /** Total pooled ether, T. */
  readonly ether: Wei;
  /** Total shares, S. */
  readonly shares: Shares;
}

/** floor(amount * S / T) */
export function toSharesDown(amount: Wei, totals: Totals): Shares {
  return shares((amount * totals.shares) / totals.ether);
}

/** ceil(amount * S / T) */
export function toSharesUp(amount: Wei, totals: Totals): Shares {
  return shares(ceilDiv(amount * totals.shares, totals.ether));
}

/** floor(amount * T / S) */
export function toEtherDown(amount: Shares, totals: Totals): Wei {
  return wei((amount * totals.ether) / totals.shares);
}

/** ceil(amount * T / S) */
export function toEtherUp(amount: Shares, totals: Totals): Wei {
  return wei(ceilDiv(amount * totals.ether, totals.shares));
}

/** What a balance shows: floor((amount * T + floor(S / 1024)) / S), a floor that forgives 1/1024 wei. For display only. */
export function toEtherDisplayed(amount: Shares, totals: Totals): Wei {
  return wei((amount * totals.ether + (totals.shares >> 10n)) / totals.shares);
}

/**
 * Shares that a transfer of `amount` wei moves: min(floor(amount * S / T), held), so that a full transfer empties the account.
 * Undefined where `amount` exceeds the displayed balance (docs/math.md, Transfers).
 */
export function transferredShares(amount: Wei, held: Shares, totals: Totals): Shares | undefined {
  if (amount > toEtherDisplayed(held, totals)) return undefined;
  return min(toSharesDown(amount, totals), held);
}

/** The exchange rate T / S, rounded down: floor(T * 1e36 / S). */
export function rateDown(totals: Totals): Ray {
  return ray((totals.ether * RAY * SHARES_PER_UNIT) / totals.shares);
}

/** The exchange rate T / S, rounded up: ceil(T * 1e36 / S). */
export function rateUp(totals: Totals): Ray {
  return ray(ceilDiv(totals.ether * RAY * SHARES_PER_UNIT, totals.shares));
}

/** Whole units of 1e9 shares in `amount`, rounded down. */
export function toUnitsDown(amount: Shares): Units {
  return units(amount / SHARES_PER_UNIT);
}

/** Exact. */
export function unitsToShares(amount: Units): Shares {
  return shares(amount * SHARES_PER_UNIT);
}

/** What `amount` units are worth at `rate`, rounded down: floor(units * rate / 1e27). */
export function valueAtRate(amount: Units, rate: Ray): Wei {
  return wei((amount * rate) / RAY);
}
