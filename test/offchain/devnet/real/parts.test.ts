import { createServer } from "node:http";
import type { Server } from "node:http";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ssz } from "@lodestar/types";
import { BlockStore } from "../../../../devnet/real/blockStore.ts";
import { EngineClient, EngineError, EngineUnreachableError, engineToken } from "../../../../devnet/real/engine.ts";
import { payloadFromJson, payloadToJson, requestsFromJson, requestsToJson } from "../../../../devnet/real/payload.ts";
import { rpcGateway } from "../../../../devnet/real/rpcGateway.ts";
import { SlashableError, SlashingProtection } from "../../../../devnet/real/slashingProtection.ts";
import { expectRejection } from "./expectRejection.ts";

const PUBKEY = `0x${"aa".repeat(48)}` as const;
const CHAIN = `0x${"01".repeat(32)}` as const;

describe("the devnet's parts", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "estuary-parts-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  describe("engine client", () => {
    let server: Server;
    let seen: { authorization: string | undefined; body: unknown }[];
    let reply: { status?: number; body: unknown };

    beforeEach(async () => {
      seen = [];
      server = createServer((request, response) => {
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () => {
          const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
          seen.push({ authorization: request.headers.authorization, body });
          response.writeHead(reply.status ?? 200, { "content-type": "application/json" });
          response.end(JSON.stringify(reply.body));
        });
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    });
    afterEach(() => {
      server.close();
      server.closeAllConnections();
    });
    const client = (): EngineClient =>
      new EngineClient(
        `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        new Uint8Array(32).fill(7),
        () => 5,
      );

    it("signs each request with a token of its time", async () => {
      reply = { body: { result: "0x7e7e" } };
      expect(await client().chainId()).to.equal(0x7e7e);
      const token = seen[0]?.authorization?.replace("Bearer ", "");
      expect(token).to.equal(engineToken(new Uint8Array(32).fill(7), 5));
      const [, claims = ""] = token?.split(".") ?? [];
      expect(JSON.parse(Buffer.from(claims, "base64url").toString())).to.deep.equal({ iat: 5 });
    });

    it("takes nothing but VALID for a fork choice", async () => {
      reply = { body: { result: { payloadStatus: { status: "SYNCING" }, payloadId: null } } };
      await expectRejection(client().forkchoiceUpdated({ head: CHAIN, safe: CHAIN, finalized: CHAIN }), EngineError);
    });

    it("tells a refused token and an absent client from an error of the call", async () => {
      reply = { status: 401, body: {} };
      expect((await expectRejection(client().chainId(), EngineError)).message).to.match(/token/);
      reply = { body: { error: { code: -32_000, message: "unknown payload" } } };
      expect((await expectRejection(client().getPayload("0x01"), EngineError)).message).to.match(/unknown payload/);
      server.close();
      server.closeAllConnections();
      const gone = new EngineClient("http://127.0.0.1:1", new Uint8Array(32));
      await expectRejection(gone.chainId(), EngineUnreachableError);
    });
  });

  it("payloads survive the way to JSON and back", () => {
    const payload = ssz.electra.ExecutionPayload.defaultValue();
    payload.transactions = [Uint8Array.of(1, 2, 3)];
    payload.baseFeePerGas = 2n ** 70n;
    payload.blockNumber = 12_345;
    payload.withdrawals = [{ index: 3, validatorIndex: 9, address: new Uint8Array(20).fill(4), amount: 17n }];
    const back = payloadFromJson(payloadToJson(payload));
    expect(ssz.electra.ExecutionPayload.equals(back, payload)).to.be.true;
  });

  it("requests are one item a type, in order, and none where there is nothing", () => {
    const requests = ssz.electra.ExecutionRequests.defaultValue();
    expect(requestsToJson(requests)).to.deep.equal([]);
    requests.withdrawals = [
      { sourceAddress: new Uint8Array(20).fill(1), validatorPubkey: new Uint8Array(48).fill(2), amount: 0n },
    ];
    requests.deposits = [ssz.electra.DepositRequest.defaultValue()];
    const items = requestsToJson(requests);
    expect(items.map((item) => item.slice(0, 4))).to.deep.equal(["0x00", "0x01"]);
    expect(ssz.electra.ExecutionRequests.equals(requestsFromJson(items), requests)).to.be.true;
    expect(() => requestsFromJson(["0x09ff"])).to.throw(/unknown type 9/);
  });

  it("a block that a crash cut short is dropped, and the next one takes its place", () => {
    const roots = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte)) as [Uint8Array, Uint8Array, Uint8Array];
    const store = new BlockStore(folder);
    store.append(1, roots[0], Uint8Array.of(1, 1, 1));
    store.append(2, roots[1], Uint8Array.of(2, 2));
    store.close();
    appendFileSync(join(folder, "blocks"), Buffer.concat([Buffer.alloc(4), roots[2], Buffer.from([200, 0, 0, 0, 1])]));
    const again = new BlockStore(folder);
    expect(again.blocks().map(({ slot }) => slot)).to.deep.equal([1, 2]);
    again.append(3, roots[2], Uint8Array.of(3));
    expect(again.readBlock(`0x${"03".repeat(32)}`)).to.deep.equal(Uint8Array.of(3));
    expect(again.readBlock(`0x${"02".repeat(32)}`)).to.deep.equal(Uint8Array.of(2, 2));
    expect(again.readBlock(`0x${"04".repeat(32)}`)).to.be.undefined;
    again.close();
  });

  describe("slashing protection", () => {
    const open = (): SlashingProtection => new SlashingProtection(join(folder, "protection.json"), CHAIN);

    it("refuses a second block for a slot and a second vote for an epoch, after a restart too", () => {
      const first = open();
      first.noteBlock(PUBKEY, 10);
      first.noteAttestation(PUBKEY, 2, 3);
      for (const protection of [first, open()]) {
        expect(() => protection.noteBlock(PUBKEY, 10)).to.throw(SlashableError);
        expect(() => protection.noteBlock(PUBKEY, 9)).to.throw(SlashableError);
        expect(() => protection.noteAttestation(PUBKEY, 2, 3)).to.throw(SlashableError);
        expect(() => protection.noteAttestation(PUBKEY, 1, 5), "surrounds").to.throw(SlashableError);
      }
      const again = open();
      again.noteBlock(PUBKEY, 11);
      again.noteAttestation(PUBKEY, 2, 4);
      again.noteAttestation(`0x${"bb".repeat(48)}`, 0, 1);
    });

    it("does not serve another chain", () => {
      open().noteBlock(PUBKEY, 1);
      expect(() => new SlashingProtection(join(folder, "protection.json"), `0x${"02".repeat(32)}`)).to.throw(
        /another chain/,
      );
    });
  });

  describe("JSON-RPC gateway", () => {
    type Call = { method: string; params?: readonly unknown[] };
    const over = (
      answers: Record<string, (params: readonly unknown[]) => unknown>,
    ): [ReturnType<typeof rpcGateway>, Call[]] => {
      const calls: Call[] = [];
      const inner = {
        request: async (call: Call): Promise<unknown> => {
          calls.push(call);
          return answers[call.method]?.(call.params ?? []);
        },
      };
      return [rpcGateway(inner), calls];
    };

    it("counts what waits in the pool into the pending nonce", async () => {
      const waiting = { "0xAB": { "5": {}, "6": {}, "8": {} } };
      const [gateway] = over({
        eth_getTransactionCount: () => "0x5",
        txpool_content: () => ({ pending: waiting, queued: {} }),
      });
      const request = { method: "eth_getTransactionCount", params: ["0xab", "pending"] };
      expect(await gateway.request(request)).to.equal("0x7");
    });

    it("reads the latest block where the pending one is asked for", async () => {
      const [gateway, calls] = over({ eth_getBalance: () => "0x1" });
      await gateway.request({ method: "eth_getBalance", params: ["0xab", "pending"] });
      expect(calls).to.deep.equal([{ method: "eth_getBalance", params: ["0xab", "latest"] }]);
    });

    it("adds the base fee to a receipt's price, up to the transaction's limit, and asks once", async () => {
      for (const [limit, price] of [
        ["0x64", "0xc"],
        ["0xb", "0xb"],
      ]) {
        const [gateway, calls] = over({
          eth_getTransactionReceipt: () => ({ transactionHash: "0x1", blockNumber: "0x2", effectiveGasPrice: "0x2" }),
          eth_getTransactionByHash: () => ({ maxFeePerGas: limit, maxPriorityFeePerGas: "0x2" }),
          eth_getBlockByNumber: () => ({ baseFeePerGas: "0xa" }),
        });
        const request = { method: "eth_getTransactionReceipt", params: ["0x1"] };
        expect(await gateway.request(request)).to.include({ effectiveGasPrice: price });
        await gateway.request(request);
        expect(calls.filter(({ method }) => method === "eth_getTransactionReceipt")).to.have.length(1);
      }
    });

    it("lets an estimate fail as the call does, and leaves a margin otherwise", async () => {
      const [failing] = over({
        eth_call: () => {
          throw new Error("reverted");
        },
        eth_estimateGas: () => "0x5208",
      });
      const request = { method: "eth_estimateGas", params: [{ to: "0x01", gasPrice: "0x0" }] };
      await expectRejection(failing.request(request), Error);
      const [passing, calls] = over({ eth_call: () => "0x", eth_estimateGas: () => "0x64" });
      expect(await passing.request(request)).to.equal("0x82");
      expect(calls.at(-1)?.params?.[0]).to.deep.equal({ to: "0x01" });
    });
  });
});
