/** The withdrawal requests of an owner: found from events, with what each pays, when, and how it is claimed. */
import { getAddress, toBeHex, zeroPadValue } from "ethers";
import type { Log } from "ethers";
import { slotTime } from "../../protocol/frames.ts";
import { shares, wei } from "../../protocol/units.ts";
import type { Shares, Wei } from "../../protocol/units.ts";
import { estimateWait } from "../../protocol/waiting.ts";
import type { WaitEstimate } from "../../protocol/waiting.ts";
import type { Protocol } from "../connect.ts";
import { readable } from "../errors.ts";
import { EventsMissing, NOTHING_KEPT, readAtOnce, readOn, readWhole } from "../feed.ts";
import type { FeedOptions, Kept } from "../feed.ts";
import { blockRefOf, call, readAll } from "../multicall.ts";
import type { BlockRef, Call, ValuesOf } from "../multicall.ts";
import { NO_INFLOW, readQueueInflow, towardsQueue } from "./inflow.ts";
import type { Inflow } from "./inflow.ts";
import { waitCalls } from "./outlook.ts";
import type { WaitCalls } from "./outlook.ts";

export type RequestState = "waiting" | "claimable" | "claimed" | "transferred";

export interface WithdrawalRequest {
  readonly id: bigint;
  readonly state: RequestState;
  /** Its value when its round opened: what it pays, unless a loss comes first. Of a claimed one: what it paid. */
  readonly amount: Wei;
  readonly shares: Shares;
  /** What a claim pays now. */
  readonly claimable: Wei;
  /** Unix seconds. */
  readonly roundEnd: bigint;
  /** For `claimWithdrawals`; of claimable requests. */
  readonly hint: bigint | undefined;
  /** Of waiting requests. */
  readonly wait: WaitEstimate | undefined;
}

/** An event that names the owner. */
export interface OwnerEvent {
  readonly block: number;
  readonly id: bigint;
  /** Of a claim: wei. */
  readonly paid: bigint | undefined;
}

export interface OwnerRequests {
  readonly block: BlockRef;
  readonly requests: readonly WithdrawalRequest[];
  /** Wei of all claimable ones. */
  readonly claimable: Wei;
  readonly lastFinalizedId: bigint;
  /** How many requests, all later than these, were left out: with `most` only. */
  readonly unread: number;
  /** For the next call: only what came since is read. */
  readonly kept: Kept<OwnerEvent>;
}

export interface OwnerOptions extends FeedOptions {
  readonly kept?: Kept<OwnerEvent>;
  /** What an earlier call gave, in place of `kept`: requests that are over are not read again, open ones together with what came since. */
  readonly before?: Pick<OwnerRequests, "requests" | "lastFinalizedId" | "kept"> | undefined;
  /** Reads so many of the oldest that are not claimed and nothing of the others, for a first look at a long list. */
  readonly most?: number | undefined;
}

/** Requests ahead are summed one by one up to so many; beyond, all that wait count as ahead. */
const MOST_AHEAD = 2_000n;
const IDS_IN_A_CALL = 250;

/** All requests that ever belonged to `owner`, in order; compared with how many are open. @throws ChainError, AppError (unavailable) */
export async function readWithdrawals(
  protocol: Protocol,
  owner: string,
  options: OwnerOptions = {},
): Promise<OwnerRequests> {
  const { before, kept = before?.kept ?? NOTHING_KEPT } = options;
  return readWhole(protocol.provider, kept.items.length === 0, async (anew) => {
    const from = { requests: [], lastFinalizedId: undefined, ...before, kept };
    return readRequestsOf(protocol, owner, anew ? { ...from, requests: [], kept: NOTHING_KEPT } : from, options);
  });
}

/**
 * For a first reading in two waits: the events and the newest block, which `readWithdrawals` goes on from; undefined where the node does not give
 * all events at once.
 * @throws AppError (unavailable)
 */
