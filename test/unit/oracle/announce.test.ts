/** A report that needs more than a quorum is made known, and everything waits for it (docs/decisions/016). */
import { expect } from "chai";
import { predeposit, prove } from "../../../devnet/simulated/localProtocol.ts";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { protocol } from "../../helpers/protocol.ts";
import { ETH } from "../../helpers/reporting.ts";
import { reportHash } from "../../../offchain/protocol/report.ts";
import type { Report } from "../../../offchain/protocol/report.ts";
import { gwei, wei } from "../../../offchain/protocol/units.ts";

const DAY = 86_400n;
const { time } = networkHelpers;

/** Three validators and two keys that wait; the next report's numbers, with `lost` gwei less. */
async function losing(lost: bigint) {
  const p = await loadFixture(protocol);
  await p.operators.connect(p.nodeOperator).addBond(p.operatorId, { value: 100n * ETH });
  await p.pool.connect(p.alice).deposit(p.alice, ethers.ZeroAddress, { value: 1_000n * ETH });
  await p.report();
  await p.fundValidator(3, 0);
  const queued = await predeposit(p, 2, 10);
  await prove(p, queued);
  const honest = await p.readReport();
  const validUntil = honest.validUntil + 400n * DAY;
  const report: Report = { ...honest, clBalanceGwei: gwei(honest.clBalanceGwei - lost), validUntil };
  return { p, report, queued: queued.map(({ pubkey }) => pubkey) };
}

