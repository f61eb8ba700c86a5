/**
 * Proofs out of a serialized state, field by field: lists a piece at a time, every other field to its root. The computed state root is
 * compared with the header's, so that a proof that comes out is right whatever the node sent.
 */
import { hashInto } from "@chainsafe/hashtree";
import { SLOTS_PER_HISTORICAL_ROOT } from "@lodestar/params";
import {
  ByteVectorType,
  ListBasicType,
  ListCompositeType,
  ProgressiveContainerType,
  ProgressiveListBasicType,
  ProgressiveListCompositeType,
  VectorCompositeType,
} from "@chainsafe/ssz";
import { ssz } from "@lodestar/types";
import { getBytes, hexlify } from "ethers";
import { AppError, EXIT } from "../util/errors.ts";
import type { Hex } from "../util/hex.ts";
import type { ContractBalanceProof, ContractValidatorProof } from "./contractProofs.ts";
import { fixedTree, hashTwo, progressiveTree } from "./merkle.ts";
import type { MerkleTree, Pause } from "./merkle.ts";
import { pubkeyRoot } from "./proofs.ts";
import type { ForkName, Header } from "./proofs.ts";
import { fieldRanges } from "./stateReader.ts";

const STATE_DEPTH = 6;
const RECORD = 121;
const FAR_FUTURE = 2n ** 64n - 1n;
/** Fields whose trees are kept. */
const PROVEN = new Set(["validators", "balances", "blockRoots", "historicalSummaries"]);
/** Lists whose branches are given without the empty subtrees at their top. */
const CUT = new Set(["validators", "balances"]);
const SUMMARY = 64;
/** Validators, and elements of other lists, that are hashed between two pauses. */
const STEP = 4_096;
const SMALL_STEP = 512;

/** A state that is the one of `header`. */
export interface HashedState {
  /** @param timestamp the EIP-4788 timestamp of the header's root @throws RangeError if there is no such validator */
  validator(index: number, timestamp: bigint): ContractValidatorProof;
  /** Of the validator's balance. */
  balance(index: number): ContractBalanceProof;
  /**
   * The siblings from the root of the block at `slot` in `block_roots` up to the state root: a hop to a block that EIP-4788 has forgotten.
   * @throws RangeError unless the slot is at most 8192 slots before the header's
   */
  blockRoot(slot: number): Hex[];
  /** All of `block_roots`, 32 bytes each. */
  blockRoots(): Uint8Array;
  /**
   * What `historical_summaries` has of the 8192 slots around `slot`: the root of their block roots, and its siblings up to the state root.
   * @throws RangeError unless those slots were over in this state
   */
  summary(slot: number): { readonly root: Hex; readonly branch: readonly Hex[] };
}

