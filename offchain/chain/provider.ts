/**
 * JSON-RPC over several execution nodes as one ethers provider: a request that a node can't answer goes to the next; where all are busy or a
 * block behind, they are asked again after a while. What the chain itself answers (a revert, a refused transaction) goes to no other node.
 */
import { JsonRpcApiProvider, Network, keccak256, makeError } from "ethers";
import type { JsonRpcError, JsonRpcPayload } from "ethers";
import { AppError, EXIT } from "../util/errors.ts";
import { hostOf } from "../util/http.ts";
import { NodeFailure, meaningOf } from "./answers.ts";
import { ExecutionNode } from "./node.ts";
import type { Answer, AskOptions, Outcome } from "./node.ts";
import { exhausted, pause, pauseAfter } from "./rounds.ts";

export interface ExecutionOptions {
  readonly urls: readonly string[];
  readonly chainId: bigint;
  /** For one answer. */
  readonly timeoutSeconds?: number;
  /** How often a waiting transaction is looked for. Default 4. */
  readonly pollingSeconds?: number;
  /** For how long one request may wait, all in all, for nodes that are busy or behind. Default 60. */
  readonly patienceSeconds?: number;
  readonly onFailure?: (host: string, message: string) => void;
}

/** A call without its number. */
export interface RpcCall {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** These say null of what a node does not have, or not yet. */
const MAYBE_ELSEWHERE = new Set(["eth_getBlockByNumber", "eth_getBlockByHash"]);

/** Milliseconds. */
const DISTRUST = 600_000;

export class ExecutionProvider extends JsonRpcApiProvider {
  readonly #options: ExecutionOptions;
  readonly #nodes: readonly ExecutionNode[];
  #preferred = 0;
  #number = 1;

  /** @throws AppError (usage) without a URL */
  constructor(options: ExecutionOptions) {
    const network = Network.from(options.chainId);
    super(network, { staticNetwork: network, cacheTimeout: -1, batchMaxCount: 100 });
    if (options.urls.length === 0) throw new AppError(EXIT.usage, "no execution node is configured");
    this.#options = options;
    this.#nodes = options.urls.map((url) => new ExecutionNode(url, options.timeoutSeconds ?? 30));
    this._start();
  }

  override get pollingInterval(): number {
    return (this.#options.pollingSeconds ?? 4) * 1_000;
  }

  /** How many nodes there are to ask. */
  get nodes(): number {
    return this.#nodes.length;
  }

  /**
   * The node that answered last was found out to leave something out: the next one is asked first from now on, and this one for no events for a
   * while: not even for those that the next one gives in smaller pieces only.
   * @returns false where there is no other
   */
  distrust(reason: string): boolean {
    const node = this.#nodes[this.#preferred];
    if (node !== undefined) {
      node.distrustedUntil = Date.now() + DISTRUST;
      this.#options.onFailure?.(node.host, reason);
    }
    this.#preferred = (this.#preferred + 1) % this.#nodes.length;
    return this.#nodes.length > 1;
  }

  /**
   * Calls that belong together, all answered by one node, in one request where it takes batches: what one answer proves of the machine holds for
   * the others.
   * @param read makes a value of the results; what it throws as a NodeFailure is the node's failure
   * @throws AppError (unavailable), with a line for each node
   */
  async together<T>(
    calls: readonly RpcCall[],
    read: (results: readonly unknown[]) => T,
    signal?: AbortSignal,
  ): Promise<T> {
    const ask = async (node: ExecutionNode): Promise<T> => {
      const payloads = calls.map(({ method, params }) => this.#payload(method, [...params]));
      const outcomes = await this.#askOf(node, payloads, { whole: true, signal });
      return read(
        outcomes.map((outcome, i) => {
          if ("failure" in outcome) throw outcome.failure;
          const { answer } = outcome;
          if (!("error" in answer)) return answer.result as unknown;
          const { error } = answer;
          const { method = "" } = calls[i] ?? {};
          throw new NodeFailure(meaningOf(error, method), String(error.message), { rpc: error });
        }),
      );
    };
    return this.#overNodes(ask, signal, () => this.#trusted());
  }

  override async _send(payload: JsonRpcPayload | JsonRpcPayload[]): Promise<Answer[]> {
    const calls = [payload].flat();
    const answers = new Map<number, Answer>();
    const failed = new Map<number, Map<ExecutionNode, NodeFailure>>(calls.map(({ id }) => [id, new Map()]));
    try {
      await this.#overNodes(async (node) => {
        const open = calls.filter(({ id }) => !answers.has(id));
        const outcomes = await this.#askOf(node, open);
        let first: NodeFailure | undefined;
        open.forEach(({ id }, i) => {
          const outcome = outcomes[i];
          if (outcome === undefined) return;
          if ("answer" in outcome) answers.set(id, outcome.answer);
          else {
            failed.get(id)?.set(node, outcome.failure);
            first ??= outcome.failure;
          }
        });
        if (first !== undefined) throw first;
      });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      for (const { id } of calls)
        if (!answers.has(id)) answers.set(id, unanswered(id, [...(failed.get(id) ?? [])], error));
    }
    await this.#askElsewhere(calls, answers);
    return Promise.all(
      calls.map(async (call) => {
        const answer = answers.get(call.id) ?? unanswered(call.id, [], new Error("no answer"));
        return "error" in answer && call.method === "eth_sendRawTransaction" ? this.#orKnown(call, answer) : answer;
      }),
    );
  }

