import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { ssz } from "@lodestar/types";
import { hexlify } from "ethers";
import { blockRoutes } from "../../../../devnet/real/api/blockRoutes.ts";
import { nodeRoutes } from "../../../../devnet/real/api/nodeRoutes.ts";
import { poolRoutes } from "../../../../devnet/real/api/poolRoutes.ts";
import { serveRoutes } from "../../../../devnet/real/api/router.ts";
import { stateRoutes, statusOf } from "../../../../devnet/real/api/stateRoutes.ts";
import { validatorRoutes } from "../../../../devnet/real/api/validatorRoutes.ts";
import { attestationRoot, sign } from "../../../../devnet/real/signing.ts";
import { BeaconClient } from "../../../../offchain/beacon/client.ts";
import { systemClock } from "../../../../offchain/util/clock.ts";
import { startChain } from "./harness.ts";
import type { TestChain } from "./harness.ts";

const SSZ = { accept: "application/octet-stream" };

describe("the devnet's Beacon API", () => {
  let t: TestChain;
  let server: Server;
  let url: string;

  before(async () => {
    t = await startChain();
    t.pace.blockEvery = 2;
    await t.run(9);
    const { chain } = t;
    server = await serveRoutes(
      [
        ...nodeRoutes(chain, () => false),
        ...stateRoutes(chain),
        ...blockRoutes(chain),
        ...poolRoutes(chain),
        ...validatorRoutes(chain, () => 9, t.announced),
      ],
      0,
    );
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.close();
    server.closeAllConnections();
    t.close();
  });

  const get = async (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${url}${path}`, { headers });
  const data = async <T>(path: string): Promise<T> => ((await (await get(path)).json()) as { data: T }).data;
  const post = async (path: string, body: unknown): Promise<Response> =>
    fetch(`${url}${path}`, { method: "POST", body: JSON.stringify(body) });

  it("serves a block as JSON and as SSZ, and both are the same block", async () => {
    const answer = await get("/eth/v2/beacon/blocks/head", SSZ);
    expect(answer.headers.get("eth-consensus-version")).to.equal("electra");
    const block = ssz.electra.SignedBeaconBlock.deserialize(new Uint8Array(await answer.arrayBuffer()));
    const json = ssz.electra.SignedBeaconBlock.fromJson(await data("/eth/v2/beacon/blocks/8"));
    expect(ssz.electra.SignedBeaconBlock.equals(block, json)).to.be.true;
    const { root } = await data<{ root: string }>("/eth/v1/beacon/blocks/head/root");
    expect(hexlify(ssz.electra.BeaconBlock.hashTreeRoot(block.message))).to.equal(root);
  });

  it("serves the state of a missed slot, by slot only", async () => {
    const bytes = new Uint8Array(await (await get("/eth/v2/debug/beacon/states/7", SSZ)).arrayBuffer());
    expect(ssz.electra.BeaconState.deserialize(bytes).slot).to.equal(7);
    expect((await get("/eth/v1/beacon/headers/7")).status).to.equal(404);
    const { state_root: root } = (
      await data<{ header: { message: { state_root: string } } }>("/eth/v1/beacon/headers/6")
    ).header.message;
    const byRoot = new Uint8Array(await (await get(`/eth/v2/debug/beacon/states/${root}`, SSZ)).arrayBuffer());
    expect(hexlify(ssz.electra.BeaconState.hashTreeRoot(ssz.electra.BeaconState.deserialize(byRoot)))).to.equal(root);
  });

  it("filters validators by id and status, by GET and by POST, and leaves out who is unknown", async () => {
    const path = "/eth/v1/beacon/states/head/validators";
    expect(await data<unknown[]>(path)).to.have.length(32);
    const [third] = await data<{ index: string; status: string; validator: { pubkey: string } }[]>(`${path}?id=3`);
    expect(third?.status).to.equal("active_ongoing");
    const unknown = `0x${"ab".repeat(48)}`;
    const posted = await post(path, { ids: [third?.validator.pubkey, unknown, "999"], statuses: ["active"] });
    expect(((await posted.json()) as { data: unknown[] }).data).to.deep.equal([third]);
    expect(await data<unknown[]>(`${path}?status=exited`)).to.deep.equal([]);
    expect((await get(`${path}?id=x`)).status).to.equal(400);
  });

  it("answers what is not there in the API's own words", async () => {
    for (const [path, status] of [
      ["/eth/v1/beacon/headers/900", 404],
      ["/eth/v1/beacon/states/900/root", 404],
      [`/eth/v1/beacon/states/0x${"11".repeat(32)}/root`, 404],
      ["/eth/v1/beacon/headers/xyz", 400],
      ["/eth/v1/nothing", 404],
    ] as const) {
      const answer = await get(path);
      expect(answer.status, path).to.equal(status);
      expect(((await answer.json()) as { code: number }).code).to.equal(status);
    }
    expect((await post("/eth/v1/beacon/genesis", {})).status).to.equal(405);
  });

  it("takes an attestation of a committee's member with its signature, and refuses every other", async () => {
    const { chain } = t;
    const slot = 9;
    const data = chain.attestationData(slot);
    const [member = 0] = chain.head.state.epochCtx.getBeaconCommittee(slot, 0);
    const secret = t.secrets.get(member);
    if (secret === undefined) throw new Error("no key");
    const single = (attesterIndex: number, signature: Uint8Array): unknown =>
      ssz.electra.SingleAttestation.toJson({ committeeIndex: 0, attesterIndex, data, signature });
    const good = sign(secret, attestationRoot(chain.config, data));
    const other = t.secrets.get((member + 1) % 32);
    if (other === undefined) throw new Error("no key");
    const bad = [single(member, sign(other, attestationRoot(chain.config, data))), single((member + 1) % 32, good)];
    const path = "/eth/v2/beacon/pool/attestations";
    const refused = await post(path, [...bad, single(member, good)]);
    expect(refused.status).to.equal(400);
    const { failures } = (await refused.json()) as { failures: { index: number }[] };
    expect(failures.map(({ index }) => index)).to.deep.equal([0, 1]);
    expect((await post(path, [single(member, good)])).status).to.equal(200);
    expect(chain.attestations.has(slot, member)).to.be.true;
  });

  it("lists duties that agree with each other, for this epoch and the next only", async () => {
    const indices = Array.from({ length: 32 }, (_, index) => String(index));
    const duties = (
      (await (await post("/eth/v1/validator/duties/attester/0", indices)).json()) as { data: { slot: string }[] }
    ).data;
    expect(duties).to.have.length(32);
    expect(new Set(duties.map(({ slot }) => slot)).size).to.equal(32);
    const proposers = await data<{ slot: string; validator_index: string }[]>("/eth/v1/validator/duties/proposer/0");
    const block = await data<{ message: { proposer_index: string } }>("/eth/v2/beacon/blocks/8");
    expect(proposers.find(({ slot }) => slot === "8")?.validator_index).to.equal(block.message.proposer_index);
    expect((await post("/eth/v1/validator/duties/attester/2", indices)).status).to.equal(400);
  });

  it("gives the protocol's own client states that it can read and prove", async () => {
    const client = new BeaconClient({ urls: [url], clock: systemClock, maxLagSlots: Number.MAX_SAFE_INTEGER });
    const block = await client.blockAtOrBefore(7);
    expect(block.slot).to.equal(6);
    const pubkey = ssz.BLSPubkey.toJson(t.chain.head.state.validators.getReadonly(5).pubkey) as `0x${string}`;
    const state = await client.readState(block, [pubkey]);
    expect(state.validators.get(pubkey)?.index).to.equal(5);
    const proofs = await client.prove(block, [pubkey]);
    expect(proofs.validators[0]?.index).to.equal(5n);
    expect(proofs.fork).to.equal("electra");
  });

  it("names the status of a validator by its epochs", () => {
    const validator = {
      activationEligibilityEpoch: 1,
      activationEpoch: 5,
      exitEpoch: 10,
      withdrawableEpoch: 20,
      slashed: false,
    };
    const never = Infinity;
    expect(statusOf({ ...validator, activationEligibilityEpoch: never, activationEpoch: never }, 1, 0)).to.equal(
      "pending_initialized",
    );
    expect(statusOf(validator, 1, 4)).to.equal("pending_queued");
    expect(statusOf({ ...validator, exitEpoch: never }, 1, 5)).to.equal("active_ongoing");
    expect(statusOf(validator, 1, 9)).to.equal("active_exiting");
    expect(statusOf({ ...validator, slashed: true }, 1, 9)).to.equal("active_slashed");
    expect(statusOf(validator, 1, 10)).to.equal("exited_unslashed");
    expect(statusOf({ ...validator, slashed: true }, 1, 19)).to.equal("exited_slashed");
    expect(statusOf(validator, 1, 20)).to.equal("withdrawal_possible");
    expect(statusOf(validator, 0, 20)).to.equal("withdrawal_done");
  });
});
