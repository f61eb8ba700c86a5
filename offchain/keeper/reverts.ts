/** Why a call would fail, as far as the keeper acts on it. */
import { ChainError, toChainError } from "../chain/errors.ts";
import { messageOf } from "../util/errors.ts";

/** Errors by which one operator's keys spoil a batch. */
const ABOUT_AN_OPERATOR = new Set(["OperatorIsFrozen", "HasDebt", "BondTooSmall", "BondSuffices"]);

export interface Refusal {
  /** In one line. */
  readonly message: string;
  /** Whether a contract refused: the same again will be refused again. */
  readonly isRevert: boolean;
  readonly operatorId: bigint | undefined;
}

export function refusalOf(error: unknown): Refusal {
  const readable = toChainError(error);
  const revert = readable instanceof ChainError ? readable.revert : undefined;
  const isAboutOperator = revert !== undefined && ABOUT_AN_OPERATOR.has(revert.name);
  return {
    message: messageOf(readable),
    isRevert: revert !== undefined,
    operatorId: isAboutOperator ? (revert.args["operatorId"] as bigint) : undefined,
  };
}
