/**
 * `npm run soak -- --minutes 20`: a real devnet, five members and a keeper behind hostile nodes, killed and restarted at random. docs/hostile-nodes.md.
 * Exit codes: 0 every report right and none missed, memory flat, no unhandled rejection, no secret in any output; 1 not; 2 usage; 4 a client did not start.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { DEFAULT_PARAMETERS } from "../devnet/real/chainConfig.ts";
import { choosePorts } from "../devnet/real/processes.ts";
import { startWithProtocol } from "../devnet/real/protocol.ts";
import { ProcessError } from "../devnet/real/supervisor.ts";
import { soak } from "./soak/soak.ts";
import type { Soaked } from "./soak/soak.ts";

const USAGE = `npm run soak -- [options]
  --minutes N    how long (20)
  --seed TEXT    repeats what was drawn (printed; random)
  --slot-ms N    wall time of a slot; a frame has 256 (250)
  --data DIR     keeps folder and logs (default: a temporary one, removed where all is well)
  --json         one object on stdout`;

class UsageError extends Error {}

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "20" },
      seed: { type: "string", default: randomBytes(4).toString("hex") },
      "slot-ms": { type: "string", default: "250" },
      data: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return true;
  }
  const [minutes, slotMs] = [number(values.minutes, "--minutes"), number(values["slot-ms"], "--slot-ms")];
  const folder = values.data === undefined ? mkdtempSync(join(tmpdir(), "estuary-soak-")) : resolve(values.data);
  const lines: string[] = [];
  const started = performance.now();
  const onEvent = (line: string): void => {
    const text = `${((performance.now() - started) / 1_000).toFixed(0).padStart(5)} s  ${line}`;
    lines.push(text);
    console.error(text);
  };
  onEvent(`seed ${values.seed}, ${minutes} minutes, logs in ${folder}`);
  const { devnet, protocol } = await startWithProtocol(
    {
      folder,
      parameters: DEFAULT_PARAMETERS,
      ports: await choosePorts(),
      pace: { slotMs: 0, blockEvery: 1 },
      feeRecipient: "0x00000000000000000000000000000000000fee00",
      onEvent,
    },
    stop.signal,
  );
  try {
    const options = { seed: values.seed, minutes, slotMs, onEvent };
    const result = await soak(devnet, protocol, options, () => lines.join("\n"), stop.signal);
    console.log(values.json ? JSON.stringify(result) : tableOf(result));
    if (result.ok && values.data === undefined) rmSync(folder, { recursive: true, force: true });
    return result.ok;
  } finally {
    await devnet.stop();
  }
}

function tableOf(result: Soaked): string {
  const table = new Table({
    head: ["what", "found", "wanted"],
    style: { head: [], border: [] },
    colWidths: [26, 80, 12],
    wordWrap: true,
  });
  const list = (items: readonly unknown[]): string => (items.length === 0 ? "none" : items.map(String).join(", "));
  const found = (items: Soaked["secrets"]): string => list(items.map(({ file, what }) => `${file}: ${what}`));
  table.push(
    ["reports", `${result.reports} of ${result.frames} frames`, "all"],
    ["missed", list(result.missed), "none"],
    ["wrong", list(result.wrong), "none"],
    ["killed", list(Object.entries(result.kills).map(([name, count]) => `${name} ${count}`)), ""],
    ["ended by themselves", result.crashes, "0"],
    ["unhandled rejections", found(result.unhandled), "none"],
    [`secrets (${result.searched.secrets}) in ${result.searched.bytes} bytes`, found(result.secrets), "none"],
    ["requests through the kit", result.requests, ""],
    ["reasons of members", list(Object.entries(result.reasons).map(([name, count]) => `${name} ${count}`)), ""],
  );
  for (const [name, { perMinute, seconds, peakMib, course }] of Object.entries(result.memory))
    table.push([
      `memory of ${name}`,
      perMinute === undefined
        ? `no life long enough, by the minute ${course.join(" ")}, peak ${peakMib} MiB`
        : `${perMinute.toFixed(2)} MiB/min over ${seconds.toFixed(0)} s, by the minute ${course.join(" ")}, peak ${peakMib} MiB`,
      `at most ${result.memoryLimit}`,
    ]);
  return `${table.toString()}\nseed ${result.seed}: ${result.ok ? "ok" : "NOT ok"}`;
}

function number(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new UsageError(`${name}: a positive number, not ${text}`);
  return value;
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  const isUsage =
    error instanceof UsageError || String((error as { code?: unknown }).code).startsWith("ERR_PARSE_ARGS");
  console.error(
    isUsage ? `${(error as Error).message}\n${USAGE}` : error instanceof Error ? error.message : String(error),
  );
  process.exitCode = isUsage ? 2 : error instanceof ProcessError ? 4 : 1;
}