export async function firstWithdrawals(
  protocol: Protocol,
  owner: string,
): Promise<Required<Pick<OwnerOptions, "at" | "before">> | undefined> {
  const { provider, queue } = protocol;
  const [first, lastFinalizedId] = await Promise.all([
    readAtOnce(provider, ownerFeed(protocol, owner)),
    readable(() => queue.lastFinalizedId()),
  ]);
  return first && { at: first.head, before: { requests: [], lastFinalizedId, kept: first.kept } };
}

/** What was known before the reading. */
interface Known {
  readonly requests: readonly WithdrawalRequest[];
  readonly lastFinalizedId: bigint | undefined;
  readonly kept: Kept<OwnerEvent>;
}

async function readRequestsOf(
  protocol: Protocol,
  owner: string,
  known: Known,
  options: OwnerOptions,
): Promise<OwnerRequests> {
  const { provider, queue } = protocol;
  const block = options.at ?? (await blockRefOf(provider));
  const { signal } = options;
  const over = new Map(known.requests.filter(({ state }) => state === "claimed").map((one) => [one.id, one]));
  const openOf = (ids: readonly bigint[]): bigint[] => ids.filter((id) => !over.has(id));
  const { most } = options;
  const early = most === undefined ? openOf(idsOf(known.kept)) : unclaimedOf(known.kept).slice(0, most);
  const calls = {
    ...waitCalls(protocol),
    open: call(queue, queue.balanceOf, owner),
    lastFinalizedId: call(queue, queue.lastFinalizedId),
  };
  // all that can be asked without knowing what came since
  const [kept, own, line, { values }, soon] = await Promise.all([
    readOn(provider, ownerFeed(protocol, owner), known.kept, block.number, options),
    readRequests(protocol, early, block, signal),
    readStatuses(protocol, lineBefore(early, known.lastFinalizedId), block, signal),
    readAll(protocol, calls, block),
    options.at === undefined || most !== undefined ? undefined : readQueueInflow(protocol, options),
  ]);
  const ids = most === undefined ? idsOf(kept) : early;
  const unread = most === undefined ? 0 : unclaimedOf(kept).length - early.length;
  const added = openOf(ids).filter((id) => !own.has(id));
  for (const [id, one] of await readRequests(protocol, added, block, signal)) own.set(id, one);

  const isOwn = (id: bigint): boolean => own.get(id)?.status.owner.toLowerCase() === owner.toLowerCase();
  const open = ids.filter(isOwn);
  if (most === undefined && BigInt(open.length) !== values.open)
    throw new EventsMissing(`the queue counts ${values.open} open requests, its events ${open.length}`);
  const waiting = open.filter((id) => own.get(id)?.status.isFinalized === false);
  const ahead = lineBefore(waiting, values.lastFinalizedId);
  for (const id of ahead) {
    const status = own.get(id)?.status;
    if (status !== undefined) line.set(id, status);
  }
  const missing = ahead.filter((id) => !line.has(id));
  for (const [id, status] of await readStatuses(protocol, missing, block, signal)) line.set(id, status);
  const inflow = soon ?? (waiting.length === 0 ? NO_INFLOW : await readQueueInflow(protocol, options));
  const waits = waitsOf(waiting, { ahead, line, own }, values, inflow, block.timestamp);

  const paid = new Map(kept.items.flatMap(({ id, paid: amount }) => (amount === undefined ? [] : [[id, amount]])));
  const requests = ids.map((id): WithdrawalRequest => {
    const before = over.get(id);
    if (before !== undefined) return before;
    const found = own.get(id);
    if (found === undefined) throw new Error(`no status of request ${id}`);
    const { status } = found;
    const finalState: RequestState = paid.has(id) ? "claimed" : "transferred";
    const openState: RequestState = status.isFinalized ? "claimable" : "waiting";
    const state = isOwn(id) ? openState : finalState;
    return {
      id,
      state,
      amount: wei(paid.get(id) ?? status.amount),
      shares: shares(status.shares),
      claimable: wei(state === "claimable" ? found.claimable : 0n),
      roundEnd: status.roundEnd,
      hint: state === "claimable" ? found.hint : undefined,
      wait: waits.get(id),
    };
  });
  const claimable = wei(requests.reduce((sum, request) => sum + request.claimable, 0n));
  return { block, requests, claimable, lastFinalizedId: values.lastFinalizedId, unread, kept };
}

