/** The two vaults: sweeping to the pool, and exit requests through the EIP-7002 predeploy. */
import { expect } from "chai";
import { WITHDRAWAL_REQUESTS } from "../../../devnet/predeploys.ts";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { ETH, apply, borrow, nextRefTime, staked } from "../../helpers/reporting.ts";
import { protocol } from "../../helpers/protocol.ts";
import type { Protocol } from "../../helpers/protocol.ts";

const key = (byte: string, length = 48) => `0x${byte.repeat(length)}`;

/** EIP-7002: fake_exponential(1, excess, 17). */
function exitFee(excess: bigint): bigint {
  let [sum, term] = [0n, 17n];
  for (let i = 1n; term > 0n; i++) {
    sum += term;
    term = (term * excess) / (17n * i);
  }
  return sum / 17n;
}

/** The withdrawal vault as the validator registry calls it. */
async function registry(p: Protocol) {
  return p.withdrawalVault.connect(await borrow(p.validators));
}

describe("Vaults: sweeps", () => {
  const vaults = (p: Protocol) => [p.withdrawalVault, p.rewardsVault];

  it("send the pool what it asks for, and no more than there is", async () => {
    const p = await loadFixture(staked);
    const pool = await borrow(p.pool);
    for (const vault of vaults(p)) {
      await p.carol.sendTransaction({ to: vault, value: 10n });
      await expect(vault.connect(pool).sweep(11n)).to.revert(ethers);
      await expect(vault.connect(pool).sweep(7n)).to.changeEtherBalances(ethers, [vault, p.pool], [-7n, 7n]);
      expect(await ethers.provider.getBalance(vault)).to.equal(3n);
      await expect(vault.connect(pool).sweep(3n)).to.changeEtherBalances(ethers, [vault, p.pool], [-3n, 3n]);
      await vault.connect(pool).sweep(0n);
    }
  });

  it("happen in a report, each vault's own amount", async () => {
    const p = await loadFixture(staked);
    await p.carol.sendTransaction({ to: p.withdrawalVault, value: 1_000_003n });
    await p.carol.sendTransaction({ to: p.rewardsVault, value: 500_009n });
    const refTime = await nextRefTime(p);
    const tx = await apply(p, { withdrawalVaultBalance: 1_000_000n });
    await expect(tx).to.emit(p.pool, "ReportApplied").withArgs(refTime, 1_500_009n, 1_500_009n, 0n, 150_000n, 0n, 0n);
    const houses = [p.withdrawalVault, p.rewardsVault, p.pool];
    await expect(tx).to.changeEtherBalances(ethers, houses, [-1_000_000n, -500_009n, 1_500_009n]);
    expect(await ethers.provider.getBalance(p.withdrawalVault)).to.equal(3n);
    expect(await ethers.provider.getBalance(p.rewardsVault)).to.equal(0n);
    // nothing to take
    const next = await apply(p, { withdrawalVaultBalance: 0n });
    await expect(next).to.changeEtherBalances(ethers, houses, [0n, 0n, 0n]);
    expect(await ethers.provider.getBalance(p.withdrawalVault)).to.equal(3n);
  });

  it("are nobody else's, and their door into the pool is open to nobody else", async () => {
    const p = await loadFixture(staked);
    const others = [p.governor, p.guardian, p.treasury, p.keeper];
    for (const house of [p.oracle, p.token, p.queue, p.validators, p.operators]) others.push(await borrow(house));
    for (const who of others) {
      for (const vault of vaults(p))
        await expect(vault.connect(who).sweep(0n))
          .to.be.revertedWithCustomError(vault, "OnlyPool")
          .withArgs(who, p.pool);
      await expect(p.pool.connect(who).receiveFromVault({ value: 1n }))
        .to.be.revertedWithCustomError(p.pool, "OnlyVault")
        .withArgs(who);
    }
    for (const vault of vaults(p)) await p.pool.connect(await borrow(vault)).receiveFromVault({ value: 1n });
  });
});

