/** Entering the queue, and leaving it with ether. */
import { expect } from "chai";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { ETH, FRAME, apply, borrow, request, staked } from "../../helpers/reporting.ts";
import { protocol } from "../../helpers/protocol.ts";

const MAX = 2n ** 256n - 1n;

describe("WithdrawalQueue: requests", () => {
  it("takes the shares of a request without an approval and mints the claim to whoever was named", async () => {
    const p = await loadFixture(staked);
    const before = await p.token.sharesOf(p.alice);
    const rate = await p.token.rate();
    await expect(p.queue.connect(p.alice).requestWithdrawals([10n * ETH, 5n * ETH], p.carol))
      .to.emit(p.queue, "WithdrawalRequested")
      .withArgs(1n, p.carol, 10n * ETH, 10n * 10n ** 27n)
      .and.to.emit(p.queue, "RoundOpened");
    expect(before - (await p.token.sharesOf(p.alice))).to.equal(15n * 10n ** 27n);
    expect(await p.queue.unfinalisedShares()).to.equal(15n * 10n ** 27n);
    expect(await p.queue.ownerOf(1n)).to.equal(p.carol.address);
    expect(await p.queue.balanceOf(p.carol)).to.equal(2n);
    const [status] = await p.queue.getWithdrawalStatus([2n]);
    expect(status?.amount).to.equal((5n * ETH * rate) / 10n ** 27n);
    expect(status?.isFinalized).to.equal(false);
    expect(status?.isClaimed).to.equal(false);
  });

  it("mints to the caller when no owner is named", async () => {
    const p = await loadFixture(staked);
    await p.queue.connect(p.alice).requestWithdrawals([ETH], ethers.ZeroAddress);
    expect(await p.queue.ownerOf(1n)).to.equal(p.alice.address);
  });

  it("refuses less than 100 wei, nothing at all, and more than the caller has", async () => {
    const p = await loadFixture(staked);
    const queue = p.queue.connect(p.alice);
    await expect(queue.requestWithdrawals([99n], p.alice))
      .to.be.revertedWithCustomError(queue, "RequestTooSmall")
      .withArgs(99n, 100n);
    await expect(queue.requestWithdrawals([ETH, 0n], p.alice))
      .to.be.revertedWithCustomError(queue, "RequestTooSmall")
      .withArgs(0n, 100n);
    await expect(queue.requestWithdrawals([], p.alice)).to.be.revertedWithCustomError(queue, "NoRequests");
    await expect(queue.requestWithdrawalsShares([], p.alice)).to.be.revertedWithCustomError(queue, "NoRequests");
    await expect(queue.requestWithdrawalsShares([99n * 10n ** 9n], p.alice))
      .to.be.revertedWithCustomError(queue, "RequestTooSmall")
      .withArgs(99n, 100n);
    await expect(queue.requestWithdrawals([600n * ETH + 1n], p.alice))
      .to.be.revertedWithCustomError(p.token, "ERC20InsufficientBalance")
      .withArgs(p.alice, 600n * ETH, 600n * ETH + 1n);
    await expect(queue.requestWithdrawals([400n * ETH, 200n * ETH, 100n], p.alice)).to.be.revertedWithCustomError(
      p.token,
      "ERC20InsufficientBalance",
    );
    await expect(queue.requestWithdrawals([MAX], p.alice)).to.be.revertedWithCustomError(
      p.token,
      "ERC20InsufficientBalance",
    );
    await expect(queue.requestWithdrawalsShares([600n * 10n ** 27n + 1n], p.alice))
      .to.be.revertedWithCustomError(p.token, "SharesExceedBalance")
      .withArgs(p.alice, 600n * 10n ** 27n + 1n, 600n * 10n ** 27n);
    expect(await p.queue.lastRequestId()).to.equal(0n);
    expect(await p.token.balanceOf(p.alice)).to.equal(600n * ETH);
  });

  it("takes exactly 100 wei, and a whole balance", async () => {
    const p = await loadFixture(staked);
    await request(p, p.alice, 100n, 600n * ETH - 100n);
    expect(await p.token.sharesOf(p.alice)).to.equal(0n);
    // at the first rate a unit of shares is a wei
    await p.queue.connect(p.bob).requestWithdrawalsShares([100n * 10n ** 9n], p.bob);
    const [status] = await p.queue.getWithdrawalStatus([3n]);
    expect([status?.amount, status?.owner]).to.deep.equal([100n, p.bob.address]);
  });

  it("answers with the ids, and tells amount, shares and owner of each, whatever the rate", async () => {
    const p = await loadFixture(staked);
    await apply(p, { gain: ETH / 100n });
    const { totalEther, totalShares } = await p.token.totals();
    const amounts = [ETH + 7n, 2n * ETH + 1n];
    const shares = amounts.map((amount) => (amount * totalShares) / totalEther);
    for (const count of shares) expect(count % 10n ** 9n).to.be.greaterThan(0n);
    const queue = p.queue.connect(p.alice);
    expect(await queue.requestWithdrawals.staticCall(amounts, p.carol)).to.deep.equal([1n, 2n]);
    const first = queue.requestWithdrawals(amounts, p.carol);
    for (const [i, amount] of amounts.entries())
      await expect(first)
        .to.emit(queue, "WithdrawalRequested")
        .withArgs(BigInt(i + 1), p.carol, amount, shares[i]);
    expect(await queue.requestWithdrawalsShares.staticCall(shares, p.bob)).to.deep.equal([3n, 4n]);
    const second = queue.requestWithdrawalsShares(shares, p.bob);
    for (const [i, count] of shares.entries())
      await expect(second)
        .to.emit(queue, "WithdrawalRequested")
        .withArgs(BigInt(i + 3), p.bob, (count * totalEther) / totalShares, count);
  });

  it("takes westETH for what its shares are worth, without an approval", async () => {
    const p = await loadFixture(staked);
    await p.wrapped.connect(p.carol).stake(p.carol, ethers.ZeroAddress, { value: 3n * ETH });
    const held = await p.wrapped.balanceOf(p.carol);
    await p.wrapped.connect(p.carol).requestWithdrawals([held], ethers.ZeroAddress);
    expect(await p.queue.ownerOf(1n)).to.equal(p.carol.address);
    expect(await p.queue.unfinalisedShares()).to.equal(held * 10n ** 9n);
    expect(await p.wrapped.totalSupply()).to.equal(0n);
    await apply(p);
    await apply(p);
    const [owed] = await p.queue.getClaimableEther([1n]);
    await expect(p.queue.connect(p.carol).claimWithdrawal(1n)).to.changeEtherBalance(ethers, p.carol, owed);
  });

  it("sends shares below a unit to cover with the next report", async () => {
    const p = await loadFixture(staked);
    // a rate that is no round number
    await apply(p, { gain: ETH / 100n });
    await request(p, p.alice, ETH + 7n, ETH + 13n);
    const held = await p.token.sharesOf(p.queue);
    const remainder = held - (await p.queue.unfinalisedShares()) - (await p.pool.books()).cover;
    expect(remainder).to.be.greaterThan(0n);
    expect(remainder).to.be.lessThan(2n * 10n ** 9n);
    const shares = await p.token.getTotalShares();
    await apply(p, { incident: true });
    const { cover } = await p.pool.books();
    expect(shares - (await p.token.getTotalShares())).to.equal(remainder);
    expect(await p.token.sharesOf(p.queue)).to.equal((await p.queue.unfinalisedShares()) + cover);
  });

  it("is bound once, to the token that names it", async () => {
    const p = await loadFixture(protocol);
    await expect(p.queue.bind(p.token)).to.be.revertedWithCustomError(p.queue, "AlreadyBound").withArgs(p.token);
    const queue = await ethers.deployContract("WithdrawalQueue", [await p.authority.getAddress(), 7_200n]);
    expect([await queue.frame(), await p.queue.frame()]).to.deep.equal([7_200n, FRAME]);
    await expect(queue.bind(p.token)).to.be.revertedWithCustomError(queue, "NotMyToken").withArgs(p.token);
  });

  it("refuses what it would count as nothing: fewer shares than a unit", async () => {
    const p = await loadFixture(staked);
    const { totalEther } = await p.token.totals();
    // a rate two hundred times the first one: 150 wei are three quarters of a unit
    const totals = (((totalEther * 10n ** 9n) / 200n) << 128n) | totalEther;
    await networkHelpers.setStorageAt(await p.token.getAddress(), 5, ethers.toBeHex(totals, 32));
    expect((await p.token.totals()).totalEther).to.equal(totalEther);
    const queue = p.queue.connect(p.alice);
    await expect(queue.requestWithdrawals([150n], p.alice))
      .to.be.revertedWithCustomError(p.queue, "RequestBelowUnit")
      .withArgs(750_000_000n);
    await expect(queue.requestWithdrawalsShares([10n ** 9n - 1n], p.alice))
      .to.be.revertedWithCustomError(p.queue, "RequestBelowUnit")
      .withArgs(10n ** 9n - 1n);
    await queue.requestWithdrawals([200n], p.alice);
    expect(await p.queue.unfinalisedShares()).to.equal(10n ** 9n);
  });

  it("does not let a claim be paid to the pool, which would stake it for the queue", async () => {
    const p = await loadFixture(staked);
    const [id] = await request(p, p.alice, ETH);
    await apply(p);
    const claim = (receiver: string) => p.queue.connect(p.alice).claimWithdrawals([id ?? 0n], [], receiver);
    await expect(claim(await p.pool.getAddress()))
      .to.be.revertedWithCustomError(p.queue, "ClaimFailed")
      .withArgs(p.pool, ETH);
    expect(await p.token.sharesOf(p.queue)).to.equal((await p.pool.books()).cover);
    await expect(claim(p.carol.address)).to.changeEtherBalance(ethers, p.carol, ETH);
  });

  it("regression, claims to westETH: they are refused, for it would stake them for the queue; the request stays", async () => {
    const p = await loadFixture(staked);
    const [one = 0n, two = 0n] = await request(p, p.alice, ETH, 2n * ETH);
    await apply(p);
    const held = await p.token.sharesOf(p.queue);
    const claim = (ids: bigint[], receiver: string) => p.queue.connect(p.alice).claimWithdrawals(ids, [], receiver);
    const westEth = await p.wrapped.getAddress();
    for (const [ids, amount] of [
      [[one], ETH],
      [[two, one], 3n * ETH],
    ] as const)
      await expect(claim([...ids], westEth))
        .to.be.revertedWithCustomError(p.queue, "ClaimFailed")
        .withArgs(westEth, amount);
    for (const value of [0n, 1n, ETH])
      await expect((await borrow(p.queue)).sendTransaction({ to: westEth, value }))
        .to.be.revertedWithCustomError(p.wrapped, "StakesForQueue")
        .withArgs();
    expect(await p.wrapped.totalSupply()).to.equal(0n);
    expect(await p.token.sharesOf(p.queue)).to.equal(held);
    expect(await p.queue.getClaimableEther([one, two])).to.deep.equal([ETH, 2n * ETH]);
    await expect(claim([one, two], p.carol.address)).to.changeEtherBalance(ethers, p.carol, 3n * ETH);
  });

  it("is closed, finalised and paid by the pool only", async () => {
    const p = await loadFixture(staked);
    const stranger = p.queue.connect(p.carol);
    for (const call of [() => stranger.open(1n), () => stranger.settleReport(1n, 1n, 1n, 1n)])
      await expect(call()).to.be.revertedWithCustomError(p.queue, "OnlyPool").withArgs(p.carol);
    await expect(stranger.finalise(1n, 1n, 1n))
      .to.be.revertedWithCustomError(p.queue, "OnlyPool")
      .withArgs(p.carol);
    await expect(p.carol.sendTransaction({ to: p.queue, value: 1n })).to.be.revertedWithCustomError(
      p.queue,
      "OnlyPool",
    );
  });
});

