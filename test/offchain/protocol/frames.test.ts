import { expect } from "chai";
import {
  countedTime,
  epochOf,
  firstSlotOf,
  frameSeconds,
  isRefSlot,
  lastRefSlotAt,
  rollCutoff,
  scheduleOf,
  slotAt,
  slotTime,
} from "../../../offchain/protocol/frames.ts";
import type { Grid } from "../../../offchain/protocol/frames.ts";
import { forSeeds } from "./random.ts";

/** Mainnet's genesis, days of 225 epochs. */
const daily: Grid = {
  genesisTime: 1_606_824_023n,
  firstRefSlot: 31_999n,
  slotsPerFrame: 7_200n,
  finalisationMargin: 600n,
  grace: 3_600n,
};

describe("frames", () => {
  it("count slots, epochs and seconds as the beacon chain does", () => {
    expect(slotTime(0n, daily.genesisTime)).to.equal(1_606_824_023n);
    expect(slotTime(100n, daily.genesisTime)).to.equal(1_606_825_223n);
    expect(slotAt(1_606_824_022n, daily.genesisTime)).to.be.undefined;
    expect(slotAt(1_606_824_023n, daily.genesisTime)).to.equal(0n);
    expect(slotAt(1_606_824_034n, daily.genesisTime)).to.equal(0n);
    expect(slotAt(1_606_824_035n, daily.genesisTime)).to.equal(1n);
    expect(epochOf(31n)).to.equal(0n);
    expect(epochOf(32n)).to.equal(1n);
    expect(firstSlotOf(2n)).to.equal(64n);
    expect(frameSeconds(daily)).to.equal(86_400n);
  });

  it("end in the last slot of an epoch, a whole number of frames after the first", () => {
    expect(isRefSlot(39_199n, daily)).to.be.true;
    expect(isRefSlot(46_399n, daily)).to.be.true;
    expect(isRefSlot(39_198n, daily)).to.be.false;
    expect(isRefSlot(39_200n, daily)).to.be.false;
    expect(isRefSlot(31_999n, daily)).to.be.false; // counts as reported
    expect(isRefSlot(24_799n, daily)).to.be.false;
  });

  it("find the reference slot at a time", () => {
    const first = slotTime(39_199n, daily.genesisTime);
    expect(lastRefSlotAt(0n, daily)).to.equal(31_999n);
    expect(lastRefSlotAt(first - 86_401n, daily)).to.equal(31_999n);
    expect(lastRefSlotAt(first - 1n, daily)).to.equal(31_999n);
    expect(lastRefSlotAt(first, daily)).to.equal(39_199n);
    expect(lastRefSlotAt(first + 86_399n, daily)).to.equal(39_199n);
    expect(lastRefSlotAt(first + 86_400n, daily)).to.equal(46_399n);
    forSeeds(300, (random) => {
      const time = first + random.magnitude(0n, 10n ** 10n);
      const slot = lastRefSlotAt(time, daily);
      expect(isRefSlot(slot, daily)).to.be.true;
      expect(slotTime(slot, daily.genesisTime) <= time).to.be.true;
      expect(slotTime(slot + daily.slotsPerFrame, daily.genesisTime) > time).to.be.true;
    });
  });

  it("count at most two of them in a report", () => {
    expect(countedTime(39_199n, 31_999n, daily)).to.equal(86_400n);
    expect(countedTime(46_399n, 31_999n, daily)).to.equal(172_800n);
    expect(countedTime(53_599n, 31_999n, daily)).to.equal(172_800n);
  });

  it("decide when rounds are cut off and deposits pause", () => {
    const refTime = 1_606_824_023n + 39_199n * 12n;
    expect(scheduleOf(39_199n, daily)).to.deep.equal({
      refTime,
      cutoff: refTime - 600n,
      nextCutoff: refTime + 85_800n,
      openUntil: refTime + 90_000n,
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
