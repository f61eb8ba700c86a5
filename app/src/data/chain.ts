/** The page's own node: every read goes there, none through a wallet. */
import { useQuery } from "@tanstack/react-query";
import type { UseQueryResult } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import { ExecutionProvider, connect } from "../../../offchain/chain/index.ts";
import type { Protocol } from "../../../offchain/chain/index.ts";
import type { AppConfig } from "../configSchema.ts";

export interface Chain {
  readonly config: AppConfig;
  readonly chainId: bigint;
  readonly provider: ExecutionProvider;
}

const ANSWER_SECONDS = 15;

export function openChain(config: AppConfig): Chain {
  const chainId = BigInt(config.deployment.chainId);
  const { rpc: urls, pollSeconds } = config;
  const pollingSeconds = Math.min(4, pollSeconds);
  return {
    config,
    chainId,
    provider: new ExecutionProvider({ urls, chainId, timeoutSeconds: ANSWER_SECONDS, pollingSeconds }),
  };
}

export const ChainContext = createContext<Chain | undefined>(undefined);

export function useChain(): Chain {
  const chain = useContext(ChainContext);
  if (chain === undefined) throw new Error("outside ChainContext");
  return chain;
}

/** The contracts: found once, and checked to name each other. */
export function useProtocol(): UseQueryResult<Protocol> {
  const { config, chainId, provider } = useChain();
  return useQuery({
    queryKey: ["protocol"],
    queryFn: () => connect(provider, { ...config.deployment, chainId }),
    staleTime: Infinity,
    gcTime: Infinity,
    // a node that comes back is found again
    refetchInterval: ({ state }) => (state.data === undefined ? config.pollSeconds * 1_000 : false),
  });
}
