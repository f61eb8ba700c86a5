/** Bonds in every form, rewards in every form, managers, fines, and what a classic operator earns. */
import { expect } from "chai";
import { ZeroHash, id as hashOf } from "ethers";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { TIERS } from "../../../deploy/lib/parameters.ts";
import {
  CURATED,
  ETH,
  ETH_GWEI,
  active,
  allow,
  changeRate,
  funded,
  key,
  keyRoot,
  payFee,
  predeposit,
  proofOf,
  proveWithdrawn,
  prove,
  queued,
  range,
  registries,
  withPool,
  waiting,
} from "./fixture.ts";
import type { Registries } from "./fixture.ts";

const SHARES = 10n ** 9n;
const FINE_LIFETIME = 30 * 86_400;
const EVIDENCE = hashOf("block 1234, 5 ETH of MEV kept");
const { time } = networkHelpers;

/** Alice runs three validators of tier 0, at an odd rate; Carol has estETH and westETH. */
async function working() {
  const world = await loadFixture(registries);
  await changeRate(world, 1n, 317n);
  await funded(world, 1, range(3));
  const { pool, token, wrapped, carol } = world;
  await pool.deposit(carol, carol, { value: 100n * ETH });
  await token.connect(carol).approve(wrapped, 40n * ETH);
  await wrapped.connect(carol).wrap(40n * ETH);
  return world;
}

async function expectHeld({ operators, token }: Registries) {
  let recorded = (await operators.treasuryShares()) + (await waiting(token));
  const { sharesPerWeight } = await operators.rewardTotals();
  for (let id = 1n; id <= (await operators.operatorCount()); id++) {
    const o = await operators.operator(id);
    recorded += o.bondShares + o.rewardShares + (sharesPerWeight - o.settledAt) * o.weighted * o.feeBp;
    recorded += (await operators.fineOf(id)).shares;
  }
  expect(await token.sharesOf(operators)).to.equal(recorded);
}

async function bondShares(world: Registries, id: number): Promise<bigint> {
  return (await world.operators.operator(id)).bondShares;
}

