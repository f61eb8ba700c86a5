/** The other members' doors. A peer that does not answer delays nobody for longer than its timeout, and is asked again at the next turn. */
import { isAbort, messageOf } from "../util/errors.ts";
import { hostOf } from "../util/http.ts";
import { encodeSigned, signedReportsSchema } from "./wire.ts";
import type { SignedReport } from "./wire.ts";

const MAX_ANSWER_BYTES = 512 * 1_024;

export interface Peer {
  /** Host and port. */
  readonly name: string;
  /** Whether the peer has it now; an AppError-free false where it refuses. */
  send(signed: SignedReport, signal?: AbortSignal): Promise<PeerAnswer>;
  fetch(refSlot: bigint, signal?: AbortSignal): Promise<PeerSignatures>;
}

export interface PeerAnswer {
  readonly taken: boolean;
  readonly reachable: boolean;
  readonly detail: string;
}

export interface PeerSignatures {
  readonly signatures: readonly SignedReport[];
  readonly reachable: boolean;
  readonly detail: string;
}

/** @param timeout seconds for a request */
export function makePeer(url: string, timeout = 5): Peer {
  const ask = async (
    path: string,
    init: RequestInit,
    signal?: AbortSignal,
  ): Promise<{ status: number; text: string }> => {
    const limits = [AbortSignal.timeout(timeout * 1_000), ...(signal === undefined ? [] : [signal])];
    const response = await fetch(url + path, { ...init, signal: AbortSignal.any(limits), redirect: "error" });
    return { status: response.status, text: await readText(response) };
  };
  return {
    name: hostOf(url),
    async send(signed, signal) {
      const body = JSON.stringify(encodeSigned(signed));
      try {
        const headers = { "content-type": "application/json" };
        const { status, text } = await ask("/v1/signatures", { method: "POST", headers, body }, signal);
        return { taken: status === 200 || status === 202, reachable: true, detail: `${status} ${text.slice(0, 200)}` };
      } catch (error) {
        if (isAbort(error)) signal?.throwIfAborted();
        return { taken: false, reachable: false, detail: reasonOf(error) };
      }
    },
    async fetch(refSlot, signal) {
      try {
        const { status, text } = await ask(`/v1/signatures/${refSlot}`, { method: "GET" }, signal);
        if (status !== 200) return { signatures: [], reachable: true, detail: `${status} ${text.slice(0, 200)}` };
        const parsed = signedReportsSchema.safeParse(JSON.parse(text));
        if (!parsed.success) return { signatures: [], reachable: true, detail: "malformed answer" };
        return { signatures: parsed.data.signatures, reachable: true, detail: "ok" };
      } catch (error) {
        if (isAbort(error)) signal?.throwIfAborted();
        return { signatures: [], reachable: false, detail: reasonOf(error) };
      }
    },
  };
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new Error(`an answer of more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** `fetch` says "fetch failed"; why is in the cause. */
function reasonOf(error: unknown): string {
  const { cause } = (error ?? {}) as { cause?: unknown };
  return messageOf(cause ?? error);
}
