/** P1 of the EtherPool and the Router: every formula and every operation, against the twins, to the wei. */
import { expect } from "chai";
import {
  buyable,
  curveOf,
  marginalFee,
  quoteBuy,
  quoteEnter,
  quoteExit,
  quoteSell,
  quoteSellFor,
  rebateOf,
  roomOf,
  sellableWithin,
} from "../../../offchain/protocol/etherPool.ts";
import type { EtherPool, EtherPoolTerms } from "../../../offchain/protocol/etherPool.ts";
import { potential, reserveOf, weight } from "../../../offchain/protocol/feeCurve.ts";
import { ceilDiv, max, min } from "../../../offchain/protocol/integers.ts";
import { splitExit, splitLeave, splitProvide, splitStake } from "../../../offchain/protocol/router.ts";
import { DAY, ETHER, SHARES_PER_UNIT, bp, shares, units, wei } from "../../../offchain/protocol/units.ts";
import { ethers, loadFixture } from "../../helpers/network.ts";
import { TERMS } from "../protocol/etherPools.ts";
import { Random, fuzzFactor } from "../protocol/random.ts";
import { EtherPoolTwins, KINDS } from "./etherPoolTwins.ts";
import type { Call } from "./etherPoolTwins.ts";
import { deployed } from "./twins.ts";

const SEQUENCES = 4;
const BATCHES = 17;
/** Calls of a transaction. The long campaign runs a million of them. */
const CALLS = 60;
const INPUTS = 64;
const ROUNDS = 12;
const LARGEST = 2n ** 96n - 1n;
const MOST = 2n ** 256n - 1n;

function anyTerms(random: Random): EtherPoolTerms {
  if (random.chance(1n, 2n)) return TERMS;
  const minFeeBp = random.between(1n, 30n);
  return {
    minFeeBp: bp(minFeeBp),
    maxFeeBp: bp(random.between(minFeeBp + 1n, 500n)),
    targetBp: bp(random.between(1_000n, 8_000n)),
    rebateBp: bp(random.between(0n, 10_000n)),
    entryFeeBp: bp(random.between(0n, 10n)),
  };
}

// --- calls ---

/** A limit that is met, met exactly, or missed by a wei. */
function least(random: Random, quote: () => bigint): bigint {
  if (random.chance(2n, 3n)) return 0n;
  const expected = orZero(quote);
  return random.pick([expected, expected + 1n, max(0n, expected - 1n)]);
}

function most(random: Random, quote: () => bigint): bigint {
  if (random.chance(2n, 3n)) return MOST;
  const expected = orZero(quote);
  return random.pick([expected, expected + 1n, max(0n, expected - 1n)]);
}

function orZero(quote: () => bigint): bigint {
  try {
    return quote();
  } catch {
    return 0n;
  }
}

/** Of what would be too much, a little now and then. */
function upTo(random: Random, limit: bigint): bigint {
  const most = max(0n, limit);
  return random.pick([most, most / 2n, most / 10n, random.magnitude(0n, most + 2n), random.magnitude(0n, most)]);
}