/** A slashed-free exit that brings back `balanceGwei`. */
describe("OperatorBonds: bonds in every form", () => {
  it("take estETH, by exact shares and with an allowance, from anyone", async () => {
    const world = await loadFixture(working);
    const { operators, token, carol } = world;
    const [bond, held] = [await bondShares(world, 1), await token.sharesOf(carol)];
    const shares = 7n * 10n ** 26n + 123n;
    const needed = (shares * (await token.getTotalPooledEther())) / (await token.getTotalShares()) + 1n;
    await expect(operators.connect(carol).addBondShares(1, shares))
      .to.be.revertedWithCustomError(token, "ERC20InsufficientAllowance")
      .withArgs(operators, 0n, needed);
    await token.connect(carol).approve(operators, needed);
    await expect(operators.connect(carol).addBondShares(1, shares))
      .to.emit(operators, "BondAdded")
      .withArgs(1n, shares);
    expect((await bondShares(world, 1)) - bond).to.equal(shares);
    expect(held - (await token.sharesOf(carol))).to.equal(shares);
    await expectHeld(world);
  });

  it("take westETH, each of its units 1e9 shares", async () => {
    const world = await loadFixture(working);
    const { operators, wrapped, carol } = world;
    const bond = await bondShares(world, 1);
    await wrapped.connect(carol).approve(operators, 3n * ETH + 1n);
    await expect(operators.connect(carol).addBondWrapped(1, 3n * ETH + 1n))
      .to.emit(operators, "BondAdded")
      .withArgs(1n, (3n * ETH + 1n) * SHARES);
    expect((await bondShares(world, 1)) - bond).to.equal((3n * ETH + 1n) * SHARES);
    expect(await wrapped.balanceOf(operators)).to.equal(0n);
    await expectHeld(world);
  });

  it("are withdrawn as estETH or westETH, to anyone, as far as they are free", async () => {
    const world = await loadFixture(working);
    const { operators, token, wrapped, alice, bob } = world;
    await operators.addBond(1, { value: 5n * ETH });
    const free = await operators.freeBond(1);
    const owner = operators.connect(alice);
    await expect(owner.withdrawBond(1, free + 1n, bob)).to.be.revertedWithCustomError(operators, "BondTooSmall");
    await owner.withdrawBondWrapped(1, 2n * ETH, bob);
    expect(await wrapped.balanceOf(bob)).to.equal(2n * ETH);
    expect(await operators.freeBond(1)).to.equal(free - 2n * ETH * SHARES);
    await owner.withdrawBond(1, free - 2n * ETH * SHARES, bob);
    expect(await token.sharesOf(bob)).to.equal(free - 2n * ETH * SHARES);
    expect(await operators.freeBond(1)).to.equal(0n);
    await expect(owner.withdrawBondWrapped(1, 1n, bob)).to.be.revertedWithCustomError(operators, "BondTooSmall");
    await expect(operators.connect(bob).withdrawBondWrapped(1, 1n, bob))
      .to.be.revertedWithCustomError(operators, "NotOperatorOwner")
      .withArgs(1n, bob);
    await expectHeld(world);
  });

  it("count what waits in the queue as at stake, and are free again only when exits are proven", async () => {
    const world = await loadFixture(working);
    const { operators, alice } = world;
    await queued(world, 1, [7]);
    const before = await operators.freeBond(1);
    const { bond, required } = await operators.bondOf(1);
    expect(required).to.equal(4n * ETH);
    expect(bond).to.be.within(4n * ETH - 4n, 4n * ETH);
    expect(before).to.equal(0n);
    await proveWithdrawn(world, 0, 32 * ETH_GWEI);
    const free = await operators.freeBond(1);
    expect(free).to.be.within(await toShares(world, ETH - 5n), await toShares(world, ETH));
    await operators.connect(alice).withdrawBond(1, free, alice);
  });

  it("refuse nothing at all, and unknown operators", async () => {
    const { operators } = await loadFixture(working);
    for (const call of [
      () => operators.addBondShares(1, 0n),
      () => operators.addBondWrapped(1, 0n),
      () => operators.addBond(1, { value: 0n }),
    ])
      await expect(call()).to.be.revertedWithCustomError(operators, "ZeroAmount");
    for (const call of [
      () => operators.addBondShares(9, 1n),
      () => operators.addBondWrapped(9, 1n),
      () => operators.addBond(9, { value: 1n }),
      () => operators.compoundRewards(9),
      () => operators.claimRewardsWrapped(9, operators),
      () => operators.setManager(9, operators),
      () => operators.rename(9, ""),
      () => operators.lockFine(9, 1n, ZeroHash),
      () => operators.freeBond(9),
    ])
      await expect(call()).to.be.revertedWithCustomError(operators, "UnknownOperator").withArgs(9n);
  });
});

