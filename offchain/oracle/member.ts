/**
 * A member of the committee. One `step` looks at the contract, the chain and the peers, and does what is to be done next; nothing is remembered
 * that a restart could not find again (the journal keeps what was signed), so it may end anywhere.
 */
import { formatEther } from "ethers";
import { call, readAll } from "../chain/multicall.ts";
import { reportHash } from "../protocol/report.ts";
import { dueSlot, isCurrent, readStanding } from "./contract.ts";
import type { Standing } from "./contract.ts";
import { asking } from "./layers.ts";
import { Pursuit } from "./pursuit.ts";
import { Review } from "./review.ts";
import { Signing } from "./signing.ts";
import { obstacleOf, stepOf } from "./step.ts";
import type { MemberServices, MemberSettings, Obstacle, Step } from "./step.ts";
import type { SignedReport } from "./wire.ts";

export class Member {
  readonly #services: MemberServices;
  readonly #address: string;
  readonly #signing: Signing;
  readonly #review: Review;
  readonly #pursuit: Pursuit;

  constructor(services: MemberServices, settings: MemberSettings) {
    this.#services = services;
    this.#address = services.journal.identity.member.toLowerCase();
    this.#signing = new Signing(services);
    this.#review = new Review(services);
    this.#pursuit = new Pursuit(services, settings, this.#review);
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
    const { protocol, book, journal, metrics } = this.#services;
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
    if (this.#review.accepted(standing)) this.#pursuit.forget();
    if (!standing.members.has(this.#address)) {
      const explanation = `${this.#address} is not a member of the committee`;
      return stepOf([{ reason: "not_member", explanation }], undefined);
    }
    const { due, obstacles } = await this.#due(standing, signal);
    if (due !== undefined) {
      const obstacle = await this.#signing.sign(standing, due, signal);
      if (obstacle !== undefined) obstacles.push(obstacle);
    }
    const ready = journal.signed
      .filter(({ report }) => isCurrent(report, standing))
      .sort((a, b) => Number(b.report.refSlot - a.report.refSlot));
    if (ready.length === 0) return this.#review.withOutvoted(stepOf(obstacles, due));
    const step = await this.#pursueAll(standing, ready, signal);
    const others = obstacles.filter(({ reason }) => reason !== "not_final" && reason !== "no_new_frame");
    return this.#review.withOutvoted({
      ...step,
      reasons: [...step.reasons, ...others.map(({ reason }) => reason)],
      explanation: [step.explanation, ...others.map(({ explanation }) => explanation)].join("; "),
    });
  }

  /** The slot to sign a report of, or why there is none. */
  async #due(
    standing: Standing,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly due: bigint | undefined; readonly obstacles: Obstacle[] }> {
    const { beacon, metrics } = this.#services;
    const { lastRefSlot: last, nextRefSlot: next, oldestRefSlot: oldest, slotsPerFrame } = standing;
    try {
      const finalized = await asking("beacon", beacon.finalizedSlot(signal), signal);
      metrics.finalizedSlot.set(finalized);
      const due = dueSlot(standing, BigInt(finalized));
      if (due !== undefined) return { due, obstacles: [] };
      if (next !== last) {
        const explanation = `slot ${next} is not final: finalised up to ${finalized}`;
        return { due, obstacles: [{ reason: "not_final", explanation }] };
      }
      const isMerged = oldest > last + slotsPerFrame;
      const explanation = isMerged
        ? `slot ${last} is reported, after later frames had ended: the next report is of slot ${oldest}`
        : `slot ${last} is reported, the next frame has not ended`;
      return { due, obstacles: [{ reason: "no_new_frame", explanation }] };
    } catch (error) {
      return { due: undefined, obstacles: [obstacleOf(error)] };
    }
  }

  /** The newest report first; where it waits for more, whichever older one governance approved. @param ready newest first */
  async #pursueAll(standing: Standing, ready: readonly SignedReport[], signal: AbortSignal | undefined): Promise<Step> {
    let approved: ReadonlySet<string>;
    try {
      approved = await asking("execution", this.#approvedOf(standing, ready), signal);
    } catch (error) {
      return stepOf([obstacleOf(error)], ready[0]?.report.refSlot);
    }
    const pursue = async (signed: SignedReport): Promise<Step> =>
      this.#pursuit.pursue(standing, signed, approved.has(reportHash(signed.report)), signal);
    const [newest, ...older] = ready as [SignedReport, ...SignedReport[]];
    let step = await pursue(newest);
    if (!step.reasons.some((reason) => reason === "needs_governance" || reason === "few_signatures")) return step;
    for (const signed of older) {
      if (!approved.has(reportHash(signed.report))) continue;
      step = await pursue(signed);
      if (!step.reasons.includes("simulation_failed")) return step;
    }
    return step;
  }

  /** Every signed report may be approved, however many frames ended while governance voted. */
  async #approvedOf(standing: Standing, ready: readonly SignedReport[]): Promise<ReadonlySet<string>> {
    const { protocol } = this.#services;
    const { number, timestamp } = standing.block;
    const calls = Object.fromEntries(
      ready
        .map(({ report }) => reportHash(report))
        .map((hash) => [hash, call(protocol.oracle, protocol.oracle.fallApproved, hash)]),
    );
    const { values } = await readAll(protocol, calls, { number, timestamp: BigInt(timestamp) });
    return new Set(Object.keys(values).filter((hash) => values[hash] === true));
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
