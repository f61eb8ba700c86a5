import { expect } from "chai";
import { ssz } from "@lodestar/types";
import { getBytes } from "ethers";
import { throughHop } from "../../../offchain/beacon/contractProofs.ts";
import type { ForkName } from "../../../offchain/beacon/proofs.ts";
import { headerRoot, proveBlockRoot, proveHistoricalBlockRoot } from "../../../offchain/beacon/proofs.ts";
import { ethers, loadFixture } from "../../helpers/network.ts";
import type { BeaconFixture } from "./beaconStates.ts";
import { anchoredState, balanceProof, someValidator, validatorBatch, validatorProof } from "./beaconStates.ts";

const PERIOD = 8_192;
const FIRST_SUMMARY = 2 * PERIOD; // where this chain's historical summaries start
const FIRST_SLOT = FIRST_SUMMARY + 100;
const GLOAS_SLOT = 6 * PERIOD;
const LAST_SLOT = 20 * PERIOD;
const ELSEWHERE = `0x${"05".repeat(32)}` as const;

async function fixture() {
  const verifier = await ethers.deployContract("BeaconProof", [FIRST_SUMMARY, FIRST_SLOT, GLOAS_SLOT, LAST_SLOT]);
  return { verifier };
}

/** A block whose root nobody keeps: the verifier never sees its timestamp. */
async function older(fork: ForkName, slot: number): Promise<BeaconFixture> {
  const validators = Array.from({ length: 6 }, (_, i) => someValidator(i));
  return anchoredState(fork, slot, validators, [10, 11, 12, 13, 14, 15]);
}

/** A kept block at `slot` whose block_roots has the older block's root. */
async function newer(fork: ForkName, slot: number, old: BeaconFixture): Promise<BeaconFixture> {
  return anchoredState(fork, slot, [someValidator(0)], [1], (view) =>
    view.blockRoots.set(Number(old.header.slot) % PERIOD, getBytes(headerRoot(old.header))),
  );
}

async function hopped(old: BeaconFixture, fork: ForkName, slot: number) {
  const from = await newer(fork, slot, old);
  const hop = { ...proveBlockRoot(from, Number(old.header.slot)), timestamp: from.timestamp, header: from.header };
  return { from, hop, proof: throughHop(validatorProof(old, 3), hop) };
}

/** The same through historical_summaries, of which the older block's period is one. */
async function summarised(old: BeaconFixture, fork: ForkName, slot: number) {
  const oldSlot = Number(old.header.slot);
  const blockRoots = ssz.electra.BeaconState.fields.blockRoots.defaultViewDU();
  blockRoots.set(oldSlot % PERIOD, getBytes(headerRoot(old.header)));
  blockRoots.commit();
  const summary = Math.floor((oldSlot - FIRST_SUMMARY) / PERIOD);
  const from = await anchoredState(fork, slot, [someValidator(0)], [1], (view) => {
    for (let i = 0; i < Math.floor((slot - FIRST_SUMMARY) / PERIOD); i++)
      view.historicalSummaries.push(
        ssz.capella.HistoricalSummary.toViewDU({
          blockSummaryRoot: i === summary ? blockRoots.hashTreeRoot() : new Uint8Array(32).fill(i),
          stateSummaryRoot: new Uint8Array(32).fill(0xee),
        }),
      );
  });
  const path = proveHistoricalBlockRoot(from, oldSlot, blockRoots.node, FIRST_SUMMARY);
  return throughHop(validatorProof(old, 3), { ...path, timestamp: from.timestamp, header: from.header });
}

