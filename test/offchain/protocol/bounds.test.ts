import { expect } from "chai";
import { aprBp } from "../../../offchain/protocol/apr.ts";
import { atStake, passMark, requiredBond } from "../../../offchain/protocol/bond.ts";
import {
  FALL_WINDOW,
  fallBp,
  fallsInWindow,
  judge,
  majorityOf,
  supermajorityOf,
} from "../../../offchain/protocol/bounds.ts";
import { allowanceAt, maxFeeShares, rateRise } from "../../../offchain/protocol/rails.ts";
import { feeOn } from "../../../offchain/protocol/rebase.ts";
import type { Totals } from "../../../offchain/protocol/shares.ts";
import { DAY, ETHER, YEAR, bp, ray, shares, wei } from "../../../offchain/protocol/units.ts";
import { forSeeds } from "./random.ts";

const totalsOf = (ether: bigint, shares_: bigint): Totals => ({ ether: wei(ether), shares: shares(shares_) });
const before = totalsOf(10_000n, 7n);

describe("the depth of a fall", () => {
  it("is counted in basis points, rounded up, and never negative", () => {
    expect(fallBp(before, totalsOf(10_000n, 7n))).to.equal(0n);
    expect(fallBp(before, totalsOf(10_001n, 7n))).to.equal(0n);
    expect(fallBp(before, totalsOf(9_999n, 7n))).to.equal(1n);
    expect(fallBp(before, totalsOf(9_950n, 7n))).to.equal(50n);
    expect(fallBp(before, totalsOf(5_000n, 7n))).to.equal(5_000n);
    expect(fallBp(before, totalsOf(10_000n, 14n))).to.equal(5_000n);
    expect(fallBp(totalsOf(1_000_000n, 7n), totalsOf(999_899n, 7n))).to.equal(2n); // 1.01 bp
    expect(fallBp(totalsOf(3n, 2n), totalsOf(4n, 3n))).to.equal(1_112n); // a ninth
  });

  it("asks for more signatures the deeper it is", () => {
    const verdict = (ether: bigint, earlier = 0n, quorum = 5n) => {
      const falls = [{ time: 1_000n, fallBp: bp(earlier) }];
      return judge(before, totalsOf(ether, 7n), falls, 1_000n, { quorum, members: 9n });
    };
    const expected = (pausesDeposits: boolean, signaturesNeeded: bigint, needsGovernance: boolean) => ({
      pausesDeposits,
      signaturesNeeded,
      needsGovernance,
    });
    expect(verdict(9_995n)).to.include(expected(false, 5n, false));
    expect(verdict(9_994n)).to.include(expected(true, 5n, false));
    expect(verdict(9_950n)).to.include(expected(true, 5n, false));
    expect(verdict(9_949n)).to.include(expected(true, 7n, false));
    expect(verdict(9_949n, 0n, 8n)).to.include(expected(true, 8n, false));
    expect(verdict(9_700n)).to.include({ ...expected(true, 7n, false), fallBp: 300n, inWindowBp: 300n });
    expect(verdict(9_699n)).to.include(expected(true, 7n, true));
    expect(verdict(9_999n, 299n)).to.include(expected(false, 5n, false));
    expect(verdict(9_999n, 300n)).to.include({ ...expected(false, 5n, true), inWindowBp: 301n });
    expect(verdict(10_001n, 301n)).to.include(expected(false, 5n, false)); // a rise is never held up
  });

  it("is remembered for thirty days", () => {
    const falls = [
      { time: 100n, fallBp: bp(10n) },
      { time: 200n, fallBp: bp(20n) },
    ];
    expect(FALL_WINDOW).to.equal(2_592_000n);
    expect(fallsInWindow(falls, 200n)).to.equal(30n);
    expect(fallsInWindow(falls, 99n + FALL_WINDOW)).to.equal(30n);
    expect(fallsInWindow(falls, 100n + FALL_WINDOW)).to.equal(20n);
    expect(fallsInWindow(falls, 200n + FALL_WINDOW)).to.equal(0n);
  });

  it("needs more than a half, or more than two thirds, of the members", () => {
    expect([1n, 2n, 3n, 4n, 5n, 9n].map(majorityOf)).to.deep.equal([1n, 2n, 2n, 3n, 3n, 5n]);
    expect([1n, 2n, 3n, 4n, 5n, 9n].map(supermajorityOf)).to.deep.equal([1n, 2n, 3n, 3n, 4n, 7n]);
    forSeeds(200, (random) => {
      const n = random.magnitude(1n, 10_000n);
      expect(majorityOf(n) * 2n > n && (majorityOf(n) - 1n) * 2n <= n).to.be.true;
      expect(supermajorityOf(n) * 3n > 2n * n && (supermajorityOf(n) - 1n) * 3n <= 2n * n).to.be.true;
    });
  });
});

