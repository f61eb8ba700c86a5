/** Router: stake, leave, provide and exitToEther, by call and by error. */
import { expect } from "chai";
import type { EtherPool } from "../../../typechain-types/index.ts";
import { worthOf } from "../../helpers/feeCurve.ts";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { ETH, apply, borrow } from "../../helpers/reporting.ts";
import {
  BP,
  NEVER,
  NOT_CALM,
  PARAMETERS,
  UNIT,
  books,
  everything,
  liquid,
  permitFor,
  scarce,
  totalsOf,
  unitsOf,
} from "./fixture.ts";
import type { Liquid } from "./fixture.ts";

const NO_LIMIT = ethers.MaxUint256;
const ALL = 10_000n; // a fee that takes whatever there is
const LEG = ETH / 100n;
const NOBODY = ethers.ZeroAddress;

/** R1: nothing is left in it. */
async function expectEmpty({ router, token, wrapped, etherPool, queue }: Liquid): Promise<void> {
  expect(await token.sharesOf(router)).to.equal(0n);
  expect(await wrapped.balanceOf(router)).to.equal(0n);
  expect(await etherPool.balanceOf(router)).to.equal(0n);
  expect(await queue.balanceOf(router)).to.equal(0n);
  expect(await ethers.provider.getBalance(router)).to.equal(0n);
}

/** Every reason for which the staking pool takes no deposits while the EtherPool trades on. */
const NO_DEPOSITS: Readonly<Record<string, (p: Liquid) => Promise<unknown>>> = {
  "deposits are paused": (p) => p.pool.connect(p.guardian).pauseDeposits(true),
  "the cap is reached": async (p) => {
    const { treasury, feeBp, maxAprBp } = await p.pool.policy();
    await p.authority
      .connect(p.governor)
      .execute(
        p.pool,
        p.pool.interface.encodeFunctionData("setPolicy", [{ treasury, feeBp, maxAprBp, depositCapGwei: 0n }]),
      );
    await apply(p);
  },
};

describe("Router: what it is made of", () => {
  it("names its pool, both tokens and the queue, and refuses a wrapped token of another estETH", async () => {
    const p = await loadFixture(liquid);
    const { router } = p;
    const named = [router.etherPool(), router.token(), router.wrappedToken(), router.queue(), router.LEG()];
    const expected = [p.etherPool, p.token, p.wrapped, p.queue].map((each) => each.getAddress());
    expect(await Promise.all(named)).to.deep.equal([...(await Promise.all(expected)), LEG]);
    const other = await ethers.deployContract("StakedEther", [p.authority, p.queue]);
    const foreign = await ethers.deployContract("WrappedStakedEther", [other]);
    await expect(ethers.deployContract("Router", [p.etherPool, foreign]))
      .to.be.revertedWithCustomError(router, "WrongToken")
      .withArgs(p.token, other);
  });

  it("takes ether from the EtherPool alone", async () => {
    const p = await loadFixture(liquid);
    await expect(p.alice.sendTransaction({ to: p.router, value: 1n }))
      .to.be.revertedWithCustomError(p.router, "OnlyEtherPool")
      .withArgs(p.alice);
  });

  it("refuses a deadline that is past, nobody and itself as receiver, in every call", async () => {
    const p = await loadFixture(scarce);
    const { router } = p;
    const permit = { value: 0n, deadline: 0n, v: 27, r: ethers.ZeroHash, s: ethers.ZeroHash };
    const calls = (receiver: string, deadline: bigint) => [
      () => router.connect(p.alice).stake(receiver, NOBODY, 0n, false, deadline, { value: ETH }),
      () => router.connect(p.alice).provide(0n, ALL, receiver, deadline, { value: ETH }),
      () => router.connect(p.alice).leaveShares(ETH * UNIT, ALL, 0n, receiver, deadline),
      () => router.connect(p.alice).leaveSharesWithPermit(ETH * UNIT, ALL, 0n, receiver, deadline, permit),
      () => router.connect(p.alice).leaveWrapped(ETH, ALL, 0n, receiver, deadline),
      () => router.connect(p.alice).leaveWrappedWithPermit(ETH, ALL, 0n, receiver, deadline, permit),
      () => router.connect(p.bob).exitToEther(ETH, ALL, 0n, receiver, deadline),
      () => router.connect(p.bob).exitToEtherWithPermit(ETH, ALL, 0n, receiver, deadline, permit),
    ];
    const before = await everything(p);
    for (const call of calls(p.alice.address, 1n))
      await expect(call()).to.be.revertedWithCustomError(router, "DeadlinePassed").withArgs(1n);
    for (const receiver of [NOBODY, await router.getAddress()])
      for (const call of calls(receiver, NEVER))
        await expect(call()).to.be.revertedWithCustomError(router, "InvalidReceiver").withArgs(receiver);
    expect(await everything(p)).to.deep.equal(before);
    // the second itself still counts
    const deadline = BigInt(await networkHelpers.time.latest()) + 100n;
    await networkHelpers.time.setNextBlockTimestamp(deadline);
    await router.connect(p.alice).stake(p.alice, NOBODY, 0n, false, deadline, { value: ETH });
    await networkHelpers.time.setNextBlockTimestamp(deadline + 1n);
    await expect(router.connect(p.alice).stake(p.alice, NOBODY, 0n, false, deadline, { value: ETH }))
      .to.be.revertedWithCustomError(router, "DeadlinePassed")
      .withArgs(deadline);
  });
});

