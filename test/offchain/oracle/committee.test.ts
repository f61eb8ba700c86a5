import { expect } from "chai";
import { network } from "hardhat";
import { serveBeaconApi } from "../../../devnet/simulated/api/server.ts";
import type { BeaconApi } from "../../../devnet/simulated/api/server.ts";
import { predeposit } from "../../../devnet/simulated/localProtocol.ts";
import { sameReport } from "./accepted.ts";
import { logInto } from "../logLines.ts";
import type { LogLine } from "../logLines.ts";
import { startCommittee } from "./committee.ts";
import type { Committee, Place } from "./committee.ts";
import { keeperBeside } from "./keeperBeside.ts";

const ETH = 10n ** 18n;
/** `npm run test:committee` runs thirty; a multiple of the members. */
const FRAMES = Number(process.env["COMMITTEE_FRAMES"] ?? "5");

/** What stakers, operators and the chain do between two reports: something else each day. */
async function live(c: Committee, day: number): Promise<void> {
  const { p } = c;
  if (day % 3 === 0) await p.pool.connect(p.bob).deposit(p.bob, p.bob, { value: 7n * ETH + BigInt(day) });
  if (day % 4 === 1) p.beacon.creditExecutionReward(await p.rewardsVault.getAddress(), ETH / 50n);
  if (day % 5 === 2) await p.queue.connect(p.alice).requestWithdrawals([ETH + BigInt(day)], p.alice);
  if (day === 3) {
    await p.pool.connect(p.carol).deposit(p.carol, p.carol, { value: 64n * ETH });
    await predeposit(p, 2, 4);
  }
}

function total(place: Place, level: "warn" | "error", text: string): number {
  return place.lines.filter((line) => line.level === level && line.text.includes(text)).length;
}

