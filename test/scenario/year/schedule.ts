/** The year: who joins when, what goes wrong when. Days count from 1. */
import { toEtherDown } from "../../../offchain/protocol/shares.ts";
import { allLines, dailyLines, differing } from "./checks.ts";
import * as keeper from "./keeper.ts";
import type { OperatorAccount } from "./operatorBooks.ts";
import * as op from "./operators.ts";
import * as stakers from "./stakers.ts";
import { ETH } from "./stakers.ts";
import type { Validator } from "./turns.ts";
import { report } from "./world.ts";
import type { World } from "./world.ts";

export const DAYS = 365;
export const OPERATORS = 65;
/** By tier: how many operators, how many keys each at the start. Six keys come later: 1,000 in all. */
const SIZES = [
  { operators: 25, keys: 20 },
  { operators: 30, keys: 10 },
  { operators: 10, keys: 20 },
] as const;
const STAKERS = 40;
const JOIN_DAYS = 33;

/** What the year's events leave behind for its assertions. */
export interface Year {
  readonly world: World;
  /** What differed, on the first day on which anything did. */
  readonly wrong: string[];
  readonly refusals: Record<string, string | undefined>;
  readonly counts: Record<"exitsAsked" | "exitsOwn" | "slashed" | "failing" | "dropped" | "fundedOwn", number>;
  readonly debts: { most: bigint; afterwards: bigint };
  bondFreed: bigint;
}

interface Cast {
  readonly late: OperatorAccount;
  readonly dropped: OperatorAccount;
  readonly fined: OperatorAccount;
  readonly cleared: OperatorAccount;
  readonly slashed: readonly OperatorAccount[];
  readonly failing: OperatorAccount;
  readonly leaving: OperatorAccount;
  readonly indebted: OperatorAccount;
  readonly impatient: OperatorAccount;
}

