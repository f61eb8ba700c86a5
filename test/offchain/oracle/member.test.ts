import { expect } from "chai";
import { network } from "hardhat";
import type { Step } from "../../../offchain/oracle/member.ts";
import { TAKE_OVER_DELAY, startCommittee } from "./committee.ts";
import type { Committee, Place } from "./committee.ts";

async function step(place: Place | undefined): Promise<Step> {
  if (place?.daemon === undefined) throw new Error("that member is down");
  return place.daemon.member.step();
}

/** Members in the order of their turns for a slot. */
async function inTurn(c: Committee, refSlot: bigint): Promise<Place[]> {
  const first = Number((refSlot / (await c.p.oracle.slotsPerFrame())) % BigInt(c.places.length));
  return c.places.map((_, place) => c.places[(first + place) % c.places.length] as Place);
}

describe("a member of the committee", () => {
  let c: Committee;

  before(async () => {
    c = await startCommittee(await network.create());
  });

  after(async () => c.close());

  it("says that there is nothing to report, then that the slot is not final", async () => {
    expect((await step(c.places[0])).reasons).to.deep.equal(["no_new_frame"]);
  });

  it("signs, gathers, and lets the one whose turn it is submit", async () => {
    const refSlot = await c.nextFrame();
    const [first, second, third] = await inTurn(c, refSlot);
    expect((await step(second)).reasons).to.deep.equal(["few_signatures"]);
    expect((await step(third)).reasons).to.deep.equal(["few_signatures"]);
    const steps = await step(first);
    expect(steps).to.deep.include({ reasons: [], submitted: true, refSlot });
    expect(await c.p.oracle.lastRefSlot()).to.equal(refSlot);
    expect((await step(second)).reasons).to.deep.equal(["no_new_frame"]);
    expect(TAKE_OVER_DELAY).to.equal(60);
  });
});
