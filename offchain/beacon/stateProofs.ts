/**
 * Proofs out of a serialized state. Only what is needed is hashed in full: validators and balances level by level, every other field to its root.
 * The computed state root is compared with the header's, so that a proof that comes out is right whatever the node sent.
 */
import { hashInto } from "@chainsafe/hashtree";
import { Tree, LeafNode, subtreeFillToContents, zeroNode } from "@chainsafe/persistent-merkle-tree";
import { ssz } from "@lodestar/types";
import { hexlify } from "ethers";
import { AppError, EXIT } from "../util/errors.ts";
import type { Hex } from "../util/hex.ts";
import type { ContractBalanceProof, ContractValidatorProof } from "./contractProofs.ts";
import { contractBalanceProof, contractValidatorProof } from "./contractProofs.ts";
import {
  HEADER_DEPTH,
  LAYOUTS,
  LIST_DEPTH,
  proveBalance,
  proveBlockRoot,
  proveValidator,
  pubkeyRoot,
} from "./proofs.ts";
import type { ForkName, Header } from "./proofs.ts";
import { fieldRanges } from "./stateReader.ts";
import type { FieldRanges } from "./stateReader.ts";

const STATE_DEPTH = 6;
const RECORD = 121;
const FAR_FUTURE = 2n ** 64n - 1n;

export interface BytesProofs {
  readonly validators: readonly ContractValidatorProof[];
  readonly balances: readonly ContractBalanceProof[];
}

/**
 * Proofs of the validators at `indices` and of their balances.
 * @param timestamp the EIP-4788 timestamp of the header's root
 * @throws AppError (unavailable) if the bytes are not the state of `header`
 */
export function proveInBytes(
  bytes: Uint8Array,
  fork: ForkName,
  header: Header,
  timestamp: bigint,
  indices: readonly number[],
): BytesProofs {
  if (LAYOUTS[fork].progressive) return proveInTree(bytes, fork, header, timestamp, indices);
  const at = fieldRanges(bytes, fork);
  const validators = new ListLevels(validatorRoots(bytes, at("validators")), LIST_DEPTH.validators);
  const balances = new ListLevels(chunks(bytes, at("balances")), LIST_DEPTH.balances);
  const counts = {
    validators: (at("validators").end - at("validators").start) / RECORD,
    balances: size(at("balances")) / 8,
  };
  const roots = fieldRoots(bytes, fork, at, {
    validators: validators.mixed(counts.validators),
    balances: balances.mixed(counts.balances),
  });
  const fields = Object.keys(ssz[fork].BeaconState.fields);
  const tree = new Tree(
    subtreeFillToContents(
      roots.map((root) => LeafNode.fromRoot(root)),
      STATE_DEPTH,
    ),
  );
  if (hexlify(tree.root) !== header.stateRoot)
    throw new AppError(EXIT.unavailable, `the node sent another state than that of slot ${header.slot}`);
  /** From a list's data up: its length, then the fields. */
  const above = (field: "validators" | "balances"): Hex[] => {
    const gindex = BigInt(64 + fields.indexOf(field));
    return [lengthLeaf(counts[field]), ...tree.getSingleProof(gindex)].map((node) => hexlify(node) as Hex);
  };
  const [aboveValidators, aboveBalances] = [above("validators"), above("balances")];
  return {
    validators: indices.map((index) => ({
      rootTimestamp: timestamp,
      header,
      hops: [],
      index: BigInt(index),
      validator: validatorAt(bytes, at, index),
      branch: [...validators.branch(index), ...aboveValidators],
    })),
    balances: indices.map((index) => {
      const chunk = Math.floor(index / 4);
      return { chunk: balances.leaf(chunk), branch: [...balances.branch(chunk), ...aboveBalances] };
    }),
  };
}

/**
 * The siblings from the root of the block at `slot` in `block_roots` up to the state root: a hop to a block that EIP-4788 has forgotten.
 * @param slot of a block, at most 8192 slots before the header's
 */
