import { expect } from "chai";
import { ProtocolModel } from "../../../offchain/protocol/model.ts";
import type { ReportInput, ReportOutcome } from "../../../offchain/protocol/applyReport.ts";
import type { Settings } from "../../../offchain/protocol/model.ts";
import { rateDown, rateUp } from "../../../offchain/protocol/shares.ts";
import { DAY, ETHER, RAY, bp, shares, wei } from "../../../offchain/protocol/units.ts";

const SETTINGS: Settings = {
  feeBp: bp(1_000n),
  maxAprBp: bp(1_000n),
  depositCap: wei(1_000n * ETHER),
  secondsPerFrame: DAY,
  queue: "queue",
  operators: "operators",
  treasury: "treasury",
  locked: "locked",
};
const START = 1_000_000n;
const MARGIN = 3_600n;
/** A report is overdue six hours after it is due. */
const GRACE = DAY / 4n;
/** A day's gain on 100 ETH at 10% a year, rounded down. */
const LIMIT = 27_397_260_273_972_602n;

/** The protocol with what is around it: ether at validators and in vaults changes only when a test says so. */
class Scene {
  readonly model: ProtocolModel;
  cl = 0n;
  withdrawals = 0n;
  rewards = 0n;

  constructor(opening: bigint, settings: Partial<Settings> = {}) {
    this.model = new ProtocolModel({ ...SETTINGS, ...settings });
    this.model.bootstrap(wei(opening), START, {
      refTime: START,
      nextCutoff: day(1n) - MARGIN,
      openUntil: day(1n) + GRACE,
    });
  }

  fund(count: bigint, now: bigint): void {
    this.model.fund(count, now);
    this.cl += 32n * ETHER * count;
  }

  /** The report of a day, of what is there now, an hour later unless said otherwise. */
  report(n: bigint, changes: Partial<ReportInput> = {}): ReportOutcome {
    const refTime = day(n);
    const sinceLast = refTime - this.model.books.lastRefTime;
    const outcome = this.model.report({
      now: refTime + 3_600n,
      elapsed: sinceLast < 2n * DAY ? sinceLast : 2n * DAY,
      refTime,
      cutoff: refTime - MARGIN,
      nextCutoff: refTime + DAY - MARGIN,
      openUntil: refTime + DAY + GRACE,
      clBalance: wei(this.cl),
      leaving: wei(0n),
      withdrawalVault: { reported: wei(this.withdrawals), held: wei(this.withdrawals) },
      rewardsVault: { reported: wei(this.rewards), held: wei(this.rewards) },
      incident: false,
      ...changes,
    });
    this.withdrawals -= outcome.sweptWithdrawals;
    this.rewards -= outcome.sweptRewards;
    return outcome;
  }
}

/** The reference time of the n-th day. */
function day(n: bigint): bigint {
  return START + n * DAY;
}

