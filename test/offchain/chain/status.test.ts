import { expect } from "chai";
import type { AddressInfo } from "node:net";
import { call, etherOf, orElse, readAll } from "../../../offchain/chain/multicall.ts";
import { readAccount } from "../../../offchain/chain/read/account.ts";
import { readProtocol } from "../../../offchain/chain/read/protocol.ts";
import { wei } from "../../../offchain/protocol/units.ts";
import { openProvider } from "../../../offchain/chain/provider.ts";
import { ChainError } from "../../../offchain/chain/errors.ts";
import { fundValidators, predeposit, prove, startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { deriveValidatorKeys } from "../../../devnet/keys.ts";
import { contractValidatorProof } from "../../../offchain/beacon/contractProofs.ts";
import { serveRpc } from "../../../devnet/rpcServer.ts";
import { connection, ethers, loadFixture, provider } from "../../helpers/network.ts";
import { ETH, failure, placeMulticall, removeMulticall, sdkOf, watched } from "./harness.ts";

async function busy() {
  const p = await startLocalProtocol(connection);
  await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 100n * ETH });
  await fundValidators(p, 1, 0);
  await prove(p, await predeposit(p, 1, 1));
  await p.committee.report();
  await p.wrapped.connect(p.bob).stake(p.bob, p.bob, { value: 3n * ETH });
  await p.token.connect(p.alice).approve(p.wrapped, 5n * ETH);
  await p.queue.connect(p.alice).requestWithdrawals([10n * ETH, 1n * ETH], p.alice);
  return p;
}

