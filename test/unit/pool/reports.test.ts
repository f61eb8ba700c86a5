/** What a report does to the books: StakingPool.applyReport and continueFinalisation. */
import { expect } from "chai";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import {
  ETH,
  FRAME,
  apply,
  borrow,
  fundWithoutKeys,
  largestGain,
  nextRefTime,
  nextReport,
  request,
  staked,
} from "../../helpers/reporting.ts";
import type { Protocol } from "../../helpers/protocol.ts";
import { protocol } from "../../helpers/protocol.ts";
import { someKeys } from "../../helpers/someKeys.ts";

const BP = 10_000n;
const YEAR = 365n * 86_400n;
const { time } = networkHelpers;

const ceilDiv = (a: bigint, b: bigint) => (a + b - 1n) / b;

interface Totals {
  readonly ether: bigint;
  readonly shares: bigint;
}

async function totals(p: Protocol): Promise<Totals> {
  return { ether: await p.token.getTotalPooledEther(), shares: await p.token.getTotalShares() };
}

async function give(p: Protocol, vault: { getAddress(): Promise<string> }, amount: bigint): Promise<void> {
  const held = await ethers.provider.getBalance(await vault.getAddress());
  await networkHelpers.setBalance(await vault.getAddress(), held + amount);
}

/** Moves shares of Alice to cover, as a penalty of an operator would. */
async function addCover(p: Protocol, shares: bigint): Promise<void> {
  await p.token.connect(p.alice).transferShares(p.queue, shares);
  await expect(p.pool.connect(await borrow(p.operators)).addCover(shares))
    .to.emit(p.pool, "CoverAdded")
    .withArgs(shares);
}

async function deposit(p: Protocol, value: bigint): Promise<void> {
  await p.pool.connect(p.carol).deposit(p.carol, ethers.ZeroAddress, { value });
}

