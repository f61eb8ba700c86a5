/**
 * The EtherPool and the Router: a pool of 200 ETH, at its target or with a third of that sold. "again" and "first" say whether the
 * receiver's balance was zero, "limited" and "unlimited" which allowance was given.
 */
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { ContractTransactionResponse, TransactionResponse } from "ethers";
import { MaxUint256, ZeroAddress } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import type { EtherPool, Router } from "../../../typechain-types/index.ts";
import type { Figures } from "./rows.ts";

type Sent = Promise<ContractTransactionResponse | TransactionResponse>;

const ETH = 10n ** 18n;
const UNIT = 10n ** 9n;
const NEVER = 2n ** 64n;
const SEED = ETH / 10n;
const PARAMETERS = { minFeeBp: 10n, maxFeeBp: 300n, targetBp: 3_000n, rebateBp: 5_000n, entryFeeBp: 2n };
const ALL = 10_000n; // a fee that takes whatever there is

interface Scene {
  readonly p: LocalProtocol;
  /** Hold nothing. */
  readonly dave: HardhatEthersSigner;
  readonly erin: HardhatEthersSigner;
}

interface Market {
  readonly pool: EtherPool;
  readonly router: Router;
}

export async function liquidityRows(
  { ethers }: NetworkConnection,
  { p, dave, erin }: Scene,
  gasOf: (sent: Sent) => Promise<number>,
): Promise<Figures> {
  const pool = await ethers.deployContract("EtherPool", [p.token, PARAMETERS], { value: SEED });
  const router = await ethers.deployContract("Router", [pool, p.wrapped]);
  await open(p, { pool, router });
  return {
    ...(await poolRows(p, { pool, router }, dave, erin, gasOf)),
    ...(await routerRows(p, { pool, router }, erin, gasOf)),
  };
}

/** Alice holds estETH and lp, and the reserve is a third below its target. */
async function open(p: LocalProtocol, { pool, router }: Market): Promise<void> {
  const alice = pool.connect(p.alice);
  for (const spender of [pool, router]) await p.token.connect(p.alice).approve(spender, MaxUint256);
  await alice.sell((7n * SEED) / 11n, 0n, p.alice);
  await alice.enter(200n * ETH, MaxUint256, p.alice, { value: 200n * ETH });
  await alice.sell(20n * ETH, 0n, p.alice);
}

async function poolRows(
  p: LocalProtocol,
  { pool }: Market,
  dave: HardhatEthersSigner,
  erin: HardhatEthersSigner,
  gasOf: (sent: Sent) => Promise<number>,
): Promise<Figures> {
  const figures: Record<string, number> = {};
  const [alice, token] = [pool.connect(p.alice), p.token.connect(p.alice)];
  await token.approve(pool, 10n * ETH);
  figures["etherPool.sell.limited"] = await gasOf(alice.sell(ETH, 0n, p.alice));
  await token.approve(pool, MaxUint256);
  figures["etherPool.sell.unlimited"] = await gasOf(alice.sell(ETH, 0n, p.alice));
  figures["etherPool.sellFor.unlimited"] = await gasOf(alice.sellFor(ETH, MaxUint256, p.alice));
  figures["etherPool.buy.first"] = await gasOf(pool.connect(dave).buy(0n, dave, { value: ETH }));
  figures["etherPool.buy.again"] = await gasOf(pool.connect(dave).buy(0n, dave, { value: ETH }));
  const [ether_] = await pool.quoteEnter(ETH);
  figures["etherPool.enter.exact.again"] = await gasOf(alice.enter(ETH, MaxUint256, p.alice, { value: ether_ }));
  figures["etherPool.enter.rest.again"] = await gasOf(alice.enter(ETH, MaxUint256, p.alice, { value: ETH }));
  figures["etherPool.enter.rest.first"] = await gasOf(alice.enter(ETH, MaxUint256, erin, { value: ETH }));
  figures["etherPool.exit"] = await gasOf(alice.exit(ETH, 0n, 0n, p.alice));
  return figures;
}

async function routerRows(
  p: LocalProtocol,
  { pool, router }: Market,
  erin: HardhatEthersSigner,
  gasOf: (sent: Sent) => Promise<number>,
): Promise<Figures> {
  const figures: Record<string, number> = {};
  const [alice, bob, token] = [router.connect(p.alice), router.connect(p.bob), p.token.connect(p.alice)];
  const leave = (units: bigint, maxFeeBp: bigint) =>
    gasOf(alice.leaveShares(units * UNIT, maxFeeBp, 0n, p.alice, NEVER));
  await token.approve(router, 10n * ETH);
  figures["router.leave.whole.limited"] = await leave(ETH, ALL);
  await token.approve(router, MaxUint256);
  figures["router.leave.whole.unlimited"] = await leave(ETH, ALL);
  const marginal = ((await pool.marginalFee()) + 99_999n) / 100_000n;
  figures["router.leave.part.opensRound"] = await leave(10n * ETH, marginal + 5n);
  figures["router.leave.part"] = await leave(10n * ETH, marginal + 10n);

  const stake = (who: HardhatEthersSigner, value: bigint, wrapped = false) =>
    gasOf(router.connect(who).stake(who, ZeroAddress, 0n, wrapped, NEVER, { value }));
  figures["router.stake.bought.first"] = await stake(erin, ETH);
  figures["router.stake.bought.again"] = await stake(erin, ETH);
  figures["router.stake.boughtWrapped.again"] = await stake(p.alice, ETH, true);
  await pool.connect(p.alice).approve(router, MaxUint256);
  figures["router.exitToEther"] = await gasOf(alice.exitToEther(ETH, ALL, 0n, p.alice, NEVER));
  figures["router.provide.first"] = await gasOf(bob.provide(0n, ALL, p.bob, NEVER, { value: ETH }));
  figures["router.provide.again"] = await gasOf(bob.provide(0n, ALL, p.bob, NEVER, { value: ETH }));
  figures["router.stake.part.again"] = await stake(erin, (await pool.buyable()) + ETH);
  figures["router.stake.nothingToBuy.again"] = await stake(erin, ETH);
  return figures;
}
