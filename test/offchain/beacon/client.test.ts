import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { network } from "hardhat";
import { serveBeaconApi } from "../../../devnet/simulated/api/server.ts";
import type { BeaconApi } from "../../../devnet/simulated/api/server.ts";
import { SimulatedBeacon } from "../../../devnet/simulated/beacon.ts";
import {
  deriveValidatorKeys,
  signedDeposit,
  strangerPubkey,
  topUpDeposit,
  withdrawalCredentials,
} from "../../../devnet/keys.ts";
import { DEPOSIT_CONTRACT } from "../../../devnet/predeploys.ts";
import { BeaconClient } from "../../../offchain/beacon/client.ts";
import { contentsOf, downloadState } from "../../../offchain/beacon/stateDownload.ts";
import { AppError, EXIT } from "../../../offchain/util/errors.ts";
import type { Hex } from "../../../offchain/util/hex.ts";
import { contractBalanceProof, contractValidatorProof } from "../../../offchain/beacon/contractProofs.ts";

const ETH_GWEI = 1_000_000_000n;
const CREDENTIALS = withdrawalCredentials(`0x${"be".repeat(20)}`);
const KEYS = deriveValidatorKeys(3);
const PUBKEYS = KEYS.map(({ pubkey }) => pubkey);

async function fails(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof AppError) expect(error.exitCode).to.equal(EXIT.unavailable);
    return (error as Error).message;
  }
  throw new Error("it did not fail");
}

