import { expect } from "chai";
import { Wallet } from "ethers";
import type { Signer } from "ethers";
import type { AddressInfo } from "node:net";
import { openProvider } from "../../../offchain/chain/provider.ts";
import { ChainError } from "../../../offchain/chain/errors.ts";
import type { Context } from "../../../offchain/chain/write/prepare.ts";
import { approvalFor } from "../../../offchain/chain/write/permit.ts";
import { stake, stakeAndWrap, unwrap, wrap, wrapWithPermit } from "../../../offchain/chain/write/stake.ts";
import {
  claim,
  requestWithdrawals,
  requestWrappedWithdrawals,
  splitAmount,
} from "../../../offchain/chain/write/withdraw.ts";
import * as operator from "../../../offchain/chain/write/operator.ts";
import { announceReport, submitReport } from "../../../offchain/chain/write/committee.ts";
import { shares, wei } from "../../../offchain/protocol/units.ts";
import { EXIT } from "../../../offchain/util/errors.ts";
import type { Hex } from "../../../offchain/util/hex.ts";
import { deriveValidatorKeys, signedDeposit } from "../../../devnet/keys.ts";
import { startLocalProtocol, validatorBatch } from "../../../devnet/simulated/localProtocol.ts";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { serveRpc } from "../../../devnet/rpcServer.ts";
import { connection, ethers, loadFixture, provider } from "../../helpers/network.ts";
import { ETH, failure, sdkOf } from "./harness.ts";

async function local() {
  return startLocalProtocol(connection);
}

async function as(p: LocalProtocol, signer: Signer): Promise<Context> {
  return { protocol: await sdkOf(p), signer };
}

async function refusal(work: Promise<unknown>): Promise<ChainError> {
  const error = await failure(work);
  if (error instanceof ChainError) return error;
  throw error;
}

