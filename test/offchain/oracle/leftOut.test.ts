/** Members whose execution nodes leave out events, or lack old state. */
import { expect } from "chai";
import { network } from "hardhat";
import { failing, hostileNode, withoutLogs } from "../../helpers/hostile/rpc.ts";
import type { Behaviour, HostileNode } from "../../helpers/hostile/rpc.ts";
import { startCommittee } from "./committee.ts";
import type { Committee, Place } from "./committee.ts";

describe("a member whose execution node leaves something out", function () {
  this.timeout(180_000);
  let c: Committee;
  const nodes: HostileNode[] = [];

  before(async () => {
    c = await startCommittee(await network.create(), { members: 3, quorum: 2 });
  });
  after(async () => {
    await c.close();
    for (const node of nodes) await node.close();
  });

  async function move(place: Place, behaviour: Behaviour, ...others: string[]): Promise<void> {
    const node = await hostileNode(c.executionUrl, { calls: [behaviour] });
    nodes.push(node);
    await c.stop(place);
    place.config = { ...place.config, EXECUTION_URLS: [node.url, ...others] };
    await c.start(place);
  }

  function at(index: number): Place {
    const place = c.places[index];
    if (place === undefined) throw new Error("no such place");
    return place;
  }

  const leftOut = withoutLogs(() => true);

  it("signs nothing where events are missing, and says so (field O01)", async () => {
    await move(at(2), leftOut);
    await c.nextFrame();
    const step = await at(2).daemon?.member.step();
    expect(step?.explanation).to.contain("this node leaves out events");
    expect(at(2).daemon?.journal.signed).to.deep.equal([]);
    expect((await at(0).daemon?.member.step())?.reasons).to.not.include("execution_unavailable");
  });

  it("signs what the others sign where the next node has them, or the old state (field O02)", async () => {
    const pruned = { code: -32_000, message: "missing trie node 00 (path ) state 0x00 is not available" };
    await move(at(2), leftOut, c.executionUrl);
    await move(at(1), failing(["eth_getBalance"], pruned), c.executionUrl);
    for (const place of [at(1), at(2)]) {
      const refSlot = await c.nextFrame();
      await place.daemon?.member.step();
      await at(0).daemon?.member.step();
      const [own, honest] = [place, at(0)].map(({ daemon }) => daemon?.journal.signed.at(-1)?.report);
      expect(own).to.include({ refSlot });
      if (honest?.refSlot === refSlot) expect(own).to.deep.equal(honest);
    }
  });

  it("is no quorum with another such: nothing is reported (field O03)", async () => {
    await c.stop(at(2));
    for (const place of [at(0), at(1)]) await move(place, leftOut);
    const refSlot = await c.nextFrame();
    for (let turn = 0; turn < 4; turn++) {
      for (const place of [at(0), at(1)]) await place.daemon?.member.step();
      await c.wait(70);
    }
    expect(await c.p.oracle.lastRefSlot()).to.not.equal(refSlot);
    expect(await c.p.oracle.incident()).to.equal(false);
  });
});