describe("stakers in the model", () => {
  it("hold a billion shares a wei at the start, and see what they deposited", () => {
    const { model } = new Scene(100n * ETHER);
    expect(model.deposit("ann", wei(10n * ETHER), START)).to.equal(10n ** 28n);
    expect(model.deposit("bob", wei(1n), START)).to.equal(10n ** 9n);
    expect(model.balanceOf("ann")).to.equal(10n * ETHER);
    expect(model.balanceOf("bob")).to.equal(1n);
    expect(model.totals).to.deep.equal({ ether: 110n * ETHER + 1n, shares: 110n * 10n ** 27n + 10n ** 9n });
  });

  it("move value between them", () => {
    const { model } = new Scene(100n * ETHER);
    model.deposit("ann", wei(10n * ETHER), START);
    model.transfer("ann", "bob", wei(3n * ETHER));
    expect([model.balanceOf("ann"), model.balanceOf("bob")]).to.deep.equal([7n * ETHER, 3n * ETHER]);
    model.transferShares("bob", "ann", shares(5n));
    expect(model.sharesOf("bob")).to.equal(3n * 10n ** 27n - 5n);
  });

  it("are refused what cannot be", () => {
    const { model } = new Scene(100n * ETHER);
    expect(() => model.deposit("ann", wei(0n), START)).to.throw("ZeroDeposit()");
    expect(() => model.deposit("ann", wei(1n), day(1n) + GRACE + 1n)).to.throw(`ReportOverdue(${day(1n) + GRACE})`);
    expect(model.clone().deposit("ann", wei(1n), day(1n) + GRACE)).to.equal(10n ** 9n);
    expect(() => model.deposit("ann", wei(1_000n * ETHER + 1n), START)).to.throw("DepositCapReached");
    model.deposit("ann", wei(1_000n * ETHER), START);
    expect(() => model.deposit("ann", wei(1n), START)).to.throw("DepositCapReached");
    expect(() => model.transfer("bob", "ann", wei(1n))).to.throw("ERC20InsufficientBalance(bob, 0, 1)");
    expect(() => model.request("ann", [wei(99n)], START)).to.throw("RequestTooSmall(99, 100)");
    expect(() => model.request("ann", [], START)).to.throw("NoRequests()");
    expect(() => model.claim("ann", 1)).to.throw("UnknownRequest(1)");
    expect(() => model.bootstrap(wei(ETHER), START, { refTime: START, nextCutoff: 0n, openUntil: 0n })).to.throw(
      "AlreadyBootstrapped",
    );
    const again = () => new Scene(ETHER / 100n - 1n);
    expect(again).to.throw("BootstrapTooSmall");
  });

  it("ask for several amounts or for none", () => {
    const { model } = new Scene(100n * ETHER);
    model.deposit("ann", wei(1_000n), START);
    expect(() => model.request("ann", [wei(600n), wei(600n)], START)).to.throw(
      "ERC20InsufficientBalance(ann, 400, 600)",
    );
    expect(model.balanceOf("ann")).to.equal(1_000n);
    expect(() => model.requestShares("ann", [shares(1n)], START)).to.throw("RequestTooSmall(0, 100)");
    expect(() => model.requestShares("ann", [shares(10n ** 13n)], START)).to.throw("SharesExceedBalance");
    expect(model.request("ann", [wei(600n), wei(100n)], START)).to.deep.equal([1, 2]);
    expect(() => model.requestShares("ann", [shares(10n ** 11n - 1n)], START)).to.throw("RequestTooSmall(99, 100)");
    expect(model.requestShares("ann", [shares(10n ** 11n), shares(2n * 10n ** 11n)], START)).to.deep.equal([3, 4]);
    expect(model.balanceOf("ann")).to.equal(0n);
    expect(model.unfinalisedShares()).to.equal(10n ** 12n);
  });
});

