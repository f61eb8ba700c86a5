/** EtherPool: sell, sellFor and buy, by call and by error. */
import { expect } from "chai";
import { boughtFor, costOf, soldFor, unitsDown, unitsUp, worthOf } from "../../helpers/feeCurve.ts";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { ETH, apply, fundWithoutKeys } from "../../helpers/reporting.ts";
import {
  NOT_CALM,
  PARAMETERS,
  UNIT,
  books,
  curveOf,
  everything,
  liquid,
  scarce,
  totalsOf,
  unitsOf,
} from "./fixture.ts";
import type { Liquid } from "./fixture.ts";

const NO_LIMIT = ethers.MaxUint256;

describe("EtherPool: sell", () => {
  it("pays what the curve says, books both assets and emits every amount", async () => {
    const p = await loadFixture(liquid);
    const [before, curve, totals] = [await books(p), await curveOf(p), await totalsOf(p)];
    const units = await unitsOf(p, 10n * ETH);
    const worth = worthOf(units, totals);
    const paid = soldFor(curve, before.ether_, worth);
    expect(await p.etherPool.quoteSell(units)).to.equal(paid);
    expect(paid)
      .to.be.lessThan(worth)
      .and.greaterThan((worth * 9_700n) / 10_000n);
    const shares = await p.token.sharesOf(p.alice);
    const sale = p.etherPool.connect(p.alice).sell(units, paid, p.dave);
    await expect(sale).to.emit(p.etherPool, "Sold").withArgs(p.alice, p.dave, units, worth, paid);
    await expect(sale).to.changeEtherBalances(ethers, [p.dave, p.etherPool], [paid, -paid]);
    expect(shares - (await p.token.sharesOf(p.alice))).to.equal(units * UNIT);
    expect(await books(p)).to.deep.equal({
      ether_: before.ether_ - paid,
      units: before.units + units,
      lp: before.lp,
    });
  });

  it("pays the lowest fee, and no more, while the reserve stays at or above the target", async () => {
    const p = await loadFixture(liquid);
    // entry fees brought the reserve a little above
    const { ether_ } = await books(p);
    const above = ether_ - (await p.etherPool.targetEther());
    expect(above).to.be.greaterThan(0n);
    expect(await p.etherPool.marginalFee()).to.equal(PARAMETERS.minFeeBp * 100_000n);
    const worth = worthOf(await p.etherPool.quoteSellFor(above), await totalsOf(p));
    expect(worth).to.be.closeTo(above + (above * PARAMETERS.minFeeBp) / 10_000n, 3n);
    await p.etherPool.connect(p.alice).sellFor(above, NO_LIMIT, p.alice);
    expect((await books(p)).ether_).to.equal(await p.etherPool.targetEther());
  });

  it("takes all of the reserve: sell of sellFor(R) leaves nothing, and more than that is refused", async () => {
    const p = await loadFixture(liquid);
    const [{ ether_, units: held }, totals] = [await books(p), await totalsOf(p)];
    const units = await p.etherPool.quoteSellFor(ether_);
    const worth = worthOf(units + 1n, totals);
    await expect(p.etherPool.connect(p.alice).sell(units + 1n, 0n, p.alice))
      .to.be.revertedWithCustomError(p.etherPool, "NotEnoughEther")
      .withArgs(worth, ether_);
    expect(await p.etherPool.quoteSell(units)).to.equal(ether_);
    await p.etherPool.connect(p.alice).sell(units, ether_, p.alice);
    expect(await books(p)).to.deep.include({ ether_: 0n, units: held + units });
    expect(await p.etherPool.marginalFee()).to.equal(PARAMETERS.maxFeeBp * 100_000n);
    // a drained pool: nothing is sellable, all is buyable up to its units
    expect(await p.etherPool.sellableWithin(10_000n)).to.equal(0n);
    expect(await p.etherPool.buyable()).to.equal(await p.etherPool.targetEther());
    await expect(p.etherPool.connect(p.alice).sell(UNIT, 0n, p.alice))
      .to.be.revertedWithCustomError(p.etherPool, "NotEnoughEther")
      .withArgs(worthOf(UNIT, totals), 0n);
    await expect(p.etherPool.connect(p.alice).sell(0n, 0n, p.alice)).to.be.revertedWithCustomError(
      p.etherPool,
      "ZeroAmount",
    );
  });

  it("refuses by its errors, with values, and changes nothing", async () => {
    const p = await loadFixture(liquid);
    const units = await unitsOf(p, ETH);
    const paid = await p.etherPool.quoteSell(units);
    const refusing = await ethers.deployContract("RefusingOwner");
    const { etherPool } = p;
    const alice = etherPool.connect(p.alice);
    const before = await everything(p);
    for (const few of [0n, 1n]) {
      // a unit is worth a wei, and the fee takes that
      await expect(alice.sell(few, 0n, p.alice)).to.be.revertedWithCustomError(etherPool, "ZeroAmount");
    }
    await expect(alice.sell(units, paid + 1n, p.alice))
      .to.be.revertedWithCustomError(etherPool, "BelowMinimum")
      .withArgs(paid, paid + 1n);
    for (const huge of [2n ** 96n, 2n ** 255n, 2n ** 256n - 1n])
      await expect(alice.sell(huge, 0n, p.alice))
        .to.be.revertedWithCustomError(etherPool, "AboveMaximum")
        .withArgs(huge, 2n ** 96n - 1n);
    await expect(alice.sell(2n ** 96n - 1n, 0n, p.alice)).to.be.revertedWithCustomError(etherPool, "NotEnoughEther");
    await expect(alice.sell(units, 0n, ethers.ZeroAddress))
      .to.be.revertedWithCustomError(etherPool, "InvalidReceiver")
      .withArgs(ethers.ZeroAddress);
    for (const receiver of [await refusing.getAddress(), await etherPool.getAddress()])
      await expect(alice.sell(units, 0n, receiver))
        .to.be.revertedWithCustomError(etherPool, "TransferFailed")
        .withArgs(receiver, paid);
    await expect(etherPool.connect(p.carol).sell(units, 0n, p.carol))
      .to.be.revertedWithCustomError(p.token, "SharesExceedBalance")
      .withArgs(p.carol, units * UNIT, 0n);
    expect(await everything(p)).to.deep.equal(before);
  });

  it("takes an allowance of exactly the ether value, rounded up, and not a wei less", async () => {
    const p = await loadFixture(liquid);
    const units = await unitsOf(p, ETH);
    const { totalEther, totalShares } = await totalsOf(p);
    const needed = (units * UNIT * totalEther + totalShares - 1n) / totalShares;
    await p.token.connect(p.alice).approve(p.etherPool, needed - 1n);
    await expect(p.etherPool.connect(p.alice).sell(units, 0n, p.alice))
      .to.be.revertedWithCustomError(p.token, "ERC20InsufficientAllowance")
      .withArgs(p.etherPool, needed - 1n, needed);
    await p.token.connect(p.alice).approve(p.etherPool, needed);
    await p.etherPool.connect(p.alice).sell(units, 0n, p.alice);
    expect(await p.token.allowance(p.alice, p.etherPool)).to.equal(0n);
  });

  it("takes no ether with a plain transfer", async () => {
    const p = await loadFixture(liquid);
    await expect(p.alice.sendTransaction({ to: p.etherPool, value: 1n })).to.be.revertedWithoutReason(ethers);
  });
});

