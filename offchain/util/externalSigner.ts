/**
 * An account of an external signer that speaks JSON-RPC over HTTP: a wallet in front of a hardware device (Frame), Clef, web3signer, or a node
 * with the account unlocked. What is signed is sent by our own nodes, unless the signer only sends.
 */
import {
  AbstractSigner,
  Signature,
  Transaction,
  TransactionResponse,
  TypedDataEncoder,
  getAddress,
  toQuantity,
} from "ethers";
import type { Provider, TransactionRequest, TypedDataDomain, TypedDataField } from "ethers";
import { AppError, EXIT, messageOf } from "./errors.ts";
import { hostOf } from "./http.ts";

/** A person may have to find the device and press its buttons. */
const PATIENCE_SECONDS = 300;
/** EIP-1193: the user said no. */
const REJECTED = 4001;
/** JSON-RPC, EIP-1474 and EIP-1193: there is no such method. */
const NO_METHOD = new Set([-32_601, -32_004, 4_200]);
const NO_METHOD_TEXT =
  /unknown (method|account)|unsupported|not (found|supported|available|implemented)|does not exist/i;

type Call = readonly [method: string, params: readonly unknown[]];

interface Reply {
  readonly result?: unknown;
  readonly error?: { readonly code?: number; readonly message?: string };
}

/** The signer has none of the methods. */
class NoMethod extends AppError {}

export class ExternalSigner extends AbstractSigner<Provider> {
  readonly #url: string;
  readonly #address: string;

  /** @param provider of the chain: nonces, fees, gas and broadcasting */
  constructor(url: string, address: string, provider: Provider) {
    super(provider);
    this.#url = url;
    this.#address = getAddress(address);
  }

  override getAddress(): Promise<string> {
    return Promise.resolve(this.#address);
  }

  override connect(provider: Provider): ExternalSigner {
    return new ExternalSigner(this.#url, this.#address, provider);
  }

  override async signTypedData(
    domain: TypedDataDomain,
    types: Record<string, TypedDataField[]>,
    value: Record<string, unknown>,
  ): Promise<string> {
    const payload = TypedDataEncoder.getPayload(domain, types, value) as unknown;
    const answer = await this.#firstOf([
      ["eth_signTypedData_v4", [this.#address, JSON.stringify(payload)]],
      ["account_signTypedData", [this.#address, payload]],
      ["eth_signTypedData", [this.#address, payload]],
    ]);
    try {
      return Signature.from(answer as string).serialized;
    } catch {
      throw this.#error("the answer is not a signature");
    }
  }

  override signMessage(): Promise<string> {
    return Promise.reject(new Error("messages are never signed"));
  }

  /** @throws AppError (refused) if the signer signed another transaction, or a dearer one: a person may change it there */
  override async signTransaction(request: TransactionRequest): Promise<string> {
    const wanted = await this.#complete(request);
    const params = [asJson(wanted, this.#address)];
    const answer = await this.#firstOf([
      ["eth_signTransaction", params],
      ["account_signTransaction", params],
    ]);
    const raw = typeof answer === "string" ? answer : (answer as { raw?: unknown } | null)?.raw;
    let signed: Transaction;
    try {
      signed = Transaction.from(raw as string);
    } catch {
      throw this.#error("the answer is not a signed transaction");
    }
    const isSame = (["to", "data", "value", "nonce", "chainId"] as const).every((key) => signed[key] === wanted[key]);
    if (!isSame || signed.from !== this.#address || mostFee(signed) > mostFee(wanted))
      throw new AppError(EXIT.refused, `external signer ${hostOf(this.#url)}: it signed another transaction`);
    return signed.serialized;
  }

  override async sendTransaction(request: TransactionRequest): Promise<TransactionResponse> {
    const wanted = await this.#complete(request);
    let signed: string;
    try {
      signed = await this.signTransaction(wanted);
    } catch (error) {
      if (!(error instanceof NoMethod)) throw error;
      const hash = await this.#firstOf([["eth_sendTransaction", [asJson(wanted, this.#address)]]]);
      if (typeof hash !== "string") throw this.#error("the answer is not a transaction's hash");
      return this.#sent(hash, wanted);
    }
    return this.provider.broadcastTransaction(signed);
  }

  async #complete(request: TransactionRequest): Promise<Transaction> {
    if (request instanceof Transaction) return request;
    const { from: _, ...populated } = await this.populateTransaction(request);
    return Transaction.from(populated);
  }

  /** Our nodes may hear of it later than the signer's; its signature is not known here. */
  #sent(hash: string, transaction: Transaction): TransactionResponse {
    const { to, data, value, nonce, chainId, gasLimit, maxFeePerGas, maxPriorityFeePerGas } = transaction;
    const fees = { gasLimit, gasPrice: maxFeePerGas ?? 0n, maxFeePerGas, maxPriorityFeePerGas };
    const nowhere = { blockNumber: null, blockHash: null, index: 0, signature: Signature.from() };
    const rest = { type: transaction.type ?? 2, accessList: [], authorizationList: null };
    const from = this.#address;
    return new TransactionResponse(
      { hash, from, to, data, value, nonce, chainId, ...fees, ...rest, ...nowhere },
      this.provider,
    );
  }

  /** The answer to the first method that the signer has. */
  async #firstOf(calls: readonly Call[]): Promise<unknown> {
    let last = "";
    for (const call of calls) {
      const { result, error } = await this.#ask(call);
      if (error === undefined) return result;
      const { code, message = "" } = error;
      if (code === REJECTED || /denied|reject/i.test(message))
        throw Object.assign(new Error(message), { code: REJECTED });
      last = `${call[0]}: ${message}`;
      if (!NO_METHOD.has(code ?? 0) && !NO_METHOD_TEXT.test(message)) throw this.#error(last);
    }
    throw new NoMethod(EXIT.unavailable, this.#error(last).message);
  }

  async #ask([method, params]: Call): Promise<Reply> {
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
        signal: AbortSignal.timeout(PATIENCE_SECONDS * 1_000),
      });
      return (await response.json()) as Reply;
    } catch (error) {
      const { cause } = error as { cause?: { code?: string } };
      throw this.#error(cause?.code ?? messageOf(error));
    }
  }

  #error(message: string): AppError {
    return new AppError(EXIT.unavailable, `external signer ${hostOf(this.#url)}: ${message}`);
  }
}

function mostFee({ gasLimit, maxFeePerGas, gasPrice }: Transaction): bigint {
  return gasLimit * (maxFeePerGas ?? gasPrice ?? 0n);
}

/** As wallets take it: quantities in hexadecimal. */
function asJson(transaction: Transaction, from: string): Record<string, unknown> {
  const { to, data, value, nonce, chainId, gasLimit, maxFeePerGas, maxPriorityFeePerGas } = transaction;
  return {
    ...{ from, to, data, value: toQuantity(value), nonce: toQuantity(nonce), chainId: toQuantity(chainId) },
    gas: toQuantity(gasLimit),
    maxFeePerGas: toQuantity(maxFeePerGas ?? 0n),
    maxPriorityFeePerGas: toQuantity(maxPriorityFeePerGas ?? 0n),
  };
}
