/**
 * The committee's frames and the keeper behind nodes that answer as the clients and providers of the catalogue do. Each frame has guises of its
 * own. The seed is printed; HOSTILE_SEED repeats a run, HOSTILE_FRAMES says how many (`npm run test:hostile`: thirty).
 */
import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { computeAddress } from "ethers";
import { network } from "hardhat";
import { serveBeaconApi } from "../../../devnet/simulated/api/server.ts";
import type { BeaconApi } from "../../../devnet/simulated/api/server.ts";
import { predeposit } from "../../../devnet/simulated/localProtocol.ts";
import type { Reason } from "../../../offchain/oracle/metrics.ts";
import { reportHash } from "../../../offchain/protocol/report.ts";
import { AppError, EXIT } from "../../../offchain/util/errors.ts";
import { Dice } from "../../helpers/hostile/behaviour.ts";
import { LAYERS, disguise } from "../../helpers/hostile/disguise.ts";
import type { Disguised, Fate } from "../../helpers/hostile/disguise.ts";
import { basic } from "../../helpers/hostile/proxy.ts";
import { logInto } from "../logLines.ts";
import type { LogLine } from "../logLines.ts";
import { sameReport } from "../oracle/accepted.ts";
import { startCommittee } from "../oracle/committee.ts";
import type { Committee, Place } from "../oracle/committee.ts";
import { keeperBeside } from "../oracle/keeperBeside.ts";
import { describeWith } from "../../helpers/describeWith.ts";

const ETH = 10n ** 18n;
const SEED = process.env["HOSTILE_SEED"] ?? randomBytes(4).toString("hex");
const FRAMES = Number(process.env["HOSTILE_FRAMES"] ?? "0");
const QUORUM = 3;
const describeHostile = describeWith("HOSTILE_FRAMES");
const KEEPER_KEY = `0x${"7e".repeat(32)}`;
const PASSWORD = "p4ss/w:rd@of a node";
/** Turns within which a report must be there; of half a minute each. */
const TURNS = 40;
/** Tries of a daemon's start, as a service manager would make. */
const STARTS = 20;

/** What is said between two reports, whatever the nodes do. */
const USUAL: ReadonlySet<Reason> = new Set(["no_new_frame", "not_final", "few_signatures", "not_my_turn"]);

