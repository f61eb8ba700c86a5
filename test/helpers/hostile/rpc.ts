/**
 * A JSON-RPC server that answers as a node of the field does: a proxy in front of a good one. What it does to a call, and to a whole request, are
 * functions that can be put together.
 */
import { createServer } from "node:http";
import type { IncomingHttpHeaders, Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface RpcCall {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** `result` or `error` of one call. */
export type RpcAnswer = Readonly<Record<string, unknown>>;

/** Answers one call; undefined leaves it to the next behaviour, and at last to the good node. */
export type Behaviour = (
  call: RpcCall,
  forward: () => Promise<RpcAnswer>,
) => RpcAnswer | undefined | Promise<RpcAnswer | undefined>;

export interface Whole {
  readonly calls: readonly RpcCall[];
  readonly isBatch: boolean;
  readonly headers: IncomingHttpHeaders;
  /** How many requests came before it. */
  readonly before: number;
}

/** As HTTP; `body` as it is if a string or bytes, else as JSON. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The connection ends in the middle of the body. */
  readonly isCut?: boolean;
}

/** Answers a whole request: before its calls are looked at, or instead of what they came to. Undefined passes. */
export type WholeBehaviour = (request: Whole, answers?: readonly RpcAnswer[]) => Reply | undefined;

export interface HostileNode {
  readonly url: string;
  /** What was asked, request by request. */
  readonly asked: Whole[];
  /** How often a method was called. */
  count(method: string): number;
  close(): Promise<void>;
}

export interface Hostility {
  readonly calls?: readonly Behaviour[];
  readonly refuse?: readonly WholeBehaviour[];
  /** Gets the answers, and may send something else. */
  readonly garble?: readonly WholeBehaviour[];
}

export async function hostileNode(target: string, hostility: Hostility = {}): Promise<HostileNode> {
  const asked: Whole[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const payload = JSON.parse(Buffer.concat(chunks).toString()) as RpcCall | RpcCall[];
      const isBatch = Array.isArray(payload);
      const whole: Whole = { calls: [payload].flat(), isBatch, headers: request.headers, before: asked.length };
      asked.push(whole);
      const gone = (error: unknown): Reply => ({ status: 502, body: String(error) });
      void replyTo(target, whole, hostility)
        .catch(gone)
        .then(({ status = 200, headers = {}, body, isCut = false }) => {
          const bytes =
            Buffer.isBuffer(body) || typeof body === "string" ? Buffer.from(body) : Buffer.from(JSON.stringify(body));
          response.writeHead(status, {
            "content-type": "application/json",
            "content-length": String(bytes.length),
            ...headers,
          });
          if (!isCut) return response.end(bytes);
          return response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
        });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    count: (method) => asked.flatMap(({ calls }) => calls).filter((call) => call.method === method).length,
    close: async () => close(server),
  };
}

async function replyTo(
  target: string,
  whole: Whole,
  { calls = [], refuse = [], garble = [] }: Hostility,
): Promise<Reply> {
  for (const behaviour of refuse) {
    const reply = behaviour(whole);
    if (reply !== undefined) return reply;
  }
  const answers = await Promise.all(
    whole.calls.map(async (call) => {
      const forward = async (): Promise<RpcAnswer> => forwarded(target, call);
      for (const behaviour of calls) {
        const answer = await behaviour(call, forward);
        if (answer !== undefined) return { jsonrpc: "2.0", id: call.id, ...answer };
      }
      return forward();
    }),
  );
  for (const behaviour of garble) {
    const reply = behaviour(whole, answers);
    if (reply !== undefined) return reply;
  }
  return { body: whole.isBatch ? answers : answers[0] };
}

async function forwarded(target: string, call: RpcCall): Promise<RpcAnswer> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ ...call, jsonrpc: "2.0" });
  return (await (await fetch(target, { method: "POST", headers, body })).json()) as RpcAnswer;
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

// --- behaviours ---

/** Answers some methods with an error; `times` at most. */
export function failing(methods: readonly string[], error: RpcAnswer, times = Infinity): Behaviour {
  let left = times;
  return ({ method }) => (methods.includes(method) && left-- > 0 ? { error } : undefined);
}

/** Leaves logs out, without a word. */
export function withoutLogs(
  isLeftOut: (log: { readonly blockNumber: string; readonly topics: string[] }) => boolean,
): Behaviour {
  return async ({ method }, forward) => {
    if (method !== "eth_getLogs") return undefined;
    const { result } = (await forward()) as { result: { blockNumber: string; topics: string[] }[] };
    return { result: result.filter((log) => !isLeftOut(log)) };
  };
}

/** A machine whose head is an older block, for as long as `isBehind` says: short lists, and null for what it does not have. */
export function behind(head: () => number, isBehind: () => boolean): Behaviour {
  return async ({ method, params }, forward) => {
    if (!isBehind()) return undefined;
    if (method === "eth_blockNumber") return { result: `0x${head().toString(16)}` };
    if (method === "eth_getBlockByNumber" && Number(params[0]) > head()) return { result: null };
    if (method === "eth_call" && Number(params[1]) > head())
      return { error: { code: -32_000, message: "header not found" } };
    return method === "eth_getLogs"
      ? withoutLogs(({ blockNumber }) => Number(blockNumber) > head())({ id: 0, method, params }, forward)
      : undefined;
  };
}

/** Takes at most `most` calls in a batch, else answers with `reply`. */
export function batchesUpTo(most: number, reply: (whole: Whole) => Reply): WholeBehaviour {
  return (whole) => (whole.calls.length > most ? reply(whole) : undefined);
}

/** At most so many calls a second, else 429. */
export function rateLimited(most: number, headers: Readonly<Record<string, string>> = {}): WholeBehaviour {
  let [second, used] = [0, 0];
  return ({ calls }) => {
    const now = Math.floor(Date.now() / 1_000);
    if (now !== second) [second, used] = [now, 0];
    used += calls.length;
    return used > most ? { status: 429, headers, body: { error: "slow down" } } : undefined;
  };
}
