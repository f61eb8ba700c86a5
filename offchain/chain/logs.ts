/**
 * Event logs over long ranges, in pieces that the node takes, and proof that nothing was left out: each piece is asked together with the last
 * block, by hash, so that a machine that does not have that block can't answer; what comes back is what was asked.
 */
import { Log, LogDescription, getAddress, getNumber, isHexString, toQuantity } from "ethers";
import type { EventFragment, Filter, Interface, Provider } from "ethers";
import { AppError, isAbort, messageOf } from "../util/errors.ts";
import { NodeFailure, meaningOfThrown } from "./answers.ts";
import type { Meaning } from "./answers.ts";
import type { Head } from "./multicall.ts";
import { ExecutionProvider } from "./provider.ts";
import type { RpcCall } from "./provider.ts";

export interface RangeOptions {
  /**
   * The newest block, where it is known: everything is read as of it, and asked for together, in few waits. For a page that a person waits for;
   * a daemon spares its node.
   */
  readonly at?: Head | undefined;
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
  { range = DEFAULT_RANGE, at, signal, onProgress, hash }: RangeOptions & { readonly hash?: string } = {},
): Promise<Piece> {
  const logs: Log[] = [];
  let known = hash ?? (last === at?.number ? at.hash : undefined);
  let [width, atOnce, guesses] = [
    Math.min(range, WIDTHS.get(provider) ?? range),
    at === undefined ? 1 : MOST_AT_ONCE,
    0,
  ];
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
  const event = eventsOf(abi as Interface).get(log.topics[0] ?? "");
  if (event === undefined) return undefined;
  try {
    const args = (abi as Interface).decodeEventLog(event, log.data, log.topics);
    // ethers keeps an argument's failure for whoever looks at it
    args.toArray();
    return new LogDescription(event, event.topicHash, args);
  } catch {
    return undefined;
  }
}

const EVENTS = new WeakMap<Interface, ReadonlyMap<string, EventFragment>>();

/** By topic, which ethers hashes anew of every event for each log. */
function eventsOf(abi: Interface): ReadonlyMap<string, EventFragment> {
  const known = EVENTS.get(abi);
  if (known !== undefined) return known;
  const events = new Map<string, EventFragment>();
  abi.forEachEvent((event) => {
    if (!event.anonymous) events.set(event.topicHash, event);
  });
  EVENTS.set(abi, events);
  return events;
}

/** One number of an event's data; undefined where the log is another event. */
export type EventWord = (log: Pick<Log, "topics" | "data">) => bigint | undefined;

/**
 * For summing many logs: an interface hashes the names of all its events again for each. All that the event does not index must be of one word.
 * @throws RangeError where it does not have it so
 */
export function wordOf(event: EventFragment, name: string): EventWord {
  const { topicHash } = event;
  const words = event.inputs.filter(({ indexed }) => indexed !== true);
  const index = words.findIndex((input) => input.name === name);
  const type = words[index]?.type ?? "";
  if (!/^u?int\d+$/.test(type) || words.some((input) => !/^(u?int\d+|address|bool|bytes32)$/.test(input.type)))
    throw new RangeError(`${event.name} has no word ${name}`);
  return ({ topics, data }) => {
    if (topics[0] !== topicHash || data.length !== 2 + words.length * 64) return undefined;
    const value = BigInt(`0x${data.slice(2 + index * 64, 66 + index * 64)}`);
    return type.startsWith("int") ? BigInt.asIntN(256, value) : value;
  };
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
  // the block first: who has it then has all before it
  const calls = [blockCall(toQuantity(last)), logsCall(filter, toQuantity(from), toQuantity(to))];
  return provider.together(
    calls,
    ([block, logs]) => ({
      hash: expectHash((block as { hash?: unknown } | null)?.hash, range),
      logs: checked(formatted(provider, logs), filter, range),
    }),
    signal,
  );
}

function blockCall(block: string): RpcCall {
  return { method: "eth_getBlockByNumber", params: [block, false] };
}

function logsCall(filter: LogFilter, fromBlock: string, toBlock: string): RpcCall {
  const { address, topics } = filter as { address?: string | string[]; topics?: unknown[] };
  const own = { ...(address === undefined ? {} : { address }), topics: topics ?? [], fromBlock, toBlock };
  return { method: "eth_getLogs", params: [own] };
}

interface RawBlock {
  readonly number: string;
  readonly hash: string;
  readonly parentHash: string;
  readonly timestamp: string;
}

export interface LatestLogs {
  readonly head: Head;
  /** In the chain's order, up to the head. */
  readonly logs: Log[];
  /** An older block of the same chain, which stays in it. */
  readonly settled: { readonly number: number; readonly hash: string } | undefined;
}

/**
 * All logs from `first` on, with the newest block, in one wait; undefined where the node does not give them at once, or a block was replaced
 * meanwhile: then they are read in pieces.
 */
export async function latestLogs(
  provider: ExecutionProvider,
  filter: LogFilter,
  first: number,
): Promise<LatestLogs | undefined> {
  const calls = [
    blockCall("latest"),
    logsCall(filter, toQuantity(first), "latest"),
    blockCall("latest"),
    blockCall("finalized"),
  ];
  const read = ([before, logs, after, finalized]: readonly unknown[]): LatestLogs | undefined => {
    const [head, last] = [before, after] as [RawBlock | null, RawBlock | null];
    if (head === null || last === null) return undefined;
    if (last.hash !== head.hash && last.parentHash !== head.hash) return undefined;
    const number = Number(head.number);
    const found = formatted(provider, logs).filter(({ blockNumber }) => blockNumber <= number);
    const settled = finalized as RawBlock | null;
    return {
      head: { number, hash: head.hash, timestamp: BigInt(head.timestamp) },
      logs: inOrder(
        checked(found, filter, { from: first, to: number, last: number, hash: head.hash, signal: undefined }),
      ),
      settled: settled === null ? undefined : { number: Number(settled.number), hash: settled.hash },
    };
  };
  try {
    return await provider.together(calls, read);
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

interface RawLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly blockNumber: string;
  readonly blockHash: string;
  readonly transactionHash: string;
  readonly transactionIndex: string;
  readonly logIndex: string;
  readonly removed?: boolean;
}

/** As ethers makes it, whose checksum of the address takes as long as all the rest, for each of thousands of logs of one contract. */
function logOf(raw: RawLog, provider: Provider): Log {
  const { address, topics, data, blockHash, transactionHash, removed = false } = raw;
  const [blockNumber, index, transactionIndex] = [raw.blockNumber, raw.logIndex, raw.transactionIndex].map((quantity) =>
    getNumber(quantity),
  ) as [number, number, number];
  for (const word of [blockHash, transactionHash, ...topics])
    if (!isHexString(word, 32)) throw new RangeError(`${word} is no hash`);
  if (!isHexString(data)) throw new RangeError("the data is no bytes");
  const params = { topics, data, blockNumber, blockHash, transactionHash, index, transactionIndex, removed };
  return new Log({ ...params, address: checksummed(address) }, provider);
}

const ADDRESSES = new Map<string, string>();
const MOST_ADDRESSES = 1_000;

function checksummed(address: string): string {
  const known = ADDRESSES.get(address);
  if (known !== undefined) return known;
  const found = getAddress(address);
  if (ADDRESSES.size < MOST_ADDRESSES) ADDRESSES.set(address, found);
  return found;
}

function formatted(provider: ExecutionProvider, logs: unknown): Log[] {
  if (!Array.isArray(logs)) throw new NodeFailure("node", "answered eth_getLogs with something else");
  try {
    return logs.map((log) => logOf(log as RawLog, provider));
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
