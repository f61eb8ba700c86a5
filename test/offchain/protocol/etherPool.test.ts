import { expect } from "chai";
import { ProtocolError } from "../../../offchain/protocol/errors.ts";
import {
  buyable,
  curveOf,
  marginalFee,
  quoteBuy,
  quoteEnter,
  quoteExit,
  quoteSell,
  quoteSellFor,
  rebatesToCome,
  roomOf,
  sellableWithin,
  valueOf,
} from "../../../offchain/protocol/etherPool.ts";
import type { EtherPool } from "../../../offchain/protocol/etherPool.ts";
import { ceilDiv, max, min } from "../../../offchain/protocol/integers.ts";
import type { Totals } from "../../../offchain/protocol/shares.ts";
import { BP, ETHER, RAY, bp, shares, units, wei } from "../../../offchain/protocol/units.ts";
import type { Bp, Units, Wei } from "../../../offchain/protocol/units.ts";
import { fromWrappedDown, fromWrappedUp, toWrappedDown } from "../../../offchain/protocol/wrapped.ts";
import { TERMS } from "./etherPools.ts";
import { forSeeds, fuzzFactor } from "./random.ts";
import type { Random } from "./random.ts";

const RUNS = 2_000 * fuzzFactor();
const MAX_ETHER = 120_000_000n * ETHER;

interface Case {
  readonly pool: EtherPool;
  readonly totals: Totals;
}

/** Any pool that can be: of a rate between a half and twenty, from the seed to a million ETH, from empty to above its target. */
function anyCase(random: Random): Case {
  const supply = wei(random.magnitude(ETHER / 10n, 1_000_000n * ETHER));
  const ether = random.chance(1n, 12n) ? 0n : random.magnitude(0n, supply);
  const minFeeBp = random.between(1n, 30n);
  const total = random.magnitude(2n * supply, MAX_ETHER);
  return {
    pool: {
      terms: random.chance(2n, 3n)
        ? TERMS
        : {
            minFeeBp: bp(minFeeBp),
            maxFeeBp: bp(random.between(minFeeBp + 1n, 500n)),
            targetBp: bp(random.between(1_000n, 8_000n)),
            rebateBp: bp(random.between(0n, 10_000n)),
            entryFeeBp: bp(random.between(0n, 10n)),
          },
      ether: wei(ether),
      units: units(random.magnitude(0n, supply)),
      supply,
    },
    totals: {
      ether: wei(total),
      shares: shares((total * 10n ** 36n) / random.magnitude(RAY / 2n, 20n * RAY)),
    },
  };
}

const afterSale = (pool: EtherPool, sold: Units, out: Wei): EtherPool => ({
  ...pool,
  ether: wei(pool.ether - out),
  units: units(pool.units + sold),
});

const afterPurchase = (pool: EtherPool, paid: Wei, got: Units): EtherPool => ({
  ...pool,
  ether: wei(pool.ether + paid),
  units: units(pool.units - got),
});

/** What the quote gives; undefined where the pool refuses for one of these reasons. */
function orRefused<T>(quote: () => T, ...reasons: readonly string[]): T | undefined {
  try {
    return quote();
  } catch (error) {
    if (error instanceof ProtocolError && reasons.includes(error.errorName)) return undefined;
    throw error;
  }
}

/** The most units that a sale may bring: what all ether costs. */
function anySale({ pool, totals }: Case, random: Random): Units {
  return units(random.magnitude(0n, pool.ether === 0n ? 0n : quoteSellFor(pool, pool.ether, totals)));
}

/** What a sale gives, however little. */
function outOf(pool: EtherPool, sold: Units, totals: Totals): Wei {
  return orRefused(() => quoteSell(pool, sold, totals), "ZeroAmount") ?? wei(0n);
}

function boughtOf(pool: EtherPool, paid: Wei, totals: Totals): Units {
  return orRefused(() => quoteBuy(pool, paid, totals), "ZeroAmount") ?? units(0n);
}

