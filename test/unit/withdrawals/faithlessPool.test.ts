/** What the immutable contracts, the queue and westETH, believe of the pool: nothing that they can count themselves. */
import { expect } from "chai";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { ETH, FRAME, RAY, apply, borrow, request, staked } from "../../helpers/reporting.ts";

const UNIT = 10n ** 9n;
const LATER = 2n ** 40n - 1n; // a cut-off that every round has behind it
const OWED = 300n * ETH;

/** Alice's request 1 is finalised and lies in the queue, Bob's request 2 waits, Carol holds no estETH; then the pool is replaced. */
async function succeeded() {
  const p = await loadFixture(staked);
  await p.wrapped.connect(p.bob).stake(p.bob, ethers.ZeroAddress, { value: 600n * ETH });
  await request(p, p.alice, OWED);
  await apply(p);
  await request(p, p.bob, OWED);
  const pool = await ethers.deployContract("FaithlessPool", [p.token]);
  await p.token.connect(p.governor).replacePool(pool);
  await networkHelpers.time.increase(2n * FRAME);
  return { p, pool };
}

describe("A faithless pool: westETH", () => {
  it("regression, unbacked westETH: a stake is refused that was answered with shares which are not there", async () => {
    const { p, pool } = await loadFixture(succeeded);
    const [held, supply] = [await p.token.sharesOf(p.wrapped), await p.wrapped.totalSupply()];
    expect(held).to.equal(supply * UNIT);
    // a wei is a unit of shares, at this rate: 500 ether of other people's
    await pool.setAnswer(500n * ETH * UNIT);
    for (const stake of [
      () => p.wrapped.connect(p.carol).stake(p.carol, ethers.ZeroAddress, { value: 1n }),
      () => p.carol.sendTransaction({ to: p.wrapped, value: 1n }),
    ])
      await expect(stake())
        .to.be.revertedWithCustomError(p.wrapped, "NotBacked")
        .withArgs(held + UNIT, supply + 500n * ETH);
    expect(await p.wrapped.totalSupply()).to.equal(supply);
    expect(await p.wrapped.balanceOf(p.carol)).to.equal(0n);
  });

  it("regression, unbacked westETH: no unit is minted above what the shares back, and every unit up to it", async () => {
    const { p, pool } = await loadFixture(succeeded);
    const [held, supply] = [await p.token.sharesOf(p.wrapped), await p.wrapped.totalSupply()];
    await pool.setAnswer(8n * UNIT);
    await expect(p.wrapped.connect(p.carol).stake(p.carol, ethers.ZeroAddress, { value: 7n }))
      .to.be.revertedWithCustomError(p.wrapped, "NotBacked")
      .withArgs(held + 7n * UNIT, supply + 8n);
    await pool.setAnswer(8n * UNIT - 1n);
    await p.wrapped.connect(p.carol).stake(p.carol, ethers.ZeroAddress, { value: 7n });
    expect(await p.wrapped.balanceOf(p.carol)).to.equal(7n);
    expect(await p.token.sharesOf(p.wrapped)).to.equal((await p.wrapped.totalSupply()) * UNIT);
  });
});

describe("A faithless pool: the queue", () => {
  type Setup = Awaited<ReturnType<typeof succeeded>>;
  const ways = {
    settleReport: ({ pool }: Setup) => pool.settleReport(LATER, RAY, LATER, OWED),
    finalise: ({ pool }: Setup) => pool.getFunction("finalise")(RAY, LATER, OWED),
  };

  for (const [name, finalise] of Object.entries(ways)) {
    it(`regression, unpaid requests: ${name} finalises nothing where the pool pays nothing, or a wei less`, async () => {
      const s = await loadFixture(succeeded);
      const { p, pool } = s;
      await networkHelpers.setBalance(await pool.getAddress(), OWED);
      for (const pays of [0n, OWED - 1n]) {
        await pool.setPays(pays);
        await expect(finalise(s)).to.be.revertedWithCustomError(p.queue, "NotPaid").withArgs(OWED);
      }
      // nobody's ether was promised to Bob
      expect(await p.queue.getClaimableEther([1n, 2n])).to.deep.equal([OWED, 0n]);
      await expect(p.queue.connect(p.bob).claimWithdrawal(2n))
        .to.be.revertedWithCustomError(p.queue, "NotFinalized")
        .withArgs(2n, 2n * OWED, OWED);
      await expect(p.queue.connect(p.alice).claimWithdrawal(1n)).to.changeEtherBalance(ethers, p.alice, OWED);
    });

    it(`${name} takes what is due, or more, from whatever pool there is`, async () => {
      for (const pays of [OWED, OWED + 1n, 2n * OWED]) {
        const s = await loadFixture(succeeded);
        const { p, pool } = s;
        await networkHelpers.setBalance(await pool.getAddress(), 2n * OWED);
        await pool.setPays(pays);
        await expect(finalise(s)).to.changeEtherBalances(ethers, [pool, p.queue], [-pays, pays]);
        expect(await p.queue.getClaimableEther([1n, 2n])).to.deep.equal([OWED, OWED]);
      }
    });

    it(`${name} asks for nothing where it finalises nothing`, async () => {
      const s = await loadFixture(succeeded);
      const { p, pool } = s;
      await networkHelpers.setBalance(await pool.getAddress(), OWED);
      await pool.setPays(OWED);
      await finalise(s);
      // it would not be taken: the pool has none
      await finalise(s);
      expect(await ethers.provider.getBalance(p.queue)).to.equal(2n * OWED);
    });
  }
});

describe("StakingPool: payments to the queue", () => {
  it("are made to the queue alone, when it asks", async () => {
    const p = await loadFixture(staked);
    const others = [p.governor, p.guardian, p.treasury, p.keeper];
    for (const house of [p.pool, p.oracle, p.token, p.wrapped, p.validators, p.operators])
      others.push(await borrow(house));
    for (const who of others)
      for (const amount of [0n, ETH])
        await expect(p.pool.connect(who).payQueue(amount))
          .to.be.revertedWithCustomError(p.pool, "OnlyQueue")
          .withArgs(who);
    await expect(p.pool.connect(await borrow(p.queue)).payQueue(ETH)).to.changeEtherBalances(
      ethers,
      [p.pool, p.queue],
      [-ETH, ETH],
    );
  });

  it("fail where the queue refuses the ether, as it does of a pool that was replaced, or where there is too little", async () => {
    const { p } = await loadFixture(succeeded);
    const pool = p.pool.connect(await borrow(p.queue));
    await networkHelpers.setBalance(await p.pool.getAddress(), ETH);
    for (const amount of [1n, ETH, ETH + 1n])
      await expect(pool.payQueue(amount))
        .to.be.revertedWithCustomError(p.pool, "TransferFailed")
        .withArgs(p.queue, amount);
    expect(await ethers.provider.getBalance(p.pool)).to.equal(ETH);
  });
});
