/** The withdrawal requests of an owner: found from events, with what each pays, when, and how it is claimed. */
import { getAddress, zeroPadValue } from "ethers";
import type { Log } from "ethers";
import { slotTime } from "../../protocol/frames.ts";
import { shares, wei } from "../../protocol/units.ts";
import type { Shares, Wei } from "../../protocol/units.ts";
import { estimateWait } from "../../protocol/waiting.ts";
import type { WaitEstimate } from "../../protocol/waiting.ts";
import type { Protocol } from "../connect.ts";
import { EventsMissing, NOTHING_KEPT, readOn, readWhole } from "../feed.ts";
import type { FeedOptions, Kept } from "../feed.ts";
import { parsedLog } from "../logs.ts";
import type { RangeOptions } from "../logs.ts";
import { blockRefOf, call, readAll } from "../multicall.ts";
import type { BlockRef } from "../multicall.ts";
import { readInflow, towardsQueue } from "./inflow.ts";
import { waitCalls } from "./outlook.ts";

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
  /** For the next call: only what came since is read. */
  readonly kept: Kept<OwnerEvent>;
}

export interface OwnerOptions extends FeedOptions {
  readonly kept?: Kept<OwnerEvent>;
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
  const { provider } = protocol;
  const { kept = NOTHING_KEPT } = options;
  return readWhole(provider, kept.items.length === 0, async (anew) => {
    return readRequestsOf(protocol, owner, { ...options, kept: anew ? NOTHING_KEPT : kept });
  });
}

async function readRequestsOf(protocol: Protocol, owner: string, options: OwnerOptions): Promise<OwnerRequests> {
  const { provider, queue } = protocol;
  const latest = await provider.getBlockNumber();
  const kept = await readOn(provider, ownerFeed(protocol, owner), options.kept ?? NOTHING_KEPT, latest, options);
  const paid = new Map(kept.items.flatMap(({ id, paid: amount }) => (amount === undefined ? [] : [[id, amount]])));
  const ids = [...new Set(kept.items.map(({ id }) => id))].sort((a, b) => (a < b ? -1 : 1));
  const block = await blockRefOf(provider, latest);
  const [values, counted] = await Promise.all([
    readRequests(protocol, ids, block, options.signal),
    readAll(protocol, { open: call(queue, queue.balanceOf, owner) }, block),
  ]);
  const isOwn = (index: number): boolean => values[index]?.status.owner.toLowerCase() === owner.toLowerCase();
  const open = ids.filter((_, index) => isOwn(index)).length;
  if (BigInt(open) !== counted.values.open)
    throw new EventsMissing(`the queue counts ${counted.values.open} open requests, its events ${open}`);
  const waiting = ids.filter((_, index) => isOwn(index) && values[index]?.status.isFinalized === false);
  const waits = await readWaits(protocol, waiting, options);
  const requests = ids.map((id, index): WithdrawalRequest => {
    const known = values[index];
    if (known === undefined) throw new Error(`no status of request ${id}`);
    const { status } = known;
    const finalState: RequestState = paid.has(id) ? "claimed" : "transferred";
    const openState: RequestState = status.isFinalized ? "claimable" : "waiting";
    const state = isOwn(index) ? openState : finalState;
    return {
      id,
      state,
      amount: wei(paid.get(id) ?? status.amount),
      shares: shares(status.shares),
      claimable: wei(state === "claimable" ? known.claimable : 0n),
      roundEnd: status.roundEnd,
      hint: state === "claimable" ? known.hint : undefined,
      wait: waits.get(id),
    };
  });
  const claimable = wei(requests.reduce((sum, request) => sum + request.claimable, 0n));
  return { block, requests, claimable, kept };
}

/** Requests that came to an owner or that it claimed: it is the second indexed argument of both events. */
function ownerFeed({ queue, fromBlock }: Protocol, owner: string) {
  const names = ["Transfer", "WithdrawalClaimed"] as const;
  const topics = names.map((name) => queue.interface.getEvent(name).topicHash);
  const claimed = queue.interface.getEvent("WithdrawalClaimed").topicHash;
  return {
    filter: { address: queue.target as string, topics: [topics, null, zeroPadValue(getAddress(owner), 32)] },
    fromBlock,
    decode: (logs: readonly Log[]): OwnerEvent[] =>
      logs.flatMap((log) => {
        if (parsedLog(queue.interface, log) === undefined) return [];
        const isClaim = log.topics[0] === claimed;
        const id = BigInt((isClaim ? log.topics[1] : log.topics[3]) ?? 0);
        return [{ block: log.blockNumber, id, paid: isClaim ? BigInt(log.data) : undefined }];
      }),
  };
}

/** What the queue says of requests, in pieces that a node's gas limit for calls allows. */
async function readRequests(
  protocol: Protocol,
  ids: readonly bigint[],
  block: BlockRef,
  signal: AbortSignal | undefined,
) {
  const { queue } = protocol;
  const found = [];
  for (let from = 0; from < ids.length; from += IDS_IN_A_CALL) {
    signal?.throwIfAborted();
    const piece = ids.slice(from, from + IDS_IN_A_CALL);
    const calls = {
      statuses: call(queue, queue.getWithdrawalStatus, piece),
      amounts: call(queue, queue.getClaimableEther, piece),
      hints: call(queue, queue.findHints, piece),
    };
    const { statuses, amounts, hints } = (await readAll(protocol, calls, block)).values;
    found.push(
      ...[...statuses].map((status, index) => ({ status, claimable: amounts[index] ?? 0n, hint: hints[index] })),
    );
  }
  return found;
}

/** When waiting requests will be paid. `ids` ascending. */
async function readWaits(
  protocol: Protocol,
  ids: readonly bigint[],
  options: RangeOptions,
): Promise<Map<bigint, WaitEstimate>> {
  const last = ids.at(-1);
  if (last === undefined) return new Map();
  const { queue } = protocol;
  const [{ block, values }, inflow] = await Promise.all([
    readAll(protocol, {
      ...waitCalls(protocol),
      lastFinalizedId: call(queue, queue.lastFinalizedId),
    }),
    readInflow(protocol, options),
  ]);
  const first = values.lastFinalizedId + 1n;
  const isCounted = last - first < MOST_AHEAD;
  const ahead = isCounted
    ? Array.from({ length: Number(last - first) + 1 }, (_, index) => first + BigInt(index))
    : [...ids];
  const more = await readRequests(protocol, ahead, block, options.signal);
  const lastRefTime = slotTime(values.lastRefSlot, values.genesisTime);
  const { lastReportTime } = values.books;
  const waits = new Map<bigint, WaitEstimate>();
  let sum = 0n;
  ahead.forEach((id, index) => {
    const status = more[index]?.status;
    if (status === undefined) return;
    sum += status.amount;
    if (!ids.includes(id)) return;
    const wait = estimateWait({
      now: block.timestamp,
      roundEnd: status.roundEnd,
      ahead: wei(isCounted ? sum : values.promised),
      buffer: wei(values.buffer),
      inflowPerSecond: towardsQueue(inflow),
      lastRefTime,
      secondsPerFrame: values.frame,
      finalisationMargin: values.finalisationMargin,
      reportDelay: lastReportTime > lastRefTime ? lastReportTime - lastRefTime : 0n,
    });
    waits.set(id, wait);
  });
  return waits;
}