  /** What a node's failure is to the caller; every other error as ethers has it. */
  override getRpcError(payload: JsonRpcPayload, answer: JsonRpcError): Error {
    const { error } = answer;
    if (error instanceof Unanswered) return error.error;
    const made = super.getRpcError(payload, answer);
    // "could not coalesce error" hides what the node says
    if ((made as { code?: unknown }).code !== "UNKNOWN_ERROR") return made;
    return makeError(String(error.message), "UNKNOWN_ERROR", { error });
  }

  /** A block that one node does not have may be at another. */
  async #askElsewhere(calls: readonly JsonRpcPayload[], answers: Map<number, Answer>): Promise<void> {
    if (this.#nodes.length < 2) return;
    const isOpen = ({ id, method }: JsonRpcPayload): boolean => {
      const answer = answers.get(id);
      return MAYBE_ELSEWHERE.has(method) && answer !== undefined && "result" in answer && answer.result === null;
    };
    for (let i = 1; i < this.#nodes.length; i++) {
      const open = calls.filter(isOpen);
      const node = this.#nodes[(this.#preferred + i) % this.#nodes.length];
      if (open.length === 0 || node === undefined) return;
      try {
        const outcomes = await this.#askOf(node, open);
        open.forEach(({ id }, at) => {
          const outcome = outcomes[at];
          if (outcome !== undefined && "answer" in outcome && !("error" in outcome.answer))
            answers.set(id, outcome.answer);
        });
      } catch (error) {
        if (!(error instanceof NodeFailure)) throw error;
      }
    }
  }

  /**
   * A node that took a transaction may fail before it says so: it, or the next one, which has it from the network, then refuses it ("already
   * known", "nonce too low"). What is there was sent.
   */
  async #orKnown({ id, params }: JsonRpcPayload, refused: JsonRpcError): Promise<Answer> {
    const hash = keccak256((params as [string])[0]);
    try {
      const [found] = await this._send(this.#payload("eth_getTransactionByHash", [hash]));
      const isThere = found !== undefined && "result" in found && found.result !== null;
      return isThere ? { id, result: hash } : refused;
    } catch {
      return refused;
    }
  }

  /** Once for each node: another chain's numbers must never be read. @throws NodeFailure */
  async #expectChain(node: ExecutionNode, signal?: AbortSignal): Promise<void> {
    if (node.isChecked) return;
    const found = await node.chainId(signal);
    const { chainId } = this.#options;
    if (found !== chainId) throw new NodeFailure("node", `serves chain ${found}, not ${chainId}`);
    node.isChecked = true;
  }

