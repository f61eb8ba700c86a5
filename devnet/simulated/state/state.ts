/**
 * The part of the consensus state that the simulated beacon computes, in plain numbers.
 *
 * Amounts are gwei as `number`: exact up to 9 million ETH, as in Lodestar's own types. Epochs use `Infinity` for FAR_FUTURE_EPOCH, as
 * `@lodestar/types` does. Validators and queue items are immutable values: a rule replaces the element, so that keeping a past state
 * costs one shallow copy (`cloneState`) and the SSZ tree can be updated by comparing references.
 */
import { FAR_FUTURE_EPOCH, SLOTS_PER_EPOCH, UNSET_DEPOSIT_REQUESTS_START_INDEX } from "@lodestar/params";
import type { Hex } from "../../../offchain/util/hex.ts";

export type { Hex };

export interface Validator {
  readonly pubkey: Hex;
  readonly withdrawalCredentials: Hex;
  readonly effectiveBalanceGwei: number;
  readonly slashed: boolean;
  readonly activationEligibilityEpoch: number;
  readonly activationEpoch: number;
  readonly exitEpoch: number;
  readonly withdrawableEpoch: number;
}

export interface PendingDeposit {
  readonly pubkey: Hex;
  readonly withdrawalCredentials: Hex;
  readonly amountGwei: number;
  readonly signature: Hex;
  readonly slot: number;
}

export interface PendingPartialWithdrawal {
  readonly validatorIndex: number;
  readonly amountGwei: number;
  readonly withdrawableEpoch: number;
}

/** What stands in for attestations: who performs, what performing earns, and whether the network reaches its quorum. */
export interface Behaviour {
  /** Base reward per 1 ETH of effective balance and epoch, in gwei (mainnet: about 347 with 34 million ETH staked). */
  rewardPerIncrementGwei: number;
  /** Indices that do not attest. */
  offline: Set<number>;
  /** No epoch reaches a quorum while true. */
  finalityStopped: boolean;
}

export interface CoreState {
  slot: number;
  validators: Validator[];
  balancesGwei: number[];
  inactivityScores: number[];
  indexByPubkey: Map<Hex, number>;
  /** Sparse `slashings` vector: position -> gwei. */
  slashings: Map<number, number>;
  justificationBits: [boolean, boolean, boolean, boolean];
  /** Whether the previous epoch's target votes reached 2/3 while it was current. */
  previousQuorum: boolean;
  previousJustifiedEpoch: number;
  currentJustifiedEpoch: number;
  finalizedEpoch: number;
  nextWithdrawalIndex: number;
  nextWithdrawalValidatorIndex: number;
  eth1DepositIndex: number;
  depositRequestsStartIndex: bigint;
  depositBalanceToConsumeGwei: number;
  exitBalanceToConsumeGwei: number;
  earliestExitEpoch: number;
  pendingDeposits: PendingDeposit[];
  pendingPartialWithdrawals: PendingPartialWithdrawal[];
  behaviour: Behaviour;
}

export function epochOf(slot: number): number {
  return Math.floor(slot / SLOTS_PER_EPOCH);
}

export function startSlotOf(epoch: number): number {
  return epoch * SLOTS_PER_EPOCH;
}

export function isActive(validator: Validator, epoch: number): boolean {
  return validator.activationEpoch <= epoch && epoch < validator.exitEpoch;
}

export function updateValidator(state: CoreState, index: number, change: Partial<Validator>): void {
  state.validators[index] = { ...validatorAt(state, index), ...change };
}

export function validatorAt(state: CoreState, index: number): Validator {
  const validator = state.validators[index];
  if (validator === undefined) throw new RangeError(`no validator with index ${index}`);
  return validator;
}

export function balanceAt(state: CoreState, index: number): number {
  return state.balancesGwei[index] ?? 0;
}

export function increaseBalance(state: CoreState, index: number, gwei: number): void {
  state.balancesGwei[index] = balanceAt(state, index) + gwei;
}

/** Saturates at zero, as `decrease_balance` does. */
export function decreaseBalance(state: CoreState, index: number, gwei: number): void {
  state.balancesGwei[index] = Math.max(0, balanceAt(state, index) - gwei);
}

export function addValidator(state: CoreState, validator: Validator, balanceGwei: number): number {
  const index = state.validators.length;
  state.validators.push(validator);
  state.balancesGwei.push(balanceGwei);
  state.inactivityScores.push(0);
  state.indexByPubkey.set(validator.pubkey, index);
  return index;
}

export function newState(behaviour: Behaviour, depositCount: number): CoreState {
  return {
    slot: 0,
    validators: [],
    balancesGwei: [],
    inactivityScores: [],
    indexByPubkey: new Map(),
    slashings: new Map(),
    justificationBits: [false, false, false, false],
    previousQuorum: false,
    previousJustifiedEpoch: 0,
    currentJustifiedEpoch: 0,
    finalizedEpoch: 0,
    nextWithdrawalIndex: 0,
    nextWithdrawalValidatorIndex: 0,
    eth1DepositIndex: depositCount,
    depositRequestsStartIndex: UNSET_DEPOSIT_REQUESTS_START_INDEX,
    depositBalanceToConsumeGwei: 0,
    exitBalanceToConsumeGwei: 0,
    earliestExitEpoch: 0,
    pendingDeposits: [],
    pendingPartialWithdrawals: [],
    behaviour,
  };
}

export function cloneState(state: CoreState): CoreState {
  return {
    ...state,
    validators: state.validators.slice(),
    balancesGwei: state.balancesGwei.slice(),
    inactivityScores: state.inactivityScores.slice(),
    indexByPubkey: new Map(state.indexByPubkey),
    slashings: new Map(state.slashings),
    justificationBits: [...state.justificationBits],
    pendingDeposits: state.pendingDeposits.slice(),
    pendingPartialWithdrawals: state.pendingPartialWithdrawals.slice(),
    behaviour: { ...state.behaviour, offline: new Set(state.behaviour.offline) },
  };
}

export const NEW_VALIDATOR_EPOCHS = {
  activationEligibilityEpoch: FAR_FUTURE_EPOCH,
  activationEpoch: FAR_FUTURE_EPOCH,
  exitEpoch: FAR_FUTURE_EPOCH,
  withdrawableEpoch: FAR_FUTURE_EPOCH,
} as const;
