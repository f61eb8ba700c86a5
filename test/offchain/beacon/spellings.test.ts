/** What the consensus clients and the proxies before them are documented to answer: each gives the same view as a node by the book. */
import { expect } from "chai";
import { strangerPubkey } from "../../../devnet/keys.ts";
import type { BeaconBlockInfo, StateView } from "../../../offchain/beacon/types.ts";
import { answers, changesJson, encoded, on, speaksJsonOnly, withHeader } from "../../helpers/hostile/beacon.ts";
import type { Behaviour } from "../../helpers/hostile/beacon.ts";
import { hostileWorld, messageOf } from "./hostileWorld.ts";
import type { HostileWorld } from "./hostileWorld.ts";

const KEYS = Array.from({ length: 70 }, (_, index) => strangerPubkey(index));
const NO_STATES = on(/\/debug\//, answers(404, { code: 404, message: "not served" }));
const error = (status: number): Behaviour => answers(status, { code: status, message: "as it is" });

type Data = Record<string, unknown>;
const data = (change: (value: Data) => unknown): Behaviour =>
  changesJson((json: { data: Data }) => ({ ...json, data: change(json.data) }));
/** Every decimal string as a number, every boolean as a string. */
const otherTypes = (value: unknown): unknown => {
  if (typeof value === "string" && /^\d+$/.test(value)) return Number(value);
  if (typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return value.map(otherTypes);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, otherTypes(one)]));
};
const upperCase = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value).replace(/0x[0-9a-f]+/g, (text) => `0x${text.slice(2).toUpperCase()}`));

