/** estETH with the real pool: transfers at uneven rates, transfers of shares, the history of the rate, what it says of itself. */
import { expect } from "chai";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { ETH, apply, borrow, request, staked } from "../../helpers/reporting.ts";
import { protocol } from "../../helpers/protocol.ts";
import type { Protocol } from "../../helpers/protocol.ts";

const MAX = ethers.MaxUint256;
const U128 = 2n ** 128n;
const { time } = networkHelpers;

const ceilDiv = (a: bigint, b: bigint) => (a + b - 1n) / b;

/** A rate that is no round number; Alice, Bob and Carol hold estETH. */
async function uneven() {
  const p = await loadFixture(staked);
  await apply(p, { gain: 234_567_890_123_456_789n });
  await p.pool.connect(p.carol).deposit(p.carol, ethers.ZeroAddress, { value: 123_456_789_123_456_789n });
  await apply(p, { gain: -98_765_432_109_876_543n });
  return p;
}

const AMOUNTS = [1n, 2n, 3n, 10n, 99n, 12_345n, 10n ** 9n - 1n, 10n ** 17n + 1n, ETH, 7n * ETH + 77n];

describe("StakedEther: transfers at uneven rates", () => {
  it("Security: 1-2 wei corner: a transfer moves its amount exactly, on both sides", async () => {
    const p = await loadFixture(uneven);
    for (const amount of AMOUNTS)
      for (const [from, to] of [
        [p.alice, p.bob],
        [p.bob, p.carol],
        [p.alice, p.keeper],
      ] as const) {
        const before = [await p.token.balanceOf(from), await p.token.balanceOf(to)] as const;
        await p.token.connect(from).transfer(to, amount);
        expect(before[0] - (await p.token.balanceOf(from))).to.equal(amount);
        expect((await p.token.balanceOf(to)) - before[1]).to.equal(amount);
      }
  });

  it("Security: 1-2 wei corner: never in the mover's favour: the shares of an amount round down, and none appear", async () => {
    const p = await loadFixture(uneven);
    const [ether, shares] = await p.token.totals();
    for (const amount of AMOUNTS) {
      const [from, to] = [await p.token.sharesOf(p.alice), await p.token.sharesOf(p.bob)];
      await expect(p.token.connect(p.alice).transfer(p.bob, amount))
        .to.emit(p.token, "Transfer")
        .withArgs(p.alice, p.bob, amount);
      const moved = from - (await p.token.sharesOf(p.alice));
      expect(moved).to.equal((amount * shares) / ether);
      expect((await p.token.sharesOf(p.bob)) - to).to.equal(moved);
    }
    expect(await p.token.totals()).to.deep.equal([ether, shares]);
  });

  it("Security: 1-2 wei corner: a whole balance always moves, though it may show a little more than there is", async () => {
    const p = await loadFixture(uneven);
    const [ether, shares] = await p.token.totals();
    // the display forgives a lack of up to floor(S / 1024) / S wei
    const forgiven = (shares >> 10n) / ether;
    for (const lacking of [0n, 1n, forgiven, forgiven + 2n]) {
      const snapshot = await networkHelpers.takeSnapshot();
      const amount = 5n * ETH;
      const held = ceilDiv(amount * shares, ether) - lacking;
      await p.token.connect(p.alice).transferShares(p.keeper, held);
      const balance = await p.token.balanceOf(p.keeper);
      expect(balance).to.equal(lacking > forgiven ? amount - 1n : amount);
      await p.token.connect(p.keeper).transfer(p.bob, balance);
      expect(await p.token.balanceOf(p.keeper)).to.equal(0n);
      expect(await p.token.sharesOf(p.keeper)).to.be.lessThan(ceilDiv(shares, ether));
      await snapshot.restore();
    }
  });

  it("a deposit shows what was deposited, whatever the rate", async () => {
    const p = await loadFixture(uneven);
    const [ether, shares] = await p.token.totals();
    for (const value of AMOUNTS) {
      const [balance, held] = [await p.token.balanceOf(p.keeper), await p.token.sharesOf(p.keeper)];
      await expect(p.pool.connect(p.keeper).deposit(p.keeper, ethers.ZeroAddress, { value }))
        .to.emit(p.token, "Transfer")
        .withArgs(ethers.ZeroAddress, p.keeper, value);
      expect((await p.token.balanceOf(p.keeper)) - balance).to.equal(value);
      // rounded down at the rate of before, which no deposit lowers
      expect((await p.token.sharesOf(p.keeper)) - held).to.be.lessThanOrEqual((value * shares) / ether);
    }
    const now = await p.token.totals();
    expect(now.totalEther * shares).to.be.greaterThanOrEqual(ether * now.totalShares);
  });

  it("nothing moves when nothing is sent, and it needs no allowance", async () => {
    const p = await loadFixture(uneven);
    const before = await p.token.sharesOf(p.bob);
    await expect(p.token.connect(p.alice).transfer(p.bob, 0n))
      .to.emit(p.token, "Transfer")
      .withArgs(p.alice, p.bob, 0n);
    await expect(p.token.connect(p.keeper).transferFrom(p.alice, p.bob, 0n))
      .to.emit(p.token, "Transfer")
      .withArgs(p.alice, p.bob, 0n);
    await p.token.connect(p.keeper).transferFrom(p.keeper, p.bob, 0n);
    expect(await p.token.sharesOf(p.bob)).to.equal(before);
  });
});

