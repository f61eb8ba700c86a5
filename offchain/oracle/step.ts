/** What a member works with, and what a turn of it comes to. */
import type { Signer } from "ethers";
import type { Clock } from "../util/clock.ts";
import { AppError, EXIT, messageOf } from "../util/errors.ts";
import type { Log } from "../util/log.ts";
import type { Exchange } from "./exchange.ts";
import type { Journal } from "./journal.ts";
import { LayerError, WholeStateNeeded } from "./layers.ts";
import type { OracleMetrics, Reason } from "./metrics.ts";
import type { SignatureBook } from "./signatureBook.ts";
import type { Sources } from "./snapshot.ts";

export interface MemberServices extends Sources {
  readonly clock: Clock;
  readonly signer: Signer;
  readonly journal: Journal;
  readonly book: SignatureBook;
  readonly exchange: Exchange;
  readonly log: Log;
  readonly metrics: OracleMetrics;
}

export interface MemberSettings {
  /** Seconds that each further member waits before it submits or announces in another's place. */
  readonly takeOverDelay: number;
  /** Wei a unit of gas. */
  readonly maxFeePerGas: bigint;
  /** Seconds to wait for a receipt. */
  readonly receiptTimeout: number;
}

export interface Step {
  /** What stands between this member and a submitted report. Empty: this step submitted one. */
  readonly reasons: readonly Reason[];
  readonly explanation: string;
  readonly refSlot: bigint | undefined;
  readonly submitted: boolean;
}

export interface Obstacle {
  readonly reason: Reason;
  readonly explanation: string;
}

export function stepOf(obstacles: readonly Obstacle[], refSlot: bigint | undefined): Step {
  return {
    reasons: obstacles.map(({ reason }) => reason),
    explanation: obstacles.map(({ explanation }) => explanation).join("; "),
    refSlot,
    submitted: false,
  };
}

/** @throws the error, unless it is about a node or its exit code has a reason */
export function obstacleOf(error: unknown, reasons: Readonly<Record<number, Reason>> = {}): Obstacle {
  const explanation = messageOf(error);
  if (error instanceof LayerError) return { reason: `${error.layer}_unavailable`, explanation };
  if (error instanceof WholeStateNeeded) return { reason: "needs_whole_state", explanation };
  if (error instanceof RangeError) return { reason: "layers_disagree", explanation };
  const known: Partial<Record<number, Reason>> = { [EXIT.invalid]: "layers_disagree", ...reasons };
  const reason = error instanceof AppError ? known[error.exitCode] : undefined;
  if (reason === undefined) throw error;
  return { reason, explanation };
}
