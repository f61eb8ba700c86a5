/**
 * When a report says `incident` (DESIGN 3.6): the correlation penalty that is still ahead of our slashed validators, as far as their operators'
 * bonds don't cover it, exceeds what our validators earn in a frame; or the chain does not finalise. A fall of the rate needs no word of the
 * committee: the contract sees it itself. Pure, whole numbers only: members must agree bit for bit.
 */
import type { StateView, ValidatorInfo } from "../beacon/types.ts";
import { SLOTS_PER_EPOCH } from "../protocol/frames.ts";
import { max, min } from "../protocol/integers.ts";
import { gwei, wei, weiToGweiDown } from "../protocol/units.ts";
import type { Gwei, Wei } from "../protocol/units.ts";
import { WholeStateNeeded } from "./layers.ts";

// consensus-specs, mainnet preset: phase0, altair, bellatrix; Electra, Fulu and Gloas change none of them
const EFFECTIVE_BALANCE_INCREMENT = 1_000_000_000n; // gwei
const PROPORTIONAL_SLASHING_MULTIPLIER = 3n;
const EPOCHS_PER_SLASHINGS_VECTOR = 8_192n;
const BASE_REWARD_FACTOR = 64n;
const MIN_EPOCHS_TO_INACTIVITY_PENALTY = 4n;

export interface OwnValidator {
  readonly operatorId: bigint;
  readonly info: ValidatorInfo;
}

export interface Finding {
  readonly incident: boolean;
  /** Of all our slashed validators whose penalty is still ahead. */
  readonly projectedPenaltyGwei: Gwei;
  /** What is left of it after each operator's bond. */
  readonly uncoveredGwei: Gwei;
  /** Undefined where no penalty is ahead: nothing is compared with it then. */
  readonly frameRewardsGwei: Gwei | undefined;
  readonly isLeaking: boolean;
}

/**
 * @param bonds of the operators of slashed validators; a missing one counts as none
 * @throws WholeStateNeeded where a validator of ours is slashed and the node did not give the sums over all validators
 */
export function findIncident(
  state: StateView,
  own: readonly OwnValidator[],
  bonds: ReadonlyMap<bigint, Wei>,
  slotsPerFrame: bigint,
): Finding {
  const epoch = BigInt(state.block.slot) / SLOTS_PER_EPOCH;
  const isLeaking = inLeak(epoch, BigInt(state.finalizedEpoch));
  const awaiting = own.filter(({ info }) => hasPenaltyAhead(info, epoch));
  if (awaiting.length === 0)
    return {
      incident: isLeaking,
      projectedPenaltyGwei: gwei(0n),
      uncoveredGwei: gwei(0n),
      frameRewardsGwei: undefined,
      isLeaking,
    };
  const { totalActiveBalanceGwei, slashingsGwei } = state;
  if (totalActiveBalanceGwei === undefined || slashingsGwei === undefined) throw new WholeStateNeeded();
  const total = max(EFFECTIVE_BALANCE_INCREMENT, totalActiveBalanceGwei);
  const penalties = new Map<bigint, bigint>();
  for (const { operatorId, info } of awaiting)
    penalties.set(operatorId, (penalties.get(operatorId) ?? 0n) + correlationPenalty(info, slashingsGwei, total));
  let projected = 0n;
  let uncovered = 0n;
  for (const [operatorId, penalty] of penalties) {
    projected += penalty;
    uncovered += max(0n, penalty - weiToGweiDown(bonds.get(operatorId) ?? wei(0n)));
  }
  const rewards = frameRewards(own, epoch, total, slotsPerFrame / SLOTS_PER_EPOCH);
  return {
    incident: isLeaking || uncovered > rewards,
    projectedPenaltyGwei: gwei(projected),
    uncoveredGwei: gwei(uncovered),
    frameRewardsGwei: gwei(rewards),
    isLeaking,
  };
}

/** Electra's `process_slashings` takes it at the end of the epoch `withdrawable_epoch - 4096`. */
export function hasPenaltyAhead(info: ValidatorInfo, epoch: bigint): boolean {
  return info.slashed && epoch + EPOCHS_PER_SLASHINGS_VECTOR / 2n <= info.withdrawableEpoch;
}

/**
 * Electra's `process_slashings`, with the sum of slashings as it is now: `min(3 * sum, total) // (total // increment)` for each increment of
 * the effective balance. Gwei.
 */
function correlationPenalty(info: ValidatorInfo, slashings: bigint, total: bigint): bigint {
  const adjusted = min(slashings * PROPORTIONAL_SLASHING_MULTIPLIER, total);
  const perIncrement = adjusted / (total / EFFECTIVE_BALANCE_INCREMENT);
  return perIncrement * (info.effectiveBalanceGwei / EFFECTIVE_BALANCE_INCREMENT);
}

/** What full performance earns: Altair's `get_base_reward` of each active validator, every epoch of a frame. Gwei, rounded down. */
function frameRewards(own: readonly OwnValidator[], epoch: bigint, total: bigint, epochs: bigint): bigint {
  const perIncrement = (EFFECTIVE_BALANCE_INCREMENT * BASE_REWARD_FACTOR) / squareRoot(total);
  let increments = 0n;
  for (const { info } of own) {
    if (info.activationEpoch <= epoch && epoch < info.exitEpoch && !info.slashed)
      increments += info.effectiveBalanceGwei / EFFECTIVE_BALANCE_INCREMENT;
  }
  return increments * perIncrement * epochs;
}

/** Altair's `is_in_inactivity_leak`. */
function inLeak(epoch: bigint, finalizedEpoch: bigint): boolean {
  return max(0n, epoch - 1n) - finalizedEpoch > MIN_EPOCHS_TO_INACTIVITY_PENALTY;
}

/** The specification's `integer_squareroot`: rounded down. */
export function squareRoot(n: bigint): bigint {
  let x = n;
  let y = (x + 1n) / 2n;
  while (y < x) {
    x = y;
    y = (x + n / x) / 2n;
  }
  return x;
}