describe("StakedEther: transfers of shares", () => {
  it("move exactly the shares and tell what they are worth, rounded down", async () => {
    const p = await loadFixture(uneven);
    const [ether, shares] = await p.token.totals();
    for (const moved of [1n, 10n ** 9n, 123_456_789_012_345n, 3n * 10n ** 27n + 1n]) {
      const amount = (moved * ether) / shares;
      const [from, to] = [await p.token.sharesOf(p.alice), await p.token.sharesOf(p.bob)];
      expect(await p.token.connect(p.alice).transferShares.staticCall(p.bob, moved)).to.equal(amount);
      await expect(p.token.connect(p.alice).transferShares(p.bob, moved))
        .to.emit(p.token, "Transfer")
        .withArgs(p.alice, p.bob, amount);
      expect(from - (await p.token.sharesOf(p.alice))).to.equal(moved);
      expect((await p.token.sharesOf(p.bob)) - to).to.equal(moved);
    }
  });

  it("Security: zero-share transfers and allowance bypass: shares, be it one, cost allowance rounded up", async () => {
    const p = await loadFixture(uneven);
    const [ether, shares] = await p.token.totals();
    for (const moved of [1n, 10n ** 8n, 10n ** 9n, 10n ** 18n + 1n, 5n * 10n ** 27n + 3n]) {
      const cost = ceilDiv(moved * ether, shares);
      expect(cost).to.be.greaterThan(0n);
      await p.token.connect(p.alice).approve(p.keeper, cost - 1n);
      await expect(p.token.connect(p.keeper).transferSharesFrom(p.alice, p.keeper, moved))
        .to.be.revertedWithCustomError(p.token, "ERC20InsufficientAllowance")
        .withArgs(p.keeper, cost - 1n, cost);
      await p.token.connect(p.alice).approve(p.keeper, cost + 5n);
      expect(await p.token.connect(p.keeper).transferSharesFrom.staticCall(p.alice, p.bob, moved)).to.equal(
        (moved * ether) / shares,
      );
      await p.token.connect(p.keeper).transferSharesFrom(p.alice, p.bob, moved);
      expect(await p.token.allowance(p.alice, p.keeper)).to.equal(5n);
    }
  });

  it("Security: zero-share transfers and allowance bypass: a wei's shares need a wei of allowance each time", async () => {
    const p = await loadFixture(uneven);
    await p.token.connect(p.alice).approve(p.keeper, 3n);
    // each worth less than a wei: together no more than the three wei that were allowed
    for (let i = 0; i < 3; i++) await p.token.connect(p.keeper).transferSharesFrom(p.alice, p.keeper, 5n);
    await expect(p.token.connect(p.keeper).transferSharesFrom(p.alice, p.keeper, 1n))
      .to.be.revertedWithCustomError(p.token, "ERC20InsufficientAllowance")
      .withArgs(p.keeper, 0n, 1n);
    expect(await p.token.sharesOf(p.keeper)).to.equal(15n);
    expect(await p.token.balanceOf(p.keeper)).to.equal(0n);
  });

  it("Security: zero-share transfers and allowance bypass: zero shares move and emit no amount", async () => {
    const p = await loadFixture(uneven);
    const before = [await p.token.sharesOf(p.alice), await p.token.sharesOf(p.bob)];
    expect(await p.token.connect(p.keeper).transferSharesFrom.staticCall(p.alice, p.bob, 0n)).to.equal(0n);
    await expect(p.token.connect(p.keeper).transferSharesFrom(p.alice, p.bob, 0n))
      .to.emit(p.token, "Transfer")
      .withArgs(p.alice, p.bob, 0n);
    // shares worth less than a wei emit none either
    await expect(p.token.connect(p.alice).transferShares(p.bob, 1n))
      .to.emit(p.token, "Transfer")
      .withArgs(p.alice, p.bob, 0n);
    expect([await p.token.sharesOf(p.alice), await p.token.sharesOf(p.bob)]).to.deep.equal([
      (before[0] ?? 0n) - 1n,
      (before[1] ?? 0n) + 1n,
    ]);
  });

  it("refuse more shares than there are, with an allowance or without", async () => {
    const p = await loadFixture(uneven);
    const held = await p.token.sharesOf(p.alice);
    await p.token.connect(p.alice).approve(p.keeper, MAX);
    for (const shares of [held + 1n, U128 - 1n, U128, MAX]) {
      await expect(p.token.connect(p.alice).transferShares(p.bob, shares))
        .to.be.revertedWithCustomError(p.token, "SharesExceedBalance")
        .withArgs(p.alice, shares, held);
      await expect(p.token.connect(p.keeper).transferSharesFrom(p.alice, p.bob, shares))
        .to.be.revertedWithCustomError(p.token, "SharesExceedBalance")
        .withArgs(p.alice, shares, held);
    }
    await p.token.connect(p.keeper).transferSharesFrom(p.alice, p.bob, held);
    expect(await p.token.allowance(p.alice, p.keeper)).to.equal(MAX);
    expect(await p.token.sharesOf(p.alice)).to.equal(0n);
  });

  it("refuse to go to nobody or to the token", async () => {
    const p = await loadFixture(uneven);
    await p.token.connect(p.alice).approve(p.keeper, MAX);
    for (const to of [ethers.ZeroAddress, await p.token.getAddress()])
      for (const call of [
        () => p.token.connect(p.alice).transferShares(to, 1n),
        () => p.token.connect(p.keeper).transferSharesFrom(p.alice, to, 1n),
        () => p.token.connect(p.keeper).transferFrom(p.alice, to, 1n),
        () => p.pool.connect(p.keeper).deposit(to, to, { value: ETH }),
      ])
        await expect(call()).to.be.revertedWithCustomError(p.token, "ERC20InvalidReceiver").withArgs(to);
  });

  it("to oneself keep the shares", async () => {
    const p = await loadFixture(uneven);
    const held = await p.token.sharesOf(p.alice);
    await p.token.connect(p.alice).transferShares(p.alice, held);
    await p.token.connect(p.alice).transfer(p.alice, 7n);
    expect(await p.token.sharesOf(p.alice)).to.equal(held);
  });
});

