/**
 * A simulated consensus layer over a Hardhat network: see devnet/README.md for its use, its clock, and what is not modelled.
 */
import { SLOTS_PER_EPOCH, SLOTS_PER_HISTORICAL_ROOT } from "@lodestar/params";
import { ssz } from "@lodestar/types";
import { hexlify } from "ethers";
import type { DepositVerifier } from "./transition/deposits.ts";
import { exitObstacle, isSlashable } from "./transition/exits.ts";
import { rewardPerIncrementForApr } from "./transition/rewards.ts";
import { MAINNET_RULES } from "./state/rules.ts";
import type { Rules } from "./state/rules.ts";
import { epochOf, newState, startSlotOf, validatorAt } from "./state/state.ts";
import type { Hex } from "./state/state.ts";
import { ExecutionLayer } from "./execution.ts";
import type { Provider } from "../provider.ts";
import type { BeaconBlock, History } from "./history.ts";
import { isValidDepositSignature } from "../keys.ts";
import { installPredeploys } from "../predeploys.ts";
import { BlockProducer } from "./producer.ts";
import {
  proveBalance,
  proveBlockRoot,
  proveHistoricalBlockRoot,
  proveValidator,
} from "../../offchain/beacon/proofs.ts";
import type { Anchored, BalanceProof, Proof, ProofSource, ValidatorProof } from "../../offchain/beacon/proofs.ts";
import { exactNumber } from "../../offchain/util/exact.ts";
import { readState } from "./state/reader.ts";
import type { StateReader } from "./state/reader.ts";
import { followSnapshots } from "./snapshots.ts";
import { StateTree } from "./ssz/stateTree.ts";
import type { ForkName } from "./ssz/stateTree.ts";

export const EPOCHS_PER_DAY = 225;

export interface BeaconOptions {
  /** Active validators of strangers at genesis, before any of ours. Default 64. */
  readonly genesisValidators?: number;
  /** Default electra. */
  readonly fork?: ForkName;
  /** The first epoch of Fulu, for a boundary. */
  readonly fuluForkEpoch?: number;
  /** Yearly return on the effective balance, in basis points; the base reward is rounded to a gwei. Default 285, mainnet's with 34 million ETH staked. */
  readonly aprBp?: number;
  /** Default: the timestamp of the latest execution block, which becomes that of slot 0. */
  readonly genesisTime?: number;
  readonly rules?: Partial<Rules>;
}

const DEFAULT_APR_BP = 285;
const DEFAULT_GENESIS_VALIDATORS = 64;
export class SimulatedBeacon {
  readonly genesisTime: number;
  readonly rules: Rules;
  readonly #producer: BlockProducer;
  readonly #tree: StateTree;
  #lost = false;

  private constructor(rules: Rules, genesisTime: number, producer: BlockProducer, tree: StateTree) {
    this.rules = rules;
    this.genesisTime = genesisTime;
    this.#producer = producer;
    this.#tree = tree;
  }

