/** What pages read, each as of one block: the same one, as far as a page is read at once. */
import { skipToken, useQuery } from "@tanstack/react-query";
import type { UseQueryResult } from "@tanstack/react-query";
import { useEffect } from "react";
import {
  NOTHING_KEPT,
  ValidatorReader,
  etherOf,
  firstOperators,
  firstWithdrawals,
  monthAgo,
  readAll,
  readAccount,
  readHistory,
  readOperatorValidators,
  readOperators,
  readOutlook,
  readProtocol,
  readRewards,
  readWithdrawals,
} from "../../../offchain/chain/index.ts";
import type {
  AccountStatus,
  Head,
  NamedOperator,
  OperatorList,
  OperatorValidator,
  Outlook,
  OwnerRequests,
  Protocol,
  ProtocolStatus,
  RebaseEntry,
  RebaseHistory,
  RewardReading,
  ValidatorBook,
} from "../../../offchain/chain/index.ts";
import { queryClient } from "./client.ts";
import { findGround, groundOf, onProtocol, useChain, useGround } from "./chain.ts";
import type { Chain } from "./chain.ts";

/** What was read, and as of which block. */
interface Reading<T> {
  readonly at: Head;
  readonly value: T;
}

interface Reader<T, First> {
  /** @param before what it gave last @param first of `first` */
  readonly read: (protocol: Protocol, at: Head, before: T | undefined, first: First | undefined) => Promise<T>;
  /** Of what nothing was read so far: asked together with the newest block. */
  readonly first?: (named: Protocol) => Promise<First | undefined>;
  /** Whether it may be another one in the next block. Default true. */
  readonly changes?: boolean;
}

/** Read once the page needs it, and again as of each new block; what was read stays where a later reading fails. */
export function useRead<T, First = undefined>(
  name: readonly unknown[],
  reader: Reader<T, First> | undefined,
): UseQueryResult<T> {
  const chain = useChain();
  const ground = useGround();
  const queryKey = ["read", ...name];
  const everyMs = chain.config.pollSeconds * 1_000;
  const query = useQuery<Reading<T>>({
    queryKey,
    queryFn: reader === undefined ? skipToken : () => readWith(chain, queryKey, reader),
    staleTime: reader?.changes === false ? 60 * everyMs : Infinity,
    // a node that comes back is found again
    refetchInterval: ({ state }) => (state.status === "error" ? everyMs : false),
  });
  const { data, isFetching, isError, refetch } = query;
  const head = ground.data?.head;
  const isBehind = data !== undefined && head !== undefined && data.at.hash !== head.hash;
  const isDue = isBehind && reader !== undefined && reader.changes !== false && !isFetching && !isError;
  useEffect(() => {
    if (isDue) void refetch({ cancelRefetch: false });
  }, [isDue, refetch]);
  // where the newest block can't be found out, whatever is shown is of an older one
  const error = query.error ?? (data === undefined ? null : ground.error);
  const again: UseQueryResult<T>["refetch"] = async (options) => {
    const result = await refetch(options);
    return { ...result, data: result.data?.value } as Awaited<ReturnType<UseQueryResult<T>["refetch"]>>;
  };
  return { ...query, data: data?.value, error, isError: error !== null, refetch: again } as UseQueryResult<T>;
}

async function readWith<T, First>(
  chain: Chain,
  queryKey: readonly unknown[],
  { read, first }: Reader<T, First>,
): Promise<Reading<T>> {
  const before = queryClient.getQueryData<Reading<T>>(queryKey)?.value;
  const beginning = before === undefined && chain.named !== undefined ? first?.(chain.named) : undefined;
  const [begun, { head: at }] = await Promise.all([beginning, groundOf(chain)]);
  return { at, value: await onProtocol(chain, (protocol) => read(protocol, at, before, begun)) };
}

function keptHistory(span: "month" | "all"): RebaseHistory | undefined {
  return queryClient.getQueryData<Reading<RebaseHistory>>(["read", "history", span])?.value;
}

export function useStatus(): UseQueryResult<ProtocolStatus> {
  return useRead(["status"], { read: (protocol, at) => readProtocol(protocol, { at }) });
}

export function useOutlook(): UseQueryResult<Outlook> {
  return useRead(["outlook"], { read: (protocol, at) => readOutlook(protocol, { at }) });
}

export function useAccount(address: string | undefined): UseQueryResult<AccountStatus> {
  return useRead(
    ["account", address],
    address === undefined ? undefined : { read: (protocol, at) => readAccount(protocol, address, { at }) },
  );
}

export type AccountKind = "plain" | "contract" | "delegated";

