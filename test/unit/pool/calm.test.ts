/** Held and overdue reports, and `calm`, which products ask. */
import { expect } from "chai";
import { loadFixture, networkHelpers } from "../../helpers/network.ts";
import { ETH, apply, borrow, fundWithoutKeys, request, staked } from "../../helpers/reporting.ts";
import { protocol } from "../../helpers/protocol.ts";
import type { Protocol } from "../../helpers/protocol.ts";

const { time } = networkHelpers;

async function isCalm(p: Protocol): Promise<boolean> {
  const { lastRefTime } = await p.pool.books();
  const [calm, refTime] = await p.pool.calm();
  expect(refTime).to.equal(lastRefTime);
  return calm;
}

describe("StakingPool: calm", () => {
  it("is what continueFinalisation asks, and that requests are open", async () => {
    const p = await loadFixture(staked);
    expect(await isCalm(p)).to.equal(true);
    await p.queue.connect(p.guardian).pauseRequests(true);
    expect(await p.queue.requestsPaused()).to.equal(true);
    expect(await isCalm(p)).to.equal(false);
    await p.queue.connect(p.guardian).pauseRequests(false);
    expect(await isCalm(p)).to.equal(true);

    const snapshot = await networkHelpers.takeSnapshot();
    const { openUntil } = await p.pool.books();
    await time.increaseTo(openUntil);
    expect(await isCalm(p)).to.equal(true);
    await time.increaseTo(openUntil + 1n);
    expect(await isCalm(p)).to.equal(false);
    await snapshot.restore();

    // with 1,010 ETH one slashing is a basis point, two are not
    const registry = p.pool.connect(await borrow(p.validators));
    await registry.noteSlashing(await time.latest());
    expect(await isCalm(p)).to.equal(true);
    await registry.noteSlashing(await time.latest());
    expect(await isCalm(p)).to.equal(false);
    await apply(p);
    expect(await isCalm(p)).to.equal(true);

    await apply(p, { incident: true });
    expect(await isCalm(p)).to.equal(false);
    await apply(p);
    expect(await isCalm(p)).to.equal(true);
    const ether = await p.token.getTotalPooledEther();
    await apply(p, { gain: -(ether / 10_000n) + 1n });
    expect(await isCalm(p)).to.equal(true);
    await apply(p, { gain: -(ether * 2n) / 10_000n });
    expect(await isCalm(p)).to.equal(false);
  });

  it("is not calm before the first report: nothing was allowed yet", async () => {
    const p = await loadFixture(protocol);
    expect(await isCalm(p)).to.equal(false);
  });
});

describe("StakingPool: a held report", () => {
  it("stops deposits, fundings of both kinds and payments until a report is applied; the oracle alone holds", async () => {
    const p = await loadFixture(staked);
    await fundWithoutKeys(p, (await p.pool.buffer()) / (31n * ETH));
    await request(p, p.alice, 100n * ETH);
    await apply(p);
    await p.pool.connect(p.carol).deposit(p.carol, p.carol, { value: 100n * ETH });
    await expect(p.pool.connect(p.carol).hold())
      .to.be.revertedWithCustomError(p.pool, "OnlyOracle")
      .withArgs(p.carol.address);
    expect(await isCalm(p)).to.equal(true);
    await expect(p.pool.connect(await borrow(p.oracle)).hold())
      .to.emit(p.pool, "Held")
      .withArgs();
    const held = BigInt(await time.latest()) - 1n;
    expect((await p.pool.books()).openUntil).to.equal(held);
    expect(await isCalm(p)).to.equal(false);

    const registry = p.pool.connect(await borrow(p.validators));
    await networkHelpers.setBalance(await p.validators.getAddress(), 40n * ETH);
    for (const refused of [
      () => p.pool.connect(p.carol).deposit(p.carol, p.carol, { value: 1n }),
      () => p.carol.sendTransaction({ to: p.pool, value: 1n }),
      () => p.wrapped.connect(p.carol).stake(p.carol, p.carol, { value: ETH }),
      () => registry.fundValidators([]),
      () => registry.fundOwn(`0x${"5a".repeat(48)}`, p.carol, { value: 31n * ETH }),
    ])
      await expect(refused()).to.be.revertedWithCustomError(p.pool, "ReportOverdue").withArgs(held);
    await expect(p.pool.continueFinalisation()).to.be.revertedWithCustomError(p.pool, "FinalisationNotAllowed");

    await apply(p);
    expect(await isCalm(p)).to.equal(true);
    await p.pool.connect(p.carol).deposit(p.carol, p.carol, { value: 1n });
    expect(await p.queue.lastFinalizedId()).to.equal(1n);
  });

  it("fundOwn takes 31 ETH from the validator registry, no more and no less", async () => {
    const p = await loadFixture(staked);
    const key = `0x${"5a".repeat(48)}`;
    await expect(p.pool.connect(p.carol).fundOwn(key, p.carol, { value: 31n * ETH }))
      .to.be.revertedWithCustomError(p.pool, "OnlyValidators")
      .withArgs(p.carol.address);
    await networkHelpers.setBalance(await p.validators.getAddress(), 100n * ETH);
    const registry = p.pool.connect(await borrow(p.validators));
    for (const value of [0n, 31n * ETH - 1n, 31n * ETH + 1n, 32n * ETH])
      await expect(registry.fundOwn(key, p.carol, { value }))
        .to.be.revertedWithCustomError(p.pool, "WrongValue")
        .withArgs(value, 31n * ETH);
    const [books, buffer, shares] = [await p.pool.books(), await p.pool.buffer(), await p.token.sharesOf(p.carol)];
    await registry.fundOwn(key, p.carol, { value: 31n * ETH });
    expect((await p.pool.books()).funded - books.funded).to.equal(32n * ETH);
    expect(await p.pool.buffer()).to.equal(buffer);
    expect((await p.token.sharesOf(p.carol)) - shares).to.equal(await p.token.getSharesByPooledEth(31n * ETH));
  });
});