describe("staking, wrapping and leaving through the SDK", () => {
  it("stakes: the simulation, the estimate and the outcome agree with the chain", async () => {
    const p = await loadFixture(local);
    const action = await stake(await as(p, p.alice), wei(10n * ETH));
    const simulated = await action.simulate();
    const cost = await action.estimate();
    const before = await ethers.provider.getBalance(p.alice);
    const { outcome, receipt, events } = await action.send({ maxFee: cost.maxFee });
    expect(outcome).to.deep.equal({ amount: 10n * ETH, shares: simulated });
    expect(await p.token.sharesOf(p.alice)).to.equal(simulated);
    expect(cost.gas).to.be.at.least(receipt.gasUsed);
    expect(cost.gasLimit).to.equal((cost.gas * 6n) / 5n);
    expect(cost.total).to.equal(10n * ETH + cost.gasLimit * cost.maxFeePerGas);
    const spent = before - (await ethers.provider.getBalance(p.alice));
    expect(spent)
      .to.equal(10n * ETH + receipt.fee)
      .and.to.be.at.most(cost.total);
    expect(events.map(({ contract, name }) => `${contract}.${name}`)).to.deep.equal([
      "token.Transfer",
      "pool.Deposited",
    ]);
  });

  it("wraps by approval and by permit, and unwraps, and stakes for westETH", async () => {
    const p = await loadFixture(local);
    const me = await as(p, p.alice);
    await (await stake(me, wei(5n * ETH))).send();
    expect((await refusal((await wrap(me, wei(ETH))).simulate())).revert?.name).to.equal("ERC20InsufficientAllowance");
    const approval = await approvalFor(me, "estETH", p.wrapped, wei(ETH));
    await approval?.send();
    expect(await approvalFor(me, "estETH", p.wrapped, wei(ETH))).to.equal(undefined);
    const byApproval = await wrap(me, wei(ETH));
    const result = await byApproval.simulate();
    expect((await byApproval.send()).outcome.wrapped).to.equal(result);
    const deadline = BigInt((await ethers.provider.getBlock("latest"))?.timestamp ?? 0) + 3_600n;
    const byPermit = await wrapWithPermit(me, wei(2n * ETH), deadline);
    const { outcome } = await byPermit.send();
    expect(await p.wrapped.balanceOf(p.alice)).to.equal(result + outcome.wrapped);
    const out = await (await unwrap(me, outcome.wrapped)).send();
    expect(out.outcome.shares).to.equal(outcome.wrapped * 10n ** 9n);
    const direct = await (await stakeAndWrap(me, wei(ETH), { receiver: p.bob.address })).send();
    expect(await p.wrapped.balanceOf(p.bob)).to.equal(direct.outcome.wrapped);
  });

  it("requests in pieces, and claims all with hints", async () => {
    const p = await loadFixture(local);
    const me = await as(p, p.alice);
    await (await stake(me, wei(9n * ETH))).send();
    const request = await requestWithdrawals(me, wei(7n * ETH), { largest: wei(3n * ETH) });
    const ids = await request.simulate();
    const { outcome } = await request.send();
    expect(outcome).to.deep.equal({ ids: [1n, 2n, 3n], amount: 7n * ETH });
    expect([...ids]).to.deep.equal([1n, 2n, 3n]);
    const early = await refusal((await claim(me, [1n])).simulate());
    expect(early.message).to.equal("withdrawal request 1 is not finalised yet");
    await p.committee.report();
    await (await stakeAndWrap(me, wei(2n * ETH))).send();
    const second = await (await requestWrappedWithdrawals(me, wei(ETH))).send();
    expect(second.outcome.ids).to.deep.equal([4n]);
    await p.committee.report();
    const claiming = await claim(me, [4n, 2n, 1n, 3n], p.carol.address);
    const [sorted, hints] = p.queue.interface.decodeFunctionData("claimWithdrawals", claiming.transaction.data);
    expect([...(sorted as bigint[])]).to.deep.equal([1n, 2n, 3n, 4n]);
    expect([...(hints as bigint[])], "two rounds").to.deep.equal([1n, 1n, 1n, 2n]);
    const paid = await claiming.send();
    const total = paid.outcome.amount;
    expect(total).to.be.greaterThan(8n * ETH - 10n);
    const again = await refusal((await claim(me, [2n])).estimate());
    expect(again.revert?.name).to.equal("AlreadyClaimed");
  });

  it("splits amounts into equal pieces that sum up, at most a hundred", () => {
    for (const [amount, largest, count] of [
      [0n, 5n, 1],
      [5n, 5n, 1],
      [6n, 5n, 2],
      [11n, 5n, 3],
      [10_000n, 3n, 100],
    ] as const) {
      const pieces = splitAmount(wei(amount), wei(largest));
      expect(pieces).to.have.length(count);
      expect(pieces.reduce((sum, piece) => sum + piece, 0n)).to.equal(amount);
      const [first = 0n, last = 0n] = [pieces[0], pieces.at(-1)];
      expect(first - last <= 1n && last <= first).to.equal(true);
    }
    expect(splitAmount(wei(2_500n * ETH))).to.have.length(3);
    expect(() => splitAmount(wei(1n), wei(0n))).to.throw(RangeError);
  });

  it("refuses before anything is signed: too dear, too little ether, aborted, nothing to claim", async () => {
    const p = await loadFixture(local);
    const me = await as(p, p.alice);
    const nonce = await p.alice.getNonce();
    const action = await stake(me, wei(ETH));
    const dear = await refusal(action.send({ maxFee: wei(1n) }));
    expect(dear).to.include({ kind: "refused", exitCode: EXIT.refused });
    expect(dear.message).to.contain("nothing was sent");
    const poor = new Wallet(Wallet.createRandom().privateKey, ethers.provider);
    const broke = await refusal((await stake(await as(p, poor), wei(ETH))).estimate());
    expect(broke.kind).to.equal("insufficient-funds");
    const aborted = await failure(action.send({ signal: AbortSignal.abort() }));
    expect(aborted.name).to.equal("AbortError");
    expect((await refusal(claim(me, []))).message).to.equal("there is nothing to claim");
    expect(
      (
        await refusal(
          claim(
            me,
            Array.from({ length: 101 }, (_, id) => BigInt(id)),
          ),
        )
      ).kind,
    ).to.equal("refused");
    expect(await p.alice.getNonce()).to.equal(nonce);
  });

  it("tells why a contract refuses, with its values", async () => {
    const p = await loadFixture(local);
    const me = await as(p, p.alice);
    const tiny = await refusal((await requestWithdrawals(me, wei(5n))).simulate());
    expect(tiny.message).to.equal("a withdrawal request needs at least 100 wei, not 5 wei");
    await p.pool.connect(p.guardian).pauseDeposits(true);
    for (const step of ["simulate", "estimate", "send"] as const)
      expect((await refusal((await stake(me, wei(ETH)))[step]())).message).to.equal(
        "deposits are paused by a guardian",
      );
  });

  it("tells why a mined transaction failed", async () => {
    const p = await loadFixture(local);
    const me = await as(p, p.alice);
    const action = await stake(me, wei(ETH));
    // between the estimate and the block the guardian pauses: the signer stands for the delay
    const slow: Signer = new Proxy(p.alice, {
      get: (target, property) =>
        property === "sendTransaction"
          ? async (transaction: object) => {
              await p.pool.connect(p.guardian).pauseDeposits(true);
              await provider.request({ method: "evm_setAutomine", params: [false] });
              const sent = await target.sendTransaction({ ...transaction, gasLimit: 500_000n });
              await provider.request({ method: "evm_mine", params: [] });
              await provider.request({ method: "evm_setAutomine", params: [true] });
              return sent;
            }
          : (Reflect.get(target, property) as unknown),
    });
    const late = await stake({ protocol: me.protocol, signer: slow }, wei(ETH));
    const error = await refusal(late.send());
    expect(error.message).to.equal("deposits are paused by a guardian");
    expect(action.transaction.value).to.equal(ETH);
  });

  it("tells what a wallet refused", async () => {
    const p = await loadFixture(local);
    const unwilling: Signer = new Proxy(p.alice, {
      get: (target, property) =>
        property === "sendTransaction" || property === "signTypedData"
          ? () => Promise.reject(Object.assign(new Error("user rejected action"), { code: "ACTION_REJECTED" }))
          : (Reflect.get(target, property) as unknown),
    });
    const me = await as(p, unwilling);
    expect((await refusal((await stake(me, wei(ETH))).send())).kind).to.equal("rejected-by-user");
    expect((await refusal(wrapWithPermit(me, wei(1n), 0n))).kind).to.equal("rejected-by-user");
  });

  it("works over HTTP with a key of its own, whose node it asks for everything", async () => {
    const p = await loadFixture(local);
    const server = await serveRpc(provider, 0);
    const node = await openProvider([`http://127.0.0.1:${(server.address() as AddressInfo).port}`], {
      pollingSeconds: 0.05,
    });
    try {
      const wallet = Wallet.createRandom(node);
      await p.alice.sendTransaction({ to: wallet, value: 3n * ETH });
      const me = { protocol: await sdkOf(p, node), signer: wallet };
      const hashes: Hex[] = [];
      const one = await (await stake(me, wei(ETH))).send({ onSent: (hash) => hashes.push(hash) });
      const two = await (await stake(me, wei(ETH))).send({ nonce: 1 });
      expect(hashes).to.deep.equal([one.hash]);
      expect(await p.token.sharesOf(wallet)).to.equal(one.outcome.shares + two.outcome.shares);
      const used = await refusal((await stake(me, wei(ETH / 10n))).send({ nonce: 0 }));
      expect(used.kind).to.equal("nonce");
      const error = await refusal((await requestWithdrawals(me, wei(1n))).simulate());
      expect(error.revert?.name).to.equal("RequestTooSmall");
    } finally {
      node.destroy();
      server.close();
      server.closeAllConnections();
    }
  });
});