describe("BeaconProof by a hop", () => {
  for (const [name, oldFork, oldSlot, fork, slots] of [
    ["within Electra", "electra", FIRST_SLOT, "electra", [FIRST_SLOT + 1, FIRST_SLOT + 4_000, FIRST_SLOT + PERIOD]],
    ["from Gloas to Fulu", "fulu", GLOAS_SLOT - 1, "gloas", [GLOAS_SLOT, GLOAS_SLOT + PERIOD - 1]],
    ["within Gloas", "gloas", GLOAS_SLOT, "gloas", [GLOAS_SLOT + 1, GLOAS_SLOT + PERIOD]],
  ] as const) {
    it(`accepts a block through block_roots, up to 8192 slots back: ${name}`, async () => {
      const { verifier } = await loadFixture(fixture);
      const old = await older(oldFork, oldSlot);
      for (const slot of slots) {
        const { from, hop, proof } = await hopped(old, fork, slot);
        expect(await verifier.verifyValidatorAndBalance(proof, balanceProof(old, 3))).to.equal(13n);
        await verifier.verifyValidators(throughHop(validatorBatch(old, [5, 0, 3]), hop));
        expect(proof.hops[0]?.branch.length).to.equal(fork === "gloas" ? 21 : 19);
        expect(proof.rootTimestamp).to.equal(from.timestamp);
      }
    });
  }

  for (const [name, oldFork, oldSlot, fork, slot] of [
    ["one slot too far for block_roots", "electra", FIRST_SLOT, "electra", FIRST_SLOT + PERIOD + 1],
    ["the first summary", "electra", FIRST_SLOT, "fulu", GLOAS_SLOT - 1],
    ["the last summary", "fulu", 4 * PERIOD - 1, "fulu", 5 * PERIOD],
    ["from Gloas to Electra", "electra", FIRST_SLOT + 9_000, "gloas", LAST_SLOT - 1],
    ["within Gloas", "gloas", GLOAS_SLOT, "gloas", GLOAS_SLOT + 2 * PERIOD],
  ] as const) {
    it(`accepts any older block through historical_summaries: ${name}`, async () => {
      const { verifier } = await loadFixture(fixture);
      const old = await older(oldFork, oldSlot);
      const proof = await summarised(old, fork, slot);
      expect(proof.hops[0]?.branch.length).to.equal(fork === "gloas" ? 50 : 45);
      expect(await verifier.verifyValidatorAndBalance(proof, balanceProof(old, 3))).to.equal(13n);
    });
  }

  it("refuses a changed sibling, another length, another header at either end", async () => {
    const { verifier } = await loadFixture(fixture);
    const old = await older("electra", FIRST_SLOT);
    for (const proof of [
      (await hopped(old, "electra", FIRST_SLOT + 50)).proof,
      await summarised(old, "gloas", GLOAS_SLOT + 7),
    ]) {
      const [hop] = proof.hops;
      if (hop === undefined) throw new Error("no hop");
      const withHop = (change: Partial<typeof hop>) => ({ ...proof, hops: [{ ...hop, ...change }] });
      for (let level = 0; level < hop.branch.length; level++)
        await expect(
          verifier.verifyValidator(withHop({ branch: hop.branch.with(level, ELSEWHERE) })),
        ).to.be.revertedWithCustomError(verifier, "ProofInvalid");
      for (const branch of [hop.branch.slice(1), hop.branch.slice(0, -1), [...hop.branch, ELSEWHERE], []])
        await expect(verifier.verifyValidator(withHop({ branch })))
          .to.be.revertedWithCustomError(verifier, "WrongBranchLength")
          .withArgs(branch.length, hop.branch.length);
      for (const from of [
        { ...hop.from, proposerIndex: 8n },
        { ...hop.from, parentRoot: ELSEWHERE },
        { ...hop.from, bodyRoot: ELSEWHERE },
      ])
        await expect(verifier.verifyValidator(withHop({ from })))
          .to.be.revertedWithCustomError(verifier, "HeaderMismatch")
          .withArgs(headerRoot(from), headerRoot(hop.from));
      const foreign = { ...proof, header: { ...proof.header, proposerIndex: 8n } };
      await expect(verifier.verifyValidator(foreign)).to.be.revertedWithCustomError(verifier, "ProofInvalid");
      await expect(verifier.verifyValidator({ ...proof, hops: [] }))
        .to.be.revertedWithCustomError(verifier, "HeaderMismatch")
        .withArgs(headerRoot(proof.header), headerRoot(hop.from));
      await expect(verifier.verifyValidator({ ...proof, hops: [hop, hop] }))
        .to.be.revertedWithCustomError(verifier, "TooManyHops")
        .withArgs(2, 1);
    }
  });

  it("refuses the root of the same block at another slot's place", async () => {
    const { verifier } = await loadFixture(fixture);
    const old = await older("electra", FIRST_SLOT);
    // the next slots are missed: block_roots repeats the root
    const from = await anchoredState("electra", FIRST_SLOT + 9, [someValidator(0)], [1], (view) => {
      for (const slot of [FIRST_SLOT, FIRST_SLOT + 1, FIRST_SLOT + 2])
        view.blockRoots.set(slot % PERIOD, getBytes(headerRoot(old.header)));
    });
    const hop = { ...proveBlockRoot(from, FIRST_SLOT + 2), timestamp: from.timestamp, header: from.header };
    await expect(verifier.verifyValidator(throughHop(validatorProof(old, 3), hop))).to.be.revertedWithCustomError(
      verifier,
      "ProofInvalid",
    );
  });

  it("refuses to hop forward, to itself, out of the known layouts, or before the first summary", async () => {
    const { verifier } = await loadFixture(fixture);
    const old = await older("electra", FIRST_SLOT + 10);
    for (const slot of [FIRST_SLOT + 10, FIRST_SLOT + 9]) {
      const from = await newer("electra", slot, old);
      const branch = Array.from({ length: 19 }, () => ELSEWHERE);
      const proof = { ...validatorProof(old, 3), rootTimestamp: from.timestamp, hops: [{ from: from.header, branch }] };
      await expect(verifier.verifyValidator(proof))
        .to.be.revertedWithCustomError(verifier, "HopOutOfRange")
        .withArgs(FIRST_SLOT + 10, slot);
    }
    const late = await hopped(await older("gloas", LAST_SLOT - 1), "gloas", LAST_SLOT);
    await expect(verifier.verifyValidator(late.proof))
      .to.be.revertedWithCustomError(verifier, "SlotOutsideLayout")
      .withArgs(LAST_SLOT, FIRST_SLOT, LAST_SLOT);
    const early = await hopped(await older("electra", FIRST_SLOT - 1), "electra", FIRST_SLOT);
    await expect(verifier.verifyValidator(early.proof))
      .to.be.revertedWithCustomError(verifier, "SlotOutsideLayout")
      .withArgs(FIRST_SLOT - 1, FIRST_SLOT, LAST_SLOT);
    // summaries that start after the first slot of the layout
    const short = await ethers.deployContract("BeaconProof", [4 * PERIOD, 0, GLOAS_SLOT, LAST_SLOT]);
    const { proof } = await hopped(await older("electra", 4 * PERIOD - 1), "electra", 4 * PERIOD);
    await expect(short.verifyValidator(proof))
      .to.be.revertedWithCustomError(short, "HopOutOfRange")
      .withArgs(4 * PERIOD - 1, 4 * PERIOD);
  });
});