/** Whether an account is a contract, or one with delegated code (EIP-7702), which signs like any other. */
export function useAccountKind(address: string | undefined): UseQueryResult<AccountKind> {
  return useRead(
    ["kind", address],
    address === undefined
      ? undefined
      : {
          changes: false,
          read: async ({ provider }) => {
            const code = await provider.getCode(address);
            if (code === "0x") return "plain";
            return code.startsWith("0xef0100") ? "delegated" : "contract";
          },
        },
  );
}

/** More requests than that are shown by their first ones before all are read. */
const FIRST_REQUESTS = 100;
const PAINT_MS = 250;

export function useWithdrawals(owner: string | undefined): UseQueryResult<OwnerRequests> {
  const name = ["withdrawals", owner];
  return useRead(
    name,
    owner === undefined
      ? undefined
      : {
          first: (named) => firstWithdrawals(named, owner),
          read: async (protocol, at, before, first) => {
            const options = { at: first?.at ?? at, before: before ?? first?.before };
            if (before === undefined && (first?.before?.kept.items.length ?? 0) > FIRST_REQUESTS) {
              const value = await readWithdrawals(protocol, owner, { ...options, most: FIRST_REQUESTS });
              queryClient.setQueryData<Reading<OwnerRequests>>(["read", ...name], { at, value });
              // drawn before the rest is asked for
              await new Promise((resolve) => setTimeout(resolve, PAINT_MS));
            }
            return readWithdrawals(protocol, owner, options);
          },
        },
  );
}

/** Of the last month, or of all time. */
export function useHistory(span: "month" | "all"): UseQueryResult<RebaseHistory> {
  return useRead(["history", span], {
    read: async (protocol, at, before) => {
      if (before !== undefined) return readHistory(protocol, { at, kept: before });
      return readHistory(protocol, span === "month" ? { at, fromBlock: await monthAgo(protocol, { at }) } : { at });
    },
  });
}

export interface Rewards extends Omit<RewardReading, "history"> {
  readonly history: readonly RebaseEntry[];
  readonly kept: RebaseHistory;
}

/** With all of the history, or that of the last month. */
export function useRewards(address: string | undefined, span: "month" | "all" = "all"): UseQueryResult<Rewards> {
  return useRead<Rewards>(
    ["rewards", address, span],
    address === undefined
      ? undefined
      : {
          read: async (protocol, at, before) => {
            const history = before?.kept ?? keptHistory(span);
            const { history: all, ...reading } = await readRewards(protocol, address, {
              at,
              ...(span === "month" ? { fromBlock: await monthAgo(protocol, { at }) } : {}),
              ...(history === undefined ? {} : { history }),
              ...(before === undefined ? {} : { movements: before.movements }),
            });
            return { ...reading, history: all.items, kept: all };
          },
        },
  );
}

// --- operators ---

const readers = new WeakMap<Protocol, ValidatorReader>();

function readerOf(protocol: Protocol): ValidatorReader {
  const found =
    readers.get(protocol) ??
    new ValidatorReader(
      protocol.validators,
      protocol.provider,
      protocol.fromBlock,
      protocol.operators.target as string,
    );
  readers.set(protocol, found);
  return found;
}

export function useValidators(): UseQueryResult<ValidatorBook> {
  return useRead(["validators"], { read: (protocol, at) => readerOf(protocol).bookAt(at.number, { at }) });
}

export function useOperators(): UseQueryResult<readonly NamedOperator[]> {
  const query = useRead(["operators"], {
    first: firstOperators,
    read: (protocol, at, before: OperatorList | undefined, first) =>
      readOperators(protocol, { at: first?.at ?? at, kept: before?.kept ?? first?.kept ?? NOTHING_KEPT }),
  });
  return { ...query, data: query.data?.operators } as UseQueryResult<readonly NamedOperator[]>;
}

export function useOperatorValidators(id: bigint): UseQueryResult<readonly OperatorValidator[]> {
  return useRead(["operatorValidators", String(id)], {
    read: async (protocol, at) =>
      (await readOperatorValidators(protocol, readerOf(protocol), id, { at, limit: 500 })).items,
  });
}

/** Whatever is shown is read again: after a transaction. */
export async function readAgain(): Promise<void> {
  await findGround();
  await queryClient.invalidateQueries({ queryKey: ["read"] }, { cancelRefetch: false });
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
  return useRead(["places"], {
    read: async (protocol, at) => {
      const calls = {
        withdrawals: etherOf(protocol.withdrawalVault.target as string),
        rewards: etherOf(protocol.rewardsVault),
        queue: etherOf(protocol.queue.target as string),
      };
      const { values } = await readAll(protocol, calls, at);
      return { arrived: values.withdrawals + values.rewards, toClaim: values.queue };
    },
  });
}
