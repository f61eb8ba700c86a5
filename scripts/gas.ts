/**
 * Measures what the protocol's operations cost and prints them beside the limits and the peers' figures.
 * `--json`: rows on stdout; `--check`: compares with docs/data/gas-snapshot.json; `--update`: writes it; `--scale`: adds
 * the report that pays 100,000 requests, and what a report, a claim and a bond cost with up to 10,000 operators and 100,000 validators
 * (minutes). Exit codes: 0 ok, 1 differences, 2 usage.
 */
import { parseArgs } from "node:util";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { steadyClock } from "./lib/gas/clock.ts";
import { measure, SLOW_ROWS } from "./lib/gas/measure.ts";
import { readPeers, rowsOf } from "./lib/gas/rows.ts";
import { SCALES, measureScale } from "./lib/gas/scale.ts";
import { differences, readSnapshot, writeSnapshot } from "./lib/gas/snapshot.ts";
import { renderTable } from "./lib/gas/table.ts";

async function main(): Promise<number> {
  const flag = { type: "boolean", default: false } as const;
  const { values } = parseArgs({ options: { json: flag, check: flag, update: flag, scale: flag } });
  const committed = readSnapshot();
  const progress = (line: string) => {
    console.error(line);
  };
  const figures = {
    ...(await measure(await steadyNetwork(), values.scale, progress)),
    ...(values.scale ? await measureScale(await steadyNetwork(), SCALES, progress) : {}),
  };
  const peers = readPeers();
  const rows = rowsOf(figures, peers);
  if (values.json) console.log(JSON.stringify({ rows }, null, 2));
  else if (!values.check) console.log(renderTable(rows, peers));
  if (values.update) writeSnapshot(figures);
  if (!values.check) return 0;
  const problems = differences(committed, figures, SLOW_ROWS);
  for (const problem of problems) console.error(problem);
  if (problems.length === 0 && !values.json) console.log(`${rows.length} figures are as committed`);
  return problems.length === 0 ? 0 : 1;
}

async function steadyNetwork(): Promise<NetworkConnection> {
  const connection = await network.create();
  steadyClock(connection.provider);
  return connection;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS") === true ? 2 : 1;
}
