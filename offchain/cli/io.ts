/** What the command line talks through: results on stdout, everything else on stderr. Injected, so that tests see what a person sees. */
import Table from "cli-table3";
import { formatEther } from "ethers";
import type { Clock } from "../util/clock.ts";

export interface Io {
  /** stdout */
  out(line: string): void;
  /** stderr */
  err(line: string): void;
  /** Whether a person can be asked. */
  readonly interactive: boolean;
  confirm(question: string): Promise<boolean>;
  /** Of a folder's file, or of stdin. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The system's where undefined. */
  readonly clock?: Clock | undefined;
}

/** One object: bigints as decimal strings, undefined left out. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? item.toString() : item), 2);
}

/** Name and value, one a row. */
export function renderRows(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}

export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({ head: [...head], style: { head: [], border: [] } });
  for (const row of rows) table.push([...row]);
  return table.toString();
}

/** Ether with its unit: all places that are not zero. */
export function ether(wei: bigint, unit = "ETH"): string {
  return `${formatEther(wei).replace(/\.0$/, "")} ${unit}`;
}

export function percent(bp: bigint): string {
  return `${bp < 0n ? "-" : ""}${(bp < 0n ? -bp : bp) / 100n}.${String((bp < 0n ? -bp : bp) % 100n).padStart(2, "0")}%`;
}

/** In UTC; what is unknown is a dash. */
export function dateOf(seconds: bigint | undefined): string {
  return seconds === undefined ? "-" : new Date(Number(seconds) * 1_000).toISOString().replace("T", " ").slice(0, 16);
}

/** Values as bars from the lowest to the highest. */
export function sparkline(values: readonly number[]): string {
  const bars = "▁▂▃▄▅▆▇█";
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const scale = high === low ? 0 : (bars.length - 1) / (high - low);
  return values.map((value) => bars[Math.round((value - low) * scale)] ?? "").join("");
}
