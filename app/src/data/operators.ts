/** What operators' pages read beside what every page reads. */
import type { UseQueryResult } from "@tanstack/react-query";
import { readOperatorRecords } from "../../../offchain/chain/index.ts";
import type { OperatorRecord } from "../../../offchain/chain/index.ts";
import { networkNamed, networkOfChain } from "../../../offchain/keys/networks.ts";
import type { Hex } from "../../../offchain/util/hex.ts";
import { useChain } from "./chain.ts";
import { useRead } from "./queries.ts";

/** Slashings and losses by operator id; who is missing has none. */
export function useRecords(): UseQueryResult<ReadonlyMap<bigint, OperatorRecord>> {
  return useRead(["records"], { read: (protocol, at) => readOperatorRecords(protocol, { at }) });
}

/** Of every key: the vault's. They never change. */
export function useCredentials(): UseQueryResult<Hex> {
  return useRead(["credentials"], {
    changes: false,
    read: async ({ validators }) => (await validators.withdrawalCredentials()) as Hex,
  });
}

export interface DepositNetwork {
  /** As the command line's `--network` takes it. */
  readonly name: string;
  readonly forkVersion: Hex;
}

/** Local networks begin with mainnet's fork version, unless the build says otherwise. */
export function useDepositNetwork(): DepositNetwork {
  const { config, chainId } = useChain();
  const name = networkOfChain(chainId);
  const forkVersion = config.genesisForkVersion ?? networkNamed(name ?? "mainnet")?.genesisForkVersion ?? "0x00000000";
  return { name: name ?? config.genesisForkVersion ?? "local", forkVersion: forkVersion as Hex };
}
