/** Downloads of states, some hundred megabytes each: read as they arrive or hashed a piece at a time, so that the program goes on meanwhile. */
import { pipeline } from "node:stream";
import type { Duplex, Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { getGlobalDispatcher, interceptors, request } from "undici";
import { isAbort } from "../util/errors.ts";
import type { Hex } from "../util/hex.ts";
import { HostFailure, endpointOf, statusFailure, transportProblem, urlAt } from "../util/http.ts";
import { Mismatch, isJson } from "./blockCodec.ts";
import type { Pause } from "./merkle.ts";
import type { ForkName, Header } from "./proofs.ts";
import { LAYOUTS } from "./proofs.ts";
import { hashState } from "./stateProofs.ts";
import type { HashedState } from "./stateProofs.ts";
import { FORK_BYTES, forkOf } from "./stateFork.ts";
import { StateStream, readStateBytes } from "./stateReader.ts";
import type { StateContents } from "./stateReader.ts";

/** More is no state. */
const MOST_BYTES = 2 ** 30;

/** A state that comes in. */
export interface Download {
  readonly fork: ForkName;
  readonly body: AsyncIterable<Uint8Array>;
  /** The length that the node announced. */
  readonly bytes: number | undefined;
  readonly pause: Pause;
}

/** Follows redirects, as `fetch` does: without the credentials where they lead to another host. */
const followRedirects = interceptors.redirect({ maxRedirections: 5 });

/**
 * Asks one node for a state and lets `use` read it.
 * @param url may hold credentials
 * @param timeoutSeconds for the whole download: a node that sends a byte now and then must not hold the reader
 * @throws HostFailure, with its status where the node serves no such state; Error with the path in its message where it is no state; the signal's
 * reason when aborted
 */
export async function downloadState<T>(
  url: string,
  path: string,
  timeoutSeconds: number,
  signal: AbortSignal | undefined,
  use: (download: Download) => Promise<T>,
): Promise<T> {
  const timeout = AbortSignal.timeout(Math.ceil(timeoutSeconds * 1_000));
  const ends = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
  let body: Readable | undefined;
  try {
    const opened = await openState(url, path, ends);
    const { headers } = opened;
    body = opened.body;
    const decoded = decodedBody(body, headers.get("content-encoding"));
    const length = headers.get("content-length");
    const announced = decoded === body && length !== null ? Number(length) : undefined;
    const version = headers.get("eth-consensus-version")?.trim().toLowerCase();
    const { fork, bytes } = await withFork(decoded, version);
    // no timeout once it has arrived: hashing takes what it takes
    const pause = async (): Promise<void> => setImmediate(undefined, signal === undefined ? {} : { signal });
    return await use({ fork, body: bytes, bytes: announced, pause });
  } catch (error) {
    if (isAbort(error) && signal?.aborted === true) throw error;
    if (error instanceof HostFailure || error instanceof Mismatch) throw error;
    const late = isAbort(error) && timeout.aborted;
    const message = `${path}: ${late ? `not there within ${timeoutSeconds} s` : transportProblem(error)}`;
    // what came and was no state is another matter than what did not come
    const isTransport = late || (error as { code?: unknown }).code !== undefined;
    throw isTransport ? new HostFailure(message, { cause: error }) : new Error(message, { cause: error });
  } finally {
    drop(body);
  }
}

/**
 * Whether a node answers for a state: nothing of it is read.
 * @throws HostFailure with its status where it serves none; Error
 */
export async function servesState(
  url: string,
  path: string,
  timeoutSeconds: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const timeout = AbortSignal.timeout(Math.ceil(timeoutSeconds * 1_000));
  try {
    const { body } = await openState(url, path, signal === undefined ? timeout : AbortSignal.any([timeout, signal]));
    drop(body);
  } catch (error) {
    if (error instanceof HostFailure || (isAbort(error) && signal?.aborted === true)) throw error;
    throw new Error(`${path}: ${transportProblem(error)}`, { cause: error });
  }
}

async function openState(
  url: string,
  path: string,
  signal: AbortSignal,
): Promise<{ headers: Headers; body: Readable }> {
  const endpoint = endpointOf(url);
  const answer = await request(urlAt(endpoint.url, path), {
    headers: { ...endpoint.headers, accept: "application/octet-stream" },
    dispatcher: getGlobalDispatcher().compose(followRedirects),
    signal,
  });
  const headers = new Headers();
  for (const [name, value] of Object.entries(answer.headers))
    for (const one of [value ?? []].flat()) headers.append(name, one);
  const { statusCode: status, body } = answer;
  if (status === 200) return { headers, body };
  throw statusFailure({ status, headers, bytes: await startOf(body, 4_096) }, path);
}

/** What a host says about its refusal: the rest is not waited for. */
async function startOf(body: Readable, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= most) break;
  }
  return Buffer.concat(chunks);
}

