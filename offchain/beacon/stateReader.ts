/**
 * Reads a serialized beacon state without deserializing it: a mainnet state has over two million validators. Fields are found by their offsets;
 * validators are records of 121 bytes, pending deposits of 192. Pure.
 */
import { ssz } from "@lodestar/types";
import { hexlify } from "ethers";
import { AppError, EXIT } from "../util/errors.ts";
import type { Hex } from "../util/hex.ts";
import type { Pause } from "./merkle.ts";
import type { ForkName } from "./proofs.ts";
import { fixedSize } from "./stateFork.ts";
import type { ValidatorInfo } from "./types.ts";

const VALIDATOR = { size: 121, credentials: 48, effectiveBalance: 80, slashed: 88, epochs: 89 } as const;
const PENDING_DEPOSIT = { size: 192, amount: 80 } as const;
const WITHDRAWAL = { size: 44, validator: 8, amount: 36 } as const;
const PUBKEY_SIZE = 48;
const NOT_SET = 0xffff_ffff;
/** Bytes that are read between two pauses. */
const STEP = 2 ** 20;

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
  /** Withdrawals of the keys asked for that the next payload has to pay. None before Gloas. */
  readonly expectedWithdrawalsGwei: readonly (readonly [Hex, bigint])[];
  readonly totalActiveBalanceGwei: bigint;
  readonly slashingsGwei: bigint;
}

/** Where each field of the state is. */
export type FieldRanges = (field: string) => { readonly start: number; readonly end: number };

/** @throws AppError (unavailable) where the bytes are no state of that fork */
export function fieldRanges(bytes: Uint8Array, fork: ForkName): FieldRanges {
  const ranges = rangesOf(bytes, fork, bytes.length);
  if (ranges === undefined)
    throw new AppError(EXIT.unavailable, `${bytes.byteLength} bytes are not a beacon state of ${fork}`);
  return ranges;
}

/** @param bytes of which the fixed part is enough */
function rangesOf(bytes: Uint8Array, fork: ForkName, total: number): FieldRanges | undefined {
  const type = ssz[fork].BeaconState;
  let ranges: ReturnType<typeof type.getFieldRanges>;
  try {
    ranges = type.getFieldRanges(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, total);
  } catch {
    return undefined;
  }
  const positions = new Map(Object.keys(type.fields).map((name, position) => [name, position]));
  return (field) => {
    const range = ranges[positions.get(field) ?? -1];
    if (range === undefined) throw new Error(`${fork} has no field ${field}`);
    return range;
  };
}

/** A state that is there as a whole. @param pubkeys lower case */
export async function readStateBytes(
  bytes: Uint8Array,
  fork: ForkName,
  pubkeys: readonly Hex[],
  pause: Pause,
): Promise<StateContents> {
  const stream = new StateStream(fork, bytes.length, pubkeys);
  for (let from = 0; from < bytes.length; from += STEP) {
    stream.write(bytes.subarray(from, from + STEP));
    await pause();
  }
  return stream.end();
}

/**
 * Reads a state as it comes in, and keeps of it the fixed part (under 3 MB) and what was asked for.
 * @throws AppError (unavailable) where the bytes are no state of that fork
 */
export class StateStream {
  readonly #fork: ForkName;
  readonly #total: number;
  readonly #keys: KeySet;
  readonly #fixed: Uint8Array;
  #position = 0;
  #at: FieldRanges | undefined;
  #fields: RecordField[] = [];
  #validators: Writable<ValidatorInfo>[] = [];
  #nextBalance = 0;
  #epoch = 0;
  // whole ETH up to 2^51 gwei; effective balances are below 2^42, so that their sum fits a double exactly
  #total64 = 0n;
  #part = 0;
  readonly #deposits = new Map<Hex, bigint>();
  readonly #withdrawals: (readonly [index: number, gwei: bigint])[] = [];

  /** @param total length of the whole state in bytes @param pubkeys lower case */
  constructor(fork: ForkName, total: number, pubkeys: readonly Hex[]) {
    this.#fork = fork;
    this.#total = total;
    this.#keys = new KeySet(pubkeys);
    this.#fixed = new Uint8Array(fixedSize(fork));
  }

