/** I14: token, pool and queue against the ProtocolModel, every book after every action. */
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { max, min } from "../../../offchain/protocol/integers.ts";
import { DAY, ETHER, shares, wei } from "../../../offchain/protocol/units.ts";
import { loadFixture } from "../../helpers/network.ts";
import { Random, fuzzFactor } from "../protocol/random.ts";
import { Twins, deployed } from "./twins.ts";

const SEQUENCES = 8;
const STEPS = 120;
const MAX_ETHER = 120_000_000n * ETHER;
/** Ether for each slashing that is tolerated. */
const A_SLASHING = 1_000n * ETHER;

async function start(): Promise<{ readonly twins: Twins; readonly people: readonly HardhatEthersSigner[] }> {
  const chain = await loadFixture(deployed);
  return { twins: await Twins.start(chain), people: chain.stakers };
}

/** One action, whichever the dice say. */
async function step(
  twins: Twins,
  people: readonly HardhatEthersSigner[],
  random: Random,
  scale: bigint,
): Promise<string> {
  const { model } = twins;
  const someone = random.pick(people);
  const balance = model.balanceOf(someone.address);
  const amount = anyAmount(twins, random, scale);
  const part = random.pick([balance, balance / 2n, random.magnitude(0n, balance + 2n)]);
  twins.wait(random.pick([0n, 12n, 600n, 3_600n]));
  switch (random.pick(ACTIONS)) {
    case "deposit":
      return `deposit ${await twins.deposit(someone, amount)}`;
    case "transfer":
      return `transfer ${await twins.transfer(someone, random.pick(people), part)}`;
    case "transferShares": {
      const held = model.sharesOf(someone.address);
      return `transferShares ${await twins.transferShares(someone, random.pick(people), random.magnitude(0n, held + 1n))}`;
    }
    case "transferSelf":
      return `transferSelf ${await twins.transfer(someone, someone, part)}`;
    case "transferSharesSelf": {
      const held = model.sharesOf(someone.address);
      return `transferSharesSelf ${await twins.transferShares(someone, someone, random.magnitude(0n, held))}`;
    }
    case "wrap":
      return `wrap ${await twins.wrap(someone, part)}`;
    case "request": {
      // little is left here, so that some wait
      if (random.chance(1n, 2n)) await twins.fund(model.depositable() / (31n * ETHER));
      const count = random.pick([1n, 2n, 8n]);
      const amounts = Array.from({ length: Number(count) }, () => part / count);
      return `request ${await twins.request(someone, amounts)}`;
    }
    case "requestShares":
      return `request ${await twins.requestShares(someone, [random.magnitude(0n, model.sharesOf(someone.address))])}`;
    case "claim":
      return `claim ${await claim(twins, people, random)}`;
    case "continue":
      if (random.chance(1n, 2n)) await twins.deposit(someone, max(1n, model.promised() - model.buffer()));
      return `continue ${await twins.continueFinalisation()}`;
    case "fund": {
      const most = model.depositable() / (31n * ETHER);
      return `fund ${await twins.fund(random.pick([most, most, most / 2n, most + 1n]))}`;
    }
    case "fundOwn":
      return `fundOwn ${await twins.fundOwn(someone)}`;
    case "slash":
      await twins.stopWeight();
      if (random.chance(1n, 2n)) await slash(twins, random);
      return `cover ${await twins.addCover(shares(random.magnitude(0n, await twins.notTheTreasurys())))}`;
    case "hold":
      if (random.chance(1n, 2n)) return `continue ${await twins.continueFinalisation()}`;
      return `hold ${await twins.hold()}`;
    case "treasury":
      return `treasury ${await twins.payTreasury()}`;
    case "report":
      return `report ${await report(twins, random)}`;
  }
}

const ACTIONS = [
  ...([
    "deposit",
    "deposit",
    "deposit",
    "transfer",
    "transferShares",
    "transferSelf",
    "transferSharesSelf",
    "wrap",
    "request",
    "request",
    "requestShares",
  ] as const),
  ...([
    "claim",
    "claim",
    "continue",
    "continue",
    "continue",
    "fund",
    "fund",
    "fundOwn",
    "slash",
    "slash",
    "hold",
    "treasury",
    "continue",
    ...(["report", "report", "report", "report"] as const),
  ] as const),
];

/** Anything, or what brings T to a whole number of slashings that it tolerates, or a wei less. */
function anyAmount({ model }: Twins, random: Random, scale: bigint): bigint {
  if (random.chance(1n, 4n)) return random.magnitude(0n, MAX_ETHER);
  if (random.chance(2n, 3n)) return random.between(1n, scale);
  return A_SLASHING - (model.totals.ether % A_SLASHING) - random.pick([0n, 1n]);
}

