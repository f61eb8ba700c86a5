/** The whole protocol on a local chain with a simulated beacon beside it: what tests, the demo and the gas table use. */
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { NetworkConnection } from "hardhat/types/network";
import { deployEstuary } from "../../deploy/deploy.ts";
import type { Contracts } from "../../deploy/deploy.ts";
import { LOCAL_SETTINGS } from "../../deploy/lib/parameters.ts";
import type { Settings } from "../../deploy/lib/parameters.ts";
import { SimulatedBeacon } from "./beacon.ts";
import type { BeaconOptions } from "./beacon.ts";
import { committeeWallets } from "../committee.ts";
import { LocalCommittee } from "./localCommittee.ts";
import type { ContractValidatorBatch } from "../../offchain/beacon/contractProofs.ts";
import { contractValidatorBatch, contractValidatorProof } from "../../offchain/beacon/contractProofs.ts";
import type { Hex } from "./state/state.ts";
import { deriveValidatorKeys, signedDeposit } from "../keys.ts";
import type { ValidatorKey } from "../keys.ts";
import { DEPOSIT_CONTRACT } from "../predeploys.ts";

export const COMMITTEE_SIZE = 9;
export const QUORUM = 5;
const ONE_ETH_GWEI = 10n ** 9n;
const ETH = 10n ** 18n;

export interface LocalOptions {
  readonly beacon?: BeaconOptions;
  readonly settings?: Partial<Settings>;
  /** Nine members, five of whom sign, unless told. */
  readonly committee?: { readonly size: number; readonly quorum: number };
}

export interface Accounts {
  /** Deployed everything and kept no role. */
  readonly deployer: HardhatEthersSigner;
  readonly governor: HardhatEthersSigner;
  readonly guardian: HardhatEthersSigner;
  readonly treasury: HardhatEthersSigner;
  readonly alice: HardhatEthersSigner;
  readonly bob: HardhatEthersSigner;
  readonly carol: HardhatEthersSigner;
  /** Owner of operator 1, in the curated tier. */
  readonly nodeOperator: HardhatEthersSigner;
  readonly keeper: HardhatEthersSigner;
}

export interface LocalProtocol extends Contracts, Accounts {
  readonly contracts: Contracts;
  readonly beacon: SimulatedBeacon;
  readonly committee: LocalCommittee;
  /** Id of the operator that `nodeOperator` owns. */
  readonly operatorId: bigint;
}

export async function startLocalProtocol(
  connection: NetworkConnection,
  options: LocalOptions = {},
): Promise<LocalProtocol> {
  const signers = await connection.ethers.getSigners();
  const [deployer, governor, guardian, treasury, alice, bob, carol, nodeOperator, keeper] = signers as [
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
  ];
  const accounts = { deployer, governor, guardian, treasury, alice, bob, carol, nodeOperator, keeper };
  const beacon = await SimulatedBeacon.start(connection.provider, options.beacon);
  const { size, quorum } = options.committee ?? { size: COMMITTEE_SIZE, quorum: QUORUM };
  const wallets = committeeWallets(size);
  const contracts = await deployEstuary(
    connection,
    {
      genesisTime: BigInt(beacon.genesisTime),
      depositContract: DEPOSIT_CONTRACT,
      electraSlot: 0n,
      firstSummarySlot: 0n,
    },
    {
      governor: governor.address,
      guardian: guardian.address,
      treasury: treasury.address,
      committee: wallets.map((wallet) => wallet.address),
      quorum: BigInt(quorum),
    },
    { ...LOCAL_SETTINGS, ...options.settings },
  );
  await contracts.operators
    .connect(governor)
    .addOperator(0, nodeOperator.address, nodeOperator.address, "Operator One");
  const operatorId = await contracts.operators.operatorCount();
  // the predeploys answer from the first system call on
  await beacon.advanceSlots(1);
  const committee = new LocalCommittee(contracts, beacon, wallets, quorum);
  return { ...contracts, ...accounts, contracts, beacon, committee, operatorId };
}

/** Predeposits keys `first`, `first + 1`, ... for an operator. */
export async function predeposit(
  p: LocalProtocol,
  count: number,
  first: number,
  owner: HardhatEthersSigner = p.nodeOperator,
  operatorId: bigint = p.operatorId,
): Promise<ValidatorKey[]> {
  const keys = deriveValidatorKeys(count, first);
  const credentials = (await p.validators.withdrawalCredentials()) as Hex;
  const deposits = keys.map((key) => signedDeposit(key, credentials, ONE_ETH_GWEI));
  await p.validators.connect(owner).predeposit(
    operatorId,
    deposits.map((deposit) => deposit.pubkey),
    deposits.map((deposit) => deposit.signature),
    deposits.map((deposit) => deposit.depositDataRoot),
    { value: BigInt(count) * ETH },
  );
  return keys;
}

/** Waits until the beacon chain knows predeposited keys, and proves them. */
export async function prove(p: LocalProtocol, keys: readonly ValidatorKey[]): Promise<void> {
  await p.beacon.advanceUntil((state) => keys.every((key) => state.validator(key.pubkey) !== undefined));
  await p.beacon.advanceSlots(1);
  await p.validators.connect(p.keeper).proveValidators(validatorBatch(p, keys));
}

/** The proof of these keys in the newest provable state. */
export function validatorBatch(p: LocalProtocol, keys: readonly ValidatorKey[]): ContractValidatorBatch {
  const proofs = keys.map((key) => p.beacon.proveValidator(key.pubkey));
  return contractValidatorBatch(proofs.map(contractValidatorProof), proofs[0]?.fork ?? "electra");
}

/** The whole way from key to funded. The pool must have the ether. */
export async function fundValidators(
  p: LocalProtocol,
  count: number,
  first: number,
  owner?: HardhatEthersSigner,
  operatorId?: bigint,
): Promise<ValidatorKey[]> {
  const keys = await predeposit(p, count, first, owner, operatorId);
  await prove(p, keys);
  await p.validators.connect(p.keeper).fundValidators(keys.map((key) => key.pubkey));
  return keys;
}