describe("StakedEther: views", () => {
  it("convert down at the rate of now, and say the totals in every form", async () => {
    const p = await loadFixture(uneven);
    const [ether, shares] = await p.token.totals();
    expect([await p.token.getTotalPooledEther(), await p.token.getTotalShares()]).to.deep.equal([ether, shares]);
    expect(await p.token.totalSupply()).to.equal(ether);
    expect(await p.token.rate()).to.equal((ether * 10n ** 36n) / shares);
    for (const amount of [0n, ...AMOUNTS, U128 - 1n]) {
      expect(await p.token.getSharesByPooledEth(amount)).to.equal((amount * shares) / ether);
      expect(await p.token.getPooledEthByShares(amount)).to.equal((amount * ether) / shares);
    }
    const about = [await p.token.name(), await p.token.symbol(), await p.token.decimals()];
    expect(about).to.deep.equal(["Estuary Staked Ether", "estETH", 18n]);
  });

  it("the sum of n balances exceeds the total by n/1024 wei at most", async () => {
    const p = await loadFixture(uneven);
    const everyone = [p.alice, p.bob, p.carol, p.treasury, p.operators, p.queue, await p.token.LOCKED()];
    const balances = await Promise.all(everyone.map((who) => p.token.balanceOf(who)));
    const sum = balances.reduce((a, b) => a + b, 0n);
    expect(sum).to.be.within((await p.token.totalSupply()) - BigInt(everyone.length), await p.token.totalSupply());
    const shares = await Promise.all(everyone.map((who) => p.token.sharesOf(who)));
    expect(shares.reduce((a, b) => a + b, 0n)).to.equal(await p.token.getTotalShares());
  });
});