describe("EtherPool: sellFor", () => {
  it("pays exactly what was asked for, at the curve's cost rounded up", async () => {
    const p = await loadFixture(liquid);
    const [before, curve, totals] = [await books(p), await curveOf(p), await totalsOf(p)];
    for (const out of [1n, 12_345n, 7n * ETH]) {
      const { ether_ } = await books(p);
      const units = unitsUp(costOf(curve, ether_, out), totals);
      expect(await p.etherPool.quoteSellFor(out)).to.equal(units);
      const sale = p.etherPool.connect(p.alice).sellFor(out, units, p.dave);
      const worth = worthOf(units, totals);
      await expect(sale).to.emit(p.etherPool, "Sold").withArgs(p.alice, p.dave, units, worth, out);
      await expect(sale).to.changeEtherBalances(ethers, [p.dave, p.etherPool], [out, -out]);
    }
    expect((await books(p)).ether_).to.equal(before.ether_ - 12_346n - 7n * ETH);
  });

  it("refuses by its errors, with values, and changes nothing", async () => {
    const p = await loadFixture(liquid);
    const { ether_ } = await books(p);
    const { etherPool } = p;
    const alice = etherPool.connect(p.alice);
    const before = await everything(p);
    await expect(alice.sellFor(0n, NO_LIMIT, p.alice)).to.be.revertedWithCustomError(etherPool, "ZeroAmount");
    for (const out of [ether_ + 1n, 2n ** 255n])
      await expect(alice.sellFor(out, NO_LIMIT, p.alice))
        .to.be.revertedWithCustomError(etherPool, "NotEnoughEther")
        .withArgs(out, ether_);
    const units = await etherPool.quoteSellFor(ETH);
    await expect(alice.sellFor(ETH, units - 1n, p.alice))
      .to.be.revertedWithCustomError(etherPool, "AboveMaximum")
      .withArgs(units, units - 1n);
    await expect(alice.sellFor(ETH, units, ethers.ZeroAddress))
      .to.be.revertedWithCustomError(etherPool, "InvalidReceiver")
      .withArgs(ethers.ZeroAddress);
    expect(await everything(p)).to.deep.equal(before);
  });
});