/** One that is usually possible, and moves the pool's state everywhere over time. */
function anyCall(twins: EtherPoolTwins, random: Random): Call {
  const { pool } = twins.pool;
  const { totals } = twins.core.model;
  const held = twins.core.model.sharesOf(twins.driver);
  const heldUnits = units(held / SHARES_PER_UNIT);
  const own = twins.pool.balanceOf(twins.driver);
  const fee = bp(random.pick([0n, 9n, 10n, 30n, 100n, 299n, 300n, 10_000n]));
  const market = twins.router.market(twins.core.now);
  const call = { value: 0n, amount: 0n, limit: 0n, limit2: 0n };
  const isRefused = !market.calm && random.chance(4n, 5n);
  switch (random.pick(isRefused ? KINDS.slice(3) : WEIGHTED)) {
    case "sell": {
      const all = orZero(() => quoteSellFor(pool, pool.ether, totals));
      const amount = upTo(random, min(heldUnits, units(all)));
      return { ...call, kind: "sell", amount, limit: least(random, () => quoteSell(pool, units(amount), totals)) };
    }
    case "sellFor": {
      const amount = upTo(random, pool.ether);
      return { ...call, kind: "sellFor", amount, limit: most(random, () => quoteSellFor(pool, wei(amount), totals)) };
    }
    case "buy": {
      const value = upTo(random, buyable(pool, totals));
      return { ...call, kind: "buy", value, limit: least(random, () => quoteBuy(pool, wei(value), totals)) };
    }
    case "enter": {
      const affordable = pool.units === 0n ? pool.supply : (heldUnits * pool.supply) / pool.units;
      const amount = upTo(random, min(pool.supply, wei(affordable)));
      const cost = () => quoteEnter(pool, wei(amount));
      const value = min(
        10n ** 28n,
        most(random, () => cost().ether),
      );
      return { ...call, kind: "enter", amount, value, limit: most(random, () => cost().units) };
    }
    case "exit": {
      const amount = upTo(random, own);
      const got = () => quoteExit(pool, wei(amount));
      const [limit, limit2] = [least(random, () => got().ether), least(random, () => got().units)];
      return { ...call, kind: "exit", amount, limit, limit2 };
    }
    case "stake": {
      const value = random.pick([upTo(random, 2n * buyable(pool, totals)), random.magnitude(0n, 2n * pool.supply)]);
      return { ...call, kind: "stake", value, limit: least(random, () => splitStake(market, wei(value)).shares) };
    }
    case "leave": {
      const sellable = sellableWithin(pool, fee, totals) * SHARES_PER_UNIT;
      const amount = shares(upTo(random, min(held, shares(random.pick([sellable, 2n * sellable, held])))));
      const limit = least(random, () => splitLeave(market, amount, fee).ether);
      return { ...call, kind: "leave", amount, limit, limit2: fee };
    }
    case "leaveWrapped":
      return { ...call, kind: "leaveWrapped", amount: random.magnitude(0n, twins.wrapped / 4n), limit2: fee };
    case "provide": {
      const value = random.magnitude(0n, pool.supply);
      const limit2 = random.pick([fee, bp(10_000n)]);
      const limit = least(random, () => splitProvide(market, wei(value), limit2).lp);
      return { ...call, kind: "provide", value, limit, limit2 };
    }
    case "exitToEther": {
      const amount = upTo(random, own);
      const got = () => splitExit(market, wei(amount), fee);
      const limit = least(random, () => got().own.ether + got().left.ether);
      return { ...call, kind: "exitToEther", amount, limit, limit2: fee };
    }
  }
}

const WEIGHTED = [
  ...KINDS,
  ...(["sell", "sell", "sell", "buy", "buy", "buy", "sellFor", "enter", "exit", "exit"] as const),
];

// --- between batches ---

async function between(twins: EtherPoolTwins, random: Random, scale: bigint): Promise<void> {
  const { core, pool } = twins;
  const [staker] = core.chain.stakers;
  if (staker === undefined) throw new Error("nobody");
  core.wait(random.pick([0n, 12n, 3_600n]));
  if (pool.requestsPaused) await twins.pause("requests", false);
  if (twins.router.depositsPaused) await twins.pause("deposits", false);
  if (random.chance(1n, 10n)) await core.noteSlashings(core.now, core.model.totals.ether / (1_000n * ETHER) + 1n);
  // calm comes back with a report
  if (random.chance(1n, 2n) || !pool.isCalm(core.now + 1n)) {
    const { model } = core;
    const expected = model.books.clLast + model.books.funded - model.books.fundedAtLastRef;
    const change = random.magnitude(0n, expected / random.pick([20_000n, 3_000n]));
    const falls = random.chance(1n, 4n);
    await core.report({
      clBalance: wei(
        falls ? expected - min(change, expected / random.pick([10_001n, 9_999n, 200n])) : expected + change,
      ),
      incident: random.chance(1n, 20n),
    });
  }
  const held = core.model.sharesOf(twins.driver);
  const wanted = shares((scale * core.model.totals.shares) / core.model.totals.ether);
  if (held < wanted) {
    await core.deposit(staker, scale);
    await core.transferShares(staker, { address: twins.driver }, min(wanted, core.model.sharesOf(staker.address)));
    await core.fund(core.model.depositable() / (31n * ETHER));
  }
  if (twins.wrapped < scale / 20n) await twins.wrap(scale / 10n);
  if (random.chance(1n, 10n)) await twins.pause("requests", true);
  if (random.chance(1n, 8n)) await twins.pause("deposits", true);
  if (random.chance(1n, 20n)) core.wait(2n * DAY); // a report is overdue
}

