import { expect } from "chai";
import { isLeaving } from "../../../offchain/protocol/leaving.ts";

const FAR = 2n ** 64n - 1n;
const EPOCH = 10_000n;
const FORTNIGHT = 14n * 225n;

const at = (exitEpoch: bigint, withdrawableEpoch: bigint, slashed = false) =>
  isLeaving({ slashed, exitEpoch, withdrawableEpoch }, EPOCH);

describe("a validator's balance is on its way out", () => {
  it("from the moment at which its exit is set, however far it is", () => {
    expect(at(FAR, FAR)).to.equal(false);
    expect(at(FAR - 1n, FAR)).to.equal(true);
    expect(at(EPOCH + 5n, EPOCH + 261n)).to.equal(true);
    // an exit queue of 46 days: whoever is asked now comes later still
    expect(at(EPOCH + 46n * 225n, EPOCH + 46n * 225n + 256n)).to.equal(true);
  });

  it("until a report no longer has it: exited and withdrawable ones count for what they still hold", () => {
    expect(at(EPOCH, EPOCH + 256n)).to.equal(true);
    expect(at(EPOCH - 300n, EPOCH - 44n)).to.equal(true);
    expect(at(0n, 0n)).to.equal(true);
  });

  it("if it is slashed, within fourteen days of its withdrawal only", () => {
    const slashed = (withdrawableEpoch: bigint) => at(EPOCH - 10n, withdrawableEpoch, true);
    expect(slashed(EPOCH + 8_192n)).to.equal(false);
    expect(slashed(EPOCH + FORTNIGHT + 1n)).to.equal(false);
    expect(slashed(EPOCH + FORTNIGHT)).to.equal(true);
    expect(slashed(EPOCH - 1n)).to.equal(true);
    expect(at(FAR, FAR, true)).to.equal(false);
  });
});
