import { expect } from "chai";
import {
  burnable,
  fell,
  feeOn,
  grossChange,
  maxGain,
  recognise,
  divisible,
  splitFee,
} from "../../../offchain/protocol/rebase.ts";
import { rateDown, rateUp } from "../../../offchain/protocol/shares.ts";
import type { Totals } from "../../../offchain/protocol/shares.ts";
import { BP, DAY, ETHER, RAY, YEAR, bp, ray, shares, wei } from "../../../offchain/protocol/units.ts";
import type { Random } from "./random.ts";
import { forSeeds } from "./random.ts";

const MAX_ETHER = 120_000_000n * ETHER;
const totalsOf = (ether: bigint, shares_: bigint): Totals => ({ ether: wei(ether), shares: shares(shares_) });
/** 100 ETH at the genesis rate. */
const hundred = totalsOf(100n * ETHER, 10n ** 29n);
const tenPercent = bp(1_000n);

function anyTotals(random: Random): Totals {
  const ether = random.magnitude(ETHER / 100n, MAX_ETHER);
  return totalsOf(ether, (ether * 10n ** 36n) / random.magnitude(RAY / 2n, 2n ** 104n - 1n));
}

describe("what a report counts", () => {
  it("is the change of validators less what was funded, with both vaults and what was held back", () => {
    const change = {
      clLast: wei(64n * ETHER),
      cl: wei(97n * ETHER),
      fundedAtLastRef: wei(64n * ETHER),
      fundedAtRef: wei(96n * ETHER),
      fromWithdrawalVault: wei(3n),
      fromRewardsVault: wei(5n),
      heldBack: wei(7n),
    };
    expect(grossChange(change)).to.equal(ETHER + 15n);
    expect(grossChange({ ...change, cl: wei(64n * ETHER) })).to.equal(15n - 32n * ETHER);
  });
});

describe("a gain", () => {
  it("is limited by the yearly rate and the time", () => {
    expect(maxGain(wei(100n * ETHER), tenPercent, YEAR)).to.equal(10n * ETHER);
    expect(maxGain(wei(100n * ETHER), tenPercent, DAY)).to.equal(27_397_260_273_972_602n); // 10 / 365 ETH
    expect(maxGain(wei(100n * ETHER), tenPercent, 0n)).to.equal(0n);
    expect(maxGain(wei(3n), tenPercent, YEAR)).to.equal(0n);
  });

  it("above the limit is held back, to the wei; at the limit it is not", () => {
    const limit = 27_397_260_273_972_602n;
    const at = (gross: bigint) => recognise(wei(gross), wei(100n * ETHER), tenPercent, DAY);
    expect(at(limit)).to.deep.equal({ recognised: limit, heldBack: 0n });
    expect(at(limit + 1n)).to.deep.equal({ recognised: limit, heldBack: 1n });
    expect(at(MAX_ETHER)).to.deep.equal({ recognised: limit, heldBack: MAX_ETHER - limit });
  });

  it("that is a fall is taken whole", () => {
    expect(recognise(wei(-50n * ETHER), wei(100n * ETHER), tenPercent, DAY)).to.deep.equal({
      recognised: -50n * ETHER,
      heldBack: 0n,
    });
    expect(recognise(wei(-1n), wei(100n * ETHER), tenPercent, 0n)).to.deep.equal({ recognised: -1n, heldBack: 0n });
  });
});

