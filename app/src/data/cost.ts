/** What a transaction would cost, asked before anybody signs. */
import { skipToken, useQuery } from "@tanstack/react-query";
import type { UseQueryResult } from "@tanstack/react-query";
import type { Context, Cost, Prepared } from "../../../offchain/chain/index.ts";
import { useWallet } from "../wallet/useWallet.ts";
import { useProtocol } from "./chain.ts";

/** The error of the answer is why it would fail. */
export function useCost(
  key: readonly unknown[],
  prepare: ((context: Context) => Promise<Prepared<unknown, unknown> | undefined>) | undefined,
): UseQueryResult<Cost> {
  const { data: protocol } = useProtocol();
  const { reader, address } = useWallet();
  return useQuery<Cost>({
    queryKey: ["read", "cost", address, ...key],
    queryFn:
      protocol === undefined || reader === undefined || prepare === undefined
        ? skipToken
        : async () => {
            const prepared = await prepare({ protocol, signer: reader });
            if (prepared === undefined) throw new Error("there is nothing to send");
            return prepared.estimate();
          },
    retry: false,
    refetchInterval: 24_000,
  });
}
