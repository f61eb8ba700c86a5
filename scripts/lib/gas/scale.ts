/**
 * What a report, an operator's claim and a change of its bond cost with 1, 100 and 10,000 operators, and with 10 and 100,000 validators: the
 * same. A claim takes an operator's rewards of one report; a bond is added in ether and withdrawn in shares.
 */
import { ZeroAddress } from "ethers";
import type { ContractTransactionResponse } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { predeposit, prove, startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { gwei } from "../../../offchain/protocol/units.ts";
import { addOperators, addValidators, liftDepositCap } from "./crowd.ts";
import type { Figures } from "./rows.ts";

const ETH = 10n ** 18n;
const STAKE_GWEI = 32n * 10n ** 9n;
const KEYS = 10;
const FIRST_KEY = 5_000;
/** What a validator without a key earns a day, in gwei: about 2.85% a year. */
const DAILY_GWEI = 2_500_000n;

export interface Scales {
  readonly operators: readonly bigint[];
  readonly validators: bigint;
}
export const SCALES: Scales = { operators: [1n, 100n, 10_000n], validators: 100_000n };

type Keys = Awaited<ReturnType<typeof predeposit>>;

const OPERATIONS = ["report", "claimOperatorRewards", "addBond", "withdrawBond"] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Row ids, by operation: with ten validators and ever more operators, and with all operators and all validators. */
export function scaleRows({ operators, validators }: Scales): Record<Operation, string[]> {
  const crowds = [...operators.map((count) => `${count}operators`), `${validators}validators`];
  const rows = OPERATIONS.map((operation) => [operation, crowds.map((crowd) => `${operation}.${crowd}`)] as const);
  return Object.fromEntries(rows) as Record<Operation, string[]>;
}

/** By how much the dearest and the cheapest row of each operation differ. */
export function spread(figures: Figures, scales: Scales): Record<Operation, number> {
  const gaps = Object.entries(scaleRows(scales)).map(([operation, ids]) => {
    const gas = ids.map((id) => {
      const measured = figures[id];
      if (measured === undefined) throw new Error(`${id} was not measured`);
      return measured;
    });
    return [operation, Math.max(...gas) - Math.min(...gas)] as const;
  });
  return Object.fromEntries(gaps) as Record<Operation, number>;
}

/**
 * On a fresh chain.
 * @param progress is told what is being measured
 */
export async function measureScale(
  connection: NetworkConnection,
  scales: Scales,
  progress: (line: string) => void,
): Promise<Figures> {
  const p = await startLocalProtocol(connection);
  const keys = await setScene(p);
  const [real] = keys;
  if (real === undefined) throw new Error("no key was funded");
  const figures: Record<string, number> = {};
  const note = async (crowd: string, others: bigint) => {
    progress(`report, claim and bond with ${crowd}`);
    const measured = await apart(connection, () => measureOperations(p, keys, others));
    for (const operation of OPERATIONS) figures[`${operation}.${crowd}`] = measured[operation];
  };
  for (const count of scales.operators) {
    await addOperators(p, count);
    await note(`${count}operators`, 0n);
  }
  const others = scales.validators - BigInt(KEYS);
  await addValidators(connection, p, others, real);
  await note(`${scales.validators}validators`, others);
  return figures;
}

/** Operator 1 has ten validators, bond to spare, and estETH of an earlier claim. */
async function setScene(p: LocalProtocol): Promise<Keys> {
  await liftDepositCap(p);
  await p.pool.connect(p.alice).deposit(p.alice, ZeroAddress, { value: 1_000n * ETH });
  await p.pool.connect(p.bob).deposit(p.bob, ZeroAddress, { value: 100n * ETH });
  await p.operators.connect(p.nodeOperator).addBond(p.operatorId, { value: ETH });
  const keys = await predeposit(p, KEYS, FIRST_KEY);
  await prove(p, keys);
  await p.validators.connect(p.keeper).fundValidators(keys.map((key) => key.pubkey));
  for (let day = 0; day < 3; day++) await report(p, keys, 0n, 0n);
  await p.operators.connect(p.nodeOperator).claimRewards(p.operatorId, p.nodeOperator);
  return keys;
}

async function measureOperations(p: LocalProtocol, keys: Keys, others: bigint): Promise<Record<Operation, number>> {
  const operators = p.operators.connect(p.nodeOperator);
  await report(p, keys, others, 1n);
  await operators.claimRewards(p.operatorId, p.nodeOperator);
  // as most reports: rewards on both layers, a fee, a request to pay
  await p.queue.connect(p.bob).requestWithdrawals([ETH], p.bob);
  let paid = false;
  let reportGas = 0;
  for (let day = 2n; !paid; day++) {
    const before = await p.queue.lastFinalizedId();
    reportGas = await report(p, keys, others, day);
    paid = (await p.queue.lastFinalizedId()) > before;
    if (day > 5n) throw new Error("no report paid the request");
  }
  return {
    report: reportGas,
    claimOperatorRewards: await gasOf(operators.claimRewards(p.operatorId, p.nodeOperator)),
    addBond: await gasOf(operators.addBond(p.operatorId, { value: ETH })),
    withdrawBond: await gasOf(operators.withdrawBond(p.operatorId, 10n ** 26n, p.nodeOperator)),
  };
}

/**
 * A daily report; `others` validators without keys are added to what the beacon chain holds, and the rewards of `days`, as if no sweep had
 * come by: a balance that comes out as it was would save the report a write, which only ten validators can do.
 */
async function report(p: LocalProtocol, keys: Keys, others: bigint, days: bigint): Promise<number> {
  p.beacon.creditExecutionReward(await p.rewardsVault.getAddress(), ETH / 1_000n);
  // no event tells of the others
  const funded = keys.map(({ pubkey }) => pubkey);
  const read = await p.committee.read({}, 1, funded);
  const clBalanceGwei = gwei(read.clBalanceGwei + others * STAKE_GWEI + (others + 1n) * days * DAILY_GWEI);
  const told = { ...read, clBalanceGwei };
  return gasOf(p.oracle.submitReport(told, await p.committee.sign(told)));
}

async function apart<T>({ provider }: NetworkConnection, act: () => Promise<T>): Promise<T> {
  const id: unknown = await provider.request({ method: "evm_snapshot" });
  const result = await act();
  await provider.request({ method: "evm_revert", params: [id] });
  return result;
}

async function gasOf(sent: Promise<ContractTransactionResponse>): Promise<number> {
  const receipt = await (await sent).wait();
  if (receipt?.status !== 1) throw new Error("the transaction was not mined");
  return Number(receipt.gasUsed);
}
