/** Votes that validators sent one by one, and the aggregates of them that a block carries (EIP-7549). */
import { BitArray } from "@chainsafe/ssz";
import { Signature, aggregateSignatures } from "@chainsafe/blst";
import { MAX_ATTESTATIONS_ELECTRA, SLOTS_PER_EPOCH } from "@lodestar/params";
import type { CachedBeaconStateElectra } from "@lodestar/state-transition";
import { ssz } from "@lodestar/types";
import type { electra, phase0 } from "@lodestar/types";
import { hexlify } from "ethers";

export interface Vote {
  readonly committeeIndex: number;
  readonly validatorIndex: number;
  readonly data: phase0.AttestationData;
  readonly signature: Uint8Array;
}

/** All votes for the same data. */
interface Group {
  readonly data: phase0.AttestationData;
  readonly votes: Map<number, Vote>;
}

export class AttestationPool {
  readonly #slots = new Map<number, Map<string, Group>>();
  /** Validators whose vote of a slot is already in a block. */
  readonly #included = new Map<number, Set<number>>();

  add(vote: Vote): void {
    const groups = entryOf(this.#slots, vote.data.slot, () => new Map<string, Group>());
    const key = hexlify(ssz.phase0.AttestationData.hashTreeRoot(vote.data));
    entryOf(groups, key, () => ({ data: vote.data, votes: new Map<number, Vote>() })).votes.set(
      vote.validatorIndex,
      vote,
    );
  }

  has(slot: number, validatorIndex: number): boolean {
    return [...(this.#slots.get(slot)?.values() ?? [])].some(({ votes }) => votes.has(validatorIndex));
  }

  /**
   * Aggregates for a block at `slot`, those that add most votes first.
   * @param state the parent's post-state, advanced to `slot`
   */
  pack(state: CachedBeaconStateElectra, slot: number): electra.Attestation[] {
    const candidates: { group: Group; fresh: number }[] = [];
    for (const [voteSlot, groups] of this.#slots) {
      if (voteSlot >= slot || epochOf(voteSlot) + 1 < epochOf(slot)) continue;
      const isCurrent = epochOf(voteSlot) === epochOf(slot);
      const source = isCurrent ? state.currentJustifiedCheckpoint : state.previousJustifiedCheckpoint;
      const included = this.#included.get(voteSlot);
      for (const group of groups.values()) {
        if (!ssz.phase0.Checkpoint.equals(source.toValue(), group.data.source)) continue;
        const fresh = [...group.votes.keys()].filter((index) => included?.has(index) !== true).length;
        if (fresh > 0) candidates.push({ group, fresh });
      }
    }
    return candidates
      .sort((a, b) => b.fresh - a.fresh || b.group.data.slot - a.group.data.slot)
      .slice(0, MAX_ATTESTATIONS_ELECTRA)
      .map(({ group }) => aggregate(state, group));
  }

  /** Notes what a block of the chain carries, and forgets votes that no later block can carry. */
  onBlock(state: CachedBeaconStateElectra, block: electra.BeaconBlock): void {
    for (const attestation of block.body.attestations) {
      const included = entryOf(this.#included, attestation.data.slot, () => new Set<number>());
      for (const index of attestingIndices(state, attestation)) included.add(index);
    }
    const oldest = (epochOf(block.slot) - 1) * SLOTS_PER_EPOCH;
    for (const slots of [this.#slots, this.#included])
      for (const slot of slots.keys()) if (slot < oldest) slots.delete(slot);
  }
}

function attestingIndices(state: CachedBeaconStateElectra, attestation: electra.Attestation): number[] {
  const { committeeBits, aggregationBits, data } = attestation;
  const members = committeeBits
    .getTrueBitIndexes()
    .flatMap((committee) => [...state.epochCtx.getBeaconCommittee(data.slot, committee)]);
  return members.filter((_, position) => aggregationBits.get(position));
}

function aggregate(state: CachedBeaconStateElectra, { data, votes }: Group): electra.Attestation {
  const committees = [...new Set([...votes.values()].map((vote) => vote.committeeIndex))].sort((a, b) => a - b);
  const committeeBits = ssz.electra.CommitteeBits.defaultValue();
  const bits: boolean[] = [];
  const signatures: Signature[] = [];
  for (const committee of committees) {
    committeeBits.set(committee, true);
    for (const member of state.epochCtx.getBeaconCommittee(data.slot, committee)) {
      const vote = votes.get(member);
      bits.push(vote !== undefined);
      if (vote !== undefined) signatures.push(Signature.fromBytes(vote.signature));
    }
  }
  return {
    data,
    committeeBits,
    aggregationBits: BitArray.fromBoolArray(bits),
    signature: aggregateSignatures(signatures).toBytes(),
  };
}

function epochOf(slot: number): number {
  return Math.floor(slot / SLOTS_PER_EPOCH);
}

function entryOf<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = create()));
  return value;
}
