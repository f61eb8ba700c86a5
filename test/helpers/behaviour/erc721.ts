/** What an ERC-721 of the protocol does (EIP-721 with its metadata extension, EIP-165, errors of ERC-6093). */
import { expect } from "chai";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { WithdrawalQueue } from "../../../typechain-types/index.ts";
import { ethers } from "../network.ts";

export interface Erc721Setup {
  readonly token: WithdrawalQueue;
  /** Owns ids 1 to 3 and nothing else; approved nobody. */
  readonly owner: HardhatEthersSigner;
  /** These own nothing. */
  readonly friend: HardhatEthersSigner;
  readonly stranger: HardhatEthersSigner;
  readonly receiver: HardhatEthersSigner;
  /** An id that was never minted. */
  readonly unknown: bigint;
  /** A contract that has no onERC721Received. */
  readonly deaf: { getAddress(): Promise<string> };
  /** Burns an id for its owner. */
  readonly burn: (id: bigint) => Promise<unknown>;
}

const SAFE = "safeTransferFrom(address,address,uint256)";
const SAFE_WITH_DATA = "safeTransferFrom(address,address,uint256,bytes)";
const DATA = "0xc0ffee";
const MANNER = { accept: 0n, answerOther: 1n, refuse: 2n, panic: 3n, giveBack: 4n };

