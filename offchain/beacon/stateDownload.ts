/** Downloads of states, some hundred megabytes each: read as they arrive or hashed a piece at a time, so that the program goes on meanwhile. */
import { setImmediate } from "node:timers/promises";
import { request } from "undici";
import { isAbort, messageOf } from "../util/errors.ts";
import type { Hex } from "../util/hex.ts";
import type { Pause } from "./merkle.ts";
import type { ForkName, Header } from "./proofs.ts";
import { LAYOUTS } from "./proofs.ts";
import { hashState } from "./stateProofs.ts";
import type { HashedState } from "./stateProofs.ts";
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

/**
 * Asks one node for a state and lets `use` read it.
 * @param timeoutSeconds for the whole download: a node that sends a byte now and then must not hold the reader
 * @returns what `use` made of it, or the status of a node that has no such state (404) or serves none (403, 405)
 * @throws Error with the path in its message; the signal's reason when aborted
 */
export async function downloadState<T>(
  url: string,
  path: string,
  timeoutSeconds: number,
  signal: AbortSignal | undefined,
  use: (download: Download) => Promise<T>,
): Promise<{ readonly value: T } | { readonly status: 403 | 404 | 405 }> {
  const timeout = AbortSignal.timeout(Math.ceil(timeoutSeconds * 1_000));
  const ends = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
  try {
    const headers = { accept: "application/octet-stream" };
    const { statusCode: status, headers: about, body } = await request(url + path, { headers, signal: ends });
    if (status !== 200) {
      await body.dump();
      if (status === 403 || status === 404 || status === 405) return { status };
      throw new Error(`answered ${status}`);
    }
    const fork = String(about["eth-consensus-version"]);
    if (!Object.hasOwn(LAYOUTS, fork)) {
      await body.dump();
      throw new Error(`states of the fork "${fork}" are not known`);
    }
    const announced = about["content-length"] === undefined ? undefined : Number(about["content-length"]);
    // no timeout once it has arrived: hashing takes what it takes
    const pause = async (): Promise<void> => setImmediate(undefined, signal === undefined ? {} : { signal });
    return { value: await use({ fork: fork as ForkName, body, bytes: announced, pause }) };
  } catch (error) {
    if (isAbort(error) && signal?.aborted === true) throw error;
    const late = isAbort(error) && timeout.aborted;
    const message = late ? `not there within ${timeoutSeconds} s` : messageOf(error);
    throw new Error(`${path}: ${message}`, { cause: error });
  }
}

/**
 * Whether a node answers for a state at all: nothing of it is read.
 * @throws Error where it does not answer, or otherwise than with a state or a refusal
 */
export async function servesState(
  url: string,
  path: string,
  timeoutSeconds: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const timeout = AbortSignal.timeout(Math.ceil(timeoutSeconds * 1_000));
  const ends = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
  const headers = { accept: "application/octet-stream" };
  const { statusCode: status, body } = await request(url + path, { headers, signal: ends });
  await body.dump({ limit: 0 });
  if (status === 200) return true;
  if (status === 403 || status === 404 || status === 405) return false;
  throw new Error(`${path} answered ${status}`);
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
