/**
 * `npm run e2e`: the protocol's life on a fresh real devnet, at full speed. `-- --json` prints one object on stdout. docs/devnet.md.
 * Exit codes: 0 every book equals what the clients say, 1 not, 2 usage, 4 a client did not start.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { DEFAULT_PARAMETERS } from "../devnet/real/chainConfig.ts";
import { memoryOf } from "../devnet/real/devnet.ts";
import { choosePorts } from "../devnet/real/processes.ts";
import { startWithProtocol } from "../devnet/real/protocol.ts";
import { realWorld } from "../devnet/real/realWorld.ts";
import { ProcessError } from "../devnet/real/supervisor.ts";
import { liveThrough } from "../devnet/scenario/lifeCycle.ts";
import type { LifeCycle, Step } from "../devnet/scenario/lifeCycle.ts";
import { untilStopped } from "./lib/untilStopped.ts";

const MEMORY_EVERY_MS = 1_000;

class UsageError extends Error {}

const stop = untilStopped();

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      json: { type: "boolean", default: false },
      fork: { type: "string", default: DEFAULT_PARAMETERS.fork },
      data: { type: "string" },
    },
  });
  const { fork } = values;
  if (fork !== "electra" && fork !== "fulu") throw new UsageError(`--fork: electra or fulu, not ${fork}`);
  const started = performance.now();
  const folder = values.data === undefined ? mkdtempSync(join(tmpdir(), "estuary-e2e-")) : resolve(values.data);
  const { devnet, protocol } = await startWithProtocol(
    {
      folder,
      parameters: { ...DEFAULT_PARAMETERS, fork },
      ports: await choosePorts(),
      pace: { slotMs: 0, blockEvery: 1 },
      feeRecipient: "0x00000000000000000000000000000000000fee00",
      onEvent: (line) => console.error(line),
    },
    stop,
  );
  let peak = 0;
  const watch = setInterval(() => (peak = Math.max(peak, devnet.memory() + memoryOf(process.pid))), MEMORY_EVERY_MS);
  try {
    const startUp = seconds(started);
    const world = await realWorld(devnet, protocol);
    if (!values.json) console.log(`ready in ${startUp.toFixed(1)} s (${fork})\n`);
    const life = await liveThrough(world, { onStep: (step) => values.json || printStep(step) }, stop);
    const crashes = devnet.crashes();
    const ok = life.ok && crashes === 0;
    const summary = { ok, startUpSeconds: startUp, totalSeconds: seconds(started), peakMiB: peak, crashes };
    if (values.json) printJson(life, summary);
    else printLife(life, summary);
    return ok;
  } finally {
    clearInterval(watch);
    await devnet.stop();
    if (values.data === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

interface Summary {
  readonly ok: boolean;
  readonly startUpSeconds: number;
  readonly totalSeconds: number;
  /** Of this process, both clients, the validator client, the daemons and the keeper together. */
  readonly peakMiB: number;
  /** Processes that ended without being killed by the scenario. */
  readonly crashes: number;
}

function printStep({ name, detail, seconds: took, slot }: Step): void {
  console.log(`${name.padEnd(28)} ${took.toFixed(1).padStart(6)} s  slot ${String(slot).padStart(6)}  ${detail}`);
}

function printLife({ lines, reports, secondsToClaim }: LifeCycle, summary: Summary): void {
  const { ok, totalSeconds, peakMiB, crashes } = summary;
  console.log("");
  for (const { name, contracts, clients, isEqual } of lines)
    console.log(`${isEqual ? "=" : "!"} ${name}: ${contracts}${isEqual ? "" : `, not ${clients}`}`);
  console.log(
    `\n${reports.length} reports; stake to claim ${secondsToClaim.toFixed(1)} s; all ${totalSeconds.toFixed(1)} s; peak ${peakMiB} MiB`,
  );
  if (crashes > 0) console.log(`${crashes} processes ended by themselves`);
  console.log(ok ? "reconciled to the wei" : "NOT reconciled");
}

function printJson(life: LifeCycle, summary: Summary): void {
  const text = (_: string, value: unknown): unknown => (typeof value === "bigint" ? value.toString() : value);
  console.log(JSON.stringify({ ...life, ...summary }, text));
}

function seconds(since: number): number {
  return (performance.now() - since) / 1_000;
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  const isUsage =
    error instanceof UsageError || String((error as { code?: unknown }).code).startsWith("ERR_PARSE_ARGS");
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = isUsage ? 2 : error instanceof ProcessError ? 4 : 1;
}
