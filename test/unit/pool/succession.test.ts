/** A pool is replaced by another one in one transaction: ether, books and every pointer move. */
import { expect } from "chai";
import type { IStakingPool } from "../../../typechain-types/contracts/pool/IStakingPool.ts";
import { ethers, loadFixture } from "../../helpers/network.ts";
import { protocol } from "../../helpers/protocol.ts";

const ETH = 10n ** 18n;

async function world() {
  const p = await loadFixture(protocol);
  await p.pool.connect(p.alice).deposit(p.alice, ethers.ZeroAddress, { value: 100n * ETH });
  await p.fundValidator(2);
  await p.report();
  await p.queue.connect(p.alice).requestWithdrawals([3n * ETH], p.alice);
  const { treasury, feeBp, maxAprBp, depositCapGwei } = await p.pool.policy();
  const peers = {
    token: p.token,
    withdrawalVault: p.withdrawalVault,
    rewardsVault: p.rewardsVault,
    operators: p.operators,
    validators: p.validators,
    oracle: p.oracle,
    predecessor: p.pool,
  };
  const policy = { treasury, feeBp, maxAprBp, depositCapGwei };
  const next = await ethers.deployContract("StakingPool", [p.authority, peers, policy]);
  return { p, next };
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
    await p.token.connect(p.governor).replacePool(next);
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
    const fields = p.pool.interface.getFunction("books").outputs[0]?.components ?? [];
    const empty = fields.map(({ name, baseType, type }) => [
      name,
      baseType === "array" ? [] : type === "bool" ? false : 0n,
    ]);
    const books = Object.fromEntries(empty) as IStakingPool.BooksStruct;
    await expect(next.connect(p.alice).takeOver(books))
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
});
