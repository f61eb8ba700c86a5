import { expect } from "chai";
import {
  rateDown,
  rateUp,
  toEtherDisplayed,
  toEtherDown,
  toEtherUp,
  toSharesDown,
  toSharesUp,
  transferredShares,
  valueAtRate,
} from "../../../offchain/protocol/shares.ts";
import type { Totals } from "../../../offchain/protocol/shares.ts";
import { ETHER, RAY, ray, shares, units, wei } from "../../../offchain/protocol/units.ts";
import type { Random } from "./random.ts";
import { forSeeds } from "./random.ts";

const MAX_ETHER = 120_000_000n * ETHER;
/** The largest rate that the token accepts, in rays: 104 bits. */
const MAX_RATE = 2n ** 104n - 1n;

function totalsOf(ether: bigint, shares_: bigint): Totals {
  return { ether: wei(ether), shares: shares(shares_) };
}

/** Totals as they may come: from 0.01 ETH to the whole supply, from a 50% loss at the start to a century of compounding. */
function anyTotals(random: Random): Totals {
  const ether = random.magnitude(ETHER / 100n, MAX_ETHER);
  const rate = random.chance(1n, 2n) ? random.between(RAY / 2n, 2n * RAY) : random.magnitude(RAY / 2n, MAX_RATE);
  return totalsOf(ether, (ether * 10n ** 36n) / rate);
}

describe("conversions between ether and shares", () => {
  it("round as their names say, on numbers worked out by hand", () => {
    const totals = totalsOf(3n, 2_000_000_000n); // a wei is worth 666,666,666 2/3 shares
    expect(toSharesDown(wei(1n), totals)).to.equal(666_666_666n);
    expect(toSharesUp(wei(1n), totals)).to.equal(666_666_667n);
    expect(toSharesDown(wei(3n), totals)).to.equal(2_000_000_000n);
    expect(toSharesUp(wei(3n), totals)).to.equal(2_000_000_000n);
    expect(toEtherDown(shares(1_333_333_333n), totals)).to.equal(1n); // 1.9999999995
    expect(toEtherUp(shares(1_333_333_333n), totals)).to.equal(2n);
    expect(toEtherUp(shares(1n), totals)).to.equal(1n);
    expect(toEtherDown(shares(0n), totals)).to.equal(0n);
    expect(toEtherUp(shares(0n), totals)).to.equal(0n);
  });

  it("show a shortfall of up to 1/1024 wei as nothing, and a larger one", () => {
    const totals = totalsOf(1024n, 1_024_000n); // a wei is 1000 shares, 1/1024 wei is short of one share
    expect(toEtherDisplayed(shares(1_000n), totals)).to.equal(1n);
    expect(toEtherDisplayed(shares(999n), totals)).to.equal(0n); // 1/1000 wei is missing: more than 1/1024
    const fine = totalsOf(1_000n, 1_024_000_000n); // a wei is 1,024,000 shares, 1/1024 wei is 1000 shares
    expect(toEtherDisplayed(shares(1_023_000n), fine)).to.equal(1n);
    expect(toEtherDisplayed(shares(1_022_999n), fine)).to.equal(0n);
  });

  it("give the genesis rate in rays, exactly, and round others both ways", () => {
    expect(rateDown(totalsOf(10n ** 16n, 10n ** 25n))).to.equal(RAY);
    expect(rateUp(totalsOf(10n ** 16n, 10n ** 25n))).to.equal(RAY);
    expect(rateDown(totalsOf(1n, 3n * 10n ** 9n))).to.equal(RAY / 3n);
    expect(rateUp(totalsOf(1n, 3n * 10n ** 9n))).to.equal(RAY / 3n + 1n);
    expect(valueAtRate(units(10n), ray(RAY + 1n))).to.equal(10n);
    expect(valueAtRate(units(10n), ray(RAY - 1n))).to.equal(9n);
  });

  it("never profit from a round trip, and lose less than a wei and what a share is worth", () => {
    forSeeds(2_000, (random) => {
      const totals = anyTotals(random);
      const amount = wei(random.magnitude(1n, MAX_ETHER));
      const down = toSharesDown(amount, totals);
      const back = toEtherDown(down, totals);
      expect(back <= amount).to.be.true;
      expect(amount - back <= 1n + totals.ether / totals.shares).to.be.true;
      expect(toEtherUp(down, totals) <= amount).to.be.true;
      expect(toEtherDown(toSharesUp(amount, totals), totals) >= amount).to.be.true;
      expect(toSharesUp(amount, totals) - down).to.be.oneOf([0n, 1n]);
      expect(rateUp(totals) - rateDown(totals)).to.be.oneOf([0n, 1n]);
    });
  });

  it("show a deposit as exactly what was deposited", () => {
    forSeeds(2_000, (random) => {
      const totals = anyTotals(random);
      const amount = wei(random.magnitude(1n, MAX_ETHER));
      const minted = toSharesDown(amount, totals);
      const after = totalsOf(totals.ether + amount, totals.shares + minted);
      expect(toEtherDisplayed(minted, after)).to.equal(amount);
    });
  });

  it("show a sum of balances that exceeds the total by at most n/1024 wei", () => {
    forSeeds(300, (random) => {
      const totals = anyTotals(random);
      let [left, shown] = [totals.shares as bigint, 0n];
      const accounts = random.between(2n, 50n);
      for (let i = 1n; i < accounts; i++) {
        const part = random.magnitude(0n, left);
        left -= part;
        shown += toEtherDisplayed(shares(part), totals);
      }
      shown += toEtherDisplayed(shares(left), totals);
      expect((shown - totals.ether) * 1024n <= accounts).to.be.true;
    });
  });
});

