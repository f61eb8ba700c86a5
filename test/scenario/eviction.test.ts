/** docs/operators.md, "Evicting others": what an operator wins that deposits, funds its own keys and withdraws, and what it costs. */
import { expect } from "chai";
import { network } from "hardhat";
import { allLines, differing } from "./year/checks.ts";
import * as keeper from "./year/keeper.ts";
import type { OperatorAccount } from "./year/operatorBooks.ts";
import * as op from "./year/operators.ts";
import * as proofs from "./year/proofs.ts";
import { report } from "./year/reports.ts";
import { claimAll, request, stake } from "./year/stakers.ts";
import { ETH } from "./year/stakers.ts";
import type { Validator } from "./year/turns.ts";
import { presentIn, tierToExit } from "./year/turns.ts";
import { exitsAsked, openWorld } from "./year/world.ts";
import type { World } from "./year/world.ts";

const SEED = 7;
const KEYS = 4; // of the attacker
const CAPITAL = 31n * BigInt(KEYS) * ETH;
const BP = 10_000n;
const MOST_DAYS = 20;

interface Scene {
  readonly world: World;
  readonly attacker: OperatorAccount;
  readonly keys: readonly Validator[];
  readonly staker: string;
}

/** A curated, a community and a classic operator with so many validators each; a newcomer to the community tier waits. */
async function scene(counts: readonly [number, number, number]): Promise<Scene> {
  const world = await openWorld(await network.create(), SEED);
  const staker = await world.chain.account("staker");
  const [curated] = world.operators.all;
  if (curated === undefined) throw new Error("nobody joined");
  const community = await op.join(world, 1, "community");
  const classic = await op.join(world, 2, "classic");
  for (const [index, account] of [curated, community, classic].entries())
    await enter(world, account, counts[index] ?? 0);
  const attacker = await op.join(world, 1, "attacker");
  const all = counts.reduce((sum, count) => sum + count, 0);
  await stake(world, staker, BigInt(all) * 31n * ETH - world.ledger.depositable() + ETH);
  expect(await keeper.fund(world)).to.equal(all);
  // all are active for long enough to be asked to exit
  for (let count = 0; count < 3; count++) await report(world);
  const keys = await enter(world, attacker, KEYS);
  expect(world.ledger.depositable() < 31n * ETH, "no ether for the newcomer").to.equal(true);
  return { world, attacker, keys, staker };
}

interface Outcome {
  /** By tier. */
  readonly evicted: readonly bigint[];
  /** Wei: the attacker's fees until it was paid. */
  readonly won: bigint;
  /** Wei: what its ether would have earned meanwhile. */
  readonly forgone: bigint;
}

/** Ether in, at its own keys, and out again. What docs/operators.md states is asserted on the way. */
async function attack({ world, attacker, keys }: Scene): Promise<Outcome> {
  const { ledger, operators, tiers } = world;
  const [, own] = tiers;
  if (own === undefined) throw new Error("no tier");
  const earlier = own.present;
  for (const key of keys) await op.fundOwn(world, key);
  const held = ledger.sharesOf(attacker.owner);
  const [before, first] = [ledger.totals, world.outcomes.length];
  await request(world, attacker.owner, [ledger.balanceOf(attacker.owner)]);
  const evicted = await evict(world);
  for (let days = 0; world.requests.length > 0 && days < MOST_DAYS; days++) {
    await day(world);
    (await evict(world)).forEach((count, tier) => (evicted[tier] = (evicted[tier] ?? 0n) + count));
    await claimAll(world);
  }
  expect(world.requests, "it is paid").to.deep.equal([]);

  const most = (CAPITAL + 32n * ETH - 1n) / (32n * ETH);
  const total = evicted.reduce((sum, count) => sum + count, 0n);
  expect(total > 0n && total <= most, `${total} evicted, at most ${most}`).to.equal(true);
  const target = (own.targetBp * presentIn(tiers)) / BP + 1n;
  expect(own.present <= (earlier > target ? earlier : target), "its tier has more than its target").to.equal(true);

  await op.payTreasury(world); // divides the fees until now
  const worth = (amount: bigint) => (amount * ledger.totals.ether) / ledger.totals.shares;
  const won = worth(attacker.earned);
  const recognised = world.outcomes.slice(first).reduce((sum, outcome) => sum + outcome.recognised, 0n);
  const fewest = operators.all.reduce((sum, { active }) => sum + active, 0n);
  const bound = (recognised * BigInt(KEYS) * attacker.terms.feeBp) / (BP * fewest);
  expect(won > 0n && won <= bound, `won ${won}, at most ${bound}`).to.equal(true);
  expect(world.claimed <= CAPITAL, "more ether came out than went in").to.equal(true);
  const forgone = worth(held) - world.claimed;
  const growth = worth(held) - (held * before.ether) / before.shares;
  expect(forgone >= growth, "the request earned something while it waited").to.equal(true);
  return { evicted, won, forgone };
}

