/** EtherPool: how it opens, enter, exit and the views, by call and by error. */
import { expect } from "chai";
import { ceilDiv, worthOf } from "../../helpers/feeCurve.ts";
import { ethers, loadFixture } from "../../helpers/network.ts";
import { protocol } from "../../helpers/protocol.ts";
import { ETH, apply } from "../../helpers/reporting.ts";
import { BP, PARAMETERS, SEED, UNIT, books, everything, liquid, scarce, totalsOf, unitsOf } from "./fixture.ts";

const NO_LIMIT = ethers.MaxUint256;
const LOCKED = "0x000000000000000000000000000000000000dEaD";

describe("EtherPool: how it opens", () => {
  it("locks the first lp, one a wei, and stands above its target in ether alone", async () => {
    const p = await loadFixture(protocol);
    const pool = await ethers.deployContract("EtherPool", [p.token, PARAMETERS], { value: SEED });
    expect(await pool.balanceOf(LOCKED)).to.equal(SEED);
    expect(await pool.totalSupply()).to.equal(SEED);
    expect(await pool.reserves()).to.deep.equal([SEED, 0n]);
    expect(await pool.targetEther()).to.equal((SEED * PARAMETERS.targetBp) / BP);
    expect(await pool.value()).to.equal(SEED);
    expect(await pool.name()).to.equal("Estuary Ether Pool");
    expect(await pool.symbol()).to.equal("estLP");
    expect(await pool.token()).to.equal(await p.token.getAddress());
    const read = [pool.minFeeBp(), pool.maxFeeBp(), pool.targetBp(), pool.rebateBp(), pool.entryFeeBp()];
    expect(await Promise.all(read)).to.deep.equal(Object.values(PARAMETERS));
    const [entered] = await pool.queryFilter(pool.filters.Entered);
    expect([...(entered?.args ?? [])]).to.deep.equal([await (await signer()).getAddress(), LOCKED, SEED, SEED, 0n]);
  });

  it("refuses less than its minimum", async () => {
    const p = await loadFixture(protocol);
    const factory = await ethers.getContractFactory("EtherPool");
    await expect(ethers.deployContract("EtherPool", [p.token, PARAMETERS], { value: SEED - 1n }))
      .to.be.revertedWithCustomError(factory, "SeedTooSmall")
      .withArgs(SEED - 1n, SEED);
  });

  for (const [name, value, least, most] of [
    ["minFeeBp", 0n, 1n, 30n],
    ["minFeeBp", 31n, 1n, 30n],
    ["maxFeeBp", 10n, 11n, 500n],
    ["maxFeeBp", 501n, 11n, 500n],
    ["targetBp", 999n, 1_000n, 8_000n],
    ["targetBp", 8_001n, 1_000n, 8_000n],
    ["rebateBp", 10_001n, 0n, 10_000n],
    ["entryFeeBp", 11n, 0n, 10n],
  ] as const)
    it(`refuses ${name} of ${value}`, async () => {
      const p = await loadFixture(protocol);
      const factory = await ethers.getContractFactory("EtherPool");
      const open = (parameters: typeof PARAMETERS) =>
        ethers.deployContract("EtherPool", [p.token, parameters], { value: SEED });
      await expect(open({ ...PARAMETERS, [name]: value }))
        .to.be.revertedWithCustomError(factory, "OutOfRange")
        .withArgs(value, least, most);
      await open({ ...PARAMETERS, [name]: value < least ? least : most });
    });

  it("takes the ends of every range", async () => {
    const p = await loadFixture(protocol);
    for (const parameters of [
      { minFeeBp: 1n, maxFeeBp: 2n, targetBp: 1_000n, rebateBp: 0n, entryFeeBp: 0n },
      { minFeeBp: 30n, maxFeeBp: 500n, targetBp: 8_000n, rebateBp: 10_000n, entryFeeBp: 10n },
    ])
      await ethers.deployContract("EtherPool", [p.token, parameters], { value: SEED });
  });
});

