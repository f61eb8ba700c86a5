import { expect } from "chai";
import { BrowserProvider, Wallet, toQuantity } from "ethers";
import { network } from "hardhat";
import type { ReportOracle } from "../../../typechain-types/contracts/oracle/ReportOracle.ts";
import { send } from "../../../offchain/oracle/submit.ts";
import type { Delivery, Sent, Unmined } from "../../../offchain/oracle/submit.ts";
import type { Clock } from "../../../offchain/util/clock.ts";

const GWEI = 10n ** 9n;
const ACCOUNT = new Wallet(`0x${"a7".repeat(32)}`);

describe("sending a report", () => {
  let rpc: (method: string, params?: unknown[]) => Promise<unknown>;
  let provider: BrowserProvider;
  let onSleep: () => Promise<void>;
  let now: number;
  const clock: Clock = {
    now: () => now,
    sleep: async (seconds) => {
      now += seconds;
      await onSleep();
    },
  };
  /** A contract that takes everything. */
  const oracle = (data: string): ReportOracle =>
    ({
      runner: { provider },
      getAddress: () => Promise.resolve(`0x${"0a".repeat(20)}`),
      interface: { encodeFunctionData: () => data },
    }) as never;
  const DELIVERY = { kind: "submission", report: {}, signed: [] } as unknown as Delivery;

  beforeEach(async () => {
    const connection = await network.create();
    rpc = (method, params = []) => connection.provider.request({ method, params });
    provider = new BrowserProvider(
      { request: ({ method, params }: { method: string; params: unknown[] }) => rpc(method, params) },
      31_337,
      { staticNetwork: true, cacheTimeout: -1 },
    );
    await rpc("hardhat_setBalance", [ACCOUNT.address, toQuantity(10n ** 20n)]);
    onSleep = () => Promise.resolve();
    now = 0;
  });
  afterEach(() => provider.destroy());

  async function baseFee(fee: bigint): Promise<void> {
    await rpc("hardhat_setNextBlockBaseFeePerGas", [toQuantity(fee)]);
    await rpc("evm_mine");
  }
  const submit = (limit: bigint, unmined?: Unmined, data = "0x01"): Promise<Sent> =>
    send(oracle(data), DELIVERY, ACCOUNT.connect(provider), {
      ...{ clock, unmined, maxFeePerGas: limit * GWEI, timeout: 10 },
    });
  const unminedOf = (sent: Sent): Unmined => {
    if (!("unmined" in sent)) throw new Error(`it is ${sent.kind}`);
    return sent.unmined;
  };

  it("is done where the base fee is below the limit, though twice the base fee is above it", async () => {
    await baseFee(110n * GWEI);
    const sent = await submit(200n);
    if (sent.kind !== "mined") throw new Error(`it is ${sent.kind}`);
    const transaction = await provider.getTransaction(sent.hash);
    expect(transaction?.maxFeePerGas).to.equal(200n * GWEI);
    await baseFee(210n * GWEI);
    const dear = await submit(200n);
    expect(dear.kind).to.equal("too dear");
  });

  it("replaces what is not mined by an eighth more while the limit has room, and takes whichever is mined", async () => {
    await baseFee(40n * GWEI);
    await rpc("evm_setAutomine", [false]);
    let sent = await submit(110n);
    const prices = [];
    for (let turn = 0; turn < 4; turn++) {
      const unmined = unminedOf(sent);
      prices.push(unmined.price.maxFeePerGas);
      sent = await submit(110n, unmined);
    }
    const [first = 0n, second = 0n, third = 0n, fourth] = prices;
    expect(first).to.equal(81n * GWEI);
    expect(second).to.equal((first * 9n) / 8n + 1n);
    expect(third).to.equal(second + second / 8n + 1n);
    expect(fourth, "another eighth is above the limit").to.equal(third);
    expect(unminedOf(sent).flight.hashes).to.have.length(3);
    onSleep = async () => {
      await rpc("evm_mine");
    };
    const mined = await submit(110n, unminedOf(sent));
    expect(mined.kind).to.equal("mined");
    expect(await provider.getTransactionCount(ACCOUNT.address)).to.equal(1);
  });

  it("is too dear for another report that can't outbid the one that waits", async () => {
    await baseFee(70n * GWEI);
    await rpc("evm_setAutomine", [false]);
    const sent = await submit(100n);
    expect((await submit(100n, unminedOf(sent), "0x02")).kind).to.equal("too dear");
    const other = await submit(200n, unminedOf(sent), "0x02");
    expect(other.kind).to.equal("not mined");
    expect(unminedOf(other).flight.nonce).to.equal(unminedOf(sent).flight.nonce);
  });

  it("raises the price where a transaction of an earlier run waits, and says by what it was replaced", async () => {
    await baseFee(10n * GWEI);
    await rpc("evm_setAutomine", [false]);
    const other = await ACCOUNT.signTransaction({
      ...{ to: ACCOUNT.address, nonce: 0, chainId: 31_337, type: 2, gasLimit: 21_000 },
      ...{ maxFeePerGas: 24n * GWEI, maxPriorityFeePerGas: GWEI },
    });
    await rpc("eth_sendRawTransaction", [other]);
    const first = await submit(100n);
    expect(first.kind).to.equal("underpriced");
    const second = await submit(100n, unminedOf(first));
    expect(second.kind).to.equal("underpriced");
    onSleep = async () => {
      await rpc("evm_mine");
    };
    const third = await submit(100n, unminedOf(second));
    expect(third.kind).to.equal("mined");
    await rpc("evm_setAutomine", [false]);
    onSleep = async () => {
      const cancel = await ACCOUNT.signTransaction({
        ...{ to: ACCOUNT.address, nonce: 1, chainId: 31_337, type: 2, gasLimit: 21_000 },
        ...{ maxFeePerGas: 90n * GWEI, maxPriorityFeePerGas: 50n * GWEI },
      });
      await rpc("eth_sendRawTransaction", [cancel]).catch(() => undefined);
      await rpc("evm_mine");
    };
    const last = await submit(100n);
    expect(last.kind).to.equal("replaced");
    expect(last)
      .to.have.property("reason")
      .that.matches(/\(nonce 1\) was cancelled by 0x/);
  });
});
