/**
 * A node of the field by hand, for one test: the proxy of `proxy.ts` with functions that answer single calls and whole requests. What clients and
 * providers are known for is in the catalogue; here a test says itself what it is answered.
 */
import type { Asked, Forward, Reply as HttpReply, Tamper } from "./proxy.ts";
import { json, startProxy } from "./proxy.ts";

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
  readonly headers: Asked["headers"];
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
  readonly asked: readonly Whole[];
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
  const tamper: Tamper = async (request, forward) => {
    const payload = JSON.parse(request.body) as RpcCall | RpcCall[];
    const whole: Whole = {
      calls: [payload].flat(),
      isBatch: Array.isArray(payload),
      headers: request.headers,
      before: asked.length,
    };
    asked.push(whole);
    return sent(await replyTo(whole, async (call) => forwarded(request, call, forward), hostility));
  };
  const proxy = await startProxy(target);
  proxy.become([tamper]);
  return {
    url: proxy.url,
    asked,
    count: (method) => asked.flatMap(({ calls }) => calls).filter((call) => call.method === method).length,
    close: async () => proxy.close(),
  };
}

async function replyTo(
  whole: Whole,
  ask: (call: RpcCall) => Promise<RpcAnswer>,
  { calls = [], refuse = [], garble = [] }: Hostility,
): Promise<Reply> {
  for (const behaviour of refuse) {
    const reply = behaviour(whole);
    if (reply !== undefined) return reply;
  }
  const answers = await Promise.all(
    whole.calls.map(async (call) => {
      const forward = async (): Promise<RpcAnswer> => ask(call);
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

async function forwarded(asked: Asked, call: RpcCall, forward: Forward): Promise<RpcAnswer> {
  const { body } = await forward({ ...asked, body: JSON.stringify({ ...call, jsonrpc: "2.0" }) });
  return JSON.parse(body.toString()) as RpcAnswer;
}

function sent({ status = 200, headers = {}, body, isCut = false }: Reply): HttpReply {
  const reply = json(status, body, headers);
  const bytes = Buffer.isBuffer(body) || typeof body === "string" ? Buffer.from(body) : reply.body;
  return { ...reply, body: bytes, ...(isCut ? { cutAfter: Math.floor(bytes.length / 2) } : {}) };
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