describe("StakedEther: reports", () => {
  it("emits one event a report, from which the change of the rate follows", async () => {
    const p = await loadFixture(uneven);
    await request(p, p.alice, 3n * ETH + 1n);
    const before = await p.token.totals();
    const feeReceivers = async () => (await p.token.sharesOf(p.treasury)) + (await p.token.sharesOf(p.operators));
    const minted = await feeReceivers();
    const tx = await apply(p, { gain: 200_000_000_000_000_003n });
    const receipt = await tx.wait();
    const after = await p.token.totals();
    const fee = (await feeReceivers()) - minted;
    expect(fee).to.be.greaterThan(0n);
    const mine = (receipt?.logs ?? []).filter(
      (log) => log.topics[0] === p.token.getEvent("TokenRebased").fragment.topicHash,
    );
    expect(mine.length).to.equal(1);
    await expect(tx)
      .to.emit(p.token, "TokenRebased")
      .withArgs(
        await time.latest(),
        86_400n,
        before.totalShares,
        before.totalEther,
        after.totalShares,
        after.totalEther,
        fee,
      );
    expect(after.totalEther).to.be.lessThan(before.totalEther);
  });

  it("keeps the rate of every report, and finds the one in force at any time", async () => {
    const p = await loadFixture(protocol);
    const opened = await p.token.queryFilter(p.token.filters.Transfer(ethers.ZeroAddress, await p.token.LOCKED()));
    const start = BigInt((await opened[0]?.getBlock())?.timestamp ?? 0);
    const history: { at: bigint; rate: bigint }[] = [{ at: start, rate: await p.token.rate() }];
    await p.pool.connect(p.alice).deposit(p.alice, ethers.ZeroAddress, { value: 500n * ETH });
    for (let day = 1n; day <= 21n; day++) {
      await apply(p, { gain: 10n ** 16n * ((day % 4n) - 1n), after: 600n * (1n + (day % 7n)) });
      history.push({ at: BigInt(await time.latest()), rate: await p.token.rate() });
      // deposits and transfers leave no mark
      await p.pool.connect(p.bob).deposit(p.bob, ethers.ZeroAddress, { value: ETH + day });
    }
    expect(new Set(history.map(({ rate }) => rate)).size).to.be.greaterThan(15);
    for (const [i, { at, rate }] of history.entries()) {
      const next = history[i + 1]?.at ?? at + 10n ** 9n;
      for (const when of [at, at + 1n, (at + next) / 2n, next - 1n]) expect(await p.token.rateAt(when)).to.equal(rate);
    }
    expect(await p.token.rateAt(MAX)).to.equal(await p.token.rate());
    for (const when of [0n, 1n, start - 1n])
      await expect(p.token.rateAt(when)).to.be.revertedWithCustomError(p.token, "NoRateAt").withArgs(when);
  });
});

