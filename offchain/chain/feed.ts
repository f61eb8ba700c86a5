/**
 * Events that are read on from where reading stopped: over restarts, and over reorganisations. What is kept is a value: a failure leaves the old
 * one as it was. The last blocks are read again each time: a machine's index of logs may trail its blocks.
 */
import type { Filter, Log, Provider } from "ethers";
import { AppError, EXIT } from "../util/errors.ts";
import { NodeFailure } from "./answers.ts";
import { latestLogs, readPiece } from "./logs.ts";
import type { Piece, RangeOptions } from "./logs.ts";
import type { Head } from "./multicall.ts";
import { ExecutionProvider } from "./provider.ts";

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

export interface FeedOptions extends RangeOptions {
  /** How many blocks before the last are read again next time. By default three epochs: what is older is final. */
  readonly unsettled?: number;
}

export const NOTHING_KEPT: Kept<never> = { cursor: { marks: [] }, items: [] };

const MAX_MARKS = 64;
const UNSETTLED = 96;

export interface Feed<T> {
  readonly filter: Pick<Filter, "address" | "topics">;
  /** Where the first reading starts. */
  readonly fromBlock: number;
  /** A list, so that one log may be none or several. */
  readonly decode: (logs: readonly Log[]) => readonly T[] | Promise<readonly T[]>;
}

/**
 * Reads on to `block`. Items of blocks that are no longer in the chain are dropped, and what replaced them is read.
 * @throws AppError (unavailable); what was kept is then still good
 */
export async function readOn<T extends { readonly block: number }>(
  provider: Provider,
  feed: Feed<T>,
  kept: Kept<T>,
  block: number,
  options: FeedOptions = {},
): Promise<Kept<T>> {
  const { unsettled = UNSETTLED, at } = options;
  const last = kept.cursor.marks.at(-1);
  if (at !== undefined && last?.number === block && last.number === at.number && last.hash === at.hash) return kept;
  const settled = Math.max(last?.number ?? feed.fromBlock - 1, block) - unsettled;
  const marks = [...kept.cursor.marks].reverse().filter(({ number }) => number <= settled);
  const [newest, ...older] = marks;
  if (at === undefined || newest === undefined)
    return readFrom(provider, feed, kept, await lastCommon(provider, marks), block, options);
  // what follows the newest mark is read while it is looked for: seldom is it in another chain
  const [found, [guessed]] = await Promise.all([
    lastCommon(provider, [newest]),
    Promise.allSettled([readFrom(provider, feed, kept, newest, block, options)]),
  ]);
  if (found === undefined) return readFrom(provider, feed, kept, await lastCommon(provider, older), block, options);
  if (guessed.status === "rejected") throw guessed.reason;
  return guessed.value;
}

/** @param common a mark that is still in the chain; undefined for the start */
async function readFrom<T extends { readonly block: number }>(
  provider: Provider,
  { filter, fromBlock, decode }: Feed<T>,
  kept: Kept<T>,
  common: Mark | undefined,
  block: number,
  { unsettled = UNSETTLED, ...options }: FeedOptions,
): Promise<Kept<T>> {
  const read = common?.number ?? fromBlock - 1;
  const marks = kept.cursor.marks.filter(({ number }) => number <= Math.min(read, block));
  const items = kept.items.filter((item) => item.block <= Math.min(read, block));
  if (read >= block) return { cursor: { marks }, items };
  // not of the marks of a log: there may be none for long
  const stop = block - unsettled > read ? block - unsettled : undefined;
  // who reads as of a head looks for the next one: a block that is replaced meanwhile is noticed then
  const headHash = options.at?.number === block ? options.at.hash : undefined;
  const ends = Promise.all([
    headHash ?? hashOf(provider, block),
    stop === undefined ? undefined : hashOf(provider, stop),
  ]);
  const pieceOf = async (expected: string): Promise<Piece> =>
    readPiece(provider, filter, read + 1, block, { ...options, hash: expected });
  const early = headHash === undefined ? undefined : pieceOf(headHash);
  const [[hash, stopHash], piece] = await Promise.all([ends, early]);
  if (hash === undefined) throw new AppError(EXIT.unavailable, `the node does not have execution block ${block}`);
  const { logs } = piece ?? (await pieceOf(hash));
  const decoded = await decode(logs);
  if (headHash === undefined && (await hashOf(provider, block)) !== hash)
    throw new AppError(EXIT.unavailable, `execution block ${block} was replaced while it was read`);
  const passed = new Map(logs.map((log) => [log.blockNumber, log.blockHash]));
  if (stop !== undefined && stopHash !== undefined) passed.set(stop, stopHash);
  passed.set(block, hash);
  return { cursor: { marks: marksOf(marks, passed, block - unsettled) }, items: [...items, ...decoded] };
}

