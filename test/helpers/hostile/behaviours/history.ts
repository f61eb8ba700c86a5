/** Nodes that keep a part of the chain only, and how they say so, or don't. */
import type { Behaviour, Client } from "../behaviour.ts";
import { OF_STATE, blockOf, failure, perCall } from "../jsonRpc.ts";
import type { Answer, Call, Peek } from "../jsonRpc.ts";

/** Blocks behind the head of which these nodes still have everything. */
const KEPT = 2;

interface Log {
  readonly blockNumber: string;
}

export const HISTORY: readonly Behaviour[] = [
  oldState("missing trie node", ["geth"], "old states: -32000 missing trie node", {
    source: "https://github.com/ethereum/go-ethereum/issues/20874",
    answer: () => failure(-32_000, "missing trie node ef7df5d8 (path ) state 0xef7df5d8 is not available"),
  }),
  oldState("null for old states", ["besu"], "old states: null, and no error", {
    source: "https://github.com/besu-eth/besu/issues/6926",
    answer: () => ({ result: null }),
  }),
  {
    ...oldState("defaults for old states", ["besu"], "old states: an empty result or zero, and no error", {
      source: "https://github.com/besu-eth/besu/issues/6926",
      answer: (method) => ({ result: method === "eth_call" || method === "eth_getCode" ? "0x" : "0x0" }),
    }),
    isPlausible: true,
  },
  oldState("state transition failed", ["erigon"], "old states: -32000 data before txNum is not available", {
    source: "https://github.com/erigontech/erigon/issues/13198",
    answer: () => failure(-32_000, "seek with txNum=1962853355 but data before txNum=2662500000 is not available"),
  }),
  oldLogs("4444", ["geth", "reth"], "logs of pruned blocks: 4444 pruned history unavailable", {
    source: "https://github.com/paradigmxyz/reth/pull/21304",
    answer: () => failure(4_444, "pruned history unavailable"),
  }),
  oldLogs("block not found", ["erigon"], "logs of pruned blocks: -32000 block not found", {
    source: "https://github.com/erigontech/erigon/issues/2770",
    answer: (first) => failure(-32_000, `block not found ${first}`),
  }),
  prunedSilently("no logs of pruned blocks", ["erigon", "nethermind"], "logs of pruned blocks: [], and no error", {
    source: "https://github.com/erigontech/erigon/pull/16042",
    keeps: () => false,
  }),
  prunedSilently("some logs of pruned blocks", ["reth"], "a range with pruned receipts: the logs that are left", {
    source: "https://github.com/paradigmxyz/reth/pull/27002",
    keeps: ({ blockNumber }) => Number(blockNumber) % 2 === 0,
  }),
  prunedSilently("no logs of old blocks", ["nethermind"], "historical logs come and go: [], and no error", {
    source: "https://github.com/NethermindEth/nethermind/issues/9178",
    keeps: () => false,
  }),
  {
    name: "null for old blocks",
    layers: ["execution"],
    by: ["erigon"],
    what: "pruned blocks: null",
    source: "https://github.com/erigontech/erigon/issues/2770",
    effect: "blinding",
    reasons: ["layers_disagree"],
    tamper: () =>
      perCall({
        before: async (call, peek) =>
          call.method === "eth_getBlockByNumber" && (await isOld(blockOf(call), peek)) ? { result: null } : undefined,
      }),
  },
];

function oldState(
  name: string,
  by: readonly Client[],
  what: string,
  { source, answer }: { source: string; answer: (method: string) => Answer },
): Behaviour {
  const before = async (call: Call, peek: Peek): Promise<Answer | undefined> =>
    OF_STATE.has(call.method) && (await isOld(blockOf(call), peek)) ? answer(call.method) : undefined;
  return { name, layers: ["execution"], by, what, source, effect: "blinding", tamper: () => perCall({ before }) };
}

function oldLogs(
  name: string,
  by: readonly Client[],
  what: string,
  { source, answer }: { source: string; answer: (first: number) => Answer },
): Behaviour {
  const before = async ({ method, params }: Call, peek: Peek): Promise<Answer | undefined> => {
    const first = Number((params[0] as { fromBlock?: string } | undefined)?.fromBlock);
    return method === "eth_getLogs" && (await isOld(first, peek)) ? answer(first) : undefined;
  };
  return { name, layers: ["execution"], by, what, source, effect: "blinding", tamper: () => perCall({ before }) };
}

function prunedSilently(
  name: string,
  by: readonly Client[],
  what: string,
  { source, keeps }: { source: string; keeps: (log: Log) => boolean },
): Behaviour {
  const after = async ({ method }: Call, answer: Answer, peek: Peek): Promise<Answer> => {
    if (method !== "eth_getLogs" || "error" in answer) return answer;
    const head = Number(await peek("eth_blockNumber"));
    const logs = answer.result as Log[];
    return { result: logs.filter((log) => Number(log.blockNumber) > head - KEPT || keeps(log)) };
  };
  return { name, layers: ["execution"], by, what, source, effect: "blinding", tamper: () => perCall({ after }) };
}

async function isOld(block: number | undefined, peek: Peek): Promise<boolean> {
  if (block === undefined || Number.isNaN(block)) return false;
  return block <= Number(await peek("eth_blockNumber")) - KEPT;
}
