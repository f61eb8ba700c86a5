/** The shortest way through everything. */
import { expect } from "chai";
import { ethers, loadFixture } from "../helpers/network.ts";
import { protocol } from "../helpers/protocol.ts";

const ETH = 10n ** 18n;

describe("One ether's way through the protocol", () => {
  it("is staked, funded, rewarded, requested, finalised and claimed", async () => {
    const p = await loadFixture(protocol);
    await p.pool.connect(p.alice).deposit(p.alice, ethers.ZeroAddress, { value: 100n * ETH });
    expect(await p.token.balanceOf(p.alice)).to.equal(100n * ETH);
    await p.fundValidator(2);
    expect(await p.pool.etherAtValidators()).to.equal(64n * ETH);
    expect(await p.token.getTotalPooledEther()).to.equal(102n * ETH + ETH / 100n);

    await p.report();
    await p.report();
    p.beacon.creditExecutionReward(await p.rewardsVault.getAddress(), ETH / 100n);
    const before = await p.token.rate();
    await p.report();
    expect(await p.token.rate()).to.be.greaterThan(before);

    const amount = 10n * ETH;
    await p.queue.connect(p.alice).requestWithdrawals([amount], p.alice);
    await p.report();
    await p.report();
    expect(await p.queue.lastFinalizedId()).to.equal(1n);
    const [paid] = (await p.queue.getClaimableEther([1n])) as unknown as [bigint];
    expect(amount - paid, "payments round down").to.be.within(0n, 1n);
    const claim = p.queue.connect(p.alice).claimWithdrawals([1n], [], p.bob);
    await expect(claim).to.changeEtherBalance(ethers, p.bob, paid);
    expect(await ethers.provider.getBalance(p.pool)).to.be.greaterThanOrEqual(await p.pool.buffer());
  });
});
