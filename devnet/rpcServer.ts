/** Serves an in-process network over JSON-RPC on loopback: single requests and batches over HTTP. */
import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import { readBody } from "./httpBody.ts";
import type { Provider } from "./provider.ts";

const MAX_BODY_BYTES = 5_000_000;
const PARSE_ERROR = -32_700;
const INVALID_REQUEST = -32_600;
const INTERNAL_ERROR = -32_603;

type Reply = { jsonrpc: "2.0"; id: unknown } & ({ result: unknown } | { error: object });

/** @param port 0 picks a free one; the server's address says which */
export async function serveRpc(provider: Provider, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-allow-headers", "content-type");
    if (request.method === "OPTIONS") return void response.end();
    void answer(provider, request).then((reply) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(reply));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return server;
}

async function answer(provider: Provider, request: IncomingMessage): Promise<Reply | Reply[]> {
  let body: unknown;
  try {
    body = JSON.parse(await readBody(request, MAX_BODY_BYTES));
  } catch (error) {
    return failure(null, PARSE_ERROR, error);
  }
  return Array.isArray(body) ? Promise.all(body.map((call) => answerOne(provider, call))) : answerOne(provider, body);
}

async function answerOne(provider: Provider, call: unknown): Promise<Reply> {
  const { id = null, method, params } = (call ?? {}) as { id?: unknown; method?: unknown; params?: unknown };
  if (typeof method !== "string") return failure(id, INVALID_REQUEST, new Error("no method"));
  try {
    const result = await provider.request({ method, params: (params ?? []) as unknown[] });
    return { jsonrpc: "2.0", id, result: result ?? null };
  } catch (error) {
    return failure(id, INTERNAL_ERROR, error);
  }
}

function failure(id: unknown, fallback: number, error: unknown): Reply {
  const { code, data, message } = error as { code?: unknown; data?: unknown; message?: unknown };
  return {
    jsonrpc: "2.0",
    id,
    error: { code: typeof code === "number" ? code : fallback, message: String(message), data },
  };
}
