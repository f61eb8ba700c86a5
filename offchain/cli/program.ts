/** `estuary`: the command line. Exit codes: docs/running.md. What a command needs is loaded when it runs: help and completion come at once. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { AppError, EXIT, exitCodeOf, messageOf } from "../util/errors.ts";
import type { ExitCode } from "../util/errors.ts";
import { daemonCommands } from "./commands/daemons.ts";
import { initCommand } from "./commands/init.ts";
import { liquidityCommands } from "./commands/liquidity.ts";
import { operatorCommands } from "./commands/operator.ts";
import { stakerCommands } from "./commands/staker.ts";
import { statusCommands } from "./commands/status.ts";
import { SHELLS, completion } from "./completion.ts";
import type { Io } from "./io.ts";
import { addGlobalOptions, environmentOf } from "./options.ts";
import type { GlobalOptions } from "./options.ts";
import type { Needs, Session } from "./session.ts";

/** Opens what a command needs, runs it, and closes it. */
export type Run = (needs: Needs, handle: (session: Session) => Promise<void>) => Promise<void>;

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
  const program = addGlobalOptions(new Command("estuary"))
    .description("Liquid staking: stake, leave, run validators, watch the protocol.")
    .version(version(), "-V, --version")
    .addHelpText(
      "after",
      "\nExamples:\n  estuary init\n  estuary status me\n  estuary stake 1.5 --dry-run\n  estuary leave 10 --dry-run\n  estuary operator status 7 --json\n\nKeys: ESTUARY_PRIVATE_KEY, or ESTUARY_KEYSTORE and ESTUARY_KEYSTORE_PASSWORD, or ESTUARY_SIGNER_URL; each also as *_FILE.",
    )
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => io.out(text.replace(/\n$/, "")),
      writeErr: (text) => io.err(text.replace(/\n$/, "")),
    });
  const run: Run = async (needs, handle) => {
    const { openSession } = await import("./session.ts");
    const options = program.opts<GlobalOptions>();
    const session = await openSession(io, options, environmentOf(io.env, options), needs);
    try {
      await handle(session);
    } finally {
      session.close();
    }
  };
  initCommand(program, io);
  stakerCommands(program, run);
  liquidityCommands(program, run);
  statusCommands(program, run);
  operatorCommands(program, io, run);
  daemonCommands(program, io, finish);
  program
    .command("completion")
    .description("a script that completes commands and options: source <(estuary completion bash)")
    .argument("[shell]", SHELLS.join(", "), "bash")
    .action((shell: string) => io.out(completion(program, shell)));
  for (const command of everyCommand(program)) command.exitOverride().copyInheritedSettings(program);
  return program;
}

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return version;
}

function everyCommand(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...everyCommand(child)]);
}
