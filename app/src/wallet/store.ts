/** Which wallets there are (EIP-6963), which one is used, and with which account on which chain. */
import { getAddress } from "ethers";
import { createStore } from "mipd";
import type { EIP6963ProviderDetail } from "mipd";
import { ALREADY_OPEN, REJECTED, UNAUTHORIZED, UNKNOWN_CHAIN, codeOf } from "./eip1193.ts";
import type { Eip1193 } from "./eip1193.ts";

export interface WalletInfo {
  readonly id: string;
  readonly name: string;
  /** A data URI; undefined where the wallet gave something else. */
  readonly icon: string | undefined;
  readonly provider: Eip1193;
}

export type ConnectProblem = "rejected" | "locked" | "already-open" | "failed";

export interface WalletState {
  readonly wallets: readonly WalletInfo[];
  readonly active: WalletInfo | undefined;
  readonly address: string | undefined;
  readonly chainId: bigint | undefined;
  readonly isConnecting: boolean;
  readonly problem: ConnectProblem | undefined;
}

export interface ChainToAdd {
  readonly chainId: bigint;
  readonly name: string;
  readonly rpc: readonly string[];
  readonly explorer: string | undefined;
}

const CHOSEN = "estuary.wallet";

export class WalletStore {
  #state: WalletState = {
    wallets: [],
    active: undefined,
    address: undefined,
    chainId: undefined,
    isConnecting: false,
    problem: undefined,
  };
  readonly #listeners = new Set<() => void>();
  #forget: (() => void) | undefined;

  constructor() {
    const discovered = createStore();
    discovered.subscribe((details) => this.#found(details), { emitImmediately: true });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): WalletState => this.#state;

  async connect(wallet: WalletInfo): Promise<void> {
    this.#set({ isConnecting: true, problem: undefined });
    try {
      const accounts = (await wallet.provider.request({ method: "eth_requestAccounts" })) as string[];
      if (accounts.length === 0) {
        this.#set({ isConnecting: false, problem: "locked" });
        return;
      }
      await this.#use(wallet, accounts);
      remember(wallet.id);
    } catch (error) {
      this.#set({ isConnecting: false, problem: problemOf(error) });
    }
  }

  disconnect(): void {
    this.#forget?.();
    remember(undefined);
    this.#set({ active: undefined, address: undefined, chainId: undefined, problem: undefined });
  }

  forgive(): void {
    this.#set({ problem: undefined });
  }

  /** Asks the wallet to go to the protocol's chain, and to add it where it does not know it. @throws what the wallet answers */
  async switchTo({ chainId, name, rpc, explorer }: ChainToAdd): Promise<void> {
    const provider = this.#state.active?.provider;
    if (provider === undefined) return;
    const id = `0x${chainId.toString(16)}`;
    try {
      await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId: id }] });
    } catch (error) {
      if (codeOf(error) !== UNKNOWN_CHAIN) throw error;
      const chain = {
        chainId: id,
        chainName: name,
        nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
        rpcUrls: rpc,
        ...(explorer === undefined ? {} : { blockExplorerUrls: [explorer] }),
      };
      await provider.request({ method: "wallet_addEthereumChain", params: [chain] });
    }
    this.#set({ chainId: await chainOf(provider) });
  }

  #found(details: readonly EIP6963ProviderDetail[]): void {
    const wallets = details.map(({ info, provider }) => ({
      id: info.rdns,
      name: info.name,
      icon: info.icon.startsWith("data:image/") ? info.icon : undefined,
      provider: provider as Eip1193,
    }));
    this.#set({ wallets });
    const chosen = wallets.find(({ id }) => id === chosenBefore());
    if (chosen !== undefined && this.#state.active === undefined) void this.#resume(chosen);
  }

  /** What was connected before the page was loaded again: without asking the person. */
  async #resume(wallet: WalletInfo): Promise<void> {
    try {
      const accounts = (await wallet.provider.request({ method: "eth_accounts" })) as string[];
      if (accounts.length > 0) await this.#use(wallet, accounts);
    } catch {
      // the person connects again
    }
  }

  async #use(wallet: WalletInfo, accounts: readonly string[]): Promise<void> {
    const { provider } = wallet;
    this.#forget?.();
    const onAccounts = (list: string[]): void => {
      const [first] = list;
      if (first === undefined) this.#set({ address: undefined, problem: "locked" });
      else this.#set({ address: getAddress(first), problem: undefined });
    };
    const onChain = (id: string): void => this.#set({ chainId: BigInt(id) });
    const onGone = (): void => this.disconnect();
    provider.on?.("accountsChanged", onAccounts);
    provider.on?.("chainChanged", onChain);
    provider.on?.("disconnect", onGone);
    this.#forget = () => {
      provider.removeListener?.("accountsChanged", onAccounts);
      provider.removeListener?.("chainChanged", onChain);
      provider.removeListener?.("disconnect", onGone);
    };
    const chainId = await chainOf(provider);
    this.#set({
      active: wallet,
      address: getAddress(accounts[0] ?? ""),
      chainId,
      isConnecting: false,
      problem: undefined,
    });
  }

  #set(change: Partial<WalletState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

async function chainOf(provider: Eip1193): Promise<bigint> {
  return BigInt((await provider.request({ method: "eth_chainId" })) as string);
}

function problemOf(error: unknown): ConnectProblem {
  switch (codeOf(error)) {
    case REJECTED:
      return "rejected";
    case UNAUTHORIZED:
      return "locked";
    case ALREADY_OPEN:
      return "already-open";
    case undefined:
    default:
      return "failed";
  }
}

function remember(id: string | undefined): void {
  try {
    if (id === undefined) localStorage.removeItem(CHOSEN);
    else localStorage.setItem(CHOSEN, id);
  } catch {
    // a browser without storage: the person connects again next time
  }
}

function chosenBefore(): string | undefined {
  try {
    return localStorage.getItem(CHOSEN) ?? undefined;
  } catch {
    return undefined;
  }
}
