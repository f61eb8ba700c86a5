/** `estuary`: the command line. Exit codes: docs/running.md. */
import { Command, CommanderError } from "commander";
import { AppError, EXIT, exitCodeOf, messageOf } from "../util/errors.ts";
import type { ExitCode } from "../util/errors.ts";
import { operatorCommands } from "./commands/operator.ts";
import { stakerCommands } from "./commands/staker.ts";
import { statusCommands } from "./commands/status.ts";
import { completion } from "./completion.ts";
import type { Io } from "./io.ts";
import { openSession } from "./session.ts";
import type { GlobalOptions, Session } from "./session.ts";

/** Runs one command. Never throws: what went wrong is a line on stderr and the exit code. */
export async function runCli(args: readonly string[], io: Io): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const program = buildProgram(io, (result) => (code = result));
  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const verbose = args.includes("--verbose");
    if (verbose && error instanceof Error && error.stack !== undefined) io.err(error.stack);
    else io.err(`error: ${error instanceof AppError ? error.message : messageOf(error)}`);
    return exitCodeOf(error);
  }
}

function buildProgram(io: Io, finish: (code: ExitCode) => void): Command {
  const program = new Command("estuary")
    .description("Liquid staking: stake, leave, run validators, watch the protocol.")
    .option("--rpc <urls>", "JSON-RPC of execution nodes (ESTUARY_EXECUTION_URLS)")
    .option("--beacon <urls>", "Beacon API of consensus nodes (ESTUARY_BEACON_URLS)")
    .option("--deployment <file>", "addresses file (ESTUARY_DEPLOYMENT)")
    .option("--account <address>", "address to look at, or to simulate from (ESTUARY_ACCOUNT)")
    .option("--json", "one JSON object on stdout")
    .option("--dry-run", "simulate and show the cost, send nothing")
    .option("-y, --yes", "do not ask before sending")
    .option("--max-fee <ETH>", "refuse a transaction whose fee may become more")
    .option("--verbose", "stack traces")
    .addHelpText(
      "after",
      "\nExamples:\n  estuary stake 1.5 --dry-run\n  estuary status me\n  estuary operator status 7 --json\n\nKeys: ESTUARY_PRIVATE_KEY, or ESTUARY_KEYSTORE and ESTUARY_KEYSTORE_PASSWORD, or ESTUARY_SIGNER_URL; each also as *_FILE.",
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text.replace(/\n$/, "")),
      writeErr: (text) => io.err(text.replace(/\n$/, "")),
    });
  const run = async (handle: (session: Session) => Promise<void>): Promise<void> => {
    const session = await openSession(io, program.opts<GlobalOptions>());
    try {
      await handle(session);
    } finally {
      session.close();
    }
  };
  stakerCommands(program, run);
  statusCommands(program, run);
  operatorCommands(program, run);
  daemonCommands(program, io, finish);
  program
    .command("completion")
    .description("a script for bash: source <(estuary completion)")
    .action(() => io.out(completion(program)));
  for (const command of everyCommand(program)) command.exitOverride().copyInheritedSettings(program);
  return program;
}

/** The daemons' own one-shot modes, loaded when they are used; their settings are the environment's. */
function daemonCommands(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const committee = program.command("committee").description("a member of the oracle's committee");
  for (const [name, mode, about] of [
    ["check", "check", "every precondition of a report, explained"],
    ["report", "once", "one report, if one is due"],
    ["dry-run", "dry-run", "the report that would be signed"],
  ] as const) {
    committee
      .command(name)
      .description(about)
      .action(async () => {
        const { runOracle } = await import("../oracle/program.ts");
        const { json = false } = program.opts<GlobalOptions>();
        finish(await runOracle(mode, { env: io.env, json, print: (line) => io.out(line) }));
      });
  }
  const keeper = program.command("keeper").description("the keeper");
  for (const [mode, about] of [
    ["once", "one turn: prove, fund, exit and finalise what is possible now"],
    ["check", "every precondition of its work, with an explanation, and what it would do"],
  ] as const)
    keeper
      .command(mode)
      .description(about)
      .action(async () => {
        const { keeperProgram } = await import("../keeper/program.ts");
        const { dryRun, json = false } = program.opts<GlobalOptions>();
        const env = dryRun === true ? { ...io.env, ESTUARY_DRY_RUN: "true" } : io.env;
        finish(await keeperProgram([mode], { env, json, print: (line) => io.out(line) }));
      });
}

function everyCommand(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...everyCommand(child)]);
}
