/** The demo's books beside the contracts'. */
import { YEAR } from "../../offchain/protocol/units.ts";
import { ETH } from "./world.ts";
import type { DemoWorld } from "./world.ts";

/** Fresh, so that its balance is what was claimed and nothing else. */
export const CLAIMS_TO = "0x00000000000000000000000000000000000c1a15";

/** Wei, as text. */
export type Totals = Readonly<
  Record<"depositedWei" | "rewardsWei" | "feeWei" | "lossWei" | "claimedWei" | "owedWei" | "pooledWei", string>
>;

export interface Line {
  readonly name: string;
  readonly unit: "wei" | "shares" | "units" | "LP";
  /** As the contracts have it. */
  readonly chain: bigint;
  /** As it must be. */
  readonly books: bigint;
}

export function isEqual({ chain, books }: Line): boolean {
  return chain === books;
}

/** What the books that count wei are apart, summed. */
export function residualWei(lines: readonly Line[]): bigint {
  const apart = ({ chain, books }: Line) => (chain > books ? chain - books : books - chain);
  return lines.filter(({ unit }) => unit === "wei").reduce((sum, line) => sum + apart(line), 0n);
}

/** Every book twice: as the contracts have it, and from what people sent, beacon states hold and vaults received. */
export async function reconcile(world: DemoWorld): Promise<{ lines: Line[]; totals: Totals }> {
  const { p, books, outcomes } = world;
  const onChain = await p.pool.books();
  const owed = await world.etherOf(p.queue);
  const claimed = await world.etherOf(CLAIMS_TO);
  const sum = (pick: (outcome: (typeof outcomes)[number]) => bigint) => outcomes.reduce((a, o) => a + pick(o), 0n);
  const recognised = sum((o) => o.recognised);
  const bonds = BigInt(world.validators.length) * ETH;
  const line = (name: string, chain: bigint, expected: bigint, unit: Line["unit"] = "wei"): Line => ({
    name,
    unit,
    chain,
    books: expected,
  });
  const pooled = await p.token.getTotalPooledEther();
  const lines = [
    line(
      "pooled = deposited + bonds + recognised - claimed - owed",
      pooled,
      world.deposited + bonds + recognised - claimed - owed,
    ),
    line("pooled ether T", pooled, books.totals.ether),
    line("total shares S", await p.token.getTotalShares(), books.totals.shares, "shares"),
    line("the pool's ether = its buffer", await world.etherOf(p.pool), books.buffer()),
    line("ether at validators", await p.pool.etherAtValidators(), books.etherAtValidators()),
    line("gains held back", onChain.heldBack, books.books.heldBack),
    line("cover", onChain.cover, books.books.cover, "shares"),
    line(
      "paid out by the pool = claimed + owed",
      claimed + owed,
      sum((o) => o.paid),
    ),
  ];
  await world.payTreasury();
  for (const [name, account] of Object.entries({
    alice: p.alice.address,
    bob: p.bob.address,
    "westETH (carol)": await p.wrapped.getAddress(),
    "the operators": await p.operators.getAddress(),
    "the treasury": p.treasury.address,
    "the queue": await p.queue.getAddress(),
  }))
    lines.push(line(`shares of ${name}`, await p.token.sharesOf(account), books.sharesOf(account), "shares"));
  lines.push(...((await world.market?.reconcile()) ?? []));
  const positive = (o: (typeof outcomes)[number]) => (o.recognised > 0n ? o.recognised : 0n);
  const totals = {
    depositedWei: world.deposited.toString(),
    rewardsWei: sum(positive).toString(),
    feeWei: sum((o) => o.fee).toString(),
    lossWei: (sum(positive) - recognised).toString(),
    claimedWei: claimed.toString(),
    owedWei: owed.toString(),
    pooledWei: pooled.toString(),
  };
  return { lines, totals };
}

/** After fees, from the rates at the first and the last report so far. */
export async function aprBp({ p }: DemoWorld): Promise<number> {
  const rebases = await p.token.queryFilter(p.token.filters.TokenRebased());
  const first = rebases[0];
  const last = rebases.at(-1);
  if (first === undefined || last === undefined) return 0;
  const [from, , , , shares0, ether0] = first.args;
  const [to, , , , shares1, ether1] = last.args;
  const growth = (ether1 * shares0 * 10n ** 12n) / (ether0 * shares1) - 10n ** 12n;
  return Number((growth * YEAR) / (to - from) / 10n ** 8n);
}
