/**
 * The page's own node: every read goes there, none through a wallet. A page is read in two waits: the newest block, then everything as of it,
 * while the contracts that the build names are asked whether they name each other.
 */
import { useQuery } from "@tanstack/react-query";
import type { UseQueryResult } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import { ExecutionProvider, connectAt, hasMulticall, headOf, namedProtocol } from "../../../offchain/chain/index.ts";
import type { Deployment, Head, Protocol, Source } from "../../../offchain/chain/index.ts";
import type { AppConfig } from "../configSchema.ts";
import { queryClient } from "./client.ts";

export interface Chain {
  readonly config: AppConfig;
  readonly chainId: bigint;
  readonly provider: ExecutionProvider;
  readonly deployment: Deployment;
  /** The contracts as the build names them, for what is asked before the node was asked anything; undefined where it names two only. */
  readonly named: Protocol | undefined;
}

const ANSWER_SECONDS = 15;

export function openChain(config: AppConfig): Chain {
  const chainId = BigInt(config.deployment.chainId);
  const { rpc: urls, pollSeconds } = config;
  const pollingSeconds = Math.min(4, pollSeconds);
  const provider = new ExecutionProvider({ urls, chainId, timeoutSeconds: ANSWER_SECONDS, pollingSeconds });
  const deployment = { ...config.deployment, chainId };
  return { config, chainId, provider, deployment, named: namedProtocol({ provider, multicall: false }, deployment) };
}

export const ChainContext = createContext<Chain | undefined>(undefined);

export function useChain(): Chain {
  const chain = useContext(ChainContext);
  if (chain === undefined) throw new Error("outside ChainContext");
  return chain;
}

/** What all reads stand on. */
export interface Ground {
  readonly head: Head;
  readonly source: Source;
  /** The contracts as the build names them; undefined where it names only two. */
  readonly named: Protocol | undefined;
}

function groundOptions({ provider, deployment }: Chain) {
  return {
    queryKey: ["ground"],
    queryFn: async (): Promise<Ground> => {
      const before = queryClient.getQueryData<Ground>(["ground"]);
      const [head, source] = await Promise.all([headOf(provider), before?.source ?? sourceOf(provider)]);
      return { head, source, named: before === undefined ? namedProtocol(source, deployment) : before.named };
    },
  };
}

async function sourceOf(provider: ExecutionProvider): Promise<Source> {
  return { provider, multicall: await hasMulticall(provider) };
}

/** The newest block, looked for every few seconds: a page reads again where it is another one. */
export function useGround(): UseQueryResult<Ground> {
  const chain = useChain();
  return useQuery({ ...groundOptions(chain), refetchInterval: chain.config.pollSeconds * 1_000 });
}

/** As it was found last. @throws where the node does not answer */
export function groundOf(chain: Chain): Promise<Ground> {
  return queryClient.query({ ...groundOptions(chain), staleTime: "static" });
}

/** Looks for a newer block now. */
export function findGround(): Promise<void> {
  return queryClient.refetchQueries({ queryKey: ["ground"] }, { cancelRefetch: false });
}

function protocolOptions(chain: Chain) {
  return {
    queryKey: ["protocol"],
    queryFn: async (): Promise<Protocol> => {
      const { source, head, named } = await groundOf(chain);
      const found = await connectAt(source, chain.deployment, head);
      // one object from the first reading on: what is kept of it is found again
      return named !== undefined && isSame(found, named) ? named : found;
    },
    staleTime: Infinity,
    gcTime: Infinity,
  };
}

/** The contracts: found once, and checked to name each other. */
export function useProtocol(): UseQueryResult<Protocol> {
  const chain = useChain();
  return useQuery({
    ...protocolOptions(chain),
    // a node that comes back is found again
    refetchInterval: ({ state }) => (state.data === undefined ? chain.config.pollSeconds * 1_000 : false),
  });
}

/**
 * What `use` makes of the contracts. While they are still being checked it works with those that the build names: what it made is given only if
 * they were right, and made again where one was replaced.
 * @throws ConnectError
 */
export async function onProtocol<T>(chain: Chain, use: (protocol: Protocol) => Promise<T>): Promise<T> {
  const known = queryClient.getQueryData<Protocol>(["protocol"]);
  if (known !== undefined) return use(known);
  const { named } = await groundOf(chain);
  const checking = queryClient.query({ ...protocolOptions(chain), staleTime: "static" });
  if (named === undefined) return use(await checking);
  const [made, checked] = await Promise.allSettled([use(named), checking]);
  if (checked.status === "rejected") throw checked.reason;
  if (checked.value !== named) return use(checked.value);
  if (made.status === "rejected") throw made.reason;
  return made.value;
}

function isSame(one: Protocol, other: Protocol): boolean {
  const names = ["pool", "queue", "operators", "validators", "oracle", "withdrawalVault"] as const;
  return names.every((name) => one[name].target === other[name].target);
}
