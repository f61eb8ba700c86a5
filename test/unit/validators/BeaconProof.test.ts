import { Tree, zeroNode } from "@chainsafe/persistent-merkle-tree";
import { expect } from "chai";
import { concat, hexlify, sha256 } from "ethers";
import type { ContractValidatorProof } from "../../../offchain/beacon/contractProofs.ts";
import type { Hex } from "../../../devnet/simulated/state/state.ts";
import { BEACON_ROOTS } from "../../../devnet/predeploys.ts";
import { headerRoot, itemIndex, proveBalance, proveValidator } from "../../../offchain/beacon/proofs.ts";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { anchor, anchoredState, balanceProof, someValidator, validatorBatch, validatorProof } from "./beaconStates.ts";

const FIRST_SLOT = 1_000;
const LAST_SLOT = 9_000;
const FAR_FUTURE = 2n ** 64n - 1n;
const FULL_BRANCH = 47;
const FULL_BALANCE_BRANCH = 45;
const ELSEWHERE = `0x${"05".repeat(32)}` as const;

/** Ten validators, each with a balance of its own; number 4 exits, number 7 is slashed. */
async function proven() {
  const verifier = await ethers.deployContract("BeaconProof", [0, FIRST_SLOT, LAST_SLOT, LAST_SLOT]);
  const validators = Array.from({ length: 10 }, (_, i) => someValidator(i));
  validators[4] = someValidator(4, { exitEpoch: 50, withdrawableEpoch: 306 });
  validators[7] = someValidator(7, { slashed: true, effectiveBalance: 31_000_000_000 });
  const balances = validators.map((_, i) => 32_000_000_000 + i);
  const electra = await anchoredState("electra", 2_000, validators, balances);
  const fulu = await anchoredState("fulu", 2_001, validators, balances);
  return { verifier, validators, balances, electra, fulu };
}

/** Every sibling, the empty ones too. */
function fullBranch(nodes: readonly Hex[]): Hex[] {
  return nodes.slice(0, -3);
}

