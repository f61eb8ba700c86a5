/** The daemons' own one-shot modes: loaded when they are used, with the same settings as everything else. */
import type { Command } from "commander";
import { AppError, EXIT } from "../../util/errors.ts";
import type { ExitCode } from "../../util/errors.ts";
import type { Io } from "../io.ts";
import { environmentOf } from "../options.ts";
import type { GlobalOptions } from "../options.ts";

export function daemonCommands(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const print = (line: string): void => io.out(line);
  const committee = program.command("committee").description("a member of the oracle's committee");
  for (const [name, mode, about] of [
    ["check", "check", "every precondition of a report, explained"],
    ["report", "once", "one report, if one is due"],
    ["dry-run", "dry-run", "the report that would be signed"],
  ] as const)
    committee
      .command(name)
      .description(about)
      .action(async () => {
        const options = optionsFor(program, `committee ${name}`);
        if (options.dryRun === true && mode === "once")
          throw new AppError(EXIT.usage, "--dry-run: that is estuary committee dry-run");
        const { runOracle } = await import("../../oracle/program.ts");
        finish(await runOracle(mode, { env: environmentOf(io.env, options), json: options.json ?? false, print }));
      });
  const keeper = program.command("keeper").description("the keeper");
  for (const [mode, about] of [
    ["once", "one turn: prove, fund, exit and finalise what is possible now"],
    ["check", "every precondition of its work, with an explanation, and what it would do"],
  ] as const)
    keeper
      .command(mode)
      .description(about)
      .action(async () => {
        const options = optionsFor(program, `keeper ${mode}`);
        const { keeperProgram } = await import("../../keeper/program.ts");
        const dry = options.dryRun === true ? { ESTUARY_DRY_RUN: "true" } : {};
        const env = { ...environmentOf(io.env, options), ...dry };
        finish(await keeperProgram([mode], { env, json: options.json ?? false, print }));
      });
}

/** @throws AppError (usage) for what these commands do not do */
function optionsFor(program: Command, command: string): GlobalOptions {
  const options = program.opts<GlobalOptions>();
  if (options.maxGas !== undefined)
    throw new AppError(EXIT.usage, `--max-gas: not for ${command}: its limit is ESTUARY_MAX_FEE_GWEI`);
  if (options.account !== undefined)
    throw new AppError(EXIT.usage, `--account: not for ${command}: it acts for the key that is configured`);
  return options;
}