/** @throws AppError (unavailable) if the bytes are not the state of `header` */
export async function hashState(bytes: Uint8Array, fork: ForkName, header: Header, pause: Pause): Promise<HashedState> {
  const at = fieldRanges(bytes, fork);
  const fields = Object.entries(ssz[fork].BeaconState.fields) as [string, FieldType][];
  const roots = new Uint8Array(32 * fields.length);
  const trees = new Map<string, MerkleTree>();
  for (const [position, [name, type]] of fields.entries()) {
    const { start, end } = at(name);
    const field = bytes.subarray(start, end);
    const tree = isRoots(type)
      ? await fixedTree(field, Math.log2(type.length), pause)
      : await hashList(name, type, field, pause);
    if (PROVEN.has(name) && tree !== undefined) trees.set(name, tree);
    roots.set(tree?.root ?? type.hashTreeRoot(type.deserialize(field.slice())), 32 * position);
    await pause();
  }
  const container = await hashContainer(fork, roots, pause);
  if (hexlify(container.root) !== header.stateRoot)
    throw new AppError(EXIT.unavailable, `the node sent another state than that of slot ${header.slot}`);

  const branch = (name: string, leaf: number): Hex[] => {
    const inField = trees.get(name)?.branch(leaf) ?? [];
    return [...inField, ...container.branch(fields.findIndex(([field]) => field === name))].map(hex);
  };
  const count = (at("validators").end - at("validators").start) / RECORD;
  const known = (index: number): number => {
    if (index >= count) throw new RangeError(`no validator with index ${index} in the state of slot ${header.slot}`);
    return index;
  };
  return {
    validator: (index, timestamp) => ({
      rootTimestamp: timestamp,
      header,
      hops: [],
      index: BigInt(known(index)),
      validator: validatorAt(bytes, at("validators").start + RECORD * index),
      branch: branch("validators", index),
    }),
    balance(index) {
      const chunk = Math.floor(known(index) / 4);
      const { start, end } = at("balances");
      const four = padded(bytes.subarray(start + 32 * chunk, Math.min(end, start + 32 * chunk + 32)));
      return { chunk: hex(four), branch: branch("balances", chunk) };
    },
    blockRoot(slot) {
      const head = Number(header.slot);
      if (slot >= head || slot + SLOTS_PER_HISTORICAL_ROOT < head)
        throw new RangeError(`block_roots of slot ${head} does not hold slot ${slot}`);
      return branch("blockRoots", slot % SLOTS_PER_HISTORICAL_ROOT);
    },
    blockRoots() {
      const { start, end } = at("blockRoots");
      return bytes.slice(start, end);
    },
    summary(slot) {
      const { start, end } = at("historicalSummaries");
      // the newest is of the last period that is over; the oldest depends on the network
      const periods = Math.floor(Number(header.slot) / SLOTS_PER_HISTORICAL_ROOT);
      const index = (end - start) / SUMMARY - (periods - Math.floor(slot / SLOTS_PER_HISTORICAL_ROOT));
      const offset = start + SUMMARY * index;
      if (index < 0 || offset >= end) throw new RangeError(`no historical summary of slot ${slot}`);
      const [blocks, states] = [bytes.subarray(offset, offset + 32), bytes.subarray(offset + 32, offset + SUMMARY)];
      return { root: hex(blocks), branch: [hex(states), ...branch("historicalSummaries", index)] };
    },
  };
}

/**
 * The siblings from the root of the block at `slot` up to the root that a historical summary has of its period's block roots.
 * @param last the last block of that period, or before it, and the `block_roots` of its state: the slots after it repeat its root
 */
export async function branchInPeriod(
  slot: number,
  last: { readonly slot: number; readonly root: Hex },
  blockRoots: Uint8Array,
): Promise<{ readonly root: Hex; readonly branch: readonly Hex[] }> {
  const start = slot - (slot % SLOTS_PER_HISTORICAL_ROOT);
  const roots = blockRoots.slice();
  for (let missed = Math.max(start, last.slot); missed < start + SLOTS_PER_HISTORICAL_ROOT; missed++)
    roots.set(getBytes(last.root), 32 * (missed - start));
  const tree = await fixedTree(roots, Math.log2(SLOTS_PER_HISTORICAL_ROOT), () => Promise.resolve());
  return { root: hex(tree.root), branch: tree.branch(slot - start).map(hex) };
}

/** What all types of fields have. */
interface FieldType {
  deserialize(bytes: Uint8Array): unknown;
  hashTreeRoot(value: unknown): Uint8Array;
}

/** A vector of a power of two of roots, which are its leaves. */
function isRoots(type: FieldType): type is FieldType & { readonly length: number } {
  return (
    type instanceof VectorCompositeType &&
    type.elementType instanceof ByteVectorType &&
    type.elementType.fixedSize === 32
  );
}

/**
 * From a chunk of a list to the list's root: the empty subtrees at the top of the longest ones, which the contract knows, are left out.
 * @returns undefined for what is not a list of elements of one size
 */
