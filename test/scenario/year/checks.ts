/** Every book twice: as the contracts have it, and as it must be. Lines that differ are what is wrong. */
import { payment } from "../../../offchain/protocol/queue.ts";
import { toEtherDown } from "../../../offchain/protocol/shares.ts";
import { BP, WEI_PER_GWEI } from "../../../offchain/protocol/units.ts";
import { lenderLines, marketLines } from "./marketChecks.ts";
import { poolLines } from "./poolChecks.ts";
import type { Status } from "./turns.ts";
import { tierToExit, tierToFund } from "./turns.ts";
import type { World } from "./world.ts";

const ETH = 10n ** 18n;
/** IValidatorRegistry.Status */
const STATUSES: readonly (Status | "unknown")[] = [
  "unknown",
  "predeposited",
  "queued",
  "active",
  "exiting",
  "withdrawn",
  "dropped",
];

type Value = bigint | string | boolean;
export interface Line {
  readonly name: string;
  readonly chain: Value;
  readonly books: Value;
}

export function differing(lines: readonly Line[]): Line[] {
  return lines.filter(({ chain, books }) => chain !== books);
}

/** The sums, the pool's books, the ether and the tiers, every day. */
export async function dailyLines(world: World): Promise<Line[]> {
  const { p, chain, at, ledger, operators, outcomes } = world;
  const [ether, totalShares] = await p.token.totals();
  const [pool, queue, ofOperators, ofQueue] = await Promise.all([
    chain.etherOf(at.pool),
    chain.etherOf(at.queue),
    p.token.sharesOf(at.operators),
    p.token.sharesOf(at.queue),
  ]);
  const paid = paidTo(world);
  const last = outcomes.at(-1);
  const lines: Line[] = [
    { name: "T", chain: ether, books: ledger.totals.ether },
    { name: "S", chain: totalShares, books: ledger.totals.shares },
    { name: "I1: the pool's ether is its buffer", chain: pool, books: ledger.buffer() },
    { name: "I5: the queue's ether is paid - claimed", chain: queue, books: paid - world.claimed },
    { name: "I8: shares of the operator registry, by what they are for", chain: ofOperators, books: operators.held },
    {
      name: "shares of the operator registry, by who sent them",
      chain: ofOperators,
      books: ledger.sharesOf(at.operators),
    },
    { name: "shares of the queue", chain: ofQueue, books: ledger.sharesOf(at.queue) },
    {
      name: "I17: fees are what operators, treasury and nobody yet have",
      chain: operators.fees,
      books: operators.divided,
    },
  ];
  if (last !== undefined && last.recognised > 0n)
    lines.push({ name: "I9: the fee's bound", chain: last.fee * BP <= last.recognised * 1_000n, books: true });
  return [
    ...lines,
    ...(await poolLines(world)),
    ...(await etherLines(world)),
    ...(await tierLines(world)),
    ...(await marketLines(world)),
  ];
}

/** Everything. */
export async function allLines(world: World, stakers: readonly string[]): Promise<Line[]> {
  return [
    ...(await dailyLines(world)),
    ...(await shareLines(world, stakers)),
    ...(await operatorLines(world)),
    ...(await validatorLines(world)),
    ...(await lenderLines(world)),
  ];
}

/** Ether: what came in, where it is, and what it earned, from beacon states and balances of vaults. */
async function etherLines({ p, chain, at, ledger, ...world }: World): Promise<Line[]> {
  const [ether] = await p.token.totals();
  const books = await p.pool.books();
  const funded = world.validators.filter(({ fundedAt }) => fundedAt !== 0n);
  const state = p.beacon.stateAt(Number(world.lastRefSlot));
  const refTime = BigInt(p.beacon.timeOf(Number(world.lastRefSlot)));
  const atRef = funded.filter(({ fundedAt }) => fundedAt <= refTime);
  const cl = state.clBalanceGwei(atRef.map(({ key }) => key.pubkey)) * WEI_PER_GWEI;
  const recognised = sum(world.outcomes.map((outcome) => outcome.recognised));
  const paid = paidTo(world);
  const swept = sum(world.outcomes.map((outcome) => outcome.sweptWithdrawals + outcome.sweptRewards));
  const owed = sum(world.requests.map(({ id }) => payment(ledger.queue, id) ?? 0n));
  const queue = await chain.etherOf(at.queue);
  // a wei of each request that was ever settled stays at most
  const settled = BigInt(ledger.lastFinalizedId());
  const bonds = BigInt(funded.length) * ETH;
  return [
    {
      name: "I10: T = deposits + bonds + recognised - paid",
      chain: ether,
      books: world.deposited + bonds + recognised - paid,
    },
    {
      name: "I10: recognised + held back = at validators + swept - funded",
      chain: recognised + books.heldBack,
      books: cl + swept - BigInt(atRef.length) * 32n * ETH,
    },
    { name: "what was claimed reached the purse", chain: await chain.etherOf(at.purse), books: world.claimed },
    {
      name: "I5: the queue holds what it owes",
      chain: queue >= owed && queue <= owed + settled,
      books: true,
    },
    { name: "funded", chain: books.funded, books: BigInt(funded.length) * 32n * ETH },
    { name: "ether at validators", chain: await p.pool.etherAtValidators(), books: ledger.etherAtValidators() },
    { name: "promised", chain: await p.pool.promised(), books: ledger.promised() },
  ];
}

