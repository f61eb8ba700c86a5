/**
 * The withdrawal queue: rounds, finalisation, claims (docs/math.md, Queue).
 *
 * Requests count in units of 1e9 shares, cumulatively. All requests of a round share the rate at its opening, so a round is settled by
 * sums. Functions take a state and return the next one; requests are only appended, and the arrays are never changed in place.
 */
import { ensure } from "./errors.ts";
import { rollCutoff } from "./frames.ts";
import { min } from "./integers.ts";
import { rateDown, toUnitsDown, unitsToShares, valueAtRate } from "./shares.ts";
import type { Totals } from "./shares.ts";
import { SHARES_PER_UNIT, shares, units, wei } from "./units.ts";
import type { Ray, Shares, Units, Wei } from "./units.ts";

/** The most rounds that one finalisation settles. */
export const MAX_ROUNDS = 64;
export const MIN_REQUEST = wei(100n);

export interface Round {
  /** Cumulative units before its first request. */
  readonly startUnits: Units;
  /** Its index counts from 0; request ids count from 1. */
  readonly firstRequestId: number;
  /** At its opening, rounded down. */
  readonly rate: Ray;
  /** No report with an earlier cut-off finalises it. */
  readonly endsAt: bigint;
}

/** Requests that one finalisation settled within one round. */
export interface Batch {
  readonly lastRequestId: number;
  /** What they are paid a unit: min(the round's rate, F). */
  readonly rate: Ray;
}

export interface QueueState {
  /** Cumulative units after each request; request n is at n - 1. */
  readonly endUnits: readonly Units[];
  readonly rounds: readonly Round[];
  readonly batches: readonly Batch[];
  readonly lastFinalizedId: number;
  /** The first round that is not wholly finalised. */
  readonly headRound: number;
  /** Whether a request may still join the last round. */
  readonly isOpen: boolean;
  readonly nextCutoff: bigint;
  /** Shares below one unit, since the last report. */
  readonly remainder: Shares;
}

export const EMPTY_QUEUE: QueueState = {
  endUnits: [],
  rounds: [],
  batches: [],
  lastFinalizedId: 0,
  headRound: 0,
  isOpen: false,
  nextCutoff: 0n,
  remainder: shares(0n),
};

/** Exact: units of the first `requestId` requests. */
function unitsUpTo(queue: QueueState, requestId: number): Units {
  return queue.endUnits[requestId - 1] ?? units(0n);
}

/** Exact. */
export function unitsOf(queue: QueueState, requestId: number): Units {
  return units(unitsUpTo(queue, requestId) - unitsUpTo(queue, requestId - 1));
}

/** Exact: shares of all requests not yet finalised. */
export function unfinalisedShares(queue: QueueState): Shares {
  const pending = unitsUpTo(queue, queue.endUnits.length) - unitsUpTo(queue, queue.lastFinalizedId);
  return unitsToShares(units(pending));
}

/** When the oldest round with unfinalised requests ends or ended; undefined if none waits. */
export function oldestRoundEnd(queue: QueueState): bigint | undefined {
  return queue.lastFinalizedId === queue.endUnits.length ? undefined : queue.rounds[queue.headRound]?.endsAt;
}

/**
 * Adds requests of `amounts` shares at `now`. They join the last round unless a report came or the cut-off passed since that opened; a
 * new round opens at the current rate and ends at the first cut-off at or after `now`. Shares below one unit go to the remainder.
 */
export function request(
  queue: QueueState,
  amounts: readonly Shares[],
  totals: Totals,
  now: bigint,
  secondsPerFrame: bigint,
): QueueState {
  const before = unitsUpTo(queue, queue.endUnits.length);
  const last = queue.rounds.at(-1);
  const joins = queue.isOpen && last !== undefined && now <= last.endsAt;
  const round: Round = {
    startUnits: before,
    firstRequestId: queue.endUnits.length + 1,
    rate: rateDown(totals),
    endsAt: rollCutoff(queue.nextCutoff, now, secondsPerFrame),
  };
  let [end, remainder]: [bigint, bigint] = [before, queue.remainder];
  const added = amounts.map((amount) => {
    remainder += amount % SHARES_PER_UNIT;
    return units((end += toUnitsDown(amount)));
  });
  return {
    ...queue,
    endUnits: queue.endUnits.concat(added),
    rounds: joins ? queue.rounds : [...queue.rounds, round],
    isOpen: true,
    remainder: shares(remainder),
  };
}

