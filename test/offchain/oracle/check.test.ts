/** What `oracle check` finds before a turn does: each thing that a turn may need, missing alone, with its own reason. */
import { expect } from "chai";
import { network } from "hardhat";
import { checkAll } from "../../../offchain/oracle/check.ts";
import type { OracleConfig } from "../../../offchain/oracle/config.ts";
import { connectNodes } from "../../../offchain/oracle/assemble.ts";
import { silentLog } from "../../../offchain/util/log.ts";
import { answers, hostileBeacon, on } from "../../helpers/hostile/beacon.ts";
import type { Behaviour, HostileBeacon } from "../../helpers/hostile/beacon.ts";
import { startCommittee } from "./committee.ts";
import type { Committee, Place } from "./committee.ts";

describe("the oracle's check", function () {
  this.timeout(240_000);
  let c: Committee;
  let place: Place;
  const proxies: HostileBeacon[] = [];

  before(async () => {
    c = await startCommittee(await network.create(), { members: 2, quorum: 2 });
    [place] = c.places as [Place];
    await c.nextFrame();
    for (const one of c.places) await c.stop(one);
  });
  afterEach(async () => {
    for (const proxy of proxies.splice(0)) await proxy.close();
  });
  after(async () => c.close());

  async function before1(target: string, behaviour: Behaviour): Promise<string> {
    const proxy = await hostileBeacon(target, behaviour);
    proxies.push(proxy);
    return proxy.url;
  }

  /** Names and explanations of what does not hold, or holds with a warning. */
  async function problems(change: Partial<OracleConfig>, clock = c.clock): Promise<Record<string, string>> {
    const config = { ...place.config, ...change };
    const nodes = await connectNodes(config, c.deployment, { clock, log: silentLog });
    const checks = await checkAll(config, nodes, clock);
    nodes.protocol.provider.destroy();
    const found = checks.filter(({ ok, warning, name }) => (!ok || warning === true) && name !== "peers");
    return Object.fromEntries(found.map(({ name, explanation }) => [name, explanation]));
  }
  const throughBeacon = async (behaviour: Behaviour) =>
    problems({ BEACON_URLS: [await before1(place.beacon.url, behaviour)] });
  const throughExecution = async (behaviour: Behaviour) =>
    problems({ EXECUTION_URLS: [await before1(c.executionUrl, behaviour)] });

  it("finds nothing where all is served", async () => {
    expect(await problems({})).to.deep.equal({});
  });

  it("finds a node without whole states, and says what it answers", async () => {
    const found = await throughBeacon(on(/debug/, answers(403, { message: "not in your plan" })));
    expect(Object.keys(found)).to.deep.equal(["whole states"]);
    expect(found["whole states"]).to.include("answered 403: not in your plan").and.include("needs_whole_state");
  });

  it("finds a node without blocks", async () => {
    const found = await throughBeacon(on(/v2\/beacon\/blocks/, answers(404, { message: "no blocks" })));
    expect(found["reference"]).to.include("does not have the block");
    expect(found["validators"]).to.equal("needs reference and events");
  });

  it("finds a node that serves neither states nor what is in them", async () => {
    const found = await throughBeacon(on(/debug|pending_deposits/, answers(404, { message: "not here" })));
    expect(Object.keys(found)).to.deep.equal(["validators", "whole states"]);
    expect(found["validators"]).to.match(/pending_deposits answered 404: not here$/);
  });

  it("finds an execution node without old state", async () => {
    const found = await throughExecution(
      on(/POST/, async (asked, forward) => {
        if (!/"eth_getBalance","params":\["[^"]+","0x/.test(asked.body)) return forward();
        const { id } = JSON.parse(asked.body) as { id: number };
        const message = "missing trie node 00 (path ) state 0x00 is not available";
        return answers(200, { jsonrpc: "2.0", id, error: { code: -32_000, message } })(asked, forward);
      }),
    );
    expect(Object.keys(found)).to.deep.equal(["old state"]);
    expect(found["old state"]).to.include("missing trie node");
  });

  it("finds a clock that is behind", async () => {
    const late = { ...c.clock, now: () => c.clock.now() - 40, sleepers: 0 };
    expect((await problems({}, late))["clock"]).to.equal(
      "this machine's clock is 40 s behind the chain's newest block",
    );
  });
});
