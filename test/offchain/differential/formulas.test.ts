/** I14: every formula of the libraries, against its twin, on random and extreme inputs. */
import { expect } from "chai";
import { tolerates } from "../../../offchain/protocol/books.ts";
import { fallBp, judge } from "../../../offchain/protocol/bounds.ts";
import { allowanceAt, maxFeeShares, rateRise } from "../../../offchain/protocol/rails.ts";
import { burnable, feeOn, fell, recognise } from "../../../offchain/protocol/rebase.ts";
import {
  rateDown,
  rateUp,
  toEtherDisplayed,
  toEtherDown,
  toEtherUp,
  toSharesDown,
  toSharesUp,
} from "../../../offchain/protocol/shares.ts";
import type { Totals } from "../../../offchain/protocol/shares.ts";
import { DAY, ETHER, RAY, bp, ray, shares, wei } from "../../../offchain/protocol/units.ts";
import { ethers, loadFixture } from "../../helpers/network.ts";
import { Random, fuzzFactor } from "../protocol/random.ts";
import { deployed } from "./twins.ts";

const INPUTS = 64;
const ROUNDS = 15;
const MAX_ETHER = 120_000_000n * ETHER;
const MAX_UINT128 = 2n ** 128n - 1n;
const MAX_RATE = 2n ** 104n - 1n;

interface Pair {
  readonly before: Totals;
  readonly after: Totals;
}

/** From 1 wei and from what 128 bits hold to what will ever be; rates from a 50% loss to a century of compounding. */
function anyTotals(random: Random): Totals {
  if (random.chance(1n, 20n)) return { ether: wei(MAX_UINT128), shares: shares(random.pick([1n, MAX_UINT128])) };
  const ether = random.magnitude(1n, MAX_ETHER);
  const rate = random.magnitude(RAY / 2n, MAX_RATE);
  return { ether: wei(ether), shares: shares((ether * 10n ** 36n) / rate + 1n) };
}

/** Mostly a small change, sometimes any. */
function anyPair(random: Random): Pair {
  const before = anyTotals(random);
  if (random.chance(1n, 4n)) return { before, after: anyTotals(random) };
  const near = (value: bigint) => {
    const most = value / random.pick([2n, 100n, 10_000n, 20_000n]);
    const moved = value + random.between(0n, most) - most / 2n;
    return moved < 1n ? 1n : moved > MAX_UINT128 ? MAX_UINT128 : moved;
  };
  return { before, after: { ether: wei(near(before.ether)), shares: shares(near(before.shares)) } };
}

const words = ({ before, after }: Pair) => ({
  ether0: before.ether,
  shares0: before.shares,
  ether1: after.ether,
  shares1: after.shares,
});

async function harness() {
  return ethers.deployContract("FormulaHarness");
}

/** The pool's own rule: nothing that it is made with matters. */
async function tolerant() {
  const { byNumber } = await deployed();
  return byNumber;
}

/** Runs `check` on a batch of inputs after another; a failure names its seed. */
async function campaign(check: (random: Random) => Promise<void>): Promise<void> {
  const base = BigInt(process.env["FUZZ_SEED"] ?? "1");
  for (let n = 0n; n < BigInt(ROUNDS * fuzzFactor()); n++) {
    await check(new Random(base + n)).catch((error: unknown) => {
      throw new Error(`with seed ${base + n}: ${String(error)}`, { cause: error });
    });
  }
}

function many<T>(make: () => T): T[] {
  return Array.from({ length: INPUTS }, make);
}

