/**
 * Reads a serialized beacon state without deserializing it: a mainnet state has over two million validators. Fields are found by their offsets;
 * validators are records of 121 bytes, pending deposits of 192. Pure.
 */
import { ssz } from "@lodestar/types";
import { hexlify } from "ethers";
import { AppError, EXIT } from "../util/errors.ts";
import type { Hex } from "../util/hex.ts";
import type { ForkName } from "./proofs.ts";
import type { ValidatorInfo } from "./types.ts";

const VALIDATOR = { size: 121, credentials: 48, effectiveBalance: 80, slashed: 88, epochs: 89 } as const;
const PENDING_DEPOSIT = { size: 192, amount: 80 } as const;
const PUBKEY_SIZE = 48;
const NOT_SET = 0xffff_ffff;

/** What a state says about the keys asked for, and sums over all validators. */
export interface StateContents {
  readonly fork: ForkName;
  readonly slot: number;
  readonly genesisValidatorsRoot: Hex;
  /** Of the latest block header: its slot and the root of its body. */
  readonly latestBlock: { readonly slot: number; readonly parentRoot: Hex; readonly bodyRoot: Hex };
  readonly finalizedEpoch: number;
  readonly validatorCount: number;
  readonly validators: readonly ValidatorInfo[];
  readonly pendingDepositsGwei: readonly (readonly [Hex, bigint])[];
  readonly totalActiveBalanceGwei: bigint;
  readonly slashingsGwei: bigint;
}

/** Where each field of the state is. */
export type FieldRanges = (field: string) => { readonly start: number; readonly end: number };

/** @throws AppError (unavailable) where the bytes are no state of that fork */
export function fieldRanges(bytes: Uint8Array, fork: ForkName): FieldRanges {
  const type = ssz[fork].BeaconState;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let ranges: ReturnType<typeof type.getFieldRanges>;
  try {
    ranges = type.getFieldRanges(view, 0, bytes.byteLength);
  } catch {
    throw new AppError(EXIT.unavailable, `${bytes.byteLength} bytes are not a beacon state of ${fork}`);
  }
  const positions = new Map(Object.keys(type.fields).map((name, position) => [name, position]));
  return (field) => {
    const range = ranges[positions.get(field) ?? -1];
    if (range === undefined) throw new Error(`${fork} has no field ${field}`);
    return range;
  };
}

/** @param pubkeys lower case */
export function readStateBytes(bytes: Uint8Array, fork: ForkName, pubkeys: readonly Hex[]): StateContents {
  const at = fieldRanges(bytes, fork);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const slot = Number(view.getBigUint64(at("slot").start, true));
  const header = at("latestBlockHeader").start;
  const { validators, total, count } = walkValidators(bytes, view, at, new KeySet(pubkeys), Math.floor(slot / 32));
  return {
    fork,
    slot,
    genesisValidatorsRoot: hex(bytes, at("genesisValidatorsRoot").start, 32),
    latestBlock: {
      slot: Number(view.getBigUint64(header, true)),
      parentRoot: hex(bytes, header + 16, 32),
      bodyRoot: hex(bytes, header + 80, 32),
    },
    finalizedEpoch: Number(view.getBigUint64(at("finalizedCheckpoint").start, true)),
    validatorCount: count,
    validators,
    pendingDepositsGwei: walkDeposits(bytes, view, at, new KeySet(pubkeys)),
    totalActiveBalanceGwei: total,
    slashingsGwei: sum64(view, at("slashings")),
  };
}

