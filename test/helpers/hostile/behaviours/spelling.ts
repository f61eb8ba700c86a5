/** The same said otherwise: what every reader of JSON-RPC must cope with. */
import type { Behaviour } from "../behaviour.ts";
import { failure, onAnswers, perCall } from "../jsonRpc.ts";
import type { Answer } from "../jsonRpc.ts";

const SPECIFICATION = "https://www.jsonrpc.org/specification#batch";

export const SPELLING: readonly Behaviour[] = [
  {
    name: "batches in another order",
    layers: ["execution"],
    by: ["erigon", "provider"],
    what: "a batch's answers in any order",
    source: "https://github.com/erigontech/erigon/issues/2540",
    effect: "harmless",
    tamper: () => onAnswers((answers) => [...answers].reverse()),
  },
  {
    name: "ids as strings",
    layers: ["execution"],
    by: ["provider"],
    what: '"id": "7" for 7',
    source: "https://github.com/fluencelabs/dev-rewards/issues/20",
    effect: "harmless",
    tamper: () => onAnswers((answers) => answers.map((answer) => ({ ...answer, id: String(answer["id"]) }))),
  },
  {
    name: "an answer missing",
    layers: ["execution"],
    by: ["provider", "geth"],
    what: "a batch's list lacks an answer",
    source: "https://github.com/ethereum/go-ethereum/pull/26681",
    effect: "passing",
    tamper: (dice) =>
      onAnswers((answers) => (answers.length > 1 && dice.chance(0.05) ? answers.slice(0, -1) : answers)),
  },
  {
    name: "an answer twice",
    layers: ["execution"],
    by: ["provider"],
    what: "a batch's list has an answer twice now and then",
    source: SPECIFICATION,
    effect: "passing",
    tamper: (dice) =>
      onAnswers((answers) => (answers.length > 1 && dice.chance(0.05) ? [...answers, answers[0]] : answers)),
  },
  {
    name: "id null",
    layers: ["execution"],
    by: ["provider"],
    what: "an error of the server, whose id is null",
    source: "https://github.com/software-mansion/starknet-rust/pull/159",
    effect: "passing",
    tamper: (dice) =>
      onAnswers((answers) =>
        answers.length === 1 && dice.chance(0.03)
          ? [{ jsonrpc: "2.0", id: null, ...failure(-32_603, "Internal error") }]
          : answers,
      ),
  },
  {
    name: "more fields",
    layers: ["execution"],
    by: ["geth", "besu", "erigon", "reth"],
    what: "blockTimestamp in logs, and other fields nobody asked for",
    source: "https://github.com/ethereum/execution-apis/issues/295",
    effect: "harmless",
    tamper: () => perCall({ after: (_, answer) => onObjects(answer, (item) => ({ ...item, blockTimestamp: "0x65" })) }),
  },
  {
    name: "addresses in capitals",
    layers: ["execution"],
    by: ["provider"],
    what: "addresses with capitals, as the specification's pattern allows",
    source: "https://github.com/ethereum/execution-apis/blob/main/src/schemas/base-types.yaml",
    effect: "harmless",
    tamper: () =>
      perCall({
        after: ({ method }, answer) => (IN_CAPITALS.has(method) ? onObjects(answer, inCapitals) : answer),
      }),
  },
  {
    name: "reverts, code -32000",
    layers: ["execution"],
    by: ["nethermind"],
    what: "a revert has code -32000 and its data",
    source: "https://github.com/wevm/viem/pull/4092",
    effect: "harmless",
    tamper: () => reverts((data) => failure(-32_000, "execution reverted", data)),
  },
  {
    name: "reverts, code -32015",
    layers: ["execution"],
    by: ["nethermind"],
    what: 'a revert has code -32015 and "Reverted 0x..." as data',
    source: "https://github.com/cowprotocol/watch-tower/issues/11",
    effect: "harmless",
    tamper: () => reverts((data) => failure(-32_015, "VM execution error.", `Reverted ${data}`)),
  },
  {
    name: "reverts, code 3",
    layers: ["execution"],
    by: ["geth", "reth", "erigon", "besu"],
    what: "a revert has code 3 and its data",
    source: "https://github.com/NethermindEth/nethermind/issues/11176",
    effect: "harmless",
    tamper: () => reverts((data) => failure(3, "execution reverted", data)),
  },
];

const IN_CAPITALS = new Set(["eth_getLogs", "eth_getBlockByNumber", "eth_getTransactionReceipt"]);

type Fields = Readonly<Record<string, unknown>>;

function onObjects(answer: Answer, change: (item: Fields) => Fields): Answer {
  if ("error" in answer) return answer;
  const { result } = answer;
  if (Array.isArray(result))
    return { result: result.map((item) => (isObject(item) ? change(item) : (item as unknown))) };
  return isObject(result) ? { result: change(result) } : answer;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function inCapitals(item: Fields): Fields {
  const capitals = (value: unknown): unknown =>
    typeof value === "string" && /^0x[0-9a-f]{40}$/.test(value) ? `0x${value.slice(2).toUpperCase()}` : value;
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, capitals(value)]));
}

function reverts(say: (data: string) => Answer) {
  return perCall({
    after: (_, answer) => {
      if (!("error" in answer)) return answer;
      const data = dataOf(answer.error);
      return data === undefined ? answer : say(data);
    },
  });
}

/** As the simulated node and real ones put it. */
function dataOf({ data }: { readonly data?: unknown }): string | undefined {
  const found = typeof data === "object" && data !== null ? (data as { data?: unknown }).data : data;
  return typeof found === "string" && /^0x([0-9a-f]{2})*$/i.test(found) ? found : undefined;
}
