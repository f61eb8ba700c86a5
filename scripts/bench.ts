/**
 * `npm run bench -- oracle | proofs`: measures and prints JSON. Exit codes: 0 within the limits, 1 not, 2 usage.
 */
import { measureReading } from "./lib/bench/oracle.ts";
import { measureProving } from "./lib/bench/proofs.ts";

const BENCHES: Readonly<Record<string, () => Promise<readonly { readonly ok: boolean }[]>>> = {
  oracle: measureReading,
  proofs: measureProving,
};

const [, , name = ""] = process.argv;
const measure = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (measure === undefined || process.argv.length > 3) {
  console.error(`usage: npm run bench -- ${Object.keys(BENCHES).join(" | ")}`);
  process.exitCode = 2;
} else {
  const rows = await measure();
  const ok = rows.every((row) => row.ok);
  console.log(JSON.stringify({ ok, rows }, undefined, 2));
  if (!ok) process.exitCode = 1;
}
