/** One turn after the other: read, plan, and do what the plan says, one transaction at a time. */
import { ZeroAddress, formatEther } from "ethers";
import type { TransactionReceipt } from "ethers";
import { AppError, isAbort } from "../util/errors.ts";
import type { ValidatorEntry } from "../chain/validatorBook.ts";
import { TooExpensive } from "../chain/write/price.ts";
import type { Clock } from "../util/clock.ts";
import type { Hex } from "../util/hex.ts";
import type { Log } from "../util/log.ts";
import { backoff } from "../util/retry.ts";
import type { KeeperMetrics } from "./metrics.ts";
import { ACTION_KINDS, MAX_BATCH } from "./actions.ts";
import type { Action, ActionKind, Reason, Rules } from "./actions.ts";
import { ProfitBook, days, tiedUp } from "./arbitrage.ts";
import type { Trading } from "./arbitrage.ts";
import { planActions } from "./plan.ts";
import type { Plan } from "./plan.ts";
import { Proofs, requestFor } from "./requests.ts";
import { refusalOf } from "./reverts.ts";
import { TransactionPending } from "./sender.ts";
import type { Sender } from "./sender.ts";
import { readSnapshot } from "./snapshot.ts";
import type { Snapshot, Sources } from "./snapshot.ts";
import type { TradingReader } from "./trading.ts";

export interface KeeperOptions {
  readonly sources: Sources;
  /** Without one nothing is sent: a dry run, which simulates. */
  readonly sender: Sender | undefined;
  /** Whose transactions a dry run simulates; nobody's in particular where undefined. */
  readonly account?: string | undefined;
  /** Of the account's own trades; undefined where it makes none. */
  readonly trading?: TradingReader | undefined;
  readonly clock: Clock;
  readonly rules: Rules;
  readonly log: Log;
  readonly metrics: KeeperMetrics;
  /** After so many refusals of the same action it rests for an hour. */
  readonly attempts: number;
}

export interface Done {
  readonly action: Action;
  readonly receipt: TransactionReceipt;
}

export interface Turn {
  readonly snapshot: Snapshot;
  readonly plan: Plan;
  readonly done: readonly Done[];
}

/** What stops working soon: proofs that keep a loss from being escaped. */
const URGENT: ReadonlySet<ActionKind> = new Set(["proveSlashed", "proveWithdrawn"]);
/** On the account's own behalf. */
const OWN: ReadonlySet<ActionKind> = new Set(["claimBought", "queueBought", "buyFromPool"]);
const REST = 3_600;

export class Keeper {
  readonly #options: KeeperOptions;
  /** Refused lately, by what it was. */
  readonly #refused = new Map<string, { readonly count: number; readonly notBefore: number }>();

