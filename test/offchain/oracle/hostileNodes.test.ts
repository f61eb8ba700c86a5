/** Members whose beacon nodes misbehave: the same report as everybody's, or none. */
import { join } from "node:path";
import { expect } from "chai";
import { network } from "hardhat";
import { reportHash } from "../../../offchain/protocol/report.ts";
import { answers, changesJson, encoded, hostileBeacon, on, withHeader } from "../../helpers/hostile/beacon.ts";
import type { Behaviour, HostileBeacon } from "../../helpers/hostile/beacon.ts";
import { startCommittee } from "./committee.ts";
import type { Committee, Place } from "./committee.ts";

type Json = { data: never };
const NO_STATES = on(/debug/, answers(404, { code: 404, message: "not served" }));

describe("a member with a hostile beacon node", function () {
  this.timeout(240_000);
  let c: Committee;
  let honest: Place;
  let place: Place;
  let expected: string;
  let runs = 0;
  const nodes: HostileBeacon[] = [];

  before(async () => {
    c = await startCommittee(await network.create(), { members: 3, quorum: 3 });
    // two of three: nothing is submitted
    [honest, place] = c.places as [Place, Place];
    await c.missedFrame();
    await honest.daemon?.member.step();
    const [signed] = honest.daemon?.journal.signed ?? [];
    if (signed === undefined) throw new Error("the honest member has not signed");
    expected = reportHash(signed.report);
  });
  afterEach(async () => {
    await c.stop(place);
    for (const node of nodes.splice(0)) await node.close();
  });
  after(async () => c.close());

  /** Its first turn with an empty journal. */
  async function turn(...behaviours: readonly Behaviour[]): Promise<{ reason: string | undefined; signed: string[] }> {
    await c.stop(place);
    const node = await hostileBeacon(honest.beacon.url, ...behaviours);
    nodes.push(node);
    runs += 1;
    place.config = { ...place.config, BEACON_URLS: [node.url], DATA_DIR: join(honest.config.DATA_DIR, `run-${runs}`) };
    const daemon = await c.start(place);
    const { reasons } = await daemon.member.step();
    return { reason: reasons[0], signed: daemon.journal.signed.map(({ report }) => reportHash(report)) };
  }

  for (const [title, behaviours] of [
    [
      "by single validators, by GET, by slot",
      [NO_STATES, on(/POST/, answers(405)), on(/states\/0x/, answers(500, { message: "not implemented" }))],
    ],
    ["from compressed states without a version", [encoded("gzip"), withHeader("eth-consensus-version", undefined)]],
    [
      "where a slot has milliseconds",
      [
        on(
          /spec/,
          changesJson(({ data }: { data: Record<string, string> }) => ({
            data: { ...data, SECONDS_PER_SLOT: undefined, SLOT_DURATION_MS: "12000" },
          })),
        ),
      ],
    ],
    ["where headers of some slots are left out", [on(/headers\/\d*[02468]$/, answers(404))]],
  ] as readonly (readonly [string, readonly Behaviour[]])[])
    it(`signs what everybody signs ${title}`, async () => {
      expect((await turn(...behaviours)).signed).to.deep.equal([expected]);
    });

  for (const [title, behaviours] of [
    [
      "no validators",
      [
        on(
          /\/validators/,
          changesJson((json: Json) => ({ ...json, data: [] })),
        ),
      ],
    ],
    [
      "one validator less",
      [
        on(
          /\/validators/,
          changesJson((json: { data: unknown[] }) => ({ ...json, data: json.data.slice(1) })),
        ),
      ],
    ],
    [
      "no list of validators",
      [
        on(
          /\/validators/,
          changesJson((json: Json) => ({ ...json, data: null })),
        ),
      ],
    ],
    ["404 for validators", [on(/\/validators/, answers(404))]],
    ["404 for pending deposits", [on(/pending_deposits/, answers(404))]],
    ["an empty body for pending deposits", [on(/pending_deposits/, answers(200))]],
    ["404 for finality", [on(/states\/(0x|\d).*finality/, answers(404))]],
    [
      "another block for the reference slot",
      [
        on(
          /headers\/\d+$/,
          changesJson((json: { data: { header: { message: { slot: string } } } }) => {
            json.data.header.message.slot = String(Number(json.data.header.message.slot) - 1);
            return json;
          }),
        ),
      ],
    ],
  ] as readonly (readonly [string, readonly Behaviour[]])[])
    it(`signs nothing where it answers with ${title}`, async () => {
      expect(await turn(NO_STATES, ...behaviours)).to.deep.equal({ reason: "beacon_unavailable", signed: [] });
    });
});
