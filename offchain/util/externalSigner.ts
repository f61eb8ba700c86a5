/**
 * An account of an external signer that speaks JSON-RPC over HTTP: a wallet in front of a hardware device (Frame), Clef, web3signer, or a node
 * with the account unlocked. What is signed is checked here and sent by our own nodes, unless the signer only sends.
 */
import {
  AbstractSigner,
  Signature,
  Transaction,
  TransactionResponse,
  TypedDataEncoder,
  getAddress,
  toQuantity,
  verifyTypedData,
} from "ethers";
import type { Provider, TransactionRequest, TypedDataDomain, TypedDataField } from "ethers";
import { AppError, EXIT, NoMethod, messageOf } from "./errors.ts";
import { askHttp, hostOf, statusFailure } from "./http.ts";
import type { HttpAnswer } from "./http.ts";

/** A person may have to find the device and press its buttons. */
const PATIENCE_SECONDS = 300;
/** EIP-1193: the user said no. */
const REJECTED = 4001;
/** A no of Clef is an error -32000 "Request denied" (go-ethereum, signer/core/api.go). */
const REJECTED_TEXT = /request denied|(user|by (the )?user).*(denied|reject|cancel)|(denied|reject|cancel)\w* by/i;
/** JSON-RPC, EIP-1474, EIP-1193 and Besu's "not enabled": there is no such method. */
const NO_METHOD = new Set([-32_601, -32_004, -32_604, 4_200]);
const NO_METHOD_TEXT =
  /unknown (method|account)|unsupported|not (found|supported|available|implemented|enabled|allowed)|does not exist/i;

type Call = readonly [method: string, params: readonly unknown[]];

interface Reply {
  readonly result?: unknown;
  readonly error?: { readonly code?: number; readonly message?: string } | string | null;
}

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

  /**
   * Geth's nodes and wallets take `eth_signTypedData_v4` with JSON in a string; Clef `account_signTypedData` with an object; web3signer only
   * `eth_signTypedData`, with JSON in a string (its EthSignTypedDataResultProvider), development nodes the same with an object.
   * @throws AppError (unavailable) where the signature is none, or not this account's
   */
  override async signTypedData(
    domain: TypedDataDomain,
    types: Record<string, TypedDataField[]>,
    value: Record<string, unknown>,
  ): Promise<string> {
    const payload = TypedDataEncoder.getPayload(domain, types, value) as unknown;
    const asText = [this.#address, JSON.stringify(payload)];
    const asObject = [this.#address, payload];
    const answer = await this.#firstOf([
      ["eth_signTypedData_v4", asText],
      ["account_signTypedData", asObject],
      ["eth_signTypedData", asText],
      ["eth_signTypedData", asObject],
      ["eth_signTypedData_v4", asObject],
      ["account_signTypedData", asText],
    ]);
    let signature: string;
    let signedBy: string;
    try {
      signature = signatureIn(answer).serialized;
      signedBy = verifyTypedData(domain, types, value, signature);
    } catch {
      throw this.#error("the answer is not a signature");
    }
    if (signedBy !== this.#address)
      throw this.#error(`it signed as ${signedBy}, not as ${this.#address}, or signed something else`);
    return signature;
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
    let signed: Transaction;
    try {
      signed = Transaction.from(prefixed(fieldOf(answer, ["raw", "rawTransaction", "signedTransaction"])));
    } catch {
      throw this.#error("the answer is not a signed transaction");
    }
    if (signed.from !== null && signed.from !== this.#address)
      throw this.#refusal(`it signed as ${signed.from}, not as ${this.#address}`);
    const isSame = (["to", "data", "value", "nonce", "chainId"] as const).every((key) => signed[key] === wanted[key]);
    if (!isSame || signed.from === null || mostFee(signed) > mostFee(wanted))
      throw this.#refusal("it signed another transaction");
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

  /**
   * The answer to the first call that the signer takes: which methods it has, and with which parameters, is found out by asking. web3signer
   * passes what it does not know on to its node, whatever that says; so every refusal but a person's leads to the next call.
   */
  async #firstOf(calls: readonly Call[]): Promise<unknown> {
    const missing = new Set<string>();
    let last = "";
    let problem: string | undefined;
    for (const call of calls) {
      const [method] = call;
      if (missing.has(method)) continue;
      const { result, error } = await this.#ask(call);
      if (error === undefined || error === null) return result;
      const { code, message = "it refuses" } = typeof error === "string" ? { message: error } : error;
      if (code === REJECTED || REJECTED_TEXT.test(message))
        throw Object.assign(new Error(this.#error(message).message), { code: REJECTED });
      last = `${method}: ${message}`;
      if (NO_METHOD.has(code ?? 0) || NO_METHOD_TEXT.test(message)) missing.add(method);
      else problem ??= last;
    }
    if (problem !== undefined) throw this.#error(problem);
    throw new NoMethod(EXIT.unavailable, this.#error(last).message);
  }

  /** web3signer answers errors about the request with a status of 400. */
  async #ask([method, params]: Call): Promise<Reply> {
    let answer: HttpAnswer;
    try {
      answer = await askHttp(this.#url, "", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
        timeoutSeconds: PATIENCE_SECONDS,
        mostBytes: 2 ** 22,
      });
    } catch (error) {
      throw this.#error(messageOf(error));
    }
    try {
      const reply = JSON.parse(new TextDecoder().decode(answer.bytes)) as Reply | null;
      if (typeof reply === "object" && reply !== null && ("result" in reply || "error" in reply)) return reply;
    } catch {
      // told below
    }
    if (answer.status === 200) throw this.#error("the answer is not JSON-RPC");
    // its downstream node, or a proxy before it: the next method may not need that
    if (answer.status === 401 || answer.status === 403) throw this.#error(messageOf(statusFailure(answer)));
    return { error: { message: messageOf(statusFailure(answer)) } };
  }

  #error(message: string): AppError {
    return new AppError(EXIT.unavailable, `external signer ${hostOf(this.#url)}: ${message}`);
  }

  #refusal(message: string): AppError {
    return new AppError(EXIT.refused, `external signer ${hostOf(this.#url)}: ${message}`);
  }
}

/** In hexadecimal, of 65 bytes or 64 (EIP-2098), with any v; as r, s and v; or in a field of its own. */
function signatureIn(answer: unknown): Signature {
  const given = fieldOf(answer, ["signature", "sig", "raw"]);
  if (typeof given === "object" && given !== null) {
    const { r, s, v, yParity } = given as { r: string; s: string; v?: number | string; yParity?: number | string };
    return Signature.from({ r: prefixed(r), s: prefixed(s), v: vOf(Number(v ?? yParity)) });
  }
  return Signature.from(prefixed(given));
}

function vOf(v: number): number {
  return v < 27 ? v + 27 : v;
}

function fieldOf(answer: unknown, names: readonly string[]): unknown {
  if (typeof answer !== "object" || answer === null) return answer;
  const fields = answer as Record<string, unknown>;
  return names.map((name) => fields[name]).find((value) => value !== undefined && value !== null) ?? answer;
}

function prefixed(hex: unknown): string {
  const text = String(hex);
  return text.startsWith("0x") ? text : `0x${text}`;
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
