/** Event logs over long ranges: in pieces, smaller where the node refuses, and nothing is passed over. */
import type { Filter, Log, Provider } from "ethers";
import { AppError, EXIT, isAbort, messageOf } from "../util/errors.ts";

export interface RangeOptions {
  /** Blocks asked for at once, at first. */
  readonly range?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (block: number, last: number) => void;
}

const DEFAULT_RANGE = 10_000;
/** A year of blocks is 260 ranges: one after the other they would take that many round trips. */
const MOST_AT_ONCE = 8;

/**
 * All logs of `filter` in the blocks from `first` to `last`, both included, in the chain's order.
 * Ranges are asked for together, more and more as the node takes them. One that it refuses is halved, down to one block; after that its answer is final. A node that can't be reached is not asked again.
 * @throws AppError (unavailable)
 */
export async function readLogs(
  provider: Provider,
  filter: Pick<Filter, "address" | "topics">,
  first: number,
  last: number,
  { range = DEFAULT_RANGE, signal, onProgress }: RangeOptions = {},
): Promise<Log[]> {
  const logs: Log[] = [];
  let [width, atOnce] = [range, 1];
  for (let from = first; from <= last;) {
    signal?.throwIfAborted();
    const starts = Array.from({ length: atOnce }, (_, i) => from + i * width).filter((start) => start <= last);
    const end = (start: number): number => Math.min(last, start + width - 1);
    const answers = await Promise.allSettled(
      starts.map(async (start) => provider.getLogs({ ...filter, fromBlock: start, toBlock: end(start) })),
    );
    const refused = answers.find((answer) => answer.status === "rejected");
    for (const answer of answers) {
      if (answer.status === "rejected") break; // what comes after it is asked for again
      logs.push(...answer.value);
      const to = end(from);
      onProgress?.(to, last);
      from = to + 1;
    }
    if (refused === undefined) {
      [width, atOnce] = [Math.min(range, width * 2), Math.min(MOST_AT_ONCE, atOnce * 2)];
      continue;
    }
    const error: unknown = refused.reason;
    if (isAbort(error)) throw error;
    if (width === 1 || isGone(error))
      throw new AppError(EXIT.unavailable, `no logs of block ${from}: ${messageOf(error)}`);
    [width, atOnce] = [Math.max(1, Math.floor(width / 2)), 1];
  }
  return logs.sort((a, b) => a.blockNumber - b.blockNumber || a.index - b.index);
}

function isGone(error: unknown): boolean {
  return /ECONNREFUSED|ENOTFOUND|EAI_AGAIN/.test(messageOf(error));
}
