/** Lines of SECURITY.md ("Queue", "ETH and validators") that need the real queue and the real vault. */
import { expect } from "chai";
import { ethers, loadFixture } from "../../helpers/network.ts";
import { ETH, apply, borrow, request, staked } from "../../helpers/reporting.ts";

describe("Security: queue", () => {
  it("NFT self-transfer and balance bugs: balances count the ids that each account owns, whatever moves", async () => {
    const p = await loadFixture(staked);
    const people = [p.alice, p.bob, p.carol];
    const ids = await request(p, p.alice, ...Array.from({ length: 6 }, () => ETH));
    await apply(p);
    const owners = new Map(ids.map((id) => [id, p.alice]));
    let seed = 7;
    const below = (n: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % n;
    for (let i = 0; i < 40; i++) {
      const id = BigInt(1 + below(6));
      const to = people[below(3)] ?? p.alice;
      const owner = owners.get(id);
      if (owner === undefined) continue;
      if (below(8) === 0) {
        await p.queue.connect(owner).claimWithdrawal(id);
        owners.delete(id);
      } else {
        // to itself too
        await p.queue.connect(owner).transferFrom(owner, to, id);
        owners.set(id, to);
      }
      for (const who of people)
        expect(await p.queue.balanceOf(who)).to.equal(BigInt([...owners.values()].filter((o) => o === who).length));
    }
    for (const [id, owner] of owners) expect(await p.queue.ownerOf(id)).to.equal(owner.address);
    expect(await ethers.provider.getBalance(p.queue)).to.equal(BigInt(owners.size) * ETH);
  });
});

describe("Security: EIP-7002 fee griefing and lost refunds", () => {
  const pubkeys = [`0x${"aa".repeat(48)}`, `0x${"bb".repeat(48)}`];

  it("spends the predeploy's fee, no more than was sent, and gives the rest back", async () => {
    const p = await loadFixture(staked);
    const vault = p.withdrawalVault.connect(await borrow(p.validators));
    const fee = await vault.exitFee();
    expect(fee).to.be.greaterThan(0n);
    await expect(vault.requestExits(pubkeys, p.carol, { value: 2n * fee - 1n }))
      .to.be.revertedWithCustomError(vault, "FeeAboveMaximum")
      .withArgs(2n * fee, 2n * fee - 1n);
    await expect(vault.requestExits(pubkeys, p.carol, { value: 2n * fee + ETH })).to.changeEtherBalances(
      ethers,
      [p.carol, p.withdrawalVault],
      [ETH, 0n],
    );
  });

  it("a refund that is refused reverts; nobody else may ask", async () => {
    const p = await loadFixture(staked);
    const claimer = await ethers.deployContract("Claimer", [await p.queue.getAddress()]);
    await claimer.setHabit(1n, 0n);
    const vault = p.withdrawalVault.connect(await borrow(p.validators));
    const fee = await vault.exitFee();
    await expect(vault.requestExits(pubkeys, claimer, { value: 2n * fee + 5n }))
      .to.be.revertedWithCustomError(vault, "RefundFailed")
      .withArgs(claimer, 5n);
    await expect(p.withdrawalVault.connect(p.carol).requestExits(pubkeys, p.carol, { value: ETH }))
      .to.be.revertedWithCustomError(vault, "OnlyValidators")
      .withArgs(p.carol);
  });
});
