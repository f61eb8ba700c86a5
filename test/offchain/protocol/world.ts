/**
 * A world around the ProtocolModel: stakers, validators, vaults, time and a committee, acting at random. It keeps books of its own, from what
 * it did and saw alone, and checks the invariants of the design, by number, after every step.
 */
import { strict as assert } from "node:assert";
import { ProtocolError } from "../../../offchain/protocol/errors.ts";
import { ProtocolModel } from "../../../offchain/protocol/model.ts";
import type { ReportOutcome } from "../../../offchain/protocol/applyReport.ts";
import type { Settings } from "../../../offchain/protocol/model.ts";
import { max, min, saturatingSub } from "../../../offchain/protocol/integers.ts";
import { payment, unitsOf } from "../../../offchain/protocol/queue.ts";
import type { Totals } from "../../../offchain/protocol/shares.ts";
import { BP, DAY, ETHER, RAY, YEAR, bp, ray, shares, units, wei } from "../../../offchain/protocol/units.ts";
import type { Ray } from "../../../offchain/protocol/units.ts";
import type { Random } from "./random.ts";

const STAKERS = ["ann", "bob", "cid", "dot", "eve"] as const;
type Staker = (typeof STAKERS)[number];

export const SETTINGS: Settings = {
  feeBp: bp(1_000n),
  maxAprBp: bp(1_000n),
  depositCap: wei(150_000_000n * ETHER),
  secondsPerFrame: DAY,
  queue: "queue",
  operators: "operators",
  treasury: "treasury",
  locked: "locked",
};

const MAX_ETHER = 120_000_000n * ETHER;
const START = 1_800_000_000n;
const MARGIN = 7_200n;
/** Deposits stay open for this long after the time at which the next report is due. */
const GRACE = DAY / 4n;

/** What the consensus layer and the vaults held at the end of a reference block. */
interface Snapshot {
  readonly refTime: bigint;
  readonly cl: bigint;
  /** The part of it that is on its way out. */
  readonly leaving: bigint;
  readonly withdrawalVault: bigint;
  readonly rewardsVault: bigint;
  /** Cumulative: everything that ever came into the two vaults, and everything funded. */
  readonly inflows: bigint;
  readonly funded: bigint;
}

interface Request {
  readonly owner: Staker;
  readonly time: bigint;
  readonly openingRate: Ray;
  /** Set when it is finalised. */
  due?: bigint;
  claimed?: boolean;
}

interface Action {
  readonly weight: bigint;
  readonly name: string;
  readonly act: () => void;
}

/** Ether for each slashing that may be missing in a report: it costs a tenth of an ether, a basis point of this (decision 014). */
const A_SLASHING = (10_000n * ETHER) / 10n;
const tolerated = (ether: bigint): bigint => min(400n, ether / A_SLASHING);

const rateOf = (totals: Totals): Ray => ray((totals.ether * 10n ** 36n) / totals.shares);
const lower = (a: Ray, b: Ray): Ray => (a < b ? a : b);

export class World {
  readonly model: ProtocolModel;
  readonly random: Random;
  readonly counts = new Map<string, number>();
  now = START;

  /** How large deposits usually are. */
  readonly #scale: bigint;

  // ether, wherever it is
  #pool = 0n;
  #queue = 0n;
  #cl = 0n;
  #withdrawalVault = 0n;
  #rewardsVault = 0n;

  // flows, cumulative
  #deposited = 0n;
  #bonds = 0n;
  #recognised = 0n;
  #paid = 0n;
  #fees = 0n;
  #gains = 0n;
  #inflows = 0n;
  #funded = 0n;

