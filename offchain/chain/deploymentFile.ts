/** Addresses files: by custom `deployments/<chain id>.json`. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Addressable } from "ethers";
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

type Named = Exclude<keyof NonNullable<Deployment["contracts"]>, "etherPool">;

/** What an addresses file says of contracts that were just deployed. */
export async function deploymentOf(
  chainId: bigint,
  contracts: Readonly<Record<Named | "token" | "wrapped", Addressable | string>> &
    Readonly<Partial<Record<"router" | "etherPool", Addressable | string>>>,
  fromBlock: number,
): Promise<Deployment> {
  const addressOf = async (contract: Addressable | string): Promise<string> =>
    typeof contract === "string" ? contract : contract.getAddress();
  const { token, wrapped, pool, queue, operators, validators, oracle, withdrawalVault, rewardsVault } = contracts;
  const { router, etherPool } = contracts;
  const liquidity = etherPool === undefined ? {} : { etherPool };
  const others = { pool, queue, operators, validators, oracle, withdrawalVault, rewardsVault, ...liquidity };
  const named = Object.entries(others).map(async ([name, contract]) => [name, await addressOf(contract)] as const);
  return {
    chainId,
    token: await addressOf(token),
    wrapped: await addressOf(wrapped),
    ...(router === undefined ? {} : { router: await addressOf(router) }),
    fromBlock,
    contracts: Object.fromEntries(await Promise.all(named)) as Record<Named, string>,
  };
}

/** Makes the folder if it is not there. */
export function writeDeployment(file: string, deployment: Deployment): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, formatDeployment(deployment));
}
