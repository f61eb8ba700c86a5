/**
 * Runs every operation once on a local protocol that is in use: four daily reports with rewards on both layers, holders
 * of both tokens, two operators, an allowance without limit where one is needed. "first" and "repeat", "new" and
 * "existing" say whether the receiver's balance was zero.
 */
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { ContractTransactionResponse, TransactionResponse } from "ethers";
import { MaxUint256, ZeroAddress } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import type { Hex } from "../../../devnet/simulated/state/state.ts";
import { deriveValidatorKeys, signedDeposit } from "../../../devnet/keys.ts";
import type { ValidatorKey } from "../../../devnet/keys.ts";
import { predeposit, prove, startLocalProtocol, validatorBatch } from "../../../devnet/simulated/localProtocol.ts";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { liquidityRows } from "./liquidity.ts";
import type { Figures } from "./rows.ts";
import { SCALES, scaleRows } from "./scale.ts";

const ETH = 10n ** 18n;
const ONE_ETH_GWEI = 10n ** 9n;
const DUST = 100n; // wei, the least that can be requested
const REQUESTS_PER_TRANSACTION = 150; // under the cap of 16.7 million gas
const MANY = 100_000;

/** Measured only when asked for. */
export const SLOW_ROWS: ReadonlySet<string> = new Set([reportRow(MANY), ...Object.values(scaleRows(SCALES)).flat()]);

interface Scene {
  readonly p: LocalProtocol;
  readonly dave: HardhatEthersSigner;
  readonly erin: HardhatEthersSigner;
  /** Runs `act` and takes everything back. */
  apart<T>(act: () => Promise<T>): Promise<T>;
}

/** @param progress is told what is being measured */
export async function measure(
  connection: NetworkConnection,
  scale: boolean,
  progress: (line: string) => void,
): Promise<Figures> {
  progress("setting the scene");
  const scene = await setScene(connection);
  const figures: Record<string, number> = {};
  for (const part of [stakerRows, withdrawalRows, validatorRows]) {
    progress(part.name);
    Object.assign(figures, await scene.apart(() => part(scene)));
  }
  progress("liquidityRows");
  Object.assign(figures, await scene.apart(() => liquidityRows(connection, scene, gasOf)));
  progress("reportRows");
  figures["report.5of9.rewardsAndFinalisation"] = await scene.apart(() => payingReport(scene, 1));
  for (const count of [10, 1_000, ...(scale ? [MANY] : [])]) {
    progress(`report that pays ${count} requests`);
    figures[reportRow(count)] = await scene.apart(() => payingReport(scene, count));
  }
  progress("report with 50 operators and validators");
  figures["report.50operators50validators"] = await scene.apart(async () => {
    await addOperators(scene, 48);
    return payingReport(scene, 1);
  });
  return figures;
}

function reportRow(requests: number): string {
  return `report.${requests}requests`;
}

async function setScene(connection: NetworkConnection): Promise<Scene> {
  const p = await startLocalProtocol(connection);
  const [dave, erin] = (await connection.ethers.getSigners()).slice(10, 12) as [
    HardhatEthersSigner,
    HardhatEthersSigner,
  ];
  await p.pool.connect(p.alice).deposit(p.alice, ZeroAddress, { value: 4_000n * ETH });
  await p.pool.connect(p.bob).deposit(p.bob, ZeroAddress, { value: 100n * ETH });
  await p.wrapped.connect(p.alice).stake(p.alice, ZeroAddress, { value: 100n * ETH });
  await p.token.connect(p.alice).approve(p.wrapped, MaxUint256);
  await p.operators.connect(p.governor).addOperator(0, dave.address, dave.address, "Operator Two");
  const first = await predeposit(p, 1, 1_000);
  const second = await predeposit(p, 1, 1_001, dave, await p.operators.operatorCount());
  const keys = [...first, ...second];
  await prove(p, keys);
  await p.validators.connect(p.keeper).fundValidators(keys.map((key) => key.pubkey));
  for (let day = 0; day < 4; day++) await rewardingReport(p);
  await p.operators.connect(p.nodeOperator).claimRewards(p.operatorId, p.nodeOperator);
  await p.operators.connect(p.keeper).payTreasury(); // the keeper's, once a day: it divides the fees
  const { provider } = connection;
  return {
    p,
    dave,
    erin,
    async apart(act) {
      const id: unknown = await provider.request({ method: "evm_snapshot" });
      const result = await act();
      await provider.request({ method: "evm_revert", params: [id] });
      return result;
    },
  };
}

