/** A thread that downloads one state and answers from it: neither the download nor the walk blocks the program's event loop. */
import { parentPort, workerData } from "node:worker_threads";
import { request } from "undici";
import { messageOf } from "../util/errors.ts";
import type { Hex } from "../util/hex.ts";
import { mayPass } from "../util/retry.ts";
import type { ForkName, Header } from "./proofs.ts";
import { LAYOUTS } from "./proofs.ts";
import { hopInBytes, proveInBytes } from "./stateProofs.ts";
import type { BytesProofs } from "./stateProofs.ts";
import { StateStream, readStateBytes } from "./stateReader.ts";
import type { StateContents } from "./stateReader.ts";

export interface StateTask {
  readonly url: string;
  readonly timeoutSeconds: number;
  readonly pubkeys: readonly Hex[];
  /** Where proofs are wanted: of these keys, in their order, against this header, whose root EIP-4788 has under this timestamp. */
  readonly prove?: { readonly header: Header; readonly timestamp: bigint };
  /** Where a hop is wanted: from the block of this header, whose state this is, to the block at a slot. */
  readonly hop?: { readonly header: Header; readonly slot: number };
}

export type StateAnswer =
  | {
      readonly ok: true;
      readonly contents: StateContents;
      readonly proofs: BytesProofs | undefined;
      readonly hop: Hex[] | undefined;
    }
  | { readonly ok: false; readonly status: number | undefined; readonly mayPass: boolean; readonly message: string };

async function run(task: StateTask): Promise<StateAnswer> {
  const { statusCode, headers, body } = await request(task.url, {
    headers: { accept: "application/octet-stream" },
    // of the whole download: a node that sends a byte now and then must not hold the reader
    signal: AbortSignal.timeout(task.timeoutSeconds * 1_000),
  });
  if (statusCode !== 200) {
    await body.dump();
    return { ok: false, status: statusCode, mayPass: mayPass(statusCode), message: `answered ${statusCode}` };
  }
  const fork = String(headers["eth-consensus-version"]);
  if (!Object.hasOwn(LAYOUTS, fork)) {
    await body.dump();
    return { ok: false, status: undefined, mayPass: true, message: `states of the fork "${fork}" are not known` };
  }
  const announced = Number(headers["content-length"] ?? 0);
  if (task.prove === undefined && task.hop === undefined && announced > 0) {
    const stream = new StateStream(fork as ForkName, announced, task.pubkeys);
    for await (const chunk of body as AsyncIterable<Uint8Array>) stream.write(chunk);
    return { ok: true, contents: stream.end(), proofs: undefined, hop: undefined };
  }
  const bytes = await collect(body, announced);
  const contents = readStateBytes(bytes, fork as ForkName, task.pubkeys);
  const { hop: wanted } = task;
  const hop = wanted === undefined ? undefined : hopInBytes(bytes, fork as ForkName, wanted.header, wanted.slot);
  if (task.prove === undefined) return { ok: true, contents, proofs: undefined, hop };
  const byKey = new Map(contents.validators.map(({ pubkey, index }) => [pubkey, index]));
  const indices = task.pubkeys.map((pubkey) => {
    const index = byKey.get(pubkey);
    if (index === undefined) throw new Error(`${pubkey} is not in the registry at slot ${contents.slot}`);
    return index;
  });
  const { header, timestamp } = task.prove;
  return { ok: true, contents, proofs: proveInBytes(bytes, fork as ForkName, header, timestamp, indices), hop };
}

/** Into one buffer of the announced size; one that grows where none was announced. */
async function collect(body: AsyncIterable<Uint8Array>, announced: number): Promise<Uint8Array> {
  let bytes = new Uint8Array(announced > 0 ? announced : 16_000_000);
  let filled = 0;
  for await (const chunk of body) {
    if (filled + chunk.length > bytes.length) {
      const larger = new Uint8Array(Math.max(2 * bytes.length, filled + chunk.length));
      larger.set(bytes.subarray(0, filled));
      bytes = larger;
    }
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  if (announced > 0 && filled !== announced) throw new Error(`${filled} bytes of ${announced} arrived`);
  return bytes.subarray(0, filled);
}

run(workerData as StateTask)
  .catch((error: unknown): StateAnswer => ({ ok: false, status: undefined, mayPass: true, message: messageOf(error) }))
  .then((answer) => parentPort?.postMessage(answer))
  .catch((error: unknown) => {
    throw error;
  });
