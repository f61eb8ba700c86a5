/** Both registries behind their proxies, the real token and deposit contract, and stubs of the pool, the queue and the vault. */
import { ssz } from "@lodestar/types";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { ZeroAddress, getBytes, hexlify } from "ethers";
import type { ContractBalanceProof, ContractValidatorProof } from "../../../offchain/beacon/contractProofs.ts";
import type { Hex } from "../../../devnet/simulated/state/state.ts";
import { pubkeyRoot, withdrawalCredentials } from "../../../devnet/keys.ts";
import { DEPOSIT_CONTRACT, installPredeploys } from "../../../devnet/predeploys.ts";
import { ethers, networkHelpers, provider } from "../../helpers/network.ts";
import type { OperatorRegistry } from "../../../typechain-types/index.ts";
import type { BeaconFixture, StateValidator } from "./beaconStates.ts";
import { anchoredState, balanceProof, somePubkey, validatorBatch, validatorProof } from "./beaconStates.ts";

export const ETH = 10n ** 18n;
export const ETH_GWEI = 1_000_000_000;
export const FAR_FUTURE = 2n ** 64n - 1n;
/** Epoch of the first proof: validators may have been active for 256 epochs. */
export const START_EPOCH = 1_000;
export const SECONDS_PER_EPOCH = 32 * 12;

export const Status = {
  Unknown: 0,
  Predeposited: 1,
  Queued: 2,
  Active: 3,
  Exiting: 4,
  Withdrawn: 5,
  Dropped: 6,
} as const;

/** 1 ETH for each validator, 5% of its rewards, all of the set. */
export const CURATED = {
  bondFirst: ETH,
  bondNext: ETH,
  feeBp: 500,
  targetShareBp: 10_000,
  maxShareBp: 10_000,
  open: false,
};

export type Registries = Awaited<ReturnType<typeof registries>>;
/** What the steps below need; `withPool` has it too. */
export type World = Omit<Registries, "pool" | "queue" | "vault">;

type Five<T> = [T, T, T, T, T];

/** One curated tier; operator 1 is Alice's, operator 2 Bob's. The pool, the queue and the vault are stubs. */
export async function registries() {
  const people = await cast();
  const manager = await ethers.deployContract("AccessManager", [people.admin.address]);
  const queue = await ethers.deployContract("QueueStub");
  const token = await ethers.deployContract("StakedEther", [manager, queue]);
  const vault = await ethers.deployContract("VaultStub");
  const pool = await ethers.deployContract("PoolStub", [token]);
  await token.replacePool(pool);
  await pool.open({ value: ETH });
  const deployed = await deploy(await manager.getAddress(), await token.getAddress(), await vault.getAddress());
  await pool.set(deployed.validators, deployed.operators);
  await open(deployed.operators, people);
  return { ...people, manager, queue, token, vault, pool, ...deployed };
}

/** The same with the real pool, queue and vaults; the test is the oracle. */
export async function withPool() {
  const people = await cast();
  const { admin } = people;
  const manager = await ethers.deployContract("AccessManager", [admin.address]);
  const queue = await ethers.deployContract("WithdrawalQueue", [manager, 86_400]);
  const token = await ethers.deployContract("StakedEther", [manager, queue]);
  await queue.bind(token);
  const vault = await ethers.deployContract("WithdrawalVault", [token]);
  const rewardsVault = await ethers.deployContract("RewardsVault", [token]);
  const deployed = await deploy(await manager.getAddress(), await token.getAddress(), await vault.getAddress());
  const peers = {
    token: await token.getAddress(),
    withdrawalVault: await vault.getAddress(),
    rewardsVault: await rewardsVault.getAddress(),
    operators: await deployed.operators.getAddress(),
    validators: await deployed.validators.getAddress(),
    oracle: admin.address,
    depositContract: DEPOSIT_CONTRACT,
    predecessor: ZeroAddress,
  };
  const policy = { treasury: admin.address, feeBp: 1_000, maxAprBp: 1_000, depositCapGwei: 2n ** 60n };
  const pool = await ethers.deployContract("StakingPool", [manager, peers, policy]);
  await token.replacePool(pool);
  const now = await networkHelpers.time.latest();
  await pool.bootstrap(now, now + 1_000 * 86_400, now + 86_400, { value: ETH });
  await open(deployed.operators, people);
  return { ...people, manager, queue, token, vault, rewardsVault, pool, ...deployed };
}

async function cast() {
  const [admin, alice, bob, carol, keeper] = (await ethers.getSigners()) as Five<HardhatEthersSigner>;
  return { admin, alice, bob, carol, keeper };
}

