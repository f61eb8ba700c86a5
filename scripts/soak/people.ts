/** What stakers and an operator do meanwhile. */
import { ZeroAddress } from "ethers";
import { registerOperator } from "../../devnet/scenario/operator.ts";
import { mined } from "../../devnet/scenario/world.ts";
import type { World } from "../../devnet/scenario/world.ts";
import type { Dice } from "../../test/helpers/hostile/behaviour.ts";

const ETH = 10n ** 18n;

/** An operator with the world's keys, and enough ether for them. */
export async function settle(world: World): Promise<void> {
  await registerOperator(world);
  const { contracts, actors } = world;
  const alice = await actors.alice.getAddress();
  await mined(contracts.pool.connect(actors.alice).deposit(alice, ZeroAddress, { value: 120n * ETH }));
}

/** One thing that somebody does. @returns what */
export async function act({ contracts, actors }: World, dice: Dice): Promise<string> {
  const { pool, queue } = contracts;
  const who = dice.pick(["alice", "bob", "carol"] as const, "who");
  const value = ETH / 10n + BigInt(Math.floor(dice.roll("value") * 1e9));
  if (who === "alice" && dice.chance(0.5, "what")) {
    await mined(queue.connect(actors.alice).requestWithdrawals([value], ZeroAddress));
    return "a withdrawal is requested";
  }
  const address = await actors[who].getAddress();
  await mined(pool.connect(actors[who]).deposit(address, ZeroAddress, { value }));
  return `${who} stakes`;
}