describe("WithdrawalQueue: pauses", () => {
  it("stops requests by role, and never claims", async () => {
    const p = await loadFixture(staked);
    await request(p, p.alice, ETH);
    await apply(p);
    await expect(p.queue.connect(p.alice).pauseRequests(true)).to.be.revertedWithCustomError(
      p.queue,
      "AccessManagedUnauthorized",
    );
    await expect(p.queue.connect(p.guardian).pauseRequests(true)).to.emit(p.queue, "RequestsPaused").withArgs(true);
    await p.pool.connect(p.guardian).pauseDeposits(true);
    expect(await p.queue.requestsPaused()).to.equal(true);
    await expect(p.queue.connect(p.alice).requestWithdrawals([ETH], p.alice)).to.be.revertedWithCustomError(
      p.queue,
      "RequestsArePaused",
    );
    await expect(
      p.queue.connect(p.alice).requestWithdrawalsShares([10n ** 27n], p.alice),
    ).to.be.revertedWithCustomError(p.queue, "RequestsArePaused");
    await p.queue.connect(p.alice).claimWithdrawal(1n);
    await expect(p.queue.connect(p.guardian).pauseRequests(false)).to.emit(p.queue, "RequestsPaused").withArgs(false);
    expect(await p.queue.requestsPaused()).to.equal(false);
    await request(p, p.alice, ETH);
  });
});

