import { expect } from "chai";
import { isFinal, meaningOf, meaningOfThrown, revertIn, rpcErrorIn } from "../../../offchain/chain/answers.ts";
import type { Meaning, RpcError } from "../../../offchain/chain/answers.ts";
import { ChainError, ERRORS, toChainError } from "../../../offchain/chain/errors.ts";
import { EXIT } from "../../../offchain/util/errors.ts";

const DATA = ERRORS.encodeErrorResult("RequestTooSmall", [7n, 100n]);

const REVERTS: readonly (readonly [string, RpcError, string])[] = [
  ["Geth", { code: 3, message: "execution reverted: too small", data: DATA }, DATA],
  ["Geth without data", { code: -32_000, message: "execution reverted" }, "0x"],
  ["code 3 alone", { code: 3, message: "failed" }, "0x"],
  ["Nethermind", { code: -32_015, message: "VM execution error.", data: `Reverted ${DATA}` }, DATA],
  ["Nethermind without data", { code: -32_015, message: "VM execution error.", data: "revert" }, "0x"],
  ["Nethermind's empty one", { code: -32_015, message: "VM execution error.", data: "Reverted 0x" }, "0x"],
  ["Nethermind's text", { code: -32_015, message: "VM execution error.", data: "Reverted ERC721" }, "0x"],
  ["Nethermind's later one", { code: -32_000, message: "execution reverted", data: DATA }, DATA],
  ["Besu", { code: -32_000, message: "Execution reverted", data: DATA }, DATA],
  ["Erigon and Reth", { code: 3, message: "execution reverted", data: "0x" }, "0x"],
  [
    "Hardhat",
    { code: -32_603, message: "VM Exception while processing transaction: reverted", data: { data: DATA } },
    DATA,
  ],
  ["Anvil", { code: 3, message: "execution reverted: custom error", data: DATA }, DATA],
  ["a reason that speaks of limits", { code: 3, message: "execution reverted: rate limit, header not found" }, "0x"],
];

const OTHERS: readonly (readonly [Meaning, string, RpcError, string?])[] = [
  ["lacking", "Geth pruned", { code: -32_000, message: "missing trie node 00 (path ) state 0x00 is not available" }],
  ["lacking", "pruned history", { code: 4_444, message: "pruned history unavailable" }],
  ["lacking", "Erigon", { code: -32_000, message: "old data not available due to pruning" }],
  ["lacking", "a key", { code: -32_000, message: "invalid project id" }],
  ["lacking", "a plan", { code: -32_600, message: "archive requests are not available on your plan" }],
  ["behind", "Geth", { code: -32_000, message: "header not found" }],
  [
    "behind",
    "Geth of logs",
    { code: -32_602, message: "block range extends beyond current head block" },
    "eth_getLogs",
  ],
  ["behind", "Besu", { code: -32_000, message: "Block not found" }],
  ["behind", "Erigon", { code: -32_000, message: "block not found: 20000000" }],
  ["behind", "Reth", { code: -32_001, message: "block not found: hash 0x12" }],
  ["behind", "by hash", { code: -32_000, message: "unknown block" }],
  ["busy", "Alchemy", { code: 429, message: "Your app has exceeded its compute units per second capacity" }],
  ["busy", "Infura", { code: -32_005, message: "daily request count exceeded, request rate limited" }],
  ["busy", "Base", { code: -32_016, message: "over rate limit" }],
  ["busy", "QuickNode", { code: -32_007, message: "50/second request limit reached" }],
  ["busy", "without a code of its own", { code: -32_000, message: "Too many requests, slow down" }],
  ["size", "Infura", { code: -32_005, message: "query returned more than 10000 results" }],
  ["size", "Alchemy", { code: -32_602, message: "Log response size exceeded. You can make up to a 2K block range" }],
  ["size", "Alchemy's free plan", { code: -32_600, message: "eth_getLogs requests with up to a 10 block range" }],
  ["size", "QuickNode", { code: -32_614, message: "eth_getLogs is limited to a 10,000 range" }],
  ["size", "Ankr", { code: -32_062, message: "Block range is too large" }],
  ["size", "PublicNode", { code: -32_701, message: "exceed maximum block range: 50000" }],
  ["size", "Reth", { code: -32_602, message: "query exceeds max results 20000, retry with the range 1-2" }],
  ["size", "Reth's range", { code: -32_602, message: "query exceeds max block range 100000" }],
  ["size", "dRPC", { code: 35, message: "ranges over 10000 blocks are not supported on freetier" }],
  ["size", "Besu", { code: -32_005, message: "Requested range exceeds maximum RPC range limit" }],
  ["size", "Cloudflare", { code: -32_047, message: "'fromBlock'-'toBlock' range too large. Max range: 800" }],
  ["size", "a timeout", { code: -32_000, message: "query timeout exceeded" }],
  ["size", "gas", { code: -32_000, message: "out of gas" }, "eth_call"],
  ["size", "a batch", { code: -32_600, message: "batch limit 3 exceeded" }],
  ["account", "funds", { code: -32_000, message: "insufficient funds for gas * price + value" }, "eth_estimateGas"],
  ["request", "an argument", { code: -32_602, message: "invalid argument 0: hex string has length 3" }],
  ["request", "a method", { code: -32_601, message: "the method eth_x does not exist/is not available" }],
  ["request", "no request", { code: -32_600, message: "Invalid Request" }],
  ["node", "internal", { code: -32_603, message: "Internal error" }],
  ["node", "anything", { code: -32_000, message: "leveldb: closed" }],
  ["node", "an opcode is no refusal", { code: -32_015, message: "VM execution error.", data: "Bad instruction fe" }],
  ["node", "parse error", { code: -32_700, message: "parse error" }],
];

