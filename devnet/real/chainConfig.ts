/** The consensus layer's configuration: mainnet's, with every fork at genesis and the few values that would take days. */
import { createBeaconConfig, createChainForkConfig } from "@lodestar/config";
import type { BeaconConfig, ChainConfig, ChainForkConfig } from "@lodestar/config";
import { mainnetChainConfig } from "@lodestar/config/configs";
import { getBytes } from "ethers";
import { DEPOSIT_CONTRACT } from "../predeploys.ts";

export type Fork = "electra" | "fulu";

/** What a devnet is made of; the same for its whole life. */
export interface DevnetParameters {
  readonly chainId: number;
  readonly fork: Fork;
  /** Validators that the beacon node itself operates from genesis on. */
  readonly genesisValidators: number;
  /** Epochs between exit and withdrawability; 256 on mainnet. */
  readonly withdrawabilityDelay: number;
  /** BASE_REWARD_FACTOR of the preset; 64 on mainnet, where the total stake is some 17,000 times larger. */
  readonly rewardFactor: number;
}

export const DEFAULT_PARAMETERS: DevnetParameters = {
  chainId: 32_382,
  fork: "electra",
  genesisValidators: 64,
  withdrawabilityDelay: 8,
  rewardFactor: 1,
};

export const SECONDS_PER_SLOT = 12;

export function chainConfigOf(parameters: DevnetParameters): ChainConfig {
  return {
    ...mainnetChainConfig,
    CONFIG_NAME: "estuary-devnet",
    DEPOSIT_CHAIN_ID: parameters.chainId,
    DEPOSIT_NETWORK_ID: parameters.chainId,
    DEPOSIT_CONTRACT_ADDRESS: getBytes(DEPOSIT_CONTRACT),
    GENESIS_DELAY: 0,
    MIN_GENESIS_TIME: 0,
    MIN_GENESIS_ACTIVE_VALIDATOR_COUNT: parameters.genesisValidators,
    ALTAIR_FORK_EPOCH: 0,
    BELLATRIX_FORK_EPOCH: 0,
    CAPELLA_FORK_EPOCH: 0,
    DENEB_FORK_EPOCH: 0,
    ELECTRA_FORK_EPOCH: 0,
    FULU_FORK_EPOCH: parameters.fork === "fulu" ? 0 : Infinity,
    GLOAS_FORK_EPOCH: Infinity,
    BLOB_SCHEDULE: [],
    MIN_VALIDATOR_WITHDRAWABILITY_DELAY: parameters.withdrawabilityDelay,
  };
}

export function forkConfigOf(parameters: DevnetParameters): ChainForkConfig {
  return createChainForkConfig(chainConfigOf(parameters));
}

export function beaconConfigOf(parameters: DevnetParameters, genesisValidatorsRoot: Uint8Array): BeaconConfig {
  return createBeaconConfig(chainConfigOf(parameters), genesisValidatorsRoot);
}
