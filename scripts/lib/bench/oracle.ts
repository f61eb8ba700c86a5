/** What reading the protocol's validators out of a large beacon state costs. */
import type { Cost } from "./cost.ts";
import { inFreshProcess, judged } from "./fresh.ts";
import type { Limits } from "./fresh.ts";
import { makeState } from "./state.ts";

interface Size extends Limits {
  readonly validators: number;
  readonly ours: number;
}

const SIZES: readonly Size[] = [
  { validators: 1_000_000, ours: 10_000, maxCpuSeconds: 1.5, maxPeakMiB: 400, maxBlockMs: 300 },
  { validators: 2_200_000, ours: 10_000, maxCpuSeconds: 2, maxPeakMiB: 500, maxBlockMs: 300 },
];

export interface Reading extends Size, Cost {
  readonly stateMB: number;
  readonly ok: boolean;
}

export async function measureReading(): Promise<Reading[]> {
  const rows: Reading[] = [];
  for (const size of SIZES) {
    const { bytes, pubkeys } = makeState(size.validators, size.ours);
    const read = await inFreshProcess<{ found: number; of: number; cost: Cost }>(bytes, "./readOnce.ts", { pubkeys });
    if (read.found !== size.ours || read.of !== size.validators)
      throw new Error(`read ${read.found} of ${read.of}, not ${size.ours} of ${size.validators}`);
    rows.push({ ...size, stateMB: Math.round(bytes.length / 1e4) / 100, ...judged(read.cost, size) });
  }
  return rows;
}
