/** Proofs and calls that are refused, by name and with their values; and that nothing is lost by any of them. */
import { expect } from "chai";
import { contractValidatorBatch } from "../../../offchain/beacon/contractProofs.ts";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { anchor } from "./beaconStates.ts";
import {
  CURATED,
  ETH,
  Status,
  active,
  allow,
  funded,
  key,
  keyRoot,
  pending,
  predeposit,
  predeposits,
  proofOf,
  queued,
  registries,
} from "./fixture.ts";
import type { Registries } from "./fixture.ts";

const ROOTS_KEPT = 8_191n;

/** Everything that a refused call could have changed: records, queue, operators, ether and shares. */
async function books(world: Registries, keys: readonly number[]): Promise<string> {
  const { validators, operators, token } = world;
  const parts: unknown[] = await Promise.all([
    ...keys.map((index) => validators.validator(keyRoot(index))),
    validators.tierQueue(0),
    operators.operator(1),
    operators.operator(2),
    token.totals(),
    token.sharesOf(operators),
    ethers.provider.getBalance(validators),
  ]);
  return JSON.stringify(parts, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}

describe("Bad input to the validator registry", () => {
  it("keys that are all known: AllKeysKnown, whoever brings them, and the ether stays with the caller", async () => {
    const world = await loadFixture(registries);
    const { validators, bob } = world;
    await predeposit(world, 1, [0, 1]);
    const before = await books(world, [0, 1]);
    for (const operatorId of [1, 2])
      await expect(predeposit(world, operatorId, [1, 0, 1]))
        .to.be.revertedWithCustomError(validators, "AllKeysKnown")
        .withArgs(3);
    const { pubkeys, signatures, roots } = predeposits(world, [2]);
    const bobs = validators.connect(bob).predeposit(1, pubkeys, signatures, roots, { value: ETH });
    await expect(bobs).to.be.revertedWithCustomError(world.operators, "NotOperatorOwner").withArgs(1, bob);
    expect(await books(world, [0, 1])).to.equal(before);
  });

  it("a validator that is eligible, active, exiting or withdrawable: AlreadyEligible, with its epoch", async () => {
    const world = await loadFixture(registries);
    await predeposit(world, 1, [0]);
    const before = await books(world, [0]);
    for (const change of [
      { activationEligibilityEpoch: 900 },
      { activationEligibilityEpoch: 900, activationEpoch: 905 },
      { activationEligibilityEpoch: 900, activationEpoch: 905, exitEpoch: 950 },
      { activationEligibilityEpoch: 900, activationEpoch: 905, exitEpoch: 950, withdrawableEpoch: 960 },
    ]) {
      const { proof } = await proofOf(world, pending(world, 0, change));
      await expect(world.validators.proveValidators(contractValidatorBatch([proof], "electra")))
        .to.be.revertedWithCustomError(world.validators, "AlreadyEligible")
        .withArgs(900);
    }
    expect(await books(world, [0])).to.equal(before);
  });

  it("a proof whose root EIP-4788 has forgotten: RootUnknown, whichever proof it is", async () => {
    const world = await loadFixture(registries);
    const { validators } = world;
    await funded(world, 1, [0]);
    await predeposit(world, 1, [1]);
    const waiting = await proofOf(world, pending(world, 1));
    const working = await proofOf(world, active(world, 0));
    await world.pool.setDemand(100n * ETH);
    const before = await books(world, [0, 1]);
    // the ring buffer's places are overwritten
    for (const { rootTimestamp } of [waiting.proof, working.proof]) {
      const later = rootTimestamp + ROOTS_KEPT;
      await networkHelpers.time.setNextBlockTimestamp(later);
      expect(await anchor(`0x${"05".repeat(32)}`)).to.equal(later);
    }
    const forgotten = (call: Promise<unknown>, { rootTimestamp } = working.proof) =>
      expect(call).to.be.revertedWithCustomError(world.beaconProof, "RootUnknown").withArgs(rootTimestamp);
    const { proof, balance } = working;
    await forgotten(validators.proveValidators(contractValidatorBatch([waiting.proof], "electra")), waiting.proof);
    await forgotten(validators.proveExiting(proof));
    await forgotten(validators.proveSlashed(proof));
    await forgotten(validators.proveBelow(proof, balance));
    await forgotten(validators.proveWithdrawn(proof, balance));
    await forgotten(validators.ejectBelow(key(0), proof, balance, { value: 1n }));
    await forgotten(validators.requestExit(key(0), proof, [], { value: 1n }));
    expect(await books(world, [0, 1])).to.equal(before);
  });

  it("keys of a frozen operator: neither predeposited, nor proven, nor funded, nor its rewards claimed", async () => {
    const world = await loadFixture(registries);
    const { validators, operators, alice } = world;
    await funded(world, 1, [0]);
    await queued(world, 1, [1]);
    await predeposit(world, 1, [2]);
    const slashed = await proofOf(world, active(world, 0, { slashed: true }));
    await validators.proveSlashed(slashed.proof);
    await allow(world, 1);
    const before = await books(world, [0, 1, 2, 3]);
    const { proof } = await proofOf(world, pending(world, 2));
    const frozen = (call: Promise<unknown>) =>
      expect(call).to.be.revertedWithCustomError(operators, "OperatorIsFrozen").withArgs(1);
    await frozen(predeposit(world, 1, [3]));
    await frozen(validators.proveValidators(contractValidatorBatch([proof], "electra")));
    await frozen(validators.fundValidators([key(1)]));
    await frozen(operators.connect(alice).claimRewards(1, alice));
    await frozen(operators.connect(alice).compoundRewards(1));
    await frozen(operators.connect(alice).withdrawBond(1, 1, alice));
    expect(await books(world, [0, 1, 2, 3])).to.equal(before);
  });

  it("a tier that is full or closed: nothing is funded, nobody joins, and what waits keeps its place", async () => {
    const world = await loadFixture(registries);
    const { validators, operators, carol } = world;
    await funded(world, 1, [0]);
    await queued(world, 1, [1]);
    await operators.setTier(0, { ...CURATED, targetShareBp: 0, maxShareBp: 0 });
    await allow(world, 1);
    const before = await books(world, [0, 1]);
    await expect(validators.fundValidators([key(1)])).to.be.revertedWithCustomError(validators, "NothingToFund");
    await expect(operators.connect(carol).join(0, carol, "Carol"))
      .to.be.revertedWithCustomError(operators, "TierClosed")
      .withArgs(0);
    expect(await books(world, [0, 1])).to.equal(before);
    await operators.setTier(0, CURATED);
    await validators.fundValidators([key(1)]);
    expect((await validators.validator(keyRoot(1))).status).to.equal(Status.Active);
  });
});