async function deploy(manager: string, token: string, vault: string) {
  const wrapped = await ethers.deployContract("WrappedStakedEther", [token]);
  await installPredeploys(provider);
  const genesisTime = (await networkHelpers.time.latest()) - START_EPOCH * SECONDS_PER_EPOCH;
  const beaconProof = await ethers.deployContract("BeaconProof", [0n, 0n, FAR_FUTURE, FAR_FUTURE]);
  const proxies = await ethers.deployContract("RegistryProxies");
  const at = { operators: await proxies.operators(), validators: await proxies.validators() };
  const operatorsCode = await ethers.deployContract("OperatorRegistry", [token, wrapped, at.validators]);
  const args = [token, vault, at.operators, DEPOSIT_CONTRACT, genesisTime] as const;
  const validatorsCode = await ethers.deployContract("ValidatorRegistry", [...args]);
  await proxies.deploy(
    operatorsCode,
    operatorsCode.interface.encodeFunctionData("initialize", [manager]),
    validatorsCode,
    validatorsCode.interface.encodeFunctionData("initialize", [manager, await beaconProof.getAddress()]),
  );
  const operators = await ethers.getContractAt("OperatorRegistry", at.operators);
  const validators = await ethers.getContractAt("ValidatorRegistry", at.validators);
  const credentials = withdrawalCredentials(vault);
  return {
    proxies,
    wrapped,
    beaconProof,
    operatorsCode,
    operators,
    validatorsCode,
    validators,
    genesisTime,
    credentials,
  };
}

/** What governance does after the deployment. */
async function open(
  operators: OperatorRegistry,
  { alice, bob }: { alice: HardhatEthersSigner; bob: HardhatEthersSigner },
): Promise<void> {
  await operators.addTier(CURATED);
  await operators.addOperator(0, alice.address, alice.address, "Alice");
  await operators.addOperator(0, bob.address, bob.address, "Bob");
}

// --- keys and deposits ---

export function key(index: number): Hex {
  return somePubkey(index);
}

export function keyRoot(index: number): Hex {
  return pubkeyRoot(key(index));
}

export function range(count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}

/** The arguments of `predeposit`: nobody but the consensus layer looks at a signature. */
export function predeposits(world: World, indices: readonly number[]) {
  const signature = `0x${"5a".repeat(96)}`;
  const pubkeys = indices.map(key);
  const roots = pubkeys.map((pubkey) =>
    hexlify(
      ssz.phase0.DepositData.hashTreeRoot({
        pubkey: getBytes(pubkey),
        withdrawalCredentials: getBytes(world.credentials),
        amount: ETH_GWEI,
        signature: getBytes(signature),
      }),
    ),
  );
  return { pubkeys, signatures: indices.map(() => signature), roots };
}

export async function predeposit(world: World, operatorId: number, indices: readonly number[]) {
  const operator = await world.operators.operator(operatorId);
  const { pubkeys, signatures, roots } = predeposits(world, indices);
  const owner = await ethers.getSigner(operator.owner);
  const value = ETH * BigInt(indices.length);
  return world.validators.connect(owner).predeposit(operatorId, pubkeys, signatures, roots, { value });
}

// --- the consensus layer: whatever the test says ---

/** What a key looks like after its predeposit. */
export function pending(world: World, index: number, change: Partial<StateValidator> = {}): StateValidator {
  return {
    pubkey: key(index),
    withdrawalCredentials: world.credentials,
    effectiveBalance: ETH_GWEI,
    slashed: false,
    activationEligibilityEpoch: Infinity,
    activationEpoch: Infinity,
    exitEpoch: Infinity,
    withdrawableEpoch: Infinity,
    ...change,
  };
}

/** What it looks like once it was funded and has worked for a long time. */
export function active(world: World, index: number, change: Partial<StateValidator> = {}): StateValidator {
  return pending(world, index, {
    effectiveBalance: 32 * ETH_GWEI,
    activationEligibilityEpoch: 10,
    activationEpoch: 20,
    ...change,
  });
}

export async function slotNow(world: World): Promise<number> {
  return Math.floor(((await networkHelpers.time.latest()) - world.genesisTime) / 12);
}

/** A state of now, or of `slot`, that holds these validators in this order, one key to an index. */
export async function state(
  world: World,
  validators: readonly StateValidator[],
  { slot, balances }: { slot?: number; balances?: readonly number[] } = {},
): Promise<BeaconFixture> {
  const all = balances ?? validators.map((validator) => validator.effectiveBalance);
  return anchoredState("electra", slot ?? (await slotNow(world)), validators, all);
}

