/** Sync committee messages, and the aggregate of them that the next block carries. */
import { BitArray } from "@chainsafe/ssz";
import { SecretKey, Signature, aggregateSignatures } from "@chainsafe/blst";
import { SYNC_COMMITTEE_SIZE } from "@lodestar/params";
import { G2_POINT_AT_INFINITY } from "@lodestar/state-transition";
import type { altair } from "@lodestar/types";

/** The order of the group that secret keys are numbers of (BLS12-381). */
const GROUP_ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;

export class SyncPool {
  /** Slot => signatures over the head's root, by validator index. */
  readonly #messages = new Map<number, Map<number, Signature>>();
  /** Slot => one signature for all places in the committee that these validators have. */
  readonly #joint = new Map<number, { readonly validators: ReadonlySet<number>; readonly signature: Signature }>();

  add(slot: number, validatorIndex: number, signature: Uint8Array): void {
    let messages = this.#messages.get(slot);
    if (messages === undefined) this.#messages.set(slot, (messages = new Map<number, Signature>()));
    messages.set(validatorIndex, Signature.fromBytes(signature));
  }

  /** @param signature of the validators' joint key (`jointKey`) */
  addJoint(slot: number, validators: ReadonlySet<number>, signature: Signature): void {
    this.#joint.set(slot, { validators, signature });
  }

  has(slot: number, validatorIndex: number): boolean {
    return this.#messages.get(slot)?.has(validatorIndex) === true;
  }

  /** @param committee validator indices in the order of the committee; one validator can have many places */
  aggregate(slot: number, committee: readonly number[]): altair.SyncAggregate {
    const joint = this.#joint.get(slot);
    const bits = BitArray.fromBitLen(SYNC_COMMITTEE_SIZE);
    const signatures = joint === undefined ? [] : [joint.signature];
    committee.forEach((validator, place) => {
      const isJoint = joint?.validators.has(validator) === true;
      const signature = this.#messages.get(slot)?.get(validator);
      if (!isJoint && signature === undefined) return;
      bits.set(place, true);
      if (!isJoint && signature !== undefined) signatures.push(signature);
    });
    return {
      syncCommitteeBits: bits,
      syncCommitteeSignature:
        signatures.length === 0 ? G2_POINT_AT_INFINITY : aggregateSignatures(signatures).toBytes(),
    };
  }

  forgetBefore(slot: number): void {
    for (const map of [this.#messages, this.#joint]) for (const old of map.keys()) if (old < slot) map.delete(old);
  }
}

/**
 * One key instead of many that sign the same message: BLS signatures add up as their secret keys do, each as often as its validator is in
 * the committee. Undefined where none of them is.
 */
export function jointKey(committee: readonly number[], secrets: ReadonlyMap<number, SecretKey>): SecretKey | undefined {
  let sum = 0n;
  for (const validator of committee) {
    const secret = secrets.get(validator);
    if (secret !== undefined) sum += BigInt(secret.toHex());
  }
  if (sum === 0n) return undefined;
  return SecretKey.fromHex(`0x${(sum % GROUP_ORDER).toString(16).padStart(64, "0")}`);
}