describe("the fee", () => {
  it("is a tenth of a gain above the high-water rate, in shares worth it afterwards", () => {
    const gain = wei(20_000_000_000_000_000n); // 0.02 ETH
    const { fee, feeShares } = feeOn(gain, wei(hundred.ether + gain), hundred.shares, RAY, tenPercent);
    expect(fee).to.equal(2_000_000_000_000_000n);
    expect(feeShares).to.equal(1_999_640_064_788_338_099_142_154n); // 0.002 / 100.018 of 1e29
  });

  it("spares the recovery of a loss: only what is above the high-water rate counts", () => {
    const highWater = ray((RAY * 10_100n) / 10_000n); // 1% above the present rate: 101 ETH for these shares
    const feeFor = (gain: bigint) =>
      feeOn(wei(gain), wei(hundred.ether + gain), hundred.shares, highWater, tenPercent).fee;
    expect(feeFor(ETHER - 1n)).to.equal(0n);
    expect(feeFor(ETHER)).to.equal(0n);
    expect(feeFor(ETHER + 9n)).to.equal(0n);
    expect(feeFor(ETHER + 10n)).to.equal(1n);
    expect(feeFor(3n * ETHER)).to.equal(ETHER / 5n);
  });

  it("is none on a loss, on nothing, or at a rate of zero", () => {
    const none = { fee: 0n, feeShares: 0n };
    expect(feeOn(wei(-5n), wei(hundred.ether - 5n), hundred.shares, ray(0n), tenPercent)).to.deep.equal(none);
    expect(feeOn(wei(0n), hundred.ether, hundred.shares, ray(0n), tenPercent)).to.deep.equal(none);
    expect(feeOn(wei(5n), wei(hundred.ether + 5n), hundred.shares, ray(0n), bp(0n))).to.deep.equal(none);
  });

  it("is at most its part of the gain, never takes the rate under the high-water mark, and its shares are worth no more", () => {
    forSeeds(2_000, (random) => {
      const before = anyTotals(random);
      const gain = wei(random.magnitude(0n, before.ether));
      const feeBp = bp(random.between(0n, 2_000n));
      const highWater = random.chance(1n, 2n) ? rateUp(before) : ray(random.between(RAY / 4n, 2n * rateUp(before)));
      const grown = wei(before.ether + gain);
      const { fee, feeShares } = feeOn(gain, grown, before.shares, highWater, feeBp);
      expect(fee * BP <= gain * feeBp).to.be.true;
      const after = totalsOf(grown, before.shares + feeShares);
      expect(feeShares * after.ether <= fee * after.shares).to.be.true;
      if (fee > 0n) expect(rateUp(after) >= highWater).to.be.true;
    });
  });

  it("is divided in whole units of 1e9 shares", () => {
    for (const [undivided, whole] of [
      [0n, 0n],
      [999_999_999n, 0n],
      [1_000_000_000n, 1_000_000_000n],
      [3_999_999_999n, 3_000_000_000n],
    ] as const)
      expect(divisible(shares(undivided))).to.equal(whole);
  });

  it("goes to operators by weight, in whole multiples, and the rest to the treasury", () => {
    // three validators of 500 bp, of a fee of 1000 bp: half
    expect(splitFee(shares(10_000n), tenPercent, { total: 1_500n, active: 3n })).to.deep.equal({
      increment: 3n, // 5000 / 1500
      operatorShares: 4_500n,
      treasuryShares: 5_500n,
    });
    // one of three has stopped earning
    expect(splitFee(shares(10_000n), tenPercent, { total: 1_000n, active: 3n })).to.deep.equal({
      increment: 3n, // 3333 / 1000
      operatorShares: 3_000n,
      treasuryShares: 7_000n,
    });
    const nobody = { increment: 0n, operatorShares: 0n, treasuryShares: 10_000n };
    expect(splitFee(shares(10_000n), tenPercent, { total: 0n, active: 0n })).to.deep.equal(nobody);
    expect(splitFee(shares(10_000n), bp(0n), { total: 500n, active: 1n })).to.deep.equal(nobody);
    // weights above the fee get all of it, no more
    expect(splitFee(shares(10_000n), bp(100n), { total: 500n, active: 1n })).to.deep.equal({
      increment: 20n,
      operatorShares: 10_000n,
      treasuryShares: 0n,
    });
  });
});

describe("a fall of the rate", () => {
  it("is measured against a limit in basis points, exactly", () => {
    const before = totalsOf(1_000_000n, 13n);
    const one = bp(1n);
    expect(fell(before, totalsOf(1_000_000n, 13n), one)).to.be.false;
    expect(fell(before, totalsOf(999_900n, 13n), one)).to.be.false;
    expect(fell(before, totalsOf(999_899n, 13n), one)).to.be.true;
    expect(fell(totalsOf(9_999n, 9_999n), totalsOf(9_999n, 10_000n), one)).to.be.false;
    expect(fell(totalsOf(9_999n, 9_998n), totalsOf(9_999n, 10_000n), one)).to.be.true;
    expect(fell(before, totalsOf(999_500n, 13n), bp(5n))).to.be.false;
    expect(fell(before, totalsOf(999_499n, 13n), bp(5n))).to.be.true;
    expect(fell(before, totalsOf(999_999n, 13n), bp(0n))).to.be.true;
  });
});

