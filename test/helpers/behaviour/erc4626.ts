/** What a vault of estETH does by ERC-4626 (EIP-4626): every function and view, with the rounding that the EIP asks for. */
import { expect } from "chai";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { StakedEther, WrappedStakedEther } from "../../../typechain-types/index.ts";
import { ethers } from "../network.ts";

export interface Erc4626Setup {
  readonly vault: WrappedStakedEther;
  readonly asset: StakedEther;
  /** Holds more than 20 ether of the asset and of the vault's shares; approved nobody. */
  readonly holder: HardhatEthersSigner;
  /** These two hold nothing. */
  readonly spender: HardhatEthersSigner;
  readonly receiver: HardhatEthersSigner;
}

const ETH = 10n ** 18n;
const UNIT = 10n ** 9n; // asset shares of one vault share
const MAX = ethers.MaxUint256;
const AMOUNTS = [1n, 2n, 3n, 99n, 10n ** 9n + 1n, 777_777_777_777_777n, ETH, 7n * ETH + 5n, 13n * ETH - 1n];

const ceilDiv = (a: bigint, b: bigint) => (a + b - 1n) / b;

/** The four conversions, worked out from the asset's totals. */
async function price({ asset }: Erc4626Setup) {
  const [ether, shares] = await asset.totals();
  const value = ether * UNIT; // of `shares` shares of the vault
  return {
    assetsDown: (wrapped: bigint) => (wrapped * value) / shares,
    assetsUp: (wrapped: bigint) => ceilDiv(wrapped * value, shares),
    sharesDown: (assets: bigint) => (assets * shares) / value,
    sharesUp: (assets: bigint) => ceilDiv(assets * shares, value),
  };
}

/** What can be moved at this price: an amount that is worth a share at least. */
async function movable(s: Erc4626Setup): Promise<bigint[]> {
  const { sharesDown } = await price(s);
  return AMOUNTS.filter((amount) => sharesDown(amount) > 1n);
}

async function holdings({ vault, asset, holder, receiver }: Erc4626Setup) {
  return {
    assets: await asset.balanceOf(holder),
    wrapped: await vault.balanceOf(holder),
    supply: await vault.totalSupply(),
    received: await asset.balanceOf(receiver),
    receivedWrapped: await vault.balanceOf(receiver),
    allowance: await asset.allowance(holder, vault),
    backing: await asset.sharesOf(vault),
  };
}

