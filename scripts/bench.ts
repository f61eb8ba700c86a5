/**
 * `npm run bench -- oracle`: measures and prints JSON. Exit codes: 0 within the limits, 1 not, 2 usage.
 */
import { SIZES, measureReading } from "./lib/bench/oracle.ts";

if (process.argv[2] !== "oracle" || process.argv.length > 3) {
  console.error("usage: npm run bench -- oracle");
  process.exitCode = 2;
} else {
  const rows = [];
  for (const size of SIZES) rows.push(await measureReading(size));
  console.log(JSON.stringify({ ok: rows.every(({ ok }) => ok), rows }, undefined, 2));
  if (!rows.every(({ ok }) => ok)) process.exitCode = 1;
}
