/** The arithmetic of a report (docs/math.md, Report). The twin of RebaseMath.sol, without state. */
import { ceilDiv, max, min, saturatingSub } from "./integers.ts";
import type { Totals } from "./shares.ts";
import { BP, RAY, SHARES_PER_UNIT, YEAR, shares, wei } from "./units.ts";
import type { Bp, Ray, Shares, Wei } from "./units.ts";

/** The change of everything between two references, before any limit. Signed, exact. */
export interface Change {
  readonly clLast: Wei;
  readonly cl: Wei;
  /** Cumulative, at the two reference blocks. */
  readonly fundedAtLastRef: Wei;
  readonly fundedAtRef: Wei;
  readonly fromWithdrawalVault: Wei;
  readonly fromRewardsVault: Wei;
  readonly heldBack: Wei;
}

/** G = cl - clLast - (fundedAtRef - fundedAtLastRef) + fromWithdrawalVault + fromRewardsVault + heldBack. */
export function grossChange(change: Change): Wei {
  const validators = change.cl - change.clLast - (change.fundedAtRef - change.fundedAtLastRef);
  return wei(validators + change.fromWithdrawalVault + change.fromRewardsVault + change.heldBack);
}

/** The largest gain that `elapsed` seconds allow: floor(T * maxAprBp * elapsed / (10000 * YEAR)). */
export function maxGain(totalEther: Wei, maxAprBp: Bp, elapsed: bigint): Wei {
  return wei((totalEther * maxAprBp * elapsed) / (BP * YEAR));
}

/** min(G, maxGain): a gain above the limit is held back, a fall is taken whole. */
export function recognise(
  gross: Wei,
  totalEther: Wei,
  maxAprBp: Bp,
  elapsed: bigint,
): { readonly recognised: Wei; readonly heldBack: Wei } {
  const recognised = min(gross, maxGain(totalEther, maxAprBp, elapsed));
  return { recognised, heldBack: wei(max(gross - recognised, 0n)) };
}

/**
 * The fee and its shares, both rounded down. The fee is feeBp of max(0, min(gain, T' - ceil(highWaterRate * S / 1e36))); the shares are
 * floor(fee * S / (T' - fee)), worth the fee once they are minted.
 * @param etherAfter T', with the gain
 * @param totalShares S, before the fee
 */
export function feeOn(
  gain: Wei,
  etherAfter: Wei,
  totalShares: Shares,
  highWaterRate: Ray,
  feeBp: Bp,
): { readonly fee: Wei; readonly feeShares: Shares } {
  const highWater = ceilDiv(highWaterRate * totalShares, RAY * SHARES_PER_UNIT);
  const base = max(0n, min<bigint>(gain, etherAfter - highWater));
  const fee = (base * feeBp) / BP;
  return { fee: wei(fee), feeShares: shares((fee * totalShares) / (etherAfter - fee)) };
}

/** The weights of all validators that earn, as the operator registry sums them. */
export interface Weights {
  /** The operator's feeBp, once for each of its weighted validators. */
  readonly total: bigint;
  /** Validators that are funded and not proven withdrawn, weighted or not. */
  readonly active: bigint;
}

export interface FeeSplit {
  /** What each unit of weight earns. */
  readonly increment: Shares;
  readonly operatorShares: Shares;
  readonly treasuryShares: Shares;
}

/** Of fees minted since the last division, what is divided now: less than a unit of 1e9 shares waits for more. */
export function divisible(undivided: Shares): Shares {
  return shares(undivided - (undivided % SHARES_PER_UNIT));
}

/**
 * The operators' part of the fee: a multiple of the total weight, rounded down, at most all of it. The treasury gets the rest.
 * `increment` is what each unit of weight earns: floor(min(feeShares, floor(feeShares * total / (feeBp * active))) / total).
 */
export function splitFee(feeShares: Shares, feeBp: Bp, weights: Weights): FeeSplit {
  const { total, active } = weights;
  if (total === 0n || feeBp === 0n) {
    return { increment: shares(0n), operatorShares: shares(0n), treasuryShares: feeShares };
  }
  const part = min<bigint>(feeShares, (feeShares * total) / (feeBp * active));
  const increment = part / total;
  const operatorShares = increment * total;
  return {
    increment: shares(increment),
    operatorShares: shares(operatorShares),
    treasuryShares: shares(feeShares - operatorShares),
  };
}

/** Whether the rate fell by more than `limit`, exact: T1 * S0 * 10000 < T0 * S1 * (10000 - limit). */
export function fell(before: Totals, after: Totals, limit: Bp): boolean {
  return after.ether * before.shares * BP < before.ether * after.shares * (BP - limit);
}

/**
 * How much of `cover` may be burned so that the rate rises by no more than maxAprBp over `elapsed`:
 * min(cover, max(0, S' - ceil(T'' * S0 * Y / (T0 * (Y + maxAprBp * elapsed))))), with Y = 10000 * YEAR.
 * @param totalShares S', after the fee
 * @param etherLeft T'', after withdrawals are paid
 * @param before T0 and S0
 */
export function burnable(
  cover: Shares,
  totalShares: Shares,
  etherLeft: Wei,
  before: Totals,
  maxAprBp: Bp,
  elapsed: bigint,
): Shares {
  const y = BP * YEAR;
  const kept = ceilDiv(etherLeft * before.shares * y, before.ether * (y + maxAprBp * elapsed));
  return min(cover, shares(saturatingSub(totalShares, kept)));
}