describe("the token's rails", () => {
  it("refill by 10 bp a day, up to 30 days' worth", () => {
    const rails = { allowance: 5n, updatedAt: 1_000n };
    expect(allowanceAt(rails, 1_000n)).to.equal(5n);
    expect(allowanceAt(rails, 1_000n + DAY)).to.equal(10n ** 15n + 5n);
    expect(allowanceAt(rails, 1_001n)).to.equal(5n + 11_574_074_074n); // 1e15 / 86400, rounded down
    expect(allowanceAt(rails, 1_000n + 365n * DAY)).to.equal(3n * 10n ** 16n);
  });

  it("count a rise rounded up and a fall as none", () => {
    expect(rateRise(totalsOf(100n, 1n), totalsOf(101n, 1n))).to.equal(10n ** 16n);
    expect(rateRise(totalsOf(3n, 1n), totalsOf(4n, 1n))).to.equal(333_333_333_333_333_334n);
    expect(rateRise(totalsOf(3n, 1n), totalsOf(3n, 1n))).to.equal(0n);
    expect(rateRise(totalsOf(3n, 1n), totalsOf(2n, 1n))).to.equal(0n);
    expect(rateRise(totalsOf(100n, 101n), totalsOf(100n, 100n))).to.equal(10n ** 16n);
  });

  it("let a fee of a fifth of the gain pass, to the share, and no more", () => {
    expect(maxFeeShares(totalsOf(100n, 1_000n), wei(0n))).to.equal(0n);
    expect(maxFeeShares(totalsOf(100n, 1_000n), wei(-5n))).to.equal(0n);
    expect(maxFeeShares(totalsOf(100n, 1_000n), wei(25n))).to.equal(41n); // 5 * 1000 / 120
    forSeeds(500, (random) => {
      const ether = random.magnitude(ETHER / 100n, 120_000_000n * ETHER);
      const totals = totalsOf(ether, ether * random.between(1n, 2n * 10n ** 9n));
      const gain = wei(random.magnitude(0n, ether));
      const { feeShares } = feeOn(gain, wei(ether + gain), totals.shares, ray(0n), bp(2_000n));
      expect(feeShares).to.equal(maxFeeShares(totals, gain));
    });
  });
});

describe("the APR between two rebases", () => {
  it("is the growth of the rate, scaled to a year", () => {
    expect(aprBp(totalsOf(1_000n, 10n), totalsOf(1_001n, 10n), YEAR)).to.equal(10n);
    expect(aprBp(totalsOf(1_000n, 10n), totalsOf(1_001n, 10n), DAY)).to.equal(3_650n);
    expect(aprBp(totalsOf(1_000n, 10n), totalsOf(999n, 10n), DAY)).to.equal(-3_650n);
    expect(aprBp(totalsOf(1_000n, 10n), totalsOf(2_000n, 20n), DAY)).to.equal(0n);
    expect(aprBp(totalsOf(10n ** 18n, 10n), totalsOf(10n ** 18n + 1n, 10n), DAY)).to.equal(0n);
    expect(aprBp(totalsOf(10n ** 18n, 10n), totalsOf(10n ** 18n - 1n, 10n), DAY)).to.equal(0n);
  });
});

describe("the bond", () => {
  it("asks for a first validator and each further one, and passes at 98%", () => {
    expect(requiredBond(wei(10n), wei(3n), 0n)).to.equal(0n);
    expect(requiredBond(wei(10n), wei(3n), 1n)).to.equal(10n);
    expect(requiredBond(wei(10n), wei(3n), 5n)).to.equal(22n);
    expect(atStake(wei(7n), 2n)).to.equal(2n * ETHER + 7n);
    expect(passMark(wei(0n))).to.equal(0n);
    expect(passMark(wei(100n))).to.equal(98n);
    expect(passMark(wei(101n))).to.equal(99n); // 98.98
  });
});