describe("a committee of five daemons, over sockets", function () {
  this.timeout(240_000 + FRAMES * 30_000);
  let c: Committee;
  let keeperNode: BeaconApi;
  const keeperLines: LogLine[] = [];

  before(async () => {
    c = await startCommittee(await network.create());
    for (const place of c.places) await c.run(place);
    keeperNode = await serveBeaconApi(c.p.beacon);
    const keeper = await keeperBeside(c, {
      executionUrls: [c.executionUrl],
      beaconUrls: [keeperNode.url],
      lines: keeperLines,
    });
    c.runBeside((signal) => keeper.turn(signal), logInto(keeperLines));
    await c.settled();
  });

  after(async () => {
    await c.close();
    await keeperNode.close();
  });

  async function reportFrame(day: number, meanwhile?: () => Promise<void>): Promise<void> {
    await live(c, day);
    const refSlot = await c.nextFrame();
    await meanwhile?.();
    await c.untilReported(refSlot);
    await sameReport(c, refSlot);
  }

  it(`reports ${FRAMES} frames unattended: each once, none disputed`, async () => {
    for (let day = 0; day < FRAMES; day++) await reportFrame(day);
    const accepted = await c.p.oracle.queryFilter(c.p.oracle.filters.ReportAccepted());
    expect(accepted).to.have.length(FRAMES);
    const results = await Promise.all(c.places.map(async ({ daemon }) => daemon?.metrics.submissions.get()));
    const sent = results.flatMap((result) => result?.values ?? []);
    expect(sent.filter(({ labels }) => labels["result"] !== "mined")).to.deep.equal([]);
    expect(sent.reduce((sum, { value }) => sum + value, 0)).to.equal(FRAMES);
    // turns go round: each member submitted its share
    expect(sent.map(({ value }) => value)).to.deep.equal(c.places.map(() => FRAMES / c.places.length));
    for (const { lines } of c.places)
      expect(lines.filter(({ level }) => level === "warn" || level === "error")).to.deep.equal([]);
  });

  it("has a keeper beside it that proved and funded what operators brought, and whose work the reports count", async () => {
    const { p } = c;
    const { validators } = p;
    expect(await validators.queryFilter(validators.filters.Proven())).to.have.length(6);
    const counted = (await c.places[0]?.daemon?.metrics.counted.get())?.values[0]?.value;
    expect(counted).to.equal(6);
    expect(await p.committee.fundedKeys(p.beacon.head.execution.number)).to.have.length(6);
    expect(keeperLines.filter(({ level }) => level === "error")).to.deep.equal([]);
  });

  it("goes on with one member down and one whose only beacon node stalls", async () => {
    const [down, stalled] = c.places as [Place, Place];
    await c.stop(down);
    await impatient(c, stalled);
    stalled.beacon.faults.stalls = true;
    for (const day of [0, 1]) await reportFrame(day);
    const { daemon } = stalled;
    if (daemon === undefined) throw new Error("it is down");
    expect(await reasonsOf(stalled)).to.include("beacon_unavailable");
    stalled.beacon.faults.stalls = false;
    await c.run(down);
    await reportFrame(2);
    expect(await reasonsOf(stalled)).to.deep.equal(["no_new_frame"]);
  });

  it("goes on with one beacon node that answers 503 and one that lies: the liar is outvoted and says so", async () => {
    const [, out, , liar] = c.places as [Place, Place, Place, Place];
    out.beacon.faults.status = 503;
    const index = c.p.beacon.stateAt().indexOf(firstKey(c)) ?? -1;
    liar.beacon.faults.lies = new Map([[index, 1_000_000_000]]);
    for (const day of [4, 5]) await reportFrame(day);
    expect(total(liar, "error", "OUTVOTED")).to.equal(2);
    expect(liar.lines.some(({ text }) => text.includes("differs in clBalanceGwei"))).to.equal(true);
    expect(await reasonsOf(liar)).to.include("outvoted");
    const honest = c.places.filter((place) => place !== liar && place !== out);
    for (const place of honest) {
      expect(total(place, "error", "OUTVOTED")).to.equal(0);
      const divergences = (await place.daemon?.metrics.divergences.get())?.values ?? [];
      expect(divergences.map(({ labels }) => labels["signer"])).to.deep.equal([liar.address]);
    }
    delete out.beacon.faults.status;
    delete liar.beacon.faults.lies;
    await reportFrame(7);
    expect(await reasonsOf(liar)).to.deep.equal(["no_new_frame"]);
  });

  it("goes on with all of that at once, and one member restarted in the middle of a frame", async () => {
    const [down, stalled, out, liar, restarted] = c.places as [Place, Place, Place, Place, Place];
    await c.stop(down);
    for (const place of [stalled, out]) {
      await impatient(c, place, [place.beacon.url, place.spare.url]);
    }
    stalled.beacon.faults.stalls = true;
    out.beacon.faults.status = 503;
    const index = c.p.beacon.stateAt().indexOf(firstKey(c)) ?? -1;
    liar.beacon.faults.lies = new Map([[index, -1_000_000_000]]);
    for (const day of [8, 9])
      await reportFrame(day, async () => {
        const before = restarted.daemon?.journal.signed.length ?? 0;
        await c.settled();
        // it has signed; the report is not submitted by itself yet, or is: either way nothing is signed twice
        await c.stop(restarted);
        await c.run(restarted);
        await c.settled();
        expect(restarted.daemon?.journal.signed.length).to.be.within(before, before + 1);
      });
    expect(total(restarted, "error", "")).to.equal(0);
    expect(await reasonsOf(liar)).to.include("outvoted");
  });

  it("never saw a second signature of anybody for one slot", async () => {
    for (const { daemon } of c.places) {
      const seen = (await daemon?.metrics.equivocations.get())?.values ?? [];
      expect(seen).to.deep.equal([]);
    }
  });
});

/** Starts again with a second for an answer, so that a node that stalls costs no more. */
async function impatient(c: Committee, place: Place, urls: readonly string[] = [place.beacon.url]): Promise<void> {
  await c.stop(place);
  place.config = { ...place.config, BEACON_URLS: [...urls], REQUEST_TIMEOUT: 1 };
  await c.run(place);
}

async function reasonsOf(place: Place): Promise<string[]> {
  const step = await place.daemon?.member.step();
  return [...(step?.reasons ?? [])];
}

function firstKey(c: Committee): `0x${string}` {
  const key = c.p.beacon.stateAt().state.validators[64]?.pubkey;
  if (key === undefined) throw new Error("no validator of ours");
  return key;
}