const SENDING: readonly (readonly [Meaning, RpcError])[] = [
  ...[
    ...["already known", "nonce too low: next nonce 4, tx nonce 3", "replacement transaction underpriced"],
    ...["insufficient funds for gas * price + value", "AlreadyKnown", "FeeTooLow", "FeeTooLowToCompete", "OldNonce"],
    ...[
      "max fee per gas less than block base fee",
      "exceeds block gas limit",
      "intrinsic gas too low",
      "known transaction: 12",
    ],
    ...["transaction underpriced: gas tip cap 0, minimum needed 1", "invalid sender", "invalid chain id for signer"],
  ].map((message) => ["request", { code: -32_000, message }] as const),
  ["request", { code: -32_010, message: "FeeTooLowToCompete" }],
  ["request", { code: -32_003, message: "transaction type not supported" }],
  ["request", { code: -32_603, message: "nonce too low" }],
  ["busy", { code: 429, message: "slow down" }],
  ["busy", { code: -32_000, message: "too many requests" }],
  ["node", { code: -32_603, message: "internal error" }],
  ["node", { code: -32_000, message: "txpool is full" }],
  ["node", { code: -32_000, message: "tx fee (1.20 ether) exceeds the configured cap (1.00 ether)" }],
];

function chainError(error: unknown): ChainError {
  const found = toChainError(error);
  if (found instanceof ChainError) return found;
  throw new Error("not a ChainError");
}

describe("what an execution node's error means", () => {
  for (const [client, error, data] of REVERTS)
    it(`is the contract's refusal as ${client} tells it`, () => {
      expect(revertIn(error)).to.equal(data);
      expect(meaningOf(error, "eth_call")).to.equal("reverted");
      const thrown = Object.assign(new Error("could not coalesce error"), { code: "UNKNOWN_ERROR", error });
      const found = chainError(thrown);
      expect(found.kind).to.equal("reverted");
      expect(found.revert?.name).to.equal(data === DATA ? "RequestTooSmall" : undefined);
    });

  for (const [meaning, whose, error, method = "eth_call"] of OTHERS)
    it(`is "${meaning}" and no refusal of a contract: ${whose}, ${String(error.message).slice(0, 40)}`, () => {
      expect(meaningOf(error, method)).to.equal(meaning);
      expect(isFinal(meaning)).to.equal(meaning === "request");
      // as ethers throws it of whatever an eth_call came to
      const thrown = Object.assign(new Error("missing revert data (action=call, revert=null)"), {
        ...{ code: "CALL_EXCEPTION", shortMessage: "missing revert data", data: null, revert: null, info: { error } },
      });
      expect(meaningOfThrown(thrown, method)).to.equal(meaning);
      const found = chainError(thrown);
      expect(found.kind).to.not.equal("reverted");
      if (meaning !== "request" && meaning !== "account") expect(found.exitCode).to.equal(EXIT.unavailable);
      if (meaning !== "account") expect(found.message).to.equal(error.message);
    });

  for (const [meaning, error] of SENDING)
    it(`of a transaction sent is "${meaning}": ${String(error.code)} ${String(error.message)}`, () => {
      expect(meaningOf(error, "eth_sendRawTransaction")).to.equal(meaning);
    });

  it("is found inside what wallets make of it", () => {
    const inner = { code: 3, message: "execution reverted", data: DATA };
    expect(rpcErrorIn({ code: -32_603, message: "Internal JSON-RPC error.", data: inner })).to.deep.equal(inner);
    expect(rpcErrorIn(new Error("x"))).to.equal(undefined);
    expect(meaningOfThrown(new Error("connect ECONNREFUSED"))).to.equal("network");
  });
});
