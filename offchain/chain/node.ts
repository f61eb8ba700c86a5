/** One execution node over HTTP: what it takes at once, what it wants to be left alone for, and whatever is the matter with it as one failure. */
import type { JsonRpcError, JsonRpcPayload, JsonRpcResult } from "ethers";
import { AppError, isAbort, messageOf } from "../util/errors.ts";
import { HostFailure, askHttp, explanationOf, hostOf, retryAfter } from "../util/http.ts";
import type { HttpAnswer } from "../util/http.ts";
import { NodeFailure, isFinal, meaningOf, revertIn, waitIn } from "./answers.ts";
import type { Meaning, RpcError } from "./answers.ts";

export type Answer = JsonRpcResult | JsonRpcError;

/** What one call came to. */
export type Outcome = { readonly answer: Answer } | { readonly failure: NodeFailure };

export interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  /** All calls in one request, as far as the node takes batches at all. */
  readonly whole?: boolean;
}

/** Requests to one node at the same time, at most. */
const MOST_AT_ONCE = 16;
/** Calls in one batch, at most. */
const MOST_CALLS = 100;
/** geth's code for the rest of a batch whose answers are too long together. */
const ANSWER_TOO_LONG = -32_003;
/** The connection ended before an answer: Erigon's word for a batch that is too long (erigontech/erigon#18074). */
const HUNG_UP = /ECONNRESET|EPIPE|UND_ERR_SOCKET|other side closed|terminated|socket hang up/i;
/** Besu answers null where it has pruned the state (besu-eth/besu#6926); nothing is null in any state. */
const NEVER_NULL: ReadonlySet<string> = new Set([
  ...["eth_call", "eth_estimateGas", "eth_getBalance", "eth_getCode", "eth_getTransactionCount", "eth_getStorageAt"],
  ...["eth_blockNumber", "eth_chainId", "eth_gasPrice", "eth_getLogs", "eth_feeHistory"],
]);
/** After so many answers in a row a node is asked for more at once again. */
const RECOVERY = 8;

