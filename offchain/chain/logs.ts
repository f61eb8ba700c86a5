/**
 * Event logs over long ranges, in pieces that the node takes, and proof that nothing was left out: each piece is asked together with the last
 * block, by hash, so that a machine that does not have that block can't answer; what comes back is what was asked.
 */
import { toQuantity } from "ethers";
import type { Filter, Interface, Log, LogDescription, LogParams, Network, Provider } from "ethers";
import { AppError, isAbort, messageOf } from "../util/errors.ts";
import { NodeFailure, meaningOfThrown } from "./answers.ts";
import type { Meaning } from "./answers.ts";
import { ExecutionProvider } from "./provider.ts";

export interface RangeOptions {
  /** Blocks asked for at once, at first. */
  readonly range?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (block: number, last: number) => void;
}

export interface Piece {
  readonly logs: Log[];
  /** Of the last block, which the machines that answered had; empty where nothing was to read. */
  readonly hash: string;
}

type LogFilter = Pick<Filter, "address" | "topics">;

const DEFAULT_RANGE = 10_000;
/** A year of blocks is 260 ranges: one after the other they would take that many round trips. */
const MOST_AT_ONCE = 8;
/** Halves of a range for a reason that may not be the range. */
const MOST_GUESSES = 3;
/** A smaller range helps against these, or may; against others only another node or time. */
const NARROWER: ReadonlySet<Meaning> = new Set<Meaning>(["size", "node", "request", "account"]);

/** The widest range that a provider's nodes took after they had refused a wider one. */
const WIDTHS = new WeakMap<Provider, number>();

/**
 * All logs of `filter` in the blocks from `first` to `last`, both included, in the chain's order; none is a removed one.
 * Ranges are asked for together, more and more as the node takes them. One that it refuses as too large is halved, down to one block; the width
 * is kept for the next reading. A refusal for any other reason is final: the provider has asked all its nodes, and waited.
 * @throws AppError (unavailable)
 */
export async function readLogs(
  provider: Provider,
  filter: LogFilter,
  first: number,
  last: number,
  options: RangeOptions = {},
): Promise<Log[]> {
  return (await readPiece(provider, filter, first, last, options)).logs;
}

/** @param hash of the last block: another one is a failure. @throws AppError (unavailable) */
export async function readPiece(
  provider: Provider,
  filter: LogFilter,
  first: number,
  last: number,
  { range = DEFAULT_RANGE, signal, onProgress, hash }: RangeOptions & { readonly hash?: string } = {},
): Promise<Piece> {
  const logs: Log[] = [];
  let known = hash;
  let [width, atOnce, guesses] = [Math.min(range, WIDTHS.get(provider) ?? range), 1, 0];
  let widest = width;
  for (let from = first; from <= last;) {
    signal?.throwIfAborted();
    const starts = Array.from({ length: atOnce }, (_, i) => from + i * width).filter((start) => start <= last);
    const end = (start: number): number => Math.min(last, start + width - 1);
    const answers = await Promise.allSettled(
      starts.map(async (start) => ask(provider, filter, { from: start, to: end(start), last, hash: known, signal })),
    );
    const refused = answers.find((answer) => answer.status === "rejected");
    for (const answer of answers) {
      if (answer.status === "rejected") break; // what comes after it is asked for again
      known ??= answer.value.hash;
      if (answer.value.hash !== known) throw new Replaced(last);
      logs.push(...answer.value.logs);
      const to = end(from);
      onProgress?.(to, last);
      from = to + 1;
    }
    if (refused === undefined) {
      [width, atOnce, guesses] = [Math.min(widest, width * 2), Math.min(MOST_AT_ONCE, atOnce * 2), 0];
      continue;
    }
    const error: unknown = refused.reason;
    if (isAbort(error) && signal?.aborted === true) throw error;
    const meaning = meaningOfThrown(error, "eth_getLogs");
    guesses += meaning === "size" ? 0 : 1;
    if (width === 1 || !NARROWER.has(meaning) || guesses > MOST_GUESSES || error instanceof Replaced)
      throw unreadable(from, error);
    [width, atOnce] = [Math.max(1, Math.floor(width / 2)), 1];
    if (meaning === "size") {
      widest = width;
      WIDTHS.set(provider, width);
    }
  }
  return { logs: inOrder(logs), hash: known ?? "" };
}

