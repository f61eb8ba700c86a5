/** The tables of docs/liquidity.md: worked examples by the twin, what waiting makes of the fee, and the simulated year. */
import { formatEther } from "ethers";
import type { EtherPool } from "../../../offchain/protocol/etherPool.ts";
import { buyable, marginalFee, quoteBuy, quoteExit, quoteSell } from "../../../offchain/protocol/etherPool.ts";
import { splitLeave, splitProvide } from "../../../offchain/protocol/router.ts";
import type { Market } from "../../../offchain/protocol/router.ts";
import { toSharesDown } from "../../../offchain/protocol/shares.ts";
import type { Totals } from "../../../offchain/protocol/shares.ts";
import { SHARES_PER_UNIT, bp, shares, units, wei } from "../../../offchain/protocol/units.ts";
import type { Wei } from "../../../offchain/protocol/units.ts";
import { fromWrappedDown, toWrappedDown } from "../../../offchain/protocol/wrapped.ts";
import { EtherPoolVenue, StableSwapVenue, etherPoolOf, termsWith } from "./venues.ts";
import type { Venue } from "./venues.ts";
import { CAPITAL, STAKING, meanYear } from "./year.ts";

export function liquidityTables(): Record<string, string> {
  return {
    sales: salesTable(),
    calls: callsTable(),
    waits: waitsTable(),
    year: yearTable(),
    turnover: turnoverTable(),
  };
}

// --- worked examples: 1,000 ETH at the target, 1.05 ETH a westETH ---

const TOTALS: Totals = {
  ether: wei(105n * 10n ** 22n),
  shares: shares(10n ** 24n * SHARES_PER_UNIT),
};
const POOL: EtherPool = {
  terms: termsWith(),
  ether: wei(300n * 10n ** 18n),
  units: toWrappedDown(wei(700n * 10n ** 18n), TOTALS),
  supply: wei(1_000n * 10n ** 18n),
};

function eth(amount: number): Wei {
  return wei(BigInt(amount) * 10n ** 18n);
}

function sold(pool: EtherPool, value: Wei): { readonly paid: Wei; readonly after: EtherPool } {
  const amount = toWrappedDown(value, TOTALS);
  const paid = quoteSell(pool, amount, TOTALS);
  return { paid, after: { ...pool, ether: wei(pool.ether - paid), units: units(pool.units + amount) } };
}

function salesTable(): string {
  const rows = [1, 5, 10, 20, 50, 100, 200, 300].map((amount) => {
    const { paid, after } = sold(POOL, eth(amount));
    const most = buyable(after, TOTALS);
    const back = fromWrappedDown(quoteBuy(after, most, TOTALS), TOTALS);
    const fee = eth(amount) - paid;
    return [
      `${amount}`,
      places(paid, 6),
      percent(Number(fee) / Number(eth(amount))),
      percent(Number(marginalFee(after)) / 1e9),
      places(fee, 6),
      places(wei(back - most), 6),
    ];
  });
  return table(
    [
      "estETH sold, worth ETH",
      "pays ETH",
      "fee, of what is sold",
      "fee of the next wei, on top",
      "fee, ETH",
      "of it back to who refills",
    ],
    rows,
  );
}

function callsTable(): string {
  const market: Market = { pool: POOL, totals: TOTALS, calm: true, requestsPaused: false };
  const left = splitLeave(market, toSharesDown(eth(50), TOTALS), bp(30n));
  const soldValue = wei(left.ether + left.fee);
  const drained = sold(POOL, eth(100)).after;
  const bought = fromWrappedDown(quoteBuy(drained, eth(40), TOTALS), TOTALS);
  const given = splitProvide(market, eth(100), bp(30n));
  const back = quoteExit(
    {
      ...POOL,
      ether: wei(POOL.ether + given.ether),
      units: units(POOL.units + given.units),
      supply: wei(POOL.supply + given.lp),
    },
    given.lp,
  );
  const staked = fromWrappedDown(back.units, TOTALS);
  return table(
    ["Call", "Gives"],
    [
      [
        "leave with 50 estETH within 0.3%",
        `${places(left.ether, 6)} ETH at once for ${places(soldValue, 6)} of it (${percent(Number(left.fee) / Number(soldValue))} on average), a withdrawal request of ${places(left.queuedValue, 6)} ETH for the rest`,
      ],
      ["the same within 3%, or 100%", `${places(sold(POOL, eth(50)).paid, 6)} ETH at once, nothing queued`],
      [
        "stake 40 ETH through the Router after somebody sold 100",
        `estETH worth ${places(wei(bought), 6)}: ${percent(Number(bought - eth(40)) / Number(eth(40)))} above the rate`,
      ],
      [
        "lend 100 ETH (`provide`)",
        `${places(given.lp, 6)} LP: ${places(given.ether, 6)} ETH enter, ${places(given.staked, 6)} ETH are staked and enter`,
      ],
      [
        "take it back at once (`exit`)",
        `${places(back.ether, 6)} ETH and ${places(staked, 6)} estETH: ${places(wei(eth(100) - back.ether - staked), 6)} ETH less, the entry fee`,
      ],
    ],
  );
}

