/**
 * Deploys EtherPool and Router over the protocol of an addresses file, or goes on where that was done: brings the pool to its target once the
 * protocol is calm, and inspects both. Exit codes: 0 ok, 1 failure, 2 settings.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { network } from "hardhat";
import { bringToTarget, deployLiquidity } from "../deploy/deployLiquidity.ts";
import { inspectLiquidity } from "../deploy/lib/inspectLiquidity.ts";
import { CHAINS, ETHER_POOL } from "../deploy/lib/parameters.ts";
import { SettingsError } from "../deploy/lib/people.ts";
import { connect, parseDeployment } from "../offchain/chain/connect.ts";
import { deploymentOf, deploymentPath, writeDeployment } from "../offchain/chain/deploymentFile.ts";
import { printLiquidity } from "./lib/liquidityTable.ts";

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { network: { type: "string" } } });
  if (values.network === undefined || CHAINS[values.network] === undefined)
    throw new SettingsError(`--network: one of ${Object.keys(CHAINS).join(", ")}`);
  const connection = await network.create(values.network);
  const { provider } = connection.ethers;
  const [deployer] = await connection.ethers.getSigners();
  if (deployer === undefined) throw new SettingsError(`no account to deploy from on ${values.network}`);
  const file = deploymentPath((await provider.getNetwork()).chainId);
  const deployment = deploymentAt(file);
  const protocol = await connect(provider, deployment);
  const liquidity = protocol.liquidity ?? (await deployLiquidity(connection, protocol, ETHER_POOL, true));
  if (protocol.liquidity === undefined) {
    writeDeployment(file, await deploymentOf(deployment.chainId, { ...protocol, ...liquidity }, deployment.fromBlock));
    console.log(`addresses file   ${file}`);
  }
  const inspection = await inspectLiquidity(liquidity, protocol, ETHER_POOL);
  printLiquidity(inspection);
  for (const problem of inspection.problems) console.error(`problem: ${problem}`);
  if (inspection.problems.length > 0) return 1;
  console.log(OUTCOMES[await bringToTarget(protocol, liquidity.etherPool, deployer)]);
  return 0;
}

const OUTCOMES = {
  sold: "the EtherPool is at its target now",
  "at its target": "the EtherPool is at its target",
  "not calm": "the protocol is not calm: run this again after the next report, to bring the EtherPool to its target",
} as const;

function deploymentAt(file: string): ReturnType<typeof parseDeployment> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw new SettingsError(`${file}: not there; npm run deploy writes it`);
  }
  return parseDeployment(text, file);
}

try {
  process.exitCode = await main();
} catch (error) {
  const settings = error instanceof SettingsError || (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS");
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = settings === true ? 2 : 1;
}
