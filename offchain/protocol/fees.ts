/** Fees on the operators' account, between the reports that mint them and the divisions that hand them out. */
import { divisible, splitFee } from "./rebase.ts";
import type { FeeSplit, Weights } from "./rebase.ts";
import { shares } from "./units.ts";
import type { Bp, Shares } from "./units.ts";

export interface Fees {
  /** Minted since the last division. */
  readonly undivided: Shares;
  /** The treasury's part of those that are divided, until it is sent. */
  readonly treasury: Shares;
}

export const NO_FEES: Fees = { undivided: shares(0n), treasury: shares(0n) };

export function minted(fees: Fees, feeShares: Shares): Fees {
  return { ...fees, undivided: shares(fees.undivided + feeShares) };
}

/** Divides what was minted, by the weights that held since the last division. */
export function divide(
  { undivided, treasury }: Fees,
  feeBp: Bp,
  weights: Weights,
): { readonly fees: Fees; readonly split: FeeSplit } {
  const whole = divisible(undivided);
  const split = splitFee(whole, feeBp, weights);
  return {
    fees: { undivided: shares(undivided - whole), treasury: shares(treasury + split.treasuryShares) },
    split,
  };
}
