/** The options of `npm run devnet` (scripts/lib/usage.ts). */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { DEFAULT_PARAMETERS } from "../../../devnet/real/chainConfig.ts";
import type { DevnetParameters, Fork } from "../../../devnet/real/chainConfig.ts";

export class UsageError extends Error {}

export interface Options {
  readonly parameters: DevnetParameters;
  readonly pace: { readonly slotMs: number; readonly blockEvery: number };
  readonly rpcPort: number;
  readonly beaconPort: number;
  readonly keys: number;
  readonly keystores: { readonly folder: string; readonly passwordFile: string } | undefined;
  readonly daemons: boolean;
  readonly folder: string | undefined;
}

/** @throws UsageError */
export function readOptions(args: readonly string[]): Options {
  const values = parse(args);
  const number = (name: keyof typeof values, fallback: number, from: number, to: number): number => {
    const given = values[name];
    const value = given === undefined ? fallback : Number(given);
    if (!Number.isInteger(value) || value < from || value > to)
      throw new UsageError(`--${name}: a whole number from ${from} to ${to}, not ${given}`);
    return value;
  };
  const { fork = DEFAULT_PARAMETERS.fork, keystores, "password-file": passwordFile } = values;
  if (fork !== "electra" && fork !== "fulu") throw new UsageError(`--fork: electra or fulu, not ${fork}`);
  if ((keystores === undefined) !== (passwordFile === undefined))
    throw new UsageError("--keystores and --password-file go together");
  return {
    parameters: {
      ...DEFAULT_PARAMETERS,
      fork: fork satisfies Fork,
      genesisValidators: number("validators", DEFAULT_PARAMETERS.genesisValidators, 32, 4_096),
      rewardFactor: number("reward-factor", DEFAULT_PARAMETERS.rewardFactor, 1, 64),
    },
    pace: {
      slotMs: values.fast ? 0 : number("slot-ms", 12_000, 0, 3_600_000),
      blockEvery: number("block-every", 1, 1, 32),
    },
    rpcPort: number("rpc-port", 8_545, 0, 65_535),
    beaconPort: number("beacon-port", 5_052, 0, 65_535),
    keys: number("keys", 16, 0, 1_000),
    keystores:
      keystores === undefined || passwordFile === undefined
        ? undefined
        : { folder: resolve(keystores), passwordFile: resolve(passwordFile) },
    daemons: values.daemons,
    folder: values.data === undefined ? undefined : resolve(values.data),
  };
}

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        fast: { type: "boolean", default: false },
        daemons: { type: "boolean", default: false },
        ...{ "slot-ms": text, "block-every": text, validators: text, fork: text, "reward-factor": text },
        ...{ "rpc-port": text, "beacon-port": text, keys: text, data: text },
        ...{ keystores: text, "password-file": text },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
