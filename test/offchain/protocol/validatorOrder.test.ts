import { expect } from "chai";
import { fundingOrder, mayTakeOwn, nextTierToExit, nextTierToFund } from "../../../offchain/protocol/validatorOrder.ts";
import type { TierQueue } from "../../../offchain/protocol/validatorOrder.ts";
import { ethers, loadFixture } from "../../helpers/network.ts";
import { Random } from "./random.ts";

const NONE = 2n ** 256n - 1n;

async function libraries() {
  return { chain: await ethers.deployContract("ValidatorLibraries") };
}

/** Queues as a registry may have them: not more leave than were funded. */
function queuesOf(random: Random) {
  return Array.from({ length: Number(random.between(0n, 5n)) }, () => {
    const funded = random.magnitude(0n, 2_000n);
    return {
      tiers: 0n,
      fundHead: 0n,
      tail: 50n,
      exitHead: 0n,
      queued: random.chance(1n, 3n) ? 0n : random.magnitude(0n, 50n),
      funded,
      leaving: random.chance(1n, 4n) ? funded : random.between(0n, funded),
      targetShareBp: random.pick([0n, 2_000n, 3_000n, 5_000n, 10_000n, random.between(0n, 10_000n)]),
      maxShareBp: random.pick([10_000n, 10_000n, 3_000n, random.between(0n, 10_000n)]),
    };
  });
}

const queue: TierQueue = { queued: 4n, funded: 0n, leaving: 0n, targetShareBp: 5_000n, maxShareBp: 10_000n };
const tier = (changes: Partial<TierQueue>): TierQueue => ({ ...queue, ...changes });

describe("the order of validators", () => {
  it("is the contract's, for any queues and any tiers left out of the exits", async () => {
    const { chain } = await loadFixture(libraries);
    const random = new Random(2_027n);
    const found = { funded: 0, exited: 0, passed: 0 };
    for (let i = 0; i < 400; i++) {
      const queues = queuesOf(random);
      const passed = new Set([...queues.keys()].filter(() => random.chance(1n, 4n)));
      const bits = [...passed].reduce((sum, each) => sum + (1n << BigInt(each)), 0n);
      const toFund = nextTierToFund(queues);
      const toExit = nextTierToExit(queues, passed);
      expect(BigInt(toFund ?? NONE)).to.equal(await chain.nextToFund.staticCall(queues), `funding ${i}`);
      expect(BigInt(toExit ?? NONE)).to.equal(await chain.nextToExit.staticCall(queues, bits), `exits ${i}`);
      found.funded += toFund === undefined ? 0 : 1;
      found.exited += toExit === undefined ? 0 : 1;
      found.passed += toExit === nextTierToExit(queues) ? 0 : 1;
    }
    expect(Math.min(found.funded, found.exited), "most cases have a next tier").to.be.greaterThan(200);
    expect(found.passed, "many are left out").to.be.greaterThan(40);
  });

  it("takes turns between tiers by their targets, and ends with the queues or their maximum", () => {
    const queues = [tier({}), tier({ targetShareBp: 3_000n }), tier({ targetShareBp: 2_000n })];
    expect(fundingOrder(queues, 6)).to.deep.equal([0, 1, 2, 0, 0, 1]);
    expect(fundingOrder(queues, 100)).to.have.length(12);
    expect(fundingOrder([tier({ targetShareBp: 0n, maxShareBp: 0n })], 5)).to.deep.equal([]);
    expect(fundingOrder([], 5)).to.deep.equal([]);
  });

  it("counts a validator as present until it is asked to exit or proven exiting, for fundings and exits alike", () => {
    const queues = [tier({ funded: 10n, leaving: 6n }), tier({ funded: 5n })];
    // of 9 that are present, 4 are of the first tier and 5 of the second: both have a target of half
    expect(nextTierToFund(queues)).to.equal(0);
    expect(nextTierToExit(queues)).to.equal(1);
    expect(nextTierToExit([tier({ funded: 10n, leaving: 10n })])).to.equal(undefined);
  });

  it("passes over tiers for a request to exit: the next one goes, by shares of all", () => {
    const queues = [tier({ funded: 9n }), tier({ funded: 4n, targetShareBp: 1_000n }), tier({ funded: 5n })];
    expect(nextTierToExit(queues)).to.equal(1); // 2.2 above its target; the others 0 and -4
    expect(nextTierToExit(queues, new Set([1]))).to.equal(0);
    expect(nextTierToExit(queues, new Set([0, 1]))).to.equal(2);
    expect(nextTierToExit(queues, new Set([0, 1, 2]))).to.equal(undefined);
  });

  it("lets an operator fund its own key out of turn, under the maximum that binds the turns", () => {
    const capped = (funded: bigint) => [tier({ funded, maxShareBp: 2_500n }), tier({ funded: 15n, queued: 0n })];
    // 4 of 20 are less than a quarter, 5 of 21 as well; 6 of 22 are more, and 5 of 20 would be just as much
    expect([4n, 5n, 6n].map((funded) => mayTakeOwn(capped(funded), 0))).to.deep.equal([true, true, false]);
    const [first, second] = capped(5n);
    if (first === undefined || second === undefined) throw new Error("no tiers");
    expect(mayTakeOwn([first, { ...second, funded: 14n }], 0), "at its maximum").to.equal(false);
    expect(mayTakeOwn([first, second], 1), "no key is queued").to.equal(false);
    expect(mayTakeOwn([first, second], 2), "no such tier").to.equal(false);
    const random = new Random(2_028n);
    for (let i = 0; i < 200; i++) {
      const queues = queuesOf(random);
      const next = nextTierToFund(queues);
      if (next !== undefined) expect(mayTakeOwn(queues, next)).to.equal(true);
      else for (const each of queues.keys()) expect(mayTakeOwn(queues, each)).to.equal(false);
    }
  });

  it("refuses one's own key as the contract does", async () => {
    const { chain } = await loadFixture(libraries);
    const errors = await ethers.getContractAt("IValidatorRegistry", await chain.getAddress());
    for (const funded of [4n, 5n, 6n, 7n]) {
      const all = [tier({ funded, maxShareBp: 2_500n }), tier({ funded: 15n })];
      for (const [index, each] of all.entries())
        await chain.put(index, { ...each, tiers: 0n, fundHead: 0n, tail: 9n, exitHead: 0n });
      const attempt = chain.takeOwn.staticCall(0, 3);
      if (mayTakeOwn(all, 0)) await attempt;
      else
        await expect(attempt)
          .to.be.revertedWithCustomError(errors, "TierAtMaximum")
          .withArgs(0n, funded, funded + 16n, 2_500n);
    }
  });
});
