/**
 * `npm run oracle -- <mode> [--json] [--verbose]`: a member of the committee (docs/running.md).
 * Modes: run (until stopped), once (one report), dry-run (print the report, sign nothing), check (every precondition).
 * Exit codes: 0 ok, 1 failure, 2 usage or configuration, 3 not valid, 4 a node is unavailable, 5 refused.
 */
import { parseArgs } from "node:util";
import { AppError, EXIT, messageOf, runProgram } from "../offchain/util/errors.ts";
import type { ExitCode } from "../offchain/util/errors.ts";
import { processEnvironment } from "../offchain/util/settings.ts";
import { answerHelp, usageOf } from "./lib/usage.ts";

async function main(): Promise<ExitCode> {
  const { MODES, runOracle } = await import("../offchain/oracle/program.ts");
  const { positionals, values } = parse();
  const [given, ...rest] = positionals;
  const mode = MODES.find((one) => one === given);
  if (mode === undefined || rest.length > 0) throw new AppError(EXIT.usage, usageOf("oracle"));
  return runOracle(mode, { env: processEnvironment(), json: values.json, print: (line) => console.log(line) });
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { json: { type: "boolean", default: false }, verbose: { type: "boolean", default: false } },
    });
  } catch (error) {
    throw new AppError(EXIT.usage, `${messageOf(error)}\n${usageOf("oracle")}`);
  }
}

answerHelp("oracle");
await runProgram(main, {
  verbose: process.argv.includes("--verbose"),
  print: (line) => console.error(line),
});
// a provider or a socket that lingers must not keep a finished program
process.exit();