/** A log as the interface has it. One that does not decode is nobody's, whatever a stranger or an upgrade put on chain. */
export function parsedLog(abi: object, log: Pick<Log, "topics" | "data">): LogDescription | undefined {
  try {
    const description = (abi as Interface).parseLog(log);
    // ethers keeps an argument's failure for whoever looks at it
    description?.args.toArray();
    return description ?? undefined;
  } catch {
    return undefined;
  }
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly last: number;
  readonly hash: string | undefined;
  readonly signal: AbortSignal | undefined;
}

async function ask(provider: Provider, filter: LogFilter, range: Range): Promise<Piece> {
  if (provider instanceof ExecutionProvider) return askOneNode(provider, filter, range);
  // the library may put both into one batch; which machine answers it does not say
  const [block, logs] = await Promise.all([
    provider.getBlock(range.last),
    provider.getLogs({ ...filter, fromBlock: range.from, toBlock: range.to }),
  ]);
  return { hash: expectHash(block?.hash, range), logs: checked(logs, filter, range) };
}

async function askOneNode(provider: ExecutionProvider, filter: LogFilter, range: Range): Promise<Piece> {
  const { from, to, last, signal } = range;
  const { address, topics } = filter as { address?: string | string[]; topics?: unknown[] };
  const blocks = { fromBlock: toQuantity(from), toBlock: toQuantity(to) };
  // the block first: who has it then has all before it
  const calls = [
    { method: "eth_getBlockByNumber", params: [toQuantity(last), false] },
    {
      method: "eth_getLogs",
      params: [{ ...(address === undefined ? {} : { address }), topics: topics ?? [], ...blocks }],
    },
  ];
  const network = await provider.getNetwork();
  return provider.together(
    calls,
    ([block, logs]) => ({
      hash: expectHash((block as { hash?: unknown } | null)?.hash, range),
      logs: checked(formatted(provider, logs, network), filter, range),
    }),
    signal,
  );
}

function formatted(provider: ExecutionProvider, logs: unknown, network: Network): Log[] {
  if (!Array.isArray(logs)) throw new NodeFailure("node", "answered eth_getLogs with something else");
  try {
    return logs.map((log) => provider._wrapLog(log as LogParams, network));
  } catch (error) {
    throw new NodeFailure("node", "answered eth_getLogs with something that is no log", { cause: error });
  }
}

function expectHash(found: unknown, { last, hash }: Range): string {
  if (typeof found !== "string") throw new NodeFailure("behind", `does not have execution block ${last}`);
  if (hash !== undefined && found !== hash) throw new Replaced(last);
  return found;
}

/** @throws NodeFailure where a log is none of those asked for */
function checked(logs: readonly Log[], filter: LogFilter, { from, to, last, hash }: Range): Log[] {
  const addresses = [filter.address ?? []].flat().map((one) => (one as string).toLowerCase());
  const found = new Map<string, Log>();
  for (const log of logs) {
    if (log.removed) continue; // of a block that was replaced: another stands for it, or none
    const isAsked =
      from <= log.blockNumber &&
      log.blockNumber <= to &&
      (addresses.length === 0 || addresses.includes(log.address.toLowerCase())) &&
      (filter.topics ?? []).every((wanted, i) => isTopic(log.topics[i], wanted));
    if (!isAsked) throw new NodeFailure("node", "answered eth_getLogs with logs that were not asked for");
    if (log.blockNumber === last && hash !== undefined && log.blockHash !== hash) throw new Replaced(last);
    found.set(`${log.blockNumber}/${log.index}`, log);
  }
  return [...found.values()];
}

function isTopic(topic: string | undefined, wanted: unknown): boolean {
  if (wanted === null || wanted === undefined) return true;
  const one = topic?.toLowerCase();
  return [wanted].flat().some((each) => typeof each === "string" && each.toLowerCase() === one);
}

function inOrder(logs: Log[]): Log[] {
  return logs.sort((a, b) => a.blockNumber - b.blockNumber || a.index - b.index);
}

class Replaced extends NodeFailure {
  constructor(block: number) {
    super("behind", `execution block ${block} was replaced while it was read`);
  }
}

function unreadable(block: number, error: unknown): AppError {
  const { message } = error as { message?: unknown };
  const told = error instanceof AppError && typeof message === "string" ? message : messageOf(error);
  return new NodeFailure(meaningOfThrown(error, "eth_getLogs"), `no logs of block ${block}: ${told}`, { cause: error });
}
