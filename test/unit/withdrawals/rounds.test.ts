/** Rounds and their finalisation: when they open and end, how far the ether reaches, what a loss does to who waits. */
import { expect } from "chai";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import {
  ETH,
  FRAME,
  MARGIN,
  RAY,
  apply,
  borrow,
  fundWithoutKeys,
  nextRefTime,
  request,
  staked,
} from "../../helpers/reporting.ts";
import { protocol } from "../../helpers/protocol.ts";
import type { Protocol } from "../../helpers/protocol.ts";

const MAX = 2n ** 256n - 1n;
const { time } = networkHelpers;

async function roundEnd(p: Protocol, id: bigint): Promise<bigint> {
  const [status] = await p.queue.getWithdrawalStatus([id]);
  return status?.roundEnd ?? 0n;
}

async function valueOf(p: Protocol, id: bigint): Promise<bigint> {
  const [status] = await p.queue.getWithdrawalStatus([id]);
  return status?.amount ?? 0n;
}

/** Moves what the pool can use to validators, in the books: less than 31 ether stay in the buffer. */
async function drain(p: Protocol): Promise<void> {
  const depositable = await p.pool.depositable();
  const count = depositable / (31n * ETH);
  if (count > 0n) await fundWithoutKeys(p, count);
}

async function claimable(p: Protocol, ...ids: bigint[]): Promise<bigint[]> {
  return [...(await p.queue.getClaimableEther(ids))];
}