describe("a report in the model", () => {
  it("adds a day's rewards and takes a tenth as shares, by weight", () => {
    const scene = new Scene(100n * ETHER);
    scene.rewards = ETHER / 50n;
    const outcome = scene.report(1n);
    expect(outcome).to.include({ recognised: ETHER / 50n, fee: ETHER / 500n, sweptRewards: ETHER / 50n, heldBack: 0n });
    // two validators of 500 bp: half of the whole units
    expect(outcome.feeShares).to.equal(1_999_640_064_788_338_099_142_154n);
    expect(scene.model.divideFees({ total: 1_000n, active: 2n })).to.include({
      operatorShares: 999_820_032_394_169_000_000_000n,
      treasuryShares: 999_820_032_394_169_000_000_000n,
    });
    expect(scene.model.divideFees({ total: 1_000n, active: 2n })).to.include({
      operatorShares: 0n,
      treasuryShares: 0n,
    });
    expect(scene.model.payTreasury()).to.equal(999_820_032_394_169_000_000_000n);
    expect(scene.model.payTreasury()).to.equal(0n);
    expect(scene.model.balanceOf("treasury")).to.equal(ETHER / 1_000n - 1n); // less than a unit waits
    expect(scene.model.books.highWaterRate).to.equal(rateUp(scene.model.totals));
    expect(scene.model.buffer()).to.equal(100n * ETHER + ETHER / 50n);
  });

  it("holds back what is above the limit and recognises it later, with one fee", () => {
    const scene = new Scene(100n * ETHER, { depositCap: wei(0n) });
    scene.rewards = LIMIT + 5n;
    expect(scene.report(1n)).to.include({ recognised: LIMIT, heldBack: 5n, fee: LIMIT / 10n });
    expect(scene.model.buffer()).to.equal(100n * ETHER + LIMIT + 5n);
    expect(scene.report(2n)).to.include({ recognised: 5n, heldBack: 0n, fee: 0n }); // a tenth of 5 wei
    expect(scene.report(3n)).to.include({ recognised: 0n, heldBack: 0n, fee: 0n });
  });

  it("meets a fall with what was held back first", () => {
    const scene = new Scene(100n * ETHER);
    scene.fund(2n, START);
    scene.rewards = ETHER;
    const { heldBack } = scene.report(1n);
    scene.cl -= heldBack;
    expect(scene.report(2n)).to.include({ gross: 0n, recognised: 0n, heldBack: 0n });
  });

  it("takes a fall whole, and no fee until it is made good", () => {
    const scene = new Scene(100n * ETHER);
    scene.fund(1n, START); // with the operator's 1 ETH: T is 101 ETH
    scene.cl -= ETHER / 100n;
    expect(scene.report(1n)).to.include({ recognised: -10_000_000_000_000_000n, fee: 0n, finalisable: true }); // 0.99 bp
    expect(scene.model.books.highWaterRate).to.equal(RAY);
    scene.cl += ETHER / 100n;
    expect(scene.report(2n)).to.include({ recognised: ETHER / 100n, fee: 0n });
    scene.cl += 1_000n;
    expect(scene.report(3n)).to.include({ recognised: 1_000n, fee: 100n });
  });

  it("takes no fee on principal that comes back", () => {
    const scene = new Scene(100n * ETHER);
    scene.fund(3n, START);
    expect(scene.report(1n)).to.include({ gross: 0n, fee: 0n });
    scene.cl -= 32n * ETHER;
    scene.withdrawals += 32n * ETHER;
    expect(scene.report(2n)).to.include({ gross: 0n, fee: 0n, sweptWithdrawals: 32n * ETHER });
    expect(scene.model.etherAtValidators()).to.equal(64n * ETHER);
    expect(scene.model.buffer()).to.equal(39n * ETHER);
  });

  it("counts at most two frames, however late it is", () => {
    const scene = new Scene(100n * ETHER);
    scene.rewards = 100n * ETHER;
    expect(scene.report(9n)).to.include({ recognised: 54_794_520_547_945_205n });
  });

  it("knows what was funded at its reference, and nothing later", () => {
    const scene = new Scene(100n * ETHER);
    scene.fund(1n, day(1n)); // in the reference block
    scene.model.fund(1n, day(1n) + 12n); // after it: not in the balance that the committee saw
    expect(scene.report(1n)).to.include({ gross: 0n });
    expect(scene.model.etherAtValidators()).to.equal(64n * ETHER);
    scene.cl += 32n * ETHER;
    expect(scene.report(2n)).to.include({ gross: 0n });
  });

  it("knows what was funded in the reference block, where nothing was later", () => {
    const scene = new Scene(100n * ETHER);
    scene.fund(1n, START);
    scene.fund(1n, day(1n));
    expect(scene.report(1n)).to.include({ gross: 0n });
    expect(scene.model.books.fundedAtLastRef).to.equal(64n * ETHER);
  });

  it("in the reference block itself has swept already", () => {
    const scene = new Scene(100n * ETHER);
    scene.rewards = 50n;
    scene.report(1n, { now: day(2n) });
    scene.rewards = 7n;
    expect(scene.report(2n)).to.include({ gross: 7n });
  });

  it("is refused where its reference lies before the execution of the last one: the frame becomes part of the next", () => {
    const scene = new Scene(100n * ETHER);
    scene.rewards = 50n;
    // the report of day 1 is executed a second after the reference of day 2
    scene.report(1n, { now: day(2n) + 1n });
    scene.rewards = 7n;
    expect(() => scene.report(2n)).to.throw(`ReferenceTooOld(${day(2n)}, ${day(2n) + 1n})`);
    scene.rewards = 9n;
    const merged = scene.report(3n);
    expect(merged).to.include({ gross: 9n, sweptRewards: 9n });
    expect(scene.model.books.lastReportTime).to.equal(day(3n) + 3_600n);
  });

  it("is refused when a vault cannot have held what it says; the error names the vault", () => {
    const scene = new Scene(100n * ETHER);
    const of = (reported: bigint, held: bigint) => ({ reported: wei(reported), held: wei(held) });
    const [most, more] = [of(50n, 50n), of(51n, 50n)];
    const [both, one] = [
      { withdrawalVault: more, rewardsVault: more },
      { withdrawalVault: most, rewardsVault: more },
    ];
    expect(() => scene.report(1n, both)).to.throw("VaultBalanceImpossible(withdrawalVault, 51, 50)");
    expect(() => scene.report(1n, one)).to.throw("VaultBalanceImpossible(rewardsVault, 51, 50)");
    expect(scene.report(1n, { withdrawalVault: most, rewardsVault: of(49n, 50n) })).to.include({ gross: 99n });
  });

  it("is refused when nothing would be left", () => {
    const scene = new Scene(31n * ETHER);
    scene.fund(1n, START);
    scene.cl = 0n;
    expect(() => scene.report(1n)).to.throw("TotalWouldBeZero(-32000000000000000000)");
    scene.cl = 1n;
    expect(scene.report(1n).after.ether).to.equal(1n);
  });
});

