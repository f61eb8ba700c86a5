/**
 * The door to a member: POST /v1/signatures takes a signed report, GET /v1/signatures/{refSlot} gives those known. A signature is its own
 * authentication: only a current member's is taken. Everything that a stranger can make grow is bounded.
 */
import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import type { Clock } from "../util/clock.ts";
import { makeRateLimit } from "./rateLimit.ts";
import type { Limit } from "./rateLimit.ts";
import type { Entry, SignatureBook, Verdict } from "./signatureBook.ts";
import { encodeSigned, signedReportSchema } from "./wire.ts";
import type { SignedReport } from "./wire.ts";

/** A signed report has about 700 bytes. */
const MAX_BODY_BYTES = 4_096;
const REQUEST_TIMEOUT_MS = 5_000;
const MAX_CONNECTIONS = 256;
export const DEFAULT_LIMIT: Limit = { perSecond: 10, burst: 100, addresses: 1_024 };

const STATUS: Readonly<Record<Verdict, number>> = {
  added: 202,
  known: 200,
  equivocation: 202,
  full: 409,
  "wrong slot": 409,
  "wrong version": 409,
  "not a member": 403,
};

export interface ServerOptions {
  readonly book: SignatureBook;
  /** This member's own, which outlive a restart. */
  readonly own: () => readonly SignedReport[];
  readonly clock: Clock;
  readonly limit?: Limit;
  readonly onSigned?: (verdict: Verdict, entry: Entry | undefined) => void;
  readonly onAnswer?: (status: number) => void;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export async function serveSignatures(options: ServerOptions, host: string, port: number): Promise<Server> {
  const mayAsk = makeRateLimit(options.clock, options.limit ?? DEFAULT_LIMIT);
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS });
  server.maxConnections = MAX_CONNECTIONS;
  server.on("request", (request: IncomingMessage, response) => {
    const allowed = mayAsk(request.socket.remoteAddress ?? "");
    const refused: Answer = { status: 429, body: { error: "too many requests" } };
    void (allowed ? answer(options, request) : Promise.resolve(refused)).then(({ status, body }) => {
      options.onAnswer?.(status);
      // what was not read of a refused request is not waited for
      if (status === 413 || status === 429) response.setHeader("connection", "close");
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return server;
}

async function answer(options: ServerOptions, request: IncomingMessage): Promise<Answer> {
  try {
    const path = (request.url ?? "").split("?")[0] ?? "";
    const slot = /^\/v1\/signatures\/(\d{1,10})$/.exec(path)?.[1];
    if (slot !== undefined)
      return request.method === "GET" ? { status: 200, body: list(options, BigInt(slot)) } : failed(405, "GET only");
    if (path !== "/v1/signatures") return failed(404, "not found");
    if (request.method !== "POST") return failed(405, "POST only");
    return await take(options, request);
  } catch {
    return failed(400, "the request was broken off");
  }
}

function list({ book, own }: ServerOptions, refSlot: bigint): unknown {
  const known = book.at(refSlot);
  const mine = own().filter(
    (signed) => signed.report.refSlot === refSlot && !known.some(({ signature }) => signature === signed.signature),
  );
  return { signatures: [...known, ...mine].map(encodeSigned) };
}

async function take({ book, onSigned }: ServerOptions, request: IncomingMessage): Promise<Answer> {
  const text = await readBody(request);
  if (text === undefined) return failed(413, `at most ${MAX_BODY_BYTES} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return failed(400, "not JSON");
  }
  const parsed = signedReportSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return failed(400, `${issue?.path.join(".")}: ${issue?.message}`);
  }
  if (book.rules === undefined) return failed(503, "the contract was not read yet");
  const { verdict, entry } = book.add(parsed.data);
  onSigned?.(verdict, entry);
  return { status: STATUS[verdict], body: { verdict } };
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  if (Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function failed(status: number, error: string): Answer {
  return { status, body: { error } };
}
