/** The committee's reports, beside them the books: they hear what beacon states and vaults hold, not what the report says. */
import { countedTime, scheduleOf } from "../../../offchain/protocol/frames.ts";
import type { ReportOutcome } from "../../../offchain/protocol/applyReport.ts";
import type { Report } from "../../../offchain/protocol/report.ts";
import { WEI_PER_GWEI, wei } from "../../../offchain/protocol/units.ts";
import { nextFrameEnd } from "./world.ts";
import type { World } from "./world.ts";

const HALF_AN_HOUR = 150; // slots

export interface ReportOptions {
  readonly incident?: boolean;
  /** What happens in the minutes between the reference and the report. */
  readonly between?: () => Promise<void>;
}

/** Waits until the frame's end is final; the committee reads, signs and reports. */
export async function report(world: World, { incident = false, between }: ReportOptions = {}): Promise<ReportOutcome> {
  const told = await read(world, incident);
  await between?.();
  return submit(world, told);
}

/** What the committee reports once the frame that is going on has ended. */
export async function read(world: World, incident = false): Promise<Report> {
  const end = nextFrameEnd(world);
  const told = await world.p.committee.read({ refSlot: BigInt(end), incident });
  world.lastFrameEnd = BigInt(end);
  return told;
}

/** Half an hour before the frame's end. */
export async function waitUntilLate(world: World): Promise<void> {
  const { beacon } = world.p;
  await beacon.advanceTo(nextFrameEnd(world) - HALF_AN_HOUR);
  // its own state can be proven
  await beacon.advanceSlots(1);
}

/** A day without a report. */
export async function skipFrame(world: World): Promise<void> {
  const { beacon } = world.p;
  const end = nextFrameEnd(world);
  await beacon.advanceTo(end);
  await beacon.advanceSlots(1);
  await beacon.finalize(end);
  world.lastFrameEnd = BigInt(end);
}

/** @param count of members who sign; the quorum by default */
export async function submit(world: World, told: Report, count?: number): Promise<ReportOutcome> {
  const { p, chain, at, grid, ledger } = world;
  const signatures = await p.committee.sign(told, count);
  const held = [await chain.etherOf(at.withdrawalVault), await chain.etherOf(at.rewardsVault)] as const;
  const now = await chain.send(at.keeper, p.oracle.submitReport.populateTransaction(told, signatures));
  const state = p.beacon.stateAt(Number(told.refSlot));
  const time = BigInt(p.beacon.timeOf(Number(told.refSlot)));
  const { number } = state.block.execution;
  const funded = world.validators.filter(({ fundedAt }) => fundedAt !== 0n && fundedAt <= time);
  const keys = funded.map(({ key }) => key.pubkey);
  const outcome = ledger.report({
    ...scheduleOf(told.refSlot, grid),
    now,
    elapsed: countedTime(told.refSlot, world.lastRefSlot, grid),
    clBalance: wei(state.clBalanceGwei(keys) * WEI_PER_GWEI),
    leaving: wei(state.leavingGwei(keys, told.refSlot / 32n) * WEI_PER_GWEI),
    withdrawalVault: { reported: wei(await chain.etherOf(at.withdrawalVault, number)), held: wei(held[0]) },
    rewardsVault: { reported: wei(await chain.etherOf(at.rewardsVault, number)), held: wei(held[1]) },
    incident: told.incident,
  });
  world.lastRefSlot = told.refSlot;
  world.careful = told.incident;
  world.outcomes.push(outcome);
  world.operators.noteFees(outcome.feeShares);
  return outcome;
}

/** The error with which a report is refused; undefined if it is not. */
export async function refusalOf({ p, chain, at }: World, told: Report, count?: number): Promise<string | undefined> {
  const signatures = await p.committee.sign(told, count);
  return chain.refusal(at.keeper, p.oracle.submitReport.populateTransaction(told, signatures));
}

/** A quorum's report that needs more is made known: everything waits for it. Returns when. */
export async function announce(world: World, told: Report): Promise<bigint> {
  const { p, chain, at, ledger } = world;
  const signatures = await p.committee.sign(told);
  const now = await chain.send(at.keeper, p.oracle.announceReport.populateTransaction(told, signatures));
  ledger.hold(now);
  world.careful = true;
  return now;
}

/** Governance lets a report lower the rate as far as it does. */
export async function approve({ p, chain }: World, hash: string): Promise<void> {
  await chain.send(p.governor.address, p.oracle.approveFall.populateTransaction(hash, true));
}