describe("Router: stake", () => {
  for (const wrapped of [false, true]) {
    const form = wrapped ? "westETH" : "estETH";
    const held = ({ token, wrapped: w }: Liquid, who: { address: string }) =>
      wrapped ? w.balanceOf(who.address).then((units) => units * UNIT) : token.sharesOf(who.address);

    it(`buys what the pool gives and stakes the rest, as ${form}`, async () => {
      const p = await loadFixture(scarce);
      const room = await p.etherPool.buyable();
      const value = room + 3n * ETH;
      const stake = p.router.connect(p.carol);
      const bought = (await p.etherPool.quoteBuy(room)) * UNIT;
      const minted = await p.token.getSharesByPooledEth(3n * ETH);
      const expected = bought + (wrapped ? (minted / UNIT) * UNIT : minted);
      expect(await stake.stake.staticCall(p.dave, p.bob, expected, wrapped, NEVER, { value })).to.equal(expected);
      const sent = stake.stake(p.dave, p.bob, expected, wrapped, NEVER, { value });
      await expect(sent).to.changeEtherBalance(ethers, p.carol, -value);
      await expect(sent).to.emit(p.pool, "Deposited");
      expect(await held(p, p.dave)).to.equal(expected);
      expect(expected).to.be.greaterThan(await p.token.getSharesByPooledEth(value));
      await expectEmpty(p);
      await expect(stake.stake(p.dave, p.bob, expected, wrapped, NEVER, { value: ETH })).to.be.revertedWithCustomError(
        p.router,
        "BelowMinimum",
      );
    });

    it(`buys all of it, as ${form}, where there is room for it`, async () => {
      const p = await loadFixture(scarce);
      const expected = (await p.etherPool.quoteBuy(ETH)) * UNIT;
      const sent = p.router.connect(p.carol).stake(p.carol, NOBODY, expected, wrapped, NEVER, { value: ETH });
      await expect(sent).to.emit(p.etherPool, "Bought");
      await expect(sent).not.to.emit(p.pool, "Deposited");
      expect(await held(p, p.carol)).to.equal(expected);
      await expectEmpty(p);
    });

    it(`stakes all of it, as ${form}, where there is nothing to buy or it is not worth its gas`, async () => {
      const p = await loadFixture(liquid);
      const minted = async (value: bigint) => {
        const shares = await p.token.getSharesByPooledEth(value);
        return wrapped ? (shares / UNIT) * UNIT : shares;
      };
      for (const value of [ETH, LEG - 1n, 1_000n]) {
        const before = await held(p, p.carol);
        const expected = await minted(value);
        await p.router.connect(p.carol).stake(p.carol, NOBODY, expected, wrapped, NEVER, { value });
        expect((await held(p, p.carol)) - before).to.equal(expected);
        await expectEmpty(p);
      }
      const s = await loadFixture(scarce);
      const sent = s.router.connect(s.carol).stake(s.carol, NOBODY, 0n, wrapped, NEVER, { value: LEG - 1n });
      await expect(sent).not.to.emit(s.etherPool, "Bought");
    });

    for (const [reason, make] of Object.entries(NO_DEPOSITS))
      it(`R4: where ${reason}, it buys up to the target as ${form} and returns the rest`, async () => {
        const p = await loadFixture(scarce);
        await make(p);
        const room = await p.etherPool.buyable();
        const bought = (await p.etherPool.quoteBuy(room)) * UNIT;
        const sent = p.router.connect(p.carol).stake(p.dave, NOBODY, bought, wrapped, NEVER, { value: room + ETH });
        await expect(sent).to.changeEtherBalance(ethers, p.carol, -room);
        expect(await held(p, p.dave)).to.equal(bought);
        await expectEmpty(p);
        await expect(
          p.router.connect(p.carol).stake(p.dave, NOBODY, 0n, wrapped, NEVER, { value: ETH }),
        ).to.be.revertedWithCustomError(p.router, "NothingToDo");
      });
  }

  it("R4: overdue, so neither calm nor taking deposits: NothingToDo, and the ether stays", async () => {
    const p = await loadFixture(scarce);
    await networkHelpers.time.increaseTo((await p.pool.books()).openUntil + 1n);
    const before = await everything(p);
    for (const wrapped of [false, true])
      await expect(
        p.router.connect(p.carol).stake(p.carol, NOBODY, 0n, wrapped, NEVER, { value: ETH }),
      ).to.be.revertedWithCustomError(p.router, "NothingToDo");
    expect(await everything(p)).to.deep.equal(before);
  });

  it("R4: not calm, it stakes all", async () => {
    const p = await loadFixture(scarce);
    await NOT_CALM["slashings are proven"]?.(p);
    const sent = p.router.connect(p.carol).stake(p.carol, NOBODY, 0n, false, NEVER, { value: ETH });
    await expect(sent).to.emit(p.pool, "Deposited");
    await expect(sent).not.to.emit(p.etherPool, "Bought");
  });

  it("refuses nothing, and less than the minimum, with both amounts", async () => {
    const p = await loadFixture(liquid);
    await expect(p.router.connect(p.carol).stake(p.carol, NOBODY, 0n, false, NEVER)).to.be.revertedWithCustomError(
      p.router,
      "NothingToDo",
    );
    const shares = await p.token.getSharesByPooledEth(ETH);
    await expect(p.router.connect(p.carol).stake(p.carol, NOBODY, shares + 1n, false, NEVER, { value: ETH }))
      .to.be.revertedWithCustomError(p.router, "BelowMinimum")
      .withArgs(shares, shares + 1n);
  });

  it("refuses where the caller does not take back what was not used", async () => {
    const p = await loadFixture(scarce);
    await p.pool.connect(p.guardian).pauseDeposits(true);
    const refusing = await ethers.deployContract("RefusingOwner");
    const room = await p.etherPool.buyable();
    const data = p.router.interface.encodeFunctionData("stake", [p.carol.address, NOBODY, 0n, false, NEVER]);
    await expect(refusing.execute(p.router, data, { value: room + 1n }))
      .to.be.revertedWithCustomError(p.router, "TransferFailed")
      .withArgs(await refusing.getAddress(), 1n);
  });
});