describe("Security: shares", () => {
  /** A pool that nobody but the deployer has used, and what an attacker can do before the first staker. */
  async function attacked(give: (p: Protocol) => Promise<void>) {
    const p = await loadFixture(protocol);
    await p.pool.connect(p.carol).deposit(p.carol, ethers.ZeroAddress, { value: 1n });
    await give(p);
    await p.pool.connect(p.alice).deposit(p.alice, ethers.ZeroAddress, { value: ETH });
    return p;
  }

  it("first-depositor inflation: dead shares and books: ether forced on the contracts profits nobody", async () => {
    const p = await attacked(async ({ pool, token, queue, wrapped }) => {
      for (const house of [pool, token, queue, wrapped])
        await networkHelpers.setBalance(await house.getAddress(), 1_000n * ETH);
    });
    expect(await p.token.balanceOf(p.alice)).to.equal(ETH);
    expect(await p.token.balanceOf(p.carol)).to.equal(1n);
    expect(await p.token.sharesOf(await p.token.LOCKED())).to.equal(10n ** 25n);
  });

  it("first-depositor inflation: shares given away make the giver poorer, and nobody richer", async () => {
    const p = await attacked(async ({ token, wrapped, pool, queue, carol }) => {
      await pool.connect(carol).deposit(carol, ethers.ZeroAddress, { value: 100n * ETH });
      for (const house of [pool, queue, wrapped]) await token.connect(carol).transfer(house, 30n * ETH);
    });
    expect(await p.token.balanceOf(p.alice)).to.equal(ETH);
    expect(await p.token.balanceOf(p.carol)).to.equal(10n * ETH + 1n);
    expect(await p.token.rate()).to.equal(10n ** 27n);
    await p.wrapped.connect(p.bob).stake(p.bob, ethers.ZeroAddress, { value: 1n });
    expect(await p.wrapped.balanceOf(p.bob)).to.equal(1n);
    expect(await p.wrapped.convertToAssets(1n)).to.equal(1n);
  });

  it("zero shares divides by zero: dead shares: no view reverts before the pool opens, nor when everyone has left", async () => {
    const [anyone] = await ethers.getSigners();
    if (anyone === undefined) throw new Error("no account");
    const unopened = await ethers.deployContract("StakedEther", [anyone.address, anyone.address]);
    expect(await unopened.totals()).to.deep.equal([0n, 0n]);
    expect(await unopened.rate()).to.equal(0n);
    expect(await unopened.balanceOf(anyone)).to.equal(0n);
    expect(await unopened.getSharesByPooledEth(7n)).to.equal(7n * 10n ** 9n);
    expect(await unopened.getPooledEthByShares(7n * 10n ** 9n + 1n)).to.equal(7n);
    await expect(unopened.rateAt(MAX)).to.be.revertedWithCustomError(unopened, "NoRateAt").withArgs(MAX);

    const p = await loadFixture(protocol);
    await p.pool.connect(p.alice).deposit(p.alice, ethers.ZeroAddress, { value: ETH });
    await request(p, p.alice, ETH);
    await apply(p);
    expect(await p.token.totals()).to.deep.equal([ETH / 100n, 10n ** 25n]);
    expect(await p.token.balanceOf(p.alice)).to.equal(0n);
    expect(await p.token.rate()).to.equal(10n ** 27n);
    for (const view of ["totalAssets", "getRate", "stEthPerToken", "tokensPerStEth"] as const) await p.wrapped[view]();
    expect(await p.wrapped.previewMint(ETH)).to.equal(ETH);
    expect(await p.wrapped.previewWithdraw(ETH)).to.equal(ETH);
    expect(await p.pool.exitDemand(0n)).to.equal(0n);
  });
});