export function behavesAsErc4626(setup: () => Promise<Erc4626Setup>): void {
  describe("views", () => {
    it("names its asset, and its total is what its own supply is worth", async () => {
      const s = await setup();
      const { assetsDown } = await price(s);
      expect(await s.vault.asset()).to.equal(await s.asset.getAddress());
      expect(await s.vault.totalAssets()).to.equal(assetsDown(await s.vault.totalSupply()));
      expect(await s.vault.totalAssets()).to.be.lessThanOrEqual(await s.asset.balanceOf(s.vault));
    });

    it("converts down, for everyone alike", async () => {
      const s = await setup();
      const { assetsDown, sharesDown } = await price(s);
      for (const amount of [0n, ...AMOUNTS, 120_000_000n * ETH]) {
        for (const caller of [s.holder, s.spender]) {
          expect(await s.vault.connect(caller).convertToShares(amount)).to.equal(sharesDown(amount));
          expect(await s.vault.connect(caller).convertToAssets(amount)).to.equal(assetsDown(amount));
        }
      }
    });

    it("previews a deposit and a redemption down, a mint and a withdrawal up", async () => {
      const s = await setup();
      const { assetsDown, assetsUp, sharesDown, sharesUp } = await price(s);
      for (const amount of [0n, ...AMOUNTS, 120_000_000n * ETH]) {
        expect(await s.vault.previewDeposit(amount)).to.be.within(sharesDown(amount) - 1n, sharesDown(amount));
        expect(await s.vault.previewRedeem(amount)).to.equal(assetsDown(amount));
        expect(await s.vault.previewMint(amount)).to.equal(assetsUp(amount));
        expect(await s.vault.previewWithdraw(amount)).to.equal(sharesUp(amount));
      }
    });

    it("limits what leaves by what the owner has, and what enters by the type alone", async () => {
      const s = await setup();
      const { assetsDown } = await price(s);
      const held = await s.vault.balanceOf(s.holder);
      expect(await s.vault.maxRedeem(s.holder)).to.equal(held);
      expect(await s.vault.maxWithdraw(s.holder)).to.equal(assetsDown(held));
      expect([await s.vault.maxRedeem(s.spender), await s.vault.maxWithdraw(s.spender)]).to.deep.equal([0n, 0n]);
      for (const who of [s.holder.address, ethers.ZeroAddress]) {
        expect(await s.vault.maxDeposit(who)).to.equal(2n ** 128n - 1n);
        expect(await s.vault.maxMint(who)).to.equal((2n ** 128n - 1n) / UNIT);
      }
      await s.vault.previewDeposit(await s.vault.maxDeposit(s.holder));
      await s.vault.previewMint(await s.vault.maxMint(s.holder));
    });

    it("does not move when somebody gives it assets", async () => {
      const s = await setup();
      const views = () =>
        Promise.all([
          s.vault.totalAssets(),
          s.vault.convertToAssets(ETH),
          s.vault.convertToShares(ETH),
          s.vault.previewDeposit(ETH),
          s.vault.previewMint(ETH),
          s.vault.previewWithdraw(ETH),
          s.vault.previewRedeem(ETH),
          s.vault.maxWithdraw(s.holder),
        ]);
      const before = await views();
      await s.asset.connect(s.holder).transfer(s.vault, 11n * ETH);
      expect(await views()).to.deep.equal(before);
    });
  });

  describe("deposit", () => {
    it("mints what was previewed or more, and takes no more than the assets", async () => {
      const s = await setup();
      const { assetsDown, assetsUp, sharesDown } = await price(s);
      for (const assets of await movable(s)) {
        await s.asset.connect(s.holder).approve(s.vault, assets);
        const before = await holdings(s);
        const preview = await s.vault.previewDeposit(assets);
        const minted = await s.vault.connect(s.holder).deposit.staticCall(assets, s.receiver);
        expect(minted).to.equal(sharesDown(assets));
        expect(minted).to.be.greaterThanOrEqual(preview);
        await expect(s.vault.connect(s.holder).deposit(assets, s.receiver))
          .to.emit(s.vault, "Deposit")
          .withArgs(s.holder, s.receiver, assets, minted)
          .and.to.emit(s.vault, "Transfer")
          .withArgs(ethers.ZeroAddress, s.receiver, minted);
        const after = await holdings(s);
        expect(after.receivedWrapped - before.receivedWrapped).to.equal(minted);
        expect(after.supply - before.supply).to.equal(minted);
        expect(after.backing - before.backing).to.equal(minted * UNIT);
        expect(before.assets - after.assets).to.be.within(assetsDown(minted), assetsUp(minted));
        expect(before.allowance - after.allowance).to.equal(assetsUp(minted));
        expect(assetsUp(minted)).to.be.lessThanOrEqual(assets);
      }
    });

    it("takes all that a balance shows, and leaves less than a wei and a share", async () => {
      const s = await setup();
      const { assetsUp } = await price(s);
      const all = await s.asset.balanceOf(s.holder);
      await s.asset.connect(s.holder).approve(s.vault, all);
      await s.vault.connect(s.holder).deposit(all, s.holder);
      expect(await s.asset.balanceOf(s.holder)).to.be.lessThanOrEqual(assetsUp(1n));
      expect(await s.asset.sharesOf(s.holder)).to.be.lessThan((await s.asset.getSharesByPooledEth(1n)) + 1n + UNIT);
    });

    it("mints what was previewed or more to a holder whose balance shows a little more than there is", async () => {
      const s = await setup();
      const [ether, shares] = await s.asset.totals();
      const forgiven = (shares >> 10n) / ether;
      // a unit ends among the shares that the display forgives
      let assets = ETH;
      while (((assets * shares) / ether) % UNIT >= forgiven) assets++;
      const held = (assets * shares) / ether;
      await s.asset.connect(s.holder).transferShares(s.receiver, held - (held % UNIT) - 1n);
      expect(await s.asset.balanceOf(s.receiver)).to.equal(assets);
      await s.asset.connect(s.receiver).approve(s.vault, assets);
      const preview = await s.vault.previewDeposit(assets);
      const minted = await s.vault.connect(s.receiver).deposit.staticCall(assets, s.receiver);
      expect(minted).to.equal(held / UNIT - 1n);
      expect(minted).to.be.greaterThanOrEqual(preview);
      await s.vault.connect(s.receiver).deposit(assets, s.receiver);
      expect(await s.vault.balanceOf(s.receiver)).to.equal(minted);
    });

    it("refuses more than the balance, and more than the allowance", async () => {
      const s = await setup();
      const before = await holdings(s);
      const spent = await s.vault.previewMint(await s.vault.convertToShares(ETH));
      await s.asset.connect(s.holder).approve(s.vault, spent - 1n);
      await expect(s.vault.connect(s.holder).deposit(ETH, s.holder))
        .to.be.revertedWithCustomError(s.asset, "ERC20InsufficientAllowance")
        .withArgs(s.vault, spent - 1n, spent);
      await s.asset.connect(s.holder).approve(s.vault, MAX);
      for (const assets of [before.assets + 1n, 2n ** 128n, MAX])
        await expect(s.vault.connect(s.holder).deposit(assets, s.holder))
          .to.be.revertedWithCustomError(s.vault, "ERC20InsufficientBalance")
          .withArgs(s.holder, before.assets, assets);
      expect(await holdings(s)).to.deep.equal({ ...before, allowance: MAX });
    });
  });

  describe("mint", () => {
    it("mints exactly that, and takes what was previewed", async () => {
      const s = await setup();
      const { assetsDown, assetsUp } = await price(s);
      for (const wrapped of AMOUNTS) {
        const preview = await s.vault.previewMint(wrapped);
        await s.asset.connect(s.holder).approve(s.vault, preview);
        const before = await holdings(s);
        expect(await s.vault.connect(s.holder).mint.staticCall(wrapped, s.receiver)).to.equal(preview);
        await expect(s.vault.connect(s.holder).mint(wrapped, s.receiver))
          .to.emit(s.vault, "Deposit")
          .withArgs(s.holder, s.receiver, preview, wrapped);
        const after = await holdings(s);
        expect(after.receivedWrapped - before.receivedWrapped).to.equal(wrapped);
        expect(after.backing - before.backing).to.equal(wrapped * UNIT);
        expect(before.assets - after.assets).to.be.within(assetsDown(wrapped), assetsUp(wrapped));
        expect(after.allowance).to.equal(0n);
      }
    });

    it("refuses an allowance a wei short, and more than the caller has", async () => {
      const s = await setup();
      const preview = await s.vault.previewMint(ETH);
      await s.asset.connect(s.holder).approve(s.vault, preview - 1n);
      await expect(s.vault.connect(s.holder).mint(ETH, s.holder))
        .to.be.revertedWithCustomError(s.asset, "ERC20InsufficientAllowance")
        .withArgs(s.vault, preview - 1n, preview);
      await s.asset.connect(s.holder).approve(s.vault, MAX);
      const before = await holdings(s);
      const held = await s.asset.sharesOf(s.holder);
      const most = held / UNIT;
      await expect(s.vault.connect(s.holder).mint(most + 1n, s.holder))
        .to.be.revertedWithCustomError(s.asset, "SharesExceedBalance")
        .withArgs(s.holder, (most + 1n) * UNIT, held);
      expect(await holdings(s)).to.deep.equal(before);
      await s.vault.connect(s.holder).mint(most, s.holder);
      expect(await s.asset.sharesOf(s.holder)).to.equal(held % UNIT);
    });
  });

  describe("withdraw", () => {
    it("gives the assets at least, and burns what was previewed", async () => {
      const s = await setup();
      const { assetsDown, assetsUp } = await price(s);
      for (const assets of AMOUNTS) {
        const before = await holdings(s);
        const burned = await s.vault.previewWithdraw(assets);
        expect(await s.vault.connect(s.holder).withdraw.staticCall(assets, s.receiver, s.holder)).to.equal(burned);
        await expect(s.vault.connect(s.holder).withdraw(assets, s.receiver, s.holder))
          .to.emit(s.vault, "Withdraw")
          .withArgs(s.holder, s.receiver, s.holder, assets, burned)
          .and.to.emit(s.vault, "Transfer")
          .withArgs(s.holder, ethers.ZeroAddress, burned);
        const after = await holdings(s);
        expect(before.wrapped - after.wrapped).to.equal(burned);
        expect(before.supply - after.supply).to.equal(burned);
        expect(before.backing - after.backing).to.equal(burned * UNIT);
        expect(after.received - before.received).to.be.within(assetsDown(burned), assetsUp(burned));
        expect(assetsDown(burned)).to.be.greaterThanOrEqual(assets);
      }
    });

    it("takes the largest amount it names, and refuses a wei more", async () => {
      const s = await setup();
      const most = await s.vault.maxWithdraw(s.holder);
      const before = await holdings(s);
      for (const assets of [most + 1n, 2n ** 128n])
        await expect(s.vault.connect(s.holder).withdraw(assets, s.holder, s.holder))
          .to.be.revertedWithCustomError(s.vault, "ExceedsMaxWithdraw")
          .withArgs(s.holder, assets, most);
      expect(await holdings(s)).to.deep.equal(before);
      await s.vault.connect(s.holder).withdraw(most, s.receiver, s.holder);
      expect(await s.asset.balanceOf(s.receiver)).to.be.greaterThanOrEqual(most);
    });
  });

  describe("redeem", () => {
    it("burns exactly that, and gives what was previewed or more", async () => {
      const s = await setup();
      const { assetsDown, assetsUp } = await price(s);
      for (const wrapped of AMOUNTS) {
        const before = await holdings(s);
        const preview = await s.vault.previewRedeem(wrapped);
        expect(await s.vault.connect(s.holder).redeem.staticCall(wrapped, s.receiver, s.holder)).to.equal(preview);
        await expect(s.vault.connect(s.holder).redeem(wrapped, s.receiver, s.holder))
          .to.emit(s.vault, "Withdraw")
          .withArgs(s.holder, s.receiver, s.holder, preview, wrapped);
        const after = await holdings(s);
        expect(before.wrapped - after.wrapped).to.equal(wrapped);
        expect(before.supply - after.supply).to.equal(wrapped);
        expect(before.backing - after.backing).to.equal(wrapped * UNIT);
        expect(after.received - before.received).to.be.within(assetsDown(wrapped), assetsUp(wrapped));
      }
    });

    it("takes all there is, and refuses one more", async () => {
      const s = await setup();
      const all = await s.vault.maxRedeem(s.holder);
      for (const wrapped of [all + 1n, MAX])
        await expect(s.vault.connect(s.holder).redeem(wrapped, s.holder, s.holder))
          .to.be.revertedWithCustomError(s.vault, "ExceedsMaxRedeem")
          .withArgs(s.holder, wrapped, all);
      await s.vault.connect(s.holder).redeem(all, s.receiver, s.holder);
      expect(await s.vault.balanceOf(s.holder)).to.equal(0n);
      expect(await s.asset.sharesOf(s.receiver)).to.equal(all * UNIT);
    });
  });

  describe("for somebody else", () => {
    it("spends an allowance of shares by what is burned, and no more than it", async () => {
      const s = await setup();
      const burned = await s.vault.previewWithdraw(ETH);
      await s.vault.connect(s.holder).approve(s.spender, burned + 100n);
      await expect(s.vault.connect(s.spender).withdraw(ETH, s.receiver, s.holder))
        .to.emit(s.vault, "Withdraw")
        .withArgs(s.spender, s.receiver, s.holder, ETH, burned);
      expect(await s.vault.allowance(s.holder, s.spender)).to.equal(100n);
      await expect(s.vault.connect(s.spender).redeem(101n, s.receiver, s.holder))
        .to.be.revertedWithCustomError(s.vault, "ERC20InsufficientAllowance")
        .withArgs(s.spender, 100n, 101n);
      await expect(s.vault.connect(s.spender).withdraw(ETH, s.receiver, s.holder))
        .to.be.revertedWithCustomError(s.vault, "ERC20InsufficientAllowance")
        .withArgs(s.spender, 100n, burned);
      await s.vault.connect(s.spender).redeem(100n, s.receiver, s.holder);
      expect(await s.vault.allowance(s.holder, s.spender)).to.equal(0n);
    });

    it("spends no unlimited allowance, and none of an owner who acts itself", async () => {
      const s = await setup();
      await s.vault.connect(s.holder).approve(s.spender, MAX);
      await s.vault.connect(s.spender).redeem(ETH, s.receiver, s.holder);
      await s.vault.connect(s.spender).withdraw(ETH, s.receiver, s.holder);
      expect(await s.vault.allowance(s.holder, s.spender)).to.equal(MAX);
      await s.vault.connect(s.holder).approve(s.holder, 5n);
      await s.vault.connect(s.holder).redeem(ETH, s.receiver, s.holder);
      expect(await s.vault.allowance(s.holder, s.holder)).to.equal(5n);
    });

    it("mints to the receiver what the caller pays", async () => {
      const s = await setup();
      await s.asset.connect(s.holder).approve(s.vault, MAX);
      // the receiver's own assets and approvals count for nothing
      await expect(s.vault.connect(s.spender).deposit(ETH, s.holder))
        .to.be.revertedWithCustomError(s.vault, "ERC20InsufficientBalance")
        .withArgs(s.spender, 0n, ETH);
      await s.vault.connect(s.holder).mint(ETH, s.receiver);
      expect(await s.vault.balanceOf(s.receiver)).to.equal(ETH);
    });
  });

  it("refuses zero amounts", async () => {
    const s = await setup();
    await s.asset.connect(s.holder).approve(s.vault, MAX);
    const vault = s.vault.connect(s.holder);
    for (const call of [
      () => vault.deposit(0n, s.holder),
      () => vault.mint(0n, s.holder),
      () => vault.withdraw(0n, s.holder, s.holder),
      () => vault.redeem(0n, s.holder, s.holder),
    ])
      await expect(call()).to.be.revertedWithCustomError(vault, "ZeroAmount").withArgs();
  });

  it("takes nothing from nobody: it has nothing, and nothing is refused", async () => {
    const s = await setup();
    const vault = s.vault.connect(s.spender);
    for (const amount of [1n, ETH]) {
      await expect(vault.withdraw(amount, s.receiver, ethers.ZeroAddress))
        .to.be.revertedWithCustomError(vault, "ExceedsMaxWithdraw")
        .withArgs(ethers.ZeroAddress, amount, 0n);
      await expect(vault.redeem(amount, s.receiver, ethers.ZeroAddress))
        .to.be.revertedWithCustomError(vault, "ExceedsMaxRedeem")
        .withArgs(ethers.ZeroAddress, amount, 0n);
    }
    for (const call of [
      () => vault.withdraw(0n, s.receiver, ethers.ZeroAddress),
      () => vault.redeem(0n, s.receiver, ethers.ZeroAddress),
    ])
      await expect(call()).to.be.revertedWithCustomError(vault, "ZeroAmount").withArgs();
  });

  it("refuses receivers that the shares or the assets refuse", async () => {
    const s = await setup();
    await s.asset.connect(s.holder).approve(s.vault, MAX);
    const vault = s.vault.connect(s.holder);
    for (const to of [ethers.ZeroAddress, await s.vault.getAddress()])
      for (const call of [() => vault.deposit(ETH, to), () => vault.mint(ETH, to)])
        await expect(call()).to.be.revertedWithCustomError(s.vault, "ERC20InvalidReceiver").withArgs(to);
    for (const to of [ethers.ZeroAddress, await s.asset.getAddress()])
      for (const call of [() => vault.withdraw(ETH, to, s.holder), () => vault.redeem(ETH, to, s.holder)])
        await expect(call()).to.be.revertedWithCustomError(s.asset, "ERC20InvalidReceiver").withArgs(to);
  });

  it("gives no profit on any way in and out", async () => {
    const s = await setup();
    const vault = s.vault.connect(s.holder);
    await s.asset.connect(s.holder).approve(s.vault, MAX);
    for (const amount of await movable(s)) {
      const before = { shares: await s.asset.sharesOf(s.holder), wrapped: await s.vault.balanceOf(s.holder) };
      const minted = await vault.deposit.staticCall(amount, s.holder);
      await vault.deposit(amount, s.holder);
      expect(await vault.redeem.staticCall(minted, s.holder, s.holder)).to.be.lessThanOrEqual(amount);
      await vault.redeem(minted, s.holder, s.holder);
      const spent = await vault.mint.staticCall(amount, s.holder);
      await vault.mint(amount, s.holder);
      // what minting took buys no fewer shares back
      expect(await vault.previewWithdraw(spent)).to.be.greaterThanOrEqual(amount);
      await vault.redeem(amount, s.holder, s.holder);
      expect(await s.asset.sharesOf(s.holder)).to.equal(before.shares);
      expect(await s.vault.balanceOf(s.holder)).to.equal(before.wrapped);
    }
  });
}
