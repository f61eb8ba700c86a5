/** A pool is replaced by another one in one transaction: ether, books and every pointer move. */
import { expect } from "chai";
import type { Addressable } from "ethers";
import type { IStakingPool } from "../../../typechain-types/contracts/pool/IStakingPool.ts";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { ETH, apply, borrow, fundWithoutKeys, nextRefTime, staked } from "../../helpers/reporting.ts";
import { protocol } from "../../helpers/protocol.ts";
import type { Protocol } from "../../helpers/protocol.ts";
import { peersOf, policyOf } from "../../helpers/peersOf.ts";

/** A pool that may follow `p.pool`, with some peer of its own. */
async function successor(p: Protocol, own: { predecessor?: Addressable; validators?: Addressable } = {}) {
  const peers = { ...(await peersOf(p.pool)), predecessor: p.pool, ...own };
  return ethers.deployContract("StakingPool", [p.authority, peers, await policyOf(p.pool)]);
}

async function world() {
  const p = await loadFixture(protocol);
  await p.pool.connect(p.alice).deposit(p.alice, ethers.ZeroAddress, { value: 100n * ETH });
  await p.fundValidator(2);
  await p.report();
  await p.queue.connect(p.alice).requestWithdrawals([3n * ETH], p.alice);
  return { p, next: await successor(p) };
}

/** The books of the pool in the form in which they are passed on. */
async function booksOf({ pool }: Protocol): Promise<IStakingPool.BooksStruct> {
  const books = await pool.books();
  const names = (pool.interface.getFunction("books").outputs[0]?.components ?? []).map(({ name }) => name);
  const values = [...books].map((value) => (Array.isArray(value) ? [...value] : value));
  return Object.fromEntries(names.map((name, i) => [name, values[i]])) as unknown as IStakingPool.BooksStruct;
}