describe("ReportOracle: announcing", () => {
  it("a quorum's report of a fall that needs more signatures stops everything until one is applied", async () => {
    const { p, report, queued } = await losing(20n * 10n ** 9n);
    const five = await p.sign(report, 5);
    await expect(p.oracle.submitReport(report, five))
      .to.be.revertedWithCustomError(p.oracle, "NotEnoughSignatures")
      .withArgs(5n, 7n);
    expect(await p.oracle.incident()).to.equal(false);
    const books = await p.pool.books();
    await expect(p.oracle.connect(p.bob).announceReport(report, five))
      .to.emit(p.oracle, "ReportAnnounced")
      .withArgs(report.refSlot, reportHash(report));
    const held = BigInt(await time.latest()) - 1n;
    // the books are as they were, but for the time until which they are open
    expect(await p.pool.books()).to.deep.equal(Object.assign([...books], { 18: held }));
    expect(await p.oracle.incident()).to.equal(true);
    expect(await p.oracle.lastRefSlot()).to.equal(report.refSlot - 7_200n);
    await expect(p.pool.connect(p.bob).deposit(p.bob, ethers.ZeroAddress, { value: ETH }))
      .to.be.revertedWithCustomError(p.pool, "ReportOverdue")
      .withArgs(held);
    await expect(p.validators.fundValidators(queued)).to.be.revertedWithCustomError(p.pool, "ReportOverdue");
    await expect(p.pool.continueFinalisation()).to.be.revertedWithCustomError(p.pool, "FinalisationNotAllowed");
    // once more changes nothing
    await p.oracle.announceReport(report, five);

    await p.oracle.submitReport(report, await p.sign(report, 7));
    expect((await p.pool.books()).openUntil).to.equal(await p.oracle.openUntil(report.refSlot));
    expect(await p.oracle.incident()).to.equal(true); // it lowered the rate
    await p.report();
    expect(await p.oracle.incident()).to.equal(false);
    await p.pool.connect(p.bob).deposit(p.bob, ethers.ZeroAddress, { value: ETH });
    await p.validators.fundValidators(queued);
  });

  it("refuses what submitReport refuses: too few signatures, an accepted report, one of another chain of reports", async () => {
    const { p, report } = await losing(0n);
    const before = [await p.pool.books(), await p.oracle.incident(), await p.oracle.lastReportHash()];
    const refused = async (changed: Report, count: number, error: string, ...args: unknown[]) =>
      expect(p.oracle.connect(p.bob).announceReport(changed, await p.sign(changed, count)))
        .to.be.revertedWithCustomError(p.oracle, error)
        .withArgs(...args);
    await refused(report, 4, "NotEnoughSignatures", 4n, 5n);
    await refused(report, 0, "NotEnoughSignatures", 0n, 5n);
    const other = { ...report, prevReportHash: ethers.id("another") };
    await refused(other, 5, "WrongPreviousReport", other.prevReportHash, report.prevReportHash);
    await refused({ ...report, committeeVersion: 9n }, 5, "WrongCommitteeVersion", 9n, 1n);
    const leaving = gwei(report.clBalanceGwei + 1n);
    await refused({ ...report, leavingGwei: leaving }, 5, "LeavingAboveBalance", leaving, report.clBalanceGwei);
    expect([await p.pool.books(), await p.oracle.incident(), await p.oracle.lastReportHash()]).to.deep.equal(before);
    await p.oracle.submitReport(report, await p.sign(report));
    await refused(report, 5, "ReferenceNotNewer", report.refSlot, report.refSlot);
    expect(await p.oracle.incident()).to.equal(false);
  });

  it("regression, core B: an announced loss of 5% waits six days for governance, and is applied as it was signed", async () => {
    const { p, report, queued } = await losing(50n * 10n ** 9n);
    const signatures = await p.sign(report, 9);
    await expect(p.oracle.submitReport(report, signatures)).to.be.revertedWithCustomError(
      p.oracle,
      "FallNeedsGovernance",
    );
    await p.oracle.announceReport(report, signatures);
    // what made it unreportable before: an ordinary funding in each frame that passes
    for (let day = 0; day < 6; day++) {
      await p.beacon.advanceTo(p.beacon.head.slot + 7_200);
      await expect(p.validators.connect(p.keeper).fundValidators([queued[0] ?? "0x"])).to.be.revertedWithCustomError(
        p.pool,
        "ReportOverdue",
      );
    }
    await p.oracle.connect(p.governor).approveFall(reportHash(report), true);
    const before = await p.token.getTotalPooledEther();
    await p.oracle.submitReport(report, signatures);
    const fallen = before - (await p.token.getTotalPooledEther());
    expect(fallen).to.be.within(49n * ETH, 50n * ETH);
    // its frames are merged: the next reference is the first after the execution
    const executed = BigInt(await time.latest());
    expect((await p.pool.books()).lastReportTime).to.equal(executed);
    expect(await p.oracle.nextRefSlot()).to.equal(report.refSlot);
    const tooOld = await p.readReport({}, 6);
    const refTime = (await p.oracle.genesisTime()) + tooOld.refSlot * 12n;
    expect(refTime).to.be.within(executed - DAY, executed - 1n);
    await expect(p.oracle.submitReport(tooOld, await p.sign(tooOld, 9)))
      .to.be.revertedWithCustomError(p.pool, "ReferenceTooOld")
      .withArgs(refTime, executed);
    await p.report({}, 9, 7);
    expect(await p.oracle.incident()).to.equal(false);
    await p.validators.connect(p.keeper).fundValidators([queued[0] ?? "0x"]);
  });

  it("says no frame is due that ended before the last report was executed", async () => {
    const { p, report } = await losing(0n);
    const refTime = (await p.oracle.genesisTime()) + report.refSlot * 12n;
    // executed in the very second of the next reference: that one may still be reported
    await time.setNextBlockTimestamp(refTime + DAY);
    await p.oracle.submitReport(report, await p.sign(report));
    await time.increaseTo(refTime + DAY + 1n);
    expect(await p.oracle.nextRefSlot()).to.equal(report.refSlot + 7_200n);
    await time.increaseTo(refTime + 2n * DAY + 1n);
    const next: Report = {
      ...report,
      refSlot: report.refSlot + 7_200n,
      prevReportHash: reportHash(report),
      rewardsVaultBalance: wei(0n),
      withdrawalVaultBalance: wei(0n),
    };
    await p.oracle.submitReport(next, await p.sign(next));
    expect(await p.oracle.nextRefSlot()).to.equal(next.refSlot);
    await time.increaseTo(refTime + 3n * DAY + 1n);
    expect(await p.oracle.nextRefSlot()).to.equal(next.refSlot + 2n * 7_200n);
  });
});
