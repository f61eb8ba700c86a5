/** A beacon node that answers as real ones, and the proxies before them, have been seen to: behaviours in front of a node that works. On loopback. */
import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { closeServer, portOf } from "../../../offchain/util/health.ts";

export interface Asked {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** After so many bytes the connection is cut; the whole length is announced. */
  readonly cutAt?: number;
}

/** @param forward what the next behaviour, or the node itself, answers */
export type Behaviour = (asked: Asked, forward: () => Promise<Reply>) => Promise<Reply> | Reply;

export interface HostileBeacon {
  readonly url: string;
  /** Everything that it was asked, in order. */
  readonly asked: readonly Asked[];
  close(): Promise<void>;
}

/** @param behaviours the first is asked first @param target a URL, or how else a request is answered in the end */
export async function hostileBeacon(
  target: string | ((asked: Asked) => Promise<Reply> | Reply),
  ...behaviours: readonly Behaviour[]
): Promise<HostileBeacon> {
  const all: Asked[] = [];
  const answer = async (asked: Asked, place = 0): Promise<Reply> => {
    const behaviour = behaviours[place];
    if (behaviour !== undefined) return behaviour(asked, () => answer(asked, place + 1));
    return typeof target === "string" ? forwarded(target, asked) : target(asked);
  };
  const server = createServer((request, response) => {
    void read(request).then(async (asked) => {
      all.push(asked);
      send(response, await answer(asked));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${portOf(server)}`, asked: all, close: () => closeServer(server) };
}

/** Only for these requests: a path, or a method and a path. */
export function on(pattern: RegExp, behaviour: Behaviour): Behaviour {
  return (asked, forward) => (pattern.test(`${asked.method} ${asked.path}`) ? behaviour(asked, forward) : forward());
}

/** The first so many times. */
export function times(count: number, behaviour: Behaviour): Behaviour {
  let left = count;
  return (asked, forward) => (left-- > 0 ? behaviour(asked, forward) : forward());
}

/** JSON, or a body as it is. */
export function answers(status: number, body: unknown = "", headers: Readonly<Record<string, string>> = {}): Behaviour {
  const isText = typeof body === "string";
  const type = isText ? "text/html" : "application/json";
  return () => ({
    status,
    headers: { "content-type": type, ...headers },
    body: Buffer.from(isText ? body : JSON.stringify(body)),
  });
}

/** What the node answers in JSON, changed. */
export function changesJson(change: (json: never) => unknown): Behaviour {
  return async (_, forward) => {
    const reply = await forward();
    if (reply.status !== 200) return reply;
    return { ...reply, body: Buffer.from(JSON.stringify(change(JSON.parse(reply.body.toString()) as never))) };
  };
}

/** @param value undefined leaves it out */
export function withHeader(name: string, value: string | undefined): Behaviour {
  return async (_asked, forward) => {
    const reply = await forward();
    const { [name]: _, ...headers } = reply.headers;
    return { ...reply, headers: value === undefined ? headers : { ...headers, [name]: value } };
  };
}

const ENCODERS = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync };

/** Compressed, though nobody asked for it. */
export function encoded(encoding: keyof typeof ENCODERS): Behaviour {
  return async (_, forward) => {
    const reply = await forward();
    const headers = { ...reply.headers, "content-encoding": encoding };
    return { ...reply, headers, body: ENCODERS[encoding](reply.body) };
  };
}

/** Cut in the middle of the body. */
export const truncated: Behaviour = async (_, forward) => {
  const reply = await forward();
  return { ...reply, cutAt: Math.floor(reply.body.length / 2) };
};

/** Without SSZ: JSON, whatever is asked for. */
export const speaksJsonOnly: Behaviour = async (asked, forward) => {
  (asked as { headers: IncomingHttpHeaders }).headers = { ...asked.headers, accept: "application/json" };
  return forward();
};

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const { method = "GET", url = "/", headers } = request;
  return { method, path: url, headers, body: Buffer.concat(chunks).toString() };
}

async function forwarded(target: string, { method, path, headers: asked, body }: Asked): Promise<Reply> {
  const answer = await fetch(target + path, {
    method,
    headers: { accept: asked.accept ?? "*/*", "content-type": "application/json" },
    ...(method === "POST" ? { body } : {}),
  });
  const headers: Record<string, string> = {};
  for (const name of ["content-type", "eth-consensus-version", "retry-after"]) {
    const value = answer.headers.get(name);
    if (value !== null) headers[name] = value;
  }
  return { status: answer.status, headers, body: Buffer.from(await answer.arrayBuffer()) };
}

function send(response: ServerResponse, { status, headers, body, cutAt }: Reply): void {
  response.writeHead(status, { ...headers, "content-length": String(body.length) });
  if (cutAt === undefined) response.end(body);
  else response.write(body.subarray(0, cutAt), () => response.destroy());
}