describeHostile(`hostile: a committee and a keeper, seed ${SEED}`, function () {
  this.timeout(60_000 + FRAMES * 30_000);
  const dice = new Dice(SEED);
  let c: Committee;
  let keeperNodes: readonly BeaconApi[];
  let members: readonly Disguised[];
  let keeper: Disguised;
  const keeperLines: LogLine[] = [];
  /** What every member said in the frames so far, and why it could. */
  let said: { readonly who: Disguised; readonly reasons: readonly Reason[]; readonly explanation: string }[] = [];

  before(async () => {
    c = await startCommittee(await network.create(), { quorum: QUORUM });
    const credentials = (name: string) => ({ user: name, password: PASSWORD });
    members = await Promise.all(
      c.places.map(async ({ beacon, spare }, i) => {
        const targets = { execution: [c.executionUrl, c.executionUrl], beacon: [beacon.url, spare.url] };
        return disguise(`member ${i}`, targets, credentials(`member${i}`));
      }),
    );
    for (const [i, place] of c.places.entries()) {
      await c.stop(place);
      const own = members[i];
      if (own === undefined) throw new Error("no nodes");
      const [EXECUTION_URLS, BEACON_URLS] = [own.urls("execution"), own.urls("beacon")];
      place.config = { ...place.config, EXECUTION_URLS, BEACON_URLS, REQUEST_TIMEOUT: 1 };
      await c.run(place);
    }
    const { alice, beacon } = c.p;
    keeperNodes = [await serveBeaconApi(beacon), await serveBeaconApi(beacon)];
    const targets = { execution: [c.executionUrl, c.executionUrl], beacon: keeperNodes.map(({ url }) => url) };
    keeper = await disguise("keeper", targets, credentials("keeper"));
    const urls = { executionUrls: keeper.urls("execution"), beaconUrls: keeper.urls("beacon") };
    const beside = await keeperBeside(c, { ...urls, timeoutSeconds: 1, lines: keeperLines, privateKey: KEEPER_KEY });
    await alice.sendTransaction({ to: computeAddress(KEEPER_KEY), value: 10n * ETH });
    c.runBeside((signal) => beside.turn(signal), logInto(keeperLines));
    await c.settled();
  });

  after(async () => {
    await c.close();
    for (const one of [...members, keeper]) await one.close();
    for (const node of keeperNodes) await node.close();
  });

  /** What stakers, operators and the chain do between two reports. */
  async function live(day: number): Promise<void> {
    const { p } = c;
    if (day % 3 === 0) await p.pool.connect(p.bob).deposit(p.bob, p.bob, { value: 7n * ETH + BigInt(day) });
    if (day % 4 === 1) p.beacon.creditExecutionReward(await p.rewardsVault.getAddress(), ETH / 50n);
    if (day % 5 === 2) await p.queue.connect(p.alice).requestWithdrawals([ETH + BigInt(day)], p.alice);
    if (day === 1) {
      await p.pool.connect(p.carol).deposit(p.carol, p.carol, { value: 64n * ETH });
      await predeposit(p, 2, 4);
    }
  }

  /** At least a quorum is well, unless the frame is to have no report at first. */
  function redress(frame: Dice, blackout: boolean): void {
    const unlucky = blackout ? members.length - QUORUM + 1 : Math.floor(frame.roll("unlucky") * 3);
    const chosen = new Set(frame.sample(members, unlucky));
    for (const member of [...members, keeper]) {
      const fate: Fate = !chosen.has(member) ? "well" : blackout ? "cut off" : "blind";
      member.become(fate, frame.of(member.name));
    }
  }

  /** A service manager starts it until it runs: what ends a start is a node. */
  async function restart(place: Place): Promise<void> {
    await c.stop(place);
    for (let attempt = 1; ; attempt++) {
      try {
        await c.run(place);
        return;
      } catch (error) {
        if (!(error instanceof AppError) || error.exitCode !== EXIT.unavailable || attempt === STARTS) throw error;
      }
    }
  }

  function collect(): void {
    for (const [i, place] of c.places.entries())
      for (const { reasons, explanation } of place.steps.splice(0)) {
        const who = members[i];
        if (who !== undefined) said.push({ who, reasons, explanation });
      }
  }

  /** Time passes on both layers, until the report is there and everybody has seen it. */
  async function untilReported(refSlot: bigint): Promise<void> {
    const { oracle } = c.p;
    await c.settled();
    for (let turn = 0; turn < TURNS && (await oracle.lastRefSlot()) < refSlot; turn++) {
      await c.wait(30);
      await c.settled();
    }
    await c.wait(30);
    await c.settled();
    expect(await oracle.lastRefSlot(), "the last reported slot").to.equal(refSlot);
  }

  /** What everybody's nodes are, and what they said last. */
  function story(): string {
    collect();
    const last = (who: Disguised): string => {
      const step = said.findLast((one) => one.who === who);
      return step === undefined ? "" : `\n    ${step.reasons.join()}: ${step.explanation}`;
    };
    return [...members, keeper].map((one) => one.describe() + last(one)).join("\n");
  }

  /** Every reason fits what the member's nodes do. */
  function checkReasons(): void {
    collect();
    for (const { who, reasons, explanation } of said)
      for (const reason of reasons) {
        if (USUAL.has(reason)) continue;
        const behaviours = LAYERS.flatMap((layer) => who.guises(layer).flatMap((guise) => guise.behaviours));
        const allowed = new Set<Reason>(behaviours.flatMap((behaviour) => behaviour.reasons ?? []));
        for (const layer of LAYERS) if (who.worst(layer) !== "harmless") allowed.add(`${layer}_unavailable`);
        // where a node fails in the middle of a submission
        if (who.worst("execution") !== "harmless") allowed.add("send_failed");
        expect([...allowed], `${explanation}\n${who.describe()}`).to.include(reason);
        if (reason.endsWith("_unavailable")) expect(explanation).to.match(/node|block|logs|events/);
      }
    said = [];
  }

  /** What anybody signed for the slot is what the contract accepted. */
  async function onlyTheTruth(refSlot: bigint): Promise<number> {
    const accepted = await c.p.oracle.lastReportHash();
    let signatures = 0;
    for (const { daemon } of c.places)
      for (const { report } of daemon?.journal.signed ?? []) {
        if (report.refSlot !== refSlot) continue;
        signatures++;
        expect(reportHash(report)).to.equal(accepted);
      }
    return signatures;
  }

  for (let day = 0; day < FRAMES; day++) {
    const blackout = day % 7 === 3;
    it(`frame ${day + 1}${blackout ? ", no quorum at first" : ""}: one report, the right one`, async () => {
      const frame = dice.of(`frame ${day}`);
      await live(day);
      const last = await c.p.oracle.lastRefSlot();
      redress(frame, blackout);
      try {
        const refSlot = await c.nextFrame();
        if (blackout) {
          for (let turn = 0; turn < 4; turn++) {
            await c.settled();
            await c.wait(30);
          }
          await c.settled();
          expect(await c.p.oracle.lastRefSlot()).to.equal(last);
          checkReasons();
          redress(frame.of("again"), false);
        } else if (frame.chance(0.4, "restart")) await restart(frame.pick(c.places, "who"));
        await untilReported(refSlot);
        await sameReport(c, refSlot);
        expect(await onlyTheTruth(refSlot)).to.be.at.least(QUORUM);
        checkReasons();
      } catch (error) {
        throw new Error(`${String(error)}\n${story()}`, { cause: error });
      }
    });
  }

  it("nobody was outvoted, signed twice, or saw another report", async () => {
    for (const { daemon, lines } of c.places) {
      expect((await daemon?.metrics.equivocations.get())?.values ?? []).to.deep.equal([]);
      expect((await daemon?.metrics.divergences.get())?.values ?? []).to.deep.equal([]);
      expect(lines.filter(({ text }) => text.includes("OUTVOTED"))).to.deep.equal([]);
    }
  });

  it("the keeper proved and funded what operators brought", async () => {
    const { validators, committee, beacon } = c.p;
    expect(await validators.queryFilter(validators.filters.Proven())).to.have.length(6);
    expect(await committee.fundedKeys(beacon.head.execution.number)).to.have.length(6);
    // what stopped a turn of it was a node
    for (const { level, text } of keeperLines) if (level === "error") expect(text).to.match(/\bnode|block|logs|events/);
  });

  it("no log has a password, a key or an Authorization header in it", () => {
    const text = JSON.stringify([...c.places.flatMap(({ lines }) => lines), ...keeperLines]);
    const secrets = [PASSWORD, encodeURIComponent(PASSWORD), KEEPER_KEY, ...c.places.map((p) => p.config.PRIVATE_KEY)];
    const names = ["keeper", ...c.places.map((_, i) => `member${i}`)];
    const headers = names.map((user) => basic({ user, password: PASSWORD }).slice("Basic ".length));
    for (const secret of [...secrets, ...headers]) expect(text).to.not.include(secret);
  });
});