/** Proxies compress what they were not asked to. @throws Error where the encoding is not known */
function decodedBody(body: Readable, encoding: string | null): Readable {
  let decoded = body;
  for (const name of (encoding ?? "").toLowerCase().split(",").reverse()) {
    const decoder = decoderOf(name.trim());
    // an error of one of them ends the reading of the last
    if (decoder !== undefined) decoded = pipeline(decoded, decoder, () => undefined);
  }
  return decoded;
}

function decoderOf(encoding: string): Duplex | undefined {
  switch (encoding) {
    case "":
    case "identity":
      return undefined;
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress();
    default:
      throw new Error(`is encoded as "${encoding}"`);
  }
}

/**
 * Names the fork: as the node does, or out of the state itself, where node or provider leave the header out.
 * @throws Error where it is JSON (three times as long, and no string holds it), or of a fork that is not known
 */
async function withFork(
  body: Readable,
  version: string | undefined,
): Promise<{ fork: ForkName; bytes: AsyncIterable<Uint8Array> }> {
  if (version !== undefined && !Object.hasOwn(LAYOUTS, version))
    throw new Error(`states of the fork "${version}" are not known`);
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
  const read: Uint8Array[] = [];
  for (let size = 0; size < (version === undefined ? FORK_BYTES : 8);) {
    const { done, value } = await chunks.next();
    if (done === true) break;
    read.push(value);
    size += value.length;
  }
  const [only] = read;
  const start = read.length === 1 && only !== undefined ? only : Buffer.concat(read);
  // a state begins with the time of genesis, a small number of eight bytes
  if (isJson(start) && !start.subarray(0, 8).includes(0)) throw new Error("is JSON, not SSZ");
  const fork = version === undefined ? forkOf(start) : (version as ForkName);
  if (fork === undefined) throw new Error("is no state of a known fork");
  async function* all(): AsyncGenerator<Uint8Array> {
    yield start;
    for (let part = await chunks.next(); part.done !== true; part = await chunks.next()) yield part.value;
  }
  return { fork, bytes: all() };
}

function drop(body: Readable | undefined): void {
  body?.on("error", () => undefined).destroy();
}

/** @param pubkeys lower case */
export async function contentsOf(download: Download, pubkeys: readonly Hex[]): Promise<StateContents> {
  const { fork, bytes, pause } = download;
  if (bytes === undefined) return readStateBytes(await collect(download), fork, pubkeys, pause);
  const stream = new StateStream(fork, bytes, pubkeys);
  for await (const chunk of download.body) stream.write(chunk);
  return stream.end();
}

/** The state, hashed, and where in it each key is. */
export async function provableState(
  download: Download,
  header: Header,
  pubkeys: readonly Hex[] = [],
): Promise<{ readonly state: HashedState; readonly fork: ForkName; readonly indices: number[] }> {
  const { fork, pause } = download;
  const bytes = await collect(download);
  const indices: number[] = [];
  if (pubkeys.length > 0) {
    const { validators, slot } = await readStateBytes(bytes, fork, pubkeys, pause);
    const byKey = new Map(validators.map(({ pubkey, index }) => [pubkey, index]));
    for (const pubkey of pubkeys) {
      const index = byKey.get(pubkey);
      if (index === undefined) throw new Error(`${pubkey} is not in the registry at slot ${slot}`);
      indices.push(index);
    }
  }
  return { fork, indices, state: await hashState(bytes, fork, header, pause) };
}

/** Into one buffer of the announced size; one that grows where none was announced. */
async function collect({ body, bytes: announced }: Download): Promise<Uint8Array> {
  const most = announced ?? MOST_BYTES;
  if (most > MOST_BYTES) throw new Error(`${most} bytes are announced, more than a state has`);
  let bytes = new Uint8Array(announced ?? 2 ** 24);
  let filled = 0;
  for await (const chunk of body) {
    if (filled + chunk.length > most) throw new Error(`more than ${most} bytes arrived`);
    if (filled + chunk.length > bytes.length) {
      const larger = new Uint8Array(Math.max(2 * bytes.length, filled + chunk.length));
      larger.set(bytes.subarray(0, filled));
      bytes = larger;
    }
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  return bytes.subarray(0, filled);
}
