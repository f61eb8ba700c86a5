/**
 * Time on a machine that may be loaded. How long a person waits is bounded by the processor time that page and node take for it together: on a quiet
 * machine one waits for the other, and neither for anybody else.
 */
import { readFileSync, readdirSync } from "node:fs";
import type { Page } from "playwright-core";

/** Of the system's clock, as Linux tells processor time. */
const TICKS_A_SECOND = 100;

interface Usage {
  readonly parent: number;
  readonly ticks: number;
}

/** Milliseconds of processor time of this process and of all that it started: node and browser. */
export function processorTime(): number {
  const all = new Map(
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        const usage = usageOf(name);
        return usage === undefined ? [] : [[Number(name), usage] as const];
      }),
  );
  const isOurs = (pid: number): boolean => pid === process.pid || (all.has(pid) && isOurs(all.get(pid)?.parent ?? 0));
  const ticks = [...all].filter(([pid]) => isOurs(pid)).reduce((sum, [, { ticks: own }]) => sum + own, 0);
  return (ticks * 1_000) / TICKS_A_SECOND;
}

/** Of the same processor with nothing else to do. Milliseconds. */
const USUAL_STEP_MS = 5.9;
const STEPS = 25;

/** How much more processor time the same work takes just now than where nobody else uses caches and clock: the middle of some. At least 1. */
export function strain(): number {
  const table = new Uint32Array(1 << 16);
  const step = (): number => {
    const before = process.cpuUsage();
    let x = 1;
    for (let i = 0; i < 6_000_000; i++) {
      x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
      table[x >>> 16] = (table[x >>> 16] ?? 0) ^ x;
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  };
  step();
  const times = Array.from({ length: STEPS }, step).sort((a, b) => a - b);
  return Math.max(1, (times[Math.floor(STEPS / 2)] ?? USUAL_STEP_MS) / USUAL_STEP_MS);
}

function usageOf(pid: string): Usage | undefined {
  try {
    // the name, in brackets, may hold anything
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return undefined; // it ended meanwhile
  }
}

/** On two cores of an AMD EPYC that do nothing else, four times slowed down. Milliseconds. */
const USUAL_MS = 105;
const RUNS = 10;

/** Integer arithmetic on a table that does not fit the first cache. */
const WORK = `(() => {
  const table = new Uint32Array(1 << 16);
  const start = performance.now();
  let x = 1;
  for (let i = 0; i < 25_000_000; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    table[x >>> 16] ^= x;
  }
  return [performance.now() - start, table[0]];
})()`;

/**
 * How much longer scripts of this page take just now than on a quiet machine: a fixed piece of work, about a second of it, so that it meets as much
 * of others' work as a page that is opened. At least 1.
 * @param page whose processor is four times slowed down
 */
export async function slowness(page: Page): Promise<number> {
  let sum = 0;
  for (let run = 0; run < RUNS; run++) sum += (await page.evaluate<[number, number]>(WORK))[0];
  return Math.max(1, sum / RUNS / USUAL_MS);
}
