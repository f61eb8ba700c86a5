/** What a deployment of EtherPool and Router looks like to people. */
import type { LiquidityInspection } from "../../deploy/lib/inspectLiquidity.ts";

export function printLiquidity({ addresses, immutable, problems }: LiquidityInspection): void {
  for (const [name, address] of Object.entries(addresses)) console.log(`${name.padEnd(16)} ${address}`);
  for (const line of immutable) console.log(`immutable        ${line}`);
  if (problems.length === 0)
    console.log("EtherPool and Router are what they say for ever: no proxy, no owner, no role");
}