describe("OperatorBonds: rewards in every form", () => {
  it("are claimed as westETH; less than a unit stays", async () => {
    const world = await loadFixture(working);
    const { operators, wrapped, alice, bob } = world;
    await payFee(world, 10n ** 24n + 777n);
    const due = await operators.claimableShares(1);
    const units = due / SHARES;
    await expect(operators.connect(alice).claimRewardsWrapped(1, bob))
      .to.emit(operators, "RewardsClaimed")
      .withArgs(1n, bob, units * SHARES);
    expect(await wrapped.balanceOf(bob)).to.equal(units);
    expect(await operators.claimableShares(1)).to.equal(due % SHARES);
    await expectHeld(world);
  });

  it("become bond, by the owner's or the reward address's wish", async () => {
    const world = await loadFixture(working);
    const { operators, alice, keeper } = world;
    await operators.connect(alice).setRewardAddress(1, keeper);
    for (const who of [alice, keeper]) {
      await payFee(world, 10n ** 24n);
      const [due, bond] = [await operators.claimableShares(1), await bondShares(world, 1)];
      await expect(operators.connect(who).compoundRewards(1)).to.emit(operators, "BondAdded").withArgs(1n, due);
      expect((await bondShares(world, 1)) - bond).to.equal(due);
      await expect(operators.connect(who).compoundRewards(1))
        .to.be.revertedWithCustomError(operators, "NothingToClaim")
        .withArgs(1n);
    }
    await expect(operators.connect(world.carol).compoundRewards(1))
      .to.be.revertedWithCustomError(operators, "NotOperatorOwner")
      .withArgs(1n, world.carol);
    await expectHeld(world);
  });

  it("repay a debt first, in every form", async () => {
    const world = await loadFixture(working);
    const { operators, alice } = world;
    await proveWithdrawn(world, 0, 28 * ETH_GWEI); // 4 ETH missing, a bond of 3
    const debt = (await operators.operator(1)).debt;
    expect(debt).to.be.within(ETH, ETH + 5n);
    await payFee(world, (4n * ETH * SHARES) / 10n);
    await operators.connect(alice).compoundRewards(1);
    const left = (await operators.operator(1)).debt;
    expect(left).to.be.greaterThan(0n).and.to.be.lessThan(debt);
    expect(await bondShares(world, 1)).to.equal(0n);
    const { pool, wrapped, carol } = world;
    await wrapped.connect(carol).approve(operators, 2n * ETH);
    await operators.connect(carol).addBondWrapped(1, 2n * ETH);
    expect((await operators.operator(1)).debt).to.equal(0n);
    expect((await bondShares(world, 1)) + (await toSharesUp(world, left))).to.equal(2n * ETH * SHARES);
    expect(await pool.cover()).to.be.greaterThan(0n);
    await expectHeld(world);
  });

  it("are not moved while the operator is frozen", async () => {
    const world = await loadFixture(working);
    const { operators, alice } = world;
    await payFee(world, 10n ** 24n);
    const { proof } = await proofOf(world, active(world, 0, { slashed: true, exitEpoch: 2_000 }));
    await world.validators.proveSlashed(proof);
    const owner = operators.connect(alice);
    for (const call of [() => owner.compoundRewards(1), () => owner.claimRewardsWrapped(1, alice)])
      await expect(call()).to.be.revertedWithCustomError(operators, "OperatorIsFrozen").withArgs(1n);
    expect(await operators.freeBond(1)).to.equal(0n);
  });
});

describe("OperatorTable: who acts for an operator", () => {
  it("a manager predeposits keys, and nothing else", async () => {
    const world = await loadFixture(working);
    const { operators, alice, bob } = world;
    await expect(operators.connect(alice).setManager(1, bob)).to.emit(operators, "ManagerChanged").withArgs(1n, bob);
    expect((await operators.operator(1)).manager).to.equal(bob);
    await operators.checkPredeposit(1, bob);
    await operators.checkPredeposit(1, alice);
    const manager = operators.connect(bob);
    for (const call of [
      () => manager.setManager(1, bob),
      () => manager.rename(1, "Bob's"),
      () => manager.withdrawBond(1, 1n, bob),
      () => manager.claimRewards(1, bob),
      () => manager.proposeOwner(1, bob),
    ])
      await expect(call()).to.be.revertedWithCustomError(operators, "NotOperatorOwner").withArgs(1n, bob);
    await operators.connect(alice).setManager(1, ethers.ZeroAddress);
    await expect(operators.checkPredeposit(1, bob))
      .to.be.revertedWithCustomError(operators, "NotOperatorOwner")
      .withArgs(1n, bob);
  });

  it("the owner renames it", async () => {
    const { operators, alice } = await loadFixture(working);
    await expect(operators.connect(alice).rename(1, "Alice & Co"))
      .to.emit(operators, "OperatorRenamed")
      .withArgs(1n, "Alice & Co");
  });
});