describe("Router: leave", () => {
  it("sells up to the marginal fee and queues the rest for the receiver", async () => {
    const p = await loadFixture(liquid);
    const sold = await p.etherPool.sellableWithin(30n);
    const shares = sold * UNIT + 5n * ETH * UNIT + 17n; // and a part of a unit
    const paid = await p.etherPool.quoteSell(sold);
    const id = (await p.queue.lastRequestId()) + 1n;
    const had = await p.token.sharesOf(p.alice);
    const leave = p.router.connect(p.alice);
    expect(await leave.leaveShares.staticCall(shares, 30n, paid, p.dave, NEVER)).to.deep.equal([paid, id]);
    const sent = leave.leaveShares(shares, 30n, paid, p.dave, NEVER);
    await expect(sent).to.changeEtherBalance(ethers, p.dave, paid);
    expect(await p.queue.ownerOf(id)).to.equal(p.dave.address);
    expect(had - (await p.token.sharesOf(p.alice))).to.equal(shares);
    const [status] = await p.queue.getWithdrawalStatus([id]);
    expect(status?.shares).to.equal(5n * ETH * UNIT);
    expect(await p.etherPool.marginalFee()).to.be.lessThan(3_000_001n);
    await expectEmpty(p);
  });

  it("the NFT is the receiver's: sold on, it pays whoever owns it then", async () => {
    const p = await loadFixture(liquid);
    await p.router.connect(p.alice).leaveShares(5n * ETH * UNIT, 0n, 0n, p.dave, NEVER);
    await p.queue.connect(p.dave).transferFrom(p.dave, p.carol, 1n);
    await apply(p);
    await apply(p);
    await expect(p.queue.connect(p.dave).claimWithdrawal(1n)).to.be.revertedWithCustomError(p.queue, "NotRequestOwner");
    const worth = worthOf(5n * ETH, await totalsOf(p));
    await expect(p.queue.connect(p.carol).claimWithdrawal(1n)).to.changeEtherBalance(ethers, p.carol, worth);
  });

  it("sells all where the pool reaches, however little it is", async () => {
    const p = await loadFixture(liquid);
    for (const units of [await unitsOf(p, ETH), 1_000n]) {
      const paid = await p.etherPool.quoteSell(units);
      const had = await p.token.sharesOf(p.alice);
      const sent = p.router.connect(p.alice).leaveShares(units * UNIT + 5n, ALL, paid, p.dave, NEVER);
      await expect(sent).to.changeEtherBalance(ethers, p.dave, paid);
      // less than a unit stays
      expect(had - (await p.token.sharesOf(p.alice))).to.equal(units * UNIT);
    }
    expect(await p.queue.lastRequestId()).to.equal(0n);
    await expectEmpty(p);
  });

  it("with 10,000 takes all the ether there is, and queues the rest", async () => {
    const p = await loadFixture(liquid);
    await p.router.connect(p.alice).leaveShares(100n * ETH * UNIT, ALL, 0n, p.dave, NEVER);
    expect((await books(p)).ether_).to.be.lessThan(3n);
    expect(await p.queue.lastRequestId()).to.equal(1n);
    await expectEmpty(p);
  });

  it("queues all below the lowest fee", async () => {
    const p = await loadFixture(liquid);
    const sent = p.router.connect(p.alice).leaveShares(ETH * UNIT, 9n, 0n, p.dave, NEVER);
    await expect(sent).not.to.emit(p.etherPool, "Sold");
    await expect(sent).to.changeEtherBalance(ethers, p.dave, 0n);
    expect(await p.queue.ownerOf(1n)).to.equal(p.dave.address);
    await expect(p.router.connect(p.alice).leaveShares(ETH * UNIT, 9n, 1n, p.dave, NEVER))
      .to.be.revertedWithCustomError(p.router, "BelowMinimum")
      .withArgs(0n, 1n);
  });

  it("leaves a rest below 100 wei with the seller", async () => {
    const p = await loadFixture(liquid);
    const sellable = await p.etherPool.sellableWithin(30n);
    const had = await p.token.sharesOf(p.alice);
    await p.router.connect(p.alice).leaveShares((sellable + 99n) * UNIT, 30n, 0n, p.alice, NEVER);
    expect(had - (await p.token.sharesOf(p.alice))).to.equal(sellable * UNIT);
    expect(await p.queue.lastRequestId()).to.equal(0n);
    await expectEmpty(p);
  });

  for (const [reason, make] of Object.entries(NOT_CALM))
    it(`R4: where ${reason}, it queues all, unless that is paused`, async () => {
      const p = await loadFixture(scarce);
      await make(p);
      const before = await everything(p);
      const leave = () => p.router.connect(p.alice).leaveShares(ETH * UNIT, ALL, 0n, p.alice, NEVER);
      if (await p.queue.requestsPaused()) {
        await expect(leave()).to.be.revertedWithCustomError(p.router, "NothingToDo");
        expect(await everything(p)).to.deep.equal(before);
      } else {
        await expect(leave()).not.to.emit(p.etherPool, "Sold");
        expect(await p.queue.ownerOf(1n)).to.equal(p.alice.address);
      }
      await expectEmpty(p);
    });

  it("R4: what the queue would get stays with the seller while requests are paused, where the pool still trades", async () => {
    const p = await loadFixture(scarce);
    // a pool whose calm does not know of the pause
    const next = await ethers.deployContract("CalmAnswers");
    await next.setAnswer(ethers.AbiCoder.defaultAbiCoder().encode(["bool", "uint256"], [true, 1n]), false);
    await p.token.connect(p.governor).replacePool(next);
    await p.queue.connect(p.guardian).pauseRequests(true);
    const sold = await p.etherPool.sellableWithin(200n);
    const had = await p.token.sharesOf(p.alice);
    await p.router.connect(p.alice).leaveShares((sold + ETH) * UNIT, 200n, 0n, p.alice, NEVER);
    expect(had - (await p.token.sharesOf(p.alice))).to.equal(sold * UNIT);
    await expectEmpty(p);
  });

  it("refuses nothing, more than is held, and a receiver that refuses its ether", async () => {
    const p = await loadFixture(scarce);
    const { router } = p;
    const refusing = await ethers.deployContract("RefusingOwner");
    const before = await everything(p);
    for (const few of [0n, UNIT - 1n])
      await expect(router.connect(p.alice).leaveShares(few, ALL, 0n, p.alice, NEVER)).to.be.revertedWithCustomError(
        router,
        "NothingToDo",
      );
    for (const many of [2n ** 255n, 2n ** 256n - 1n]) {
      await expect(router.connect(p.alice).leaveShares(many, ALL, 0n, p.alice, NEVER)).to.be.revertedWithCustomError(
        p.token,
        "SharesExceedBalance",
      );
      await expect(router.connect(p.alice).leaveWrapped(many, ALL, 0n, p.alice, NEVER)).to.be.revertedWithCustomError(
        p.wrapped,
        "ERC20InsufficientAllowance",
      );
    }
    await expect(
      router.connect(p.carol).leaveShares(ETH * UNIT, ALL, 0n, p.carol, NEVER),
    ).to.be.revertedWithCustomError(p.token, "SharesExceedBalance");
    const paid = await p.etherPool.quoteSell(ETH);
    await expect(router.connect(p.alice).leaveShares(ETH * UNIT, ALL, 0n, refusing, NEVER))
      .to.be.revertedWithCustomError(p.etherPool, "TransferFailed")
      .withArgs(await refusing.getAddress(), paid);
    await expect(router.connect(p.alice).leaveShares(ETH * UNIT, ALL, paid + 1n, p.alice, NEVER))
      .to.be.revertedWithCustomError(router, "BelowMinimum")
      .withArgs(paid, paid + 1n);
    expect(await everything(p)).to.deep.equal(before);
  });

  it("leaveWrapped does the same with westETH, in whole units", async () => {
    const p = await loadFixture(liquid);
    await p.wrapped.connect(p.carol).stake(p.carol, NOBODY, { value: 100n * ETH });
    await p.wrapped.connect(p.carol).approve(p.router, NO_LIMIT);
    const had = await p.wrapped.balanceOf(p.carol);
    const sold = await p.etherPool.sellableWithin(30n);
    const paid = await p.etherPool.quoteSell(sold);
    const sent = p.router.connect(p.carol).leaveWrapped(sold + ETH, 30n, paid, p.dave, NEVER);
    await expect(sent).to.changeEtherBalance(ethers, p.dave, paid);
    expect(had - (await p.wrapped.balanceOf(p.carol))).to.equal(sold + ETH);
    const [status] = await p.queue.getWithdrawalStatus([1n]);
    expect(status?.shares).to.equal(ETH * UNIT);
    expect(status?.owner).to.equal(p.dave.address);
    // a rest below 100 wei stays
    const next = await p.etherPool.sellableWithin(60n);
    const left = await p.wrapped.balanceOf(p.carol);
    await p.router.connect(p.carol).leaveWrapped(next + 50n, 60n, 0n, p.dave, NEVER);
    expect(left - (await p.wrapped.balanceOf(p.carol))).to.equal(next);
    await expect(p.router.connect(p.carol).leaveWrapped(0n, ALL, 0n, p.dave, NEVER)).to.be.revertedWithCustomError(
      p.router,
      "NothingToDo",
    );
    await expectEmpty(p);
  });
});

