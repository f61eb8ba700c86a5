/**
 * One request to a host that a person configured: credentials of its URL go into a header, compressed answers are read, and no error's message
 * holds more of the URL than its host. Runs in browsers too.
 */
import { isAbort, messageOf } from "./errors.ts";

/** A configured URL, split into what is asked, what identifies us, and what may be printed. */
export interface Endpoint {
  /** Without user and password, without a slash at the end. */
  readonly url: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The host did not answer, or not as HTTP answers; `seconds` is how long it wants to be left alone. */
export class HostFailure extends Error {
  readonly status: number | undefined;
  readonly waitSeconds: number | undefined;

  constructor(message: string, options: ErrorOptions & { status?: number; waitSeconds?: number | undefined } = {}) {
    super(message, options);
    this.name = "HostFailure";
    this.status = options.status;
    this.waitSeconds = options.waitSeconds;
  }
}

export interface HttpRequest {
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For the whole answer. */
  readonly timeoutSeconds: number;
  readonly signal?: AbortSignal | undefined;
  /** Of the answer, after decompression. Default 256 MiB. */
  readonly mostBytes?: number;
  /** "manual" answers with the redirect itself: followed, a POST may become a GET without its body. */
  readonly redirect?: "follow" | "error" | "manual";
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

const MOST_BYTES = 2 ** 28;

/**
 * User and password are percent-decoded and sent as RFC 7617 says, in UTF-8. A URL that is none names no host.
 * @throws RangeError, without the URL in its message
 */
export function endpointOf(url: string): Endpoint {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new RangeError("not an http(s) URL");
  }
  const { username, password, host, protocol } = parsed;
  if (protocol !== "http:" && protocol !== "https:") throw new RangeError("not an http(s) URL");
  parsed.username = "";
  parsed.password = "";
  const bare = parsed.href.replace(/\/+$/, "");
  if (username === "" && password === "") return { url: bare, host, headers: {} };
  return {
    url: bare,
    host,
    headers: { authorization: `Basic ${base64(`${decoded(username)}:${decoded(password)}`)}` },
  };
}

/** A path below a URL, in front of its query, which may hold a key. */
export function urlAt(url: string, path: string): string {
  const query = url.indexOf("?");
  if (query === -1 || path === "") return url + path;
  const own = url.slice(query + 1);
  const base = url.slice(0, query).replace(/\/+$/, "");
  return `${base}${path}${path.includes("?") ? "&" : "?"}${own}`;
}

/** A URL without what may be secret in it: user, password, path and query. */
export function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return "malformed URL";
  }
}

/**
 * @returns whatever status the host answered with
 * @throws HostFailure; the signal's reason when aborted
 */
export async function askHttp(configured: string, path: string, request: HttpRequest): Promise<HttpAnswer> {
  const { url, headers } = endpointOf(configured);
  const { method = "GET", body, timeoutSeconds, signal, mostBytes = MOST_BYTES, redirect = "follow" } = request;
  const timeout = AbortSignal.timeout(Math.ceil(timeoutSeconds * 1_000));
  try {
    const response = await fetch(urlAt(url, path), {
      ...{ method, redirect, headers: { ...headers, ...request.headers } },
      ...(body === undefined ? {} : { body }),
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
    return { status: response.status, headers: response.headers, bytes: await readBytes(response, mostBytes) };
  } catch (error) {
    signal?.throwIfAborted();
    if (isAbort(error)) throw new HostFailure(`no answer within ${timeoutSeconds} s`, { cause: error });
    throw new HostFailure(transportProblem(error), { cause: error });
  }
}

/** What a status says about the host: for the next host to be asked, and for the one who waits. */
export function statusFailure(answer: HttpAnswer, path = ""): HostFailure {
  const { status, headers } = answer;
  const said = explanationOf(answer);
  const message = `${path === "" ? "" : `${path} `}answered ${status}${said === "" ? "" : `: ${said}`}`;
  return new HostFailure(message, { status, waitSeconds: retryAfter(headers) });
}

/** `Retry-After` (RFC 9110, 10.2.3) in seconds, at most ten minutes; undefined where there is none that can be read. */
export function retryAfter(headers: Headers): number | undefined {
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  const seconds = /^\s*\d+\s*$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1_000;
  return Number.isFinite(seconds) ? Math.min(600, Math.max(0, seconds)) : undefined;
}

/** The host's own sentence in the body of an error, whichever shape it has; empty where there is none. One line, at most 200 characters. */
export function explanationOf({ bytes }: Pick<HttpAnswer, "bytes">): string {
  const text = new TextDecoder().decode(bytes.subarray(0, 4_096)).trim();
  if (text === "" || text.startsWith("<")) return "";
  return sentenceIn(text).replace(/\s+/g, " ").slice(0, 200);
}

function sentenceIn(text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  for (let depth = 0; depth < 4 && typeof value === "object" && value !== null; depth++) {
    const { message, error, detail, reason, 0: first } = value as Record<string, unknown>;
    value = message ?? error ?? detail ?? reason ?? first;
  }
  return typeof value === "string" ? value : "";
}

async function readBytes(response: Response, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined;
  if (reader === undefined) return new Uint8Array();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.length;
    if (size > most) {
      await reader.cancel();
      throw new Error(`an answer of more than ${most} bytes`);
    }
    chunks.push(part.value);
  }
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** "fetch failed" says nothing: why is in the cause. Never a message that may hold the URL. */
export function transportProblem(error: unknown): string {
  const causes: unknown[] = [error];
  for (let i = 0; i < 4; i++) causes.push((causes.at(-1) as { cause?: unknown } | undefined)?.cause);
  for (const cause of causes.reverse()) {
    if (typeof cause !== "object" || cause === null) continue;
    const { code } = cause as { code?: unknown };
    if (typeof code === "string" && code !== "") return code;
    const message = messageOf(cause);
    if (!message.includes("://") && cause !== error) return message;
  }
  const message = messageOf(error);
  return message.includes("://") ? "the request could not be made" : message;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
