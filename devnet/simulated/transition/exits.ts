/** Churn and every way out: consensus-specs, electra/beacon-chain.md. */
import {
  EFFECTIVE_BALANCE_INCREMENT,
  EPOCHS_PER_SLASHINGS_VECTOR,
  FAR_FUTURE_EPOCH,
  FULL_EXIT_REQUEST_AMOUNT,
  MAX_EFFECTIVE_BALANCE_ELECTRA,
  MAX_SEED_LOOKAHEAD,
  MIN_ACTIVATION_BALANCE,
  MIN_SLASHING_PENALTY_QUOTIENT_ELECTRA,
  PENDING_PARTIAL_WITHDRAWALS_LIMIT,
} from "@lodestar/params";
import type { Rules } from "../state/rules.ts";
import { balanceAt, decreaseBalance, epochOf, isActive, updateValidator, validatorAt } from "../state/state.ts";
import type { CoreState, Hex, Validator } from "../state/state.ts";

/** An EIP-7002 request as the predeploy returns it. */
export interface WithdrawalRequest {
  readonly sourceAddress: Hex;
  readonly pubkey: Hex;
  readonly amountGwei: bigint;
}

export function hasCompoundingCredentials(validator: Validator): boolean {
  return validator.withdrawalCredentials.startsWith("0x02");
}

export function hasExecutionCredentials(validator: Validator): boolean {
  return validator.withdrawalCredentials.startsWith("0x01") || hasCompoundingCredentials(validator);
}

export function maxEffectiveBalance(validator: Validator): number {
  return hasCompoundingCredentials(validator) ? MAX_EFFECTIVE_BALANCE_ELECTRA : MIN_ACTIVATION_BALANCE;
}

export function activationExitEpoch(epoch: number): number {
  return epoch + 1 + MAX_SEED_LOOKAHEAD;
}

export function totalActiveBalance(state: CoreState): number {
  const epoch = epochOf(state.slot);
  let total = 0;
  for (const validator of state.validators) if (isActive(validator, epoch)) total += validator.effectiveBalanceGwei;
  return Math.max(EFFECTIVE_BALANCE_INCREMENT, total);
}

/** get_activation_exit_churn_limit: the balance that may enter, and as much that may leave, in one epoch. */
export function activationExitChurnLimit(state: CoreState, rules: Rules): number {
  const churn = Math.max(
    rules.minPerEpochChurnLimitGwei,
    Math.floor(totalActiveBalance(state) / rules.churnLimitQuotient),
  );
  return Math.min(rules.maxPerEpochActivationExitChurnLimitGwei, churn - (churn % EFFECTIVE_BALANCE_INCREMENT));
}

/** compute_exit_epoch_and_update_churn */
export function consumeExitChurn(state: CoreState, rules: Rules, exitBalanceGwei: number): number {
  let earliest = Math.max(state.earliestExitEpoch, activationExitEpoch(epochOf(state.slot)));
  const perEpoch = activationExitChurnLimit(state, rules);
  let toConsume = state.earliestExitEpoch < earliest ? perEpoch : state.exitBalanceToConsumeGwei;
  if (exitBalanceGwei > toConsume) {
    const additionalEpochs = Math.floor((exitBalanceGwei - toConsume - 1) / perEpoch) + 1;
    earliest += additionalEpochs;
    toConsume += additionalEpochs * perEpoch;
  }
  state.exitBalanceToConsumeGwei = toConsume - exitBalanceGwei;
  state.earliestExitEpoch = earliest;
  return earliest;
}

export function initiateExit(state: CoreState, rules: Rules, index: number): void {
  const validator = validatorAt(state, index);
  if (validator.exitEpoch !== FAR_FUTURE_EPOCH) return;
  const exitEpoch = consumeExitChurn(state, rules, validator.effectiveBalanceGwei);
  updateValidator(state, index, {
    exitEpoch,
    withdrawableEpoch: exitEpoch + rules.minValidatorWithdrawabilityDelay,
  });
}