  /** Warned of: once each. */
  readonly #foreign = new Set<string>();
  readonly #profit = new ProfitBook();

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** @throws AppError (unavailable) where a node can't be used */
  async turn(signal?: AbortSignal): Promise<Turn> {
    const { sources, rules, log, metrics } = this.#options;
    const snapshot = { ...(await readSnapshot(sources, signal)), trading: await this.#readTrading(signal) };
    const plan = planActions(snapshot, rules);
    for (const pubkey of plan.foreign.filter((key) => !this.#foreign.has(key))) {
      this.#foreign.add(pubkey);
      log.warn({ pubkey }, "a predeposited key has foreign credentials: it is never funded");
    }
    const held = new Map<ActionKind, Reason[]>();
    const done: Done[] = [];
    const proofs = new Proofs(sources.beacon, snapshot, plan.actions);
    for (const action of plan.actions) {
      signal?.throwIfAborted();
      const outcome = await this.#act(action, snapshot, proofs, signal);
      if (typeof outcome === "string") held.set(action.kind, [...(held.get(action.kind) ?? []), outcome]);
      else done.push(...outcome);
    }
    for (const kind of ACTION_KINDS) metrics.blocked(kind, [...plan.reasons[kind], ...(held.get(kind) ?? [])]);
    metrics.turned(snapshot, plan);
    if (typeof snapshot.trading === "object")
      metrics.traded(tiedUp(snapshot.trading), this.#profit.profit(snapshot.trading));
    return { snapshot, plan, done };
  }

  /** What keeps it from its own trades keeps it from nothing else. */
  async #readTrading(signal: AbortSignal | undefined): Promise<Trading | Reason | undefined> {
    const { trading, log } = this.#options;
    try {
      return await trading?.read(signal);
    } catch (error) {
      if (isAbort(error) && signal?.aborted === true) throw error;
      log.warn(`what it trades can't be read: ${refusalOf(error).message}`);
      return "its own books can't be read";
    }
  }

  /** @returns what was sent, or why nothing was */
  async #act(
    action: Action,
    snapshot: Snapshot,
    proofs: Proofs,
    signal: AbortSignal | undefined,
  ): Promise<readonly Done[] | Reason> {
    const { sources, sender, clock, log, metrics } = this.#options;
    const key = keyOf(action);
    if ((this.#refused.get(key)?.notBefore ?? 0) > clock.now()) return "waiting to try again";
    try {
      const { withdrawalVault } = sources.protocol;
      const request = await requestFor(
        action,
        sources.protocol,
        proofs,
        snapshot,
        () => withdrawalVault.exitFee(),
        signal,
      );
      if (sender === undefined) {
        const from = this.#options.account ?? ZeroAddress;
        const gas = await sources.protocol.provider.estimateGas({ ...request, from });
        log.info({ action: action.kind, gas: String(gas) }, "would send");
        return [];
      }
      if ("cause" in action) log.info({ action: action.kind, pubkey: action.pubkey, cause: action.cause }, "ejecting");
      if (action.kind === "buyFromPool") log.info(purchaseOf(action), "buying estETH to queue");
      const maxFeePerGas = action.kind === "buyFromPool" ? action.maxFeePerGas : undefined;
      const receipt = await sender.send(request, { urgent: URGENT.has(action.kind), maxFeePerGas }, signal);
      this.#refused.delete(key);
      metrics.sent(action.kind, receipt);
      if (OWN.has(action.kind)) this.#traded(action, receipt, snapshot);
      log.info({ action: action.kind, hash: receipt.hash, gas: String(receipt.gasUsed) }, "done");
      return [{ action, receipt }];
    } catch (error) {
      if (isAbort(error) && signal?.aborted === true) throw error;
      if (error instanceof TooExpensive) {
        log.info({ action: action.kind }, error.message);
        return "gas is too expensive";
      }
      if (error instanceof TransactionPending) return "a transaction is pending";
      return this.#refuse(key, action, error, snapshot, proofs, signal);
    }
  }

  #traded(action: Action, receipt: TransactionReceipt, { trading }: Snapshot): void {
    // before the first of them: what there was does not count
    if (typeof trading === "object") this.#profit.profit(trading);
    this.#profit.done(action, receipt.fee);
    this.#options.trading?.mined(receipt.blockNumber);
    if (action.kind === "buyFromPool") this.#options.metrics.bought(action.expected);
    if (action.kind === "claimBought")
      this.#options.log.info({ requests: action.ids.length, eth: formatEther(action.amount) }, "claimed");
  }

  /** Does it without the operator who spoils it, if that is why; else tries again later. */
  async #refuse(
    key: string,
    action: Action,
    error: unknown,
    snapshot: Snapshot,
    proofs: Proofs,
    signal: AbortSignal | undefined,
  ): Promise<readonly Done[] | Reason> {
    const { clock, log, metrics, attempts } = this.#options;
    const { message, operatorId, isRevert } = refusalOf(error);
    const other = operatorId === undefined ? undefined : without(action, operatorId, snapshot);
    if (other !== undefined) {
      log.info({ action: action.kind, operatorId: String(operatorId) }, `without this operator: ${message}`);
      return this.#act(other, snapshot, proofs, signal);
    }
    const count = (this.#refused.get(key)?.count ?? 0) + 1;
    const wait = count >= attempts ? REST : backoff(count, { first: 12, most: REST });
    this.#refused.set(key, { count, notBefore: clock.now() + wait });
    metrics.refused(action.kind);
    const level = error instanceof AppError || !isRevert || count > 1 ? "warn" : "info";
    // somebody else may have done it first: the next snapshot shows that
    log[level]({ action: action.kind, attempt: count, again: wait }, `refused: ${message}`);
    return "waiting to try again";
  }
}

function purchaseOf({ expected, minUnits, maxFeePerGas }: Extract<Action, { kind: "buyFromPool" }>): object {
  const { amount, value, gas, wait, waiting, profit } = expected;
  return {
    ...{ eth: formatEther(amount), worth: formatEther(value), gas: formatEther(gas), days: days(wait) },
    ...{ waiting: formatEther(waiting), profit: formatEther(profit) },
    ...{ minUnits: String(minUnits), maxFeePerGas: String(maxFeePerGas) },
  };
}

/** The same action in every state: its proofs may be newer, and what it buys or claims another amount. */
function keyOf(action: Action): string {
  if (OWN.has(action.kind)) return action.kind;
  return JSON.stringify("slot" in action ? { ...action, slot: undefined } : action);
}

/**
 * Instead of proving or funding keys of an operator who may not: the rest, or dropping what blocks the queue. Where its bond suffices for some,
 * half as many are dropped: those that go first make room for the others.
 */
function without(action: Action, operatorId: bigint, { book }: Snapshot): Action | undefined {
  const theirs = [...book.values()].filter((entry) => entry.operatorId === operatorId);
  const isTheirs = (pubkey: Hex): boolean => theirs.some((entry) => entry.pubkey === pubkey);
  if (action.kind === "proveValidators") {
    const pubkeys = action.pubkeys.filter((pubkey) => !isTheirs(pubkey));
    return pubkeys.length === 0 || pubkeys.length === action.pubkeys.length ? undefined : { ...action, pubkeys };
  }
  if (action.kind === "fundValidators") {
    const position = action.pubkeys.findIndex(isTheirs);
    if (position > 0) return { ...action, pubkeys: action.pubkeys.slice(0, position) };
    if (position === 0) return { kind: "dropQueued", keyRoots: queuedFirst(theirs) };
  }
  if (action.kind === "dropQueued" && action.keyRoots.length > 1)
    return { kind: "dropQueued", keyRoots: action.keyRoots.slice(0, Math.ceil(action.keyRoots.length / 2)) };
  return undefined;
}

/** In the order of the queue, a transaction's worth. */
function queuedFirst(entries: readonly ValidatorEntry[]): Hex[] {
  return entries
    .filter(({ status }) => status === "queued")
    .sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0))
    .slice(0, MAX_BATCH)
    .map(({ keyRoot }) => keyRoot);
}