describe("the beacon client, over HTTP", () => {
  let beacon: SimulatedBeacon;
  let first: BeaconApi;
  let second: BeaconApi;
  const failures: string[] = [];

  before(async () => {
    const { ethers, provider } = await network.create();
    beacon = await SimulatedBeacon.start(provider, { genesisValidators: 70 });
    const [signer] = await ethers.getSigners();
    const abi = ["function deposit(bytes, bytes, bytes, bytes32) payable"];
    const contract = new ethers.Contract(DEPOSIT_CONTRACT, abi, signer);
    const send = async (data: ReturnType<typeof signedDeposit>) => {
      const { pubkey, withdrawalCredentials: credentials, signature, depositDataRoot, amountGwei } = data;
      const call = contract.getFunction("deposit");
      await call(pubkey, credentials, signature, depositDataRoot, { value: amountGwei * ETH_GWEI });
    };
    for (const key of KEYS.slice(0, 2)) await send(signedDeposit(key, CREDENTIALS, 32n * ETH_GWEI));
    await beacon.advanceUntil((state) => state.validator(PUBKEYS[1] ?? "0x") !== undefined);
    await send(topUpDeposit(PUBKEYS[0] ?? "0x", CREDENTIALS, 3n * ETH_GWEI));
    await send(topUpDeposit(PUBKEYS[0] ?? "0x", CREDENTIALS, 2n * ETH_GWEI));
    await beacon.advanceSlots(3);
    beacon.slash(5);
    await beacon.missSlots(3);
    await beacon.advanceSlots(3);
    first = await serveBeaconApi(beacon);
    second = await serveBeaconApi(beacon);
  });
  after(async () => {
    await first.close();
    await second.close();
  });
  afterEach(() => {
    for (const { faults } of [first, second])
      for (const fault of Object.keys(faults)) Reflect.deleteProperty(faults, fault);
    failures.length = 0;
  });

  function client(urls = [first.url, second.url], { chainId = 31_337n, timeoutSeconds = 5 } = {}): BeaconClient {
    const clock = { now: () => beacon.timeOf(beacon.head.slot), sleep: () => Promise.resolve() };
    return new BeaconClient({
      urls,
      clock,
      chainId,
      timeoutSeconds,
      onFailure: (_, message) => failures.push(message),
    });
  }

  it("reads chain, head, finality, and a block whose root is verified", async () => {
    const node = client();
    expect(await node.chain()).to.deep.include({
      chainId: 31_337n,
      depositContract: DEPOSIT_CONTRACT.toLowerCase(),
      genesisTime: beacon.genesisTime,
      slotsPerEpoch: 32,
      secondsPerSlot: 12,
    });
    expect(await node.head()).to.equal(beacon.head.slot);
    expect(await node.finalizedSlot()).to.equal(beacon.finalized().epoch * 32);
    const block = await node.blockAtOrBefore(beacon.head.slot);
    const { header, root, execution } = beacon.head;
    expect(block).to.deep.equal({
      header,
      root,
      slot: beacon.head.slot,
      execution: { number: execution.number, hash: execution.hash, timestamp: execution.timestamp },
    });
    expect(failures).to.deep.equal([]);
  });

  it("steps over missed slots to the last block before", async () => {
    const slot = beacon.head.slot - 3;
    const expected = beacon.blockAt(slot);
    expect(expected.slot, "the test needs a missed slot").to.be.lessThan(slot);
    expect((await client().blockAtOrBefore(slot)).root).to.equal(expected.root);
  });

  it("reads balances, epochs and pending deposits of the keys asked for, and sums over all, from the SSZ state", async () => {
    const node = client();
    const state = beacon.stateAt();
    const block = await node.blockAtOrBefore(beacon.head.slot);
    const upper: Hex = `0x${(PUBKEYS[1] ?? "").slice(2).toUpperCase()}`;
    const view = await node.readState(block, [PUBKEYS[0] ?? "0x", upper, PUBKEYS[2] ?? "0x", strangerPubkey(5)]);
    expect(view.validators.size).to.equal(3);
    for (const pubkey of [PUBKEYS[0], PUBKEYS[1], strangerPubkey(5)] as Hex[]) {
      const expected = state.validator(pubkey);
      const found = view.validators.get(pubkey);
      expect(found?.index).to.equal(state.indexOf(pubkey));
      expect(found?.balanceGwei).to.equal(state.balanceGwei(pubkey));
      expect(found?.effectiveBalanceGwei).to.equal(BigInt(expected?.effectiveBalanceGwei ?? -1));
      expect(found?.withdrawalCredentials).to.equal(expected?.withdrawalCredentials);
      expect(found?.slashed).to.equal(expected?.slashed);
      const epoch = (value = NaN): bigint => (value === Infinity ? 2n ** 64n - 1n : BigInt(value));
      expect(found?.activationEpoch).to.equal(epoch(expected?.activationEpoch));
      expect(found?.exitEpoch).to.equal(epoch(expected?.exitEpoch));
      expect(found?.withdrawableEpoch).to.equal(epoch(expected?.withdrawableEpoch));
    }
    expect(view.validators.get(strangerPubkey(5))?.slashed).to.equal(true);
    expect([...view.pendingDepositsGwei]).to.deep.equal([[PUBKEYS[0], 5n * ETH_GWEI]]);
    const active = state.state.validators.filter(
      ({ activationEpoch, exitEpoch }) => activationEpoch <= beacon.epoch && beacon.epoch < exitEpoch,
    );
    expect(view.totalActiveBalanceGwei).to.equal(
      active.reduce((sum, { effectiveBalanceGwei }) => sum + BigInt(effectiveBalanceGwei), 0n),
    );
    expect(view.slashingsGwei).to.equal(32n * ETH_GWEI);
    expect(view.finalizedEpoch).to.equal(state.state.finalizedEpoch);
    expect(first.asked.get("/eth/v1/beacon/states/{}/validators")).to.equal(undefined);
  });

  it("reads the same by ids where the node serves no states, always by POST", async () => {
    const node = client();
    const block = await node.blockAtOrBefore(beacon.head.slot);
    const many = [...PUBKEYS, ...Array.from({ length: 70 }, (_, index) => strangerPubkey(index))];
    const full = await node.readState(block, many);
    first.faults.noDebug = true;
    const byIds = await client([first.url]).readState(block, many);
    expect(byIds.validators).to.deep.equal(full.validators);
    expect(byIds.pendingDepositsGwei).to.deep.equal(full.pendingDepositsGwei);
    expect(byIds.finalizedEpoch).to.equal(full.finalizedEpoch);
    expect([byIds.totalActiveBalanceGwei, byIds.slashingsGwei]).to.deep.equal([undefined, undefined]);
    expect((await client([first.url]).readState(block, [])).validators.size).to.equal(0);
  });

  it("reads states of a node that finds them by slot only, with and without the debug endpoint", async () => {
    const node = client([first.url]);
    const block = await node.blockAtOrBefore(beacon.head.slot);
    const expected = await node.readState(block, PUBKEYS);
    first.faults.noStateRoots = true;
    expect(await node.readState(block, PUBKEYS)).to.deep.equal(expected);
    first.faults.noDebug = true;
    expect((await node.readState(block, PUBKEYS)).validators).to.deep.equal(expected.validators);
    const other = { ...block, root: block.header.parentRoot };
    expect(await fails(node.readState(other, PUBKEYS))).to.include("another block than asked for");
  });

  it("proves validators and balances in the state, as the simulated layer itself does", async () => {
    const node = client();
    const slot = beacon.provenSlot;
    const block = await node.blockAtOrBefore(slot);
    const wanted = [PUBKEYS[1], strangerPubkey(69), PUBKEYS[0], strangerPubkey(0)] as Hex[];
    const proofs = await node.prove(block, wanted);
    expect(proofs.fork).to.equal("electra");
    for (const [i, pubkey] of wanted.entries()) {
      expect(proofs.validators[i]).to.deep.equal(contractValidatorProof(beacon.proveValidator(pubkey, slot)));
      expect(proofs.balances[i]).to.deep.equal(contractBalanceProof(beacon.proveBalance(pubkey, slot)));
    }
    const head = await node.blockAtOrBefore(beacon.head.slot);
    expect(await fails(node.prove(head, wanted))).to.include("no block after slot");
    expect(await fails(node.prove(block, [PUBKEYS[2] as Hex]))).to.include("is not in the registry");
  });

  it("does not prove anything in a state that is not the block's", async () => {
    const node = client([first.url]);
    const block = await node.blockAtOrBefore(beacon.provenSlot);
    first.faults.lies = new Map([[3, 1]]);
    expect(await fails(node.prove(block, [strangerPubkey(0)]))).to.include("another state than that of slot");
  });

  for (const [name, faults, message] of [
    ["is syncing", { syncing: true }, "is syncing"],
    ["is optimistic", { optimistic: true }, "is optimistic"],
    ["is behind the clock", { lagSlots: 9 }, "is 9 slots behind the clock"],
    ["follows another chain", { wrongChain: true }, "follows a chain whose execution layer is 1, not 31337"],
    ["answers 503", { status: 503 }, "answered 503: out of order"],
    ["answers 429", { status: 429 }, "answered 429"],
  ] as const) {
    it(`refuses a node that ${name}, and asks the next`, async () => {
      Object.assign(first.faults, faults);
      expect(await client().head()).to.equal(beacon.head.slot);
      expect(failures).to.have.length(1);
      expect(failures[0]).to.include(message);
      expect(await fails(client([first.url]).head())).to.include(message);
    });
  }

  it("refuses a node whose genesis differs from the first's, though the chain ids agree", async () => {
    const { provider } = await network.create();
    const other = await serveBeaconApi(await SimulatedBeacon.start(provider, { genesisValidators: 64 }));
    try {
      const node = client([first.url, other.url]);
      await node.head();
      first.faults.status = 500;
      expect(await fails(node.head())).to.include("follows another chain: genesis");
    } finally {
      await other.close();
    }
  });

  it("goes on to the next node when one stalls or is gone, and stays with the one that works", async () => {
    first.faults.stalls = true;
    const node = client(undefined, { timeoutSeconds: 0.2 });
    expect(await node.head()).to.equal(beacon.head.slot);
    expect(failures[0]).to.include("no answer within 0.2 s");
    const before = failures.length;
    expect(await node.head()).to.equal(beacon.head.slot);
    expect(failures.length).to.equal(before);
    const closed = createServer();
    const closedUrl = await listen(closed);
    await new Promise<void>((resolve) => closed.close(() => resolve()));
    const gone = client([closedUrl, second.url]);
    expect(await gone.head()).to.equal(beacon.head.slot);
    expect(failures.at(-1)).to.include("ECONNREFUSED");
  });

  it("reads the state elsewhere when the node fails in the middle of it", async () => {
    const node = client();
    const block = await node.blockAtOrBefore(beacon.head.slot);
    first.faults.status = 503;
    const view = await node.readState(block, PUBKEYS);
    expect(view.validators.size).to.equal(2);
    expect(failures.some((message) => message.includes("503"))).to.equal(true);
  });

  it("takes no answer that lacks a validator which must be there, and asks the next", async () => {
    const node = client();
    const block = await node.blockAtOrBefore(beacon.head.slot);
    expect((await node.readState(block, PUBKEYS.slice(0, 2), undefined, true)).validators.size).to.equal(2);
    const message = await fails(node.readState(block, PUBKEYS, undefined, true));
    expect(message.split("\n")).to.have.length(2);
    expect(message).to.include(`lacks 1 of 3 validators, ${PUBKEYS[2]} first`);
  });

  it("says for each node why it can't be used", async () => {
    first.faults.syncing = true;
    second.faults.status = 500;
    const lines = (await fails(client().head())).split("\n");
    expect(lines).to.have.length(2);
    expect(lines[0]).to.match(/^beacon node 127\.0\.0\.1:\d+: is syncing$/);
    expect(lines[1]).to.include("500");
  });

  it("ends at once with the signal, and needs a node", async () => {
    first.faults.stalls = true;
    const stop = new AbortController();
    const reading = fails(client([first.url]).head(stop.signal));
    setTimeout(() => stop.abort(), 20);
    expect(await reading).to.include("aborted");
    expect(() => client([])).to.throw("no beacon node is configured");
  });

  it("reads a state whose length is not announced, gives up on one that trickles, and ends in the middle with the signal", async () => {
    let length = 0;
    const trickle = createServer((request, response) => {
      void fetch(second.url + (request.url ?? ""), { headers: { accept: request.headers.accept ?? "*/*" } }).then(
        async (real) => {
          const headers = Object.fromEntries(real.headers);
          const bytes = new Uint8Array(await real.arrayBuffer());
          const isState = (request.url ?? "").includes("debug");
          if (isState) delete headers["content-length"];
          response.writeHead(real.status, headers);
          response.write(isState ? bytes.subarray(0, length) : bytes);
          if (!isState || length >= bytes.length) response.end();
        },
      );
    });
    const url = await listen(trickle);
    try {
      const block = await client().blockAtOrBefore(beacon.head.slot);
      const expected = await client().readState(block, PUBKEYS);
      length = Infinity;
      expect(await client([url]).readState(block, PUBKEYS)).to.deep.equal(expected);
      length = 1_000_000;
      const path = `/eth/v2/debug/beacon/states/${block.slot}`;
      const late = downloadState(url, path, 0.2, undefined, async (download) => contentsOf(download, PUBKEYS));
      expect(await fails(late)).to.equal(`${path}: not there within 0.2 s`);
      const stop = new AbortController();
      const reading = client([url]).readState(block, PUBKEYS, stop.signal);
      setTimeout(() => stop.abort(new Error("enough")), 50);
      expect(await fails(reading)).to.match(/enough|aborted/);
    } finally {
      trickle.closeAllConnections();
      trickle.close();
    }
  });

  it("takes no answer in an unknown shape, of another block, or of an unknown fork", async () => {
    let answer: { path: RegExp; status: number; headers: Record<string, string>; body: string } | undefined;
    const liar = createServer((request, response) => {
      if (answer?.path.test(request.url ?? "") === true) {
        response.writeHead(answer.status, answer.headers).end(answer.body);
        return;
      }
      void fetch(second.url + (request.url ?? ""), { headers: { accept: request.headers.accept ?? "*/*" } }).then(
        async (real) => {
          response.writeHead(real.status, Object.fromEntries(real.headers));
          response.end(new Uint8Array(await real.arrayBuffer()));
        },
      );
    });
    const url = await listen(liar);
    try {
      const node = client([url]);
      const { slot } = beacon.head;
      answer = { path: /headers\/head/, status: 200, headers: {}, body: '{"data":{"root":"0x12"}}' };
      expect(await fails(node.head())).to.include("unknown shape at data.header");
      // 2^53 + 1, which a double would round
      const header = { message: { slot: "9007199254740993" } };
      answer = { ...answer, body: JSON.stringify({ data: { root: "0x12", header } }) };
      expect(await fails(node.head())).to.include("slot: a number below 2^53");
      answer = { ...answer, body: "<html>" };
      expect(await fails(node.head())).to.include("is not JSON");
      answer = { ...answer, status: 400, body: "" };
      expect(await fails(node.head())).to.include("answered 400");
      const other = await fetch(`${second.url}/eth/v2/beacon/blocks/0`, {
        headers: { accept: "application/octet-stream" },
      });
      const body = Buffer.from(await other.arrayBuffer()).toString("latin1");
      expect(body.length).to.be.greaterThan(300);
      answer = {
        path: /v2\/beacon\/blocks/,
        status: 200,
        headers: { "eth-consensus-version": "electra" },
        body: "short",
      };
      expect(await fails(node.blockAtOrBefore(slot))).to.include("is not an SSZ block of electra");
      answer = { ...answer, headers: { "eth-consensus-version": "heze" } };
      expect(await fails(node.blockAtOrBefore(slot))).to.include('blocks of the fork "heze" are not known');
      answer = undefined;
      const block = await node.blockAtOrBefore(slot);
      const wrong = { ...block, header: { ...block.header, bodyRoot: block.root } };
      expect(await fails(node.readState(wrong, PUBKEYS))).to.include("another body than asked for");
      answer = { path: /debug/, status: 200, headers: { "eth-consensus-version": "fulu" }, body: "x".repeat(300) };
      const whole = node.readState(block, PUBKEYS, undefined, false, true);
      expect(await fails(whole)).to.include("300 bytes are not a beacon state of fulu");
    } finally {
      liar.closeAllConnections();
      liar.close();
    }
  });
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