describe("StakingPool: gains", () => {
  it("takes reports from the oracle only", async () => {
    const p = await loadFixture(staked);
    await expect(p.pool.connect(p.governor).applyReport(await nextReport(p)))
      .to.be.revertedWithCustomError(p.pool, "OnlyOracle")
      .withArgs(p.governor);
  });

  it("a gain raises T by all of it, and a tenth goes to the treasury in new shares", async () => {
    const p = await loadFixture(staked);
    const before = await totals(p);
    const gain = ETH / 10n;
    const tx = await apply(p, { gain });
    const fee = gain / 10n;
    const feeShares = (fee * before.shares) / (before.ether + gain - fee);
    const units = feeShares - (feeShares % 10n ** 9n); // less than a unit waits for more
    await expect(tx)
      .to.emit(p.pool, "ReportApplied")
      .withArgs(await nextRefTime(p, 0n), gain, gain, 0n, fee, 0n, 0n);
    expect(await totals(p)).to.deep.equal({ ether: before.ether + gain, shares: before.shares + feeShares });
    expect(await p.token.totalFeeShares()).to.equal(feeShares);
    await expect(p.operators.connect(p.carol).payTreasury())
      .to.emit(p.operators, "TreasuryPaid")
      .withArgs(p.treasury, units);
    await p.operators.payTreasury(); // nothing more
    expect(await p.token.sharesOf(p.treasury)).to.equal(units);
    expect(await p.token.balanceOf(p.treasury)).to.be.within(fee - 1n, fee);
  });

  it("knows what was funded by the last reference that fundings followed; a later one is never funded before its report", async () => {
    const p = await loadFixture(staked);
    await p.pool.connect(p.carol).deposit(p.carol, p.carol, { value: 500n * ETH });
    const first = await nextRefTime(p);
    const { openUntil } = await p.pool.books();
    await fundWithoutKeys(p, 1n);
    await time.increaseTo(openUntil - 1n);
    // the last moment: a frame and the grace after the last reference, less than the next reference
    await fundWithoutKeys(p, 2n);
    expect(openUntil).to.be.lessThan(first + FRAME);
    expect((await p.pool.books()).fundingBoundary).to.equal(first);
    await time.increaseTo(openUntil + 1n);
    await expect(fundWithoutKeys(p, 1n)).to.be.revertedWithCustomError(p.pool, "ReportOverdue").withArgs(openUntil);
    // days later: the report of the first frame knows of the first funding alone
    await time.increaseTo(first + 6n * FRAME);
    const before = await totals(p);
    await apply(p, { refTime: first, clBalance: 11n * 32n * ETH });
    expect(await totals(p)).to.deep.equal(before);
    expect(await p.pool.etherAtValidators()).to.equal(13n * 32n * ETH);
  });

  it("counts a funding in the block of the reference itself", async () => {
    const p = await loadFixture(staked);
    const refTime = await nextRefTime(p);
    const validators = await borrow(p.validators);
    await networkHelpers.time.setNextBlockTimestamp(refTime);
    await p.pool.connect(validators).fundValidators(someKeys(1n));
    const before = await totals(p);
    await apply(p, { clBalance: 11n * 32n * ETH });
    expect(await totals(p)).to.deep.equal(before);
    expect((await p.pool.books()).fundedAtLastRef).to.equal(11n * 32n * ETH);
  });

  it("counts what reached either vault, and takes it in", async () => {
    const p = await loadFixture(staked);
    const before = await totals(p);
    await give(p, p.rewardsVault, ETH / 20n);
    await give(p, p.withdrawalVault, ETH / 30n);
    await apply(p);
    expect((await totals(p)).ether).to.equal(before.ether + ETH / 20n + ETH / 30n);
    expect(await ethers.provider.getBalance(p.rewardsVault)).to.equal(0n);
    expect(await ethers.provider.getBalance(p.pool)).to.be.greaterThanOrEqual(await p.pool.buffer());
  });

  it("principal that returns is no gain: T, rate and treasury stay", async () => {
    const p = await loadFixture(staked);
    const before = await totals(p);
    const buffer = await p.pool.buffer();
    await give(p, p.withdrawalVault, 32n * ETH);
    await apply(p, { gain: -32n * ETH });
    expect(await totals(p)).to.deep.equal(before);
    expect(await p.token.totalFeeShares()).to.equal(0n);
    expect(await p.pool.buffer()).to.equal(buffer + 32n * ETH);
  });

  it("a gain above the limit is held back and recognised later, with one fee on each wei", async () => {
    const p = await loadFixture(staked);
    const gain = ETH;
    const before = await totals(p);
    let limit = await largestGain(p);
    expect(limit).to.be.lessThan(gain / 3n);
    await apply(p, { gain });
    expect((await p.pool.books()).heldBack).to.equal(gain - limit);
    expect((await totals(p)).ether).to.equal(before.ether + limit);
    let left = gain - limit;
    let fees = limit / 10n;
    while (left > 0n) {
      limit = await largestGain(p);
      const part = left < limit ? left : limit;
      await apply(p);
      left -= part;
      fees += part / 10n;
      expect((await p.pool.books()).heldBack).to.equal(left);
    }
    expect((await totals(p)).ether).to.equal(before.ether + gain);
    await apply(p);
    await p.operators.payTreasury();
    // what the treasury's shares earned meanwhile is its own
    expect(await p.token.balanceOf(p.treasury)).to.be.within(fees - 10n, fees + fees / 1_000n);
  });

  it("what is held back counts as buffer, not as anyone's", async () => {
    const p = await loadFixture(staked);
    await give(p, p.rewardsVault, 10n * ETH);
    const buffer = await p.pool.buffer();
    await apply(p);
    expect(await p.pool.buffer()).to.equal(buffer + 10n * ETH);
    expect(await ethers.provider.getBalance(p.pool)).to.be.greaterThanOrEqual(buffer + 10n * ETH);
  });

  it("Security: skipped frames do not trip limits: two merged frames recognise twice as much, three no more", async () => {
    for (const [frames, times] of [
      [2n, 2n],
      [3n, 2n],
    ] as const) {
      const p = await loadFixture(staked);
      const before = await totals(p);
      const limit = await largestGain(p, times);
      await apply(p, { gain: 3n * ETH, frames });
      expect((await totals(p)).ether).to.equal(before.ether + limit);
    }
  });
});

