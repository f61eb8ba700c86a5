/** The options of `npm run dev` (scripts/lib/usage.ts). */
import { fileURLToPath } from "node:url";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { AppError, EXIT, messageOf } from "../../../offchain/util/errors.ts";
import { assertPortsFree } from "./ports.ts";
import type { Ports } from "./ports.ts";

export interface DevOptions extends Ports {
  readonly daySeconds: number;
  readonly folder: string;
  readonly fresh: boolean;
  readonly devnet: boolean;
}

/** @throws AppError: usage, or unavailable where somebody has a port */
export async function checkDevOptions(args: readonly string[]): Promise<void> {
  await assertPortsFree(readDevOptions(args));
}

const SECONDS = { s: 1, m: 60, h: 3_600 } as const;
const SHORTEST = 5;
/** As long as a real one: a chain whose days are longer would fall behind the wall's clock. */
const LONGEST = 86_400;

/** @throws AppError (usage) */
export function readDevOptions(args: readonly string[]): DevOptions {
  const values = parse(args);
  const port = (name: "port" | "beacon-port" | "app-port"): number => {
    const given = values[name];
    const value = Number(given);
    if (!/^\d+$/.test(given) || value > 65_535)
      throw new AppError(EXIT.usage, `--${name}: a whole number from 0 to 65535, not ${given}`);
    return value;
  };
  const { data, devnet } = values;
  return {
    port: port("port"),
    beaconPort: port("beacon-port"),
    appPort: port("app-port"),
    daySeconds: duration(values.day),
    folder:
      data === undefined
        ? fileURLToPath(new URL(`../../../.estuary/${devnet ? "devnet" : "dev"}`, import.meta.url))
        : resolve(data),
    fresh: values.fresh,
    devnet,
  };
}

function duration(text: string): number {
  const [, count, unit = "s"] = /^(\d+)(s|m|h)?$/.exec(text) ?? [];
  const seconds = Number(count) * SECONDS[unit as keyof typeof SECONDS];
  if (count === undefined || seconds < SHORTEST || seconds > LONGEST)
    throw new AppError(EXIT.usage, `--day: from ${SHORTEST}s to 24h, such as 20s or 10m, not ${text}`);
  return seconds;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: "string", default: "8545" },
        "beacon-port": { type: "string", default: "5052" },
        "app-port": { type: "string", default: "4173" },
        day: { type: "string", default: "60s" },
        data: { type: "string" },
        fresh: { type: "boolean", default: false },
        devnet: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new AppError(EXIT.usage, messageOf(error));
  }
}
