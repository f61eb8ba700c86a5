/** Reads, builds and signs the report of a slot: once, and never against a signature of this member that somebody else has. */
import { reportHash } from "../protocol/report.ts";
import type { Report } from "../protocol/report.ts";
import { EXIT } from "../util/errors.ts";
import { buildReport, differences } from "./buildReport.ts";
import type { Snapshot } from "./buildReport.ts";
import { isCurrent } from "./contract.ts";
import type { Standing } from "./contract.ts";
import { readSnapshot } from "./snapshot.ts";
import { obstacleOf } from "./step.ts";
import type { MemberServices, Obstacle } from "./step.ts";
import { encodeReport, signerOf } from "./wire.ts";

export class Signing {
  readonly #services: MemberServices;
  readonly #address: string;
  #snapshot: Snapshot | undefined;

  constructor(services: MemberServices) {
    this.#services = services;
    this.#address = services.journal.identity.member.toLowerCase();
  }

  /** Of a final slot, unless that is done. */
  async sign(standing: Standing, refSlot: bigint, signal: AbortSignal | undefined): Promise<Obstacle | undefined> {
    const { journal, signer, log, metrics } = this.#services;
    const known = journal.find(refSlot, standing.committeeVersion);
    if (known !== undefined) {
      if (isCurrent(known.report, standing)) return undefined;
      return {
        reason: "signed_otherwise",
        explanation: `slot ${refSlot} was signed on top of another report, and a second signature is never given`,
      };
    }
    let built: ReturnType<typeof buildReport>;
    try {
      if (this.#snapshot?.refSlot !== refSlot)
        this.#snapshot = await readSnapshot(this.#services, standing, refSlot, signal);
      built = buildReport(this.#snapshot, {
        prevReportHash: standing.lastReportHash,
        committeeVersion: standing.committeeVersion,
      });
    } catch (error) {
      this.#snapshot = undefined;
      return obstacleOf(error);
    }
    const { report } = built;
    const elsewhere = await this.#signedElsewhere(report, signal);
    if (elsewhere !== undefined) return elsewhere;
    try {
      await journal.sign(report, signer);
    } catch (error) {
      return obstacleOf(error, { [EXIT.unavailable]: "signer_unavailable", [EXIT.refused]: "signed_otherwise" });
    }
    if (built.foreign.length > 0)
      log.warn({ keys: built.foreign }, "funded validators with foreign credentials are not counted");
    metrics.clBalance.set(Number(report.clBalanceGwei));
    metrics.leaving.set(Number(report.leavingGwei));
    metrics.counted.set(built.counted);
    metrics.incident.set(report.incident ? 1 : 0);
    log.info({ report: encodeReport(report), validators: built.counted }, "report signed");
    return undefined;
  }

  /** A peer may know a signature of ours that the journal does not: a lost disk, or a second process with our key. */
  async #signedElsewhere(report: Report, signal: AbortSignal | undefined): Promise<Obstacle | undefined> {
    const { exchange, journal, log } = this.#services;
    const { chainId, oracle } = journal.identity;
    const wanted = reportHash(report);
    const all = await exchange.fetch(report.refSlot, signal);
    const other = all.find(
      (signed) =>
        signed.report.refSlot === report.refSlot &&
        signed.report.committeeVersion === report.committeeVersion &&
        reportHash(signed.report) !== wanted &&
        signerOf(signed, chainId, oracle) === this.#address,
    );
    if (other === undefined) return undefined;
    const fields = differences(report, other.report);
    log.error({ fields }, "a peer has another report of this slot with our signature: is the key used elsewhere?");
    return {
      reason: "signed_otherwise",
      explanation: `a peer has our signature of another report for slot ${report.refSlot}: this one is not signed`,
    };
  }
}
