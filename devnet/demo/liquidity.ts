/** The demo's EtherPool and Router: each action goes to the chain and, independently, into their twins beside the demo's books. */
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { NetworkConnection } from "hardhat/types/network";
import type { ContractTransactionResponse } from "ethers";
import { MaxUint256, ZeroAddress } from "ethers";
import type { LiquidityContracts } from "../../deploy/deployLiquidity.ts";
import { bringToTarget, deployLiquidity } from "../../deploy/deployLiquidity.ts";
import { ETHER_POOL } from "../../deploy/lib/parameters.ts";
import { curveOf, quoteSellFor } from "../../offchain/protocol/etherPool.ts";
import type { EtherPoolTerms } from "../../offchain/protocol/etherPool.ts";
import { EtherPoolModel } from "../../offchain/protocol/etherPoolModel.ts";
import { splitStake } from "../../offchain/protocol/router.ts";
import type { Provision, StakeSplit } from "../../offchain/protocol/router.ts";
import { RouterModel } from "../../offchain/protocol/routerModel.ts";
import type { Left } from "../../offchain/protocol/routerModel.ts";
import { toEtherDown, toSharesDown, unitsToShares } from "../../offchain/protocol/shares.ts";
import { bp, shares, wei } from "../../offchain/protocol/units.ts";
import type { EtherPool } from "../../typechain-types/index.ts";
import type { Line } from "./reconcile.ts";
import type { DemoWorld } from "./world.ts";

/** What `bringToTarget` stakes beyond what it sells. */
const SPARE = 10n; // wei
const NONE = wei(0n);

export class DemoMarket {
  readonly #world: DemoWorld;
  readonly #contracts: LiquidityContracts;
  readonly #pool: EtherPoolModel;
  readonly #router: RouterModel;
  /** Gets what leaving gives: another than who leaves and pays gas, so that its balance tells what came. */
  readonly #purse: HardhatEthersSigner;
  /** At once, by the purse's balance and by the books. */
  readonly #came = { chain: 0n, books: 0n };

  private constructor(
    world: DemoWorld,
    purse: HardhatEthersSigner,
    contracts: LiquidityContracts,
    pool: EtherPoolModel,
    router: RouterModel,
  ) {
    this.#world = world;
    this.#purse = purse;
    this.#contracts = contracts;
    this.#pool = pool;
    this.#router = router;
  }

  static async deploy(
    connection: NetworkConnection,
    world: DemoWorld,
    purse: HardhatEthersSigner,
  ): Promise<DemoMarket> {
    const contracts = await deployLiquidity(connection, world.p);
    const { seedWei, terms } = ETHER_POOL;
    const asTerms = Object.fromEntries(Object.entries(terms).map(([name, value]) => [name, bp(value)]));
    const [account, locked] = [contracts.etherPool.target as string, await world.p.token.LOCKED()];
    const pool = new EtherPoolModel(world.books, account, asTerms as unknown as EtherPoolTerms, wei(seedWei), locked);
    const router = new RouterModel(world.books, pool, contracts.router.target as string);
    return new DemoMarket(world, purse, contracts, pool, router);
  }

  get etherPool(): EtherPool {
    return this.#contracts.etherPool;
  }