describe("a withdrawal in the model", () => {
  it("is worth what it was at the opening of its round, however much is earned since", () => {
    const scene = new Scene(100n * ETHER);
    scene.model.deposit("ann", wei(10n * ETHER), START);
    scene.model.request("ann", [wei(4n * ETHER)], START);
    scene.rewards = ETHER / 50n;
    expect(scene.report(1n)).to.include({ paid: 4n * ETHER });
    expect(scene.model.claim("ann", 1)).to.equal(4n * ETHER);
    expect(() => scene.model.claim("ann", 1)).to.throw("AlreadyClaimed(1)");
  });

  it("bears a fall like everyone, and deposits pause for a report", () => {
    const scene = new Scene(100n * ETHER);
    scene.model.deposit("ann", wei(10n * ETHER), START);
    scene.fund(1n, START); // T: 111 ETH
    scene.model.request("ann", [wei(5n * ETHER)], START);
    scene.cl -= 111n * (ETHER / 100n); // 1%
    expect(scene.report(1n)).to.include({ finalisable: false, paid: 0n });
    expect(() => scene.model.deposit("bob", wei(1n), day(1n))).to.throw("DepositCapReached");
    expect(scene.report(2n)).to.include({ finalisable: true, paid: (5n * ETHER * 99n) / 100n });
    expect(scene.model.claim("ann", 1)).to.equal((5n * ETHER * 99n) / 100n);
    expect(scene.model.balanceOf("ann")).to.equal((5n * ETHER * 99n) / 100n);
  });

  it("made after the cut-off waits for the next report (the round's end)", () => {
    const scene = new Scene(100n * ETHER);
    scene.model.deposit("ann", wei(10n * ETHER), START);
    scene.model.request("ann", [wei(ETHER)], day(1n) - MARGIN);
    scene.model.request("ann", [wei(ETHER)], day(1n) - MARGIN + 1n);
    expect(scene.report(1n)).to.include({ paid: ETHER });
    expect(() => scene.model.claim("ann", 2)).to.throw("NotFinalized(2, 2000000000000000000, 1000000000000000000)");
    expect(scene.report(2n)).to.include({ paid: ETHER });
  });

  it("is not paid in a report that says incident, nor afterwards by its numbers", () => {
    const scene = new Scene(100n * ETHER);
    scene.model.deposit("ann", wei(10n * ETHER), START);
    scene.model.request("ann", [wei(ETHER)], START);
    expect(scene.report(1n, { incident: true })).to.include({ finalisable: false, paid: 0n });
    expect(() => scene.model.continueFinalisation(day(1n) + 7_200n)).to.throw("FinalisationNotAllowed");
    expect(scene.report(2n)).to.include({ finalisable: true, paid: ETHER });
  });

  it("is not paid while one slashing is unreported below 1,000 ETH; the report of its state pays", () => {
    const scene = new Scene(100n * ETHER);
    scene.model.deposit("ann", wei(10n * ETHER), START);
    scene.model.request("ann", [wei(ETHER)], START);
    scene.model.noteSlashing(day(1n) + 1n);
    scene.model.noteSlashing(day(1n) - 1n); // an older proof forgets nothing
    expect(scene.report(1n)).to.include({ finalisable: false, paid: 0n });
    scene.model.noteSlashing(day(2n)); // the report of day 2 knows it
    expect(scene.report(2n)).to.include({ finalisable: true, paid: ETHER });
  });

  it("is not paid in a report that lowers the rate by more than a basis point", () => {
    const scene = new Scene(100n * ETHER);
    scene.fund(1n, START); // T: 101 ETH
    scene.model.deposit("ann", wei(10n * ETHER), START);
    scene.model.request("ann", [wei(ETHER)], START);
    scene.cl -= (111n * ETHER * 3n) / 20_000n; // 1.5 bp
    expect(scene.report(1n)).to.include({ finalisable: false, paid: 0n });
    scene.cl -= (111n * ETHER) / 20_000n; // 0.5 bp
    expect(scene.report(2n).paid > 0n).to.be.true;
  });

  it("burns its shares in the report that pays it, and the rate stays", () => {
    const scene = new Scene(100n * ETHER);
    scene.model.deposit("ann", wei(10n * ETHER), START);
    scene.model.request("ann", [wei(4n * ETHER)], START);
    const { before, after, burned } = scene.report(1n);
    expect(burned).to.equal(4n * 10n ** 27n);
    expect(rateDown(after)).to.equal(rateDown(before));
    expect(scene.model.books.cover).to.equal(0n);
    expect(scene.model.sharesOf("queue")).to.equal(0n);
  });

  it("is promised at the present rate, whatever happened since it was asked (promised is derived)", () => {
    const scene = new Scene(100n * ETHER);
    scene.fund(1n, START); // T: 101 ETH
    scene.model.deposit("ann", wei(10n * ETHER), START);
    scene.model.request("ann", [wei(10n * ETHER)], START);
    expect(scene.model.promised()).to.equal(10n * ETHER);
    scene.cl -= 111n * (ETHER / 10n);
    scene.report(1n);
    expect(scene.model.promised()).to.equal(9n * ETHER);
    expect(scene.model.depositable()).to.equal(70n * ETHER);
    expect(scene.model.exitDemand(1n)).to.equal(0n);
  });
});