  write(chunk: Uint8Array): void {
    let rest = chunk;
    if (this.#position < this.#fixed.length) {
      const part = rest.subarray(0, this.#fixed.length - this.#position);
      this.#fixed.set(part, this.#position);
      this.#position += part.length;
      rest = rest.subarray(part.length);
      if (this.#position === this.#fixed.length) this.#openFields();
    }
    for (const field of this.#fields) field.write(rest, this.#position);
    this.#position += rest.length;
  }

  end(): StateContents {
    const at = this.#at;
    if (at === undefined || this.#position !== this.#total) throw this.#notAState();
    const view = new DataView(this.#fixed.buffer);
    const header = at("latestBlockHeader").start;
    return {
      fork: this.#fork,
      slot: Number(view.getBigUint64(at("slot").start, true)),
      genesisValidatorsRoot: hex(this.#fixed, at("genesisValidatorsRoot").start, 32),
      latestBlock: {
        slot: Number(view.getBigUint64(header, true)),
        parentRoot: hex(this.#fixed, header + 16, 32),
        bodyRoot: hex(this.#fixed, header + 80, 32),
      },
      finalizedEpoch: Number(view.getBigUint64(at("finalizedCheckpoint").start, true)),
      validatorCount: (at("validators").end - at("validators").start) / VALIDATOR.size,
      validators: this.#validators,
      pendingDepositsGwei: [...this.#deposits],
      expectedWithdrawalsGwei: this.#expectedWithdrawals(),
      totalActiveBalanceGwei: this.#total64 + BigInt(this.#part),
      slashingsGwei: sum64(view, at("slashings")),
    };
  }

  #openFields(): void {
    const at = rangesOf(this.#fixed, this.#fork, this.#total);
    if (at === undefined) throw this.#notAState();
    const count = (at("validators").end - at("validators").start) / VALIDATOR.size;
    if (!Number.isInteger(count) || (at("balances").end - at("balances").start) / 8 !== count)
      throw new AppError(EXIT.unavailable, "the state's validators and balances differ in number");
    this.#epoch = Math.floor(Number(new DataView(this.#fixed.buffer).getBigUint64(at("slot").start, true)) / 32);
    this.#at = at;
    this.#fields = [
      new RecordField(at("validators"), VALIDATOR.size, (bytes, view, offset, index) =>
        this.#validator(bytes, view, offset, index),
      ),
      new RecordField(at("balances"), 8, (_, view, offset, index) => this.#balance(view, offset, index)),
      new RecordField(at("pendingDeposits"), PENDING_DEPOSIT.size, (bytes, view, offset) =>
        this.#deposit(bytes, view, offset),
      ),
    ];
    if (this.#fork === "gloas")
      this.#fields.push(
        new RecordField(at("payloadExpectedWithdrawals"), WITHDRAWAL.size, (_, view, offset) =>
          this.#withdrawals.push([
            uint64(view, offset + WITHDRAWAL.validator),
            view.getBigUint64(offset + WITHDRAWAL.amount, true),
          ]),
        ),
      );
  }

  #validator(bytes: Uint8Array, view: DataView, offset: number, index: number): void {
    const epochs = offset + VALIDATOR.epochs;
    if (epochAt(view, epochs + 8) <= this.#epoch && this.#epoch < epochAt(view, epochs + 16)) {
      this.#part += uint64(view, offset + VALIDATOR.effectiveBalance);
      if (this.#part > 2 ** 51) [this.#total64, this.#part] = [this.#total64 + BigInt(this.#part), 0];
    }
    const pubkey = this.#keys.find(bytes, view, offset);
    if (pubkey === undefined) return;
    this.#validators.push({
      pubkey,
      index,
      withdrawalCredentials: hex(bytes, offset + VALIDATOR.credentials, 32),
      balanceGwei: 0n, // the balances come later
      effectiveBalanceGwei: view.getBigUint64(offset + VALIDATOR.effectiveBalance, true),
      slashed: bytes[offset + VALIDATOR.slashed] !== 0,
      activationEligibilityEpoch: view.getBigUint64(epochs, true),
      activationEpoch: view.getBigUint64(epochs + 8, true),
      exitEpoch: view.getBigUint64(epochs + 16, true),
      withdrawableEpoch: view.getBigUint64(epochs + 24, true),
    });
  }

  #balance(view: DataView, offset: number, index: number): void {
    const validator = this.#validators[this.#nextBalance];
    if (validator?.index !== index) return;
    validator.balanceGwei = view.getBigUint64(offset, true);
    this.#nextBalance += 1;
  }

  #deposit(bytes: Uint8Array, view: DataView, offset: number): void {
    const pubkey = this.#keys.find(bytes, view, offset);
    if (pubkey === undefined) return;
    const amount = view.getBigUint64(offset + PENDING_DEPOSIT.amount, true);
    this.#deposits.set(pubkey, (this.#deposits.get(pubkey) ?? 0n) + amount);
  }

  #expectedWithdrawals(): [Hex, bigint][] {
    const byIndex = new Map(this.#validators.map(({ index, pubkey }) => [index, pubkey]));
    const sums = new Map<Hex, bigint>();
    for (const [index, gwei] of this.#withdrawals) {
      const pubkey = byIndex.get(index);
      if (pubkey !== undefined) sums.set(pubkey, (sums.get(pubkey) ?? 0n) + gwei);
    }
    return [...sums];
  }

  #notAState(): AppError {
    return new AppError(EXIT.unavailable, `${this.#total} bytes are not a beacon state of ${this.#fork}`);
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Visit = (bytes: Uint8Array, view: DataView, offset: number, index: number) => void;

/** A list of records of one size within a stream: one that is cut between two chunks is put together. */
class RecordField {
  readonly #start: number;
  readonly #end: number;
  readonly #size: number;
  readonly #visit: Visit;
  readonly #cut: Uint8Array;
  #filled = 0;
  #index = 0;

  constructor({ start, end }: { readonly start: number; readonly end: number }, size: number, visit: Visit) {
    this.#start = start;
    this.#end = end;
    this.#size = size;
    this.#visit = visit;
    this.#cut = new Uint8Array(size);
  }

  /** @param position of the chunk in the stream */
  write(chunk: Uint8Array, position: number): void {
    const from = Math.max(0, this.#start - position);
    const to = Math.min(chunk.length, this.#end - position);
    if (from >= to) return;
    let offset = from;
    if (this.#filled > 0) {
      const part = chunk.subarray(offset, Math.min(to, offset + this.#size - this.#filled));
      this.#cut.set(part, this.#filled);
      this.#filled += part.length;
      offset += part.length;
      if (this.#filled < this.#size) return;
      this.#filled = 0;
      this.#visit(this.#cut, new DataView(this.#cut.buffer), 0, this.#index++);
    }
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (; offset + this.#size <= to; offset += this.#size) this.#visit(chunk, view, offset, this.#index++);
    this.#cut.set(chunk.subarray(offset, to));
    this.#filled = to - offset;
  }
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
