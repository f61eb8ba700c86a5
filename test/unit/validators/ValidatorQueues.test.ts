import { expect } from "chai";
import { ethers, loadFixture } from "../../helpers/network.ts";
import { fields } from "./fields.ts";

const NONE = 2n ** 256n - 1n;

interface Queue {
  fundHead: number;
  tail: number;
  exitHead: number;
  queued: number;
  funded: number;
  exiting: number;
  requested: number;
  targetShareBp: number;
  maxShareBp: number;
}

function queue(change: Partial<Queue> = {}): Queue {
  return {
    fundHead: 0,
    tail: 0,
    exitHead: 0,
    queued: 0,
    funded: 0,
    exiting: 0,
    requested: 0,
    targetShareBp: 10_000,
    maxShareBp: 10_000,
    ...change,
  };
}

async function libraries() {
  return { queues: await ethers.deployContract("ValidatorLibraries") };
}

/** One tier with ten keys, 0 to 9. */
async function tenKeys() {
  const { queues } = await libraries();
  await queues.put(0, queue());
  for (let i = 0; i < 10; i++) await queues.push(0);
  return { queues };
}

/** Ten keys, of which the first six are funded. */
async function sixFunded() {
  const { queues } = await tenKeys();
  await queues.fund(Array<number>(6).fill(0), [0, 1, 2, 3, 4, 5]);
  return { queues };
}

