import { expect } from "chai";
import { network } from "hardhat";
import { tellStory } from "../../devnet/demo/story.ts";

describe("The demo", () => {
  it("goes through the whole life cycle and reconciles to the wei", async () => {
    const heard: string[] = [];
    const result = await tellStory(await network.create(), {
      onStep: ({ name }) => heard.push(name),
      onProgress: () => undefined,
    });
    expect(result.reconciliation.filter(({ chainWei, booksWei }) => chainWei !== booksWei)).to.deep.equal([]);
    expect(result.residualWei).to.equal("0");
    expect(result.ok).to.equal(true);
    expect(result.steps.map(({ name }) => name)).to.deep.equal(heard);
    expect(result.validators.proven).to.equal(6);
    expect(result.validators.funded).to.equal(6);
    expect(result.validators.slashed).to.equal(1);
    expect(result.validators.exited).to.be.greaterThan(1);
    for (const name of ["depositedWei", "rewardsWei", "feeWei", "lossWei", "claimedWei", "pooledWei"] as const)
      expect(BigInt(result.totals[name]) > 0n, name).to.equal(true);
  });
});
