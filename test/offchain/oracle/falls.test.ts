/** Reports that lower the rate so far that they need more than a quorum: announced, then waited for. */
import { expect } from "chai";
import { Wallet } from "ethers";
import { network } from "hardhat";
import { dueSlot, readStanding } from "../../../offchain/oracle/contract.ts";
import type { Standing } from "../../../offchain/oracle/contract.ts";
import { SignatureBook } from "../../../offchain/oracle/signatureBook.ts";
import { simulate } from "../../../offchain/oracle/submit.ts";
import type { SignedReport } from "../../../offchain/oracle/wire.ts";
import { REPORT_TYPES, reportDomain, reportHash } from "../../../offchain/protocol/report.ts";
import type { Report } from "../../../offchain/protocol/report.ts";
import type { Hex } from "../../../offchain/util/hex.ts";
import { TAKE_OVER_DELAY, startCommittee } from "./committee.ts";
import type { Committee, Place } from "./committee.ts";
import { inTurn, reasons, restart, step } from "./turns.ts";

const ETH = 10n ** 18n;
const FRAME = 7_200n;

let c: Committee;

/** Takes from each of our four validators. */
async function fall(milliEth: bigint): Promise<void> {
  const { beacon } = c.p;
  for (let index = 64; index < 68; index++) beacon.penalise(index, milliEth * 1_000_000n);
  await beacon.advanceSlots(1);
}

async function announcements(): Promise<{ refSlot: bigint; hash: string; sender: string }[]> {
  const { oracle } = c.p;
  const events = await oracle.queryFilter(oracle.filters.ReportAnnounced());
  return Promise.all(
    events.map(async (event) => ({
      refSlot: event.args.refSlot,
      hash: event.args.reportHash,
      sender: (await event.getTransaction()).from.toLowerCase(),
    })),
  );
}

/** Of one member, by result. */
async function announced(place: Place): Promise<Record<string, number>> {
  const { values } = (await place.daemon?.metrics.announcements.get()) ?? { values: [] };
  return Object.fromEntries(values.map(({ labels, value }) => [labels["result"], value]));
}

/** Whether deposits, fundings and payments stand still. */
async function isHeld(): Promise<boolean> {
  const block = await c.connection.ethers.provider.getBlock("latest");
  return (await c.p.pool.books()).openUntil < BigInt(block?.timestamp ?? 0);
}

function signedBy(place: Place, refSlot: bigint): SignedReport {
  const found = place.daemon?.journal.signed.find(({ report }) => report.refSlot === refSlot);
  if (found === undefined) throw new Error(`slot ${refSlot} is not signed`);
  return found;
}