describe("a transfer", () => {
  it("of the displayed balance always succeeds and empties the account", () => {
    forSeeds(2_000, (random) => {
      const totals = anyTotals(random);
      const held = shares(random.magnitude(1n, totals.shares));
      const moved = transferredShares(toEtherDisplayed(held, totals), held, totals);
      expect(moved !== undefined && held - moved < totals.shares / totals.ether + 1n).to.be.true;
    });
  });

  it("of the displayed balance leaves no share behind where a wei was deposited", () => {
    forSeeds(2_000, (random) => {
      const totals = anyTotals(random);
      const held = toSharesDown(wei(random.magnitude(1n, totals.ether)), totals);
      expect(transferredShares(toEtherDisplayed(held, totals), held, totals)).to.equal(held);
    });
  });

  it("of a wei more than the displayed balance is refused", () => {
    forSeeds(500, (random) => {
      const totals = anyTotals(random);
      const held = shares(random.magnitude(0n, totals.shares));
      const tooMuch = wei(toEtherDisplayed(held, totals) + 1n);
      expect(transferredShares(tooMuch, held, totals)).to.be.undefined;
    });
  });

  it("changes each side by its amount, or by a wei more or less at a boundary", () => {
    let inexact = 0;
    forSeeds(4_000, (random) => {
      const ether = random.magnitude(ETHER, MAX_ETHER);
      const totals = totalsOf(ether, (ether * 10n ** 36n) / random.between(RAY, 2n * RAY));
      const from = shares(random.magnitude(10n ** 9n, totals.shares / 2n));
      const to = shares(random.magnitude(0n, totals.shares / 2n));
      const amount = wei(random.magnitude(0n, toEtherDisplayed(from, totals)));
      const moved = transferredShares(amount, from, totals);
      if (moved === undefined) throw new Error("refused");
      const spent = toEtherDisplayed(from, totals) - toEtherDisplayed(shares(from - moved), totals);
      const received = toEtherDisplayed(shares(to + moved), totals) - toEtherDisplayed(to, totals);
      expect(spent - amount).to.be.oneOf([-1n, 0n, 1n]);
      expect(received - amount).to.be.oneOf([-1n, 0n, 1n]);
      if (spent !== amount || received !== amount) inexact++;
    });
    expect(inexact).to.equal(0);
  });

  it("is off by a wei where a balance lies a share below the boundary of what it shows", () => {
    const totals = totalsOf(10n ** 18n + 3n, 10n ** 27n + 7n);
    const held = shares(6_463_301_848_414_370_979_633_532n); // (held * T + S / 1024) mod S = S - 1
    const moved = transferredShares(wei(1_000n), held, totals);
    expect(moved).to.equal(999_999_999_999n); // 1e12 - 1: a fraction of a share is lost
    const left = shares(held - (moved ?? 0n));
    expect(toEtherDisplayed(held, totals) - toEtherDisplayed(left, totals)).to.equal(999n);
  });
});
