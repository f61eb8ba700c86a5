/** Signatures to and from the peers. */
import type { Log } from "../util/log.ts";
import { reportHash } from "../protocol/report.ts";
import type { OracleMetrics } from "./metrics.ts";
import type { Peer } from "./peers.ts";
import type { Entry, SignatureBook, Verdict } from "./signatureBook.ts";
import { encodeSigned } from "./wire.ts";
import type { SignedReport } from "./wire.ts";

export interface Exchange {
  /** To every peer that does not have it yet. */
  send(signed: SignedReport, signal?: AbortSignal): Promise<void>;
  /** What every peer knows about a slot goes into the book. All that the peers said is returned, verified or not. */
  fetch(refSlot: bigint, signal?: AbortSignal): Promise<readonly SignedReport[]>;
  /** Counts and logs what came in, from whichever side. */
  noticed(verdict: Verdict, entry: Entry | undefined): void;
}

export function makeExchange(peers: readonly Peer[], book: SignatureBook, log: Log, metrics: OracleMetrics): Exchange {
  /** Peer and report: what was taken need not be sent again. */
  const taken = new Map<string, string>();
  const up = new Map<string, boolean>();
  const note = (peer: Peer, reachable: boolean, detail: string): void => {
    metrics.peerUp.set({ peer: peer.name }, reachable ? 1 : 0);
    if (up.get(peer.name) !== reachable) {
      if (reachable) log.info({ peer: peer.name }, "peer answers");
      else log.warn({ peer: peer.name, detail }, "peer does not answer");
    }
    up.set(peer.name, reachable);
  };
  const noticed = (verdict: Verdict, entry: Entry | undefined): void => {
    if (entry === undefined) return;
    const { signer, report } = entry;
    if (verdict === "added") log.debug({ signer, refSlot: report.refSlot.toString() }, "signature");
    if (verdict !== "equivocation") return;
    metrics.equivocations.inc({ signer });
    const evidence = book
      .at(report.refSlot)
      .filter((other) => other.signer === signer)
      .map(encodeSigned);
    log.error(
      { signer, evidence },
      "a member signed two reports for one slot: ReportOracle.proveEquivocation removes it",
    );
  };
  return {
    noticed,
    async send(signed, signal) {
      const hash = reportHash(signed.report);
      const waiting = peers.filter(({ name }) => taken.get(name) !== hash);
      await Promise.all(
        waiting.map(async (peer) => {
          const answer = await peer.send(signed, signal);
          note(peer, answer.reachable, answer.detail);
          if (answer.taken) taken.set(peer.name, hash);
          else if (answer.reachable) log.debug({ peer: peer.name, detail: answer.detail }, "signature not taken");
        }),
      );
    },
    async fetch(refSlot, signal) {
      const answers = await Promise.all(
        peers.map(async (peer) => {
          const answer = await peer.fetch(refSlot, signal);
          note(peer, answer.reachable, answer.detail);
          if (answer.skipped > 0) {
            metrics.skipped.inc({ peer: peer.name }, answer.skipped);
            log.debug({ peer: peer.name, detail: answer.detail }, "part of a peer's answer is skipped");
          }
          return answer.signatures;
        }),
      );
      const all = answers.flat();
      for (const signed of all) {
        const { verdict, entry } = book.add(signed);
        noticed(verdict, entry);
      }
      return all;
    },
  };
}
