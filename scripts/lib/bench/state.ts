/** A serialized Electra state of any number of validators: everything else as in a default state. */
import { randomFillSync } from "node:crypto";
import { ssz } from "@lodestar/types";
import { hexlify } from "ethers";
import type { Hex } from "../../../offchain/util/hex.ts";

const RECORD = 121;
const FULL_GWEI = 32_000_000_000n;
const FAR_FUTURE = 2n ** 64n - 1n;
const PENDING_DEPOSITS = 20_000;

/** @returns the state and the keys of every `count / ours`-th validator */
export function makeState(count: number, ours: number): { readonly bytes: Uint8Array; readonly pubkeys: Hex[] } {
  const type = ssz.electra.BeaconState;
  const blank = type.serialize(type.defaultValue());
  const ranges = type.getFieldRanges(new DataView(blank.buffer, blank.byteOffset, blank.byteLength), 0, blank.length);
  const validators = makeValidators(count);
  const balances = new Uint8Array(new BigUint64Array(count).fill(FULL_GWEI + 12_345n).buffer);
  const content: Record<string, Uint8Array> = {
    validators,
    balances,
    previousEpochParticipation: new Uint8Array(count).fill(7),
    currentEpochParticipation: new Uint8Array(count).fill(7),
    inactivityScores: new Uint8Array(8 * count),
    pendingDeposits: randomFillSync(new Uint8Array(192 * PENDING_DEPOSITS)),
  };
  const parts = Object.entries(type.fields).map(([name, field], position) => {
    const range = ranges[position];
    const isFixed = field.fixedSize !== null;
    return { isFixed, bytes: content[name] ?? blank.subarray(range?.start, range?.end) };
  });
  const fixedSize = parts.reduce((size, { isFixed, bytes }) => size + (isFixed ? bytes.length : 4), 0);
  const bytes = new Uint8Array(parts.reduce((size, part) => size + (part.isFixed ? 0 : part.bytes.length), fixedSize));
  const view = new DataView(bytes.buffer);
  let head = 0;
  let tail = fixedSize;
  for (const part of parts) {
    if (part.isFixed) {
      bytes.set(part.bytes, head);
      head += part.bytes.length;
    } else {
      view.setUint32(head, tail, true);
      head += 4;
      bytes.set(part.bytes, tail);
      tail += part.bytes.length;
    }
  }
  const step = Math.floor(count / ours);
  const pubkeys = Array.from({ length: ours }, (_, i) => {
    const offset = RECORD * i * step;
    return hexlify(validators.subarray(offset, offset + 48)) as Hex;
  });
  return { bytes, pubkeys };
}

function makeValidators(count: number): Uint8Array {
  const validators = new Uint8Array(RECORD * count);
  for (let from = 0; from < validators.length; from += 2 ** 30)
    randomFillSync(validators, from, Math.min(2 ** 30, validators.length - from));
  const view = new DataView(validators.buffer);
  for (let offset = 0; offset < validators.length; offset += RECORD) {
    view.setBigUint64(offset + 80, FULL_GWEI, true);
    validators[offset + 88] = 0;
    view.setBigUint64(offset + 89, 0n, true);
    view.setBigUint64(offset + 97, 0n, true);
    view.setBigUint64(offset + 105, FAR_FUTURE, true);
    view.setBigUint64(offset + 113, FAR_FUTURE, true);
  }
  return validators;
}
