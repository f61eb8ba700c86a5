/** A wallet as the SDK's signer: it signs and sends. Fees, limits and waiting are the page's own node's business. */
import { AbstractSigner, TypedDataEncoder, getAddress, toQuantity } from "ethers";
import type { Provider, TransactionRequest, TransactionResponse, TypedDataDomain, TypedDataField } from "ethers";
import type { Eip1193 } from "./eip1193.ts";

export class WalletSigner extends AbstractSigner {
  readonly #wallet: Eip1193;
  readonly #address: string;

  constructor(wallet: Eip1193, address: string, provider: Provider) {
    super(provider);
    this.#wallet = wallet;
    this.#address = getAddress(address);
  }

  override getAddress(): Promise<string> {
    return Promise.resolve(this.#address);
  }

  override connect(): this {
    return this;
  }

  override signTransaction(): Promise<string> {
    return Promise.reject(new Error("wallets send what they sign"));
  }

  override signMessage(): Promise<string> {
    return Promise.reject(new Error("this page asks for no signed messages"));
  }

  override async signTypedData(
    domain: TypedDataDomain,
    types: Record<string, TypedDataField[]>,
    value: Record<string, unknown>,
  ): Promise<string> {
    const payload: unknown = TypedDataEncoder.getPayload(domain, types, value);
    return this.#ask("eth_signTypedData_v4", [this.#address.toLowerCase(), JSON.stringify(payload)]);
  }

  override async sendTransaction(request: TransactionRequest): Promise<TransactionResponse> {
    return { hash: await this.sendUncheckedTransaction(request) } as unknown as TransactionResponse;
  }

  /** Only the hash is known of what the wallet sent: it may choose fees and nonce itself. By this name the SDK knows such a signer. */
  async sendUncheckedTransaction(request: TransactionRequest): Promise<string> {
    const { to, data, value, gasLimit, maxFeePerGas, maxPriorityFeePerGas } = request;
    const quantity = (name: string, amount: typeof value): Record<string, string> =>
      amount === undefined || amount === null ? {} : { [name]: toQuantity(amount) };
    return this.#ask("eth_sendTransaction", [
      {
        from: this.#address,
        to,
        data,
        ...quantity("value", value),
        ...quantity("gas", gasLimit),
        ...quantity("maxFeePerGas", maxFeePerGas),
        ...quantity("maxPriorityFeePerGas", maxPriorityFeePerGas),
      },
    ]);
  }

  async #ask(method: string, params: readonly unknown[]): Promise<string> {
    const answer = await this.#wallet.request({ method, params });
    if (typeof answer !== "string") throw new Error(`the wallet answered ${method} with no text`);
    return answer;
  }
}