describe("ValidatorQueues", () => {
  describe("the next tier to fund", () => {
    it("is the only one, if it has a queued key", async () => {
      const { queues } = await loadFixture(libraries);
      expect(await queues.nextToFund([queue({ queued: 1 })])).to.equal(0);
      expect(await queues.nextToFund([queue({ queued: 0, funded: 5 })])).to.equal(NONE);
      expect(await queues.nextToFund([])).to.equal(NONE);
    });

    it("is the one furthest below its target share", async () => {
      const { queues } = await loadFixture(libraries);
      const tiers = [
        queue({ queued: 1, funded: 50, targetShareBp: 5_000 }),
        queue({ queued: 1, funded: 28, targetShareBp: 3_000 }),
        queue({ queued: 1, funded: 19, targetShareBp: 2_000 }),
      ];
      // of 98: 49 < 50, 29.4 - 28 = 1.4, 19.6 - 19 = 0.6
      expect(await queues.nextToFund(tiers)).to.equal(1);
    });

    it("has queued keys, even when another is further below", async () => {
      const { queues } = await loadFixture(libraries);
      const tiers = [queue({ funded: 0 }), queue({ queued: 1, funded: 100, targetShareBp: 1 })];
      expect(await queues.nextToFund(tiers)).to.equal(1);
    });

    it("counts validators that exit no longer", async () => {
      const { queues } = await loadFixture(libraries);
      const tiers = [
        queue({ queued: 1, funded: 10, targetShareBp: 5_000 }),
        queue({ queued: 1, funded: 12, exiting: 3, targetShareBp: 5_000 }),
      ];
      expect(await queues.nextToFund(tiers)).to.equal(1);
    });

    it("takes shares of the validators that stay, not of all there ever were", async () => {
      const { queues } = await loadFixture(libraries);
      const tiers = [
        queue({ queued: 1, funded: 8, targetShareBp: 6_000 }),
        queue({ queued: 1, funded: 9, exiting: 5, targetShareBp: 4_000 }),
      ];
      // of 13: 7.8 - 8 and 5.2 - 4; of 18 or more it would be the other
      expect(await queues.nextToFund(tiers)).to.equal(1);
    });

    it("is the lower one in a tie", async () => {
      const { queues } = await loadFixture(libraries);
      const half = { queued: 1, funded: 3, targetShareBp: 5_000 };
      expect(await queues.nextToFund([queue(half), queue(half)])).to.equal(0);
    });

    it("is not one at its maximum share, and none if all are", async () => {
      const { queues } = await loadFixture(libraries);
      const full = { queued: 1, funded: 50, targetShareBp: 5_000, maxShareBp: 4_950 };
      const other = { queued: 1, funded: 50, targetShareBp: 0 };
      // of 101, 49.5% is 49.995
      expect(await queues.nextToFund([queue(full), queue(other)])).to.equal(1);
      expect(await queues.nextToFund([queue({ ...full, funded: 49 }), queue(other)])).to.equal(0);
      expect(await queues.nextToFund([queue(full), queue({ ...other, queued: 0 })])).to.equal(NONE);
    });

    it("may be any open one at the start, and never one whose maximum is zero", async () => {
      const { queues } = await loadFixture(libraries);
      const small = { queued: 1, targetShareBp: 100, maxShareBp: 100 };
      const closed = { queued: 1, targetShareBp: 0, maxShareBp: 0 };
      expect(await queues.nextToFund([queue(closed), queue(small)])).to.equal(1);
      expect(await queues.nextToFund([queue(closed), queue(closed)])).to.equal(NONE);
    });

    it("holds at the widest counts", async () => {
      const { queues } = await loadFixture(libraries);
      const most = 2 ** 32 - 1;
      const tiers = Array.from({ length: 16 }, () => queue({ queued: most, funded: most, targetShareBp: 625 }));
      expect(await queues.nextToFund(tiers)).to.equal(0);
      expect(await queues.nextToExit(tiers)).to.equal(0);
    });
  });

  describe("the next tier to exit", () => {
    it("is the one furthest above its target share", async () => {
      const { queues } = await loadFixture(libraries);
      const tiers = [
        queue({ funded: 50, targetShareBp: 5_000 }),
        queue({ funded: 32, targetShareBp: 3_000 }),
        queue({ funded: 18, targetShareBp: 2_000 }),
      ];
      expect(await queues.nextToExit(tiers)).to.equal(1);
    });

    it("counts neither validators that exit nor those asked to", async () => {
      const { queues } = await loadFixture(libraries);
      const half = { funded: 10, targetShareBp: 5_000 };
      expect(await queues.nextToExit([queue({ ...half, requested: 1 }), queue(half)])).to.equal(1);
      expect(await queues.nextToExit([queue({ ...half, exiting: 1 }), queue(half)])).to.equal(1);
      expect(await queues.nextToExit([queue(half), queue(half)])).to.equal(0);
    });

    it("has a validator that stays, and is none if nothing stays", async () => {
      const { queues } = await loadFixture(libraries);
      const gone = queue({ funded: 4, exiting: 3, requested: 1, targetShareBp: 0 });
      expect(await queues.nextToExit([gone, queue({ funded: 1 })])).to.equal(1);
      expect(await queues.nextToExit([gone, gone])).to.equal(NONE);
    });
  });

  describe("within a tier", () => {
    it("gives places in order", async () => {
      const { queues } = await loadFixture(tenKeys);
      expect(await queues.push.staticCall(0)).to.equal(10);
      expect(fields(await queues.get(0))).to.deep.include({ fundHead: 0n, tail: 10n, queued: 10n, funded: 0n });
    });

    it("funds in order only, and says which key is next", async () => {
      const { queues } = await loadFixture(tenKeys);
      await queues.fund([0, 0], [0, 1]);
      for (const sequence of [0, 1, 3, 9]) {
        await expect(queues.fund([0], [sequence]))
          .to.be.revertedWithCustomError(queues, "NotNext")
          .withArgs(ethers.ZeroHash, 0, sequence, 0, 2);
      }
      await expect(queues.fund([1], [2]))
        .to.be.revertedWithCustomError(queues, "NotNext")
        .withArgs(ethers.ZeroHash, 1, 2, 0, 2);
    });

    it("emits one range for all that it funds", async () => {
      const { queues } = await loadFixture(tenKeys);
      const call = await queues.fund([0, 0, 0], [0, 1, 2]);
      await expect(call).to.emit(queues, "Funded").withArgs(0, 0, 3);
      expect(fields(await queues.get(0))).to.deep.include({ fundHead: 3n, tail: 10n, queued: 7n, funded: 3n });
    });

    it("steps over dropped keys, wherever they are", async () => {
      const { queues } = await loadFixture(tenKeys);
      for (const sequence of [0, 1, 4, 9]) await queues.drop(0, sequence);
      await queues.fund([0, 0, 0], [2, 3, 5]);
      expect(fields(await queues.get(0))).to.deep.include({ fundHead: 6n, queued: 3n, funded: 3n });
      await expect(queues.fund([0], [4]))
        .to.be.revertedWithCustomError(queues, "NotNext")
        .withArgs(ethers.ZeroHash, 0, 4, 0, 6);
      await queues.fund([0, 0, 0], [6, 7, 8]);
      expect(fields(await queues.get(0))).to.deep.include({ fundHead: 9n, queued: 0n });
      expect(await queues.fund.staticCall([0], [9]), "nothing is queued").to.equal(false);
      await queues.push(0);
      await queues.fund([0], [10]);
      expect(fields(await queues.get(0))).to.deep.include({ fundHead: 11n, tail: 11n, queued: 0n, funded: 7n });
    });

    it("steps over more dropped keys than one word of the bitmap holds", async () => {
      const { queues } = await loadFixture(libraries);
      await queues.put(0, queue({ tail: 1_000, queued: 1_000 }));
      for (let sequence = 100; sequence < 400; sequence++) await queues.drop(0, sequence);
      await queues.put(0, queue({ fundHead: 100, tail: 1_000, queued: 600 }));
      await queues.fund([0], [400]);
      expect((await queues.get(0)).fundHead).to.equal(401);
    });

    it("asks to exit in order only, stepping over dropped keys", async () => {
      const { queues } = await loadFixture(tenKeys);
      await queues.drop(0, 1);
      await queues.fund([0, 0, 0], [0, 2, 3]);
      await expect(queues.requestExit(0, 2))
        .to.be.revertedWithCustomError(queues, "NotNext")
        .withArgs(ethers.ZeroHash, 0, 2, 0, 0);
      await queues.requestExit(0, 0);
      await queues.requestExit(0, 2);
      expect(fields(await queues.get(0))).to.deep.include({ exitHead: 3n, requested: 2n });
    });

    it("never moves the exit order past what is funded", async () => {
      const { queues } = await loadFixture(tenKeys);
      await queues.fund([0], [0]);
      await queues.drop(0, 1);
      await queues.requestExit(0, 0);
      await expect(queues.skipExited(0, 2))
        .to.be.revertedWithCustomError(queues, "NotNext")
        .withArgs(ethers.ZeroHash, 0, 2, 0, 1);
    });

    it("lets one whose request was forgotten exit without moving the head", async () => {
      const { queues } = await loadFixture(sixFunded);
      await queues.requestExit(0, 0);
      await queues.requestExit(0, 1);
      await queues.noteExit(0, true, false);
      expect(fields(await queues.get(0))).to.deep.include({ exitHead: 2n, requested: 1n, exiting: 0n });
      await queues.requestExit(0, 0);
      expect(fields(await queues.get(0))).to.deep.include({ exitHead: 2n, requested: 2n });
    });

    it("refuses an earlier key of a tier whose turn it is not", async () => {
      const { queues } = await loadFixture(sixFunded);
      await queues.requestExit(0, 0);
      await queues.noteExit(0, true, false);
      await queues.put(1, queue({ funded: 100, fundHead: 100, tail: 100, targetShareBp: 0 }));
      await expect(queues.requestExit(0, 0))
        .to.be.revertedWithCustomError(queues, "NotNext")
        .withArgs(ethers.ZeroHash, 0, 0, 1, 0);
    });

    it("skips those that left by themselves, in order", async () => {
      const { queues } = await loadFixture(sixFunded);
      await queues.skipExited(0, 0);
      await queues.skipExited(0, 1);
      for (const sequence of [0, 1, 3]) {
        await expect(queues.skipExited(0, sequence))
          .to.be.revertedWithCustomError(queues, "NotNext")
          .withArgs(ethers.ZeroHash, 0, sequence, 0, 2);
      }
      await queues.requestExit(0, 2);
      expect((await queues.get(0)).exitHead).to.equal(3);
    });

    it("counts what leaves, asked or not", async () => {
      const { queues } = await loadFixture(sixFunded);
      await queues.requestExit(0, 0);
      await queues.noteExit(0, true, true);
      await queues.noteExit(0, false, true);
      expect(fields(await queues.get(0))).to.deep.include({ requested: 0n, exiting: 2n });
    });

    it("funds several tiers in one batch, each time the one furthest below", async () => {
      const { queues } = await loadFixture(libraries);
      await queues.put(0, queue({ tail: 9, queued: 9, targetShareBp: 6_000 }));
      await queues.put(1, queue({ tail: 9, queued: 9, targetShareBp: 4_000 }));
      const order = [0, 1, 0, 1, 0, 0, 1, 0, 1, 0];
      const sequences = order.map((tier, i) => order.slice(0, i).filter((earlier) => earlier === tier).length);
      await queues.fund(order, sequences);
      expect(fields(await queues.get(0))).to.deep.include({ funded: 6n, queued: 3n });
      expect(fields(await queues.get(1))).to.deep.include({ funded: 4n, queued: 5n });
    });

    it("keeps a tier's shares apart from its counts", async () => {
      const { queues } = await loadFixture(sixFunded);
      const before = await queues.get(0);
      expect(fields(before)).to.deep.include({ targetShareBp: 10_000n, maxShareBp: 10_000n, funded: 6n });
    });
  });
});
