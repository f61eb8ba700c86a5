import { expect } from "chai";
import { proveBalance, proveValidator } from "../../../offchain/beacon/proofs.ts";
import { ethers, loadFixture } from "../../helpers/network.ts";
import { anchoredState, balanceProof, someValidator, validatorBatch, validatorProof } from "./beaconStates.ts";

const FIRST_SLOT = 1_000;
const GLOAS_SLOT = 4_096;
const LAST_SLOT = 9_000;
const ELSEWHERE = `0x${"05".repeat(32)}` as const;
const COUNT = 90; // reaches into the fourth subtree of the progressive list: it starts at 21, the fifth at 85

async function proven() {
  const verifier = await ethers.deployContract("BeaconProof", [0, FIRST_SLOT, GLOAS_SLOT, LAST_SLOT]);
  const validators = Array.from({ length: COUNT }, (_, i) => someValidator(i));
  const balances = validators.map((_, i) => 32_000_000_000 + i);
  const gloas = await anchoredState("gloas", GLOAS_SLOT, validators, balances);
  return { verifier, validators, balances, gloas };
}

describe("BeaconProof on Gloas", () => {
  it("accepts every validator and reads its balance, in each subtree of the progressive lists", async () => {
    const { verifier, gloas, balances } = await loadFixture(proven);
    for (let i = 0; i < COUNT; i++) {
      const read = await verifier.verifyValidatorAndBalance(validatorProof(gloas, i), balanceProof(gloas, i));
      expect(read).to.equal(balances[i]);
    }
  });

  it("takes branches of exactly one length: 3 levels for each subtree passed, and 10", async () => {
    const { verifier, gloas } = await loadFixture(proven);
    for (const [index, length] of [
      [0, 10],
      [1, 13],
      [4, 13],
      [5, 16],
      [20, 16],
      [21, 19],
      [84, 19],
      [85, 22],
    ] as const) {
      const proof = validatorProof(gloas, index);
      expect(proof.branch.length).to.equal(length);
      for (const branch of [proof.branch.slice(1), proof.branch.slice(0, -1), [...proof.branch, ELSEWHERE], []]) {
        await expect(verifier.verifyValidator({ ...proof, branch }))
          .to.be.revertedWithCustomError(verifier, "WrongBranchLength")
          .withArgs(branch.length, length);
      }
    }
  });

  it("accepts batches across subtrees, in any order", async () => {
    const { verifier, gloas } = await loadFixture(proven);
    for (const indices of [
      [0],
      [89],
      [0, 1, 5, 21, 85],
      [85, 21, 5, 1, 0],
      [7, 7],
      Array.from({ length: 64 }, (_, i) => i),
    ])
      await verifier.verifyValidators(validatorBatch(gloas, indices));
  });

  it("refuses what is wrong anywhere in a batch", async () => {
    const { verifier, gloas } = await loadFixture(proven);
    const batch = validatorBatch(gloas, [3, 40, 88]);
    for (const [i, item] of batch.validators.entries()) {
      for (const forged of [
        { ...item, validator: { ...item.validator, slashed: true } },
        { ...item, index: item.index + 1n },
        { ...item, branch: item.branch.with(0, ELSEWHERE) },
        { ...item, branch: item.branch.with(-1, ELSEWHERE) },
      ])
        await expect(
          verifier.verifyValidators({ ...batch, validators: batch.validators.with(i, forged) }),
        ).to.be.revertedWithCustomError(verifier, "ProofInvalid");
      const cut = { ...item, branch: item.branch.slice(1) };
      await expect(verifier.verifyValidators({ ...batch, validators: batch.validators.with(i, cut) }))
        .to.be.revertedWithCustomError(verifier, "WrongBranchLength")
        .withArgs(item.branch.length - 1, item.branch.length);
    }
    await expect(verifier.verifyValidators({ ...batch, listBranch: batch.listBranch.slice(1) }))
      .to.be.revertedWithCustomError(verifier, "WrongBranchLength")
      .withArgs(8, 9);
  });

  it("refuses another index, another list, any changed sibling", async () => {
    const { verifier, gloas } = await loadFixture(proven);
    const proof = validatorProof(gloas, 30);
    for (const index of [21n, 29n, 31n, 84n])
      await expect(verifier.verifyValidator({ ...proof, index })).to.be.revertedWithCustomError(
        verifier,
        "ProofInvalid",
      );
    for (let level = 0; level < proof.branch.length; level++)
      await expect(
        verifier.verifyValidator({ ...proof, branch: proof.branch.with(level, ELSEWHERE) }),
      ).to.be.revertedWithCustomError(verifier, "ProofInvalid");
    // chunk 30 of the balances does not exist; chunk 5 is as deep as validator 5
    const branch = proveBalance(gloas, 20).nodes.slice(0, -3);
    await expect(verifier.verifyValidator({ ...validatorProof(gloas, 5), branch })).to.be.revertedWithCustomError(
      verifier,
      "ProofInvalid",
    );
    const chunk = proveValidator(gloas, 5).leaf;
    const validators = proveValidator(gloas, 5).nodes.slice(0, -3);
    await expect(
      verifier.verifyValidatorAndBalance(validatorProof(gloas, 20), { chunk, branch: validators }),
    ).to.be.revertedWithCustomError(verifier, "ProofInvalid");
    await expect(verifier.verifyValidator({ ...proof, index: 2n ** 40n }))
      .to.be.revertedWithCustomError(verifier, "IndexTooLarge")
      .withArgs(2n ** 40n);
  });

  it("is the layout from the fork's first slot to the one before the last; Electra's is the one before", async () => {
    const { verifier, validators, balances } = await loadFixture(proven);
    const check = async (fork: "fulu" | "gloas", slot: number) => {
      const state = await anchoredState(fork, slot, validators, balances);
      const read = await verifier.verifyValidatorAndBalance(validatorProof(state, 6), balanceProof(state, 6));
      expect(read).to.equal(balances[6]);
      await verifier.verifyValidators(validatorBatch(state, [6, 60]));
    };
    await check("fulu", GLOAS_SLOT - 1);
    await check("gloas", GLOAS_SLOT);
    await check("gloas", LAST_SLOT - 1);
    const beyond = await anchoredState("gloas", LAST_SLOT, validators, balances);
    await expect(verifier.verifyValidator(validatorProof(beyond, 6)))
      .to.be.revertedWithCustomError(verifier, "SlotOutsideLayout")
      .withArgs(LAST_SLOT, FIRST_SLOT, LAST_SLOT);
    // a state of one layout in the other's slots
    const early = await anchoredState("gloas", GLOAS_SLOT - 1, validators, balances);
    await expect(verifier.verifyValidator(validatorProof(early, 6))).to.be.revertedWithCustomError(
      verifier,
      "ProofInvalid",
    );
    const late = await anchoredState("fulu", GLOAS_SLOT, validators, balances);
    await expect(verifier.verifyValidator(validatorProof(late, 6)))
      .to.be.revertedWithCustomError(verifier, "WrongBranchLength")
      .withArgs(validatorProof(late, 6).branch.length, 16);
  });

  it("holds far into the list: validator 21,999 is in the ninth subtree", async () => {
    const { verifier } = await loadFixture(proven);
    const many = Array.from({ length: 22_000 }, (_, i) => someValidator(i % 100));
    const state = await anchoredState("gloas", 5_000, many, [1]);
    const proof = validatorProof(state, 21_999);
    expect(proof.branch.length).to.equal(3 * 8 + 10); // subtree 8 starts at 21,845
    await verifier.verifyValidator(proof);
  });

  it("refuses slots in another order", async () => {
    const factory = await ethers.getContractFactory("BeaconProof");
    for (const [first, gloas, last] of [
      [2, 1, 3],
      [1, 4, 3],
    ] as const)
      await expect(factory.deploy(0, first, gloas, last))
        .to.be.revertedWithCustomError(factory, "SlotsOutOfOrder")
        .withArgs(first, gloas, last);
    await expect(factory.deploy(8_191, 8_191, 9_000, 9_000))
      .to.be.revertedWithCustomError(factory, "NotAPeriod")
      .withArgs(8_191);
  });
});