describe("OperatorBonds: fines", () => {
  it("lock a part of the bond with the guardian's evidence, and block new keys", async () => {
    const world = await loadFixture(working);
    const { operators } = world;
    const bond = await bondShares(world, 1);
    const shares = await toSharesUp(world, ETH);
    await expect(operators.lockFine(1, ETH, EVIDENCE))
      .to.emit(operators, "FineLocked")
      .withArgs(1n, ETH, shares, EVIDENCE);
    expect(await bondShares(world, 1)).to.equal(bond - shares);
    const expiresAt = BigInt((await time.latest()) + FINE_LIFETIME);
    expect(await operators.fineOf(1)).to.deep.equal([shares, expiresAt]);
    expect(await operators.freeBond(1)).to.equal(0n);
    await expect(operators.lockFine(1, 1n, EVIDENCE))
      .to.be.revertedWithCustomError(operators, "FineOpen")
      .withArgs(1n, expiresAt);
    await predeposit(world, 1, [8]);
    await expect(prove(world, [8])).to.be.revertedWithCustomError(operators, "BondTooSmall");
    await expectHeld(world);
  });

  it("make funding look at the bond again: a queued key that it no longer covers is not funded, but dropped", async () => {
    const world = await loadFixture(working);
    const { operators, validators } = world;
    await queued(world, 1, [8]);
    await operators.lockFine(1, ETH, EVIDENCE);
    await allow(world, 1);
    await expect(validators.fundValidators([key(8)])).to.be.revertedWithCustomError(operators, "BondTooSmall");
    await validators.dropQueued([keyRoot(8)]);
    await operators.cancelFine(1);
    await validators.connect(world.alice).requeue([keyRoot(8)]);
    await validators.fundValidators([key(8)]);
    expect((await operators.operator(1)).active).to.equal(4n);
  });

  it("are at most the bond, and something", async () => {
    const { operators, token } = await loadFixture(working);
    const { totalEther, totalShares } = await token.totals();
    const bond = ((await operators.operator(1)).bondShares * totalEther) / totalShares;
    await expect(operators.lockFine(1, bond + 1n, EVIDENCE))
      .to.be.revertedWithCustomError(operators, "FineAboveBond")
      .withArgs(1n, bond + 1n, bond);
    await expect(operators.lockFine(1, 0n, EVIDENCE)).to.be.revertedWithCustomError(operators, "ZeroAmount");
    await operators.lockFine(1, bond, EVIDENCE);
  });

  it("become cover when governance confirms them within thirty days", async () => {
    const world = await loadFixture(working);
    const { operators, pool, token, queue } = world;
    await operators.lockFine(1, ETH, EVIDENCE);
    const { shares, expiresAt } = await operators.fineOf(1);
    const snapshot = await networkHelpers.takeSnapshot();
    await time.setNextBlockTimestamp(expiresAt + 1n);
    await expect(operators.confirmFine(1))
      .to.be.revertedWithCustomError(operators, "FineLapsed")
      .withArgs(1n, expiresAt);
    await snapshot.restore();
    await time.setNextBlockTimestamp(expiresAt);
    const held = await token.sharesOf(queue);
    await expect(operators.confirmFine(1)).to.emit(operators, "FineConfirmed").withArgs(1n, shares);
    expect(await pool.cover()).to.equal(shares);
    expect((await token.sharesOf(queue)) - held).to.equal(shares);
    for (const call of [() => operators.confirmFine(1), () => operators.cancelFine(1), () => operators.releaseFine(1)])
      await expect(call()).to.be.revertedWithCustomError(operators, "NoFine").withArgs(1n);
    await expectHeld(world);
  });

  it("go back when governance cancels them, or by anyone's call when they lapse", async () => {
    const world = await loadFixture(working);
    const { operators, carol } = world;
    const bond = await bondShares(world, 1);
    await operators.lockFine(1, ETH, EVIDENCE);
    await expect(operators.cancelFine(1)).to.emit(operators, "FineReleased");
    expect(await bondShares(world, 1)).to.equal(bond);
    await operators.lockFine(1, ETH, EVIDENCE);
    const { expiresAt } = await operators.fineOf(1);
    await time.setNextBlockTimestamp(expiresAt);
    await expect(operators.connect(carol).releaseFine(1))
      .to.be.revertedWithCustomError(operators, "FineOpen")
      .withArgs(1n, expiresAt);
    await time.increaseTo(expiresAt + 1n);
    await operators.connect(carol).releaseFine(1);
    expect(await bondShares(world, 1)).to.equal(bond);
    await queued(world, 1, [8]);
    await expectHeld(world);
  });

  it("pay a debt first when they go back", async () => {
    const world = await loadFixture(working);
    const { operators } = world;
    await operators.lockFine(1, 2n * ETH, EVIDENCE);
    await proveWithdrawn(world, 0, 30 * ETH_GWEI); // 2 ETH missing, 1 left in the bond
    const { debt } = await operators.operator(1);
    expect(debt).to.be.within(ETH, ETH + 5n);
    const { shares } = await operators.fineOf(1);
    await operators.cancelFine(1);
    expect((await operators.operator(1)).debt).to.equal(0n);
    expect(await bondShares(world, 1)).to.equal(shares - (await toSharesUp(world, debt)));
    await expectHeld(world);
  });

  it("are the guardian's to lock and governance's to decide", async () => {
    const { operators, alice, bob } = await loadFixture(working);
    for (const who of [alice, bob])
      for (const call of [
        () => operators.connect(who).lockFine(1, 1n, EVIDENCE),
        () => operators.connect(who).confirmFine(1),
        () => operators.connect(who).cancelFine(1),
      ])
        await expect(call()).to.be.revertedWithCustomError(operators, "AccessManagedUnauthorized").withArgs(who);
  });
});

