/** EtherPool and Router over a local protocol, the pool at its target. */
import type { NetworkConnection } from "hardhat/types/network";
import { bringToTarget, deployLiquidity } from "../../deploy/deployLiquidity.ts";
import type { LiquidityContracts } from "../../deploy/deployLiquidity.ts";
import type { EtherPool } from "../../typechain-types/index.ts";
import type { LocalProtocol } from "./localProtocol.ts";

/** Nothing trades before the first report: where none came yet, one does. */
export async function openLiquidity(connection: NetworkConnection, p: LocalProtocol): Promise<LiquidityContracts> {
  const liquidity = await deployLiquidity(connection, p);
  const [isCalm] = await p.pool.calm();
  if (!isCalm) await p.committee.report();
  await openPool(p, liquidity.etherPool);
  return liquidity;
}

/** Brings it to its target. @throws Error where it is there already, or the protocol is not calm */
export async function openPool(p: LocalProtocol, etherPool: EtherPool): Promise<void> {
  const brought = await bringToTarget(p, etherPool, p.deployer);
  if (brought !== "sold") throw new Error(`the EtherPool is not brought to its target: ${brought}`);
}
