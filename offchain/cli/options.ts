/** Options that every command has, and the settings that they stand for. */
import type { Command } from "commander";
import type { Environment } from "../util/settings.ts";

export interface GlobalOptions {
  readonly settings?: string;
  readonly rpc?: string;
  readonly beacon?: string;
  readonly deployment?: string;
  readonly account?: string;
  readonly json?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly maxGas?: string;
  readonly verbose?: boolean;
}

const SETTINGS = {
  settings: "ESTUARY_SETTINGS",
  rpc: "ESTUARY_EXECUTION_URLS",
  beacon: "ESTUARY_BEACON_URLS",
  deployment: "ESTUARY_DEPLOYMENT",
  account: "ESTUARY_ACCOUNT",
} as const;

export function addGlobalOptions(program: Command): Command {
  return program
    .option("--settings <file>", "settings file, as `estuary init` writes it (ESTUARY_SETTINGS; default: estuary.env)")
    .option("--rpc <urls>", "JSON-RPC of execution nodes (ESTUARY_EXECUTION_URLS)")
    .option("--beacon <urls>", "Beacon API of consensus nodes (ESTUARY_BEACON_URLS)")
    .option("--deployment <file>", "addresses file (ESTUARY_DEPLOYMENT)")
    .option("--account <address>", "address to look at, or to simulate from (ESTUARY_ACCOUNT)")
    .option("--json", "one JSON object on stdout")
    .option("--dry-run", "simulate and show the cost, send nothing")
    .option("-y, --yes", "do not ask before sending")
    .option("--max-gas <ETH>", "refuse a transaction whose gas may cost more")
    .option("--verbose", "stack traces");
}

/** The environment with what options say in place of it. */
export function environmentOf(env: Environment, options: GlobalOptions): Environment {
  const given = Object.entries(SETTINGS).flatMap(([option, variable]) => {
    const value = options[option as keyof typeof SETTINGS];
    return value === undefined
      ? []
      : [
          [variable, value],
          [`${variable}_FILE`, undefined],
        ];
  });
  return { ...env, ...Object.fromEntries(given) } as Environment;
}
