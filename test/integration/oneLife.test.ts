import { expect } from "chai";
import { network } from "hardhat";
import { DEVNET_SETTINGS } from "../../devnet/real/protocol.ts";
import { liveThrough } from "../../devnet/scenario/lifeCycle.ts";
import { simulatedWorld } from "../../devnet/scenario/simulatedWorld.ts";

describe("the life that npm run e2e lives through on the real devnet", () => {
  it("ends with every book equal to what the simulated layer says, to the wei", async function () {
    this.timeout(300_000);
    // longer frames than the devnet's: reports are what takes time here
    const world = await simulatedWorld(await network.create(), { ...DEVNET_SETTINGS, epochsPerFrame: 32n });
    try {
      const life = await liveThrough(world, { onStep: () => undefined });
      expect(life.lines.filter(({ isEqual }) => !isEqual)).to.deep.equal([]);
      expect(life.ok).to.be.true;
      expect(life.reports).to.have.length.greaterThan(8);
      expect(life.claimedWei).to.equal((332n * 10n ** 18n) / 10n - 1n);
    } finally {
      await world.stop();
    }
  });
});
