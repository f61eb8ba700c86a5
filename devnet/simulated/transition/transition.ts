/** Slots and blocks over the plain state. Pure: the caller brings what the execution layer and the test asked for. */
import { SLOTS_PER_EPOCH } from "@lodestar/params";
import { processDepositRequest } from "./deposits.ts";
import type { DepositRequest, DepositVerifier } from "./deposits.ts";
import { processEpoch } from "./epoch.ts";
import { processVoluntaryExit, processWithdrawalRequest, slashValidator } from "./exits.ts";
import type { WithdrawalRequest } from "./exits.ts";
import type { Rules } from "../state/rules.ts";
import { decreaseBalance, epochOf } from "../state/state.ts";
import type { CoreState } from "../state/state.ts";
import { addSwept, processWithdrawals, skipEmptySweeps } from "./withdrawals.ts";
import type { SweptGwei, Withdrawal } from "./withdrawals.ts";

/** What a test makes happen in the next block. */
export type Operation =
  | { readonly kind: "slash"; readonly index: number }
  | { readonly kind: "exit"; readonly index: number }
  /** Not a rule of the specification: takes a balance down, for scenarios. */
  | { readonly kind: "penalise"; readonly index: number; readonly gwei: number };

export interface BlockInput {
  readonly operations: readonly Operation[];
  readonly deposits: readonly DepositRequest[];
  readonly withdrawals: readonly WithdrawalRequest[];
  readonly sweeps: boolean;
}

export interface TransitionContext {
  readonly rules: Rules;
  readonly verify: DepositVerifier;
}

/** process_slots without blocks: nothing is swept in a missed slot. */
export function processMissedSlots(state: CoreState, context: TransitionContext, target: number): void {
  while (state.slot < target) {
    const epochEnd = state.slot - (state.slot % SLOTS_PER_EPOCH) + SLOTS_PER_EPOCH;
    if (epochEnd > target) {
      state.slot = target;
      return;
    }
    state.slot = epochEnd - 1;
    processEpoch(state, context.rules, context.verify);
    state.slot = epochEnd;
  }
}

/**
 * Processes the slots up to `target` as if every one before it had a block that carries only its sweep, and adds what was swept to `swept`.
 * Balances change at the end of an epoch only, so once a sweep comes out short the rest of the epoch's are known to be empty.
 */
export function processCompressedSlots(
  state: CoreState,
  context: TransitionContext,
  target: number,
  swept: SweptGwei,
): void {
  while (state.slot + 1 < target) {
    processMissedSlots(state, context, state.slot + 1);
    let withdrawals = processWithdrawals(state);
    addSwept(swept, withdrawals);
    const lastOfEpoch = Math.min(state.slot - (state.slot % SLOTS_PER_EPOCH) + SLOTS_PER_EPOCH, target) - 1;
    while (state.slot < lastOfEpoch && (withdrawals.length > 0 || duePartials(state))) {
      state.slot += 1;
      withdrawals = processWithdrawals(state);
      addSwept(swept, withdrawals);
    }
    skipEmptySweeps(state, lastOfEpoch - state.slot);
    state.slot = lastOfEpoch;
  }
  processMissedSlots(state, context, target);
}

function duePartials(state: CoreState): boolean {
  const first = state.pendingPartialWithdrawals[0];
  return first !== undefined && first.withdrawableEpoch <= epochOf(state.slot);
}

/** process_block: withdrawals first, then operations, then the requests of the execution layer. */
export function processBlock(state: CoreState, context: TransitionContext, input: BlockInput): Withdrawal[] {
  const withdrawals = input.sweeps ? processWithdrawals(state) : [];
  for (const operation of input.operations) processOperation(state, context.rules, operation);
  for (const request of input.deposits) processDepositRequest(state, request);
  for (const request of input.withdrawals) processWithdrawalRequest(state, context.rules, request);
  return withdrawals;
}

function processOperation(state: CoreState, rules: Rules, operation: Operation): void {
  switch (operation.kind) {
    case "slash":
      slashValidator(state, rules, operation.index);
      break;
    case "exit":
      processVoluntaryExit(state, rules, operation.index);
      break;
    case "penalise":
      decreaseBalance(state, operation.index, operation.gwei);
      break;
  }
}
