/** Every behaviour of the catalogue by itself: what a member reads through it, compared with what it reads of honest nodes. */
import { expect } from "chai";
import { network } from "hardhat";
import { BeaconClient } from "../../../offchain/beacon/client.ts";
import { connect } from "../../../offchain/chain/connect.ts";
import { ExecutionProvider } from "../../../offchain/chain/provider.ts";
import { ValidatorReader } from "../../../offchain/chain/validatorReader.ts";
import { buildReport } from "../../../offchain/oracle/buildReport.ts";
import { readStanding } from "../../../offchain/oracle/contract.ts";
import { layerError } from "../../../offchain/oracle/layers.ts";
import { readSnapshot } from "../../../offchain/oracle/snapshot.ts";
import { obstacleOf } from "../../../offchain/oracle/step.ts";
import { reportHash } from "../../../offchain/protocol/report.ts";
import { Dice } from "../../helpers/hostile/behaviour.ts";
import type { Behaviour, Layer } from "../../helpers/hostile/behaviour.ts";
import { CATALOGUE } from "../../helpers/hostile/catalogue.ts";
import { startProxy } from "../../helpers/hostile/proxy.ts";
import type { Proxy } from "../../helpers/hostile/proxy.ts";
import { startCommittee } from "../oracle/committee.ts";
import type { Committee } from "../oracle/committee.ts";
import { describeWith } from "../../helpers/describeWith.ts";

const SEED = process.env["HOSTILE_SEED"] ?? "alone";
/** Turns in which a passing trouble must have passed. */
const TURNS = 8;
const PAIRS = 12;
const AT_ONCE = 5;

/** Half a minute and more: with the thirty frames, `npm run test:hostile`, a step of the CI. */
const describeAlone = describeWith("HOSTILE_FRAMES");