describe("The succession of pools", () => {
  it("hands ether and books over, and reports, deposits and claims go on", async () => {
    const { p, next } = await world();
    const before = await p.pool.books();
    const [rate, buffer, held] = [
      await p.token.rate(),
      await p.pool.buffer(),
      await ethers.provider.getBalance(p.pool),
    ];
    await expect(p.token.connect(p.governor).replacePool(next))
      .to.emit(p.pool, "HandedOver")
      .withArgs(await next.getAddress());
    expect(await p.token.pool()).to.equal(await next.getAddress());
    expect([...(await next.books())].map(String)).to.deep.equal([...before].map(String));
    expect(await next.buffer()).to.equal(buffer);
    expect(await ethers.provider.getBalance(next)).to.equal(held);
    expect(await ethers.provider.getBalance(p.pool)).to.equal(0n);
    expect(await p.token.rate()).to.equal(rate);

    const deposit = next.connect(p.bob).deposit(p.bob, ethers.ZeroAddress, { value: ETH });
    await expect(deposit).to.emit(next, "Deposited");
    const late = p.pool.connect(p.bob).deposit(p.bob, ethers.ZeroAddress, { value: ETH });
    await expect(late).to.be.revertedWithCustomError(p.pool, "ReportOverdue").withArgs(0n);
    await p.report();
    await p.report();
    expect(await p.queue.lastFinalizedId()).to.equal(1n);
    await p.queue.connect(p.alice).claimWithdrawal(1n);
    expect(await ethers.provider.getBalance(next)).to.equal(await next.buffer());
  });

  it("is governance's, the token's and the predecessor's alone", async () => {
    const { p, next } = await world();
    await expect(p.pool.connect(p.alice).handOver(next))
      .to.be.revertedWithCustomError(p.pool, "OnlyToken")
      .withArgs(p.alice.address);
    await expect(next.connect(p.alice).takeOver(await booksOf(p)))
      .to.be.revertedWithCustomError(next, "OnlyPredecessor")
      .withArgs(p.alice.address);
    await expect(p.token.connect(p.alice).replacePool(next)).to.be.revertedWithCustomError(
      p.token,
      "AccessManagedUnauthorized",
    );
  });

  it("does not move the books to a pool that does not name its predecessor", async () => {
    const { p } = await world();
    const stranger = await ethers.deployContract("ReportBounds");
    const before = await ethers.provider.getBalance(p.pool);
    const replace = p.token.connect(p.governor).replacePool(stranger);
    await expect(replace).to.revert(ethers);
    expect(await p.token.pool()).to.equal(await p.pool.getAddress());
    expect(await ethers.provider.getBalance(p.pool)).to.equal(before);
  });

  it("takes validators along that the next report alone will know of", async () => {
    const p = await loadFixture(staked);
    await fundWithoutKeys(p, 2n);
    await networkHelpers.time.increaseTo((await nextRefTime(p)) + 60n);
    await fundWithoutKeys(p, 3n);
    const next = await successor(p);
    const before = await p.pool.books();
    expect([before.fundedAtLastRef, before.fundedBefore, before.funded]).to.deep.equal([
      320n * ETH,
      384n * ETH,
      480n * ETH,
    ]);
    await p.token.connect(p.governor).replacePool(next);
    expect(await next.books()).to.deep.equal(before);
    const after = { ...p, pool: next };
    const ether = await p.token.getTotalPooledEther();
    // the reference lies between the two fundings, and neither is a gain or a loss
    await apply(after);
    expect(await p.token.getTotalPooledEther()).to.equal(ether);
    expect((await next.books()).clLast).to.equal(12n * 32n * ETH);
    await apply(after);
    expect(await p.token.getTotalPooledEther()).to.equal(ether);
    expect((await next.books()).clLast).to.equal(15n * 32n * ETH);
  });

  it("leaves the old pool nothing to do", async () => {
    const { p, next } = await world();
    await p.token.connect(p.governor).replacePool(next);
    await expect(p.alice.sendTransaction({ to: p.pool, value: 1n }))
      .to.be.revertedWithCustomError(p.pool, "ReportOverdue")
      .withArgs(0n);
    await expect(p.pool.continueFinalisation())
      .to.be.revertedWithCustomError(p.pool, "FinalisationNotAllowed")
      .withArgs();
    await expect(p.pool.connect(p.governor).bootstrap(1n, 1n, 1n, { value: ETH }))
      .to.be.revertedWithCustomError(p.token, "OnlyPool")
      .withArgs(p.pool, next);
    const old = await borrow(p.pool);
    for (const vault of [p.withdrawalVault, p.rewardsVault])
      await expect(vault.connect(old).sweep(0n)).to.be.revertedWithCustomError(vault, "OnlyPool").withArgs(old, next);
    await expect(p.queue.connect(old).finalise(1n, 1n, 1n))
      .to.be.revertedWithCustomError(p.queue, "OnlyPool")
      .withArgs(old);
    await expect(next.connect(p.governor).bootstrap(1n, 1n, 1n, { value: ETH })).to.be.revertedWithCustomError(
      p.token,
      "AlreadyBootstrapped",
    );
  });

  it("happens in replacePool alone: the old pool's account can't hand books over before it", async () => {
    const { p, next } = await world();
    const old = await borrow(p.pool);
    await expect(next.connect(old).takeOver(await booksOf(p)))
      .to.be.revertedWithCustomError(next, "OnlyPredecessor")
      .withArgs(old);
    await p.token.connect(p.governor).replacePool(next);
    await expect(next.connect(p.alice).takeOver(await booksOf(p)))
      .to.be.revertedWithCustomError(next, "OnlyPredecessor")
      .withArgs(p.alice);
    for (const who of [p.alice, p.governor, old])
      await expect(p.pool.connect(who).handOver(next)).to.be.revertedWithCustomError(p.pool, "OnlyToken").withArgs(who);
  });

  it("refuses a successor that names another predecessor, or none", async () => {
    const { p, next } = await world();
    for (const own of [{ predecessor: next }, { predecessor: p.token }]) {
      const stranger = await successor(p, own);
      await expect(p.token.connect(p.governor).replacePool(stranger))
        .to.be.revertedWithCustomError(stranger, "OnlyPredecessor")
        .withArgs(p.pool);
    }
    expect(await p.token.pool()).to.equal(await p.pool.getAddress());
    await p.pool.connect(p.bob).deposit(p.bob, ethers.ZeroAddress, { value: ETH });
  });

  it("regression, core E: a pause of deposits goes over to the successor, whoever paused", async () => {
    const { p, next } = await world();
    await p.pool.connect(p.guardian).pauseDeposits(true);
    await p.token.connect(p.governor).replacePool(next);
    expect([await next.depositsPaused(), (await next.books()).paused]).to.deep.equal([true, true]);
    await expect(next.connect(p.alice).deposit(p.alice, ethers.ZeroAddress, { value: ETH }))
      .to.be.revertedWithCustomError(next, "DepositsArePaused")
      .withArgs();
    await next.connect(p.governor).pauseDeposits(false);
    await next.connect(p.alice).deposit(p.alice, ethers.ZeroAddress, { value: ETH });
  });

  it("takes counts of slashings, what is leaving and a hold along", async () => {
    const p = await loadFixture(staked);
    await apply(p, { leaving: 64n * ETH });
    const registry = p.pool.connect(await borrow(p.validators));
    await registry.noteSlashing(await networkHelpers.time.latest());
    await apply(p, { leaving: 32n * ETH, refTime: await nextRefTime(p), after: 60n });
    for (let i = 0; i < 2; i++) await registry.noteSlashing(await networkHelpers.time.latest());
    await p.pool.connect(await borrow(p.oracle)).hold();
    const before = await p.pool.books();
    expect([before.leaving, before.slashed, before.slashedEarlier]).to.deep.equal([32n * ETH, 2n, 0n]);
    const next = await successor(p);
    await p.token.connect(p.governor).replacePool(next);
    expect(await next.books()).to.deep.equal(before);
    await expect(next.connect(p.carol).deposit(p.carol, p.carol, { value: ETH }))
      .to.be.revertedWithCustomError(next, "ReportOverdue")
      .withArgs(before.openUntil);
    expect(await next.calm()).to.deep.equal([false, before.lastRefTime]);
  });

  it("does not open deposits that were paused at the successor before", async () => {
    const { p, next } = await world();
    await next.connect(p.governor).pauseDeposits(true);
    await p.token.connect(p.governor).replacePool(next);
    await expect(p.bob.sendTransaction({ to: next, value: ETH }))
      .to.be.revertedWithCustomError(next, "DepositsArePaused")
      .withArgs();
    await next.connect(p.governor).pauseDeposits(false);
    await p.bob.sendTransaction({ to: next, value: ETH });
  });
});