async function hashList(
  name: string,
  type: FieldType,
  bytes: Uint8Array,
  pause: Pause,
): Promise<MerkleTree | undefined> {
  const isProgressive = type instanceof ProgressiveListBasicType || type instanceof ProgressiveListCompositeType;
  if (!isProgressive && !(type instanceof ListBasicType) && !(type instanceof ListCompositeType)) return undefined;
  const element = type.elementType as FieldType & { readonly fixedSize: number | null; readonly isBasic: boolean };
  if (element.fixedSize === null) return undefined;
  const length = lengthLeaf(bytes.length / element.fixedSize);
  const chunks = element.isBasic
    ? padded(bytes)
    : name === "validators"
      ? await validatorRoots(bytes, pause)
      : await elementRoots(element, element.fixedSize, bytes, pause);
  if (isProgressive) return mixedIn(await progressiveTree(chunks, pause), length);
  const tree = await fixedTree(chunks, type.chunkDepth, pause);
  const levels = CUT.has(name) ? tree.filled : type.chunkDepth;
  return mixedIn({ root: tree.root, branch: (index) => tree.branch(index).slice(0, levels) }, length);
}

async function hashContainer(fork: ForkName, roots: Uint8Array, pause: Pause): Promise<MerkleTree> {
  const type: unknown = ssz[fork].BeaconState;
  if (!(type instanceof ProgressiveContainerType)) return fixedTree(roots, STATE_DEPTH, pause);
  return mixedIn(await progressiveTree(roots, pause), padded(type.activeFields.uint8Array));
}

/** The tree with its length, or its active fields, to the right of it. */
function mixedIn(tree: MerkleTree, leaf: Uint8Array): MerkleTree {
  return { root: hashTwo(tree.root, leaf), branch: (index) => [...tree.branch(index), leaf] };
}

async function elementRoots(type: FieldType, size: number, bytes: Uint8Array, pause: Pause): Promise<Uint8Array> {
  const count = bytes.length / size;
  const roots = new Uint8Array(32 * count);
  for (let i = 0; i < count; i++) {
    roots.set(type.hashTreeRoot(type.deserialize(bytes.slice(size * i, size * (i + 1)))), 32 * i);
    if (i % SMALL_STEP === SMALL_STEP - 1) await pause();
  }
  return roots;
}

/** Roots of all validator records: eight leaves each, the first the root of the key's two. */
async function validatorRoots(bytes: Uint8Array, pause: Pause): Promise<Uint8Array> {
  const count = bytes.length / RECORD;
  const roots = new Uint8Array(32 * count);
  const keys = new Uint8Array(64 * STEP);
  const leaves = new Uint8Array(256 * STEP);
  const keyRoots = new Uint8Array(32 * STEP);
  const [fours, twos] = [new Uint8Array(128 * STEP), new Uint8Array(64 * STEP)];
  for (let first = 0; first < count; first += STEP) {
    const many = Math.min(STEP, count - first);
    for (let i = 0; i < many; i++) {
      const offset = RECORD * (first + i);
      keys.set(bytes.subarray(offset, offset + 48), 64 * i);
    }
    hashInto(keys.subarray(0, 64 * many), keyRoots.subarray(0, 32 * many));
    for (let i = 0; i < many; i++) {
      const offset = RECORD * (first + i);
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
    await pause();
  }
  return roots;
}

/** Packed bytes as whole chunks. */
function padded(bytes: Uint8Array): Uint8Array {
  if (bytes.length % 32 === 0) return bytes;
  const chunks = new Uint8Array(32 * Math.ceil(bytes.length / 32));
  chunks.set(bytes);
  return chunks;
}

function validatorAt(bytes: Uint8Array, offset: number): ContractValidatorProof["validator"] {
  const value = ssz.phase0.Validator.deserialize(bytes.slice(offset, offset + RECORD));
  const epoch = (number: number): bigint => (number === Infinity ? FAR_FUTURE : BigInt(number));
  return {
    pubkeyRoot: pubkeyRoot(hex(value.pubkey)),
    withdrawalCredentials: hex(value.withdrawalCredentials),
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

function hex(bytes: Uint8Array): Hex {
  return hexlify(bytes) as Hex;
}