describe("the ether pool's formulas", () => {
  /** 1,000 LP, 300 of them the target, at a rate of 1. */
  const rested: EtherPool = {
    terms: TERMS,
    ether: wei(300n * ETHER),
    units: units(700n * ETHER),
    supply: wei(1_000n * ETHER),
  };
  const par: Totals = { ether: wei(ETHER), shares: shares(ETHER * 10n ** 9n) };
  const milli = (amount: bigint): Wei => wei((amount * ETHER) / 1_000n);

  it("charge by the ether that is left, on numbers worked out by hand", () => {
    // all 300 ETH at 155 bp on average
    expect(quoteSellFor(rested, rested.ether, par)).to.equal(milli(304_650n));
    expect(quoteSell(rested, units(milli(304_650n)), par)).to.equal(rested.ether);
    expect(() => quoteSell(rested, units(milli(304_650n) + 1n), par)).to.throw(ProtocolError, "NotEnoughEther");
    // 150 ETH: from 10 to 155 bp
    expect(quoteSellFor(rested, milli(150_000n), par)).to.equal(milli(151_237n) + milli(1n) / 2n);
    expect(marginalFee(rested)).to.equal(1_000_000n);
    const half = { ...rested, ether: milli(150_000n) };
    expect(marginalFee(half)).to.equal(15_500_000n);
    // the way back: half of 145 bp, linearly to nothing
    expect(rebatesToCome(half)).to.equal((milli(150_000n) * 725n) / 200_000n);
    expect(quoteBuy(half, milli(150_000n), par)).to.equal(milli(150_000n) + (milli(150_000n) * 725n) / 200_000n);
    expect(() => quoteBuy(half, wei(milli(150_000n) + 1n), par)).to.throw(ProtocolError, "AboveTarget");
    expect(valueOf(half, par)).to.equal(milli(850_000n));
  });

  it("say what 0.3% buys at rest", () => {
    const sellable = sellableWithin(rested, bp(30n), par);
    const out = quoteSell(rested, sellable, par);
    // 2.07% of what is in the pool
    expect(out / (ETHER / 1_000n)).to.equal(20_689n);
  });

  it("take LPs in and let them out pro rata", () => {
    expect(quoteEnter(rested, milli(10_000n))).to.deep.equal({
      ether: milli(3_000n) + (milli(3_000n) * 2n) / BP,
      units: milli(7_000n) + (milli(7_000n) * 2n) / BP,
    });
    expect(quoteExit(rested, milli(10_000n))).to.deep.equal({ ether: milli(3_000n), units: milli(7_000n) });
    forSeeds(RUNS, (random) => {
      const { pool } = anyCase(random);
      const amount = wei(random.magnitude(1n, pool.supply));
      const [paid, got] = [quoteEnter(pool, amount), quoteExit(pool, amount)];
      for (const asset of ["ether", "units"] as const) {
        // L6: rounded for those who stay, and the entry fee on top
        expect(got[asset] * pool.supply <= pool[asset] * amount).to.be.true;
        expect((got[asset] + 1n) * pool.supply > pool[asset] * amount).to.be.true;
        const exact = pool[asset] * amount * (BP + pool.terms.entryFeeBp);
        expect(paid[asset] * pool.supply * BP >= exact).to.be.true;
        expect((paid[asset] - 1n) * pool.supply * BP < exact || paid[asset] === 0n).to.be.true;
      }
    });
  });

  it("L2: pay sellers at most the rate and at least the largest fee below it, buyers at least the rate", () => {
    forSeeds(RUNS, (random) => {
      const { pool, totals } = anyCase(random);
      const { minFeeBp, maxFeeBp, rebateBp } = pool.terms;
      const sold = anySale({ pool, totals }, random);
      const [value, out] = [fromWrappedDown(sold, totals), outOf(pool, sold, totals)];
      expect(out * (BP + minFeeBp) <= value * BP).to.be.true;
      expect((out + 1n) * (BP + maxFeeBp) >= value * BP || out === pool.ether).to.be.true;
      if (pool.ether - out >= curveOf(pool).target) expect((out + 1n) * (BP + minFeeBp) >= value * BP).to.be.true;
      const paid = wei(random.magnitude(0n, roomOf(pool)));
      const got = orRefused(() => quoteBuy(pool, paid, totals), "ZeroAmount", "NotEnoughUnits");
      if (got === undefined) return;
      expect(got >= toWrappedDown(paid, totals)).to.be.true;
      const scarcity = max(0n, marginalFee(pool) - minFeeBp * 100_000n);
      expect(
        fromWrappedDown(got, totals) * BP * 10n ** 9n <= paid * (BP * 10n ** 9n + rebateBp * scarcity),
        "at most its part of the scarcity",
      ).to.be.true;
    });
  });

  it("L4: cutting a sale or a purchase never helps, to the wei", () => {
    forSeeds(RUNS, (random) => {
      const { pool, totals } = anyCase(random);
      const sold = anySale({ pool, totals }, random);
      const whole = outOf(pool, sold, totals);
      expect(soldInPieces({ pool, totals }, sold, random).got <= whole).to.be.true;
      const paid = min(wei(random.magnitude(0n, roomOf(pool))), buyable(pool, totals));
      const bought = boughtOf(pool, paid, totals);
      let [state, got] = [pool, 0n];
      for (const part of pieces(paid, random)) {
        const piece = boughtOf(state, wei(part), totals);
        [state, got] = [afterPurchase(state, wei(part), piece), got + piece];
      }
      expect(got <= bought).to.be.true;
    });
  });

  it("L4: `sellFor` costs what `sell` pays for, or more, all ether included", () => {
    forSeeds(RUNS, (random) => {
      const { pool, totals } = anyCase(random);
      const wanted = random.chance(1n, 4n) ? pool.ether : wei(random.magnitude(0n, pool.ether));
      if (wanted === 0n) return;
      const cost = quoteSellFor(pool, wanted, totals);
      expect(outOf(pool, cost, totals) >= wanted).to.be.true;
      if (cost > 0n) expect(outOf(pool, units(cost - 1n), totals) <= wanted).to.be.true;
    });
  });

  it("L4: who sells all that is sellable within a fee pays at most that fee, however it is cut", () => {
    forSeeds(RUNS, (random) => {
      const { pool, totals } = anyCase(random);
      const fee: Bp = random.chance(1n, 2n) ? bp(30n) : bp(random.between(0n, 500n));
      const sellable = sellableWithin(pool, fee, totals);
      if (fee < pool.terms.minFeeBp) expect(sellable).to.equal(0n);
      const { got, count } = soldInPieces({ pool, totals }, sellable, random);
      // a piece may lose what its units are worth beyond a whole wei, and a wei of ether
      const lost = count * 2n;
      expect((got + lost) * (BP + fee) >= fromWrappedDown(sellable, totals) * BP).to.be.true;
      // and a little more would be above it
      const left = { ...pool, ether: wei(pool.ether - outOf(pool, sellable, totals)) };
      if (sellable > 0n) expect(marginalFee({ ...left, ether: wei(left.ether + 1n) }) <= fee * 100_000n).to.be.true;
    });
  });

  it("L5: a round trip gives at most the rebates that were to come", () => {
    forSeeds(RUNS, (random) => {
      const { pool, totals } = anyCase(random);
      const before = rebatesToCome(pool);
      const sold = anySale({ pool, totals }, random);
      const out = outOf(pool, sold, totals);
      const drained = afterSale(pool, sold, out);
      const paid = min(buyable(drained, totals), wei(random.magnitude(0n, roomOf(drained))));
      const got = boughtOf(drained, paid, totals);
      const gain =
        out -
        paid +
        fromWrappedDown(units(max(0n, got - sold)), totals) -
        fromWrappedUp(units(max(0n, sold - got)), totals);
      expect(gain <= before).to.be.true;
    });
  });

  it("L3: no trade lowers what the LPs have, rebates to come set aside, beyond a wei", () => {
    const kept = (pool: EtherPool, { ether, shares: all }: Totals): bigint => {
      const { rebateBp, maxFeeBp, minFeeBp } = pool.terms;
      const curve = curveOf(pool);
      const exact = pool.ether * all + pool.units * 10n ** 9n * ether; // S wei
      const room = roomOf(pool);
      return exact - ceilDiv(rebateBp * (maxFeeBp - minFeeBp) * room * room * all, 2n * curve.target * BP * BP);
    };
    forSeeds(RUNS, (random) => {
      const { pool, totals } = anyCase(random);
      const sold = anySale({ pool, totals }, random);
      const drained = afterSale(pool, sold, outOf(pool, sold, totals));
      expect(kept(drained, totals) + totals.shares >= kept(pool, totals)).to.be.true;
      const paid = min(buyable(pool, totals), wei(random.magnitude(0n, roomOf(pool))));
      const filled = afterPurchase(pool, paid, boughtOf(pool, paid, totals));
      expect(kept(filled, totals) + totals.shares >= kept(pool, totals)).to.be.true;
    });
  });

  it("name what can be bought and sold: it can, and never for more units than there are", () => {
    forSeeds(RUNS, (random) => {
      const { pool, totals } = anyCase(random);
      const most = buyable(pool, totals);
      expect(most <= roomOf(pool)).to.be.true;
      expect(boughtOf(pool, most, totals) <= pool.units).to.be.true;
      const all = sellableWithin(pool, bp(10_000n), totals);
      expect(outOf(pool, all, totals) <= pool.ether).to.be.true;
    });
  });
});

/** A few, of any size, that sum up to `amount`. */
function pieces(amount: bigint, random: Random): bigint[] {
  const found: bigint[] = [];
  let left = amount;
  for (let n = random.between(0n, 5n); n > 0n; n--) {
    const part = random.magnitude(0n, left);
    found.push(part);
    left -= part;
  }
  return [...found, left];
}

function soldInPieces(
  { pool, totals }: Case,
  amount: Units,
  random: Random,
): { readonly got: bigint; readonly count: bigint } {
  let [state, got] = [pool, 0n];
  const parts = pieces(amount, random);
  for (const part of parts) {
    const out = outOf(state, units(part), totals);
    [state, got] = [afterSale(state, units(part), out), got + out];
  }
  return { got, count: BigInt(parts.length) };
}