/** As far as events tell: others may have been given away. */
function unclaimedOf(kept: Kept<OwnerEvent>): bigint[] {
  const paid = new Set(kept.items.flatMap(({ id, paid: amount }) => (amount === undefined ? [] : [id])));
  return idsOf(kept).filter((id) => !paid.has(id));
}

function idsOf({ items }: Kept<OwnerEvent>): bigint[] {
  return [...new Set(items.map(({ id }) => id))].sort((a, b) => (a < b ? -1 : 1));
}

/** Everybody's requests up to the last of `ids`, which ascend; empty where they are too many to be summed one by one, or not known. */
function lineBefore(ids: readonly bigint[], lastFinalizedId: bigint | undefined): bigint[] {
  const last = ids.at(-1);
  if (last === undefined || lastFinalizedId === undefined || last - lastFinalizedId > MOST_AHEAD) return [];
  const length = last > lastFinalizedId ? Number(last - lastFinalizedId) : 0;
  return Array.from({ length }, (_, index) => lastFinalizedId + 1n + BigInt(index));
}

/** Characters of an event's data. */
const [WORD, NO_DATA] = [66, 2];

/** Requests that came to an owner or that it claimed: it is the second indexed argument of both events. */
function ownerFeed({ queue, fromBlock }: Protocol, owner: string) {
  const names = ["Transfer", "WithdrawalClaimed"] as const;
  const topics = names.map((name) => queue.interface.getEvent(name).topicHash);
  const claimed = queue.interface.getEvent("WithdrawalClaimed").topicHash;
  return {
    filter: { address: queue.target as string, topics: [topics, null, zeroPadValue(getAddress(owner), 32)] },
    fromBlock,
    // by hand: an interface hashes the names of all its events again for each log
    decode: (logs: readonly Log[]): OwnerEvent[] =>
      logs.flatMap(({ topics: [event, first, , last], data, blockNumber: block }) => {
        if (first === undefined || last === undefined || data.length !== (event === claimed ? WORD : NO_DATA))
          return [];
        const isClaim = event === claimed;
        return [{ block, id: BigInt(isClaim ? first : last), paid: isClaim ? BigInt(data) : undefined }];
      }),
  };
}

/** IWithdrawalQueue.RequestStatus. */
interface Status {
  readonly amount: bigint;
  readonly shares: bigint;
  readonly owner: string;
  readonly roundEnd: bigint;
  readonly isFinalized: boolean;
}

const STATUS_WORDS = 6;

/** By hand: ethers makes an object that watches itself of each, which takes a second for ten thousand. */
function statusesOf(queue: Protocol["queue"], ids: readonly bigint[]): Call<Status[]> {
  const { target, data } = call(queue, queue.getWithdrawalStatus, [...ids]);
  const decode = (answer: string): Status[] => {
    const words = numbersIn(answer, STATUS_WORDS);
    return Array.from({ length: words.length / STATUS_WORDS }, (_, index): Status => {
      const [amount = 0n, units = 0n, owner = 0n, roundEnd = 0n, isFinalized = 0n] = words.slice(
        index * STATUS_WORDS,
        (index + 1) * STATUS_WORDS,
      );
      return { amount, shares: units, owner: addressIn(owner), roundEnd, isFinalized: isFinalized !== 0n };
    });
  };
  return { target, data, decode };
}

