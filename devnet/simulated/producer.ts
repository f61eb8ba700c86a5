/**
 * Builds the beacon chain on top of the execution layer's blocks: the shell around the pure transition.
 *
 * The clock: slot s has time genesisTime + 12 s. An execution block with time(s-1) < timestamp <= time(s) belongs to slot s, and everything
 * in it is in that slot's state. Each step ends with a block of the beacon's own at exactly time(s), so what users do afterwards belongs to
 * a later slot.
 */
import { getBytes } from "ethers";
import { addValidator, cloneState, epochOf, isActive } from "./state/state.ts";
import type { CoreState, Hex } from "./state/state.ts";
import type { WithdrawalRequest } from "./transition/exits.ts";
import { processBlock, processCompressedSlots, processMissedSlots } from "./transition/transition.ts";
import type { Operation, TransitionContext } from "./transition/transition.ts";
import { addSwept } from "./transition/withdrawals.ts";
import type { SweptGwei, Withdrawal } from "./transition/withdrawals.ts";
import type { DepositLog, ExecutionBlock, ExecutionLayer } from "./execution.ts";
import { History, toHeader } from "./history.ts";
import { strangerPubkey, withdrawalCredentials } from "../keys.ts";
import { headerRoot } from "../../offchain/beacon/proofs.ts";
import { buildBody } from "./ssz/body.ts";
import type { BlockHeader, StateTree } from "./ssz/stateTree.ts";

export const SECONDS_PER_SLOT = 12;

export interface ProducerOptions {
  readonly execution: ExecutionLayer;
  readonly context: TransitionContext;
  readonly tree: StateTree;
  readonly genesisTime: number;
  readonly fuluForkEpoch: number;
}

/** All that changes, for going back with the execution layer. */
export interface Memento {
  readonly state: CoreState;
  readonly blocks: number;
  readonly notBefore: number;
  readonly operations: readonly Operation[];
  readonly credits: readonly [Hex, bigint][];
}

interface BlockContent {
  readonly deposits: readonly DepositLog[];
  readonly requests: readonly WithdrawalRequest[];
  readonly operations: readonly Operation[];
  /** A block built around a user's execution block can't credit anything in it any more. */
  readonly sweeps: boolean;
}

const STRANGER_ADDRESS: Hex = `0x${"57".repeat(20)}`;
const STRANGER_BALANCE_GWEI = 32e9;
const WEI_PER_GWEI = 10n ** 9n;

export class BlockProducer {
  readonly history = new History();
  state: CoreState;
  operations: Operation[] = [];
  credits: [Hex, bigint][] = [];
  /** The first slot that is not to be missed. */
  notBefore = 0;
  readonly #options: ProducerOptions;
  readonly #execution: ExecutionLayer;
  readonly #tree: StateTree;

  constructor(options: ProducerOptions, state: CoreState) {
    this.#options = options;
    this.#execution = options.execution;
    this.#tree = options.tree;
    this.state = state;
  }

  timeOf(slot: number): number {
    return this.#options.genesisTime + slot * SECONDS_PER_SLOT;
  }

