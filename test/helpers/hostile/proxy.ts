/**
 * A proxy in front of an honest server that answers as other servers do: each request passes through a chain of tampers, outermost first. The
 * chain may be changed while it runs. Everything on loopback.
 */
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface Asked {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Milliseconds before the first byte. */
  readonly delay?: number;
  /** In pieces with pauses, this many milliseconds in all, and without an announced length. */
  readonly trickle?: number;
  /** The connection ends after so many bytes of the announced ones. */
  readonly cutAfter?: number;
  /** Nothing is ever sent. */
  readonly stalls?: boolean;
}

/** What stands behind: asked for the same, unless something else is given. */
export type Forward = (asked?: Asked) => Promise<Reply>;

export type Tamper = (asked: Asked, forward: Forward) => Promise<Reply>;

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface Proxy {
  /** With the credentials in it, where it asks for any. */
  readonly url: string;
  /** How many requests it has had. */
  readonly requests: number;
  /** Takes another chain for the requests from now on. */
  become(tampers: readonly Tamper[]): void;
  close(): Promise<void>;
}

const PIECES = 5;
/** Of one hop, or said anew by this one. */
const DROPPED = new Set(["content-length", "content-encoding", "transfer-encoding", "connection", "keep-alive"]);
const PASSED_ON = ["accept", "content-type"];

/** @param credentials asked of everybody (RFC 7617), where given */
export async function startProxy(target: string, credentials?: Credentials): Promise<Proxy> {
  let chain: readonly Tamper[] = [];
  let requests = 0;
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    requests++;
    const asked = await read(request);
    const whole = chain.reduceRight<Forward>(
      (next, tamper) =>
        async (other = asked) =>
          tamper(other, async (changed = other) => next(changed)),
      async (other = asked) => askTarget(target, other),
    );
    const isKnown = credentials === undefined || asked.headers["authorization"] === basic(credentials);
    await send(response, isKnown ? await whole() : json(401, { error: "unauthorised" }));
  };
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      // the honest server is down or this proxy is being closed: what a load balancer says then
      if (!response.headersSent) response.writeHead(502, { "content-type": "text/plain" });
      response.end(error instanceof Error ? error.name : "error");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const who = credentials === undefined ? "" : `${encoded(credentials.user)}:${encoded(credentials.password)}@`;
  return {
    url: `http://${who}127.0.0.1:${port}`,
    get requests() {
      return requests;
    },
    become: (tampers) => {
      chain = tampers;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A reply with a JSON body. */
export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: Buffer.from(JSON.stringify(value)),
  };
}

/** The reply with its JSON changed; one that is no JSON stays as it is. */
export function withJson(reply: Reply, change: (value: unknown) => unknown): Reply {
  let value: unknown;
  try {
    value = JSON.parse(reply.body.toString());
  } catch {
    return reply;
  }
  return { ...reply, body: Buffer.from(JSON.stringify(change(value))) };
}

/** What the request's Authorization header must be. */
export function basic({ user, password }: Credentials): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) headers[name] = String(value);
  return {
    method: request.method ?? "GET",
    path: request.url ?? "/",
    headers,
    body: Buffer.concat(chunks).toString(),
  };
}

async function askTarget(target: string, { method, path, headers, body }: Asked): Promise<Reply> {
  const passed = PASSED_ON.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]] as const]));
  const answer = await fetch(target + path, {
    method,
    headers: Object.fromEntries(passed),
    ...(method === "POST" ? { body } : {}),
  });
  const kept: Record<string, string> = {};
  answer.headers.forEach((value, name) => {
    if (!DROPPED.has(name)) kept[name] = value;
  });
  return { status: answer.status, headers: kept, body: Buffer.from(await answer.arrayBuffer()) };
}

async function send(response: ServerResponse, reply: Reply): Promise<void> {
  const { status, headers, body, delay = 0, trickle, cutAfter, stalls } = reply;
  if (stalls === true) return;
  if (delay > 0) await sleep(delay);
  if (trickle !== undefined) {
    response.writeHead(status, headers);
    const size = Math.max(1, Math.ceil(body.length / PIECES));
    for (let at = 0; at < body.length; at += size) {
      response.write(body.subarray(at, at + size));
      await sleep(trickle / PIECES);
    }
    response.end();
    return;
  }
  response.writeHead(status, { ...headers, "content-length": String(body.length) });
  if (cutAfter === undefined || cutAfter >= body.length) {
    response.end(body);
    return;
  }
  response.write(body.subarray(0, cutAfter), () => response.destroy());
}

function encoded(part: string): string {
  return encodeURIComponent(part);
}
