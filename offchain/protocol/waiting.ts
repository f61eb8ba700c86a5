/** When a withdrawal request will be paid: what is certain from the grid of reports, and what must be guessed from how ether comes in. */
import { ceilDiv, max } from "./integers.ts";
import { DAY } from "./units.ts";
import type { Wei } from "./units.ts";

/** All times in unix seconds. */
export interface WaitInputs {
  readonly now: bigint;
  /** When the request's round ends. */
  readonly roundEnd: bigint;
  /** What must be paid before and with this request, wei. */
  readonly ahead: Wei;
  /** Ether that is here, wei. */
  readonly buffer: Wei;
  /** Ether that comes in by itself, wei a second. */
  readonly inflowPerSecond: Wei;
  readonly lastRefTime: bigint;
  readonly secondsPerFrame: bigint;
  /** Before a reference slot, at which its rounds are cut off. */
  readonly finalisationMargin: bigint;
  /** From a reference slot to its report, as measured last. */
  readonly reportDelay: bigint;
  /** From an exit request to its ether; by default five days. */
  readonly exitSeconds?: bigint;
}

export type WaitReason = "report" | "inflow" | "exits";

export interface WaitEstimate {
  /** No report before may pay it. */
  readonly earliest: bigint;
  readonly expected: bigint;
  /** What it waits for: only the next report, ether that comes in, or validators to exit. */
  readonly reason: WaitReason;
}

const EXIT_SECONDS = 5n * DAY;

/** The first report whose cut-off is not before the round's end; later where the ether must come first. */
export function estimateWait(inputs: WaitInputs): WaitEstimate {
  const { now, roundEnd, ahead, buffer, inflowPerSecond, finalisationMargin } = inputs;
  const earliest = reportAfter(inputs, max(roundEnd + finalisationMargin, now - inputs.reportDelay));
  if (ahead <= buffer) return { earliest, expected: earliest, reason: "report" };
  const byExits = now + (inputs.exitSeconds ?? EXIT_SECONDS);
  const byInflow = inflowPerSecond > 0n ? now + ceilDiv(ahead - buffer, inflowPerSecond) : undefined;
  const isInflow = byInflow !== undefined && byInflow <= byExits;
  const expected = max(earliest, reportAfter(inputs, isInflow ? byInflow : byExits));
  return { earliest, expected, reason: isInflow ? "inflow" : "exits" };
}

/** When the report of the first reference slot at or after `time`, and after the last one, will be there. */
function reportAfter({ lastRefTime, secondsPerFrame, reportDelay }: WaitInputs, time: bigint): bigint {
  const frames = time <= lastRefTime ? 1n : max(1n, ceilDiv(time - lastRefTime, secondsPerFrame));
  return lastRefTime + frames * secondsPerFrame + reportDelay;
}
