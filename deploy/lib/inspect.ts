/** What was deployed, who may do what, and whether everything is wired as it must be. */
import type { Addressable } from "ethers";
import type { ContractName, Contracts } from "../deploy.ts";
import { TARGET_NAMES } from "../roles.ts";
import { inspectRoles } from "./inspectRoles.ts";
import type { Expected, Holding } from "./inspectRoles.ts";

export interface Inspection {
  readonly addresses: Readonly<Record<ContractName, string>>;
  readonly holdings: readonly Holding[];
  /** One line each; empty when all is well. */
  readonly problems: readonly string[];
}

/** Checks wiring, and that the roles are those of `deploy/roles.ts` and nobody's else. */
export async function inspectDeployment(contracts: Contracts, expected: Expected): Promise<Inspection> {
  const addresses = {} as Record<ContractName, string>;
  for (const [name, contract] of Object.entries(contracts) as [ContractName, Addressable][])
    addresses[name] = await contract.getAddress();
  const { holdings, problems } = await inspectRoles(contracts.authority, addresses, expected);
  return { addresses, holdings, problems: [...(await checkWiring(contracts, addresses)), ...problems] };
}

async function checkWiring(contracts: Contracts, at: Readonly<Record<ContractName, string>>): Promise<string[]> {
  const { token, wrapped, pool, queue, operators, validators, oracle, withdrawalVault, rewardsVault } = contracts;
  const [frame, slotsPerFrame] = await Promise.all([queue.frame(), oracle.slotsPerFrame()]);
  const checks: [string, string, string][] = [
    ["token.pool", await token.pool(), at.pool],
    ["token.queue", await token.queue(), at.queue],
    ["queue.token", await queue.token(), at.token],
    ["wrapped.token", await wrapped.token(), at.token],
    ["withdrawalVault.token", await withdrawalVault.token(), at.token],
    ["rewardsVault.token", await rewardsVault.token(), at.token],
    ["oracle.token", await oracle.token(), at.token],
    ["oracle.bounds", await oracle.bounds(), at.bounds],
    ["pool.token", await pool.token(), at.token],
    ["pool.queue", await pool.queue(), at.queue],
    ["pool.withdrawalVault", await pool.withdrawalVault(), at.withdrawalVault],
    ["pool.rewardsVault", await pool.rewardsVault(), at.rewardsVault],
    ["pool.operators", await pool.operators(), at.operators],
    ["pool.validators", await pool.validators(), at.validators],
    ["pool.oracle", await pool.oracle(), at.oracle],
    ["pool.depositContract", await pool.depositContract(), await validators.depositContract()],
    ["operators.validators", await operators.validators(), at.validators],
    ["validators.operators", await validators.operators(), at.operators],
    [
      "validators.withdrawalCredentials",
      await validators.withdrawalCredentials(),
      `0x01${"00".repeat(11)}${at.withdrawalVault.slice(2).toLowerCase()}`,
    ],
    ["queue.frame", frame.toString(), (slotsPerFrame * 12n).toString()],
  ];
  for (const name of TARGET_NAMES) checks.push([`${name}.authority`, await contracts[name].authority(), at.authority]);
  return checks
    .filter(([, found, expected]) => found !== expected)
    .map(([what, found, expected]) => `${what} is ${found}, not ${expected}`);
}
