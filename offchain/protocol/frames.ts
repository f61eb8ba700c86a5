/**
 * Slots, frames and what a report's reference slot decides (docs/math.md, Frames). The twin of ReportOracle's grid. Slots and epochs are
 * numbers; times are unix seconds.
 */
import { ceilDiv, min } from "./integers.ts";

export const SECONDS_PER_SLOT = 12n;
export const SLOTS_PER_EPOCH = 32n;
/** A report counts at most this many frames of time, however late it is. */
const MAX_FRAMES = 2n;

/** ReportOracle.Grid */
export interface Grid {
  /** The time of slot 0 of the beacon chain. */
  readonly genesisTime: bigint;
  /** The last slot of an epoch. It counts as reported: the first report is one frame later. */
  readonly firstRefSlot: bigint;
  /** Whole epochs. */
  readonly slotsPerFrame: bigint;
  /** Seconds before a reference slot at which its rounds are cut off. */
  readonly finalisationMargin: bigint;
  /** Seconds after which a missing report is overdue. */
  readonly grace: bigint;
}

/** Exact: when `slot` begins. */
export function slotTime(slot: bigint, genesisTime: bigint): bigint {
  return genesisTime + slot * SECONDS_PER_SLOT;
}

/** The slot that `time` falls in: rounds down. Undefined before genesis. */
export function slotAt(time: bigint, genesisTime: bigint): bigint | undefined {
  return time < genesisTime ? undefined : (time - genesisTime) / SECONDS_PER_SLOT;
}

export function epochOf(slot: bigint): bigint {
  return slot / SLOTS_PER_EPOCH;
}

export function firstSlotOf(epoch: bigint): bigint {
  return epoch * SLOTS_PER_EPOCH;
}

export function frameSeconds(grid: Grid): bigint {
  return grid.slotsPerFrame * SECONDS_PER_SLOT;
}

/** Whether a report may refer to `slot`: a whole number of frames after the first, at least one. */
export function isRefSlot(slot: bigint, grid: Grid): boolean {
  return slot > grid.firstRefSlot && (slot - grid.firstRefSlot) % grid.slotsPerFrame === 0n;
}

/** The last slot on the grid whose time is at or before `time`; `firstRefSlot` at the earliest. */
export function lastRefSlotAt(time: bigint, grid: Grid): bigint {
  const slot = slotAt(time, grid.genesisTime);
  if (slot === undefined || slot < grid.firstRefSlot) return grid.firstRefSlot;
  return slot - ((slot - grid.firstRefSlot) % grid.slotsPerFrame);
}

/** The time that a report counts: its frames since the last report, at most two, in seconds. */
export function countedTime(refSlot: bigint, lastRefSlot: bigint, grid: Grid): bigint {
  return min((refSlot - lastRefSlot) / grid.slotsPerFrame, MAX_FRAMES) * frameSeconds(grid);
}

/** What the report of `refSlot` means for requests and deposits. Unix seconds. */
export interface Schedule {
  readonly refTime: bigint;
  /** Rounds that ended by then may be finalised. */
  readonly cutoff: bigint;
  /** When the queue's current round ends at the latest. */
  readonly nextCutoff: bigint;
  /** Deposits pause when the next report is not there by then. */
  readonly openUntil: bigint;
}

/** Exact. */
export function scheduleOf(refSlot: bigint, grid: Grid): Schedule {
  const refTime = slotTime(refSlot, grid.genesisTime);
  const nextRefTime = refTime + frameSeconds(grid);
  return {
    refTime,
    cutoff: refTime - grid.finalisationMargin,
    nextCutoff: nextRefTime - grid.finalisationMargin,
    openUntil: nextRefTime + grid.grace,
  };
}

/** The first cut-off at or after `now`, `nextCutoff` moved on by whole frames. */
export function rollCutoff(nextCutoff: bigint, now: bigint, secondsPerFrame: bigint): bigint {
  if (now <= nextCutoff) return nextCutoff;
  return nextCutoff + ceilDiv(now - nextCutoff, secondsPerFrame) * secondsPerFrame;
}
