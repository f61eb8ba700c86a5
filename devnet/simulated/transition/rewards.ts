/**
 * Rewards and penalties of one epoch.
 *
 * A validator either performs all its duties or none. One that performs earns the whole base reward (source 14, target 26, head 14,
 * and on average sync committee 2 and proposals 8, of 64); one that does not loses source and target, as in the specification. The base
 * reward is a parameter, since a handful of validators would otherwise each earn over 100% a year.
 */
import {
  EFFECTIVE_BALANCE_INCREMENT,
  INACTIVITY_PENALTY_QUOTIENT_BELLATRIX,
  MIN_EPOCHS_TO_INACTIVITY_PENALTY,
  TIMELY_SOURCE_WEIGHT,
  TIMELY_TARGET_WEIGHT,
  WEIGHT_DENOMINATOR,
} from "@lodestar/params";
import type { Rules } from "../state/rules.ts";
import { decreaseBalance, epochOf, increaseBalance, isActive } from "../state/state.ts";
import type { CoreState, Validator } from "../state/state.ts";

const EPOCHS_PER_YEAR = (365.25 * 86_400) / (32 * 12);

/** The base reward per increment that pays about `aprBp` a year on the effective balance, rounded to a gwei. */
export function rewardPerIncrementForApr(aprBp: number): number {
  return Math.round((EFFECTIVE_BALANCE_INCREMENT * aprBp) / 10_000 / EPOCHS_PER_YEAR);
}

function isEligible(validator: Validator, previousEpoch: number): boolean {
  return isActive(validator, previousEpoch) || (validator.slashed && previousEpoch + 1 < validator.withdrawableEpoch);
}

function performs(state: CoreState, validator: Validator, index: number, previousEpoch: number): boolean {
  return isActive(validator, previousEpoch) && !validator.slashed && !state.behaviour.offline.has(index);
}

function isLeaking(state: CoreState, previousEpoch: number): boolean {
  return previousEpoch - state.finalizedEpoch > MIN_EPOCHS_TO_INACTIVITY_PENALTY;
}

/** process_inactivity_updates */
export function processInactivity(state: CoreState, rules: Rules): void {
  const previousEpoch = epochOf(state.slot) - 1;
  if (previousEpoch < 0) return;
  const leaking = isLeaking(state, previousEpoch);
  state.validators.forEach((validator, index) => {
    if (!isEligible(validator, previousEpoch)) return;
    let score = state.inactivityScores[index] ?? 0;
    if (performs(state, validator, index, previousEpoch)) score -= Math.min(1, score);
    else score += rules.inactivityScoreBias;
    if (!leaking) score -= Math.min(rules.inactivityScoreRecoveryRate, score);
    state.inactivityScores[index] = score;
  });
}

/** process_rewards_and_penalties, with the base reward of `behaviour`. */
export function processRewards(state: CoreState, rules: Rules): void {
  const previousEpoch = epochOf(state.slot) - 1;
  if (previousEpoch < 0) return;
  const leaking = isLeaking(state, previousEpoch);
  const inactivityQuotient = rules.inactivityScoreBias * INACTIVITY_PENALTY_QUOTIENT_BELLATRIX;
  state.validators.forEach((validator, index) => {
    if (!isEligible(validator, previousEpoch)) return;
    const increments = validator.effectiveBalanceGwei / EFFECTIVE_BALANCE_INCREMENT;
    const baseReward = increments * state.behaviour.rewardPerIncrementGwei;
    if (performs(state, validator, index, previousEpoch)) {
      if (!leaking) increaseBalance(state, index, baseReward);
      return;
    }
    const source = Math.floor((baseReward * TIMELY_SOURCE_WEIGHT) / WEIGHT_DENOMINATOR);
    const target = Math.floor((baseReward * TIMELY_TARGET_WEIGHT) / WEIGHT_DENOMINATOR);
    const score = BigInt(state.inactivityScores[index] ?? 0);
    const inactivity = (BigInt(validator.effectiveBalanceGwei) * score) / BigInt(inactivityQuotient);
    decreaseBalance(state, index, source + target + Number(inactivity));
  });
}
