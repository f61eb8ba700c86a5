/**
 * `npm run bench -- oracle | proofs`: measures and prints JSON. Exit codes: 0 within the limits, 1 not, 2 usage.
 */
import { answerHelp, usageOf } from "./lib/usage.ts";

answerHelp("bench");

const BENCHES: Readonly<Record<string, () => Promise<readonly { readonly ok: boolean }[]>>> = {
  oracle: async () => (await import("./lib/bench/oracle.ts")).measureReading(),
  proofs: async () => (await import("./lib/bench/proofs.ts")).measureProving(),
};

const [, , name = ""] = process.argv;
const measure = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (measure === undefined || process.argv.length > 3) {
  console.error(usageOf("bench"));
  process.exitCode = 2;
} else {
  const rows = await measure();
  const ok = rows.every((row) => row.ok);
  console.log(JSON.stringify({ ok, rows }, undefined, 2));
  if (!ok) process.exitCode = 1;
}
