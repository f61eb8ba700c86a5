/**
 * Events that are read on from where reading stopped: over restarts, and over reorganisations. What is kept is a value: a failure leaves the old
 * one as it was.
 */
import type { Filter, Log, Provider } from "ethers";
import { AppError, EXIT } from "../util/errors.ts";
import { readLogs } from "./logs.ts";
import type { RangeOptions } from "./logs.ts";

/** A block that was read, by number and hash. */
export interface Mark {
  readonly number: number;
  readonly hash: string;
}

/** Up to where was read: the last of the marks; the earlier ones find the fork after a reorganisation. Ascending, plain JSON. */
export interface Cursor {
  readonly marks: readonly Mark[];
}

/** What was read so far. */
export interface Kept<T> {
  readonly cursor: Cursor;
  readonly items: readonly T[];
}

export const NOTHING_KEPT: Kept<never> = { cursor: { marks: [] }, items: [] };

const MAX_MARKS = 64;

export interface Feed<T> {
  readonly filter: Pick<Filter, "address" | "topics">;
  /** Where the first reading starts. */
  readonly fromBlock: number;
  /** A list, so that one log may be none or several. */
  readonly decode: (logs: readonly Log[]) => readonly T[];
}

/**
 * Reads on to `block`. Items of blocks that are no longer in the chain are dropped, and what replaced them is read.
 * @throws AppError (unavailable); what was kept is then still good
 */
export async function readOn<T extends { readonly block: number }>(
  provider: Provider,
  { filter, fromBlock, decode }: Feed<T>,
  kept: Kept<T>,
  block: number,
  options: RangeOptions = {},
): Promise<Kept<T>> {
  const common = await lastCommon(provider, kept.cursor, block);
  const read = common?.number ?? fromBlock - 1;
  const marks = kept.cursor.marks.filter(({ number }) => number <= read);
  const items = kept.items.filter((item) => item.block <= read);
  if (read >= block) return { cursor: { marks }, items };
  const hash = await hashOf(provider, block);
  if (hash === undefined) throw new AppError(EXIT.unavailable, `the node does not have execution block ${block}`);
  const logs = await readLogs(provider, filter, read + 1, block, options);
  if ((await hashOf(provider, block)) !== hash)
    throw new AppError(EXIT.unavailable, `execution block ${block} was replaced while it was read`);
  const passed = new Map(logs.map((log) => [log.blockNumber, { number: log.blockNumber, hash: log.blockHash }]));
  passed.set(block, { number: block, hash });
  return {
    cursor: { marks: [...marks, ...passed.values()].slice(-MAX_MARKS) },
    items: [...items, ...decode(logs)],
  };
}

/** The last mark at or before `block` that is still in the chain. */
async function lastCommon(provider: Provider, { marks }: Cursor, block: number): Promise<Mark | undefined> {
  for (const mark of [...marks].reverse()) {
    if (mark.number > block) continue;
    if ((await hashOf(provider, mark.number)) === mark.hash) return mark;
  }
  return undefined;
}

async function hashOf(provider: Provider, block: number): Promise<string | undefined> {
  return (await provider.getBlock(block))?.hash ?? undefined;
}