describe("continuing a finalisation in the model", () => {
  it("stops at the first request that the ether does not reach, and goes on when more comes", () => {
    const scene = new Scene(100n * ETHER);
    const { model } = scene;
    model.deposit("ann", wei(20n * ETHER), START);
    scene.fund(3n, START); // 27 ETH stay here; T: 123 ETH
    model.transferShares("locked", "bob", shares(90n * 10n ** 27n));
    model.request("bob", [wei(20n * ETHER), wei(40n * ETHER)], START);
    scene.rewards = ETHER / 50n;
    const { after, paid } = scene.report(1n);
    expect(paid).to.equal(20n * ETHER);
    model.deposit("cid", wei(33n * ETHER), day(1n) + 7_200n);
    const before = model.totals;
    const done = model.continueFinalisation(day(1n) + 7_200n);
    expect(done.paid).to.equal(40n * ETHER);
    expect(done.burned).to.equal((40n * ETHER * before.shares) / before.ether + 1n);
    expect(model.books.cover).to.equal(40n * 10n ** 27n - done.burned); // what 40 ETH of shares had earned
    expect(rateDown(model.totals) - rateDown(after)).to.be.oneOf([0n, 1n]);
    expect(() => model.continueFinalisation(day(1n) + 7_200n)).to.throw("NothingToFinalise");
    const shared = scene.report(2n);
    expect(shared.burned).to.equal(40n * 10n ** 27n - done.burned);
  });

  /** 40 ETH are asked for, and came after the report that could not pay them. */
  function waiting(): ProtocolModel {
    const scene = new Scene(100n * ETHER);
    const { model } = scene;
    model.deposit("ann", wei(20n * ETHER), START);
    scene.fund(3n, START);
    model.transferShares("locked", "bob", shares(90n * 10n ** 27n));
    model.request("bob", [wei(40n * ETHER)], START);
    expect(scene.report(1n)).to.include({ paid: 0n, finalisable: true });
    model.deposit("cid", wei(33n * ETHER), day(1n) + 7_200n);
    return model;
  }

  it("is refused while a report is overdue", () => {
    const model = waiting();
    expect(() => model.clone().continueFinalisation(day(2n) + GRACE + 1n)).to.throw("FinalisationNotAllowed");
    expect(model.clone().continueFinalisation(day(2n) + GRACE).paid).to.equal(40n * ETHER);
  });

  it("is refused when a slashing was proven in a state that the last report does not contain", () => {
    const model = waiting();
    const later = day(1n) + 7_200n;
    model.noteSlashing(day(1n));
    expect(model.clone().continueFinalisation(later).paid).to.equal(40n * ETHER);
    model.noteSlashing(day(1n) + 12n);
    expect(() => model.continueFinalisation(later)).to.throw("FinalisationNotAllowed");
  });

  it("is refused once a report was announced, until one is applied", () => {
    const model = waiting();
    const later = day(1n) + 7_200n;
    model.hold(later);
    expect(model.isCalm(later)).to.equal(false);
    expect(() => model.continueFinalisation(later)).to.throw("FinalisationNotAllowed");
  });
});

