/** One turn after the other: read, plan, and do what the plan says, one transaction at a time. */
import { ZeroAddress } from "ethers";
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
import { planActions } from "./plan.ts";
import type { Plan } from "./plan.ts";
import { Proofs, requestFor } from "./requests.ts";
import { refusalOf } from "./reverts.ts";
import { TransactionPending } from "./sender.ts";
import type { Sender } from "./sender.ts";
import { readSnapshot } from "./snapshot.ts";
import type { Snapshot, Sources } from "./snapshot.ts";

export interface KeeperOptions {
  readonly sources: Sources;
  /** Without one nothing is sent: a dry run, which simulates. */
  readonly sender: Sender | undefined;
  /** Whose transactions a dry run simulates; nobody's in particular where undefined. */
  readonly account?: string | undefined;
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
const REST = 3_600;

export class Keeper {
  readonly #options: KeeperOptions;
  /** Refused lately, by what it was. */
  readonly #refused = new Map<string, { readonly count: number; readonly notBefore: number }>();

  /** Warned of: once each. */
  readonly #foreign = new Set<string>();

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** @throws AppError (unavailable) where a node can't be used */
  async turn(signal?: AbortSignal): Promise<Turn> {
    const { sources, rules, log, metrics } = this.#options;
    const snapshot = await readSnapshot(sources, signal);
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
    return { snapshot, plan, done };
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
      const receipt = await sender.send(request, URGENT.has(action.kind), signal);
      this.#refused.delete(key);
      metrics.sent(action.kind, receipt);
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

/** The same action in every state: its proofs may be newer. */
function keyOf(action: Action): string {
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