describe("the Beacon API in every client's spelling", function () {
  this.timeout(120_000);
  let w: HostileWorld;
  let block: BeaconBlockInfo;
  let whole: StateView;
  before(async () => {
    w = await hostileWorld();
    block = await w.client(w.good).blockAtOrBefore(w.beacon.head.slot);
    whole = await w.client(w.good).readState(block, KEYS);
  });
  afterEach(async () => w.reset());
  after(async () => w.close());

  describe("constants", () => {
    const SPEC = /config\/spec/;
    for (const [title, change] of [
      [
        "a slot in milliseconds (SLOT_DURATION_MS)",
        ({ SECONDS_PER_SLOT: _, ...rest }: Data) => ({ ...rest, SLOT_DURATION_MS: "12000" }),
      ],
      ["a slot in both units", (spec: Data) => ({ ...spec, SLOT_DURATION_MS: "12000" })],
      ["numbers as JSON has them", (spec: Data) => otherTypes(spec)],
      [
        "fields of other forks, lists among them",
        (spec: Data) => ({ ...spec, BLOB_SCHEDULE: [{ EPOCH: "1" }], NEXT: null }),
      ],
      [
        "no fields but those that are needed",
        ({ SECONDS_PER_SLOT, SLOTS_PER_EPOCH, DEPOSIT_CHAIN_ID, DEPOSIT_CONTRACT_ADDRESS }: Data) => ({
          SECONDS_PER_SLOT,
          SLOTS_PER_EPOCH,
          DEPOSIT_CHAIN_ID,
          DEPOSIT_CONTRACT_ADDRESS,
        }),
      ],
      [
        "no deposit contract in them, which has a route of its own",
        ({ DEPOSIT_CHAIN_ID: _, DEPOSIT_CONTRACT_ADDRESS: __, ...rest }: Data) => rest,
      ],
      ["bytes in upper case", (spec: Data) => upperCase(spec)],
    ] as const)
      it(`are read with ${title}`, async () => {
        const node = await w.node(on(SPEC, data(change)));
        expect(await w.client(node).chain()).to.deep.equal(await w.client(w.good).chain());
      });

    for (const [title, change, message] of [
      [
        "of two lengths of a slot",
        (spec: Data) => ({ ...spec, SLOT_DURATION_MS: "6000" }),
        "a slot has 12 s, and that it has 6000 ms",
      ],
      ["of no length", ({ SECONDS_PER_SLOT: _, ...rest }: Data) => rest, "does not say how long a slot is"],
      [
        "of part of a second",
        ({ SECONDS_PER_SLOT: _, ...rest }: Data) => ({ ...rest, SLOT_DURATION_MS: "6500" }),
        "has slots of 6500 ms",
      ],
    ] as const)
      it(`are not believed ${title}`, async () => {
        const node = await w.node(on(SPEC, data(change)));
        expect(await messageOf(w.client(node).chain())).to.include(message);
        expect((await w.client(node, w.good).chain()).secondsPerSlot).to.equal(12);
      });
  });

  describe("a node's head", () => {
    for (const status of [403, 404, 405])
      it(`is asked for where a provider answers ${status} to node/syncing, and may not lag`, async () => {
        const node = await w.node(on(/node\/syncing/, error(status)));
        expect(await w.client(node).finalizedSlot()).to.equal(w.beacon.finalized().epoch * 32);
        w.good.faults.lagSlots = 9;
        expect(await messageOf(w.client(node).head())).to.include("9 slots behind");
      });

    it("is not asked for where the node says that it is not synced", async () => {
      const node = await w.node(on(/node\/syncing/, answers(503, { code: 503, message: "Beacon node is not synced" })));
      expect(await messageOf(w.client(node).head())).to.include("answered 503: Beacon node is not synced");
    });

    it("is read without the fields that came later, and with booleans as strings", async () => {
      const bare = await w.node(
        on(
          /node\/syncing/,
          data(({ head_slot, is_syncing }) => ({ head_slot, is_syncing })),
        ),
      );
      expect(await w.client(bare).head()).to.equal(w.beacon.head.slot);
      const strings = await w.node(
        on(
          /node\/syncing/,
          data((value) => otherTypes(value)),
        ),
      );
      expect(await w.client(strings).head()).to.equal(w.beacon.head.slot);
      w.good.faults.syncing = true;
      expect(await messageOf(w.client(strings).head())).to.include("is syncing");
    });
  });

  describe("blocks", () => {
    for (const [title, behaviours] of [
      ["without Eth-Consensus-Version", [withHeader("eth-consensus-version", undefined)]],
      ["with the version in capitals", [withHeader("eth-consensus-version", "Electra")]],
      ["as SSZ under another content type", [on(/blocks/, withHeader("content-type", "text/plain"))]],
      ["as JSON", [on(/blocks/, speaksJsonOnly)]],
      [
        "as JSON without a version anywhere",
        [
          on(/blocks/, withHeader("eth-consensus-version", undefined)),
          on(
            /blocks/,
            changesJson(({ data: value }: { data: unknown }) => ({ data: value })),
          ),
          on(/blocks/, speaksJsonOnly),
        ],
      ],
      [
        "as JSON, numbers and bytes spelled otherwise",
        [
          on(
            /blocks/,
            changesJson((json: Data) => upperCase(json)),
          ),
          on(/blocks/, speaksJsonOnly),
        ],
      ],
      [
        "of a node that answers 406 to SSZ",
        [
          on(/blocks/, async (asked, forward) =>
            asked.headers.accept === "application/octet-stream" ? error(406)(asked, forward) : forward(),
          ),
        ],
      ],
      ["of a node that finds them by slot only", [on(/blocks\/0x/, error(404))]],
      ["compressed with gzip, unasked", [encoded("gzip")]],
      ["compressed with deflate, unasked", [encoded("deflate")]],
      ["compressed with brotli, unasked", [encoded("br")]],
      [
        "without the fields beside data",
        [changesJson(({ data: value }: { data: unknown }) => ({ data: value }))].map((behaviour) =>
          on(/headers|states/, behaviour),
        ),
      ],
      [
        "with unknown fields",
        [
          on(
            /headers|syncing|genesis/,
            changesJson((json: Data) => ({ ...json, extra: { a: [1] } })),
          ),
        ],
      ],
    ] as const)
      it(`are read ${title}`, async () => {
        const node = await w.node(...(behaviours as readonly Behaviour[]));
        expect(await w.client(node).blockAtOrBefore(block.slot)).to.deep.equal(block);
      });

    it("of another root than the header's are not taken", async () => {
      const node = await w.node(on(/blocks\//, async (asked, forward) => answers(200, "")(asked, forward)));
      expect(await messageOf(w.client(node).blockAtOrBefore(block.slot))).to.include("is not an SSZ block");
      const other = await w.node(
        on(/blocks\//, async () => {
          const answer = await fetch(`${w.good.url}/eth/v2/beacon/blocks/105`, {
            headers: { accept: "application/octet-stream" },
          });
          return { status: 200, headers: {}, body: Buffer.from(await answer.arrayBuffer()) };
        }),
      );
      expect(await messageOf(w.client(other).blockAtOrBefore(block.slot))).to.include("another root of the block");
      expect(await w.client(other, w.good).blockAtOrBefore(block.slot)).to.deep.equal(block);
    });

    it("are not taken for those of another slot than was asked for", async () => {
      const node = await w.node(
        on(/headers\/100/, async () => {
          const answer = await fetch(`${w.good.url}/eth/v1/beacon/headers/99`);
          return { status: 200, headers: {}, body: Buffer.from(await answer.arrayBuffer()) };
        }),
      );
      expect(await messageOf(w.client(node).blockAtOrBefore(100))).to.include("another slot of the header");
    });
  });

  describe("states", () => {
    const empty: Behaviour = answers(404);
    const byRoot = /states\/0x/;
    const bySlot = /states\/[1-9]/;
    for (const [title, behaviours] of [
      ["without Eth-Consensus-Version", [withHeader("eth-consensus-version", undefined)]],
      ...[400, 404, 500, 501, 503].map(
        (status) => [`by slot where roots are answered with ${status}`, [on(byRoot, error(status))]] as const,
      ),
      ["by slot where roots are answered with an empty 404", [on(byRoot, empty)]],
      ["by slot where roots are answered with an empty 200", [on(byRoot, answers(200))]],
      ["by root where slots are answered with 404", [on(bySlot, error(404))]],
      ["compressed with gzip, unasked", [encoded("gzip")]],
      ["compressed with deflate, unasked", [encoded("deflate")]],
      ["compressed with brotli, unasked", [encoded("br")]],
      [
        "from where a redirect leads",
        [
          on(/\/debug\//, async (asked) => ({
            status: 307,
            headers: { location: w.good.url + asked.path },
            body: Buffer.alloc(0),
          })),
        ],
      ],
    ] as const)
      it(`are read ${title}`, async () => {
        const node = await w.node(...(behaviours as readonly Behaviour[]));
        expect(await w.client(node).readState(block, KEYS, undefined, true, true)).to.deep.equal(whole);
      });

    for (const [title, behaviours] of [
      ["where the debug route is not served", []],
      ...[400, 404, 500].map(
        (status) => [`by slot where roots are answered with ${status}`, [on(byRoot, error(status))]] as const,
      ),
      ["by slot where roots are answered with an empty 200", [on(byRoot, answers(200))]],
      ["by slot where only validators are not found by root", [on(/states\/0x.*validators/, error(404))]],
      ["by slot where only pending deposits are not found by root", [on(/states\/0x.*pending/, error(500))]],
      ["by slot where only finality is not found by root", [on(/states\/0x.*finality/, error(404))]],
      ["by root where slots are answered with 404", [on(bySlot, error(404))]],
      [
        "with a POST that takes no null",
        [on(/POST/, async (asked, forward) => (asked.body.includes("null") ? error(400)(asked, forward) : forward()))],
      ],
      ...[404, 405, 501, 500].map(
        (status) => [`by GET where POST is answered with ${status}`, [on(/POST/, error(status))]] as const,
      ),
      [
        "by GET of few ids at once",
        [
          on(/POST/, error(405)),
          on(/id=/, async (asked, forward) =>
            asked.path.split(",").length > 20 ? error(400)(asked, forward) : forward(),
          ),
        ],
      ],
      ...[400, 413].map(
        (status) =>
          [
            `by POST of few ids at once, after ${status}`,
            [
              on(/POST/, async (asked, forward) =>
                (JSON.parse(asked.body) as { ids: unknown[] }).ids.length > 50
                  ? error(status)(asked, forward)
                  : forward(),
              ),
            ],
          ] as const,
      ),
      [
        "with numbers as JSON has them",
        [
          on(
            /validators|pending|finality/,
            changesJson((json: Data) => otherTypes(json)),
          ),
        ],
      ],
      [
        "with bytes in upper case",
        [
          on(
            /validators|pending/,
            changesJson((json: Data) => upperCase(json)),
          ),
        ],
      ],
      [
        "without the fields beside data",
        [
          on(
            /validators|pending|finality|headers/,
            changesJson(({ data: value }: { data: unknown }) => ({ data: value })),
          ),
        ],
      ],
      [
        "where a debug state is JSON",
        [on(/\/debug\//, answers(200, { version: "electra", data: {} }, { "eth-consensus-version": "electra" }))],
      ],
      ["where a debug state is HTML", [on(/\/debug\//, answers(200, "<html>please log in</html>"))]],
      [
        "where a debug state ends in the middle",
        [
          on(/\/debug\//, async (_, forward) => {
            const reply = await forward();
            return { ...reply, cutAt: 1_000_000 };
          }),
        ],
      ],
    ] as const)
      it(`are read by the keys ${title}`, async () => {
        const isOwn = title.startsWith("where a debug");
        const node = await w.node(...(behaviours as readonly Behaviour[]), ...(isOwn ? [] : [NO_STATES]));
        const view = await w.client(node).readState(block, KEYS, undefined, true);
        expect([view.validators, view.pendingDepositsGwei, view.finalizedEpoch]).to.deep.equal([
          whole.validators,
          whole.pendingDepositsGwei,
          whole.finalizedEpoch,
        ]);
        expect([view.totalActiveBalanceGwei, view.slashingsGwei]).to.deep.equal([undefined, undefined]);
      });

    it("are asked for as the node likes it from then on", async () => {
      const node = await w.node(NO_STATES, on(/POST/, error(405)));
      const client = w.client(node);
      await client.readState(block, KEYS);
      await client.readState(block, KEYS);
      const of = (pattern: RegExp) => node.asked.filter(({ method, path }) => pattern.test(`${method} ${path}`)).length;
      expect([of(/POST .*validators/), of(/GET .*validators\?id=/)]).to.deep.equal([1, 4]);
      expect(Math.max(...node.asked.map(({ path }) => path.length))).to.be.lessThan(8_000);
    });

    for (const [title, change, message] of [
      ["a validator twice", (list: object[]) => [...list, list[0]], "twice"],
      ["an index twice", (list: { index: string }[]) => list.map((one) => ({ ...one, index: "3" })), "twice"],
      [
        "one that was not asked for",
        (list: { validator: object }[]) => [
          ...list,
          { ...list[0], validator: { ...list[0]?.validator, pubkey: `0x${"ab".repeat(48)}` } },
        ],
        "was not asked for",
      ],
      ["none at all", () => [], "lacks 70 of 70 validators"],
      ["no list", () => null, "unknown shape at data"],
      [
        "validators without a balance",
        (list: { balance?: string }[]) => list.map(({ balance: _, ...rest }) => rest),
        "unknown shape at data.0.balance",
      ],
    ] as const)
      it(`are not believed where a node answers with ${title}`, async () => {
        const change1 = changesJson((json: { data: never }) => ({ ...json, data: change(json.data) }));
        const node = await w.node(NO_STATES, on(/\/validators/, change1));
        expect(await messageOf(w.client(node).readState(block, KEYS, undefined, true))).to.include(message);
        expect((await w.client(node, w.good).readState(block, KEYS, undefined, true)).validators).to.deep.equal(
          whole.validators,
        );
        expect(w.failures.length).to.be.greaterThan(0);
      });

    for (const [title, behaviour] of [
      ["404", error(404)],
      ["an empty body", answers(200)],
      ["null", changesJson((json: Data) => ({ ...json, data: null }))],
    ] as const)
      it(`have no pending deposits of which a node answers with ${title}: not zero, but the next node`, async () => {
        const node = await w.node(NO_STATES, on(/pending_deposits/, behaviour));
        expect(await messageOf(w.client(node).readState(block, KEYS))).to.include("pending_deposits");
        expect(await w.client(node, w.good).readState(block, KEYS)).to.deep.equal(whole);
      });

    it("of another slot are not taken, though they come under the right name", async () => {
      const other = await w.node(
        on(/\/debug\//, async () => {
          const answer = await fetch(`${w.good.url}/eth/v2/debug/beacon/states/105`, {
            headers: { accept: "application/octet-stream" },
          });
          const headers = { "eth-consensus-version": answer.headers.get("eth-consensus-version") ?? "" };
          return { status: 200, headers, body: Buffer.from(await answer.arrayBuffer()) };
        }),
      );
      expect(await messageOf(w.client(other).readState(block, KEYS))).to.include(
        "another slot than asked for: 105, not 106",
      );
      expect(await w.client(other, w.good).readState(block, KEYS)).to.deep.equal(whole);
    });

    it("by slot are those of the block: of a node on another chain they are not asked for", async () => {
      const node = await w.node(NO_STATES, on(/states\/0x/, error(404)));
      const other = { ...block, root: block.header.parentRoot };
      expect(await messageOf(w.client(node).readState(other, KEYS))).to.include("another block than asked for");
    });

    it("of a machine behind the URL that lags are not taken for those of a final slot", async () => {
      const final = await w.client(w.good).blockAtOrBefore(w.beacon.finalized().block.slot);
      const head = changesJson((json: Data) => ({ ...json, finalized: false }));
      const node = await w.node(NO_STATES, on(/states\/0x/, error(404)), on(/states\/\d+\/validators/, head));
      expect(await messageOf(w.client(node).readState(final, KEYS))).to.include("with a state that is not final");
    });
  });
});
