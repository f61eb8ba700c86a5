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

/**
 * All logs of `filter` in the blocks from `first` to `last`, both included, in the chain's order.
 * A range that the node refuses is halved, down to one block; after that its answer is final. A node that can't be reached is not asked again.
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
  let width = range;
  for (let from = first; from <= last;) {
    signal?.throwIfAborted();
    const to = Math.min(last, from + width - 1);
    try {
      logs.push(...(await provider.getLogs({ ...filter, fromBlock: from, toBlock: to })));
    } catch (error) {
      if (isAbort(error)) throw error;
      if (width === 1 || isGone(error))
        throw new AppError(EXIT.unavailable, `no logs of block ${from}: ${messageOf(error)}`);
      width = Math.max(1, Math.floor(width / 2));
      continue;
    }
    onProgress?.(to, last);
    from = to + 1;
    width = Math.min(range, width * 2);
  }
  return logs.sort((a, b) => a.blockNumber - b.blockNumber || a.index - b.index);
}

function isGone(error: unknown): boolean {
  return /ECONNREFUSED|ENOTFOUND|EAI_AGAIN/.test(messageOf(error));
}
