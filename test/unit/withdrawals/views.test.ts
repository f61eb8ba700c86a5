/** What the queue says of requests in every state, over several rounds; large amounts; settling to the last wei. */
import { expect } from "chai";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { ETH, RAY, apply, borrow, request, staked } from "../../helpers/reporting.ts";

const MAX = ethers.MaxUint256;
const UNIT = 10n ** 9n;

/** Three rounds at three rates: 1 and 2 finalised (1 claimed), 3 finalised, 4 and 5 waiting. */
async function rounds() {
  const p = await loadFixture(staked);
  const rates: bigint[] = [];
  const ask = async (...amounts: bigint[]) => {
    rates.push(await p.token.rate());
    await request(p, p.alice, ...amounts);
  };
  await ask(ETH, 2n * ETH + 1n);
  await apply(p, { gain: ETH / 11n });
  await ask(3n * ETH + 7n);
  await apply(p, { gain: ETH / 13n });
  await p.queue.connect(p.alice).claimWithdrawal(1n);
  await ask(4n * ETH, 5n * ETH + 3n);
  return { p, rates };
}

describe("WithdrawalQueue: views over several rounds", () => {
  it("tell each request's value at its own round's rate, its shares, owner and state", async () => {
    const { p, rates } = await loadFixture(rounds);
    const statuses = await p.queue.getWithdrawalStatus([5n, 4n, 3n, 2n, 1n]);
    const roundOf = [2, 2, 1, 0, 0];
    for (const [i, status] of statuses.entries()) {
      expect(status.shares % UNIT).to.equal(0n);
      expect(status.amount).to.equal(((status.shares / UNIT) * (rates[roundOf[i] ?? 0] ?? 0n)) / RAY);
      expect(status.isFinalized).to.equal(i > 1);
      expect(status.isClaimed).to.equal(i === 4);
      expect(status.owner).to.equal(i === 4 ? ethers.ZeroAddress : p.alice.address);
    }
    const ends = statuses.map(({ roundEnd }) => roundEnd);
    expect(ends[0]).to.equal(ends[1]);
    expect(new Set(ends).size).to.equal(3);
    expect([await p.queue.lastRequestId(), await p.queue.lastFinalizedId()]).to.deep.equal([5n, 3n]);
    expect(await p.queue.unfinalisedShares()).to.equal((statuses[0]?.shares ?? 0n) + (statuses[1]?.shares ?? 0n));
    expect(await p.queue.oldestRoundEnd()).to.equal(ends[0]);
  });

  it("find the round of any request, claimed or waiting, and pay the same for a hint that is wrong", async () => {
    const { p } = await loadFixture(rounds);
    expect(await p.queue.findHints([1n, 2n, 3n, 4n, 5n])).to.deep.equal([1n, 1n, 2n, 3n, 3n]);
    expect(await p.queue.findHints([5n, 1n])).to.deep.equal([3n, 1n]);
    const [two = 0n, three = 0n, four] = await p.queue.getClaimableEther([2n, 3n, 4n]);
    expect(four).to.equal(0n);
    // each has the other's hint, or one of a round that does not exist
    for (const hints of [
      [2n, 1n],
      [3n, 3n],
      [0n, MAX],
      [4n, 2n ** 24n],
    ]) {
      const snapshot = await networkHelpers.takeSnapshot();
      await expect(p.queue.connect(p.alice).claimWithdrawals([2n, 3n], hints, p.carol)).to.changeEtherBalance(
        ethers,
        p.carol,
        two + three,
      );
      await snapshot.restore();
    }
    const claim = p.queue.connect(p.alice).claimWithdrawals([2n, 3n], [2n, 1n], p.carol);
    await expect(claim).to.changeEtherBalance(ethers, p.carol, two + three);
    await expect(claim).to.emit(p.queue, "WithdrawalClaimed").withArgs(2n, p.alice, p.carol, two);
    await expect(claim).to.emit(p.queue, "WithdrawalClaimed").withArgs(3n, p.alice, p.carol, three);
  });

  it("give hints that are cheaper than none, and than wrong ones", async () => {
    const p = await loadFixture(staked);
    for (let i = 0; i < 9; i++) {
      await request(p, p.alice, ETH);
      await apply(p);
    }
    const [hint = 0n] = await p.queue.findHints([9n]);
    const claim = (hints: bigint[]) => p.queue.connect(p.alice).claimWithdrawals.estimateGas([9n], hints, p.alice);
    const right = await claim([hint]);
    for (const hints of [[], [1n]]) expect(await claim(hints)).to.be.greaterThan(right + 2_000n);
  });

  it("refuse ids that were never given, by name, and answer nothing for no ids", async () => {
    const { p } = await loadFixture(rounds);
    for (const id of [0n, 6n, MAX]) {
      for (const call of [() => p.queue.getWithdrawalStatus([1n, id]), () => p.queue.findHints([1n, id])])
        await expect(call()).to.be.revertedWithCustomError(p.queue, "UnknownRequest").withArgs(id);
      expect(await p.queue.getClaimableEther([id])).to.deep.equal([0n]);
    }
    expect(await p.queue.getWithdrawalStatus([])).to.deep.equal([]);
    expect(await p.queue.findHints([])).to.deep.equal([]);
    expect(await p.queue.getClaimableEther([])).to.deep.equal([]);
  });
});

