/** Networks by the names that `--network` and ESTUARY_NETWORK take. */
export const NETWORK_NAMES = ["local", "hoodi", "sepolia", "mainnet"] as const;
export type NetworkName = (typeof NETWORK_NAMES)[number];

export const LOCAL_NODE = "http://127.0.0.1:8545";

const CHAIN_IDS: Readonly<Partial<Record<NetworkName, bigint>>> = {
  mainnet: 1n,
  sepolia: 11_155_111n,
  hoodi: 560_048n,
};

/** Undefined for a local network, which may have any. */
export function chainIdOf(network: NetworkName): bigint | undefined {
  return CHAIN_IDS[network];
}