/** Stops at the first day on which a book differs. */
export async function liveThrough(world: World, days: number): Promise<Year> {
  const { p, at, operators, random } = world;
  const people = await stakers.newStakers(world, STAKERS);
  const whale = await world.chain.account("whale");
  const year: Year = {
    world,
    wrong: [],
    refusals: {},
    counts: { exitsAsked: 0, exitsOwn: 0, slashed: 0, failing: 0, dropped: 0, fundedOwn: 0 },
    debts: { most: 0n, afterwards: 0n },
    bondFreed: 0n,
  };
  const joining = await newcomers();
  let unproven: Validator[][] = [];
  let cast: Cast | undefined;
  for (let day = 1; day <= days; day++) {
    p.beacon.creditExecutionReward(at.rewardsVault, BigInt(1 + random(10 ** 9)) * 10n ** 8n);
    await keeper.proveLeaving(world);
    for (const keys of unproven) await op.prove(world, keys);
    unproven = [];
    for (let i = 0; i < 2; i++) {
      const next = joining.shift();
      if (next !== undefined) unproven.push(await predepositAll(world, await next.join(), next.keys));
    }
    if (day === JOIN_DAYS + 2) cast = chooseCast(world);
    const paused = cast !== undefined && (await event(year, cast, day, whale));
    await stakers.stakersDay(world, people, 3);
    if (!paused) {
      const queued = operators.all.reduce((sum, { queued: count }) => sum + count, 0n);
      await stakers.stakeFor(world, whale, 31n * (queued < 64n ? queued : 64n) * ETH);
      await keeper.fund(world);
    }
    year.counts.exitsAsked += await keeper.requestExits(world);
    if (day > JOIN_DAYS) await housekeeping(year, day);
    if (day % 5 === 0) await stakers.claimAll(world);
    await report(world);
    const full = day % 60 === 0 || day === days;
    const lines = differing(full ? await allLines(world, people) : await dailyLines(world));
    year.wrong.push(
      ...lines.map((line) => `day ${day}, ${line.name}: ${String(line.chain)}, not ${String(line.books)}`),
    );
    if (lines.length > 0) break;
  }
  return year;

  /** In an order that mixes the tiers. */
  async function newcomers(): Promise<{ readonly keys: number; join(): Promise<OperatorAccount> }[]> {
    const all = SIZES.flatMap(({ operators: count, keys }, tier) =>
      Array.from({ length: count }, (_, index) => ({
        place: (index + 0.5) / count,
        keys: keys - (index === 0 && tier > 0 ? (tier === 1 ? 5 : 1) : 0),
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

async function predepositAll(world: World, account: OperatorAccount, keys: number): Promise<Validator[]> {
  const lacking = op.lackingBond(world, account, keys);
  if (lacking > 0n) await op.addBond(world, account, lacking);
  return op.predeposit(world, account, keys);
}

function chooseCast({ operators }: World): Cast {
  const of = (tier: number, place: number): OperatorAccount => {
    const account = operators.all.filter((other) => other.tier === tier)[place];
    if (account === undefined) throw new Error(`tier ${tier} has no operator ${place}`);
    return account;
  };
  return {
    late: of(1, 0),
    dropped: of(1, 1),
    fined: of(1, 2),
    cleared: of(0, 3),
    slashed: [of(0, 4), of(1, 4), of(0, 5)],
    failing: of(0, 6),
    leaving: of(2, 1),
    indebted: of(0, 7),
    impatient: of(2, 0),
  };
}

/** What happens on a day out of the ordinary. Returns whether nobody funds today. */
async function event(year: Year, cast: Cast, day: number, whale: string): Promise<boolean> {
  const { world, refusals, counts } = year;
  const { p, chain, ledger } = world;
  const activeOf = (account: OperatorAccount) =>
    world.validators.filter(({ operator, status, slashed }) => operator === account && status === "active" && !slashed);
  const last = (account: OperatorAccount) => world.validators.filter(({ operator }) => operator === account);
  const someOf = (account: OperatorAccount, count: number) => activeOf(account).slice(-count);
  switch (day) {
    case 60:
      await op.predeposit(world, cast.late, 3);
      break;
    case 62:
      refusals["proofs without bond"] = await op.prove(world, last(cast.late).slice(-3));
      break;
    case 70:
      await op.addBond(world, cast.late, op.lackingBond(world, cast.late, 3));
      refusals["proofs with late bond"] = await op.prove(world, last(cast.late).slice(-3));
      break;
    case 75:
      await predepositAll(world, cast.dropped, 2);
      break;
    case 76: {
      const keys = last(cast.dropped).slice(-2);
      await op.prove(world, keys);
      const all = toEtherDown(cast.dropped.bond, ledger.totals);
      refusals["a fine above the bond"] = await chain.refusal(
        p.guardian.address,
        p.operators.lockFine.populateTransaction(cast.dropped.id, all + 1n, `0x${"11".repeat(32)}`),
      );
      await op.lockFine(world, cast.dropped, all);
      for (const key of keys) {
        await op.drop(world, key);
        counts.dropped++;
      }
      return true;
    }
    case 84:
      await op.releaseFine(world, cast.dropped);
      for (const key of last(cast.dropped).slice(-2)) await op.requeue(world, key);
      break;
    case 90:
      await op.lockFine(world, cast.fined, ETH / 2n);
      break;
    case 92:
      await op.confirmFine(world, cast.fined);
      break;
    case 95:
      await op.lockFine(world, cast.cleared, ETH);
      break;
    case 97:
      await op.cancelFine(world, cast.cleared);
      break;
    case 100:
      await slash(cast.slashed.slice(0, 1), 1);
      break;
    case 101: {
      const [frozen] = cast.slashed;
      if (frozen === undefined) break;
      const claim = p.operators.claimRewards.populateTransaction(frozen.id, frozen.owner);
      refusals["a claim while frozen"] = await chain.refusal(frozen.owner, claim);
      const withdraw = p.operators.withdrawBond.populateTransaction(frozen.id, 1n, frozen.owner);
      refusals["a bond while frozen"] = await chain.refusal(frozen.owner, withdraw);
      break;
    }
    case 110:
      for (const { key } of someOf(cast.failing, 2)) {
        p.beacon.setOffline(key.pubkey, true);
        p.beacon.penalise(key.pubkey, 4n * 10n ** 8n);
      }
      break;
    case 111:
      for (const validator of someOf(cast.failing, 2)) {
        await keeper.proveBelow(world, validator);
        counts.failing++;
      }
      break;
    case 120:
      await stakers.request(world, whale, [2_500n * ETH, 7n * ETH]);
      break;
    case 145:
      await unfreeze(cast.slashed.slice(0, 1));
      break;
    case 150:
      for (const { key } of someOf(cast.leaving, 5)) {
        p.beacon.voluntaryExit(key.pubkey);
        counts.exitsOwn++;
      }
      break;
    case 170: {
      // a little more than its whole bond
      const [victim] = someOf(cast.indebted, 1);
      if (victim === undefined) break;
      const loss = toEtherDown(cast.indebted.bond, ledger.totals) + 8n * 10n ** 15n;
      p.beacon.penalise(victim.key.pubkey, loss / 10n ** 9n);
      p.beacon.voluntaryExit(victim.key.pubkey);
      counts.exitsOwn++;
      break;
    }
    case 175: {
      year.debts.most = cast.indebted.debt;
      const keys = p.validators.predeposit.populateTransaction(
        cast.indebted.id,
        ["0x"],
        ["0x"],
        [`0x${"00".repeat(32)}`],
      );
      refusals["a key while in debt"] = await chain.refusal(cast.indebted.owner, keys, ETH);
      break;
    }
    case 190:
      await slash(cast.slashed.slice(1), 2);
      break;
    case 200:
      await predepositAll(world, cast.impatient, 1);
      break;
    case 201: {
      const [key] = last(cast.impatient).slice(-1);
      if (key === undefined) break;
      await op.prove(world, [key]);
      await op.fundOwn(world, key);
      counts.fundedOwn++;
      break;
    }
    case 240:
      await unfreeze(cast.slashed.slice(1));
      break;
    case 250: {
      await op.setBondNext(world, 1, (16n * ETH) / 10n);
      const one = p.operators.withdrawBond.populateTransaction(cast.late.id, 1n, cast.late.owner);
      refusals["a share of bond once the curve rose"] = await chain.refusal(cast.late.owner, one);
      break;
    }
    case 255:
      await op.addBond(world, cast.late, op.lackingBond(world, cast.late, 0) + ETH);
      year.bondFreed += await op.withdrawFreeBond(world, cast.late);
      break;
    case 260:
      await stakers.request(world, whale, [640n * ETH]);
      break;
    case 300:
      await op.claim(world, cast.indebted);
      year.debts.afterwards = cast.indebted.debt;
      break;
    case 310:
      await op.claimWrapped(world, cast.cleared);
      await op.addBondWrapped(world, cast.cleared);
      break;
    case 311:
      await op.claim(world, cast.fined);
      await op.addBondShares(world, cast.fined);
      break;
    case 320: {
      const all = p.operators.withdrawBond.populateTransaction(cast.late.id, cast.late.bond, cast.late.owner);
      refusals["a bond below the requirement"] = await chain.refusal(cast.late.owner, all);
      break;
    }
  }
  return day >= 76 && day < 84;

  async function slash(accounts: readonly OperatorAccount[], each: number): Promise<void> {
    const victims = accounts.flatMap((account) => someOf(account, each));
    await keeper.slash(world, victims);
    counts.slashed += victims.length;
  }

  async function unfreeze(accounts: readonly OperatorAccount[]): Promise<void> {
    for (const account of accounts) await op.unfreeze(world, account);
  }
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
