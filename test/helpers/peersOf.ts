/** What a pool was made with: for a copy or a successor of it. */
import type { StakingPool } from "../../typechain-types/index.ts";

export async function peersOf(pool: StakingPool) {
  return {
    token: await pool.token(),
    withdrawalVault: await pool.withdrawalVault(),
    rewardsVault: await pool.rewardsVault(),
    operators: await pool.operators(),
    validators: await pool.validators(),
    oracle: await pool.oracle(),
    depositContract: await pool.depositContract(),
    predecessor: await pool.predecessor(),
  };
}

export async function policyOf(pool: StakingPool) {
  const { treasury, feeBp, maxAprBp, depositCapGwei } = await pool.policy();
  return { treasury, feeBp, maxAprBp, depositCapGwei };
}