  /** Sells the seed's ether down to the target, as a deployment does once the protocol is calm. */
  async bringToTarget(): Promise<void> {
    const { p, books } = this.#world;
    const { pool } = this.#pool;
    const wanted = wei(pool.ether - curveOf(pool).target);
    const units = quoteSellFor(pool, wanted, books.totals);
    const staked = wei(toEtherDown(unitsToShares(units), books.totals) + SPARE);
    await bringToTarget(p, this.#contracts.etherPool, p.deployer);
    const now = await this.#world.now();
    books.deposit(p.deployer.address, staked, now);
    this.#world.deposited += staked;
    this.#pool.sellFor(p.deployer.address, wanted, units, now);
  }

  async provide(who: HardhatEthersSigner, amount: bigint, maxFeeBp: bigint): Promise<Provision> {
    const { router } = this.#contracts;
    const sent = router.connect(who).provide(0n, maxFeeBp, who, MaxUint256, { value: amount });
    const now = await this.#world.send(sent);
    const plan = this.#router.provide(who.address, wei(amount), NONE, bp(maxFeeBp), now);
    this.#world.deposited += plan.staked;
    return plan;
  }

  /** Leaves with estETH of so many wei. */
  async leave(who: HardhatEthersSigner, amount: bigint, maxFeeBp: bigint): Promise<Left> {
    const { books, p } = this.#world;
    const { router } = this.#contracts;
    const left = toSharesDown(wei(amount), books.totals);
    await this.#world.send(p.token.connect(who).approve(router, MaxUint256));
    return this.#leaving(
      (to) => router.connect(who).leaveShares(left, maxFeeBp, 0n, to, MaxUint256),
      (to, now) => this.#router.leaveShares(who.address, to, left, bp(maxFeeBp), NONE, now),
    );
  }

  /** Stakes where it gives the most. */
  async stake(who: HardhatEthersSigner, amount: bigint): Promise<StakeSplit> {
    const { router } = this.#contracts;
    const sent = router.connect(who).stake(who, ZeroAddress, 0n, false, MaxUint256, { value: amount });
    const now = await this.#world.send(sent);
    const split = splitStake(this.#router.market(now), wei(amount));
    this.#router.stake(who.address, wei(amount), shares(0n), now);
    this.#world.deposited += split.staked;
    return split;
  }

  /** With all LP, to ether: at once what trades, and the rest by a withdrawal request. */
  async exit(who: HardhatEthersSigner, maxFeeBp: bigint): Promise<Left> {
    const { router, etherPool } = this.#contracts;
    const lp = this.#pool.balanceOf(who.address);
    await this.#world.send(etherPool.connect(who).approve(router, MaxUint256));
    return this.#leaving(
      (to) => router.connect(who).exitToEther(lp, maxFeeBp, 0n, to, MaxUint256),
      (to, now) => this.#router.exitToEther(who.address, to, lp, bp(maxFeeBp), NONE, now),
    );
  }

  async #leaving(
    send: (receiver: string) => Promise<ContractTransactionResponse>,
    note: (receiver: string, now: bigint) => Left,
  ): Promise<Left> {
    const world = this.#world;
    const had = await world.etherOf(this.#purse);
    const now = await world.send(send(this.#purse.address));
    this.#came.chain += (await world.etherOf(this.#purse)) - had;
    const left = note(this.#purse.address, now);
    this.#came.books += left.ether;
    if (left.requestId !== undefined) world.requests.push({ id: left.requestId, owner: this.#purse });
    return left;
  }

  /** Both books of the pool, its LP, and what passed through the Router. */
  async reconcile(): Promise<Line[]> {
    const { p, books } = this.#world;
    const { etherPool, router } = this.#contracts;
    const { pool } = this.#pool;
    const reserves = await etherPool.reserves();
    const lines: Line[] = [
      line("the EtherPool's ether = its book", await this.#world.etherOf(etherPool), pool.ether),
      line("the EtherPool's ether, booked", reserves.ether_, pool.ether),
      line("the EtherPool's estETH, booked", reserves.units, pool.units, "units"),
      line("shares of the EtherPool", await p.token.sharesOf(etherPool), books.sharesOf(this.#pool.account), "shares"),
      line("LP", await etherPool.totalSupply(), pool.supply, "LP"),
      line("leavers and lenders got at once", this.#came.chain, this.#came.books),
      line("the Router's ether", await this.#world.etherOf(router), 0n),
      line("shares of the Router", await p.token.sharesOf(router), 0n, "shares"),
    ];
    const locked = await p.token.LOCKED();
    for (const holder of this.#pool.holders) {
      const name = holder === locked ? "LP, locked" : "LP of the lender";
      lines.push(line(name, await etherPool.balanceOf(holder), this.#pool.balanceOf(holder), "LP"));
    }
    return lines;
  }
}

function line(name: string, chain: bigint, books: bigint, unit: Line["unit"] = "wei"): Line {
  return { name, unit, chain, books };
}
