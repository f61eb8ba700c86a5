/** Reports in Gloas, accepted by the real oracle: blocks without a payload after the reported one are followed by their headers. */
import { expect } from "chai";
import { network } from "hardhat";
import { headerRoot } from "../../../offchain/beacon/proofs.ts";
import type { Header } from "../../../offchain/beacon/proofs.ts";
import { compact } from "../../../offchain/oracle/wire.ts";
import { headerOf, hex, rootOf, serveGloas } from "../beacon/gloasChain.ts";
import { startCommittee } from "./committee.ts";
import type { Committee, Place } from "./committee.ts";
import { gloasWorld } from "./gloasWorld.ts";
import type { GloasWorld } from "./gloasWorld.ts";
import { reasons, restart, step } from "./turns.ts";

const FRAME = 7_200;
const ETH_GWEI = 10n ** 9n;

describe("a report in Gloas", function () {
  this.timeout(240_000);
  let c: Committee;
  let place: Place;
  let world: GloasWorld;
  let node: Awaited<ReturnType<typeof serveGloas>>;

  before(async () => {
    c = await startCommittee(await network.create(), { members: 1, quorum: 1 });
    [place] = c.places as [Place];
    node = await serveGloas(() => world.chain);
    place.config = { ...place.config, BEACON_URLS: [node.url] };
    await restart(c, place);
  });

  after(async () => {
    await c.close();
    await node.close();
  });

  /**
   * A frame ends and is final.
   * @param empty slots after the reference slot (0: itself, or the last block before) whose blocks have no payload
   * @param missed slots around it that have no block at all
   */
  async function frame({
    empty = [],
    missed = [],
  }: {
    empty?: readonly number[];
    missed?: readonly number[];
  }): Promise<number> {
    const { beacon } = c.p;
    const refSlot = Number(await c.p.oracle.lastRefSlot()) + FRAME;
    await beacon.advanceTo(refSlot - 3);
    while (beacon.head.slot < refSlot + 6) {
      let gap = 0;
      while (missed.includes(beacon.head.slot + 1 + gap - refSlot)) gap++;
      if (gap > 0) await beacon.missSlots(gap);
      await beacon.advanceSlots(1);
    }
    await beacon.finalize(refSlot);
    await c.clock.advance(Math.max(0, beacon.timeOf(beacon.head.slot) - c.clock.now()));
    const emptySlots = empty.map((slot) => (slot === 0 ? beacon.blockAt(refSlot).slot : refSlot + slot));
    world = await gloasWorld(c.connection, c.p, refSlot, emptySlots);
    return refSlot;
  }

  /** The call of the accepted report. */
  async function accepted(refSlot: number) {
    const { oracle } = c.p;
    const [event] = await oracle.queryFilter(oracle.filters.ReportAccepted(refSlot));
    const call = oracle.interface.parseTransaction({ data: (await event?.getTransaction())?.data ?? "0x" });
    const [, , headers = []] = [...(call?.args ?? [])] as [unknown, unknown, { slot: bigint }[]?];
    return { name: call?.name, slots: headers.map(({ slot }) => Number(slot) - refSlot) };
  }

  const plain = { name: "submitReport", slots: [] };
  const over = (...slots: number[]) => ({ name: "submitReportOver", slots });

  for (const [title, around, expected] of [
    ["is submitted as ever where every block has a payload", {}, plain],
    ["brings the header of one block without a payload right after the reference slot", { empty: [1] }, over(0, 1)],
    ["brings the headers of three in a row", { empty: [1, 2, 3] }, over(0, 1, 2, 3)],
    ["brings them from the last block where the reference slot was missed", { empty: [1], missed: [0] }, over(-1, 1)],
    ["brings none where the reference slot was missed and a payload follows", { missed: [0] }, plain],
    ["brings none where only the reported block has no payload", { empty: [0] }, plain],
    ["brings them where the reported block has no payload either", { empty: [0, 1, 2] }, over(0, 1, 2)],
    ["brings none where a payload comes between", { empty: [2, 3] }, plain],
    ["brings them over slots that were missed", { empty: [2, 4], missed: [1, 3] }, over(0, 2, 4)],
  ] as const)
    it(title, async () => {
      const refSlot = await frame(around);
      const done = await step(place);
      expect(done, done.explanation).to.deep.include({ submitted: true, refSlot: BigInt(refSlot) });
      expect(await accepted(refSlot)).to.deep.equal(expected);
      const { report } = place.daemon?.journal.signed.at(-1) ?? {};
      const reported = c.p.beacon.blockAt(refSlot);
      expect(report?.blockRoot).to.equal(hex(rootOf(world.blockAt(reported.slot))));
      const keys = await c.p.committee.fundedKeys(reported.execution.number);
      expect(report?.clBalanceGwei).to.equal(c.p.beacon.stateAt(refSlot).clBalanceGwei(keys));
      expect(keys).to.have.length(4);
    });

  it("is not submitted where no header leads to what EIP-4788 has", async () => {
    const refSlot = await frame({ empty: [1] });
    const { chain } = world;
    // EIP-4788 is of a chain whose block right after the reference is another
    await gloasWorld(c.connection, c.p, refSlot, [refSlot, refSlot + 1]);
    const lost = await step(place);
    expect(lost.reasons).to.deep.equal(["simulation_failed"]);
    expect(lost.explanation).to.match(/\(WrongBlockRoot\)$/);
    expect(Number(await c.p.oracle.lastRefSlot())).to.equal(refSlot - FRAME);
    world = await gloasWorld(c.connection, c.p, refSlot, [refSlot + 1]);
    expect(world.chain.blocks.map((signed) => hex(rootOf(signed)))).to.deep.equal(
      chain.blocks.map((signed) => hex(rootOf(signed))),
    );
    expect((await step(place)).submitted).to.equal(true);
    expect(await accepted(refSlot)).to.deep.equal(over(0, 1));
  });

  it("waits for the beacon node where it does not have the blocks that follow", async () => {
    const refSlot = await frame({ empty: [1, 2] });
    const whole = world.chain;
    const isThere = (slot: number): boolean => slot <= refSlot + 2;
    world = { ...world, chain: { ...whole, blocks: whole.blocks.filter(({ message }) => isThere(message.slot)) } };
    // it lags no further than a node may: the clock is the test's
    const behind = await step(place);
    expect(behind.reasons).to.include("beacon_unavailable");
    world = { ...world, chain: whole };
    await c.wait(12);
    expect((await step(place)).submitted).to.equal(true);
  });

  it("is refused with other headers than those, and the contract says which is wrong", async () => {
    const refSlot = await frame({ empty: [1, 2, 3] });
    const { oracle } = c.p;
    // signed, not sent
    place.config = { ...place.config, MAX_FEE_GWEI: 1n };
    await restart(c, place);
    expect(await reasons(place)).to.deep.equal(["fee_too_high"]);
    const signed = place.daemon?.journal.signed.at(-1);
    if (signed === undefined) throw new Error("it did not sign");
    const headers = (await place.daemon?.beacon.headersToPayload(refSlot)) ?? [];
    const [own, one, two, three] = headers as [Header, Header, Header, Header];
    expect(headers).to.have.length(4);
    const next = headerOf(world.blockAt(refSlot + 4));
    const forged = (header: Header, change: Partial<Header>): Header => ({ ...header, ...change });
    const submit = (given: readonly Header[]) =>
      oracle.connect(c.p.keeper).submitReportOver(signed.report, [compact(signed.signature)], [...given]);
    const other = `0x${"77".repeat(32)}` as const;
    for (const [given, wrong] of [
      [[], 0n],
      [[one, two, three], 0n],
      [[forged(own, { stateRoot: other }), one, two, three], 0n],
      [[own, two, three], 1n],
      [[own, two, one, three], 1n],
      [[own, own, one, two, three], 1n],
      [[own, forged(one, { parentRoot: other }), two, three], 1n],
      // a child of the reported block at or before the reference would have been reported
      [[own, forged(one, { slot: BigInt(refSlot) })], 1n],
      [[own, one, three], 2n],
      [[own, forged(one, { bodyRoot: other }), two, three], 2n],
      [[own, one, two, forged(three, { parentRoot: other })], 3n],
      [[own, one, two, three, three], 4n],
    ] as const)
      await expect(submit(given)).to.be.revertedWithCustomError(oracle, "WrongHeader").withArgs(wrong);
    // each of these is a chain, and ends elsewhere
    for (const given of [[own], [own, one], [own, one, two], [own, one, two, forged(three, { stateRoot: other })]])
      await expect(submit(given))
        .to.be.revertedWithCustomError(oracle, "WrongBlockRoot")
        .withArgs(headerRoot(given.at(-1) ?? own), headerRoot(three));
    await expect(submit([...headers, next])).to.be.revertedWithCustomError(oracle, "WrongBlockRoot");
    await expect(
      oracle.connect(c.p.keeper).submitReport(signed.report, [compact(signed.signature)]),
    ).to.be.revertedWithCustomError(oracle, "WrongBlockRoot");
    await submit(headers);
    expect(Number(await oracle.lastRefSlot())).to.equal(refSlot);
    place.config = { ...place.config, MAX_FEE_GWEI: 200n * ETH_GWEI };
    await restart(c, place);
  });

  it("that needs approval is announced and then submitted, with the headers both times", async () => {
    for (let index = 64; index < 68; index++) c.p.beacon.penalise(index, 1_500_000_000n);
    const refSlot = await frame({ empty: [1, 2] });
    const waiting = await step(place);
    expect(waiting.reasons, waiting.explanation).to.deep.equal(["needs_governance"]);
    const hash = /approveFall\((0x[0-9a-f]{64}), true\); announced$/.exec(waiting.explanation)?.[1] ?? "";
    await c.p.oracle.connect(c.p.governor).approveFall(hash, true);
    expect((await step(place)).submitted).to.equal(true);
    expect(await accepted(refSlot)).to.deep.equal(over(0, 1, 2));
    expect(await c.p.oracle.lastReportHash()).to.equal(hash);
  });
});