export class ExecutionNode {
  readonly host: string;
  /** Unix milliseconds until which the node wants to be left alone. */
  pausedUntil = 0;
  /** Unix milliseconds until which it is not asked for events: it left some out. */
  distrustedUntil = 0;
  /** Set once it is known to serve the right chain. */
  isChecked = false;
  readonly #url: string;
  readonly #timeoutSeconds: number;
  /** Batches that it refused were longer. */
  #mostCalls = MOST_CALLS;
  /** The same while it is rate limited. */
  #callsNow = MOST_CALLS;
  #atOnce = MOST_AT_ONCE;
  #running = 0;
  #successes = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(url: string, timeoutSeconds: number) {
    this.#url = url;
    this.host = hostOf(url);
    this.#timeoutSeconds = timeoutSeconds;
  }

  /**
   * Asks in batches that the node takes, shorter ones where it refuses: what it took is remembered.
   * @returns an outcome for each call: a final answer, or why there is none
   * @throws the signal's reason when aborted
   */
  async ask(calls: readonly JsonRpcPayload[], options: AskOptions = {}): Promise<Outcome[]> {
    const size = options.whole === true ? calls.length : Math.min(this.#mostCalls, this.#callsNow);
    const groups = groupsOf(calls, Math.max(1, size));
    return (await Promise.all(groups.map((group) => this.#askGroup(group, options)))).flat();
  }

  /** @throws NodeFailure */
  async chainId(signal?: AbortSignal): Promise<bigint> {
    const [outcome] = await this.#askGroup([{ id: 1, jsonrpc: "2.0", method: "eth_chainId", params: [] }], { signal });
    if (outcome !== undefined && "failure" in outcome) throw outcome.failure;
    const { answer } = outcome ?? {};
    try {
      if (answer !== undefined && "result" in answer) return BigInt(answer.result as string);
    } catch {
      // not a number
    }
    throw new NodeFailure("node", "does not say its chain");
  }

  async #askGroup(calls: readonly JsonRpcPayload[], options: AskOptions): Promise<Outcome[]> {
    let answers: ReadonlyMap<unknown, Answer>;
    try {
      answers = await this.#inTurn(() => this.#post(calls, options.signal), options.signal);
    } catch (error) {
      if (!(error instanceof NodeFailure)) throw error;
      if (error.meaning === "busy") this.#slowDown(error.waitSeconds);
      if (calls.length > 1 && isAboutBatch(error)) return this.#shorter(calls, Math.ceil(calls.length / 2), options);
      return calls.map(() => ({ failure: error }));
    }
    const outcomes = calls.map((call) => this.#outcomeOf(call, answers.get(call.id), calls.length > 1));
    const again = calls.filter((_, i) => outcomes[i] === undefined);
    if (again.length === 0) return outcomes as Outcome[];
    // so many it took, or none
    const most = calls.length - again.length || Math.floor(calls.length / 2);
    const more = await this.#shorter(again, most, options);
    return outcomes.map((outcome) => outcome ?? (more.shift() as Outcome));
  }

  /** Only what the node then takes says that it was the length. */
  async #shorter(calls: readonly JsonRpcPayload[], size: number, options: AskOptions): Promise<Outcome[]> {
    const [first = [], ...rest] = groupsOf(calls, size);
    const outcomes = await this.#askGroup(first, options);
    if (outcomes.every((outcome) => "failure" in outcome && !isOfCall(outcome.failure)))
      return calls.map((_, i) => outcomes[Math.min(i, outcomes.length - 1)] as Outcome);
    this.#mostCalls = Math.min(this.#mostCalls, size);
    for (const group of rest.flatMap((one) => groupsOf(one, Math.min(size, this.#mostCalls))))
      outcomes.push(...(await this.#askGroup(group, options)));
    return outcomes;
  }

  /** Undefined where the call has to be asked again, in a shorter batch. */
  #outcomeOf({ id, method }: JsonRpcPayload, answer: Answer | undefined, isBatch: boolean): Outcome | undefined {
    if (answer === undefined)
      return isBatch ? undefined : { failure: new NodeFailure("node", "gave no answer to the request") };
    if (!("error" in answer)) {
      if (answer.result !== null || !NEVER_NULL.has(method)) return { answer };
      return { failure: new CallFailure("lacking", `answered null to ${method}`) };
    }
    const { error } = answer;
    const revert = revertIn(error);
    if (revert !== undefined) {
      // one spelling for whoever reads it: ethers takes no data from what does not say so
      const told = this.#told(error, "");
      const message = /revert/i.test(told) ? told : "execution reverted";
      return { answer: { id, error: { code: 3, message, data: revert } } };
    }
    const meaning = meaningOf(error, method);
    const { code } = error as { code?: unknown };
    if (isBatch && (code === ANSWER_TOO_LONG || /\bbatch\b/i.test(String(error.message)))) return undefined;
    if (isFinal(meaning)) return { answer: { id, error: { ...error, message: this.#told(error, "refused") } } };
    const waitSeconds = waitIn(error);
    if (meaning === "busy") this.#slowDown(waitSeconds);
    return {
      failure: new CallFailure(meaning, this.#told(error, `error ${String(code)}`), { rpc: error, waitSeconds }),
    };
  }

  /** @throws NodeFailure */
  async #post(
    calls: readonly JsonRpcPayload[],
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<unknown, Answer>> {
    const answer = await this.#request(JSON.stringify(calls.length === 1 ? calls[0] : calls), signal);
    const isFine = answer.status >= 200 && answer.status < 300;
    let parsed: unknown;
    try {
      parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(answer.bytes));
    } catch (error) {
      if (isFine) throw new NodeFailure("node", "the answer is not JSON", { cause: error });
    }
    if (!isFine && !isRefusalOf(parsed, calls)) throw this.#statusFailure(answer, parsed);
    if (!Array.isArray(parsed) && calls.length > 1) throw this.#batchFailure(parsed);
    const found = new Map<unknown, Answer>();
    for (const one of [parsed].flat()) {
      if (!isAnswer(one)) throw new NodeFailure("node", "the answer is not one of JSON-RPC");
      // who could not read a single request can't say its id
      const isNobodys = "error" in one && ((one.id as unknown) ?? null) === null;
      // some make a string of a number
      const own = calls.find(({ id }) => String(id) === String(one.id));
      const asked = isNobodys && calls.length === 1 ? calls[0] : own;
      if (asked === undefined && isNobodys) throw this.#batchFailure(one);
      if (asked === undefined || found.has(asked.id))
        throw new NodeFailure("node", "answered what was not asked, or twice");
      found.set(asked.id, { ...one, id: asked.id });
    }
    this.#recover();
    return found;
  }

  async #request(body: string, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    try {
      return await askHttp(this.#url, "", {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json" },
        body,
        timeoutSeconds: this.#timeoutSeconds,
        signal,
      });
    } catch (error) {
      if (isAbort(error) && signal?.aborted === true) throw error;
      if (error instanceof AppError) throw error;
      const message = messageOf(error);
      const isLong = error instanceof HostFailure && /more than \d+ bytes/.test(message);
      const isGone = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|URL/.test(message);
      throw new NodeFailure(isLong ? "size" : isGone ? "network" : "node", this.#clean(message), { cause: error });
    }
  }

  /** The host answered with a status: its own sentence is told. */
  #statusFailure(answer: HttpAnswer, parsed: unknown): NodeFailure {
    const { status, headers } = answer;
    const said = this.#clean(explanationOf(answer));
    const waitSeconds = retryAfter(headers) ?? waitIn(errorIn(parsed) ?? {});
    const message = `answered ${status}${said === "" ? "" : `: ${said}`}`;
    return new NodeFailure(statusMeaning(status, said, waitSeconds), message, { waitSeconds, rpc: errorIn(parsed) });
  }

  /** One error for the whole batch. */
  #batchFailure(parsed: unknown): NodeFailure {
    const error = errorIn(parsed);
    if (error === undefined) return new NodeFailure("node", "answered a batch with something else");
    const meaning = meaningOf(error);
    const message = this.#told(error, `error ${String(error.code)}`);
    // of a batch -32600 and the like speak of its length
    return new NodeFailure(isFinal(meaning) ? "size" : meaning, message, { rpc: error, waitSeconds: waitIn(error) });
  }

  #told({ message }: RpcError, otherwise: string): string {
    return typeof message === "string" && message.trim() !== "" ? this.#clean(message) : otherwise;
  }

  /** A host may repeat the key that it was asked with. */
  #clean(text: string): string {
    let clean = text.replace(/https?:\/\/[^\s"'<>)]+/gi, (url) => hostOf(url));
    for (const secret of secretsOf(this.#url)) clean = clean.replaceAll(secret, "...");
    return clean;
  }

  #slowDown(waitSeconds: number | undefined): void {
    this.#successes = 0;
    this.#atOnce = Math.max(1, Math.floor(this.#atOnce / 2));
    this.#callsNow = Math.max(1, Math.floor(this.#callsNow / 2));
    if (waitSeconds !== undefined) this.pausedUntil = Math.max(this.pausedUntil, Date.now() + waitSeconds * 1_000);
  }

  #recover(): void {
    this.#successes += 1;
    if (this.#successes % RECOVERY !== 0) return;
    this.#atOnce = Math.min(MOST_AT_ONCE, this.#atOnce * 2);
    this.#callsNow = Math.min(MOST_CALLS, this.#callsNow * 2);
  }

  async #inTurn<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    while (this.#running >= this.#atOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    signal?.throwIfAborted();
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      for (let free = this.#atOnce - this.#running; free > 0; free--) this.#waiting.shift()?.();
    }
  }
}

/** Of one call, not of the node as a whole. */
class CallFailure extends NodeFailure {}

function isOfCall(failure: NodeFailure): boolean {
  return failure instanceof CallFailure;
}

/** Whether fewer calls may do: bodies seldom say so. */
function isAboutBatch({ meaning, message }: NodeFailure): boolean {
  if (meaning !== "node") return meaning === "size";
  return /^answered (?:400|41[34]|422|50[01])\b/.test(message) || HUNG_UP.test(message);
}

function statusMeaning(status: number, said: string, waitSeconds: number | undefined): Meaning {
  if (status === 429 || (status === 503 && waitSeconds !== undefined)) return "busy";
  if (status === 413) return "size";
  if (status === 401 || status === 402 || status === 404 || status === 405) return "lacking";
  const meaning = said === "" ? "node" : meaningOf({ message: said });
  if (meaning !== "node") return isFinal(meaning) || meaning === "account" ? "node" : meaning;
  return status === 403 ? "lacking" : "node";
}

/** Some send the contract's refusal under a status of their own. */
function isRefusalOf(parsed: unknown, calls: readonly JsonRpcPayload[]): boolean {
  const error = errorIn(parsed);
  const [call] = calls;
  if (error === undefined || calls.length !== 1 || (parsed as { id?: unknown }).id !== call?.id) return false;
  return (
    revertIn(error) !== undefined ||
    (call?.method === "eth_sendRawTransaction" && isFinal(meaningOf(error, call.method)))
  );
}

function errorIn(parsed: unknown): RpcError | undefined {
  const { error } = (parsed ?? {}) as { error?: unknown };
  return typeof error === "object" && error !== null ? error : undefined;
}

function isAnswer(value: unknown): value is Answer {
  if (typeof value !== "object" || value === null) return false;
  return ("id" in value && "result" in value) || errorIn(value) !== undefined;
}

/** Parts of a URL that may be a key. */
function secretsOf(url: string): string[] {
  try {
    const { username, password, pathname, searchParams } = new URL(url);
    const given = [username, password, decodeURIComponent(password), ...searchParams.values()];
    // "mainnet" is no key
    const keys = pathname.split("/").filter((part) => part.length >= 12 || (part.length >= 6 && /\d/.test(part)));
    return [...given.filter((part) => part.length >= 4), ...keys];
  } catch {
    return [];
  }
}

function groupsOf<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}