describe("the status of the protocol and of an account", () => {
  afterEach(removeMulticall);

  for (const isThere of [false, true])
    it(`is what the contracts say, ${isThere ? "in one call of Multicall3" : "without Multicall3 in one batch"}`, async () => {
      const p = await loadFixture(busy);
      if (isThere) await placeMulticall();
      const sdk = await sdkOf(p);
      expect(sdk.multicall).to.equal(isThere);
      const status = await readProtocol(sdk);
      expect(status.totals.ether).to.equal(await p.token.getTotalPooledEther());
      expect(status.rate).to.equal(await p.token.rate());
      expect(status.pool.depositable).to.equal(await p.pool.depositable());
      expect(status.pool.etherAtValidators).to.equal(await p.pool.etherAtValidators());
      expect(status.pool.promised).to.equal(await p.pool.promised());
      expect(status.queue).to.include({ lastRequestId: 2n, lastFinalizedId: 0n, paused: false });
      expect(status.queue.waitingShares).to.equal(await p.queue.unfinalisedShares());
      expect(status.queue.oldestRoundEnd).to.equal(await p.queue.oldestRoundEnd());
      expect(status.oracle.lastRefSlot).to.equal(await p.oracle.lastRefSlot());
      expect(status.oracle.committee).to.deep.equal({ version: 1n, members: 9n, quorum: 5n });
      expect(status.deposits).to.include({ blocked: undefined });
      expect(status.payments).to.deep.equal({ calm: true, blocked: undefined, unreportedSlashings: 0 });
      expect(status.pool.exitDemand).to.equal(await p.validators.exitDemand());
      expect(status.tiers.map(({ open, bondFirst }) => ({ open, bondFirst }))).to.deep.equal([
        { open: false, bondFirst: ETH },
        { open: true, bondFirst: 3n * ETH },
        { open: true, bondFirst: 16n * ETH },
      ]);
      expect(status.validators).to.deep.equal({
        queued: 1,
        active: 1,
        leaving: 0,
        nextToFund: { tier: 0, sequence: 1 },
        operators: 1,
      });
      expect(status.block.timestamp).to.be.greaterThan(status.oracle.lastRefTime);

      const alice = await readAccount(sdk, p.alice.address);
      expect(alice.shares).to.equal(await p.token.sharesOf(p.alice));
      expect(alice.staked).to.equal(await p.token.balanceOf(p.alice));
      expect(alice.ether).to.equal(await ethers.provider.getBalance(p.alice));
      expect(alice).to.include({ wrapped: 0n, openRequests: 2n, wrapAllowance: 5n * ETH });
      const bob = await readAccount(sdk, p.bob.address);
      expect(bob.wrapped).to.equal(await p.wrapped.balanceOf(p.bob));
      expect(bob.wrappedValue).to.equal(await p.wrapped.convertToAssets(bob.wrapped));
    });

  it("says nobody's turn where nothing is queued, and why no deposit is taken", async () => {
    const p = await loadFixture(busy);
    const sdk = await sdkOf(p);
    await p.validators.connect(p.keeper).fundValidators([deriveValidatorKeys(1, 1)[0]?.pubkey ?? "0x"]);
    expect((await readProtocol(sdk)).validators.nextToFund).to.equal(undefined);
    await p.pool.connect(p.guardian).pauseDeposits(true);
    expect((await readProtocol(sdk)).deposits.blocked).to.equal("paused");
    await p.pool.connect(p.guardian).pauseDeposits(false);
    await provider.request({ method: "evm_increaseTime", params: [3 * 86_400] });
    await provider.request({ method: "evm_mine", params: [] });
    const late = await readProtocol(sdk);
    expect(late.deposits.blocked).to.equal("overdue");
    expect(late.oracle.incident).to.equal(true);
  });

  it("says whether it is calm, and why not: requests paused, a report overdue or held, an incident, slashings", async () => {
    const p = await loadFixture(busy);
    const sdk = await sdkOf(p);
    const { queue, oracle, beacon, committee, keeper, guardian } = p;
    const payments = async () => (await readProtocol(sdk)).payments;
    await queue.connect(guardian).pauseRequests(true);
    expect(await payments()).to.include({ calm: false, blocked: "paused" });
    await queue.connect(guardian).pauseRequests(false);
    expect(await payments()).to.include({ calm: true, blocked: undefined });

    const [key] = deriveValidatorKeys(1, 0);
    await beacon.advanceUntil(
      (state) => (state.validator(key?.pubkey ?? "0x")?.activationEpoch ?? Infinity) <= beacon.epoch,
    );
    await committee.report();
    beacon.slash(key?.pubkey ?? "0x");
    await beacon.advanceSlots(2);
    await p.validators.connect(keeper).proveSlashed(contractValidatorProof(beacon.proveValidator(key?.pubkey ?? "0x")));
    expect(await payments()).to.deep.equal({ calm: false, blocked: "slashings", unreportedSlashings: 1 });

    const report = await committee.read({ incident: true });
    await oracle.connect(keeper).announceReport(report, await committee.sign(report));
    expect(await payments()).to.include({ calm: false, blocked: "overdue" });
    await oracle.connect(keeper).submitReport(report, await committee.sign(report, 9));
    expect(await payments()).to.deep.equal({ calm: false, blocked: "incident", unreportedSlashings: 0 });
    await committee.report();
    await committee.report();
    expect(await payments()).to.deep.equal({ calm: true, blocked: undefined, unreportedSlashings: 0 });
  });

  it("shows what is on its way from validators, as the last report has it", async () => {
    const p = await loadFixture(busy);
    const sdk = await sdkOf(p);
    const { beacon, committee } = p;
    const [key] = deriveValidatorKeys(1, 0);
    const pubkey = key?.pubkey ?? "0x";
    expect((await readProtocol(sdk)).pool.leaving).to.equal(0n);
    await beacon.advanceUntil((state) => (state.validator(pubkey)?.activationEpoch ?? Infinity) + 256 <= beacon.epoch);
    beacon.voluntaryExit(pubkey);
    const passed = (BigInt(beacon.head.slot) - (await p.oracle.lastRefSlot())) / (await p.oracle.slotsPerFrame());
    await committee.report({}, committee.quorum, Number(passed) + 1);
    const { leaving } = await p.pool.books();
    expect(leaving).to.be.greaterThan(31n * ETH);
    expect((await readProtocol(sdk)).pool.leaving).to.equal(leaving);
  });

  it("reads all values as of one block, also an earlier one", async () => {
    const p = await loadFixture(busy);
    for (const place of [async () => undefined, placeMulticall]) {
      await place();
      const sdk = await sdkOf(p);
      const before = await ethers.provider.getBlockNumber();
      const shares = await p.token.sharesOf(p.carol);
      await p.pool.connect(p.carol).deposit(p.carol, p.carol, { value: ETH });
      const calls = { shares: call(sdk.token, sdk.token.sharesOf, p.carol.address), ether: etherOf(p.carol.address) };
      const then = await readAll(sdk, calls, before);
      const now = await readAll(sdk, calls);
      expect(then.values.shares).to.equal(shares);
      expect(then.block.number).to.equal(before);
      expect(now.block.number).to.equal(before + 1);
      expect(now.values.shares).to.be.greaterThan(shares);
      expect(then.values.ether - now.values.ether).to.be.greaterThan(ETH);
    }
  });

  it("decodes what a contract refuses, and takes the value in its place only if there is one", async () => {
    const p = await loadFixture(busy);
    for (const place of [async () => undefined, placeMulticall]) {
      await place();
      const sdk = await sdkOf(p);
      const refused = call(sdk.operators, sdk.operators.operator, 99n);
      const { values } = await readAll(sdk, { none: orElse(refused, "none") });
      expect(values.none).to.equal("none");
      const error = await failure(readAll(sdk, { refused }));
      expect(error.message).to.equal("there is no operator 99");
    }
  });

  it("does not take a node's failure for a contract's refusal", async () => {
    const p = await loadFixture(busy);
    let failing = false;
    const { provider: flaky } = watched({
      call: (...args: never[]) =>
        failing
          ? Promise.reject(Object.assign(new Error("socket hang up"), { code: "NETWORK_ERROR" }))
          : ethers.provider.call(...(args as unknown as [object])),
    });
    const sdk = await sdkOf(p, flaky);
    failing = true;
    const error = await failure(readAll(sdk, { none: orElse(call(sdk.operators, sdk.operators.operator, 99n), 0n) }));
    expect(error).to.be.instanceOf(ChainError).and.include({ kind: "unavailable" });
  });

  it("takes few requests and little time over HTTP", async () => {
    const p = await loadFixture(busy);
    for (const isThere of [false, true]) {
      if (isThere) await placeMulticall();
      const server = await serveRpc(provider, 0);
      let requests = -1; // opening asks for the chain id, and so does the first request
      server.on("request", () => (requests += 1));
      const node = await openProvider([`http://127.0.0.1:${(server.address() as AddressInfo).port}`]);
      const sdk = await sdkOf(p, node);
      const connecting = requests;
      const started = performance.now();
      const status = await readProtocol(sdk);
      const ofStatus = requests - connecting;
      await readAccount(sdk, p.alice.address);
      const ofAccount = requests - connecting - ofStatus;
      const milliseconds = performance.now() - started;
      node.destroy();
      server.close();
      server.closeAllConnections();
      expect(status.totals.ether).to.be.greaterThan(wei(100n * ETH));
      expect({ connecting, ofStatus, ofAccount }).to.deep.equal(
        isThere ? { connecting: 5, ofStatus: 1, ofAccount: 1 } : { connecting: 5, ofStatus: 2, ofAccount: 2 },
      );
      expect(milliseconds, "both").to.be.lessThan(1_000);
    }
  });
});
