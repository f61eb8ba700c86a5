/** Estuary on a real devnet: deployed once over JSON-RPC, found again in the data folder later. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { JsonRpcProvider, NonceManager } from "ethers";
import type { HDNodeWallet } from "ethers";
import { attach } from "../../deploy/deploy.ts";
import type { ContractName, Contracts } from "../../deploy/deploy.ts";
import { inspectDeployment } from "../../deploy/lib/inspect.ts";
import { LOCAL_SETTINGS } from "../../deploy/lib/parameters.ts";
import type { Settings } from "../../deploy/lib/parameters.ts";
import { deploymentOf, writeDeployment } from "../../offchain/chain/deploymentFile.ts";
import { committeeWallets } from "../committee.ts";
import { startDevnet } from "./devnet.ts";
import type { Devnet, DevnetOptions } from "./devnet.ts";
import { fundedWallets } from "./executionGenesis.ts";
import { prepareFolder } from "./processes.ts";

export const COMMITTEE_SIZE = 5;
export const QUORUM = 3;
const EPOCH_SECONDS = 384n;
const POLL_MS = 50;
const MAX_PLAN_BYTES = 2 ** 24;

/** As on a local chain, with frames of 8 epochs: a day would be 225. A report may be late by almost one. */
export const DEVNET_SETTINGS: Settings = {
  ...LOCAL_SETTINGS,
  epochsPerFrame: 8n,
  finalisationMargin: EPOCH_SECONDS,
  grace: 7n * EPOCH_SECONDS,
};

/** The funded accounts by what they are for, in the order of their numbers. */
export const ACCOUNT_NAMES = [
  ...["deployer", "governor", "guardian", "treasury", "alice", "bob", "carol", "nodeOperator", "keeper"],
] as const;

export interface DeployedProtocol {
  readonly contracts: Contracts;
  readonly provider: JsonRpcProvider;
  readonly wallets: readonly HDNodeWallet[];
  /** Sorted by address. */
  readonly committee: readonly HDNodeWallet[];
  /** The addresses file that daemons and the command line read. */
  readonly deploymentFile: string;
}

export interface PlannedTransaction {
  readonly to: string | null;
  readonly data: string;
  readonly value: string;
  readonly nonce: number;
  readonly gasLimit: string;
}

export interface DeploymentPlan {
  readonly transactions: readonly PlannedTransaction[];
  readonly addresses: Record<ContractName, string>;
}

/**
 * Both clients, and the protocol: deployed by the first funded account, governed by the second.
 * @throws ProcessError where a client does not start; Error when something is not wired as it must be
 */
export async function startWithProtocol(
  options: DevnetOptions,
  signal?: AbortSignal,
): Promise<{ readonly devnet: Devnet; readonly protocol: DeployedProtocol }> {
  const { folder, parameters } = options;
  const path = join(folder, "contracts.json");
  // while the clients start
  const planned = existsSync(path) ? undefined : planDeployment(prepareFolder(folder, parameters.chainId), signal);
  planned?.catch(() => undefined);
  const devnet = await startDevnet(options, signal);
  try {
    const provider = new JsonRpcProvider(devnet.rpcUrl, parameters.chainId, {
      staticNetwork: true,
      batchMaxCount: 1,
      pollingInterval: POLL_MS,
      cacheTimeout: -1,
    });
    const wallets = fundedWallets();
    const [deployer, governor, guardian] = wallets as [HDNodeWallet, HDNodeWallet, HDNodeWallet];
    if (planned !== undefined) {
      const { transactions, addresses } = await planned;
      await sendAll(deployer, provider, transactions);
      const { problems } = await inspectDeployment(attach(addresses, deployer.connect(provider)), {
        ...{ deployer: deployer.address, governor: governor.address, guardian: guardian.address },
        hasDelays: DEVNET_SETTINGS.hasDelays,
      });
      if (problems.length > 0) throw new Error(problems.join("\n"));
      writeFileSync(path, JSON.stringify(addresses, undefined, 1));
    }
    const addresses = JSON.parse(readFileSync(path, "utf8")) as Record<ContractName, string>;
    const deploymentFile = join(folder, "deployment.json");
    writeDeployment(deploymentFile, await deploymentOf(BigInt(parameters.chainId), addresses, 0));
    const contracts = attach(addresses, new NonceManager(deployer.connect(provider)));
    return {
      devnet,
      protocol: { contracts, provider, wallets, committee: committeeWallets(COMMITTEE_SIZE), deploymentFile },
    };
  } catch (error) {
    await devnet.stop();
    throw error;
  }
}

export async function addressesOf<Name extends string>(
  contracts: Readonly<Record<Name, { getAddress(): Promise<string> }>>,
): Promise<Record<Name, string>> {
  const pairs = Object.entries(contracts) as [Name, { getAddress(): Promise<string> }][];
  const addresses = await Promise.all(
    pairs.map(async ([name, contract]) => [name, await contract.getAddress()] as const),
  );
  return Object.fromEntries(addresses) as Record<Name, string>;
}

async function planDeployment(genesisTime: number, signal: AbortSignal | undefined): Promise<DeploymentPlan> {
  const script = fileURLToPath(import.meta.resolve("./deploymentPlan.main.ts"));
  // the types of all contracts are imported as a compiler would: Node alone does not find them
  const args = [
    ...["tsx", "./endWithParent.ts"].map((name) => `--import=${import.meta.resolve(name)}`),
    script,
    String(genesisTime),
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    maxBuffer: MAX_PLAN_BYTES,
    ...(signal === undefined ? {} : { signal }),
  });
  return JSON.parse(stdout) as DeploymentPlan;
}

/** All at once, in the order of their nonces. Whether all succeeded is seen by what they made. */
async function sendAll(
  wallet: HDNodeWallet,
  provider: JsonRpcProvider,
  transactions: readonly PlannedTransaction[],
): Promise<void> {
  const { chainId } = await provider.getNetwork();
  const fees = { type: 2, chainId, maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 10n ** 9n };
  for (const transaction of transactions)
    await provider.broadcastTransaction(await wallet.signTransaction({ ...transaction, ...fees }));
  while ((await provider.getTransactionCount(wallet.address)) < transactions.length) await sleep(POLL_MS);
}