async function gasOf(sent: Promise<ContractTransactionResponse | TransactionResponse>): Promise<number> {
  const receipt = await (await sent).wait();
  if (receipt?.status !== 1) throw new Error("the transaction was not mined");
  return Number(receipt.gasUsed);
}

// --- stakers ---

async function stakerRows({ p, dave, erin }: Scene): Promise<Figures> {
  const figures: Record<string, number> = {};
  const [pool, token, wrapped] = [p.pool.connect(p.carol), p.token.connect(p.alice), p.wrapped.connect(p.alice)];
  const plain = { to: await p.pool.getAddress(), value: ETH };
  figures["stake.first"] = await gasOf(pool.deposit(p.carol, ZeroAddress, { value: ETH }));
  figures["stake.repeat"] = await gasOf(pool.deposit(p.carol, ZeroAddress, { value: ETH }));
  figures["stakePlain.first"] = await gasOf(dave.sendTransaction(plain));
  figures["stakePlain.repeat"] = await gasOf(dave.sendTransaction(plain));
  const stakeWrapped = () => gasOf(p.wrapped.connect(p.carol).stake(p.carol, ZeroAddress, { value: ETH }));
  figures["stakeWrapped.first"] = await stakeWrapped();
  figures["stakeWrapped.repeat"] = await stakeWrapped();
  figures["transfer.new"] = await gasOf(token.transfer(erin, ETH));
  figures["transfer.existing"] = await gasOf(token.transfer(erin, ETH));
  figures["wrappedTransfer.new"] = await gasOf(wrapped.transfer(erin, ETH));
  figures["wrappedTransfer.existing"] = await gasOf(wrapped.transfer(erin, ETH));
  figures["wrap.repeat"] = await gasOf(wrapped.wrap(ETH));
  figures["unwrap.existing"] = await gasOf(wrapped.unwrap(ETH));
  return figures;
}

// --- withdrawals ---

async function withdrawalRows({ p }: Scene): Promise<Figures> {
  const figures: Record<string, number> = {};
  const request = (who: HardhatEthersSigner) => gasOf(p.queue.connect(who).requestWithdrawals([ETH], who));
  figures["requestWithdrawal.opensRound"] = await request(p.alice);
  figures["requestWithdrawal.first"] = await request(p.bob);
  figures["requestWithdrawal.repeat"] = await request(p.bob);
  while ((await p.queue.lastFinalizedId()) < 3n) await rewardingReport(p);
  const [hint = 0n] = await p.queue.findHints([2n]);
  const queue = p.queue.connect(p.bob);
  figures["claim"] = await gasOf(queue.claimWithdrawals([2n], [hint], p.bob));
  figures["claim.noHint"] = await gasOf(queue.claimWithdrawal(3n));
  return figures;
}

// --- validators ---

async function validatorRows(scene: Scene): Promise<Figures> {
  const { p } = scene;
  const figures: Record<string, number> = {};
  let next = 2_000;
  const take = (count: number): ValidatorKey[] => deriveValidatorKeys(count, (next += count) - count);
  for (const [count, name] of [
    [1, "x1"],
    [10, "perKeyX10"],
    [30, "perKeyX30"],
  ] as const) {
    const keys = take(count);
    const { predeposited, proven, funded } = await bringIn(p, keys);
    const per = (gas: number) => Math.round(gas / count);
    figures[`fundValidator.${name}`] = per(funded);
    if (count === 30) continue;
    figures[`predeposit.${name}`] = per(predeposited);
    figures[`proveValidator.${name}`] = per(proven);
    if (count === 10) figures["validatorLifecycle.perKeyX10"] = per(predeposited + proven + funded);
  }
  await rewardingReport(p);
  figures["claimOperatorRewards"] = await gasOf(
    p.operators.connect(p.nodeOperator).claimRewards(p.operatorId, p.nodeOperator),
  );
  figures["fundValidator.x1.dividesFees"] = (await bringIn(p, take(1))).funded;
  return figures;
}

