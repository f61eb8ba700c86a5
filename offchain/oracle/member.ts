/**
 * A member of the committee. One `step` looks at the contract, the chain and the peers, and does what is to be done next; nothing is remembered
 * that a restart could not find again (the journal keeps what was signed), so it may end anywhere.
 */
import { formatEther } from "ethers";
import type { Signer } from "ethers";
import { reportHash } from "../protocol/report.ts";
import type { Report } from "../protocol/report.ts";
import type { Clock } from "../util/clock.ts";
import { AppError, EXIT, messageOf } from "../util/errors.ts";
import type { Log } from "../util/log.ts";
import { buildReport, differences } from "./buildReport.ts";
import type { Snapshot } from "./buildReport.ts";
import { dueSlot, readStanding, turnOf } from "./contract.ts";
import type { Standing } from "./contract.ts";
import type { Exchange } from "./exchange.ts";
import type { Journal } from "./journal.ts";
import { LayerError, asking } from "./layers.ts";
import type { OracleMetrics, Reason } from "./metrics.ts";
import type { SignatureBook } from "./signatureBook.ts";
import { readSnapshot } from "./snapshot.ts";
import type { Sources } from "./snapshot.ts";
import { send, simulate } from "./submit.ts";
import { encodeReport, signerOf } from "./wire.ts";
import type { SignedReport } from "./wire.ts";

export interface MemberServices extends Sources {
  readonly clock: Clock;
  readonly signer: Signer;
  readonly journal: Journal;
  readonly book: SignatureBook;
  readonly exchange: Exchange;
  readonly log: Log;
  readonly metrics: OracleMetrics;
}

export interface MemberSettings {
  /** Seconds that each further member waits before it submits in another's place. */
  readonly takeOverDelay: number;
  /** Wei a unit of gas. */
  readonly maxFeePerGas: bigint;
  /** Seconds to wait for a receipt. */
  readonly receiptTimeout: number;
}

export interface Step {
  /** What stands between this member and a submitted report. Empty: this step submitted one. */
  readonly reasons: readonly Reason[];
  readonly explanation: string;
  readonly refSlot: bigint | undefined;
  readonly submitted: boolean;
}

interface Obstacle {
  readonly reason: Reason;
  readonly explanation: string;
}

/** Reports that governance may still be about to approve, at most. */
const KEPT_REPORTS = 8;

export class Member {
  readonly #services: MemberServices;
  readonly #settings: MemberSettings;
  readonly #address: string;
  #snapshot: Snapshot | undefined;
  #seenRefSlot: bigint | undefined;
  #outvotedAt: bigint | undefined;
  /** By report: when there were enough signatures, how many the contract asked for, how often it was sent. */
  readonly #enoughSince = new Map<string, number>();
  readonly #needed = new Map<string, number>();
  readonly #attempts = new Map<string, number>();
  readonly #divergences = new Set<string>();

  constructor(services: MemberServices, settings: MemberSettings) {
    this.#services = services;
    this.#settings = settings;
    this.#address = services.journal.identity.member.toLowerCase();
  }

  /** @throws only what no later step could do better: defects, aborts, a replaced pool */
  async step(signal?: AbortSignal): Promise<Step> {
    const { metrics, clock } = this.#services;
    const start = clock.now();
    try {
      const step = await this.#step(signal);
      metrics.blocked.set(step.reasons);
      metrics.steps.inc({ result: step.submitted ? "submitted" : (step.reasons[0] ?? "submitted") });
      return step;
    } finally {
      metrics.stepSeconds.set(clock.now() - start);
    }
  }

