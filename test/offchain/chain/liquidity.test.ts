import { expect } from "chai";
import { ZeroAddress } from "ethers";
import type { Signer } from "ethers";
import type { LiquidityContracts } from "../../../deploy/deployLiquidity.ts";
import { ETHER_POOL } from "../../../deploy/lib/parameters.ts";
import { openLiquidity } from "../../../devnet/simulated/localLiquidity.ts";
import { startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { ConnectError, formatDeployment, parseDeployment } from "../../../offchain/chain/connect.ts";
import { ChainError } from "../../../offchain/chain/errors.ts";
import { readEtherPool } from "../../../offchain/chain/read/etherPool.ts";
import { leave, leaveApproval } from "../../../offchain/chain/write/leave.ts";
import type { Context } from "../../../offchain/chain/write/prepare.ts";
import {
  buy,
  enter,
  enterApproval,
  exit,
  exitApproval,
  exitToEther,
  provide,
} from "../../../offchain/chain/write/provide.ts";
import { stake } from "../../../offchain/chain/write/stake.ts";
import { stakeBest } from "../../../offchain/chain/write/stakeBest.ts";
import {
  buyable,
  quoteBuy,
  quoteEnter,
  quoteExit,
  quoteSell,
  quoteSellFor,
  sellableWithin,
} from "../../../offchain/protocol/etherPool.ts";
import { splitLeave } from "../../../offchain/protocol/router.ts";
import { toSharesDown, unitsToShares } from "../../../offchain/protocol/shares.ts";
import { bp, wei } from "../../../offchain/protocol/units.ts";
import { connection, ethers, loadFixture } from "../../helpers/network.ts";
import { ETH, failure, sdkOf } from "./harness.ts";

/** A pool of 100 ETH at its target, beside 500 ETH of Alice's. */
async function open() {
  const p = await startLocalProtocol(connection);
  const liquidity = await openLiquidity(connection, p);
  await (await stake(await as(p, liquidity, p.alice), wei(500n * ETH))).send();
  await (await provide(await as(p, liquidity, p.bob), wei(100n * ETH))).send();
  return { p, liquidity };
}

async function as(p: LocalProtocol, { router }: LiquidityContracts, signer: Signer): Promise<Context> {
  return { protocol: await sdkOf(p, ethers.provider, router), signer };
}

async function refusal(work: Promise<unknown>): Promise<ChainError> {
  const error = await failure(work);
  if (error instanceof ChainError) return error;
  throw error;
}

async function approved(context: Context, amount: bigint): Promise<Context> {
  await (await leaveApproval(context, wei(amount)))?.send();
  return context;
}

describe("the EtherPool through the SDK", () => {
  it("is read in one look, from which every quote follows as the contract gives it", async () => {
    const { p, liquidity } = await loadFixture(open);
    const { etherPool } = liquidity;
    const status = await readEtherPool(await sdkOf(p, ethers.provider, liquidity.router));
    const { pool, totals } = status;
    expect(status.calm).to.equal(true);
    expect(await etherPool.reserves()).to.deep.equal([pool.ether, pool.units]);
    expect(await etherPool.totalSupply()).to.equal(pool.supply);
    expect(await etherPool.value()).to.equal(status.value);
    expect(await etherPool.marginalFee()).to.equal(status.marginalFee);
    expect(await etherPool.targetEther()).to.equal(status.target);
    expect(await etherPool.buyable()).to.equal(buyable(pool, totals));
    const sellable = sellableWithin(pool, bp(30n), totals);
    expect(await etherPool.sellableWithin(30)).to.equal(sellable);
    expect(await etherPool.quoteSell(sellable)).to.equal(quoteSell(pool, sellable, totals));
    expect(await etherPool.quoteSellFor(pool.ether)).to.equal(quoteSellFor(pool, pool.ether, totals));
    expect(await etherPool.quoteEnter(ETH)).to.deep.equal(Object.values(quoteEnter(pool, wei(ETH))));
    expect(await etherPool.quoteExit(ETH)).to.deep.equal(Object.values(quoteExit(pool, wei(ETH))));
  });

  it("pays for all that the fee allows at once: as foretold, as simulated, and as the events say", async () => {
    const { p, liquidity } = await loadFixture(open);
    const me = await as(p, liquidity, p.alice);
    const lacking = await refusal((await leave(me, wei(2n * ETH))).simulate());
    expect(lacking.revert?.name).to.equal("ERC20InsufficientAllowance");
    await approved(me, 2n * ETH);
    expect(await leaveApproval(me, wei(2n * ETH))).to.equal(undefined);
    const action = await leave(me, wei(2n * ETH), { receiver: p.carol.address });
    const market = await readEtherPool(me.protocol);
    const split = splitLeave(market, toSharesDown(wei(2n * ETH), market.totals), bp(30n));
    const [simulated, request] = await action.simulate();
    expect([simulated, request]).to.deep.equal([split.ether, 0n]);
    expect(action.flow([simulated, request])).to.deep.equal({
      gives: [{ asset: "estETH", amount: 2n * ETH }],
      gets: [{ asset: "ETH", amount: split.ether }],
    });
    const before = await ethers.provider.getBalance(p.carol);
    const { outcome } = await action.send();
    expect(outcome).to.deep.equal({ ether: split.ether, fee: split.fee, requestIds: [], queued: 0n });
    expect((await ethers.provider.getBalance(p.carol)) - before).to.equal(split.ether);
    // 2 of 100 ETH, from 10 bp on
    expect(outcome.fee).to.be.within(2n * 10n ** 15n, 6n * 10n ** 15n);
  });

  it("queues what is dearer, and all of it for no fee", async () => {
    const { p, liquidity } = await loadFixture(open);
    const me = await approved(await as(p, liquidity, p.alice), 100n * ETH);
    const part = await leave(me, wei(50n * ETH));
    const { ether, queued, requestIds } = (await part.send()).outcome;
    expect(ether).to.be.within(2n * ETH, 3n * ETH);
    expect(ether + queued).to.be.within(499n * 10n ** 17n, 50n * ETH);
    expect(await p.queue.ownerOf(requestIds[0] ?? 0n)).to.equal(p.alice.address);
    const later = await (await leave(me, wei(5n * ETH), { maxFeeBp: bp(0n) })).send();
    expect(later.outcome).to.include({ ether: 0n, fee: 0n }).and.have.property("requestIds").with.length(1);
    const atOnce = await refusal((await leave(me, wei(30n * ETH), { minEther: wei(29n * ETH) })).simulate());
    expect(atOnce.revert?.name).to.equal("BelowMinimum");
  });

  it("takes a permit, of estETH and of westETH, in place of an approval; a permit that is spent falls back on the allowance", async () => {
    const { p, liquidity } = await loadFixture(open);
    const me = await as(p, liquidity, p.alice);
    const permitted = await leave(me, wei(ETH), { permit: true });
    expect((await permitted.send()).outcome.ether).to.be.greaterThan((99n * ETH) / 100n);
    expect((await refusal(permitted.simulate())).revert?.name).to.equal("ERC20InsufficientAllowance");
    await p.token.connect(p.alice).approve(p.wrapped, 10n * ETH);
    await p.wrapped.connect(p.alice).wrap(10n * ETH);
    const wrapped = await leave(me, wei(ETH), { permit: true, wrapped: true });
    expect((await wrapped.send()).outcome.ether).to.be.greaterThan((99n * ETH) / 100n);
    await (await leaveApproval(me, wei(ETH), { wrapped: true }))?.send();
    const { outcome } = await (await leave(me, wei(ETH), { wrapped: true, maxFeeBp: bp(0n) })).send();
    expect(outcome.requestIds).to.have.length(1);
    expect(await p.wrapped.balanceOf(p.alice)).to.equal(8n * ETH);
  });

  it("gives more than the rate to who stakes into a drained pool, and nothing to do for who need not", async () => {
    const { p, liquidity } = await loadFixture(open);
    const me = await approved(await as(p, liquidity, p.alice), 30n * ETH);
    const carol = await as(p, liquidity, p.carol);
    const atRest = await stakeBest(carol, wei(ETH));
    expect(atRest.transaction.to).to.equal(p.pool.target);
    await (await leave(me, wei(20n * ETH), { maxFeeBp: bp(10_000n) })).send();
    const { totals } = await readEtherPool(me.protocol);
    for (const wrapped of [false, true]) {
      const action = await stakeBest(carol, wei(3n * ETH), { wrapped });
      expect(action.transaction.to).to.equal(liquidity.router.target);
      const got = await action.simulate();
      const { outcome } = await action.send();
      expect(outcome.shares)
        .to.equal(got)
        .and.to.be.greaterThan(toSharesDown(wei(3n * ETH), totals));
      expect(outcome.bought).to.equal(3n * ETH);
      expect(outcome.rebate).to.be.greaterThan(0n);
    }
    expect(await p.wrapped.balanceOf(p.carol)).to.be.greaterThan(3n * ETH);
    // more than the pool takes: the rest is staked
    const mixed = (await (await stakeBest(carol, wei(100n * ETH))).send()).outcome;
    expect(mixed.bought).to.be.within(10n * ETH, 20n * ETH);
    expect(mixed.amount).to.equal(100n * ETH + mixed.rebate);
    const without = { ...carol, protocol: await sdkOf(p) };
    expect((await stakeBest(without, wei(ETH))).transaction.to).to.equal(p.pool.target);
  });

  it("takes lenders in and lets them out, with ether or with both assets", async () => {
    const { p, liquidity } = await loadFixture(open);
    const [bob, alice] = [await as(p, liquidity, p.bob), await as(p, liquidity, p.alice)];
    const more = await provide(bob, wei(10n * ETH));
    const lp = await more.simulate();
    const sent = await more.send();
    expect(sent.outcome.lp).to.equal(lp);
    expect(lp).to.be.within((99n * ETH) / 10n, 10n * ETH);
    await (await enterApproval(alice, wei(ETH)))?.send();
    const entering = await enter(alice, wei(ETH));
    await entering.simulate();
    const entered = (await entering.send()).outcome;
    expect(entered).to.include({ lp: ETH });
    const status = await readEtherPool(alice.protocol);
    const exiting = await exit(alice, wei(ETH / 2n), { receiver: p.carol.address });
    const got = (await exiting.send()).outcome;
    expect(got).to.deep.equal({ lp: ETH / 2n, ...quoteExit(status.pool, wei(ETH / 2n)) });
    expect(await p.token.sharesOf(p.carol)).to.equal(unitsToShares(got.units));
    await (await exitApproval(alice, wei(ETH / 4n)))?.send();
    const toEther = await exitToEther(alice, wei(ETH / 4n), { maxFeeBp: bp(10_000n) });
    const [simulated] = await toEther.simulate();
    expect((await toEther.send()).outcome).to.include({ ether: simulated, queued: 0n });
    const permitted = await exitToEther(alice, wei(ETH / 4n), { maxFeeBp: bp(0n), permit: true });
    expect((await permitted.send()).outcome.requestIds).to.have.length(1);
    expect(await liquidity.etherPool.balanceOf(p.alice)).to.equal(0n);
  });

  it("is filled again by whoever buys, up to its target", async () => {
    const { p, liquidity } = await loadFixture(open);
    const alice = await approved(await as(p, liquidity, p.alice), 20n * ETH);
    await (await leave(alice, wei(20n * ETH), { maxFeeBp: bp(300n) })).send();
    const keeper = await as(p, liquidity, p.keeper);
    const { pool, totals } = await readEtherPool(keeper.protocol);
    const most = buyable(pool, totals);
    const purchase = (await (await buy(keeper, most)).send()).outcome;
    expect(purchase).to.deep.equal({ ether: most, units: quoteBuy(pool, most, totals) });
    const above = await refusal(buy(keeper, wei(1n)));
    expect(above.revert).to.include({ name: "AboveTarget" });
    expect(above.message).to.include("0.0 ETH more");
  });

  it("refuses in a sentence, before anything is sent", async () => {
    const { p, liquidity } = await loadFixture(open);
    const me = await approved(await as(p, liquidity, p.alice), 400n * ETH);
    const nobody = await as(p, liquidity, p.nodeOperator);
    expect((await refusal(leave(nobody, wei(ETH)))).message).to.include("has less estETH than 1.0");
    expect((await refusal(leave({ ...me, protocol: await sdkOf(p) }, wei(ETH)))).message).to.include(
      "no EtherPool here",
    );
    const late = await leave(me, wei(ETH), { seconds: -1n });
    expect((await refusal(late.simulate())).revert?.name).to.equal("DeadlinePassed");
    expect((await refusal((await leave(me, wei(0n))).simulate())).revert?.name).to.equal("NothingToDo");
    const lost = await leave(me, wei(ETH), { receiver: ZeroAddress });
    expect((await refusal(lost.simulate())).revert?.name).to.equal("InvalidReceiver");
    expect((await refusal(enter(me, wei(0n)))).revert?.name).to.equal("ZeroAmount");
    expect((await refusal(exit(me, wei(200n * ETH)))).revert?.name).to.equal("AboveMaximum");
    expect((await refusal((await exit(me, wei(ETH))).simulate())).revert?.name).to.equal("ERC20InsufficientBalance");
    await (await leave(me, wei(60n * ETH), { maxFeeBp: bp(10_000n) })).send();
    const drained = await refusal(provide(me, wei(ETH)));
    expect(drained.revert).to.deep.include({ name: "MarginalFeeAboveMaximum" });
    expect(drained.message).to.equal("sellers pay 3.0% now, above the limit of 0.3%: who enters would pay for rebates");
    await p.queue.connect(p.guardian).pauseRequests(true);
    const paused = await refusal((await buy(await as(p, liquidity, p.keeper), wei(ETH))).simulate());
    expect(paused.message).to.equal(
      "the EtherPool trades nothing now: withdrawal requests are paused, or a report must come first",
    );
    expect((await refusal((await leave(me, wei(ETH))).simulate())).revert?.name).to.equal("NothingToDo");
  });

  it("is found by the Router's address, and refused where that is of another deployment", async () => {
    const { p, liquidity } = await loadFixture(open);
    const deployment = {
      ...{ chainId: 31_337n, fromBlock: 0, token: p.token.target as string, wrapped: p.wrapped.target as string },
      router: liquidity.router.target as string,
    };
    expect(parseDeployment(formatDeployment(deployment), "a.json")).to.deep.equal(deployment);
    const protocol = await sdkOf(p, ethers.provider, liquidity.router);
    expect(protocol.liquidity?.etherPool.target).to.equal(liquidity.etherPool.target);
    expect((await sdkOf(p)).liquidity).to.equal(undefined);
    const other = await ethers.deployContract("StakedEther", [p.authority, p.queue]);
    const wrapped = await ethers.deployContract("WrappedStakedEther", [other]);
    const pool = await ethers.deployContract("EtherPool", [other, { ...ETHER_POOL.terms }], { value: ETH });
    const router = await ethers.deployContract("Router", [pool, wrapped]);
    for (const [wrong, words] of [
      [router, "routes"],
      [p.queue, "is not the Router"],
      [p.alice, "the Router is not deployed"],
    ] as const) {
      const target = "target" in wrong ? wrong.target : wrong.address;
      const error = await failure(sdkOf(p, ethers.provider, { target }));
      expect(error).to.be.instanceOf(ConnectError);
      expect(error.message).to.include(words);
    }
  });
});
