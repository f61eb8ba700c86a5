/** The keeper's own trades on the local chain: it buys from the EtherPool, queues what it bought, and claims what came of it. */
import { expect } from "chai";
import { ZeroAddress } from "ethers";
import type { TransactionReceipt } from "ethers";
import { ROUND_TRIP_GAS } from "../../../offchain/keeper/arbitrage.ts";
import type { ArbitrageRules, Trading } from "../../../offchain/keeper/arbitrage.ts";
import type { Keeper, KeeperOptions, Turn } from "../../../offchain/keeper/keeper.ts";
import { TradingReader } from "../../../offchain/keeper/trading.ts";
import { Sender } from "../../../offchain/keeper/sender.ts";
import { silentLog } from "../../../offchain/util/log.ts";
import { ETH, RULES, SENDER_RULES, blockedBy, kinds, startWorld } from "./world.ts";
import type { KeeperWorld } from "./world.ts";

const ARBITRAGE: ArbitrageRules = {
  most: 20n * ETH,
  mostADay: 15n * ETH,
  minProfit: ETH / 2_000n,
  minProfitBp: 2n,
  capitalCostBp: 300n,
  reserve: ETH,
};

describe("the keeper's trades", function () {
  this.timeout(120_000);
  let world: KeeperWorld;
  let keeper: Keeper;
  let reader: TradingReader;
  let snapshot: string;

  const poolOf = () => {
    const { liquidity } = world.protocol;
    if (liquidity === undefined) throw new Error("no pool");
    return liquidity.etherPool;
  };
  const trader = (rules: Partial<ArbitrageRules> = {}, options: Partial<KeeperOptions> = {}): Keeper => {
    reader = new TradingReader(world.protocol, world.p.keeper.address);
    const arbitrage = { ...ARBITRAGE, ...rules };
    return world.keeper({
      rules: { ...RULES, arbitrage },
      account: world.p.keeper.address,
      trading: reader,
      ...options,
    });
  };
  const reading = async (): Promise<Trading> => {
    const read = await reader.read();
    if (typeof read === "string") throw new Error(read);
    return read;
  };
  const metric = async (name: string): Promise<number | undefined> =>
    (await world.registry.getSingleMetric(`estuary_keeper_${name}`)?.get())?.values[0]?.value;
  const isNear = (amount: bigint) => (eth: number) => Math.abs(eth - Number(amount) / 1e18) < 1e-9;
  const mined = ({ done }: Turn): readonly TransactionReceipt[] => done.map(({ receipt }) => receipt);
  const turned = async (of: Keeper): Promise<Turn> => {
    await world.finalize();
    return of.turn();
  };
  /** Alice sells so much to the pool. */
  const sell = async (amount: bigint): Promise<void> => {
    const { p } = world;
    await p.token.connect(p.alice).approve(poolOf(), 2n * amount);
    const units = await poolOf().quoteSellFor(amount);
    await poolOf().connect(p.alice).sellFor(amount, units, p.alice);
  };

  before(async () => {
    world = await startWorld({ trades: true });
    const { p } = world;
    await p.pool.connect(p.alice).deposit(p.alice, ZeroAddress, { value: 400n * ETH });
    await p.token.connect(p.alice).approve(poolOf(), 400n * ETH);
    await poolOf()
      .connect(p.alice)
      .enter(200n * ETH, 200n * ETH, p.alice, { value: 100n * ETH });
  });
  beforeEach(async () => {
    snapshot = (await world.connection.provider.request({ method: "evm_snapshot" })) as string;
    keeper = trader();
  });
  afterEach(() => world.connection.provider.request({ method: "evm_revert", params: [snapshot] }));
  after(() => world.close());

  it("buys, queues and claims, and comes out with what was expected, less the gas that it took", async () => {
    const { p, connection } = world;
    await turned(keeper);
    expect(await blockedBy(world, "buyFromPool")).to.deep.equal(["the pool is at its target"]);
    await sell(12n * ETH);
    const account = p.keeper.address;
    const before = await connection.ethers.provider.getBalance(account);
    const receipts: TransactionReceipt[] = [];
    const first = await turned(keeper);
    receipts.push(...mined(first));
    const [bought] = first.plan.actions;
    if (bought?.kind !== "buyFromPool") throw new Error(`planned ${bought?.kind ?? "nothing"}`);
    expect(kinds(first.done.map(({ action }) => action))).to.deep.equal(["buyFromPool"]);
    expect(await p.token.sharesOf(account)).to.equal(bought.expected.units * 10n ** 9n);
    expect(bought.expected.profit >= ARBITRAGE.minProfit).to.equal(true);
    const second = await turned(keeper);
    receipts.push(...mined(second));
    expect(kinds(second.done.map(({ action }) => action))).to.deep.equal(["queueBought"]);
    expect(await p.token.sharesOf(account)).to.equal(0n);
    expect(await p.queue.balanceOf(account)).to.equal(1n);
    const third = await turned(keeper);
    expect(third.done, "and no more of it: the rest would not pay").to.deep.equal([]);
    expect(await blockedBy(world, "buyFromPool")).to.deep.equal(["it would not pay"]);
    expect(await metric("arbitrage_tied_up_eth")).to.satisfy(isNear(bought.expected.value));
    for (let day = 0; day < 3; day++) await p.committee.report();
    const last = await turned(keeper);
    receipts.push(...mined(last));
    expect(kinds(last.done.map(({ action }) => action))).to.deep.equal(["claimBought"]);
    const fees = receipts.reduce((sum, { fee }) => sum + fee, 0n);
    const earned = (await connection.ethers.provider.getBalance(account)) - before + fees;
    // a request is paid in whole units at the rate of its round: some wei below
    expect(earned).to.be.within(bought.expected.value - bought.ether - 10n, bought.expected.value - bought.ether);
    await turned(keeper);
    expect(await metric("arbitrage_profit_eth")).to.satisfy(isNear(earned - fees));
    expect(await metric("arbitrage_bought_eth_total")).to.equal(Number(bought.ether) / 1e18);
    const gas = receipts.reduce((sum, { gasUsed }) => sum + gasUsed, 0n);
    expect(gas, "what the plan counts with").to.be.within((ROUND_TRIP_GAS * 6n) / 10n, ROUND_TRIP_GAS);
  });

  describe("held back", () => {
    it("with the price gone between plan and send: nothing is lost, and the next plan is of what is there", async () => {
      await sell(12n * ETH);
      const { p } = world;
      const rival = p.bob;
      // the rival buys all once the keeper has read the pool
      const racing = trader();
      const read = reader.read.bind(reader);
      reader.read = async (signal) => {
        const found = await read(signal);
        await poolOf()
          .connect(rival)
          .buy(0n, rival, { value: await poolOf().buyable() });
        reader.read = read;
        return found;
      };
      const nonce = await p.keeper.getNonce();
      const { plan, done } = await turned(racing);
      expect(kinds(plan.actions)).to.deep.equal(["buyFromPool"]);
      expect(done).to.deep.equal([]);
      expect(await p.keeper.getNonce(), "refused before it was sent").to.equal(nonce);
      expect(await blockedBy(world, "buyFromPool")).to.deep.equal(["waiting to try again"]);
      await turned(racing);
      expect(await blockedBy(world, "buyFromPool")).to.deep.equal(["the pool is at its target"]);
    });

    it("by its limits, which it keeps over a restart", async () => {
      const limits = { most: 6n * ETH, mostADay: 4n * ETH };
      await sell(12n * ETH);
      const [first] = (await turned(trader(limits))).plan.actions;
      expect(first).to.deep.include({ kind: "buyFromPool", ether: 4n * ETH });
      await turned(trader(limits));
      await turned(trader(limits));
      expect((await reading()).spentToday).to.equal(4n * ETH);
      expect(await blockedBy(world, "buyFromPool")).to.deep.equal(["the day's limit is reached"]);
      // a day's limit of more does not help where all is tied up
      await turned(trader({ most: 4n * ETH }));
      expect(await blockedBy(world, "buyFromPool")).to.deep.equal(["the limit is tied up"]);
      for (let day = 0; day < 3; day++) await world.p.committee.report();
      const { done } = await turned(trader({ most: 4n * ETH }));
      expect(kinds(done.map(({ action }) => action))).to.deep.equal(["claimBought"]);
      expect((await reading()).spentToday, "of another day").to.equal(0n);
      const [again] = (await turned(trader({ most: 4n * ETH }))).plan.actions;
      expect(again).to.deep.include({ kind: "buyFromPool", ether: 4n * ETH });
    });

    it("while the protocol is not calm, or requests are paused: nothing is bought, and the rest goes on", async () => {
      const { p } = world;
      await sell(12n * ETH);
      await p.committee.report({ incident: true });
      await turned(keeper);
      expect(await blockedBy(world, "buyFromPool")).to.deep.equal(["the protocol is not calm"]);
      expect(await poolOf().buyable()).to.equal(0n);
      await p.queue.connect(p.guardian).pauseRequests(true);
      await turned(keeper);
      expect(await blockedBy(world, "buyFromPool")).to.deep.equal(["requests are paused"]);
    });

    it("by no failure of its own books: what it keeps going goes on, and it says so", async () => {
      const broken = trader();
      reader.read = () => Promise.reject(new Error("no events here"));
      const { plan } = await turned(broken);
      expect(plan.reasons.buyFromPool).to.deep.equal(["its own books can't be read"]);
      expect(plan.reasons.requestExit).to.deep.equal(["no exit is needed"]);
    });

    it("by a node that is behind its own last transaction: it does not buy twice", async () => {
      await sell(12n * ETH);
      const one = trader();
      const { done } = await turned(one);
      expect(kinds(done.map(({ action }) => action))).to.deep.equal(["buyFromPool"]);
      reader.mined((done[0]?.receipt.blockNumber ?? 0) + 1_000);
      const { plan } = await one.turn();
      expect(plan.actions).to.deep.equal([]);
      expect(plan.reasons.buyFromPool).to.deep.equal(["the node is behind"]);
    });
  });

  it("two keepers want the same: one gets it, the other is refused before it sends, and no wei is lost", async () => {
    const { p } = world;
    await sell(12n * ETH);
    const one = trader();
    const other = world.keeper({
      rules: { ...RULES, arbitrage: ARBITRAGE },
      account: p.carol.address,
      trading: new TradingReader(world.protocol, p.carol.address),
      sender: new Sender(p.carol, world.connection.ethers.provider, world.clock, SENDER_RULES, silentLog),
    });
    await world.finalize();
    const [left, right] = await Promise.all([one.turn(), other.turn()]);
    const bought = [left, right].flatMap(({ done }) => kinds(done.map(({ action }) => action)));
    expect([left, right].map(({ plan }) => kinds(plan.actions))).to.deep.equal([["buyFromPool"], ["buyFromPool"]]);
    expect(bought).to.deep.equal(["buyFromPool"]);
    expect(await poolOf().buyable()).to.be.greaterThan(0n);
  });

  it("what others give it costs it nothing: requests of dust are not claimed, and do not count for much", async () => {
    const { p } = world;
    await p.queue.connect(p.alice).requestWithdrawals(Array<bigint>(20).fill(1_000n), p.keeper);
    for (let day = 0; day < 2; day++) await p.committee.report();
    const { plan } = await turned(trader());
    expect(plan.actions).to.deep.equal([]);
    expect(plan.reasons.claimBought).to.deep.equal(["not worth it yet"]);
  });

  it("a dry run simulates it and sends nothing", async () => {
    await sell(12n * ETH);
    const nonce = await world.p.keeper.getNonce();
    const { plan, done } = await turned(trader({}, { sender: undefined }));
    expect(kinds(plan.actions)).to.deep.equal(["buyFromPool"]);
    expect(done).to.deep.equal([]);
    expect(await world.p.keeper.getNonce()).to.equal(nonce);
    expect(await blockedBy(world, "buyFromPool")).to.deep.equal([]);
  });
});
