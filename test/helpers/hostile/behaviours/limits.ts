/** Limits of execution nodes and providers: batches, ranges, rates. Figures are smaller than real ones, so that tests reach them. */
import { Counts } from "../behaviour.ts";
import type { Behaviour, Dice } from "../behaviour.ts";
import { callsOf, errorReply, failure, perCall, refusing } from "../jsonRpc.ts";
import type { Call, RpcError } from "../jsonRpc.ts";
import { json, withJson } from "../proxy.ts";
import type { Reply, Tamper } from "../proxy.ts";

const BATCH = 5;
const RANGE = 100;
/** Of all requests, at most: retries are then no longer than a test can wait. */
const LIMITED = 0.04;

const batchLimits: readonly Behaviour[] = [
  batchLimit("batch too large", ["geth"], "the first call's error is the only answer: -32600 batch too large", {
    source: "https://github.com/ethereum/go-ethereum/pull/26681",
    refuse: ([first]) =>
      json(200, [{ jsonrpc: "2.0", id: first?.id, error: { code: -32_600, message: "batch too large" } }]),
  }),
  batchLimit("batch limit, one object", ["erigon"], "one error object with id null in place of the list", {
    source: "https://github.com/erigontech/erigon/issues/17245",
    refuse: ({ length }) => errorReply(200, null, erigonsWords(length)),
  }),
  batchLimit("batch limit, dropped", ["erigon"], "the connection is dropped", {
    source: "https://github.com/erigontech/erigon/issues/18074",
    refuse: () => ({ ...json(200, []), cutAfter: 0 }),
  }),
  batchLimit("batch limit, besu", ["besu"], "-32005 Number of requests exceeds max batch size", {
    source:
      "https://github.com/besu-eth/besu/blob/main/ethereum/api/src/main/java/org/hyperledger/besu/ethereum/api/jsonrpc/internal/response/RpcErrorType.java",
    refuse: () => errorReply(200, null, { code: -32_005, message: "Number of requests exceeds max batch size" }),
  }),
  batchLimit("batch limit, HTTP 500", ["provider"], "HTTP 500 with a sentence and no JSON-RPC", {
    source: "https://github.com/hemilabs/ui-monorepo/pull/887",
    refuse: () => json(500, { message: `Batch of more than ${BATCH} requests are not allowed on free tier` }),
  }),
  batchLimit("batch limit, HTTP 413", ["provider", "besu"], "HTTP 413 without a body that says more", {
    source: "https://github.com/besu-eth/besu/pull/5467",
    refuse: () => ({
      status: 413,
      headers: { "content-type": "text/plain" },
      body: Buffer.from("Request Entity Too Large"),
    }),
  }),
  {
    name: "batch answer too large",
    layers: ["execution"],
    by: ["geth"],
    what: "later calls of a long batch get -32003 response too large",
    source: "https://github.com/ethereum/go-ethereum/issues/33814",
    effect: "harmless",
    tamper: () => async (asked, forward) => {
      const calls = callsOf(asked)?.list ?? [];
      if (calls.length <= BATCH) return forward();
      const reply = await forward({ ...asked, body: JSON.stringify(calls.slice(0, BATCH)) });
      const late = calls.slice(BATCH).map(({ id }) => ({ id, ...failure(-32_003, "response too large") }));
      return withJson(reply, (answers) => [
        ...(answers as unknown[]),
        ...late.map((answer) => ({ jsonrpc: "2.0", ...answer })),
      ]);
    },
  },
];

const rangeLimits: readonly Behaviour[] = [
  rangeLimit("range limit, reth", ["reth"], "-32602 query exceeds max block range", {
    source: "https://github.com/paradigmxyz/reth/pull/8558",
    error: () => ({ code: -32_602, message: `query exceeds max block range ${RANGE}` }),
  }),
  rangeLimit("range limit, besu", ["besu"], "-32005 Requested range exceeds maximum RPC range limit", {
    source: "https://github.com/besu-eth/besu/pull/4597",
    error: () => ({ code: -32_005, message: "Requested range exceeds maximum RPC range limit" }),
  }),
  rangeLimit("range limit, erigon", ["erigon"], "-32000 query block range exceeds server limit", {
    source: "https://github.com/erigontech/erigon/pull/20784",
    error: () => ({ code: -32_000, message: `query block range exceeds server limit, narrow your filter: ${RANGE}` }),
  }),
  rangeLimit("range limit with a proposal", ["provider"], "-32600 with the range that would work", {
    source: "https://github.com/BobTheBuidler/dank_mids/issues/772",
    error: (from) => ({
      code: -32_600,
      message: `You can make eth_getLogs requests with up to a ${RANGE} block range. Based on your parameters, this block range should work: [0x${from.toString(16)}, 0x${(from + RANGE - 1).toString(16)}]`,
    }),
  }),
  rangeLimit(
    "range limit, -32602",
    ["provider"],
    "-32602 range N exceeds limit of M, where the documentation says -32005",
    {
      source: "https://github.com/INFURA/infura/issues/237",
      error: (from, to) => ({ code: -32_602, message: `range ${to - from} exceeds limit of ${RANGE}` }),
    },
  ),
  rangeLimit("range limit, HTTP 413", ["provider"], "HTTP 413 with -32614", {
    source: "https://github.com/OffchainLabs/arbitrum-sdk/issues/609",
    status: 413,
    error: () => ({ code: -32_614, message: `eth_getLogs is limited to a ${RANGE} range` }),
  }),
  rangeLimit("range limit, HTTP 400", ["provider"], "HTTP 400 with the reason in the body", {
    source: "https://github.com/cartesi/rollups-node/pull/655",
    status: 400,
    error: () => ({ code: -32_600, message: `up to a ${RANGE} block range on this plan` }),
  }),
  rangeLimit("result limit", ["provider"], "-32005 query returned more than 10000 results, with data", {
    source: "https://github.com/ethers-io/ethers.js/issues/4703",
    error: (from, to) => ({
      code: -32_005,
      message: `query returned more than 10000 results. Try with this block range [0x${from.toString(16)}, 0x${(from + RANGE - 1).toString(16)}].`,
      data: { from: `0x${from.toString(16)}`, to: `0x${to.toString(16)}`, limit: 10_000 },
    }),
  }),
  rangeLimit("query timeout", ["provider"], "-32000 Query timeout exceeded", {
    source: "https://github.com/worldcoin/signup-sequencer/issues/274",
    error: () => ({ code: -32_000, message: "Query timeout exceeded. Consider reducing your block range." }),
  }),
];