describe("the EtherPool, the Router and their twins agree to the wei", () => {
  it("P1: through random sequences of every call, with reports, slashings and pauses between them", async function () {
    this.timeout(0);
    const counts = new Map<string, number>();
    const base = BigInt(process.env["FUZZ_SEED"] ?? "1");
    const sequences = fuzzFactor() === 1 ? SEQUENCES : 2 * SEQUENCES * fuzzFactor();
    for (let n = 0n; n < BigInt(sequences); n++) {
      const random = new Random(base + n);
      const chain = await loadFixture(deployed);
      const seed = wei(random.magnitude(ETHER / 10n, 100_000n * ETHER));
      const twins = await EtherPoolTwins.start(chain, anyTerms(random), seed);
      const scale = 2n * seed;
      for (let batch = 0; batch < BATCHES; batch++) {
        const outcomes = await (async () => {
          await between(twins, random, scale);
          let left = CALLS;
          return twins.run(() => (left-- > 0 ? anyCall(twins, random) : undefined));
        })().catch((error: unknown) => {
          throw new Error(`with seed ${base + n}, batch ${batch}: ${String(error)}`, { cause: error });
        });
        for (const outcome of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      }
    }
    for (const kind of KINDS) expect(counts.get(`${kind} done`) ?? 0, kind).to.be.greaterThan(20);
    for (const refusal of [
      ...["sell NotCalm", "sell ZeroAmount", "sell BelowMinimum", "sell NotEnoughEther", "sellFor AboveMaximum"],
      ...["buy NotCalm", "buy ZeroAmount", "buy AboveTarget", "enter AboveMaximum", "exit BelowMinimum"],
      ...["exit ERC20InsufficientBalance", "stake NothingToDo", "leave NothingToDo", "provide MarginalFeeAboveMaximum"],
      ...["provide DepositsArePaused"],
    ])
      expect(counts.get(refusal) ?? 0, refusal).to.be.greaterThan(0);
  });

  it("P1: on the fee curve, for reserves and targets up to 2^96", async () => {
    const harness = await ethers.deployContract("FeeCurveHarness");
    const base = BigInt(process.env["FUZZ_SEED"] ?? "1");
    for (let n = 0n; n < BigInt(ROUNDS * fuzzFactor()); n++) {
      const random = new Random(base + n);
      const cases = Array.from({ length: INPUTS }, () => anyInput(random));
      const results = await harness.compute(cases.map(({ input }) => input));
      const rows = results.map((row) => [...row]);
      expect(rows, `with seed ${base + n}`).to.deep.equal(cases.map(({ expected }) => expected));
    }
  });
});

/** At a rate of one: units and wei are the same. */
const PAR = { ether: wei(LARGEST), shares: shares(LARGEST * SHARES_PER_UNIT) };

function anyInput(random: Random) {
  const terms = { ...anyTerms(random), targetBp: bp(10_000n) };
  const supply = wei(random.magnitude(1n, LARGEST));
  const reserve = wei(random.chance(1n, 4n) ? random.magnitude(0n, LARGEST) : random.magnitude(0n, supply));
  const pool: EtherPool = { terms, ether: reserve, units: units(random.magnitude(0n, LARGEST)), supply };
  const curve = curveOf(pool);
  const all = potential(curve, reserve);
  const input = {
    curve: { target: curve.target, minFeeBp: curve.minFeeBp, maxFeeBp: curve.maxFeeBp },
    reserve,
    potential: random.magnitude(0n, potential(curve, wei(LARGEST))),
    worth: random.chance(1n, 2n) ? random.magnitude(0n, LARGEST) : random.magnitude(0n, all / weight(curve) + 1n),
    out: random.magnitude(0n, reserve),
    paid: random.magnitude(0n, roomOf(pool)),
    rebateBp: terms.rebateBp,
    feeBp: random.between(0n, 600n),
  };
  const exceeds = weight(curve) * input.worth > all;
  const expected = [
    all,
    reserveOf(curve, input.potential),
    exceeds ? reserve : reserve - reserveOf(curve, all - weight(curve) * input.worth),
    exceeds ? 1n : 0n,
    ceilDiv(all - potential(curve, wei(reserve - input.out)), weight(curve)),
    input.paid + rebateOf(pool, wei(input.paid)),
    sellableWithin(pool, bp(input.feeBp), PAR),
    buyable({ ...pool, units: units(input.worth) }, PAR),
    marginalFee(pool),
  ];
  return { input, expected };
}
