/** The networks that deposits are signed for. */
import type { Hex } from "../util/hex.ts";

export interface Network {
  readonly chainId: bigint;
  /** 4 bytes: the domain of every deposit, whichever fork it is now. */
  readonly genesisForkVersion: Hex;
}

/** @source https://github.com/eth-clients (config.yaml of mainnet, hoodi, sepolia) */
export const NETWORKS = {
  mainnet: { chainId: 1n, genesisForkVersion: "0x00000000" },
  hoodi: { chainId: 560_048n, genesisForkVersion: "0x10000910" },
  sepolia: { chainId: 11_155_111n, genesisForkVersion: "0x90000069" },
} as const satisfies Readonly<Record<string, Network>>;
export type NetworkName = keyof typeof NETWORKS;

const NAMES = Object.keys(NETWORKS) as NetworkName[];

/** Undefined for a name that is none. */
export function networkNamed(name: string | undefined): Network | undefined {
  const known = NAMES.find((one) => one === name);
  return known === undefined ? undefined : NETWORKS[known];
}

/** Undefined for a network that is not public. */
export function networkOfChain(chainId: bigint): NetworkName | undefined {
  return NAMES.find((name) => NETWORKS[name].chainId === chainId);
}

/** Undefined for a network that is not public. */
export function networkOfFork(version: string): NetworkName | undefined {
  return NAMES.find((name) => NETWORKS[name].genesisForkVersion === version.toLowerCase());
}