  /**
   * What is only read is asked for while the chain is looked at: what another chain's node answers is thrown away.
   * @throws NodeFailure where it is another chain
   */
  async #askOf(node: ExecutionNode, calls: readonly JsonRpcPayload[], options: AskOptions = {}): Promise<Outcome[]> {
    const checked = this.#expectChain(node, options.signal);
    if (calls.some(({ method }) => method === "eth_sendRawTransaction")) await checked;
    const [answered] = await Promise.allSettled([node.ask(calls, options), checked]);
    await checked;
    if (answered.status === "rejected") throw answered.reason;
    return answered.value;
  }

  /**
   * Asks the nodes in order until one answers, in rounds while one of them may come round.
   * @throws NodeFailure at once where it is final, else with a line for each node
   */
  async #overNodes<T>(
    ask: (node: ExecutionNode) => Promise<T>,
    signal?: AbortSignal,
    nodes = (): ExecutionNode[] => this.#order(),
  ): Promise<T> {
    let patience = (this.#options.patienceSeconds ?? 60) * 1_000;
    for (let round = 1; ; round++) {
      const failures: { node: ExecutionNode; failure: NodeFailure }[] = [];
      for (const node of nodes()) {
        const rest = node.pausedUntil - Date.now();
        if (rest > 0 && rest <= patience) {
          patience -= rest;
          await pause(rest, signal);
        }
        try {
          const value = await ask(node);
          this.#preferred = this.#nodes.indexOf(node);
          return value;
        } catch (error) {
          if (!(error instanceof NodeFailure)) throw error;
          failures.push({ node, failure: error });
          this.#options.onFailure?.(node.host, error.message);
          if (error.meaning === "request" || error.meaning === "reverted") throw exhausted(failures);
        }
      }
      const wait = pauseAfter(round, failures);
      if (wait === undefined || wait > patience) throw exhausted(failures);
      patience -= wait;
      await pause(wait, signal);
    }
  }

  /** From the preferred one on; those that want to be left alone last. */
  #order(): ExecutionNode[] {
    const now = Date.now();
    const turned = this.#nodes.map((_, i) => this.#nodes[(this.#preferred + i) % this.#nodes.length] as ExecutionNode);
    return turned.sort((a, b) => Math.max(0, a.pausedUntil - now) - Math.max(0, b.pausedUntil - now));
  }

  /** Without those that left events out lately; all, where all did. */
  #trusted(): ExecutionNode[] {
    const all = this.#order();
    const trusted = all.filter(({ distrustedUntil }) => distrustedUntil <= Date.now());
    return trusted.length === 0 ? all : trusted;
  }

  #payload(method: string, params: unknown[]): JsonRpcPayload {
    return { id: this.#number++, jsonrpc: "2.0", method, params };
  }
}

/** In place of an answer: what `getRpcError` throws. */
class Unanswered {
  readonly message: string;
  readonly code = -32_603;
  readonly error: Error;

  constructor(error: Error) {
    this.error = error;
    this.message = error.message;
  }
}

/** What the nodes said of this very call; `error` where none was asked for it. */
function unanswered(id: number, own: readonly (readonly [ExecutionNode, NodeFailure])[], error: Error): JsonRpcError {
  const failure = own.length === 0 ? error : exhausted(own.map(([node, said]) => ({ node, failure: said })));
  // the account's own matter: ethers knows it by the node's words
  const { meaning, rpc } = failure as Partial<NodeFailure>;
  const told = meaning === "account" && rpc !== undefined ? rpc : new Unanswered(failure);
  return { id, error: told as JsonRpcError["error"] };
}

/**
 * The same, of whatever chain the nodes serve.
 * @throws AppError: unavailable if none answers, usage if they serve different chains
 */
export async function openProvider(
  urls: readonly string[],
  options: Omit<ExecutionOptions, "urls" | "chainId"> = {},
): Promise<ExecutionProvider> {
  if (urls.length === 0) throw new AppError(EXIT.usage, "no execution node is configured");
  const asked = await Promise.all(
    urls.map(async (url) => {
      const host = hostOf(url);
      try {
        return { host, chainId: await chainIdOf(new ExecutionNode(url, options.timeoutSeconds ?? 30)) };
      } catch (error) {
        if (!(error instanceof NodeFailure)) throw error;
        return { host, problem: error.message };
      }
    }),
  );
  const known = asked.flatMap(({ host, chainId }) => (chainId === undefined ? [] : [{ host, chainId }]));
  const [first] = known;
  if (first === undefined) {
    const problems = asked.map(({ host, problem = "" }) => `execution node ${host}: ${problem}`);
    throw new AppError(EXIT.unavailable, problems.join("\n"));
  }
  const other = known.find(({ chainId }) => chainId !== first.chainId);
  if (other !== undefined)
    throw new AppError(
      EXIT.usage,
      `wrong chain: ${first.host} serves ${first.chainId}, ${other.host} serves ${other.chainId}`,
    );
  return new ExecutionProvider({ ...options, urls, chainId: first.chainId });
}

/** Waits for a node that is busy. @throws NodeFailure */
async function chainIdOf(node: ExecutionNode): Promise<bigint> {
  for (let round = 1; ; round++) {
    try {
      return await node.chainId();
    } catch (error) {
      const wait = error instanceof NodeFailure ? pauseAfter(round, [{ node, failure: error }]) : undefined;
      if (wait === undefined || wait > 60_000 || round > 4) throw error;
      await pause(wait, undefined);
    }
  }
}
