/**
 * One chain of blocks without forks: production, import with every check, and states of the past. Every import verifies the parent,
 * the proposer, all signatures, the state root, and the payload by the execution client.
 */
import type { BeaconConfig } from "@lodestar/config";
import { ForkSeq, SLOTS_PER_EPOCH, SLOTS_PER_HISTORICAL_ROOT } from "@lodestar/params";
import { getExpectedWithdrawals, getRandaoMix, stateTransition } from "@lodestar/state-transition";
import type { CachedBeaconStateElectra } from "@lodestar/state-transition";
import { ssz } from "@lodestar/types";
import type { electra, phase0 } from "@lodestar/types";
import { getBytes, hexlify } from "ethers";
import type { Hex } from "../../offchain/util/hex.ts";
import { AttestationPool } from "./attestationPool.ts";
import { SECONDS_PER_SLOT } from "./chainConfig.ts";
import { EngineError } from "./engine.ts";
import type { Engine, ForkchoiceState } from "./engine.ts";
import type { History } from "./history.ts";
import type { BlockEntry } from "./history.ts";
import { OperationPool } from "./operationPool.ts";
import { SyncPool } from "./syncPool.ts";
import { EXTERNAL, advance, epochOf } from "./transition.ts";

export class InvalidBlockError extends Error {
  override readonly name = "InvalidBlockError";
}

export interface Head {
  readonly entry: BlockEntry;
  readonly state: CachedBeaconStateElectra;
}

export interface BlockRequest {
  readonly slot: number;
  readonly randaoReveal: Uint8Array;
  readonly feeRecipient: Hex;
  /** At most 32 bytes. */
  readonly graffiti: string;
}

export interface Checkpoint {
  readonly epoch: number;
  readonly root: Hex;
}

/** What followers of the chain are told, right after a block became the head. */
export interface Imported {
  readonly entry: BlockEntry;
  readonly block: electra.SignedBeaconBlock;
  /** Where the block moved it. */
  readonly finalized: Checkpoint | undefined;
  readonly isNewEpoch: boolean;
}

export class BeaconChain {
  readonly config: BeaconConfig;
  readonly history: History;
  readonly attestations = new AttestationPool();
  readonly syncMessages = new SyncPool();
  readonly operations: OperationPool;
  readonly #engine: Engine;
  readonly #listeners = new Set<(imported: Imported) => void>();
  #head: Head;
  #ahead: { readonly head: BlockEntry; readonly state: CachedBeaconStateElectra } | undefined;
  #importing: Promise<unknown> = Promise.resolve();

  constructor(config: BeaconConfig, engine: Engine, history: History, head: Head) {
    this.config = config;
    this.operations = new OperationPool(config);
    this.history = history;
    this.#engine = engine;
    this.#head = head;
  }

  get head(): Head {
    return this.#head;
  }

  get genesisTime(): number {
    return this.#head.state.genesisTime;
  }

