/** A small HTTP server on loopback: routes with `:parameters`, JSON and octet streams, errors in the Beacon API's shape. */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export interface ApiRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: Uint8Array;
  readonly raw: IncomingMessage;
}

export interface ApiReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Either of them, or nothing. */
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
}

/** A handler that answers in its own way (server-sent events) returns nothing. */
export type Handler = (request: ApiRequest, response: ServerResponse) => ApiReply | Promise<ApiReply> | undefined;

export interface Route {
  readonly method: "GET" | "POST";
  /** For example `/eth/v1/beacon/states/:state/fork`. */
  readonly path: string;
  readonly handler: Handler;
}

const MAX_BODY_BYTES = 20_000_000;

export function get(path: string, handler: Handler): Route {
  return { method: "GET", path, handler };
}

export function post(path: string, handler: Handler): Route {
  return { method: "POST", path, handler };
}

/** The request's body as JSON. */
export function jsonOf(request: ApiRequest): unknown {
  try {
    return JSON.parse(Buffer.from(request.body).toString("utf8"));
  } catch {
    throw new ApiError(400, "the body is not JSON");
  }
}

/** Whether the client prefers SSZ (`Accept`), by the order or by the quality that it gives. */
export function prefersSsz({ headers }: ApiRequest): boolean {
  const quality = (type: string): number => {
    const range = (headers.accept ?? "").split(",").find((part) => part.trim().startsWith(type));
    if (range === undefined) return 0;
    return Number(/;\s*q=([\d.]+)/.exec(range)?.[1] ?? "1");
  };
  return quality("application/octet-stream") > quality("application/json");
}

/** Whether the body is SSZ (`Content-Type`). */
export function isSsz({ headers }: ApiRequest): boolean {
  return (headers["content-type"] ?? "").startsWith("application/octet-stream");
}

/** @param port 0 picks a free one; the server's address says which */
export async function serveRoutes(
  routes: readonly Route[],
  port: number,
  onFault: (path: string, error: Error) => void = () => undefined,
): Promise<Server> {
  const compiled = routes.map((route) => ({ ...route, pattern: pattern(route.path) }));
  const server = createServer((request, response) => {
    void answer(compiled, request, response).catch((error: unknown) => {
      const code = error instanceof ApiError ? error.code : 500;
      if (code === 500) onFault(request.url ?? "", error as Error);
      send(response, {
        status: code,
        json: { code, message: error instanceof Error ? error.message : String(error) },
      });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return server;
}

type Compiled = Route & { readonly pattern: RegExp };

async function answer(routes: readonly Compiled[], raw: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(raw.url ?? "/", "http://localhost");
  const matching = routes.filter((route) => route.pattern.test(url.pathname));
  const route = matching.find(({ method }) => method === raw.method);
  if (route === undefined)
    throw matching.length > 0
      ? new ApiError(405, `${raw.method} is not for ${url.pathname}`)
      : new ApiError(404, `no such path: ${url.pathname}`);
  const params = route.pattern.exec(url.pathname)?.groups ?? {};
  const body = await read(raw);
  const reply = await route.handler({ params, query: url.searchParams, headers: raw.headers, body, raw }, response);
  if (reply !== undefined) send(response, reply);
}

function send(response: ServerResponse, { status = 200, headers = {}, json, bytes }: ApiReply): void {
  if (response.headersSent) return void response.end();
  const type = bytes === undefined ? "application/json" : "application/octet-stream";
  const content = bytes ?? (json === undefined ? "" : JSON.stringify(json));
  response.writeHead(status, { "content-type": type, ...headers });
  response.end(content);
}

function pattern(path: string): RegExp {
  return new RegExp(`^${path.replace(/:(\w+)/g, "(?<$1>[^/]+)")}$`);
}

async function read(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new ApiError(413, `a request may have ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