describe("StakingPool: falls", () => {
  it("a fall is taken whole, first from what was held back", async () => {
    const p = await loadFixture(staked);
    const limit = await largestGain(p);
    const before = await totals(p);
    await apply(p, { gain: limit + ETH });
    expect((await p.pool.books()).heldBack).to.equal(ETH);
    await apply(p, { gain: -2n * ETH });
    expect((await p.pool.books()).heldBack).to.equal(0n);
    expect((await totals(p)).ether).to.equal(before.ether + limit - ETH);
  });

  it("the fee has a high-water mark: none on a loss, none on its recovery, one above", async () => {
    const p = await loadFixture(staked);
    await apply(p, { gain: -ETH / 5n });
    const low = await totals(p);
    await apply(p, { gain: ETH / 5n });
    const level = await totals(p);
    expect(level).to.deep.equal({ ether: low.ether + ETH / 5n, shares: low.shares });
    expect(await p.token.totalFeeShares()).to.equal(0n);
    await apply(p, { gain: -ETH / 10n });
    await apply(p, { gain: ETH / 5n });
    // a tenth of the half that lies above; the mark is rounded up, by less than 2 wei here
    const { shares, ether } = await totals(p);
    const fee = ETH / 100n;
    const all = (fee * level.shares) / (ether - fee);
    expect(shares - level.shares).to.be.within(all - 2n * 10n ** 9n, all);
  });

  it("up to 1 bp still finalises, more finalises nothing", async () => {
    const p = await loadFixture(staked);
    await request(p, p.alice, ETH);
    const { ether } = await totals(p);
    const snapshot = await networkHelpers.takeSnapshot();
    await apply(p, { gain: -(ether / BP) - 1n });
    expect(await p.queue.lastFinalizedId()).to.equal(0n);
    expect((await p.pool.books()).finalisable).to.equal(false);
    await expect(p.pool.continueFinalisation()).to.be.revertedWithCustomError(p.pool, "FinalisationNotAllowed");
    await snapshot.restore();
    await apply(p, { gain: -(ether / BP) });
    expect(await p.queue.lastFinalizedId()).to.equal(1n);
  });

  it("more than 5 bp pauses deposits until the next report", async () => {
    const p = await loadFixture(staked);
    const { ether } = await totals(p);
    const limit = (ether * 5n) / BP;
    const snapshot = await networkHelpers.takeSnapshot();
    await apply(p, { gain: -limit });
    await deposit(p, ETH);
    await snapshot.restore();
    await apply(p, { gain: -limit - 1n });
    await expect(deposit(p, ETH))
      .to.be.revertedWithCustomError(p.pool, "DepositCapReached")
      .withArgs(ether - limit - 1n + ETH, 0n);
    await apply(p);
    await deposit(p, ETH);
  });

  it("refuses to lose everything", async () => {
    const p = await loadFixture(staked);
    const buffer = await p.pool.buffer();
    await deposit(p, 31n * ETH - (buffer % (31n * ETH)));
    await fundWithoutKeys(p, (await p.pool.buffer()) / (31n * ETH));
    const { ether } = await totals(p);
    expect(await p.pool.etherAtValidators()).to.equal(ether);
    await expect(apply(p, { clBalance: 0n }))
      .to.be.revertedWithCustomError(p.pool, "TotalWouldBeZero")
      .withArgs(-ether);
  });

  it("Security: absolute differences flag gains as losses: a deposit to validators within the frame is neither", async () => {
    const p = await loadFixture(staked);
    const before = await totals(p);
    await fundWithoutKeys(p, 3n);
    expect((await totals(p)).ether).to.equal(before.ether + 3n * ETH);
    const mid = await totals(p);
    await apply(p);
    expect(await totals(p)).to.deep.equal(mid);
    // funded after the reference slot: known to the next report
    await time.increaseTo((await nextRefTime(p)) + 60n);
    await fundWithoutKeys(p, 2n);
    const late = await totals(p);
    await apply(p);
    expect(await totals(p)).to.deep.equal(late);
    expect(await p.pool.etherAtValidators()).to.equal(15n * 32n * ETH);
    await apply(p);
    expect(await totals(p)).to.deep.equal(late);
  });
});

