/** westETH: ERC-4626 before and after the rate changes, wrapping, staking and requests through the wrapper. */
import { expect } from "chai";
import { behavesAsErc4626 } from "../../helpers/behaviour/erc4626.ts";
import { signPermit } from "../../helpers/behaviour/erc2612.ts";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { ETH, apply, staked } from "../../helpers/reporting.ts";
import type { Protocol } from "../../helpers/protocol.ts";

const UNIT = 10n ** 9n;
const MAX = ethers.MaxUint256;
const DEADLINE = 2n ** 40n; // of signPermit
const PERMIT = "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)";

/** Alice holds both tokens; the rate is that of genesis. */
async function level() {
  const p = await loadFixture(staked);
  await p.wrapped.connect(p.alice).stake(p.alice, ethers.ZeroAddress, { value: 50n * ETH + 7n });
  return p;
}

async function risen() {
  const p = await loadFixture(level);
  await apply(p, { gain: 123_456_789_012_345_679n });
  return p;
}

async function fallen() {
  const p = await loadFixture(level);
  await apply(p, { gain: -7_000_000_000_000_000_003n });
  return p;
}

/** After two weeks of days good and bad. */
async function aged() {
  const p = await loadFixture(level);
  for (let day = 0n; day < 14n; day++) await apply(p, { gain: 98_765_432_109_876_543n * ((day % 5n) - 1n) });
  return p;
}

async function expectBacked(p: Protocol): Promise<void> {
  const [backing, supply] = [await p.token.sharesOf(p.wrapped), await p.wrapped.totalSupply()];
  expect(backing).to.be.greaterThanOrEqual(supply * UNIT);
}

for (const [when, fixture] of [
  ["at the first rate", level],
  ["after the rate rose", risen],
  ["after it fell", fallen],
  ["after many reports", aged],
] as const)
  describe(`WrappedStakedEther: ERC-4626 ${when}`, () => {
    behavesAsErc4626(async () => {
      const p = await loadFixture(fixture);
      return { vault: p.wrapped, asset: p.token, holder: p.alice, spender: p.keeper, receiver: p.carol };
    });
  });

describe("WrappedStakedEther: a change of the rate", () => {
  it("changes what a share is worth and nobody's number of shares", async () => {
    for (const gain of [ETH / 7n, -3n * ETH - 1n]) {
      const p = await loadFixture(level);
      const [held, supply, assets] = [
        await p.wrapped.balanceOf(p.alice),
        await p.wrapped.totalSupply(),
        await p.wrapped.totalAssets(),
      ];
      await apply(p, { gain });
      expect(await p.wrapped.balanceOf(p.alice)).to.equal(held);
      expect(await p.wrapped.totalSupply()).to.equal(supply);
      const [ether, shares] = await p.token.totals();
      expect(await p.wrapped.totalAssets()).to.equal((supply * UNIT * ether) / shares);
      if (gain > 0n) expect(await p.wrapped.totalAssets()).to.be.greaterThan(assets);
      else expect(await p.wrapped.totalAssets()).to.be.lessThan(assets);
    }
  });

  it("is told by every name that integrators call", async () => {
    const p = await loadFixture(aged);
    const [ether, shares] = await p.token.totals();
    const up = (ETH * UNIT * ether) / shares;
    const down = (ETH * shares) / (ether * UNIT);
    expect(up).to.not.equal(ETH);
    for (const view of ["getRate", "stEthPerToken"] as const) expect(await p.wrapped[view]()).to.equal(up);
    expect(await p.wrapped.tokensPerStEth()).to.equal(down);
    for (const amount of [0n, 1n, 5n * ETH + 3n]) {
      expect(await p.wrapped.getStETHByWstETH(amount)).to.equal((amount * UNIT * ether) / shares);
      expect(await p.wrapped.getWstETHByStETH(amount)).to.equal((amount * shares) / (ether * UNIT));
    }
    expect([await p.wrapped.name(), await p.wrapped.symbol(), await p.wrapped.decimals()]).to.deep.equal([
      "Estuary Wrapped Staked Ether",
      "westETH",
      18n,
    ]);
    expect(await p.wrapped.token()).to.equal(await p.token.getAddress());
  });
});