describe("the burn of cover", () => {
  it("raises the rate by no more than the yearly rate allows", () => {
    // after a loss of nothing, one day at 10%: 1e29 - ceil(1e29 * 365 / 365.1)
    expect(burnable(shares(10n ** 27n), hundred.shares, hundred.ether, hundred, tenPercent, DAY)).to.equal(
      27_389_756_231_169_542_591_070_939n,
    );
    expect(burnable(shares(5n), hundred.shares, hundred.ether, hundred, tenPercent, DAY)).to.equal(5n);
    expect(burnable(shares(5n), hundred.shares, hundred.ether, hundred, tenPercent, 0n)).to.equal(0n);
  });

  it("burns all shares of what was paid: paying at the current rate needs no allowance", () => {
    const left = wei(60n * ETHER);
    expect(burnable(shares(4n * 10n ** 28n), hundred.shares, left, hundred, tenPercent, 0n)).to.equal(4n * 10n ** 28n);
  });

  it("stops where the gain has used up the allowance, and saturates beyond", () => {
    const atLimit = wei(hundred.ether + maxGain(hundred.ether, tenPercent, DAY));
    const burned = burnable(shares(10n ** 27n), hundred.shares, atLimit, hundred, tenPercent, DAY);
    expect(burned < 10n ** 9n).to.be.true; // what the gain's rounding left: less than a wei
    for (const excess of [1n, ETHER]) {
      const over = wei(atLimit + excess);
      expect(burnable(shares(10n ** 27n), hundred.shares, over, hundred, tenPercent, DAY)).to.equal(0n);
    }
  });

  it("restores a loss from cover at once, for a loss has lowered the rate", () => {
    const left = wei(99n * ETHER);
    expect(burnable(shares(10n ** 27n), hundred.shares, left, hundred, tenPercent, DAY)).to.equal(10n ** 27n);
  });

  it("never takes the rate over the limit, and stops within a share of it", () => {
    forSeeds(3_000, (random) => {
      const before = anyTotals(random);
      const elapsed = random.between(0n, 2n * DAY);
      const maxApr = bp(random.between(0n, 3_650n));
      const left = wei(random.magnitude(1n, 2n * before.ether));
      const minted = shares(before.shares + random.magnitude(0n, before.shares / 100n));
      const cover = shares(random.magnitude(0n, before.shares));
      const burned = burnable(cover, minted, left, before, maxApr, elapsed);
      const year = BP * YEAR;
      /** Whether T'' / (S' - burned) is within the limit, exactly. */
      const isWithin = (burn: bigint) =>
        left * before.shares * year <= (minted - burn) * before.ether * (year + maxApr * elapsed);
      expect(burned >= 0n && burned <= cover).to.be.true;
      if (burned > 0n) expect(isWithin(burned)).to.be.true;
      if (burned < cover) expect(isWithin(burned + 1n)).to.be.false;
    });
  });
});

describe("a whole year of reports", () => {
  it("at the limit compounds to what the limit says, less the fee", () => {
    let totals = hundred;
    for (let day = 0; day < 365; day++) {
      const gain = maxGain(totals.ether, tenPercent, DAY);
      const grown = wei(totals.ether + gain);
      const { feeShares } = feeOn(gain, grown, totals.shares, rateUp(totals), tenPercent);
      totals = totalsOf(grown, totals.shares + feeShares);
    }
    // (1 + 0.1 / 365 * 0.9 - ...)^365: the fee is a tenth of each day's gain
    const growth = Number(rateDown(totals)) / Number(RAY);
    expect(Math.abs(growth - (1 + (0.1 * 0.9) / 365) ** 365) < 1e-9, `grew ${growth} times`).to.equal(true);
  });
});