describe("EtherPool: buy", () => {
  it("sends estETH at the rate and a half of the scarcity, and emits every amount", async () => {
    const p = await loadFixture(scarce);
    const [before, curve, totals] = [await books(p), await curveOf(p), await totalsOf(p)];
    const paid = 5n * ETH;
    const worth = boughtFor(curve, before.ether_, paid, PARAMETERS.rebateBp);
    const units = unitsDown(worth, totals);
    expect(worth).to.be.greaterThan(paid);
    expect(await p.etherPool.quoteBuy(paid)).to.equal(units);
    const purchase = p.etherPool.connect(p.carol).buy(units, p.dave, { value: paid });
    await expect(purchase).to.emit(p.etherPool, "Bought").withArgs(p.carol, p.dave, paid, worth, units);
    expect(await p.token.sharesOf(p.dave)).to.equal(units * UNIT);
    expect(await books(p)).to.deep.equal({
      ether_: before.ether_ + paid,
      units: before.units - units,
      lp: before.lp,
    });
  });

  it("fills to the target exactly, and takes nothing at it", async () => {
    const p = await loadFixture(scarce);
    const room = await p.etherPool.buyable();
    expect(room).to.equal((await p.etherPool.targetEther()) - (await books(p)).ether_);
    await expect(p.etherPool.connect(p.carol).buy(0n, p.carol, { value: room + 1n }))
      .to.be.revertedWithCustomError(p.etherPool, "AboveTarget")
      .withArgs(room);
    await p.etherPool.connect(p.carol).buy(0n, p.carol, { value: room });
    expect(await p.etherPool.buyable()).to.equal(0n);
    expect((await books(p)).ether_).to.equal(await p.etherPool.targetEther());
    await expect(p.etherPool.connect(p.carol).buy(0n, p.carol, { value: 1n }))
      .to.be.revertedWithCustomError(p.etherPool, "AboveTarget")
      .withArgs(0n);
    // above the target, where a new pool is: the same
    const fresh = await loadFixture(liquid);
    expect(await fresh.etherPool.buyable()).to.equal(0n);
    await expect(fresh.etherPool.connect(p.carol).buy(0n, p.carol, { value: 1n }))
      .to.be.revertedWithCustomError(p.etherPool, "AboveTarget")
      .withArgs(0n);
  });

  it("refuses by its errors, with values, and changes nothing", async () => {
    const p = await loadFixture(scarce);
    const { etherPool } = p;
    const carol = etherPool.connect(p.carol);
    const units = await etherPool.quoteBuy(ETH);
    const before = await everything(p);
    await expect(carol.buy(0n, p.carol)).to.be.revertedWithCustomError(etherPool, "ZeroAmount");
    await expect(etherPool.quoteBuy(0n)).to.be.revertedWithCustomError(etherPool, "ZeroAmount");
    await expect(carol.buy(units + 1n, p.carol, { value: ETH }))
      .to.be.revertedWithCustomError(etherPool, "BelowMinimum")
      .withArgs(units, units + 1n);
    await expect(carol.buy(0n, ethers.ZeroAddress, { value: ETH }))
      .to.be.revertedWithCustomError(p.token, "ERC20InvalidReceiver")
      .withArgs(ethers.ZeroAddress);
    await expect(etherPool.quoteBuy(2n ** 255n)).to.be.revertedWithCustomError(etherPool, "AboveTarget");
    expect(await everything(p)).to.deep.equal(before);
  });

  it("never sends more units than there are: after a fall of half, buyable is what they are worth", async () => {
    const p = await loadFixture(liquid);
    const { ether_ } = await books(p);
    await p.etherPool.connect(p.alice).sellFor(ether_, NO_LIMIT, p.alice);
    await fundWithoutKeys(p, (await p.pool.buffer()) / (31n * ETH));
    await apply(p);
    for (let i = 0; i < 3; i++) {
      await apply(p, { gain: -((await p.token.getTotalPooledEther()) / 2n) });
      await apply(p);
    }
    const [{ units }, target] = [await books(p), await p.etherPool.targetEther()];
    const room = await p.etherPool.buyable();
    expect(room).to.be.lessThan(target).and.greaterThan(0n);
    const wanted = unitsDown(boughtFor(await curveOf(p), 0n, target, PARAMETERS.rebateBp), await totalsOf(p));
    await expect(p.etherPool.connect(p.carol).buy(0n, p.carol, { value: target }))
      .to.be.revertedWithCustomError(p.etherPool, "NotEnoughUnits")
      .withArgs(wanted, units);
    await p.etherPool.connect(p.carol).buy(0n, p.carol, { value: room });
    expect((await books(p)).units).to.be.lessThan((units * 2n) / 100n);
  });

  it("refuses a purchase that comes to no unit", async () => {
    const p = await loadFixture(scarce);
    expect(worthOf(10n ** 9n, await totalsOf(p))).to.be.greaterThan(10n ** 9n); // a unit is worth more than a wei
    await expect(p.etherPool.connect(p.carol).buy(0n, p.carol, { value: 1n })).to.be.revertedWithCustomError(
      p.etherPool,
      "ZeroAmount",
    );
  });
});

