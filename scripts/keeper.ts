/**
 * `npm run keeper`: executes what anyone may execute, until it is stopped; `-- once` makes one turn, `-- check [--json]` explains every
 * precondition. Settings: docs/running.md.
 * Exit codes: 0 ok, 1 failure, 2 usage or configuration, 4 a node can't be used, 5 refused (check: something else is in the way).
 */
import { runProgram } from "../offchain/util/errors.ts";
import { processEnvironment } from "../offchain/util/settings.ts";
import { answerHelp } from "./lib/usage.ts";

answerHelp("keeper");
const args = process.argv.slice(2);
const program = {
  env: processEnvironment(),
  json: args.includes("--json"),
  print: (line: string) => console.log(line),
};
await runProgram(
  async () => {
    const { keeperProgram } = await import("../offchain/keeper/program.ts");
    return keeperProgram(
      args.filter((arg) => arg !== "--json"),
      program,
    );
  },
  {
    verbose: process.env["ESTUARY_LOG_LEVEL"] === "debug",
    print: (line) => console.error(line),
  },
);
// a provider or a socket that lingers must not keep a finished program
process.exit();