describe("the libraries and the twin agree to the wei", () => {
  it("on conversions between ether and shares", async () => {
    const contract = await loadFixture(harness);
    await campaign(async (random) => {
      const pairs = many(() => ({ before: anyTotals(random), after: anyTotals(random) }));
      const amounts = many(() => random.magnitude(0n, random.pick([MAX_ETHER, MAX_UINT128])));
      const results = await contract.convert(amounts, pairs.map(words));
      const expected = pairs.map(({ before }, index) => {
        const amount = amounts[index] ?? 0n;
        return [
          toSharesDown(wei(amount), before),
          toSharesUp(wei(amount), before),
          toEtherDown(shares(amount), before),
          toEtherUp(shares(amount), before),
          toEtherDisplayed(shares(amount), before),
          rateDown(before),
          rateUp(before),
        ];
      });
      expect(results.map((row) => [...row])).to.deep.equal(expected);
    });
  });

  it("on gains, fees and burns", async () => {
    const contract = await loadFixture(harness);
    await campaign(async (random) => {
      const pairs = many(() => anyPair(random));
      const inputs = pairs.map(({ before }) => ({
        gross: random.chance(1n, 3n) ? 0n - random.magnitude(0n, before.ether - 1n) : random.magnitude(0n, MAX_ETHER),
        maxAprBp: random.between(0n, 3_650n),
        elapsed: random.between(0n, 2n * DAY),
        highWaterRate: random.magnitude(0n, MAX_RATE),
        feeBp: random.between(0n, 2_000n),
        cover: random.magnitude(0n, MAX_UINT128),
      }));
      const results = await contract.gain(pairs.map(words), inputs);
      pairs.forEach(({ before, after }, index) => {
        const [input, result] = [inputs[index], results[index]];
        if (input === undefined || result === undefined) throw new Error("a result is missing");
        const { elapsed } = input;
        const maxAprBp = bp(input.maxAprBp);
        const { recognised, heldBack } = recognise(wei(input.gross), before.ether, maxAprBp, elapsed);
        const grown = wei(before.ether + recognised);
        const highWater = ray(input.highWaterRate);
        const { fee, feeShares } = feeOn(recognised, grown, before.shares, highWater, bp(input.feeBp));
        expect([...result]).to.deep.equal([
          recognised,
          heldBack,
          fee,
          feeShares,
          maxFeeShares(before, recognised),
          burnable(shares(input.cover), after.shares, after.ether, before, maxAprBp, elapsed),
        ]);
      });
    });
  });

  it("on falls and rises of the rate", async () => {
    const contract = await loadFixture(harness);
    await campaign(async (random) => {
      // a rate that rises by a factor of 1e12 overflows; the rails refuse one of 1.03
      const pairs = many(() => anyPair(random)).filter(({ before, after }) => rateRise(before, after) < 10n ** 30n);
      const results = await contract.compare(pairs.map(words));
      const expected = pairs.map(({ before, after }) => [
        ...[0n, 1n, 5n].map((limit) => (fell(before, after, bp(limit)) ? 1n : 0n)),
        fallBp(before, after),
        rateRise(before, after),
      ]);
      expect(results.map((row) => [...row])).to.deep.equal(expected);
    });
  });

  it("on what a fall needs", async () => {
    const contract = await loadFixture(harness);
    const random = new Random(7n);
    const before: Totals = { ether: wei(10_000n), shares: shares(1n) };
    for (const fall of [1n, 5n, 6n, 50n, 51n, 299n, 300n, 301n]) {
      const members = random.between(1n, 64n);
      const quorum = random.between(members / 2n + 1n, members);
      const earlier = random.pick([0n, 1n, 249n, 250n, 299n, 300n]);
      const after: Totals = { ether: wei(10_000n - fall), shares: shares(1n) };
      const verdict = judge(before, after, [{ time: 5n, fallBp: bp(earlier) }], 5n, { quorum, members });
      const [signatures, governance] = await contract.required(fall, earlier + fall, quorum, members);
      expect([signatures, governance]).to.deep.equal([verdict.signaturesNeeded, verdict.needsGovernance]);
    }
  });

  it("on what is tolerated of slashings that no report contains", async () => {
    const pool = await loadFixture(tolerant);
    const random = new Random(9n);
    for (let n = 0; n < 150; n++) {
      const count = random.pick([
        0n,
        1n,
        399n,
        400n,
        401n,
        random.magnitude(0n, 800n),
        random.magnitude(0n, MAX_UINT128),
      ]);
      const needed = (count % 1_000n) * 1_000n * ETHER;
      const ether = random.pick([needed, needed - random.pick([0n, 1n]), needed + 1n, random.magnitude(0n, MAX_ETHER)]);
      const total = wei(ether < 0n ? 0n : ether);
      expect(await pool.tolerates(count, total), `${count} of ${total}`).to.equal(tolerates(count, total));
    }
  });

  it("on the allowance of the rails", async () => {
    const contract = await loadFixture(harness);
    const random = new Random(8n);
    for (let n = 0; n < 50; n++) {
      const rails = {
        allowance: random.magnitude(0n, 3n * 10n ** 16n),
        updatedAt: random.magnitude(0n, 2n ** 40n - 1n),
      };
      const time = rails.updatedAt + random.magnitude(0n, 400n * DAY);
      const allowance = await contract.allowanceAt(rails.allowance, rails.updatedAt, time);
      expect(allowance).to.equal(allowanceAt(rails, time));
    }
  });
});
