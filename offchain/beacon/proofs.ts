/**
 * Merkle proofs of the beacon chain, for Electra and Fulu (both have 64 leaves in the state). Pure: a header and a state tree in, hex out.
 *
 * Every proof runs from a leaf up to a beacon block root, siblings from the bottom up, as `BeaconProof` consumes it.
 */
import { Tree, zeroNode } from "@chainsafe/persistent-merkle-tree";
import type { Node } from "@chainsafe/persistent-merkle-tree";
import { SLOTS_PER_HISTORICAL_ROOT } from "@lodestar/params";
import { ssz } from "@lodestar/types";
import { hexlify } from "ethers";
import type { Hex } from "../util/hex.ts";

/** Generalised indices against the block root: the header (8 leaves), the state (64), then the list or vector. */
export const GINDEX = {
  /** + validator index; 50 nodes. */
  validators: 1572301627719680n,
  /** + validator index / 4; 48 nodes. */
  balances: 393625162743808n,
  /** + slot % 8192; 22 nodes. */
  blockRoots: 5808128n,
  /** block_summary_root of the first summary, + 2 per summary; 35 nodes. */
  historicalSummaries: 49056579584n,
} as const;

/** Levels of a list's data, below the node that mixes in its length. */
export const LIST_DEPTH = { validators: 40, balances: 38 } as const;

/** Levels from a list's data to the state root. */
export const LIST_TO_STATE = 7;

export interface Header {
  readonly slot: bigint;
  readonly proposerIndex: bigint;
  readonly parentRoot: Hex;
  readonly stateRoot: Hex;
  readonly bodyRoot: Hex;
}

export interface ProvenValidator {
  readonly pubkey: Hex;
  readonly withdrawalCredentials: Hex;
  readonly effectiveBalanceGwei: bigint;
  readonly slashed: boolean;
  readonly activationEligibilityEpoch: bigint;
  readonly activationEpoch: bigint;
  readonly exitEpoch: bigint;
  readonly withdrawableEpoch: bigint;
}

export interface Proof {
  readonly gindex: bigint;
  readonly leaf: Hex;
  readonly nodes: Hex[];
}

export interface ValidatorProof extends Proof {
  readonly validatorIndex: bigint;
  readonly validator: ProvenValidator;
}

export interface BalanceProof extends Proof {
  readonly validatorIndex: bigint;
  /** The leaf holds four balances of 8 little-endian bytes; this is the validator's. */
  readonly balanceGwei: bigint;
}

/** A block root and the tree of its post-state. */
export interface ProofSource {
  readonly header: Header;
  readonly state: Node;
}

/** A proof with what EIP-4788 needs: the root of the block with this header is stored under this timestamp. */
export type Anchored<T> = T & { readonly timestamp: bigint; readonly header: Header };

const FAR_FUTURE = 2n ** 64n - 1n;
const STATE_GINDEX = 11n; // state_root in the header
const HEADER_DEPTH = 3;

/** The SSZ root of a public key: what the validator registry knows it by. */
export function pubkeyRoot(pubkey: Hex): Hex {
  return hex(ssz.BLSPubkey.hashTreeRoot(fromHex(pubkey)));
}

export function headerRoot(header: Header): Hex {
  return hex(ssz.phase0.BeaconBlockHeader.hashTreeRoot(toSszHeader(header)));
}

export function proveValidator(source: ProofSource, index: number): ValidatorProof {
  const proof = prove(source, GINDEX.validators + BigInt(index));
  const list = ssz.electra.BeaconState.getViewDU(source.state).validators;
  if (index >= list.length)
    throw new RangeError(`no validator with index ${index} in the state of slot ${source.header.slot}`);
  const value = list.getReadonly(index);
  const validator = {
    pubkey: hex(value.pubkey),
    withdrawalCredentials: hex(value.withdrawalCredentials),
    effectiveBalanceGwei: BigInt(value.effectiveBalance),
    slashed: value.slashed,
    activationEligibilityEpoch: epoch(value.activationEligibilityEpoch),
    activationEpoch: epoch(value.activationEpoch),
    exitEpoch: epoch(value.exitEpoch),
    withdrawableEpoch: epoch(value.withdrawableEpoch),
  };
  return { ...proof, validatorIndex: BigInt(index), validator };
}

export function proveBalance(source: ProofSource, index: number): BalanceProof {
  const list = ssz.electra.BeaconState.getViewDU(source.state).balances;
  if (index >= list.length)
    throw new RangeError(`no balance with index ${index} in the state of slot ${source.header.slot}`);
  const proof = prove(source, GINDEX.balances + BigInt(Math.floor(index / 4)));
  return { ...proof, validatorIndex: BigInt(index), balanceGwei: BigInt(list.get(index)) };
}