describe("Rounds: when they open and end", () => {
  it("requests between two reports share a round, which ends at the next cut-off", async () => {
    const p = await loadFixture(staked);
    const cutoff = (await nextRefTime(p)) - MARGIN;
    await request(p, p.alice, ETH);
    await time.increaseTo(cutoff - 10n);
    await request(p, p.bob, ETH);
    expect(await roundEnd(p, 1n)).to.equal(cutoff);
    expect(await roundEnd(p, 2n)).to.equal(cutoff);
    expect(await p.queue.findHints([1n, 2n])).to.deep.equal([1n, 1n]);
    expect(await p.queue.oldestRoundEnd()).to.equal(cutoff);
  });

  it("the first ends where the pool that opens says", async () => {
    const p = await loadFixture(protocol);
    await p.pool.connect(p.alice).deposit(p.alice, ethers.ZeroAddress, { value: ETH });
    const snapshot = await networkHelpers.takeSnapshot();
    await request(p, p.alice, ETH);
    expect(await roundEnd(p, 1n)).to.equal((await nextRefTime(p)) - MARGIN);
    await snapshot.restore();
    const end = BigInt(await time.latest()) + 12_345n;
    await p.queue.connect(await borrow(p.pool)).open(end);
    await request(p, p.alice, ETH);
    expect(await roundEnd(p, 1n)).to.equal(end);
  });

  it("each tells its number, its first request, its rate and its end when it opens, and only then", async () => {
    const p = await loadFixture(staked);
    for (let round = 1n; round <= 3n; round++) {
      await apply(p, { gain: ETH / 7n });
      const first = (await p.queue.lastRequestId()) + 1n;
      const opens = p.queue.connect(p.alice).requestWithdrawals([ETH, ETH, ETH], p.alice);
      await expect(opens).to.emit(p.queue, "RoundOpened");
      const end = await roundEnd(p, first);
      expect(end).to.be.greaterThan(await time.latest());
      await expect(opens)
        .to.emit(p.queue, "RoundOpened")
        .withArgs(round, first, await p.token.rate(), end);
      await expect(p.queue.connect(p.bob).requestWithdrawals([ETH], p.bob)).to.not.emit(p.queue, "RoundOpened");
      expect(await p.queue.findHints([first, first + 3n])).to.deep.equal([round, round]);
    }
  });

  it("a request at the cut-off belongs to it; the next second opens a round that ends a frame later", async () => {
    const p = await loadFixture(staked);
    const cutoff = (await nextRefTime(p)) - MARGIN;
    await request(p, p.bob, ETH);
    await time.setNextBlockTimestamp(cutoff);
    await request(p, p.alice, ETH);
    await request(p, p.alice, ETH);
    expect([await roundEnd(p, 2n), await roundEnd(p, 3n)]).to.deep.equal([cutoff, cutoff + FRAME]);
    expect(await p.queue.findHints([1n, 2n, 3n])).to.deep.equal([1n, 1n, 2n]);
  });

  it("a report closes the open round, so that the next request has the new rate", async () => {
    const p = await loadFixture(staked);
    await time.increaseTo((await nextRefTime(p)) - MARGIN + 60n);
    await request(p, p.alice, ETH);
    const rate = await p.token.rate();
    await apply(p, { gain: ETH / 100n });
    await request(p, p.alice, ETH);
    expect(await p.token.rate()).to.be.greaterThan(rate);
    expect(await p.queue.findHints([1n, 2n])).to.deep.equal([1n, 2n]);
    const [first, second] = await p.queue.getWithdrawalStatus([1n, 2n]);
    expect(first?.roundEnd).to.equal(second?.roundEnd);
    expect(first?.amount).to.equal(((first?.shares ?? 0n) * rate) / RAY / 10n ** 9n);
    expect(second?.amount).to.be.greaterThanOrEqual(ETH - 1n);
  });

  it("missing reports: the end rolls on by whole frames, one round a frame", async () => {
    const p = await loadFixture(staked);
    const cutoff = (await nextRefTime(p)) - MARGIN;
    await time.increaseTo(cutoff + 3n * FRAME + 5n);
    await request(p, p.alice, ETH);
    await request(p, p.alice, ETH);
    expect([await roundEnd(p, 1n), await roundEnd(p, 2n)]).to.deep.equal([cutoff + 4n * FRAME, cutoff + 4n * FRAME]);
    await time.setNextBlockTimestamp(cutoff + 4n * FRAME + 1n);
    await request(p, p.alice, ETH);
    expect(await roundEnd(p, 3n)).to.equal(cutoff + 5n * FRAME);
    expect(await p.queue.findHints([1n, 2n, 3n])).to.deep.equal([1n, 1n, 2n]);
  });

  it("missing reports: a request at a rolled cut-off belongs to it, as at the first", async () => {
    const p = await loadFixture(staked);
    const cutoff = (await nextRefTime(p)) - MARGIN;
    for (const frames of [1n, 4n]) {
      await time.setNextBlockTimestamp(cutoff + frames * FRAME);
      await request(p, p.alice, ETH);
      expect(await roundEnd(p, await p.queue.lastRequestId())).to.equal(cutoff + frames * FRAME);
    }
  });

  it("a report sets the next round's end, on whatever grid the pool has then", async () => {
    const p = await loadFixture(staked);
    const end = BigInt(await time.latest()) + 12_345n;
    await p.queue.connect(await borrow(p.pool)).settleReport(end, RAY, 0n, 0n);
    await request(p, p.alice, ETH);
    expect(await roundEnd(p, 1n)).to.equal(end);
  });

  it("regression, cut-off rounds: a report pays only rounds that ended by its own cut-off", async () => {
    const p = await loadFixture(staked);
    const refTime = await nextRefTime(p);
    await request(p, p.alice, ETH);
    await time.increaseTo(refTime - MARGIN + 1n);
    await request(p, p.bob, ETH);
    await apply(p);
    expect(await p.queue.lastFinalizedId()).to.equal(1n);
    expect(await p.queue.oldestRoundEnd()).to.equal(refTime + FRAME - MARGIN);
    // no ether is missing: what waits is not due
    await expect(p.pool.continueFinalisation()).to.be.revertedWithCustomError(p.pool, "NothingToFinalise");
    await apply(p);
    expect(await p.queue.lastFinalizedId()).to.equal(2n);
    expect(await p.queue.oldestRoundEnd()).to.equal(0n);
  });

  it("a late report pays nothing that was asked for after its cut-off", async () => {
    const p = await loadFixture(staked);
    const refTime = await nextRefTime(p);
    await request(p, p.alice, ETH);
    await time.increaseTo(refTime + FRAME - MARGIN - 100n);
    await request(p, p.alice, ETH);
    await time.increaseTo(refTime + FRAME + 100n);
    await request(p, p.alice, ETH);
    await apply(p, { refTime, after: FRAME + 7_200n });
    const executed = BigInt(await time.latest());
    expect(await p.queue.lastFinalizedId()).to.equal(1n);
    // the next round's end lies in the past when the report says so: it rolls on
    await request(p, p.alice, ETH);
    expect(await roundEnd(p, 4n)).to.equal(refTime + 2n * FRAME - MARGIN);
    // nor does a report of the frame that passed meanwhile: it is merged into the next
    await expect(apply(p))
      .to.be.revertedWithCustomError(p.pool, "ReferenceTooOld")
      .withArgs(refTime + FRAME, executed);
    await time.increaseTo(refTime + 2n * FRAME - MARGIN);
    await request(p, p.alice, ETH);
    await apply(p, { frames: 2n });
    expect(await p.queue.lastFinalizedId()).to.equal(4n);
    expect(await p.queue.oldestRoundEnd()).to.equal(refTime + 3n * FRAME - MARGIN);
    await apply(p);
    expect(await p.queue.lastFinalizedId()).to.equal(5n);
  });

  it("a report of merged frames pays the rounds of all of them", async () => {
    const p = await loadFixture(staked);
    const cutoff = (await nextRefTime(p)) - MARGIN;
    for (let i = 0n; i < 3n; i++) {
      await request(p, p.alice, ETH);
      await time.increaseTo(cutoff + i * FRAME + 1n);
    }
    // each has an end of its own; the oldest counts
    for (let i = 0n; i < 3n; i++) expect(await roundEnd(p, i + 1n)).to.equal(cutoff + i * FRAME);
    expect(await p.queue.oldestRoundEnd()).to.equal(cutoff);
    await apply(p, { frames: 3n });
    expect(await p.queue.lastFinalizedId()).to.equal(3n);
  });
});