/** One or two slashings, or as many as are tolerated or one more, at once or since the last report or before. */
async function slash(twins: Twins, random: Random): Promise<void> {
  const { slashed, slashedEarlier } = twins.model.books;
  const limit = min(400n, twins.model.totals.ether / A_SLASHING);
  const upToLimit = max(1n, limit - slashed - slashedEarlier);
  const count = random.pick([1n, 2n, upToLimit, upToLimit + 1n]);
  await twins.noteSlashings(twins.now - random.pick([0n, 60n, random.between(0n, DAY)]), count);
}

/** Usually what is due to somebody, sometimes what is not; hints are as good as random. */
async function claim(twins: Twins, people: readonly HardhatEthersSigner[], random: Random): Promise<string> {
  const { model } = twins;
  const last = model.queue.endUnits.length;
  const due = Array.from({ length: last }, (_, index) => index + 1).filter((id) => {
    return model.ownerOf(id) !== undefined && (id <= model.lastFinalizedId() || random.chance(1n, 20n));
  });
  const [first] = due;
  if (first === undefined || random.chance(1n, 8n)) {
    return twins.claim(random.pick(people), [Number(random.between(1n, BigInt(last + 1)))], []);
  }
  const owner = people.find(({ address }) => address === model.ownerOf(first));
  if (owner === undefined) throw new Error("a request of nobody");
  const ids = due.filter((id) => model.ownerOf(id) === owner.address).slice(0, 3);
  const hints = random.chance(1n, 2n) ? [] : ids.map(() => random.between(0n, BigInt(model.queue.rounds.length + 2)));
  return twins.claim(owner, ids, hints);
}

async function report(twins: Twins, random: Random): Promise<string> {
  const { model } = twins;
  const expected = model.books.clLast + model.books.funded - model.books.fundedAtLastRef;
  const change = random.magnitude(0n, expected / random.pick([2n, 1_000n, 20_000n]));
  const withdrawals = random.chance(1n, 2n) ? 0n : random.magnitude(0n, expected);
  const rewards = random.magnitude(0n, 10n * ETHER);
  await twins.receive("withdrawal", withdrawals);
  await twins.receive("rewards", random.chance(1n, 20n) ? MAX_ETHER : rewards);
  const held = { withdrawal: await twins.held("withdrawal"), rewards: await twins.held("rewards") };
  const all = expected - withdrawals + change;
  const cl = max(0n, random.chance(2n, 3n) ? all : random.chance(3n, 4n) ? all - 2n * change : expected / 2n);
  // somebody proves slashings that this report does not contain, or T is what it was
  if (random.chance(1n, 3n)) {
    passReference(twins);
    await slash(twins, random);
  }
  const { slotsPerFrame } = twins.grid;
  const overtaken = max(
    0n,
    (model.books.lastReportTime - twins.lastRefTime + 12n * slotsPerFrame - 1n) / (12n * slotsPerFrame),
  );
  return twins.report({
    frames: max(random.pick([1n, 1n, 1n, 2n, 3n]), random.chance(4n, 5n) ? overtaken : 1n),
    delay: random.pick([1n, 3_600n, 3_600n, DAY / 2n, DAY + 60n]),
    clBalance: wei(cl),
    leaving: wei(random.chance(1n, 2n) ? random.magnitude(0n, cl) : 0n),
    fromWithdrawalVault: wei(held.withdrawal + (random.chance(1n, 30n) ? 1n : 0n)),
    fromRewardsVault: wei(random.chance(1n, 2n) ? held.rewards : random.between(0n, held.rewards)),
    incident: random.chance(1n, 15n),
  });
}

/** Waits until the next reference is past. */
function passReference(twins: Twins): void {
  const past = twins.lastRefTime + DAY + 60n;
  if (twins.now < past) twins.wait(past - twins.now);
}