describe("StakingPool: vaults and late reports", () => {
  it("refuses a vault balance that can't be", async () => {
    const p = await loadFixture(staked);
    await give(p, p.rewardsVault, ETH);
    const before = await p.pool.books();
    const all = await totals(p);
    for (const [vault, field] of [
      [p.rewardsVault, "rewardsVaultBalance"],
      [p.withdrawalVault, "withdrawalVaultBalance"],
    ] as const) {
      const held = await ethers.provider.getBalance(vault);
      await expect(apply(p, { [field]: held + 1n }))
        .to.be.revertedWithCustomError(p.pool, "VaultBalanceImpossible")
        .withArgs(vault, held + 1n, held);
    }
    // a report that reverts changes nothing
    expect(await p.pool.books()).to.deep.equal(before);
    expect(await totals(p)).to.deep.equal(all);
    expect(await ethers.provider.getBalance(p.rewardsVault)).to.equal(ETH);
  });

  it("regression, late reports: what was swept after a reference is not counted twice, since that frame is merged", async () => {
    const p = await loadFixture(staked);
    const first = await nextRefTime(p);
    await give(p, p.rewardsVault, ETH / 50n);
    await give(p, p.withdrawalVault, ETH / 60n);
    const before = await totals(p);
    // executed after the next reference slot, at which the vaults still held what it takes, and more
    await time.increaseTo(first + FRAME + 600n);
    await give(p, p.rewardsVault, ETH / 70n);
    await apply(p, {
      refTime: first,
      after: FRAME + 1_200n,
      rewardsVaultBalance: ETH / 50n,
      withdrawalVaultBalance: ETH / 60n,
    });
    const executed = BigInt(await time.latest());
    expect((await p.pool.books()).lastReportTime).to.equal(executed);
    expect((await totals(p)).ether).to.equal(before.ether + ETH / 50n + ETH / 60n);
    const books = await p.pool.books();
    const atRef = { rewardsVaultBalance: ETH / 50n + ETH / 70n, withdrawalVaultBalance: ETH / 60n };
    await expect(apply(p, { ...atRef }))
      .to.be.revertedWithCustomError(p.pool, "ReferenceTooOld")
      .withArgs(first + FRAME, executed);
    expect(await p.pool.books()).to.deep.equal(books);
    await apply(p, { frames: 2n });
    expect((await totals(p)).ether).to.equal(before.ether + ETH / 50n + ETH / 60n + ETH / 70n);
    expect(await ethers.provider.getBalance(p.rewardsVault)).to.equal(0n);
  });

  it("a sweep in the reference block itself is in that block's balances", async () => {
    const p = await loadFixture(staked);
    const next = (await nextRefTime(p)) + FRAME;
    await give(p, p.rewardsVault, ETH / 50n);
    await apply(p, { after: FRAME });
    expect(BigInt(await time.latest())).to.equal(next);
    const before = await totals(p);
    await apply(p, { rewardsVaultBalance: 0n });
    expect((await totals(p)).ether).to.equal(before.ether);
  });

  it("takes a reference at the very moment of the last execution, and none before it", async () => {
    const p = await loadFixture(staked);
    const first = await nextRefTime(p);
    await apply(p, { after: FRAME + 1n });
    const executed = BigInt(await time.latest());
    expect(executed).to.equal(first + FRAME + 1n);
    await expect(apply(p))
      .to.be.revertedWithCustomError(p.pool, "ReferenceTooOld")
      .withArgs(first + FRAME, executed);
    await apply(p, { frames: 2n });
    await apply(p, { after: FRAME });
    await apply(p);
  });

  it("Security: forced ether on pool, queue and vaults changes no rate within a frame and blocks no report", async () => {
    const p = await loadFixture(staked);
    const before = await totals(p);
    const buffer = await p.pool.buffer();
    for (const house of [p.pool, p.queue, p.rewardsVault, p.withdrawalVault, p.token, p.oracle])
      await give(p, house, 77n * ETH);
    await p.carol.sendTransaction({ to: p.rewardsVault, value: ETH });
    expect(await totals(p)).to.deep.equal(before);
    expect(await p.pool.buffer()).to.equal(buffer);
    const limit = await largestGain(p);
    await apply(p);
    expect((await totals(p)).ether).to.equal(before.ether + limit);
    expect((await p.pool.books()).heldBack).to.equal(2n * 77n * ETH + ETH - limit);
  });

  it("takes ether from the vaults only", async () => {
    const p = await loadFixture(staked);
    await expect(p.pool.connect(p.carol).receiveFromVault({ value: 1n }))
      .to.be.revertedWithCustomError(p.pool, "OnlyVault")
      .withArgs(p.carol);
    for (const vault of [p.rewardsVault, p.withdrawalVault])
      await expect(vault.connect(p.carol).sweep(0n)).to.be.revertedWithCustomError(vault, "OnlyPool");
  });
});