describe("a fall of the rate that needs a supermajority", function () {
  this.timeout(120_000);
  let refSlot: bigint;
  let members: [Place, Place, Place, Place, Place];

  beforeEach(async () => {
    c = await startCommittee(await network.create());
    await fall(300n);
    refSlot = await c.nextFrame();
    members = await inTurn(c, refSlot);
  });

  afterEach(async () => c.close());

  it("is announced once by the member whose turn it is, and submitted when enough have signed", async () => {
    const [first, second, third, fourth] = members;
    for (const place of [second, third]) await step(place);
    expect(await isHeld()).to.equal(false);
    const short = await step(first);
    expect(short.reasons).to.deep.equal(["few_signatures"]);
    expect(short.explanation).to.match(/^a fall this deep needs 4 signatures: 3 for slot \d+; announced$/);
    const hash = reportHash(signedBy(first, refSlot).report);
    expect(await announcements()).to.deep.equal([{ refSlot, hash, sender: first.address }]);
    expect(await announced(first)).to.deep.equal({ mined: 1 });
    expect(first.lines.filter(({ text }) => text.startsWith("report announced"))).to.have.length(1);
    expect(await isHeld()).to.equal(true);
    const { pool, alice } = c.p;
    await expect(pool.connect(alice).deposit(alice, alice, { value: ETH })).to.be.revertedWithCustomError(
      pool,
      "ReportOverdue",
    );

    const again = await step(first);
    expect(again.explanation).not.to.include("announced");
    await step(fourth);
    expect(await step(first)).to.deep.include({ submitted: true, refSlot });
    expect(await announcements()).to.have.length(1);
    expect(await isHeld()).to.equal(false);
    expect(await c.p.oracle.lastReportHash()).to.equal(hash);
  });

  it("is not announced again by the others when their turns come, nor by the first after a restart", async () => {
    const [first, second, third] = members;
    for (const place of [second, third, first]) await step(place);
    expect(await announcements()).to.have.length(1);
    await restart(c, first);
    expect(await reasons(first)).to.deep.equal(["few_signatures"]);
    for (const place of [second, third]) expect(await reasons(place)).to.deep.equal(["not_my_turn"]);
    await c.wait(5 * TAKE_OVER_DELAY);
    for (const place of [first, second, third]) {
      const { reasons: found, explanation } = await step(place);
      expect(found).to.deep.equal(["few_signatures"]);
      expect(explanation).to.include("needs 4 signatures");
    }
    expect(await announcements()).to.have.length(1);
    for (const place of [first, second, third]) expect((await announced(place))["reverted"]).to.equal(undefined);
    expect(await announced(second)).to.deep.equal({});
  });

  it("is announced by the next member after its delay where the first is down", async () => {
    const [first, second, third, fourth] = members;
    for (const place of [second, first]) await step(place);
    await c.stop(first);
    await step(third);
    expect(await reasons(second)).to.deep.equal(["not_my_turn"]);
    expect(await reasons(third)).to.deep.equal(["not_my_turn"]);
    await c.wait(TAKE_OVER_DELAY);
    expect(await reasons(third)).to.deep.equal(["not_my_turn"]);
    expect((await step(second)).explanation).to.include("announced");
    expect((await announcements()).map(({ sender }) => sender)).to.deep.equal([second.address]);
    // whoever completes it does not lose the turns: they begin again with the last signature
    await step(fourth);
    for (const place of [second, third]) expect(await reasons(place)).to.deep.equal(["not_my_turn"]);
    await c.wait(TAKE_OVER_DELAY);
    expect((await step(second)).submitted).to.equal(true);
  });

  it("is submitted at once, and not announced, where enough have signed already", async () => {
    const [first, ...others] = members;
    for (const place of others) await step(place);
    expect((await step(first)).submitted).to.equal(true);
    expect(await announcements()).to.deep.equal([]);
  });

  it("is not announced at a price above the limit, and says so beside what it waits for", async () => {
    const [first, second, third] = members;
    for (const place of [second, third]) await step(place);
    const { config } = first;
    await c.stop(first);
    first.config = { ...config, MAX_FEE_GWEI: 1n };
    await c.start(first);
    expect(await reasons(first)).to.deep.equal(["few_signatures", "fee_too_high"]);
    expect(await announced(first)).to.deep.equal({ "too dear": 1 });
    await c.stop(first);
    first.config = config;
    await c.start(first);
    await c.setBalance(first.address, 1_000n);
    expect(await reasons(first)).to.deep.equal(["few_signatures", "no_funds"]);
    await c.setBalance(first.address, 10n * ETH);
    expect((await step(first)).explanation).to.include("announced");
    expect(await announcements()).to.have.length(1);
  });

  it("is announced again, at a higher price in the same place, where that is not mined; and so is the submission after it", async () => {
    const [first, second, third, fourth] = members;
    const { ethers } = c.connection;
    for (const place of [second, third]) await step(place);
    first.config = { ...first.config, RECEIPT_TIMEOUT: 30 };
    await restart(c, first);
    await c.automine(false);
    const sent = async (): Promise<{ nonce: number; maxFeePerGas: bigint | null; data: string }> => {
      const pending = await ethers.provider.send("eth_pendingTransactions", []);
      const [transaction, ...more] = pending as { nonce: string; maxFeePerGas: string; input: string }[];
      expect(more).to.deep.equal([]);
      if (transaction === undefined) throw new Error("nothing is sent");
      return {
        nonce: Number(transaction.nonce),
        maxFeePerGas: BigInt(transaction.maxFeePerGas),
        data: transaction.input.slice(0, 10),
      };
    };
    const selector = (name: "announceReport" | "submitReport") => c.p.oracle.interface.getFunction(name).selector;
    const waiting = async (): Promise<readonly string[]> => {
      const turn = { isOver: false };
      const running = reasons(first).finally(() => (turn.isOver = true));
      while (!turn.isOver && c.clock.sleepers === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await c.clock.advance(31);
      return running;
    };
    expect(await waiting()).to.deep.equal(["few_signatures", "send_failed"]);
    const one = await sent();
    expect(one.data).to.equal(selector("announceReport"));
    expect(await waiting()).to.deep.equal(["few_signatures", "send_failed"]);
    const two = await sent();
    expect(two).to.deep.include({ nonce: one.nonce, data: one.data });
    expect(two.maxFeePerGas).to.be.greaterThan(one.maxFeePerGas ?? 0n);
    await step(fourth);
    expect(await waiting()).to.deep.equal(["send_failed"]);
    const three = await sent();
    expect(three).to.deep.include({ nonce: one.nonce, data: selector("submitReport") });
    expect(three.maxFeePerGas).to.be.greaterThan(two.maxFeePerGas ?? 0n);
    // a new process knows nothing of it: the node refuses the price, and the next turn pays more
    await restart(c, first);
    expect((await step(first)).reasons).to.deep.equal(["send_failed"]);
    await c.automine(true);
    await ethers.provider.send("evm_mine", []);
    await c.wait(12);
    expect(await c.p.oracle.lastRefSlot()).to.equal(refSlot);
    expect(await announcements()).to.deep.equal([]);
  });
});

describe("a fall of the rate that governance must approve", function () {
  this.timeout(240_000);

  beforeEach(async () => {
    c = await startCommittee(await network.create());
    await fall(1_500n);
  });

  afterEach(async () => c.close());

  async function approve(hash: string): Promise<void> {
    await c.p.oracle.connect(c.p.governor).approveFall(hash, true);
  }

  it("is announced once, and the approved report is sent even when a newer one is there", async () => {
    const refSlot = await c.nextFrame();
    const [first, ...others] = await inTurn(c, refSlot);
    for (const place of others) await step(place);
    const waiting = await step(first);
    expect(waiting.reasons).to.deep.equal(["needs_governance"]);
    const approved = /approveFall\((0x[0-9a-f]{64}), true\); announced$/.exec(waiting.explanation)?.[1] ?? "";
    expect(await announcements()).to.deep.equal([{ refSlot, hash: approved, sender: first.address }]);
    const next = await c.nextFrame();
    for (const place of c.places) await step(place);
    const [leader] = await inTurn(c, next);
    expect(await reasons(leader)).to.deep.equal(["needs_governance"]);
    expect(await isHeld()).to.equal(true);
    await approve(approved);
    expect(await reasons(leader)).to.deep.equal(["not_my_turn"]);
    await c.wait(5 * TAKE_OVER_DELAY);
    const last = await step(leader);
    expect(last, last.explanation).to.deep.include({ submitted: true, refSlot });
    expect(await c.p.oracle.lastReportHash()).to.equal(approved);
    // the newer frame had ended before: it is part of the one after
    expect(await reasons(leader)).to.deep.equal(["no_new_frame"]);
    expect(await announcements()).to.have.length(1);
    expect(await isHeld()).to.equal(false);
  });

  it("is submitted in turn once it is approved: the turns begin with the approval", async () => {
    const refSlot = await c.nextFrame();
    const [first, second, ...others] = await inTurn(c, refSlot);
    for (const place of [...others, second, first]) await step(place);
    await c.wait(5 * TAKE_OVER_DELAY);
    expect(await reasons(second)).to.deep.equal(["needs_governance"]);
    expect(await reasons(first)).to.deep.equal(["needs_governance"]);
    await approve(reportHash(signedBy(first, refSlot).report));
    expect(await reasons(second)).to.deep.equal(["not_my_turn"]);
    await c.wait(TAKE_OVER_DELAY - 1);
    expect(await reasons(second)).to.deep.equal(["not_my_turn"]);
    expect((await step(first)).submitted).to.equal(true);
  });

  it("is sent however many frames ended while governance voted: the oldest of eleven signed reports, after a restart", async () => {
    const refSlots: bigint[] = [];
    for (let frame = 0; frame < 11; frame++) {
      refSlots.push(await c.nextFrame());
      for (const place of frame === 0 ? [...c.places, ...c.places] : c.places) await step(place);
    }
    const [oldest = 0n] = refSlots;
    const newest = refSlots.at(-1) ?? 0n;
    const [leader] = await inTurn(c, newest);
    expect(leader.daemon?.journal.signed).to.have.length(11);
    await restart(c, leader);
    expect(await reasons(leader)).to.deep.equal(["needs_governance"]);
    expect(await announcements()).to.have.length(1);
    const { report } = signedBy(leader, oldest);
    expect(report.validUntil - BigInt(c.p.beacon.timeOf(Number(oldest)))).to.equal(400n * 86_400n);
    await approve(reportHash(report));
    const last = await step(leader);
    expect(last, last.explanation).to.deep.include({ submitted: true, refSlot: oldest });
    expect(await c.p.oracle.lastReportHash()).to.equal(reportHash(report));
  });

  it("merges the frames that ended before it was executed: none of them is signed, and the next report holds them all", async () => {
    const refSlot = await c.nextFrame();
    for (const place of c.places) await step(place);
    const { report } = signedBy(c.places[0] as Place, refSlot);
    await c.nextFrame();
    // the frames after it end while nobody signs
    await c.nextFrame();
    await approve(reportHash(report));
    for (const place of c.places) await step(place);
    await c.wait(5 * TAKE_OVER_DELAY);
    for (const place of c.places) await step(place);
    expect(await c.p.oracle.lastRefSlot()).to.equal(refSlot);
    const merged = await step(c.places[0]);
    expect(merged.reasons).to.deep.equal(["no_new_frame"]);
    const next = refSlot + 3n * FRAME;
    expect(merged.explanation).to.equal(
      `slot ${refSlot} is reported, after later frames had ended: the next report is of slot ${next}`,
    );

    const { root: blockRoot } = c.p.beacon.blockAt(Number(refSlot + FRAME));
    const stale: Report = { ...report, refSlot: refSlot + FRAME, blockRoot, prevReportHash: reportHash(report) };
    const refused = await simulate(
      c.p.oracle,
      { kind: "submission", report: stale, signed: await signAll(stale) },
      c.p.alice.address,
    );
    expect(refused.kind).to.equal("refused");
    const { reason } = refused as { reason: string };
    expect(reason).to.match(/\(ReferenceTooOld\)$/);
    expect(reason).to.include(new Date(c.p.beacon.timeOf(Number(refSlot + FRAME)) * 1_000).toISOString());

    // the next frame has ended and is not final yet: the newest final slot of the grid is one that the pool refuses
    await c.p.beacon.advanceTo(Number(next));
    await c.p.beacon.advanceSlots(1);
    await c.clock.advance(c.p.beacon.timeOf(c.p.beacon.head.slot) - c.clock.now());
    const early = await step(c.places[0]);
    expect(early.reasons).to.deep.equal(["not_final"]);
    expect(signedSlots(c.places[0] as Place).at(-1)).to.be.lessThan(next);
    await c.p.beacon.finalize(Number(next));
    await c.clock.advance(c.p.beacon.timeOf(c.p.beacon.head.slot) - c.clock.now());
    for (const place of c.places) await step(place);
    await c.wait(5 * TAKE_OVER_DELAY);
    for (const place of c.places) await step(place);
    expect(await c.p.oracle.lastRefSlot()).to.equal(next);
    expect(await c.p.oracle.lastReportHash()).to.equal(reportHash(signedBy(c.places[0] as Place, next).report));
  });
});

describe("the slot that is due", () => {
  const standing = (change: Partial<Standing>): Standing =>
    ({ lastRefSlot: 31n, nextRefSlot: 131n, oldestRefSlot: 51n, slotsPerFrame: 20n, ...change }) as Standing;

  it("is the newest final one on the grid", () => {
    expect(dueSlot(standing({}), 1_000n)).to.equal(131n);
    expect(dueSlot(standing({}), 130n)).to.equal(111n);
    expect(dueSlot(standing({}), 51n)).to.equal(51n);
    expect(dueSlot(standing({}), 50n)).to.equal(undefined);
    expect(dueSlot(standing({ nextRefSlot: 31n }), 1_000n)).to.equal(undefined);
  });

  it("is none that ended before the last report was executed, whatever is final", () => {
    expect(dueSlot(standing({ oldestRefSlot: 131n }), 130n)).to.equal(undefined);
    expect(dueSlot(standing({ oldestRefSlot: 131n }), 131n)).to.equal(131n);
    expect(dueSlot(standing({ oldestRefSlot: 111n }), 130n)).to.equal(111n);
  });

  it("is read from the pool's books: the first of the grid at the last execution or after it", async () => {
    c = await startCommittee(await network.create(), { members: 1, quorum: 1, validators: 1 });
    try {
      const { protocol } = c.places[0]?.daemon ?? {};
      if (protocol === undefined) throw new Error("it is down");
      const slotTime = BigInt(c.p.beacon.timeOf(0));
      const at = async (lastReportTime: bigint): Promise<bigint> => {
        const books = async () => Promise.resolve({ lastReportTime, openUntil: 0n });
        const { pool } = protocol;
        const changed = { ...protocol, pool: { getAddress: () => pool.getAddress(), books } };
        return (await readStanding(changed as unknown as typeof protocol, 0)).oldestRefSlot;
      };
      const last = await c.p.oracle.lastRefSlot();
      const timeOf = (slot: bigint): bigint => slotTime + slot * 12n;
      expect(await at(0n)).to.equal(last + FRAME);
      expect(await at(timeOf(last + FRAME))).to.equal(last + FRAME);
      expect(await at(timeOf(last + FRAME) + 1n)).to.equal(last + 2n * FRAME);
      expect(await at(timeOf(last + 3n * FRAME) - 1n)).to.equal(last + 3n * FRAME);
    } finally {
      await c.close();
    }
  });

  it("is the only kind that peers' signatures are taken for", async () => {
    c = await startCommittee(await network.create(), { members: 1, quorum: 1, validators: 1 });
    try {
      const refSlot = await c.nextFrame();
      await step(c.places[0]);
      const signed = signedBy(c.places[0] as Place, refSlot);
      const { protocol } = c.places[0]?.daemon ?? {};
      if (protocol === undefined) throw new Error("it is down");
      const rules = await readStanding(protocol, 0);
      const book = new SignatureBook();
      const open = { ...rules, lastRefSlot: refSlot - FRAME, nextRefSlot: refSlot + FRAME, oldestRefSlot: refSlot };
      book.setRules({ ...open, oldestRefSlot: refSlot + FRAME });
      expect(book.add(signed).verdict).to.equal("wrong slot");
      book.setRules(open);
      expect(book.add(signed).verdict).to.equal("added");
    } finally {
      await c.close();
    }
  });
});

function signedSlots(place: Place): bigint[] {
  return (place.daemon?.journal.signed ?? []).map(({ report }) => report.refSlot);
}

/** By every member, sorted by signer. */
async function signAll(report: Report): Promise<SignedReport[]> {
  const domain = reportDomain(31_337n, await c.p.oracle.getAddress());
  return Promise.all(
    c.places.map(async ({ config }) => {
      const wallet = new Wallet(config.PRIVATE_KEY ?? "");
      return { report, signature: (await wallet.signTypedData(domain, REPORT_TYPES, { ...report })) as Hex };
    }),
  );
}
