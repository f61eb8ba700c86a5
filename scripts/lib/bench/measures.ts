/** What the machine takes for two plain things, measured in the same run: limits are ratios to them, and mean the same everywhere. */
import type { Cost } from "./cost.ts";
import { inFreshProcess } from "./fresh.ts";

export interface Measures {
  /** The state's bytes, fetched and thrown away. */
  readonly download: Cost;
  /** The state's bytes, fetched and made into values by the SSZ library. */
  readonly deserialisation: Cost;
}

export interface Limits {
  /** CPU time, as multiples of a download's and of a deserialisation's. */
  readonly maxDownloads?: number;
  readonly maxDeserialisations: number;
  readonly maxPeakMiB: number;
}

export interface Judged extends Cost {
  readonly downloads: number;
  readonly deserialisations: number;
  /** The longest time that the main thread was blocked, as a part of the wall time of a deserialisation. */
  readonly blockedPart: number;
  readonly ok: boolean;
}

const MAX_BLOCKED_PART = 0.1;

export async function measureMachine(state: Uint8Array): Promise<Measures> {
  const cost = async (act: "download" | "deserialise"): Promise<Cost> =>
    (await inFreshProcess<{ cost: Cost }>(state, "./plainOnce.ts", { act })).cost;
  return { download: await cost("download"), deserialisation: await cost("deserialise") };
}

/** The cost and its ratios in two decimals, and whether they are within the limits. */
export function judged(cost: Cost, { download, deserialisation }: Measures, limits: Limits): Judged {
  const downloads = cost.cpuSeconds / download.cpuSeconds;
  const deserialisations = cost.cpuSeconds / deserialisation.cpuSeconds;
  const blockedPart = cost.longestBlockMs / (1_000 * deserialisation.seconds);
  return {
    ...rounded(cost),
    ...rounded({ downloads, deserialisations, blockedPart }),
    ok:
      downloads <= (limits.maxDownloads ?? Infinity) &&
      deserialisations <= limits.maxDeserialisations &&
      cost.peakMiB <= limits.maxPeakMiB &&
      blockedPart <= MAX_BLOCKED_PART,
  };
}

/** In two decimals. */
export function rounded<T extends object>(values: T): T {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Math.round(Number(value) * 100) / 100]),
  ) as T;
}
