/** process_epoch, in the specification's order; what is not modelled has no line here. */
import {
  EFFECTIVE_BALANCE_INCREMENT,
  EPOCHS_PER_SLASHINGS_VECTOR,
  FAR_FUTURE_EPOCH,
  HYSTERESIS_DOWNWARD_MULTIPLIER,
  HYSTERESIS_QUOTIENT,
  HYSTERESIS_UPWARD_MULTIPLIER,
  MIN_ACTIVATION_BALANCE,
  PROPORTIONAL_SLASHING_MULTIPLIER_BELLATRIX,
} from "@lodestar/params";
import { processPendingDeposits } from "./deposits.ts";
import type { DepositVerifier } from "./deposits.ts";
import { activationExitEpoch, initiateExit, maxEffectiveBalance, totalActiveBalance } from "./exits.ts";
import { processInactivity, processRewards } from "./rewards.ts";
import type { Rules } from "../state/rules.ts";
import { balanceAt, decreaseBalance, epochOf, isActive, updateValidator } from "../state/state.ts";
import type { CoreState } from "../state/state.ts";

export function processEpoch(state: CoreState, rules: Rules, verify: DepositVerifier): void {
  processJustification(state);
  processInactivity(state, rules);
  processRewards(state, rules);
  processRegistryUpdates(state, rules);
  processSlashings(state);
  processPendingDeposits(state, rules, verify);
  processEffectiveBalances(state);
  state.slashings.delete((epochOf(state.slot) + 1) % EPOCHS_PER_SLASHINGS_VECTOR);
}

/** Whether two thirds of the active balance vote for the epoch's target. */
function reachesQuorum(state: CoreState): boolean {
  if (state.behaviour.finalityStopped) return false;
  const epoch = epochOf(state.slot);
  let voting = 0;
  state.validators.forEach((validator, index) => {
    const votes = isActive(validator, epoch) && !validator.slashed && !state.behaviour.offline.has(index);
    if (votes) voting += validator.effectiveBalanceGwei;
  });
  return voting * 3 >= totalActiveBalance(state) * 2;
}

/** weigh_justification_and_finalization; an epoch's votes are all cast within it. */
function processJustification(state: CoreState): void {
  const epoch = epochOf(state.slot);
  const quorum = reachesQuorum(state);
  const previousQuorum = state.previousQuorum;
  state.previousQuorum = quorum;
  if (epoch <= 1) return;
  const oldPrevious = state.previousJustifiedEpoch;
  const oldCurrent = state.currentJustifiedEpoch;
  state.previousJustifiedEpoch = oldCurrent;
  const [bit0, bit1, bit2] = state.justificationBits;
  const bits: CoreState["justificationBits"] = [false, bit0, bit1, bit2];
  state.justificationBits = bits;
  if (previousQuorum) {
    state.currentJustifiedEpoch = epoch - 1;
    bits[1] = true;
  }
  if (quorum) {
    state.currentJustifiedEpoch = epoch;
    bits[0] = true;
  }
  if (bits[1] && bits[2] && bits[3] && oldPrevious + 3 === epoch) state.finalizedEpoch = oldPrevious;
  if (bits[1] && bits[2] && oldPrevious + 2 === epoch) state.finalizedEpoch = oldPrevious;
  if (bits[0] && bits[1] && bits[2] && oldCurrent + 2 === epoch) state.finalizedEpoch = oldCurrent;
  if (bits[0] && bits[1] && oldCurrent + 1 === epoch) state.finalizedEpoch = oldCurrent;
}

function processRegistryUpdates(state: CoreState, rules: Rules): void {
  const epoch = epochOf(state.slot);
  state.validators.forEach((validator, index) => {
    if (
      validator.activationEligibilityEpoch === FAR_FUTURE_EPOCH &&
      validator.effectiveBalanceGwei >= MIN_ACTIVATION_BALANCE
    ) {
      updateValidator(state, index, { activationEligibilityEpoch: epoch + 1 });
    } else if (isActive(validator, epoch) && validator.effectiveBalanceGwei <= rules.ejectionBalanceGwei) {
      initiateExit(state, rules, index);
    } else if (
      validator.activationEligibilityEpoch <= state.finalizedEpoch &&
      validator.activationEpoch === FAR_FUTURE_EPOCH
    ) {
      updateValidator(state, index, { activationEpoch: activationExitEpoch(epoch) });
    }
  });
}

/** The correlation penalty, half-way between the slashing and the withdrawable epoch. */
function processSlashings(state: CoreState): void {
  const midpoint = epochOf(state.slot) + EPOCHS_PER_SLASHINGS_VECTOR / 2;
  if (!state.validators.some((validator) => validator.slashed && validator.withdrawableEpoch === midpoint)) return;
  const total = totalActiveBalance(state);
  let slashed = 0;
  for (const gwei of state.slashings.values()) slashed += gwei;
  const adjusted = Math.min(slashed * PROPORTIONAL_SLASHING_MULTIPLIER_BELLATRIX, total);
  const perIncrement = Math.floor(adjusted / (total / EFFECTIVE_BALANCE_INCREMENT));
  state.validators.forEach((validator, index) => {
    if (!validator.slashed || validator.withdrawableEpoch !== midpoint) return;
    decreaseBalance(state, index, perIncrement * (validator.effectiveBalanceGwei / EFFECTIVE_BALANCE_INCREMENT));
  });
}

function processEffectiveBalances(state: CoreState): void {
  const increment = EFFECTIVE_BALANCE_INCREMENT / HYSTERESIS_QUOTIENT;
  const down = increment * HYSTERESIS_DOWNWARD_MULTIPLIER;
  const up = increment * HYSTERESIS_UPWARD_MULTIPLIER;
  state.validators.forEach((validator, index) => {
    const balance = balanceAt(state, index);
    const effective = validator.effectiveBalanceGwei;
    if (balance + down >= effective && effective + up >= balance) return;
    const floored = balance - (balance % EFFECTIVE_BALANCE_INCREMENT);
    const effectiveBalanceGwei = Math.min(floored, maxEffectiveBalance(validator));
    if (effectiveBalanceGwei !== effective) updateValidator(state, index, { effectiveBalanceGwei });
  });
}
