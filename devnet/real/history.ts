/**
 * Every block of the chain, and the post-state of each: recent ones and the first of each epoch as trees that share what they have in
 * common, the others by replaying a few blocks. Blocks and every few epochs a state are on disk, from where a restart goes on.
 */
import type { Node } from "@chainsafe/persistent-merkle-tree";
import type { BeaconConfig } from "@lodestar/config";
import { SLOTS_PER_EPOCH } from "@lodestar/params";
import { createCachedBeaconState, createPubkeyCache, stateTransition } from "@lodestar/state-transition";
import type { BeaconStateElectra, CachedBeaconStateElectra, PubkeyCache } from "@lodestar/state-transition";
import { ssz } from "@lodestar/types";
import type { electra } from "@lodestar/types";
import { hexlify } from "ethers";
import type { Hex } from "../../offchain/util/hex.ts";
import type { BlockStore } from "./blockStore.ts";
import { EXTERNAL, advance } from "./transition.ts";

export interface BlockEntry {
  readonly root: Hex;
  readonly slot: number;
  readonly parentRoot: Hex;
  readonly stateRoot: Hex;
  readonly executionHash: Hex;
  readonly executionNumber: number;
}

/** Blocks and states of the last so many blocks stay in memory. */
const RECENT_BLOCKS = 256;
const EPOCHS_PER_SNAPSHOT = 16;

type Types = typeof ssz.electra;

export class History {
  readonly genesis: BlockEntry;
  readonly #config: BeaconConfig;
  readonly #store: BlockStore;
  readonly #pubkeys: PubkeyCache = createPubkeyCache();
  readonly #byRoot = new Map<Hex, BlockEntry>();
  readonly #byStateRoot = new Map<Hex, BlockEntry>();
  /** Ascending by slot. */
  readonly #entries: BlockEntry[] = [];
  readonly #blocks = new Map<Hex, electra.SignedBeaconBlock>();
  readonly #states = new Map<Hex, Node>();
  readonly #genesisBlock: electra.SignedBeaconBlock;
  #lastSnapshotEpoch = 0;

  /** @param genesis the state of slot 0 */
  constructor(config: BeaconConfig, store: BlockStore, genesis: BeaconStateElectra) {
    this.#config = config;
    this.#store = store;
    const { BeaconBlock } = this.#types(0);
    const message = BeaconBlock.defaultValue();
    message.stateRoot = genesis.hashTreeRoot();
    this.#genesisBlock = { message, signature: new Uint8Array(96) };
    this.genesis = {
      root: toHex(BeaconBlock.hashTreeRoot(message)),
      slot: 0,
      parentRoot: toHex(message.parentRoot),
      stateRoot: toHex(message.stateRoot),
      executionHash: toHex(genesis.latestExecutionPayloadHeader.blockHash),
      executionNumber: genesis.latestExecutionPayloadHeader.blockNumber,
    };
    this.#note(this.genesis, genesis.node);
    if (store.readState(0) === undefined) store.writeState(0, genesis.serialize());
  }

  /** The head that the disk knows: the newest state there, and the blocks after it once more. */
  restore(): { readonly entry: BlockEntry; readonly state: CachedBeaconStateElectra } {
    const stored = this.#store.blocks();
    const lastSlot = stored.at(-1)?.slot ?? 0;
    const anchor =
      this.#store
        .stateSlots()
        .filter((slot) => slot <= lastSlot)
        .at(-1) ?? 0;
    let state = this.#cached(this.#stored(anchor));
    let entry = this.genesis;
    for (const { slot, root } of stored) {
      const signed = this.block(root);
      if (slot > anchor) state = this.#apply(state, signed);
      entry = this.#entryOf(root, signed);
      this.#note(entry, slot >= anchor ? state.node : undefined);
    }
    this.#lastSnapshotEpoch = Math.floor(anchor / SLOTS_PER_EPOCH);
    return { entry, state };
  }

  add(signed: electra.SignedBeaconBlock, state: CachedBeaconStateElectra): BlockEntry {
    const { BeaconBlock, SignedBeaconBlock } = this.#types(signed.message.slot);
    const root = BeaconBlock.hashTreeRoot(signed.message);
    const entry = this.#entryOf(toHex(root), signed);
    this.#store.append(entry.slot, root, SignedBeaconBlock.serialize(signed));
    this.#blocks.set(entry.root, signed);
    this.#note(entry, state.node);
    this.#prune();
    const epoch = Math.floor(entry.slot / SLOTS_PER_EPOCH);
    if (epoch >= this.#lastSnapshotEpoch + EPOCHS_PER_SNAPSHOT) {
      this.#lastSnapshotEpoch = epoch;
      this.#store.writeState(entry.slot, state.serialize());
    }
    return entry;
  }