  onImport(listener: (imported: Imported) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The head's state if it reaches into the slot's epoch, otherwise advanced to that epoch's first slot. */
  stateAt(slot: number): CachedBeaconStateElectra {
    const { entry, state } = this.#head;
    const epoch = epochOf(slot);
    if (epochOf(state.slot) >= epoch) return state;
    if (this.#ahead?.head !== entry || epochOf(this.#ahead.state.slot) !== epoch) {
      this.#ahead = { head: entry, state: advance(state, epoch * SLOTS_PER_EPOCH) };
    }
    return this.#ahead.state;
  }

  attestationData(slot: number): phase0.AttestationData {
    const state = this.stateAt(slot);
    const { entry } = this.#head;
    const start = epochOf(slot) * SLOTS_PER_EPOCH;
    const targetRoot =
      entry.slot <= start ? getBytes(entry.root) : state.blockRoots.get(start % SLOTS_PER_HISTORICAL_ROOT);
    return {
      slot,
      index: 0, // EIP-7549
      beaconBlockRoot: getBytes(entry.root),
      source: state.currentJustifiedCheckpoint.toValue(),
      target: { epoch: epochOf(slot), root: targetRoot },
    };
  }

  /** An unsigned block on the head with everything that the pools hold. */
  async produceBlock(request: BlockRequest): Promise<electra.BeaconBlock> {
    const { entry, state: headState } = this.#head;
    const { slot } = request;
    if (slot <= entry.slot) throw new InvalidBlockError(`slot ${slot} is not after the head's, ${entry.slot}`);
    const state = advance(headState, slot);
    const { expectedWithdrawals } = getExpectedWithdrawals(ForkSeq.electra, state);
    const id = await this.#engine.forkchoiceUpdated(this.#forkchoice(), {
      timestamp: this.genesisTime + slot * SECONDS_PER_SLOT,
      prevRandao: toHex(getRandaoMix(state, epochOf(slot))),
      feeRecipient: request.feeRecipient,
      withdrawals: expectedWithdrawals,
      parentBeaconBlockRoot: entry.root,
    });
    if (id === undefined) throw new EngineError("the execution client did not start to build a payload");
    const { payload, requests } = await this.#engine.getPayload(id);
    const body: electra.BeaconBlockBody = {
      ...ssz.electra.BeaconBlockBody.defaultValue(),
      randaoReveal: request.randaoReveal,
      eth1Data: state.eth1Data.toValue(),
      graffiti: Buffer.concat([Buffer.from(request.graffiti), Buffer.alloc(32)]).subarray(0, 32),
      ...this.operations.pack(state),
      attestations: this.attestations.pack(state, slot),
      syncAggregate: this.syncMessages.aggregate(slot - 1, [
        ...state.epochCtx.currentSyncCommitteeIndexed.validatorIndices,
      ]),
      executionPayload: payload,
      executionRequests: requests,
    };
    const proposerIndex = state.epochCtx.getBeaconProposer(slot);
    const block = { slot, proposerIndex, parentRoot: getBytes(entry.root), stateRoot: new Uint8Array(32), body };
    const post = stateTransition(
      state,
      { message: block, signature: new Uint8Array(96) },
      { ...EXTERNAL, verifyStateRoot: false, verifyProposer: false, verifySignatures: false, dontTransferCache: true },
    );
    return { ...block, stateRoot: post.hashTreeRoot() };
  }

  /** @throws InvalidBlockError, EngineError, EngineUnreachableError: then the head is what it was */
  importBlock(signed: electra.SignedBeaconBlock): Promise<void> {
    const result = this.#importing.then(() => this.#import(signed));
    this.#importing = result.catch(() => undefined);
    return result;
  }

  /** Brings an execution client that lost its last blocks, or was just started, to the head. */
  async syncEngine(): Promise<void> {
    let have = Number((await this.#engine.block("latest")).number);
    const missing = this.history.canonical().filter((entry) => entry.slot > 0 && entry.executionNumber > have);
    for (const entry of missing) {
      const { message } = this.history.block(entry);
      await this.#newPayload(message);
      have = entry.executionNumber;
    }
    await this.#engine.forkchoiceUpdated(this.#forkchoice());
  }

  async #import(signed: electra.SignedBeaconBlock): Promise<void> {
    const { message } = signed;
    const before = this.#head;
    if (toHex(message.parentRoot) !== before.entry.root)
      throw new InvalidBlockError(`the parent of the block at slot ${message.slot} is not the head`);
    let state: CachedBeaconStateElectra;
    try {
      const options = { ...EXTERNAL, verifyStateRoot: true, verifyProposer: true, verifySignatures: true };
      state = stateTransition(before.state, signed, options) as CachedBeaconStateElectra;
    } catch (error) {
      throw new InvalidBlockError(error instanceof Error ? error.message : String(error), { cause: error });
    }
    await this.#newPayload(message);
    const entry = this.history.add(signed, state);
    this.#head = { entry, state };
    this.attestations.onBlock(state, message);
    this.operations.onBlock(state);
    this.syncMessages.forgetBefore(message.slot);
    await this.#engine.forkchoiceUpdated(this.#forkchoice());
    const finalized = state.finalizedCheckpoint;
    const imported: Imported = {
      entry,
      block: signed,
      finalized:
        finalized.epoch === before.state.finalizedCheckpoint.epoch
          ? undefined
          : { epoch: finalized.epoch, root: toHex(finalized.root) },
      isNewEpoch: epochOf(entry.slot) !== epochOf(before.entry.slot),
    };
    for (const listener of this.#listeners) listener(imported);
  }

  async #newPayload({ body, parentRoot, slot }: electra.BeaconBlock): Promise<void> {
    const status = await this.#engine.newPayload(body.executionPayload, toHex(parentRoot), body.executionRequests);
    if (status !== "VALID") throw new EngineError(`the payload of slot ${slot} is ${status} to the execution client`);
  }

  #forkchoice(): ForkchoiceState {
    const { entry, state } = this.#head;
    const executionHash = ({ epoch, root }: phase0.Checkpoint): Hex =>
      (epoch === 0 ? this.history.genesis : (this.history.byRoot(toHex(root)) ?? this.history.genesis)).executionHash;
    return {
      head: entry.executionHash,
      safe: executionHash(state.currentJustifiedCheckpoint),
      finalized: executionHash(state.finalizedCheckpoint),
    };
  }
}

function toHex(bytes: Uint8Array): Hex {
  return hexlify(bytes) as Hex;
}
