/** Whether the others report what this member reports, and whether it was accepted. */
import { reportHash } from "../protocol/report.ts";
import type { Report } from "../protocol/report.ts";
import { differences } from "./buildReport.ts";
import type { Standing } from "./contract.ts";
import type { MemberServices, Step } from "./step.ts";

export class Review {
  readonly #services: MemberServices;
  readonly #divergences = new Set<string>();
  #seenRefSlot: bigint | undefined;
  #outvotedAt: bigint | undefined;

  constructor(services: MemberServices) {
    this.#services = services;
  }

  /** Says once who signed something else, and in what it differs. */
  others(standing: Standing, report: Report): void {
    const { book, log, metrics } = this.#services;
    const tally = new Map<string, number>();
    for (const { entry, fields } of book.against(report)) {
      const count = (tally.get(entry.hash) ?? 0) + 1;
      tally.set(entry.hash, count);
      if (count === standing.quorum)
        this.#outvoted(report.refSlot, `a quorum signed another report, which differs in ${fields.join(", ")}`);
      const key = `${entry.signer}/${entry.hash}`;
      if (this.#divergences.has(key)) continue;
      this.#divergences.add(key);
      metrics.divergences.inc({ signer: entry.signer });
      const values = Object.fromEntries(
        fields.map((name) => [name, { ours: String(report[name]), theirs: String(entry.report[name]) }]),
      );
      log.warn(
        { signer: entry.signer, refSlot: report.refSlot.toString(), fields: values },
        "a member reports something else",
      );
    }
  }

  /** Whether the last accepted report is the one that this member signed. @returns whether it was not seen before */
  accepted(standing: Standing): boolean {
    const { journal, book, log } = this.#services;
    if (this.#seenRefSlot === standing.lastRefSlot) return false;
    this.#seenRefSlot = standing.lastRefSlot;
    // where the grid starts nothing was reported
    if (BigInt(standing.lastReportHash) === 0n) return false;
    const own = journal.signed.filter(({ report }) => report.refSlot === standing.lastRefSlot);
    const refSlot = standing.lastRefSlot.toString();
    const agreed = own.find(({ report }) => reportHash(report) === standing.lastReportHash);
    if (agreed !== undefined) {
      // what came in since the last turn
      this.others(standing, agreed.report);
      this.#outvotedAt = undefined;
      log.info({ refSlot }, "report accepted");
    } else if (own.length > 0) {
      const accepted = book.at(standing.lastRefSlot).find(({ hash }) => hash === standing.lastReportHash);
      const [mine] = own;
      const fields = accepted === undefined || mine === undefined ? [] : differences(mine.report, accepted.report);
      this.#outvoted(
        standing.lastRefSlot,
        `the accepted report differs${fields.length === 0 ? "" : ` in ${fields.join(", ")}`}`,
      );
    } else {
      this.#outvotedAt = undefined;
      log.info({ refSlot }, "report accepted without this member's signature");
    }
    this.#divergences.clear();
    return true;
  }

  withOutvoted(step: Step): Step {
    if (this.#outvotedAt === undefined) return step;
    return {
      ...step,
      reasons: [...step.reasons, "outvoted"],
      explanation: `${step.explanation}; outvoted at slot ${this.#outvotedAt}`,
    };
  }

  #outvoted(refSlot: bigint, why: string): void {
    if (this.#outvotedAt === refSlot) return;
    this.#outvotedAt = refSlot;
    this.#services.metrics.outvoted.inc();
    this.#services.log.error({ refSlot: refSlot.toString() }, `OUTVOTED: ${why}. Check this member's nodes`);
  }
}