describe("Rounds: as far as the ether reaches", () => {
  it("finalises in order, part of a round by search, and pays to the wei what it takes from the buffer", async () => {
    const p = await loadFixture(staked);
    const amounts = [20n, 15n, 30n, 2n, 40n, 1n].map((n) => n * ETH);
    await drain(p);
    const free = await p.pool.buffer();
    await request(p, p.alice, ...amounts);
    await apply(p);
    let sum = 0n;
    let count = 0;
    while (count < amounts.length && sum + (amounts[count] ?? 0n) <= free) sum += amounts[count++] ?? 0n;
    expect(count).to.be.lessThan(amounts.length);
    expect(await p.queue.lastFinalizedId()).to.equal(BigInt(count));
    expect(await ethers.provider.getBalance(p.queue)).to.equal(sum);
    expect(await p.pool.buffer()).to.equal(free - sum);
  });

  it("pays the rest of a begun round with later ether, everyone the same rate", async () => {
    const p = await loadFixture(staked);
    await drain(p);
    const free = await p.pool.buffer();
    const half = free / 2n;
    await request(p, p.alice, half, half, half, half);
    await apply(p);
    expect(await p.queue.lastFinalizedId()).to.equal(2n);
    await p.pool.connect(p.carol).deposit(p.carol, ethers.ZeroAddress, { value: half });
    await apply(p);
    expect(await p.queue.lastFinalizedId()).to.equal(3n);
    expect(await claimable(p, 1n, 2n, 3n, 4n)).to.deep.equal([half, half, half, 0n]);
    // the last request of a round alone, and the first of the next
    await p.pool.connect(p.carol).deposit(p.carol, ethers.ZeroAddress, { value: half + 2n * ETH });
    await request(p, p.bob, ETH);
    await apply(p);
    expect(await p.queue.lastFinalizedId()).to.equal(5n);
  });

  it("a first request that the buffer does not reach holds up those behind it", async () => {
    const p = await loadFixture(staked);
    await drain(p);
    const free = await p.pool.buffer();
    await request(p, p.alice, free + ETH, ETH);
    await apply(p);
    expect(await p.queue.lastFinalizedId()).to.equal(0n);
    expect(await ethers.provider.getBalance(p.queue)).to.equal(0n);
    expect(await p.pool.depositable()).to.equal(0n);
  });

  it("Security: wrong batches cannot lock ether: what the queue holds is what its requests may claim", async () => {
    const p = await loadFixture(staked);
    await apply(p, { gain: ETH / 7n });
    let id = 0n;
    for (const amounts of [[101n, 3n * ETH + 1n, 777n], [ETH / 3n], [(5n * ETH) / 7n, 100n, 10n ** 9n + 1n]]) {
      id += BigInt((await request(p, p.alice, ...amounts)).length);
      await apply(p, { gain: ETH / 11n });
    }
    expect(await p.queue.lastFinalizedId()).to.equal(id);
    const ids = Array.from({ length: Number(id) }, (_, i) => BigInt(i + 1));
    const owed = (await claimable(p, ...ids)).reduce((a, b) => a + b, 0n);
    const held = await ethers.provider.getBalance(p.queue);
    expect(held - owed).to.be.within(0n, id);
    await p.queue.connect(p.alice).claimWithdrawals(ids, [], p.bob);
    expect(await ethers.provider.getBalance(p.queue)).to.equal(held - owed);
  });

  it("settles at most 64 rounds a report; anyone continues", async () => {
    const p = await loadFixture(staked);
    // two rounds a frame: one before the cut-off, one before the report; nothing is paid meanwhile
    for (let i = 0; i < 35; i++) {
      await request(p, p.alice, ETH);
      await time.increaseTo((await nextRefTime(p)) - MARGIN + 1n);
      await request(p, p.alice, ETH);
      await apply(p, { incident: i < 34 });
    }
    expect(await p.queue.findHints([70n])).to.deep.equal([70n]);
    expect(await p.queue.lastFinalizedId()).to.equal(64n);
    await p.pool.connect(p.carol).continueFinalisation();
    // the last round ends with the next cut-off
    expect(await p.queue.lastFinalizedId()).to.equal(69n);
    await expect(p.pool.continueFinalisation()).to.be.revertedWithCustomError(p.pool, "NothingToFinalise");
    await p.queue.connect(p.alice).claimWithdrawals([1n, 64n, 65n, 69n], [], p.alice);
  });

  it("Security: dust floods change nothing in the cost of a report", async () => {
    const p = await loadFixture(staked);
    const gasOf = async () => ((await (await apply(p, { gain: ETH / 100n })).wait())?.gasUsed ?? 0n) / 1_000n;
    const dust = (n: number) => Array.from({ length: n }, () => 100n);
    await gasOf();
    await request(p, p.alice, ETH);
    await gasOf();
    await request(p, p.alice, ...dust(10));
    const few = await gasOf();
    for (let i = 0; i < 4; i++) await request(p, p.alice, ...dust(200));
    const many = await gasOf();
    expect(await p.queue.lastFinalizedId()).to.equal(811n);
    expect(many).to.be.within(few - 2n, few + 2n);
  });
});

