/** Several machines behind one URL, not all of them up to date; and what becomes of transactions there. */
import { keccak256 } from "ethers";
import { Counts } from "../behaviour.ts";
import type { Behaviour, Dice } from "../behaviour.ts";
import { BLOCK_PARAMETER, OF_STATE, blockOf, failure, hex, isTag, perCall } from "../jsonRpc.ts";
import type { Answer, Call, Peek } from "../jsonRpc.ts";
import type { Tamper } from "../proxy.ts";

/** How often the machine that is behind is asked. */
const BEHIND = 0.15;
/** How often a receipt is asked for in vain. */
const LATE = 2;

interface InBlock {
  readonly blockNumber?: string | null;
}

export const MACHINES: readonly Behaviour[] = [
  {
    name: "a machine behind",
    layers: ["execution"],
    by: ["provider"],
    what: "some requests reach a machine a block behind: block numbers go back, new blocks are null, their state is header not found",
    source: "https://github.com/ethereum/go-ethereum/issues/27353",
    effect: "passing",
    reasons: ["layers_disagree", "send_failed"],
    tamper: (dice) => sometimes(dice, perCall({ before: askedBehind, after: answeredBehind })),
  },
  {
    name: "logs of a machine behind",
    layers: ["execution"],
    by: ["provider", "geth"],
    what: "logs up to a block that the machine does not have: a short list, and no error",
    source: "https://github.com/ethereum/go-ethereum/issues/24078",
    effect: "passing",
    tamper: (dice) =>
      sometimes(
        dice,
        perCall({
          after: async ({ method }, answer, peek) =>
            method === "eth_getLogs" && "result" in answer ? { result: await without(answer.result, peek) } : answer,
        }),
      ),
  },
  {
    name: "late receipts",
    layers: ["execution"],
    by: ["geth", "provider"],
    what: "receipts are null for a while though the transaction is mined",
    source: "https://github.com/ethereum/go-ethereum/issues/28789",
    effect: "passing",
    reasons: ["send_failed"],
    tamper: () => lateReceipts(() => ({ result: null })),
  },
  {
    name: "receipts while indexing",
    layers: ["execution"],
    by: ["geth"],
    what: "-32000 transaction indexing is in progress in place of a receipt",
    source: "https://github.com/ethereum/go-ethereum/issues/29956",
    effect: "passing",
    reasons: ["send_failed"],
    tamper: () =>
      lateReceipts(() =>
        failure(-32_000, "transaction indexing is in progress", "transaction indexing is in progress"),
      ),
  },
  {
    name: "an error for a transaction that was taken",
    layers: ["execution"],
    by: ["nethermind"],
    what: "eth_sendRawTransaction answers FeeTooLowToCompete and takes the transaction",
    source: "https://github.com/rocket-pool/smartnode/issues/386",
    effect: "passing",
    reasons: ["send_failed"],
    tamper: (dice) =>
      perCall({
        after: ({ method }, answer) =>
          method === "eth_sendRawTransaction" && "result" in answer && dice.chance(0.5, method)
            ? failure(-32_010, "FeeTooLowToCompete")
            : answer,
      }),
  },
  {
    name: "already known",
    layers: ["execution"],
    by: ["nethermind"],
    what: "AlreadyKnown in place of the hash of a transaction that is in the pool",
    source: "https://github.com/NethermindEth/nethermind/issues/4148",
    effect: "passing",
    reasons: ["send_failed"],
    tamper: () => {
      const counts = new Counts();
      return perCall({
        after: ({ method, params }, answer) => {
          if (method !== "eth_sendRawTransaction" || "error" in answer) return answer;
          const isFirst = counts.next(keccak256(String(params[0]))) === 1;
          return isFirst ? failure(-32_000, "AlreadyKnown") : answer;
        },
      });
    },
  },
];

function sometimes(dice: Dice, tamper: Tamper): Tamper {
  return async (asked, forward) => (dice.chance(BEHIND) ? tamper(asked, forward) : forward());
}

/** The same question to a node whose head is a block older. */
async function askedBehind(call: Call, peek: Peek): Promise<Answer | Call | undefined> {
  const position = BLOCK_PARAMETER[call.method];
  if (position === undefined) return undefined;
  const head = Number(await peek("eth_blockNumber"));
  const block = blockOf(call);
  if (block === head && head > 0)
    return OF_STATE.has(call.method) ? failure(-32_000, "header not found") : { result: null };
  if (call.method === "eth_estimateGas" || !isTag(call.params[position]) || head === 0) return undefined;
  const params = [...call.params];
  params[position] = hex(head - 1);
  return { ...call, params };
}

async function answeredBehind({ method }: Call, answer: Answer, peek: Peek): Promise<Answer> {
  if ("error" in answer || answer.result === null) return answer;
  switch (method) {
    case "eth_blockNumber":
      return { result: hex(Math.max(0, Number(answer.result) - 1)) };
    case "eth_getLogs":
      return { result: await without(answer.result, peek) };
    case "eth_getTransactionReceipt": {
      const [known] = await without([answer.result], peek);
      return { result: known ?? null };
    }
    default:
      return answer;
  }
}

/** What is not in the newest block. */
async function without(items: unknown, peek: Peek): Promise<readonly unknown[]> {
  const head = Number(await peek("eth_blockNumber"));
  return (items as InBlock[]).filter(({ blockNumber }) => Number(blockNumber) < head);
}

function lateReceipts(answer: () => Answer): Tamper {
  const counts = new Counts();
  return perCall({
    before: ({ method, params }) =>
      method === "eth_getTransactionReceipt" && counts.next(String(params[0])) <= LATE ? answer() : undefined,
  });
}
