/** What a transaction would cost, asked before anybody signs. */
import { skipToken, useQuery } from "@tanstack/react-query";
import type { UseQueryResult } from "@tanstack/react-query";
import type { Context, Cost, Prepared } from "../../../offchain/chain/index.ts";
import { useWallet } from "../wallet/useWallet.ts";
import { onProtocol, useChain } from "./chain.ts";

/** The error of the answer is why it would fail. */
export function useCost(
  key: readonly unknown[],
  prepare: ((context: Context) => Promise<Prepared<unknown, unknown> | undefined>) | undefined,
): UseQueryResult<Cost> {
  const chain = useChain();
  const { reader, address } = useWallet();
  return useQuery<Cost>({
    queryKey: ["read", "cost", address, ...key],
    queryFn:
      reader === undefined || prepare === undefined
        ? skipToken
        : () =>
            onProtocol(chain, async (protocol) => {
              const prepared = await prepare({ protocol, signer: reader });
              if (prepared === undefined) throw new Error("there is nothing to send");
              return prepared.estimate();
            }),
    retry: false,
    refetchInterval: 24_000,
  });
}