function pendingBalanceToWithdraw(state: CoreState, index: number): number {
  let total = 0;
  for (const item of state.pendingPartialWithdrawals) if (item.validatorIndex === index) total += item.amountGwei;
  return total;
}

/** Why a validator may not start its exit now, or undefined when it may. */
export function exitObstacle(state: CoreState, rules: Rules, index: number): string | undefined {
  const validator = validatorAt(state, index);
  const epoch = epochOf(state.slot);
  if (!isActive(validator, epoch)) return "not active";
  if (validator.exitEpoch !== FAR_FUTURE_EPOCH) return "exit already initiated";
  if (epoch < validator.activationEpoch + rules.shardCommitteePeriod) {
    return `active for fewer than ${rules.shardCommitteePeriod} epochs`;
  }
  return undefined;
}

/** process_voluntary_exit; the signature is not modelled. */
export function processVoluntaryExit(state: CoreState, rules: Rules, index: number): boolean {
  if (exitObstacle(state, rules, index) !== undefined || pendingBalanceToWithdraw(state, index) > 0) return false;
  initiateExit(state, rules, index);
  return true;
}

/** process_withdrawal_request (EIP-7002): a request that does not qualify is ignored without a trace. */
export function processWithdrawalRequest(state: CoreState, rules: Rules, request: WithdrawalRequest): void {
  const isFullExit = request.amountGwei === BigInt(FULL_EXIT_REQUEST_AMOUNT);
  if (!isFullExit && state.pendingPartialWithdrawals.length >= PENDING_PARTIAL_WITHDRAWALS_LIMIT) return;
  const index = state.indexByPubkey.get(request.pubkey);
  if (index === undefined) return;
  const validator = validatorAt(state, index);
  if (!hasExecutionCredentials(validator)) return;
  if (validator.withdrawalCredentials.slice(26) !== request.sourceAddress.slice(2)) return;
  if (exitObstacle(state, rules, index) !== undefined) return;
  const pendingGwei = pendingBalanceToWithdraw(state, index);
  if (isFullExit) {
    if (pendingGwei === 0) initiateExit(state, rules, index);
    return;
  }
  const excessGwei = balanceAt(state, index) - MIN_ACTIVATION_BALANCE - pendingGwei;
  if (!hasCompoundingCredentials(validator)) return;
  if (validator.effectiveBalanceGwei < MIN_ACTIVATION_BALANCE || excessGwei <= 0) return;
  const amountGwei = request.amountGwei < BigInt(excessGwei) ? Number(request.amountGwei) : excessGwei;
  const exitEpoch = consumeExitChurn(state, rules, amountGwei);
  state.pendingPartialWithdrawals.push({
    validatorIndex: index,
    amountGwei,
    withdrawableEpoch: exitEpoch + rules.minValidatorWithdrawabilityDelay,
  });
}

export function isSlashable(validator: Validator, epoch: number): boolean {
  return !validator.slashed && validator.activationEpoch <= epoch && epoch < validator.withdrawableEpoch;
}

/** slash_validator, without the rewards of the whistleblower and the proposer. */
export function slashValidator(state: CoreState, rules: Rules, index: number): boolean {
  const epoch = epochOf(state.slot);
  if (!isSlashable(validatorAt(state, index), epoch)) return false;
  initiateExit(state, rules, index);
  const { effectiveBalanceGwei, withdrawableEpoch } = validatorAt(state, index);
  updateValidator(state, index, {
    slashed: true,
    withdrawableEpoch: Math.max(withdrawableEpoch, epoch + EPOCHS_PER_SLASHINGS_VECTOR),
  });
  const position = epoch % EPOCHS_PER_SLASHINGS_VECTOR;
  state.slashings.set(position, (state.slashings.get(position) ?? 0) + effectiveBalanceGwei);
  decreaseBalance(state, index, Math.floor(effectiveBalanceGwei / MIN_SLASHING_PENALTY_QUOTIENT_ELECTRA));
  return true;
}
