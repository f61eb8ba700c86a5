import { expect } from "chai";
import type { AddressInfo } from "node:net";
import type { Server } from "node:http";
import { gzipSync } from "node:zlib";
import { Wallet } from "ethers";
import { startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { serveRpc } from "../../../devnet/rpcServer.ts";
import { connect } from "../../../offchain/chain/connect.ts";
import type { Protocol } from "../../../offchain/chain/connect.ts";
import { readLogs } from "../../../offchain/chain/logs.ts";
import { ExecutionProvider } from "../../../offchain/chain/provider.ts";
import type { ExecutionOptions } from "../../../offchain/chain/provider.ts";
import { readProtocol } from "../../../offchain/chain/read/protocol.ts";
import { EXIT } from "../../../offchain/util/errors.ts";
import { closeServer } from "../../../offchain/util/health.ts";
import { batchesUpTo, failing, hostileNode, rateLimited } from "../../helpers/hostile/rpc.ts";
import type { HostileNode, Hostility, Reply, Whole } from "../../helpers/hostile/rpc.ts";
import { connection, loadFixture, provider as network } from "../../helpers/network.ts";
import { failure, placeMulticall, removeMulticall } from "./harness.ts";

async function local(): Promise<LocalProtocol> {
  return startLocalProtocol(connection);
}

describe("execution nodes of the field", function () {
  this.timeout(60_000);
  let p: LocalProtocol;
  let server: Server;
  let url = "";
  const nodes: HostileNode[] = [];
  const providers: ExecutionProvider[] = [];
  let logged: string[] = [];

  before(async () => {
    p = await loadFixture(local);
    server = await serveRpc(connection.provider, 0);
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => closeServer(server));
  afterEach(async () => {
    for (const provider of providers.splice(0)) provider.destroy();
    for (const node of nodes.splice(0)) await node.close();
    logged = [];
  });

  async function node(hostility?: Hostility): Promise<HostileNode> {
    const made = await hostileNode(url, hostility);
    nodes.push(made);
    return made;
  }
  function through(urls: readonly string[], options: Partial<ExecutionOptions> = {}): ExecutionProvider {
    const onFailure = (host: string, message: string): unknown => logged.push(`${host}: ${message}`);
    const made = new ExecutionProvider({ urls, chainId: 31_337n, timeoutSeconds: 3, onFailure, ...options });
    providers.push(made);
    return made;
  }
  async function sdk(provider: ExecutionProvider): Promise<Protocol> {
    const [token, wrapped] = [await p.token.getAddress(), await p.wrapped.getAddress()];
    return connect(provider, { chainId: 31_337n, token, wrapped, fromBlock: 0 });
  }

  // field E05
  const oneError = { jsonrpc: "2.0", id: null, error: { code: -32_600, message: "batch limit 3 exceeded" } };
  const TOO_LONG: Record<string, Hostility> = {
    "with one error without an id": { refuse: [batchesUpTo(3, () => ({ body: oneError }))] },
    "with a rate limit's code": {
      refuse: [
        batchesUpTo(3, () => ({ body: { ...oneError, error: { code: -32_007, message: "batch limit exceeded" } } })),
      ],
    },
    "with that error in a list": { refuse: [batchesUpTo(3, () => ({ body: [oneError] }))] },
    "with HTTP 500": { refuse: [batchesUpTo(3, () => ({ status: 500, body: { message: "more than 3 requests" } }))] },
    "with HTTP 413": { refuse: [batchesUpTo(3, () => ({ status: 413, body: "too large" }))] },
    "with HTTP 400 and nothing": { refuse: [batchesUpTo(3, () => ({ status: 400, body: "" }))] },
    "by answering the first three": {
      garble: [(_, answers = []) => ({ body: answers.length > 1 ? answers.slice(0, 3) : answers[0] })],
    },
    "with an error for each call": {
      garble: [
        ({ calls }) =>
          calls.length > 3
            ? { body: calls.map(({ id }) => ({ id, error: { code: -32_000, message: "batch too large" } })) }
            : undefined,
      ],
    },
  };
  for (const [how, hostility] of Object.entries(TOO_LONG))
    it(`that take three calls in a batch are asked in threes from then on: refusing ${how}`, async () => {
      const small = await node(hostility);
      const protocol = await sdk(through([small.url]));
      await readProtocol(protocol);
      const learned = small.asked.length;
      expect((await readProtocol(protocol)).tiers).to.have.length(3);
      expect(Math.max(...small.asked.slice(learned).map(({ calls }) => calls.length))).to.be.at.most(3);
      expect(small.asked.length - learned).to.be.at.most(32);
    });

  const GARBAGE: Record<string, Hostility> = {
    "a page of HTML": { garble: [() => ({ headers: { "content-type": "text/html" }, body: "<html>busy</html>" })] },
    "half of the JSON": { garble: [(_, answers) => ({ body: JSON.stringify(answers).slice(0, -4) })] },
    "and ends in the middle": { garble: [(_, answers) => ({ body: answers, isCut: true })] },
    "gzip that is none": { garble: [() => ({ headers: { "content-encoding": "gzip" }, body: "no gzip" })] },
    "gzip cut short": {
      garble: [
        (_, a) => ({ headers: { "content-encoding": "gzip" }, body: gzipSync(JSON.stringify(a)).subarray(0, -20) }),
      ],
    },
    "another request's number": { garble: [() => ({ body: { jsonrpc: "2.0", id: 9_999, result: "0x1" } })] },
    twice: { garble: [(_, a = []) => ({ body: [a[0], a[0]] })] },
    "neither result nor error": { garble: [({ calls }) => ({ body: { jsonrpc: "2.0", id: calls[0]?.id } })] },
    "another chain": { calls: [({ method }) => (method === "eth_chainId" ? { result: "0x1" } : undefined)] },
    "nothing under HTTP 204": { garble: [() => ({ status: 204, body: "" })] },
  };
  for (const [what, hostility] of Object.entries(GARBAGE))
    it(`that answer with ${what} are passed over for the next, and named if there is none`, async () => {
      const bad = await node(hostility);
      const isChain = what === "another chain";
      if (!isChain) Object.assign(hostility, { refuse: [honestChain] });
      expect(await through([bad.url, url]).getBlockNumber()).to.be.greaterThan(0);
      const error = await failure(through([bad.url]).getBlockNumber());
      expect(error).to.include({ exitCode: EXIT.unavailable });
      expect(error.message).to.match(/^execution node 127\.0\.0\.1:\d+: ./);
    });

  it("that speak compressed are understood", async () => {
    const zipped = await node({
      garble: [
        ({ isBatch }, a = []) => ({
          headers: { "content-encoding": "gzip" },
          body: gzipSync(JSON.stringify(isBatch ? a : a[0])),
        }),
      ],
    });
    expect((await readProtocol(await sdk(through([zipped.url])))).tiers).to.have.length(3);
  });

  it("with a password in their URL are asked with it, and it is never told (field E04)", async () => {
    const expected = `Basic ${Buffer.from("member:s3cr3t").toString("base64")}`;
    const isLetIn = ({ headers }: Whole): boolean => headers["authorization"] === expected;
    const guarded = await node({
      refuse: [
        (whole) =>
          isLetIn(whole) ? undefined : { status: 401, body: { error: `no ${whole.headers["authorization"]}` } },
      ],
    });
    expect(await through([guarded.url.replace("//", "//member:s3cr3t@")]).getBlockNumber()).to.be.greaterThan(0);
    const talkative = await node({
      refuse: [
        () => ({
          status: 403,
          body: { error: { code: 1, message: "key k3y-of-mine of https://x.org/v3/k3y-of-mine is blocked" } },
        }),
      ],
    });
    const error = await failure(through([`${talkative.url}/v3/k3y-of-mine?token=hush-hush`]).getBlockNumber());
    for (const told of [error.message, ...logged]) expect(told).to.not.match(/k3y-of-mine|hush|s3cr3t|https?:/);
    expect(error.message).to.contain("answered 403").and.contain("is blocked");
  });

  it("tell their own sentence, also under HTTP 400 (field E16), and the last node's is among those told", async () => {
    const said = { code: -32_600, message: "up to a 10 block range on this plan" };
    const planned = await node({
      refuse: [
        ({ calls }) =>
          calls.some(({ method }) => method === "eth_getLogs")
            ? { status: 400, body: { id: null, error: said } }
            : undefined,
      ],
    });
    const pruned = await node({
      calls: [failing(["eth_getLogs"], { code: 4_444, message: "pruned history unavailable" })],
    });
    const alone = await failure(readLogs(through([planned.url]), {}, 0, 20));
    expect(alone.message).to.contain("10 block range");
    const both = await failure(readLogs(through([planned.url, pruned.url]), {}, 0, 20));
    expect(both.message).to.contain("pruned history unavailable");
  });

  it("that limit the rate are waited for as they ask, without asking for less (field E07, E17)", async () => {
    await network.request({ method: "hardhat_mine", params: ["0x400"] });
    const last = Number(await network.request({ method: "eth_blockNumber" }));
    const limited = await node({ refuse: [rateLimited(6, { "retry-after": "1" })] });
    const logs = await readLogs(through([limited.url]), { address: await p.validators.getAddress() }, 0, last, {
      range: 100,
    });
    expect(logs.length).to.be.greaterThan(0);
    const widths = limited.asked
      .flatMap(({ calls }) => calls)
      .filter(({ method }) => method === "eth_getLogs")
      .map(({ params: [filter] }) => filter as { fromBlock: string; toBlock: string })
      .filter(({ toBlock }) => Number(toBlock) !== last)
      .map(({ fromBlock, toBlock }) => Number(toBlock) - Number(fromBlock) + 1);
    expect([...new Set(widths)]).to.deep.equal([100]);
    expect(limited.asked.length).to.be.at.most(40);
  });

  it("that are busy without saying for how long are asked after growing pauses; the next node is asked at once", async () => {
    const times: number[] = [];
    const said = { code: -32_016, message: "over rate limit" };
    const busy = (): Hostility => ({
      calls: [
        ({ method }) => {
          if (method !== "eth_blockNumber") return undefined;
          times.push(Date.now());
          return times.length < 4 ? { error: said } : undefined;
        },
      ],
    });
    await through([(await node(busy())).url]).getBlockNumber();
    const pauses = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    expect(pauses).to.have.length(3);
    expect(pauses[2]).to.be.greaterThan((pauses[0] ?? 0) * 2);
    times.length = 0;
    const start = Date.now();
    await through([(await node(busy())).url, url]).getBlockNumber();
    expect(Date.now() - start).to.be.lessThan(400);
  });

  it("that want to be left alone for longer than anyone waits are given up, in their own words; a signal ends the waiting", async () => {
    const reply: Reply = {
      status: 429,
      headers: { "retry-after": "300" },
      body: { message: "daily quota is used up" },
    };
    const closed = await node({ refuse: [(whole) => (isChainId(whole) ? undefined : reply)] });
    const start = Date.now();
    expect((await failure(through([closed.url]).getBlockNumber())).message).to.contain("daily quota is used up");
    expect(Date.now() - start).to.be.lessThan(1_000);
    const slow = await node({
      refuse: [(whole) => (isChainId(whole) ? undefined : { ...reply, headers: { "retry-after": "20" } })],
    });
    const control = new AbortController();
    setTimeout(() => control.abort(), 300);
    const reading = readLogs(through([slow.url]), {}, 0, 5, { signal: control.signal });
    expect((await failure(reading)).name).to.equal("AbortError");
    expect(Date.now() - start).to.be.lessThan(3_000);
  });

  it("that are a block behind for a moment don't accuse the addresses file (field E18)", async () => {
    const late = await node({ calls: [failing(["eth_call"], { code: -32_000, message: "header not found" }, 2)] });
    expect((await sdk(through([late.url]))).chainId).to.equal(31_337n);
    const never = await node({ calls: [failing(["eth_call"], { code: -32_000, message: "missing trie node" })] });
    const error = await failure(sdk(through([never.url])));
    expect(error).to.include({ exitCode: EXIT.unavailable });
    expect(error.message).to.contain("missing trie node");
  });

  it("that fail in one view give no value in its place (field E19), also in a call of many that ran out of gas", async () => {
    const selector = p.operators.interface.getFunction("tier").selector;
    const isOne = (params: readonly unknown[]): boolean => {
      const { data = "", input = data } = params[0] as { data?: string; input?: string };
      return input.startsWith(selector) && BigInt(`0x${input.slice(10)}`) === 1n;
    };
    for (const error of [
      { code: -32_000, message: "header not found" },
      { code: -32_000, message: "out of gas" },
    ]) {
      const partial = await node({
        calls: [({ method, params }) => (method === "eth_call" && isOne(params) ? { error } : undefined)],
      });
      const found = await failure(readProtocol(await sdk(through([partial.url]))));
      expect(found).to.include({ exitCode: EXIT.unavailable });
    }
    const empty = await node({
      calls: [({ method, params }) => (method === "eth_call" && isOne(params) ? { result: "0x" } : undefined)],
    });
    expect((await failure(readProtocol(await sdk(through([empty.url]))))).message).to.contain(
      "does not answer as it should",
    );

    await placeMulticall();
    try {
      const capped = await node({
        calls: [
          ({ method, params }) => {
            const { data = "", input = data } = (params[0] ?? {}) as { data?: string; input?: string };
            return method === "eth_call" && input.length > 5_000
              ? { error: { code: -32_000, message: "out of gas" } }
              : undefined;
          },
        ],
      });
      const protocol = await sdk(through([capped.url]));
      expect(protocol.multicall).to.equal(true);
      expect((await readProtocol(protocol)).tiers).to.have.length(3);
    } finally {
      await removeMulticall();
    }
  });

  it("that take a transaction and fail to say so have sent it (field E14)", async () => {
    const wallet = new Wallet(`0x${"a8".repeat(32)}`);
    await p.alice.sendTransaction({ to: wallet.address, value: 10n ** 18n });
    for (const reply of [
      { error: { code: -32_010, message: "FeeTooLowToCompete" } },
      { error: { code: -32_603, message: "internal" } },
    ]) {
      const shy = await node({
        calls: [
          async ({ method }, forward) => {
            if (method !== "eth_sendRawTransaction") return undefined;
            await forward();
            return reply;
          },
        ],
      });
      const sender = wallet.connect(through([shy.url]));
      const sent = await sender.sendTransaction({ to: wallet.address, value: 1n });
      expect((await sent.wait())?.status).to.equal(1);
      expect(shy.count("eth_sendRawTransaction")).to.equal(1);
    }
  });

  it("cost a status two round trips, as before", async () => {
    const plain = await node();
    const protocol = await sdk(through([plain.url]));
    const before = plain.asked.length;
    await readProtocol(protocol);
    expect(plain.asked.length - before).to.equal(2);
  });

  it("give no log that was not asked for; removed ones are passed over", async () => {
    const address = await p.validators.getAddress();
    const changed = async (change: object): Promise<HostileNode> =>
      node({
        calls: [
          async ({ method }, forward) => {
            if (method !== "eth_getLogs") return undefined;
            const { result } = (await forward()) as { result: object[] };
            return { result: [...result, { ...result[0], logIndex: "0x77", ...change }] };
          },
        ],
      });
    const head = Number(await network.request({ method: "eth_blockNumber" }));
    const [one] = await readLogs(through([url]), { address }, 0, head);
    const from = one?.blockNumber ?? 0;
    const right = await readLogs(through([url]), { address }, from, from);
    for (const change of [
      { address: `0x${"11".repeat(20)}` },
      { blockNumber: "0x99999" },
      { blockNumber: "x" },
      { topics: 7 },
    ]) {
      const strange = await changed(change);
      expect(await readLogs(through([strange.url, url]), { address }, from, from)).to.have.length(right.length);
      expect((await failure(readLogs(through([strange.url]), { address }, from, from))).message).to.contain(
        "eth_getLogs",
      );
    }
    const topics = [right[0]?.topics[0] ?? ""];
    const other = await changed({ topics: [`0x${"22".repeat(32)}`] });
    expect((await failure(readLogs(through([other.url]), { address, topics }, from, from))).message).to.contain(
      "not asked for",
    );
    const removed = await changed({ removed: true });
    expect(await readLogs(through([removed.url]), { address }, from, from)).to.have.length(right.length);
  });
});

function isChainId({ calls }: Whole): boolean {
  return calls.every(({ method }) => method === "eth_chainId");
}

/** What it garbles is everything but its chain. */
function honestChain(whole: Whole): Reply | undefined {
  return isChainId(whole) ? { body: { jsonrpc: "2.0", id: whole.calls[0]?.id, result: "0x7a69" } } : undefined;
}
