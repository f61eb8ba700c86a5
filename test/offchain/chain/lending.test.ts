import { expect } from "chai";
import { openLiquidity } from "../../../devnet/simulated/localLiquidity.ts";
import { startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { readHistory } from "../../../offchain/chain/history.ts";
import { readEtherPool, readEtherPoolAccount } from "../../../offchain/chain/read/etherPool.ts";
import { ownLending, poolRecord, readLending } from "../../../offchain/chain/read/lending.ts";
import { leave } from "../../../offchain/chain/write/leave.ts";
import type { Context } from "../../../offchain/chain/write/prepare.ts";
import { enter, enterApproval, exit, exitToEther, provide } from "../../../offchain/chain/write/provide.ts";
import { stake } from "../../../offchain/chain/write/stake.ts";
import { stakeBest } from "../../../offchain/chain/write/stakeBest.ts";
import { limitsOf, splitLeave } from "../../../offchain/protocol/router.ts";
import { unitsToShares } from "../../../offchain/protocol/shares.ts";
import { BP, DAY, YEAR, bp, shares, units, wei } from "../../../offchain/protocol/units.ts";
import { connection, ethers, loadFixture } from "../../helpers/network.ts";
import { ETH, sdkOf } from "./harness.ts";

/** Bob lends 100 ETH, Alice sells 12 in three days, Carol brings ether back; the rate grows meanwhile. */
async function lived() {
  const p = await startLocalProtocol(connection);
  const liquidity = await openLiquidity(connection, p);
  const protocol = await sdkOf(p, ethers.provider, liquidity.router);
  const [alice, bob, carol] = [p.alice, p.bob, p.carol].map((signer): Context => ({ protocol, signer })) as [
    Context,
    Context,
    Context,
  ];
  const report = async (): Promise<void> => {
    p.beacon.creditExecutionReward(await p.rewardsVault.getAddress(), ETH / 50n);
    await p.committee.report();
  };
  const begun = await (await stake(alice, wei(500n * ETH))).send();
  await (await provide(bob, wei(100n * ETH))).send();
  await report();
  const before = await ethers.provider.getBlockNumber();
  for (let count = 0; count < 3; count++) {
    await (await leave(alice, wei(4n * ETH), { permit: true, maxFeeBp: bp(300n) })).send();
    await report();
  }
  await (await stakeBest(carol, wei(5n * ETH))).send();
  await report();
  return { p, liquidity, protocol, alice, bob, carol, before, begun, report };
}

describe("what lending to the EtherPool earned", () => {
  it("is what the pool was worth at the reports, as the contract itself gave it then", async () => {
    const { p, liquidity, protocol } = await loadFixture(lived);
    const history = await readHistory(protocol);
    const lending = await readLending(protocol);
    const record = poolRecord(lending, history.items);
    expect(record).not.to.equal(undefined);
    if (record === undefined) return;
    const [base, last] = [history.items.at(-6), history.items.at(-1)];
    if (base === undefined || last === undefined) throw new Error("too few reports");
    const worthAt = (blockTag: number): Promise<bigint> => liquidity.etherPool.value({ blockTag });
    const broughtBy = async (who: string): Promise<bigint> => {
      const [entered] = await liquidity.etherPool.queryFilter(liquidity.etherPool.filters.Entered(undefined, who));
      if (entered === undefined) throw new Error("nobody entered");
      const moved = unitsToShares(units(entered.args.units));
      const blockTag = entered.blockNumber;
      return entered.args.ether_ + (await p.token.getPooledEthByShares(moved, { blockTag }));
    };
    const seconds = (last.refTime ?? 0n) - (base.refTime ?? 0n);
    expect(record.seconds)
      .to.equal(seconds)
      .and.to.equal(5n * DAY);
    const grown = last.after.ether * base.after.shares - base.after.ether * last.after.shares;
    expect(record.heldBp).to.equal((grown * BP * YEAR) / (base.after.ether * last.after.shares * seconds));
    // three sales of 4 ETH, and the one that brought the pool to its target; Carol was given a part of the fees
    expect(record.sold).to.be.within(12n * ETH, 12n * ETH + ETH / 10n);
    expect(record.fees).to.be.within((12n * ETH) / 1_000n, (12n * ETH * 150n) / BP);
    expect(record.rebates).to.be.within(1n, record.fees / 2n);
    const reports = await Promise.all(history.items.slice(-6).map(({ block }) => worthAt(block)));
    const mean = reports.reduce((sum, value) => sum + value, 0n) / 6n;
    // the seller that brought it to its target came before the first report; then only Bob's 100 ETH came in
    const lent = await broughtBy(p.bob.address);
    const gained = (reports[5] ?? 0n) - (reports[0] ?? 0n) - lent;
    expect(record.lentBp).to.be.within(
      (gained * BP * YEAR) / (mean * seconds) - 1n,
      (gained * BP * YEAR) / (mean * seconds) + 1n,
    );
    expect(record.lentBp).to.be.greaterThan(record.heldBp);
    expect(record.turnoverBp).to.equal((record.sold * BP * DAY) / (mean * seconds));
  });

  it("is not known before there were two reports since the pool was opened", async () => {
    const p = await startLocalProtocol(connection);
    const { router } = await openLiquidity(connection, p);
    const protocol = await sdkOf(p, ethers.provider, router);
    const history = await readHistory(protocol);
    expect(poolRecord(await readLending(protocol), history.items)).to.equal(undefined);
  });

  it("of one address is what it would lack, or have more, had it held the same as estETH", async () => {
    const { p, liquidity, protocol, bob } = await loadFixture(lived);
    const lp = await liquidity.etherPool.balanceOf(p.bob);
    const own = async () => {
      const [{ items }, lending] = await Promise.all([
        readHistory(protocol),
        readLending(protocol, { account: p.bob.address }),
      ]);
      return ownLending(lending, items, (await readEtherPoolAccount(protocol, p.bob.address)).lp);
    };
    const all = await own();
    // the other way round: what 100 ETH of estETH, bought when Bob lent, are worth now
    const [entered] = await liquidity.etherPool.queryFilter(liquidity.etherPool.filters.Entered(undefined, p.bob));
    if (entered === undefined) throw new Error("Bob did not enter");
    const then = { blockTag: entered.blockNumber };
    const bought = await p.token.getSharesByPooledEth(entered.args.ether_, then);
    const instead = await p.token.getPooledEthByShares(bought + unitsToShares(units(entered.args.units)));
    expect(all.lp).to.equal(lp);
    expect(all.gain).to.be.within(all.worth - instead - 3n, all.worth - instead + 3n);
    // 12 of 100 ETH in three days is far above 1% a day
    expect(all.gain).to.be.greaterThan(0n);

    // half of it out, by both ways: what came out counts as of then
    await (await exit(bob, wei(lp / 4n))).send();
    await (await exitToEther(bob, wei(lp / 4n), { permit: true })).send();
    const half = await own();
    expect(half.gain).to.be.within((all.gain ?? 0n) - 10n, (all.gain ?? 0n) + 10n);
    expect(half.worth).to.be.within(all.worth / 2n - 10n, all.worth / 2n + 10n);
    await (await enterApproval(bob, wei(ETH)))?.send();

    // entering costs the entry fee, which others get a part of
    await (await stake(bob, wei(2n * ETH))).send();
    await (await enterApproval(bob, wei(ETH)))?.send();
    await (await enter(bob, wei(ETH))).send();
    expect((await own()).gain).to.be.lessThan(half.gain ?? 0n);

    // LP of somebody else: what they cost is not known
    await liquidity.etherPool.connect(p.bob).transfer(p.carol, 1n);
    expect((await own()).gain).to.equal(undefined);
  });

  it("is read on from what was kept, and finds out where entries were left out", async () => {
    const { p, liquidity, protocol, bob } = await loadFixture(lived);
    const account = p.bob.address;
    const first = await readLending(protocol, { account });
    await (await exit(bob, wei(ETH))).send();
    const next = await readLending(protocol, { account, kept: first.kept });
    expect(next.kept.entries.items.length).to.equal(first.kept.entries.items.length + 1);
    expect(next.kept.movements.items.length).to.equal(2);
    expect(await liquidity.etherPool.balanceOf(account)).to.equal(
      next.kept.movements.items.reduce((sum, { lp }) => sum + lp, 0n),
    );
    const lacking = { ...next.kept, entries: { ...next.kept.entries, items: next.kept.entries.items.slice(1) } };
    // what was kept is at fault: all of it is read again
    const mended = await readLending(protocol, { account, kept: lacking });
    expect(mended.kept.entries.items).to.deep.equal(next.kept.entries.items);
  });
});

describe("limits of the fee that one can choose from", () => {
  it("sell ever more: from nothing to as much as can be sold, and none sells what another does", async () => {
    const { protocol } = await loadFixture(lived);
    const market = await readEtherPool(protocol);
    for (const amount of [ETH / 100n, ETH, 20n * ETH, 200n * ETH]) {
      const whole = unitsToShares(units(amount));
      const limits = limitsOf(market, whole);
      const sold = limits.map((limit) => splitLeave(market, whole, limit).sold);
      expect(limits[0]).to.equal(0n);
      expect(sold[0]).to.equal(0n);
      for (const [at, one] of sold.entries()) if (at > 0) expect(one > (sold[at - 1] ?? 0n)).to.equal(true);
      expect(sold.at(-1)).to.equal(splitLeave(market, whole, bp(10_000n)).sold);
      // one bp less than each sells less
      for (const limit of limits.slice(1)) {
        const less = splitLeave(market, whole, bp(limit - 1n)).sold;
        expect(less < splitLeave(market, whole, limit).sold).to.equal(true);
      }
    }
    expect(limitsOf({ ...market, calm: false }, shares(10n ** 27n))).to.deep.equal([0n]);
  });
});
