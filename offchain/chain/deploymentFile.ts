/** Reads an addresses file. */
import { readFileSync } from "node:fs";
import { AppError, EXIT, messageOf } from "../util/errors.ts";
import { parseDeployment } from "./connect.ts";
import type { Deployment } from "./connect.ts";

/** @throws AppError (usage), a line for each problem */
export function readDeployment(file: string): Deployment {
  let json: string;
  try {
    json = readFileSync(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? messageOf(error);
    throw new AppError(EXIT.usage, `ESTUARY_DEPLOYMENT: can't read ${file} (${code})`);
  }
  return parseDeployment(json, "ESTUARY_DEPLOYMENT");
}
