/** Estuary on a real devnet: deployed once over JSON-RPC, found again in the data folder later. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { JsonRpcProvider, NonceManager } from "ethers";
import type { HDNodeWallet, Signer, TransactionRequest } from "ethers";
import { network } from "hardhat";
import { attach, deployEstuary } from "../../deploy/deploy.ts";
import type { ContractName, Contracts } from "../../deploy/deploy.ts";
import { inspectDeployment } from "../../deploy/lib/inspect.ts";
import { LOCAL_SETTINGS } from "../../deploy/lib/parameters.ts";
import type { Settings } from "../../deploy/lib/parameters.ts";
import { committeeWallets } from "../committee.ts";
import { DEPOSIT_CONTRACT, installPredeploys } from "../predeploys.ts";
import { beaconApi } from "./beaconApi.ts";
import type { Devnet } from "./devnet.ts";
import { fundedWallets } from "./executionGenesis.ts";

export const COMMITTEE_SIZE = 5;
export const QUORUM = 3;
const EPOCH_SECONDS = 384n;
const POLL_MS = 50;

/** As on a local chain, with frames of 8 epochs: a day would be 225. */
export const DEVNET_SETTINGS: Settings = { ...LOCAL_SETTINGS, epochsPerFrame: 8n, finalisationMargin: EPOCH_SECONDS };

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
}

/** Deploys with the first funded account; the second governs. @throws when something is not wired as it must be */
export async function deployProtocol(devnet: Devnet, settings: Settings = DEVNET_SETTINGS): Promise<DeployedProtocol> {
  const provider = connect(devnet.rpcUrl);
  const wallets = fundedWallets();
  const committee = committeeWallets(COMMITTEE_SIZE);
  const path = join(devnet.options.folder, "deployment.json");
  const [deployer] = wallets as [HDNodeWallet];
  if (!existsSync(path)) {
    const api = beaconApi(devnet.beaconUrl);
    const { data } = (await api.get("/eth/v1/beacon/genesis")) as { data: { genesis_time: string } };
    const { transactions, addresses } = await plan(provider, wallets, committee, BigInt(data.genesis_time), settings);
    await sendAll(deployer, provider, transactions);
    const { problems } = await inspectDeployment(attach(addresses, deployer.connect(provider)), deployer.address);
    if (problems.length > 0) throw new Error(problems.join("\n"));
    writeFileSync(path, JSON.stringify(addresses, undefined, 1));
  }
  const addresses = JSON.parse(readFileSync(path, "utf8")) as Record<ContractName, string>;
  return { contracts: attach(addresses, signer(deployer, provider)), provider, wallets, committee };
}

/** Sends with nonces that it counts itself: several transactions may wait in one slot. */
export function signer(wallet: HDNodeWallet, provider: JsonRpcProvider): Signer {
  return new NonceManager(wallet.connect(provider));
}

export async function addressesOf(contracts: Contracts): Promise<Record<ContractName, string>> {
  const pairs = Object.entries(contracts) as [ContractName, { getAddress(): Promise<string> }][];
  const addresses = await Promise.all(
    pairs.map(async ([name, contract]) => [name, await contract.getAddress()] as const),
  );
  return Object.fromEntries(addresses) as Record<ContractName, string>;
}

interface Plan {
  readonly transactions: readonly TransactionRequest[];
  readonly addresses: Record<ContractName, string>;
}

/**
 * Ignition waits for every transaction, some 45 times: it deploys on a chain in this process, whose deployer has the same address and the
 * same nonces, and what it sent there is the plan.
 */
async function plan(
  provider: JsonRpcProvider,
  wallets: readonly HDNodeWallet[],
  committee: readonly HDNodeWallet[],
  genesisTime: bigint,
  settings: Settings,
): Promise<Plan> {
  const [, governor, guardian, treasury] = wallets as [HDNodeWallet, HDNodeWallet, HDNodeWallet, HDNodeWallet];
  const now = await provider.getBlock("latest");
  if (now === null) throw new Error("the devnet has no block");
  const initialDate = new Date(now.timestamp * 1_000);
  const connection = await network.create({ network: "default", override: { initialDate } });
  await installPredeploys(connection.provider);
  const contracts = await deployEstuary(
    connection,
    { genesisTime, depositContract: DEPOSIT_CONTRACT, electraSlot: 0n, firstSummarySlot: 0n },
    {
      governor: governor.address,
      guardian: guardian.address,
      treasury: treasury.address,
      committee: committee.map(({ address }) => address),
      quorum: BigInt(QUORUM),
    },
    settings,
  );
  const local = connection.ethers.provider;
  const transactions: TransactionRequest[] = [];
  for (let number = 1; number <= (await local.getBlockNumber()); number++) {
    const block = await local.getBlock(number, true);
    for (const { to, data, value, nonce, hash } of block?.prefetchedTransactions ?? []) {
      const receipt = await local.getTransactionReceipt(hash);
      const gasLimit = ((receipt?.gasUsed ?? 0n) * 12n) / 10n + 50_000n;
      transactions.push({ to, data, value, nonce, gasLimit });
    }
  }
  const addresses = await addressesOf(contracts);
  await connection.close();
  return { transactions: transactions.sort((a, b) => Number(a.nonce) - Number(b.nonce)), addresses };
}

/** All at once, in the order of their nonces. Whether all succeeded is seen by what they made. */
async function sendAll(
  wallet: HDNodeWallet,
  provider: JsonRpcProvider,
  transactions: readonly TransactionRequest[],
): Promise<void> {
  const { chainId } = await provider.getNetwork();
  const fees = { type: 2, chainId, maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 10n ** 9n };
  for (const transaction of transactions)
    await provider.broadcastTransaction(await wallet.signTransaction({ ...transaction, ...fees }));
  while ((await provider.getTransactionCount(wallet.address)) < transactions.length) await sleep(POLL_MS);
}

function connect(url: string): JsonRpcProvider {
  return new JsonRpcProvider(url, undefined, { batchMaxCount: 1, pollingInterval: 50, cacheTimeout: -1 });
}
