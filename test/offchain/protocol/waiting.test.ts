import { expect } from "chai";
import { estimateWait } from "../../../offchain/protocol/waiting.ts";
import type { WaitInputs } from "../../../offchain/protocol/waiting.ts";
import { ETHER, wei } from "../../../offchain/protocol/units.ts";

const HOUR = 3_600n;
const DAY = 24n * HOUR;

/** Reported at 10 days, an hour after its reference; the round ends an hour before the next reference. */
const INPUTS: WaitInputs = {
  now: 10n * DAY + 2n * HOUR,
  roundEnd: 11n * DAY - HOUR,
  ahead: wei(ETHER),
  buffer: wei(5n * ETHER),
  inflowPerSecond: wei(0n),
  lastRefTime: 10n * DAY,
  secondsPerFrame: DAY,
  finalisationMargin: HOUR,
  reportDelay: HOUR,
};

describe("the wait of a withdrawal request", () => {
  it("is until the first report whose cut-off is not before the end of its round", () => {
    expect(estimateWait(INPUTS)).to.deep.equal({
      earliest: 11n * DAY + HOUR,
      expected: 11n * DAY + HOUR,
      reason: "report",
    });
    expect(estimateWait({ ...INPUTS, roundEnd: INPUTS.roundEnd + 1n }).earliest).to.equal(12n * DAY + HOUR);
    expect(estimateWait({ ...INPUTS, roundEnd: 8n * DAY }).earliest).to.equal(11n * DAY + HOUR);
  });

  it("is never in the past when reports are missing", () => {
    for (const late of [1n, 3n, 10n]) {
      const now = 10n * DAY + late * DAY;
      const { earliest, expected } = estimateWait({ ...INPUTS, now });
      expect(earliest >= now && expected >= now, `${late} days`).to.equal(true);
    }
  });

  it("is until enough ether came in, where that is before exits bring it", () => {
    const inflowPerSecond = wei(ETHER / DAY);
    const two = estimateWait({ ...INPUTS, ahead: wei(7n * ETHER), inflowPerSecond });
    expect(two).to.include({ reason: "inflow", expected: 13n * DAY + HOUR });
    const slow = estimateWait({ ...INPUTS, ahead: wei(50n * ETHER), inflowPerSecond });
    expect(slow).to.include({ reason: "exits", expected: 16n * DAY + HOUR });
    const quick = estimateWait({ ...INPUTS, ahead: wei(50n * ETHER), exitSeconds: 2n * DAY });
    expect(quick).to.include({ reason: "exits", expected: 13n * DAY + HOUR });
  });

  it("never ends before the round can be settled, however much comes in", () => {
    const { earliest, expected } = estimateWait({
      ...INPUTS,
      roundEnd: 14n * DAY,
      ahead: wei(6n * ETHER),
      inflowPerSecond: wei(ETHER),
    });
    expect(expected)
      .to.equal(earliest)
      .and.to.equal(15n * DAY + HOUR);
  });
});
