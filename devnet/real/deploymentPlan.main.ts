/**
 * Process entry: `node deploymentPlan.main.ts <genesis time>` prints the transactions that deploy Estuary on a devnet, and the addresses.
 * Ignition waits for every transaction, some 45 times: here it deploys on a chain in this process, whose deployer has the same address and
 * the same nonces, and what it sent there is the plan. A process of its own: what Hardhat needs of memory ends with it.
 */
import { network } from "hardhat";
import { deployEstuary } from "../../deploy/deploy.ts";
import { committeeWallets } from "../committee.ts";
import { DEPOSIT_CONTRACT, installPredeploys } from "../predeploys.ts";
import { SECONDS_PER_SLOT } from "./chainConfig.ts";
import { fundedWallets } from "./executionGenesis.ts";
import { COMMITTEE_SIZE, DEVNET_SETTINGS, QUORUM, addressesOf } from "./protocol.ts";
import type { DeploymentPlan, PlannedTransaction } from "./protocol.ts";

const GAS_MARGIN = 50_000n;

const genesisTime = Number(process.argv[2]);
const [, governor, guardian, treasury] = fundedWallets(4).map(({ address }) => address);
if (governor === undefined || guardian === undefined || treasury === undefined) throw new Error("no accounts");

const initialDate = new Date((genesisTime + SECONDS_PER_SLOT) * 1_000);
const connection = await network.create({ network: "default", override: { initialDate } });
await installPredeploys(connection.provider);
const contracts = await deployEstuary(
  connection,
  { genesisTime: BigInt(genesisTime), depositContract: DEPOSIT_CONTRACT, electraSlot: 0n, firstSummarySlot: 0n },
  {
    governor,
    guardian,
    treasury,
    committee: committeeWallets(COMMITTEE_SIZE).map(({ address }) => address),
    quorum: BigInt(QUORUM),
  },
  DEVNET_SETTINGS,
);
const { provider } = connection.ethers;
const transactions: PlannedTransaction[] = [];
for (let number = 1; number <= (await provider.getBlockNumber()); number++) {
  const block = await provider.getBlock(number, true);
  for (const { to, data, value, nonce, hash } of block?.prefetchedTransactions ?? []) {
    const receipt = await provider.getTransactionReceipt(hash);
    const gasLimit = ((receipt?.gasUsed ?? 0n) * 12n) / 10n + GAS_MARGIN;
    transactions.push({ to, data, value: String(value), nonce, gasLimit: String(gasLimit) });
  }
}
transactions.sort((a, b) => a.nonce - b.nonce);
const plan: DeploymentPlan = { transactions, addresses: await addressesOf(contracts) };
process.stdout.write(JSON.stringify(plan), () => process.exit(0));