  /** Makes a restart quick. */
  saveHead(entry: BlockEntry, state: CachedBeaconStateElectra): void {
    this.#store.writeState(entry.slot, state.serialize());
  }

  byRoot(root: Hex): BlockEntry | undefined {
    return this.#byRoot.get(root);
  }

  byStateRoot(root: Hex): BlockEntry | undefined {
    return this.#byStateRoot.get(root);
  }

  /** The block of this very slot. */
  atSlot(slot: number): BlockEntry | undefined {
    const entry = this.atOrBefore(slot);
    return entry?.slot === slot ? entry : undefined;
  }

  atOrBefore(slot: number): BlockEntry | undefined {
    return this.#entries.findLast((entry) => entry.slot <= slot);
  }

  childOf(entry: BlockEntry): BlockEntry | undefined {
    return this.#entries.findLast(({ parentRoot }) => parentRoot === entry.root);
  }

  /** Ascending by slot, genesis first. */
  canonical(): readonly BlockEntry[] {
    return this.#entries;
  }

  block(at: BlockEntry | Hex): electra.SignedBeaconBlock {
    const root = typeof at === "string" ? at : at.root;
    if (root === this.genesis.root) return this.#genesisBlock;
    const recent = this.#blocks.get(root);
    if (recent !== undefined) return recent;
    const bytes = this.#store.readBlock(root);
    if (bytes === undefined) throw new Error(`no block ${root}`);
    // Electra and Fulu have the same blocks
    return ssz.electra.SignedBeaconBlock.deserialize(bytes);
  }

  /** The post-state of a block. */
  state(entry: BlockEntry): BeaconStateElectra {
    const node = this.#states.get(entry.root) ?? this.#replay(entry);
    return this.#types(entry.slot).BeaconState.getViewDU(node);
  }

  /** The post-state of a block, advanced over the empty slots up to `slot`. */
  stateAtSlot(entry: BlockEntry, slot: number): BeaconStateElectra {
    if (slot <= entry.slot) return this.state(entry);
    return advance(this.#cached(this.state(entry)), slot);
  }

  #replay(entry: BlockEntry): Node {
    const later: BlockEntry[] = [];
    let from = entry;
    while (!this.#states.has(from.root) && this.#store.readState(from.slot) === undefined) {
      later.unshift(from);
      const parent = this.byRoot(from.parentRoot);
      if (parent === undefined) throw new Error(`no state before slot ${entry.slot}`);
      from = parent;
    }
    const node = this.#states.get(from.root);
    let state = this.#cached(node === undefined ? this.#stored(from.slot) : this.state(from));
    for (const next of later) state = this.#apply(state, this.block(next));
    return state.node;
  }

  #apply(state: CachedBeaconStateElectra, signed: electra.SignedBeaconBlock): CachedBeaconStateElectra {
    const options = { ...EXTERNAL, verifyStateRoot: true, verifyProposer: true, verifySignatures: false };
    return stateTransition(state, signed, options) as CachedBeaconStateElectra;
  }

  #stored(slot: number): BeaconStateElectra {
    const bytes = this.#store.readState(slot);
    if (bytes === undefined) throw new Error(`no state of slot ${slot} on disk`);
    return this.#types(slot).BeaconState.deserializeToViewDU(bytes);
  }

  #cached(state: BeaconStateElectra): CachedBeaconStateElectra {
    return createCachedBeaconState(state, { config: this.#config, pubkeyCache: this.#pubkeys });
  }

  #types(slot: number): Types {
    return this.#config.getForkTypes(slot) as unknown as Types;
  }

  #entryOf(root: Hex, { message }: electra.SignedBeaconBlock): BlockEntry {
    const { blockHash, blockNumber } = message.body.executionPayload;
    return {
      root,
      slot: message.slot,
      parentRoot: toHex(message.parentRoot),
      stateRoot: toHex(message.stateRoot),
      executionHash: toHex(blockHash),
      executionNumber: blockNumber,
    };
  }

  #note(entry: BlockEntry, node: Node | undefined): void {
    this.#entries.push(entry);
    this.#byRoot.set(entry.root, entry);
    this.#byStateRoot.set(entry.stateRoot, entry);
    if (node !== undefined) this.#states.set(entry.root, node);
  }

  /** One block falls out of the recent ones; its state stays if it is the first of its epoch. */
  #prune(): void {
    const index = this.#entries.length - 1 - RECENT_BLOCKS;
    const [old, before] = [this.#entries[index], this.#entries[index - 1]];
    if (old === undefined || before === undefined) return;
    this.#blocks.delete(old.root);
    if (Math.floor(old.slot / SLOTS_PER_EPOCH) === Math.floor(before.slot / SLOTS_PER_EPOCH))
      this.#states.delete(old.root);
  }
}

function toHex(bytes: Uint8Array): Hex {
  return hexlify(bytes) as Hex;
}
