/** The protocol as a network has it, with its delays, and what governance does to it. */
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { deployEstuary } from "../../deploy/deploy.ts";
import type { Contracts } from "../../deploy/deploy.ts";
import { MAINNET_SETTINGS } from "../../deploy/lib/parameters.ts";
import type { Expected } from "../../deploy/lib/inspectRoles.ts";
import { ROLES } from "../../deploy/roles.ts";
import type { Call } from "../../deploy/roles.ts";
import { committeeWallets } from "../../devnet/committee.ts";
import { DEPOSIT_CONTRACT, installPredeploys } from "../../devnet/predeploys.ts";
import { connection, ethers, networkHelpers, provider } from "./network.ts";

const TEN_EPOCHS = 10n * 384n; // seconds
/** Not estimated: a call may be refused on purpose. */
const GAS = { gasLimit: 10_000_000n };
const { time } = networkHelpers;

export interface Governed extends Contracts {
  readonly contracts: Contracts;
  readonly deployer: HardhatEthersSigner;
  readonly governor: HardhatEthersSigner;
  readonly guardian: HardhatEthersSigner;
  readonly stranger: HardhatEthersSigner;
  /** What an inspection must find. */
  readonly expected: Expected;
}

/** Deployed with the settings of mainnet. Pass it to `loadFixture`. */
export async function governed(): Promise<Governed> {
  const [deployer, governor, guardian, treasury, stranger] = (await ethers.getSigners()) as [
    ...[HardhatEthersSigner, HardhatEthersSigner, HardhatEthersSigner, HardhatEthersSigner, HardhatEthersSigner],
  ];
  await installPredeploys(provider);
  const genesisTime = BigInt(await time.latest()) - TEN_EPOCHS;
  const fromBlock = await ethers.provider.getBlockNumber();
  const contracts = await deployEstuary(
    connection,
    { genesisTime, depositContract: DEPOSIT_CONTRACT, electraSlot: 0n, firstSummarySlot: 0n },
    {
      governor: governor.address,
      guardian: guardian.address,
      treasury: treasury.address,
      committee: committeeWallets(9).map(({ address }) => address),
      quorum: 5n,
    },
    MAINNET_SETTINGS,
  );
  const expected = {
    ...{ deployer: deployer.address, governor: governor.address, guardian: guardian.address },
    ...{ hasDelays: true, fromBlock },
  };
  return { ...contracts, contracts, deployer, governor, guardian, stranger, expected };
}

/** Schedules calls in one transaction. */
export async function schedule(p: Governed, calls: readonly Call[]): Promise<void> {
  const encoded = calls.map(({ target, data }) =>
    p.authority.interface.encodeFunctionData("schedule", [target, data, 0]),
  );
  await p.authority.connect(p.governor).multicall(encoded, GAS);
}

/** Executes calls in one transaction, in their order. */
export async function execute(p: Governed, calls: readonly Call[]): Promise<void> {
  const encoded = calls.map(({ target, data }) => p.authority.interface.encodeFunctionData("execute", [target, data]));
  await p.authority.connect(p.governor).multicall(encoded, GAS);
}

/** What governance decided with ADMIN, thirty days later. */
export async function decide(p: Governed, calls: readonly Call[]): Promise<void> {
  await schedule(p, calls);
  await time.increase(ROLES.ADMIN.delay);
  await execute(p, calls);
}