describe("StakedEther: the pool's and the queue's part", () => {
  it("opens once", async () => {
    const p = await loadFixture(staked);
    await expect(p.token.connect(await borrow(p.pool)).bootstrap(ETH))
      .to.be.revertedWithCustomError(p.token, "AlreadyBootstrapped")
      .withArgs(await p.token.getTotalShares());
  });

  it("mints to the last wei that its totals hold, and no more", async () => {
    const p = await loadFixture(staked);
    const token = p.token.connect(await borrow(p.pool));
    const [ether, shares] = await p.token.totals();
    for (const amount of [U128 - ether, U128, MAX])
      await expect(token.mint(p.alice, amount)).to.be.revertedWithCustomError(token, "TotalOverflow").withArgs(amount);
    // shares run out first
    const most = ((U128 - 1n - shares) * ether) / shares;
    await expect(token.mint(p.alice, U128 - 1n - ether))
      .to.be.revertedWithCustomError(token, "SafeCastOverflowedUintDowncast")
      .withArgs(128n, shares + ((U128 - 1n - ether) * shares) / ether);
    expect(await token.mint.staticCall(p.alice, most)).to.deep.equal([(most * shares) / ether, ether + most]);
    await token.mint(p.alice, most);
    expect(await p.token.balanceOf(p.bob)).to.equal(400n * ETH);
    await p.token.connect(p.alice).transfer(p.bob, most);
  });

  it("pays withdrawals with as many shares as they are worth, rounded up, or as it is told at most", async () => {
    const p = await loadFixture(uneven);
    await request(p, p.alice, 10n * ETH);
    const token = p.token.connect(await borrow(p.pool));
    const [ether, shares] = await p.token.totals();
    const amount = ETH + 1n;
    const worth = ceilDiv(amount * shares, ether);
    expect(worth * ether).to.be.greaterThan(amount * shares);
    for (const most of [worth + 1n, worth, worth - 1n, 0n]) {
      const snapshot = await networkHelpers.takeSnapshot();
      const burned = most < worth ? most : worth;
      const held = await p.token.sharesOf(p.queue);
      expect(await token.payWithdrawals.staticCall(amount, most)).to.equal(burned);
      await expect(token.payWithdrawals(amount, most)).to.emit(token, "WithdrawalsPaid").withArgs(amount, burned);
      expect(await p.token.totals()).to.deep.equal([ether - amount, shares - burned]);
      expect(held - (await p.token.sharesOf(p.queue))).to.equal(burned);
      await snapshot.restore();
    }
    // not from anybody else's shares
    await expect(token.payWithdrawals(11n * ETH, MAX)).to.be.revertedWithPanic(0x11n);
  });

  it("lets the queue pull what a transfer would move, and no more", async () => {
    const p = await loadFixture(uneven);
    const token = p.token.connect(await borrow(p.queue));
    const [ether, shares] = await p.token.totals();
    const [held, balance] = [await p.token.sharesOf(p.carol), await p.token.balanceOf(p.carol)];
    await expect(token.pullToQueue(p.carol, balance + 1n))
      .to.be.revertedWithCustomError(token, "ERC20InsufficientBalance")
      .withArgs(p.carol, balance, balance + 1n);
    await expect(token.pullSharesToQueue(p.carol, held + 1n))
      .to.be.revertedWithCustomError(token, "SharesExceedBalance")
      .withArgs(p.carol, held + 1n, held);
    expect(await token.pullToQueue.staticCall(p.carol, 1_000n)).to.equal((1_000n * shares) / ether);
    await expect(token.pullToQueue(p.carol, 1_000n)).to.emit(token, "Transfer").withArgs(p.carol, p.queue, 1_000n);
    await expect(token.pullSharesToQueue(p.carol, 5n)).to.emit(token, "Transfer").withArgs(p.carol, p.queue, 0n);
    expect(held - (await p.token.sharesOf(p.carol))).to.equal((1_000n * shares) / ether + 5n);
  });
});
