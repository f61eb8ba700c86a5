/** A request as an ERC-721: the standard, and what a transfer does to the claim. */
import { expect } from "chai";
import { behavesAsErc721 } from "../../helpers/behaviour/erc721.ts";
import { ethers, loadFixture } from "../../helpers/network.ts";
import { ETH, apply, request, staked } from "../../helpers/reporting.ts";

/** Alice owns requests 1 to 3, of 1 to 3 ether, finalised. */
async function finalised() {
  const p = await loadFixture(staked);
  await request(p, p.alice, ETH, 2n * ETH, 3n * ETH);
  await apply(p);
  return p;
}

/** The same, waiting. */
async function waiting() {
  const p = await loadFixture(staked);
  await request(p, p.alice, ETH, 2n * ETH, 3n * ETH);
  return p;
}

describe("WithdrawalQueue: ERC-721", () => {
  behavesAsErc721(async () => {
    const p = await loadFixture(finalised);
    return {
      token: p.queue,
      owner: p.alice,
      friend: p.bob,
      stranger: p.keeper,
      receiver: p.carol,
      unknown: 4n,
      deaf: p.token,
      burn: (id) => p.queue.connect(p.alice).claimWithdrawal(id),
    };
  });
});

describe("WithdrawalQueue: its name", () => {
  it("and those of its requests are what wallets show", async () => {
    const p = await loadFixture(waiting);
    expect([await p.queue.name(), await p.queue.symbol()]).to.deep.equal(["Estuary Withdrawal Request", "estWR"]);
    expect(await p.queue.tokenURI(3n)).to.equal('data:application/json,{"name":"Estuary withdrawal request 3"}');
  });
});

describe("WithdrawalQueue: mints", () => {
  it("tell of every request, to its owner, from nobody (EIP-721)", async () => {
    const p = await loadFixture(waiting);
    const asked = p.queue.connect(p.alice).requestWithdrawals([ETH, ETH], p.carol);
    for (const id of [4n, 5n])
      await expect(asked).to.emit(p.queue, "Transfer").withArgs(ethers.ZeroAddress, p.carol, id);
    expect([await p.queue.balanceOf(p.alice), await p.queue.balanceOf(p.carol)]).to.deep.equal([3n, 2n]);
  });
});

describe("WithdrawalQueue: claims after a transfer", () => {
  it("a request that waits is paid to whoever owns it by then, for the same amount", async () => {
    const p = await loadFixture(waiting);
    const amount = (await p.queue.getWithdrawalStatus([2n]))[0]?.amount;
    await p.queue.connect(p.alice).transferFrom(p.alice, p.carol, 2n);
    await apply(p);
    expect(await p.queue.getClaimableEther([2n])).to.deep.equal([amount]);
    const [status] = await p.queue.getWithdrawalStatus([2n]);
    expect([status?.owner, status?.amount, status?.isFinalized]).to.deep.equal([p.carol.address, amount, true]);
    await expect(p.queue.connect(p.alice).claimWithdrawal(2n))
      .to.be.revertedWithCustomError(p.queue, "NotRequestOwner")
      .withArgs(2n, p.alice, p.carol);
    await expect(p.queue.connect(p.carol).claimWithdrawal(2n))
      .to.emit(p.queue, "WithdrawalClaimed")
      .withArgs(2n, p.carol, p.carol, amount);
  });

  it("who is approved, for one id or for all, moves requests to itself and claims then, not before", async () => {
    const p = await loadFixture(finalised);
    await p.queue.connect(p.alice).approve(p.bob, 1n);
    await p.queue.connect(p.alice).setApprovalForAll(p.carol, true);
    for (const [who, id] of [
      [p.bob, 1n],
      [p.carol, 2n],
    ] as const) {
      const queue = p.queue.connect(who);
      await expect(queue.claimWithdrawal(id))
        .to.be.revertedWithCustomError(queue, "NotRequestOwner")
        .withArgs(id, who, p.alice);
      await expect(queue.claimWithdrawals([id], [], who))
        .to.be.revertedWithCustomError(queue, "NotRequestOwner")
        .withArgs(id, who, p.alice);
      await queue.transferFrom(p.alice, who, id);
      await expect(queue.claimWithdrawal(id)).to.changeEtherBalance(ethers, who, id * ETH);
    }
  });

  it("a claimed request moves no more, and its transfers pay nobody twice", async () => {
    const p = await loadFixture(finalised);
    await p.queue.connect(p.alice).approve(p.bob, 1n);
    await p.queue.connect(p.alice).claimWithdrawal(1n);
    await expect(p.queue.connect(p.bob).transferFrom(p.alice, p.bob, 1n))
      .to.be.revertedWithCustomError(p.queue, "ERC721NonexistentToken")
      .withArgs(1n);
    for (const who of [p.alice, p.bob])
      await expect(p.queue.connect(who).claimWithdrawal(1n))
        .to.be.revertedWithCustomError(p.queue, "AlreadyClaimed")
        .withArgs(1n);
    expect(await ethers.provider.getBalance(p.queue)).to.equal(5n * ETH);
  });

  it("a batch with a request that was moved away is refused whole", async () => {
    const p = await loadFixture(finalised);
    await p.queue.connect(p.alice).transferFrom(p.alice, p.bob, 2n);
    await expect(p.queue.connect(p.alice).claimWithdrawals([1n, 2n, 3n], [], p.alice))
      .to.be.revertedWithCustomError(p.queue, "NotRequestOwner")
      .withArgs(2n, p.alice, p.bob);
    expect(await p.queue.getClaimableEther([1n, 2n, 3n])).to.deep.equal([ETH, 2n * ETH, 3n * ETH]);
  });

  it("goes on after the id came back to its first owner", async () => {
    const p = await loadFixture(waiting);
    await p.queue.connect(p.alice).transferFrom(p.alice, p.bob, 3n);
    await p.queue.connect(p.bob).transferFrom(p.bob, p.alice, 3n);
    await apply(p);
    await expect(p.queue.connect(p.alice).claimWithdrawal(3n)).to.changeEtherBalance(ethers, p.alice, 3n * ETH);
  });
});