  /** The slot that a timestamp of the execution layer belongs to. */
  slotOf(timestamp: number): number {
    return Math.ceil((timestamp - this.#options.genesisTime) / SECONDS_PER_SLOT);
  }

  writeGenesis(validators: number, execution: ExecutionBlock): void {
    for (let i = 0; i < validators; i++) {
      const validator = {
        pubkey: strangerPubkey(i),
        withdrawalCredentials: withdrawalCredentials(STRANGER_ADDRESS),
        effectiveBalanceGwei: STRANGER_BALANCE_GWEI,
        slashed: false,
        activationEligibilityEpoch: 0,
        activationEpoch: 0,
        exitEpoch: Infinity,
        withdrawableEpoch: Infinity,
      };
      addValidator(this.state, validator, STRANGER_BALANCE_GWEI);
    }
    const body = buildBody({ payload: execution, withdrawals: [], deposits: [], withdrawalRequests: [] });
    const empty = new Uint8Array(32);
    const header = { slot: 0, proposerIndex: 0, parentRoot: empty, stateRoot: empty, bodyRoot: body.root };
    this.#tree.write(this.state, header, body.payloadHeader, this.#checkpoints());
    this.#record({ ...header, stateRoot: this.#tree.writeGenesisValidatorsRoot() }, execution, body.bytes);
  }

  /** Whether anything waits to be included. */
  async hasNews(): Promise<boolean> {
    if (this.operations.length > 0 || this.credits.length > 0) return true;
    await this.#execution.flushPool();
    if ((await this.#execution.latest()).number > this.history.head.execution.number) return true;
    return (await this.#execution.nextWithdrawalRequests()).length > 0;
  }

  /** Includes what waits and ends with a block at the first slot after the execution layer's clock. */
  async step(): Promise<void> {
    await this.#execution.flushPool();
    await this.#assertSameChain();
    const { head } = this.history;
    const latest = await this.#execution.latest();
    const deposits = await this.#execution.depositLogs(head.execution.number + 1, latest.number);
    const slot = Math.max(head.slot + 1, this.notBefore, this.slotOf(latest.timestamp + 1));
    const rest = await this.#catchUp(slot, latest.number, deposits);
    await this.#produce(slot, rest, () => {
      processMissedSlots(this.state, this.#options.context, slot);
    });
  }

  /** A block at `slot`, with the sweeps of the slots before it; for when nothing else waits. */
  async jump(slot: number): Promise<void> {
    await this.#assertSameChain();
    const first = Math.max(this.history.head.slot + 1, this.notBefore);
    await this.#execution.decayRequestFees(slot - first);
    await this.#produce(slot, [], (swept) => {
      processMissedSlots(this.state, this.#options.context, first - 1);
      processCompressedSlots(this.state, this.#options.context, slot, swept);
    });
  }

  async missSlots(count: number): Promise<void> {
    if (await this.hasNews()) await this.step();
    this.notBefore = Math.max(this.notBefore, this.history.head.slot + 1) + count;
    await this.#execution.moveClockPast(this.timeOf(this.notBefore - 1));
  }

  save(): Memento {
    return {
      state: cloneState(this.state),
      blocks: this.history.length,
      notBefore: this.notBefore,
      operations: [...this.operations],
      credits: [...this.credits],
    };
  }

  restore(memento: Memento): void {
    this.history.truncate(memento.blocks);
    const { head } = this.history;
    this.#tree.restore(head.node, head.fork, head.state, head.summaries);
    this.state = cloneState(memento.state);
    this.notBefore = memento.notBefore;
    this.operations = [...memento.operations];
    this.credits = [...memento.credits];
  }

  /** The execution blocks of slots before `limit` get beacon blocks of their own. Returns the deposits that are left. */
  async #catchUp(limit: number, latest: number, deposits: DepositLog[]): Promise<DepositLog[]> {
    let rest = deposits;
    let number = this.history.head.execution.number + 1;
    let block = number <= latest ? await this.#execution.block(number) : undefined;
    while (block !== undefined) {
      const slot = this.slotOf(block.timestamp);
      if (slot <= this.history.head.slot) throw new Error(`execution block ${number} is not after the head's slot`);
      if (slot >= limit) break;
      let last = block;
      for (;;) {
        number += 1;
        block = number <= latest ? await this.#execution.block(number) : undefined;
        if (block === undefined || this.slotOf(block.timestamp) !== slot) break;
        last = block;
      }
      const included = rest.filter(({ blockNumber }) => blockNumber <= last.number);
      rest = rest.slice(included.length);
      await this.#execution.writeBeaconRoot(this.timeOf(slot), this.history.head.root);
      processMissedSlots(this.state, this.#options.context, slot);
      this.#include(last, { deposits: included, requests: [], operations: [], sweeps: false });
    }
    return rest;
  }

  /** A block of the beacon's own. `reach` brings the plain state to the slot and adds what it swept on the way. */
  async #produce(slot: number, deposits: DepositLog[], reach: (swept: SweptGwei) => void): Promise<void> {
    const requests = await this.#execution.nextWithdrawalRequests();
    const payload = await this.#execution.mineSlot(this.timeOf(slot), this.history.head.root);
    const swept: SweptGwei = new Map();
    reach(swept);
    const { operations } = this;
    this.operations = [];
    const withdrawals = this.#include(payload, { deposits, requests, operations, sweeps: true });
    addSwept(swept, withdrawals);
    await this.#credit(swept);
  }

  /** process_block over the state, which is at the block's slot already, and its SSZ twin. */
  #include(payload: ExecutionBlock, content: BlockContent): Withdrawal[] {
    const { slot } = this.state;
    const parent = this.history.head;
    const deposits = content.deposits.map(({ request }) => request);
    const withdrawals = processBlock(this.state, this.#options.context, {
      operations: content.operations,
      deposits,
      withdrawals: content.requests,
      sweeps: content.sweeps,
    });
    const body = buildBody({ payload, withdrawals, deposits, withdrawalRequests: content.requests });
    const upgradeEpoch = this.#options.fuluForkEpoch;
    const upgrade = epochOf(parent.slot) < upgradeEpoch && upgradeEpoch <= epochOf(slot);
    this.#tree.advance(slot, parent.sszHeader, upgrade ? upgradeEpoch : undefined);
    const header: BlockHeader = {
      slot,
      proposerIndex: this.#proposer(slot),
      parentRoot: getBytes(parent.root),
      stateRoot: new Uint8Array(32),
      bodyRoot: body.root,
    };
    const stateRoot = this.#tree.write(this.state, header, body.payloadHeader, this.#checkpoints());
    this.#record({ ...header, stateRoot }, payload, body.bytes);
    return withdrawals;
  }

  #record(sszHeader: BlockHeader, execution: ExecutionBlock, body: Uint8Array): void {
    const header = toHeader(sszHeader);
    this.history.push({
      slot: sszHeader.slot,
      root: headerRoot(header),
      header,
      sszHeader,
      execution,
      body,
      fork: this.#tree.fork,
      state: cloneState(this.state),
      node: this.#tree.node,
      summaries: this.#tree.blockRootsOfSummaries.length,
    });
  }

