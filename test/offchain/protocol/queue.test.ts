import { expect } from "chai";
import {
  EMPTY_QUEUE,
  MAX_ROUNDS,
  closeRound,
  finalise,
  lastFinalizedId,
  oldestRoundEnd,
  openingValue,
  payment,
  request,
  unfinalisedShares,
  unitsOf,
} from "../../../offchain/protocol/queue.ts";
import type { QueueState } from "../../../offchain/protocol/queue.ts";
import type { Totals } from "../../../offchain/protocol/shares.ts";
import { RAY, ray, shares, wei } from "../../../offchain/protocol/units.ts";
import { forSeeds } from "./random.ts";

const FRAME = 100n;
const totalsAt = (rate: bigint): Totals => ({ ether: wei(rate), shares: shares(10n ** 36n) });
const GENESIS = totalsAt(RAY);
const start: QueueState = { ...EMPTY_QUEUE, nextCutoff: 1_000n };

/** Requests of whole units, one at a time. */
function requests(queue: QueueState, now: bigint, totals: Totals, ...amounts: bigint[]): QueueState {
  return amounts.reduce((state, amount) => request(state, [shares(amount * 10n ** 9n)], totals, now, FRAME), queue);
}

const ends = (queue: QueueState) => queue.rounds.map(({ endsAt }) => endsAt);
const payments = (queue: QueueState) => queue.endUnits.map((_, index) => payment(queue, index + 1));

describe("rounds", () => {
  it("take in requests up to the cut-off, and the next one opens a round", () => {
    let queue = requests(start, 900n, GENESIS, 100n);
    queue = requests(queue, 1_000n, totalsAt(RAY + 5n), 200n); // the cut-off itself still belongs to it
    expect(ends(queue)).to.deep.equal([1_000n]);
    queue = requests(queue, 1_001n, totalsAt(RAY + 7n), 300n);
    expect(ends(queue)).to.deep.equal([1_000n, 1_100n]);
    expect(queue.rounds.map(({ rate }) => rate)).to.deep.equal([RAY, RAY + 7n]);
    expect(queue.rounds.map(({ startUnits }) => startUnits)).to.deep.equal([0n, 300n]);
  });

  it("close with a report, so that no request gets a rate from before it", () => {
    let queue = requests(start, 1_050n, GENESIS, 100n);
    queue = closeRound(queue, 1_100n).queue;
    queue = requests(queue, 1_060n, totalsAt(RAY - 9n), 100n);
    expect(ends(queue)).to.deep.equal([1_100n, 1_100n]);
    expect(queue.rounds.map(({ rate }) => rate)).to.deep.equal([RAY, RAY - 9n]);
  });

  it("end at the first cut-off to come when reports are missing", () => {
    expect(ends(requests(start, 1_350n, GENESIS, 100n))).to.deep.equal([1_400n]);
    expect(ends(requests(start, 1_400n, GENESIS, 100n))).to.deep.equal([1_400n]);
  });

  it("count whole units and hand over the remainders once", () => {
    let queue = request(start, [shares(1_999_999_999n), shares(5_000_000_001n)], GENESIS, 1n, FRAME);
    expect([unitsOf(queue, 1), unitsOf(queue, 2)]).to.deep.equal([1n, 5n]);
    expect(unfinalisedShares(queue)).to.equal(6_000_000_000n);
    const closed = closeRound(queue, 1_100n);
    expect(closed.remainder).to.equal(1_000_000_000n);
    queue = closed.queue;
    expect(closeRound(queue, 1_200n).remainder).to.equal(0n);
  });

  it("tell when the oldest waiting one ends", () => {
    let queue = requests(start, 900n, GENESIS, 100n);
    queue = requests(queue, 1_001n, GENESIS, 200n);
    expect(oldestRoundEnd(start)).to.be.undefined;
    expect(oldestRoundEnd(queue)).to.equal(1_000n);
    queue = finalise(queue, RAY, 1_000n, wei(100n)).queue;
    expect(oldestRoundEnd(queue)).to.equal(1_100n);
    expect(oldestRoundEnd(finalise(queue, RAY, 1_100n, wei(200n)).queue)).to.be.undefined;
  });
});

