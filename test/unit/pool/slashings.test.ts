/** What is paid while a slashing is proven that no report contains (docs/decisions/014). */
import { expect } from "chai";
import { loadFixture, networkHelpers } from "../../helpers/network.ts";
import { ETH, apply, borrow, fundWithoutKeys, nextRefTime, request, staked } from "../../helpers/reporting.ts";
import type { Protocol } from "../../helpers/protocol.ts";

const { time } = networkHelpers;

/** T is 2,010.01 ETH: two slashings are tolerated, a third is not. */
async function twoThousand(): Promise<Protocol> {
  const p = await loadFixture(staked);
  await p.pool.connect(p.carol).deposit(p.carol, p.carol, { value: 1_000n * ETH });
  await apply(p);
  return p;
}

/** Proves `count` slashings in a state of `slotTime`. */
async function slash(p: Protocol, count: bigint, slotTime: bigint): Promise<void> {
  const registry = p.pool.connect(await borrow(p.validators));
  for (let i = 0n; i < count; i++) await registry.noteSlashing(slotTime);
}

async function counts(p: Protocol): Promise<bigint[]> {
  const { slashed, slashedEarlier } = await p.pool.books();
  return [slashed, slashedEarlier];
}

describe("StakingPool: slashings that no report contains", () => {
  it("regression, core C and validators M: one validator slashed a day stops no payment", async () => {
    const p = await loadFixture(twoThousand);
    for (let day = 1n; day <= 5n; day++) {
      await request(p, p.alice, ETH);
      const refTime = await nextRefTime(p);
      await time.increaseTo(refTime + 60n);
      await slash(p, 1n, refTime + 24n);
      await apply(p);
      expect(await p.queue.lastFinalizedId()).to.equal(day);
      expect((await p.pool.books()).finalisable).to.equal(true);
      expect(await counts(p)).to.deep.equal([0n, 1n]);
    }
  });

  for (const { count, isPaid } of [
    { count: 1n, isPaid: true },
    { count: 2n, isPaid: true },
    { count: 3n, isPaid: false },
  ])
    it(`${count} in ${isPaid ? "" : "less than "}1,000 ETH each, proven after a report's reference: it ${isPaid ? "pays" : "waits"}, and the next one pays`, async () => {
      const p = await loadFixture(twoThousand);
      await request(p, p.alice, ETH);
      const refTime = await nextRefTime(p);
      await time.increaseTo(refTime + 60n);
      await slash(p, count, refTime + 24n);
      expect(await counts(p)).to.deep.equal([count, 0n]);
      await apply(p);
      expect(await counts(p)).to.deep.equal([0n, count]);
      expect(await p.queue.lastFinalizedId()).to.equal(isPaid ? 1n : 0n);
      expect((await p.pool.books()).finalisable).to.equal(isPaid);
      await apply(p);
      expect(await counts(p)).to.deep.equal([0n, 0n]);
      expect(await p.queue.lastFinalizedId()).to.equal(1n);
    });

  it("counts to the ether: 2 slashings in exactly 2,000 ETH are paid over, in a wei less they are not", async () => {
    for (const { missing, isPaid } of [
      { missing: 0n, isPaid: true },
      { missing: 1n, isPaid: false },
    ]) {
      const p = await loadFixture(staked);
      const room = 2_000n * ETH - (await p.token.getTotalPooledEther());
      await p.pool.connect(p.carol).deposit(p.carol, p.carol, { value: room - missing });
      await request(p, p.alice, ETH);
      const refTime = await nextRefTime(p);
      await time.increaseTo(refTime + 60n);
      await slash(p, 2n, refTime + 12n);
      await apply(p);
      expect(await p.queue.lastFinalizedId()).to.equal(isPaid ? 1n : 0n);
    }
  });

  it("those in states up to a report's reference are in it; one in a later state keeps all of them in doubt", async () => {
    const p = await loadFixture(twoThousand);
    await request(p, p.alice, ETH);
    const refTime = await nextRefTime(p);
    await time.increaseTo(refTime);
    await slash(p, 9n, refTime); // in the reference's own state
    await apply(p);
    expect(await counts(p)).to.deep.equal([0n, 0n]);
    expect(await p.queue.lastFinalizedId()).to.equal(1n);

    await request(p, p.alice, ETH);
    const next = await nextRefTime(p);
    await time.increaseTo(next + 60n);
    await slash(p, 2n, next - 60n);
    await slash(p, 1n, next + 12n);
    await slash(p, 1n, next - 7n * 86_400n); // an old state: the last report had it
    expect(await counts(p)).to.deep.equal([3n, 0n]);
    await apply(p);
    expect(await counts(p)).to.deep.equal([0n, 3n]);
    expect(await p.queue.lastFinalizedId()).to.equal(1n);
  });

  it("between reports those of before and those since count together", async () => {
    const p = await loadFixture(twoThousand);
    const buffer = await p.pool.buffer();
    await fundWithoutKeys(p, buffer / (31n * ETH));
    await request(p, p.alice, 100n * ETH);
    const refTime = await nextRefTime(p);
    await time.increaseTo(refTime + 60n);
    await slash(p, 1n, refTime + 12n);
    await apply(p);
    await p.pool.connect(p.carol).deposit(p.carol, p.carol, { value: 20n * ETH });
    await request(p, p.alice, ETH);
    const now = BigInt(await time.latest());
    await slash(p, 1n, now);
    expect(await counts(p)).to.deep.equal([1n, 1n]);
    expect(await p.pool.calm()).to.deep.equal([true, refTime]);
    const snapshot = await networkHelpers.takeSnapshot();
    await p.pool.connect(p.carol).deposit(p.carol, p.carol, { value: 100n * ETH });
    await p.pool.continueFinalisation();
    await snapshot.restore();
    await slash(p, 1n, now);
    expect(await counts(p)).to.deep.equal([2n, 1n]);
    expect(await p.pool.calm()).to.deep.equal([false, refTime]);
    await p.pool.connect(p.carol).deposit(p.carol, p.carol, { value: 100n * ETH });
    await expect(p.pool.continueFinalisation()).to.be.revertedWithCustomError(p.pool, "FinalisationNotAllowed");
  });

  it("more than 400 are never tolerated, however much ether there is", async () => {
    const p = await loadFixture(staked);
    await networkHelpers.setBalance(p.carol.address, 1_000_000n * ETH);
    for (const value of [149_000n, 149_000n, 149_000n]) {
      await p.pool.connect(p.carol).deposit(p.carol, p.carol, { value: value * ETH });
      await apply(p);
    }
    expect(await p.token.getTotalPooledEther()).to.be.greaterThan(401_000n * ETH);
    const { lastRefTime } = await p.pool.books();
    const now = BigInt(await time.latest());
    await slash(p, 400n, now);
    expect(await p.pool.calm()).to.deep.equal([true, lastRefTime]);
    await slash(p, 1n, now);
    expect(await p.pool.calm()).to.deep.equal([false, lastRefTime]);
  }).timeout(240_000);
});