describe("Router: provide", () => {
  it("stakes the part that is needed and enters with both; some wei come back", async () => {
    const p = await loadFixture(scarce);
    const [before, capital] = [await books(p), await p.etherPool.value()];
    const lp = await p.router.connect(p.carol).provide.staticCall(0n, ALL, p.dave, NEVER, { value: 10n * ETH });
    const sent = p.router.connect(p.carol).provide(lp, ALL, p.dave, NEVER, { value: 10n * ETH });
    await expect(sent).to.emit(p.etherPool, "Entered");
    const after = await books(p);
    const totals = await totalsOf(p);
    const paid = after.ether_ - before.ether_ + worthOf(after.units - before.units, totals);
    expect(10n * ETH - paid).to.be.lessThan(8n);
    expect(await p.etherPool.balanceOf(p.dave)).to.equal(lp);
    // a wei of lp more would have cost more than there was
    const [ether_, units] = await p.etherPool.quoteEnter(lp + 8n);
    expect(ether_ + worthOf(units, totals)).to.be.greaterThan(10n * ETH - 3n);
    expect(paid * BP).to.be.closeTo((capital * lp * (BP + 2n)) / before.lp, 10n * BP);
    await expectEmpty(p);
  });

  it("enters with ether alone where the pool has no units", async () => {
    const p = await loadFixture(liquid);
    const pool = await ethers.deployContract("EtherPool", [p.token, PARAMETERS], { value: ETH });
    const router = await ethers.deployContract("Router", [pool, p.wrapped]);
    const sent = router.connect(p.carol).provide(0n, 10n, p.carol, NEVER, { value: ETH });
    await expect(sent).not.to.emit(p.pool, "Deposited");
    expect(await pool.balanceOf(p.carol)).to.be.closeTo((ETH * BP) / (BP + 2n), 8n);
  });

  it("refuses by its errors, with values, and changes nothing", async () => {
    const p = await loadFixture(scarce);
    const { router } = p;
    const carol = router.connect(p.carol);
    const lp = await carol.provide.staticCall(0n, ALL, p.carol, NEVER, { value: ETH });
    const fee = await p.etherPool.marginalFee();
    const before = await everything(p);
    await expect(carol.provide(lp + 1n, ALL, p.carol, NEVER, { value: ETH }))
      .to.be.revertedWithCustomError(router, "BelowMinimum")
      .withArgs(lp, lp + 1n);
    expect(fee).to.be.greaterThan(15_000_000n);
    const below = (fee - 1n) / 100_000n;
    await expect(carol.provide(0n, below, p.carol, NEVER, { value: ETH }))
      .to.be.revertedWithCustomError(router, "MarginalFeeAboveMaximum")
      .withArgs(fee, below);
    for (const value of [0n, 3n])
      await expect(carol.provide(0n, ALL, p.carol, NEVER, { value })).to.be.revertedWithCustomError(
        router,
        "NothingToDo",
      );
    await p.pool.connect(p.guardian).pauseDeposits(true);
    await expect(carol.provide(0n, ALL, p.carol, NEVER, { value: ETH })).to.be.revertedWithCustomError(
      p.pool,
      "DepositsArePaused",
    );
    await p.pool.connect(p.guardian).pauseDeposits(false);
    const refusing = await ethers.deployContract("RefusingOwner");
    const data = router.interface.encodeFunctionData("provide", [0n, ALL, p.carol.address, NEVER]);
    await expect(refusing.execute(router, data, { value: ETH })).to.be.revertedWithCustomError(
      router,
      "TransferFailed",
    );
    expect(await everything(p)).to.deep.equal(before);
  });

  it("L6: needs no calm", async () => {
    const p = await loadFixture(scarce);
    await p.queue.connect(p.guardian).pauseRequests(true);
    await p.router.connect(p.carol).provide(0n, ALL, p.carol, NEVER, { value: ETH });
    expect(await p.etherPool.balanceOf(p.carol)).to.be.greaterThan(0n);
  });
});