describe("slashings in the model", () => {
  /** `ether` in the pool, of which 32 ETH are at a validator, and a request that a report of day 1 may pay. */
  function asked(ether: bigint): Scene {
    const scene = new Scene(100n * ETHER, { depositCap: wei(10n ** 30n) });
    scene.model.deposit("ann", wei(ether - 101n * ETHER), START);
    scene.fund(1n, START);
    scene.model.request("ann", [wei(ETHER)], START);
    expect(scene.model.totals.ether).to.equal(ether);
    return scene;
  }
  const note = (scene: Scene, count: bigint, slotTime: bigint) => {
    for (let n = 0n; n < count; n++) scene.model.noteSlashing(slotTime);
  };
  const counts = ({ model: { books } }: Scene) => [books.slashed, books.slashedEarlier, books.slashingTime];

  it("later than a report's reference are counted apart; a report that has all of them forgets them", () => {
    const scene = asked(10_000n * ETHER);
    note(scene, 2n, START); // at the reference that counts as reported
    expect(counts(scene)).to.deep.equal([0n, 0n, START]);
    note(scene, 3n, day(1n));
    note(scene, 1n, START - 5n);
    expect(counts(scene)).to.deep.equal([3n, 0n, day(1n)]);
    scene.report(1n);
    expect(counts(scene)).to.deep.equal([0n, 0n, day(1n)]);
    note(scene, 2n, day(2n));
    note(scene, 1n, day(2n) + 1n); // the report of day 2 does not have it: none of the three is forgotten
    scene.report(2n);
    expect(counts(scene)).to.deep.equal([0n, 3n, day(2n) + 1n]);
    note(scene, 4n, day(2n) + 2n);
    expect(counts(scene)).to.deep.equal([4n, 3n, day(2n) + 2n]);
    scene.report(3n);
    expect(counts(scene)).to.deep.equal([0n, 0n, day(2n) + 2n]);
  });

  it("stop a report's payments when they are more than one in 1,000 ETH, and the next report pays", () => {
    for (const [ether, tolerated] of [
      [2_000n * ETHER, 2n],
      [3_000n * ETHER - 1n, 2n],
      [3_000n * ETHER, 3n],
    ] as const) {
      const [calm, stopped] = [asked(ether), asked(ether)];
      note(calm, tolerated, day(1n) + 12n);
      note(stopped, tolerated + 1n, day(1n) + 12n);
      expect(calm.report(1n)).to.include({ finalisable: true, paid: ETHER });
      expect(stopped.report(1n)).to.include({ finalisable: false, paid: 0n });
      expect(stopped.report(2n)).to.include({ finalisable: true, paid: ETHER });
    }
  });

  it("are judged by what is left after the report's fall", () => {
    const [scene, poorer] = [asked(2_000n * ETHER), asked(2_000n * ETHER)];
    for (const each of [scene, poorer]) note(each, 2n, day(1n) + 12n);
    poorer.cl -= 1n;
    expect(scene.report(1n)).to.include({ finalisable: true });
    expect(poorer.report(1n)).to.include({ finalisable: false });
  });

  it("proven before the last report and since stop what goes on by its numbers together", () => {
    const scene = asked(3_000n * ETHER);
    const later = day(1n) + 7_200n;
    note(scene, 2n, day(1n) + 12n);
    expect(scene.report(1n)).to.include({ finalisable: true, paid: ETHER });
    note(scene, 1n, day(1n)); // in the report
    expect(scene.model.isCalm(later)).to.equal(true);
    note(scene, 1n, day(1n) + 24n);
    expect(scene.model.isCalm(later)).to.equal(false); // 2,999 ETH are left: two are tolerated
    scene.model.deposit("bob", wei(ETHER), later);
    expect(scene.model.isCalm(later)).to.equal(true);
    note(scene, 1n, day(1n) + 24n);
    expect(scene.model.isCalm(later)).to.equal(false);
    expect(() => scene.model.continueFinalisation(later)).to.throw("FinalisationNotAllowed");
  });

  it("may stop the second of two payments by what the first one took, where a single one pays both", () => {
    const scene = new Scene(100n * ETHER);
    scene.model.deposit("ann", wei(869n * ETHER), START);
    scene.fund(31n, START); // 8 ETH stay here; T: 1,000 ETH
    scene.model.request("ann", [wei(20n * ETHER), wei(5n * ETHER)], START);
    note(scene, 1n, day(1n) + 12n);
    expect(scene.report(1n)).to.include({ finalisable: true, paid: 0n });
    const later = day(1n) + 7_200n;
    const [whole, pieces] = [scene.model.clone(), scene.model.clone()];
    whole.deposit("bob", wei(17n * ETHER), later);
    expect(whole.continueFinalisation(later)).to.include({ paid: 25n * ETHER });
    pieces.deposit("bob", wei(12n * ETHER), later);
    expect(pieces.continueFinalisation(later)).to.include({ paid: 20n * ETHER });
    pieces.deposit("bob", wei(5n * ETHER), later); // T: 997 ETH
    expect(() => pieces.continueFinalisation(later)).to.throw("FinalisationNotAllowed");
    expect([1, 2].map((id) => whole.claim("ann", id))).to.deep.equal([20n * ETHER, 5n * ETHER]);
    expect(pieces.claim("ann", 1)).to.equal(20n * ETHER);
  });

  it("stop payments beyond 400, however much there is", () => {
    const [calm, stopped] = [asked(10_000_000n * ETHER), asked(10_000_000n * ETHER)];
    note(calm, 400n, day(1n) + 12n);
    note(stopped, 401n, day(1n) + 12n);
    expect(calm.report(1n)).to.include({ finalisable: true });
    expect(stopped.report(1n)).to.include({ finalisable: false });
  });

  it("are counted up to what 16 bits hold", () => {
    const scene = asked(10_000_000n * ETHER);
    note(scene, 65_535n + 2n, day(1n) + 12n);
    expect(scene.model.books.slashed).to.equal(65_535n);
    expect(scene.report(1n)).to.include({ finalisable: false });
    expect(counts(scene)).to.deep.equal([0n, 65_535n, day(1n) + 12n]);
  });
});