/** From key to funded: the gas of each step. */
async function bringIn(p: LocalProtocol, keys: readonly ValidatorKey[]) {
  const validators = p.validators.connect(p.keeper);
  const predeposited = await predepositGas(p, keys);
  await p.beacon.advanceUntil((state) => keys.every((key) => state.validator(key.pubkey) !== undefined));
  await p.beacon.advanceSlots(1);
  const proven = await gasOf(validators.proveValidators(validatorBatch(p, keys)));
  const funded = await gasOf(validators.fundValidators(keys.map((key) => key.pubkey)));
  return { predeposited, proven, funded };
}

async function predepositGas(p: LocalProtocol, keys: readonly ValidatorKey[]): Promise<number> {
  const credentials = (await p.validators.withdrawalCredentials()) as Hex;
  const deposits = keys.map((key) => signedDeposit(key, credentials, ONE_ETH_GWEI));
  return gasOf(
    p.validators.connect(p.nodeOperator).predeposit(
      p.operatorId,
      deposits.map((deposit) => deposit.pubkey),
      deposits.map((deposit) => deposit.signature),
      deposits.map((deposit) => deposit.depositDataRoot),
      { value: BigInt(keys.length) * ETH },
    ),
  );
}

// --- reports ---

async function rewardingReport(p: LocalProtocol): Promise<number> {
  p.beacon.creditExecutionReward(await p.rewardsVault.getAddress(), ETH / 1_000n);
  // as on mainnet, where a sweep comes by every few days: the balance is never what it was, and must be written
  const [pubkey] = await p.committee.fundedKeys(p.beacon.head.execution.number);
  if (pubkey !== undefined) p.beacon.penalise(pubkey, 3_000_000n);
  const receipt = await p.committee.report();
  return Number(receipt.gasUsed);
}

/** The report that pays `count` requests at once: rewards on both layers, a fee, five of nine signatures. */
async function payingReport({ p }: Scene, count: number): Promise<number> {
  const queue = p.queue.connect(p.bob);
  const last = (await p.queue.lastFinalizedId()) + BigInt(count);
  if (count === 1) await queue.requestWithdrawals([ETH], p.bob);
  for (let left = count === 1 ? 0 : count; left > 0; left -= REQUESTS_PER_TRANSACTION)
    await queue.requestWithdrawals(
      Array.from({ length: Math.min(left, REQUESTS_PER_TRANSACTION) }, () => DUST),
      p.bob,
    );
  for (let tries = 0; tries < 4; tries++) {
    const before = await p.queue.lastFinalizedId();
    const gas = await rewardingReport(p);
    const finalised = await p.queue.lastFinalizedId();
    if (finalised === last && before === last - BigInt(count)) return gas;
    if (finalised !== before) throw new Error(`a report paid ${finalised - before} requests of ${count}`);
  }
  throw new Error(`no report paid ${count} requests`);
}

async function addOperators({ p, dave }: Scene, count: number): Promise<void> {
  const keys: ValidatorKey[] = [];
  for (let index = 0; index < count; index++) {
    await p.operators.connect(p.governor).addOperator(0, dave.address, dave.address, `Operator ${index + 3}`);
    keys.push(...(await predeposit(p, 1, 3_000 + index, dave, await p.operators.operatorCount())));
  }
  await prove(p, keys);
  await p.validators.connect(p.keeper).fundValidators(keys.slice(0, 30).map((key) => key.pubkey));
  await p.validators.connect(p.keeper).fundValidators(keys.slice(30).map((key) => key.pubkey));
  await rewardingReport(p);
}
