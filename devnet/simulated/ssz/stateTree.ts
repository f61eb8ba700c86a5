/**
 * The SSZ BeaconState as one persistent tree. Each block changes what differs from the block before, so that its root costs a few
 * hundred hashes and every past state stays readable at almost no memory.
 */
import type { Node } from "@chainsafe/persistent-merkle-tree";
import type { CompositeViewDU } from "@chainsafe/ssz";
import { EPOCHS_PER_HISTORICAL_VECTOR, EPOCHS_PER_SLASHINGS_VECTOR, SLOTS_PER_HISTORICAL_ROOT } from "@lodestar/params";
import { ssz } from "@lodestar/types";
import { getBytes, sha256 } from "ethers";
import type { Rules } from "../state/rules.ts";
import { epochOf } from "../state/state.ts";
import type { CoreState, PendingDeposit, Validator } from "../state/state.ts";
import "../../hasher.ts";
import { fillLeaves, ringRuns } from "./vector.ts";

export type ForkName = "electra" | "fulu";
export type StateView = CompositeViewDU<typeof ssz.electra.BeaconState>;
type FuluView = CompositeViewDU<typeof ssz.fulu.BeaconState>;

export interface BlockHeader {
  readonly slot: number;
  readonly proposerIndex: number;
  readonly parentRoot: Uint8Array;
  readonly stateRoot: Uint8Array;
  readonly bodyRoot: Uint8Array;
}

export interface Checkpoints {
  readonly previousJustified: Uint8Array;
  readonly currentJustified: Uint8Array;
  readonly finalized: Uint8Array;
}

const ROOTS_DEPTH = Math.log2(SLOTS_PER_HISTORICAL_ROOT);
const MIXES_DEPTH = Math.log2(EPOCHS_PER_HISTORICAL_VECTOR);
const ZERO_ROOT = new Uint8Array(32);

/** Hashed once a process: vectors of 65,536 entries and two sync committees, all zero. */
const blankStates = new Map<ForkName, Node>();

export class StateTree {
  readonly #rules: Rules;
  #fork: ForkName;
  #view: StateView;
  #written: Readonly<CoreState> | undefined;
  #summaries: Node[] = [];

  constructor(rules: Rules, fork: ForkName, genesisTime: number) {
    this.#rules = rules;
    this.#fork = fork;
    const version = fork === "fulu" ? rules.fuluForkVersion : rules.electraForkVersion;
    this.#view = blankState(fork);
    this.#view.genesisTime = genesisTime;
    this.#view.fork = ssz.phase0.Fork.toViewDU({ previousVersion: version, currentVersion: version, epoch: 0 });
  }

  get fork(): ForkName {
    return this.#fork;
  }

  get node(): Node {
    return this.#view.node;
  }

  /** The complete `block_roots` vectors that `historical_summaries` stand for, in order. */
  get blockRootsOfSummaries(): readonly Node[] {
    return this.#summaries;
  }

  /** process_slot for the slots from the last block's to the one before `slot`, and the upgrade if one lies between. */
  advance(slot: number, header: BlockHeader, upgradeEpoch: number | undefined): void {
    const view = this.#view;
    const blockRoot = ssz.phase0.BeaconBlockHeader.hashTreeRoot(header);
    for (const { start, end, next } of ringRuns(header.slot, slot, SLOTS_PER_HISTORICAL_ROOT)) {
      const { blockRoots, stateRoots } = ssz.electra.BeaconState.fields;
      const blocks = fillLeaves(view.blockRoots.node, ROOTS_DEPTH, start, end, blockRoot);
      const states = fillLeaves(view.stateRoots.node, ROOTS_DEPTH, start, end, header.stateRoot);
      view.blockRoots = blockRoots.getViewDU(blocks);
      view.stateRoots = stateRoots.getViewDU(states);
      if (next % SLOTS_PER_HISTORICAL_ROOT !== 0) continue;
      this.#summaries.push(blocks);
      view.historicalSummaries.push(
        ssz.capella.HistoricalSummary.toViewDU({ blockSummaryRoot: blocks.root, stateSummaryRoot: states.root }),
      );
    }
    this.#carryRandao(epochOf(header.slot), epochOf(slot));
    if (upgradeEpoch !== undefined) this.#upgrade(upgradeEpoch);
  }

  /** Writes the post-state of the block and returns its root. */
  write(state: CoreState, header: BlockHeader, payload: Uint8Array | undefined, checkpoints: Checkpoints): Uint8Array {
    const view = this.#view;
    view.slot = state.slot;
    view.latestBlockHeader = ssz.phase0.BeaconBlockHeader.toViewDU({ ...header, stateRoot: ZERO_ROOT });
    this.#mixRandao(state.slot);
    this.#writeRegistry(state);
    this.#writeQueues(state);
    this.#writeFinality(state, checkpoints);
    view.nextWithdrawalIndex = state.nextWithdrawalIndex;
    view.nextWithdrawalValidatorIndex = state.nextWithdrawalValidatorIndex;
    view.eth1DepositIndex = state.eth1DepositIndex;
    view.depositRequestsStartIndex = state.depositRequestsStartIndex;
    view.depositBalanceToConsume = BigInt(state.depositBalanceToConsumeGwei);
    view.exitBalanceToConsume = BigInt(state.exitBalanceToConsumeGwei);
    view.earliestExitEpoch = state.earliestExitEpoch;
    if (payload !== undefined) {
      view.latestExecutionPayloadHeader = ssz.electra.ExecutionPayloadHeader.deserializeToViewDU(payload);
    }
    view.commit();
    this.#written = { ...state, validators: state.validators.slice(), slashings: new Map(state.slashings) };
    return view.hashTreeRoot();
  }

