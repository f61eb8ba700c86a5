import { expect } from "chai";
import { aprOver, aprSummary, readHistory, rewardsFrom, rewardsOf } from "../../../offchain/chain/history.ts";
import type { RebaseEntry } from "../../../offchain/chain/history.ts";
import { toEtherDown } from "../../../offchain/protocol/shares.ts";
import { BP, DAY, YEAR, shares, wei } from "../../../offchain/protocol/units.ts";
import { fundValidators, startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { connection, ethers, loadFixture } from "../../helpers/network.ts";
import { ETH, failure, sdkOf, watched } from "./harness.ts";

/** Two validators for 64 of 200 ETH, and reports after 1, 1, 3 and 1 frames, with movements between. */
async function earning() {
  const p = await startLocalProtocol(connection);
  const { alice, bob, carol } = p;
  await p.pool.connect(alice).deposit(alice, alice, { value: 100n * ETH });
  await p.pool.connect(bob).deposit(bob, bob, { value: 33n * ETH });
  await fundValidators(p, 2, 0);
  const truth: { readonly before: bigint; readonly after: bigint }[] = [];
  const report = async (frames: number): Promise<void> => {
    const held = await worth(p, alice.address);
    await p.committee.report({}, 5, frames);
    truth.push({ before: held, after: await worth(p, alice.address) });
  };
  await report(1);
  await p.token.connect(alice).transfer(bob, 7n * ETH + 3n);
  await p.token.connect(alice).approve(p.wrapped, 20n * ETH);
  await p.wrapped.connect(alice).wrap(20n * ETH);
  await report(1);
  await p.token.connect(bob).transferShares(alice, 5n * 10n ** 27n + 123_456_789n);
  await p.wrapped.connect(alice).transfer(carol, ETH);
  await report(3);
  await p.token.connect(alice).transfer(alice, ETH);
  await p.queue.connect(alice).requestWithdrawals([4n * ETH], alice);
  await p.wrapped.connect(alice).stake(alice, alice, { value: 2n * ETH });
  await report(1);
  return { p, truth };
}

async function worth(p: LocalProtocol, account: string): Promise<bigint> {
  const held = (await p.token.sharesOf(account)) + (await p.wrapped.balanceOf(account)) * 10n ** 9n;
  return p.token.getPooledEthByShares(held);
}

describe("the history of the rate", () => {
  it("has every report with its times, and what it did to the totals", async () => {
    const { p } = await loadFixture(earning);
    const { items } = await readHistory(await sdkOf(p));
    expect(items).to.have.length(4);
    const frame = 225n * 32n * 12n;
    const genesis = await p.oracle.genesisTime();
    expect(items.map(({ counted }) => counted / frame)).to.deep.equal([1n, 1n, 2n, 1n]);
    expect(items.at(-1)?.refTime).to.equal(genesis + (await p.oracle.lastRefSlot()) * 12n);
    const last = items.at(-1);
    const now = await p.token.totals();
    expect(last?.after).to.deep.equal({ ether: now.totalEther, shares: now.totalShares });
    expect(items.slice(1).reduce((sum, { feeShares }) => sum + feeShares, 0n) + (items[0]?.feeShares ?? 0n)).to.equal(
      await p.token.totalFeeShares(),
    );
  });

  it("is read on from what is kept, without reading again", async () => {
    const { p } = await loadFixture(earning);
    const { provider, asked } = watched();
    const sdk = await sdkOf(p, provider);
    const all = await readHistory(sdk, { unsettled: 0 });
    const third = all.items[2]?.block ?? 0;
    const part = await readHistory(sdk, { toBlock: third - 1 });
    expect(part.items).to.have.length(2);
    expect((await readHistory(sdk, { kept: part })).items).to.deep.equal(all.items);
    const before = asked.get("getLogs");
    await readHistory(sdk, { kept: all, unsettled: 0 });
    expect(asked.get("getLogs")).to.equal(before);
  });

  it("gives what the rate grew by in seconds, after fees, over reports that are missing", async () => {
    const { p } = await loadFixture(earning);
    const { items } = await readHistory(await sdkOf(p));
    const [first, second, third, last] = items as [RebaseEntry, RebaseEntry, RebaseEntry, RebaseEntry];
    const seconds = (last.refTime ?? 0n) - (second.refTime ?? 0n);
    expect(seconds).to.equal(4n * 225n * 32n * 12n);
    const apr = aprOver(items, seconds);
    expect(apr).to.include({ seconds, reports: 2 });
    const before = Number(second.after.ether) / Number(second.after.shares);
    const after = Number(last.after.ether) / Number(last.after.shares);
    const expected = ((after / before - 1) * Number(YEAR) * Number(BP)) / Number(seconds);
    expect(Math.abs(Number(apr?.bp) - expected)).to.be.lessThan(1.01);
    expect(Number(apr?.bp)).to.be.greaterThan(0);
    // a window that starts between two reports is lengthened to the one before
    expect(aprOver(items, seconds - 1n)).to.deep.equal(apr);
    expect(aprOver(items, seconds + 1n)?.seconds).to.equal((last.refTime ?? 0n) - (first.refTime ?? 0n));
    expect(aprOver(items, 300n * DAY)).to.include({ reports: 4 });
    expect(third.counted).to.be.lessThan((third.refTime ?? 0n) - (second.refTime ?? 0n));
  });

  it("gives the same rate however often was reported", () => {
    const entry = (day: bigint): RebaseEntry => ({
      block: Number(day),
      logIndex: 0,
      timestamp: day * DAY + 100n,
      refTime: day * DAY,
      counted: DAY,
      before: { ether: wei(10n ** 24n + (day - 1n) * 10n ** 20n), shares: shares(10n ** 33n) },
      after: { ether: wei(10n ** 24n + day * 10n ** 20n), shares: shares(10n ** 33n) },
      feeShares: shares(0n),
    });
    const daily = Array.from({ length: 40 }, (_, day) => entry(BigInt(day + 1)));
    const sparse = daily.filter(({ block }) => block === 40 || block === 33 || block === 10);
    expect(aprSummary(sparse)).to.deep.equal({
      week: { ...aprSummary(daily).week, reports: 1 },
      month: { ...aprSummary(daily).month, reports: 2 },
    });
    expect(aprSummary(daily).week).to.deep.include({ seconds: 7n * DAY, reports: 7 });
    expect(aprSummary(daily.slice(0, 1)).month).to.deep.include({ seconds: DAY, bp: 365n });
    expect(aprSummary([])).to.deep.equal({ week: undefined, month: undefined });
    const old = daily.map((one) => ({ ...one, refTime: one.block < 35 ? undefined : one.refTime }));
    expect(aprSummary(old).week?.seconds).to.equal(7n * DAY);
  });
});

describe("the rewards of an address", () => {
  it("are what its balance rose by with each report, through transfers, wrapping, requests and stakes", async () => {
    const { p, truth } = await loadFixture(earning);
    const sdk = await sdkOf(p);
    const history = await readHistory(sdk);
    const { rewards, total } = await rewardsOf(sdk, p.alice.address, history);
    expect(rewards).to.have.length(4);
    rewards.forEach(({ amount, value }, index) => {
      const known = truth[index];
      const off = amount - ((known?.after ?? 0n) - (known?.before ?? 0n));
      expect(off >= -2n && off <= 2n, `report ${index}: ${off} wei`).to.equal(true);
      expect(value - (known?.after ?? 0n) >= -6n && value - (known?.after ?? 0n) <= 6n).to.equal(true);
    });
    expect(total).to.be.greaterThan(10n ** 15n);
    expect(total).to.equal(rewards.reduce((sum, { amount }) => sum + amount, 0n));
  });

  it("are exact for who never moved, none for who never held", async () => {
    const { p } = await loadFixture(earning);
    const sdk = await sdkOf(p);
    const history = await readHistory(sdk);
    const nobody = await rewardsOf(sdk, p.guardian.address, history);
    expect(nobody).to.deep.equal({ rewards: [], total: 0n });
    const held = shares(10n ** 27n);
    const { rewards } = rewardsFrom(history.items, [], held);
    rewards.forEach(({ amount }, index) => {
      const entry = history.items[index] as RebaseEntry;
      expect(amount).to.equal(toEtherDown(held, entry.after) - toEtherDown(held, entry.before));
    });
  });

  it("need the history first", async () => {
    const { p } = await loadFixture(earning);
    const none = { cursor: { marks: [] }, items: [] };
    expect((await failure(rewardsOf(await sdkOf(p), p.alice.address, none))).message).to.contain("is read first");
    expect(await ethers.provider.getBlockNumber()).to.be.greaterThan(0);
  });
});
