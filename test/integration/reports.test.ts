/** Reports about the simulated beacon chain, by the committee, on the real contracts. */
import { expect } from "chai";
import { ethers, loadFixture, networkHelpers } from "../helpers/network.ts";
import { protocol } from "../helpers/protocol.ts";
import { contractValidatorProof } from "../../offchain/beacon/contractProofs.ts";

const ETH = 10n ** 18n;
const GWEI = 10n ** 9n;

/** Three validators of the operator, known to a report. */
async function running() {
  const p = await loadFixture(protocol);
  await p.pool.connect(p.alice).deposit(p.alice, ethers.ZeroAddress, { value: 200n * ETH });
  const keys = await p.fundValidator(3);
  await p.report();
  await p.report();
  return { p, key: keys[0]?.pubkey ?? "0x" };
}

describe("Integration: reports", () => {
  it("a validator's pending deposit counts as its balance: funding moves no rate", async () => {
    const p = await loadFixture(protocol);
    await p.pool.connect(p.alice).deposit(p.alice, ethers.ZeroAddress, { value: 200n * ETH });
    const rate = await p.token.rate();
    p.beacon.setRewardRate(0);
    await p.fundValidator(3);
    await p.report();
    expect(await p.token.rate()).to.equal(rate);
    expect((await p.pool.books()).clLast).to.equal(96n * ETH);
  });

  it("regression, late reports: one executed after the next reference slot merges that frame, to the wei", async () => {
    const { p } = await loadFixture(running);
    p.beacon.creditExecutionReward(await p.rewardsVault.getAddress(), ETH / 100n);
    const late = await p.readReport();
    // the beacon passes the next reference slot before anyone submits
    const next = await p.readReport({}, 2);
    const before = await p.token.getTotalPooledEther();
    await p.oracle.submitReport(late, await p.sign(late));
    const recognised = (await p.token.getTotalPooledEther()) - before;
    expect(recognised).to.be.greaterThan(ETH / 100n - 1n);
    // what the late one swept is not in that frame's balances: it is not reported, and nobody is asked to
    expect(await p.oracle.nextRefSlot()).to.equal(late.refSlot);
    const skipped = { ...next, prevReportHash: await p.oracle.lastReportHash() };
    await expect(p.oracle.submitReport(skipped, await p.sign(skipped))).to.be.revertedWithCustomError(
      p.pool,
      "ReferenceTooOld",
    );
    p.beacon.creditExecutionReward(await p.rewardsVault.getAddress(), ETH / 1_000n);
    const fresh = await p.readReport({}, 2);
    const { clLast, heldBack } = await p.pool.books();
    const gross = fresh.clBalanceGwei * GWEI - clLast + fresh.rewardsVaultBalance + fresh.withdrawalVaultBalance;
    const mid = await p.token.getTotalPooledEther();
    await p.oracle.submitReport(fresh, await p.sign(fresh));
    const after = await p.pool.books();
    expect((await p.token.getTotalPooledEther()) - mid + after.heldBack).to.equal(gross + heldBack);
    expect(await ethers.provider.getBalance(p.pool)).to.be.greaterThanOrEqual(await p.pool.buffer());
  });

  it("Security: escaping a known loss: a slashing proven on chain stops payments until a report has seen it", async () => {
    const { p, key } = await loadFixture(running);
    await p.queue.connect(p.alice).requestWithdrawals([ETH], p.alice);
    const report = await p.readReport();
    p.beacon.slash(key);
    await p.beacon.advanceSlots(2);
    await p.validators.connect(p.keeper).proveSlashed(contractValidatorProof(p.beacon.proveValidator(key)));
    await p.oracle.submitReport(report, await p.sign(report));
    expect(await p.queue.lastFinalizedId()).to.equal(0n);
    await expect(p.pool.continueFinalisation()).to.be.revertedWithCustomError(p.pool, "FinalisationNotAllowed");
    const rate = await p.token.rate();
    await p.report({}, 9);
    expect(await p.token.rate()).to.be.lessThan(rate);
    expect((await p.pool.books()).slashingTime).to.be.lessThanOrEqual((await p.pool.books()).lastRefTime);
  });

  it("a penalty lowers the rate for everyone alike, and its recovery pays no fee", async () => {
    const { p, key } = await loadFixture(running);
    const fees = await p.token.totalFeeShares();
    p.beacon.penalise(key, GWEI / 50n);
    const high = await p.token.rate();
    await p.report();
    expect(await p.token.rate()).to.be.lessThan(high);
    expect(await p.token.totalFeeShares()).to.equal(fees);
    p.beacon.creditExecutionReward(await p.rewardsVault.getAddress(), ETH / 1_000n);
    await p.report();
    expect(await p.token.rate()).to.be.lessThan(high);
    expect(await p.token.totalFeeShares()).to.equal(fees);
  });

  it("reports that nobody sent are merged: the next one covers their frames", async () => {
    const { p } = await loadFixture(running);
    const rate = await p.token.rate();
    const report = await p.readReport({}, 4);
    await expect(
      p.pool.connect(p.alice).deposit(p.alice, ethers.ZeroAddress, { value: ETH }),
    ).to.be.revertedWithCustomError(p.pool, "ReportOverdue");
    expect(await p.oracle.incident()).to.equal(true);
    await p.oracle.submitReport(report, await p.sign(report));
    expect(await p.oracle.incident()).to.equal(false);
    expect(await p.token.rate()).to.be.greaterThan(rate);
    await p.pool.connect(p.alice).deposit(p.alice, ethers.ZeroAddress, { value: ETH });
  });

  it("Security: forced ETH, or ether sent to a validator: no rate changes within the frame, and no report is blocked", async () => {
    const { p } = await loadFixture(running);
    const rate = await p.token.rate();
    for (const house of [p.pool, p.queue, p.rewardsVault, p.withdrawalVault]) {
      const held = await ethers.provider.getBalance(house);
      await networkHelpers.setBalance(await house.getAddress(), held + 5n * ETH);
    }
    expect(await p.token.rate()).to.equal(rate);
    const { maxAprBp } = await p.pool.policy();
    const before = await p.token.getTotalPooledEther();
    await p.report();
    expect((await p.token.getTotalPooledEther()) - before).to.equal((before * maxAprBp) / 3_650_000n);
  });
});
