/**
 * Deploys Estuary to the network given by `--network` (default: the in-process one), prints every contract and who holds
 * which role, and fails if anything is not wired as it must be. Exit codes: 0 ok, 1 failure, 2 settings.
 */
import { parseArgs } from "node:util";
import { config, network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { startLocalProtocol } from "../devnet/simulated/localProtocol.ts";
import { deployEstuary } from "../deploy/deploy.ts";
import type { Contracts } from "../deploy/deploy.ts";
import { deployLiquidity } from "../deploy/deployLiquidity.ts";
import { deploymentOf, deploymentPath, writeDeployment } from "../offchain/chain/deploymentFile.ts";
import { inspectDeployment } from "../deploy/lib/inspect.ts";
import { inspectLiquidity } from "../deploy/lib/inspectLiquidity.ts";
import { CHAINS, ETHER_POOL, LOCAL_SETTINGS, MAINNET_SETTINGS } from "../deploy/lib/parameters.ts";
import type { Chain, People } from "../deploy/lib/parameters.ts";
import { peopleFrom, SettingsError } from "../deploy/lib/people.ts";
import { printLiquidity } from "./lib/liquidityTable.ts";
import { AppError } from "../offchain/util/errors.ts";
import { processEnvironment, withSettings } from "../offchain/util/settings.ts";

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { network: { type: "string" } } });
  const chain = values.network === undefined ? undefined : CHAINS[values.network];
  if (values.network !== undefined && chain === undefined)
    throw new SettingsError(`--network: one of ${Object.keys(CHAINS).join(", ")}, not ${values.network}`);
  // all that is missing, before anything is connected
  const people = chain === undefined ? undefined : await settingsOf(values.network ?? "");
  const connection = await network.create(values.network ?? "default");
  const [deployer] = await connection.ethers.getSigners();
  if (deployer === undefined) throw new SettingsError(`no account to deploy from on ${values.network ?? "default"}`);
  const fromBlock = await connection.ethers.provider.getBlockNumber();
  const { contracts, governor, guardian } = await deploy(connection, chain, people);
  if (chain !== undefined) {
    const { chainId } = await connection.ethers.provider.getNetwork();
    const file = deploymentPath(chainId);
    writeDeployment(file, await deploymentOf(chainId, contracts, fromBlock));
    console.log(`addresses file   ${file}`);
  }
  const { addresses, holdings, problems } = await inspectDeployment(contracts, {
    ...{ deployer: deployer.address, governor, guardian, fromBlock },
    hasDelays: (chain === undefined ? LOCAL_SETTINGS : MAINNET_SETTINGS).hasDelays,
  });
  for (const [name, address] of Object.entries(addresses)) console.log(`${name.padEnd(16)} ${address}`);
  console.log("");
  for (const { name, account, delay } of holdings) console.log(`${name.padEnd(16)} ${account}  delay ${delay} s`);
  if (problems.length === 0) console.log("\nwired as designed; roles as in deploy/roles.ts; the deployer holds none");
  const found = chain === undefined ? await deployLiquidityHere(connection, contracts) : [];
  if (chain !== undefined) console.log(`next             npm run deploy:liquidity -- --network ${values.network}`);
  for (const problem of [...problems, ...found]) console.error(`problem: ${problem}`);
  return problems.length + found.length === 0 ? 0 : 1;
}

/** Who governs, once node and deployer of the network are known to be set as well. @throws SettingsError, a line for each that is not */
async function settingsOf(name: string): Promise<People> {
  const problems: string[] = [];
  const network = config.networks[name];
  if (network?.type === "http") {
    const accounts = Array.isArray(network.accounts) ? network.accounts : [];
    for (const [variable, value] of [
      ["RPC_URL", network.url] as const,
      ...accounts.map((key) => ["PRIVATE_KEY", key] as const),
    ])
      await value
        .get()
        .catch(() => problems.push(`${name.toUpperCase()}_${variable}: missing, or not what it must be`));
  }
  try {
    const people = peopleFrom(withSettings(processEnvironment()).values);
    if (problems.length === 0) return people;
  } catch (error) {
    if (!(error instanceof SettingsError || error instanceof AppError)) throw error;
    problems.push(error.message);
  }
  throw new SettingsError(problems.join("\n"));
}

/** What public networks get by `npm run deploy:liquidity`. @returns problems */
async function deployLiquidityHere(connection: NetworkConnection, contracts: Contracts): Promise<readonly string[]> {
  const inspection = await inspectLiquidity(await deployLiquidity(connection, contracts), contracts, ETHER_POOL);
  console.log("");
  printLiquidity(inspection);
  return inspection.problems;
}

/** To the in-process network unless a chain is given. */
async function deploy(connection: NetworkConnection, chain: Chain | undefined, people: People | undefined) {
  if (chain === undefined || people === undefined) {
    const { contracts, governor, guardian } = await startLocalProtocol(connection);
    return { contracts, governor: governor.address, guardian: guardian.address };
  }
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
