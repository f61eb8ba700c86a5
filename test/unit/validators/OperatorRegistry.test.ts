import { expect } from "chai";
import { ZeroAddress, id as seed, toBigInt, zeroPadValue } from "ethers";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { fields } from "./fields.ts";
import {
  CURATED,
  ETH,
  ETH_GWEI,
  active,
  changeRate,
  funded,
  key as keyOf,
  keyRoot,
  payFee,
  predeposit,
  proofOf,
  proveSlashed,
  proveWithdrawn,
  prove,
  queued,
  range,
  registries,
  waiting,
} from "./fixture.ts";
import type { Registries } from "./fixture.ts";

const SHARES = 10n ** 9n; // a wei, at genesis
const COMMUNITY = {
  bondFirst: 4n * ETH,
  bondNext: 2n * ETH,
  feeBp: 700,
  targetShareBp: 0,
  maxShareBp: 10_000,
  open: true,
};

/** Alice has three validators, Bob one; the fee is theirs by weight. */
async function working() {
  const world = await loadFixture(registries);
  await funded(world, 1, range(3));
  await funded(world, 2, [3]);
  return world;
}

/** As `working`; Carol runs three validators in a tier with 7%, on a bond of 8 ETH. */
async function threeOperators() {
  const world = await loadFixture(working);
  await world.operators.addTier(COMMUNITY);
  await world.operators.connect(world.carol).join(1, world.carol, "Carol");
  await world.operators.addBond(3, { value: 5n * ETH });
  await funded(world, 3, [4, 5, 6]);
  return world;
}

/** Alice's first validator comes back with 30 ETH: 2 ETH of her 3 go to cover. Two more of her keys wait. */
async function penalised() {
  const world = await loadFixture(working);
  await queued(world, 1, [7, 8]);
  await proveWithdrawn(world, 0, 30 * ETH_GWEI);
  return world;
}

/** Alice's first validator comes back with 28.5 ETH: her bond lacks half an ether. */
async function indebted() {
  const world = await loadFixture(working);
  await proveWithdrawn(world, 0, 28.5 * ETH_GWEI);
  return world;
}

async function frozen() {
  const world = await loadFixture(working);
  await payFee(world, 10n ** 20n);
  await queued(world, 1, [7]);
  await proveSlashed(world, 0);
  return world;
}

async function operatorOf(world: Registries, operatorId: number) {
  return fields(await world.operators.operator(operatorId));
}

/** I8: what is recorded is held, the rewards that no settlement has seen yet included; the totals are sums. */
async function expectHeld(world: Registries) {
  const totals = await world.operators.rewardTotals();
  let [recorded, weight, active] = [await world.operators.treasuryShares(), 0n, 0n];
  recorded += await waiting(world.token);
  for (let id = 1n; id <= (await world.operators.operatorCount()); id++) {
    const operator = await world.operators.operator(id);
    const unsettled = (totals.sharesPerWeight - operator.settledAt) * operator.weighted * operator.feeBp;
    recorded += operator.bondShares + operator.rewardShares + unsettled;
    weight += operator.weighted * operator.feeBp;
    active += operator.active;
  }
  expect(await world.token.sharesOf(world.operators)).to.equal(recorded);
  expect([totals.weight, totals.active]).to.deep.equal([weight, active]);
}

