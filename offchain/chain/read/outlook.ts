/** What somebody who asks for ether back now may expect: when, and what waits before. */
import { rollCutoff, slotTime } from "../../protocol/frames.ts";
import { wei } from "../../protocol/units.ts";
import type { Wei } from "../../protocol/units.ts";
import { estimateWait } from "../../protocol/waiting.ts";
import type { WaitEstimate } from "../../protocol/waiting.ts";
import type { Protocol } from "../connect.ts";
import type { RangeOptions } from "../logs.ts";
import { call, readAll } from "../multicall.ts";
import type { BlockRef, Call } from "../multicall.ts";
import { readQueueInflow, towardsQueue } from "./inflow.ts";

export interface Outlook {
  readonly block: BlockRef;
  /** What unfinalised requests would get now. */
  readonly ahead: Wei;
  /** Ether that is here for them. */
  readonly buffer: Wei;
  /** When the next report is expected, unix seconds; in the past where it is late. */
  readonly nextReport: bigint;
  /** For a request of `amount` wei made now. */
  readonly waitFor: (amount: Wei) => WaitEstimate;
}

export type WaitCalls = Readonly<
  Record<"buffer" | "promised" | "genesisTime" | "lastRefSlot" | "finalisationMargin" | "frame", Call<bigint>>
> & { readonly books: Call<{ readonly lastReportTime: bigint }> };

/** What every estimate of a wait is made of: ether that is here and promised, and when reports come. */
export function waitCalls({ pool, oracle, queue }: Protocol): WaitCalls {
  return {
    buffer: call(pool, pool.buffer),
    promised: call(pool, pool.promised),
    books: call(pool, pool.books),
    genesisTime: call(oracle, oracle.genesisTime),
    lastRefSlot: call(oracle, oracle.lastRefSlot),
    finalisationMargin: call(oracle, oracle.finalisationMargin),
    frame: call(queue, queue.frame),
  };
}

/** @throws ChainError, AppError (unavailable) */
export async function readOutlook(protocol: Protocol, options: RangeOptions = {}): Promise<Outlook> {
  const [{ block, values }, inflow] = await Promise.all([
    readAll(protocol, waitCalls(protocol), options.at),
    readQueueInflow(protocol, options),
  ]);
  const { frame, finalisationMargin } = values;
  const lastRefTime = slotTime(values.lastRefSlot, values.genesisTime);
  const { lastReportTime } = values.books;
  const reportDelay = lastReportTime > lastRefTime ? lastReportTime - lastRefTime : 0n;
  const now = block.timestamp;
  return {
    block,
    ahead: wei(values.promised),
    buffer: wei(values.buffer),
    nextReport: lastRefTime + frame + reportDelay,
    waitFor: (amount) =>
      estimateWait({
        now,
        roundEnd: rollCutoff(lastRefTime + frame - finalisationMargin, now, frame),
        ahead: wei(values.promised + amount),
        buffer: wei(values.buffer),
        inflowPerSecond: towardsQueue(inflow),
        lastRefTime,
        secondsPerFrame: frame,
        finalisationMargin,
        reportDelay,
      }),
  };
}
