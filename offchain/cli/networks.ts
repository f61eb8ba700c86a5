/** Networks by the names that `--network` and ESTUARY_NETWORK take. */
import { NETWORKS } from "../keys/networks.ts";

export const NETWORK_NAMES = ["local", "hoodi", "sepolia", "mainnet"] as const;
export type NetworkName = (typeof NETWORK_NAMES)[number];

export const LOCAL_NODE = "http://127.0.0.1:8545";

/** Undefined for a local network, which may have any. */
export function chainIdOf(network: NetworkName): bigint | undefined {
  return network === "local" ? undefined : NETWORKS[network].chainId;
}
