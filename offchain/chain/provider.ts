/**
 * JSON-RPC over several execution nodes as one ethers provider: a request that a node can't answer now goes to the next. What the chain itself
 * answers (a revert, a refused transaction) is an answer and goes to no other node.
 */
import { JsonRpcApiProvider, Network, keccak256 } from "ethers";
import type { JsonRpcError, JsonRpcPayload, JsonRpcResult } from "ethers";
import { AppError, EXIT, messageOf } from "../util/errors.ts";
import { hostOf } from "../util/http.ts";
import { FinalError, askHosts, mayPass } from "../util/retry.ts";

export interface ExecutionOptions {
  readonly urls: readonly string[];
  readonly chainId: bigint;
  /** For one answer. */
  readonly timeoutSeconds?: number;
  /** How often a waiting transaction is looked for. Default 4. */
  readonly pollingSeconds?: number;
  readonly onFailure?: (host: string, message: string) => void;
}

type Answers = (JsonRpcResult | JsonRpcError)[];

/** JSON-RPC error codes that say something about the node, not about the request: internal error, resource unavailable, limit exceeded. */
const ABOUT_THE_NODE = new Set([-32_603, -32_002, -32_005]);

export class ExecutionProvider extends JsonRpcApiProvider {
  readonly #options: ExecutionOptions;
  readonly #checked = new Set<string>();
  #preferred = 0;

  /** @throws AppError (usage) without a URL */
  constructor(options: ExecutionOptions) {
    const network = Network.from(options.chainId);
    super(network, { staticNetwork: network, cacheTimeout: -1, batchMaxCount: 100 });
    if (options.urls.length === 0) throw new AppError(EXIT.usage, "no execution node is configured");
    this.#options = options;
    this._start();
  }

  override get pollingInterval(): number {
    return (this.#options.pollingSeconds ?? 4) * 1_000;
  }

  override async _send(payload: JsonRpcPayload | JsonRpcPayload[]): Promise<Answers> {
    const { urls, onFailure } = this.#options;
    const { value, host } = await askHosts(
      urls,
      async (url) => {
        await this.#expectChain(url);
        const answers = await this.#post(url, payload);
        const unable = answers.find(isAboutTheNode);
        // the last node's error is the caller's: it says more than "no node answered"
        if (unable !== undefined && urls.length > 1) throw new Error(unable.error.message ?? "internal error");
        return answers;
      },
      {
        first: this.#preferred,
        onFailure: ({ host: url, error }) => onFailure?.(hostOf(url), messageOf(error)),
        onExhausted: (failures) =>
          new AppError(
            EXIT.unavailable,
            failures.map(({ host: url, error }) => `execution node ${hostOf(url)}: ${messageOf(error)}`).join("\n"),
          ),
      },
    );
    this.#preferred = host;
    const calls = [payload].flat();
    return Promise.all(
      value.map(async (answer) => {
        const call = calls.find(({ id }) => id === answer.id);
        return "error" in answer && call?.method === "eth_sendRawTransaction" ? this.#orKnown(call, answer) : answer;
      }),
    );
  }

  /**
   * A node that took a transaction may fail before it says so: the next one then has it from the network and refuses it ("already known", "nonce
   * too low"). What is there was sent.
   */
  async #orKnown({ id, params }: JsonRpcPayload, refused: JsonRpcError): Promise<Answers[number]> {
    const hash = keccak256((params as [string])[0]);
    try {
      const [found] = await this._send({ id, jsonrpc: "2.0", method: "eth_getTransactionByHash", params: [hash] });
      const isThere = found !== undefined && "result" in found && found.result !== null;
      return isThere ? { id, result: hash } : refused;
    } catch {
      return refused;
    }
  }

  /** Once for each node: another chain's numbers must never be read. */
  async #expectChain(url: string): Promise<void> {
    if (this.#checked.has(url)) return;
    const [answer] = await this.#post(url, CHAIN_ID);
    const found = answer !== undefined && "result" in answer ? BigInt(answer.result as string) : undefined;
    const { chainId } = this.#options;
    if (found !== chainId) throw new Error(`serves chain ${found ?? "unknown"}, not ${chainId}`);
    this.#checked.add(url);
  }

  async #post(url: string, payload: JsonRpcPayload | JsonRpcPayload[]): Promise<Answers> {
    return post(url, payload, this.#options.timeoutSeconds);
  }
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
      try {
        const [answer] = await post(url, CHAIN_ID, options.timeoutSeconds);
        if (answer === undefined || !("result" in answer)) throw new Error("does not say its chain");
        return { host: hostOf(url), chainId: BigInt(answer.result as string) };
      } catch (error) {
        return { host: hostOf(url), problem: messageOf(error) };
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

const CHAIN_ID: JsonRpcPayload = { id: 1, jsonrpc: "2.0", method: "eth_chainId", params: [] };

async function post(url: string, payload: JsonRpcPayload | JsonRpcPayload[], timeoutSeconds = 30): Promise<Answers> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(payload),
      signal: AbortSignal.timeout(timeoutSeconds * 1_000),
    });
  } catch (error) {
    // "fetch failed" alone says nothing
    const { cause } = error as { cause?: { code?: string; message?: string } };
    throw new Error(cause?.code ?? cause?.message ?? messageOf(error), { cause: error });
  }
  if (response.status !== 200) {
    const message = `answered ${response.status}`;
    throw mayPass(response.status) ? new Error(message) : new FinalError(`execution node ${hostOf(url)} ${message}`);
  }
  const text = await response.text();
  try {
    const answer = JSON.parse(text) as Answers[number] | Answers;
    return Array.isArray(answer) ? answer : [answer];
  } catch (error) {
    throw new Error("the answer is not JSON", { cause: error });
  }
}

function isAboutTheNode(answer: Answers[number]): answer is JsonRpcError {
  if (!("error" in answer)) return false;
  const { code, data } = answer.error as { code: number; data?: unknown };
  // some nodes report reverts as internal errors, with the revert's data
  return ABOUT_THE_NODE.has(code) && (data === undefined || data === null);
}