describe("what operators and the committee do through the SDK", () => {
  it("takes a key from joining to funding, and moves bond and rewards in every form", async () => {
    const p = await loadFixture(local);
    const me = await as(p, p.bob);
    await (await stake(await as(p, p.alice), wei(64n * ETH))).send();
    const { operatorId } = (await (await operator.join(me, 1n, p.bob.address, "Bob")).send()).outcome;
    expect(operatorId).to.equal(2n);
    await (await operator.addBond(me, operatorId, wei(2n * ETH))).send();
    const [key] = deriveValidatorKeys(1, 0);
    if (key === undefined) throw new Error("no key");
    const credentials = (await p.validators.withdrawalCredentials()) as Hex;
    const { keyRoots } = (
      await (await operator.predeposit(me, operatorId, [signedDeposit(key, credentials, 10n ** 9n)])).send()
    ).outcome;
    await p.beacon.advanceUntil((state) => state.validator(key.pubkey) !== undefined);
    await p.beacon.advanceSlots(1);
    const anyone = await as(p, p.keeper);
    const proven = await (await operator.proveValidators(anyone, validatorBatch(p, [key]))).send();
    expect(proven.outcome.keyRoots).to.deep.equal(keyRoots);
    const funding = await operator.fundValidators(anyone, [key.pubkey]);
    expect(await funding.simulate()).to.equal(1n);
    expect((await funding.send()).outcome.count).to.equal(1n);

    await (await stake(me, wei(5n * ETH))).send();
    const half = shares((await p.token.sharesOf(p.bob)) / 2n);
    await (await approvalFor(me, "estETH", p.operators, wei(3n * ETH)))?.send();
    expect((await (await operator.addBondShares(me, operatorId, half)).send()).outcome.shares).to.equal(half);
    await (await stakeAndWrap(me, wei(ETH))).send();
    const wrapped = wei(await p.wrapped.balanceOf(p.bob));
    await (await approvalFor(me, "westETH", p.operators, wrapped))?.send();
    await (await operator.addBondWrapped(me, operatorId, wrapped)).send();

    await p.beacon.advanceSlots(10);
    for (let n = 0; n < 3; n++) await p.committee.report();
    const claimable = await p.operators.claimableShares(operatorId);
    expect(claimable).to.be.greaterThan(0n);
    const compound = await (await operator.compoundRewards(me, operatorId)).send();
    expect(compound.outcome.shares).to.equal(claimable);
    await p.committee.report();
    const asWrapped = await (await operator.claimRewards(me, operatorId, "westETH", p.carol.address)).send();
    expect(await p.wrapped.balanceOf(p.carol)).to.equal(asWrapped.outcome.shares / 10n ** 9n);
    await p.committee.report();
    const asShares = await (await operator.claimRewards(me, operatorId)).send();
    expect(asShares.outcome.shares).to.be.greaterThan(0n);

    const free = shares(await p.operators.freeBond(operatorId));
    const out = await (await operator.withdrawBond(me, operatorId, shares(free / 2n))).send();
    expect(out.outcome.shares).to.equal(free / 2n);
    const rest = shares(await p.operators.freeBond(operatorId));
    await (await operator.withdrawBond(me, operatorId, rest, "westETH", p.carol.address)).send();
    const more = await refusal((await operator.withdrawBond(me, operatorId, shares(10n ** 24n))).simulate());
    expect(more.revert?.name).to.equal("BondTooSmall");
    await (await operator.setManager(me, operatorId, p.carol.address)).send();
    await (await operator.setRewardAddress(me, operatorId, p.carol.address)).send();
    expect((await p.operators.operator(operatorId)).rewardAddress).to.equal(p.carol.address);
  });

  it("drops a fined operator's queued keys and queues them again, many at once, passing over what is no longer queued", async () => {
    const p = await loadFixture(local);
    const me = await as(p, p.bob);
    const anyone = await as(p, p.keeper);
    const { operatorId } = (await (await operator.join(me, 1n, p.bob.address, "Bob")).send()).outcome;
    await (await operator.addBond(me, operatorId, wei(4n * ETH))).send();
    const keys = deriveValidatorKeys(3, 0);
    const credentials = (await p.validators.withdrawalCredentials()) as Hex;
    const deposits = keys.map((key) => signedDeposit(key, credentials, 10n ** 9n));
    const { keyRoots } = (await (await operator.predeposit(me, operatorId, deposits)).send()).outcome;
    await p.beacon.advanceUntil((state) => keys.every(({ pubkey }) => state.validator(pubkey) !== undefined));
    await p.beacon.advanceSlots(1);
    await (await operator.proveValidators(anyone, validatorBatch(p, keys))).send();

    const healthy = await refusal((await operator.dropQueued(anyone, keyRoots)).simulate());
    expect(healthy.revert?.name).to.equal("NotInDoubt");
    await p.operators.connect(p.guardian).lockFine(operatorId, 4n * ETH, `0x${"11".repeat(32)}`);
    const one = await (await operator.dropQueued(anyone, keyRoots.slice(0, 1))).send();
    expect(one.outcome.keyRoots).to.deep.equal(keyRoots.slice(0, 1));
    const rest = await (await operator.dropQueued(anyone, keyRoots)).send();
    expect(rest.outcome.keyRoots, "the first was dropped before").to.deep.equal(keyRoots.slice(1));
    const none = await refusal((await operator.dropQueued(anyone, keyRoots)).simulate());
    expect(none.revert?.name).to.equal("NoneQueued");

    await p.operators.connect(p.governor).cancelFine(operatorId);
    const strangers = await refusal((await operator.requeue(anyone, keyRoots)).simulate());
    expect(strangers.revert?.name).to.equal("NotOperatorOwner");
    expect((await (await operator.requeue(me, keyRoots)).send()).outcome.keyRoots).to.deep.equal(keyRoots);
    const known = await refusal((await operator.predeposit(me, operatorId, deposits)).simulate());
    expect(known.revert?.name).to.equal("AllKeysKnown");
  });

  it("refuses no keys, too many keys, and keys of somebody else's operator", async () => {
    const p = await loadFixture(local);
    const me = await as(p, p.bob);
    expect((await refusal(operator.predeposit(me, 1n, []))).kind).to.equal("refused");
    const key = {
      pubkey: `0x${"11".repeat(48)}`,
      signature: `0x${"22".repeat(96)}`,
      depositDataRoot: `0x${"33".repeat(32)}`,
    } as const;
    expect(
      (
        await refusal(
          operator.predeposit(
            me,
            1n,
            Array.from({ length: 65 }, () => key),
          ),
        )
      ).kind,
    ).to.equal("refused");
    const stranger = await refusal((await operator.predeposit(me, p.operatorId, [key])).simulate());
    expect(stranger.message).to.equal(`${p.bob.address} does not act for operator 1`);
  });

  it("submits a report, and says what it did", async () => {
    const p = await loadFixture(local);
    await (await stake(await as(p, p.alice), wei(10n * ETH))).send();
    const report = await p.committee.read();
    const signatures = await p.committee.sign(report);
    const few = await refusal((await submitReport(await as(p, p.keeper), report, signatures.slice(1))).simulate());
    expect(few.message).to.equal("4 signatures are too few: 5 are required");
    const action = await submitReport(await as(p, p.keeper), report, signatures);
    await action.simulate();
    const { outcome } = await action.send();
    expect(outcome.reportHash).to.equal(await p.oracle.lastReportHash());
    expect(outcome).to.include({ fallBp: 0n, recognised: 0n, paid: 0n });
    const again = await refusal((await submitReport(await as(p, p.keeper), report, signatures)).simulate());
    expect(again.revert?.name).to.equal("ReferenceNotNewer");
  });

  it("announces a report that needs more, which closes deposits until it is submitted", async () => {
    const p = await loadFixture(local);
    const staker = await as(p, p.alice);
    const anyone = await as(p, p.keeper);
    await (await stake(staker, wei(10n * ETH))).send();
    const report = await p.committee.read();
    const signatures = await p.committee.sign(report);
    const { outcome } = await (await announceReport(anyone, report, signatures)).send();
    const held = await refusal((await stake(staker, wei(ETH))).simulate());
    expect(held.revert?.name).to.equal("ReportOverdue");
    await (await submitReport(anyone, report, signatures)).send();
    expect(outcome.reportHash).to.equal(await p.oracle.lastReportHash());
    await (await stake(staker, wei(ETH))).simulate();
  });
});
