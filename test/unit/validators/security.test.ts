/** One test for each line of SECURITY.md ("ETH and validators") that the registries and their proofs answer for. */
import { expect } from "chai";
import { contractValidatorBatch } from "../../../offchain/beacon/contractProofs.ts";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { anchoredState, someValidator, validatorProof } from "./beaconStates.ts";
import { fields } from "./fields.ts";
import {
  ETH,
  ETH_GWEI,
  Status,
  active,
  allow,
  fund,
  funded,
  key,
  keyRoot,
  pending,
  predeposit,
  proofOf,
  queued,
  range,
  registries,
} from "./fixture.ts";

describe("SECURITY: ETH and validators", () => {
  it("Credentials front-run: 31 ETH never follow a key whose first deposit named other credentials", async () => {
    const world = await loadFixture(registries);
    await predeposit(world, 1, [0]);
    const withdrawalCredentials = `0x01${"00".repeat(11)}${"bb".repeat(20)}` as const;
    // the consensus layer keeps the credentials of the first valid deposit; ours only adds to the balance
    const { proof } = await proofOf(
      world,
      pending(world, 0, { withdrawalCredentials, effectiveBalance: 2 * ETH_GWEI }),
    );
    await expect(
      world.validators.proveValidators(contractValidatorBatch([proof], "electra")),
    ).to.be.revertedWithCustomError(world.validators, "WrongCredentials");
    await allow(world, 1);
    await expect(world.validators.fundValidators([key(0)])).to.be.revertedWithCustomError(
      world.validators,
      "WrongStatus",
    );
    expect(await world.pool.depositable()).to.equal(31n * ETH);
  });

  it("Duplicate keys: a validator is counted once, whoever brings it how often", async () => {
    const world = await loadFixture(registries);
    await queued(world, 1, [0, 1]);
    await expect(predeposit(world, 2, [0]))
      .to.be.revertedWithCustomError(world.validators, "AllKeysKnown")
      .withArgs(1);
    const { proof } = await proofOf(world, pending(world, 0));
    await expect(world.validators.proveValidators(contractValidatorBatch([proof, proof], "electra")))
      .to.be.revertedWithCustomError(world.validators, "AllKeysKnown")
      .withArgs(2);
    await allow(world, 5);
    await world.validators.fundValidators([key(0), key(0), key(1), key(0), key(1)]);
    expect(fields(await world.validators.tierQueue(0))).to.deep.include({ tail: 2n, queued: 0n, funded: 2n });
    expect(await world.pool.depositable()).to.equal(3n * 31n * ETH);
  });

  it("Keys swapped after checks: only the proven key can be funded", async () => {
    const world = await loadFixture(registries);
    await queued(world, 1, [0]);
    await predeposit(world, 1, [1]);
    await allow(world, 1);
    await expect(world.validators.fundValidators([key(1)]))
      .to.be.revertedWithCustomError(world.validators, "WrongStatus")
      .withArgs(keyRoot(1), Status.Predeposited);
    await world.validators.fundValidators([key(0)]);
  });

  it("Generalised indices change at forks: a verifier refuses slots outside its layout, and governance adds the next", async () => {
    const world = await loadFixture(registries);
    const before = await ethers.deployContract("BeaconProof", [0, 0, 100, 100]);
    const after = await ethers.deployContract("BeaconProof", [0, 100, 200, 200]);
    for (const [slot, right, wrong] of [
      [99, before, after],
      [100, after, before],
      [101, after, before],
    ] as const) {
      const proof = validatorProof(await anchoredState("fulu", slot, [someValidator(0)], [1]), 0);
      await right.verifyValidator(proof);
      await expect(wrong.verifyValidator(proof)).to.be.revertedWithCustomError(wrong, "SlotOutsideLayout");
    }
    await world.validators.setBeaconProof(after);
  });

  it("Forced ETH, or 1 ETH sent to a validator: nothing reverts and nothing is minted", async () => {
    const world = await loadFixture(registries);
    await predeposit(world, 1, [0]);
    const { proof } = await proofOf(world, pending(world, 0, { effectiveBalance: 2 * ETH_GWEI }));
    await networkHelpers.setBalance(await world.validators.getAddress(), 7n * ETH);
    await networkHelpers.setBalance(await world.operators.getAddress(), 7n * ETH);
    await world.validators.proveValidators(contractValidatorBatch([proof], "electra"));
    await fund(world, [0]);
    expect((await world.operators.bondOf(1)).bond).to.equal(ETH);
    expect(await world.token.getTotalPooledEther()).to.equal(2n * ETH);
    expect(await ethers.provider.getBalance(world.validators)).to.equal(7n * ETH);
  });

  it("Foreign consolidation into our validators: a balance above 32 ETH settles as a whole validator, and no more", async () => {
    const world = await loadFixture(registries);
    await funded(world, 1, [0]);
    const epoch = 900;
    const richer = active(world, 0, { exitEpoch: epoch - 256, withdrawableEpoch: epoch });
    const { proof, balance } = await proofOf(world, richer, { slot: epoch * 32 - 1, balanceGwei: 2_000 * ETH_GWEI });
    await world.validators.proveWithdrawn(proof, balance);
    expect((await world.operators.bondOf(1)).bond).to.equal(ETH);
    expect(await world.token.getTotalPooledEther()).to.equal(2n * ETH);
  });

  it("Griefing permissionless calls: a call that would change nothing reverts", async () => {
    const world = await loadFixture(registries);
    const { validators } = world;
    await funded(world, 1, range(2));
    await allow(world, 2);
    const { proof, balance } = await proofOf(world, active(world, 0));
    const calls = [
      [() => validators.fundValidators([key(0), key(1)]), "NothingToFund"],
      [() => validators.fundValidators([]), "NothingToFund"],
      [() => validators.proveValidators({ ...contractValidatorBatch([proof], "electra"), validators: [] }), "NoKeys"],
      [() => validators.skipExited([]), "NoKeys"],
      [() => validators.proveExiting(proof), "NotExiting"],
      [() => validators.skipExited([keyRoot(0)]), "WrongStatus"],
      [() => validators.dropQueued([keyRoot(0)]), "NoneQueued"],
      [() => validators.dropQueued([]), "NoneQueued"],
      [() => validators.requeue([]), "NoKeys"],
      [() => validators.proveSlashed(proof), "NotSlashed"],
      [() => validators.proveBelow(proof, balance), "NotBelow"],
      [() => validators.requestExit(key(0), proof, []), "NoDemand"],
      [() => validators.ejectBelow(key(0), proof, balance), "NotBelow"],
    ] as const;
    for (const [call, error] of calls) await expect(call()).to.be.revertedWithCustomError(validators, error);
  });
});