describe("EtherPool: trades while the protocol is not calm", () => {
  async function expectHalted(p: Liquid): Promise<void> {
    const { etherPool } = p;
    expect(await etherPool.sellableWithin(10_000n)).to.equal(0n);
    expect(await etherPool.buyable()).to.equal(0n);
    const before = await everything(p);
    const units = await unitsOf(p, ETH);
    for (const trade of [
      () => etherPool.connect(p.alice).sell(units, 0n, p.alice),
      () => etherPool.connect(p.alice).sellFor(ETH, NO_LIMIT, p.alice),
      () => etherPool.connect(p.carol).buy(0n, p.carol, { value: ETH }),
      () => etherPool.quoteSell(units),
      () => etherPool.quoteSellFor(ETH),
      () => etherPool.quoteBuy(ETH),
    ])
      await expect(trade()).to.be.revertedWithCustomError(etherPool, "NotCalm");
    expect(await everything(p)).to.deep.equal(before);
  }

  /** Both assets come and go, at their parts of the books. */
  async function expectOpenToLiquidity(p: Liquid): Promise<void> {
    const lp = 3n * ETH;
    const [ether_, units] = await p.etherPool.quoteEnter(lp);
    await p.etherPool.connect(p.alice).enter(lp, units, p.alice, { value: ether_ });
    const [out, back] = await p.etherPool.quoteExit(lp);
    await p.etherPool.connect(p.alice).exit(lp, out, back, p.alice);
    expect(out).to.be.lessThan(ether_ + 1n);
    expect(back).to.be.lessThan(units + 1n);
  }

  for (const [reason, make] of Object.entries(NOT_CALM))
    it(`L7: are refused where ${reason}; liquidity comes and goes`, async () => {
      const p = await loadFixture(scarce);
      expect(await p.etherPool.buyable()).to.be.greaterThan(0n);
      await make(p);
      await expectHalted(p);
      await expectOpenToLiquidity(p);
    });

  it("L7: are refused from the second on in which a report is overdue", async () => {
    const p = await loadFixture(scarce);
    const { openUntil } = await p.pool.books();
    const units = await unitsOf(p, ETH);
    await networkHelpers.time.setNextBlockTimestamp(openUntil);
    await p.etherPool.connect(p.alice).sell(units, 0n, p.alice);
    await networkHelpers.time.increaseTo(openUntil + 1n);
    await expectHalted(p);
    await expectOpenToLiquidity(p);
  });

  it("go on after reports that lower the rate by up to a basis point, and stop above", async () => {
    const p = await loadFixture(scarce);
    for (const { hundredths, isCalm } of [
      { hundredths: 50n, isCalm: true },
      { hundredths: 100n, isCalm: true },
      { hundredths: 101n, isCalm: false },
    ]) {
      await apply(p, { gain: -((await p.token.getTotalPooledEther()) * hundredths) / 1_000_000n });
      expect((await p.etherPool.buyable()) > 0n).to.equal(isCalm);
      expect((await p.etherPool.sellableWithin(200n)) > 0n).to.equal(isCalm);
    }
    await expectHalted(p);
    await apply(p);
    expect(await p.etherPool.buyable()).to.be.greaterThan(0n);
  });
});

