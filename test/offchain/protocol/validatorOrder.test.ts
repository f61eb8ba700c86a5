import { expect } from "chai";
import { fundingOrder, nextTierToExit, nextTierToFund } from "../../../offchain/protocol/validatorOrder.ts";
import { ethers, loadFixture } from "../../helpers/network.ts";
import { Random } from "./random.ts";

const NONE = 2n ** 256n - 1n;

async function libraries() {
  return { chain: await ethers.deployContract("ValidatorLibraries") };
}

/** Queues as a registry may have them: not more requested than stay. */
function queuesOf(random: Random) {
  return Array.from({ length: Number(random.between(0n, 5n)) }, () => {
    const funded = random.magnitude(0n, 2_000n);
    const exiting = random.between(0n, funded);
    return {
      fundHead: 0n,
      tail: 0n,
      exitHead: 0n,
      queued: random.chance(1n, 3n) ? 0n : random.magnitude(0n, 50n),
      funded,
      exiting,
      requested: random.between(0n, funded - exiting),
      targetShareBp: random.pick([0n, 2_000n, 3_000n, 5_000n, 10_000n, random.between(0n, 10_000n)]),
      maxShareBp: random.pick([10_000n, 10_000n, 3_000n, random.between(0n, 10_000n)]),
    };
  });
}

describe("the order of validators", () => {
  it("is the contract's, for any queues", async () => {
    const { chain } = await loadFixture(libraries);
    const random = new Random(2_027n);
    let [funded, exited] = [0, 0];
    for (let i = 0; i < 400; i++) {
      const queues = queuesOf(random);
      const toFund = nextTierToFund(queues);
      const toExit = nextTierToExit(queues);
      expect(BigInt(toFund ?? NONE)).to.equal(await chain.nextToFund(queues), `funding ${i}`);
      expect(BigInt(toExit ?? NONE)).to.equal(await chain.nextToExit(queues), `exits ${i}`);
      funded += toFund === undefined ? 0 : 1;
      exited += toExit === undefined ? 0 : 1;
    }
    expect(Math.min(funded, exited), "most cases have a next tier").to.be.greaterThan(200);
  });

  it("takes turns between tiers by their targets, and ends with the queues or their maximum", () => {
    const queue = { queued: 4n, funded: 0n, exiting: 0n, requested: 0n, maxShareBp: 10_000n };
    const queues = [
      { ...queue, targetShareBp: 5_000n },
      { ...queue, targetShareBp: 3_000n },
      { ...queue, targetShareBp: 2_000n },
    ];
    expect(fundingOrder(queues, 6)).to.deep.equal([0, 1, 2, 0, 0, 1]);
    expect(fundingOrder(queues, 100)).to.have.length(12);
    expect(fundingOrder([{ ...queue, targetShareBp: 0n, maxShareBp: 0n }], 5)).to.deep.equal([]);
    expect(fundingOrder([], 5)).to.deep.equal([]);
  });
});
