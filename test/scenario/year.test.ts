import { expect } from "chai";
import { network } from "hardhat";
import { openingValue, payment } from "../../offchain/protocol/queue.ts";
import { reportHash } from "../../offchain/protocol/report.ts";
import { DAY, ETHER, shares } from "../../offchain/protocol/units.ts";
import { keysOf } from "./year/cast.ts";
import { allLines, differing } from "./year/checks.ts";
import { FALL_APPLIED, fallOf } from "./year/episodes/fall.ts";
import { DAYS, OPERATORS, liveThrough } from "./year/schedule.ts";
import type { Year } from "./year/story.ts";
import type { Validator } from "./year/turns.ts";
import { openWorld } from "./year/world.ts";
import type { World } from "./year/world.ts";
import { describeWith } from "../helpers/describeWith.ts";

const SEED = 20_261_123;
const MOST_SECONDS = 180;
const describeYear = describeWith("YEAR_TESTS");

describeYear("A year of 65 operators and 1,000 validators", function () {
  this.timeout(5 * MOST_SECONDS * 1_000);
  let year: Year;
  let seconds: number; // of the processor: the machine may have other work

  before(async () => {
    const start = process.cpuUsage();
    year = await liveThrough(await openWorld(await network.create(), SEED), DAYS);
    const { user, system } = process.cpuUsage(start);
    seconds = (user + system) / 1_000_000;
  });

  it("reconciles to the wei and to the share after every daily report", () => {
    expect(year.wrong).to.deep.equal([]);
    // six days wait for an approval
    expect(year.world.outcomes).to.have.length(DAYS - 6);
  });

  it("has all operators, all validators, and all that can happen to them", () => {
    const { world, counts, griefer, delinquents, fall } = year;
    const { all } = world.operators;
    expect(all).to.have.length(OPERATORS);
    expect(world.validators).to.have.length(1_000);
    expect(world.validators.filter(({ fundedAt }) => fundedAt !== 0n)).to.have.length(1_000);
    const withdrawn = world.validators.filter(({ status }) => status === "withdrawn");
    const { outOfTurn, ejected, ofDebtor, below } = delinquents;
    const delinquent = outOfTurn.length + ejected.length + ofDebtor.length + below.length;
    const forced = griefer.slashed + griefer.ejected + delinquent + fall.victims.length;
    expect(withdrawn).to.have.length(world.demanded.length + counts.exitsOwn + counts.slashed + forced);
    expect(world.demanded.length).to.be.greaterThan(50);
    expect(counts).to.include({ exitsOwn: 6, slashed: 5, failing: 2, dropped: 2, fundedOwn: 1 });
    expect(all.every(({ earned }) => earned > 0n)).to.equal(true);
    expect(all.every(({ frozen, debt, fine }) => !frozen && debt === 0n && fine === undefined)).to.equal(true);
  });

  it("refuses what operators may not do, by name", () => {
    expect(year.refusals).to.deep.equal({
      "proofs without bond": "BondTooSmall",
      "proofs with late bond": undefined,
      "a fine above the bond": "FineAboveBond",
      "a claim while frozen": "OperatorIsFrozen",
      "a bond while frozen": "OperatorIsFrozen",
      "a key while in debt": "HasDebt",
      "a share of bond once the curve rose": "BondTooSmall",
      "a bond below the requirement": "BondTooSmall",
    });
  });

  it("takes what validators lost from bonds, and repays from rewards what a bond lacked", () => {
    const { debts, world, bondFreed } = year;
    expect(debts.most > 0n).to.equal(true);
    expect(debts.afterwards).to.equal(0n);
    expect(world.operators.debtRepaid).to.equal(debts.most);
    expect(world.operators.covered > 0n).to.equal(true);
    expect(bondFreed > 0n).to.equal(true);
  });

  it("pays through a griefer's slashings of its own, but for the night on which they weigh too much", async () => {
    const { griefer, paidOn, world } = year;
    const answers = [...griefer.nights, ...griefer.mornings];
    expect(answers.filter(({ expected, pays }) => expected !== pays)).to.deep.equal([]);
    // the pool has 801 ETH on the first night, 1,446 on the first morning
    expect(griefer.nights.map(({ pays }) => pays)).to.deep.equal([false, ...Array<boolean>(8).fill(true)]);
    expect(griefer.nights.map(({ slashings }) => slashings)).to.deep.equal([1n, 1n, 2n, 1n, 2n, 1n, 1n, 1n, 0n]);
    expect(griefer.mornings.map(({ pays }) => pays)).to.deep.equal([false, true]);
    const waited = griefer.requests.map(({ id, asked }) => (paidOn.get(id) ?? Infinity) - asked);
    // a day for the first one; the large one for ether, which came between two reports
    expect(waited).to.deep.equal([1, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
    expect(griefer.continued).to.equal(griefer.requests[4]?.paid);
    expect(griefer.requests.map(({ paid = 0n }) => (paid + 1n) / ETHER)).to.deep.equal([
      1n,
      1n,
      1n,
      1n,
      40n,
      1n,
      1n,
      1n,
      1n,
      1n,
    ]);
    expect(griefer.requests.filter(({ paid, owed }) => paid !== owed)).to.deep.equal([]);

    expect(griefer.slashed + griefer.ejected).to.equal(19); // one of its twenty was asked in its turn
    expect(await penaltiesOf(world, 1n)).to.equal(griefer.lost);
    const { bond, lost, returned } = griefer;
    expect(lost > 13n * ETHER && lost < 14n * ETHER, `${lost} wei lost`).to.equal(true);
    expect(bond).to.equal(20n * ETHER);
    const yieldOf = returned + lost - bond;
    expect(yieldOf > 0n && yieldOf < ETHER / 10n, `${returned} wei returned`).to.equal(true);
    expect((griefer.frozenFor + DAY / 2n) / DAY).to.equal(57n);
    expect(griefer.refusals).to.deep.equal({ "its bond": "OperatorIsFrozen" });
  });

  it("makes delinquent operators' validators exit: out of turn on demand, a week later and in debt without", async () => {
    const { delinquents, world, debts } = year;
    const { outOfTurn, ejected, ofDebtor, below } = delinquents;
    expect(delinquents.refusals).to.deep.equal({
      "frozen, on the next day": "NoDemand",
      "another's, out of turn": "NotNext",
      "frozen, once the ether is on its way": "NoDemand",
      "frozen for six days": "NoDemand",
      "another's, whose turn it is": "NoDemand",
      "half an ether below": "NotBelow",
      "more than one below, without its balance": "NoDemand",
    });
    expect(delinquents.frozenFor / DAY).to.equal(7n);
    expect([outOfTurn.length, ejected.length, ofDebtor.length, below.length]).to.deep.equal([1, 18, 12, 1]);
    const all = [...outOfTurn, ...ejected, ...ofDebtor, ...below];
    expect(all.filter(({ status }) => status !== "withdrawn")).to.deep.equal([]);
    // one was slashed and one more lost something: from the bond
    const [frozen] = ejected.map(({ operator }) => operator);
    if (frozen === undefined) throw new Error("nobody was ejected");
    const lost = keysOf(world, frozen).map(({ shortfall }) => shortfall);
    expect(lost.filter((shortfall) => shortfall > 0n)).to.have.length(2);
    expect(await penaltiesOf(world, frozen.id)).to.equal(lost.reduce((sum, shortfall) => sum + shortfall, 0n));
    // the heads step over them
    expect(outOfTurn.concat(ejected).filter((validator) => !world.skipped.includes(validator))).to.deep.equal([]);
    expect(delinquents.debt).to.equal(debts.most);
  });

  it("passes over the head of a late tier while it is too young, and not when it is old enough", () => {
    const { lateTier } = year;
    const [young, old] = lateTier.asked;
    const roots = (validators: readonly Validator[] = []) => validators.map(({ keyRoot }) => keyRoot);
    const keys = roots(lateTier.keys);
    expect(lateTier.isNext).to.deep.equal([true, true]);
    expect(lateTier.refusals).to.deep.equal({
      "too young": "NotReadyToExit",
      "another, without a word of the head": "NotNext",
      "another, by a state of yesterday": "StateTooOld",
      "another, past a head that is old enough": "ReadyToExit",
    });
    expect(young?.validators).to.have.length(10);
    expect(roots(young?.validators).some((root) => keys.includes(root))).to.equal(false);
    // the same head each time
    expect(new Set(roots(young?.passed))).to.deep.equal(new Set(keys.slice(0, 1)));
    expect(young?.passed).to.have.length(10);
    expect(roots(old?.passed)).to.deep.equal([]);
    expect(roots(old?.validators)).to.deep.equal(keys.slice(0, 6));
    expect(lateTier.keys.slice(0, 6).every(({ status }) => status === "withdrawn")).to.equal(true);
  });

  it("holds everything for the six days that a fall of 4% waits, and then applies it as signed", () => {
    const { fall } = year;
    const { told } = fall;
    const [fell, merged] = fall.outcomes;
    if (told === undefined || fell === undefined || merged === undefined) throw new Error("nothing fell");
    const times = (count: number, name: string | undefined) => Array<typeof name>(count).fill(name);
    // until it is announced, and then for six days and the one of the merged report
    const before = Object.entries(fall.refusals).filter(([name]) => name.startsWith("before: "));
    expect(Object.fromEntries(before)).to.deep.equal({
      "before: a deposit": [undefined],
      "before: a deposit as westETH": [undefined],
      "before: a bond": [undefined],
      "before: a funding": [undefined],
      "before: an own funding": [undefined],
      "before: going on with payments": ["NothingToFinalise"],
    });
    for (const name of ["a deposit", "a deposit as westETH", "a bond", "a funding", "an own funding"])
      expect(fall.refusals[name], name).to.deep.equal(times(8, "ReportOverdue"));
    expect(fall.refusals["going on with payments"]).to.deep.equal(times(8, "FinalisationNotAllowed"));
    expect(new Set(fall.refusals["a staker's deposit"])).to.deep.equal(new Set(["ReportOverdue"]));
    expect(fall.refusals["five signatures"]).to.deep.equal(["NotEnoughSignatures"]);
    expect(fall.refusals["seven signatures, no approval"]).to.deep.equal(times(6, "FallNeedsGovernance"));
    expect((fall.applied - fall.announced) / DAY).to.equal(6n);

    expect(fall.appliedHash).to.equal(reportHash(told));
    expect(fallOf(fell) >= 400n && fallOf(fell) < 420n, `${fallOf(fell)} bp`).to.equal(true);
    expect([fell.recognised, fell.paid, fell.finalisable]).to.deep.equal([fell.gross, 0n, false]);
    // six frames and their own, one report: what two may gain, the rest later
    expect(fall.refusals["a frame that ended meanwhile"]).to.deep.equal(["ReferenceTooOld"]);
    expect(merged.recognised).to.equal(fall.limit);
    expect(merged.heldBack).to.equal(merged.gross - fall.limit);
    expect(merged.heldBack > 2n * fall.limit).to.equal(true);
    expect(fall.heldBack[0]).to.equal(merged.heldBack);
    expect(fall.heldBack.at(-1)).to.equal(0n);
    expect(fall.heldBack).to.have.length(10);
  });

  it("pays nothing in ten days of an incident while exits go on, and then all in order", () => {
    const { incident, paidOn } = year;
    const { days, waiting } = incident;
    expect(days).to.have.length(10);
    const [first] = days;
    expect(days.filter(({ paid, finalisable, careful }) => paid !== 0n || finalisable || !careful)).to.deep.equal([]);
    expect(new Set(days.map(({ lastFinalized }) => lastFinalized))).to.deep.equal(new Set([first?.lastFinalized]));
    expect(days.every(({ promised }, day) => day === 0 || promised > (days[day - 1]?.promised ?? 0n))).to.equal(true);
    // two were asked half an hour before a reference: they leave in its state, and count beside it until the next report
    expect(days[2]?.demandLeft).to.equal(0n);
    expect(days[3]?.demandLeft).to.be.within(60n * ETHER, 64n * ETHER);
    expect(incident.exitsAsked).to.equal(18);

    expect(waiting.length).to.be.greaterThan(20);
    expect(waiting.map((id) => paidOn.get(id))).to.deep.equal(waiting.map(() => 280));
    expect(waiting.map(BigInt)).to.deep.equal(
      waiting.map((_, index) => (first?.lastFinalized ?? 0n) + BigInt(index) + 1n),
    );
    const rounding = incident.paid - incident.owed;
    expect(rounding >= 0n && rounding <= incident.lastFinalized - (first?.lastFinalized ?? 0n)).to.equal(true);
  });

  it("lets stakers leave at once, all year, and pays those who lend to them and who bring ether back", () => {
    const { lending, world } = year;
    const { counts, worth, bought, spent } = lending;
    for (const [name, least] of Object.entries({
      leftAtOnce: 60,
      leftInPart: 20,
      queued: 5,
      stakedForMore: 30,
      staked: 10,
    }))
      expect(counts[name as keyof typeof counts], name).to.be.at.least(least);
    for (const [name, least] of Object.entries({ entered: 5, exited: 5, bought: 50, bursts: 3 }))
      expect(counts[name as keyof typeof counts], name).to.be.at.least(least);
    // what those who bring ether back get is of what sellers paid
    expect(lending.rebates > 0n && lending.rebates < lending.fees, `${lending.rebates} of ${lending.fees}`).to.equal(
      true,
    );
    expect(lending.taken, "days on which somebody took from lenders").to.deep.equal([]);
    const { queue } = world.ledger;
    const got = bought.reduce((sum, id) => sum + (payment(queue, id) ?? openingValue(queue, id)), 0n);
    const profit = got - spent;
    expect(profit > 0n && profit <= lending.rebates, `${profit} of ${spent}`).to.equal(true);
    const [first = 0n] = worth.values();
    expect((worth.get(DAYS) ?? 0n) > first).to.equal(true);
  });

  it("trades nothing while a loss is not told or payments are halted, and lets lenders go; they lose no more by the fall than other holders: nothing", () => {
    const { lending, incident, fall } = year;
    const { refusals, worth, exitedMeanwhile } = lending;
    expect(new Set(refusals.values())).to.deep.equal(new Set(["NotCalm"]));
    const halted = [...refusals.keys()];
    // the morning after the first report that says so, until the first that does not
    expect(halted).to.include.members(incident.days.map(({ day }) => day + 1));
    expect(halted.filter((day) => fall.isClosed(day))).to.have.length(7);
    expect(exitedMeanwhile > 0n).to.equal(true);
    const [before = 0n, after = 0n] = [worth.get(FALL_APPLIED - 1), worth.get(FALL_APPLIED)];
    expect(after >= before, "the bonds bear it").to.equal(true);
  });

  it(`takes less than ${MOST_SECONDS} seconds`, () => {
    expect(seconds).to.be.lessThan(MOST_SECONDS);
  });
});

/** What was ever taken from an operator, by the contract's events: wei. */
async function penaltiesOf({ p }: World, operatorId: bigint): Promise<bigint> {
  const events = await p.operators.queryFilter(p.operators.filters.PenaltyTaken(operatorId));
  return events.reduce((sum, { args }) => sum + args.amount, 0n);
}

describe("The books of that year", () => {
  it("are the same for the same seed, and others for another", async () => {
    const days = async (seed: number) => {
      const { world } = await liveThrough(await openWorld(await network.create(), seed), 2);
      return [world.chain.transactions, world.ledger.totals, world.outcomes];
    };
    const once = await days(SEED);
    expect(await days(SEED)).to.deep.equal(once);
    expect(await days(SEED + 1)).to.not.deep.equal(once);
  });

  it("show a wei, a share, a validator or an operator's rewards that are not as they should be", async () => {
    const world = await openWorld(await network.create(), SEED);
    expect((await liveThrough(world, 6)).wrong).to.deep.equal([]);
    const wrong = async () => differing(await allLines(world, [])).map(({ name }) => name);
    expect(await wrong()).to.deep.equal([]);

    world.deposited += 1n;
    expect(await wrong()).to.deep.equal(["I10: T = deposits + bonds + recognised - paid"]);
    world.deposited -= 1n;

    const [first] = world.operators.all;
    const [validator] = world.validators;
    if (first === undefined || validator === undefined) throw new Error("nobody joined");
    first.bond = shares(first.bond + 1n);
    const registry = "I8: shares of the operator registry, by what they are for";
    expect(await wrong()).to.deep.equal([registry, `I8: bond of operator ${first.id}`]);
    first.bond = shares(first.bond - 1n);

    first.rewards = shares(first.rewards + 1n);
    expect(await wrong()).to.deep.equal([registry, `I17: claimable shares of operator ${first.id}`]);
    first.rewards = shares(first.rewards - 1n);

    validator.weightless = true;
    expect(await wrong()).to.deep.equal([`validator ${validator.keyRoot}`]);
    validator.weightless = false;

    world.ledger.deposit(first.owner, ETHER, 0n);
    expect(await wrong()).to.include.members(["T", "S", "I1: the pool's ether is its buffer"]);
  });
});
