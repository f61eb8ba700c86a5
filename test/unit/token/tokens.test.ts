/** Both tokens: transfers, allowances, permits, who may call what. */
import { expect } from "chai";
import { behavesAsErc20 } from "../../helpers/behaviour/erc20.ts";
import { behavesAsErc2612 } from "../../helpers/behaviour/erc2612.ts";
import { ethers, loadFixture } from "../../helpers/network.ts";
import { protocol } from "../../helpers/protocol.ts";

const STAKE = 10n ** 18n + 7n;

async function holding() {
  const p = await loadFixture(protocol);
  await p.pool.connect(p.alice).deposit(p.alice, ethers.ZeroAddress, { value: STAKE });
  await p.wrapped.connect(p.alice).stake(p.alice, ethers.ZeroAddress, { value: STAKE });
  return p;
}

for (const name of ["token", "wrapped"] as const) {
  const setup = async () => {
    const p = await holding();
    return { token: p[name], holder: p.alice, owner: p.alice, spender: p.bob, receiver: p.carol };
  };
  const domainName = name === "token" ? "Estuary Staked Ether" : "Estuary Wrapped Staked Ether";
  describe(`${domainName}: ERC-20`, () => {
    behavesAsErc20(setup);
  });
  describe(`${domainName}: ERC-2612`, () => {
    behavesAsErc2612(async () => ({ ...(await setup()), domainName }));
  });
}

describe("StakedEther: callers", () => {
  it("lets the pool alone mint, bootstrap, rebase and pay", async () => {
    const { token, pool, alice } = await holding();
    const change = {
      etherDelta: 0n,
      etherPaid: 0n,
      feeShares: 0n,
      burnShares: 0n,
      elapsed: 0n,
      feeReceiver: alice.address,
    };
    const stranger = token.connect(alice);
    for (const call of [
      () => stranger.mint(alice, 1n),
      () => stranger.bootstrap(1n),
      () => stranger.rebase(change),
      () => stranger.payWithdrawals(1n, 1n),
    ])
      await expect(call()).to.be.revertedWithCustomError(token, "OnlyPool").withArgs(alice, pool);
  });

  it("lets the queue alone pull", async () => {
    const { token, queue, alice } = await holding();
    const stranger = token.connect(alice);
    for (const call of [() => stranger.pullToQueue(alice, 1n), () => stranger.pullSharesToQueue(alice, 1n)])
      await expect(call()).to.be.revertedWithCustomError(token, "OnlyQueue").withArgs(alice, queue);
  });

  it("lets governance alone replace the pool", async () => {
    const { token, alice, pool } = await holding();
    await expect(token.connect(alice).replacePool(pool))
      .to.be.revertedWithCustomError(token, "AccessManagedUnauthorized")
      .withArgs(alice);
  });

  it("refuses the pool it has, and an account without code", async () => {
    const { token, alice, pool, governor } = await holding();
    for (const bad of [await pool.getAddress(), alice.address])
      await expect(token.connect(governor).replacePool(bad))
        .to.be.revertedWithCustomError(token, "InvalidPool")
        .withArgs(bad);
  });
});

describe("Vaults: callers", () => {
  it("sweep for the pool alone", async () => {
    const { withdrawalVault, rewardsVault, pool, alice } = await holding();
    for (const vault of [withdrawalVault, rewardsVault])
      await expect(vault.connect(alice).sweep(0n))
        .to.be.revertedWithCustomError(vault, "OnlyPool")
        .withArgs(alice, pool);
  });

  it("request exits for the validator registry alone", async () => {
    const { withdrawalVault, alice } = await holding();
    await expect(withdrawalVault.connect(alice).requestExits([], alice))
      .to.be.revertedWithCustomError(withdrawalVault, "OnlyValidators")
      .withArgs(alice);
  });
});

describe("WrappedStakedEther: shares", () => {
  it("does not move when someone gives it estETH", async () => {
    const { token, wrapped, alice } = await holding();
    const rate = await wrapped.getRate();
    const assets = await wrapped.totalAssets();
    await token.connect(alice).transfer(wrapped, STAKE);
    expect(await wrapped.getRate()).to.equal(rate);
    expect(await wrapped.totalAssets()).to.equal(assets);
    expect(await token.sharesOf(wrapped)).to.be.greaterThan((await wrapped.totalSupply()) * 10n ** 9n);
  });
});
