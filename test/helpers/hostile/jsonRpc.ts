/** Tampers that see JSON-RPC calls and answers in place of bytes. */
import type { Asked, Forward, Reply, Tamper } from "./proxy.ts";
import { json, withJson } from "./proxy.ts";

export interface Call {
  readonly id: number | string | null;
  readonly jsonrpc: string;
  readonly method: string;
  readonly params: readonly unknown[];
}

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export type Answer = { readonly result: unknown } | { readonly error: RpcError };

/** Asks the node that stands behind for something of one's own. */
export type Peek = (method: string, params?: readonly unknown[]) => Promise<unknown>;

interface Handlers {
  /** Answers in the node's place, or changes what it is asked; undefined leaves the call alone. */
  readonly before?: (call: Call, peek: Peek) => Promise<Answer | Call | undefined> | Answer | Call | undefined;
  /** Changes what the node answered. */
  readonly after?: (call: Call, answer: Answer, peek: Peek) => Promise<Answer> | Answer;
}

/** Each call by itself, in a batch or alone. */
export function perCall({ before, after }: Handlers): Tamper {
  return async (asked, forward) => {
    const calls = callsOf(asked);
    if (calls === undefined) return forward();
    const peek = peekOf(asked, forward);
    const own = new Map<number, Answer>();
    const rest: { at: number; call: Call }[] = [];
    for (const [at, call] of calls.list.entries()) {
      const decided = await before?.(call, peek);
      if (decided !== undefined && !("method" in decided)) own.set(at, decided);
      else rest.push({ at, call: decided ?? call });
    }
    const body = calls.isBatch ? rest.map(({ call }) => call) : rest[0]?.call;
    const reply = rest.length === 0 ? json(200, []) : await forward({ ...asked, body: JSON.stringify(body) });
    const answers = rest.length === 0 ? [] : answersOf(reply);
    if (answers === undefined || reply.status !== 200) return reply;
    const changed = new Map<unknown, Answer>();
    for (const { at, call } of rest) {
      const answer = answers.find(({ id }) => String(id) === String(call.id));
      if (answer !== undefined)
        changed.set(call.id, after === undefined ? answer : await after(calls.list[at] ?? call, answer, peek));
    }
    const whole = calls.list.flatMap((call, at) => {
      const answer = own.get(at) ?? changed.get(call.id);
      return answer === undefined ? [] : [{ jsonrpc: "2.0", id: call.id, ...stripped(answer) }];
    });
    return { ...reply, body: Buffer.from(JSON.stringify(calls.isBatch ? whole : whole[0])) };
  };
}

/** Refuses a whole request before it is asked. */
export function refusing(
  refuse: (calls: readonly Call[], isBatch: boolean, asked: Asked) => Reply | undefined,
): Tamper {
  return async (asked, forward) => {
    const calls = callsOf(asked);
    return (calls === undefined ? undefined : refuse(calls.list, calls.isBatch, asked)) ?? forward();
  };
}

/** Changes the list of a batch's answers, or the single answer as a list of one. */
export function onAnswers(change: (answers: readonly Record<string, unknown>[]) => readonly unknown[]): Tamper {
  return async (_, forward) => {
    const reply = await forward();
    return withJson(reply, (value) =>
      Array.isArray(value) ? change(value as Record<string, unknown>[]) : change([value as Record<string, unknown>])[0],
    );
  };
}

/** @returns undefined where the body is no JSON-RPC */
export function callsOf({ body }: Asked): { readonly list: readonly Call[]; readonly isBatch: boolean } | undefined {
  try {
    const value = JSON.parse(body) as Call | Call[];
    return { list: [value].flat(), isBatch: Array.isArray(value) };
  } catch {
    return undefined;
  }
}

export function failure(code: number, message: string, data?: unknown): Answer {
  return { error: { code, message, ...(data === undefined ? {} : { data }) } };
}

/** One JSON-RPC error as the whole body. */
export function errorReply(status: number, id: unknown, error: RpcError, headers?: Record<string, string>): Reply {
  return json(status, { jsonrpc: "2.0", id, error }, headers);
}

/** The block a call is about: a number, or undefined for tags, hashes and calls about none. */
export function blockOf({ method, params }: Call): number | undefined {
  const position = BLOCK_PARAMETER[method];
  const block = position === undefined ? undefined : params[position];
  return typeof block === "string" && /^0x[0-9a-f]{1,16}$/i.test(block) ? Number(block) : undefined;
}

export function isTag(block: unknown): boolean {
  return block === "latest" || block === "pending" || block === undefined;
}

/** Where a method takes its block. */
export const BLOCK_PARAMETER: Readonly<Record<string, number>> = {
  eth_call: 1,
  eth_estimateGas: 1,
  eth_getBalance: 1,
  eth_getCode: 1,
  eth_getTransactionCount: 1,
  eth_getStorageAt: 2,
  eth_getBlockByNumber: 0,
};

/** Methods that need the state of their block. */
export const OF_STATE: ReadonlySet<string> = new Set([
  ...["eth_call", "eth_getBalance", "eth_getCode", "eth_getTransactionCount", "eth_getStorageAt"],
]);

export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

function peekOf(asked: Asked, forward: Forward): Peek {
  return async (method, params = []) => {
    const reply = await forward({ ...asked, body: JSON.stringify({ jsonrpc: "2.0", id: 0, method, params }) });
    return (JSON.parse(reply.body.toString()) as { result?: unknown }).result;
  };
}

function answersOf(reply: Reply): ({ id: unknown } & Answer)[] | undefined {
  try {
    return [JSON.parse(reply.body.toString()) as ({ id: unknown } & Answer)[]].flat();
  } catch {
    return undefined;
  }
}

function stripped(answer: Answer): Answer {
  return "error" in answer ? { error: answer.error } : { result: answer.result };
}