/** One hop to the root of the block at `slot` or, if that slot had none, of the last block before it; up to 8192 slots back. */
export function proveBlockRoot(source: ProofSource, slot: number): Proof {
  const head = Number(source.header.slot);
  if (slot >= head || slot + SLOTS_PER_HISTORICAL_ROOT < head) {
    throw new RangeError(`block_roots of slot ${head} does not hold slot ${slot}`);
  }
  return prove(source, GINDEX.blockRoots + BigInt(slot % SLOTS_PER_HISTORICAL_ROOT));
}

/**
 * The hop to any older block, through `historical_summaries` (48 nodes). `blockRoots` is the tree of the `block_roots` vector that the
 * summary stands for: the one in the state at the first slot after it. `firstSummarySlot` is where the list starts (0 on a network that
 * starts with Capella's rules; 6209536 on mainnet).
 */
export function proveHistoricalBlockRoot(
  source: ProofSource,
  slot: number,
  blockRoots: Node,
  firstSummarySlot = 0,
): Proof {
  const summary = Math.floor((slot - firstSummarySlot) / SLOTS_PER_HISTORICAL_ROOT);
  const list = ssz.electra.BeaconState.getViewDU(source.state).historicalSummaries;
  if (summary < 0 || summary >= list.length) throw new RangeError(`no historical summary of slot ${slot}`);
  const outer = prove(source, GINDEX.historicalSummaries + 2n * BigInt(summary));
  if (outer.leaf !== hex(blockRoots.root)) throw new Error(`these block roots are not those of summary ${summary}`);
  const position = BigInt(SLOTS_PER_HISTORICAL_ROOT + (slot % SLOTS_PER_HISTORICAL_ROOT));
  const inner = new Tree(blockRoots);
  return {
    gindex: concatGindices(outer.gindex, position),
    leaf: hex(inner.getRoot(position)),
    nodes: [...inner.getSingleProof(position).map(hex), ...outer.nodes],
  };
}

/**
 * The siblings from the leaf to the state root, as `IBeaconProof` takes them: without the header's three, and without the empty subtrees at
 * the top of the list, which the contract knows.
 */
export function stateBranch(proof: Proof, listDepth: number): Hex[] {
  const toStateRoot = proof.nodes.slice(0, -HEADER_DEPTH);
  let levels = listDepth;
  while (levels > 0 && toStateRoot[levels - 1] === hex(zeroNode(levels - 1).root)) levels -= 1;
  return [...toStateRoot.slice(0, levels), ...toStateRoot.slice(listDepth)];
}

/** Any leaf under the state, proven against the block root. */
function prove(source: ProofSource, gindex: bigint): Proof {
  const state = new Tree(source.state);
  const inState = relativeTo(gindex, STATE_GINDEX, HEADER_DEPTH);
  const header = new Tree(ssz.phase0.BeaconBlockHeader.toView(toSszHeader(source.header)).node);
  const nodes = [...state.getSingleProof(inState), ...header.getSingleProof(STATE_GINDEX)];
  return { gindex, leaf: hex(state.getRoot(inState)), nodes: nodes.map(hex) };
}

/** The generalised index inside the subtree at `ancestor`. */
function relativeTo(gindex: bigint, ancestor: bigint, ancestorDepth: number): bigint {
  const depth = BigInt(gindex.toString(2).length - 1 - ancestorDepth);
  if (gindex >> depth !== ancestor) throw new RangeError(`${gindex} is not below ${ancestor}`);
  return gindex - ((ancestor - 1n) << depth);
}

function concatGindices(outer: bigint, inner: bigint): bigint {
  const depth = BigInt(inner.toString(2).length - 1);
  return ((outer - 1n) << depth) + inner;
}

function toSszHeader(header: Header) {
  return {
    slot: Number(header.slot),
    proposerIndex: Number(header.proposerIndex),
    parentRoot: fromHex(header.parentRoot),
    stateRoot: fromHex(header.stateRoot),
    bodyRoot: fromHex(header.bodyRoot),
  };
}

function epoch(value: number): bigint {
  return value === Infinity ? FAR_FUTURE : BigInt(value);
}

function hex(bytes: Uint8Array): Hex {
  return hexlify(bytes) as Hex;
}

function fromHex(value: Hex): Uint8Array {
  return Uint8Array.from(value.slice(2).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
