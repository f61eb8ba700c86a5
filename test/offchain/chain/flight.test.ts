/** What becomes of a transaction, and what nodes say of it. */
import { expect } from "chai";
import { BrowserProvider, Wallet, keccak256, toQuantity } from "ethers";
import type { JsonRpcSigner, TransactionRequest } from "ethers";
import { network } from "hardhat";
import { startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { ChainError } from "../../../offchain/chain/errors.ts";
import { Flight, lost } from "../../../offchain/chain/write/flight.ts";
import type { Settled } from "../../../offchain/chain/write/flight.ts";
import { stake } from "../../../offchain/chain/write/stake.ts";
import { Sender } from "../../../offchain/keeper/sender.ts";
import { wei } from "../../../offchain/protocol/units.ts";
import type { Clock } from "../../../offchain/util/clock.ts";
import { silentLog } from "../../../offchain/util/log.ts";
import { failure, sdkOf } from "./harness.ts";

const ETH = 10n ** 18n;
const GWEI = 10n ** 9n;
const TO = `0x${"5e".repeat(20)}`;
const PRICE = { maxFeePerGas: 50n * GWEI, maxPriorityFeePerGas: GWEI };
const DEAR = { maxFeePerGas: 100n * GWEI, maxPriorityFeePerGas: 5n * GWEI };

type Request = (method: string, params?: unknown[]) => Promise<unknown>;
/** Answers in the node's place, or lets it answer. */
type Tamper = (method: string, params: unknown[], node: () => Promise<unknown>) => Promise<unknown>;

describe("a transaction on its way", function () {
  this.timeout(60_000);
  let p: LocalProtocol;
  let rpc: Request;
  let tamper: Tamper;
  let provider: BrowserProvider;
  let wallet: Wallet;
  let snapshot: unknown;
  /** Runs at each look but the first. */
  let onSleep: (count: number) => Promise<void>;
  let slept: number;
  const clock: Clock = {
    now: () => slept * 5,
    sleep: async (_, signal) => {
      signal?.throwIfAborted();
      await onSleep(++slept);
    },
  };

  before(async () => {
    const connection = await network.create();
    rpc = (method, params = []) => connection.provider.request({ method, params });
    p = await startLocalProtocol(connection);
    await p.alice.sendTransaction({ to: new Wallet(`0x${"a7".repeat(32)}`).address, value: 100n * ETH });
  });
  beforeEach(async () => {
    snapshot = await rpc("evm_snapshot");
    tamper = (_, __, node) => node();
    slept = 0;
    onSleep = () => Promise.resolve();
    const request = ({ method, params = [] }: { method: string; params?: unknown[] | Record<string, unknown> }) =>
      tamper(method, params as unknown[], () => rpc(method, params as unknown[]));
    provider = new BrowserProvider({ request }, 31_337, { staticNetwork: true, cacheTimeout: -1 });
    provider.pollingInterval = 20;
    wallet = new Wallet(`0x${"a7".repeat(32)}`, provider);
    await rpc("evm_setAutomine", [false]);
  });
  afterEach(async () => {
    provider.destroy();
    await rpc("evm_setAutomine", [true]);
    await rpc("evm_revert", [snapshot]);
  });

  const mine = async (): Promise<void> => {
    await rpc("evm_mine");
  };
  const flightOf = (): Flight =>
    new Flight({
      ...{ provider, from: wallet.address, clock, pollSeconds: 5 },
      call: { to: TO, data: "0x", value: 7n },
    });
  const launch = (flight: Flight, price = PRICE): Promise<string> =>
    flight.launch(wallet, { gasLimit: 30_000n, price });
  /** By a second process with the same key, straight to the node. */
  async function elsewhere(transaction: TransactionRequest): Promise<string> {
    const nonce = Number(await rpc("eth_getTransactionCount", [wallet.address, "latest"]));
    const raw = await wallet.signTransaction({
      ...{ nonce, type: 2, chainId: 31_337, gasLimit: 30_000, ...DEAR },
      ...transaction,
    });
    await rpc("eth_sendRawTransaction", [raw]);
    return keccak256(raw);
  }
  const used = async (): Promise<number> => Number(await rpc("eth_getTransactionCount", [wallet.address, "latest"]));
  const chainFailure = async (work: Promise<unknown>): Promise<ChainError> => {
    const error: unknown = await failure(work);
    if (error instanceof ChainError) return error;
    throw new Error(`no ChainError: ${String(error)}`);
  };
  const hashOf = (settled: Settled | undefined): string | undefined =>
    settled !== undefined && "receipt" in settled ? settled.receipt.hash : undefined;

  it("is mined: by any of the hashes that it was sent under", async () => {
    const flight = flightOf();
    const first = await launch(flight);
    expect(await flight.wait({ seconds: 10 }), "not yet").to.equal(undefined);
    await mine();
    const settled = await flight.wait({ seconds: 10 });
    expect([settled?.kind, hashOf(settled)]).to.deep.equal(["mined", first]);
    const again = flightOf();
    await launch(again);
    const second = await launch(again, DEAR);
    expect(again.hashes).to.have.length(2);
    await mine();
    expect(hashOf(await again.wait({ seconds: 10 }))).to.equal(second);
  });

  it("ends when the wallet cancels it, which the SDK tells", async () => {
    const me = { protocol: await sdkOf(p, provider), signer: wallet };
    let cancelled = "";
    const sending = (await stake(me, wei(ETH))).send({
      onSent: () =>
        void (async () => {
          cancelled = await elsewhere({ to: wallet.address });
          await mine();
        })(),
    });
    const error = await chainFailure(sending);
    expect(error.kind).to.equal("replaced");
    expect(error.message)
      .to.match(/^transaction 0x[0-9a-f]{64} \(nonce 0\) was cancelled by 0x/)
      .and.include(cancelled);
  });

  it("succeeds when the wallet sends the same at another price: its receipt is what the SDK gives", async () => {
    const me = { protocol: await sdkOf(p, provider), signer: wallet };
    const staking = await stake(me, wei(ETH));
    let repriced = "";
    const { hash, outcome } = await staking.send({
      onSent: () =>
        void (async () => {
          const { to, data, value } = staking.transaction;
          repriced = await elsewhere({ to, data, value, gasLimit: 500_000 });
          await mine();
        })(),
    });
    expect(hash).to.equal(repriced);
    expect(outcome.amount).to.equal(ETH);
  });

  it("ends when another process takes its place, however many blocks later, and says by what", async () => {
    const flight = flightOf();
    await launch(flight);
    const other = await elsewhere({ to: TO, value: 8n });
    for (let block = 0; block < 100; block++) await mine();
    tamper = (method, params, node) => {
      if (method === "eth_getBlockByNumber" && params[1] === true) wholeBlocks += 1;
      return node();
    };
    let wholeBlocks = 0;
    const settled = await flight.wait({ seconds: 10 });
    if (settled === undefined || !("by" in settled)) throw new Error("it waits");
    expect(settled).to.deep.equal({ kind: "replaced", by: other });
    expect(wholeBlocks, "blocks looked through").to.equal(1);
    expect(lost(flight, settled).message).to.include(`was replaced by another transaction, ${other}`);
  });

  it("finds what took its place without states of the past, and ends without finding it", async () => {
    const flight = flightOf();
    await launch(flight);
    const other = await elsewhere({ to: TO, value: 8n });
    await rpc("hardhat_mine", ["0xa"]);
    tamper = (method, params, node) =>
      method === "eth_getTransactionCount" && !["latest", "pending"].includes(String(params[1]))
        ? Promise.reject(new Error("missing trie node"))
        : node();
    expect(await flight.wait({ seconds: 10 })).to.deep.equal({ kind: "replaced", by: other });
    // a node whose blocks are behind what it counts
    tamper = async (method, _, node) => {
      const answer = await node();
      return method === "eth_getBlockByNumber" ? { ...(answer as object), transactions: [] } : answer;
    };
    const settled = await flight.wait({ seconds: 100 });
    expect(settled).to.deep.equal({ kind: "replaced", by: undefined });
    expect(slept, "not at the first look").to.be.greaterThan(2);
  });

  it("waits for a receipt that comes late", async () => {
    tamper = (method, _, node) =>
      method === "eth_getTransactionReceipt" && slept < 7 ? Promise.resolve(null) : node();
    const flight = flightOf();
    const hash = await launch(flight);
    await mine();
    const settled = await flight.wait({ seconds: 100 });
    expect([settled?.kind, hashOf(settled), slept]).to.deep.equal(["mined", hash, 7]);
  });

  it("does not take a receipt from a block that is no longer the chain's", async () => {
    tamper = async (method, _, node) => {
      const answer = await node();
      return method === "eth_getTransactionReceipt" && answer !== null && slept < 3
        ? { ...(answer as object), blockHash: `0x${"ff".repeat(32)}` }
        : answer;
    };
    const flight = flightOf();
    await launch(flight);
    await mine();
    expect((await flight.wait({ seconds: 100 }))?.kind).to.equal("mined");
    expect(slept).to.equal(3);
  });

  it("is sent and mined again where its block is reorganised away before it is deep enough", async () => {
    const flight = flightOf();
    const hash = await launch(flight);
    const before = await rpc("evm_snapshot");
    await mine();
    const lone = (await rpc("eth_getTransactionReceipt", [hash])) as { blockHash: string };
    onSleep = async (count) => {
      if (count === 1) {
        await rpc("evm_revert", [before]);
        await rpc("hardhat_dropTransaction", [hash]).catch(() => undefined);
      } else await mine();
    };
    const settled = await flight.wait({ seconds: 500, confirmations: 3 });
    if (settled === undefined || !("receipt" in settled)) throw new Error("it waits");
    expect(settled.receipt.hash).to.equal(hash);
    expect(settled.receipt.blockHash).to.not.equal(lone.blockHash);
    expect(await provider.getBlockNumber()).to.equal(settled.receipt.blockNumber + 2);
    expect(await used()).to.equal(1);
  });

  it("is handed to the node again where that has dropped it", async () => {
    const flight = flightOf();
    const hash = await launch(flight);
    await rpc("hardhat_dropTransaction", [hash]);
    onSleep = async (count) => {
      if (count === 8) await mine();
    };
    expect(hashOf(await flight.wait({ seconds: 100 }))).to.equal(hash);
  });

  it("names its hash and nonce where it is not mined in time, and stops at once when told", async () => {
    const me = { protocol: await sdkOf(p, provider), signer: wallet };
    const error = await chainFailure((await stake(me, wei(ETH))).send({ timeout: 0.1 }));
    expect(error.kind).to.equal("pending");
    expect(error.message).to.match(
      /^transaction 0x[0-9a-f]{64} \(nonce 0\) is not mined after 0.1 s: it may still be$/,
    );
    const stop = new AbortController();
    const sending = (await stake(me, wei(ETH))).send({ signal: stop.signal, onSent: () => stop.abort() });
    expect((await failure(sending)).name).to.equal("AbortError");
  });

  it("is looked for where reading fails meanwhile, and told with its name where it fails for long", async () => {
    const flight = flightOf();
    const hash = await launch(flight);
    await mine();
    tamper = (_, __, node) => (slept < 10 ? Promise.reject(new Error("rate limited")) : node());
    expect(hashOf(await flight.wait({ seconds: 1_000 }))).to.equal(hash);
    tamper = () => Promise.reject(new Error("rate limited"));
    const error = await chainFailure(flight.wait({ seconds: 10_000 }));
    expect(error.kind).to.equal("unavailable");
    expect(error.message).to.include(hash).and.include("(nonce 0) was sent; whether it is mined is not known");
  });

  describe("is one, whatever the node says that has taken it", () => {
    const rules = {
      ...{ maxFeePerGas: 500n * GWEI, urgentMaxFeePerGas: 500n * GWEI },
      ...{ replaceAfter: 20, pollSeconds: 5, replacements: 2 },
    };
    for (const [says, error] of [
      ["already known (Geth, Reth)", { code: -32_000, message: "already known" }],
      ["AlreadyKnown (Nethermind)", { code: -32_010, message: "AlreadyKnown" }],
      ["Known transaction (Besu)", { code: -32_000, message: "Known transaction" }],
      ["FeeTooLowToCompete (Nethermind)", { code: -32_010, message: "FeeTooLowToCompete" }],
      ["nonce too low", { code: -32_000, message: "nonce too low: next nonce 1, tx nonce 0" }],
      ["replacement transaction underpriced", { code: -32_000, message: "replacement transaction underpriced" }],
      ["an internal error", { code: -32_603, message: "Internal error" }],
      ["nothing: the connection breaks", Object.assign(new Error("fetch failed"), { code: "ECONNRESET" })],
    ] as const)
      for (const isMined of [true, false])
        it(`${says}, ${isMined ? "mined at once" : "waiting"}, by the keeper and by the SDK`, async () => {
          await rpc("evm_setAutomine", [isMined]);
          tamper = async (method, _, node) => {
            // other machines behind the address hear of it later
            if (method === "eth_getTransactionByHash" && slept < 2) return null;
            if (method === "eth_getTransactionReceipt" && slept < 2) return null;
            const answer = await node();
            if (method !== "eth_sendRawTransaction") return answer;
            throw Object.assign(new Error(error.message), error);
          };
          onSleep = async (count) => {
            if (count === 6) await mine();
          };
          const sender = new Sender(wallet, provider, clock, rules, silentLog);
          const receipt = await sender.send({ to: TO, value: 7n });
          expect(receipt.status).to.equal(1);
          expect(await used()).to.equal(1);
          expect(await provider.getBalance(TO)).to.equal(7n);

          slept = 10;
          const me = { protocol: await sdkOf(p, provider), signer: wallet };
          const timer = setInterval(() => void mine(), 100);
          await (await stake(me, wei(ETH))).send().finally(() => clearInterval(timer));
          expect(await used()).to.equal(2);
        });

    it("and is handed over again where the connection broke before the node had it", async () => {
      tamper = (method, _, node) =>
        method === "eth_sendRawTransaction" && slept < 2
          ? Promise.reject(Object.assign(new Error("fetch failed"), { code: "ECONNRESET" }))
          : node();
      onSleep = async (count) => {
        if (count > 10) await mine();
      };
      const flight = flightOf();
      const hash = await launch(flight);
      expect(hashOf(await flight.wait({ seconds: 200 }))).to.equal(hash);
      expect(await used()).to.equal(1);
    });

    it("and pays more in the same place where a full pool did not take it", async () => {
      let sent = 0;
      tamper = (method, _, node) => {
        if (method !== "eth_sendRawTransaction" || ++sent > 1) return node();
        return Promise.reject(Object.assign(new Error("FeeTooLowToCompete"), { code: -32_010 }));
      };
      onSleep = async () => {
        if (sent > 1) await mine();
      };
      const sender = new Sender(wallet, provider, clock, rules, silentLog);
      expect((await sender.send({ to: TO, value: 7n })).status).to.equal(1);
      expect([sent, await used()]).to.deep.equal([2, 1]);
    });

    it("and says so where no node takes it", async () => {
      tamper = (method, _, node) =>
        method === "eth_sendRawTransaction"
          ? Promise.reject(Object.assign(new Error("fetch failed"), { code: "ECONNRESET" }))
          : node();
      const flight = flightOf();
      const hash = await launch(flight);
      const error = await chainFailure(flight.wait({ seconds: 10_000 }));
      expect(error.kind).to.equal("unavailable");
      expect(error.message).to.include(hash);
    });

    it("and what a node refuses for good is refused with its reason", async () => {
      tamper = (method, _, node) =>
        method === "eth_sendRawTransaction"
          ? Promise.reject(Object.assign(new Error("intrinsic gas too low"), { code: -32_000 }))
          : node();
      await chainFailure(launch(flightOf()));
      expect(slept, "looked for in vain").to.equal(3);
      expect(await used()).to.equal(0);
    });
  });

  describe("of a browser's wallet, which chooses fees and nonce and tells only a hash", () => {
    let signer: JsonRpcSigner;
    let isPrivate: boolean;
    let nonce: number;
    beforeEach(async () => {
      isPrivate = false;
      nonce = 0;
      const sent: string[] = [];
      tamper = async (method, params, node) => {
        if (method === "eth_accounts" || method === "eth_requestAccounts") return [wallet.address];
        if (method === "eth_getTransactionByHash" && isPrivate && sent.includes(String(params[0]))) return null;
        if (method !== "eth_sendTransaction") return node();
        const [{ to, data, value }] = params as [{ to: string; data: string; value: string }];
        const own = {
          ...{ to, data, value },
          nonce: nonce++,
          gasLimit: 400_000,
          type: 2,
        };
        const raw = await wallet.signTransaction({ ...own, chainId: 31_337, ...DEAR });
        sent.push(keccak256(raw));
        return rpc("eth_sendRawTransaction", [raw]);
      };
      signer = await provider.getSigner();
    });

    it("is mined, also where no node shows it before", async () => {
      for (const hidden of [false, true]) {
        isPrivate = hidden;
        const me = { protocol: await sdkOf(p, provider), signer };
        const sending = (await stake(me, wei(ETH))).send({ onSent: () => void mine() });
        expect((await sending).outcome.amount).to.equal(ETH);
      }
    });

    it("ends when it is sped up or cancelled there", async () => {
      const me = { protocol: await sdkOf(p, provider), signer };
      const staking = await stake(me, wei(ETH));
      const replace = async (transaction: TransactionRequest): Promise<void> => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        const more = { maxFeePerGas: 200n * GWEI, maxPriorityFeePerGas: 20n * GWEI, gasLimit: 400_000 };
        await elsewhere({ ...transaction, ...more });
        await mine();
      };
      const { to, data, value } = staking.transaction;
      const sent = await staking.send({ onSent: () => void replace({ to, data, value }) });
      expect(sent.outcome.amount).to.equal(ETH);
      const error = await chainFailure(staking.send({ onSent: () => void replace({ to: wallet.address }) }));
      expect(error.message).to.include("was cancelled by");
    });
  });

  it("is not even simulated where the account lacks the money: what it has, what this needs", async () => {
    await rpc("hardhat_setBalance", [wallet.address, toQuantity(ETH / 10n)]);
    const gas = { simulate: 0, estimate: 0 };
    tamper = async (method, params, node) => {
      if (method === "eth_call" && (params[0] as { value?: string }).value !== undefined) gas.simulate += 1;
      if (method !== "eth_estimateGas") return node();
      // as Geth: with an override of the balance, or not at all
      if (params[2] === undefined) throw Object.assign(new Error("execution reverted"), { code: 3, data: "0x" });
      gas.estimate += 1;
      return "0x186a0";
    };
    const me = { protocol: await sdkOf(p, provider), signer: wallet };
    const staking = await stake(me, wei(ETH));
    for (const step of ["simulate", "estimate", "send"] as const) {
      const error = await chainFailure(staking[step]());
      expect(error.kind).to.equal("insufficient-funds");
      expect(error.message).to.match(
        /^the account has 0\.1 ETH, this needs 1\.000\d+ ETH \(value 1, fee up to 0\.000\d+\)$/,
      );
    }
    expect(gas.simulate).to.equal(0);
    tamper = (method, _, node) =>
      method === "eth_estimateGas" ? Promise.reject(new Error("invalid argument 2")) : node();
    expect((await failure(staking.simulate())).message).to.equal(
      "the account has 0.1 ETH, this needs 1 ETH and the fee",
    );
    tamper = (_, __, node) => node();
    await rpc("hardhat_setBalance", [wallet.address, toQuantity(ETH)]);
    await staking.simulate();
    expect((await failure(staking.estimate())).message).to.match(/^the account has 1 ETH, this needs 1\.0/);
  });
});