describe("BeaconProof", () => {
  for (const fork of ["electra", "fulu"] as const) {
    it(`accepts every validator and reads its balance in a state of ${fork}`, async () => {
      const fixture = await loadFixture(proven);
      for (let i = 0; i < 10; i++) {
        const proof = validatorProof(fixture[fork], i);
        await fixture.verifier.verifyValidator(proof);
        const balance = await fixture.verifier.verifyValidatorAndBalance(proof, balanceProof(fixture[fork], i));
        expect(balance).to.equal(fixture.balances[i]);
      }
    });
  }

  it("accepts a branch with any part of the empty subtrees left out", async () => {
    const { verifier, electra } = await loadFixture(proven);
    const proof = validatorProof(electra, 9);
    const full = fullBranch(proveValidator(electra, 9).nodes);
    expect(full.length).to.equal(FULL_BRANCH);
    expect(proof.branch.length, "10 validators fill 4 levels").to.equal(4 + 7);
    for (let levels = 4; levels <= 40; levels++) {
      await verifier.verifyValidator({ ...proof, branch: [...full.slice(0, levels), ...full.slice(40)] });
    }
    const fullBalance = fullBranch(proveBalance(electra, 9).nodes);
    expect(fullBalance.length).to.equal(FULL_BALANCE_BRANCH);
    for (let levels = 2; levels <= 38; levels++) {
      const branch = [...fullBalance.slice(0, levels), ...fullBalance.slice(38)];
      const balance = await verifier.verifyValidatorAndBalance(proof, { ...balanceProof(electra, 9), branch });
      expect(balance).to.equal(32_000_000_009n);
    }
  });

  it("accepts the only validator of a state, without any sibling in the list", async () => {
    const { verifier } = await loadFixture(proven);
    const lonely = await anchoredState("electra", 3_000, [someValidator(0)], [31_999_999_999]);
    const proof = validatorProof(lonely, 0);
    expect(proof.branch.length).to.equal(7);
    const balance = await verifier.verifyValidatorAndBalance(proof, balanceProof(lonely, 0));
    expect(balance).to.equal(31_999_999_999n);
  });

  it("reads extreme balances in little-endian order from each place of a chunk", async () => {
    const { verifier } = await loadFixture(proven);
    const validators = Array.from({ length: 4 }, (_, i) => someValidator(i));
    const balances = [0, 0x0102030405060, 1, Number.MAX_SAFE_INTEGER];
    const state = await anchoredState("electra", 3_000, validators, balances);
    for (const [i, balance] of balances.entries()) {
      const read = await verifier.verifyValidatorAndBalance(validatorProof(state, i), balanceProof(state, i));
      expect(read).to.equal(balance);
    }
  });

  describe("a batch", () => {
    it("is accepted in any order, of one validator or all, and with one twice", async () => {
      const { verifier, electra, fulu } = await loadFixture(proven);
      for (const indices of [[0], [9], [8, 0], [9, 4, 7, 1], [3, 3], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]) {
        await verifier.verifyValidators(validatorBatch(electra, indices));
        await verifier.verifyValidators(validatorBatch(fulu, indices));
      }
    });

    it("is accepted with any part of the empty subtrees left out, of all branches alike", async () => {
      const { verifier, electra } = await loadFixture(proven);
      const batch = validatorBatch(electra, [2, 9]);
      for (let levels = 4; levels <= 40; levels++) {
        const validators = batch.validators.map((item) => ({
          ...item,
          branch: proveValidator(electra, Number(item.index)).nodes.slice(0, levels),
        }));
        await verifier.verifyValidators({ ...batch, validators });
        const uneven = validators.map((item, i) => (i === 0 ? item : { ...item, branch: item.branch.slice(0, -1) }));
        await expect(verifier.verifyValidators({ ...batch, validators: uneven }))
          .to.be.revertedWithCustomError(verifier, "WrongBranchLength")
          .withArgs(levels - 1, levels);
      }
    });

    it("is refused for one that is wrong, wherever it is", async () => {
      const { verifier, electra } = await loadFixture(proven);
      const batch = validatorBatch(electra, [0, 1, 2]);
      for (const [i, item] of batch.validators.entries()) {
        const wrong = [
          { ...item, validator: { ...item.validator, slashed: true } },
          { ...item, index: 3n },
          { ...item, branch: item.branch.with(0, ELSEWHERE) },
        ];
        for (const forged of wrong) {
          await expect(
            verifier.verifyValidators({ ...batch, validators: batch.validators.with(i, forged) }),
          ).to.be.revertedWithCustomError(verifier, "ProofInvalid");
        }
        const beyond = batch.validators.with(i, { ...item, index: item.index + 16n });
        await expect(verifier.verifyValidators({ ...batch, validators: beyond }))
          .to.be.revertedWithCustomError(verifier, "IndexOutsideBranch")
          .withArgs(item.index + 16n, 4);
      }
    });

    it("is refused with another way from the list to the state", async () => {
      const { verifier, electra } = await loadFixture(proven);
      const batch = validatorBatch(electra, [0, 1]);
      for (let level = 0; level < 7; level++) {
        const listBranch = batch.listBranch.with(level, ELSEWHERE);
        await expect(verifier.verifyValidators({ ...batch, listBranch })).to.be.revertedWithCustomError(
          verifier,
          "ProofInvalid",
        );
      }
      for (const listBranch of [[], batch.listBranch.slice(1), [...batch.listBranch, ELSEWHERE]]) {
        await expect(verifier.verifyValidators({ ...batch, listBranch }))
          .to.be.revertedWithCustomError(verifier, "WrongBranchLength")
          .withArgs(listBranch.length, 7);
      }
      const listBranch = fullBranch(proveBalance(electra, 0).nodes).slice(38); // another list
      await expect(verifier.verifyValidators({ ...batch, listBranch })).to.be.revertedWithCustomError(
        verifier,
        "ProofInvalid",
      );
      const long = batch.validators.map((item) => ({ ...item, branch: Array.from({ length: 41 }, () => ELSEWHERE) }));
      await expect(verifier.verifyValidators({ ...batch, validators: long }))
        .to.be.revertedWithCustomError(verifier, "WrongBranchLength")
        .withArgs(41, 40);
    });

    it("is refused of another block, whichever field of the header differs", async () => {
      const { verifier, electra, validators, balances } = await loadFixture(proven);
      const batch = validatorBatch(electra, [1, 2]);
      const { header } = electra;
      const forged = await anchoredState("electra", 2_500, [...validators, someValidator(10)], [...balances, 1]);
      for (const changed of [
        { ...header, slot: header.slot + 1n },
        { ...header, proposerIndex: 8n },
        { ...header, parentRoot: ELSEWHERE },
        { ...header, bodyRoot: ELSEWHERE },
        { ...header, stateRoot: forged.header.stateRoot },
      ]) {
        await expect(verifier.verifyValidators({ ...batch, header: changed }))
          .to.be.revertedWithCustomError(verifier, "HeaderMismatch")
          .withArgs(headerRoot(changed), headerRoot(header));
      }
      await expect(verifier.verifyValidators({ ...batch, rootTimestamp: 1n }))
        .to.be.revertedWithCustomError(verifier, "RootUnknown")
        .withArgs(1n);
      const late = await anchoredState("electra", LAST_SLOT, validators, balances);
      await expect(verifier.verifyValidators(validatorBatch(late, [0])))
        .to.be.revertedWithCustomError(verifier, "SlotOutsideLayout")
        .withArgs(LAST_SLOT, FIRST_SLOT, LAST_SLOT);
    });
  });

  describe("refuses another validator", () => {
    it("at the proven index: every field is bound", async () => {
      const { verifier, electra } = await loadFixture(proven);
      const proof = validatorProof(electra, 3);
      const forged: Partial<ContractValidatorProof["validator"]>[] = [
        { pubkeyRoot: ELSEWHERE },
        { withdrawalCredentials: ELSEWHERE },
        { effectiveBalanceGwei: 31_000_000_000n },
        { slashed: true },
        { activationEligibilityEpoch: FAR_FUTURE },
        { activationEpoch: 0n },
        { exitEpoch: 9n },
        { withdrawableEpoch: 9n },
      ];
      for (const fields of forged) {
        const call = verifier.verifyValidator({ ...proof, validator: { ...proof.validator, ...fields } });
        await expect(call, Object.keys(fields)[0]).to.be.revertedWithCustomError(verifier, "ProofInvalid");
      }
    });

    it("with the error's computed root and the header's state root", async () => {
      const { verifier, electra } = await loadFixture(proven);
      const proof = validatorProof(electra, 0);
      const branch = proof.branch.with(0, ELSEWHERE);
      const leaf = new Tree(electra.state).getRoot(itemIndex("electra", "validators", 0));
      let root: string = hexlify(leaf);
      const full = [...branch.slice(0, 4), ...fullBranch(proveValidator(electra, 0).nodes).slice(4)];
      let gindex = itemIndex("electra", "validators", 0);
      for (const sibling of full) {
        root = sha256(gindex % 2n === 1n ? concat([sibling, root]) : concat([root, sibling]));
        gindex /= 2n;
      }
      await expect(verifier.verifyValidator({ ...proof, branch }))
        .to.be.revertedWithCustomError(verifier, "ProofInvalid")
        .withArgs(root, electra.header.stateRoot);
    });

    it("at another index: the proof of one can't be replayed for its neighbour", async () => {
      const { verifier, electra } = await loadFixture(proven);
      const proof = validatorProof(electra, 3);
      for (const index of [2n, 1n, 7n, 11n, 15n]) {
        await expect(verifier.verifyValidator({ ...proof, index })).to.be.revertedWithCustomError(
          verifier,
          "ProofInvalid",
        );
      }
      const other = validatorProof(electra, 2);
      await expect(verifier.verifyValidator({ ...proof, validator: other.validator })).to.be.revertedWithCustomError(
        verifier,
        "ProofInvalid",
      );
    });

    it("beyond the siblings given, and beyond the list's limit", async () => {
      const { verifier, electra } = await loadFixture(proven);
      const proof = validatorProof(electra, 3);
      await expect(verifier.verifyValidator({ ...proof, index: 16n + 3n }))
        .to.be.revertedWithCustomError(verifier, "IndexOutsideBranch")
        .withArgs(19n, 4n);
      // with every sibling given, a bit above the list would change the path from the list to the state
      const branch = fullBranch(proveValidator(electra, 3).nodes);
      for (const index of [2n ** 40n + 3n, 2n ** 41n + 3n, 2n ** 64n - 1n]) {
        await expect(verifier.verifyValidator({ ...proof, index, branch }))
          .to.be.revertedWithCustomError(verifier, "IndexTooLarge")
          .withArgs(index);
      }
    });

    it("that does not exist: the empty place after the last", async () => {
      const { verifier, electra } = await loadFixture(proven);
      const proof = validatorProof(electra, 9);
      const empty = new Tree(electra.state)
        .getSingleProof(itemIndex("electra", "validators", 10))
        .map((n) => hexlify(n));
      const blank = {
        pubkeyRoot: `0x${"00".repeat(32)}`,
        withdrawalCredentials: `0x${"00".repeat(32)}`,
        effectiveBalanceGwei: 0n,
        slashed: false,
        activationEligibilityEpoch: 0n,
        activationEpoch: 0n,
        exitEpoch: 0n,
        withdrawableEpoch: 0n,
      };
      await expect(
        verifier.verifyValidator({ ...proof, index: 10n, validator: blank, branch: empty }),
      ).to.be.revertedWithCustomError(verifier, "ProofInvalid");
    });
  });

  describe("refuses another shape", () => {
    it("too long or too short for the list, with the length and the maximum", async () => {
      const { verifier, electra } = await loadFixture(proven);
      const proof = validatorProof(electra, 0);
      const balance = balanceProof(electra, 0);
      const full = fullBranch(proveValidator(electra, 0).nodes);
      const fullBalance = fullBranch(proveBalance(electra, 0).nodes);
      const lengths = [full.slice(0, 6), [], [...full, ELSEWHERE], [...full, ...full]];
      for (const branch of lengths) {
        await expect(verifier.verifyValidator({ ...proof, branch }))
          .to.be.revertedWithCustomError(verifier, "WrongBranchLength")
          .withArgs(branch.length, FULL_BRANCH);
      }
      for (const branch of [fullBalance.slice(0, 6), [], [...fullBalance, ELSEWHERE]]) {
        await expect(verifier.verifyValidatorAndBalance(proof, { ...balance, branch }))
          .to.be.revertedWithCustomError(verifier, "WrongBranchLength")
          .withArgs(branch.length, FULL_BALANCE_BRANCH);
      }
    });

    it("truncated at either end, or with a sibling left out in the middle", async () => {
      const { verifier, electra } = await loadFixture(proven);
      const proof = validatorProof(electra, 0);
      const full = fullBranch(proveValidator(electra, 0).nodes);
      const cut = [
        full.slice(1),
        full.slice(0, -1),
        full.toSpliced(2, 1),
        proof.branch.slice(1),
        proof.branch.slice(0, -1),
      ];
      for (const branch of cut) {
        await expect(verifier.verifyValidator({ ...proof, branch })).to.be.revertedWithCustomError(
          verifier,
          "ProofInvalid",
        );
      }
    });

    it("with one sibling changed, at any level", async () => {
      const { verifier, electra } = await loadFixture(proven);
      const proof = validatorProof(electra, 5);
      const full = fullBranch(proveValidator(electra, 5).nodes);
      for (let level = 0; level < full.length; level++) {
        const branch = full.with(level, ELSEWHERE);
        await expect(verifier.verifyValidator({ ...proof, branch })).to.be.revertedWithCustomError(
          verifier,
          "ProofInvalid",
        );
      }
    });

    it("with a non-empty subtree left out as if it were empty", async () => {
      const { verifier, electra } = await loadFixture(proven);
      const proof = validatorProof(electra, 1);
      const full = fullBranch(proveValidator(electra, 1).nodes);
      for (const levels of [1, 2, 3]) {
        const branch = [...full.slice(0, levels), ...full.slice(40)];
        await expect(verifier.verifyValidator({ ...proof, branch })).to.be.revertedWithCustomError(
          verifier,
          "ProofInvalid",
        );
      }
    });

    it("of a balance: an inner node in place of a chunk (second preimage)", async () => {
      const { verifier, electra } = await loadFixture(proven);
      const proof = validatorProof(electra, 0);
      const balance = proveBalance(electra, 0);
      const full = fullBranch(balance.nodes);
      const inner = sha256(concat([balance.leaf, full[0] ?? ""]));
      const emptyAt37 = hexlify(zeroNode(37).root);
      const shapes = [
        full.slice(1), // one level short
        [...full.slice(1, 38), emptyAt37, ...full.slice(38)], // padded in the list
        [...full.slice(1), ELSEWHERE], // padded at the top
        [...full.slice(1, 3), ...full.slice(38)], // with the empty subtrees left out
      ];
      for (const branch of shapes) {
        await expect(verifier.verifyValidatorAndBalance(proof, { chunk: inner, branch })).to.be.revertedWithCustomError(
          verifier,
          "ProofInvalid",
        );
      }
    });

    it("of a validator: inner nodes in place of its fields (second preimage)", async () => {
      const { verifier, electra } = await loadFixture(proven);
      const proof = validatorProof(electra, 0);
      const full = fullBranch(proveValidator(electra, 0).nodes);
      const tree = new Tree(electra.state);
      const leaf = itemIndex("electra", "validators", 0);
      // the parent of validators 0 and 1 is the hash of two words, as the first pair of fields is
      const validator = {
        ...proof.validator,
        pubkeyRoot: hexlify(tree.getRoot(leaf)),
        withdrawalCredentials: hexlify(tree.getRoot(leaf + 1n)),
      };
      for (const branch of [full, full.slice(1), [...full.slice(1), ELSEWHERE]]) {
        await expect(verifier.verifyValidator({ ...proof, validator, branch })).to.be.revertedWithCustomError(
          verifier,
          "ProofInvalid",
        );
      }
    });
  });

  describe("refuses another place in the state", () => {
    it("a leaf of another list", async () => {
      const { verifier, electra } = await loadFixture(proven);
      const proof = validatorProof(electra, 0);
      const balances = fullBranch(proveBalance(electra, 0).nodes);
      await expect(verifier.verifyValidator({ ...proof, branch: balances })).to.be.revertedWithCustomError(
        verifier,
        "ProofInvalid",
      );
      // pending deposits: field 34, a list as the balances are
      const gindex = ((64n + 34n) * 2n) << 27n;
      const branch = new Tree(electra.state).getSingleProof(gindex).map((node) => hexlify(node));
      await expect(verifier.verifyValidator({ ...proof, branch })).to.be.revertedWithCustomError(
        verifier,
        "ProofInvalid",
      );
      const chunk = proveValidator(electra, 0).leaf;
      const validators = fullBranch(proveValidator(electra, 0).nodes).toSpliced(0, 2);
      await expect(
        verifier.verifyValidatorAndBalance(proof, { chunk, branch: validators }),
      ).to.be.revertedWithCustomError(verifier, "ProofInvalid");
    });

    it("a balance of another validator's chunk", async () => {
      const { verifier, electra } = await loadFixture(proven);
      for (const [of, from] of [
        [3, 4],
        [9, 0],
      ] as const) {
        await expect(
          verifier.verifyValidatorAndBalance(validatorProof(electra, of), balanceProof(electra, from)),
        ).to.be.revertedWithCustomError(verifier, "ProofInvalid");
      }
      const short = { ...balanceProof(electra, 0), branch: balanceProof(electra, 0).branch.toSpliced(1, 1) };
      await expect(verifier.verifyValidatorAndBalance(validatorProof(electra, 9), short))
        .to.be.revertedWithCustomError(verifier, "IndexOutsideBranch")
        .withArgs(2n, 1n);
    });

    it("a balance of another state, though both are on chain", async () => {
      const { verifier, validators, balances, electra } = await loadFixture(proven);
      const richer = await anchoredState(
        "electra",
        2_002,
        validators,
        balances.map((balance) => balance + 1_000),
      );
      await expect(
        verifier.verifyValidatorAndBalance(validatorProof(electra, 0), balanceProof(richer, 0)),
      ).to.be.revertedWithCustomError(verifier, "ProofInvalid");
    });
  });

  describe("refuses another block", () => {
    it("a state that is not on chain, under a header that is", async () => {
      const { verifier, validators, balances, electra } = await loadFixture(proven);
      const foreign = await anchoredState("electra", 2_000, [...validators, someValidator(10)], [...balances, 1]);
      const proof = { ...validatorProof(foreign, 10), header: electra.header, rootTimestamp: electra.timestamp };
      await expect(verifier.verifyValidator(proof)).to.be.revertedWithCustomError(verifier, "ProofInvalid");
    });

    it("a header that is not the one on chain: every field is bound", async () => {
      const { verifier, electra } = await loadFixture(proven);
      const proof = validatorProof(electra, 0);
      const { header } = electra;
      const forged = [
        { ...header, slot: header.slot + 1n },
        { ...header, proposerIndex: 8n },
        { ...header, parentRoot: ELSEWHERE },
        { ...header, stateRoot: ELSEWHERE },
        { ...header, bodyRoot: ELSEWHERE },
      ];
      for (const changed of forged) {
        await expect(verifier.verifyValidator({ ...proof, header: changed }))
          .to.be.revertedWithCustomError(verifier, "HeaderMismatch")
          .withArgs(headerRoot(changed), headerRoot(header));
      }
    });

    it("a root under another block's time", async () => {
      const { verifier, electra, fulu } = await loadFixture(proven);
      await expect(verifier.verifyValidator({ ...validatorProof(electra, 0), rootTimestamp: fulu.timestamp }))
        .to.be.revertedWithCustomError(verifier, "HeaderMismatch")
        .withArgs(headerRoot(electra.header), headerRoot(fulu.header));
    });

    it("a time at which EIP-4788 knows no root", async () => {
      const { verifier, electra } = await loadFixture(proven);
      for (const rootTimestamp of [0n, electra.timestamp - 1n, electra.timestamp + 1_000n, 2n ** 64n - 1n]) {
        await expect(verifier.verifyValidator({ ...validatorProof(electra, 0), rootTimestamp }))
          .to.be.revertedWithCustomError(verifier, "RootUnknown")
          .withArgs(rootTimestamp);
      }
    });

    it("a chain without EIP-4788, and answers that are no root", async () => {
      const { verifier, electra } = await loadFixture(proven);
      // nothing there; nothing returned; the question returned twice
      for (const code of ["0x", "0x00", "0x5f355f525f3560205260405ff3"]) {
        await networkHelpers.setCode(BEACON_ROOTS, code);
        await expect(verifier.verifyValidator(validatorProof(electra, 0)))
          .to.be.revertedWithCustomError(verifier, "RootUnknown")
          .withArgs(electra.timestamp);
      }
    });

    it("a root that the ring buffer has overwritten", async () => {
      const { verifier, electra } = await loadFixture(proven);
      await networkHelpers.time.setNextBlockTimestamp(electra.timestamp + 8_191n);
      expect(await anchor(ELSEWHERE)).to.equal(electra.timestamp + 8_191n);
      await expect(verifier.verifyValidator(validatorProof(electra, 0)))
        .to.be.revertedWithCustomError(verifier, "RootUnknown")
        .withArgs(electra.timestamp);
    });
  });

  describe("at a fork boundary", () => {
    it("holds from its first slot to the one before its last", async () => {
      const { verifier, validators, balances } = await loadFixture(proven);
      for (const slot of [FIRST_SLOT, FIRST_SLOT + 1, LAST_SLOT - 1]) {
        await verifier.verifyValidator(validatorProof(await anchoredState("electra", slot, validators, balances), 6));
      }
      for (const slot of [0, FIRST_SLOT - 1, LAST_SLOT, LAST_SLOT + 1]) {
        const state = await anchoredState("electra", slot, validators, balances);
        await expect(verifier.verifyValidator(validatorProof(state, 6)))
          .to.be.revertedWithCustomError(verifier, "SlotOutsideLayout")
          .withArgs(slot, FIRST_SLOT, LAST_SLOT);
        await expect(
          verifier.verifyValidatorAndBalance(validatorProof(state, 6), balanceProof(state, 6)),
        ).to.be.revertedWithCustomError(verifier, "SlotOutsideLayout");
      }
    });

    it("serves the last Electra state and the first Fulu state with one layout", async () => {
      const { verifier, validators, balances } = await loadFixture(proven);
      for (const [fork, slot] of [
        ["electra", 4_095],
        ["fulu", 4_096],
      ] as const) {
        const state = await anchoredState(fork, slot, validators, balances);
        const balance = await verifier.verifyValidatorAndBalance(validatorProof(state, 2), balanceProof(state, 2));
        expect(balance).to.equal(balances[2]);
      }
    });

    it("is chosen by the proven slot: a header that claims another does not match", async () => {
      const { verifier, validators, balances } = await loadFixture(proven);
      const after = await anchoredState("electra", LAST_SLOT, validators, balances);
      const header = { ...after.header, slot: BigInt(LAST_SLOT - 1) };
      await expect(verifier.verifyValidator({ ...validatorProof(after, 0), header })).to.be.revertedWithCustomError(
        verifier,
        "HeaderMismatch",
      );
    });
  });
});