describe("WithdrawalQueue: claims", () => {
  async function finalised() {
    const p = await loadFixture(staked);
    await request(p, p.alice, ETH, 2n * ETH, 3n * ETH);
    await apply(p);
    await request(p, p.alice, 4n * ETH);
    return p;
  }

  it("pays the owner, or whoever the owner names, one or many", async () => {
    const p = await loadFixture(finalised);
    await expect(p.queue.connect(p.alice).claimWithdrawal(2n)).to.changeEtherBalance(ethers, p.alice, 2n * ETH);
    await expect(p.queue.connect(p.alice).claimWithdrawals([1n, 3n], [], p.carol)).to.changeEtherBalance(
      ethers,
      p.carol,
      4n * ETH,
    );
    expect(await ethers.provider.getBalance(p.queue)).to.equal(0n);
    expect(await p.queue.balanceOf(p.alice)).to.equal(1n);
  });

  it("says what it would pay, and nothing for what is unknown, claimed or waits", async () => {
    const p = await loadFixture(finalised);
    await p.queue.connect(p.alice).claimWithdrawal(1n);
    expect(await p.queue.getClaimableEther([0n, 1n, 2n, 3n, 4n, 5n, MAX])).to.deep.equal([
      0n,
      0n,
      2n * ETH,
      3n * ETH,
      0n,
      0n,
      0n,
    ]);
    const [claimed, , , waiting] = await p.queue.getWithdrawalStatus([1n, 2n, 3n, 4n]);
    expect([claimed?.isClaimed, claimed?.isFinalized, claimed?.owner]).to.deep.equal([true, true, ethers.ZeroAddress]);
    expect([waiting?.isClaimed, waiting?.isFinalized, waiting?.owner]).to.deep.equal([false, false, p.alice.address]);
    for (const id of [0n, 5n]) {
      await expect(p.queue.getWithdrawalStatus([id])).to.be.revertedWithCustomError(p.queue, "UnknownRequest");
      await expect(p.queue.findHints([id]))
        .to.be.revertedWithCustomError(p.queue, "UnknownRequest")
        .withArgs(id);
    }
  });

  it("refuses unknown ids, a second claim, strangers, and what is not finalised", async () => {
    const p = await loadFixture(finalised);
    const queue = p.queue.connect(p.alice);
    for (const id of [0n, 5n, MAX])
      await expect(queue.claimWithdrawal(id)).to.be.revertedWithCustomError(queue, "UnknownRequest").withArgs(id);
    await expect(p.queue.connect(p.bob).claimWithdrawal(1n))
      .to.be.revertedWithCustomError(queue, "NotRequestOwner")
      .withArgs(1n, p.bob, p.alice);
    await expect(queue.claimWithdrawal(4n))
      .to.be.revertedWithCustomError(queue, "NotFinalized")
      .withArgs(4n, 10n * ETH, 6n * ETH);
    await queue.claimWithdrawal(1n);
    await expect(queue.claimWithdrawal(1n)).to.be.revertedWithCustomError(queue, "AlreadyClaimed").withArgs(1n);
    await expect(queue.claimWithdrawals([2n, 2n], [], p.alice))
      .to.be.revertedWithCustomError(queue, "AlreadyClaimed")
      .withArgs(2n);
    await expect(queue.claimWithdrawals([2n, 4n], [], p.alice)).to.be.revertedWithCustomError(queue, "NotFinalized");
    expect(await queue.ownerOf(2n)).to.equal(p.alice.address);
  });

  it("refuses no ids, hints of another length, and no receiver", async () => {
    const p = await loadFixture(finalised);
    const queue = p.queue.connect(p.alice);
    await expect(queue.claimWithdrawals([], [], p.alice)).to.be.revertedWithCustomError(queue, "NoRequests");
    for (const [ids, hints] of [
      [[1n], [1n, 1n]],
      [
        [1n, 2n, 3n],
        [1n, 1n],
      ],
    ])
      await expect(queue.claimWithdrawals(ids ?? [], hints ?? [], p.alice))
        .to.be.revertedWithCustomError(queue, "LengthMismatch")
        .withArgs(ids?.length, hints?.length);
    await expect(queue.claimWithdrawals([1n], [], ethers.ZeroAddress)).to.be.revertedWithCustomError(
      queue,
      "ZeroReceiver",
    );
  });

  it("follows a transfer: the new owner claims, the old one no longer", async () => {
    const p = await loadFixture(finalised);
    await p.queue.connect(p.alice).transferFrom(p.alice, p.bob, 1n);
    await expect(p.queue.connect(p.alice).claimWithdrawal(1n)).to.be.revertedWithCustomError(
      p.queue,
      "NotRequestOwner",
    );
    await expect(p.queue.connect(p.bob).claimWithdrawal(1n)).to.changeEtherBalance(ethers, p.bob, ETH);
  });

  it("an approved stranger may move a request and not claim it", async () => {
    const p = await loadFixture(finalised);
    await p.queue.connect(p.alice).approve(p.carol, 1n);
    await expect(p.queue.connect(p.carol).claimWithdrawal(1n)).to.be.revertedWithCustomError(
      p.queue,
      "NotRequestOwner",
    );
  });

  it("a receiver that refuses ether reverts the claim, and nothing is lost", async () => {
    const p = await loadFixture(finalised);
    const claimer = await ethers.deployContract("Claimer", [await p.queue.getAddress()]);
    await p.queue.connect(p.alice).transferFrom(p.alice, claimer, 1n);
    await claimer.setHabit(1n, 0n);
    await expect(claimer.claim(1n)).to.be.revertedWithCustomError(p.queue, "ClaimFailed").withArgs(claimer, ETH);
    expect(await p.queue.ownerOf(1n)).to.equal(await claimer.getAddress());
    await expect(claimer.claimTo(1n, p.bob)).to.changeEtherBalance(ethers, p.bob, ETH);
    // the token takes no ether either
    await expect(p.queue.connect(p.alice).claimWithdrawals([2n], [], p.token)).to.be.revertedWithCustomError(
      p.queue,
      "ClaimFailed",
    );
    await expect(p.queue.connect(p.alice).claimWithdrawals([2n], [], p.queue)).to.be.revertedWithCustomError(
      p.queue,
      "ClaimFailed",
    );
  });

  it("ether forced on the queue changes nothing that it owes", async () => {
    const p = await loadFixture(finalised);
    await networkHelpers.setBalance(await p.queue.getAddress(), 100n * ETH);
    expect(await p.queue.getClaimableEther([1n, 2n, 3n, 4n])).to.deep.equal([ETH, 2n * ETH, 3n * ETH, 0n]);
    await p.queue.connect(p.alice).claimWithdrawals([1n, 2n, 3n], [], p.bob);
    expect(await ethers.provider.getBalance(p.queue)).to.equal(94n * ETH);
  });

  it("Security: reentrant claimer is paid once, and may claim another request from within", async () => {
    const p = await loadFixture(finalised);
    const claimer = await ethers.deployContract("Claimer", [await p.queue.getAddress()]);
    for (const id of [1n, 2n, 3n]) await p.queue.connect(p.alice).transferFrom(p.alice, claimer, id);
    await claimer.setHabit(2n, 1n);
    await expect(claimer.claim(1n)).to.changeEtherBalance(ethers, claimer, ETH);
    expect(await claimer.received()).to.equal(1n);
    expect(await claimer.refusal()).to.equal(p.queue.interface.getError("AlreadyClaimed")?.selector);
    await claimer.setHabit(3n, 3n);
    await expect(claimer.claim(2n)).to.changeEtherBalance(ethers, claimer, 5n * ETH);
    expect(await claimer.received()).to.equal(3n);
  });

  it("the pool's own account can neither claim nor be claimed for", async () => {
    const p = await loadFixture(finalised);
    const pool = await borrow(p.pool);
    await expect(p.queue.connect(pool).claimWithdrawal(1n)).to.be.revertedWithCustomError(p.queue, "NotRequestOwner");
  });
});
