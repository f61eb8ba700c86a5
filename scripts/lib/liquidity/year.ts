/** A year of somebody who lends to those who leave: sales every day, bursts on some, and whoever brings ether back for what it pays. */
import { createHash } from "node:crypto";
import type { Venue } from "./venues.ts";

export const CAPITAL = 10_000; // ETH
export const STAKING = 0.03; // a year
/** Buying from the pool and waiting in the queue: five days of staking, and the gas. */
export const WAIT_BP = 6;
const DAYS = 365;
const PIECE = 10; // ETH
const BURST_PIECE = 100; // ETH

export interface YearOptions {
  /** Of the capital, sold a day on average: each day's is drawn anew (exponentially). */
  readonly turnover: number;
  /** On 3% of days up to half of the capital is sold besides. */
  readonly bursts: boolean;
  readonly seed: bigint;
}

export interface YearOutcome {
  /** All sellers, and whoever paid most for a piece; of what they sold. */
  readonly sellerBp: number;
  readonly worstBp: number;
  /** Of what was offered, what the pool could not pay. */
  readonly queued: number;
  /** Less rebates, of the capital. */
  readonly fees: number;
  /** Of the capital; staking alone is STAKING. */
  readonly total: number;
  /** Of the capital in basis points, beyond the LPs' own part of the fall, at the end of the year. */
  readonly dumped: readonly [one: number, two: number];
}

export function simulateYear(venue: Venue, { turnover, bursts, seed }: YearOptions): YearOutcome {
  const random = drawing(seed);
  const started = venue.value();
  let [offered, sold, paid, worst, rebates] = [0, 0, 0, 0, 0];
  const sellAll = (amount: number, piece: number): void => {
    for (let left = amount; left > 1e-9; left -= piece) {
      const value = Math.min(piece, left);
      const { taken, paid: got } = venue.sell(value);
      offered += value;
      sold += taken;
      paid += got;
      // a remainder of the pool's last ether is no price
      if (taken > piece / 100) worst = Math.max(worst, 1 - got / taken);
    }
  };
  for (let day = 0; day < DAYS; day++) {
    venue.accrue((1 + STAKING) ** (1 / DAYS) - 1);
    sellAll(-Math.log(1 - random()) * turnover * CAPITAL, PIECE);
    if (bursts && random() < 0.03) sellAll((random() * CAPITAL) / 2, BURST_PIECE);
    rebates += venue.arbitrage(WAIT_BP);
  }
  return {
    sellerBp: ((sold - paid) / sold) * 1e4,
    worstBp: worst * 1e4,
    queued: 1 - sold / offered,
    fees: (sold - paid - rebates) / CAPITAL,
    total: venue.value() / started - 1,
    dumped: [(venue.dumped(100) / CAPITAL) * 1e4, (venue.dumped(200) / CAPITAL) * 1e4],
  };
}

/** Bursts are few a year: their means differ by a tenth or two between draws even so. */
const SEEDS = Array.from({ length: 16 }, (_, i) => BigInt(i + 1));

/** The mean of sixteen years. */
export function meanYear(open: () => Venue, options: Omit<YearOptions, "seed">): YearOutcome {
  const years = SEEDS.map((seed) => simulateYear(open(), { ...options, seed }));
  const mean = (pick: (year: YearOutcome) => number): number =>
    years.reduce((sum, y) => sum + pick(y), 0) / years.length;
  return {
    sellerBp: mean((y) => y.sellerBp),
    worstBp: mean((y) => y.worstBp),
    queued: mean((y) => y.queued),
    fees: mean((y) => y.fees),
    total: mean((y) => y.total),
    dumped: [mean((y) => y.dumped[0]), mean((y) => y.dumped[1])],
  };
}

/** Numbers from 0 below 1, the same for the same seed. */
function drawing(seed: bigint): () => number {
  let drawn = 0;
  return () => {
    const hash = createHash("sha256").update(`${seed} ${drawn++}`).digest();
    return hash.readUIntBE(0, 6) / 2 ** 48;
  };
}
