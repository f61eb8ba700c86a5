/**
 * Sends one transaction at a time from one account, and sees it through: a transaction that is not mined in time is replaced under the same
 * nonce at a higher price, so that never two of them can happen. Restart-safe: what an earlier process left pending has its time, then it is
 * replaced.
 */
import type { Provider, Signer, TransactionReceipt, TransactionRequest } from "ethers";
import type { Clock } from "../util/clock.ts";
import { AppError, EXIT, messageOf } from "../util/errors.ts";
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

/** Nothing was sent: gas is above the limit. */
export class TooExpensive extends Error {
  readonly feePerGas: bigint;

  constructor(feePerGas: bigint, limit: bigint) {
    super(`gas costs ${feePerGas} wei, the limit is ${limit}`);
    this.name = "TooExpensive";
    this.feePerGas = feePerGas;
  }
}

/** Nothing was sent: one that this account sent before is not mined yet, and may still be. */
export class TransactionPending extends Error {
  constructor() {
    super("a transaction is pending");
    this.name = "TransactionPending";
  }
}

export interface Price {
  /** Wei a unit of gas, like the tip. */
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
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
  async send(request: TransactionRequest, urgent: boolean, signal?: AbortSignal): Promise<TransactionReceipt> {
    if (this.#busy) throw new TransactionPending();
    this.#busy = true;
    try {
      const from = await this.address();
      const nonce = await this.#freeNonce(from);
      const gasLimit = ((await this.#provider.estimateGas({ ...request, from })) * 6n) / 5n;
      return await this.#seeThrough({ ...request, from, nonce, gasLimit }, urgent, signal);
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
    request: TransactionRequest,
    urgent: boolean,
    signal: AbortSignal | undefined,
  ): Promise<TransactionReceipt> {
    const { replacements, replaceAfter, pollSeconds } = this.#rules;
    const hashes: string[] = [];
    let price = await this.#price(urgent);
    for (let round = 0; round <= replacements; round++) {
      try {
        const { hash } = await this.#signer.sendTransaction({ ...request, ...price, type: 2 });
        hashes.push(hash);
        this.#log.info({ hash, nonce: request.nonce, ...readable(price) }, round === 0 ? "sent" : "replaced");
      } catch (error) {
        // an earlier one may have been mined meanwhile, or this one is not dear enough to replace it
        if (hashes.length === 0 && !isReplacementRefused(error)) throw error;
        this.#log.warn({ nonce: request.nonce }, `not accepted: ${messageOf(error)}`);
      }
      for (let waited = 0; waited < replaceAfter; waited += pollSeconds) {
        const receipt = await this.#receiptOf(hashes);
        if (receipt !== undefined) return receipt;
        await this.#expectFree(request, hashes);
        await this.#clock.sleep(pollSeconds, signal);
      }
      // what is sent stays sent: where the market went beyond the limit, the limit is offered
      const limit = this.#limit(urgent);
      price = dearer(price, await this.#price(urgent).catch(() => price), limit);
    }
    const receipt = await this.#receiptOf(hashes);
    if (receipt !== undefined) return receipt;
    throw new AppError(EXIT.failure, `transaction ${request.nonce} was not mined after ${replacements} replacements`);
  }

  /** @throws AppError where another transaction took the nonce: none of ours can be mined any more */
  async #expectFree({ nonce }: TransactionRequest, hashes: readonly string[]): Promise<void> {
    const from = await this.address();
    if ((await this.#provider.getTransactionCount(from, "latest")) <= Number(nonce)) return;
    // ours may have been mined between the two looks
    if ((await this.#receiptOf(hashes)) !== undefined) return;
    throw new AppError(EXIT.failure, `another transaction took nonce ${nonce} of ${from}`);
  }

  async #receiptOf(hashes: readonly string[]): Promise<TransactionReceipt | undefined> {
    for (const hash of hashes) {
      const receipt = await this.#provider.getTransactionReceipt(hash);
      if (receipt === null) continue;
      if (receipt.status === 0) throw new AppError(EXIT.failure, `transaction ${hash} failed`);
      return receipt;
    }
    return undefined;
  }

  /** @throws TooExpensive where the price of now is above the limit */
  async #price(urgent: boolean): Promise<Price> {
    const { least, wanted } = await marketPrice(this.#provider);
    const limit = this.#limit(urgent);
    if (least > limit) throw new TooExpensive(least, limit);
    const { maxFeePerGas, maxPriorityFeePerGas } = wanted;
    return { maxFeePerGas: maxFeePerGas > limit ? limit : maxFeePerGas, maxPriorityFeePerGas };
  }

  #limit(urgent: boolean): bigint {
    return urgent ? this.#rules.urgentMaxFeePerGas : this.#rules.maxFeePerGas;
  }
}

/** What a unit of gas costs in the next block, and what is offered for it: twice the base fee and a tip. */
export async function marketPrice(provider: Provider): Promise<{ readonly least: bigint; readonly wanted: Price }> {
  const [block, data] = await Promise.all([provider.getBlock("latest"), provider.getFeeData()]);
  const base = block?.baseFeePerGas ?? data.gasPrice ?? 0n;
  const tip = data.maxPriorityFeePerGas ?? 1_000_000_000n;
  return { least: base + tip, wanted: { maxFeePerGas: 2n * base + tip, maxPriorityFeePerGas: tip } };
}

/** How many of the account's transactions are mined, and how many with those that wait. */
export async function nonces(provider: Provider, account: string): Promise<{ mined: number; pending: number }> {
  const [mined, pending] = await Promise.all([
    provider.getTransactionCount(account, "latest"),
    provider.getTransactionCount(account, "pending"),
  ]);
  return { mined, pending };
}

/** At least an eighth more on both, as nodes demand of a replacement, and what the market asks now; at most the limit. */
function dearer(before: Price, now: Price, limit: bigint): Price {
  const raise = (old: bigint, market: bigint): bigint => {
    const more = old + old / 8n + 1n;
    const wanted = market > more ? market : more;
    return wanted > limit ? limit : wanted;
  };
  const maxFeePerGas = raise(before.maxFeePerGas, now.maxFeePerGas);
  const tip = raise(before.maxPriorityFeePerGas, now.maxPriorityFeePerGas);
  return { maxFeePerGas, maxPriorityFeePerGas: tip > maxFeePerGas ? maxFeePerGas : tip };
}

function isReplacementRefused(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return (
    code === "REPLACEMENT_UNDERPRICED" ||
    code === "NONCE_EXPIRED" ||
    /already known|underpriced/i.test(messageOf(error))
  );
}

function readable({ maxFeePerGas, maxPriorityFeePerGas }: Price): Record<string, string> {
  return { maxFeePerGas: String(maxFeePerGas), tip: String(maxPriorityFeePerGas) };
}
