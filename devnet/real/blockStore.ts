/**
 * Blocks and states in the devnet's folder. Blocks are appended to one file, `slot (u32) | root (32) | length (u32) | SSZ`; a frame that
 * a crash cut short is dropped when the file is opened. States are one file for each slot.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { hexlify } from "ethers";
import type { Hex } from "../../offchain/util/hex.ts";

const HEADER_BYTES = 40;

export interface StoredBlock {
  readonly slot: number;
  readonly root: Hex;
}

interface Place extends StoredBlock {
  readonly offset: number;
  readonly length: number;
}

export class BlockStore {
  readonly #folder: string;
  readonly #file: number;
  readonly #places = new Map<Hex, Place>();
  #end = 0;

  constructor(folder: string) {
    mkdirSync(join(folder, "states"), { recursive: true });
    this.#folder = folder;
    this.#file = openSync(join(folder, "blocks"), "a+");
    this.#scan();
  }

  /** Oldest first. */
  blocks(): StoredBlock[] {
    return [...this.#places.values()];
  }

  append(slot: number, root: Uint8Array, bytes: Uint8Array): void {
    const frame = Buffer.alloc(HEADER_BYTES + bytes.length);
    frame.writeUInt32LE(slot, 0);
    frame.set(root, 4);
    frame.writeUInt32LE(bytes.length, 36);
    frame.set(bytes, HEADER_BYTES);
    writeSync(this.#file, frame);
    this.#note({ slot, root: hexlify(root) as Hex, offset: this.#end + HEADER_BYTES, length: bytes.length });
  }

  /** SSZ of a signed block. */
  readBlock(root: Hex): Uint8Array | undefined {
    const place = this.#places.get(root);
    if (place === undefined) return undefined;
    const bytes = new Uint8Array(place.length);
    readSync(this.#file, bytes, 0, place.length, place.offset);
    return bytes;
  }

  /** @param slot of the block whose post-state it is */
  writeState(slot: number, bytes: Uint8Array): void {
    const path = this.#statePath(slot);
    writeFileSync(`${path}.part`, bytes);
    renameSync(`${path}.part`, path);
  }

  /** Slots whose states are kept, ascending. */
  stateSlots(): number[] {
    return readdirSync(join(this.#folder, "states"))
      .filter((name) => name.endsWith(".ssz"))
      .map((name) => Number.parseInt(name, 10))
      .sort((a, b) => a - b);
  }

  readState(slot: number): Uint8Array | undefined {
    const path = this.#statePath(slot);
    return existsSync(path) ? readFileSync(path) : undefined;
  }

  close(): void {
    closeSync(this.#file);
  }

  #statePath(slot: number): string {
    return join(this.#folder, "states", `${slot}.ssz`);
  }

  #scan(): void {
    const size = fstatSync(this.#file).size;
    const header = Buffer.alloc(HEADER_BYTES);
    while (this.#end + HEADER_BYTES <= size) {
      readSync(this.#file, header, 0, HEADER_BYTES, this.#end);
      const length = header.readUInt32LE(36);
      const offset = this.#end + HEADER_BYTES;
      if (offset + length > size) break;
      this.#note({ slot: header.readUInt32LE(0), root: hexlify(header.subarray(4, 36)) as Hex, offset, length });
    }
    if (this.#end < size) ftruncateSync(this.#file, this.#end);
  }

  #note(place: Place): void {
    this.#places.set(place.root, place);
    this.#end = place.offset + place.length;
  }
}