describe("WrappedStakedEther: wrap and unwrap", () => {
  it("wraps whole units of what an amount is worth, and leaves the rest", async () => {
    const p = await loadFixture(aged);
    const [ether, shares] = await p.token.totals();
    const amount = 3n * ETH + 1n;
    const wrapped = (amount * shares) / ether / UNIT;
    await p.token.connect(p.alice).approve(p.wrapped, amount);
    const before = await p.token.sharesOf(p.alice);
    const held = await p.wrapped.balanceOf(p.alice);
    expect(await p.wrapped.connect(p.alice).wrap.staticCall(amount)).to.equal(wrapped);
    await expect(p.wrapped.connect(p.alice).wrap(amount))
      .to.emit(p.wrapped, "Transfer")
      .withArgs(ethers.ZeroAddress, p.alice, wrapped);
    expect(before - (await p.token.sharesOf(p.alice))).to.equal(wrapped * UNIT);
    expect((await p.wrapped.balanceOf(p.alice)) - held).to.equal(wrapped);
  });

  it("unwraps to exactly a billion shares a wei", async () => {
    const p = await loadFixture(aged);
    const [ether, shares] = await p.token.totals();
    const before = await p.token.sharesOf(p.alice);
    const wrapped = 5n * ETH + 3n;
    const amount = (wrapped * UNIT * ether) / shares;
    expect(await p.wrapped.connect(p.alice).unwrap.staticCall(wrapped)).to.equal(amount);
    await expect(p.wrapped.connect(p.alice).unwrap(wrapped))
      .to.emit(p.wrapped, "Transfer")
      .withArgs(p.alice, ethers.ZeroAddress, wrapped)
      .and.to.emit(p.token, "Transfer")
      .withArgs(p.wrapped, p.alice, amount);
    expect((await p.token.sharesOf(p.alice)) - before).to.equal(wrapped * UNIT);
  });

  it("wraps and unwraps back to the same shares, whatever the rate", async () => {
    for (const fixture of [level, risen, fallen]) {
      const p = await loadFixture(fixture);
      const before = await p.token.sharesOf(p.alice);
      await p.token.connect(p.alice).approve(p.wrapped, MAX);
      const wrapped = await p.wrapped.connect(p.alice).wrap.staticCall(17n * ETH - 1n);
      await p.wrapped.connect(p.alice).wrap(17n * ETH - 1n);
      await p.wrapped.connect(p.alice).unwrap(wrapped);
      expect(await p.token.sharesOf(p.alice)).to.equal(before);
    }
  });

  it("refuses nothing, less than a unit, and more than there is or was allowed", async () => {
    const p = await loadFixture(risen);
    const wrapped = p.wrapped.connect(p.alice);
    const balance = await p.token.balanceOf(p.alice);
    const held = await wrapped.balanceOf(p.alice);
    // at this rate a wei is less than a unit
    for (const amount of [0n, 1n])
      await expect(wrapped.wrap(amount)).to.be.revertedWithCustomError(wrapped, "ZeroAmount").withArgs();
    await expect(wrapped.unwrap(0n)).to.be.revertedWithCustomError(wrapped, "ZeroAmount").withArgs();
    for (const amount of [balance + 1n, MAX])
      await expect(wrapped.wrap(amount))
        .to.be.revertedWithCustomError(wrapped, "ERC20InsufficientBalance")
        .withArgs(p.alice, balance, amount);
    for (const amount of [held + 1n, MAX])
      await expect(wrapped.unwrap(amount))
        .to.be.revertedWithCustomError(wrapped, "ERC20InsufficientBalance")
        .withArgs(p.alice, held, amount);
    const spent = await wrapped.previewMint(await wrapped.convertToShares(ETH));
    await expect(wrapped.wrap(ETH))
      .to.be.revertedWithCustomError(p.token, "ERC20InsufficientAllowance")
      .withArgs(p.wrapped, 0n, spent);
  });
});

