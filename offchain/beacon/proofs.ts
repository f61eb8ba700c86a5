/**
 * Merkle proofs of the beacon chain: Electra and Fulu (64 leaves in the state), and Gloas (a progressive container with progressive lists).
 * Pure: a header and a state tree in, hex out. `StateLayout.sol` is the twin of the indices.
 *
 * Every proof runs from a leaf up to a beacon block root, siblings from the bottom up, as `BeaconProof` consumes it.
 */
import { Tree, zeroNode } from "@chainsafe/persistent-merkle-tree";
import type { Node } from "@chainsafe/persistent-merkle-tree";
import { SLOTS_PER_HISTORICAL_ROOT } from "@lodestar/params";
import { ssz } from "@lodestar/types";
import { hexlify } from "ethers";
import type { Hex } from "../util/hex.ts";

export type ForkName = "electra" | "fulu" | "gloas";

/** Where things lie in a state: generalised indices within it, and lengths of branches. */
export interface Layout {
  /** The list's data, below the node that mixes in its length. */
  readonly validators: bigint;
  readonly balances: bigint;
  readonly blockRoots: bigint;
  /** The data of the list. */
  readonly historicalSummaries: bigint;
  /** Levels from a list's data to the state root. */
  readonly listToState: number;
  /** Lists as EIP-7916 merkleizes them: subtree k holds 4^k chunks. Others are as deep as their limit. */
  readonly progressive: boolean;
}

const ELECTRA: Layout = {
  validators: (64n + 11n) * 2n,
  balances: (64n + 12n) * 2n,
  blockRoots: (64n + 5n) << 13n,
  historicalSummaries: ((64n + 27n) * 2n) << 24n,
  listToState: 7,
  progressive: false,
};

const GLOAS: Layout = {
  validators: 716n,
  balances: 718n,
  blockRoots: 352n << 13n,
  historicalSummaries: 5900n << 24n,
  listToState: 9,
  progressive: true,
};

export const LAYOUTS: Readonly<Record<ForkName, Layout>> = { electra: ELECTRA, fulu: ELECTRA, gloas: GLOAS };

/** Levels of a list's data outside progressive lists. */
export const LIST_DEPTH = { validators: 40, balances: 38 } as const;

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
  /** Of the state that it is in. */
  readonly fork: ForkName;
  /** Against the block root. */
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
  readonly fork: ForkName;
  readonly header: Header;
  readonly state: Node;
}

/** A proof with what EIP-4788 needs: the root of the block with this header is stored under this timestamp. */
export type Anchored<T> = T & { readonly timestamp: bigint; readonly header: Header };

const FAR_FUTURE = 2n ** 64n - 1n;
const STATE_GINDEX = 11n; // state_root in the header
export const HEADER_DEPTH = 3;

/** The SSZ root of a public key: what the validator registry knows it by. */
export function pubkeyRoot(pubkey: Hex): Hex {
  return hex(ssz.BLSPubkey.hashTreeRoot(fromHex(pubkey)));
}

export function headerRoot(header: Header): Hex {
  return hex(ssz.phase0.BeaconBlockHeader.hashTreeRoot(toSszHeader(header)));
}

export function proveValidator(source: ProofSource, index: number): ValidatorProof {
  const list = ssz[source.fork].BeaconState.getViewDU(source.state).validators;
  if (index >= list.length)
    throw new RangeError(`no validator with index ${index} in the state of slot ${source.header.slot}`);
  const proof = prove(source, itemIndex(source.fork, "validators", index));
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
  const list = ssz[source.fork].BeaconState.getViewDU(source.state).balances;
  if (index >= list.length)
    throw new RangeError(`no balance with index ${index} in the state of slot ${source.header.slot}`);
  const proof = prove(source, itemIndex(source.fork, "balances", Math.floor(index / 4)));
  return { ...proof, validatorIndex: BigInt(index), balanceGwei: BigInt(list.get(index)) };
}

/** One hop to the root of the block at `slot` or, if that slot had none, of the last block before it; up to 8192 slots back. */
export function proveBlockRoot(source: ProofSource, slot: number): Proof {
  const head = Number(source.header.slot);
  if (slot >= head || slot + SLOTS_PER_HISTORICAL_ROOT < head) {
    throw new RangeError(`block_roots of slot ${head} does not hold slot ${slot}`);
  }
  return prove(source, LAYOUTS[source.fork].blockRoots + BigInt(slot % SLOTS_PER_HISTORICAL_ROOT));
}

/**
 * The hop to any older block, through `historical_summaries` (48 nodes, 53 in Gloas). `blockRoots` is the tree of the `block_roots` vector that the
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
  const list = ssz[source.fork].BeaconState.getViewDU(source.state).historicalSummaries;
  if (summary < 0 || summary >= list.length) throw new RangeError(`no historical summary of slot ${slot}`);
  const outer = prove(source, (LAYOUTS[source.fork].historicalSummaries + BigInt(summary)) * 2n);
  if (outer.leaf !== hex(blockRoots.root)) throw new Error(`these block roots are not those of summary ${summary}`);
  const position = BigInt(SLOTS_PER_HISTORICAL_ROOT + (slot % SLOTS_PER_HISTORICAL_ROOT));
  const inner = new Tree(blockRoots);
  return {
    fork: source.fork,
    gindex: concatGindices(outer.gindex, position),
    leaf: hex(inner.getRoot(position)),
    nodes: [...inner.getSingleProof(position).map(hex), ...outer.nodes],
  };
}

/**
 * The siblings from the leaf to the state root, as `IBeaconProof` takes them: without the header's three, and without the empty subtrees at
 * the top of a list that is as deep as its limit, which the contract knows.
 */
export function stateBranch(proof: Proof, list: keyof typeof LIST_DEPTH): Hex[] {
  const toStateRoot = proof.nodes.slice(0, -HEADER_DEPTH);
  if (LAYOUTS[proof.fork].progressive) return toStateRoot;
  const depth = LIST_DEPTH[list];
  let levels = depth;
  while (levels > 0 && toStateRoot[levels - 1] === hex(zeroNode(levels - 1).root)) levels -= 1;
  return [...toStateRoot.slice(0, levels), ...toStateRoot.slice(depth)];
}

/** The generalised index of chunk `chunk` of a list, within the state. A chunk is a validator, or four balances. */
export function itemIndex(fork: ForkName, list: keyof typeof LIST_DEPTH, chunk: number): bigint {
  const layout = LAYOUTS[fork];
  if (!layout.progressive) return (layout[list] << BigInt(LIST_DEPTH[list])) + BigInt(chunk);
  let k = 0n;
  let first = 0n;
  while (BigInt(chunk) >= first + 4n ** k) first += 4n ** k++;
  // k times to the right, then to the left
  const subtree = ((layout[list] + 1n) << (k + 1n)) - 2n;
  return (subtree << (2n * k)) + BigInt(chunk) - first;
}

/** Any leaf of the state, proven against the block root. */
function prove(source: ProofSource, inState: bigint): Proof {
  const state = new Tree(source.state);
  const header = new Tree(ssz.phase0.BeaconBlockHeader.toView(toSszHeader(source.header)).node);
  const nodes = [...state.getSingleProof(inState), ...header.getSingleProof(STATE_GINDEX)];
  return {
    fork: source.fork,
    gindex: concatGindices(STATE_GINDEX, inState),
    leaf: hex(state.getRoot(inState)),
    nodes: nodes.map(hex),
  };
}

/** The index, from the root of `outer`, of what is at `inner` below it. */
export function concatGindices(outer: bigint, inner: bigint): bigint {
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
