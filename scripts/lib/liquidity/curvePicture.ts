/** The fee curve as a picture, drawn by the twin: docs/images/fee-curve.svg. */
import { curveOf, quoteSell, rebateOf } from "../../../offchain/protocol/etherPool.ts";
import type { EtherPool } from "../../../offchain/protocol/etherPool.ts";
import { feeAt } from "../../../offchain/protocol/feeCurve.ts";
import { SHARES_PER_UNIT, shares, units, wei } from "../../../offchain/protocol/units.ts";
import { etherPoolOf, termsWith } from "./venues.ts";

const [WIDTH, HEIGHT] = [760, 400];
const PLOT = { left: 64, right: 736, top: 28, bottom: 340 } as const;
const [MOST_BP, STEPS] = [320, 65];
/** Of the target: 130% at the left, nothing at the right, as a pool that is sold to empties. */
const FROM = 1.3;
const [FEE, REBATE] = ["#0b5fff", "#0a7d46"];
const TARGET = 3_000; // ETH
const TOTALS = { ether: wei(10n ** 24n), shares: shares(10n ** 24n * SHARES_PER_UNIT) };

interface Point {
  readonly x: number;
  readonly y: number;
}

export function curvePicture(): string {
  const levels = Array.from({ length: STEPS + 1 }, (_, i) => FROM * (1 - i / STEPS));
  const marginal = levels.map((level) => at(level, marginalBp(level)));
  const average = levels.filter((level) => level < 1).map((level) => at(level, averageBp(level)));
  const rebate = levels.filter((level) => level <= 1).map((level) => at(level, rebateBp(level)));
  const ticks = [1.2, 1, 0.8, 0.6, 0.4, 0.2, 0];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="13">`,
    "<title>The fee of the EtherPool by the ether that is left</title>",
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    ...[0, 50, 100, 150, 200, 250, 300].flatMap((fee) => [
      `<path d="M${PLOT.left} ${yOf(fee)}H${PLOT.right}" stroke="#e3e6ea"/>`,
      text(PLOT.left - 8, yOf(fee) + 4, `${fee}`, "end"),
    ]),
    ...ticks.map((level) => text(xOf(level), PLOT.bottom + 20, `${Math.round(level * 100)}%`, "middle")),
    text((PLOT.left + PLOT.right) / 2, HEIGHT - 14, "ether that is left, of the target (30% of LP)", "middle"),
    text(PLOT.left, 16, "basis points, on top of what is paid", "start"),
    `<path d="M${xOf(1)} ${PLOT.top}V${PLOT.bottom}" stroke="#9aa3ad" stroke-dasharray="4 4"/>`,
    curve(marginal, FEE, 2.5),
    curve(average, FEE, 1.5, "6 4"),
    curve(rebate, REBATE, 2),
    text(xOf(0.5) - 8, yOf(marginalBp(0.5)) - 10, "fee of the next wei", "end", FEE),
    text(xOf(0), yOf(averageBp(0)) - 16, "average of a sale from the target", "end", FEE),
    text(xOf(0.32), yOf(rebateBp(0.5)) + 26, "rebate for the next wei that comes", "middle", REBATE),
    "</svg>",
    "",
  ].join("\n");
}

function poolAt(level: number): EtherPool {
  return etherPoolOf(TARGET / 0.3, TARGET * level, termsWith());
}

function marginalBp(level: number): number {
  const pool = poolAt(level);
  return Number(feeAt(curveOf(pool), pool.ether)) / 1e5;
}

/** Of the sale that leaves so much of a pool at its target, on top of what it pays. */
function averageBp(level: number): number {
  const pool = poolAt(1);
  let [low, high] = [0n, pool.ether * 2n];
  const left = BigInt(Math.round(TARGET * level * 1e9)) * 10n ** 9n;
  while (high - low > 10n ** 9n) {
    const middle = (low + high) / 2n;
    if (pool.ether - paid(pool, middle) > left) low = middle;
    else high = middle;
  }
  const got = paid(pool, low);
  return got === 0n ? Number(pool.terms.minFeeBp) : (Number(low - got) / Number(got)) * 1e4;
}

function paid(pool: EtherPool, amount: bigint): bigint {
  try {
    return amount === 0n ? 0n : quoteSell(pool, units(amount), TOTALS);
  } catch {
    return pool.ether; // more than all of it
  }
}

function rebateBp(level: number): number {
  const ether = wei(10n ** 12n);
  return level >= 1 ? 0 : (Number(rebateOf(poolAt(level), ether)) / Number(ether)) * 1e4;
}

function at(level: number, fee: number): Point {
  return { x: xOf(level), y: yOf(fee) };
}

function xOf(level: number): number {
  return round(PLOT.left + ((FROM - level) / FROM) * (PLOT.right - PLOT.left));
}

function yOf(fee: number): number {
  return round(PLOT.bottom - (fee / MOST_BP) * (PLOT.bottom - PLOT.top));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function curve(points: readonly Point[], color: string, width: number, dashes?: string): string {
  const path = points.map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${x} ${y}`).join("");
  const dashed = dashes === undefined ? "" : ` stroke-dasharray="${dashes}"`;
  return `<path d="${path}" fill="none" stroke="${color}" stroke-width="${width}"${dashed}/>`;
}

function text(x: number, y: number, words: string, anchor: "start" | "middle" | "end", color = "#3a424b"): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="${color}">${words}</text>`;
}
