/**
 * The history of the rate, from the one event that every rebase emits; what stakers earned, by seconds and after fees; and what one address
 * earned. A rebase emits no Transfer: rewards are shares held times the change of the rate.
 */
import { Interface, getAddress, zeroPadValue } from "ethers";
import type { Log } from "ethers";
import { aprBp } from "../protocol/apr.ts";
import { SECONDS_PER_SLOT } from "../protocol/frames.ts";
import { toEtherDown, toSharesDown } from "../protocol/shares.ts";
import type { Totals } from "../protocol/shares.ts";
import { DAY, SHARES_PER_UNIT, shares, wei } from "../protocol/units.ts";
import type { Bp, Shares, Wei } from "../protocol/units.ts";
import { AppError, EXIT } from "../util/errors.ts";
import type { Protocol } from "./connect.ts";
import { EventsMissing, NOTHING_KEPT, readOn, readWhole } from "./feed.ts";
import type { FeedOptions, Kept } from "./feed.ts";
import { parsedLog } from "./logs.ts";
import type { RangeOptions } from "./logs.ts";
import { call, headOf, readAll } from "./multicall.ts";
import type { BlockRef } from "./multicall.ts";

/** One report's change of the rate. Times are unix seconds. */
export interface RebaseEntry {
  readonly block: number;
  readonly logIndex: number;
  /** Of the block that reported. */
  readonly timestamp: bigint;
  /** Of the reference slot; undefined where the report was one of an earlier pool. */
  readonly refTime: bigint | undefined;
  /** What the report counted: at most two frames. */
  readonly counted: bigint;
  readonly before: Totals;
  readonly after: Totals;
  readonly feeShares: Shares;
}

export type RebaseHistory = Kept<RebaseEntry>;

export interface HistoryOptions extends FeedOptions {
  /** What an earlier call gave: only what came since is read. */
  readonly kept?: RebaseHistory;
  /** By default the deployment's first. Ignored where something is kept. */
  readonly fromBlock?: number;
  /** By default the latest. */
  readonly toBlock?: number;
}

/**
 * Compared with the time of the last report and, where all of it was read at once, with the fees that the token counts.
 * @throws AppError (unavailable)
 */
export async function readHistory(protocol: Protocol, options: HistoryOptions = {}): Promise<RebaseHistory> {
  const { token, pool, provider } = protocol;
  const topics = [
    token.interface.getEvent("TokenRebased").topicHash,
    pool.interface.getEvent("ReportApplied").topicHash,
  ];
  const feed = {
    filter: { address: [token.target as string, pool.target as string], topics: [topics] },
    fromBlock: options.fromBlock ?? protocol.fromBlock,
    decode: (logs: readonly Log[]) => rebases(protocol, logs),
  };
  const block = options.toBlock ?? options.at?.number ?? (await provider.getBlockNumber());
  const { kept = NOTHING_KEPT } = options;
  return readWhole(provider, kept.items.length === 0, async (anew) => {
    const reading = readOn(provider, feed, anew ? NOTHING_KEPT : kept, block, options);
    const [history, counts] = await Promise.all([reading, readCounts(protocol, options.at ?? block)]);
    expectWhole(history, counts, feed.fromBlock <= protocol.fromBlock && (anew || kept.items.length === 0));
    return history;
  });
}

interface Counts {
  readonly books: { readonly lastReportTime: bigint };
  readonly fees: bigint;
}

async function readCounts(protocol: Protocol, block: number | BlockRef): Promise<Counts> {
  const { pool, token } = protocol;
  const calls = { books: call(pool, pool.books), fees: call(token, token.totalFeeShares) };
  return (await readAll(protocol, calls, block)).values;
}

function expectWhole({ items }: RebaseHistory, { books, fees }: Counts, isAll: boolean): void {
  const last = items.at(-1)?.timestamp ?? 0n;
  const isLast = last === books.lastReportTime || (items.length === 0 && !isAll);
  if (!isLast)
    throw new EventsMissing(`the last report was applied at ${books.lastReportTime}, its events say ${last}`);
  const read = items.reduce((sum, { feeShares }) => sum + feeShares, 0n);
  if (isAll && read !== fees) throw new EventsMissing(`the token counts ${fees} fee shares, its events ${read}`);
}

/** A block from which on history covers the last month with a report before it. Slots without a block only make it earlier. */
export async function monthAgo({ provider, fromBlock }: Protocol, { at }: RangeOptions = {}): Promise<number> {
  const latest = at?.number ?? (await provider.getBlockNumber());
  return Math.max(fromBlock, latest - Number((MONTH + 3n * DAY) / SECONDS_PER_SLOT));
}

const MONTH = 30n * DAY;

