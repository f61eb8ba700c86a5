import { expect } from "chai";
import type { Provider, Signer, TransactionReceipt, TransactionRequest } from "ethers";
import { Sender } from "../../../offchain/keeper/sender.ts";
import type { Clock } from "../../../offchain/util/clock.ts";
import { silentLog } from "../../../offchain/util/log.ts";
import { SENDER_RULES } from "./world.ts";

const FROM = `0x${"11".repeat(20)}`;
const BLOCK = `0x${"bb".repeat(32)}`;
const GWEI = 10n ** 9n;

/** A node that mines what it is told to, when it is told to. */
function fakeNode() {
  const state = {
    base: 10n * GWEI,
    mined: 7,
    pending: 7,
    now: 0,
    sent: [] as TransactionRequest[],
    /** Hashes that have a receipt, and its status. */
    receipts: new Map<string, number>(),
    onSleep: (): void => undefined,
    refuse: undefined as Error | undefined,
    balance: 10n ** 18n,
  };
  const provider = {
    estimateGas: () => Promise.resolve(100_000n),
    getBalance: () => Promise.resolve(state.balance),
    getNetwork: () => Promise.resolve({ chainId: 1n }),
    getBlockNumber: () => Promise.resolve(1),
    getBlock: () => Promise.resolve({ baseFeePerGas: state.base, hash: BLOCK, prefetchedTransactions: [] }),
    getFeeData: () => Promise.resolve({ maxPriorityFeePerGas: GWEI, gasPrice: state.base }),
    getTransaction: () => Promise.resolve(null),
    getTransactionCount: (_: string, tag: string) => Promise.resolve(tag === "pending" ? state.pending : state.mined),
    getTransactionReceipt: (hash: string) => {
      const status = state.receipts.get(hash);
      const receipt = { hash, status, blockNumber: 1, blockHash: BLOCK } as unknown as TransactionReceipt;
      return Promise.resolve(status === undefined ? null : receipt);
    },
  } as unknown as Provider;
  const signer = {
    getAddress: () => Promise.resolve(FROM),
    sendTransaction: (request: TransactionRequest) => {
      if (state.refuse !== undefined) return Promise.reject(state.refuse);
      state.sent.push(request);
      return Promise.resolve({ hash: `0x${state.sent.length}` });
    },
  } as unknown as Signer;
  const clock: Clock = {
    now: () => state.now,
    sleep: (seconds) => {
      state.now += seconds;
      state.onSleep();
      return Promise.resolve();
    },
  };
  const sender = new Sender(signer, provider, clock, SENDER_RULES, silentLog);
  return { state, sender };
}

async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "it did not fail",
    (error: unknown) => (error as Error).message,
  );
}

describe("the keeper's sender", () => {
  it("replaces what is not mined in time under the same nonce, an eighth dearer, and takes whichever is mined", async () => {
    const { state, sender } = fakeNode();
    state.onSleep = () => {
      if (state.sent.length === 3) state.receipts.set("0x1", 1);
    };
    const receipt = await sender.send({ to: FROM });
    expect(receipt.hash).to.equal("0x1");
    expect(state.sent.map(({ nonce }) => nonce)).to.deep.equal([7, 7, 7]);
    const fees = state.sent.map(({ maxFeePerGas }) => BigInt(maxFeePerGas ?? 0n));
    expect(fees[0]).to.equal(21n * GWEI);
    for (const [i, fee] of fees.slice(1).entries()) expect(fee * 8n).to.be.greaterThan((fees[i] ?? 0n) * 9n - 1n);
    expect(state.sent[0]?.gasLimit).to.equal(120_000n);
  });

  it("offers its limit once where the market goes beyond it meanwhile, and then only waits", async () => {
    const { state, sender } = fakeNode();
    state.onSleep = () => (state.base = 10_000n * GWEI);
    expect(await failure(sender.send({ to: FROM }))).to.equal(
      "transaction 0x2 (nonce 7) was not mined after 3 replacements",
    );
    const limit = SENDER_RULES.maxFeePerGas;
    expect(state.sent.map(({ maxFeePerGas }) => maxFeePerGas)).to.deep.equal([21n * GWEI, limit]);
    expect(state.now).to.equal(4 * SENDER_RULES.replaceAfter);
  });

  it("sends nothing that the account can't pay: it says what it has and needs", async () => {
    const { state, sender } = fakeNode();
    state.balance = 10n ** 15n;
    expect(await failure(sender.send({ to: FROM }))).to.equal(
      "the account has 0.001 ETH, this needs 0.00252 ETH (fee up to 0.00252)",
    );
    expect(state.sent).to.deep.equal([]);
  });

  it("stops soon when another transaction took the nonce, which this node does not show", async () => {
    const { state, sender } = fakeNode();
    state.refuse = Object.assign(new Error("nonce has already been used"), { code: "NONCE_EXPIRED" });
    state.onSleep = () => (state.mined = 8);
    expect(await failure(sender.send({ to: FROM }))).to.match(
      /^transaction .* \(nonce 7\) was replaced by another transaction$/,
    );
    expect(state.now).to.be.at.most(5 * SENDER_RULES.pollSeconds);
  });

  it("sends nothing while what an earlier run left is pending, and replaces it when that had its time", async () => {
    const { state, sender } = fakeNode();
    state.pending = 9;
    state.onSleep = () => {
      state.receipts.set("0x1", 1);
    };
    expect(await failure(sender.send({ to: FROM }, { urgent: true }))).to.equal("a transaction is pending");
    state.now += SENDER_RULES.replaceAfter - 1;
    expect(await failure(sender.send({ to: FROM }, { urgent: true }))).to.equal("a transaction is pending");
    expect(state.sent).to.deep.equal([]);
    state.now += 1;
    expect((await sender.send({ to: FROM })).status).to.equal(1);
    expect(state.sent[0]?.nonce).to.equal(7);
  });

  it("gives each pending transaction its own time", async () => {
    const { state, sender } = fakeNode();
    state.pending = 9;
    await failure(sender.send({ to: FROM }));
    state.now += SENDER_RULES.replaceAfter;
    state.mined = 8;
    expect(await failure(sender.send({ to: FROM })), "the first was mined").to.equal("a transaction is pending");
    [state.mined, state.pending] = [9, 9];
    state.onSleep = () => {
      state.receipts.set("0x1", 1);
    };
    await sender.send({ to: FROM });
    expect(state.sent[0]?.nonce).to.equal(9);
  });

  it("says when a transaction failed, and sends one at a time", async () => {
    const { state, sender } = fakeNode();
    state.receipts.set("0x1", 0);
    expect(await failure(sender.send({ to: FROM }))).to.equal("transaction 0x1 failed");
    const first = sender.send({ to: FROM }, { urgent: true });
    expect(await failure(sender.send({ to: FROM }, { urgent: true }))).to.equal("a transaction is pending");
    state.receipts.set("0x2", 1);
    expect((await first).hash).to.equal("0x2");
  });
});
