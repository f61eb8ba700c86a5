import { expect } from "chai";
import { ethers, loadFixture, networkHelpers } from "./network.ts";

const ALICE = "0x00000000000000000000000000000000000000a1";

describe("loadFixture", () => {
  const runs = { base: 0, rich: 0, poor: 0 };

  async function base() {
    runs.base++;
    await networkHelpers.setBalance(ALICE, 100n);
    return { start: await ethers.provider.getBlockNumber() };
  }

  async function rich() {
    const { start } = await loadFixture(base);
    runs.rich++;
    await networkHelpers.setBalance(ALICE, 1_000n);
    return { start };
  }

  async function poor() {
    await loadFixture(base);
    runs.poor++;
    await networkHelpers.setBalance(ALICE, 1n);
  }

  it("restores what a test changed, without running the fixture again", async () => {
    for (let i = 0; i < 3; i++) {
      const { start } = await loadFixture(base);
      expect(await ethers.provider.getBalance(ALICE)).to.equal(100n);
      expect(await ethers.provider.getBlockNumber()).to.equal(start);
      await networkHelpers.mine(5);
      await networkHelpers.setBalance(ALICE, 7n);
    }
    expect(runs.base).to.equal(1);
  });

  it("builds fixtures on a fixture, which runs once whatever the order", async () => {
    for (const [fixture, balance] of [
      [rich, 1_000n],
      [poor, 1n],
      [rich, 1_000n],
      [base, 100n],
      [poor, 1n],
    ] as const) {
      await loadFixture<unknown>(fixture);
      expect(await ethers.provider.getBalance(ALICE)).to.equal(balance);
    }
    expect(runs).to.deep.equal({ base: 1, rich: 2, poor: 2 });
  });

  it("says so when another snapshot was restored behind its back", async () => {
    async function loose() {
      await networkHelpers.setBalance(ALICE, 2n);
    }
    await loadFixture(base);
    const outside = await networkHelpers.takeSnapshot();
    await loadFixture(loose);
    await outside.restore();
    const message = await loadFixture(loose).then(String, String);
    expect(message).to.contain("the snapshot of loose is gone");
    await loadFixture(base);
  });
});
