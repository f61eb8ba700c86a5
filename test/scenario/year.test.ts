import { expect } from "chai";
import { network } from "hardhat";
import { ETHER, shares } from "../../offchain/protocol/units.ts";
import { allLines, differing } from "./year/checks.ts";
import { DAYS, OPERATORS, liveThrough } from "./year/schedule.ts";
import type { Year } from "./year/schedule.ts";
import { openWorld } from "./year/world.ts";

const SEED = 20_261_123;
const MOST_SECONDS = 180;

describe("A year of 65 operators and 1,000 validators", function () {
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
    expect(year.world.outcomes).to.have.length(DAYS);
  });

  it("has all operators, all validators, and all that can happen to them", () => {
    const { world, counts } = year;
    const { all } = world.operators;
    expect(all).to.have.length(OPERATORS);
    expect(world.validators).to.have.length(1_000);
    expect(world.validators.filter(({ fundedAt }) => fundedAt !== 0n)).to.have.length(1_000);
    const withdrawn = world.validators.filter(({ status }) => status === "withdrawn");
    expect(withdrawn).to.have.length(counts.exitsAsked + counts.exitsOwn + counts.slashed);
    expect(counts.exitsAsked).to.be.greaterThan(50);
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

  it(`takes less than ${MOST_SECONDS} seconds`, () => {
    expect(seconds).to.be.lessThan(MOST_SECONDS);
  });
});

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
