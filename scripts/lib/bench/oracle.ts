/** What reading the protocol's validators out of a large beacon state costs. */
import type { Cost } from "./cost.ts";
import { inFreshProcess } from "./fresh.ts";
import { judged, measureMachine, rounded } from "./measures.ts";
import type { Judged, Limits, Measures } from "./measures.ts";
import { makeState } from "./state.ts";

interface Size extends Limits {
  readonly validators: number;
  readonly ours: number;
}

const RATIOS = { maxDownloads: 5, maxDeserialisations: 1 / 3 };
const SIZES: readonly Size[] = [
  { validators: 1_000_000, ours: 10_000, ...RATIOS, maxPeakMiB: 400 },
  { validators: 2_200_000, ours: 10_000, ...RATIOS, maxPeakMiB: 500 },
];

export interface Reading extends Size, Judged {
  readonly plain: Measures;
  readonly stateMB: number;
}

export async function measureReading(): Promise<Reading[]> {
  const rows: Reading[] = [];
  for (const size of SIZES) {
    const { bytes, pubkeys } = makeState(size.validators, size.ours);
    const read = await inFreshProcess<{ found: number; of: number; cost: Cost }>(bytes, "./readOnce.ts", { pubkeys });
    if (read.found !== size.ours || read.of !== size.validators)
      throw new Error(`read ${read.found} of ${read.of}, not ${size.ours} of ${size.validators}`);
    const measures = await measureMachine(bytes);
    const plain = { download: rounded(measures.download), deserialisation: rounded(measures.deserialisation) };
    rows.push({ ...size, stateMB: Math.round(bytes.length / 1e4) / 100, plain, ...judged(read.cost, measures, size) });
  }
  return rows;
}
