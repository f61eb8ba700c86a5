/** `/eth/v1/node/*`, `/eth/v1/config/*` and genesis. */
import { chainConfigToJson, specValuesToJson } from "@lodestar/config";
import * as params from "@lodestar/params";
import { hexlify } from "ethers";
import type { BeaconChain } from "../chain.ts";
import { get } from "./router.ts";
import type { Route } from "./router.ts";

const VERSION = "estuary-devnet/1 (lodestar state-transition 1.46.0)";

/** Of the specification's constants, those that clients ask for beside preset and configuration. */
const CONSTANTS = [
  "BLS_WITHDRAWAL_PREFIX",
  "ETH1_ADDRESS_WITHDRAWAL_PREFIX",
  "COMPOUNDING_WITHDRAWAL_PREFIX",
  "DOMAIN_BEACON_PROPOSER",
  "DOMAIN_BEACON_ATTESTER",
  "DOMAIN_RANDAO",
  "DOMAIN_DEPOSIT",
  "DOMAIN_VOLUNTARY_EXIT",
  "DOMAIN_SELECTION_PROOF",
  "DOMAIN_AGGREGATE_AND_PROOF",
  "DOMAIN_SYNC_COMMITTEE",
  "DOMAIN_SYNC_COMMITTEE_SELECTION_PROOF",
  "DOMAIN_CONTRIBUTION_AND_PROOF",
  "DOMAIN_BLS_TO_EXECUTION_CHANGE",
  "TARGET_AGGREGATORS_PER_COMMITTEE",
  "TARGET_AGGREGATORS_PER_SYNC_SUBCOMMITTEE",
  "SYNC_COMMITTEE_SUBNET_COUNT",
  "UNSET_DEPOSIT_REQUESTS_START_INDEX",
  "FULL_EXIT_REQUEST_AMOUNT",
] as const;

/** @param isEngineOffline whether the execution client did not answer lately */
export function nodeRoutes(chain: BeaconChain, isEngineOffline: () => boolean): Route[] {
  return [
    get("/eth/v1/node/version", () => ({ json: { data: { version: VERSION } } })),
    get("/eth/v1/node/health", () => ({ status: isEngineOffline() ? 206 : 200 })),
    get("/eth/v1/node/syncing", () => ({
      json: {
        data: {
          head_slot: String(chain.head.entry.slot),
          sync_distance: "0",
          is_syncing: false,
          is_optimistic: false,
          el_offline: isEngineOffline(),
        },
      },
    })),
    get("/eth/v1/node/identity", () => ({
      json: {
        data: {
          peer_id: "",
          enr: "",
          p2p_addresses: [],
          discovery_addresses: [],
          metadata: { seq_number: "0", attnets: "0x0000000000000000", syncnets: "0x00" },
        },
      },
    })),
    get("/eth/v1/node/peers", () => ({ json: { data: [], meta: { count: 0 } } })),
    get("/eth/v1/node/peer_count", () => ({
      json: { data: { disconnected: "0", connecting: "0", connected: "0", disconnecting: "0" } },
    })),
    get("/eth/v1/beacon/genesis", () => ({
      json: {
        data: {
          genesis_time: String(chain.genesisTime),
          genesis_validators_root: hexlify(chain.config.genesisValidatorsRoot),
          genesis_fork_version: hexlify(chain.config.GENESIS_FORK_VERSION),
        },
      },
    })),
    get("/eth/v1/config/spec", () => ({ json: { data: specOf(chain) } })),
    get("/eth/v1/config/deposit_contract", () => ({
      json: {
        data: {
          chain_id: String(chain.config.DEPOSIT_CHAIN_ID),
          address: hexlify(chain.config.DEPOSIT_CONTRACT_ADDRESS),
        },
      },
    })),
    get("/eth/v1/config/fork_schedule", () => ({
      json: {
        data: Object.values(chain.config.forks)
          .filter(({ epoch }) => epoch !== Infinity)
          .map((fork) => ({
            previous_version: hexlify(fork.prevVersion),
            current_version: hexlify(fork.version),
            epoch: String(fork.epoch),
          })),
      },
    })),
  ];
}

function specOf(chain: BeaconChain): Record<string, unknown> {
  const constants = Object.fromEntries(CONSTANTS.map((name) => [name, params[name]]));
  return {
    ...params.presetToJson(params.activePreset),
    ...specValuesToJson(constants),
    ...chainConfigToJson(chain.config),
  };
}