describe("EtherPool: enter", () => {
  it("takes the part of both books and the entry fee on it, rounded up, and gives back what was too much", async () => {
    const p = await loadFixture(scarce);
    const before = await books(p);
    const lp = 7n * ETH + 1n;
    const ether_ = ceilDiv(before.ether_ * lp * (BP + 2n), before.lp * BP);
    const units = ceilDiv(before.units * lp * (BP + 2n), before.lp * BP);
    expect(await p.etherPool.quoteEnter(lp)).to.deep.equal([ether_, units]);
    const shares = await p.token.sharesOf(p.alice);
    const entry = p.etherPool.connect(p.alice).enter(lp, units, p.dave, { value: ether_ + ETH });
    await expect(entry).to.emit(p.etherPool, "Entered").withArgs(p.alice, p.dave, lp, ether_, units);
    await expect(entry).to.changeEtherBalances(ethers, [p.alice, p.etherPool], [-ether_, ether_]);
    expect(await p.etherPool.balanceOf(p.dave)).to.equal(lp);
    expect(shares - (await p.token.sharesOf(p.alice))).to.equal(units * UNIT);
    expect(await books(p)).to.deep.equal({
      ether_: before.ether_ + ether_,
      units: before.units + units,
      lp: before.lp + lp,
    });
  });

  it("needs no allowance for a pool without units", async () => {
    const p = await loadFixture(protocol);
    const pool = await ethers.deployContract("EtherPool", [p.token, PARAMETERS], { value: SEED });
    const [ether_, units] = await pool.quoteEnter(ETH);
    expect([ether_, units]).to.deep.equal([(ETH * (BP + 2n)) / BP, 0n]);
    await pool.connect(p.carol).enter(ETH, 0n, p.carol, { value: ether_ });
    expect(await pool.balanceOf(p.carol)).to.equal(ETH);
  });

  it("refuses by its errors, with values, and changes nothing", async () => {
    const p = await loadFixture(scarce);
    const { etherPool } = p;
    const alice = etherPool.connect(p.alice);
    const [ether_, units] = await etherPool.quoteEnter(ETH);
    const supply = await etherPool.totalSupply();
    const refusing = await ethers.deployContract("RefusingOwner");
    const before = await everything(p);
    await expect(alice.enter(0n, NO_LIMIT, p.alice)).to.be.revertedWithCustomError(etherPool, "ZeroAmount");
    await expect(etherPool.quoteEnter(0n)).to.be.revertedWithCustomError(etherPool, "ZeroAmount");
    await expect(alice.enter(ETH, units, p.alice, { value: ether_ - 1n }))
      .to.be.revertedWithCustomError(etherPool, "AboveMaximum")
      .withArgs(ether_, ether_ - 1n);
    await expect(alice.enter(ETH, units - 1n, p.alice, { value: ether_ }))
      .to.be.revertedWithCustomError(etherPool, "AboveMaximum")
      .withArgs(units, units - 1n);
    for (const huge of [2n ** 96n - supply, 2n ** 255n])
      await expect(alice.enter(huge, NO_LIMIT, p.alice))
        .to.be.revertedWithCustomError(etherPool, "AboveMaximum")
        .withArgs(huge, 2n ** 96n - 1n - supply);
    await expect(alice.enter(ETH, units, ethers.ZeroAddress, { value: ether_ }))
      .to.be.revertedWithCustomError(etherPool, "ERC20InvalidReceiver")
      .withArgs(ethers.ZeroAddress);
    await expect(etherPool.connect(p.carol).enter(ETH, units, p.carol, { value: ether_ }))
      .to.be.revertedWithCustomError(p.token, "SharesExceedBalance")
      .withArgs(p.carol, units * UNIT, 0n);
    expect(await everything(p)).to.deep.equal(before);

    // who refuses what comes back
    await p.token.connect(p.alice).transferShares(refusing, units * UNIT);
    const approve = p.token.interface.encodeFunctionData("approve", [await etherPool.getAddress(), NO_LIMIT]);
    await refusing.execute(p.token, approve);
    const enter = etherPool.interface.encodeFunctionData("enter", [ETH, units, p.alice.address]);
    await expect(refusing.execute(etherPool, enter, { value: ether_ + 1n }))
      .to.be.revertedWithCustomError(etherPool, "TransferFailed")
      .withArgs(await refusing.getAddress(), 1n);
    await refusing.execute(etherPool, enter, { value: ether_ });
    expect(await etherPool.balanceOf(p.alice)).to.equal(ETH);
  });

  it("holds lp for a wei: whoever enters with one pays a wei and a unit for it", async () => {
    const p = await loadFixture(liquid);
    expect(await p.etherPool.quoteEnter(1n)).to.deep.equal([1n, 1n]);
    await p.etherPool.connect(p.alice).enter(1n, 1n, p.alice, { value: 1n });
    expect(await p.etherPool.quoteExit(1n)).to.deep.equal([0n, 0n]);
    await p.etherPool.connect(p.alice).exit(1n, 0n, 0n, p.alice);
    expect(await p.etherPool.balanceOf(p.alice)).to.equal(0n);
  });
});