describe("Router: exitToEther", () => {
  it("exits, sells up to the marginal fee, queues the rest, and pays once", async () => {
    const p = await loadFixture(liquid);
    await p.etherPool.connect(p.bob).approve(p.router, NO_LIMIT);
    const lp = 100n * ETH;
    const [ether_, units] = await p.etherPool.quoteExit(lp);
    const [got, id] = await p.router.connect(p.bob).exitToEther.staticCall(lp, 30n, 0n, p.dave, NEVER);
    expect(id).to.equal(1n);
    expect(got).to.be.greaterThan(ether_);
    const sent = p.router.connect(p.bob).exitToEther(lp, 30n, got, p.dave, NEVER);
    await expect(sent).to.changeEtherBalance(ethers, p.dave, got);
    const [status] = await p.queue.getWithdrawalStatus([1n]);
    expect(status?.owner).to.equal(p.dave.address);
    const { units: after } = await books(p);
    expect(status?.shares).to.be.lessThan(units * UNIT);
    expect(after).to.be.greaterThan(0n);
    await expectEmpty(p);
    await expect(
      p.router.connect(p.bob).exitToEther(lp / 2n, 30n, 1_000n * ETH, p.dave, NEVER),
    ).to.be.revertedWithCustomError(p.router, "BelowMinimum");
    await expect(p.router.connect(p.bob).exitToEther(0n, 30n, 0n, p.dave, NEVER)).to.be.revertedWithCustomError(
      p.etherPool,
      "ZeroAmount",
    );
  });

  it("gives the receiver as estETH what neither pool nor queue takes", async () => {
    const p = await loadFixture(liquid);
    await p.etherPool.connect(p.bob).approve(p.router, NO_LIMIT);
    await p.queue.connect(p.guardian).pauseRequests(true);
    const [ether_, units] = await p.etherPool.quoteExit(ETH);
    const sent = p.router.connect(p.bob).exitToEther(ETH, ALL, ether_, p.dave, NEVER);
    await expect(sent).to.changeEtherBalance(ethers, p.dave, ether_);
    expect(await p.token.sharesOf(p.dave)).to.equal(units * UNIT);
    await expectEmpty(p);
  });

  it("leaves a drained pool without ether: all of it is queued", async () => {
    const p = await loadFixture(liquid);
    await p.etherPool.connect(p.bob).approve(p.router, NO_LIMIT);
    await p.etherPool.connect(p.alice).sellFor((await books(p)).ether_, NO_LIMIT, p.alice);
    const refusing = await ethers.deployContract("RefusingOwner");
    await p.router.connect(p.bob).exitToEther(ETH, ALL, 0n, refusing, NEVER);
    expect(await p.queue.ownerOf(1n)).to.equal(await refusing.getAddress());
    await expectEmpty(p);
  });

  it("needs allowance and balance of lp", async () => {
    const p = await loadFixture(liquid);
    await expect(p.router.connect(p.bob).exitToEther(ETH, ALL, 0n, p.bob, NEVER)).to.be.revertedWithCustomError(
      p.etherPool,
      "ERC20InsufficientAllowance",
    );
    await p.etherPool.connect(p.carol).approve(p.router, NO_LIMIT);
    await expect(p.router.connect(p.carol).exitToEther(ETH, ALL, 0n, p.carol, NEVER)).to.be.revertedWithCustomError(
      p.etherPool,
      "ERC20InsufficientBalance",
    );
  });
});

