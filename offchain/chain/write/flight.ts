/**
 * A transaction on its way: one place of an account (its nonce) and all that was sent for it. Sending, replacing and waiting of oracle, keeper, SDK
 * and command line are here. It ends with whatever takes the place, ours or not; never does it take a second place.
 */
import { keccak256 } from "ethers";
import type { Provider, Signer, TransactionReceipt, TransactionResponse } from "ethers";
import { isAbort, messageOf } from "../../util/errors.ts";
import type { Clock } from "../../util/clock.ts";
import { ChainError, toChainError } from "../errors.ts";
import type { Price } from "./price.ts";
import { broadcast, isKnown, sendBy, signedBy } from "./broadcast.ts";
import type { Doubt } from "./broadcast.ts";
import { takerOf } from "./taker.ts";

export interface CallData {
  readonly to: string;
  readonly data: string;
  readonly value: bigint;
}

export type Settled =
  /** One of ours; or, repriced, the same by somebody else who has the key: a wallet, another process. It may have failed. */
  | { readonly kind: "mined" | "repriced"; readonly receipt: TransactionReceipt }
  /** Something else took the place; nothing of ours can be mined any more. `by` is undefined where it can't be found. */
  | { readonly kind: "cancelled" | "replaced"; readonly by: string | undefined };

export interface FlightOptions {
  readonly provider: Provider;
  readonly from: string;
  readonly call: CallData;
  /** The next one where undefined; a wallet of a browser chooses itself. */
  readonly nonce?: number | undefined;
  readonly clock: Clock;
  /** Seconds between two looks. */
  readonly pollSeconds: number;
}

interface Attempt {
  readonly hash: string;
  /** Signed, where the signer gives that away. */
  readonly raw: string | undefined;
}

/** Seconds after which a transaction that no node knows is handed to them again. */
const AGAIN_AFTER = 30;
/** Seconds without one successful look, after which waiting ends. */
const MOST_BLIND = 120;
/** Looks at a node that shows the place taken and not by what: another machine behind its address may be ahead. */
const UNEXPLAINED_LOOKS = 5;
/** Looks for a transaction that a node refused and may have taken all the same. */
const DOUBTFUL_LOOKS = 3;
const MOST_REFUSALS = 3;

export class Flight {
  readonly #options: FlightOptions;
  readonly #attempts: Attempt[] = [];
  #nonce: number | undefined;
  /** Nothing of ours can be mined in it or before. */
  #since: number | undefined;
  #unexplained = 0;
  /** Why the newest may have reached no node. */
  #doubt: Doubt | undefined;
  #refusals = 0;

  constructor(options: FlightOptions) {
    this.#options = options;
    this.#nonce = options.nonce;
  }

  get call(): CallData {
    return this.#options.call;
  }

  /** Undefined until a node shows what a wallet sent. */
  get nonce(): number | undefined {
    return this.#nonce;
  }

  /** In the order of sending. */
  get hashes(): readonly string[] {
    return this.#attempts.map(({ hash }) => hash);
  }

