/** Accounts, transactions and the clock of a scenario: each transaction is a block, one second after the last. */
import { getAddress, id, toBeHex } from "ethers";
import type { ContractTransaction, Interface } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { steadyClock } from "../../../scripts/lib/gas/clock.ts";

const GAS = toBeHex(15_000_000);
const RICH = toBeHex(10n ** 24n);

export class Chain {
  readonly #provider: NetworkConnection["provider"];
  readonly #interfaces: Interface[] = [];
  transactions = 0;

  constructor(connection: NetworkConnection) {
    this.#provider = connection.provider;
    steadyClock(connection.provider);
  }

  /** Contracts whose errors are told by name. */
  knowErrors(interfaces: readonly Interface[]): void {
    this.#interfaces.push(...interfaces);
  }

  /** An account that sends without a key. */
  async account(name: string): Promise<string> {
    const address = nobody(name);
    await this.#provider.request({ method: "hardhat_impersonateAccount", params: [address] });
    await this.#provider.request({ method: "hardhat_setBalance", params: [address, RICH] });
    return address;
  }

  /** Mines a transaction. Returns its time. @throws with the name of the contract's error */
  async send(from: string, prepared: Promise<ContractTransaction>, value = 0n): Promise<bigint> {
    const { to, data } = await prepared;
    const transaction = { from, to, data, value: toBeHex(value), gas: GAS };
    try {
      await this.#provider.request({ method: "eth_sendTransaction", params: [transaction] });
    } catch (error) {
      throw new Error(this.#nameOf(error), { cause: error });
    }
    this.transactions++;
    return this.now();
  }

  /** The name of the error with which a call is refused; undefined if it is not. */
  async refusal(from: string, prepared: Promise<ContractTransaction>, value = 0n): Promise<string | undefined> {
    const { to, data } = await prepared;
    try {
      const call = { from, to, data, value: toBeHex(value), gas: GAS };
      await this.#provider.request({ method: "eth_call", params: [call, "latest"] });
      return undefined;
    } catch (error) {
      return this.#nameOf(error);
    }
  }

  async now(): Promise<bigint> {
    const params = ["latest", false];
    const block = await this.#provider.request({ method: "eth_getBlockByNumber", params });
    return BigInt((block as { timestamp: string }).timestamp);
  }

  async etherOf(account: string, block?: number): Promise<bigint> {
    const params = [account, block === undefined ? "latest" : `0x${block.toString(16)}`];
    return BigInt((await this.#provider.request({ method: "eth_getBalance", params })) as string);
  }

  #nameOf(error: unknown): string {
    const { data } = error as { data?: string | { data?: string } };
    const bytes = typeof data === "string" ? data : data?.data;
    if (bytes === undefined) return String(error);
    for (const known of this.#interfaces) {
      const parsed = known.parseError(bytes);
      if (parsed !== null) return parsed.name;
    }
    return bytes;
  }
}

/** An address of nobody in particular. */
export function nobody(name: string): string {
  return getAddress(`0x${id(name).slice(-40)}`);
}
