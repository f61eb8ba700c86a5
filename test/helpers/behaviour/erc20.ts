/** What any ERC-20 of the protocol does. */
import { expect } from "chai";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { StakedEther, WrappedStakedEther } from "../../../typechain-types/index.ts";
import { ethers } from "../network.ts";

export interface Erc20Setup {
  readonly token: StakedEther | WrappedStakedEther;
  /** Holds some of the token; the other two hold none. */
  readonly holder: HardhatEthersSigner;
  readonly spender: HardhatEthersSigner;
  readonly receiver: HardhatEthersSigner;
}

export function behavesAsErc20(setup: () => Promise<Erc20Setup>): void {
  it("transfers all that a balance shows, and leaves nothing", async () => {
    const { token, holder, receiver } = await setup();
    const balance = await token.balanceOf(holder);
    await expect(token.connect(holder).transfer(receiver, balance))
      .to.emit(token, "Transfer")
      .withArgs(holder, receiver, balance);
    expect(await token.balanceOf(holder)).to.equal(0n);
    expect(await token.balanceOf(receiver)).to.equal(balance);
  });

  it("refuses more than the balance", async () => {
    const { token, holder, receiver } = await setup();
    const balance = await token.balanceOf(holder);
    await expect(token.connect(holder).transfer(receiver, balance + 1n))
      .to.be.revertedWithCustomError(token, "ERC20InsufficientBalance")
      .withArgs(holder, balance, balance + 1n);
  });

  it("refuses transfers to nobody and to itself", async () => {
    const { token, holder } = await setup();
    for (const to of [ethers.ZeroAddress, await token.getAddress()])
      await expect(token.connect(holder).transfer(to, 1n))
        .to.be.revertedWithCustomError(token, "ERC20InvalidReceiver")
        .withArgs(to);
  });

  it("keeps the balance in a transfer to oneself", async () => {
    const { token, holder } = await setup();
    const balance = await token.balanceOf(holder);
    await token.connect(holder).transfer(holder, balance);
    expect(await token.balanceOf(holder)).to.equal(balance);
  });

  it("spends an allowance by what is moved, and no more than it", async () => {
    const { token, holder, spender, receiver } = await setup();
    await expect(token.connect(holder).approve(spender, 100n))
      .to.emit(token, "Approval")
      .withArgs(holder, spender, 100n);
    await token.connect(spender).transferFrom(holder, receiver, 60n);
    expect(await token.allowance(holder, spender)).to.equal(40n);
    await expect(token.connect(spender).transferFrom(holder, receiver, 41n))
      .to.be.revertedWithCustomError(token, "ERC20InsufficientAllowance")
      .withArgs(spender, 40n, 41n);
  });

  it("never spends an unlimited allowance", async () => {
    const { token, holder, spender, receiver } = await setup();
    await token.connect(holder).approve(spender, ethers.MaxUint256);
    await token.connect(spender).transferFrom(holder, receiver, 5n);
    expect(await token.allowance(holder, spender)).to.equal(ethers.MaxUint256);
  });

  it("answers that it did what it did: callers check it", async () => {
    const { token, holder, spender, receiver } = await setup();
    expect(await token.connect(holder).transfer.staticCall(receiver, 1n)).to.equal(true);
    expect(await token.connect(holder).approve.staticCall(spender, 1n)).to.equal(true);
    await token.connect(holder).approve(spender, 1n);
    expect(await token.connect(spender).transferFrom.staticCall(holder, receiver, 1n)).to.equal(true);
  });

  it("refuses to move anything, even nothing, from nobody: the event would look like a mint", async () => {
    const { token, spender, receiver } = await setup();
    const mine = token.connect(spender);
    const moves = [(to: string, amount: bigint) => mine.transferFrom(ethers.ZeroAddress, to, amount)];
    if ("transferSharesFrom" in mine)
      moves.push((to, shares) => mine.transferSharesFrom(ethers.ZeroAddress, to, shares));
    for (const move of moves)
      for (const amount of [0n, 1n, 2n ** 128n - 1n])
        for (const to of [receiver.address, ethers.ZeroAddress])
          await expect(move(to, amount))
            .to.be.revertedWithCustomError(token, "ERC20InvalidSender")
            .withArgs(ethers.ZeroAddress);
  });

  it("refuses to approve nobody", async () => {
    const { token, holder } = await setup();
    await expect(token.connect(holder).approve(ethers.ZeroAddress, 1n))
      .to.be.revertedWithCustomError(token, "ERC20InvalidSpender")
      .withArgs(ethers.ZeroAddress);
  });
}
