/** The gas table for a terminal. */
import Table from "cli-table3";
import type { PeerData, Row } from "./rows.ts";

const PLAIN = { style: { head: [], border: [] } };

export function renderTable(rows: readonly Row[], data: PeerData): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.peers)))];
  const table = new Table({
    ...PLAIN,
    head: ["operation", "Estuary", "limit", ...names],
    colAligns: ["left", ...Array.from({ length: names.length + 2 }, () => "right" as const)],
  });
  for (const { id, gas, limit, peers } of rows) {
    const over = limit !== null && gas > limit ? " !" : "";
    table.push([
      id,
      thousands(gas) + over,
      limit === null ? "-" : thousands(limit),
      ...names.map((name) => (peers[name] === undefined ? "-" : thousands(peers[name]))),
    ]);
  }
  return `${table.toString()}\n${data.unit}; "!" is over the limit\npeers, ${data.measured}: ${data.source}`;
}

function thousands(gas: number): string {
  return gas.toLocaleString("en-US");
}
