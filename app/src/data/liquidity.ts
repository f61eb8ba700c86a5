/** What pages read of the EtherPool. Nothing is read where the build names no Router: there is no pool then. */
import type { UseQueryResult } from "@tanstack/react-query";
import {
  ownLending,
  poolRecord,
  readEtherPool,
  readEtherPoolAccount,
  readHistory,
  readLending,
} from "../../../offchain/chain/index.ts";
import type {
  EtherPoolAccount,
  EtherPoolStatus,
  LendingKept,
  OwnLending,
  PoolRecord,
  RebaseHistory,
} from "../../../offchain/chain/index.ts";
import { useChain } from "./chain.ts";
import { useRead } from "./queries.ts";

/** Whether this deployment has a pool, as the build says. */
export function useHasPool(): boolean {
  return useChain().config.deployment.router !== undefined;
}

export function useEtherPool(): UseQueryResult<EtherPoolStatus> {
  const hasPool = useHasPool();
  return useRead(["etherPool"], hasPool ? { read: (protocol, at) => readEtherPool(protocol, { at }) } : undefined);
}

export function usePoolAccount(address: string | undefined): UseQueryResult<EtherPoolAccount> {
  const hasPool = useHasPool();
  return useRead(
    ["etherPoolAccount", address],
    address === undefined || !hasPool
      ? undefined
      : { read: (protocol, at) => readEtherPoolAccount(protocol, address, { at }) },
  );
}

export interface Lent {
  /** Undefined until there were two reports since the pool was opened. */
  readonly record: PoolRecord | undefined;
  /** Undefined where nobody is connected. */
  readonly own: OwnLending | undefined;
  /** For the next reading. */
  readonly kept: LendingKept;
  readonly history: RebaseHistory;
}

/** What lending earned: of all, and of one. */
export function useLending(address: string | undefined): UseQueryResult<Lent> {
  const hasPool = useHasPool();
  return useRead<Lent>(
    ["lending", address],
    hasPool
      ? {
          read: async (protocol, at, before) => {
            const [history, lending, account] = await Promise.all([
              readHistory(protocol, { at, ...(before === undefined ? {} : { kept: before.history }) }),
              readLending(protocol, { at, account: address, ...(before === undefined ? {} : { kept: before.kept }) }),
              address === undefined ? undefined : readEtherPoolAccount(protocol, address, { at }),
            ]);
            return {
              record: poolRecord(lending, history.items),
              own: account === undefined ? undefined : ownLending(lending, history.items, account.lp),
              kept: lending.kept,
              history,
            };
          },
        }
      : undefined,
  );
}