async function shareLines({ p, at, ledger }: World, stakers: readonly string[]): Promise<Line[]> {
  const accounts = new Set([...ledger.accounts, ...stakers]);
  const lines: Line[] = [];
  let [shares, value] = [0n, 0n];
  for (const account of accounts) {
    const held = await p.token.sharesOf(account);
    shares += held;
    value += toEtherDown(held as never, ledger.totals);
    lines.push({ name: `shares of ${account}`, chain: held, books: ledger.sharesOf(account) });
  }
  const { ether } = ledger.totals;
  const wrapped = await p.wrapped.totalSupply();
  return [
    ...lines,
    { name: "I2: all shares", chain: shares, books: ledger.totals.shares },
    {
      name: "all holders' ether is T, a wei each at most",
      chain: value <= ether && ether < value + BigInt(accounts.size),
      books: true,
    },
    { name: "the wrapper backs westETH", chain: ledger.sharesOf(at.wrapped) >= wrapped * 10n ** 9n, books: true },
  ];
}

async function operatorLines({ p, operators }: World): Promise<Line[]> {
  const lines: Line[] = [];
  const { operators: claimable, treasury } = operators.claimable;
  for (const [index, op] of operators.all.entries()) {
    const seen = await p.operators.operator(op.id);
    const fine = await p.operators.fineOf(op.id);
    const of = (name: string, chain: Value, books: Value): Line => ({
      name: `${name} of operator ${op.id}`,
      chain,
      books,
    });
    lines.push(
      of("I8: bond", seen.bondShares, op.bond),
      of("debt", seen.debt, op.debt),
      of("I16: fine", fine.shares, op.fine?.shares ?? 0n),
      of("queued", seen.queued, op.queued),
      of("active", seen.active, op.active),
      of("weighted", seen.weighted, op.weighted),
      of("frozen", seen.frozen, op.frozen),
      of("frozen since", seen.frozenAt, op.frozenAt),
      of("I17: claimable shares", await p.operators.claimableShares(op.id), claimable[index] ?? 0n),
      of("required bond", (await p.operators.bondOf(op.id)).required, operators.required(op)),
    );
  }
  const [, weight, active] = await p.operators.rewardTotals();
  const weights = sum(operators.all.map((op) => op.weighted * op.terms.feeBp));
  lines.push(
    { name: "I17: treasury's shares", chain: await p.operators.treasuryShares(), books: treasury },
    { name: "total weight", chain: weight, books: weights },
    { name: "active validators", chain: active, books: sum(operators.all.map((op) => op.active)) },
  );
  return lines;
}

async function tierLines({ p, tiers }: World): Promise<Line[]> {
  const lines: Line[] = [];
  for (const [id, tier] of tiers.entries()) {
    const seen = await p.validators.tierQueue(id);
    const queued = BigInt(tier.order.slice(tier.fundHead).filter((key) => key !== undefined).length);
    lines.push(
      { name: `funded in tier ${id}`, chain: seen.funded, books: tier.funded },
      { name: `queued in tier ${id}`, chain: seen.queued, books: queued },
      { name: `leaving in tier ${id}`, chain: seen.leaving, books: tier.leaving },
      { name: `keys ever queued in tier ${id}`, chain: seen.tail, books: BigInt(tier.order.length) },
    );
  }
  const toFund = tierToFund(tiers);
  if (toFund !== undefined)
    lines.push({
      name: "next tier to fund",
      chain: (await p.validators.nextToFund()).tier,
      books: BigInt(tiers.indexOf(toFund)),
    });
  const toExit = tierToExit(tiers);
  if (toExit === undefined) return lines;
  const next = await p.validators.nextToExit();
  lines.push({ name: "next tier to exit", chain: next.tier, books: BigInt(tiers.indexOf(toExit)) });
  if (toExit.nextFunded() !== undefined)
    lines.push({ name: "next place to exit", chain: next.sequence, books: BigInt(toExit.exitHead) });
  return lines;
}

async function validatorLines({ p, validators }: World): Promise<Line[]> {
  const lines: Line[] = [];
  for (const { keyRoot, ...books } of validators) {
    const seen = await p.validators.validator(keyRoot);
    const found = `${STATUSES[Number(seen.status)]} ${seen.slashed} ${seen.weightStopped} ${seen.exitRequestedAt > 0n}`;
    const expected = `${books.status} ${books.slashed} ${books.weightless} ${books.requested}`;
    lines.push({ name: `validator ${keyRoot}`, chain: found, books: expected });
  }
  return lines;
}

/** All that the queue was ever paid. */
function paidTo({ outcomes, continued }: Pick<World, "outcomes" | "continued">): bigint {
  return sum(outcomes.map((outcome) => outcome.paid)) + continued;
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}
