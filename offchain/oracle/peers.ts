/** The other members' doors. A peer that does not answer delays nobody for longer than its timeout, and is asked again at the next turn. */
import { messageOf } from "../util/errors.ts";
import { askHttp, explanationOf, hostOf } from "../util/http.ts";
import type { HttpAnswer } from "../util/http.ts";
import { encodeSigned, readSignedReports } from "./wire.ts";
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
  /** Items of its answer that are no signed reports of that slot, or too many. */
  readonly skipped: number;
  readonly reachable: boolean;
  readonly detail: string;
}

/**
 * @param url may hold user and password
 * @param timeout seconds for a request
 */
export function makePeer(url: string, timeout = 5): Peer {
  const common = { timeoutSeconds: timeout, mostBytes: MAX_ANSWER_BYTES, redirect: "error" } as const;
  return {
    name: hostOf(url),
    async send(signed, signal) {
      const body = JSON.stringify(encodeSigned(signed));
      try {
        const headers = { "content-type": "application/json" };
        const answer = await askHttp(url, "/v1/signatures", { ...common, method: "POST", headers, body, signal });
        const { status } = answer;
        return { taken: status === 200 || status === 202, reachable: true, detail: detailOf(answer) };
      } catch (error) {
        signal?.throwIfAborted();
        return { taken: false, reachable: false, detail: messageOf(error) };
      }
    },
    async fetch(refSlot, signal) {
      try {
        const answer = await askHttp(url, `/v1/signatures/${refSlot}`, { ...common, signal });
        if (answer.status !== 200) return { signatures: [], skipped: 0, reachable: true, detail: detailOf(answer) };
        const { signatures, skipped } = readSignedReports(JSON.parse(new TextDecoder().decode(answer.bytes)), refSlot);
        const detail = skipped === 0 ? "" : `${skipped} of its signatures are none, of another slot or too many`;
        return { signatures, skipped, reachable: true, detail };
      } catch (error) {
        signal?.throwIfAborted();
        return { signatures: [], skipped: 0, reachable: false, detail: messageOf(error) };
      }
    },
  };
}

function detailOf(answer: HttpAnswer): string {
  const said = explanationOf(answer);
  const body = new TextDecoder().decode(answer.bytes.subarray(0, 200));
  return `${answer.status} ${said === "" && !body.startsWith("<") ? body : said}`.trim();
}
