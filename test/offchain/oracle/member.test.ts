import { readFileSync, rmSync } from "node:fs";
import { expect } from "chai";
import { network } from "hardhat";
import { deriveValidatorKeys, topUpDeposit } from "../../../devnet/keys.ts";
import type { Protocol } from "../../../offchain/chain/connect.ts";
import { readStanding } from "../../../offchain/oracle/contract.ts";
import { makePeer } from "../../../offchain/oracle/peers.ts";
import { reportHash } from "../../../offchain/protocol/report.ts";
import { AppError, EXIT } from "../../../offchain/util/errors.ts";
import type { Hex } from "../../../offchain/util/hex.ts";
import { sameReport } from "./accepted.ts";
import { fixedFrame, startCommittee, TAKE_OVER_DELAY } from "./committee.ts";
import type { Committee, Place } from "./committee.ts";
import { inTurn, reasons, step } from "./turns.ts";

const ETH = 10n ** 18n;

async function divergencesAt(place: Place): Promise<unknown[]> {
  const { values } = (await place.daemon?.metrics.divergences.get()) ?? { values: [] };
  return values.map(({ labels }) => labels["signer"]);
}

describe("a member of the committee", function () {
  this.timeout(120_000);
  let c: Committee;
  let ethers: Awaited<ReturnType<typeof network.create>>["ethers"];

  before(async () => {
    const connection = await network.create();
    ({ ethers } = connection);
    c = await startCommittee(connection);
  });

  after(async () => c.close());

  it("says that there is nothing to report, then that the slot is not final", async () => {
    expect(await reasons(c.places[0])).to.deep.equal(["no_new_frame"]);
    const refSlot = await fixedFrame(c);
    expect(await reasons(c.places[0])).to.deep.equal(["not_final"]);
    expect((await step(c.places[0])).explanation).to.include(`slot ${refSlot} is not final`);
    expect(c.places[0]?.daemon?.journal.signed).to.deep.equal([]);
    // where the grid starts nothing was reported: nothing is said of it
    expect(c.places[0]?.lines.filter(({ text }) => text.includes("report accepted"))).to.deep.equal([]);
  });

  it("signs, gathers, and lets the one whose turn it is submit", async () => {
    const refSlot = await c.nextFrame();
    const [first, second, third, fourth] = await inTurn(c, refSlot);
    expect(await reasons(third)).to.deep.equal(["few_signatures"]);
    expect(await reasons(second)).to.deep.equal(["few_signatures"]);
    expect(await reasons(fourth)).to.deep.equal(["not_my_turn"]);
    expect(await step(first)).to.deep.include({ reasons: [], submitted: true, refSlot });
    expect(await c.p.oracle.lastRefSlot()).to.equal(refSlot);
    for (const place of [first, second, third]) expect(await reasons(place)).to.deep.equal(["no_new_frame"]);
  });

  it("takes over after a delay for each member before it, and restarting starts that delay again", async () => {
    const refSlot = await c.nextFrame();
    const [first, second, third] = await inTurn(c, refSlot);
    await c.stop(first);
    const [, , , fourth, fifth] = await inTurn(c, refSlot);
    for (const place of [fourth, fifth, third]) await step(place);
    expect(await reasons(third)).to.deep.equal(["not_my_turn"]);
    await c.wait(TAKE_OVER_DELAY);
    expect(await reasons(third)).to.deep.equal(["not_my_turn"]);
    await c.stop(third);
    await c.start(third);
    expect(await reasons(third)).to.deep.equal(["not_my_turn"]);
    await c.wait(2 * TAKE_OVER_DELAY - 1);
    expect(await reasons(third)).to.deep.equal(["not_my_turn"]);
    await c.wait(1);
    expect((await step(third)).submitted).to.equal(true);
    expect(third.daemon?.journal.signed.filter(({ report }) => report.refSlot === refSlot)).to.have.length(1);
    expect(await reasons(second)).to.deep.equal(["no_new_frame"]);
    await c.start(first);
    expect(await reasons(first)).to.deep.equal(["no_new_frame"]);
  });

  it("restarts in the middle of a frame with its signature, and fetches the others' again", async () => {
    const refSlot = await c.nextFrame();
    const [first, second, third] = await inTurn(c, refSlot);
    for (const place of [second, third]) await step(place);
    await c.stop(first);
    await c.start(first);
    // while its beacon node is away: what is signed elsewhere can still be looked at, nothing new is signed
    first.beacon.faults.status = 503;
    expect(await reasons(first)).to.deep.equal(["beacon_unavailable"]);
    delete first.beacon.faults.status;
    await c.wait(12);
    expect((await step(first)).submitted).to.equal(true);
  });

  it("signs again when the committee changes between the reference slot and now", async () => {
    const refSlot = await c.nextFrame();
    const [first, second, third, fourth] = await inTurn(c, refSlot);
    for (const place of [second, third]) await step(place);
    await c.p.oracle.connect(c.p.governor).setQuorum(4);
    expect(await reasons(first)).to.deep.equal(["few_signatures"]);
    expect((await step(first)).explanation).to.include("1 of 4 signatures");
    for (const place of [second, third, fourth]) await step(place);
    expect(second.daemon?.journal.signed.filter(({ report }) => report.refSlot === refSlot)).to.have.length(2);
    expect((await step(first)).submitted).to.equal(true);
    for (const { daemon } of c.places) expect((await daemon?.metrics.equivocations.get())?.values).to.deep.equal([]);
    await c.p.oracle.connect(c.p.governor).setQuorum(3);
  });

  it("does nothing once it is no member any more", async () => {
    const [, , , , last] = c.places;
    if (last === undefined) throw new Error("five members");
    await c.p.oracle.connect(c.p.governor).removeMember(last.address);
    await c.nextFrame();
    expect(await reasons(last)).to.deep.equal(["not_member"]);
    await c.p.oracle.connect(c.p.governor).addMember(last.address);
    await c.p.oracle.connect(c.p.governor).setQuorum(3);
    expect(await reasons(last)).to.deep.equal(["few_signatures"]);
  });

  it("refuses to sign what a peer has with its signature and another content: a lost journal", async () => {
    const refSlot = await c.nextFrame();
    const [first, second] = await inTurn(c, refSlot);
    await step(first);
    const file = first.daemon?.journal.file ?? "";
    const [signed] = first.daemon?.journal.signed.slice(-1) ?? [];
    await step(second);
    await c.stop(first);
    rmSync(file);
    const index = c.p.beacon.stateAt().indexOf(c.p.beacon.stateAt().state.validators[64]?.pubkey ?? "0x") ?? -1;
    first.beacon.faults.lies = new Map([[index, 5]]);
    await c.start(first);
    expect(await reasons(first)).to.deep.equal(["signed_otherwise"]);
    expect(first.daemon?.journal.signed).to.deep.equal([]);
    delete first.beacon.faults.lies;
    await c.stop(first);
    await c.start(first);
    // the same report has the same signature (RFC 6979): signing it again proves nothing against anybody
    await step(first);
    expect(first.daemon?.journal.signed[0]?.signature).to.equal(signed?.signature);
    const known = await makePeer(`http://127.0.0.1:${second.daemon?.port}`).fetch(refSlot);
    expect(known.signatures).to.have.length(2);
  });

  it("counts a member that signs something else also where its signature comes last, before the report is accepted", async () => {
    const refSlot = await c.nextFrame();
    const [first, second, third, liar] = await inTurn(c, refSlot);
    await step(second);
    const index = c.p.beacon.stateAt().indexOf(c.p.beacon.stateAt().state.validators[64]?.pubkey ?? "0x") ?? -1;
    liar.beacon.faults.lies = new Map([[index, 5]]);
    await step(third);
    await step(liar);
    delete liar.beacon.faults.lies;
    expect((await step(first)).submitted).to.equal(true);
    expect(await divergencesAt(second)).to.deep.equal([]);
    await step(second);
    expect(await divergencesAt(second)).to.deep.equal([liar.address]);
    expect(await reasons(liar)).to.deep.equal(["no_new_frame", "outvoted"]);
  });

  it("refers to the last block where the reference slot was missed", async () => {
    const refSlot = await c.missedFrame();
    const [first, second, third] = await inTurn(c, refSlot);
    for (const place of [second, third]) await step(place);
    expect((await step(first)).submitted).to.equal(true);
    const [signed] = first.daemon?.journal.signed.slice(-1) ?? [];
    const block = c.p.beacon.blockAt(Number(refSlot));
    expect(block.slot).to.be.lessThan(Number(refSlot));
    expect(signed?.report.blockRoot).to.equal(block.root);
    expect(reportHash(signed?.report ?? ({} as never))).to.equal(await c.p.oracle.lastReportHash());
  });

  it("does not send at a price above its limit, nor without the money", async () => {
    const refSlot = await c.nextFrame();
    const [first, second, third] = await inTurn(c, refSlot);
    for (const place of [second, third]) await step(place);
    const { config } = first;
    await c.stop(first);
    first.config = { ...config, MAX_FEE_GWEI: 1n };
    await c.start(first);
    expect(await reasons(first)).to.deep.equal(["fee_too_high"]);
    await c.stop(first);
    first.config = config;
    await c.start(first);
    await c.setBalance(first.address, 1_000n);
    expect(await reasons(first)).to.deep.equal(["no_funds"]);
    await c.setBalance(first.address, 10n ** 19n);
    expect((await step(first)).submitted).to.equal(true);
  });

  it("goes on where the consensus layer discards a predeposit: a key that is not funded is not missed", async () => {
    const { p } = c;
    const [key] = deriveValidatorKeys(1, 60);
    const pubkey = key?.pubkey ?? "0x";
    const unsigned = topUpDeposit(pubkey, (await p.validators.withdrawalCredentials()) as Hex, 10n ** 9n);
    const { signature, depositDataRoot } = unsigned;
    const registry = p.validators.connect(p.nodeOperator);
    await registry.predeposit(p.operatorId, [pubkey], [signature], [depositDataRoot], { value: ETH });
    for (let frame = 0; frame < 2; frame++) {
      const refSlot = await c.nextFrame();
      const [first, second, third] = await inTurn(c, refSlot);
      for (const place of [second, third]) await step(place);
      expect((await step(first)).submitted).to.equal(true);
      await sameReport(c, refSlot);
    }
    expect(p.beacon.stateAt().validator(pubkey)).to.equal(undefined);
    expect(p.beacon.stateAt().state.pendingDeposits).to.deep.equal([]);
  });

  it("reports under the rules of now where the bounds are replaced after the reference slot", async () => {
    const refSlot = await c.nextFrame();
    const [first, second, third] = await inTurn(c, refSlot);
    for (const place of [second, third]) await step(place);
    const bounds = await ethers.deployContract("ReportBounds");
    await c.p.oracle.connect(c.p.governor).setBounds(bounds);
    expect((await step(first)).submitted).to.equal(true);
    await sameReport(c, refSlot);
  });

  it("ends where the pool was replaced: the contracts to ask are others then", async () => {
    const protocol = c.places[0]?.daemon?.protocol as Protocol;
    const other = c.p.alice.address;
    const replaced = { ...protocol, token: { pool: () => Promise.resolve(other) } } as unknown as Protocol;
    const error = await readStanding(replaced, c.clock.now()).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).to.be.instanceOf(AppError).and.include({ exitCode: EXIT.failure });
    expect((error as AppError).message).to.equal(`the pool was replaced by ${other}: start again`);
  });

  it("sends nothing that a contract behind the oracle would refuse, and says which error of it that is", async () => {
    c.p.beacon.creditExecutionReward(await c.p.rewardsVault.getAddress(), ETH);
    const refSlot = await c.nextFrame();
    const [first, second, third] = await inTurn(c, refSlot);
    for (const place of [second, third]) await step(place);
    const vault = await c.p.rewardsVault.getAddress();
    const held = await c.p.oracle.runner?.provider?.getBalance(vault);
    await c.setBalance(vault, 0n);
    const { reasons: found, explanation } = await step(first);
    expect(found).to.deep.equal(["simulation_failed"]);
    expect(explanation).to.equal(
      `it would fail: the report says vault ${vault} held 1.0 ETH; it has 0.0 ETH (VaultBalanceImpossible)`,
    );
    await c.setBalance(vault, held ?? 0n);
    expect((await step(first)).submitted).to.equal(true);
  });

  it("acts on nothing that an execution node with an old head says", async () => {
    await c.clock.advance(400);
    const old = await step(c.places[0]);
    expect(old.reasons).to.deep.equal(["execution_unavailable"]);
    expect(old.explanation).to.match(/its newest block, \d+, is \d+ s old/);
  });

  it("wrote each signature before it sent it, and nobody signed two reports for one slot and version", () => {
    for (const { daemon } of c.places) {
      const journal = daemon?.journal;
      if (journal === undefined) throw new Error("it is down");
      const keys = journal.signed.map(({ report }) => `${report.refSlot}/${report.committeeVersion}`);
      expect(new Set(keys).size).to.equal(keys.length);
      for (const { signature } of journal.signed) expect(readFileSync(journal.file, "utf8")).to.include(signature);
    }
  });
});
