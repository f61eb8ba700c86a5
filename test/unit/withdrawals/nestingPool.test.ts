/** One payment of a bad successor pool does not count for two finalisations. */
import { expect } from "chai";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { ETH, FRAME, apply, request, staked } from "../../helpers/reporting.ts";

describe("WithdrawalQueue: a pool that finalises while it pays", () => {
  it("is refused: what the inner payment brought is not the outer one's", async () => {
    const p = await loadFixture(staked);
    await request(p, p.alice, 300n * ETH);
    await apply(p);
    await request(p, p.bob, 300n * ETH);
    await request(p, p.alice, 300n * ETH);
    const pool = await ethers.deployContract("NestingPool", [p.token]);
    await p.token.connect(p.governor).replacePool(pool);
    await networkHelpers.time.increase(2n * FRAME);
    await networkHelpers.setBalance(await pool.getAddress(), 300n * ETH);
    await expect(pool.finalise(300n * ETH))
      .to.be.revertedWithCustomError(p.queue, "NotPaid")
      .withArgs(300n * ETH);
    expect(await p.queue.getClaimableEther([1n, 2n, 3n])).to.deep.equal([300n * ETH, 0n, 0n]);
    expect(await ethers.provider.getBalance(p.queue)).to.equal(300n * ETH);
  });
});