describe("finalisation", () => {
  const queue = requests(requests(start, 900n, GENESIS, 100n, 200n, 300n), 1_001n, totalsAt((RAY * 11n) / 10n), 400n);

  it("pays rounds that ended by the cut-off, at the lower of the opening rate and F", () => {
    const higher = finalise(queue, ray((RAY * 12n) / 10n), 1_099n, wei(10_000n));
    expect([higher.paid, higher.shares]).to.deep.equal([600n, 600n * 10n ** 9n]);
    expect(payments(higher.queue)).to.deep.equal([100n, 200n, 300n, undefined]);
    const lower = finalise(queue, ray(RAY / 2n), 1_100n, wei(10_000n));
    expect([lower.paid, lower.shares]).to.deep.equal([500n, 1_000n * 10n ** 9n]);
    expect(payments(lower.queue)).to.deep.equal([50n, 100n, 150n, 200n]);
    const both = finalise(queue, ray((RAY * 105n) / 100n), 1_100n, wei(10_000n));
    expect(payments(both.queue)).to.deep.equal([100n, 200n, 300n, 420n]);
  });

  it("finalises nothing of a round that has not ended", () => {
    expect(finalise(queue, RAY, 999n, wei(10_000n))).to.deep.equal({ queue, paid: 0n, shares: 0n });
  });

  it("settles whole requests as far as the ether reaches, and stops there", () => {
    const reach = (available: bigint) => {
      const { paid, queue: after } = finalise(queue, RAY, 1_100n, wei(available));
      return [paid, lastFinalizedId(after)];
    };
    expect(reach(0n)).to.deep.equal([0n, 0]);
    expect(reach(99n)).to.deep.equal([0n, 0]);
    expect(reach(100n)).to.deep.equal([100n, 1]);
    expect(reach(299n)).to.deep.equal([100n, 1]);
    expect(reach(300n)).to.deep.equal([300n, 2]);
    expect(reach(999n)).to.deep.equal([600n, 3]);
    expect(reach(1_000n)).to.deep.equal([1_000n, 4]);
  });

  it("continues within a round at another F, and pays each request what its own finalisation said", () => {
    const first = finalise(queue, RAY, 1_100n, wei(150n)).queue;
    const second = finalise(first, ray(RAY / 2n), 1_100n, wei(100n)).queue;
    const third = finalise(second, ray(2n * RAY), 1_100n, wei(10_000n)).queue;
    expect(payments(third)).to.deep.equal([100n, 100n, 300n, 440n]);
    expect(unfinalisedShares(third)).to.equal(0n);
  });

  it("takes at most 64 rounds", () => {
    let many = start;
    for (let n = 0n; n < 70n; n++) many = requests(many, 901n + n * FRAME, GENESIS, 1n);
    const first = finalise(many, RAY, 100_000n, wei(10_000n));
    expect(first.paid).to.equal(BigInt(MAX_ROUNDS));
    expect(finalise(first.queue, RAY, 100_000n, wei(10_000n)).paid).to.equal(6n);
  });

  it("pays in order, never more than at the opening, never more than it took from the pool, however it is cut", () => {
    forSeeds(200, (random) => {
      let state = start;
      let now = 900n;
      for (let n = random.between(1n, 40n); n > 0n; n--) {
        now += random.magnitude(0n, 150n);
        state = requests(state, now, totalsAt(random.between(RAY / 2n, 3n * RAY)), random.magnitude(1n, 10n ** 27n));
        if (random.chance(1n, 5n)) state = closeRound(state, now + random.between(1n, FRAME)).queue;
      }
      let [paid, settled] = [0n, 0n];
      const [waiting, count] = [unfinalisedShares(state), state.endUnits.length];
      for (let n = 0; n < 50 && lastFinalizedId(state) < count; n++) {
        const last = n === 49;
        const available = wei(last ? 10n ** 40n : random.magnitude(0n, 10n ** 27n));
        const before = lastFinalizedId(state);
        const result = finalise(state, ray(random.between(RAY / 2n, 3n * RAY)), now + FRAME, available);
        expect(result.paid <= available).to.be.true;
        expect(lastFinalizedId(result.queue) >= before).to.be.true;
        paid += result.paid;
        settled += result.shares;
        state = result.queue;
      }
      expect(lastFinalizedId(state)).to.equal(count);
      expect(settled).to.equal(waiting);
      let owed = 0n;
      for (let id = 1; id <= count; id++) {
        const amount = payment(state, id);
        if (amount === undefined) throw new Error(`${id} is not finalised`);
        expect(amount <= openingValue(state, id)).to.be.true;
        owed += amount;
      }
      expect(owed <= paid && paid - owed <= BigInt(count)).to.be.true;
    });
  });

  it("finalises a request of no whole unit with the one before it, for nothing", () => {
    let dust = request(start, [shares(10n ** 9n), shares(5n)], GENESIS, 900n, FRAME);
    expect(lastFinalizedId(dust)).to.equal(0);
    dust = finalise(dust, RAY, 1_000n, wei(1n)).queue;
    expect(lastFinalizedId(dust)).to.equal(2);
    expect(payments(dust)).to.deep.equal([1n, 0n]);
    dust = request(dust, [shares(5n)], GENESIS, 1_001n, FRAME);
    expect(payments(dust)).to.deep.equal([1n, 0n, 0n]);
  });

  it("refuses to price requests that do not exist", () => {
    expect(() => payment(queue, 0)).to.throw("UnknownRequest(0)");
    expect(() => payment(queue, 5)).to.throw("UnknownRequest(5)");
    expect(() => openingValue(queue, 5)).to.throw("UnknownRequest(5)");
  });
});
