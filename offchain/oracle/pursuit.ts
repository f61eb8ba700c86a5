/** From a signed report to an accepted one: signatures are exchanged, and whoever's turn it is submits, or announces what needs more first. */
import { formatEther } from "ethers";
import { headerRoot } from "../beacon/proofs.ts";
import type { Header } from "../beacon/proofs.ts";
import { reportHash } from "../protocol/report.ts";
import type { Report } from "../protocol/report.ts";
import { EXIT } from "../util/errors.ts";
import { turnOf } from "./contract.ts";
import type { Standing } from "./contract.ts";
import { asking } from "./layers.ts";
import type { Reason } from "./metrics.ts";
import type { Review } from "./review.ts";
import { obstacleOf, stepOf } from "./step.ts";
import type { MemberServices, MemberSettings, Obstacle, Step } from "./step.ts";
import { send, simulate } from "./submit.ts";
import type { Delivery, Simulation, Unmined } from "./submit.ts";
import type { SignedReport } from "./wire.ts";

/** What is known of one report. Times are unix seconds. */
interface Progress {
  /** Signatures that the contract asked for, beyond the quorum. */
  needed: number;
  needsApproval: boolean;
  quorumAt: number | undefined;
  /** When all that it needs was there. */
  completeAt: number | undefined;
  /** Of the reported block and of those without a payload that follow it, where the contract asked for them. */
  headers: readonly Header[] | undefined;
}

interface Pursued {
  readonly standing: Standing;
  readonly report: Report;
  readonly progress: Progress;
  /** All that are known, sorted by signer. */
  readonly signatures: readonly SignedReport[];
  readonly signal: AbortSignal | undefined;
}

export class Pursuit {
  readonly #services: MemberServices;
  readonly #settings: MemberSettings;
  readonly #review: Review;
  readonly #address: string;
  readonly #progress = new Map<string, Progress>();
  #unmined: Unmined | undefined;

  constructor(services: MemberServices, settings: MemberSettings, review: Review) {
    this.#services = services;
    this.#settings = settings;
    this.#review = review;
    this.#address = services.journal.identity.member.toLowerCase();
  }

  /** Another report was accepted: what was pursued is over. */
  forget(): void {
    this.#progress.clear();
  }

  /** @param isApproved whether governance lets this report lower the rate */
  async pursue(
    standing: Standing,
    signed: SignedReport,
    isApproved: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Step> {
    const { book, exchange, metrics, clock } = this.#services;
    const { report } = signed;
    const progress = this.#progressOf(reportHash(report));
    book.add(signed);
    await exchange.send(signed, signal);
    const needed = Math.max(standing.quorum, progress.needed);
    if (book.signaturesOf(report).length < needed) await exchange.fetch(report.refSlot, signal);
    const signatures = book.signaturesOf(report);
    metrics.signatures.set(signatures.length);
    this.#review.others(standing, report);
    if (signatures.length < standing.quorum)
      return blocked(
        report,
        "few_signatures",
        `${signatures.length} of ${needed} signatures for slot ${report.refSlot}`,
      );

    const now = clock.now();
    const isComplete = signatures.length >= needed && (isApproved || !progress.needsApproval);
    progress.quorumAt ??= now;
    progress.completeAt = isComplete ? (progress.completeAt ?? now) : undefined;
    const turn = turnOf(standing, report.refSlot, this.#address) ?? 0;
    const wait = (progress.completeAt ?? progress.quorumAt) + turn * this.#settings.takeOverDelay - now;
    if (wait > 0)
      return blocked(
        report,
        "not_my_turn",
        `slot ${report.refSlot} is complete; ${turn} members before us, our turn in ${Math.ceil(wait)} s`,
      );
    try {
      return await this.#deliver({ standing, report, progress, signatures, signal });
    } catch (error) {
      return stepOf([obstacleOf(error, { [EXIT.unavailable]: "send_failed" })], report.refSlot);
    }
  }

  async #deliver(pursued: Pursued): Promise<Step> {
    const { standing, report, progress, signatures } = pursued;
    let count = Math.min(Math.max(standing.quorum, progress.needed), signatures.length);
    for (;;) {
      const outcome = await this.#simulate(pursued, count);
      switch (outcome.kind) {
        case "too few": {
          progress.needed = outcome.needed;
          if (count < outcome.needed && outcome.needed <= signatures.length) {
            count = outcome.needed;
            continue;
          }
          const explanation = `a fall this deep needs ${outcome.needed} signatures: ${signatures.length} for slot ${report.refSlot}`;
          progress.completeAt = undefined;
          return this.#announced(pursued, { reason: "few_signatures", explanation });
        }
        case "governance": {
          progress.needsApproval = true;
          progress.completeAt = undefined;
          const explanation = `governance must approve the fall: approveFall(${outcome.reportHash}, true)`;
          return this.#announced(pursued, { reason: "needs_governance", explanation });
        }
        case "superseded":
          return blocked(report, "no_new_frame", `slot ${report.refSlot} was reported meanwhile`);
        case "wrong root":
        case "refused":
          return blocked(report, "simulation_failed", `it would fail: ${outcome.reason}`);
        case "accepted": {
          const obstacle = await this.#send(this.#submission(pursued, count), pursued.signal);
          if (obstacle !== undefined) return stepOf([obstacle], report.refSlot);
          const explanation = `slot ${report.refSlot} submitted`;
          return { reasons: [], explanation, refSlot: report.refSlot, submitted: true };
        }
      }
    }
  }

  #submission({ report, signatures, progress: { headers } }: Pursued, count: number): Delivery {
    return { kind: "submission", report, signed: signatures.slice(0, count), headers };
  }

