/** init: what it does is loaded when it is used. */
import type { Command } from "commander";
import type { InitOptions } from "../actions/init.ts";
import type { Io } from "../io.ts";
import type { GlobalOptions } from "../options.ts";

export function initCommand(program: Command, io: Io): void {
  program
    .command("init")
    .description(
      "write a settings file that every command and daemon reads; asks on a terminal for what no option gives",
    )
    .option("--network <name>", "local, hoodi, sepolia or mainnet")
    .option(
      "--execution-url <urls>",
      "JSON-RPC of execution nodes, separated by commas (default: http://127.0.0.1:8545)",
    )
    .option("--beacon-url <urls>", "Beacon API of consensus nodes, for operators and daemons")
    .option("--keystore <file>", "encrypted keystore of the account (Web3 Secret Storage)")
    .option("--keystore-password-file <file>", "its password, for where nobody can be asked")
    .option("--private-key-file <file>", "file of the account's private key")
    .option("--signer-url <url>", "JSON-RPC of an external signer, with --signer-address")
    .option("--signer-address <address>", "its account")
    .option("--force", "write over an existing file")
    .option("--no-check", "do not ask the nodes whether they answer")
    .addHelpText(
      "after",
      "\nExamples:\n  estuary init\n  estuary init --network hoodi --execution-url http://127.0.0.1:8545 --deployment deployments/560048.json --keystore key.json",
    )
    .action(async (options: InitOptions) => {
      const { init } = await import("../actions/init.ts");
      await init(io, program.opts<GlobalOptions>(), options);
    });
}