/** The words of the one list, of elements of a fixed size, that a function returned. @throws RangeError where it is none */
function numbersIn(data: string, wordsEach = 1): bigint[] {
  const wordAt = (index: number): string => data.slice(2 + index * 64, 66 + index * 64);
  const count = Number(`0x${wordAt(1)}`) * wordsEach;
  if (BigInt(`0x${wordAt(0)}`) !== 32n || data.length !== 2 + (count + 2) * 64)
    throw new RangeError(`${data.length} characters are no list of ${count} words`);
  return Array.from({ length: count }, (_, index) => BigInt(`0x${wordAt(index + 2)}`));
}

function addressIn(word: bigint): string {
  return toBeHex(word, 20);
}

interface Found {
  readonly status: Status;
  readonly claimable: bigint;
  readonly hint: bigint | undefined;
}

/** What the queue says of requests, in pieces that a node's gas limit for calls allows. */
async function readRequests(
  { provider, multicall, queue }: Protocol,
  ids: readonly bigint[],
  block: BlockRef,
  signal: AbortSignal | undefined,
): Promise<Map<bigint, Found>> {
  const pieces = await Promise.all(
    piecesOf(ids).map(async (piece) => {
      signal?.throwIfAborted();
      const calls = {
        statuses: statusesOf(queue, piece),
        amounts: { ...call(queue, queue.getClaimableEther, piece), decode: numbersIn },
        hints: { ...call(queue, queue.findHints, piece), decode: numbersIn },
      };
      const { statuses, amounts, hints } = (await readAll({ provider, multicall }, calls, block)).values;
      return statuses.map((status, index): [bigint, Found] => [
        piece[index] ?? 0n,
        { status, claimable: amounts[index] ?? 0n, hint: hints[index] },
      ]);
    }),
  );
  return new Map(pieces.flat());
}

async function readStatuses(
  { provider, multicall, queue }: Protocol,
  ids: readonly bigint[],
  block: BlockRef,
  signal: AbortSignal | undefined,
): Promise<Map<bigint, Status>> {
  const pieces = await Promise.all(
    piecesOf(ids).map(async (piece) => {
      signal?.throwIfAborted();
      const calls = { statuses: statusesOf(queue, piece) };
      const { statuses } = (await readAll({ provider, multicall }, calls, block)).values;
      return statuses.map((status, index): [bigint, Status] => [piece[index] ?? 0n, status]);
    }),
  );
  return new Map(pieces.flat());
}

function piecesOf(ids: readonly bigint[]): bigint[][] {
  return Array.from({ length: Math.ceil(ids.length / IDS_IN_A_CALL) }, (_, index) =>
    ids.slice(index * IDS_IN_A_CALL, (index + 1) * IDS_IN_A_CALL),
  );
}

/** When waiting requests will be paid. `ids` ascending; `ahead` is the line up to the last of them, empty where it is too long. */
function waitsOf(
  ids: readonly bigint[],
  {
    ahead,
    line,
    own,
  }: { ahead: readonly bigint[]; line: ReadonlyMap<bigint, Status>; own: ReadonlyMap<bigint, Found> },
  values: ValuesOf<WaitCalls>,
  inflow: Inflow,
  now: bigint,
): Map<bigint, WaitEstimate> {
  const lastRefTime = slotTime(values.lastRefSlot, values.genesisTime);
  const { lastReportTime } = values.books;
  const sums = new Map<bigint, bigint>();
  let sum = 0n;
  for (const id of ahead) sums.set(id, (sum += line.get(id)?.amount ?? 0n));
  return new Map(
    ids.map((id) => {
      const wait = estimateWait({
        now,
        roundEnd: own.get(id)?.status.roundEnd ?? 0n,
        ahead: wei(sums.get(id) ?? values.promised),
        buffer: wei(values.buffer),
        inflowPerSecond: towardsQueue(inflow),
        lastRefTime,
        secondsPerFrame: values.frame,
        finalisationMargin: values.finalisationMargin,
        reportDelay: lastReportTime > lastRefTime ? lastReportTime - lastRefTime : 0n,
      });
      return [id, wait];
    }),
  );
}
