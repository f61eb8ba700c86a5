/** Slots, epochs, frames and their times (docs/math.md, Frames). Slots and epochs are numbers; times are unix seconds, bigint. */

export const SECONDS_PER_SLOT = 12n;
export const SLOTS_PER_EPOCH = 32n;

export interface FrameConfig {
  /** The time of slot 0 of the beacon chain. */
  readonly genesisTime: bigint;
  /** The first epoch of frame 0. */
  readonly initialEpoch: bigint;
  readonly epochsPerFrame: bigint;
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

export function frameSlots(config: FrameConfig): bigint {
  return config.epochsPerFrame * SLOTS_PER_EPOCH;
}

export function frameSeconds(config: FrameConfig): bigint {
  return frameSlots(config) * SECONDS_PER_SLOT;
}

/** The reference slot that ends frame `frame`: the last slot of its last epoch. Frame -1 ends just before the first one. */
export function refSlotOf(frame: bigint, config: FrameConfig): bigint {
  return firstSlotOf(config.initialEpoch + (frame + 1n) * config.epochsPerFrame) - 1n;
}

/** Whether a report may refer to `slot`: the last slot of an epoch, aligned to the frames, not before the first frame's end. */
export function isRefSlot(slot: bigint, config: FrameConfig): boolean {
  const first = refSlotOf(0n, config);
  return slot >= first && (slot - first) % frameSlots(config) === 0n;
}

/** The last reference slot whose time is at or before `time`. Undefined before the first. */
export function lastRefSlotAt(time: bigint, config: FrameConfig): bigint | undefined {
  const slot = slotAt(time, config.genesisTime);
  const first = refSlotOf(0n, config);
  if (slot === undefined || slot < first) return undefined;
  return slot - ((slot - first) % frameSlots(config));
}

/** Exact: the reference slot of the frame after the one that `refSlot` ends. */
export function nextRefSlot(refSlot: bigint, config: FrameConfig): bigint {
  return refSlot + frameSlots(config);
}

/** Requests made by then may be finalised by the report of `refSlot`: its time less the margin. */
export function cutoffOf(refSlot: bigint, config: FrameConfig, finalisationMargin: bigint): bigint {
  return slotTime(refSlot, config.genesisTime) - finalisationMargin;
}

/** The first cut-off at or after `now`, `nextCutoff` moved on by whole frames. */
export function rollCutoff(nextCutoff: bigint, now: bigint, secondsPerFrame: bigint): bigint {
  if (now <= nextCutoff) return nextCutoff;
  const missed = (now - nextCutoff + secondsPerFrame - 1n) / secondsPerFrame;
  return nextCutoff + missed * secondsPerFrame;
}