describe("EtherPool: exit", () => {
  it("gives the part of both books, rounded down", async () => {
    const p = await loadFixture(scarce);
    const before = await books(p);
    const lp = 7n * ETH + 1n;
    const [ether_, units] = [(before.ether_ * lp) / before.lp, (before.units * lp) / before.lp];
    expect(await p.etherPool.quoteExit(lp)).to.deep.equal([ether_, units]);
    const exit = p.etherPool.connect(p.bob).exit(lp, ether_, units, p.dave);
    await expect(exit).to.emit(p.etherPool, "Exited").withArgs(p.bob, p.dave, lp, ether_, units);
    await expect(exit).to.changeEtherBalances(ethers, [p.dave, p.etherPool], [ether_, -ether_]);
    expect(await p.token.sharesOf(p.dave)).to.equal(units * UNIT);
    expect(await books(p)).to.deep.equal({
      ether_: before.ether_ - ether_,
      units: before.units - units,
      lp: before.lp - lp,
    });
  });

  it("lets the last LP leave: the locked lp keep their part, the pool trades on and takes new LPs", async () => {
    const p = await loadFixture(scarce);
    await p.etherPool.connect(p.bob).exit(await p.etherPool.balanceOf(p.bob), 0n, 0n, p.bob);
    const left = await books(p);
    expect(left.lp).to.equal(SEED);
    expect(await p.etherPool.value()).to.be.greaterThan((SEED * 99n) / 100n);
    await p.etherPool.connect(p.carol).buy(0n, p.carol, { value: await p.etherPool.buyable() });
    const [ether_, units] = await p.etherPool.quoteEnter(100n * ETH);
    await p.etherPool.connect(p.alice).enter(100n * ETH, units, p.alice, { value: ether_ });
    expect((await books(p)).lp).to.equal(SEED + 100n * ETH);
  });

  it("refuses by its errors, with values, and changes nothing", async () => {
    const p = await loadFixture(scarce);
    const { etherPool } = p;
    const bob = etherPool.connect(p.bob);
    const [ether_, units] = await etherPool.quoteExit(ETH);
    const supply = await etherPool.totalSupply();
    const refusing = await ethers.deployContract("RefusingOwner");
    const before = await everything(p);
    await expect(bob.exit(0n, 0n, 0n, p.bob)).to.be.revertedWithCustomError(etherPool, "ZeroAmount");
    await expect(bob.exit(ETH, ether_ + 1n, 0n, p.bob))
      .to.be.revertedWithCustomError(etherPool, "BelowMinimum")
      .withArgs(ether_, ether_ + 1n);
    await expect(bob.exit(ETH, 0n, units + 1n, p.bob))
      .to.be.revertedWithCustomError(etherPool, "BelowMinimum")
      .withArgs(units, units + 1n);
    for (const huge of [supply + 1n, 2n ** 255n])
      await expect(bob.exit(huge, 0n, 0n, p.bob))
        .to.be.revertedWithCustomError(etherPool, "AboveMaximum")
        .withArgs(huge, supply);
    await expect(etherPool.connect(p.carol).exit(ETH, 0n, 0n, p.carol))
      .to.be.revertedWithCustomError(etherPool, "ERC20InsufficientBalance")
      .withArgs(p.carol, 0n, ETH);
    await expect(bob.exit(ETH, 0n, 0n, ethers.ZeroAddress))
      .to.be.revertedWithCustomError(p.token, "ERC20InvalidReceiver")
      .withArgs(ethers.ZeroAddress);
    await expect(bob.exit(ETH, 0n, 0n, refusing))
      .to.be.revertedWithCustomError(etherPool, "TransferFailed")
      .withArgs(await refusing.getAddress(), ether_);
    expect(await everything(p)).to.deep.equal(before);
  });

  it("gives who refuses ether its units, where there is no ether to give", async () => {
    const p = await loadFixture(liquid);
    await p.etherPool.connect(p.alice).sellFor((await books(p)).ether_, NO_LIMIT, p.alice);
    const refusing = await ethers.deployContract("RefusingOwner");
    const [ether_, units] = await p.etherPool.quoteExit(ETH);
    expect(ether_).to.equal(0n);
    await p.etherPool.connect(p.bob).exit(ETH, 0n, units, refusing);
    expect(await p.token.sharesOf(refusing)).to.equal(units * UNIT);
  });
});