  readonly #actions: readonly Action[];
  readonly #snapshots: Snapshot[] = [];
  readonly #requests: Request[] = [];
  readonly #credit = new Map<Staker, bigint>();
  #round: { readonly rate: Ray; readonly endsAt: bigint } | undefined;
  #nextCutoff: bigint;
  #lastRate: Ray = RAY;
  #highest: Totals;
  #finalised = 0;
  #unclaimed = 0n;
  #unclaimedCount = 0n;
  #leaving = 0n;
  /** As the last report said. */
  #reportedLeaving = 0n;
  #openUntil: bigint;
  #finalisable = false;
  #isHeld = false;
  #lastRefTime = START;
  #lastReportTime = 0n;
  /** The slot times of all slashings ever proven; how many of them there were at the last report. */
  readonly #slashings: bigint[] = [];
  #slashingsReported = 0;
  /** Slashings that the last report may not have contained. */
  #inDoubt = 0n;

  constructor(random: Random) {
    this.random = random;
    this.model = new ProtocolModel({
      ...SETTINGS,
      feeBp: bp(random.pick([0n, 500n, 1_000n, 1_999n, 2_000n])),
      maxAprBp: bp(random.pick([0n, 1n, 500n, 1_000n, 3_650n])),
    });
    this.#scale = ETHER * random.pick([1n, 64n, 500n, 10_000n, 1_000_000n]);
    const amount = wei(random.magnitude(ETHER / 100n, 100n * ETHER));
    this.#nextCutoff = START + DAY - MARGIN;
    this.#openUntil = START + DAY + GRACE;
    this.model.bootstrap(amount, START, {
      refTime: START,
      nextCutoff: this.#nextCutoff,
      openUntil: this.#openUntil,
    });
    this.#deposited = this.#pool = amount;
    this.#highest = this.model.totals;
    this.#actions = this.#temper([
      [12n, "deposit", () => this.#deposit()],
      [10n, "transfer", () => this.#transfer()],
      [10n, "request", () => this.#request()],
      [10n, "claim", () => this.#claim()],
      [20n, "continueFinalisation", () => this.#continue()],
      [10n, "fund", () => this.#fund()],
      [2n, "fundOwn", () => this.#fundOwn()],
      [8n, "reward", () => this.#reward()],
      [1n, "donate", () => this.#donate()],
      [1n, "lose", () => this.#lose()],
      [2n, "slash", () => this.#slash()],
      [1n, "hold", () => this.#hold()],
      [3n, "exit", () => this.#exit()],
      [25n, "wait", () => this.#wait()],
      [15n, "report", () => this.#report()],
      [3n, "slash just before a report", () => this.#slashAndReport()],
    ]);
    for (const staker of STAKERS) this.#credit.set(staker, 0n);
  }

  /** One action, whichever the dice say, and all checks. */
  step(): void {
    let drawn = this.random.between(0n, this.#actions.reduce((sum, { weight }) => sum + weight, 0n) - 1n);
    for (const { weight, name, act } of this.#actions) {
      if (drawn < weight) {
        this.#attempt(name, act);
        break;
      }
      drawn -= weight;
    }
    this.#checkBooks();
  }

  /** What is common in one world is rare in another. */
  #temper(usual: readonly (readonly [bigint, string, () => void])[]): readonly Action[] {
    return usual.map(([weight, name, act]) => {
      const isSpared = weight === 1n && this.random.chance(1n, 2n);
      return { weight: isSpared ? 0n : this.random.pick([1n, weight, weight, 3n * weight]), name, act };
    });
  }

  // --- actions ---

  #deposit(): void {
    const { model, now } = this;
    const staker = this.random.pick(STAKERS);
    const amount = wei(this.#amount());
    const [before, shown] = [model.totals, model.balanceOf(staker)];
    const start = model.clone();
    model.deposit(staker, amount, now);
    if (amount > 1n) this.#checkPieces(start, staker, amount);
    this.#pool += amount;
    this.#deposited += amount;
    this.#earn(staker, amount + 1n);
    this.#checkRateKept(before);
    const gained = model.balanceOf(staker) - shown;
    assert(gained >= amount - 1n && gained <= amount + 1n, `I4: a deposit of ${amount} shows as ${gained}`);
  }

  #transfer(): void {
    const { model } = this;
    const [from, to] = [this.random.pick(STAKERS), this.random.pick(STAKERS)];
    const [fromBefore, toBefore, before] = [model.balanceOf(from), model.balanceOf(to), model.totals];
    const amount = wei(this.random.chance(1n, 4n) ? fromBefore : this.random.magnitude(0n, fromBefore));
    model.transfer(from, to, amount);
    assert.deepEqual(model.totals, before, "I2: a transfer changes no total");
    if (from === to) {
      assert.equal(model.balanceOf(from), fromBefore, "I2: a transfer to oneself moves nothing");
      if (amount > 0n) this.#note("transfer to oneself");
    } else {
      const [spent, received] = [fromBefore - model.balanceOf(from), model.balanceOf(to) - toBefore];
      assert(spent >= amount - 1n && spent <= amount + 1n, `I4: sent ${amount}, ${spent} left the sender`);
      assert(received >= amount - 1n && received <= amount + 1n, `I4: sent ${amount}, ${received} arrived`);
    }
    // the mover may keep a fraction of a wei
    this.#earn(from, 1n - amount);
    this.#earn(to, amount);
  }

  #request(): void {
    const { model, now } = this;
    const owner = this.random.pick(STAKERS);
    const count = this.random.pick([1n, 2n, 12n]);
    const amounts: bigint[] = [];
    for (let n = 0n; n < count; n++) {
      const balance = model.balanceOf(owner) / (n + 1n);
      amounts.push(this.random.chance(1n, 2n) ? balance / count : this.random.magnitude(1n, balance + 1n));
    }
    const before = model.totals;
    const ids = model.request(owner, amounts.map(wei), now);
    if (this.#round === undefined || now > this.#round.endsAt) {
      const late = now - this.#nextCutoff;
      if (late > 0n) this.#nextCutoff += DAY * ((late + DAY - 1n) / DAY);
      this.#round = { rate: rateOf(before), endsAt: this.#nextCutoff };
    }
    for (const id of ids) {
      assert.equal(id, this.#requests.length + 1);
      this.#requests.push({ owner, time: now, openingRate: this.#round.rate });
    }
    this.#earn(owner, BigInt(ids.length));
    assert.deepEqual(model.totals, before, "I2: a request changes no total");
  }

  #claim(): void {
    if (this.#requests.length === 0) throw NOT_NOW;
    const id = Number(this.random.between(1n, BigInt(this.#requests.length)));
    const request = this.#requests[id - 1];
    assert(request);
    const { due } = request;
    const caller = this.random.chance(9n, 10n) ? request.owner : this.random.pick(STAKERS);
    const amount = this.model.claim(caller, id);
    assert.equal(caller, request.owner);
    assert(due !== undefined, "I6: only finalised requests are paid");
    assert.equal(amount, due, "I6: a request is paid the lower of its opening value and F");
    assert(request.claimed !== true, "I6: a request is paid once");
    request.claimed = true;
    this.#queue -= amount;
    this.#unclaimed -= amount;
    this.#unclaimedCount--;
    this.#earn(caller, 0n - amount);
  }

  #continue(): void {
    const { model, now } = this;
    const before = model.totals;
    const cover = model.books.cover;
    const { paid, burned } = model.continueFinalisation(now);
    this.#pay(paid, this.#lastRate, model.books.lastCutoff);
    this.#checkRateKept(before);
    assert(model.books.cover >= cover, "continuing only adds to cover");
    assert(burned <= before.shares);
  }

  #fund(): void {
    const { model, now } = this;
    const most = model.depositable() / (31n * ETHER);
    const count = this.random.chance(1n, 10n)
      ? most + 1n
      : this.random.chance(2n, 3n)
        ? most
        : this.random.between(0n, most);
    if (count === 0n) throw NOT_NOW;
    const before = model.totals;
    model.fund(count, now);
    assert(count <= most, "more was funded than was free");
    this.#pool -= 31n * ETHER * count;
    this.#bonds += ETHER * count;
    this.#cl += 32n * ETHER * count;
    this.#funded += 32n * ETHER * count;
    this.#checkRateKept(before);
  }

  /** Ether of an operator's own: none of the pool's goes along. */
  #fundOwn(): void {
    const { model, now } = this;
    const staker = this.random.pick(STAKERS);
    const before = model.totals;
    model.fundOwn(staker, now);
    this.#earn(staker, 31n * ETHER + 1n);
    this.#deposited += 31n * ETHER;
    this.#bonds += ETHER;
    this.#cl += 32n * ETHER;
    this.#funded += 32n * ETHER;
    this.#checkRateKept(before);
  }

  #reward(): void {
    if (this.random.chance(1n, 2n)) this.#cl += this.random.magnitude(0n, this.#cl / 1_000n);
    else this.#receive("rewards", this.random.magnitude(0n, ETHER));
  }

  #donate(): void {
    const most = this.random.chance(1n, 30n) ? MAX_ETHER : this.#scale / 100n;
    const amount = this.random.magnitude(1n, most);
    this.#receive(this.random.pick(["rewards", "withdrawals"]), amount);
  }

  #lose(): void {
    this.#cl -= this.random.magnitude(0n, this.#cl / this.random.pick([2n, 100n, 10_000n]));
  }

  /** Some of them, or as many as are tolerated, or one more. */
  #slash(): void {
    const { ether } = this.model.totals;
    if (this.random.chance(1n, 2n)) this.#lose();
    const [limit, counted] = [tolerated(ether), this.#inDoubt + this.#since()];
    const upToLimit = saturatingSub(limit, counted);
    const count = max(1n, this.random.pick([1n, 1n, 2n, 7n, upToLimit, upToLimit + 1n]));
    const earliest = this.random.pick([0n, 0n, 12n * 64n, DAY, 5n * DAY]);
    const lastGridTime = this.#snapshots.at(-1)?.refTime ?? START;
    for (let n = 0n; n < count; n++) {
      const slotTime = this.random.chance(1n, 8n) ? lastGridTime : this.now - this.random.between(0n, earliest);
      this.model.noteSlashing(slotTime);
      this.#slashings.push(slotTime);
    }
    const bond = this.model.sharesOf(SETTINGS.operators);
    this.model.addCover(shares(this.random.magnitude(0n, bond)));
  }

  /** Slashings since the last report, in states after its reference. */
  #since(): bigint {
    const since = this.#slashings.slice(this.#slashingsReported);
    return BigInt(since.filter((slotTime) => slotTime > this.#lastRefTime).length);
  }

  /** The committee announced a report that can't be applied yet. */
  #hold(): void {
    this.model.hold(this.now);
    this.#openUntil = this.now - 1n;
    this.#isHeld = true;
  }

  #exit(): void {
    const amount = this.random.magnitude(0n, this.random.chance(1n, 8n) ? this.#cl : this.#scale);
    if (amount > this.#cl) throw NOT_NOW;
    // some leave at once, some are on their way for a while
    if (this.random.chance(1n, 2n)) {
      this.#leaving = min(this.#cl, this.#leaving + amount);
      return;
    }
    this.#cl -= amount;
    this.#leaving = min(this.#cl, saturatingSub(this.#leaving, amount));
    this.#receive("withdrawals", amount);
  }

  #wait(): void {
    // in the very second of a reference what happens is in it
    if (this.random.chance(1n, 20n)) {
      this.#advance(this.#nextGridTime() - this.now);
      return;
    }
    const usual = this.random.pick([12n, 600n, 7_200n, DAY / 4n, DAY / 2n]) + 12n * this.random.between(0n, 600n);
    const seconds = this.random.chance(1n, 15n) ? 3n * DAY : usual;
    this.#advance(seconds);
  }

  #nextGridTime(): bigint {
    return (this.#snapshots.at(-1)?.refTime ?? START) + DAY;
  }

  #advance(seconds: bigint): void {
    const later = this.now + seconds;
    for (let ref = (this.#snapshots.at(-1)?.refTime ?? START) + DAY; ref < later; ref += DAY) {
      this.#snapshots.push({
        refTime: ref,
        cl: this.#cl,
        leaving: min(this.#cl, this.#leaving),
        withdrawalVault: this.#withdrawalVault,
        rewardsVault: this.#rewardsVault,
        inflows: this.#inflows,
        funded: this.#funded,
      });
    }
    this.now = later;
  }

  #candidates(): readonly Snapshot[] {
    return this.#snapshots.filter(({ refTime }) => refTime > this.#lastRefTime);
  }

  /** Mostly a report comes soon after its reference, so that little is overdue. */
  #await(): void {
    if (this.#candidates().length > 0 || this.random.chance(1n, 3n)) return;
    this.#advance(this.#nextGridTime() - this.now + this.random.between(1n, 7_200n));
  }

  /** Somebody proves slashings that the report, whose reference is past, does not contain. */
  #slashAndReport(): void {
    this.#await();
    this.#attempt("slash", () => this.#slash());
    this.#attempt("report", () => this.#report());
  }

  #report(): void {
    this.#await();
    const { model, now } = this;
    const candidates = this.#candidates();
    const snapshot = this.random.chance(3n, 4n) ? candidates.at(-1) : candidates[0];
    if (snapshot === undefined) throw NOT_NOW;
    const { refTime } = snapshot;
    const [books, queueBefore] = [model.books, this.#finalised];
    const cutoff = refTime - MARGIN;
    const sinceLast = refTime - books.lastRefTime;
    const elapsed = sinceLast < 2n * DAY ? sinceLast : 2n * DAY;
    const incident = this.random.chance(1n, 20n);
    const apply = () =>
      model.report({
        now,
        elapsed,
        refTime,
        cutoff,
        nextCutoff: cutoff + DAY,
        openUntil: refTime + DAY + GRACE,
        clBalance: wei(snapshot.cl),
        leaving: wei(snapshot.leaving),
        withdrawalVault: { reported: wei(snapshot.withdrawalVault), held: wei(this.#withdrawalVault) },
        rewardsVault: { reported: wei(snapshot.rewardsVault), held: wei(this.#rewardsVault) },
        incident,
      });
    if (refTime < this.#lastReportTime) {
      assert.throws(apply, (error) => error instanceof ProtocolError && error.errorName === "ReferenceTooOld");
      this.#note("report: ReferenceTooOld");
      return;
    }
    const outcome = apply();
    if (this.#isHeld) this.#note("report after an announcement");
    else if (now > this.#openUntil) this.#note("report that was overdue");
    if (now > refTime + DAY) this.#note("report after the next grid time");
    if (snapshot.leaving > 0n) this.#note("report with ether on its way");
    const latest = this.#slashings.reduce((last, slotTime) => max(last, slotTime), 0n);
    this.#inDoubt = latest <= refTime ? 0n : this.#since();
    this.#slashingsReported = this.#slashings.length;
    this.#openUntil = refTime + DAY + GRACE;
    this.#isHeld = false;
    [this.#lastRefTime, this.#lastReportTime, this.#reportedLeaving] = [refTime, now, snapshot.leaving];
    this.#withdrawalVault -= outcome.sweptWithdrawals;
    this.#rewardsVault -= outcome.sweptRewards;
    this.#pool += outcome.sweptWithdrawals + outcome.sweptRewards;
    this.#recognised += outcome.recognised;
    this.#lastRate = rateOf(outcome.judged);
    this.#round = undefined;
    this.#nextCutoff = cutoff + DAY;
    this.#pay(outcome.paid, this.#lastRate, cutoff);
    const { judged, before } = outcome;
    const fell = judged.ether * before.shares * 10_000n < before.ether * judged.shares * 9_999n;
    const limit = tolerated(judged.ether);
    this.#finalisable = !incident && !fell && this.#inDoubt <= limit;
    assert.equal(outcome.finalisable, this.#finalisable, "I26: who is paid");
    if (this.#inDoubt > 0n && this.#inDoubt === limit) this.#note("report with as many slashings as are tolerated");
    if (this.#inDoubt === limit + 1n && !incident && !fell)
      this.#note("report with one slashing more than are tolerated");
    if (this.#inDoubt > 0n && outcome.paid > 0n) this.#note("report that pays with slashings in doubt");
    if (!this.#finalisable) assert.equal(this.#finalised, queueBefore, "I26: paid in a bad moment");
    this.#checkReport(outcome, snapshot, elapsed);
    for (const staker of STAKERS) {
      const credit = this.#credit.get(staker) ?? 0n;
      const growth = BP * YEAR + this.model.settings.maxAprBp * elapsed;
      this.#credit.set(staker, (credit * growth) / (BP * YEAR) + 1n);
    }
  }

  // --- the world's own books ---

  /** Mostly of this world's size, sometimes anything from a wei to all ether there is, or just what one slashing more needs. */
  #amount(): bigint {
    if (this.random.chance(1n, 8n)) {
      const missing = A_SLASHING - (this.model.totals.ether % A_SLASHING);
      return max(1n, missing - this.random.pick([0n, 1n]));
    }
    if (this.random.chance(1n, 6n)) return this.random.magnitude(1n, 1_000n * ETHER);
    return this.random.chance(1n, 100n) ? MAX_ETHER : this.random.between(1n, this.#scale);
  }

  #receive(vault: "rewards" | "withdrawals", amount: bigint): void {
    if (vault === "rewards") this.#rewardsVault += amount;
    else this.#withdrawalVault += amount;
    this.#inflows += amount;
  }

  #earn(staker: Staker, amount: bigint): void {
    this.#credit.set(staker, (this.#credit.get(staker) ?? 0n) + amount);
  }

  /** Moves what was paid, and prices the requests that are finalised now. */
  #pay(paid: bigint, maxRate: Ray, cutoff: bigint): void {
    this.#pool -= paid;
    this.#queue += paid;
    this.#paid += paid;
    const { queue } = this.model;
    const last = this.model.lastFinalizedId();
    let due = 0n;
    let count = 0n;
    for (let id = this.#finalised + 1; id <= last; id++) {
      const request = this.#requests[id - 1];
      assert(request);
      assert(request.time <= cutoff, "I6: a request after the cut-off was finalised");
      request.due = (unitsOf(queue, id) * lower(request.openingRate, maxRate)) / RAY;
      due += request.due;
      count++;
    }
    assert(due <= paid && paid <= due + count, `I5: paid ${paid} for ${count} requests worth ${due}`);
    this.#finalised = last;
    this.#unclaimed += due;
    this.#unclaimedCount += count;
  }

  // --- checks ---

  /** Runs an action. One that is refused must leave everything as it was. */
  #attempt(name: string, act: () => void): void {
    const { totals, books, queue, rails } = this.model;
    const held = this.model.accounts.map((account) => [account, this.model.sharesOf(account)]);
    let outcome = name;
    try {
      act();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      outcome = `${name}: ${error.errorName}`;
      assert(EXPECTED.has(error.errorName), `unexpected: ${error.message}`);
      assert.deepEqual({ totals, books, queue, rails }, pickState(this.model), "I13: a refusal changes nothing");
      assert.deepEqual(
        held,
        this.model.accounts.map((account) => [account, this.model.sharesOf(account)]),
      );
    }
    this.#note(outcome);
  }

  #note(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  #checkBooks(): void {
    const { model } = this;
    const { totals, books } = model;
    assert.equal(this.#pool, model.buffer(), "I1: the pool's ether is its buffer");
    assert(this.#pool >= 0n && this.#queue >= 0n);

    const sum = model.accounts.reduce((total, account) => total + model.sharesOf(account), 0n);
    assert.equal(sum, totals.shares, "I2: the sum of all shares");
    const queued = model.unfinalisedShares() + books.cover + model.queue.remainder;
    assert.equal(model.sharesOf(SETTINGS.queue), queued, "I2: the queue's account holds waiting requests and cover");

    const counted = this.#inDoubt + this.#since();
    const calm = this.#finalisable && this.now <= this.#openUntil && counted <= tolerated(totals.ether);
    assert.equal(model.isCalm(this.now), calm, "I26: calm");
    if (calm && counted > 0n) this.#note("calm with slashings in doubt");
    const uncovered = this.#slashings.filter((slotTime) => slotTime > this.#lastRefTime).length;
    assert(
      BigInt(uncovered) <= books.slashed + books.slashedEarlier,
      "I26: a slashing that no report has fell out of the count",
    );
    const { fundingBoundary } = books;
    assert(
      fundingBoundary <= this.#lastRefTime + DAY,
      "I24: the boundary of fundings is past the next possible reference",
    );
    const asked = this.random.pick([0n, 1n, 7n]);
    const there = this.#pool + this.#reportedLeaving + 32n * ETHER * asked;
    assert.equal(model.exitDemand(asked), saturatingSub(model.promised(), there), "exit demand");

    assert(this.#queue >= this.#unclaimed, "I5: the queue can pay");
    assert(this.#queue <= this.#unclaimed + BigInt(this.#finalised), "I5: a wei a request at most is left");

    assert.equal(totals.ether, this.#deposited + this.#bonds + this.#recognised - this.#paid, "I10: T");
    const past = this.#snapshots.findLast(({ refTime }) => refTime <= books.lastRefTime);
    if (past?.refTime === books.lastRefTime) {
      const seen = past.cl + past.inflows - past.funded;
      assert.equal(this.#recognised + books.heldBack, seen, "I10: recognised and held back are all there was");
    }
    this.#checkProfits();
  }

  #checkReport(outcome: ReportOutcome, snapshot: Snapshot, elapsed: bigint): void {
    const { before, after, judged, recognised, fee } = outcome;
    const { feeBp, maxAprBp } = this.model.settings;
    assert(outcome.heldBack === 0n || recognised >= 0n);
    assert(
      after.ether * before.shares * BP * YEAR <= before.ether * after.shares * (BP * YEAR + maxAprBp * elapsed),
      "I15: a report raises the rate by at most what its time allows",
    );
    if (outcome.gross < 0n) assert.equal(recognised, outcome.gross, "a fall is taken whole");

    // the fee, against the highest rate that any report left
    const grown = judged.ether;
    const aboveHighest = grown * this.#highest.shares - this.#highest.ether * before.shares;
    const base = aboveHighest > 0n ? aboveHighest : 0n;
    assert(fee * BP * this.#highest.shares <= feeBp * base, "I9: fee only above the highest rate");
    assert(fee * BP <= feeBp * (recognised > 0n ? recognised : 0n), "I9: fee only of a gain");
    assert((outcome.feeShares * judged.ether) / judged.shares <= fee, "I9: fee shares are worth no more than the fee");
    this.#fees += fee;
    this.#gains += recognised > 0n ? recognised : 0n;
    assert(this.#fees * BP <= this.#gains * feeBp, "I9: all fees of all gains");
    if (after.ether * this.#highest.shares > this.#highest.ether * after.shares) this.#highest = after;

    assert.equal(this.model.books.clLast, snapshot.cl);
    assert.equal(this.model.books.fundedAtLastRef, snapshot.funded);
  }

  /** I3: what stakers and keepers do never lowers the rate, and raises it by less than a wei in all. */
  #checkRateKept(before: Totals): void {
    const after = this.model.totals;
    const grown = after.ether * before.shares - before.ether * after.shares;
    assert(grown >= 0n, "I3: the rate fell without a report");
    assert(grown < before.ether + before.shares, "I3: the rate rose without a report");
  }

  /**
   * I12: ether that comes in two pieces, with somebody continuing the finalisation after each, pays what it pays in one. T differs by at most
   * a wei, for each piece's sum rounds down, and S by a share a call.
   */
  #checkPieces(start: ProtocolModel, staker: Staker, amount: bigint): void {
    const [whole, pieces] = [start.clone(), start.clone()];
    const first = this.random.between(1n, amount - 1n);
    whole.deposit(staker, wei(amount), this.now);
    proceed(whole, this.now);
    for (const piece of [first, amount - first]) {
      pieces.deposit(staker, wei(piece), this.now);
      proceed(pieces, this.now);
    }
    const [one, two] = [whole.lastFinalizedId(), pieces.lastFinalizedId()];
    for (let id = 1; id <= Math.min(one, two); id++) {
      assert.equal(payment(whole.queue, id), payment(pieces.queue, id), "I12: a payment depends on who continued");
    }
    if (one !== two && this.#inDoubt + this.#since() > 0n) {
      // what was paid took T below what tolerates the slashings in doubt: the rest waits for a report (decision 014)
      assert(!whole.isCalm(this.now) || !pieces.isCalm(this.now), "I12: how far it reached depends on who continued");
      this.#note("payment that ended the calm");
      return;
    }
    assert(one === two, "I12: how far it reached depends on who continued");
    const apart = pieces.totals.ether - whole.totals.ether;
    assert(apart >= 0n && apart <= 1n, `I12: T is ${apart} apart`);
    const sharesApart = whole.totals.shares - pieces.totals.shares;
    const { ether, shares: total } = whole.totals;
    // a deposit multiplies the share that an earlier call rounded by how much larger than the pool it is
    const allowed = 3n * (2n + amount / max(1n, ether - amount)) + apart * (total / ether + 1n);
    assert(sharesApart <= allowed && -sharesApart <= allowed, `I12: S is ${sharesApart} apart`);
  }

  /** I15: nobody has more than went in, grown at the largest rate for the time of each report. */
  #checkProfits(): void {
    const { totals } = this.model;
    const rate = ray(rateOf(totals) + 1n);
    const value = new Map<Staker, bigint>(
      STAKERS.map((staker) => [staker, (this.model.sharesOf(staker) * totals.ether) / totals.shares]),
    );
    this.#requests.forEach((request, index) => {
      if (request.claimed === true) return;
      const waiting = (unitsOf(this.model.queue, index + 1) * lower(request.openingRate, rate)) / RAY;
      value.set(request.owner, (value.get(request.owner) ?? 0n) + (request.due ?? waiting));
    });
    for (const [staker, has] of value) {
      const credit = this.#credit.get(staker) ?? 0n;
      assert(has <= credit, `I15: ${staker} has ${has} of at most ${credit}`);
    }
  }

  /** Everything claims, in the end: what was owed is paid and the queue keeps dust. */
  claimAll(): void {
    this.#requests.forEach((request, index) => {
      if (request.due === undefined || request.claimed === true) return;
      assert.equal(payment(this.model.queue, index + 1), request.due);
      const amount = this.model.claim(request.owner, index + 1);
      assert.equal(amount, request.due);
      this.#queue -= amount;
      this.#unclaimed -= amount;
      request.claimed = true;
    });
    assert.equal(this.#unclaimed, 0n);
    assert(this.#queue >= 0n && this.#queue <= BigInt(this.#finalised), "I5: dust of a wei a request");
    assert.equal(units(0n), 0n);
  }
}

/** Nothing to do for an action. */
const NOT_NOW = new ProtocolError("NotNow", []);

const EXPECTED = new Set([
  "NotNow",
  "ReportOverdue",
  "DepositCapReached",
  "RequestTooSmall",
  "ERC20InsufficientBalance",
  "AlreadyClaimed",
  "NotRequestOwner",
  "NotFinalized",
  "FinalisationNotAllowed",
  "NothingToFinalise",
  "NotDepositable",
]);

/** Continues the finalisation, if it can be. */
function proceed(model: ProtocolModel, now: bigint): void {
  try {
    model.continueFinalisation(now);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
}

function pickState({ totals, books, queue, rails }: ProtocolModel) {
  return { totals, books, queue, rails };
}
