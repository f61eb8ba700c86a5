/** Addresses files: by custom `deployments/<chain id>.json`. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { AppError, EXIT, codeOf } from "../util/errors.ts";
import { formatDeployment, parseDeployment } from "./connect.ts";
import type { Deployment } from "./connect.ts";

/** @throws AppError (usage), a line for each problem */
export function readDeployment(file: string): Deployment {
  let json: string;
  try {
    json = readFileSync(file, "utf8");
  } catch (error) {
    throw new AppError(EXIT.usage, `ESTUARY_DEPLOYMENT: can't read ${file} (${codeOf(error)})`);
  }
  return parseDeployment(json, "ESTUARY_DEPLOYMENT");
}

/** For `readConfig`. @throws as `readDeployment` */
export function checkDeployment({ DEPLOYMENT: file }: { readonly DEPLOYMENT?: string }): void {
  if (file !== undefined) readDeployment(file);
}

export function deploymentPath(chainId: bigint): string {
  return `deployments/${chainId}.json`;
}

/** Makes the folder if it is not there. */
export function writeDeployment(file: string, deployment: Deployment): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, formatDeployment(deployment));
}
