/** Who does what in an epoch: pure readings of a state that reaches into it (`BeaconChain.stateAt`). */
import { EPOCHS_PER_SYNC_COMMITTEE_PERIOD, SLOTS_PER_EPOCH } from "@lodestar/params";
import type { CachedBeaconStateElectra } from "@lodestar/state-transition";
import { hexlify } from "ethers";
import type { Hex } from "../../offchain/util/hex.ts";

export interface AttesterDuty {
  readonly pubkey: Hex;
  readonly validatorIndex: number;
  readonly slot: number;
  readonly committeeIndex: number;
  readonly committeeLength: number;
  readonly committeesAtSlot: number;
  /** Place in the committee. */
  readonly position: number;
}

export interface ProposerDuty {
  readonly pubkey: Hex;
  readonly validatorIndex: number;
  readonly slot: number;
}

export interface SyncDuty {
  readonly pubkey: Hex;
  readonly validatorIndex: number;
  /** Places in the sync committee; one validator can have many. */
  readonly positions: readonly number[];
}

/** @param epoch the state's own or the next one */
export function attesterDuties(
  state: CachedBeaconStateElectra,
  epoch: number,
  isWanted: (validatorIndex: number) => boolean,
): AttesterDuty[] {
  const { epochCtx } = state;
  const committeesAtSlot = epochCtx.getCommitteeCountPerSlot(epoch);
  return slotsOf(epoch).flatMap((slot) =>
    Array.from({ length: committeesAtSlot }, (_, committeeIndex) => {
      const committee = [...epochCtx.getBeaconCommittee(slot, committeeIndex)];
      return committee
        .map((validatorIndex, position) => ({ validatorIndex, position }))
        .flatMap((member) =>
          isWanted(member.validatorIndex)
            ? [
                {
                  pubkey: pubkeyOf(state, member.validatorIndex),
                  ...member,
                  slot,
                  committeeIndex,
                  committeeLength: committee.length,
                  committeesAtSlot,
                },
              ]
            : [],
        );
    }).flat(),
  );
}

/** Of the state's own epoch. */
export function proposerDuties(state: CachedBeaconStateElectra): ProposerDuty[] {
  return slotsOf(state.epochCtx.epoch).map((slot) => {
    const validatorIndex = state.epochCtx.getBeaconProposer(slot);
    return { pubkey: pubkeyOf(state, validatorIndex), validatorIndex, slot };
  });
}

/** @param epoch in the state's own period of the sync committee or in the next one */
export function syncDuties(
  state: CachedBeaconStateElectra,
  epoch: number,
  isWanted: (validatorIndex: number) => boolean,
): SyncDuty[] {
  const period = (of: number): number => Math.floor(of / EPOCHS_PER_SYNC_COMMITTEE_PERIOD);
  const { currentSyncCommitteeIndexed, nextSyncCommitteeIndexed } = state.epochCtx;
  const isCurrent = period(epoch) === period(state.epochCtx.epoch);
  const positions = new Map<number, number[]>();
  (isCurrent ? currentSyncCommitteeIndexed : nextSyncCommitteeIndexed).validatorIndices.forEach(
    (validator, position) => {
      if (isWanted(validator)) positions.set(validator, [...(positions.get(validator) ?? []), position]);
    },
  );
  return [...positions].map(([validatorIndex, places]) => ({
    pubkey: pubkeyOf(state, validatorIndex),
    validatorIndex,
    positions: places,
  }));
}

function slotsOf(epoch: number): number[] {
  return Array.from({ length: SLOTS_PER_EPOCH }, (_, offset) => epoch * SLOTS_PER_EPOCH + offset);
}

function pubkeyOf(state: CachedBeaconStateElectra, validatorIndex: number): Hex {
  return hexlify(state.validators.getReadonly(validatorIndex).pubkey) as Hex;
}