export function hopInBytes(bytes: Uint8Array, fork: ForkName, header: Header, slot: number): Hex[] {
  const view = ssz[fork].BeaconState.deserializeToViewDU(bytes);
  if (hexlify(view.hashTreeRoot()) !== header.stateRoot)
    throw new AppError(EXIT.unavailable, `the node sent another state than that of slot ${header.slot}`);
  return proveBlockRoot({ fork, header, state: view.node }, slot).nodes.slice(0, -HEADER_DEPTH);
}

/** Any layout, through the whole tree: slow and large, for forks whose lists are progressive. */
function proveInTree(
  bytes: Uint8Array,
  fork: ForkName,
  header: Header,
  timestamp: bigint,
  indices: readonly number[],
): BytesProofs {
  const view = ssz[fork].BeaconState.deserializeToViewDU(bytes);
  if (hexlify(view.hashTreeRoot()) !== header.stateRoot)
    throw new AppError(EXIT.unavailable, `the node sent another state than that of slot ${header.slot}`);
  const source = { fork, header, state: view.node };
  return {
    validators: indices.map((index) => contractValidatorProof({ ...proveValidator(source, index), timestamp, header })),
    balances: indices.map((index) => contractBalanceProof(proveBalance(source, index))),
  };
}

function fieldRoots(
  bytes: Uint8Array,
  fork: ForkName,
  at: FieldRanges,
  known: Readonly<Record<string, Uint8Array>>,
): Uint8Array[] {
  // every fork's fields have these two methods
  interface AnyType {
    deserialize(bytes: Uint8Array): unknown;
    hashTreeRoot(value: unknown): Uint8Array;
  }
  return Object.entries(ssz[fork].BeaconState.fields).map(([name, type]) => {
    const root = known[name];
    if (root !== undefined) return root;
    const { start, end } = at(name);
    const any = type as unknown as AnyType;
    return any.hashTreeRoot(any.deserialize(bytes.slice(start, end)));
  });
}

/** The levels of a list's data that have anything in them, from the chunks up. */
class ListLevels {
  readonly #levels: Uint8Array[];
  readonly #depth: number;

