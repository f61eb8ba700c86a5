/**
 * Deploys Estuary to the network given by `--network` (default: the in-process one), prints every contract and who holds
 * which role, and fails if anything is not wired as it must be. Exit codes: 0 ok, 1 failure, 2 settings.
 */
import { parseArgs } from "node:util";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { startLocalProtocol } from "../devnet/simulated/localProtocol.ts";
import { deployEstuary } from "../deploy/deploy.ts";
import { deploymentPath, writeDeployment } from "../offchain/chain/deploymentFile.ts";
import { inspectDeployment } from "../deploy/lib/inspect.ts";
import { CHAINS, LOCAL_SETTINGS, MAINNET_SETTINGS } from "../deploy/lib/parameters.ts";
import type { Chain } from "../deploy/lib/parameters.ts";
import { peopleFrom, SettingsError } from "../deploy/lib/people.ts";

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { network: { type: "string" } } });
  const chain = values.network === undefined ? undefined : CHAINS[values.network];
  if (values.network !== undefined && chain === undefined)
    throw new SettingsError(`--network: one of ${Object.keys(CHAINS).join(", ")}, not ${values.network}`);
  const connection = await network.create(values.network ?? "default");
  const [deployer] = await connection.ethers.getSigners();
  if (deployer === undefined) throw new SettingsError(`no account to deploy from on ${values.network ?? "default"}`);
  const fromBlock = await connection.ethers.provider.getBlockNumber();
  const { contracts, governor, guardian } = await deploy(connection, chain);
  if (chain !== undefined) {
    const { chainId } = await connection.ethers.provider.getNetwork();
    const file = deploymentPath(chainId);
    const { token, wrapped } = contracts;
    writeDeployment(file, { chainId, token: await token.getAddress(), wrapped: await wrapped.getAddress(), fromBlock });
    console.log(`addresses file   ${file}`);
  }
  const { addresses, holdings, problems } = await inspectDeployment(contracts, {
    ...{ deployer: deployer.address, governor, guardian, fromBlock },
    hasDelays: (chain === undefined ? LOCAL_SETTINGS : MAINNET_SETTINGS).hasDelays,
  });
  for (const [name, address] of Object.entries(addresses)) console.log(`${name.padEnd(16)} ${address}`);
  console.log("");
  for (const { name, account, delay } of holdings) console.log(`${name.padEnd(16)} ${account}  delay ${delay} s`);
  for (const problem of problems) console.error(`problem: ${problem}`);
  console.log(problems.length === 0 ? "\nwired as designed; roles as in deploy/roles.ts; the deployer holds none" : "");
  return problems.length === 0 ? 0 : 1;
}

/** To the in-process network unless a chain is given. */
async function deploy(connection: NetworkConnection, chain: Chain | undefined) {
  if (chain === undefined) {
    const { contracts, governor, guardian } = await startLocalProtocol(connection);
    return { contracts, governor: governor.address, guardian: guardian.address };
  }
  const people = peopleFrom(process.env);
  const contracts = await deployEstuary(connection, chain, people, MAINNET_SETTINGS, true);
  return { contracts, governor: people.governor, guardian: people.guardian };
}

try {
  process.exitCode = await main();
} catch (error) {
  const settings = error instanceof SettingsError || (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS");
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = settings === true ? 2 : 1;
}