export function behavesAsErc721(setup: () => Promise<Erc721Setup>): void {
  it("names the interfaces it has (ERC-165), and no other", async () => {
    const { token } = await setup();
    for (const id of ["0x01ffc9a7", "0x80ac58cd", "0x5b5e139f"]) expect(await token.supportsInterface(id)).to.be.true;
    // not the enumerable extension, nor the id that ERC-165 reserves
    for (const id of ["0x780e9d63", "0xffffffff"]) expect(await token.supportsInterface(id)).to.be.false;
  });

  it("describes itself and every id", async () => {
    const { token } = await setup();
    expect(await token.name()).to.not.be.empty;
    expect(await token.symbol()).to.not.be.empty;
    for (const id of [1n, 2n]) {
      const uri = await token.tokenURI(id);
      expect(uri).to.match(/^data:application\/json,/);
      const { name } = JSON.parse(decodeURIComponent(uri.slice(uri.indexOf(",") + 1))) as { name: string };
      expect(name).to.match(new RegExp(` ${id}$`));
    }
  });

  it("counts what an account owns, and refuses to count for nobody", async () => {
    const { token, owner, stranger } = await setup();
    expect(await token.balanceOf(owner)).to.equal(3n);
    expect(await token.balanceOf(stranger)).to.equal(0n);
    for (const id of [1n, 2n, 3n]) expect(await token.ownerOf(id)).to.equal(owner.address);
    await expect(token.balanceOf(ethers.ZeroAddress))
      .to.be.revertedWithCustomError(token, "ERC721InvalidOwner")
      .withArgs(ethers.ZeroAddress);
  });

  it("refuses everything about an id that does not exist", async () => {
    const { token, owner, friend, unknown } = await setup();
    const mine = token.connect(owner);
    for (const id of [0n, unknown, ethers.MaxUint256])
      for (const call of [
        () => token.ownerOf(id),
        () => token.getApproved(id),
        () => token.tokenURI(id),
        () => mine.approve(friend, id),
        () => mine.transferFrom(owner, friend, id),
        () => mine[SAFE](owner, friend, id),
        () => mine.transferFrom(ethers.ZeroAddress, friend, id),
      ])
        await expect(call()).to.be.revertedWithCustomError(token, "ERC721NonexistentToken").withArgs(id);
  });

  describe("approvals", () => {
    it("let the approved move that id alone, once", async () => {
      const { token, owner, friend, receiver } = await setup();
      await expect(token.connect(owner).approve(friend, 1n)).to.emit(token, "Approval").withArgs(owner, friend, 1n);
      expect(await token.getApproved(1n)).to.equal(friend.address);
      expect(await token.getApproved(2n)).to.equal(ethers.ZeroAddress);
      await expect(token.connect(friend).transferFrom(owner, receiver, 2n))
        .to.be.revertedWithCustomError(token, "ERC721InsufficientApproval")
        .withArgs(friend, 2n);
      await token.connect(friend).transferFrom(owner, receiver, 1n);
      expect(await token.getApproved(1n)).to.equal(ethers.ZeroAddress);
      await expect(token.connect(friend).transferFrom(receiver, friend, 1n))
        .to.be.revertedWithCustomError(token, "ERC721InsufficientApproval")
        .withArgs(friend, 1n);
    });

    it("are taken back by approving nobody or another", async () => {
      const { token, owner, friend, stranger } = await setup();
      for (const next of [ethers.ZeroAddress, stranger.address]) {
        await token.connect(owner).approve(friend, 1n);
        await token.connect(owner).approve(next, 1n);
        expect(await token.getApproved(1n)).to.equal(next);
        await expect(token.connect(friend).transferFrom(owner, friend, 1n))
          .to.be.revertedWithCustomError(token, "ERC721InsufficientApproval")
          .withArgs(friend, 1n);
      }
    });

    it("are given by the owner and its operators, not by strangers nor by the approved", async () => {
      const { token, owner, friend, stranger } = await setup();
      await token.connect(owner).approve(friend, 1n);
      for (const who of [friend, stranger])
        await expect(token.connect(who).approve(who, 1n))
          .to.be.revertedWithCustomError(token, "ERC721InvalidApprover")
          .withArgs(who);
      await token.connect(owner).setApprovalForAll(friend, true);
      await expect(token.connect(friend).approve(stranger, 1n))
        .to.emit(token, "Approval")
        .withArgs(owner, stranger, 1n);
    });

    it("of an operator cover every id, those to come included, until they are taken back", async () => {
      const { token, owner, friend, receiver } = await setup();
      await expect(token.connect(owner).setApprovalForAll(friend, true))
        .to.emit(token, "ApprovalForAll")
        .withArgs(owner, friend, true);
      expect(await token.isApprovedForAll(owner, friend)).to.be.true;
      expect(await token.isApprovedForAll(friend, owner)).to.be.false;
      await token.connect(friend).transferFrom(owner, receiver, 1n);
      // not the receiver's operator
      await expect(token.connect(friend).transferFrom(receiver, owner, 1n))
        .to.be.revertedWithCustomError(token, "ERC721InsufficientApproval")
        .withArgs(friend, 1n);
      await token.connect(receiver).transferFrom(receiver, owner, 1n);
      await token.connect(friend).transferFrom(owner, receiver, 1n);
      await expect(token.connect(owner).setApprovalForAll(friend, false))
        .to.emit(token, "ApprovalForAll")
        .withArgs(owner, friend, false);
      await expect(token.connect(friend).transferFrom(owner, receiver, 2n))
        .to.be.revertedWithCustomError(token, "ERC721InsufficientApproval")
        .withArgs(friend, 2n);
    });

    it("refuse nobody as an operator", async () => {
      const { token, owner } = await setup();
      for (const approved of [true, false])
        await expect(token.connect(owner).setApprovalForAll(ethers.ZeroAddress, approved))
          .to.be.revertedWithCustomError(token, "ERC721InvalidOperator")
          .withArgs(ethers.ZeroAddress);
    });
  });

  describe("transfers", () => {
    it("move one id and the counts", async () => {
      const { token, owner, receiver } = await setup();
      await expect(token.connect(owner).transferFrom(owner, receiver, 2n))
        .to.emit(token, "Transfer")
        .withArgs(owner, receiver, 2n);
      expect([await token.balanceOf(owner), await token.balanceOf(receiver)]).to.deep.equal([2n, 1n]);
      expect(await token.ownerOf(2n)).to.equal(receiver.address);
      expect(await token.ownerOf(1n)).to.equal(owner.address);
    });

    it("to oneself change nothing but the approval", async () => {
      const { token, owner, friend } = await setup();
      await token.connect(owner).approve(friend, 1n);
      await token.connect(owner).transferFrom(owner, owner, 1n);
      expect(await token.balanceOf(owner)).to.equal(3n);
      expect(await token.ownerOf(1n)).to.equal(owner.address);
      expect(await token.getApproved(1n)).to.equal(ethers.ZeroAddress);
    });

    it("refuse strangers, a wrong owner, and to go to nobody", async () => {
      const { token, owner, friend, stranger } = await setup();
      for (const form of ["transferFrom", SAFE] as const) {
        await expect(token.connect(stranger)[form](owner, stranger, 1n))
          .to.be.revertedWithCustomError(token, "ERC721InsufficientApproval")
          .withArgs(stranger, 1n);
        for (const from of [stranger.address, ethers.ZeroAddress])
          await expect(token.connect(owner)[form](from, friend, 1n))
            .to.be.revertedWithCustomError(token, "ERC721IncorrectOwner")
            .withArgs(from, 1n, owner);
        await expect(token.connect(owner)[form](owner, ethers.ZeroAddress, 1n))
          .to.be.revertedWithCustomError(token, "ERC721InvalidReceiver")
          .withArgs(ethers.ZeroAddress);
      }
      expect(await token.balanceOf(owner)).to.equal(3n);
    });
  });

  describe("safe transfers", () => {
    const forms = [
      ["without data", "0x"],
      ["with data", DATA],
    ] as const;
    const deploy = async () => await ethers.deployContract("RequestReceiver");
    const send = ({ token, owner }: Erc721Setup, who: HardhatEthersSigner, to: string, data: string) =>
      data === "0x" ? token.connect(who)[SAFE](owner, to, 1n) : token.connect(who)[SAFE_WITH_DATA](owner, to, 1n, data);

    for (const [form, data] of forms) {
      it(`${form}: reach a plain account`, async () => {
        const s = await setup();
        await send(s, s.owner, s.receiver.address, data);
        expect(await s.token.ownerOf(1n)).to.equal(s.receiver.address);
      });

      it(`${form}: ask a contract, which learns who moved what from whom`, async () => {
        const s = await setup();
        const contract = await deploy();
        await s.token.connect(s.owner).approve(s.friend, 1n);
        await expect(send(s, s.friend, await contract.getAddress(), data))
          .to.emit(contract, "Received")
          .withArgs(s.friend, s.owner, 1n, data)
          .and.to.emit(s.token, "Transfer")
          .withArgs(s.owner, contract, 1n);
        expect(await s.token.ownerOf(1n)).to.equal(await contract.getAddress());
      });

      it(`${form}: fail, and move nothing, where the contract answers anything else or nothing`, async () => {
        const s = await setup();
        const contract = await deploy();
        await contract.setManner(MANNER.answerOther);
        for (const to of [await contract.getAddress(), await s.deaf.getAddress()])
          await expect(send(s, s.owner, to, data))
            .to.be.revertedWithCustomError(s.token, "ERC721InvalidReceiver")
            .withArgs(to);
        expect(await s.token.ownerOf(1n)).to.equal(s.owner.address);
        expect(await s.token.balanceOf(contract)).to.equal(0n);
      });

      it(`${form}: fail with the contract's own reason where it reverts`, async () => {
        const s = await setup();
        const contract = await deploy();
        const to = await contract.getAddress();
        await contract.setManner(MANNER.refuse);
        await expect(send(s, s.owner, to, data))
          .to.be.revertedWithCustomError(contract, "NotToday")
          .withArgs(1n);
        await contract.setManner(MANNER.panic);
        await expect(send(s, s.owner, to, data)).to.be.revertedWithPanic(1n);
        expect(await s.token.balanceOf(s.owner)).to.equal(3n);
      });

      it(`${form}: let the contract pass the id on at once, since it owns it already`, async () => {
        const s = await setup();
        const contract = await deploy();
        await contract.setManner(MANNER.giveBack);
        await send(s, s.owner, await contract.getAddress(), data);
        expect(await s.token.ownerOf(1n)).to.equal(s.owner.address);
        expect([await s.token.balanceOf(s.owner), await s.token.balanceOf(contract)]).to.deep.equal([3n, 0n]);
      });
    }

    it("alone ask: a plain transfer reaches a contract that would refuse", async () => {
      const { token, owner, deaf } = await setup();
      await token.connect(owner).transferFrom(owner, deaf, 1n);
      expect(await token.ownerOf(1n)).to.equal(await deaf.getAddress());
    });
  });

  it("forgets a burned id: no owner, no approval, no transfer, and nobody's count", async () => {
    const { token, owner, friend, stranger, burn } = await setup();
    await token.connect(owner).approve(friend, 2n);
    await token.connect(owner).setApprovalForAll(stranger, true);
    await expect(burn(2n)).to.emit(token, "Transfer").withArgs(owner, ethers.ZeroAddress, 2n);
    expect(await token.balanceOf(owner)).to.equal(2n);
    for (const who of [owner, friend, stranger]) {
      const theirs = token.connect(who);
      for (const call of [
        () => theirs.ownerOf(2n),
        () => theirs.getApproved(2n),
        () => theirs.tokenURI(2n),
        () => theirs.approve(friend, 2n),
        () => theirs.transferFrom(owner, friend, 2n),
        () => theirs.transferFrom(ethers.ZeroAddress, friend, 2n),
      ])
        await expect(call()).to.be.revertedWithCustomError(token, "ERC721NonexistentToken").withArgs(2n);
    }
  });
}