describe("EtherPool: views", () => {
  it("value is both books at the rate, rounded down, and follows it", async () => {
    const p = await loadFixture(scarce);
    const { ether_, units } = await books(p);
    const before = await p.etherPool.value();
    expect(before).to.equal(ether_ + worthOf(units, await totalsOf(p)));
    await apply(p, { gain: ETH / 2n });
    expect(await p.etherPool.value()).to.equal(ether_ + worthOf(units, await totalsOf(p)));
    expect(await p.etherPool.value()).to.be.greaterThan(before);
  });

  it("sellableWithin is nothing below the lowest fee, all of it at the highest, and in order between", async () => {
    const p = await loadFixture(liquid);
    const { ether_ } = await books(p);
    for (const feeBp of [0n, 9n]) expect(await p.etherPool.sellableWithin(feeBp)).to.equal(0n);
    const all = await p.etherPool.sellableWithin(300n);
    expect(await p.etherPool.sellableWithin(10_000n)).to.equal(all);
    expect(await p.etherPool.sellableWithin(2n ** 255n)).to.equal(all);
    expect(await p.etherPool.quoteSellFor(ether_)).to.be.closeTo(all, 2n);
    let last = 0n;
    for (const feeBp of [10n, 11n, 30n, 100n, 299n, 300n]) {
      const units = await p.etherPool.sellableWithin(feeBp);
      expect(units).to.be.greaterThan(last);
      last = units;
    }
  });

  it("selling what is sellable within 30 bp brings the marginal fee to 30 bp, and costs less on average", async () => {
    const p = await loadFixture(liquid);
    const units = await p.etherPool.sellableWithin(30n);
    const paid = await p.etherPool.quoteSell(units);
    const worth = worthOf(units, await totalsOf(p));
    expect((worth - paid) * BP).to.be.lessThan(25n * paid);
    await p.etherPool.connect(p.alice).sell(units, paid, p.alice);
    expect(await p.etherPool.marginalFee()).to.be.closeTo(3_000_000n, 1n);
    expect(await p.etherPool.marginalFee()).to.be.lessThan(3_000_001n);
  });

  it("buyable and sellableWithin may be 1 and 2, and a trade of that much works or says why not", async () => {
    const p = await loadFixture(liquid);
    const above = (await books(p)).ether_ - (await p.etherPool.targetEther());
    for (const room of [1n, 2n]) {
      const missing = room === 1n ? above + 1n : 1n;
      await p.etherPool.connect(p.alice).sellFor(missing, NO_LIMIT, p.alice);
      expect(await p.etherPool.buyable()).to.equal(room);
    }
    await p.etherPool.connect(p.carol).buy(0n, p.carol, { value: 2n });
    expect(await p.token.sharesOf(p.carol)).to.equal(UNIT);
    // of a reserve of a few wei
    await p.etherPool.connect(p.alice).sellFor((await books(p)).ether_ - 3n, NO_LIMIT, p.alice);
    const units = await p.etherPool.sellableWithin(10_000n);
    expect(units).to.be.lessThan(4n).and.greaterThan(1n);
    expect(await p.etherPool.quoteSell(units)).to.equal(units - 1n);
    await expect(p.etherPool.quoteSell(1n)).to.be.revertedWithCustomError(p.etherPool, "ZeroAmount");
  });

  it("quotes are what the calls give and cost", async () => {
    const p = await loadFixture(scarce);
    const { etherPool } = p;
    const units = await unitsOf(p, ETH);
    const alice = etherPool.connect(p.alice);
    expect(await alice.sell.staticCall(units, 0n, p.alice)).to.equal(await etherPool.quoteSell(units));
    expect(await alice.sellFor.staticCall(ETH, NO_LIMIT, p.alice)).to.equal(await etherPool.quoteSellFor(ETH));
    expect(await alice.buy.staticCall(0n, p.alice, { value: ETH })).to.equal(await etherPool.quoteBuy(ETH));
    expect(await alice.enter.staticCall(ETH, NO_LIMIT, p.alice, { value: ETH })).to.deep.equal(
      await etherPool.quoteEnter(ETH),
    );
    expect(await etherPool.connect(p.bob).exit.staticCall(ETH, 0n, 0n, p.bob)).to.deep.equal(
      await etherPool.quoteExit(ETH),
    );
  });
});

async function signer() {
  const [first] = await ethers.getSigners();
  if (first === undefined) throw new Error("no accounts");
  return first;
}