describe("A classic operator", () => {
  it("earns the whole yield of its half and a twentieth of the pool's; operators, stakers and treasury get all", async () => {
    const world = await loadFixture(withPool);
    const { operators, validators, pool, token, carol, keeper } = world;
    await operators.setTier(0, { ...CURATED, targetShareBp: 5_000 });
    await operators.addTier(TIERS.communityTier);
    await operators.addTier(TIERS.classicTier);
    await operators.connect(keeper).join(2, keeper, "Half and half");
    await operators.addBond(3, { value: 15n * ETH });
    await pool.connect(carol).deposit(carol, carol, { value: 16n * ETH });
    await queued(world, 3, [0]);
    await validators.fundValidators([key(0)]);
    const value = async (shares: bigint) =>
      (shares * (await token.getTotalPooledEther())) / (await token.getTotalShares());
    const total = await token.getTotalPooledEther();
    expect(total).to.equal(33n * ETH); // the pool's first ether is locked
    expect(await value(await bondOf())).to.equal(16n * ETH);

    const gain = ETH / 100n;
    await time.increase(2 * 86_400);
    const now = await time.latest();
    await pool.applyReport({
      refTime: now,
      elapsed: 2 * 86_400,
      clBalance: 32n * ETH + gain,
      leaving: 0n,
      withdrawalVaultBalance: 0n,
      rewardsVaultBalance: 0n,
      cutoff: now,
      nextCutoff: now + 86_400,
      openUntil: now + 100 * 86_400,
      incident: false,
    });
    expect(await token.getTotalPooledEther()).to.equal(total + gain);

    const operatorGain = (await value((await bondOf()) + (await operators.claimableShares(3)))) - 16n * ETH;
    const stakerGain = (await value(await token.sharesOf(carol))) - 16n * ETH;
    const lockedGain = (await value(await token.sharesOf(await token.LOCKED()))) - ETH;
    const treasuryGain = await value(await operators.treasuryShares());
    // every share earns nine tenths; of the tenth, the classic operator has three quarters
    const near = (actual: bigint, expected: bigint) => expect(actual - expected).to.be.within(-1_000n, 1_000n);
    near(operatorGain, (gain * 16n * 9n) / 330n + (gain * 750n) / 10_000n);
    near(stakerGain, (gain * 16n * 9n) / 330n);
    near(treasuryGain, (gain * 250n) / 10_000n);
    expect(operatorGain + stakerGain + lockedGain + treasuryGain).to.be.within(gain - 8n, gain);
    // were the bond all there is beside 16 ETH of the pool's: R / 2, and R / 40 more
    const alone = (gain * 9n) / 20n + (gain * 750n) / 10_000n;
    expect(alone).to.equal(gain / 2n + gain / 40n);

    async function bondOf(): Promise<bigint> {
      return (await operators.operator(3)).bondShares;
    }
  });
});

async function toShares({ token }: Registries, amount: bigint): Promise<bigint> {
  const { totalEther, totalShares } = await token.totals();
  return (amount * totalShares) / totalEther;
}

async function toSharesUp({ token }: Registries, amount: bigint): Promise<bigint> {
  const { totalEther, totalShares } = await token.totals();
  return (amount * totalShares + totalEther - 1n) / totalEther;
}