describe("EtherPool: the pool of the token is replaced", () => {
  async function replacedBy(p: Liquid, answer: string, refuses: boolean): Promise<void> {
    const next = await ethers.deployContract("CalmAnswers");
    await next.setAnswer(answer, refuses);
    await p.token.connect(p.governor).replacePool(next);
  }

  const coder = ethers.AbiCoder.defaultAbiCoder();
  const CALM = coder.encode(["bool", "uint256"], [true, 1n]);
  for (const [name, answer, refuses] of [
    ["says that it is not calm", coder.encode(["bool", "uint256"], [false, 1n]), false],
    ["does not know the question", "0x", true],
    ["answers nothing", "0x", false],
    ["answers too little", coder.encode(["bool"], [true]), false],
    ["answers no bool", coder.encode(["uint256", "uint256"], [2n, 1n]), false],
  ] as const)
    it(`by one that ${name}: trades stop, LPs leave`, async () => {
      const p = await loadFixture(scarce);
      await replacedBy(p, answer, refuses);
      expect(await p.etherPool.buyable()).to.equal(0n);
      expect(await p.etherPool.sellableWithin(100n)).to.equal(0n);
      await expect(p.etherPool.connect(p.alice).sell(UNIT, 0n, p.alice)).to.be.revertedWithCustomError(
        p.etherPool,
        "NotCalm",
      );
      const lp = await p.etherPool.balanceOf(p.bob);
      await p.etherPool.connect(p.bob).exit(lp, 1n, 1n, p.bob);
      expect((await books(p)).lp).to.equal(await p.etherPool.MIN_SEED());
    });

  it("by one without calm(), a contract of this repository: trades stop, LPs leave", async () => {
    const p = await loadFixture(scarce);
    await p.token.connect(p.governor).replacePool(await ethers.deployContract("FaithlessPool", [p.token]));
    expect(await p.etherPool.buyable()).to.equal(0n);
    await expect(p.etherPool.connect(p.carol).buy(0n, p.carol, { value: ETH })).to.be.revertedWithCustomError(
      p.etherPool,
      "NotCalm",
    );
    await p.etherPool.connect(p.bob).exit(await p.etherPool.balanceOf(p.bob), 1n, 1n, p.bob);
  });

  it("by one that is calm: trades go on, asked of the new one", async () => {
    const p = await loadFixture(scarce);
    const room = await p.etherPool.buyable();
    await replacedBy(p, CALM, false);
    expect(await p.etherPool.buyable()).to.equal(room);
    await p.etherPool.connect(p.alice).sell(await unitsOf(p, ETH), 0n, p.alice);
  });
});