describe("Rounds: what a finalisation tells", () => {
  const units = async (p: Protocol, ...ids: bigint[]) => {
    const statuses = await p.queue.getWithdrawalStatus(ids);
    return statuses.reduce((sum, { shares }) => sum + shares, 0n) / 10n ** 9n;
  };

  it("from which units to which, for how much ether and at which rate at most: in a report", async () => {
    const p = await loadFixture(staked);
    await apply(p, { gain: ETH / 7n });
    await request(p, p.alice, 3n * ETH + 1n, 5n * ETH);
    const first = await units(p, 1n, 2n);
    const one = await apply(p, { gain: ETH / 11n });
    const rate = (await p.pool.books()).finalisationRate;
    const paid = await ethers.provider.getBalance(p.queue);
    expect(rate).to.be.greaterThan((paid * RAY) / first);
    await expect(one).to.emit(p.queue, "WithdrawalsFinalized").withArgs(0n, first, paid, rate);
    // the next goes on where this one ended; a fall lowers what it pays
    await request(p, p.bob, 7n * ETH + 3n);
    const second = await units(p, 3n);
    await apply(p, { gain: -ETH });
    const two = await apply(p);
    const lower = (await p.pool.books()).finalisationRate;
    expect(lower).to.be.lessThan(rate);
    await expect(two)
      .to.emit(p.queue, "WithdrawalsFinalized")
      .withArgs(first, first + second, (second * lower) / RAY, lower);
    await expect(two).to.changeEtherBalance(ethers, p.queue, (second * lower) / RAY);
  });

  it("the same in a continuation, at the report's rate", async () => {
    const p = await loadFixture(staked);
    await apply(p, { gain: ETH / 7n });
    await drain(p);
    const half = (await p.pool.buffer()) / 2n;
    await request(p, p.alice, half, half, half);
    const ends = [await units(p, 1n, 2n), await units(p, 1n, 2n, 3n)] as const;
    const begun = await apply(p);
    const rate = (await p.pool.books()).finalisationRate;
    const reached = await ethers.provider.getBalance(p.queue);
    await expect(begun).to.emit(p.queue, "WithdrawalsFinalized").withArgs(0n, ends[0], reached, rate);
    await p.pool.connect(p.carol).deposit(p.carol, ethers.ZeroAddress, { value: half });
    const [status] = await p.queue.getWithdrawalStatus([3n]);
    const paid = status?.amount ?? 0n;
    const continued = p.pool.connect(p.carol).continueFinalisation();
    await expect(continued).to.emit(p.queue, "WithdrawalsFinalized").withArgs(ends[0], ends[1], paid, rate);
    await expect(continued).to.changeEtherBalances(ethers, [p.queue, p.pool], [paid, -paid]);
  });

  it("nothing where nothing is finalised: none waits, ether is missing, the round goes on, or there was an incident", async () => {
    const p = await loadFixture(staked);
    const expectSilence = async (step: Parameters<typeof apply>[1] = {}) => {
      const last = await p.queue.lastFinalizedId();
      await expect(apply(p, step)).to.not.emit(p.queue, "WithdrawalsFinalized");
      expect(await p.queue.lastFinalizedId()).to.equal(last);
    };
    await expectSilence();
    await request(p, p.alice, ETH);
    await expectSilence({ incident: true });
    await expectSilence({ gain: -ETH });
    const pool = await borrow(p.pool);
    const now = BigInt(await time.latest());
    for (const call of [
      () => p.queue.connect(pool).finalise(RAY, now - 2n * FRAME, ETH), // the round had not ended
      () => p.queue.connect(pool).finalise(RAY, now + FRAME, ETH / 2n), // the ether does not reach
      () => p.queue.connect(pool).settleReport(now + FRAME, RAY, 0n, ETH),
    ])
      await expect(call()).to.not.emit(p.queue, "WithdrawalsFinalized");
    await expect(apply(p)).to.emit(p.queue, "WithdrawalsFinalized");
    await expectSilence();
    await drain(p);
    await request(p, p.alice, (await p.pool.buffer()) + ETH);
    await expectSilence();
  });
});