function rebases({ token, pool }: Protocol, logs: readonly Log[]): RebaseEntry[] {
  const refTimes = new Map<string, bigint>(); // by transaction: it has one report
  const entries: (RebaseEntry & { readonly transaction: string })[] = [];
  for (const log of logs) {
    const isOurs = log.address.toLowerCase() === (token.target as string).toLowerCase();
    const parsed = parsedLog(isOurs ? token.interface : pool.interface, log);
    if (parsed?.name === "ReportApplied") refTimes.set(log.transactionHash, parsed.args[0] as bigint);
    if (parsed?.name !== "TokenRebased") continue;
    const [timestamp, counted, preShares, preEther, postShares, postEther, feeShares] =
      parsed.args as unknown as bigint[];
    entries.push({
      block: log.blockNumber,
      logIndex: log.index,
      timestamp: timestamp ?? 0n,
      refTime: undefined,
      counted: counted ?? 0n,
      before: { ether: wei(preEther ?? 0n), shares: shares(preShares ?? 0n) },
      after: { ether: wei(postEther ?? 0n), shares: shares(postShares ?? 0n) },
      feeShares: shares(feeShares ?? 0n),
      transaction: log.transactionHash,
    });
  }
  return entries.map(({ transaction, ...entry }) => ({ ...entry, refTime: refTimes.get(transaction) }));
}

export interface Apr {
  /** Without compounding, after fees; negative for a fall. */
  readonly bp: Bp;
  /** What it was measured over: the window, lengthened to the report before it, or all there is. */
  readonly seconds: bigint;
  readonly reports: number;
}

/**
 * What the rate grew by in the last `seconds` up to the newest report, as a yearly rate. Undefined without a report. Missing reports don't
 * matter: time is that between reference slots.
 */
export function aprOver(history: readonly RebaseEntry[], seconds: bigint): Apr | undefined {
  const last = history.at(-1);
  const first = history[0];
  if (last === undefined || first === undefined) return undefined;
  const index = history.findLastIndex((entry) => spanOf(entry, last) >= seconds);
  const base = history[index];
  if (base !== undefined) {
    const span = spanOf(base, last);
    return { bp: aprBp(base.after, last.after, span), seconds: span, reports: history.length - 1 - index };
  }
  const span = spanOf(first, last) + first.counted;
  return { bp: aprBp(first.before, last.after, span), seconds: span, reports: history.length };
}

export interface AprSummary {
  readonly week: Apr | undefined;
  readonly month: Apr | undefined;
}

export function aprSummary(history: readonly RebaseEntry[]): AprSummary {
  return { week: aprOver(history, 7n * DAY), month: aprOver(history, MONTH) };
}

/** Seconds between two reports' reference slots, or where one is not known between the reports. */
export function spanOf(from: RebaseEntry, to: RebaseEntry): bigint {
  return from.refTime !== undefined && to.refTime !== undefined
    ? to.refTime - from.refTime
    : to.timestamp - from.timestamp;
}

// --- rewards of an address ---

export interface Reward {
  readonly block: number;
  /** Unix seconds. */
  readonly timestamp: bigint;
  /** Held at that rebase, as estETH and in westETH. */
  readonly shares: Shares;
  /** Negative for a fall. */
  readonly amount: Wei;
  /** What the shares are worth after it, rounded down. */
  readonly value: Wei;
}

export interface RewardHistory {
  readonly rewards: readonly Reward[];
  readonly total: Wei;
}

/** What an address earned, with what it was made of: for the next call. */
export interface RewardReading {
  readonly history: RebaseHistory;
  readonly movements: Movements;
  readonly own: RewardHistory;
}

/** What came and what went: events name an address in one of two places. */
export interface Movements {
  readonly received: Kept<Movement>;
  readonly sent: Kept<Movement>;
}

const NO_MOVEMENTS: Movements = { received: NOTHING_KEPT, sent: NOTHING_KEPT };

/** A change of an address's shares. */
export interface Movement {
  readonly block: number;
  readonly logIndex: number;
  /** Signed. */
  readonly estEth: bigint; // wei of estETH, as the event shows it
  readonly westEth: bigint; // wei of westETH: exact
}

/**
 * What an address earned with each rebase, in estETH and westETH. Exact for westETH and for whoever did not move estETH since; each movement of
 * estETH before that makes earlier rewards uncertain by what one wei earns (its event says wei, not shares).
 * @throws AppError (unavailable)
 */
export async function rewardsOf(
  protocol: Protocol,
  address: string,
  { items: history, cursor }: RebaseHistory,
  options: RangeOptions = {},
): Promise<RewardHistory> {
  const block = cursor.marks.at(-1)?.number;
  if (block === undefined) throw new AppError(EXIT.failure, "the history of the rate is read first");
  const [movements, held] = await Promise.all([
    movementsOf(protocol, address, NO_MOVEMENTS, block, options),
    heldAt(protocol, address, block),
  ]);
  return rewardsFrom(history, inOrder(movements), held);
}

