/**
 * Sends one transaction at a time from one account, and sees it through: a transaction that is not mined in time is replaced under the same
 * nonce at a higher price, so that never two of them can happen. Restart-safe: what an earlier process left pending has its time, then it is
 * replaced.
 */
import { resolveAddress } from "ethers";
import type { Provider, Signer, TransactionReceipt, TransactionRequest } from "ethers";
import { ChainError, toChainError } from "../chain/errors.ts";
import { Flight, lost } from "../chain/write/flight.ts";
import type { CallData, Settled } from "../chain/write/flight.ts";
import { expectFunds, gasLimitFor } from "../chain/write/funds.ts";
import { dearer, priceWithin, readMarket } from "../chain/write/price.ts";
import type { Price } from "../chain/write/price.ts";
import { min } from "../protocol/integers.ts";
import type { Clock } from "../util/clock.ts";
import { AppError, EXIT, isAbort } from "../util/errors.ts";
import type { Log } from "../util/log.ts";

export interface SenderRules {
  /** Wei per gas: above it nothing is sent. */
  readonly maxFeePerGas: bigint;
  /** Wei per gas: the same for what is urgent. */
  readonly urgentMaxFeePerGas: bigint;
  /** Seconds after which a transaction is replaced. */
  readonly replaceAfter: number;
  /** Seconds between two looks for a receipt. */
  readonly pollSeconds: number;
  /** How often one transaction may be replaced. */
  readonly replacements: number;
}

export interface SendOptions {
  /** Whether the higher limit applies. */
  readonly urgent?: boolean;
  /** Wei per gas: a limit of this transaction's own, beside the rules'. */
  readonly maxFeePerGas?: bigint | undefined;
}

/** Nothing was sent: one that this account sent before is not mined yet, and may still be. */
export class TransactionPending extends Error {
  constructor() {
    super("a transaction is pending");
    this.name = "TransactionPending";
  }
}

export class Sender {
  readonly #signer: Signer;
  readonly #provider: Provider;
  readonly #clock: Clock;
  readonly #rules: SenderRules;
  readonly #log: Log;
  #busy = false;
  /** Which nonce was seen not mined, though pending, and since when. */
  #stuck: { readonly nonce: number; readonly since: number } | undefined;

  constructor(signer: Signer, provider: Provider, clock: Clock, rules: SenderRules, log: Log) {
    this.#signer = signer;
    this.#provider = provider;
    this.#clock = clock;
    this.#rules = rules;
    this.#log = log;
  }

  async address(): Promise<string> {
    return this.#signer.getAddress();
  }

  /**
   * Estimates, sends and waits until it is mined.
   * @throws TransactionPending; TooExpensive; the node's error when the transaction would fail; AppError when it was not mined or failed
   */
  async send(
    request: TransactionRequest,
    { urgent = false, maxFeePerGas }: SendOptions = {},
    signal?: AbortSignal,
  ): Promise<TransactionReceipt> {
    if (this.#busy) throw new TransactionPending();
    this.#busy = true;
    try {
      const from = await this.address();
      const nonce = await this.#freeNonce(from);
      const { to, data, value } = request;
      const call = {
        to: await resolveAddress(to ?? "", this.#provider),
        data: data ?? "0x",
        value: BigInt(value ?? 0n),
      };
      const gasLimit = gasLimitFor(await this.#provider.estimateGas({ ...call, from }));
      const allowed = urgent ? this.#rules.urgentMaxFeePerGas : this.#rules.maxFeePerGas;
      const limit = maxFeePerGas === undefined ? allowed : min(allowed, maxFeePerGas);
      return await this.#seeThrough({ from, call, nonce, gasLimit }, limit, signal);
    } finally {
      this.#busy = false;
    }
  }

  /** The first nonce that is not mined, if nothing is pending or what is has had its time. @throws TransactionPending */
  async #freeNonce(from: string): Promise<number> {
    const { mined, pending } = await nonces(this.#provider, from);
    if (pending <= mined) {
      this.#stuck = undefined;
      return mined;
    }
    const now = this.#clock.now();
    if (this.#stuck?.nonce !== mined) this.#stuck = { nonce: mined, since: now };
    if (now - this.#stuck.since < this.#rules.replaceAfter) throw new TransactionPending();
    this.#log.warn({ nonce: mined, pending: pending - mined }, "replacing what was left pending");
    return mined;
  }

  async #seeThrough(
    { from, call, nonce, gasLimit }: { from: string; call: CallData; nonce: number; gasLimit: bigint },
    limit: bigint,
    signal: AbortSignal | undefined,
  ): Promise<TransactionReceipt> {
    const { replacements, replaceAfter, pollSeconds } = this.#rules;
    let price: Price | undefined = priceWithin(await readMarket(this.#provider), limit);
    let last = price;
    expectFunds(await this.#provider.getBalance(from), call.value, gasLimit * price.maxFeePerGas);
    const flight = new Flight({ provider: this.#provider, from, call, nonce, clock: this.#clock, pollSeconds });
    for (let round = 0; round <= replacements; round++) {
      // where the limit leaves no room for a replacement, what is sent has more time
      if (price !== undefined) {
        await this.#launch(flight, { gasLimit, price, signal });
        last = price;
      }
      const settled = await flight.wait({ seconds: replaceAfter, signal });
      if (settled !== undefined) return receiptOf(flight, settled);
      price = dearer(last, await readMarket(this.#provider).catch(() => undefined), limit);
    }
    throw new AppError(EXIT.failure, `${flight.name} was not mined after ${replacements} replacements`);
  }

  /** @throws ChainError where the first is refused for another reason than its place or price: those are waited for, and raised */
  async #launch(
    flight: Flight,
    options: { gasLimit: bigint; price: Price; signal: AbortSignal | undefined },
  ): Promise<void> {
    const isFirst = flight.hashes.length === 0;
    try {
      const hash = await flight.launch(this.#signer, options);
      const { maxFeePerGas, maxPriorityFeePerGas } = options.price;
      const fees = { maxFeePerGas: String(maxFeePerGas), tip: String(maxPriorityFeePerGas) };
      this.#log.info({ hash, nonce: flight.nonce, ...fees }, isFirst ? "sent" : "replaced");
    } catch (error) {
      if (isAbort(error)) throw error;
      const failure = toChainError(error);
      const isAboutPlace =
        failure instanceof ChainError && (failure.kind === "nonce" || failure.kind === "underpriced");
      if (isFirst && !isAboutPlace) throw error;
      this.#log.warn({ nonce: flight.nonce }, `not accepted: ${failure.message}`);
    }
  }
}

/** @throws AppError where it failed, or another transaction took its place */
function receiptOf(flight: Flight, settled: Settled): TransactionReceipt {
  if (!("receipt" in settled)) throw lost(flight, settled);
  const { receipt } = settled;
  if (receipt.status === 0) throw new AppError(EXIT.failure, `transaction ${receipt.hash} failed`);
  return receipt;
}

/** How many of the account's transactions are mined, and how many with those that wait. */
export async function nonces(provider: Provider, account: string): Promise<{ mined: number; pending: number }> {
  const [mined, pending] = await Promise.all([
    provider.getTransactionCount(account, "latest"),
    provider.getTransactionCount(account, "pending"),
  ]);
  return { mined, pending };
}
