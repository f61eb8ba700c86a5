import { createContext, useContext, useEffect, useSyncExternalStore } from "react";
import { useChain, useProtocol } from "../data/chain.ts";
import { readAgain } from "../data/queries.ts";
import type { TxRecord, TxStore } from "./store.ts";
import { isFollowed, look } from "./tracker.ts";

export const TxContext = createContext<TxStore | undefined>(undefined);

export function useTxStore(): TxStore {
  const store = useContext(TxContext);
  if (store === undefined) throw new Error("outside TxContext");
  return store;
}

/** Of one account, newest first. */
export function useTransactions(from: string | undefined): readonly TxRecord[] {
  const store = useTxStore();
  const records = useSyncExternalStore(store.subscribe, store.snapshot);
  return from === undefined ? [] : records.filter((record) => record.from.toLowerCase() === from.toLowerCase());
}

/** Once a page: follows everything that is pending, whichever page sent it. */
export function useTracking(): void {
  const store = useTxStore();
  const { config } = useChain();
  const { data: protocol } = useProtocol();
  useEffect(() => {
    if (protocol === undefined) return undefined;
    const stop = new AbortController();
    const everyMs = Math.min(4_000, config.pollSeconds * 1_000);
    const turn = async (): Promise<void> => {
      const followed = store.snapshot().filter(isFollowed);
      for (const record of followed) {
        try {
          const change = await look(protocol, record);
          if (change === undefined || stop.signal.aborted) continue;
          // what it changed is there before the page says that it is done
          if (change.state !== undefined) await readAgain();
          store.update(record.hash, change);
        } catch {
          // the node is away: asked again next time
        }
      }
      if (!stop.signal.aborted) timer = setTimeout(() => void turn(), everyMs);
    };
    let timer = setTimeout(() => void turn(), 0);
    const unsubscribe = store.subscribe(() => {
      clearTimeout(timer);
      timer = setTimeout(() => void turn(), 50);
    });
    return () => {
      stop.abort();
      clearTimeout(timer);
      unsubscribe();
    };
  }, [protocol, store, config.pollSeconds]);
}
