/** Deploys EtherPool and Router, and brings the pool to its target. */
import type { NetworkConnection } from "hardhat/types/network";
import "@nomicfoundation/hardhat-toolbox-mocha-ethers";
import { ZeroAddress } from "ethers";
import type { Signer } from "ethers";
import type { Contracts } from "./deploy.ts";
import Liquidity from "./Liquidity.ts";
import { ETHER_POOL } from "./lib/parameters.ts";
import type { EtherPoolSettings } from "./lib/parameters.ts";
import { EtherPool__factory, Router__factory } from "../typechain-types/index.ts";
import type { EtherPool, Router } from "../typechain-types/index.ts";

const SHARES_PER_UNIT = 10n ** 9n;

export interface LiquidityContracts {
  readonly etherPool: EtherPool;
  readonly router: Router;
}

/** @param displayUi whether Ignition reports its progress */
export async function deployLiquidity(
  { ethers, ignition }: NetworkConnection,
  { token, wrapped }: Pick<Contracts, "token" | "wrapped">,
  { seedWei, terms }: EtherPoolSettings = ETHER_POOL,
  displayUi = false,
): Promise<LiquidityContracts> {
  const [deployer] = await ethers.getSigners();
  if (deployer === undefined) throw new Error("the network has no account");
  const addresses = { token: await token.getAddress(), wrapped: await wrapped.getAddress() };
  const parameters = { Liquidity: { ...addresses, seedWei, terms: { ...terms } } };
  const deployed = await ignition.deploy(Liquidity, { parameters, displayUi });
  return {
    etherPool: EtherPool__factory.connect(await deployed.etherPool.getAddress(), deployer),
    router: Router__factory.connect(await deployed.router.getAddress(), deployer),
  };
}

/** What `bringToTarget` found: it traded, there was nothing to do, or the protocol is not calm yet. */
export type Brought = "sold" | "at its target" | "not calm";

/**
 * Sells the pool as much estETH of `seller` as brings its ether down to the target: with more it would lend ether that earns nothing. The
 * estETH is staked for it, with the fee on top.
 */
export async function bringToTarget(
  { token, pool }: Pick<Contracts, "token" | "pool">,
  etherPool: EtherPool,
  seller: Signer,
): Promise<Brought> {
  const [{ ether_: held }, target] = await Promise.all([etherPool.reserves(), etherPool.targetEther()]);
  if (held <= target) return "at its target";
  const [isCalm] = await pool.calm();
  if (!isCalm) return "not calm";
  const from = await seller.getAddress();
  const units = await etherPool.quoteSellFor(held - target);
  const value = await token.getPooledEthByShares(units * SHARES_PER_UNIT);
  // what is staked is worth a wei less at most, and shares are moved by an allowance rounded up
  const spare = 10n;
  const send = async (sent: Promise<{ wait(): Promise<unknown> }>): Promise<unknown> => (await sent).wait();
  await send(pool.connect(seller).deposit(from, ZeroAddress, { value: value + spare }));
  await send(token.connect(seller).approve(etherPool, value + spare));
  await send(etherPool.connect(seller).sellFor(held - target, units, from));
  await send(token.connect(seller).approve(etherPool, 0));
  return "sold";
}