// --- what waiting costs ---

const GAS_BP = 2;

function waitsTable(): string {
  const { minFeeBp, maxFeeBp, targetBp, rebateBp } = termsWith();
  const [least, most, target, rebate] = [
    Number(minFeeBp),
    Number(maxFeeBp),
    Number(targetBp) / 1e4,
    Number(rebateBp) / 1e4,
  ];
  const rows = [0, 2, 5, 9, 10, 20, 46, 100].map((days) => {
    const cost = days === 0 ? 0 : (days * STAKING * 1e4) / 365 + GAS_BP;
    const rest = Math.min(most, least + cost / rebate);
    const within = (limit: number): string =>
      `${Math.max(0, ((Math.min(limit, most) - rest) / (most - least)) * target * 100).toFixed(2)}%`;
    return [
      days === 0 ? "none: new stakers buy" : `${days} days`,
      cost.toFixed(1),
      rest.toFixed(1),
      within(30),
      within(60 - rest),
    ];
  });
  return table(
    [
      "Wait in the queue",
      "it costs, bp",
      "fee at rest, bp",
      "sold until 30 bp for the last wei, of the capital",
      "until 30 bp on average",
    ],
    rows,
  );
}

// --- the year ---

const VENUES: readonly (readonly [name: string, open: () => Venue])[] = [
  [
    "StableSwap, A = 50, 4 bp, twice that off balance; begun in balance",
    () => new StableSwapVenue(CAPITAL / 2, CAPITAL / 2, { a: 50, feeBp: 4, offPeg: 2 }),
  ],
  [
    "EtherPool with a target of 50%, begun in ether",
    () => new EtherPoolVenue(etherPoolOf(CAPITAL, CAPITAL, termsWith({ targetBp: 5_000n }))),
  ],
  [
    "**EtherPool as deployed (30%)**, begun in ether",
    () => new EtherPoolVenue(etherPoolOf(CAPITAL, CAPITAL, termsWith())),
  ],
  ["**EtherPool as deployed (30%)**, begun at its target", () => atTarget()],
];

function atTarget(targetBp = 3_000n): Venue {
  const ether = (CAPITAL * Number(targetBp)) / 1e4;
  return new EtherPoolVenue(etherPoolOf(CAPITAL, ether, termsWith({ targetBp })));
}

function yearTable(): string {
  const rows = VENUES.map(([name, open]) => {
    const [calm, burst] = [false, true].map((bursts) => meanYear(open, { turnover: 0.01, bursts }));
    if (calm === undefined || burst === undefined) throw new Error("two years");
    return [
      name,
      `${calm.sellerBp.toFixed(1)} / ${burst.sellerBp.toFixed(1)}`,
      burst.worstBp.toFixed(0),
      percent(burst.queued, 1),
      `${percent(calm.fees)} / ${percent(burst.fees)}`,
      `${percent(calm.total)} / ${percent(burst.total)}`,
      calm.dumped.map((loss) => loss.toFixed(1)).join(" / "),
    ];
  });
  return table(
    [
      "calm / with bursts",
      "sellers pay, bp",
      "worst piece, bp",
      "queued in bursts",
      "LPs' fees",
      "LPs' total; staking 3.00%",
      "a fall of 1 / 2% dumped before its proof, bp of capital",
    ],
    rows,
  );
}

function turnoverTable(): string {
  const targets = [3_000n, 5_000n];
  const rows = [0, 0.0025, 0.005, 0.01, 0.02].map((turnover) => [
    percent(turnover),
    ...targets.map((target) => percent(totalAt(turnover, target))),
  ]);
  const even = targets.map((target) => `**3.00% at ${percent(breakEven(target), 1)} a day**`);
  return table(
    ["sold a day, of the capital", "LPs' total, target 30%", "target 50%"],
    [...rows, ["as much as staking", ...even]],
  );
}

/** Begun at rest, without bursts. */
function totalAt(turnover: number, targetBp: bigint): number {
  return meanYear(() => atTarget(targetBp), { turnover, bursts: false }).total;
}

function breakEven(targetBp: bigint): number {
  let [low, high] = [0.001, 0.05];
  for (let i = 0; i < 9; i++) {
    const middle = (low + high) / 2;
    if (totalAt(middle, targetBp) < STAKING) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

// --- text ---

function places(amount: bigint, count: number): string {
  return Number(formatEther(amount)).toFixed(count);
}

function percent(part: number, digits = 2): string {
  return `${(part * 100).toFixed(digits)}%`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}