  /** Where EIP-4788 has another root first after the reference, blocks without a payload may lie between (Gloas): with their headers then. */
  async #simulate(pursued: Pursued, count: number): Promise<Simulation> {
    const { protocol, beacon } = this.#services;
    const { report, progress, signal } = pursued;
    const outcome = await simulate(protocol.oracle, this.#submission(pursued, count), this.#address);
    if (outcome.kind !== "wrong root") return outcome;
    const headers = await asking("beacon", beacon.headersToPayload(Number(report.refSlot), signal), signal);
    const [first] = headers;
    if (headers.length < 2 || first === undefined || headerRoot(first) !== report.blockRoot) return outcome;
    progress.headers = headers;
    return simulate(protocol.oracle, this.#submission(pursued, count), this.#address);
  }

  /** Stops deposits, fundings and payments until the report is applied, unless they stand still: announced before, or overdue. */
  async #announced({ standing, report, signatures, signal }: Pursued, why: Obstacle): Promise<Step> {
    const { protocol } = this.#services;
    if (BigInt(standing.block.timestamp) > standing.openUntil) return stepOf([why], report.refSlot);
    const delivery: Delivery = { kind: "announcement", report, signed: signatures.slice(0, standing.quorum) };
    const outcome = await simulate(protocol.oracle, delivery, this.#address);
    const obstacle =
      outcome.kind === "accepted"
        ? await this.#send(delivery, signal)
        : ({ reason: "simulation_failed", explanation: `announcing it would fail: ${detailOf(outcome)}` } as const);
    if (obstacle !== undefined) return stepOf([why, obstacle], report.refSlot);
    return stepOf([{ ...why, explanation: `${why.explanation}; announced` }], report.refSlot);
  }

  /** @returns what stood in the way */
  async #send(delivery: Delivery, signal: AbortSignal | undefined): Promise<Obstacle | undefined> {
    const { protocol, signer, clock, log, metrics } = this.#services;
    const { maxFeePerGas, receiptTimeout } = this.#settings;
    const options = { clock, unmined: this.#unmined, maxFeePerGas, timeout: receiptTimeout, signal };
    const sent = await send(protocol.oracle, delivery, signer, options);
    const isSubmission = delivery.kind === "submission";
    (isSubmission ? metrics.submissions : metrics.announcements).inc({ result: sent.kind });
    switch (sent.kind) {
      case "mined": {
        const { hash: transaction, gasUsed } = sent;
        const refSlot = delivery.report.refSlot.toString();
        log.info(
          { refSlot, transaction, gasUsed: gasUsed.toString() },
          isSubmission
            ? "report submitted"
            : "report announced: deposits, fundings and payments stop until one is applied",
        );
        return undefined;
      }
      case "reverted":
        return failed(`${sent.hash} reverted: somebody else was faster, or the next turn says why`);
      case "not mined":
        this.#unmined = sent.unmined;
        return failed(`${sent.hash} is not mined after ${receiptTimeout} s: sent again with a higher fee`);
      case "underpriced":
        this.#unmined = sent.unmined;
        return failed("an earlier transaction of this account waits: sent again with a higher fee");
      case "replaced":
        return failed(sent.reason);
      case "too dear":
        return {
          reason: "fee_too_high",
          explanation: sent.reason,
        };
      case "no funds":
        return {
          reason: "no_funds",
          explanation: `${this.#address} has ${formatEther(sent.balance)} ETH, the ${delivery.kind} costs up to ${formatEther(sent.cost)} ETH`,
        };
    }
  }

  #progressOf(hash: string): Progress {
    const known = this.#progress.get(hash);
    if (known !== undefined) return known;
    const progress: Progress = {
      needed: 0,
      needsApproval: false,
      quorumAt: undefined,
      completeAt: undefined,
      headers: undefined,
    };
    this.#progress.set(hash, progress);
    return progress;
  }
}

function blocked({ refSlot }: Report, reason: Reason, explanation: string): Step {
  return stepOf([{ reason, explanation }], refSlot);
}

function failed(explanation: string): Obstacle {
  return { reason: "send_failed", explanation };
}

function detailOf(outcome: Simulation): string {
  return "reason" in outcome ? outcome.reason : outcome.kind;
}