describe("StakingPool: finalisation", () => {
  it("nothing is finalised in a report that says incident, nor after it until the next", async () => {
    const p = await loadFixture(staked);
    await request(p, p.alice, ETH);
    await apply(p, { incident: true });
    expect(await p.queue.lastFinalizedId()).to.equal(0n);
    await expect(p.pool.continueFinalisation()).to.be.revertedWithCustomError(p.pool, "FinalisationNotAllowed");
    await apply(p);
    expect(await p.queue.lastFinalizedId()).to.equal(1n);
  });

  it("Security: escaping a known loss: a proven slashing stops payments until a report covers it", async () => {
    const p = await loadFixture(staked);
    await request(p, p.alice, ETH);
    const refTime = await nextRefTime(p);
    const registry = p.pool.connect(await borrow(p.validators));
    await expect(registry.noteSlashing(refTime + 60n))
      .to.emit(p.pool, "SlashingNoted")
      .withArgs(refTime + 60n);
    await registry.noteSlashing(refTime - 60n);
    expect((await p.pool.books()).slashingTime).to.equal(refTime + 60n);
    await apply(p);
    expect(await p.queue.lastFinalizedId()).to.equal(0n);
    await expect(p.pool.continueFinalisation()).to.be.revertedWithCustomError(p.pool, "FinalisationNotAllowed");
    await apply(p);
    expect(await p.queue.lastFinalizedId()).to.equal(1n);
    await expect(p.pool.connect(p.carol).noteSlashing(1n)).to.be.revertedWithCustomError(p.pool, "OnlyValidators");
  });

  it("continueFinalisation stops when the report is overdue", async () => {
    const p = await loadFixture(staked);
    const buffer = await p.pool.buffer();
    await fundWithoutKeys(p, buffer / (31n * ETH));
    await request(p, p.alice, 100n * ETH);
    await apply(p);
    await deposit(p, 200n * ETH);
    const snapshot = await networkHelpers.takeSnapshot();
    const { openUntil } = await p.pool.books();
    await time.increaseTo(openUntil + 1n);
    await expect(p.pool.continueFinalisation()).to.be.revertedWithCustomError(p.pool, "FinalisationNotAllowed");
    await expect(deposit(p, ETH)).to.be.revertedWithCustomError(p.pool, "ReportOverdue").withArgs(openUntil);
    await snapshot.restore();
    await p.pool.continueFinalisation();
    expect(await p.queue.lastFinalizedId()).to.equal(1n);
  });

  it("regression, burn in continueFinalisation: the paid ether's shares burn at once and the rate stays", async () => {
    const p = await loadFixture(staked);
    const buffer = await p.pool.buffer();
    await fundWithoutKeys(p, buffer / (31n * ETH));
    await request(p, p.alice, 100n * ETH);
    const shares = await p.queue.unfinalisedShares();
    // the request's price is below the rate at which it is paid
    await apply(p, { gain: ETH / 10n });
    await deposit(p, 200n * ETH);
    const before = await totals(p);
    const rate = await p.token.rate();
    const burned = ceilDiv(100n * ETH * before.shares, before.ether);
    await expect(p.pool.connect(p.keeper).continueFinalisation())
      .to.emit(p.pool, "FinalisationContinued")
      .withArgs(100n * ETH, burned);
    expect(await totals(p)).to.deep.equal({ ether: before.ether - 100n * ETH, shares: before.shares - burned });
    expect((await p.pool.books()).cover).to.equal(shares - burned);
    expect(await p.token.sharesOf(p.queue)).to.equal(shares - burned);
    expect(await p.token.rate()).to.be.within(rate, rate + 1n);
  });

  it("regression, derived promised: what waits is valued at the rate of now, after a loss too", async () => {
    const p = await loadFixture(staked);
    await request(p, p.alice, 100n * ETH);
    expect(await p.pool.promised()).to.equal(100n * ETH);
    await apply(p, { gain: -10n * ETH });
    const { ether, shares } = await totals(p);
    const promised = ceilDiv((await p.queue.unfinalisedShares()) * ether, shares);
    expect(promised).to.be.lessThan(100n * ETH);
    expect(await p.pool.promised()).to.equal(promised);
    expect(await p.pool.depositable()).to.equal((await p.pool.buffer()) - promised);
    await apply(p);
    expect(await p.pool.promised()).to.equal(0n);
    expect(await p.pool.depositable()).to.equal(await p.pool.buffer());
  });

  it("Security: a limiter that burns too few shares: paying withdrawals never lowers the rate, whatever the gain", async () => {
    const p = await loadFixture(staked);
    const steps = [0n, 1n, ETH / 1_000n, ETH / 10n, 50n * ETH, ETH / 3n];
    for (const gain of steps) {
      await request(p, p.alice, 50n * ETH + gain / 7n);
      const rate = await p.token.rate();
      await apply(p, { gain });
      expect(await p.token.rate()).to.be.greaterThanOrEqual(rate - 1n);
    }
    expect(await p.queue.lastFinalizedId()).to.equal(BigInt(steps.length));
  });
});