const rateLimits: readonly Behaviour[] = [
  rateLimit("rate limit in HTTP 200, 429", ["provider"], "HTTP 200 and code 429, of each call", {
    source: "https://github.com/latticexyz/mud/issues/1522",
    error: { code: 429, message: "Your app has exceeded its compute units per second capacity." },
  }),
  rateLimit("rate limit in HTTP 200, -32016", ["provider"], "HTTP 200 and -32016 over rate limit", {
    source: "https://github.com/base/node/issues/368",
    error: { code: -32_016, message: "over rate limit" },
  }),
  rateLimit("rate limit in HTTP 200, -32012", ["provider"], "HTTP 200 and -32012 credits limited", {
    source: "https://github.com/latticexyz/mud/issues/1522",
    error: { code: -32_012, message: "credits limited to 6000/sec" },
  }),
  rateLimit("rate limit, -32005", ["provider"], "HTTP 429, -32005 and when to come again in the error's data", {
    source: "https://github.com/MetaMask/eth-json-rpc-infura/issues/33",
    status: 429,
    error: {
      code: -32_005,
      message: "project ID request rate exceeded",
      data: { rate: { current_rps: 13.3, allowed_rps: 10, backoff_seconds: 1 } },
    },
  }),
  {
    name: "rate limit of a part",
    layers: ["execution"],
    by: ["provider"],
    what: "a batch's calls count one by one: some are answered, the rest are over the limit",
    source: "https://support.quicknode.com/hc/en-us/articles/12002099702289-429-Errors-Explained",
    effect: "passing",
    tamper: (dice) =>
      perCall({
        before: ({ method }) =>
          dice.chance(LIMITED, method) ? failure(-32_007, "50/second request limit reached") : undefined,
      }),
  },
];

export const LIMITS: readonly Behaviour[] = [...batchLimits, ...rangeLimits, ...rateLimits];

function batchLimit(
  name: string,
  by: Behaviour["by"],
  what: string,
  { source, refuse }: { source: string; refuse: (calls: readonly Call[]) => Reply },
): Behaviour {
  const tamper = (): Tamper =>
    refusing((calls, isBatch) => (isBatch && calls.length > BATCH ? refuse(calls) : undefined));
  return { name, layers: ["execution"], by, what, source, effect: "harmless", tamper };
}

function rangeLimit(
  name: string,
  by: Behaviour["by"],
  what: string,
  { source, status, error }: { source: string; status?: number; error: (from: number, to: number) => RpcError },
): Behaviour {
  const over = ({ method, params }: Call): RpcError | undefined => {
    const { fromBlock, toBlock } = (params[0] ?? {}) as { fromBlock?: string; toBlock?: string };
    if (method !== "eth_getLogs" || fromBlock === undefined || toBlock === undefined) return undefined;
    const [from, to] = [Number(fromBlock), Number(toBlock)];
    return to - from >= RANGE ? error(from, to) : undefined;
  };
  const byCall = perCall({
    before: (call) => {
      const found = over(call);
      return found === undefined ? undefined : { error: found };
    },
  });
  const whole = refusing((calls) => {
    const refused = calls.find((call) => over(call) !== undefined);
    const found = refused === undefined ? undefined : over(refused);
    return found === undefined ? undefined : errorReply(status ?? 200, refused?.id ?? null, found);
  });
  return {
    ...{ name, layers: ["execution"], by, what, source, effect: "harmless" },
    tamper: () => (status === undefined ? byCall : whole),
  };
}

function rateLimit(
  name: string,
  by: Behaviour["by"],
  what: string,
  { source, status, error }: { source: string; status?: number; error: RpcError },
): Behaviour {
  const tamper = (dice: Dice): Tamper => {
    const counts = new Counts();
    return refusing((calls, isBatch) => {
      if (!dice.chance(LIMITED) || counts.next("") === 1) return undefined;
      const refused = calls.map(({ id }) => ({ jsonrpc: "2.0", id, error }));
      return json(status ?? 200, isBatch ? refused : refused[0]);
    });
  };
  return { name, layers: ["execution"], by, what, source, effect: "passing", tamper };
}

function erigonsWords(length: number): RpcError {
  return {
    code: -32_000,
    message: `batch limit ${BATCH} exceeded (can increase by --rpc.batch.limit). Requested batch of size: ${length}`,
  };
}