  async #credit(sweptGwei: SweptGwei): Promise<void> {
    const totals = new Map<Hex, bigint>();
    const add = (address: Hex, wei: bigint): void => void totals.set(address, (totals.get(address) ?? 0n) + wei);
    for (const [address, amountGwei] of sweptGwei) add(address, BigInt(amountGwei) * WEI_PER_GWEI);
    for (const [address, wei] of this.credits) add(address, wei);
    this.credits = [];
    for (const [address, wei] of totals) await this.#execution.credit(address, wei);
  }

  #checkpoints() {
    const { previousJustifiedEpoch, currentJustifiedEpoch, finalizedEpoch } = this.state;
    return {
      previousJustified: this.history.checkpointRoot(previousJustifiedEpoch),
      currentJustified: this.history.checkpointRoot(currentJustifiedEpoch),
      finalized: this.history.checkpointRoot(finalizedEpoch),
    };
  }

  /** Round robin over the active validators. */
  #proposer(slot: number): number {
    const active = this.state.validators.flatMap((validator, index) =>
      isActive(validator, epochOf(slot)) ? [index] : [],
    );
    return active[slot % Math.max(1, active.length)] ?? 0;
  }

  async #assertSameChain(): Promise<void> {
    const { number, hash } = this.history.head.execution;
    const block = await this.#execution.block(number);
    if (block?.hash !== hash) throw new Error(`execution block ${number} was reverted without the beacon noticing`);
  }
}