describe("StakingPool: cover", () => {
  it("is added by the operator registry only, and burned by the next report when it is small", async () => {
    const p = await loadFixture(staked);
    await expect(p.pool.connect(p.carol).addCover(1n)).to.be.revertedWithCustomError(p.pool, "OnlyOperators");
    const before = await totals(p);
    const cover = 10n ** 27n / 100n;
    await addCover(p, cover);
    expect(await totals(p)).to.deep.equal(before);
    await apply(p);
    expect(await totals(p)).to.deep.equal({ ether: before.ether, shares: before.shares - cover });
    expect((await p.pool.books()).cover).to.equal(0n);
  });

  it("burns no faster than the largest APR allows, a report at a time", async () => {
    const p = await loadFixture(staked);
    await addCover(p, 10n ** 27n);
    const { maxAprBp } = await p.pool.policy();
    let left = 10n ** 27n;
    for (let i = 0; i < 3; i++) {
      const before = await totals(p);
      await apply(p);
      const y = BP * YEAR;
      const burned = before.shares - ceilDiv(before.shares * y, y + maxAprBp * FRAME);
      left -= burned;
      expect(await totals(p)).to.deep.equal({ ether: before.ether, shares: before.shares - burned });
      expect((await p.pool.books()).cover).to.equal(left);
    }
  });

  it("waits while gains use the whole allowance", async () => {
    const p = await loadFixture(staked);
    await addCover(p, 10n ** 27n);
    const before = await totals(p);
    const limit = await largestGain(p);
    await apply(p, { gain: 5n * ETH });
    const fee = limit / 10n;
    const feeShares = (fee * before.shares) / (before.ether + limit - fee);
    const { shares } = await totals(p);
    // no more than the fee's dilution is made good
    expect(before.shares - shares).to.be.within(-1n * feeShares, 1n * 10n ** 9n);
    expect((await p.pool.books()).cover).to.be.within(10n ** 27n - feeShares - 10n ** 9n, 10n ** 27n);
  });

  it("cover that is burned raises the mark: no fee on it later", async () => {
    const p = await loadFixture(staked);
    await addCover(p, 10n ** 27n / 100n);
    await apply(p);
    const rate = await p.token.rate();
    const { highWaterRate } = await p.pool.books();
    expect(highWaterRate).to.be.within(rate, rate + 1n);
  });

  it("regression, saturating 512-bit ceiling: totals near their type's limit neither overflow nor burn too much", async () => {
    const p = await loadFixture(staked);
    const policy = await p.pool.policy();
    const cap = 2n ** 64n - 1n;
    await p.pool.connect(p.governor).setPolicy({
      treasury: policy.treasury,
      feeBp: policy.feeBp,
      maxAprBp: policy.maxAprBp,
      depositCapGwei: cap,
    });
    await networkHelpers.setBalance(p.carol.address, 2n ** 127n);
    for (let i = 0; i < 3; i++) {
      await apply(p);
      await deposit(p, cap * 10n ** 9n - ETH);
    }
    const before = await totals(p);
    expect(before.ether * before.shares * BP * YEAR).to.be.greaterThan(2n ** 256n);
    const cover = before.shares / 1_000n;
    await p.token.connect(p.carol).transferShares(p.queue, cover);
    await p.pool.connect(await borrow(p.operators)).addCover(cover);
    await apply(p);
    const y = BP * YEAR;
    const kept = ceilDiv(before.ether * before.shares * y, before.ether * (y + policy.maxAprBp * FRAME));
    expect(await totals(p)).to.deep.equal({ ether: before.ether, shares: kept });
  });
});