async function enter(world: World, account: OperatorAccount, count: number): Promise<Validator[]> {
  const lacking = op.lackingBond(world, account, count);
  if (lacking > 0n) await op.addBond(world, account, lacking);
  const keys = await op.predeposit(world, account, count);
  await report(world);
  expect(await op.prove(world, keys)).to.equal(undefined);
  return keys;
}

/** Asks for exits one by one. Returns by tier how many; no tier at or below its target may lose any. */
async function evict(world: World): Promise<bigint[]> {
  const before = world.tiers.map((tier) => tier.present);
  for (;;) {
    const next = tierToExit(world.tiers);
    const total = presentIn(world.tiers);
    const present = next?.present ?? 0n;
    const asked = await keeper.requestExits(world, 1);
    if (asked.length === 0) break;
    expect(present * BP >= (next?.targetBp ?? BP) * total, "a tier below its target lost a validator").to.equal(true);
  }
  return world.tiers.map((tier, index) => (before[index] ?? 0n) - tier.present);
}

async function day(world: World): Promise<void> {
  world.p.beacon.creditExecutionReward(world.at.rewardsVault, ETH / 1_000n);
  await proofs.proveLeaving(world);
  await report(world);
}

describe("An operator that deposits, funds its own keys and withdraws", () => {
  it("evicts from its own tier when that is at its target, and pays more than it wins", async () => {
    const scenery = await scene([10, 6, 4]);
    const { world, attacker, keys, staker } = scenery;
    const { evicted, won, forgone } = await attack(scenery);
    expect(evicted).to.deep.equal([0n, 4n, 0n]);
    // 31 ETH earn nothing while 32 ETH earn the fee: feeBp of it pays for the wait after 1 / feeBp times the wait
    const waits = (forgone * BP) / won;
    const least = (31n * BP * BP) / (32n * attacker.terms.feeBp);
    expect(waits > (least * 9n) / 10n, `${waits} / 10000 times the wait, about ${least}`).to.equal(true);

    // whoever brings the proof may choose its keys before the head of the order, whenever its tier is next
    const others = world.validators.filter(({ operator, status }) => operator.id === 2n && status === "active");
    await leaveUntilTierIsNext(world, staker, 1);
    const [mine] = keys;
    if (mine === undefined) throw new Error("no key");
    expect(keeper.isReady(world, mine)).to.equal(true);
    await keeper.requestExit(world, mine);
    await day(world);
    await day(world);
    expect(mine.status).to.not.equal("active");
    expect(others.filter(({ status }) => status !== "active")).to.deep.equal([]);
    expect(differing(await allLines(world, [staker]))).to.deep.equal([]);
  });

  it("evicts from tiers above their target, and only what is above it, when its own tier is below", async () => {
    const scenery = await scene([16, 2, 2]);
    const { evicted, won, forgone } = await attack(scenery);
    expect(evicted).to.deep.equal([4n, 0n, 0n]);
    expect(forgone > won).to.equal(true);
    expect(differing(await allLines(scenery.world, [scenery.staker]))).to.deep.equal([]);
  });
});

/** Ether is asked for and other tiers exit until `tier` is the next. */
async function leaveUntilTierIsNext(world: World, staker: string, tier: number): Promise<void> {
  for (let count = 0; count < 20; count++) {
    while (world.ledger.exitDemand(exitsAsked(world)) < 32n * ETH) await request(world, staker, [33n * ETH]);
    const next = tierToExit(world.tiers);
    if (next === world.tiers[tier]) return;
    expect(await keeper.requestExits(world, 1)).to.have.length(1);
  }
  throw new Error("its turn never came");
}
