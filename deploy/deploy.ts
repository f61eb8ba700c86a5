/** Deploys the Ignition module and hands back typed contracts. */
import type { NetworkConnection } from "hardhat/types/network";
import "@nomicfoundation/hardhat-toolbox-mocha-ethers";
import type { Signer } from "ethers";
import Estuary from "./Estuary.ts";
import { moduleParameters } from "./lib/parameters.ts";
import type { Chain, People, Settings } from "./lib/parameters.ts";
import {
  AccessManager__factory,
  BeaconProof__factory,
  OperatorRegistry__factory,
  ReportBounds__factory,
  ReportOracle__factory,
  RewardsVault__factory,
  StakedEther__factory,
  StakingPool__factory,
  ValidatorRegistry__factory,
  WithdrawalQueue__factory,
  WithdrawalVault__factory,
  WrappedStakedEther__factory,
} from "../typechain-types/index.ts";
import type {
  AccessManager,
  BeaconProof,
  OperatorRegistry,
  ReportBounds,
  ReportOracle,
  RewardsVault,
  StakedEther,
  StakingPool,
  ValidatorRegistry,
  WithdrawalQueue,
  WithdrawalVault,
  WrappedStakedEther,
} from "../typechain-types/index.ts";

export interface Contracts {
  readonly authority: AccessManager;
  readonly token: StakedEther;
  readonly wrapped: WrappedStakedEther;
  readonly pool: StakingPool;
  readonly queue: WithdrawalQueue;
  readonly withdrawalVault: WithdrawalVault;
  readonly rewardsVault: RewardsVault;
  readonly operators: OperatorRegistry;
  readonly validators: ValidatorRegistry;
  readonly beaconProof: BeaconProof;
  readonly bounds: ReportBounds;
  readonly oracle: ReportOracle;
}
export type ContractName = keyof Contracts;

/** @param displayUi whether Ignition reports its progress */
export async function deployEstuary(
  connection: NetworkConnection,
  chain: Chain,
  people: People,
  settings: Settings,
  displayUi = false,
): Promise<Contracts> {
  const { ethers, ignition } = connection;
  const [deployer] = await ethers.getSigners();
  const block = await ethers.provider.getBlock("latest");
  if (deployer === undefined || block === null) throw new Error("the network has no account or no block");
  const parameters = { Estuary: moduleParameters(chain, people, settings, BigInt(block.timestamp)) };
  const deployed = await ignition.deploy(Estuary, { parameters, displayUi });
  const addresses = Object.fromEntries(
    await Promise.all(
      Object.entries(deployed).map(async ([name, contract]) => [name, await contract.getAddress()] as const),
    ),
  ) as Record<ContractName, string>;
  return attach(addresses, deployer);
}

/** Typed contracts at known addresses. */
export function attach(at: Record<string, string>, runner: Signer): Contracts {
  const address = (name: string): string => {
    const found = at[name];
    if (found === undefined) throw new Error(`no address of ${name}`);
    return found;
  };
  return {
    authority: AccessManager__factory.connect(address("authority"), runner),
    token: StakedEther__factory.connect(address("token"), runner),
    wrapped: WrappedStakedEther__factory.connect(address("wrapped"), runner),
    pool: StakingPool__factory.connect(address("pool"), runner),
    queue: WithdrawalQueue__factory.connect(address("queue"), runner),
    withdrawalVault: WithdrawalVault__factory.connect(address("withdrawalVault"), runner),
    rewardsVault: RewardsVault__factory.connect(address("rewardsVault"), runner),
    operators: OperatorRegistry__factory.connect(address("operators"), runner),
    validators: ValidatorRegistry__factory.connect(address("validators"), runner),
    beaconProof: BeaconProof__factory.connect(address("beaconProof"), runner),
    bounds: ReportBounds__factory.connect(address("bounds"), runner),
    oracle: ReportOracle__factory.connect(address("oracle"), runner),
  };
}
