import { expect } from "chai";
import { AbiCoder, Interface, ZeroAddress, makeError } from "ethers";
import { CONTRACT_ABIS } from "../../../offchain/chain/abis.ts";
import { ERROR_SENTENCES, sentenceFor } from "../../../offchain/chain/errorSentences.ts";
import { ChainError, ERRORS, decodeRevert, toChainError as toError } from "../../../offchain/chain/errors.ts";
import { AppError, EXIT } from "../../../offchain/util/errors.ts";

const TOO_SMALL = ERRORS.encodeErrorResult("RequestTooSmall", [7n, 100n]);

function toChainError(error: unknown): ChainError {
  const found = toError(error);
  if (found instanceof ChainError) return found;
  throw new Error("not a ChainError");
}

describe("errors of contracts, nodes and wallets", () => {
  it("have a sentence for every custom error of the protocol, which names only its arguments", () => {
    const library =
      /^(ECDSA|SafeCast|Address|ERC1967|UUPS|Initializ|NotInitializ|Failed|Invalid(ShortString|Initialization)|StringTooLong|Checkpoint|MathOverflow|InsufficientBalance|EmptyCode|SafeERC20|ReentrancyGuard|InvalidCheckpoint)/;
    const missing: string[] = [];
    for (const abi of CONTRACT_ABIS)
      new Interface(abi).forEachError((fragment) => {
        const { name, inputs } = fragment;
        const sentence = sentenceFor(fragment);
        if (sentence === undefined) {
          if (!library.test(name)) missing.push(name);
          return;
        }
        for (const [, key = ""] of sentence.matchAll(/\{(\w+)/g)) {
          const known = /^\d+$/.test(key) ? Number(key) < inputs.length : inputs.some((input) => input.name === key);
          expect(known, `${name}: ${key}`).to.equal(true);
        }
      });
    expect([...new Set(missing)]).to.deep.equal([]);
  });

  it("keep no sentence of an error that is gone", () => {
    const names = new Set<string>();
    ERRORS.forEachError((fragment) => names.add(fragment.name).add(fragment.format()));
    expect(Object.keys(ERROR_SENTENCES).filter((name) => !names.has(name))).to.deep.equal([]);
  });

  it("are decoded to name, arguments and a sentence with units", () => {
    expect(decodeRevert(TOO_SMALL)).to.deep.equal({
      name: "RequestTooSmall",
      args: { amount: 7n, minimum: 100n },
      message: "a withdrawal request needs at least 100 wei, not 7 wei",
    });
    const messageOf = (name: string, args: unknown[]) => decodeRevert(ERRORS.encodeErrorResult(name, args))?.message;
    expect(messageOf("BondTooSmall", [3n, 5n * 10n ** 17n, 10n ** 18n])).to.equal(
      "operator 3 has 0.5 ETH at stake and needs 1.0 ETH",
    );
    expect(messageOf("ReportOverdue", [1_700_000_000n])).to.contain("2023-11-14T22:13:20.000Z");
    expect(messageOf("NotReadyToExit", [9n, 2n ** 64n - 1n, 10n])).to.contain("exit epoch never");
    expect(messageOf("NotBelow", [32_000_000_000n, 31_750_000_000n])).to.contain("32.0 ETH is not below 31.75 ETH");
    expect(messageOf("WrongStatus", [`0x${"11".repeat(32)}`, 4])).to.contain("is exiting");
  });

  it("tell both contracts' errors of one name apart by their arguments", () => {
    const one = ERRORS.encodeErrorResult("OnlyPool(address)", [ZeroAddress]);
    const two = ERRORS.encodeErrorResult("OnlyPool(address,address)", [ZeroAddress, ZeroAddress]);
    expect(decodeRevert(one)?.args).to.have.all.keys("caller");
    expect(decodeRevert(two)?.args).to.have.all.keys("caller", "pool");
  });

  it("decode plain reasons, panics, and errors within an error's bytes", () => {
    const coder = AbiCoder.defaultAbiCoder();
    const reason = `0x08c379a0${coder.encode(["string"], ["too late"]).slice(2)}`;
    const panic = `0x4e487b71${coder.encode(["uint256"], [17n]).slice(2)}`;
    expect(decodeRevert(reason)?.message).to.equal("too late");
    expect(decodeRevert(panic)?.message).to.equal("an amount overflows or falls below zero");
    const outer = ERRORS.encodeErrorResult("ExitRequestFailed", [TOO_SMALL]);
    expect(decodeRevert(outer)?.name).to.equal("RequestTooSmall");
    expect(decodeRevert(ERRORS.encodeErrorResult("ExitRequestFailed", ["0x1234"]))?.name).to.equal("ExitRequestFailed");
  });

  it("say nothing of data that is nobody's, cut short, or empty", () => {
    for (const data of ["0x", "0x1234", "0xdeadbeef", TOO_SMALL.slice(0, 40), "not hex"])
      expect(decodeRevert(data), data).to.equal(undefined);
  });

  it("find the data wherever nodes and libraries put it, and never take a transaction's own", () => {
    const shapes = [
      { data: TOO_SMALL },
      { code: -32_000, message: "execution reverted", data: { data: TOO_SMALL } },
      { error: { code: 3, data: TOO_SMALL } },
      { info: { error: { code: 3, message: "execution reverted", data: TOO_SMALL } } },
      { cause: { cause: { data: TOO_SMALL } } },
    ];
    for (const shape of shapes) {
      const error = toChainError(Object.assign(new Error("failed"), shape));
      expect(error.revert?.name, JSON.stringify(shape)).to.equal("RequestTooSmall");
      expect(error).to.include({ kind: "reverted", exitCode: EXIT.failure });
    }
    const other = toChainError(Object.assign(new Error("failed"), { transaction: { data: TOO_SMALL } }));
    expect(other.kind).to.equal("unknown");
  });

  it("sort what wallets and nodes refuse by kind, in one sentence without the request", () => {
    const errors: [unknown, string, string][] = [
      [makeError("x", "INSUFFICIENT_FUNDS", { transaction: {} }), "insufficient-funds", "not enough ether"],
      [new Error("sender doesn't have enough funds to send tx"), "insufficient-funds", "not enough ether"],
      [
        makeError("x", "ACTION_REJECTED", { action: "sendTransaction", reason: "rejected" }),
        "rejected-by-user",
        "refused in the wallet",
      ],
      [{ code: 4001, message: "User denied" }, "rejected-by-user", "refused in the wallet"],
      [makeError("x", "NONCE_EXPIRED", { transaction: {} }), "nonce", "try again"],
      [{ message: "nonce too low: next nonce 4" }, "nonce", "try again"],
      [{ message: "replacement transaction underpriced" }, "underpriced", "fee is too low"],
      [Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }), "unavailable", "ECONNREFUSED"],
      [makeError("no answer", "TIMEOUT", { operation: "x", reason: "y" }), "unavailable", "no answer"],
    ];
    for (const [error, kind, words] of errors) {
      const found = toChainError(error);
      expect(found.kind, found.message).to.equal(kind);
      expect(found.message).to.contain(words).and.not.contain("\n");
      expect(found.exitCode).to.equal(kind === "unavailable" ? EXIT.unavailable : EXIT.failure);
    }
  });

  it("leave a person's errors and the end by a signal as they are", () => {
    const usage = new AppError(EXIT.usage, "no");
    expect(toError(usage)).to.equal(usage);
    const aborted = new DOMException("aborted", "AbortError");
    expect(toError(aborted)).to.equal(aborted);
  });
});
