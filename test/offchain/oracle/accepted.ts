/** The report that the contract accepted, compared with the simulated beacon's own numbers: no daemon's code is asked. */
import { expect } from "chai";
import type { Committee } from "./committee.ts";

export async function sameReport(c: Committee, refSlot: bigint): Promise<void> {
  const { oracle, beacon, committee, withdrawalVault, rewardsVault } = c.p;
  const events = await oracle.queryFilter(oracle.filters.ReportAccepted(refSlot));
  expect(events, `reports of slot ${refSlot}`).to.have.length(1);
  const transaction = await events[0]?.getTransaction();
  const call = oracle.interface.parseTransaction({ data: transaction?.data ?? "0x" });
  const [report] = (call?.args ?? []) as unknown as [Record<string, unknown>];
  const state = beacon.stateAt(Number(refSlot));
  const { number } = state.block.execution;
  const provider = oracle.runner?.provider;
  expect(report["refSlot"]).to.equal(refSlot);
  expect(report["blockRoot"]).to.equal(state.block.root);
  expect(report["clBalanceGwei"]).to.equal(state.clBalanceGwei(await committee.fundedKeys(number)));
  const leaving = state.leavingGwei(await committee.fundedKeys(number), refSlot / 32n);
  expect(report["leavingGwei"]).to.equal(leaving);
  expect(report["withdrawalVaultBalance"]).to.equal(await provider?.getBalance(withdrawalVault, number));
  expect(report["rewardsVaultBalance"]).to.equal(await provider?.getBalance(rewardsVault, number));
  expect(report["incident"]).to.equal(false);
}
