/** What an action cost this process, which does nothing else. */
import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";

export interface Cost {
  readonly seconds: number;
  /** Of the action alone, all threads. */
  readonly cpuSeconds: number;
  /** Of the whole process. */
  readonly peakMiB: number;
  readonly longestBlockMs: number;
}

export async function withCost<T>(act: () => Promise<T>): Promise<{ readonly value: T; readonly cost: Cost }> {
  const delays = monitorEventLoopDelay({ resolution: 5 });
  delays.enable();
  const before = process.cpuUsage();
  const start = performance.now();
  const value = await act();
  const seconds = (performance.now() - start) / 1_000;
  delays.disable();
  const { user, system } = process.cpuUsage(before);
  const cost = {
    seconds,
    cpuSeconds: (user + system) / 1e6,
    peakMiB: peakKiB() / 1_024,
    longestBlockMs: delays.max / 1e6,
  };
  return { value, cost };
}

/** getrusage would count what the parent had when it started this process. */
function peakKiB(): number {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
  if (match === null) throw new Error("no peak of memory in /proc/self/status");
  return Number(match[1]);
}
