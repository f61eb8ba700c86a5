/**
 * The withdrawal queue: rounds, finalisation, claims (docs/math.md, Queue).
 *
 * Requests count in units of 1e9 shares, cumulatively. All requests of a round share the rate at its opening, so a round is settled by
 * sums. Functions take a state and return the next one; requests are only appended, and the arrays are never changed in place.
 */
import { ensure } from "./errors.ts";
import { rollCutoff } from "./frames.ts";
import { max, min } from "./integers.ts";
import { rateDown, toUnitsDown, unitsToShares, valueAtRate } from "./shares.ts";
import type { Totals } from "./shares.ts";
import { SHARES_PER_UNIT, shares, units, wei } from "./units.ts";
import type { Ray, Shares, Units, Wei } from "./units.ts";

/** The most rounds that one finalisation looks at; the first may be one that the last finalisation settled already. */
export const MAX_ROUNDS = 64;
export const MIN_REQUEST = wei(100n);

export interface Round {
  /** Cumulative units before its first request. */
  readonly startUnits: Units;
  /** At its opening, rounded down. */
  readonly rate: Ray;
  /** No report with an earlier cut-off finalises it. */
  readonly endsAt: bigint;
}

/** Units that one finalisation settled within one round. */
export interface Batch {
  /** Cumulative units after the last of them. */
  readonly endUnits: Units;
  /** What they are paid a unit: min(the round's rate, F). */
  readonly rate: Ray;
}

export interface QueueState {
  /** Cumulative units after each request; request n is at n - 1. */
  readonly endUnits: readonly Units[];
  readonly rounds: readonly Round[];
  readonly batches: readonly Batch[];
  /** Cumulative: a request is finalised when its units end here or before. */
  readonly finalisedUnits: Units;
  /** The round that finalisation looks at first. */
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
  finalisedUnits: units(0n),
  headRound: 0,
  isOpen: false,
  nextCutoff: 0n,
  remainder: shares(0n),
};

/** Exact: cumulative units after request `requestId`; zero for id 0. */
export function endUnitsOf(queue: QueueState, requestId: number): Units {
  return queue.endUnits[requestId - 1] ?? units(0n);
}

/** Exact: the request's own units. */
export function unitsOf(queue: QueueState, requestId: number): Units {
  return units(endUnitsOf(queue, requestId) - endUnitsOf(queue, requestId - 1));
}

/** Exact: cumulative units of all requests. */
export function requestedUnits(queue: QueueState): Units {
  return queue.endUnits.at(-1) ?? units(0n);
}

/** Exact: shares of all requests not yet finalised. */
export function unfinalisedShares(queue: QueueState): Shares {
  return unitsToShares(units(requestedUnits(queue) - queue.finalisedUnits));
}

/** Zero if none is finalised. */
export function lastFinalizedId(queue: QueueState): number {
  return firstIndexWhere(queue.endUnits, (end) => end > queue.finalisedUnits);
}

/** When the oldest round with unfinalised requests ends or ended; undefined if none waits. */
export function oldestRoundEnd(queue: QueueState): bigint | undefined {
  if (queue.finalisedUnits === requestedUnits(queue)) return undefined;
  return roundAt(queue, queue.finalisedUnits)?.endsAt;
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
  const before = requestedUnits(queue);
  const last = queue.rounds.at(-1);
  const joins = queue.isOpen && last !== undefined && now <= last.endsAt;
  const round: Round = {
    startUnits: before,
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
  const batches: Batch[] = [];
  const requested = requestedUnits(queue);
  let { finalisedUnits, headRound } = queue;
  let paid = 0n;
  for (let n = 0; n < MAX_ROUNDS && finalisedUnits < requested; n++) {
    const round = queue.rounds[headRound];
    if (round === undefined || round.endsAt > cutoff) break;
    const next = queue.rounds[headRound + 1];
    const end = next?.startUnits ?? requested;
    const rate = min(round.rate, maxRate);
    const settled = affordable(queue, finalisedUnits, end, rate, available - paid);
    if (settled > finalisedUnits) batches.push({ endUnits: settled, rate });
    paid += valueAtRate(units(settled - finalisedUnits), rate);
    finalisedUnits = settled;
    if (settled < end) break;
    if (next !== undefined) headRound++;
  }
  return {
    queue: { ...queue, batches: [...queue.batches, ...batches], finalisedUnits, headRound },
    paid: wei(paid),
    shares: unitsToShares(units(finalisedUnits - queue.finalisedUnits)),
  };
}

/** Where the largest prefix of whole requests between `from` and `end` ends that `available` wei pay. */
function affordable(queue: QueueState, from: Units, end: Units, rate: Ray, available: bigint): Units {
  const isPaid = (to: Units) => valueAtRate(units(to - from), rate) <= available;
  if (isPaid(end)) return end;
  const beyond = firstIndexWhere(queue.endUnits, (to) => to > from && (to > end || !isPaid(to)));
  return max(from, endUnitsOf(queue, beyond));
}

/** What a request pays once finalised, rounded down: floor(units * min(its round's rate, F) / 1e27). Undefined before. */
export function payment(queue: QueueState, requestId: number): Wei | undefined {
  ensure(requestId >= 1 && requestId <= queue.endUnits.length, "UnknownRequest", requestId);
  if (endUnitsOf(queue, requestId) > queue.finalisedUnits) return undefined;
  const start = endUnitsOf(queue, requestId - 1);
  const batch = queue.batches[firstIndexWhere(queue.batches, ({ endUnits }) => endUnits > start)];
  return batch === undefined ? wei(0n) : valueAtRate(unitsOf(queue, requestId), batch.rate);
}

/** What a request was worth at its round's opening, rounded down: the most it can pay. */
export function openingValue(queue: QueueState, requestId: number): Wei {
  ensure(requestId >= 1 && requestId <= queue.endUnits.length, "UnknownRequest", requestId);
  const round = roundAt(queue, endUnitsOf(queue, requestId - 1));
  return round === undefined ? wei(0n) : valueAtRate(unitsOf(queue, requestId), round.rate);
}

/** The round of the units from `startUnits` on. */
export function roundAt(queue: QueueState, startUnits: Units): Round | undefined {
  return queue.rounds[firstIndexWhere(queue.rounds, (round) => round.startUnits > startUnits) - 1];
}

/** Binary search in a list for which `holds` is first false, then true: where it turns. */
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