  /** Installs the predeploys where they are missing, and starts at slot 0. */
  static async start(provider: Provider, options: BeaconOptions = {}): Promise<SimulatedBeacon> {
    await installPredeploys(provider);
    const execution = new ExecutionLayer(provider);
    await execution.prepare();
    const latest = await execution.latest();
    const genesisTime = options.genesisTime ?? latest.timestamp;
    if (genesisTime > latest.timestamp) throw new RangeError("genesis can't lie in the future of the execution layer");
    const rules = { ...MAINNET_RULES, ...options.rules };
    const verify: DepositVerifier = (deposit) =>
      isValidDepositSignature(
        { ...deposit, amountGwei: BigInt(deposit.amountGwei) },
        deposit.signature,
        rules.genesisForkVersion,
      );
    const tree = new StateTree(rules, options.fork ?? "electra", genesisTime);
    const fuluForkEpoch = options.fork === "fulu" ? 0 : (options.fuluForkEpoch ?? Infinity);
    const behaviour = {
      rewardPerIncrementGwei: rewardPerIncrementForApr(options.aprBp ?? DEFAULT_APR_BP),
      offline: new Set<number>(),
      finalityStopped: false,
    };
    const producer = new BlockProducer(
      { execution, context: { rules, verify }, tree, genesisTime, fuluForkEpoch },
      newState(behaviour, await execution.depositCount()),
    );
    producer.writeGenesis(options.genesisValidators ?? DEFAULT_GENESIS_VALIDATORS, latest);
    const beacon = new SimulatedBeacon(rules, genesisTime, producer, tree);
    followSnapshots(
      provider,
      () => (beacon.#lost ? undefined : producer.save()),
      (memento) => {
        beacon.#lost = memento === undefined;
        if (memento !== undefined) producer.restore(memento);
      },
    );
    return beacon;
  }

  // ---------------------------------------------------------------------------------------------------------------- reading

  get head(): BeaconBlock {
    return this.#history.head;
  }

  get genesisValidatorsRoot(): Hex {
    return hexlify(ssz.electra.BeaconState.getViewDU(this.head.node).genesisValidatorsRoot) as Hex;
  }

  get epoch(): number {
    return epochOf(this.head.slot);
  }

  timeOf(slot: number): number {
    return this.#producer.timeOf(slot);
  }

  /** The post-state of the last block at or before `slot`; of the head without an argument. */
  stateAt(slot: number = this.head.slot): StateReader {
    return readState(this.#history.at(slot));
  }

  blockAt(slot: number): BeaconBlock {
    return this.#history.at(slot);
  }

  /** By its root or its state's root. */
  blockByRoot(root: string): BeaconBlock | undefined {
    return this.#history.byRoot(root) ?? this.#history.byStateRoot(root);
  }

  /** The finalised checkpoint of the head, and the block that it names. */
  finalized(): { epoch: number; block: BeaconBlock } {
    return { epoch: this.head.state.finalizedEpoch, block: this.#history.finalized };
  }

  /** Whether the state of `slot` can't change any more: the finalised epoch starts at or after it. */
  isFinalized(slot: number): boolean {
    return startSlotOf(this.head.state.finalizedEpoch) >= slot;
  }

  /** The EIP-4788 timestamp of the root of the block at (or last before) `slot`. Fails for the head: advance once more. */
  proofTimestamp(slot: number): bigint {
    const next = this.#history.after(slot);
    if (next === undefined) throw new RangeError(`no block after slot ${slot} yet: its root is not in EIP-4788`);
    return BigInt(this.timeOf(next.slot));
  }

  // ----------------------------------------------------------------------------------------------------------------- proofs

  /** The newest slot whose root can be looked up. */
  get provenSlot(): number {
    return this.#history.at(this.head.slot - 1).slot;
  }

  proveValidator(pubkey: Hex, slot: number = this.provenSlot): Anchored<ValidatorProof> {
    return this.#anchored(slot, (source) => proveValidator(source, this.#indexAt(pubkey, slot)));
  }

  proveBalance(pubkey: Hex, slot: number = this.provenSlot): Anchored<BalanceProof> {
    return this.#anchored(slot, (source) => proveBalance(source, this.#indexAt(pubkey, slot)));
  }

  /** One hop from the block at `from` to an older one, through block_roots or, past 8192 slots, historical_summaries. */
  proveBlockRoot(slot: number, from: number = this.provenSlot): Anchored<Proof> {
    return this.#anchored(from, (source) => {
      const distance = Number(source.header.slot) - slot;
      if (distance <= SLOTS_PER_HISTORICAL_ROOT) return proveBlockRoot(source, slot);
      const blockRoots = this.#tree.blockRootsOfSummaries[Math.floor(slot / SLOTS_PER_HISTORICAL_ROOT)];
      if (blockRoots === undefined) throw new RangeError(`no historical summary of slot ${slot}`);
      return proveHistoricalBlockRoot(source, slot, blockRoots);
    });
  }

  // ---------------------------------------------------------------------------------------------------------------- advance

  /** Produces `count` blocks in consecutive slots (after any missed ones). */
  async advanceSlots(count = 1): Promise<BeaconBlock> {
    for (let i = 0; i < count; i++) await this.#live.step();
    return this.head;
  }

  /** Jumps so many epochs, or as far as transactions already took the execution layer's clock, keeping only the last block. */
  async advanceEpochs(count: number): Promise<BeaconBlock> {
    const slot = this.head.slot + count * SLOTS_PER_EPOCH;
    while (this.head.slot < slot && (await this.#live.hasNews())) await this.#live.step();
    return this.head.slot < slot ? this.advanceTo(slot) : this.head;
  }

  async advanceDays(count: number): Promise<BeaconBlock> {
    return this.advanceEpochs(count * EPOCHS_PER_DAY);
  }

  /** Produces the block at `slot`, and before it only those that have something to include. */
  async advanceTo(slot: number): Promise<BeaconBlock> {
    if (slot <= this.head.slot) throw new RangeError(`slot ${slot} is not after the head, ${this.head.slot}`);
    while (this.head.slot < slot && (await this.#live.hasNews())) await this.#live.step();
    if (this.head.slot > slot) throw new RangeError(`transactions took the execution layer past slot ${slot}`);
    if (slot < this.#live.notBefore) throw new RangeError(`slot ${slot} is missed`);
    if (this.head.slot < slot) await this.#live.jump(slot);
    return this.head;
  }

  /** Jumps epoch by epoch until `done`; fails after `limit` epochs. */
  async advanceUntil(done: (state: StateReader) => boolean, limit = 2_000): Promise<BeaconBlock> {
    for (let i = 0; i < limit; i++) {
      if (done(this.stateAt())) return this.head;
      await this.advanceEpochs(1);
    }
    throw new Error(`not reached within ${limit} epochs`);
  }

  /** Jumps epoch by epoch until `slot` is finalised, and returns its state: what a report about that slot reads. */
  async finalize(slot: number): Promise<StateReader> {
    await this.advanceUntil(() => this.isFinalized(slot));
    return this.stateAt(slot);
  }

  /** The next `count` slots have no block, on either layer. */
  async missSlots(count: number): Promise<void> {
    await this.#live.missSlots(count);
  }

  // ---------------------------------------------------------------------------------------------------------------- control

  setOffline(pubkeyOrIndex: Hex | number, offline: boolean): void {
    const { offline: set } = this.#live.state.behaviour;
    if (offline) set.add(this.#index(pubkeyOrIndex));
    else set.delete(this.#index(pubkeyOrIndex));
  }

  /** The base reward in gwei per 1 ETH of effective balance and epoch. */
  setRewardRate(gweiPerIncrement: number): void {
    this.#live.state.behaviour.rewardPerIncrementGwei = gweiPerIncrement;
  }

  setRewardApr(aprBp: number): void {
    this.setRewardRate(rewardPerIncrementForApr(aprBp));
  }

  stopFinality(stopped: boolean): void {
    this.#live.state.behaviour.finalityStopped = stopped;
  }

  /** The next block includes the evidence. */
  slash(pubkeyOrIndex: Hex | number): void {
    const index = this.#index(pubkeyOrIndex);
    if (!isSlashable(validatorAt(this.#live.state, index), this.epoch))
      throw new Error(`validator ${index} is not slashable`);
    this.#live.operations.push({ kind: "slash", index });
  }

  /** The next block includes the exit. */
  voluntaryExit(pubkeyOrIndex: Hex | number): void {
    const index = this.#index(pubkeyOrIndex);
    const obstacle = exitObstacle(this.#live.state, this.rules, index);
    if (obstacle !== undefined) throw new Error(`validator ${index} can't exit: ${obstacle}`);
    this.#live.operations.push({ kind: "exit", index });
  }

  /** Takes the balance down in the next block. */
  penalise(pubkeyOrIndex: Hex | number, gwei: bigint): void {
    this.#live.operations.push({ kind: "penalise", index: this.#index(pubkeyOrIndex), gwei: exactNumber(gwei) });
  }

  /** A proposer's tips: reach the address with the next block, without a call. */
  creditExecutionReward(address: string, wei: bigint): void {
    this.#live.credits.push([address.toLowerCase() as Hex, wei]);
  }

  // ---------------------------------------------------------------------------------------------------------------- helpers

  get #live(): BlockProducer {
    if (this.#lost) throw new Error("the chain was reverted to before this beacon started");
    return this.#producer;
  }

  get #history(): History {
    return this.#live.history;
  }

  #anchored<T>(slot: number, prove: (source: ProofSource) => T): Anchored<T> {
    const block = this.#history.at(slot);
    const timestamp = this.proofTimestamp(slot);
    return { ...prove({ fork: block.fork, header: block.header, state: block.node }), timestamp, header: block.header };
  }

  #indexAt(pubkey: Hex, slot: number): number {
    const index = this.stateAt(slot).indexOf(pubkey);
    if (index === undefined) throw new RangeError(`${pubkey} is not in the registry at slot ${slot}`);
    return index;
  }

  #index(pubkeyOrIndex: Hex | number): number {
    return typeof pubkeyOrIndex === "number" ? pubkeyOrIndex : this.#indexAt(pubkeyOrIndex, this.head.slot);
  }
}