function walkValidators(bytes: Uint8Array, view: DataView, at: FieldRanges, keys: KeySet, epoch: number) {
  const { start, end } = at("validators");
  const balances = at("balances");
  const count = (end - start) / VALIDATOR.size;
  if (!Number.isInteger(count) || (balances.end - balances.start) / 8 !== count)
    throw new AppError(EXIT.unavailable, "the state's validators and balances differ in number");
  const validators: ValidatorInfo[] = [];
  // whole ETH up to 2^53 gwei; effective balances are below 2^42, so that a million of them fit a double exactly
  let total = 0n;
  let part = 0;
  for (let index = 0, offset = start; index < count; index++, offset += VALIDATOR.size) {
    const activation = epochAt(view, offset + VALIDATOR.epochs + 8);
    const exit = epochAt(view, offset + VALIDATOR.epochs + 16);
    if (activation <= epoch && epoch < exit) {
      part += uint64(view, offset + VALIDATOR.effectiveBalance);
      if (part > 2 ** 51) [total, part] = [total + BigInt(part), 0];
    }
    const pubkey = keys.find(bytes, view, offset);
    if (pubkey === undefined) continue;
    validators.push({
      pubkey,
      index,
      withdrawalCredentials: hex(bytes, offset + VALIDATOR.credentials, 32),
      balanceGwei: view.getBigUint64(balances.start + 8 * index, true),
      effectiveBalanceGwei: view.getBigUint64(offset + VALIDATOR.effectiveBalance, true),
      slashed: bytes[offset + VALIDATOR.slashed] !== 0,
      activationEligibilityEpoch: view.getBigUint64(offset + VALIDATOR.epochs, true),
      activationEpoch: view.getBigUint64(offset + VALIDATOR.epochs + 8, true),
      exitEpoch: view.getBigUint64(offset + VALIDATOR.epochs + 16, true),
      withdrawableEpoch: view.getBigUint64(offset + VALIDATOR.epochs + 24, true),
    });
  }
  return { validators, total: total + BigInt(part), count };
}

function walkDeposits(bytes: Uint8Array, view: DataView, at: FieldRanges, keys: KeySet): (readonly [Hex, bigint])[] {
  const { start, end } = at("pendingDeposits");
  const sums = new Map<Hex, bigint>();
  for (let offset = start; offset < end; offset += PENDING_DEPOSIT.size) {
    const pubkey = keys.find(bytes, view, offset);
    if (pubkey === undefined) continue;
    sums.set(pubkey, (sums.get(pubkey) ?? 0n) + view.getBigUint64(offset + PENDING_DEPOSIT.amount, true));
  }
  return [...sums];
}

/** Finds keys among millions: by six of their bytes first. */
class KeySet {
  readonly #byPrefix = new Map<number, Hex[]>();

  constructor(pubkeys: readonly Hex[]) {
    for (const pubkey of pubkeys) {
      const bytes = Uint8Array.from(Buffer.from(pubkey.slice(2), "hex"));
      if (bytes.length !== PUBKEY_SIZE) throw new RangeError(`${pubkey} is not a public key of 48 bytes`);
      const prefix = prefixAt(new DataView(bytes.buffer), 0);
      this.#byPrefix.set(prefix, [...(this.#byPrefix.get(prefix) ?? []), pubkey]);
    }
  }

  find(bytes: Uint8Array, view: DataView, offset: number): Hex | undefined {
    const candidates = this.#byPrefix.get(prefixAt(view, offset));
    return candidates?.includes(hex(bytes, offset, PUBKEY_SIZE)) === true ? hex(bytes, offset, PUBKEY_SIZE) : undefined;
  }
}

function prefixAt(view: DataView, offset: number): number {
  return view.getUint32(offset, true) * 0x1_0000 + view.getUint16(offset + 4, true);
}

/** As a number, Infinity where it is not set. */
function epochAt(view: DataView, offset: number): number {
  return view.getUint32(offset + 4, true) === NOT_SET ? Infinity : uint64(view, offset);
}

/** Exact below 2^53. */
function uint64(view: DataView, offset: number): number {
  return view.getUint32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true);
}

function sum64(view: DataView, { start, end }: { readonly start: number; readonly end: number }): bigint {
  let total = 0n;
  for (let offset = start; offset < end; offset += 8) total += view.getBigUint64(offset, true);
  return total;
}

function hex(bytes: Uint8Array, offset: number, length: number): Hex {
  return hexlify(bytes.subarray(offset, offset + length)) as Hex;
}
