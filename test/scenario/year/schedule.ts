/** The year: who joins when, and how its days go. Days count from 1. */
import { chooseCast } from "./cast.ts";
import type { Cast } from "./cast.ts";
import { allLines, dailyLines, differing } from "./checks.ts";
import { delinquents } from "./episodes/delinquents.ts";
import { fall } from "./episodes/fall.ts";
import { griefer } from "./episodes/griefer.ts";
import { incident } from "./episodes/incident.ts";
import { lateTier } from "./episodes/lateTier.ts";
import { lending } from "./episodes/lending.ts";
import { event } from "./events.ts";
import * as keeper from "./keeper.ts";
import type { OperatorAccount } from "./operatorBooks.ts";
import * as op from "./operators.ts";
import * as proofs from "./proofs.ts";
import { report } from "./reports.ts";
import * as stakers from "./stakers.ts";
import { ETH } from "./stakers.ts";
import type { Episode, Year } from "./story.ts";
import type { Validator } from "./turns.ts";
import type { World } from "./world.ts";

export const DAYS = 365;
export const OPERATORS = 65;
/**
 * By tier: how many operators, how many keys each at the start, and how many fewer the first of them. One operator and 25 keys come later:
 * 1,000 in all.
 */
const SIZES = [
  { operators: 25, keys: 20, fewer: 0 },
  { operators: 29, keys: 10, fewer: 5 },
  { operators: 10, keys: 20, fewer: 10 },
] as const;
const STAKERS = 40;
const JOIN_DAYS = 33;

/** Stops at the first day on which a book differs. */
export async function liveThrough(world: World, days: number): Promise<Year> {
  const { p, at, operators, random } = world;
  const people = await stakers.newStakers(world, STAKERS);
  const whale = await world.chain.account("whale");
  let cast: Cast | undefined;
  const late = lateTier(world, whale);
  const falls = fall(world, late);
  const year: Year = {
    world,
    whale,
    wrong: [],
    refusals: {},
    counts: { exitsOwn: 0, slashed: 0, failing: 0, dropped: 0, fundedOwn: 0 },
    debts: { most: 0n, afterwards: 0n },
    bondFreed: 0n,
    paidOn: new Map(),
    griefer: griefer(world),
    delinquents: delinquents(world, whale, () => cast ?? chooseCast(world)),
    lateTier: late,
    fall: falls,
    incident: incident(world, whale),
    lending: lending(world, falls.isClosed),
  };
  const episodes: readonly Episode[] = [year.griefer, year.delinquents, late, falls, year.incident, year.lending];
  const joining = await newcomers();
  let unproven: Validator[][] = [];
  for (let day = 1; day <= days; day++) {
    p.beacon.creditExecutionReward(at.rewardsVault, BigInt(1 + random(10 ** 9)) * 10n ** 8n);
    await proofs.proveLeaving(world);
    for (const keys of unproven) await op.prove(world, keys);
    unproven = [];
    for (let i = 0; i < 2; i++) {
      const next = joining.shift();
      if (next !== undefined) unproven.push(await op.predepositAll(world, await next.join(), next.keys));
    }
    if (day === JOIN_DAYS + 2) cast = chooseCast(world);
    if (cast !== undefined) await event(year, cast, day);
    for (const episode of episodes) await episode.morning?.(day);
    const refused = year.fall.isClosed(day) ? (year.fall.refusals["a staker's deposit"] ??= []) : undefined;
    await stakers.stakersDay(world, people, 3, refused);
    await keeper.continuePayments(world);
    if (refused === undefined) await fundAll(year);
    for (const episode of episodes) await episode.evening?.(day);
    await keeper.requestExits(world);
    if (day > JOIN_DAYS) await housekeeping(year, day);
    if (day % 5 === 0) await stakers.claimAll(world);
    for (const episode of episodes) await episode.late?.(day);
    if (!(await year.fall.end(day))) await endDay(day);
    for (const episode of episodes) await episode.night?.(day);
    for (let id = year.paidOn.size + 1; id <= world.ledger.lastFinalizedId(); id++) year.paidOn.set(id, day);
    const full = day % 60 === 0 || day === days;
    const lines = differing(full ? await allLines(world, people) : await dailyLines(world));
    year.wrong.push(
      ...lines.map((line) => `day ${day}, ${line.name}: ${String(line.chain)}, not ${String(line.books)}`),
    );
    if (lines.length > 0) break;
  }
  return year;

  async function endDay(day: number): Promise<void> {
    const between = async (): Promise<void> => {
      for (const episode of episodes) await episode.between?.(day);
    };
    await report(world, { incident: year.incident.isOn(day), between });
  }

  /** In an order that mixes the tiers. */
  async function newcomers(): Promise<{ readonly keys: number; join(): Promise<OperatorAccount> }[]> {
    const all = SIZES.flatMap(({ operators: count, keys, fewer }, tier) =>
      Array.from({ length: count }, (_, index) => ({
        place: (index + 0.5) / count,
        keys: index === 0 ? keys - fewer : keys,
        join: async () => {
          const first = operators.all[0];
          if (tier === 0 && index === 0 && first !== undefined) return first;
          return op.join(world, tier, `operator ${tier}/${index}`);
        },
      })),
    );
    return all.sort((a, b) => a.place - b.place);
  }
}

/** The whale stakes what fundings lack. */
async function fundAll({ world, whale }: Year): Promise<void> {
  const queued = world.operators.all.reduce((sum, { queued: count }) => sum + count, 0n);
  await stakers.stakeFor(world, whale, 31n * (queued < 64n ? queued : 64n) * ETH);
  await keeper.fund(world);
}

/** One operator a day takes its rewards, in turn one of three ways, and what is free of its bond. */
async function housekeeping(year: Year, day: number): Promise<void> {
  const { world } = year;
  const { all } = world.operators;
  const account = all[day % all.length];
  // the one in debt waits for its day
  if (account !== undefined && !account.frozen && account.debt === 0n && account.weighted > 0n) {
    const way = [op.claim, op.claimWrapped, op.compound][day % 3];
    await way?.(world, account);
    year.bondFreed += await op.withdrawFreeBond(world, account);
  }
  if (day % 30 === 0) await op.payTreasury(world);
}
