/** `npm run --silent estuary -- <command>`: the command line (docs/cli.md). */
import { runCli } from "../offchain/cli/program.ts";
import { confirmOnTerminal, terminalPrompts } from "../offchain/cli/terminal.ts";
import { processEnvironment } from "../offchain/util/settings.ts";

process.exitCode = await runCli(process.argv.slice(2), {
  out: (line) => console.log(line),
  err: (line) => console.error(line),
  interactive: process.stdin.isTTY && process.stderr.isTTY,
  confirm: confirmOnTerminal,
  prompts: terminalPrompts,
  env: processEnvironment(),
});
// a socket that lingers must not keep a finished command
process.exit();