/** The proof of one validator, alone in its state. */
export async function proofOf(
  world: World,
  validator: StateValidator,
  options: { slot?: number; balanceGwei?: number } = {},
): Promise<{ proof: ContractValidatorProof; balance: ContractBalanceProof }> {
  const balances = [options.balanceGwei ?? validator.effectiveBalance];
  const fixture = await state(world, [validator], {
    balances,
    ...(options.slot === undefined ? {} : { slot: options.slot }),
  });
  return { proof: validatorProof(fixture, 0), balance: balanceProof(fixture, 0) };
}

// --- steps ---

export async function prove(world: World, indices: readonly number[]) {
  const fixture = await state(
    world,
    indices.map((index) => pending(world, index)),
  );
  return world.validators.proveValidators(
    validatorBatch(
      fixture,
      indices.map((_, i) => i),
    ),
  );
}

export async function queued(world: World, operatorId: number, indices: readonly number[]): Promise<void> {
  await predeposit(world, operatorId, indices);
  await prove(world, indices);
}

/** Asks a validator to exit, on a state of now. */
export async function requestExit(
  world: World,
  index: number,
  change: Partial<StateValidator> = {},
  { passed = [], value = 1n }: { passed?: readonly ContractValidatorProof[]; value?: bigint } = {},
) {
  const { proof } = await proofOf(world, active(world, index, change));
  return world.validators.connect(world.keeper).requestExit(key(index), proof, [...passed], { value });
}

/** In the last slot of the epoch before the validator may be withdrawn, which is over. */
export async function proveWithdrawn(
  world: World,
  index: number,
  balanceGwei: number,
  change: Partial<StateValidator> = {},
) {
  const withdrawableEpoch = Math.floor((await slotNow(world)) / 32);
  const validator = active(world, index, { exitEpoch: withdrawableEpoch - 256, withdrawableEpoch, ...change });
  const { proof, balance } = await proofOf(world, validator, { slot: withdrawableEpoch * 32 - 1, balanceGwei });
  return world.validators.connect(world.keeper).proveWithdrawn(proof, balance);
}

/** Freezes the validator's operator. */
export async function proveSlashed(world: World, index: number, change: Partial<StateValidator> = {}) {
  const { proof } = await proofOf(world, active(world, index, { slashed: true, exitEpoch: 2_000, ...change }));
  return world.validators.connect(world.keeper).proveSlashed(proof);
}

/** Lets the pool have ether for `count` validators, as its only buffer. */
export async function allow(world: Registries, count: number): Promise<void> {
  const amount = 31n * ETH * BigInt(count);
  await world.pool.setDepositable(amount, { value: amount });
}

export async function fund(world: Registries, indices: readonly number[]) {
  await allow(world, indices.length);
  return world.validators.connect(world.keeper).fundValidators(indices.map(key));
}

export async function funded(world: Registries, operatorId: number, indices: readonly number[]): Promise<void> {
  await queued(world, operatorId, indices);
  await fund(world, indices);
}

/** The rate of estETH after a gain, or a loss, of `numerator / denominator` of all ether. */
export async function changeRate(world: Registries, numerator: bigint, denominator: bigint): Promise<void> {
  await networkHelpers.time.increase(30 * 86_400);
  const { totalEther } = await world.token.totals();
  await world.pool.rebase({
    etherDelta: (totalEther * numerator) / denominator,
    etherPaid: 0n,
    feeShares: 0n,
    burnShares: 0n,
    elapsed: 86_400n,
    feeReceiver: await world.operators.getAddress(),
  });
}

/** Shares of fees that are less than a unit, and not divided before there are more. */
export async function waiting(token: { totalFeeShares(): Promise<bigint> }): Promise<bigint> {
  return (await token.totalFeeShares()) % 10n ** 9n;
}

/** What a report does: mints a fee. @returns the operators' part of it, in shares */
export async function payFee(world: Registries, feeShares: bigint, totalFeeBp = 1_000n): Promise<bigint> {
  // so much ether that the gain behind the fee hardly moves the rate
  const value = 1_000_000n * (await world.token.getPooledEthByShares(feeShares)) + 1n;
  await networkHelpers.setBalance(world.admin.address, value + 10_000n * ETH);
  await world.pool.deposit(world.pool, world.pool, { value });
  const before = await world.operators.treasuryShares();
  await world.pool.payFee(feeShares, totalFeeBp);
  return feeShares - ((await world.operators.treasuryShares()) - before);
}
