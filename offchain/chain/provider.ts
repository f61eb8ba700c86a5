/**
 * JSON-RPC over several execution nodes as one ethers provider: a request that a node can't answer now goes to the next. What the chain itself
 * answers (a revert, a refused transaction) is an answer and goes to no other node.
 */
import { JsonRpcApiProvider, Network } from "ethers";
import type { JsonRpcError, JsonRpcPayload, JsonRpcResult } from "ethers";
import { request } from "undici";
import { AppError, EXIT, messageOf } from "../util/errors.ts";
import { FinalError, askHosts, hostOf, mayPass } from "../util/retry.ts";

export interface ExecutionOptions {
  readonly urls: readonly string[];
  readonly chainId: bigint;
  /** For one answer. */
  readonly timeoutSeconds?: number;
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
    return value;
  }

  /** Once for each node: another chain's numbers must never be read. */
  async #expectChain(url: string): Promise<void> {
    if (this.#checked.has(url)) return;
    const [answer] = await this.#post(url, { id: 1, jsonrpc: "2.0", method: "eth_chainId", params: [] });
    const found = answer !== undefined && "result" in answer ? BigInt(answer.result as string) : undefined;
    const { chainId } = this.#options;
    if (found !== chainId) throw new Error(`serves chain ${found ?? "unknown"}, not ${chainId}`);
    this.#checked.add(url);
  }

  async #post(url: string, payload: JsonRpcPayload | JsonRpcPayload[]): Promise<Answers> {
    const { statusCode, body } = await request(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(payload),
      signal: AbortSignal.timeout((this.#options.timeoutSeconds ?? 30) * 1_000),
    });
    const text = await body.text();
    if (statusCode !== 200) {
      const message = `answered ${statusCode}`;
      throw mayPass(statusCode) ? new Error(message) : new FinalError(`execution node ${hostOf(url)} ${message}`);
    }
    const answer = JSON.parse(text) as Answers[number] | Answers;
    return Array.isArray(answer) ? answer : [answer];
  }
}

function isAboutTheNode(answer: Answers[number]): answer is JsonRpcError {
  if (!("error" in answer)) return false;
  const { code, data } = answer.error as { code: number; data?: unknown };
  // some nodes report reverts as internal errors, with the revert's data
  return ABOUT_THE_NODE.has(code) && (data === undefined || data === null);
}