describe("Rounds: payment after a loss", () => {
  /** Requests 1 before, 2 in and 3 after a stretch in which the rate was below the opening rates. Rates at the three openings. */
  async function capped() {
    const p = await loadFixture(staked);
    const rates: bigint[] = [];
    const ask = async () => {
      rates.push(await p.token.rate());
      await request(p, p.alice, 10n * ETH);
    };
    await ask();
    await apply(p, { gain: ETH / 10n });
    await ask();
    // a fall of half a percent finalises nothing; the next report pays at the lower rate
    await apply(p, { gain: -5n * ETH });
    await apply(p);
    const low = await p.token.rate();
    await ask();
    await apply(p, { gain: ETH / 10n });
    return { p, rates, low };
  }

  const worth = (shares: bigint, rate: bigint) => (shares * rate) / RAY / 10n ** 9n;

  it("is min(opening rate, rate of its report): before, in and after the capped stretch", async () => {
    const { p, rates, low } = await loadFixture(capped);
    const statuses = await p.queue.getWithdrawalStatus([1n, 2n, 3n]);
    const shares = statuses.map((status) => status.shares);
    const [one = 0n, two = 0n, three = 0n] = shares;
    expect(await p.queue.lastFinalizedId()).to.equal(3n);
    expect(low).to.be.lessThan(rates[1] ?? 0n);
    const paid = [worth(one, rates[0] ?? 0n), worth(two, low), worth(three, rates[2] ?? 0n)];
    expect(await claimable(p, 1n, 2n, 3n)).to.deep.equal(paid);
    await expect(p.queue.connect(p.alice).claimWithdrawals([3n, 1n, 2n], [], p.bob)).to.changeEtherBalance(
      ethers,
      p.bob,
      paid.reduce((a, b) => a + b),
    );
    expect(await ethers.provider.getBalance(p.queue)).to.be.within(0n, 3n);
  });

  it("Security: a freely chosen hint pays what the right one pays, whichever round it names", async () => {
    const { p } = await loadFixture(capped);
    const before = await claimable(p, 1n, 2n, 3n);
    const right = await p.queue.findHints([1n, 2n, 3n]);
    expect(right).to.deep.equal([1n, 2n, 3n]);
    const snapshot = await networkHelpers.takeSnapshot();
    for (const hint of [0n, 1n, 2n, 3n, 4n, 5n, 2n ** 24n, 2n ** 255n, MAX - 1n, MAX]) {
      for (const [i, id] of [1n, 2n, 3n].entries()) {
        await expect(p.queue.connect(p.alice).claimWithdrawals([id], [hint], p.bob)).to.changeEtherBalance(
          ethers,
          p.bob,
          before[i] ?? -1n,
        );
      }
      await snapshot.restore();
    }
  });

  it("Security: batches do not mix rates: one by one, all at once, in any order", async () => {
    const { p } = await loadFixture(capped);
    const [a = 0n, b = 0n, c = 0n] = await claimable(p, 1n, 2n, 3n);
    const snapshot = await networkHelpers.takeSnapshot();
    for (const batches of [[[1n], [2n], [3n]], [[1n, 2n, 3n]], [[3n, 2n], [1n]], [[2n, 3n, 1n]]]) {
      const before = await ethers.provider.getBalance(p.bob);
      for (const ids of batches) await p.queue.connect(p.alice).claimWithdrawals(ids, [], p.bob);
      expect((await ethers.provider.getBalance(p.bob)) - before).to.equal(a + b + c);
      await snapshot.restore();
    }
  });

  it("Security: a loss is not socialised unequally: who waits loses what every holder loses, per share", async () => {
    const p = await loadFixture(staked);
    await request(p, p.alice, 100n * ETH);
    const bob = await p.token.balanceOf(p.bob);
    await apply(p, { gain: -20n * ETH });
    expect(await p.queue.lastFinalizedId()).to.equal(0n);
    await apply(p);
    const [paid = 0n] = await claimable(p, 1n);
    const left = await p.token.balanceOf(p.bob);
    // 100 and 400 ether before, to a few wei of rounding
    expect(paid * 4n).to.be.within(left - 8n, left + 8n);
    expect(left).to.be.lessThan(bob);
  });

  it("a later gain is not the waiting request's, whether its round was capped or not", async () => {
    const p = await loadFixture(staked);
    await drain(p);
    await request(p, p.alice, 100n * ETH);
    const amount = await valueOf(p, 1n);
    for (let i = 0; i < 3; i++) await apply(p, { gain: ETH / 10n });
    await p.pool.connect(p.carol).deposit(p.carol, ethers.ZeroAddress, { value: 200n * ETH });
    await apply(p);
    expect(await claimable(p, 1n)).to.deep.equal([amount]);
  });

  it("part of a round paid before a loss keeps its price; the other part bears the loss", async () => {
    const p = await loadFixture(staked);
    await drain(p);
    const free = await p.pool.buffer();
    await request(p, p.alice, free, free);
    await apply(p);
    expect(await p.queue.lastFinalizedId()).to.equal(1n);
    await apply(p, { gain: -5n * ETH });
    await apply(p);
    await p.pool.connect(p.carol).deposit(p.carol, ethers.ZeroAddress, { value: 2n * free });
    await apply(p);
    expect(await p.queue.lastFinalizedId()).to.equal(2n);
    const [first = 0n, second = 0n] = await claimable(p, 1n, 2n);
    expect(first).to.equal(free);
    expect(second).to.be.lessThan(free);
    expect(await ethers.provider.getBalance(p.queue)).to.be.within(first + second, first + second + 2n);
  });

  it("regression: a report below the price of a round that is already paid leaves no cap for the next round", async () => {
    const p = await loadFixture(staked);
    await request(p, p.alice, ETH);
    // round 1 is paid whole while it is the last
    await apply(p);
    const refTime = await nextRefTime(p);
    await time.increaseTo(refTime - MARGIN + 1n);
    await request(p, p.alice, 10n * ETH);
    // round 2 opens after the cut-off; the report lies a little below both, and pays nothing
    await apply(p, { gain: -ETH / 100n });
    expect(await p.queue.lastFinalizedId()).to.equal(1n);
    const amount = await valueOf(p, 2n);
    await apply(p, { gain: ETH / 5n });
    expect(await claimable(p, 2n)).to.deep.equal([amount]);
    // a cap that binds for later requests must not reach back
    await request(p, p.alice, ETH);
    await apply(p, { gain: -ETH, incident: true });
    await apply(p);
    expect(await p.queue.lastFinalizedId()).to.equal(3n);
    expect(await claimable(p, 2n)).to.deep.equal([amount]);
  });

  it("the queue's pool decides the cap: a report's F, not the rate at the claim", async () => {
    const { p } = await loadFixture(capped);
    const before = await claimable(p, 1n, 2n, 3n);
    await apply(p, { gain: -100n * ETH });
    await apply(p);
    expect(await claimable(p, 1n, 2n, 3n)).to.deep.equal(before);
    expect(await p.token.sharesOf(await borrow(p.queue))).to.equal((await p.pool.books()).cover);
  });
});