  async #step(signal: AbortSignal | undefined): Promise<Step> {
    const { protocol, beacon, book, journal, metrics } = this.#services;
    let standing: Standing;
    try {
      standing = await readStanding(protocol, this.#services.clock.now());
    } catch (error) {
      return stepOf([obstacleOf(error)], undefined);
    }
    book.setRules(standing);
    const ether = await protocol.provider.getBalance(this.#address).catch(() => undefined);
    if (ether !== undefined) metrics.account.set(Number(formatEther(ether)));
    this.#show(standing);
    this.#reviewAccepted(standing);
    if (!standing.members.has(this.#address))
      return blocked("not_member", `${this.#address} is not a member of the committee`);
    let due: bigint | undefined;
    const obstacles: Obstacle[] = [];
    try {
      const finalized = await asking("beacon", beacon.finalizedSlot(signal), signal);
      metrics.finalizedSlot.set(finalized);
      due = dueSlot(standing, BigInt(finalized));
      if (standing.nextRefSlot === standing.lastRefSlot)
        obstacles.push({
          reason: "no_new_frame",
          explanation: `slot ${standing.lastRefSlot} is reported, the next frame has not ended`,
        });
      else if (due === undefined)
        obstacles.push({
          reason: "not_final",
          explanation: `slot ${standing.nextRefSlot} is not final: finalised up to ${finalized}`,
        });
    } catch (error) {
      obstacles.push(obstacleOf(error));
    }
    if (due !== undefined) {
      const obstacle = await this.#signDue(standing, due, signal);
      if (obstacle !== undefined) obstacles.push(obstacle);
    }
    const ready = journal.signed
      .filter(({ report }) => isCurrent(report, standing))
      .sort((a, b) => Number(b.report.refSlot - a.report.refSlot))
      .slice(0, KEPT_REPORTS);
    const [newest, ...older] = ready;
    if (newest === undefined) return this.#withOutvoted(stepOf(obstacles, due));
    const step = await this.#pursue(standing, newest, signal);
    if (step.reasons.includes("needs_governance"))
      for (const signed of older)
        if (await protocol.oracle.fallApproved(reportHash(signed.report)))
          return this.#pursue(standing, signed, signal);
    const others = obstacles.filter(({ reason }) => reason !== "not_final" && reason !== "no_new_frame");
    return this.#withOutvoted({ ...step, reasons: [...step.reasons, ...others.map(({ reason }) => reason)] });
  }

  /** Reads, builds and signs the report of a final slot, unless that is done. */
  async #signDue(standing: Standing, refSlot: bigint, signal: AbortSignal | undefined): Promise<Obstacle | undefined> {
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

  /** Exchanges signatures of a signed report, and submits it when it is complete and our turn. */
  async #pursue(standing: Standing, signed: SignedReport, signal: AbortSignal | undefined): Promise<Step> {
    const { book, exchange, metrics } = this.#services;
    const { report } = signed;
    const hash = reportHash(report);
    const at = (reason: Reason, explanation: string): Step => ({
      ...blocked(reason, explanation),
      refSlot: report.refSlot,
    });
    book.add(signed);
    await exchange.send(signed, signal);
    const needed = Math.max(standing.quorum, this.#needed.get(hash) ?? 0);
    if (book.signaturesOf(report).length < needed) await exchange.fetch(report.refSlot, signal);
    const signatures = book.signaturesOf(report);
    metrics.signatures.set(signatures.length);
    this.#reviewOthers(standing, report);
    if (signatures.length < needed)
      return at("few_signatures", `${signatures.length} of ${needed} signatures for slot ${report.refSlot}`);

    const turn = turnOf(standing, report.refSlot, this.#address) ?? 0;
    const now = this.#services.clock.now();
    const since = this.#enoughSince.get(hash) ?? now;
    this.#enoughSince.set(hash, since);
    const wait = since + turn * this.#settings.takeOverDelay - now;
    if (wait > 0)
      return at(
        "not_my_turn",
        `slot ${report.refSlot} is complete; ${turn} members before us, our turn in ${Math.ceil(wait)} s`,
      );

    const { protocol } = this.#services;
    try {
      const outcome = await simulate(protocol.oracle, report, signatures.slice(0, needed), this.#address);
      switch (outcome.kind) {
        case "too few":
          this.#needed.set(hash, outcome.needed);
          if (signatures.length < outcome.needed)
            return at(
              "few_signatures",
              `a fall this deep needs ${outcome.needed} signatures: ${signatures.length} for slot ${report.refSlot}`,
            );
          return await this.#pursue(standing, signed, signal);
        case "governance":
          return at("needs_governance", `governance must approve the fall: approveFall(${outcome.reportHash}, true)`);
        case "superseded":
          return at("no_new_frame", `slot ${report.refSlot} was reported meanwhile`);
        case "refused":
          return at("simulation_failed", `it would fail: ${outcome.reason}`);
        case "accepted":
          return await this.#send(report, hash, signatures.slice(0, needed), at, signal);
      }
    } catch (error) {
      const { reason, explanation } = obstacleOf(error, { [EXIT.unavailable]: "send_failed" });
      return at(reason, explanation);
    }
  }

  async #send(
    report: Report,
    hash: string,
    signatures: readonly SignedReport[],
    at: (reason: Reason, explanation: string) => Step,
    signal: AbortSignal | undefined,
  ): Promise<Step> {
    const { protocol, signer, clock, log, metrics } = this.#services;
    const { maxFeePerGas, receiptTimeout } = this.#settings;
    const attempt = this.#attempts.get(hash) ?? 0;
    const options = { clock, attempt, maxFeePerGas, timeout: receiptTimeout, signal };
    const sent = await send(protocol.oracle, report, signatures, signer, options);
    metrics.submissions.inc({ result: sent.kind });
    switch (sent.kind) {
      case "mined":
        log.info(
          { refSlot: report.refSlot.toString(), transaction: sent.hash, gasUsed: sent.gasUsed.toString() },
          "report submitted",
        );
        return {
          reasons: [],
          explanation: `slot ${report.refSlot} submitted`,
          refSlot: report.refSlot,
          submitted: true,
        };
      case "reverted":
        return at("send_failed", `${sent.hash} reverted: somebody else was faster, or the next turn says why`);
      case "not mined":
        this.#attempts.set(hash, attempt + 1);
        return at("send_failed", `${sent.hash} is not mined after ${receiptTimeout} s: sent again with a higher fee`);
      case "too dear":
        return at("fee_too_high", `gas costs ${sent.feePerGas} wei a unit, the limit is ${maxFeePerGas}`);
      case "no funds":
        return at("no_funds", `${this.#address} has ${sent.balance} wei, the report costs up to ${sent.cost}`);
    }
  }

  /** Says once who signed something else, and in what it differs. */
  #reviewOthers(standing: Standing, report: Report): void {
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

  /** Whether the last accepted report is the one that this member signed. */
  #reviewAccepted(standing: Standing): void {
    const { journal, book, log } = this.#services;
    if (this.#seenRefSlot === standing.lastRefSlot) return;
    this.#seenRefSlot = standing.lastRefSlot;
    const own = journal.signed.filter(({ report }) => report.refSlot === standing.lastRefSlot);
    const refSlot = standing.lastRefSlot.toString();
    const agreed = own.find(({ report }) => reportHash(report) === standing.lastReportHash);
    if (agreed !== undefined) {
      // what came in since the last turn
      this.#reviewOthers(standing, agreed.report);
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
    for (const map of [this.#enoughSince, this.#needed, this.#attempts, this.#divergences]) map.clear();
  }

  #outvoted(refSlot: bigint, why: string): void {
    if (this.#outvotedAt === refSlot) return;
    this.#outvotedAt = refSlot;
    this.#services.metrics.outvoted.inc();
    this.#services.log.error({ refSlot: refSlot.toString() }, `OUTVOTED: ${why}. Check this member's nodes`);
  }

  #withOutvoted(step: Step): Step {
    if (this.#outvotedAt === undefined) return step;
    return {
      ...step,
      reasons: [...step.reasons, "outvoted"],
      explanation: `${step.explanation}; outvoted at slot ${this.#outvotedAt}`,
    };
  }

  #show(standing: Standing): void {
    const { metrics, journal } = this.#services;
    metrics.lastRefSlot.set(Number(standing.lastRefSlot));
    metrics.nextRefSlot.set(Number(standing.nextRefSlot));
    metrics.executionTime.set(standing.block.timestamp);
    metrics.quorum.set(standing.quorum);
    metrics.members.set(standing.turns.length);
    metrics.signedRefSlot.set(Math.max(0, ...journal.signed.map(({ report }) => Number(report.refSlot))));
  }
}

/** Whether the contract could still take it. */
function isCurrent(report: Report, standing: Standing): boolean {
  return (
    report.refSlot > standing.lastRefSlot &&
    report.committeeVersion === standing.committeeVersion &&
    report.prevReportHash === standing.lastReportHash &&
    report.validUntil >= BigInt(standing.block.timestamp)
  );
}

function blocked(reason: Reason, explanation: string): Step {
  return { reasons: [reason], explanation, refSlot: undefined, submitted: false };
}

function stepOf(obstacles: readonly Obstacle[], refSlot: bigint | undefined): Step {
  return {
    reasons: obstacles.map(({ reason }) => reason),
    explanation: obstacles.map(({ explanation }) => explanation).join("; "),
    refSlot,
    submitted: false,
  };
}

/** @throws the error, unless it is about a node or its exit code has a reason */
function obstacleOf(error: unknown, reasons: Readonly<Record<number, Reason>> = {}): Obstacle {
  const explanation = messageOf(error);
  if (error instanceof LayerError) return { reason: `${error.layer}_unavailable`, explanation };
  if (error instanceof RangeError) return { reason: "layers_disagree", explanation };
  const known: Partial<Record<number, Reason>> = { [EXIT.invalid]: "layers_disagree", ...reasons };
  const reason = error instanceof AppError ? known[error.exitCode] : undefined;
  if (reason === undefined) throw error;
  return { reason, explanation };
}