describe("the deployed ledger and the model agree to the wei", () => {
  it("through random sequences of everything that anyone can do", async function () {
    this.timeout(0);
    const counts = new Map<string, number>();
    const base = BigInt(process.env["FUZZ_SEED"] ?? "1");
    for (let n = 0n; n < BigInt(SEQUENCES * fuzzFactor()); n++) {
      const random = new Random(base + n);
      const { twins, people } = await start();
      const scale = random.pick([ETHER, 100n * ETHER, 10_000n * ETHER, MAX_ETHER]);
      for (let m = 0; m < STEPS; m++) {
        const outcome = await step(twins, people, random, scale).catch((error: unknown) => {
          throw new Error(`with seed ${base + n}, step ${m}: ${String(error)}`, { cause: error });
        });
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      }
    }
    for (const action of [
      ...["deposit", "transfer", "transferSelf", "transferSharesSelf", "request", "claim", "continue"],
      ...["fund", "fundOwn", "cover", "hold", "report"],
    ])
      expect(counts.get(`${action} done`) ?? 0, action).to.be.greaterThan(0);
    for (const refusal of [
      ...["deposit ReportOverdue", "fund ReportOverdue", "fundOwn ReportOverdue", "report ReferenceTooOld"],
      ...["report VaultBalanceImpossible", "continue FinalisationNotAllowed"],
    ])
      expect(counts.get(refusal) ?? 0, refusal).to.be.greaterThan(0);
  });

  it("from a wei to all ether there is, with half of it lost", async () => {
    const { twins, people } = await start();
    const [ann, bob, cid] = people;
    if (ann === undefined || bob === undefined || cid === undefined) throw new Error("nobody");
    for (const [staker, amount] of [
      [ann, 1n],
      [bob, MAX_ETHER],
      [cid, 99n],
      [ann, 100n],
    ] as const)
      expect(await twins.deposit(staker, amount)).to.equal("done");
    expect(await twins.transfer(ann, cid, 1n)).to.equal("done");
    expect(await twins.request(cid, [100n])).to.equal("done");
    expect(await twins.request(bob, [MAX_ETHER / 3n, MAX_ETHER / 3n])).to.equal("done");
    expect(await twins.fund(twins.model.depositable() / (31n * ETHER))).to.equal("done");
    const atValidators = twins.model.etherAtValidators();
    expect(await twins.report({ clBalance: wei(atValidators / 2n) })).to.equal("done");
    expect(await twins.deposit(ann, 1n)).to.equal("DepositCapReached");
    expect(await twins.report({ clBalance: wei(atValidators / 2n) })).to.equal("done");
    expect(await twins.claim(cid, [1], [1n])).to.equal("done");
    await twins.receive("withdrawal", atValidators / 2n);
    const everything = { clBalance: wei(0n), fromWithdrawalVault: wei(atValidators / 2n) };
    expect(await twins.report(everything)).to.equal("done");
    expect(await twins.claim(bob, [2, 3], [])).to.equal("done");
    expect(await twins.requestShares(bob, [twins.model.sharesOf(bob.address)])).to.equal("done");
    expect(await twins.report({ clBalance: wei(0n) })).to.equal("done");
    expect(await twins.claim(bob, [4], [77n])).to.equal("done");
  });

  it("when ether comes in pieces and the finalisation is continued after each", async () => {
    const { twins, people } = await start();
    const [ann, bob] = people;
    if (ann === undefined || bob === undefined) throw new Error("nobody");
    await twins.deposit(ann, 310n * ETHER + 7n);
    await twins.fund(10n);
    await twins.receive("rewards", ETHER);
    await twins.report({ clBalance: wei(320n * ETHER), fromRewardsVault: wei(ETHER) });
    await twins.request(ann, [7n * ETHER, 100n, 50n * ETHER + 3n, 50n * ETHER + 1n, 100n * ETHER]);
    await twins.report({ clBalance: wei(320n * ETHER) });
    for (const amount of [6n, 1n, 43n, 30n, 40n, 31n, 99n]) {
      twins.wait(60n);
      await twins.deposit(bob, amount * ETHER + 1n);
      await twins.continueFinalisation();
    }
    expect(twins.model.lastFinalizedId()).to.equal(5);
    await twins.claim(ann, [1, 2, 3, 4, 5], [1n, 2n, 3n, 0n, 9n]);
  });

  it("when a small fall comes between a request and its payment, and another one after it", async () => {
    const { twins, people } = await start();
    const [ann, bob] = people;
    if (ann === undefined || bob === undefined) throw new Error("nobody");
    const atValidators = 32n * ETHER;
    const report = async (clBalance: bigint) =>
      expect(await twins.report({ clBalance: wei(clBalance) })).to.equal("done");
    await twins.deposit(ann, 100n * ETHER);
    await twins.deposit(bob, 10n * ETHER);
    await twins.fund(1n);
    await twins.request(ann, [ETHER]);
    await report(atValidators);
    twins.wait(DAY - 7_000n); // after the cut-off, before the reference
    await twins.request(bob, [ETHER]);
    await report(atValidators - 5n * 10n ** 15n); // half a basis point
    await report(atValidators + 10n ** 15n);
    expect(twins.model.lastFinalizedId()).to.equal(2);
    await twins.request(ann, [ETHER]);
    await report(atValidators - 10n ** 15n); // the third request is paid less than at its opening; the second one is not
    expect(await twins.claim(bob, [2], [])).to.equal("done");
  });

  it("when slashings that no report contains are as many as are tolerated, and one more", async () => {
    const { twins, people } = await start();
    const [ann] = people;
    if (ann === undefined) throw new Error("nobody");
    await twins.deposit(ann, 3_000n * ETHER - twins.model.totals.ether);
    await twins.request(ann, [ETHER, 2n * ETHER]);
    passReference(twins);
    expect(await twins.noteSlashings(twins.now, 3n)).to.equal("done");
    expect(await twins.report({ clBalance: wei(0n) })).to.equal("done");
    expect(twins.model.lastFinalizedId()).to.equal(2);
    expect(twins.model.isCalm(twins.now)).to.equal(false); // what was paid is missing
    await twins.deposit(ann, 3n * ETHER);
    expect(twins.model.isCalm(twins.now)).to.equal(true);
    await twins.noteSlashing(twins.now);
    expect(twins.model.books).to.include({ slashed: 1n, slashedEarlier: 3n });
    expect(await twins.continueFinalisation()).to.equal("FinalisationNotAllowed");
    // the next report contains three, but not the one of just now
    await twins.request(ann, [ETHER]);
    passReference(twins);
    await twins.noteSlashings(twins.now, 3n);
    expect(await twins.report({ clBalance: wei(0n) })).to.equal("done");
    expect(twins.model.books).to.include({ slashed: 0n, slashedEarlier: 4n, finalisable: false });
    expect(await twins.report({ clBalance: wei(0n) })).to.equal("done");
    expect(twins.model.books).to.include({ slashedEarlier: 0n, finalisable: true });
    expect(twins.model.lastFinalizedId()).to.equal(3);
  });

  it("when 400 slashings are tolerated, and no more of them however much there is", async () => {
    const { twins, people } = await start();
    const [ann] = people;
    if (ann === undefined) throw new Error("nobody");
    await twins.deposit(ann, 2_000_000n * ETHER);
    passReference(twins);
    await twins.noteSlashings(twins.now, 400n);
    expect(await twins.report({ clBalance: wei(0n) })).to.equal("done");
    expect(twins.model.books).to.include({ slashedEarlier: 400n, finalisable: true });
    await twins.noteSlashing(twins.now);
    expect(await twins.continueFinalisation()).to.equal("FinalisationNotAllowed");
    passReference(twins);
    await twins.noteSlashings(twins.now, 400n);
    expect(await twins.report({ clBalance: wei(0n) })).to.equal("done");
    expect(twins.model.books).to.include({ slashedEarlier: 401n, finalisable: false });
  });

  it("when a report that fell waits for governance beyond the next grid time, announced before", async () => {
    const { twins, people } = await start();
    const [ann] = people;
    if (ann === undefined) throw new Error("nobody");
    await twins.deposit(ann, 400n * ETHER);
    await twins.fund(5n);
    await twins.request(ann, [ETHER]);
    passReference(twins);
    expect(await twins.hold()).to.equal("done");
    expect(await twins.deposit(ann, ETHER)).to.equal("ReportOverdue");
    expect(await twins.fund(1n)).to.equal("ReportOverdue");
    expect(await twins.fundOwn(ann)).to.equal("ReportOverdue");
    expect(await twins.continueFinalisation()).to.equal("FinalisationNotAllowed");
    const late = { clBalance: wei(140n * ETHER), leaving: wei(32n * ETHER), delay: 3n * DAY - 60n };
    expect(await twins.report(late)).to.equal("done");
    // the frames that ended meanwhile are part of the next report
    const next = { clBalance: wei(140n * ETHER), leaving: wei(32n * ETHER) };
    for (const frames of [1n, 2n]) expect(await twins.report({ ...next, frames })).to.equal("ReferenceTooOld");
    expect(await twins.report({ ...next, frames: 3n })).to.equal("done");
    expect(await twins.fund(1n)).to.equal("done");
    expect(await twins.fundOwn(ann)).to.equal("done");
    expect(twins.model.lastFinalizedId()).to.equal(1);
  });

  it("when everything happens in the very second of a reference", async () => {
    const { twins, people } = await start();
    const [ann] = people;
    if (ann === undefined) throw new Error("nobody");
    const nextRefTime = () => twins.lastRefTime + DAY;
    await twins.deposit(ann, 400n * ETHER);
    twins.wait(nextRefTime() - 1n - twins.now); // the next block is a second later
    expect(await twins.fund(2n)).to.equal("done"); // in the report
    expect(await twins.report({ clBalance: wei(64n * ETHER), delay: DAY })).to.equal("done");
    expect(twins.model.books).to.include({ fundedAtLastRef: 64n * ETHER, lastReportTime: nextRefTime() });
    // its execution was in the second of the next reference
    expect(await twins.noteSlashing(twins.lastRefTime)).to.equal("done");
    expect(twins.model.books.slashed).to.equal(0n);
    await twins.noteSlashing(nextRefTime());
    expect(await twins.report({ clBalance: wei(64n * ETHER), delay: DAY })).to.equal("done");
    expect(twins.model.books).to.include({ slashed: 0n, slashedEarlier: 0n, slashingTime: twins.lastRefTime });
  });
});
