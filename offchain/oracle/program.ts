/** `npm run oracle -- run | once | dry-run | check`: the shell around a member. */

import { AppError, EXIT } from "../util/errors.ts";
import type { ExitCode } from "../util/errors.ts";
import { checksAsText, exitCodeOfChecks } from "../util/check.ts";
import { systemClock } from "../util/clock.ts";
import type { Clock } from "../util/clock.ts";
import { readConfig, redacted } from "../util/config.ts";
import { runLoop, stopSignal, whenAvailable, withHealth } from "../util/daemon.ts";
import type { Program } from "../util/daemon.ts";
import { makeLog } from "../util/log.ts";
import type { Log } from "../util/log.ts";
import type { Deployment } from "../chain/connect.ts";
import { checkDeployment, readDeployment } from "../chain/deploymentFile.ts";
import { checkSigner } from "../util/signer.ts";
import { assemble, connectNodes } from "./assemble.ts";
import { buildReport } from "./buildReport.ts";
import { checkAll } from "./check.ts";
import { ORACLE_FIELDS } from "./config.ts";
import type { OracleConfig } from "./config.ts";
import { dueSlot, readStanding } from "./contract.ts";
import { asking } from "./layers.ts";
import type { Step } from "./step.ts";
import { makeMetrics } from "./metrics.ts";
import type { Reason } from "./metrics.ts";
import { readSnapshot } from "./snapshot.ts";
import { encodeReport } from "./wire.ts";

export const MODES = ["run", "once", "dry-run", "check"] as const;
export type Mode = (typeof MODES)[number];

/** Reasons that the next turn may find gone. */
const PASSING = new Set<Reason>(["few_signatures", "not_my_turn", "send_failed", "not_final"]);

/** @throws AppError */
export async function runOracle(mode: Mode, program: Program): Promise<ExitCode> {
  const config = readConfig(ORACLE_FIELDS, program.env, checkDeployment, (values) => {
    if (mode === "run" || mode === "once") checkSigner(values);
  });
  const deployment = readDeployment(config.DEPLOYMENT);
  const log = program.log ?? makeLog("oracle", config.LOG_LEVEL);
  const clock = program.clock ?? systemClock;
  const signal = program.signal ?? stopSignal(log);
  const context = { config, deployment, log, clock, signal, program };
  if (mode === "check") return check(context);
  if (mode === "dry-run") return dryRun(context);
  log.info({ config: redacted(ORACLE_FIELDS, config) }, `oracle: ${mode}`);
  try {
    return await (mode === "once" ? once(context) : run(context));
  } finally {
    log.info("stopped");
  }
}

interface Context {
  readonly config: OracleConfig;
  readonly deployment: Deployment;
  readonly log: Log;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly program: Program;
}

/** Waits for its nodes and its signer, then turns until the signal. @throws AppError of what waiting does not mend */
async function run({ config, deployment, clock, log, signal }: Context): Promise<ExitCode> {
  const tell = teller(log);
  const metrics = makeMetrics();
  await withHealth(metrics.registry, config, clock, async (pulse) => {
    const loop = { clock, pulse, seconds: config.POLL_SECONDS, log, signal };
    const assembled = await whenAvailable(async () => assemble(config, deployment, { clock, log, metrics }), loop);
    if (assembled === undefined) return;
    log.info({ address: assembled.address }, "nodes and signer are there");
    try {
      await runLoop(
        async (stop) => {
          const step = await assembled.member.step(stop);
          tell(step);
          return !step.reasons.some((reason) => isAboutNodes(reason) || reason === "not_member");
        },
        // another pool means other contracts: whoever runs this starts it again
        { ...loop, isFatal: (error) => error instanceof AppError },
      );
    } finally {
      await assembled.close();
    }
  });
  return EXIT.ok;
}

/** Turns until the frame's report is there, or something is in the way that waiting does not mend. */
async function once({ config, deployment, clock, log, signal, program }: Context): Promise<ExitCode> {
  const tell = teller(log);
  const assembled = await assemble(config, deployment, { clock, log });
  try {
    for (;;) {
      signal.throwIfAborted();
      const step = await assembled.member.step(signal);
      tell(step);
      const rest = step.reasons.filter((reason) => reason !== "outvoted");
      if (step.submitted || !rest.every((reason) => PASSING.has(reason)) || rest.length === 0) {
        const result = { submitted: step.submitted, reasons: step.reasons, explanation: step.explanation };
        program.print(program.json ? JSON.stringify(result) : step.explanation);
        return exitCodeOfStep(step);
      }
      await clock.sleep(config.POLL_SECONDS, signal);
    }
  } finally {
    await assembled.close();
  }
}

function isAboutNodes(reason: Reason): boolean {
  return reason.endsWith("_unavailable") || reason === "needs_whole_state";
}

export function exitCodeOfStep({ reasons }: Pick<Step, "reasons">): ExitCode {
  const holds = (reason: Reason): boolean => reasons.includes(reason);
  if (reasons.some(isAboutNodes)) return EXIT.unavailable;
  if (holds("outvoted") || holds("layers_disagree")) return EXIT.invalid;
  if (reasons.length === 0 || holds("no_new_frame")) return EXIT.ok;
  return EXIT.refused;
}

/** The report as this member would sign it, printed and not signed. Needs no key. */
async function dryRun({ config, deployment, log, clock, signal, program }: Context): Promise<ExitCode> {
  const nodes = await connectNodes(config, deployment, { clock, log });
  const standing = await readStanding(nodes.protocol, clock.now());
  const finalized = await asking("beacon", nodes.beacon.finalizedSlot(signal), signal);
  const refSlot = dueSlot(standing, BigInt(finalized));
  if (refSlot === undefined) {
    const explanation = `nothing to report: the last report is of slot ${standing.lastRefSlot}, final is ${finalized}`;
    program.print(program.json ? JSON.stringify({ report: null, explanation }) : explanation);
    return EXIT.ok;
  }
  const snapshot = await readSnapshot(nodes, standing, refSlot, signal);
  const built = buildReport(snapshot, {
    prevReportHash: standing.lastReportHash,
    committeeVersion: standing.committeeVersion,
  });
  const report = encodeReport(built.report);
  const { finding, counted, foreign } = built;
  const findings = {
    ...finding,
    projectedPenaltyGwei: String(finding.projectedPenaltyGwei),
    uncoveredGwei: String(finding.uncoveredGwei),
    frameRewardsGwei: finding.frameRewardsGwei === undefined ? null : String(finding.frameRewardsGwei),
  };
  if (program.json) program.print(JSON.stringify({ report, validators: counted, foreign, finding: findings }));
  else
    for (const [name, value] of Object.entries({ ...report, validators: counted }))
      program.print(`${name.padEnd(24)} ${value}`);
  return EXIT.ok;
}

async function check({ config, deployment, log, clock, signal, program }: Context): Promise<ExitCode> {
  const nodes = await connectNodes(config, deployment, { clock, log });
  const checks = await checkAll(config, nodes, clock, signal);
  program.print(program.json ? JSON.stringify({ checks }) : checksAsText(checks));
  return exitCodeOfChecks(checks);
}

/** Logs what holds a member up when it changes, not at each turn. */
function teller(log: Log): (step: Step) => void {
  let told = "";
  return ({ reasons, explanation }) => {
    const now = reasons.join();
    if (now === told) return;
    told = now;
    if (reasons.length > 0) log.info({ reasons }, explanation);
  };
}