/** Those that find a fork, and only the last of those that are read again. */
function marksOf(known: readonly Mark[], passed: ReadonlyMap<number, string>, settled: number): Mark[] {
  const added = [...passed].map(([number, hash]) => ({ number, hash })).sort((a, b) => a.number - b.number);
  const all = [...known, ...added];
  const isSettled = ({ number }: Mark): boolean => number <= settled;
  const later = all.filter((mark) => !isSettled(mark));
  return [...all.filter(isSettled).slice(-MAX_MARKS), ...later.slice(-1)];
}

export interface FirstReading<T> {
  /** Of which `kept` is. */
  readonly head: Head;
  readonly kept: Kept<T>;
}

/** Everything of a feed up to the newest block, in one wait; undefined where it has to be read in pieces. @throws what `decode` throws */
export async function readAtOnce<T>(provider: Provider, feed: Feed<T>): Promise<FirstReading<T> | undefined> {
  if (!(provider instanceof ExecutionProvider)) return undefined;
  const found = await latestLogs(provider, feed.filter, feed.fromBlock);
  if (found === undefined) return undefined;
  const { head, logs, settled } = found;
  const passed = new Map(logs.map((log) => [log.blockNumber, log.blockHash]));
  if (settled !== undefined && settled.number < head.number) passed.set(settled.number, settled.hash);
  passed.set(head.number, head.hash);
  return {
    head,
    kept: { cursor: { marks: marksOf([], passed, head.number - UNSETTLED) }, items: await feed.decode(logs) },
  };
}

/** The chain counts what no event tells: a node left it out. */
export class EventsMissing extends NodeFailure {
  constructor(what: string, options?: ErrorOptions) {
    super("lacking", `this node leaves out events: ${what}`, options);
    this.name = "EventsMissing";
  }
}

/**
 * For readings that are compared with what the chain itself counts: where `read` throws EventsMissing all is read again from the start, and where
 * it was, of the next node.
 * @param isFresh whether nothing is kept from before
 * @param read is told whether to begin at the start
 * @throws EventsMissing where every node leaves something out
 */
export async function readWhole<T>(
  provider: Provider,
  isFresh: boolean,
  read: (anew: boolean) => Promise<T>,
): Promise<T> {
  const nodes = provider instanceof ExecutionProvider ? provider.nodes : 1;
  for (let [anew, left] = [isFresh, nodes]; ; anew = true) {
    try {
      return await read(anew);
    } catch (error) {
      if (!(error instanceof EventsMissing)) throw error;
      if (!anew) continue; // what was kept may be at fault, not the node
      if (provider instanceof ExecutionProvider) provider.distrust(error.message);
      left -= 1;
      if (left === 0) throw error;
    }
  }
}

/** The first of the marks, newest first, that is still in the chain. */
async function lastCommon(provider: Provider, marks: readonly Mark[]): Promise<Mark | undefined> {
  for (const mark of marks) {
    if ((await hashOf(provider, mark.number)) === mark.hash) return mark;
  }
  return undefined;
}

async function hashOf(provider: Provider, block: number): Promise<string | undefined> {
  return (await provider.getBlock(block))?.hash ?? undefined;
}