  /** Only at genesis: the root that signatures' domains contain. */
  writeGenesisValidatorsRoot(): Uint8Array {
    this.#view.genesisValidatorsRoot = this.#view.validators.hashTreeRoot();
    this.#view.commit();
    return this.#view.hashTreeRoot();
  }

  /** Returns to a past state of this tree. */
  restore(node: Node, fork: ForkName, written: Readonly<CoreState>, summaries: number): void {
    this.#fork = fork;
    this.#view = ssz[fork].BeaconState.getViewDU(node) as StateView;
    this.#written = written;
    this.#summaries.length = summaries;
  }

  #carryRandao(from: number, to: number): void {
    const mix = this.#view.randaoMixes.get(from % EPOCHS_PER_HISTORICAL_VECTOR);
    let node = this.#view.randaoMixes.node;
    for (const { start, end } of ringRuns(from + 1, to + 1, EPOCHS_PER_HISTORICAL_VECTOR)) {
      node = fillLeaves(node, MIXES_DEPTH, start, end, mix);
    }
    this.#view.randaoMixes = ssz.phase0.RandaoMixes.getViewDU(node);
  }

  #mixRandao(slot: number): void {
    const position = epochOf(slot) % EPOCHS_PER_HISTORICAL_VECTOR;
    const mix = this.#view.randaoMixes.get(position);
    this.#view.randaoMixes.set(position, getBytes(sha256(Uint8Array.of(...mix, slot & 0xff))));
  }

  #upgrade(epoch: number): void {
    this.#view.commit();
    const fulu: FuluView = ssz.fulu.BeaconState.getViewDU(this.#view.node);
    fulu.proposerLookahead = ssz.fulu.ProposerLookahead.defaultViewDU();
    fulu.fork = ssz.phase0.Fork.toViewDU({
      previousVersion: this.#rules.electraForkVersion,
      currentVersion: this.#rules.fuluForkVersion,
      epoch,
    });
    fulu.commit();
    this.#fork = "fulu";
    this.#view = fulu as unknown as StateView;
  }

  #writeRegistry(state: CoreState): void {
    const view = this.#view;
    const written = this.#written;
    state.validators.forEach((validator, index) => {
      const before = written?.validators[index];
      if (before === undefined) {
        view.validators.push(ssz.phase0.Validator.toViewDU(toSszValidator(validator)));
        view.previousEpochParticipation.push(0);
        view.currentEpochParticipation.push(0);
      } else if (before !== validator) {
        view.validators.set(index, ssz.phase0.Validator.toViewDU(toSszValidator(validator)));
      }
    });
    view.balances = ssz.phase0.Balances.toViewDU(state.balancesGwei);
    view.inactivityScores = ssz.altair.InactivityScores.toViewDU(state.inactivityScores);
    const positions = new Set([...state.slashings.keys(), ...(written?.slashings.keys() ?? [])]);
    for (const position of positions) {
      const gwei = state.slashings.get(position) ?? 0;
      if (position >= EPOCHS_PER_SLASHINGS_VECTOR) throw new RangeError(`slashings has no position ${position}`);
      if (gwei !== (written?.slashings.get(position) ?? 0)) view.slashings.set(position, gwei);
    }
  }

  #writeQueues(state: CoreState): void {
    const view = this.#view;
    if (state.pendingDeposits !== this.#written?.pendingDeposits || state.pendingDeposits.length > 0) {
      view.pendingDeposits = ssz.electra.PendingDeposits.toViewDU(state.pendingDeposits.map(toSszPendingDeposit));
    }
    view.pendingPartialWithdrawals = ssz.electra.PendingPartialWithdrawals.toViewDU(
      state.pendingPartialWithdrawals.map(({ validatorIndex, amountGwei, withdrawableEpoch }) => ({
        validatorIndex,
        amount: BigInt(amountGwei),
        withdrawableEpoch,
      })),
    );
  }

  #writeFinality(state: CoreState, roots: Checkpoints): void {
    const view = this.#view;
    const checkpoint = (epoch: number, root: Uint8Array) => ssz.phase0.Checkpoint.toViewDU({ epoch, root });
    view.previousJustifiedCheckpoint = checkpoint(state.previousJustifiedEpoch, roots.previousJustified);
    view.currentJustifiedCheckpoint = checkpoint(state.currentJustifiedEpoch, roots.currentJustified);
    view.finalizedCheckpoint = checkpoint(state.finalizedEpoch, roots.finalized);
    state.justificationBits.forEach((bit, index) => view.justificationBits.set(index, bit));
  }
}

function blankState(fork: ForkName): StateView {
  let node = blankStates.get(fork);
  if (node === undefined) {
    const view = ssz[fork].BeaconState.defaultViewDU();
    view.hashTreeRoot();
    node = view.node;
    blankStates.set(fork, node);
  }
  return ssz[fork].BeaconState.getViewDU(node) as StateView;
}

function toSszValidator(validator: Validator) {
  return {
    pubkey: getBytes(validator.pubkey),
    withdrawalCredentials: getBytes(validator.withdrawalCredentials),
    effectiveBalance: validator.effectiveBalanceGwei,
    slashed: validator.slashed,
    activationEligibilityEpoch: validator.activationEligibilityEpoch,
    activationEpoch: validator.activationEpoch,
    exitEpoch: validator.exitEpoch,
    withdrawableEpoch: validator.withdrawableEpoch,
  };
}

function toSszPendingDeposit(deposit: PendingDeposit) {
  return {
    pubkey: getBytes(deposit.pubkey),
    withdrawalCredentials: getBytes(deposit.withdrawalCredentials),
    amount: deposit.amountGwei,
    signature: getBytes(deposit.signature),
    slot: deposit.slot,
  };
}