describe("an overdue or announced report in the model", () => {
  it("stops deposits and all fundings, by the buffer or by an operator, until one is applied", () => {
    const refusals = (model: ProtocolModel, now: bigint, openUntil: bigint) => {
      for (const act of [
        () => model.deposit("ann", wei(ETHER), now),
        () => model.fund(1n, now),
        () => model.fundOwn("ann", now),
      ])
        expect(act).to.throw(`ReportOverdue(${openUntil})`);
    };
    const overdue = new Scene(100n * ETHER);
    refusals(overdue.model, day(1n) + GRACE + 1n, day(1n) + GRACE);
    overdue.model.clone().fund(1n, day(1n) + GRACE);
    overdue.model.clone().fundOwn("ann", day(1n) + GRACE);

    const announced = new Scene(100n * ETHER);
    announced.model.hold(day(1n));
    refusals(announced.model, day(1n), day(1n) - 1n);
    announced.report(1n);
    announced.fund(1n, day(1n) + 7_200n);
    announced.model.deposit("ann", wei(ETHER), day(2n) + GRACE);
  });

  it("leaves every funding on one side of each reference that may still be reported", () => {
    const scene = new Scene(100n * ETHER);
    scene.fund(1n, START);
    scene.model.fund(1n, day(1n) + GRACE); // as late as may be: its boundary is the reference that is awaited
    expect(scene.model.books).to.include({ fundingBoundary: day(1n), fundedBefore: 32n * ETHER });
    expect(scene.report(1n)).to.include({ gross: 0n });
    scene.cl += 32n * ETHER;
    expect(scene.report(2n)).to.include({ gross: 0n });
  });
});

describe("an operator's own funding in the model", () => {
  it("is a deposit of 31 ETH that never comes to the buffer, within what deposits are allowed", () => {
    const { model } = new Scene(100n * ETHER, { depositCap: wei(31n * ETHER) });
    expect(model.fundOwn("ann", START)).to.equal(10n ** 27n);
    expect([model.balanceOf("ann"), model.balanceOf("operators")]).to.deep.equal([31n * ETHER, ETHER]);
    expect([model.buffer(), model.etherAtValidators()]).to.deep.equal([100n * ETHER, 32n * ETHER]);
    const refused = () => model.fundOwn("ann", START);
    expect(refused).to.throw(`DepositCapReached(${163n * ETHER}, ${131n * ETHER})`);
    expect(model.books.funded).to.equal(32n * ETHER);
  });
});

describe("what leaves, in the model", () => {
  it("is what the last report says, and lowers the demand for exits until the next", () => {
    const scene = new Scene(100n * ETHER);
    const { model } = scene;
    scene.fund(3n, START); // 7 ETH stay here
    model.transferShares("locked", "ann", shares(50n * 10n ** 27n));
    model.request("ann", [wei(50n * ETHER)], START);
    expect([0n, 1n, 2n].map((exits) => model.exitDemand(exits))).to.deep.equal([43n * ETHER, 11n * ETHER, 0n]);
    scene.report(1n, { leaving: wei(32n * ETHER) });
    expect(model.books.leaving).to.equal(32n * ETHER);
    expect([0n, 1n].map((exits) => model.exitDemand(exits))).to.deep.equal([11n * ETHER, 0n]);
    // it arrives: what the buffer gains is no longer on its way
    scene.cl -= 32n * ETHER;
    scene.withdrawals += 32n * ETHER;
    scene.report(2n);
    expect(model.exitDemand(0n)).to.equal(11n * ETHER);
    expect(model.buffer()).to.equal(39n * ETHER);
  });
});

