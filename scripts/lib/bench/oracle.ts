/** What reading the protocol's validators out of a large beacon state costs: made, served over loopback, read in a fresh process. */
import { execFile } from "node:child_process";
import { createReadStream, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { makeState } from "./state.ts";

export interface Size {
  readonly validators: number;
  readonly ours: number;
  readonly maxCpuSeconds: number;
  readonly maxPeakMiB: number;
  readonly maxBlockMs: number;
}

export const SIZES: readonly Size[] = [
  { validators: 1_000_000, ours: 10_000, maxCpuSeconds: 1.5, maxPeakMiB: 400, maxBlockMs: 300 },
  { validators: 2_200_000, ours: 10_000, maxCpuSeconds: 2, maxPeakMiB: 500, maxBlockMs: 300 },
];

export interface Measured extends Size {
  readonly stateMB: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMiB: number;
  readonly longestBlockMs: number;
  readonly ok: boolean;
}

export async function measureReading(size: Size): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "estuary-bench-"));
  const [stateFile, keysFile] = [join(folder, "state.ssz"), join(folder, "keys.json")];
  const server = createServer((_, response) => {
    const { size: length } = statSync(stateFile);
    response.writeHead(200, {
      "content-type": "application/octet-stream",
      "eth-consensus-version": "electra",
      "content-length": length,
    });
    createReadStream(stateFile, { highWaterMark: 2 ** 20 }).pipe(response);
  });
  try {
    const { bytes, pubkeys } = makeState(size.validators, size.ours);
    writeFileSync(stateFile, bytes);
    writeFileSync(keysFile, JSON.stringify(pubkeys));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const script = fileURLToPath(new URL("./readOnce.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script, url, keysFile]);
    const read = JSON.parse(stdout) as Omit<Measured, keyof Size> & { found: number; validators: number };
    if (read.found !== size.ours || read.validators !== size.validators)
      throw new Error(`read ${read.found} of ${read.validators}, not ${size.ours} of ${size.validators}`);
    const ok =
      read.cpuSeconds <= size.maxCpuSeconds &&
      read.peakMiB <= size.maxPeakMiB &&
      read.longestBlockMs <= size.maxBlockMs;
    const round = (value: number): number => Math.round(value * 100) / 100;
    return {
      ...size,
      stateMB: round(bytes.length / 1e6),
      seconds: round(read.seconds),
      cpuSeconds: round(read.cpuSeconds),
      peakMiB: round(read.peakMiB),
      longestBlockMs: round(read.longestBlockMs),
      ok,
    };
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
