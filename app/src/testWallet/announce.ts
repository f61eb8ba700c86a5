/**
 * A wallet for people without an extension, on local chains only: it signs with the accounts of config.json, says in words what it is asked to
 * sign, and can reject. A production build has nothing of it.
 */
import { JsonRpcProvider, Wallet } from "ethers";
import type { AppConfig } from "../configSchema.ts";
import { REJECTED, UNAUTHORIZED, UNKNOWN_CHAIN } from "../wallet/eip1193.ts";
import "./style.css";
import { ask, chooseAccount } from "./prompt.ts";
import { describeTransaction, describeTypedData } from "./words.ts";

interface TypedData {
  readonly domain: Record<string, unknown>;
  readonly types: Record<string, { name: string; type: string }[]>;
  readonly message: Record<string, unknown>;
}

const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><rect width="24" height="24" rx="6" fill="#5f6b76"/><path d="M6 9h12v8H6zM8 9V6h8v3" fill="none" stroke="#fff" stroke-width="1.6"/></svg>',
)}`;
const CONNECTED = "estuary.test-wallet";

function failure(code: number, message: string): Error {
  return Object.assign(new Error(message), { code });
}

class TestWallet {
  readonly #config: AppConfig;
  readonly #node: JsonRpcProvider;
  readonly #listeners = new Map<string, Set<(...args: never[]) => void>>();
  #address: string | undefined = localStorage.getItem(CONNECTED) ?? undefined;

  constructor(config: AppConfig) {
    this.#config = config;
    this.#node = new JsonRpcProvider(config.rpc[0], config.deployment.chainId, { staticNetwork: true });
  }

  on(event: string, listener: (...args: never[]) => void): void {
    const found = this.#listeners.get(event) ?? new Set();
    found.add(listener);
    this.#listeners.set(event, found);
  }

  removeListener(event: string, listener: (...args: never[]) => void): void {
    this.#listeners.get(event)?.delete(listener);
  }

  async request({ method, params = [] }: { method: string; params?: readonly unknown[] }): Promise<unknown> {
    switch (method) {
      case "eth_requestAccounts": {
        const account = await chooseAccount(
          this.#config.accounts.map(({ name, key }) => ({ name, address: addressOf(key) })),
        );
        if (account === undefined) throw failure(REJECTED, "User rejected the request.");
        this.#address = account;
        localStorage.setItem(CONNECTED, account);
        return [account];
      }
      case "eth_accounts":
        return this.#address === undefined ? [] : [this.#address];
      case "eth_chainId":
        return `0x${this.#config.deployment.chainId.toString(16)}`;
      case "wallet_switchEthereumChain":
        if (BigInt((params[0] as { chainId: string }).chainId) === BigInt(this.#config.deployment.chainId)) return null;
        throw failure(UNKNOWN_CHAIN, "Unrecognized chain ID.");
      case "eth_sendTransaction":
        return this.#send(params[0] as Record<string, string>);
      case "eth_signTypedData_v4":
        return this.#sign(JSON.parse(params[1] as string) as TypedData);
      default:
        throw failure(4200, `${method} is not supported.`);
    }
  }

  async #send(transaction: Record<string, string>): Promise<string> {
    const wallet = this.#walletOf(transaction["from"]);
    await this.#confirm(describeTransaction(transaction));
    const { gas, from: _, ...fields } = transaction;
    const sent = await wallet.sendTransaction({ ...fields, ...(gas === undefined ? {} : { gasLimit: gas }) });
    return sent.hash;
  }

  async #sign({ domain, types, message }: TypedData): Promise<string> {
    const wallet = this.#walletOf(this.#address);
    await this.#confirm(describeTypedData(String(domain["name"]), message));
    const { EIP712Domain: _, ...own } = types;
    return wallet.signTypedData(domain, own, message);
  }

  async #confirm(lines: readonly string[]): Promise<void> {
    if (!(await ask(lines))) throw failure(REJECTED, "User rejected the request.");
  }

  #walletOf(address: string | undefined): Wallet {
    const account = this.#config.accounts.find(({ key }) => addressOf(key).toLowerCase() === address?.toLowerCase());
    if (account === undefined) throw failure(UNAUTHORIZED, "The account is not connected.");
    return new Wallet(account.key, this.#node);
  }
}

function addressOf(key: string): string {
  return new Wallet(key).address;
}

export function announceTestWallet(config: AppConfig): void {
  if (config.accounts.length === 0) return;
  const info = {
    uuid: crypto.randomUUID(),
    name: "Test wallet (local accounts)",
    icon: ICON,
    rdns: "local.estuary.test-wallet",
  };
  const detail = Object.freeze({ info, provider: new TestWallet(config) });
  const announce = (): void => {
    window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  };
  window.addEventListener("eip6963:requestProvider", announce);
  announce();
}
