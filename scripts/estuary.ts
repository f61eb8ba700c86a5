/** `npm run --silent estuary -- <command>`: the command line (docs/cli.md). */
import { confirm, isCancel } from "@clack/prompts";
import { config as loadDotenv } from "dotenv";
import { runCli } from "../offchain/cli/program.ts";

loadDotenv({ quiet: true });
process.exitCode = await runCli(process.argv.slice(2), {
  out: (line) => console.log(line),
  err: (line) => console.error(line),
  interactive: process.stdin.isTTY && process.stderr.isTTY,
  confirm: async (message) => {
    const answer = await confirm({ message, output: process.stderr });
    return !isCancel(answer) && answer;
  },
  env: process.env,
});
// a socket that lingers must not keep a finished command
process.exit();
