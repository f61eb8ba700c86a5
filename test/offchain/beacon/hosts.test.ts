/** Hosts of beacon nodes, whatever stands before them: no status of one is final, and each is left alone as it asks. */
import { expect } from "chai";
import { strangerPubkey } from "../../../devnet/keys.ts";
import { answers, on, times, truncated } from "../../helpers/hostile/beacon.ts";
import type { Behaviour } from "../../helpers/hostile/beacon.ts";
import { hostileWorld, messageOf } from "./hostileWorld.ts";
import type { HostileWorld } from "./hostileWorld.ts";

const KEYS = [strangerPubkey(3), strangerPubkey(7)];
const HTML = "<html><h1>Bad gateway</h1></html>";
const busy = (headers: Record<string, string> = {}, status = 429): Behaviour =>
  answers(status, { code: status, message: "slow down" }, headers);

describe("hosts of beacon nodes", function () {
  this.timeout(120_000);
  let w: HostileWorld;
  before(async () => {
    w = await hostileWorld();
  });
  afterEach(async () => w.reset());
  after(async () => w.close());

  for (const status of [
    204, 206, 304, 400, 401, 402, 403, 404, 405, 406, 408, 410, 413, 415, 418, 422, 429, 451, 500, 501, 502, 503, 504,
    520,
  ])
    it(`are left for the next where they answer ${status} to everything`, async () => {
      const node = await w.node(answers(status, status === 304 || status === 204 ? "" : { message: "because of it" }));
      const client = w.client(node, w.good);
      const block = await client.blockAtOrBefore(w.beacon.head.slot);
      expect((await client.readState(block, KEYS, undefined, true)).validators.size).to.equal(2);
      expect(w.failures).to.have.length(1);
      const alone = await messageOf(w.client(node).head());
      expect(alone).to.include(`answered ${status}`);
      if (status !== 304 && status !== 204) expect(alone).to.include("because of it");
    });

  for (const [title, behaviour, message] of [
    ["HTML in place of JSON", answers(200, HTML), "is not JSON"],
    ["nothing", answers(200), "is empty"],
    ["half a body", truncated, ""],
    ["an error as HTML", answers(502, HTML), "answered 502"],
    ["a list", answers(200, []), "unknown shape"],
    [
      "a redirect that never ends",
      (asked) => ({ status: 302, headers: { location: asked.path }, body: Buffer.alloc(0) }),
      "",
    ],
  ] as readonly (readonly [string, Behaviour, string])[])
    it(`are left for the next where they answer with ${title}`, async () => {
      const node = await w.node(behaviour);
      expect(await w.client(node, w.good).head()).to.equal(w.beacon.head.slot);
      expect(w.failures).to.have.length(1);
      expect(w.failures[0]).to.include(message).and.not.include("<");
    });

  it("are followed where they lead elsewhere", async () => {
    const node = await w.node((asked) => ({
      status: 308,
      headers: { location: w.good.url + asked.path },
      body: Buffer.alloc(0),
    }));
    const client = w.client(node);
    const block = await client.blockAtOrBefore(w.beacon.head.slot);
    w.good.faults.noDebug = true;
    expect((await client.readState(block, KEYS, undefined, true)).validators.size).to.equal(2);
    expect(node.asked.filter(({ method }) => method === "POST")).to.have.length(1);
  });

  it("are asked with the key in the query of their URL, for states too", async () => {
    const node = await w.node(async (asked, forward) =>
      asked.path.endsWith("key=k3y") ? forward() : answers(401, { message: "no key" })(asked, forward),
    );
    const client = w.client({ url: `${node.url}/?key=k3y` });
    const block = await client.blockAtOrBefore(w.beacon.head.slot);
    expect((await client.readState(block, KEYS, undefined, true, true)).validators.size).to.equal(2);
    await node.close();
    expect(await messageOf(client.head())).to.not.include("k3y");
  });

  it("are all told of where none answers, each with what it says", async () => {
    const nodes = await Promise.all([
      w.node(answers(401, { message: "no key" })),
      w.node(answers(500, HTML)),
      w.node(answers(404)),
    ]);
    const lines = (await messageOf(w.client(...nodes).head())).split("\n");
    expect(lines.map((line) => line.replace(/^beacon node 127\.0\.0\.1:\d+: \S+ /, ""))).to.deep.equal([
      "answered 401: no key",
      "answered 500",
      "answered 404",
    ]);
  });

  describe("that are asked too often", () => {
    it("are waited for as long as they say, where there is no other", async () => {
      const node = await w.node(times(3, busy({ "retry-after": "7" })));
      expect(await w.client(node).head()).to.equal(w.beacon.head.slot);
      expect(w.slept.length).to.be.greaterThan(0);
      expect(w.slept.every((seconds) => seconds === 7)).to.equal(true);
      expect(w.failures).to.deep.equal([]);
    });

    it("are waited for longer each time where they do not say how long", async () => {
      const node = await w.node(on(/headers\/head/, times(3, busy())));
      expect(await w.client(node).head()).to.equal(w.beacon.head.slot);
      expect(w.slept).to.deep.equal([1, 2, 4]);
    });

    it("are not waited for while another answers", async () => {
      const node = await w.node(busy({ "retry-after": "7" }));
      expect(await w.client(node, w.good).head()).to.equal(w.beacon.head.slot);
      expect(w.slept).to.deep.equal([]);
    });

    it("are waited for where the others can't be used at all", async () => {
      const node = await w.node(times(2, busy({ "retry-after": "3" })));
      const dead = await w.node(answers(500));
      expect(await w.client(node, dead).head()).to.equal(w.beacon.head.slot);
      expect(w.slept.length).to.be.lessThan(3);
    });

    it("are given up within a minute, and at once where they want longer", async () => {
      const node = await w.node(busy());
      expect(await messageOf(w.client(node).head())).to.include("answered 429: slow down");
      expect(w.slept.reduce((sum, seconds) => sum + seconds, 0)).to.be.within(15, 120);
      await w.reset();
      const long = await w.node(busy({ "retry-after": "600" }));
      expect(await messageOf(w.client(long).head())).to.include("answered 429");
      expect(w.slept).to.deep.equal([]);
    });

    it("are waited for while a state is read, by either way", async () => {
      const block = await w.client(w.good).blockAtOrBefore(w.beacon.head.slot);
      const node = await w.node(on(/debug/, times(1, busy({ "retry-after": "2" }))));
      expect((await w.client(node).readState(block, KEYS, undefined, true, true)).validators.size).to.equal(2);
      const other = await w.node(
        on(/debug/, answers(404)),
        on(/validators/, times(1, busy({ "retry-after": "2" }, 503))),
      );
      expect((await w.client(other).readState(block, KEYS, undefined, true)).validators.size).to.equal(2);
      expect(w.slept).to.deep.equal([2, 2]);
    });

    it("are left as soon as the program is to stop", async () => {
      const node = await w.node(busy({ "retry-after": "7" }));
      const stop = new AbortController();
      stop.abort(new Error("enough"));
      expect(await messageOf(w.client(node).head(stop.signal))).to.include("enough");
    });
  });

  it("get user and password in a header, for states too, and nobody is told of them", async () => {
    const expected = `Basic ${Buffer.from("member:s3cr3t").toString("base64")}`;
    const node = await w.node(async (asked, forward) =>
      asked.headers.authorization === expected ? forward() : answers(401, { message: "who are you?" })(asked, forward),
    );
    const url = `${node.url.replace("http://", "http://member:s3cr3t@")}/`;
    const client = w.client({ url });
    const block = await client.blockAtOrBefore(w.beacon.head.slot);
    expect((await client.readState(block, KEYS, undefined, true, true)).totalActiveBalanceGwei).to.be.a("bigint");
    expect(await client.serving(block, KEYS)).to.deep.equal([
      { host: node.url.slice(7), lacksStates: undefined, lacksIds: undefined },
    ]);
    expect(node.asked.every(({ path }) => path.startsWith("/eth/"))).to.equal(true);
    const wrong = w.client({ url: url.replace("s3cr3t", "0ther") });
    const message = await messageOf(wrong.head());
    expect(message).to.include("answered 401: who are you?");
    await node.close();
    const gone = await messageOf(client.readState(block, KEYS));
    expect([message, gone, ...w.failures].join("\n")).to.not.match(/s3cr3t|0ther|member|:\/\//);
  });

  it("say what each of them serves, and why not", async () => {
    const block = await w.client(w.good).blockAtOrBefore(w.beacon.head.slot);
    const bare = await w.node(
      on(/debug/, answers(403, { message: "not in your plan" })),
      on(/pending_deposits/, answers(404)),
    );
    const dead = await w.node(answers(500));
    const [first, second, third] = await w.client(w.good, bare, dead).serving(block, KEYS);
    expect(first).to.deep.include({ lacksStates: undefined, lacksIds: undefined });
    expect(second?.lacksStates).to.match(
      /^\/eth\/v2\/debug\/beacon\/states\/0x[0-9a-f]{64} answered 403: not in your plan$/,
    );
    expect(second?.lacksIds).to.match(/pending_deposits answered 404$/);
    expect(third?.lacksStates).to.include("answered 500");
  });
});
