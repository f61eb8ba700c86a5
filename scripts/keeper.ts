/**
 * `npm run keeper`: executes what anyone may execute, until it is stopped; `-- once` makes one turn. Settings: docs/running.md.
 * Exit codes: 0 stopped, 1 failure, 2 configuration, 4 a node can't be used (once only).
 */
import { keeperProgram } from "../offchain/keeper/program.ts";
import { runProgram } from "../offchain/util/errors.ts";

await runProgram(() => keeperProgram(process.argv.slice(2), process.env), {
  verbose: process.env["ESTUARY_LOG_LEVEL"] === "debug",
  print: (line) => console.error(line),
});