export interface RewardOptions extends RangeOptions, Partial<Omit<RewardReading, "own">> {
  /** By default the deployment's first: earlier rewards are left out. */
  readonly fromBlock?: number;
}

/** The same with the history itself, as of one block, and read on from what an earlier call gave. @throws AppError (unavailable) */
export async function readRewards(
  protocol: Protocol,
  address: string,
  { history, movements = NO_MOVEMENTS, ...options }: RewardOptions = {},
): Promise<RewardReading> {
  const at = options.at ?? (await headOf(protocol.provider));
  const range = { ...options, at };
  const [rates, moved, held] = await Promise.all([
    readHistory(protocol, history === undefined ? range : { ...range, kept: history }),
    movementsOf(protocol, address, movements, at.number, range),
    heldAt(protocol, address, at),
  ]);
  return { history: rates, movements: moved, own: rewardsFrom(rates.items, inOrder(moved), held) };
}

async function heldAt(protocol: Protocol, address: string, block: number | BlockRef): Promise<Shares> {
  const { token, wrapped } = protocol;
  const calls = { shares: call(token, token.sharesOf, address), wrapped: call(wrapped, wrapped.balanceOf, address) };
  const { values } = await readAll(protocol, calls, block);
  return shares(values.shares + values.wrapped * SHARES_PER_UNIT);
}

async function movementsOf(
  { provider, token, wrapped, fromBlock: start }: Protocol,
  address: string,
  kept: Movements,
  block: number,
  { fromBlock = start, ...options }: RangeOptions & { readonly fromBlock?: number },
): Promise<Movements> {
  const topic = zeroPadValue(getAddress(address), 32);
  const { topicHash } = TRANSFERS.getEvent("Transfer") ?? { topicHash: "" };
  const addresses = [token.target as string, wrapped.target as string];
  const read = async (topics: (string | null)[], sign: bigint, before: Kept<Movement>): Promise<Kept<Movement>> => {
    const feed = {
      filter: { address: addresses, topics },
      fromBlock,
      decode: (logs: readonly Log[]) => logs.flatMap((log) => movement(log, sign, token.target as string)),
    };
    return readOn(provider, feed, before, block, options);
  };
  const [received, sent] = await Promise.all([
    read([topicHash, null, topic], 1n, kept.received),
    read([topicHash, topic], -1n, kept.sent),
  ]);
  return { received, sent };
}

function inOrder({ received, sent }: Movements): Movement[] {
  return [...received.items, ...sent.items].sort((a, b) => a.block - b.block || a.logIndex - b.logIndex);
}

function movement(log: Log, sign: bigint, token: string): Movement[] {
  const amount: unknown = parsedLog(TRANSFERS, log)?.args["value"];
  if (typeof amount !== "bigint") return [];
  const value = sign * amount;
  const isToken = log.address.toLowerCase() === token.toLowerCase();
  return [
    {
      block: log.blockNumber,
      logIndex: log.index,
      estEth: isToken ? value : 0n,
      westEth: isToken ? 0n : value,
    },
  ];
}

const TRANSFERS = new Interface(["event Transfer(address indexed from, address indexed to, uint256 value)"]);

/** Pure: backwards from the shares held after everything. */
export function rewardsFrom(
  history: readonly RebaseEntry[],
  movements: readonly Movement[],
  held: Shares,
): RewardHistory {
  const rewards: Reward[] = [];
  let now: bigint = held;
  let next = movements.length - 1;
  const undo = (until: (movement: Movement) => boolean, totals: Totals): void => {
    for (; next >= 0; next--) {
      const change = movements[next];
      if (change === undefined || until(change)) return;
      const moved = toSharesDown(wei(change.estEth < 0n ? -change.estEth : change.estEth), totals);
      now += change.estEth < 0n ? moved : 0n - moved;
      now -= change.westEth * SHARES_PER_UNIT;
    }
  };
  for (const entry of [...history].reverse()) {
    undo(
      ({ block, logIndex }) => block < entry.block || (block === entry.block && logIndex < entry.logIndex),
      entry.after,
    );
    // rounding may leave a trace below zero
    const present = shares(now < 0n ? 0n : now);
    const value = toEtherDown(present, entry.after);
    const amount = wei(value - toEtherDown(present, entry.before));
    if (present > 0n) rewards.push({ block: entry.block, timestamp: entry.timestamp, shares: present, amount, value });
  }
  rewards.reverse();
  return { rewards, total: wei(rewards.reduce((sum, { amount }) => sum + amount, 0n)) };
}
