/**
 * Reports without a committee: the oracle's account calls the pool itself. The registries' accounts are borrowed the same way, so that a
 * test of the books needs no keys and no beacon.
 */
import type { ContractTransactionResponse } from "ethers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { IStakingPool } from "../../typechain-types/contracts/pool/IStakingPool.ts";
import { ethers, loadFixture, networkHelpers } from "./network.ts";
import { protocol } from "./protocol.ts";
import type { Protocol } from "./protocol.ts";
import { someKeys } from "./someKeys.ts";

export const ETH = 10n ** 18n;
export const RAY = 10n ** 27n;
export const FRAME = 86_400n;
export const MARGIN = 3_600n;
const DAY_OF_YEAR = 365n;
const BP = 10_000n;

export type ReportData = IStakingPool.ReportDataStruct & Record<keyof IStakingPool.ReportDataStruct, bigint | boolean>;

export interface Step extends Partial<IStakingPool.ReportDataStruct> {
  /** What the validators' balances changed by since the last report, in wei. */
  readonly gain?: bigint;
  readonly frames?: bigint;
  /** Seconds after the reference slot at which the report is executed. */
  readonly after?: bigint;
}

/** Alice holds 600 estETH and Bob 400; ten validators are funded, and one report knows of them. */
export async function staked(): Promise<Protocol> {
  const p = await loadFixture(protocol);
  await p.pool.connect(p.alice).deposit(p.alice, ethers.ZeroAddress, { value: 600n * ETH });
  await p.pool.connect(p.bob).deposit(p.bob, ethers.ZeroAddress, { value: 400n * ETH });
  await fundWithoutKeys(p, 10n);
  await apply(p);
  return p;
}

export async function borrow(contract: { getAddress(): Promise<string> }): Promise<HardhatEthersSigner> {
  const address = await contract.getAddress();
  await networkHelpers.impersonateAccount(address);
  const signer = await ethers.getSigner(address);
  // gas only: the pool and the registries hold no ether that is counted
  if ((await ethers.provider.getBalance(address)) < ETH) await networkHelpers.setBalance(address, 10n * ETH);
  return signer;
}

/** Funds validators in the pool's books alone. */
export async function fundWithoutKeys(p: Protocol, count: bigint): Promise<void> {
  await p.pool.connect(await borrow(p.validators)).fundValidators(someKeys(count));
}

/** The reference time of the report that is due after the last one. */
export async function nextRefTime(p: Protocol, frames = 1n): Promise<bigint> {
  const { lastReportTime, lastRefTime } = await p.pool.books();
  if (lastReportTime !== 0n) return lastRefTime + frames * FRAME;
  return (await p.oracle.genesisTime()) + (await p.oracle.lastRefSlot()) * 12n + frames * FRAME;
}

/** What a faithful oracle would pass on for the next frame; moves the clock to its execution. */
export async function nextReport(p: Protocol, step: Step = {}): Promise<ReportData> {
  const { gain = 0n, frames = 1n, after = 1_800n, ...overrides } = step;
  const refTime = BigInt(overrides.refTime ?? (await nextRefTime(p, frames)));
  const now = BigInt(await networkHelpers.time.latest());
  if (refTime + after > now + 1n) await networkHelpers.time.setNextBlockTimestamp(refTime + after);
  const b = await p.pool.books();
  let fundedAtRef = b.fundedBefore;
  if (refTime >= b.fundedTime) fundedAtRef = b.funded;
  return {
    refTime,
    elapsed: (frames > 2n ? 2n : frames) * FRAME,
    clBalance: b.clLast + fundedAtRef - b.fundedAtLastRef + gain,
    leaving: 0n,
    withdrawalVaultBalance: await ethers.provider.getBalance(p.withdrawalVault),
    rewardsVaultBalance: await ethers.provider.getBalance(p.rewardsVault),
    cutoff: refTime - MARGIN,
    nextCutoff: refTime + FRAME - MARGIN,
    openUntil: refTime + FRAME + 6n * 3_600n,
    incident: false,
    ...overrides,
  } as ReportData;
}

/** Applies the next report. */
export async function apply(p: Protocol, step: Step = {}): Promise<ContractTransactionResponse> {
  const data = await nextReport(p, step);
  return p.pool.connect(await borrow(p.oracle)).applyReport(data);
}

/** The largest gain that a report of `frames` frames recognises. */
export async function largestGain(p: Protocol, frames = 1n): Promise<bigint> {
  const { maxAprBp } = await p.pool.policy();
  return ((await p.token.getTotalPooledEther()) * maxAprBp * frames) / (BP * DAY_OF_YEAR);
}

/** A request by `who`; its id. */
export async function request(p: Protocol, who: HardhatEthersSigner, ...amounts: bigint[]): Promise<bigint[]> {
  const first = (await p.queue.lastRequestId()) + 1n;
  await p.queue.connect(who).requestWithdrawals(amounts, ethers.ZeroAddress);
  return amounts.map((_, i) => first + BigInt(i));
}