describe("WithdrawalVault: exit requests", () => {
  const keys = [key("aa"), key("bb"), key("cc")];

  it("Security: EIP-7002 fee griefing and lost refunds: pay the fee for each, exactly, and refund the rest", async () => {
    const p = await loadFixture(staked);
    const vault = await registry(p);
    const fee = await vault.exitFee();
    for (const excess of [0n, 1n, ETH]) {
      const call = vault.requestExits(keys, p.carol, { value: 3n * fee + excess });
      await expect(call).to.changeEtherBalances(ethers, [p.carol, vault, WITHDRAWAL_REQUESTS], [excess, 0n, 3n * fee]);
      for (const pubkey of keys) await expect(call).to.emit(vault, "ExitRequested").withArgs(pubkey, fee);
    }
  });

  it("Security: EIP-7002 fee griefing and lost refunds: cost no wei above what was sent, whatever the vault holds", async () => {
    const p = await loadFixture(staked);
    await p.carol.sendTransaction({ to: p.withdrawalVault, value: 5n * ETH });
    const vault = await registry(p);
    const fee = await vault.exitFee();
    for (const value of [0n, 1n, 3n * fee - 1n])
      await expect(vault.requestExits(keys, p.carol, { value }))
        .to.be.revertedWithCustomError(vault, "FeeAboveMaximum")
        .withArgs(3n * fee, value);
    await vault.requestExits(keys, p.carol, { value: 3n * fee + 9n });
    expect(await ethers.provider.getBalance(vault)).to.equal(5n * ETH);
  });

  it("Security: EIP-7002 fee griefing and lost refunds: a crowd of requests raises the fee for the next block, and only that is paid", async () => {
    const p = await loadFixture(protocol);
    const vault = await registry(p);
    expect(await vault.exitFee()).to.equal(exitFee(0n));
    const crowd = Array.from({ length: 60 }, (_, i) => key((16 + i).toString(16)));
    await vault.requestExits(crowd, p.carol, { value: 60n });
    // the same block's fee is that of its start
    expect(await vault.exitFee()).to.equal(1n);
    await p.beacon.advanceSlots(1);
    const fee = exitFee(58n); // 60 requests, 2 of them expected
    expect(fee).to.equal(29n);
    expect(await vault.exitFee()).to.equal(fee);
    await expect(vault.requestExits(keys, p.carol, { value: 3n * fee - 1n }))
      .to.be.revertedWithCustomError(vault, "FeeAboveMaximum")
      .withArgs(3n * fee, 3n * fee - 1n);
    await expect(vault.requestExits(keys, p.carol, { value: ETH })).to.changeEtherBalances(
      ethers,
      [p.carol, WITHDRAWAL_REQUESTS],
      [ETH - 3n * fee, 3n * fee],
    );
  });

  it("a refund that is refused undoes the requests", async () => {
    const p = await loadFixture(staked);
    const vault = await registry(p);
    const fee = await vault.exitFee();
    const before = await ethers.provider.getBalance(WITHDRAWAL_REQUESTS);
    await expect(vault.requestExits(keys, p.token, { value: 3n * fee + 1n }))
      .to.be.revertedWithCustomError(vault, "RefundFailed")
      .withArgs(p.token, 1n);
    expect(await ethers.provider.getBalance(WITHDRAWAL_REQUESTS)).to.equal(before);
    // nothing to give back, nothing to refuse
    await vault.requestExits(keys, p.token, { value: 3n * fee });
  });

  it("the predeploy that refuses one key refuses all", async () => {
    const p = await loadFixture(staked);
    const vault = await registry(p);
    for (const bad of [key("dd", 47), key("dd", 49), "0x"])
      await expect(vault.requestExits([key("aa"), bad, key("bb")], p.carol, { value: ETH }))
        .to.be.revertedWithCustomError(vault, "ExitRequestFailed")
        .withArgs(bad);
    // nothing was asked for in vain
    await expect(vault.requestExits([], p.carol, { value: ETH })).to.changeEtherBalance(ethers, p.carol, ETH);
  });

  it("says so when the predeploy tells no fee", async () => {
    const p = await loadFixture(staked);
    const vault = await registry(p);
    const codes = {
      nothing: "0x",
      reverts: "0x5f5ffd", // revert(0, 0)
      "two words": "0x60405ff3", // return(0, 64)
      "less than a word": "0x601f5ff3", // return(0, 31)
    };
    for (const code of Object.values(codes)) {
      await networkHelpers.setCode(WITHDRAWAL_REQUESTS, code);
      for (const call of [() => vault.exitFee(), () => vault.requestExits(keys, p.carol, { value: ETH })])
        await expect(call()).to.be.revertedWithCustomError(vault, "ExitFeeUnknown").withArgs();
    }
  });

  it("are the validator registry's alone: not the pool's, not governance's, not another registry's", async () => {
    const p = await loadFixture(staked);
    const others = [p.governor, p.guardian, p.nodeOperator, p.keeper];
    for (const house of [p.pool, p.oracle, p.operators]) others.push(await borrow(house));
    for (const who of others)
      await expect(p.withdrawalVault.connect(who).requestExits(keys, who, { value: ETH }))
        .to.be.revertedWithCustomError(p.withdrawalVault, "OnlyValidators")
        .withArgs(who);
  });
});
