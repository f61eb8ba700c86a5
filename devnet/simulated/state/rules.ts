/** Network parameters (consensus-specs `configs/`), as opposed to the preset, which is always mainnet's. */
import { mainnetChainConfig } from "@lodestar/config/configs";
import { ACTIVE_PRESET, PresetName } from "@lodestar/params";

export interface Rules {
  minPerEpochChurnLimitGwei: number;
  maxPerEpochActivationExitChurnLimitGwei: number;
  churnLimitQuotient: number;
  shardCommitteePeriod: number;
  minValidatorWithdrawabilityDelay: number;
  ejectionBalanceGwei: number;
  inactivityScoreBias: number;
  inactivityScoreRecoveryRate: number;
  genesisForkVersion: Uint8Array;
  capellaForkVersion: Uint8Array;
  electraForkVersion: Uint8Array;
  fuluForkVersion: Uint8Array;
}

if (ACTIVE_PRESET !== PresetName.mainnet)
  throw new Error(`devnet needs the mainnet preset, LODESTAR_PRESET is ${ACTIVE_PRESET}`);

const config = mainnetChainConfig;

export const MAINNET_RULES: Rules = {
  minPerEpochChurnLimitGwei: config.MIN_PER_EPOCH_CHURN_LIMIT_ELECTRA,
  maxPerEpochActivationExitChurnLimitGwei: config.MAX_PER_EPOCH_ACTIVATION_EXIT_CHURN_LIMIT,
  churnLimitQuotient: config.CHURN_LIMIT_QUOTIENT,
  shardCommitteePeriod: config.SHARD_COMMITTEE_PERIOD,
  minValidatorWithdrawabilityDelay: config.MIN_VALIDATOR_WITHDRAWABILITY_DELAY,
  ejectionBalanceGwei: config.EJECTION_BALANCE,
  inactivityScoreBias: config.INACTIVITY_SCORE_BIAS,
  inactivityScoreRecoveryRate: config.INACTIVITY_SCORE_RECOVERY_RATE,
  genesisForkVersion: config.GENESIS_FORK_VERSION,
  capellaForkVersion: config.CAPELLA_FORK_VERSION,
  electraForkVersion: config.ELECTRA_FORK_VERSION,
  fuluForkVersion: config.FULU_FORK_VERSION,
};
