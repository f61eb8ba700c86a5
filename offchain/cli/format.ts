/** Values as people read them, and as JSON. */
import Table from "cli-table3";
import { formatEther, formatUnits } from "ethers";

/** Name and value. */
export type Row = readonly [name: string, value: string];

/** One object: bigints as decimal strings, undefined left out. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? item.toString() : item), 2);
}

/** One a row; of a value with several lines, the further ones stand under the first. */
export function renderRows(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  const indent = `\n${" ".repeat(width + 2)}`;
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value.replaceAll("\n", indent)}`).join("\n");
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

/** To four significant digits: of fees. */
export function roundedUp(wei: bigint): bigint {
  const unit = 10n ** BigInt(Math.max(0, String(wei).length - 4));
  return ((wei + unit - 1n) / unit) * unit;
}

export function percent(bp: bigint): string {
  return `${bp < 0n ? "-" : ""}${(bp < 0n ? -bp : bp) / 100n}.${String((bp < 0n ? -bp : bp) % 100n).padStart(2, "0")}%`;
}

/** Of a whole: to a thousandth of a per cent, rounded up. */
export function percentOf(part: bigint, whole: bigint): string {
  const scaled = whole === 0n ? 0n : (part * 100_000n + whole - 1n) / whole;
  return `${formatUnits(scaled, 3).replace(/\.0$/, "")}%`;
}

/** To the minute, with its zone; what is unknown is a dash. */
export function dateOf(seconds: bigint | undefined): string {
  if (seconds === undefined) return "-";
  return `${new Date(Number(seconds) * 1_000).toISOString().replace("T", " ").slice(0, 16)} UTC`;
}

/** Values as bars from the lowest to the highest. */
export function sparkline(values: readonly number[]): string {
  const bars = "▁▂▃▄▅▆▇█";
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const scale = high === low ? 0 : (bars.length - 1) / (high - low);
  return values.map((value) => bars[Math.round((value - low) * scale)] ?? "").join("");
}
