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
  leaving: number;
  targetShareBp: number;
  maxShareBp: number;
  tiers: number;
}

function queue(change: Partial<Queue> = {}): Queue {
  return {
    fundHead: 0,
    tail: 0,
    exitHead: 0,
    queued: 0,
    funded: 0,
    leaving: 0,
    targetShareBp: 10_000,
    maxShareBp: 10_000,
    tiers: 0,
    ...change,
  };
}

async function libraries() {
  const queues = await ethers.deployContract("ValidatorLibraries");
  // the order of tiers that are written first: in a call that leaves nothing
  const nextToFund = (tiers: Queue[]) => queues.nextToFund.staticCall(tiers);
  const nextToExit = (tiers: Queue[], passed = 0) => queues.nextToExit.staticCall(tiers, passed);
  return { queues, nextToFund, nextToExit };
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
      const { nextToFund } = await loadFixture(libraries);
      expect(await nextToFund([queue({ queued: 1 })])).to.equal(0);
      expect(await nextToFund([queue({ queued: 0, funded: 5 })])).to.equal(NONE);
      expect(await nextToFund([])).to.equal(NONE);
    });

    it("is the one furthest below its target share", async () => {
      const { nextToFund } = await loadFixture(libraries);
      const tiers = [
        queue({ queued: 1, funded: 50, targetShareBp: 5_000 }),
        queue({ queued: 1, funded: 28, targetShareBp: 3_000 }),
        queue({ queued: 1, funded: 19, targetShareBp: 2_000 }),
      ];
      // of 98: 49 < 50, 29.4 - 28 = 1.4, 19.6 - 19 = 0.6
      expect(await nextToFund(tiers)).to.equal(1);
    });

    it("has queued keys, even when another is further below", async () => {
      const { nextToFund } = await loadFixture(libraries);
      const tiers = [queue({ funded: 0 }), queue({ queued: 1, funded: 100, targetShareBp: 1 })];
      expect(await nextToFund(tiers)).to.equal(1);
    });

    it("counts validators no longer that leave", async () => {
      const { nextToFund } = await loadFixture(libraries);
      const tiers = [
        queue({ queued: 1, funded: 10, targetShareBp: 5_000 }),
        queue({ queued: 1, funded: 12, leaving: 3, targetShareBp: 5_000 }),
      ];
      expect(await nextToFund(tiers)).to.equal(1);
    });

    it("takes shares of the validators present, not of all there ever were", async () => {
      const { nextToFund } = await loadFixture(libraries);
      const tiers = [
        queue({ queued: 1, funded: 8, targetShareBp: 6_000 }),
        queue({ queued: 1, funded: 9, leaving: 5, targetShareBp: 4_000 }),
      ];
      // of 13: 7.8 - 8 and 5.2 - 4; of 18 or more it would be the other
      expect(await nextToFund(tiers)).to.equal(1);
    });

    it("is the lower one in a tie", async () => {
      const { nextToFund } = await loadFixture(libraries);
      const half = { queued: 1, funded: 3, targetShareBp: 5_000 };
      expect(await nextToFund([queue(half), queue(half)])).to.equal(0);
    });

    it("is not one at its maximum share, and none if all are", async () => {
      const { nextToFund } = await loadFixture(libraries);
      const full = { queued: 1, funded: 50, targetShareBp: 5_000, maxShareBp: 4_950 };
      const other = { queued: 1, funded: 50, targetShareBp: 0 };
      // of 101, 49.5% is 49.995
      expect(await nextToFund([queue(full), queue(other)])).to.equal(1);
      expect(await nextToFund([queue({ ...full, funded: 49 }), queue(other)])).to.equal(0);
      expect(await nextToFund([queue(full), queue({ ...other, queued: 0 })])).to.equal(NONE);
    });

    it("may be any open one at the start, and never one whose maximum is zero", async () => {
      const { nextToFund } = await loadFixture(libraries);
      const small = { queued: 1, targetShareBp: 100, maxShareBp: 100 };
      const closed = { queued: 1, targetShareBp: 0, maxShareBp: 0 };
      expect(await nextToFund([queue(closed), queue(small)])).to.equal(1);
      expect(await nextToFund([queue(closed), queue(closed)])).to.equal(NONE);
    });

    it("holds at the widest counts", async () => {
      const { nextToFund, nextToExit } = await loadFixture(libraries);
      const most = 2 ** 32 - 1;
      const tiers = Array.from({ length: 16 }, () => queue({ queued: most, funded: most, targetShareBp: 625 }));
      expect(await nextToFund(tiers)).to.equal(0);
      expect(await nextToExit(tiers)).to.equal(0);
    });
  });

  describe("the next tier to exit", () => {
    it("is the one furthest above its target share", async () => {
      const { nextToExit } = await loadFixture(libraries);
      const tiers = [
        queue({ funded: 50, targetShareBp: 5_000 }),
        queue({ funded: 32, targetShareBp: 3_000 }),
        queue({ funded: 18, targetShareBp: 2_000 }),
      ];
      expect(await nextToExit(tiers)).to.equal(1);
    });

    it("counts validators no longer that leave", async () => {
      const { nextToExit } = await loadFixture(libraries);
      const half = { funded: 10, targetShareBp: 5_000 };
      expect(await nextToExit([queue({ ...half, leaving: 1 }), queue(half)])).to.equal(1);
      expect(await nextToExit([queue(half), queue(half)])).to.equal(0);
    });

    it("has a validator that is present, and is none if there is none", async () => {
      const { nextToExit } = await loadFixture(libraries);
      const gone = queue({ funded: 4, leaving: 4, targetShareBp: 0 });
      expect(await nextToExit([gone, queue({ funded: 1 })])).to.equal(1);
      expect(await nextToExit([gone, gone])).to.equal(NONE);
    });

    it("is not one that is passed over, which counts in the shares all the same", async () => {
      const { nextToExit } = await loadFixture(libraries);
      const tiers = [
        queue({ funded: 50, targetShareBp: 2_000 }),
        queue({ funded: 32, targetShareBp: 3_500 }),
        queue({ funded: 18, targetShareBp: 2_000 }),
      ];
      // of 100: 50 - 20, 32 - 35, 18 - 20; without the first's 50 it would be 32 - 17.5 and 18 - 10
      expect(await nextToExit(tiers)).to.equal(0);
      expect(await nextToExit(tiers, 0b001)).to.equal(2);
      expect(await nextToExit(tiers, 0b101)).to.equal(1);
      expect(await nextToExit(tiers, 0b111)).to.equal(NONE);
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
      expect(fields(await queues.get(0))).to.deep.include({ exitHead: 3n, leaving: 2n });
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

    it("lets the head speak for its tier, and where the order has ended any one funded out of turn", async () => {
      const { queues } = await loadFixture(tenKeys);
      await queues.takeOwn(0, 9);
      await queues.takeOwn(0, 1);
      await queues.fund([0, 0], [0, 2]);
      await queues.requireHead(0, 0, 0);
      for (const sequence of [1, 2, 3, 9])
        await expect(queues.requireHead(0, 0, sequence))
          .to.be.revertedWithCustomError(queues, "NotNext")
          .withArgs(ethers.ZeroHash, 0, sequence, 0, 0);
      await queues.requestExit(0, 0);
      await queues.requireHead(0, 0, 2);
      await queues.requestExit(0, 2);
      for (const sequence of [1, 9]) await queues.requireHead(0, 0, sequence);
      for (const sequence of [0, 2, 3])
        await expect(queues.requireHead(0, 0, sequence))
          .to.be.revertedWithCustomError(queues, "NotNext")
          .withArgs(ethers.ZeroHash, 0, sequence, 0, 3);
      await expect(queues.requireHead(1, 0, 9))
        .to.be.revertedWithCustomError(queues, "NotNext")
        .withArgs(ethers.ZeroHash, 0, 9, 1, 0);
    });

    it("takes one funded out of turn without moving the head, if its tier is next", async () => {
      const { queues } = await loadFixture(tenKeys);
      await queues.takeOwn(0, 9);
      await queues.fund([0], [0]);
      await queues.requestExit(0, 9);
      expect(fields(await queues.get(0))).to.deep.include({ exitHead: 0n, leaving: 1n, funded: 2n });
      await queues.put(1, queue({ funded: 100, fundHead: 100, tail: 100, targetShareBp: 0 }));
      await expect(queues.requestExit(0, 9))
        .to.be.revertedWithCustomError(queues, "NotNext")
        .withArgs(ethers.ZeroHash, 0, 9, 1, 0);
    });

    it("D: takes none out of turn where its tier is at its maximum, of all and itself", async () => {
      const { queues, nextToFund } = await loadFixture(libraries);
      const half = queue({ tail: 9, queued: 9, fundHead: 5, funded: 5, targetShareBp: 0, maxShareBp: 5_000 });
      const other = queue({ tail: 5, fundHead: 5, funded: 5 });
      // 5 of 11 are below a half, 6 of 12 are not
      await queues.put(0, half);
      await queues.put(1, other);
      expect(await nextToFund([half, other])).to.equal(0);
      await queues.takeOwn(0, 7);
      expect(fields(await queues.get(0))).to.deep.include({ funded: 6n, queued: 8n, fundHead: 5n });
      expect(await nextToFund([{ ...half, funded: 6 }, other])).to.equal(NONE);
      await expect(queues.takeOwn(0, 8))
        .to.be.revertedWithCustomError(queues, "TierAtMaximum")
        .withArgs(0, 6, 12, 5_000);
      await queues.noteLeaving(0);
      await queues.takeOwn(0, 8);
    });

    it("never moves the exit order past what is funded, not even over one funded out of turn", async () => {
      const { queues } = await loadFixture(tenKeys);
      await queues.takeOwn(0, 1);
      await queues.fund([0], [0]);
      await queues.requestExit(0, 0);
      // its place is where the order of exits ends: were the head moved there, it would speak for its tier no longer
      await expect(queues.skipExited(0, 1))
        .to.be.revertedWithCustomError(queues, "NotNext")
        .withArgs(ethers.ZeroHash, 0, 1, 0, 1);
      await queues.requireHead(0, 0, 1);
      await expect(queues.requireHead(0, 0, 2)).to.be.revertedWithCustomError(queues, "NotNext");
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

    it("counts what leaves", async () => {
      const { queues } = await loadFixture(sixFunded);
      await queues.requestExit(0, 0);
      await queues.noteLeaving(0);
      expect(fields(await queues.get(0))).to.deep.include({ leaving: 2n, funded: 6n });
    });

    it("asks the tiers in turn, however many requests come at once", async () => {
      const { queues } = await loadFixture(libraries);
      await queues.put(0, queue({ tail: 6, fundHead: 6, funded: 6, targetShareBp: 6_000 }));
      await queues.put(1, queue({ tail: 4, fundHead: 4, funded: 4, targetShareBp: 4_000 }));
      const order = [0, 1, 0, 1, 0, 0, 1, 0, 1, 0];
      for (const [i, tier] of order.entries()) {
        const sequence = order.slice(0, i).filter((earlier) => earlier === tier).length;
        await queues.requestExit(tier, sequence);
      }
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

    it("knows from the first tier how many there are", async () => {
      const { queues } = await loadFixture(libraries);
      await queues.put(0, queue());
      expect((await queues.get(0)).tiers).to.equal(1);
      await queues.put(1, queue());
      await queues.put(0, queue({ funded: 1 }));
      expect((await queues.get(0)).tiers).to.equal(2);
      expect((await queues.get(1)).tiers).to.equal(0);
    });
  });
});
