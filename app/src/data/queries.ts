/** What pages read. Each is as of one block, made in one or two round trips, and read again while the page is looked at. */
import { skipToken, useQuery } from "@tanstack/react-query";
import type { UseQueryResult } from "@tanstack/react-query";
import { useEffect } from "react";
import {
  ValidatorReader,
  etherOf,
  monthAgo,
  readAll,
  readAccount,
  readHistory,
  readOperator,
  readOperatorNames,
  readOperatorValidators,
  readOutlook,
  readProtocol,
  readWithdrawals,
  rewardsOf,
} from "../../../offchain/chain/index.ts";
import type {
  AccountStatus,
  OperatorStatus,
  OperatorValidator,
  Outlook,
  OwnerRequests,
  Protocol,
  ProtocolStatus,
  RebaseEntry,
  RebaseHistory,
  RewardHistory,
  ValidatorBook,
} from "../../../offchain/chain/index.ts";
import { queryClient } from "./client.ts";
import { useChain, useProtocol } from "./chain.ts";

/** Reads with `read` once the contracts are found, and again every few seconds. */
export function useRead<T>(
  name: readonly unknown[],
  read: ((protocol: Protocol) => Promise<T>) | undefined,
  options: { readonly everySeconds?: number } = {},
): UseQueryResult<T> {
  const { config } = useChain();
  const { data: protocol, error } = useProtocol();
  const query = useQuery<T>({
    queryKey: ["read", ...name],
    queryFn: protocol === undefined || read === undefined ? skipToken : () => read(protocol),
    refetchInterval: (options.everySeconds ?? config.pollSeconds) * 1_000,
  });
  // without contracts there is nothing to read: that failure is this read's
  if (protocol === undefined && error !== null && query.data === undefined)
    return { ...query, error, isError: true, status: "error", isPending: false } as UseQueryResult<T>;
  return query;
}

export function useStatus(): UseQueryResult<ProtocolStatus> {
  return useRead(["status"], readProtocol);
}

export function useOutlook(): UseQueryResult<Outlook> {
  return useRead(["outlook"], (protocol) => readOutlook(protocol));
}

export function useAccount(address: string | undefined): UseQueryResult<AccountStatus> {
  return useRead(
    ["account", address],
    address === undefined ? undefined : (protocol) => readAccount(protocol, address),
  );
}

export type AccountKind = "plain" | "contract" | "delegated";

/** Whether an account is a contract, or one with delegated code (EIP-7702), which signs like any other. */
export function useAccountKind(address: string | undefined): UseQueryResult<AccountKind> {
  return useRead(
    ["kind", address],
    address === undefined
      ? undefined
      : async ({ provider }) => {
          const code = await provider.getCode(address);
          if (code === "0x") return "plain";
          return code.startsWith("0xef0100") ? "delegated" : "contract";
        },
    { everySeconds: 600 },
  );
}

export function useWithdrawals(owner: string | undefined): UseQueryResult<OwnerRequests> {
  return useRead(
    ["withdrawals", owner],
    owner === undefined
      ? undefined
      : (protocol) => {
          const before = queryClient.getQueryData<OwnerRequests>(["read", "withdrawals", owner]);
          return readWithdrawals(protocol, owner, before === undefined ? {} : { kept: before.kept });
        },
  );
}

/** Of the last month, or of all time. */
export function useHistory(span: "month" | "all"): UseQueryResult<RebaseHistory> {
  return useRead(["history", span], async (protocol) => {
    const kept = queryClient.getQueryData<RebaseHistory>(["read", "history", span]);
    if (kept !== undefined) return readHistory(protocol, { kept });
    return readHistory(protocol, span === "month" ? { fromBlock: await monthAgo(protocol) } : {});
  });
}

export interface Rewards {
  readonly history: readonly RebaseEntry[];
  readonly own: RewardHistory;
}

export function useRewards(address: string | undefined): UseQueryResult<Rewards> {
  return useRead(
    ["rewards", address],
    address === undefined
      ? undefined
      : async (protocol) => {
          const kept = queryClient.getQueryData<RebaseHistory>(["read", "history", "all"]);
          const history = await readHistory(protocol, kept === undefined ? {} : { kept });
          queryClient.setQueryData(["read", "history", "all"], history);
          return { history: history.items, own: await rewardsOf(protocol, address, history) };
        },
  );
}

// --- operators ---

const readers = new WeakMap<Protocol, ValidatorReader>();

function readerOf(protocol: Protocol): ValidatorReader {
  const found =
    readers.get(protocol) ?? new ValidatorReader(protocol.validators, protocol.provider, protocol.fromBlock);
  readers.set(protocol, found);
  return found;
}

export function useValidators(): UseQueryResult<ValidatorBook> {
  return useRead(["validators"], async (protocol) =>
    readerOf(protocol).bookAt(await protocol.provider.getBlockNumber()),
  );
}

export interface NamedOperator extends OperatorStatus {
  readonly name: string;
}

export function useOperators(count: number | undefined): UseQueryResult<readonly NamedOperator[]> {
  return useRead(
    ["operators", count],
    count === undefined
      ? undefined
      : async (protocol) => {
          const ids = Array.from({ length: count }, (_, index) => BigInt(index + 1));
          const [names, operators] = await Promise.all([
            ids.length === 0 ? new Map<bigint, string>() : readOperatorNames(protocol, ids),
            Promise.all(ids.map((id) => readOperator(protocol, id))),
          ]);
          return operators.map((operator) => ({ ...operator, name: names.get(operator.id) ?? "" }));
        },
  );
}

export function useOperatorValidators(id: bigint): UseQueryResult<readonly OperatorValidator[]> {
  return useRead(["operatorValidators", String(id)], async (protocol) => {
    const { items } = await readOperatorValidators(protocol, readerOf(protocol), id, { limit: 500 });
    return items;
  });
}

/** Whatever is shown is read again: after a transaction. */
export function readAgain(): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: ["read"] });
}

/** After the machine slept, or the network came back. */
export function useReadAgainWhenBack(): void {
  useEffect(() => {
    const again = (): void => void readAgain();
    window.addEventListener("online", again);
    return () => window.removeEventListener("online", again);
  }, []);
}

// --- where ether is beside the books ---

export interface Places {
  /** In the two vaults: the next report counts it. */
  readonly arrived: bigint;
  /** In the queue: of finalised requests that nobody claimed yet. */
  readonly toClaim: bigint;
}

export function usePlaces(): UseQueryResult<Places> {
  return useRead(["places"], async (protocol) => {
    const { values } = await readAll(protocol, {
      withdrawals: etherOf(protocol.withdrawalVault.target as string),
      rewards: etherOf(protocol.rewardsVault),
      queue: etherOf(protocol.queue.target as string),
    });
    return { arrived: values.withdrawals + values.rewards, toClaim: values.queue };
  });
}