describe("WrappedStakedEther: permits", () => {
  /** Alice's permit of 7 wei of estETH for the wrapper. */
  async function permit({ token, wrapped, alice }: Protocol) {
    const spender = { address: await wrapped.getAddress() };
    return signPermit({ token, domainName: "Estuary Staked Ether", owner: alice, spender });
  }

  it("wraps with a permit alone", async () => {
    const p = await loadFixture(level);
    const { v, r, s } = await permit(p);
    const held = await p.wrapped.balanceOf(p.alice);
    await p.wrapped.connect(p.alice).wrapWithPermit(7n, DEADLINE, v, r, s);
    expect((await p.wrapped.balanceOf(p.alice)) - held).to.equal(7n);
    expect(await p.token.allowance(p.alice, p.wrapped)).to.equal(0n);
    expect(await p.token.nonces(p.alice)).to.equal(1n);
  });

  it("Security: permit front-run: a permit that somebody used first does not stop the wrap", async () => {
    const p = await loadFixture(level);
    const { v, r, s } = await permit(p);
    const held = await p.wrapped.balanceOf(p.alice);
    await p.token.connect(p.bob)[PERMIT](p.alice, p.wrapped, 7n, DEADLINE, v, r, s);
    await p.wrapped.connect(p.alice).wrapWithPermit(7n, DEADLINE, v, r, s);
    expect((await p.wrapped.balanceOf(p.alice)) - held).to.equal(7n);
    // used up: what counts is the allowance that is left
    await expect(p.wrapped.connect(p.alice).wrapWithPermit(7n, DEADLINE, v, r, s))
      .to.be.revertedWithCustomError(p.token, "ERC20InsufficientAllowance")
      .withArgs(p.wrapped, 0n, 7n);
  });

  it("needs an allowance where the permit is another's, or none", async () => {
    const p = await loadFixture(level);
    const { v, r, s } = await permit(p);
    await expect(p.wrapped.connect(p.bob).wrapWithPermit(7n, DEADLINE, v, r, s))
      .to.be.revertedWithCustomError(p.token, "ERC20InsufficientAllowance")
      .withArgs(p.wrapped, 0n, 7n);
    await p.token.connect(p.bob).approve(p.wrapped, 7n);
    await p.wrapped.connect(p.bob).wrapWithPermit(7n, DEADLINE, 27, ethers.ZeroHash, ethers.ZeroHash);
    expect(await p.wrapped.balanceOf(p.bob)).to.equal(7n);
  });
});