  /**
   * Signs and sends, at a price. What a node refuses though it took it, and what may have been taken when the connection broke, counts as sent.
   * @returns the hash @throws ChainError: refused by node or signer, nothing is sent
   */
  async launch(
    signer: Signer,
    { gasLimit, price, signal }: { gasLimit: bigint; price: Price; signal?: AbortSignal | undefined },
  ): Promise<string> {
    const { provider, from, call, clock, pollSeconds } = this.#options;
    const choosesNonce = "sendUncheckedTransaction" in signer;
    const [{ chainId }, block, mined, next] = await Promise.all([
      provider.getNetwork(),
      provider.getBlockNumber(),
      provider.getTransactionCount(from, "latest"),
      this.#nonce === undefined && !choosesNonce ? provider.getTransactionCount(from, "pending") : undefined,
    ]);
    this.#since ??= block;
    this.#nonce ??= next;
    if (this.#nonce !== undefined && this.#attempts.length === 0 && this.#nonce < mined)
      throw new ChainError("nonce", `nonce ${this.#nonce} of the account is used: the next is ${mined}`);
    const nonce = this.#nonce === undefined ? {} : { nonce: this.#nonce };
    const request = { ...call, ...nonce, ...price, from, gasLimit, type: 2, chainId };
    const raw = await signedBy(signer, request);
    if (raw === undefined) {
      const sent = await sendBy(signer, request);
      this.#attempts.push({ hash: sent.hash, raw });
      this.#nonce ??= sent.nonce;
      return sent.hash;
    }
    const hash = keccak256(raw);
    this.#attempts.push({ hash, raw });
    this.#doubt = await broadcast(provider, raw, hash);
    if (this.#doubt === undefined || this.#doubt.kind === "unreachable") return hash;
    const looks = this.#doubt.kind === "refused" ? 0 : DOUBTFUL_LOOKS;
    for (let look = 0; look < looks; look++) {
      await clock.sleep(pollSeconds, signal);
      if ((await isKnown(provider, hash)) || (await this.#ownReceipt()) !== undefined) {
        this.#doubt = undefined;
        return hash;
      }
    }
    throw this.#doubt.failure;
  }

  /**
   * Waits until the place is taken. Undefined where it is not in time: what was sent may still be mined.
   * @param confirmations blocks, the transaction's own included @throws ChainError (unavailable) where no node tells; the signal's reason
   */
  async wait({
    seconds,
    confirmations = 1,
    signal,
  }: {
    seconds: number;
    confirmations?: number | undefined;
    signal?: AbortSignal | undefined;
  }): Promise<Settled | undefined> {
    const { clock, pollSeconds } = this.#options;
    const start = clock.now();
    let waited = 0;
    let seen = 0;
    let again = this.#doubt === undefined ? AGAIN_AFTER : pollSeconds;
    let failure: unknown;
    for (;;) {
      signal?.throwIfAborted();
      try {
        const settled = await this.#look();
        if (settled !== undefined && (await this.#isDeep(settled, confirmations))) return settled;
        [failure, seen] = [undefined, waited];
      } catch (error) {
        if (isAbort(error) && signal?.aborted === true) throw error;
        failure = error;
      }
      if (failure === undefined && waited >= again) {
        await this.#sendAgain();
        again = waited + AGAIN_AFTER;
      }
      // looks take time too; a clock that stands still ends all the same
      waited = Math.max(waited, clock.now() - start);
      const isOver = waited >= seconds;
      if (failure !== undefined && (isOver || waited - seen >= MOST_BLIND))
        throw new ChainError(
          "unavailable",
          `${this.name} was sent; whether it is mined is not known: ${messageOf(toChainError(failure))}`,
          { cause: failure },
        );
      if (isOver) return undefined;
      await clock.sleep(pollSeconds, signal);
      waited += pollSeconds;
    }
  }

  /** For people: the newest transaction and its place. */
  get name(): string {
    const hash = this.#attempts.at(-1)?.hash ?? "nothing";
    return `transaction ${hash} (nonce ${this.#nonce ?? "unknown"})`;
  }

  async #look(): Promise<Settled | undefined> {
    const { provider, from, call } = this.#options;
    const receipt = await this.#ownReceipt();
    if (receipt !== undefined) return { kind: "mined", receipt };
    const nonce = await this.#learnNonce();
    if (nonce === undefined || (await provider.getTransactionCount(from, "latest")) <= nonce) {
      this.#unexplained = 0;
      return undefined;
    }
    // between the two looks
    const late = await this.#ownReceipt();
    if (late !== undefined) return { kind: "mined", receipt: late };
    const taker = await takerOf(provider, from, nonce, this.#since ?? 0);
    if (taker === undefined)
      return ++this.#unexplained < UNEXPLAINED_LOOKS ? undefined : { kind: "replaced", by: undefined };
    // its receipt comes later
    if (this.hashes.includes(taker.hash)) return undefined;
    if (!isSame(taker, call)) return { kind: isCancelling(taker) ? "cancelled" : "replaced", by: taker.hash };
    const other = await canonicalReceipt(provider, taker.hash);
    return other === undefined ? undefined : { kind: "repriced", receipt: other };
  }

  async #ownReceipt(): Promise<TransactionReceipt | undefined> {
    for (const { hash } of this.#attempts) {
      const receipt = await canonicalReceipt(this.#options.provider, hash);
      if (receipt !== undefined) return receipt;
    }
    return undefined;
  }

  async #learnNonce(): Promise<number | undefined> {
    for (const { hash } of this.#attempts) this.#nonce ??= (await this.#options.provider.getTransaction(hash))?.nonce;
    return this.#nonce;
  }

  async #isDeep(settled: Settled, confirmations: number): Promise<boolean> {
    if (!("receipt" in settled) || confirmations <= 1) return true;
    const head = await this.#options.provider.getBlockNumber();
    return head - settled.receipt.blockNumber + 1 >= confirmations;
  }

  /** Nodes drop what waits too long, and forget it when they restart. @throws ChainError (unavailable) where none takes what none has */
  async #sendAgain(): Promise<void> {
    const { provider } = this.#options;
    const newest = this.#attempts.at(-1);
    if (newest?.raw === undefined || (await isKnown(provider, newest.hash))) return;
    const doubt = await broadcast(provider, newest.raw, newest.hash);
    this.#refusals = doubt?.kind === "unreachable" && this.#doubt !== undefined ? this.#refusals + 1 : 0;
    if (doubt === undefined) this.#doubt = undefined;
    if (this.#refusals >= MOST_REFUSALS)
      throw new ChainError(
        "unavailable",
        `${this.name} may not have been taken by any node: ${doubt?.failure.message}`,
      );
  }
}

/** Why a place that something else took can't be ours any more. */
export function lost(flight: Flight, { kind, by }: Extract<Settled, { by: unknown }>): ChainError {
  const what =
    kind === "cancelled"
      ? `was cancelled by ${by}`
      : `was replaced by another transaction${by === undefined ? "" : `, ${by}`}`;
  return new ChainError("replaced", `${flight.name} ${what}`);
}

/** Undefined where it is not mined, or in a block that is not, or no longer, the chain's. */
async function canonicalReceipt(provider: Provider, hash: string): Promise<TransactionReceipt | undefined> {
  const receipt = await provider.getTransactionReceipt(hash);
  if (receipt === null) return undefined;
  const block = await provider.getBlock(receipt.blockNumber);
  return block?.hash === receipt.blockHash ? receipt : undefined;
}

function isSame(taker: TransactionResponse, { to, data, value }: CallData): boolean {
  return taker.to?.toLowerCase() === to.toLowerCase() && taker.data === data && taker.value === value;
}

/** As wallets do it: nothing, to oneself. */
function isCancelling({ to, from, data, value }: TransactionResponse): boolean {
  return to === from && data === "0x" && value === 0n;
}
