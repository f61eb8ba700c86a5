/** The local chain of `npm run dev`, which goes on where it was stopped. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Interface } from "ethers";
import { openDevChain } from "../../../../devnet/dev/chain.ts";
import type { DevChain } from "../../../../devnet/dev/chain.ts";
import { walletOf } from "../../../../devnet/dev/month.ts";
import { deriveValidatorKeys, signedDeposit, withdrawalCredentials } from "../../../../devnet/keys.ts";
import { DEPOSIT_CONTRACT } from "../../../../devnet/predeploys.ts";
import { AppError, EXIT } from "../../../../offchain/util/errors.ts";

const ETH = 10n ** 18n;
const DAYS = 8;

describe("the chain of npm run dev", function () {
  this.timeout(180_000);
  let folder: string;
  let chain: DevChain;
  const journal = (): string => join(folder, "journal.jsonl");
  const open = (): Promise<DevChain> => openDevChain({ journal: journal(), days: DAYS });
  const ask = (method: string, ...params: unknown[]): Promise<unknown> => chain.provider.request({ method, params });
  /** All that a person could find different. */
  const seen = async (): Promise<unknown> => {
    const { p } = chain;
    const { address } = walletOf("alice");
    const books = [p.token.balanceOf(address), p.token.rate(), p.pool.buffer(), p.oracle.lastReportHash()];
    return {
      head: await ask("eth_getBlockByNumber", "latest", false),
      root: p.beacon.head.root,
      ether: await ask("eth_getBalance", address, "latest"),
      token: await p.token.getAddress(),
      books: await Promise.all(books),
      slashed: p.beacon.stateAt().state.validators.filter(({ slashed }) => slashed).length,
      silentUntil: chain.silentUntil,
    };
  };
  const stake = async (value: bigint): Promise<unknown> =>
    ask("eth_sendTransaction", {
      from: walletOf("alice").address,
      to: await chain.p.pool.getAddress(),
      value: `0x${value.toString(16)}`,
    });

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "estuary-dev-"));
    chain = await open();
  });
  after(async () => {
    await chain.close();
    rmSync(folder, { recursive: true });
  });

  it("begins with stakers, three operators, an exit, a slashing, a request that can be claimed and one that waits, and ends now", async () => {
    const { p } = chain;
    expect(await p.operators.operatorCount()).to.equal(3n);
    const count = async (filter: Parameters<typeof p.validators.queryFilter>[0]): Promise<number> =>
      (await p.validators.queryFilter(filter)).length;
    expect(await count(p.validators.filters.Withdrawn())).to.equal(1);
    expect(await count(p.validators.filters.Slashed())).to.equal(1);
    const claimable = await p.queue.getClaimableEther([1, 2, 3, 4]);
    expect(claimable.map((wei) => wei > 0n)).to.deep.equal([true, true, false, false]);
    const rebased = await p.token.queryFilter(p.token.filters.TokenRebased());
    expect(rebased).to.have.length(DAYS);
    expect(Math.abs(p.beacon.timeOf(p.beacon.head.slot) - Date.now() / 1_000)).to.be.below(60);
    expect(await p.oracle.members()).to.have.length(5);
  });

  it("has an EtherPool that somebody lends to, and lacks what was sold to it", async () => {
    const { p, liquidity } = chain;
    const { etherPool, router } = liquidity;
    expect(await router.etherPool()).to.equal(await etherPool.getAddress());
    const { address: erin } = walletOf("erin");
    const { address: fay } = walletOf("fay");
    expect(await etherPool.balanceOf(erin)).to.equal(57n * ETH);
    const sales = await etherPool.queryFilter(etherPool.filters.Sold(undefined, fay));
    const [sold] = sales.map(({ args }) => args.ether_);
    expect(sales).to.have.length(1);
    const target = await etherPool.targetEther();
    // the wei that Erin's part was rounded up by, and the entry's 2 bp of 17 ETH
    expect((await etherPool.reserves()).ether_).to.be.within(target - (sold ?? 0n), target - (sold ?? 0n) + ETH / 250n);
    expect(await etherPool.sellableWithin(30)).to.be.greaterThan(0n);
    expect(await etherPool.buyable()).to.be.greaterThan(0n);
    expect(await p.queue.balanceOf(fay)).to.equal(0n);
  });

  it("goes on as it was: blocks, balances, what people sent, slashings, silence", async () => {
    await stake(3n * ETH);
    await chain.advance(900);
    // refused by the contract, and mined all the same
    await stake(1n).catch(() => undefined);
    await ask("hardhat_setBalance", walletOf("bob").address, "0x1234");
    const raw = await walletOf("carol").signTransaction({
      ...{ to: walletOf("alice").address, value: ETH, gasLimit: 21_000, chainId: 31_337, type: 2 },
      ...{ nonce: Number(await ask("eth_getTransactionCount", walletOf("carol").address, "latest")) },
      ...{ maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 1n },
    });
    await ask("eth_sendRawTransaction", raw);
    const [validator] = await chain.p.committee.fundedKeys(Number(await ask("eth_blockNumber")));
    await chain.slash(validator ?? "0x");
    await chain.nextDay();
    chain.missReport();
    await stake(ETH);
    await chain.advance(1);
    const before = await seen();
    await chain.close();
    chain = await open();
    expect(await seen()).to.deep.equal(before);
    expect(chain.isSilent()).to.equal(true);
    // and once more, further on
    await stake(2n * ETH);
    await chain.nextDay();
    const later = await seen();
    await chain.close();
    chain = await open();
    expect(await seen()).to.deep.equal(later);
  });

  it("takes what comes while time passes, one after the other: no deposit is lost to the beacon chain", async () => {
    const { beacon } = chain.p;
    const credentials = withdrawalCredentials(walletOf("bob").address);
    const deposits = deriveValidatorKeys(6, 200).map((key) => signedDeposit(key, credentials, 32n * 10n ** 9n));
    const send = (one: (typeof deposits)[number]): Promise<unknown> =>
      ask("eth_sendTransaction", {
        from: walletOf("carol").address,
        to: DEPOSIT_CONTRACT,
        value: `0x${(32n * ETH).toString(16)}`,
        data: new Interface(["function deposit(bytes,bytes,bytes,bytes32)"]).encodeFunctionData("deposit", [
          ...[one.pubkey, credentials, one.signature, one.depositDataRoot],
        ]),
      });
    const passing = deposits.map(async (one) => {
      const step = chain.advance(300);
      // in the middle of it
      await new Promise((resolve) => setTimeout(resolve, 2));
      await Promise.all([send(one), step]);
    });
    await Promise.all(passing);
    await chain.advance(1);
    const state = beacon.stateAt();
    const known = deposits.filter(
      ({ pubkey }) => state.validator(pubkey) !== undefined || state.pendingDeposits(pubkey).length > 0,
    );
    expect(known).to.have.length(deposits.length);
  });

  it("drops a last line that was not written to its end", async () => {
    await chain.advance(1);
    const before = await seen();
    await chain.close();
    appendFileSync(journal(), '{"method":"eth_sendRaw');
    chain = await open();
    expect(await seen()).to.deep.equal(before);
  });

  it("refuses ways round the beacon chain's time, in words", async () => {
    for (const method of ["evm_increaseTime", "hardhat_reset", "evm_setIntervalMining"])
      await ask(method, 1).then(
        () => expect.fail(`${method} was taken`),
        (error: unknown) =>
          expect(error).to.deep.include({ code: -32_004 }).and.to.have.property("message").that.includes(method),
      );
  });

  it("refuses a journal whose chain comes out otherwise, or that is of another version", async () => {
    await chain.close();
    const kept = readFileSync(journal(), "utf8");
    const refusal = async (text: string): Promise<unknown> => {
      writeFileSync(journal(), text);
      return open().then(
        async (opened) => {
          await opened.close();
          return "opened";
        },
        (error: unknown) => error,
      );
    };
    try {
      const changes: [string | RegExp, string, RegExp][] = [
        [/"value":"0x29a2241af62c0000"/, '"value":"0x29a2241af62c0001"', /line \d+: the chain comes out otherwise/],
        [/"root":"0x\w\w/, '"root":"0x00', /with other contracts, or another beginning: --fresh/],
        ['"version":1', '"version":0', /is not what this version writes: --fresh begins anew/],
      ];
      for (const [what, other, sentence] of changes) {
        expect(kept).to.match(new RegExp(what));
        const error = await refusal(kept.replace(what, other));
        expect(error).to.be.instanceOf(AppError).and.to.have.property("exitCode", EXIT.invalid);
        expect(String(error)).to.match(sentence);
      }
    } finally {
      writeFileSync(journal(), kept);
      chain = await open();
    }
  });
});