describe("WithdrawalQueue: amounts", () => {
  it("a large amount that is split pays what it pays in one, a wei a part apart", async () => {
    const p = await loadFixture(staked);
    await apply(p, { gain: ETH / 7n });
    const parts = [99n * ETH + 1n, 50n * ETH + 3n, ETH - 4n];
    await request(p, p.alice, ...parts);
    await request(p, p.bob, 150n * ETH);
    await apply(p);
    const [a = 0n, b = 0n, c = 0n, whole = 0n] = await p.queue.getClaimableEther([1n, 2n, 3n, 4n]);
    expect(whole - (a + b + c)).to.be.within(-3n, 3n);
    expect(whole).to.be.within(150n * ETH - 2n, 150n * ETH);
  });

  it("refuses units above the type of its sums", async () => {
    const p = await loadFixture(staked);
    const much = 2n ** 96n;
    await p.token.connect(await borrow(p.pool)).mint(p.alice, much);
    const queue = p.queue.connect(p.alice);
    await expect(queue.requestWithdrawals([much], p.alice))
      .to.be.revertedWithCustomError(queue, "QueueOverflow")
      .withArgs();
    await request(p, p.alice, much - 1n);
    await expect(queue.requestWithdrawals([100n], p.alice)).to.be.revertedWithCustomError(queue, "QueueOverflow");
    expect(await queue.lastRequestId()).to.equal(1n);
  });

  it("refuses more requests, and more shares below a unit, than its counters hold, and not one fewer", async () => {
    const TAIL = 6; // its slot
    const p = await loadFixture(staked);
    await request(p, p.alice, ETH);
    const address = await p.queue.getAddress();
    const queue = p.queue.connect(p.alice);
    const written = BigInt(await networkHelpers.getStorageAt(address, TAIL));
    const write = (tail: bigint) => networkHelpers.setStorageAt(address, TAIL, ethers.toBeHex(tail, 32));
    const ask = (below = 0n) => queue.requestWithdrawalsShares([10n ** 27n + below], p.alice);
    const expectOverflow = async (call: Promise<unknown>) => {
      await expect(call).to.be.revertedWithCustomError(queue, "QueueOverflow").withArgs();
    };

    await write(written + ((2n ** 32n - 3n) << 96n));
    expect(await queue.lastRequestId()).to.equal(2n ** 32n - 2n);
    await ask();
    expect(await queue.lastRequestId()).to.equal(2n ** 32n - 1n);
    expect(await queue.ownerOf(2n ** 32n - 1n)).to.equal(p.alice.address);
    await expectOverflow(ask());
    await expectOverflow(ask(1n));

    await write(written + ((2n ** 56n - 8n) << 200n));
    await expectOverflow(ask(8n));
    await expectOverflow(ask(UNIT - 1n));
    await ask(7n);
    expect(BigInt(await networkHelpers.getStorageAt(address, TAIL)) >> 200n).to.equal(2n ** 56n - 1n);
    await expectOverflow(ask(1n));
    await ask();
    expect(await queue.lastRequestId()).to.equal(3n);
    expect(await queue.unfinalisedShares()).to.equal(3n * 10n ** 27n);
  });

  it("Security: double rounding leaves dust that blocks the last step: when everyone leaves, the last claim is paid", async () => {
    const p = await loadFixture(staked);
    await apply(p, { gain: 123_456_789_012_345_679n });
    await p.pool.connect(p.carol).deposit(p.carol, ethers.ZeroAddress, { value: ETH / 3n + 1n });
    await apply(p, { gain: -1_234_567_890_123n });
    for (const who of [p.alice, p.bob, p.carol]) await request(p, who, await p.token.balanceOf(who));
    // the validators' ether comes back to the vault
    const { clLast } = await p.pool.books();
    await p.keeper.sendTransaction({ to: p.withdrawalVault, value: clLast });
    await apply(p, { gain: -clLast });
    expect(await p.queue.lastFinalizedId()).to.equal(3n);
    for (const [who, id] of [
      [p.alice, 1n],
      [p.carol, 3n],
      [p.bob, 2n],
    ] as const)
      await p.queue.connect(who).claimWithdrawal(id);
    expect(await ethers.provider.getBalance(p.queue)).to.be.within(0n, 3n);
    expect(await p.queue.unfinalisedShares()).to.equal(0n);
  });
});