describeAlone("hostile: each behaviour alone", function () {
  this.timeout(60_000);
  let c: Committee;
  let refSlot: bigint;
  let honest: string;
  const proxies: Proxy[] = [];
  const pool = makePool(AT_ONCE);

  before(async function () {
    this.timeout(120_000);
    c = await startCommittee(await network.create(), { members: 1, quorum: 1 });
    for (const place of c.places) {
      await c.stop(place);
      place.spare.faults.noDebug = true;
    }
    refSlot = await c.nextFrame();
    await c.p.beacon.advanceSlots(4);
    honest = await read([c.executionUrl], [beaconUrl()]);
    pool.start();
  });
  after(async () => {
    for (const proxy of proxies) await proxy.close();
    await c.close();
  });

  /** One that serves whole states, one that does not. */
  function beaconUrl(debug = true): string {
    const [place] = c.places;
    return (debug ? place?.beacon.url : place?.spare.url) ?? "";
  }

  async function hostile(layer: Layer, behaviour: Behaviour, debug = true): Promise<string> {
    const proxy = await startProxy(layer === "execution" ? c.executionUrl : beaconUrl(debug));
    proxies.push(proxy);
    proxy.become([behaviour.tamper(new Dice(`${SEED}/${behaviour.name}`))]);
    return proxy.url;
  }

  /** The hash of the report that a fresh member would sign. */
  async function read(execution: readonly string[], beacons: readonly string[]): Promise<string> {
    const { deployment } = c;
    // a pause that a node asks for is over at once
    const clock = { now: () => c.clock.now(), sleep: () => Promise.resolve() };
    const provider = new ExecutionProvider({
      urls: execution,
      chainId: deployment.chainId,
      timeoutSeconds: 1,
      patienceSeconds: 3,
    });
    try {
      const protocol = await connect(provider, deployment);
      const beacon = new BeaconClient({ urls: beacons, clock, chainId: deployment.chainId, timeoutSeconds: 1 });
      const validators = new ValidatorReader(protocol.validators, provider, deployment.fromBlock);
      const standing = await readStanding(protocol, clock.now());
      const { report } = buildReport(await readSnapshot({ protocol, beacon, validators }, standing, refSlot), {
        prevReportHash: standing.lastReportHash,
        committeeVersion: standing.committeeVersion,
      });
      return reportHash(report);
    } finally {
      provider.destroy();
    }
  }

  /** The report, or the reason there is none. */
  async function attempt(urls: Record<Layer, readonly string[]>, layer: Layer): Promise<string> {
    try {
      return await read(urls.execution, urls.beacon);
    } catch (error) {
      return obstacleOf(layerError(layer, error)).reason;
    }
  }

  const urlsOf = (layer: Layer, ...list: readonly string[]): Record<Layer, readonly string[]> => ({
    execution: layer === "execution" ? list : [c.executionUrl],
    beacon: layer === "beacon" ? list : [beaconUrl()],
  });

  for (const behaviour of CATALOGUE)
    for (const layer of behaviour.layers) {
      const { name, effect } = behaviour;
      const reasons = [`${layer}_unavailable`, ...(behaviour.reasons ?? [])];
      const expected = effect === "blinding" ? "the right report or a reason" : "the right report";
      for (const debug of layer === "beacon" ? [true, false] : [true])
        pool.it(`${layer}, ${name} (${effect}${debug ? "" : ", no whole states"}): ${expected}`, async () => {
          const url = await hostile(layer, behaviour, debug);
          const turns = effect === "passing" ? TURNS : 1;
          let found = "";
          for (let turn = 0; turn < turns && found !== honest; turn++) {
            found = await attempt(urlsOf(layer, url), layer);
            if (effect === "harmless") expect(found).to.equal(honest);
            else if (found !== honest) expect(reasons).to.include(found);
          }
          if (effect !== "blinding") expect(found).to.equal(honest);
        });
      if (effect === "blinding" && behaviour.isPlausible !== true)
        pool.it(`${layer}, ${name}: the next node is asked`, async () => {
          const url = await hostile(layer, behaviour);
          const honestUrl = layer === "execution" ? c.executionUrl : beaconUrl();
          expect(await attempt(urlsOf(layer, url, honestUrl), layer)).to.equal(honest);
        });
    }

  const dice = new Dice(SEED);
  const blinding = CATALOGUE.filter((one) => one.layers.includes("execution") && one.effect === "blinding");
  const limits = CATALOGUE.filter(({ name }) => /^(range limit|result limit|query timeout)/.test(name));
  for (let pair = 0; pair < PAIRS; pair++) {
    const blind = dice.pick(
      blinding.filter(({ isPlausible }) => isPlausible !== true),
      "blind",
    );
    const limited = dice.pick(limits, "limited");
    const both = dice.chance(0.5, "order") ? [blind, limited] : [limited, blind];
    pool.it(
      `execution, ${both.map(({ name }) => name).join(" beside ")}: asked for less, without a pause`,
      async () => {
        const urls = await Promise.all(both.map(async (one) => hostile("execution", one)));
        const started = performance.now();
        expect(await attempt(urlsOf("execution", ...urls), "execution")).to.equal(honest);
        // three rounds of pauses are 3.5 s, for each width that is tried
        if (blind.name !== "no answer at all") expect(performance.now() - started).to.be.below(10_000);
      },
    );
  }
});

/** Cases that wait more than they work run beside each other; each is still a test of its own. */
function makePool(atOnce: number) {
  const cases: (() => Promise<void>)[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let mine = next++; mine < cases.length; mine = next++) await cases[mine]?.();
  };
  return {
    it(title: string, run: () => Promise<void>): void {
      let ended: (error: unknown) => void = () => undefined;
      const outcome = new Promise<unknown>((resolve) => (ended = resolve));
      cases.push(async () => run().then(() => ended(undefined), ended));
      it(title, async () => {
        const error = await outcome;
        if (error !== undefined) throw error as Error;
      });
    },
    /** Not waited for: the cases' own tests do that. */
    start(): void {
      for (let i = 0; i < atOnce; i++) void worker();
    },
  };
}
