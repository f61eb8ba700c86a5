import { createContext, useContext, useMemo, useSyncExternalStore } from "react";
import { VoidSigner } from "ethers";
import type { Signer } from "ethers";
import { useChain } from "../data/chain.ts";
import { WalletSigner } from "./signer.ts";
import type { WalletState, WalletStore } from "./store.ts";

export const WalletContext = createContext<WalletStore | undefined>(undefined);

export function useWalletStore(): WalletStore {
  const store = useContext(WalletContext);
  if (store === undefined) throw new Error("outside WalletContext");
  return store;
}

export interface ConnectedWallet extends WalletState {
  readonly isWrongChain: boolean;
  /** Signs and sends. */
  readonly signer: Signer | undefined;
  /** Has only the address: for estimates. */
  readonly reader: Signer | undefined;
}

export function useWallet(): ConnectedWallet {
  const { provider, chainId } = useChain();
  const store = useWalletStore();
  const state = useSyncExternalStore(store.subscribe, store.snapshot);
  const { address, active } = state;
  const signer = useMemo(
    () =>
      active === undefined || address === undefined ? undefined : new WalletSigner(active.provider, address, provider),
    [active, address, provider],
  );
  const reader = useMemo(
    () => (address === undefined ? undefined : new VoidSigner(address, provider)),
    [address, provider],
  );
  const isWrongChain = address !== undefined && state.chainId !== chainId;
  return { ...state, isWrongChain, signer, reader };
}