describe("Router: permits", () => {
  /** Each call that takes a permit, for an owner who approved nothing. */
  async function leaver(kind: "estETH" | "westETH" | "lp") {
    const p = await loadFixture(liquid);
    const { router, carol } = p;
    const amount = ETH;
    if (kind === "estETH") {
      await p.pool.connect(carol).deposit(carol, NOBODY, { value: 2n * ETH });
      await p.token.connect(carol).approve(router, 0n);
      const { totalEther, totalShares } = await totalsOf(p);
      // exactly the ether of the shares, rounded up
      const value = (amount * UNIT * totalEther + totalShares - 1n) / totalShares;
      const sign = (deadline?: bigint) => permitFor(p.token, "Estuary Staked Ether", carol, router, value, deadline);
      type Permit = Awaited<ReturnType<typeof sign>>;
      const leave = (permit: Permit) =>
        router.connect(carol).leaveSharesWithPermit(amount * UNIT, ALL, 0n, carol, NEVER, permit);
      return { p, token: p.token, value, sign, leave, refusal: "ERC20InsufficientAllowance" };
    }
    const token = kind === "lp" ? p.etherPool : p.wrapped;
    if (kind === "lp") await p.etherPool.connect(p.bob).transfer(carol, 2n * ETH);
    else await p.wrapped.connect(carol).stake(carol, NOBODY, { value: 2n * ETH });
    const domain = kind === "lp" ? "Estuary Ether Pool" : "Estuary Wrapped Staked Ether";
    const sign = (deadline?: bigint) => permitFor(token, domain, carol, router, amount, deadline);
    type Permit = Awaited<ReturnType<typeof sign>>;
    const leave = (permit: Permit) =>
      kind === "lp"
        ? router.connect(carol).exitToEtherWithPermit(amount, ALL, 0n, carol, NEVER, permit)
        : router.connect(carol).leaveWrappedWithPermit(amount, ALL, 0n, carol, NEVER, permit);
    return { p, token, value: amount, sign, leave, refusal: "ERC20InsufficientAllowance" };
  }

  for (const kind of ["estETH", "westETH", "lp"] as const) {
    it(`leaves with a permit of ${kind}, whose allowance it spends whole`, async () => {
      const { p, token, sign, leave } = await leaver(kind);
      await leave(await sign());
      expect(await token.allowance(p.carol, p.router)).to.equal(0n);
      expect(await token.nonces(p.carol)).to.equal(1n);
      await expectEmpty(p);
    });

    it(`a permit of ${kind} that somebody else used first is no obstacle`, async () => {
      const { p, token, value, sign, leave } = await leaver(kind);
      const permit = await sign();
      const { deadline, v, r, s } = permit;
      const used = p.etherPool.attach(token).connect(p.dave) as EtherPool; // the function has one form in all three
      await used.permit(p.carol, p.router, value, deadline, v, r, s);
      await leave(permit);
      expect(await token.allowance(p.carol, p.router)).to.equal(0n);
      await expectEmpty(p);
    });

    it(`an expired or wrong permit of ${kind} leaves the allowance as it was`, async () => {
      const { p, token, sign, leave, refusal } = await leaver(kind);
      const expired = await sign(1n);
      const wrong = { ...(await sign()), r: ethers.ZeroHash };
      for (const permit of [expired, wrong]) await expect(leave(permit)).to.be.revertedWithCustomError(token, refusal);
      await token.connect(p.carol).approve(p.router, NO_LIMIT);
      await leave(expired);
      await expectEmpty(p);
    });
  }

  it("a contract account's permit counts (ERC-1271)", async () => {
    const p = await loadFixture(liquid);
    const { router } = p;
    const wallet = await ethers.deployContract("SignerWallet", [p.carol.address]);
    await p.token.connect(p.alice).transferShares(wallet, 2n * ETH * UNIT);
    const account = await borrow(wallet);
    const owner = {
      address: account.address,
      signTypedData: p.carol.signTypedData.bind(p.carol),
    };
    const permit = await permitFor(p.token, "Estuary Staked Ether", owner, router, 2n * ETH);
    const sent = router.connect(account).leaveSharesWithPermit(ETH * UNIT, ALL, 0n, p.dave, NEVER, permit);
    await expect(sent).to.emit(p.etherPool, "Sold");
    await expectEmpty(p);
  });
});