describe("OperatorRegistry", () => {
  describe("when deployed", () => {
    it("is initialised once, and its code never", async () => {
      const { operators, operatorsCode, manager } = await loadFixture(registries);
      for (const contract of [operators, operatorsCode]) {
        await expect(contract.initialize(manager)).to.be.revertedWithCustomError(contract, "InvalidInitialization");
      }
    });

    it("names its peers", async () => {
      const { operators, validators, token } = await loadFixture(registries);
      expect(await operators.validators()).to.equal(await validators.getAddress());
      expect(await operators.token()).to.equal(await token.getAddress());
    });

    it("takes no plain ether", async () => {
      const { operators, alice } = await loadFixture(registries);
      await expect(alice.sendTransaction({ to: operators, value: 1n })).to.be.revert(ethers);
    });

    it("is upgraded by governance only, and keeps its operators", async () => {
      const { operators, validators, token, wrapped, alice } = await loadFixture(registries);
      const next = await ethers.deployContract("OperatorRegistry", [token, wrapped, validators]);
      await expect(operators.connect(alice).upgradeToAndCall(next, "0x"))
        .to.be.revertedWithCustomError(operators, "AccessManagedUnauthorized")
        .withArgs(alice);
      await operators.upgradeToAndCall(next, "0x");
      expect((await operators.operator(1)).owner).to.equal(alice);
    });

    it("R: is not upgraded to code that names another peer, whichever it is", async () => {
      const { operators, validators, token, wrapped, queue } = await loadFixture(registries);
      const peers = [await token.getAddress(), await wrapped.getAddress(), await validators.getAddress()] as const;
      const elsewhere = await queue.getAddress();
      for (const [peer, at] of [
        ["token", 0],
        ["wrapped", 1],
        ["validators", 2],
      ] as const) {
        const next = await ethers.deployContract("OperatorRegistry", peers.with(at, elsewhere));
        await expect(operators.upgradeToAndCall(next, "0x"))
          .to.be.revertedWithCustomError(operators, "PeerChanged")
          .withArgs(peer, zeroPadValue(elsewhere, 32), zeroPadValue(peers[at], 32));
      }
      await operators.upgradeToAndCall(await ethers.deployContract("OperatorRegistry", [...peers]), "0x");
    });
  });

  describe("tiers", () => {
    it("are a table that governance extends and changes", async () => {
      const { operators, validators } = await loadFixture(registries);
      expect(await operators.addTier.staticCall(COMMUNITY)).to.equal(1);
      await expect(operators.addTier(COMMUNITY)).to.emit(operators, "TierSet").withArgs(1, Object.values(COMMUNITY));
      expect(await operators.tierCount()).to.equal(2);
      expect(await validators.tierCount()).to.equal(2);
      const changed = { ...COMMUNITY, bondNext: 3n * ETH, targetShareBp: 100, maxShareBp: 200, open: false };
      await expect(operators.setTier(1, changed)).to.emit(operators, "TierSet").withArgs(1, Object.values(changed));
      expect(Object.values(fields(await operators.tier(1))).map(String)).to.deep.equal(
        Object.values(changed).map(String),
      );
      expect(fields(await validators.tierQueue(1))).to.deep.include({ targetShareBp: 100n, maxShareBp: 200n });
    });

    it("require bondFirst, then bondNext for each further validator", async () => {
      const { operators } = await loadFixture(registries);
      await operators.addTier(COMMUNITY);
      expect(await operators.requiredBond(1, 0)).to.equal(0);
      expect(await operators.requiredBond(1, 1)).to.equal(4n * ETH);
      expect(await operators.requiredBond(1, 11)).to.equal(24n * ETH);
      expect(await operators.requiredBond(0, 11)).to.equal(11n * ETH);
    });

    it("refuse values that make no sense, with the values", async () => {
      const { operators } = await loadFixture(registries);
      for (const change of [
        { bondFirst: ETH - 1n },
        { bondNext: ETH - 1n },
        { feeBp: 10_001 },
        { targetShareBp: 5_001, maxShareBp: 5_000 },
        { maxShareBp: 10_001 },
      ]) {
        const tier = { ...CURATED, ...change };
        for (const call of [() => operators.addTier(tier), () => operators.setTier(0, tier)]) {
          await expect(call())
            .to.be.revertedWithCustomError(operators, "TierInvalid")
            .withArgs(tier.bondFirst, tier.feeBp, tier.targetShareBp, tier.maxShareBp);
        }
      }
    });

    it("are sixteen at most", async () => {
      const { operators } = await loadFixture(registries);
      for (let i = 1; i < 16; i++) await operators.addTier(CURATED);
      await expect(operators.addTier(CURATED)).to.be.revertedWithCustomError(operators, "TooManyTiers").withArgs(16);
    });

    it("must exist", async () => {
      const { operators, alice } = await loadFixture(registries);
      for (const call of [
        () => operators.setTier(1, CURATED),
        () => operators.tier(1),
        () => operators.requiredBond(1, 1),
        () => operators.join(1, alice, ""),
        () => operators.addOperator(1, alice, alice, ""),
      ]) {
        await expect(call()).to.be.revertedWithCustomError(operators, "UnknownTier").withArgs(1);
      }
    });

    it("are governance's", async () => {
      const { operators, alice } = await loadFixture(registries);
      const alices = operators.connect(alice);
      for (const call of [
        () => alices.addTier(CURATED),
        () => alices.setTier(0, CURATED),
        () => alices.addOperator(0, alice, alice, ""),
        () => alices.unfreeze(1),
      ]) {
        await expect(call()).to.be.revertedWithCustomError(operators, "AccessManagedUnauthorized").withArgs(alice);
      }
    });

    it("keep the fee of operators who joined before it changed", async () => {
      const world = await loadFixture(working);
      await world.operators.setTier(0, { ...CURATED, feeBp: 900 });
      await world.operators.addOperator(0, world.carol, world.carol, "Carol");
      expect((await world.operators.operator(1)).feeBp).to.equal(500);
      expect((await world.operators.operator(3)).feeBp).to.equal(900);
    });
  });

  describe("operators", () => {
    it("are invited by governance into any tier", async () => {
      const { operators, carol, keeper } = await loadFixture(registries);
      await expect(operators.addOperator(0, carol, keeper, "Carol & Co"))
        .to.emit(operators, "OperatorAdded")
        .withArgs(3, 0, carol, keeper, "Carol & Co");
      expect(await operators.operatorCount()).to.equal(3);
      expect(fields(await operators.operator(3))).to.deep.equal({
        owner: carol.address,
        frozen: false,
        debt: 0n,
        bondShares: 0n,
        queued: 0n,
        active: 0n,
        weighted: 0n,
        feeBp: 500n,
        tier: 0n,
        inDoubt: false,
        rewardShares: 0n,
        settledAt: 0n,
        pendingOwner: ZeroAddress,
        frozenAt: 0n,
        rewardAddress: keeper.address,
        manager: ZeroAddress,
      });
    });

    it("join open tiers by themselves", async () => {
      const { operators, carol, keeper } = await loadFixture(registries);
      await operators.addTier(COMMUNITY);
      expect(await operators.connect(carol).join.staticCall(1, keeper, "Carol")).to.equal(3);
      await expect(operators.connect(carol).join(1, keeper, "Carol"))
        .to.emit(operators, "OperatorAdded")
        .withArgs(3, 1, carol, keeper, "Carol");
      expect(fields(await operators.operator(3))).to.deep.include({ tier: 1n, feeBp: 700n });
      await expect(operators.connect(carol).join(0, keeper, "Carol"))
        .to.be.revertedWithCustomError(operators, "TierClosed")
        .withArgs(0);
    });

    it("have an owner and a reward address", async () => {
      const { operators, carol } = await loadFixture(registries);
      for (const call of [
        () => operators.addOperator(0, ZeroAddress, carol, ""),
        () => operators.addOperator(0, carol, ZeroAddress, ""),
      ]) {
        await expect(call()).to.be.revertedWithCustomError(operators, "ZeroAddress");
      }
    });

    it("must exist", async () => {
      const { operators, alice } = await loadFixture(registries);
      for (const id of [0, 3]) {
        for (const call of [
          () => operators.operator(id),
          () => operators.bondOf(id),
          () => operators.claimableShares(id),
          () => operators.proposeOwner(id, alice),
          () => operators.acceptOwnership(id),
          () => operators.setRewardAddress(id, alice),
          () => operators.addBond(id, { value: 1n }),
          () => operators.withdrawBond(id, 1n, alice),
          () => operators.claimRewards(id, alice),
          () => operators.unfreeze(id),
        ]) {
          await expect(call()).to.be.revertedWithCustomError(operators, "UnknownOperator").withArgs(id);
        }
      }
    });

    it("change hands in two steps", async () => {
      const { operators, alice, carol, bob } = await loadFixture(registries);
      await expect(operators.connect(alice).proposeOwner(1, carol))
        .to.emit(operators, "OwnershipProposed")
        .withArgs(1, carol);
      await expect(operators.connect(bob).acceptOwnership(1))
        .to.be.revertedWithCustomError(operators, "NotPendingOwner")
        .withArgs(1, bob);
      await expect(operators.connect(carol).acceptOwnership(1)).to.emit(operators, "OwnerChanged").withArgs(1, carol);
      expect(fields(await operators.operator(1))).to.deep.include({ owner: carol.address, pendingOwner: ZeroAddress });
      await expect(operators.connect(carol).acceptOwnership(1))
        .to.be.revertedWithCustomError(operators, "NotPendingOwner")
        .withArgs(1, carol);
    });

    it("withdraw a proposal", async () => {
      const { operators, alice, carol } = await loadFixture(registries);
      await operators.connect(alice).proposeOwner(1, carol);
      await operators.connect(alice).proposeOwner(1, ZeroAddress);
      await expect(operators.connect(carol).acceptOwnership(1)).to.be.revertedWithCustomError(
        operators,
        "NotPendingOwner",
      );
    });

    it("change their reward address", async () => {
      const { operators, alice, carol } = await loadFixture(registries);
      await expect(operators.connect(alice).setRewardAddress(1, carol))
        .to.emit(operators, "RewardAddressChanged")
        .withArgs(1, carol);
      expect((await operators.operator(1)).rewardAddress).to.equal(carol);
      await expect(operators.connect(alice).setRewardAddress(1, ZeroAddress)).to.be.revertedWithCustomError(
        operators,
        "ZeroAddress",
      );
    });

    it("obey their owner only", async () => {
      const { operators, bob } = await loadFixture(registries);
      const bobs = operators.connect(bob);
      for (const call of [
        () => bobs.proposeOwner(1, bob),
        () => bobs.setRewardAddress(1, bob),
        () => bobs.withdrawBond(1, 1n, bob),
        () => bobs.claimRewards(1, bob),
      ]) {
        await expect(call()).to.be.revertedWithCustomError(operators, "NotOperatorOwner").withArgs(1, bob);
      }
    });
  });

  describe("bonds", () => {
    it("are added in ether by anyone and held as shares", async () => {
      const world = await loadFixture(registries);
      const { operators, token } = world;
      await expect(operators.connect(world.carol).addBond(1, { value: 2n * ETH }))
        .to.emit(operators, "BondAdded")
        .withArgs(1, 2n * ETH * SHARES);
      expect((await operators.operator(1)).bondShares).to.equal(2n * ETH * SHARES);
      expect(await token.sharesOf(operators)).to.equal(2n * ETH * SHARES);
      expect([...(await operators.bondOf(1))]).to.deep.equal([2n * ETH, 0n]);
      await expect(operators.addBond(1)).to.be.revertedWithCustomError(operators, "ZeroAmount");
    });

    it("count a queued key's own ether", async () => {
      const world = await loadFixture(working);
      await queued(world, 1, [7, 8]);
      expect([...(await world.operators.bondOf(1))]).to.deep.equal([5n * ETH, 5n * ETH]);
    });

    it("grow and shrink with the rate", async () => {
      const world = await loadFixture(working);
      await changeRate(world, 1n, 10_000n);
      expect((await world.operators.bondOf(1)).bond).to.equal((3n * ETH * 10_001n) / 10_000n);
      await changeRate(world, -1n, 10n);
      const { bond } = await world.operators.bondOf(1);
      expect(bond).to.be.lessThan((271n * ETH) / 100n);
    });

    it("may be withdrawn down to the full requirement", async () => {
      const world = await loadFixture(working);
      const { operators, token, alice, carol } = world;
      await operators.addBond(1, { value: ETH });
      const free = ETH * SHARES;
      await expect(operators.connect(alice).withdrawBond(1, free + 1n, carol))
        .to.be.revertedWithCustomError(operators, "BondTooSmall")
        .withArgs(1, 3n * ETH - 1n, 3n * ETH);
      await expect(operators.connect(alice).withdrawBond(1, free, carol))
        .to.emit(operators, "BondWithdrawn")
        .withArgs(1, carol, free);
      expect(await token.sharesOf(carol)).to.equal(free);
      expect((await operators.operator(1)).bondShares).to.equal(3n * ETH * SHARES);
      await expectHeld(world);
    });

    it("may not be withdrawn below what a queued key needs", async () => {
      const world = await loadFixture(threeOperators);
      const { operators, carol } = world;
      await expect(operators.connect(carol).withdrawBond(3, 1n, carol))
        .to.be.revertedWithCustomError(operators, "BondTooSmall")
        .withArgs(3, 8n * ETH - 1n, 8n * ETH);
      await operators.addBond(3, { value: ETH });
      await queued(world, 3, [9]);
      await expect(operators.connect(carol).withdrawBond(3, 1n, carol))
        .to.be.revertedWithCustomError(operators, "BondTooSmall")
        .withArgs(3, 10n * ETH - 1n, 10n * ETH);
    });

    it("are free when the last validator is withdrawn", async () => {
      const world = await loadFixture(working);
      const { operators, bob } = world;
      await proveWithdrawn(world, 3, 32 * ETH_GWEI);
      await operators.connect(bob).withdrawBond(2, ETH * SHARES, bob);
      expect((await operators.operator(2)).bondShares).to.equal(0);
    });

    it("are withdrawn as shares that exist", async () => {
      const world = await loadFixture(registries);
      const { operators, alice } = world;
      await operators.addBond(1, { value: ETH });
      const alices = operators.connect(alice);
      await expect(alices.withdrawBond(1, 0n, alice)).to.be.revertedWithCustomError(operators, "ZeroAmount");
      await expect(alices.withdrawBond(1, ETH * SHARES + 1n, alice))
        .to.be.revertedWithCustomError(operators, "SharesExceedBond")
        .withArgs(1, ETH * SHARES + 1n, ETH * SHARES);
    });

    it("pass at 98% when a key is proven", async () => {
      const world = await loadFixture(registries);
      await world.operators.addTier({ ...COMMUNITY, bondFirst: 10n * ETH });
      await world.operators.connect(world.carol).join(1, world.carol, "Carol");
      await predeposit(world, 3, [0]);
      await world.operators.addBond(3, { value: (88n * ETH) / 10n - 1n });
      await expect(prove(world, [0]))
        .to.be.revertedWithCustomError(world.operators, "BondTooSmall")
        .withArgs(3, (98n * ETH) / 10n - 1n, (98n * ETH) / 10n);
      await world.operators.addBond(3, { value: 1n });
      await prove(world, [0]);
    });
  });

  describe("rewards", () => {
    it("share a fee by weight over all active validators", async () => {
      const world = await loadFixture(threeOperators);
      const { operators, token } = world;
      // 10% of the gain in total; 4 validators with 5%, 3 with 7%
      const fee = 10n ** 24n;
      const before = await token.sharesOf(operators);
      const paid = await payFee(world, fee);
      expect((await token.sharesOf(operators)) - before).to.equal(fee);
      const weight = 4n * 500n + 3n * 700n;
      const part = (fee * weight) / (1_000n * 7n);
      expect(paid).to.equal(part - (part % weight));
      expect(await operators.claimableShares(1)).to.equal((paid / weight) * 1_500n);
      expect(await operators.claimableShares(2)).to.equal((paid / weight) * 500n);
      expect(await operators.claimableShares(3)).to.equal((paid / weight) * 2_100n);
      await expectHeld(world);
    });

    it("give every operator its feeBp of the rewards of its validators", async () => {
      const world = await loadFixture(threeOperators);
      const gain = 10n ** 25n;
      await payFee(world, gain / 10n);
      const perValidator = gain / 7n;
      for (const [id, expected] of [
        [1, (3n * perValidator * 500n) / 10_000n],
        [2, (perValidator * 500n) / 10_000n],
        [3, (3n * perValidator * 700n) / 10_000n],
      ] as const) {
        const claimable = await world.operators.claimableShares(id);
        expect(expected - claimable).to.be.within(0n, 10_000n);
      }
    });

    it("never exceed the fee, whatever the tiers promise", async () => {
      const world = await loadFixture(working);
      const fee = 10n ** 20n;
      // 5% of the gain promised, 3% taken
      expect(await payFee(world, fee, 300n)).to.equal(fee - (fee % 2_000n));
    });

    it("are nothing without a weight or a fee", async () => {
      const world = await loadFixture(registries);
      expect(await payFee(world, 10n ** 20n)).to.equal(0);
      await funded(world, 1, [0]);
      expect(await payFee(world, 10n ** 20n, 0n)).to.equal(0);
      expect(await payFee(world, 0n)).to.equal(0);
    });

    it("leave out validators that stopped, and count them in what is shared", async () => {
      const world = await loadFixture(working);
      const { proof, balance } = await proofOf(world, active(world, 0), { balanceGwei: 1 });
      await world.validators.proveBelow(proof, balance);
      const fee = 8n * 10n ** 20n;
      expect(await payFee(world, fee)).to.equal((fee * 3n * 500n) / (1_000n * 4n));
      expect(await world.operators.claimableShares(1)).to.equal(2n * 10n ** 20n);
      expect(await world.operators.claimableShares(2)).to.equal(10n ** 20n);
    });

    it("count a validator from its funding to its exit, not before and not after", async () => {
      const world = await loadFixture(working);
      const { operators } = world;
      await payFee(world, 8n * 10n ** 20n); // 10^20 a validator, of 4
      await funded(world, 2, [4, 5, 6]);
      expect(await operators.claimableShares(2)).to.equal(10n ** 20n);
      await payFee(world, 14n * 10n ** 20n); // of 7
      expect(await operators.claimableShares(1)).to.equal(6n * 10n ** 20n);
      expect(await operators.claimableShares(2)).to.equal(5n * 10n ** 20n);
      const exiting = await proofOf(world, active(world, 3, { exitEpoch: 2_000 }));
      await world.validators.proveExiting(exiting.proof);
      await payFee(world, 14n * 10n ** 20n);
      expect(await operators.claimableShares(2)).to.equal(8n * 10n ** 20n);
      await expectHeld(world);
    });

    it("are claimed by the owner or the reward address, to anyone", async () => {
      const world = await loadFixture(working);
      const { operators, token, alice, bob, carol, keeper } = world;
      await operators.connect(alice).setRewardAddress(1, keeper);
      await payFee(world, 8n * 10n ** 20n);
      expect(await operators.connect(keeper).claimRewards.staticCall(1, carol)).to.equal(3n * 10n ** 20n);
      await expect(operators.connect(keeper).claimRewards(1, carol))
        .to.emit(operators, "RewardsClaimed")
        .withArgs(1, carol, 3n * 10n ** 20n);
      await operators.connect(bob).claimRewards(2, carol);
      expect(await token.sharesOf(carol)).to.equal(4n * 10n ** 20n);
      for (const caller of [alice, keeper]) {
        await expect(operators.connect(caller).claimRewards(1, carol))
          .to.be.revertedWithCustomError(operators, "NothingToClaim")
          .withArgs(1);
      }
      await expectHeld(world);
    });

    it("are not lost by an operator who claims late", async () => {
      const world = await loadFixture(working);
      for (let i = 0; i < 5; i++) await payFee(world, 8n * 10n ** 20n);
      await world.operators.connect(world.bob).claimRewards(2, world.bob);
      expect(await world.token.sharesOf(world.bob)).to.equal(5n * 10n ** 20n);
    });

    it("of reports before a change of the fee are divided by the fee that they were taken with", async () => {
      const world = await loadFixture(working);
      const { operators, token, pool } = world;
      const fee = 8n * 10n ** 20n;
      await payFee(world, fee); // 10% in all: operators get half
      await payFee(world, fee, 500n); // 5%: all of it
      expect(await operators.treasuryShares()).to.equal(fee / 2n);
      expect(await operators.claimableShares(2)).to.equal(3n * 10n ** 20n);
      const held = await token.sharesOf(pool);
      await operators.connect(world.carol).payTreasury();
      expect((await token.sharesOf(pool)) - held).to.equal(fee / 2n);
      expect(await operators.connect(world.carol).payTreasury.staticCall()).to.equal(0n);
      await expectHeld(world);
    });

    it("are divided by what the pool says the whole fee is, and by nobody else", async () => {
      const { operators, admin } = await loadFixture(registries);
      await expect(operators.setTotalFee(1n)).to.be.revertedWithCustomError(operators, "OnlyPool").withArgs(admin);
    });
  });

  describe("penalties", () => {
    it("move bond shares to the queue's account as cover, rounded up", async () => {
      const world = await loadFixture(working);
      const { operators, token, pool, queue } = world;
      await changeRate(world, 1n, 12_345n);
      const { totalEther, totalShares } = await token.totals();
      const owed = (2n * ETH * totalShares + totalEther - 1n) / totalEther;
      expect((2n * ETH * totalShares) % totalEther, "the case is the one meant").to.not.equal(0n);
      await expect(proveWithdrawn(world, 0, 30 * ETH_GWEI))
        .to.emit(operators, "PenaltyTaken")
        .withArgs(1, 2n * ETH, owed, 0);
      expect(await operatorOf(world, 1)).to.deep.include({
        bondShares: 3n * ETH * SHARES - owed,
        debt: 0n,
        active: 2n,
        inDoubt: true,
      });
      expect(await token.sharesOf(queue)).to.equal(owed);
      expect(await pool.cover()).to.equal(owed);
      await expectHeld(world);
    });

    it("become a debt where the bond lacks", async () => {
      const world = await loadFixture(working);
      await expect(proveWithdrawn(world, 0, 28.5 * ETH_GWEI))
        .to.emit(world.operators, "PenaltyTaken")
        .withArgs(1, (7n * ETH) / 2n, 3n * ETH * SHARES, ETH / 2n);
      expect(await operatorOf(world, 1)).to.deep.include({ bondShares: 0n, debt: ETH / 2n });
      expect(await world.pool.cover()).to.equal(3n * ETH * SHARES);
    });

    it("add up, and need no bond to be recorded", async () => {
      const world = await loadFixture(indebted);
      await expect(proveWithdrawn(world, 1, 0))
        .to.emit(world.operators, "PenaltyTaken")
        .withArgs(1, 32n * ETH, 0, 32n * ETH);
      expect((await world.operators.operator(1)).debt).to.equal(32n * ETH + ETH / 2n);
      expect(await world.pool.cover()).to.equal(3n * ETH * SHARES);
      await expectHeld(world);
    });

    it("record the debt rounded up", async () => {
      const world = await loadFixture(working);
      await changeRate(world, 1n, 12_345n);
      const { totalEther, totalShares } = await world.token.totals();
      const bond = 3n * ETH * SHARES;
      const worth = (bond * totalEther) / totalShares;
      await proveWithdrawn(world, 0, 28 * ETH_GWEI);
      expect((await world.operators.operator(1)).debt).to.equal(4n * ETH - worth);
    });

    it("leave an operator without any in peace", async () => {
      const world = await loadFixture(working);
      await expect(proveWithdrawn(world, 0, 32 * ETH_GWEI)).to.not.emit(world.operators, "PenaltyTaken");
      expect((await world.operators.operator(1)).inDoubt).to.equal(false);
    });

    it("stop the funding of keys whose bond no longer suffices, until they are dropped or the bond is topped up", async () => {
      const world = await loadFixture(penalised);
      const { validators, operators } = world;
      await queued(world, 2, [9]);
      const required = (4n * ETH * 98n) / 100n;
      await world.pool.setDepositable(93n * ETH, { value: 93n * ETH });
      const keys = [7, 8, 9].map(keyOf);
      await expect(validators.fundValidators(keys))
        .to.be.revertedWithCustomError(operators, "BondTooSmall")
        .withArgs(1, 3n * ETH, required);
      const snapshot = await operatorOf(world, 1);
      expect(snapshot).to.deep.include({ inDoubt: true, queued: 2n });
      await operators.addBond(1, { value: ETH });
      await validators.fundValidators(keys);
      expect(await operatorOf(world, 1)).to.deep.include({ inDoubt: false, queued: 0n, active: 4n });
    });

    it("let others be funded once the keys in doubt are dropped", async () => {
      const world = await loadFixture(penalised);
      await queued(world, 2, [9]);
      await world.validators.dropQueued([keyRoot(8), keyRoot(7)]);
      await world.pool.setDepositable(93n * ETH, { value: 93n * ETH });
      await world.validators.fundValidators([7, 8, 9].map(keyOf));
      expect(await operatorOf(world, 2)).to.deep.include({ active: 2n, queued: 0n });
      expect(await operatorOf(world, 1)).to.deep.include({ active: 2n, queued: 0n });
    });
  });

  describe("debt", () => {
    it("blocks new keys and the bond", async () => {
      const world = await loadFixture(indebted);
      const { operators, alice } = world;
      await expect(predeposit(world, 1, [7]))
        .to.be.revertedWithCustomError(operators, "HasDebt")
        .withArgs(1, ETH / 2n);
      await expect(operators.connect(alice).withdrawBond(1, 1n, alice))
        .to.be.revertedWithCustomError(operators, "HasDebt")
        .withArgs(1, ETH / 2n);
    });

    it("blocks keys that were predeposited or queued before, and lets them be dropped", async () => {
      const world = await loadFixture(working);
      const { operators, validators } = world;
      await queued(world, 1, [7]);
      await predeposit(world, 1, [8]);
      await proveWithdrawn(world, 0, 20 * ETH_GWEI);
      await world.pool.setDepositable(31n * ETH, { value: 31n * ETH });
      await expect(prove(world, [8]))
        .to.be.revertedWithCustomError(operators, "HasDebt")
        .withArgs(1, 9n * ETH);
      await expect(validators.fundValidators([keyOf(7)]))
        .to.be.revertedWithCustomError(operators, "HasDebt")
        .withArgs(1, 9n * ETH);
      await validators.dropQueued([keyRoot(7)]);
      expect((await operators.operator(1)).queued).to.equal(0);
      await expect(validators.connect(world.alice).requeue([keyRoot(7)])).to.be.revertedWithCustomError(
        operators,
        "HasDebt",
      );
    });

    it("is repaid from added bond first", async () => {
      const world = await loadFixture(indebted);
      const { operators, pool } = world;
      await expect(operators.addBond(1, { value: ETH / 4n }))
        .to.emit(operators, "DebtRepaid")
        .withArgs(1, ETH / 4n, (ETH / 4n) * SHARES);
      expect(await operatorOf(world, 1)).to.deep.include({ bondShares: 0n, debt: ETH / 4n });
      const response = await operators.addBond(1, { value: ETH });
      await expect(response)
        .to.emit(operators, "DebtRepaid")
        .withArgs(1, ETH / 4n, (ETH / 4n) * SHARES);
      await expect(response)
        .to.emit(operators, "BondAdded")
        .withArgs(1, (3n * ETH * SHARES) / 4n);
      expect(await operatorOf(world, 1)).to.deep.include({ bondShares: (3n * ETH * SHARES) / 4n, debt: 0n });
      expect(await pool.cover()).to.equal((7n * ETH * SHARES) / 2n);
      await expectHeld(world);
    });

    it("is repaid from rewards first", async () => {
      const world = await loadFixture(indebted);
      const { operators, token, alice, pool } = world;
      const cover = await pool.cover();
      // two validators of Alice's are left, of three
      await payFee(world, (6n * ETH * SHARES) / 10n);
      const rewards = (2n * ETH * SHARES) / 10n;
      expect(await operators.claimableShares(1)).to.equal(0);
      const first = await operators.connect(alice).claimRewards(1, alice);
      await expect(first)
        .to.emit(operators, "DebtRepaid")
        .withArgs(1, ETH / 5n, rewards);
      await expect(first).to.emit(operators, "RewardsClaimed").withArgs(1, alice, 0);
      const moved = await token.queryFilter(token.filters.Transfer(), first.blockNumber ?? 0);
      expect(moved.map((transfer) => transfer.args.to)).to.deep.equal([await world.queue.getAddress()]);
      expect(await operatorOf(world, 1)).to.deep.include({ debt: (3n * ETH) / 10n, rewardShares: 0n });
      await payFee(world, (12n * ETH * SHARES) / 10n);
      expect(await operators.claimableShares(1)).to.equal((ETH * SHARES) / 10n);
      await operators.connect(alice).claimRewards(1, alice);
      expect(await token.sharesOf(alice)).to.equal((ETH * SHARES) / 10n);
      expect((await operators.operator(1)).debt).to.equal(0);
      expect((await pool.cover()) - cover).to.equal((ETH * SHARES) / 2n);
      await expectHeld(world);
    });

    it("is not repaid below what it is: shares round up, ether down", async () => {
      const world = await loadFixture(indebted);
      const { operators, token } = world;
      await changeRate(world, 1n, 12_345n);
      await operators.addBond(1, { value: 1_000n });
      const debt = (await operators.operator(1)).debt;
      expect(ETH / 2n - debt).to.be.within(998n, 1_000n);
      const { totalEther, totalShares } = await token.totals();
      const response = await operators.addBond(1, { value: ETH });
      await expect(response)
        .to.emit(operators, "DebtRepaid")
        .withArgs(1, debt, (debt * totalShares + totalEther - 1n) / totalEther);
      expect((await operators.operator(1)).debt).to.equal(0);
    });
  });

  describe("a frozen operator", () => {
    it("neither claims, withdraws, predeposits, proves nor is funded", async () => {
      const world = await loadFixture(frozen);
      const { operators, validators, alice } = world;
      const alices = operators.connect(alice);
      await operators.addBond(1, { value: ETH });
      await world.pool.setDepositable(31n * ETH, { value: 31n * ETH });
      for (const call of [
        () => alices.claimRewards(1, alice),
        () => alices.withdrawBond(1, 1n, alice),
        () => predeposit(world, 1, [8]),
        () => validators.fundValidators([keyOf(7)]),
      ]) {
        await expect(call()).to.be.revertedWithCustomError(operators, "OperatorIsFrozen").withArgs(1);
      }
    });

    it("has its queued keys dropped, and none put back", async () => {
      const world = await loadFixture(frozen);
      await world.validators.dropQueued([keyRoot(7)]);
      await expect(world.validators.connect(world.alice).requeue([keyRoot(7)]))
        .to.be.revertedWithCustomError(world.operators, "OperatorIsFrozen")
        .withArgs(1);
    });

    it("still bears losses and still earns for its other validators", async () => {
      const world = await loadFixture(frozen);
      const before = await world.operators.claimableShares(1);
      await payFee(world, 8n * 10n ** 20n);
      expect((await world.operators.claimableShares(1)) - before).to.equal(2n * 10n ** 20n);
      await proveWithdrawn(world, 0, 31 * ETH_GWEI);
      expect(await world.pool.cover()).to.equal(ETH * SHARES);
    });

    it("is unfrozen by governance, and its keys funded if the bond still suffices", async () => {
      const world = await loadFixture(frozen);
      const { operators, alice } = world;
      await expect(operators.unfreeze(1)).to.emit(operators, "OperatorFrozen").withArgs(1, false);
      await expect(operators.unfreeze(1)).to.be.revertedWithCustomError(operators, "OperatorNotFrozen").withArgs(1);
      await operators.connect(alice).claimRewards(1, alice);
      await world.pool.setDepositable(31n * ETH, { value: 31n * ETH });
      await world.validators.fundValidators([keyOf(7)]);
      expect(await operatorOf(world, 1)).to.deep.include({ frozen: false, inDoubt: false, queued: 0n, active: 4n });
    });
  });

  describe("why its validators may be asked to exit", () => {
    const none = [false, false];
    const outOfTurn = [true, false];
    const withoutDemand = [true, true];
    const WEEK = 7 * 86_400;

    it("is nothing while it has neither debt nor a freeze, penalised or not, known or not", async () => {
      const { operators } = await loadFixture(penalised);
      for (const operatorId of [1, 2, 99]) expect([...(await operators.exitCause(operatorId))]).to.deep.equal(none);
    });

    it("is a debt, as long as it is not repaid", async () => {
      const { operators } = await loadFixture(indebted);
      expect([...(await operators.exitCause(1))]).to.deep.equal(withoutDemand);
      expect([...(await operators.exitCause(2))]).to.deep.equal(none);
      await operators.addBond(1, { value: ETH / 2n - 1n });
      expect((await operators.operator(1)).debt).to.equal(1n);
      expect([...(await operators.exitCause(1))]).to.deep.equal(withoutDemand);
      await operators.addBond(1, { value: 1n });
      expect([...(await operators.exitCause(1))]).to.deep.equal(none);
    });

    it("is a freeze: out of turn at once, without demand when governance left it for seven days", async () => {
      const world = await loadFixture(working);
      const { operators } = world;
      await proveSlashed(world, 0);
      const frozenAt = await networkHelpers.time.latest();
      expect(await operatorOf(world, 1)).to.deep.include({ frozen: true, frozenAt: BigInt(frozenAt) });
      expect([...(await operators.exitCause(1))]).to.deep.equal(outOfTurn);
      await networkHelpers.time.increaseTo(frozenAt + WEEK - 1);
      expect([...(await operators.exitCause(1))]).to.deep.equal(outOfTurn);
      await networkHelpers.time.increaseTo(frozenAt + WEEK);
      expect([...(await operators.exitCause(1))]).to.deep.equal(withoutDemand);
    });

    it("counts the days from the first slashing, and anew once governance unfroze it", async () => {
      const world = await loadFixture(working);
      const { operators } = world;
      await proveSlashed(world, 0);
      const { frozenAt } = await operators.operator(1);
      await networkHelpers.time.increase(WEEK - 3_600);
      await proveSlashed(world, 1);
      expect(await operatorOf(world, 1)).to.deep.include({ frozen: true, frozenAt });
      await networkHelpers.time.increase(3_600);
      expect([...(await operators.exitCause(1))]).to.deep.equal(withoutDemand);
      await operators.unfreeze(1);
      expect(await operatorOf(world, 1)).to.deep.include({ frozen: false, frozenAt: 0n });
      expect([...(await operators.exitCause(1))]).to.deep.equal(none);
      await proveSlashed(world, 2);
      const again = BigInt(await networkHelpers.time.latest());
      expect(await operatorOf(world, 1)).to.deep.include({ frozen: true, frozenAt: again });
      expect([...(await operators.exitCause(1))]).to.deep.equal(outOfTurn);
    });
  });

  it("lets a key of an indebted operator be dropped, though what is at stake would suffice", async () => {
    const world = await loadFixture(working);
    const { operators, validators } = world;
    await queued(world, 2, [7]);
    await proveWithdrawn(world, 3, 30 * ETH_GWEI);
    const { debt, frozen: isFrozen } = await operators.operator(2);
    expect(debt).to.be.greaterThan(0n);
    expect(isFrozen).to.equal(false);
    expect(await operators.bondOf(2)).to.deep.equal([ETH, ETH]);
    await validators.dropQueued([keyRoot(7)]);
    expect((await operators.operator(2)).queued).to.equal(0n);
  });

  it("obeys the validator registry only", async () => {
    const { operators, admin } = await loadFixture(registries);
    for (const call of [
      () => operators.onProven(1),
      () => operators.onFunded(1, 1, 1n),
      () => operators.onWeightStopped(1),
      () => operators.onWithdrawn(1, 1n),
      () => operators.onLateShortfall(1, 1n),
      () => operators.onSlashed(1),
      () => operators.onDropped(1),
    ]) {
      await expect(call()).to.be.revertedWithCustomError(operators, "OnlyValidators").withArgs(admin);
    }
  });

  it("funds no more keys of an operator than it has in the queue, whatever the validator registry says", async () => {
    const { operators, validators } = await loadFixture(working);
    await networkHelpers.impersonateAccount(await validators.getAddress());
    await networkHelpers.setBalance(await validators.getAddress(), ETH);
    const registry = await ethers.getSigner(await validators.getAddress());
    await operators.connect(registry).onProven(2);
    await expect(operators.connect(registry).onFunded(2, 2, 1n))
      .to.be.revertedWithCustomError(operators, "NotQueued")
      .withArgs(1, 2);
    await operators.connect(registry).onFunded(2, 1, 1n);
    expect((await operators.operator(2)).queued).to.equal(0n);
  });

  it("I8: holds exactly the shares it records, after random operations", async () => {
    const world = await loadFixture(threeOperators);
    const { operators } = world;
    const owners = [world.alice, world.bob, world.carol];
    let next = 20;
    let withdrawn = 0;
    for (let step = 0; step < 60; step++) {
      const id = 1 + (step % 3);
      const owner = operators.connect(owners[id - 1]);
      const random = toBigInt(seed(`step ${step}`)) >> 192n;
      switch (Number(random % 6n)) {
        case 0:
          await payFee(world, 10n ** 22n + random);
          break;
        case 1:
          await operators.addBond(id, { value: 3n * ETH + random });
          break;
        case 2:
          await owner.claimRewards(id, owners[id - 1] ?? ZeroAddress).catch(() => undefined);
          break;
        case 3:
          await owner.withdrawBond(id, random, owners[id - 1] ?? ZeroAddress).catch(() => undefined);
          break;
        case 4:
          await operators.addBond(id, { value: 3n * ETH });
          await funded(world, id, [next]).catch(() => undefined);
          next++;
          break;
        default:
          if (withdrawn < 7) await proveWithdrawn(world, withdrawn++, Number(random % 33n) * ETH_GWEI);
      }
      await expectHeld(world);
    }
    expect(withdrawn, "the run had penalties").to.equal(7);
    expect((await operators.rewardTotals()).active, "and fundings").to.be.greaterThan(0n);
  });
});