describe("WrappedStakedEther: staking and leaving", () => {
  it("stakes and wraps in one call, for anyone", async () => {
    const p = await loadFixture(aged);
    const [ether, shares] = await p.token.totals();
    const value = 2n * ETH + 9n;
    const minted = (value * shares) / ether;
    const wrapped = minted / UNIT;
    expect(await p.wrapped.connect(p.bob).stake.staticCall(p.carol, p.keeper, { value })).to.equal(wrapped);
    await expect(p.wrapped.connect(p.bob).stake(p.carol, p.keeper, { value }))
      .to.emit(p.pool, "Deposited")
      .withArgs(p.wrapped, p.wrapped, value, minted, p.keeper)
      .and.to.emit(p.wrapped, "Transfer")
      .withArgs(ethers.ZeroAddress, p.carol, wrapped);
    expect(await p.wrapped.balanceOf(p.carol)).to.equal(wrapped);
    expect(await p.token.getTotalPooledEther()).to.equal(ether + value);
  });

  it("stakes a plain transfer for its sender", async () => {
    const p = await loadFixture(aged);
    const wrapped = await p.wrapped.convertToShares(ETH);
    const minted = await p.token.getSharesByPooledEth(ETH);
    await expect(p.carol.sendTransaction({ to: p.wrapped, value: ETH }))
      .to.emit(p.pool, "Deposited")
      .withArgs(p.wrapped, p.wrapped, ETH, minted, ethers.ZeroAddress);
    expect(await p.wrapped.balanceOf(p.carol)).to.equal(wrapped);
  });

  it("refuses to stake nothing, or for nobody or itself", async () => {
    const p = await loadFixture(level);
    await expect(p.wrapped.connect(p.carol).stake(p.carol, p.carol)).to.be.revertedWithCustomError(
      p.pool,
      "ZeroDeposit",
    );
    await expect(p.carol.sendTransaction({ to: p.wrapped, value: 0n })).to.be.revertedWithCustomError(
      p.pool,
      "ZeroDeposit",
    );
    for (const to of [ethers.ZeroAddress, await p.wrapped.getAddress()])
      await expect(p.wrapped.connect(p.carol).stake(to, p.carol, { value: ETH }))
        .to.be.revertedWithCustomError(p.wrapped, "ERC20InvalidReceiver")
        .withArgs(to);
  });

  it("requests withdrawals of westETH for its owner or whoever it names", async () => {
    const p = await loadFixture(aged);
    const wrapped = p.wrapped.connect(p.alice);
    const held = await wrapped.balanceOf(p.alice);
    const amounts = [ETH, 2n * ETH + 1n];
    const value = await p.wrapped.convertToAssets(ETH);
    expect(await wrapped.requestWithdrawals.staticCall(amounts, p.carol)).to.deep.equal([1n, 2n]);
    await expect(wrapped.requestWithdrawals(amounts, p.carol))
      .to.emit(p.queue, "WithdrawalRequested")
      .withArgs(1n, p.carol, value, ETH * UNIT)
      .and.to.emit(wrapped, "Transfer")
      .withArgs(p.alice, ethers.ZeroAddress, 2n * ETH + 1n);
    expect(await wrapped.balanceOf(p.alice)).to.equal(held - 3n * ETH - 1n);
    expect(await p.token.sharesOf(p.queue)).to.equal((3n * ETH + 1n) * UNIT);
    await wrapped.requestWithdrawals([ETH], ethers.ZeroAddress);
    const owners = await Promise.all([1n, 2n, 3n].map((id) => p.queue.ownerOf(id)));
    expect(owners).to.deep.equal([p.carol.address, p.carol.address, p.alice.address]);
    await expectBacked(p);
  });

  it("refuses requests of nothing, too little, or more westETH than the caller has", async () => {
    const p = await loadFixture(level);
    const wrapped = p.wrapped.connect(p.alice);
    const held = await wrapped.balanceOf(p.alice);
    await expect(wrapped.requestWithdrawals([], p.alice)).to.be.revertedWithCustomError(p.queue, "NoRequests");
    await expect(wrapped.requestWithdrawals([ETH, 99n], p.alice))
      .to.be.revertedWithCustomError(p.queue, "RequestTooSmall")
      .withArgs(99n, 100n);
    await expect(wrapped.requestWithdrawals([ETH, held], p.alice))
      .to.be.revertedWithCustomError(wrapped, "ERC20InsufficientBalance")
      .withArgs(p.alice, held - ETH, held);
    expect(await wrapped.balanceOf(p.alice)).to.equal(held);
    expect(await p.queue.lastRequestId()).to.equal(0n);
  });
});

describe("WrappedStakedEther: rounding", () => {
  /** So many shares more than a billion a wei; the totals after that. */
  async function withMore(shares: (totalEther: bigint) => bigint) {
    const p = await loadFixture(level);
    const { totalEther } = await p.token.totals();
    const totalShares = totalEther * UNIT + shares(totalEther);
    const slot = ethers.toBeHex((totalShares << 128n) | totalEther, 32);
    await networkHelpers.setStorageAt(await p.token.getAddress(), 5, slot);
    expect(await p.token.totals()).to.deep.equal([totalEther, totalShares]);
    return p;
  }

  it("a withdrawal costs a unit more as soon as its shares end above whole units", async () => {
    // an ether is worth whole units and a fraction of one share
    const p = await withMore(() => 1n);
    expect(await p.token.getSharesByPooledEth(ETH)).to.equal(ETH * UNIT);
    expect(await p.wrapped.previewWithdraw(ETH)).to.equal(ETH + 1n);
    expect(await p.wrapped.convertToAssets(ETH)).to.equal(ETH - 1n);
    await p.wrapped.connect(p.alice).withdraw(ETH, p.carol, p.alice);
    expect(await p.token.getPooledEthByShares(await p.token.sharesOf(p.carol))).to.equal(ETH);
  });

  it("a deposit's preview takes off what a balance may show too much, and not a share more", async () => {
    const forgiven = UNIT / 1_024n; // a 1024th of a wei
    for (const [above, preview] of [
      [forgiven, ETH],
      [forgiven - 1n, ETH - 1n],
    ] as const) {
      const p = await withMore((totalEther) => (above * totalEther + ETH - 1n) / ETH);
      expect(await p.token.getSharesByPooledEth(ETH)).to.equal(ETH * UNIT + above);
      expect(await p.wrapped.previewDeposit(ETH)).to.equal(preview);
      // somebody who has just what shows an ether gets that
      await p.token.connect(p.alice).transferShares(p.carol, ETH * UNIT + above - forgiven);
      expect(await p.token.balanceOf(p.carol)).to.equal(ETH);
      await p.token.connect(p.carol).approve(p.wrapped, ETH);
      await p.wrapped.connect(p.carol).deposit(ETH, p.carol);
      expect(await p.wrapped.balanceOf(p.carol)).to.equal(preview);
    }
  });
});

