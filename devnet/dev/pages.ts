/** The built app on loopback: its files, its configuration, its node, and the control of what runs behind it. */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize, sep } from "node:path";
import type { AddressInfo } from "node:net";
import { readBody } from "../httpBody.ts";

export interface PagesOptions {
  /** Of the built app. */
  readonly folder: string;
  /** What the page reads from config.json: `rpc` is `["rpc"]`, which is forwarded. */
  readonly config: object;
  readonly rpcUrl: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Answers the page's own requests by path, without the slash. */
  readonly also?: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => Promise<void>>>;
  /** Before a request is forwarded: may wait, or say that the node is away. */
  readonly onForward?: () => Promise<"answer" | "drop">;
}

export interface Pages {
  /** With a slash at the end. */
  readonly url: string;
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 5_000_000;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".json": "application/json",
};

export async function servePages(options: PagesOptions): Promise<Pages> {
  const server = createServer((request, response) => {
    void serve(options, server, request, response).catch(() => response.destroy()); // the page went away meanwhile
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${portOf(server)}/`,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function serve(
  { folder, config, rpcUrl, also = {}, onForward }: PagesOptions,
  server: Server,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // a name that somebody else's DNS leads here is not this page's
  if (!hostsOf(server).includes(request.headers.host ?? "")) {
    answer(response, 421, "text/plain", "this is served at 127.0.0.1 and localhost only\n");
    return;
  }
  const path = new URL(request.url ?? "/", "http://local").pathname;
  const handler = also[path.slice(1)];
  if (handler !== undefined) await handler(request, response);
  else if (path === "/config.json") answer(response, 200, "application/json", JSON.stringify(config));
  else if (path === "/rpc") {
    if ((await onForward?.()) === "drop") request.socket.destroy();
    else await forward(request, response, rpcUrl);
  } else await serveFile(folder, path, response);
}

/** As a browser names this server. */
export function hostsOf(server: Server): string[] {
  const port = portOf(server);
  return [`127.0.0.1:${port}`, `localhost:${port}`];
}

async function forward(request: IncomingMessage, response: ServerResponse, url: string): Promise<void> {
  const answered = await fetch(url, { method: "POST", body: await readBody(request, MAX_BODY_BYTES) });
  answer(response, answered.status, "application/json", await answered.text());
}

async function serveFile(folder: string, path: string, response: ServerResponse): Promise<void> {
  const file = join(folder, normalize(path === "/" ? "/index.html" : path));
  const content = file.startsWith(folder + sep) ? await readFile(file).catch(() => undefined) : undefined;
  if (content === undefined) answer(response, 404, "text/plain", "not found");
  else answer(response, 200, TYPES[extname(file)] ?? "application/octet-stream", content);
}

export function answer(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  response.writeHead(status, { "content-type": type });
  response.end(body);
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
