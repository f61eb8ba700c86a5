import { expect } from "chai";
import { network } from "hardhat";
import { SCALES, measureScale, spread } from "../../scripts/lib/gas/scale.ts";
import { readSnapshot } from "../../scripts/lib/gas/snapshot.ts";

/** Signatures and roots are hashes: a zero byte among them saves 12 gas of call data. */
const ZERO_BYTES_GAS = 96;
const ALIKE = { claimOperatorRewards: 0, addBond: 0, withdrawBond: 0 };

describe("The cost of a report, a claim and a change of a bond", () => {
  it("is the same with 1 and 100 operators and with 10 and 1,000 validators", async () => {
    const scales = { operators: [1n, 100n], validators: 1_000n };
    const figures = await measureScale(await network.create(), scales, () => undefined);
    const { report, ...others } = spread(figures, scales);
    expect(report).to.be.at.most(ZERO_BYTES_GAS);
    expect(others).to.deep.equal(ALIKE);
  });

  it("was the same with 10,000 operators and 100,000 validators when the committed figures were measured", () => {
    const { report, ...others } = spread(readSnapshot(), SCALES);
    expect(report).to.be.at.most(ZERO_BYTES_GAS);
    expect(others).to.deep.equal(ALIKE);
  });
});