/** A report was accepted: the next request opens a round, and the remainder goes to cover. */
export function closeRound(
  queue: QueueState,
  nextCutoff: bigint,
): { readonly queue: QueueState; readonly remainder: Shares } {
  return { queue: { ...queue, isOpen: false, nextCutoff, remainder: shares(0n) }, remainder: queue.remainder };
}

export interface Finalisation {
  readonly queue: QueueState;
  readonly paid: Wei;
  /** Of the requests paid. */
  readonly shares: Shares;
}

/**
 * Settles rounds in order, while they ended by `cutoff`, at most 64 of them, and as far as `available` reaches. A round pays
 * min(its rate, maxRate) a unit; the last one may be settled in part, by the largest prefix of whole requests that `available` pays.
 * `paid` sums floor(units * rate / 1e27) over the settled parts of rounds.
 */
export function finalise(queue: QueueState, maxRate: Ray, cutoff: bigint, available: Wei): Finalisation {
  const from = unitsUpTo(queue, queue.lastFinalizedId);
  const batches: Batch[] = [];
  let { lastFinalizedId, headRound } = queue;
  let paid = 0n;
  for (let n = 0; n < MAX_ROUNDS; n++) {
    const round = queue.rounds[headRound];
    if (round === undefined || round.endsAt > cutoff) break;
    const lastId = (queue.rounds[headRound + 1]?.firstRequestId ?? queue.endUnits.length + 1) - 1;
    const rate = min(round.rate, maxRate);
    const settledId = affordable(queue, lastFinalizedId, lastId, rate, available - paid);
    if (settledId > lastFinalizedId) {
      const settled = unitsUpTo(queue, settledId) - unitsUpTo(queue, lastFinalizedId);
      paid += valueAtRate(units(settled), rate);
      batches.push({ lastRequestId: settledId, rate });
      lastFinalizedId = settledId;
    }
    if (settledId < lastId) break;
    headRound++;
  }
  return {
    queue: { ...queue, batches: [...queue.batches, ...batches], lastFinalizedId, headRound },
    paid: wei(paid),
    shares: unitsToShares(units(unitsUpTo(queue, lastFinalizedId) - from)),
  };
}

/** The last of the requests `settledId` + 1 to `lastId` that `available` wei pay together with those before it, by binary search. */
function affordable(queue: QueueState, settledId: number, lastId: number, rate: Ray, available: bigint): number {
  const start = unitsUpTo(queue, settledId);
  let [low, high] = [settledId, lastId];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const needed = valueAtRate(units(unitsUpTo(queue, middle) - start), rate);
    if (needed <= available) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** What a request pays once finalised, rounded down: floor(units * min(its round's rate, F) / 1e27). Undefined before. */
export function payment(queue: QueueState, requestId: number): Wei | undefined {
  ensure(requestId >= 1 && requestId <= queue.endUnits.length, "UnknownRequest", requestId);
  if (requestId > queue.lastFinalizedId) return undefined;
  const batch = firstWhere(queue.batches, ({ lastRequestId }) => lastRequestId >= requestId);
  return batch === undefined ? undefined : valueAtRate(unitsOf(queue, requestId), batch.rate);
}

/** What a request was worth at its round's opening, rounded down: the most it can pay. */
export function openingValue(queue: QueueState, requestId: number): Wei {
  ensure(requestId >= 1 && requestId <= queue.endUnits.length, "UnknownRequest", requestId);
  const after = firstIndexWhere(queue.rounds, ({ firstRequestId }) => firstRequestId > requestId);
  const round = queue.rounds[after - 1];
  return round === undefined ? wei(0n) : valueAtRate(unitsOf(queue, requestId), round.rate);
}

/** Binary search in a list that is first false, then true. */
function firstIndexWhere<T>(list: readonly T[], holds: (entry: T) => boolean): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const entry = list[middle];
    if (entry !== undefined && holds(entry)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function firstWhere<T>(list: readonly T[], holds: (entry: T) => boolean): T | undefined {
  return list[firstIndexWhere(list, holds)];
}
