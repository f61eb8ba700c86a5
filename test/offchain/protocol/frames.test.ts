import { expect } from "chai";
import {
  cutoffOf,
  epochOf,
  firstSlotOf,
  frameSeconds,
  frameSlots,
  isRefSlot,
  lastRefSlotAt,
  nextRefSlot,
  refSlotOf,
  rollCutoff,
  slotAt,
  slotTime,
} from "../../../offchain/protocol/frames.ts";
import type { FrameConfig } from "../../../offchain/protocol/frames.ts";
import { forSeeds } from "./random.ts";

/** Mainnet's genesis, days of 225 epochs. */
const daily: FrameConfig = { genesisTime: 1_606_824_023n, initialEpoch: 1_000n, epochsPerFrame: 225n };

describe("frames", () => {
  it("count slots, epochs and seconds as the beacon chain does", () => {
    expect(slotTime(0n, daily.genesisTime)).to.equal(1_606_824_023n);
    expect(slotTime(100n, daily.genesisTime)).to.equal(1_606_825_223n);
    expect(slotAt(1_606_824_022n, daily.genesisTime)).to.be.undefined;
    expect(slotAt(1_606_824_034n, daily.genesisTime)).to.equal(0n);
    expect(slotAt(1_606_824_035n, daily.genesisTime)).to.equal(1n);
    expect(epochOf(31n)).to.equal(0n);
    expect(epochOf(32n)).to.equal(1n);
    expect(firstSlotOf(2n)).to.equal(64n);
    expect(frameSlots(daily)).to.equal(7_200n);
    expect(frameSeconds(daily)).to.equal(86_400n);
  });

  it("end in the last slot of their last epoch", () => {
    expect(refSlotOf(-1n, daily)).to.equal(31_999n);
    expect(refSlotOf(0n, daily)).to.equal(39_199n);
    expect(refSlotOf(1n, daily)).to.equal(46_399n);
    expect(nextRefSlot(39_199n, daily)).to.equal(46_399n);
    expect(isRefSlot(39_199n, daily)).to.be.true;
    expect(isRefSlot(39_198n, daily)).to.be.false;
    expect(isRefSlot(39_200n, daily)).to.be.false;
    expect(isRefSlot(31_999n, daily)).to.be.false; // before the first frame
    expect(cutoffOf(39_199n, daily, 600n)).to.equal(1_606_824_023n + 39_199n * 12n - 600n);
  });

  it("find the reference slot at a time", () => {
    const first = slotTime(39_199n, daily.genesisTime);
    expect(lastRefSlotAt(0n, daily)).to.be.undefined;
    expect(lastRefSlotAt(first - 1n, daily)).to.be.undefined;
    expect(lastRefSlotAt(first, daily)).to.equal(39_199n);
    expect(lastRefSlotAt(first + 86_399n, daily)).to.equal(39_199n);
    expect(lastRefSlotAt(first + 86_400n, daily)).to.equal(46_399n);
    forSeeds(300, (random) => {
      const time = first + random.magnitude(0n, 10n ** 10n);
      const slot = lastRefSlotAt(time, daily);
      if (slot === undefined) throw new Error("none");
      expect(isRefSlot(slot, daily)).to.be.true;
      expect(slotTime(slot, daily.genesisTime) <= time).to.be.true;
      expect(slotTime(nextRefSlot(slot, daily), daily.genesisTime) > time).to.be.true;
    });
  });

  it("roll a cut-off forward to the first at or after now", () => {
    expect(rollCutoff(100n, 99n, 10n)).to.equal(100n);
    expect(rollCutoff(100n, 100n, 10n)).to.equal(100n);
    expect(rollCutoff(100n, 101n, 10n)).to.equal(110n);
    expect(rollCutoff(100n, 110n, 10n)).to.equal(110n);
    expect(rollCutoff(100n, 111n, 10n)).to.equal(120n);
    expect(rollCutoff(100n, 1_000n, 10n)).to.equal(1_000n);
  });
});
