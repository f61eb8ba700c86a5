/** The published state transition, with what a single node knows: the execution client checks payloads, there are no blobs. */
import { SLOTS_PER_EPOCH } from "@lodestar/params";
import { DataAvailabilityStatus, ExecutionPayloadStatus, processSlots } from "@lodestar/state-transition";
import type { CachedBeaconStateElectra } from "@lodestar/state-transition";

export const EXTERNAL = {
  executionPayloadStatus: ExecutionPayloadStatus.valid,
  dataAvailabilityStatus: DataAvailabilityStatus.Available,
};

/** A copy of the state at a later slot, as if no block came. */
export function advance(state: CachedBeaconStateElectra, slot: number): CachedBeaconStateElectra {
  return processSlots(state, slot, { dontTransferCache: true }) as CachedBeaconStateElectra;
}

export function epochOf(slot: number): number {
  return Math.floor(slot / SLOTS_PER_EPOCH);
}
