/** A slashed validator of ours: what a member must know for it, and of whom. */
import { expect } from "chai";
import { network } from "hardhat";
import { deriveValidatorKeys } from "../../../devnet/keys.ts";
import { predeposit, prove } from "../../../devnet/simulated/localProtocol.ts";
import { readStanding } from "../../../offchain/oracle/contract.ts";
import { exitCodeOfStep } from "../../../offchain/oracle/program.ts";
import { readSnapshot } from "../../../offchain/oracle/snapshot.ts";
import { EXIT } from "../../../offchain/util/errors.ts";
import { startCommittee } from "./committee.ts";
import type { Committee, Place } from "./committee.ts";
import { reasons, step } from "./turns.ts";

const ETH = 10n ** 18n;

let c: Committee;

/** Our first validator, once it is active. */
async function slashFirst(): Promise<void> {
  const { beacon } = c.p;
  const [key] = deriveValidatorKeys(1, 0);
  const pubkey = key?.pubkey ?? "0x";
  await beacon.advanceUntil((state) => (state.validator(pubkey)?.activationEpoch ?? Infinity) < beacon.epoch, 3_000);
  beacon.slash(pubkey);
  await beacon.advanceSlots(2);
}

async function blockedBy(place: Place, reason: string): Promise<number | undefined> {
  const metric = place.daemon?.metrics.registry.getSingleMetric("estuary_oracle_blocked");
  const { values } = (await metric?.get()) ?? { values: [] };
  return values.find(({ labels }) => labels["reason"] === reason)?.value;
}

describe("a slashed validator", function () {
  this.timeout(240_000);

  afterEach(async () => c.close());

  it("needs a whole state: a member whose nodes serve none says so and what to configure, and signs when one does", async () => {
    c = await startCommittee(await network.create());
    await slashFirst();
    const refSlot = await c.nextFrame();
    const [whole, ids, failover] = c.places as [Place, Place, Place];
    expect(whole.beacon.faults.noDebug).to.equal(undefined);
    expect(ids.beacon.faults.noDebug).to.equal(true);
    const stuck = await step(ids);
    expect(stuck.reasons).to.deep.equal(["needs_whole_state"]);
    expect(stuck.explanation).to.match(
      /^a validator of ours is slashed: its penalty needs a whole state\. Add a beacon node that serves \/eth\/v2\/debug\/beacon\/states to ESTUARY_BEACON_URLS \(beacon node 127\.0\.0\.1:\d+: does not serve states\)$/,
    );
    expect(exitCodeOfStep(stuck)).to.equal(EXIT.unavailable);
    expect(await blockedBy(ids, "needs_whole_state")).to.equal(1);
    expect(await blockedBy(ids, "layers_disagree")).to.equal(0);
    expect(ids.daemon?.journal.signed).to.deep.equal([]);

    expect(await reasons(whole)).to.deep.equal(["few_signatures"]);
    // its first node answers without the sums: the second is asked for them
    await c.stop(failover);
    failover.config = { ...failover.config, BEACON_URLS: [failover.beacon.url, failover.spare.url] };
    await c.start(failover);
    await step(failover);
    const signed = [whole, failover].map(({ daemon }) => daemon?.journal.signed.at(-1)?.report);
    expect(signed[0]?.refSlot).to.equal(refSlot);
    expect(signed[1]).to.deep.equal(signed[0]);

    delete ids.beacon.faults.noDebug;
    await c.wait(12);
    expect(await reasons(ids)).not.to.include("needs_whole_state");
    expect(ids.daemon?.journal.signed.at(-1)?.report).to.deep.equal(signed[0]);
    expect(await blockedBy(ids, "needs_whole_state")).to.equal(0);
  });

  it("is an incident beyond its operator's bond: keys that wait to be funded are none and hide nothing (audit F2)", async () => {
    c = await startCommittee(await network.create(), { validators: 1 });
    const { p } = c;
    // proven and queued: 1 ETH each, which is no bond before they are funded
    await prove(p, await predeposit(p, 3, 1));
    await slashFirst();
    const refSlot = await c.nextFrame();
    const [place] = c.places as [Place];
    const { daemon } = place;
    if (daemon === undefined) throw new Error("it is down");
    const standing = await readStanding(daemon.protocol, c.clock.now());
    const snapshot = await readSnapshot(daemon, standing, refSlot);
    const at = { blockTag: snapshot.state.block.execution.number };
    const [{ bondShares, queued }, [ether, shares], counted] = await Promise.all([
      p.operators.operator(p.operatorId, at),
      p.token.totals(at),
      p.operators.bondOf(p.operatorId, at),
    ]);
    expect(queued).to.equal(3n);
    expect(counted.bond / ETH).to.be.greaterThan(2n);
    expect([...snapshot.bonds]).to.deep.equal([[p.operatorId, (bondShares * ether) / shares]]);
    expect(snapshot.bonds.get(p.operatorId)).to.be.within(ETH - 10n ** 15n, ETH + 10n ** 15n);
    // 65 validators of 32 ETH: 3 * 32 / 2080 of 32 ETH are 1.477 ETH, beyond a bond of one and within four
    await step(place);
    const [signed] = daemon.journal.signed;
    expect(signed?.report).to.deep.include({ refSlot, incident: true });
  });
});