  constructor(leaves: Uint8Array, depth: number) {
    this.#depth = depth;
    this.#levels = [leaves];
    for (let level = leaves; level.length > 32;) {
      level = hashPairs(level, this.#levels.length - 1);
      this.#levels.push(level);
    }
  }

  leaf(index: number): Hex {
    return hexlify(nodeAt(this.#levels[0] ?? new Uint8Array(), index, 0)) as Hex;
  }

  /** Siblings up to the top of what is not empty. */
  branch(index: number): Hex[] {
    return this.#levels
      .slice(0, -1)
      .map((level, height) => hexlify(nodeAt(level, Math.floor(index / 2 ** height) ^ 1, height)) as Hex);
  }

  /** The list's root: its data up to the full depth, mixed with its length. */
  mixed(length: number): Uint8Array {
    let root = this.#levels.at(-1) ?? new Uint8Array(32);
    if (root.length === 0) root = new Uint8Array(32);
    for (let height = this.#levels.length - 1; height < this.#depth; height++)
      root = hashTwo(root, zeroNode(height).root);
    return hashTwo(root, lengthLeaf(length));
  }
}

/** One level up; a last node without a sibling gets an empty subtree. */
function hashPairs(level: Uint8Array, height: number): Uint8Array {
  const odd = (level.length / 32) % 2 === 1;
  const input = odd ? new Uint8Array(level.length + 32) : level;
  if (odd) {
    input.set(level);
    input.set(zeroNode(height).root, level.length);
  }
  const output = new Uint8Array(input.length / 2);
  hashInto(input, output);
  return output;
}

function hashTwo(left: Uint8Array, right: Uint8Array): Uint8Array {
  const [input, output] = [new Uint8Array(64), new Uint8Array(32)];
  input.set(left);
  input.set(right, 32);
  hashInto(input, output);
  return output;
}

function nodeAt(level: Uint8Array, index: number, height: number): Uint8Array {
  const node = level.subarray(32 * index, 32 * index + 32);
  return node.length === 32 ? node : zeroNode(height).root;
}

/** Roots of all validator records: eight leaves each, the first the root of the key's two. */
function validatorRoots(
  bytes: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
): Uint8Array {
  const count = (end - start) / RECORD;
  const roots = new Uint8Array(32 * count);
  const step = 4_096;
  const keys = new Uint8Array(64 * step);
  const leaves = new Uint8Array(256 * step);
  const keyRoots = new Uint8Array(32 * step);
  const [fours, twos] = [new Uint8Array(128 * step), new Uint8Array(64 * step)];
  for (let first = 0; first < count; first += step) {
    const many = Math.min(step, count - first);
    for (let i = 0; i < many; i++) {
      const offset = start + RECORD * (first + i);
      keys.set(bytes.subarray(offset, offset + 48), 64 * i);
    }
    hashInto(keys.subarray(0, 64 * many), keyRoots.subarray(0, 32 * many));
    for (let i = 0; i < many; i++) {
      const offset = start + RECORD * (first + i);
      const leaf = 256 * i;
      leaves.set(keyRoots.subarray(32 * i, 32 * i + 32), leaf);
      leaves.set(bytes.subarray(offset + 48, offset + 80), leaf + 32);
      leaves.set(bytes.subarray(offset + 80, offset + 88), leaf + 64);
      leaves[leaf + 96] = bytes[offset + 88] ?? 0;
      for (let epoch = 0; epoch < 4; epoch++)
        leaves.set(bytes.subarray(offset + 89 + 8 * epoch, offset + 97 + 8 * epoch), leaf + 128 + 32 * epoch);
    }
    hashInto(leaves.subarray(0, 256 * many), fours.subarray(0, 128 * many));
    hashInto(fours.subarray(0, 128 * many), twos.subarray(0, 64 * many));
    hashInto(twos.subarray(0, 64 * many), roots.subarray(32 * first, 32 * (first + many)));
  }
  return roots;
}

/** Packed bytes as whole chunks. */
function chunks(bytes: Uint8Array, { start, end }: { readonly start: number; readonly end: number }): Uint8Array {
  const padded = new Uint8Array(32 * Math.ceil((end - start) / 32));
  padded.set(bytes.subarray(start, end));
  return padded;
}

function validatorAt(bytes: Uint8Array, at: FieldRanges, index: number): ContractValidatorProof["validator"] {
  const offset = at("validators").start + RECORD * index;
  if (offset + RECORD > at("validators").end) throw new RangeError(`no validator with index ${index} in the state`);
  const value = ssz.phase0.Validator.deserialize(bytes.slice(offset, offset + RECORD));
  const epoch = (number: number): bigint => (number === Infinity ? FAR_FUTURE : BigInt(number));
  return {
    pubkeyRoot: pubkeyRoot(hexlify(value.pubkey) as Hex),
    withdrawalCredentials: hexlify(value.withdrawalCredentials) as Hex,
    effectiveBalanceGwei: BigInt(value.effectiveBalance),
    slashed: value.slashed,
    activationEligibilityEpoch: epoch(value.activationEligibilityEpoch),
    activationEpoch: epoch(value.activationEpoch),
    exitEpoch: epoch(value.exitEpoch),
    withdrawableEpoch: epoch(value.withdrawableEpoch),
  };
}

function lengthLeaf(length: number): Uint8Array {
  const leaf = new Uint8Array(32);
  new DataView(leaf.buffer).setBigUint64(0, BigInt(length), true);
  return leaf;
}

function size({ start, end }: { readonly start: number; readonly end: number }): number {
  return end - start;
}