describe("cover in the model", () => {
  it("from a bond makes a loss good, as fast as the yearly rate allows", () => {
    const scene = new Scene(100n * ETHER);
    const { model } = scene;
    scene.fund(1n, START); // T: 101 ETH, 1 ETH of it the bond
    scene.cl -= ETHER / 2n;
    scene.report(1n);
    expect(() => model.addCover(shares(10n ** 27n + 1n))).to.throw("SharesExceedBalance");
    model.addCover(shares(5n * 10n ** 26n)); // half of the bond: half of the loss per share is made good by it
    // a day allows 1 / 3651 of 101e27 shares: 27_663_653_793_481_237_...
    expect(scene.report(2n).burned).to.equal(101n * 10n ** 27n - (101n * 10n ** 27n * 3_650n) / 3_651n - 1n);
    expect(model.books.highWaterRate).to.equal(RAY);
    for (let n = 3n; n < 30n; n++) scene.report(n);
    expect(model.books.cover).to.equal(0n);
    expect(model.totals).to.deep.equal({ ether: 100n * ETHER + ETHER / 2n, shares: 1_005n * 10n ** 26n });
  });

  it("never raises the rate to where a fee would be due on it", () => {
    const scene = new Scene(100n * ETHER);
    scene.fund(1n, START);
    scene.model.addCover(shares(10n ** 26n));
    expect(scene.report(1n).burned > 0n).to.be.true;
    const { highWaterRate } = scene.model.books;
    expect(highWaterRate > RAY && highWaterRate === rateUp(scene.model.totals)).to.be.true;
    scene.rewards = 1_000n;
    expect(scene.report(2n).fee).to.equal(99n); // of the gain alone; the mark, rounded up, takes a wei of it
  });
});

describe("a century of daily reports at the limit", () => {
  it("compounds within what rates and rails can carry", () => {
    const scene = new Scene(100n * ETHER);
    scene.rewards = 10n ** 30n; // held back, and enough for a hundred years
    for (let n = 1n; n <= 36_500n; n++) scene.report(n);
    const growth = Number(rateDown(scene.model.totals)) / Number(RAY);
    const daily = (0.1 / 365) * 0.9;
    expect(Math.abs(growth / (1 + daily) ** 36_500 - 1) < 1e-3, `grew ${growth} times`).to.equal(true);
    expect(growth > 8_000, `grew ${growth} times`).to.equal(true);
  });
});

describe("what the token refuses, in the model", () => {
  it("is a rise faster than its rails allow; what is spent is gone", () => {
    const scene = new Scene(100n * ETHER, { maxAprBp: bp(36_500n) });
    scene.rewards = 10n * ETHER;
    // 1% a day would be allowed by the pool; a day and an hour allow 10.41666 bp, and the first report 20 more
    const small = { rewardsVault: { reported: wei(ETHER / 10n), held: wei(scene.rewards) } };
    expect(() => scene.report(1n)).to.throw("RateRisesTooFast(9000000000000001, 3041666666666666)");
    scene.report(1n, small);
    expect(scene.model.rails.allowance).to.equal(3_041_666_666_666_666n - 900_000_000_000_001n);
    expect(scene.model.rails.updatedAt).to.equal(day(1n) + 3_600n);
    const again = { ...small, now: day(2n) + 3_600n };
    scene.report(2n, again);
    expect(() => scene.report(3n, { rewardsVault: { reported: wei(ETHER), held: wei(scene.rewards) } })).to.throw(
      "RateRisesTooFast",
    );
  });

  it("is a rate beyond 104 bits", () => {
    const scene = new Scene(ETHER / 100n, { feeBp: bp(0n), maxAprBp: bp(3_600n), secondsPerFrame: 30n * DAY });
    scene.rewards = 10n ** 30n;
    let n = 30n;
    const limit = 2n ** 104n - 1n;
    expect(() => {
      for (; n < 30n * 400n; n += 30n) scene.report(n, { elapsed: 30n * DAY });
    }).to.throw("RateOutOfRange()");
    const reached = rateDown(scene.model.totals);
    expect(reached <= limit && (reached * 103n) / 100n > limit).to.be.true;
  });

  it("is more ether than 128 bits hold", () => {
    const most = 2n ** 128n - 1n;
    const { model } = new Scene(ETHER, { depositCap: wei(most) });
    expect(() => model.deposit("ann", wei(most - ETHER + 1n), START)).to.throw(`TotalOverflow(${most - ETHER + 1n})`);
    model.deposit("ann", wei(most - ETHER), START);
    expect(model.totals.ether).to.equal(most);
  });
});
