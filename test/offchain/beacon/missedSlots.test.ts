/** That a node shows no block at a slot proves nothing: the parents of a later block do. */
import { expect } from "chai";
import { answers, on } from "../../helpers/hostile/beacon.ts";
import type { Asked, Behaviour } from "../../helpers/hostile/beacon.ts";
import { hostileWorld, messageOf } from "./hostileWorld.ts";
import type { HostileWorld } from "./hostileWorld.ts";

const missing: Behaviour = answers(404, { code: 404, message: "not found" });
const slotOf = ({ path }: Asked): number => Number(/headers\/(\d+)/.exec(path)?.[1] ?? NaN);

describe("missed slots", function () {
  this.timeout(120_000);
  let w: HostileWorld;
  before(async () => {
    w = await hostileWorld();
  });
  afterEach(async () => w.reset());
  after(async () => w.close());

  /** A node that shows no headers of these slots. */
  const without = (hides: (slot: number) => boolean): Behaviour =>
    on(/headers\/\d/, (asked, forward) => (hides(slotOf(asked)) ? missing(asked, forward) : forward()));
  const slotAt = async (slot: number, ...behaviours: Behaviour[]): Promise<number> =>
    (await w.client(await w.node(...behaviours)).blockAtOrBefore(slot)).slot;

  it("are stepped over", async () => {
    for (const slot of [101, 102, 103]) expect(await slotAt(slot)).to.equal(100);
    expect(await slotAt(104)).to.equal(104);
  });

  it("are not those that a node leaves out: the block is found by its child", async () => {
    for (const hidden of [50, 60, 99, 100])
      expect(
        await slotAt(
          hidden,
          without((slot) => slot === hidden),
        ),
      ).to.equal(hidden);
    expect(
      await slotAt(
        50,
        without((slot) => slot >= 50 && slot < 90),
      ),
    ).to.equal(50);
    expect(
      await slotAt(
        102,
        without((slot) => slot >= 95 && slot < 106),
      ),
    ).to.equal(100);
  });

  it("are not those that a machine behind the URL does not have yet", async () => {
    // every second request goes to a machine whose head is at slot 99
    let turn = 0;
    const lagging: Behaviour = on(/headers\/|blocks\//, async (asked, forward) => {
      if (turn++ % 2 === 0) return forward();
      const reply = await forward();
      if (slotOf(asked) > 99) return missing(asked, forward);
      return reply;
    });
    for (const slot of [98, 99, 100, 104, 105]) expect(await slotAt(slot, lagging)).to.equal(slot);
  });

  it("are not known to be missed before there is a block after them, which the next node may have", async () => {
    const node = await w.node(
      without((slot) => slot > 100),
      on(/headers\/head/, async () => {
        const answer = await fetch(`${w.good.url}/eth/v1/beacon/headers/100`);
        return { status: 200, headers: {}, body: Buffer.from(await answer.arrayBuffer()) };
      }),
    );
    expect(await messageOf(w.client(node).blockAtOrBefore(102))).to.include("whether the slot was missed is not known");
    expect((await w.client(node, w.good).blockAtOrBefore(104)).slot).to.equal(104);
    expect((await w.client(node, w.good).blockAtOrBefore(102)).slot).to.equal(100);
  });

  it("are those of which a node answers with null, too", async () => {
    const nothing: Behaviour = on(/headers\/10[123]/, answers(200, { data: null }));
    expect(await slotAt(102, nothing)).to.equal(100);
  });

  it("of a node that lacks old blocks end in few questions", async () => {
    const node = await w.node(
      without((slot) => slot < 100),
      on(/blocks\/0x/, async (asked, forward) => {
        const old = [...Array(100).keys()].some((slot) => asked.path.endsWith(w.beacon.blockAt(slot).root));
        return old ? missing(asked, forward) : forward();
      }),
    );
    expect(await messageOf(w.client(node).blockAtOrBefore(10))).to.include("does not have the block 0x");
    expect(node.asked.length).to.be.lessThan(60);
  });

  it("do not hide who comes after a block: its child is found by parents", async () => {
    const block = await w.client(w.good).blockAtOrBefore(60);
    const expected = (await w.client(w.good).prove(block, [])).validators;
    const node = await w.node(without((slot) => slot > 60 && slot < 66));
    expect((await w.client(node).prove(block, [])).validators).to.deep.equal(expected);
    const other = { ...block, root: block.header.parentRoot };
    expect(await messageOf(w.client(w.good).prove(other, []))).to.include("another parent than asked for");
  });
});