describe("Security: rebase and oracle, in the pool", () => {
  it("Sandwiching a report: deposit, report, exit returns no more than one frame's capped gain", async () => {
    const p = await loadFixture(staked);
    const sandwich = 1_000n * ETH;
    await time.increaseTo((await nextRefTime(p)) - 7_200n);
    await deposit(p, sandwich);
    const limit = await largestGain(p);
    const { ether } = await totals(p);
    await apply(p, { gain: 40n * ETH });
    const worth = await p.token.balanceOf(p.carol);
    expect(worth - sandwich).to.be.lessThanOrEqual((limit * sandwich) / ether + 1n);
    await request(p, p.carol, worth);
    await apply(p);
    const [paid = 0n] = await p.queue.getClaimableEther([1n]);
    expect(paid).to.be.lessThanOrEqual(worth);
  });

  it("Sniping rewards: a request just before a report has the price before it", async () => {
    const p = await loadFixture(staked);
    await request(p, p.alice, ETH);
    await apply(p, { gain: ETH / 10n });
    expect(await p.queue.getClaimableEther([1n])).to.deep.equal([ETH]);
  });

  it("books of a pool that never had a report start from its first deposit", async () => {
    const p = await loadFixture(protocol);
    const { clLast, fundedAtLastRef, heldBack, cover, highWaterRate } = await p.pool.books();
    expect([clLast, fundedAtLastRef, heldBack, cover]).to.deep.equal([0n, 0n, 0n, 0n]);
    expect(highWaterRate).to.equal(10n ** 27n);
    expect(await p.pool.buffer()).to.equal(ETH / 100n);
  });
});
