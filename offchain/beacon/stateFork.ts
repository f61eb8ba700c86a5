/** The fork of a serialized state, out of the state itself. Pure. */
import { ssz } from "@lodestar/types";
import type { ForkName } from "./proofs.ts";

/** Bytes from the start within which a state tells its fork. */
export const FORK_BYTES = 524_468;

/**
 * The fork of a state that comes without `Eth-Consensus-Version`: its first offset, behind fields that no fork changed, is the size of its fixed
 * part, and that differs in every fork. Undefined where the bytes are no state of a known fork.
 */
export function forkOf(start: Uint8Array): ForkName | undefined {
  if (start.length < FORK_BYTES) return undefined;
  const offset = new DataView(start.buffer, start.byteOffset, start.byteLength).getUint32(FORK_BYTES - 4, true);
  return (["electra", "fulu", "gloas"] as const).find((fork) => fixedSize(fork) === offset);
}

/** Bytes in front of the fields whose size varies, with their offsets. */
export function fixedSize(fork: ForkName): number {
  const fields: readonly { readonly fixedSize: number | null }[] = Object.values(ssz[fork].BeaconState.fields);
  return fields.reduce((size, field) => size + (field.fixedSize ?? 4), 0);
}
