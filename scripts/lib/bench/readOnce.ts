/** A fresh process that reads one state as the oracle does, and says on stdout what that cost it. Arguments: URL, file with public keys. */
import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { contentsOf, downloadState } from "../../../offchain/beacon/stateDownload.ts";
import type { Hex } from "../../../offchain/util/hex.ts";

const [url = "", keysFile = ""] = process.argv.slice(2);
const pubkeys = JSON.parse(readFileSync(keysFile, "utf8")) as Hex[];
const delays = monitorEventLoopDelay({ resolution: 5 });
delays.enable();
const start = performance.now();
const answer = await downloadState(url, "/state", 60, undefined, async (download) => contentsOf(download, pubkeys));
const seconds = (performance.now() - start) / 1_000;
delays.disable();
if (!("value" in answer)) throw new Error(`answered ${answer.status}`);
const contents = answer.value;
const { user, system } = process.cpuUsage();
console.log(
  JSON.stringify({
    found: contents.validators.length,
    validators: contents.validatorCount,
    seconds,
    cpuSeconds: (user + system) / 1e6,
    peakMiB: peakKiB() / 1_024,
    longestBlockMs: delays.max / 1e6,
  }),
);

/** getrusage would count what the parent had when it started this process. */
function peakKiB(): number {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
  if (match === null) throw new Error("no peak of memory in /proc/self/status");
  return Number(match[1]);
}