describe("WrappedStakedEther: backing", () => {
  it("Security: shares and assets mixed up: a billion shares back every wei, through anything done in a month", async () => {
    const p = await loadFixture(level);
    const people = [p.alice, p.bob, p.carol];
    let seed = 11;
    const below = (n: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % n;
    const part = (amount: bigint) => (amount * BigInt(1 + below(97))) / 100n;
    for (const who of people) await p.token.connect(who).approve(p.wrapped, MAX);
    let [done, donated] = [0, 0n];
    for (let i = 0; i < 120; i++) {
      const who = people[below(3)] ?? p.alice;
      const to = people[below(3)] ?? p.alice;
      const vault = p.wrapped.connect(who);
      const [assets, wrapped] = [await p.token.balanceOf(who), await vault.balanceOf(who)];
      const backed = { shares: await p.token.sharesOf(p.wrapped), supply: await vault.totalSupply() };
      let gift = 0n;
      const action = below(9);
      if (action === 0 && assets > ETH) await vault.wrap(part(assets));
      else if (action === 1 && wrapped > ETH) await vault.unwrap(part(wrapped));
      else if (action === 2 && assets > ETH) await vault.deposit(part(assets), to);
      else if (action === 3 && assets > ETH) await vault.mint(await vault.convertToShares(part(assets)), to);
      else if (action === 4 && wrapped > ETH) await vault.withdraw(part(await vault.maxWithdraw(who)), to, who);
      else if (action === 5 && wrapped > ETH) await vault.redeem(part(wrapped), to, who);
      else if (action === 6) await vault.stake(to, ethers.ZeroAddress, { value: ETH + BigInt(below(10 ** 9)) });
      else if (action === 7 && assets > ETH) {
        const before = await p.token.sharesOf(p.wrapped);
        await p.token.connect(who).transfer(p.wrapped, BigInt(below(10 ** 9)));
        gift = (await p.token.sharesOf(p.wrapped)) - before;
      } else if (action === 8) await apply(p, { gain: BigInt(below(2 ** 30) - 2 ** 29) * UNIT });
      else continue;
      done++;
      donated += gift;
      const supply = await vault.totalSupply();
      const shares = await p.token.sharesOf(p.wrapped);
      const change = shares - backed.shares - gift - (supply - backed.supply) * UNIT;
      // staking leaves less than a unit behind, everything else nothing
      expect(change).to.be.within(0n, action === 6 ? UNIT - 1n : 0n);
      await expectBacked(p);
    }
    expect(done).to.be.greaterThan(60);
    expect(donated).to.be.greaterThan(0n);
    // everyone can leave
    for (const who of people) {
      const wrapped = await p.wrapped.balanceOf(who);
      if (wrapped > 0n) await p.wrapped.connect(who).unwrap(wrapped);
    }
    expect(await p.wrapped.totalSupply()).to.equal(0n);
    expect(await p.wrapped.totalAssets()).to.equal(0n);
    expect(await p.token.sharesOf(p.wrapped)).to.be.greaterThanOrEqual(donated);
  });
});
