import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { curvePicture } from "../../scripts/lib/liquidity/curvePicture.ts";
import { liquidityTables } from "../../scripts/lib/liquidity/tables.ts";
import {
  EtherPoolVenue,
  StableSwapVenue,
  etherPoolOf,
  invariant,
  otherReserve,
  termsWith,
} from "../../scripts/lib/liquidity/venues.ts";
import { CAPITAL, STAKING, simulateYear } from "../../scripts/lib/liquidity/year.ts";
import { fillTables } from "../../scripts/lib/operations.ts";

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");

/** `closeTo` takes no fractions where the matchers of the contracts' tests are loaded. */
function near(found: number, expected: number, apart: number): void {
  expect(Math.abs(found - expected), `${found} and ${expected}`).to.be.lessThan(apart);
}

describe("docs/liquidity.md", () => {
  it("has the examples and the year as the code computes them (npm run docs:liquidity writes them)", () => {
    const text = read("docs/liquidity.md");
    expect(fillTables(text, liquidityTables())).to.equal(text);
  }).timeout(60_000);

  it("shows the curve as the code draws it", () => {
    expect(read("docs/images/fee-curve.svg")).to.equal(curvePicture());
  });
});

describe("the simulated year", () => {
  const atRest = () => new EtherPoolVenue(etherPoolOf(CAPITAL, CAPITAL * 0.3, termsWith()));

  it("keeps its books: what LPs have is what they brought, rewards on what was estETH, and fees less rebates", () => {
    const venue = atRest();
    const started = venue.value();
    let fees = 0;
    for (let i = 0; i < 50; i++) {
      const { taken, paid } = venue.sell(37);
      fees += taken - paid;
      fees -= venue.arbitrage(6);
    }
    expect(fees).to.be.greaterThan(1);
    near(venue.value() - started, fees, 1e-6);
    const idle = simulateYear(atRest(), { turnover: 0, bursts: false, seed: 1n });
    near(idle.total, STAKING * 0.7, 1e-5);
  });

  it("fills no further than a wait is worth, and loses to a dumped fall what the curve says", () => {
    const venue = atRest();
    venue.sell(1_000);
    venue.arbitrage(6);
    // at rest the next wei costs 22 bp; a fall of 1% is dumped until it costs 100
    const sold = (3_000 * (100 - 22)) / 290;
    near(venue.dumped(100), (sold * (100 - (100 + 22) / 2)) / 1e4, 0.05);
    expect(venue.arbitrage(6)).to.equal(0);
  });

  it("has a StableSwap that keeps its invariant, pays about one near balance and ever less beside it", () => {
    for (const [x, y] of [
      [5_000, 5_000],
      [9_000, 1_000],
      [40, 9_960],
    ] as const) {
      const d = invariant(x, y, 50);
      // the equation, as the documentation of StableSwap has it
      near(200 * (x + y) + d, 200 * d + d ** 3 / (4 * x * y), d * 1e-9);
      near(otherReserve(x, d, 50), y, y * 1e-9);
    }
    const venue = new StableSwapVenue(5_000, 5_000, { a: 50, feeBp: 4, offPeg: 2 });
    const started = venue.value();
    const first = venue.sell(10);
    expect(first.paid).to.be.within(9.99, 9.997);
    const later = Array.from({ length: 9 }, () => venue.sell(500).paid);
    expect(later).to.deep.equal([...later].sort((a, b) => b - a));
    expect(later.at(-1)).to.be.lessThan(490);
    expect(venue.value()).to.be.greaterThan(started);
    expect(venue.arbitrage(6)).to.be.greaterThan(1);
  });
});
