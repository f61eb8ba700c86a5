import type { Protocol } from "../../../offchain/chain/index.ts";

export interface NamedContract {
  readonly name: string;
  readonly address: string;
  /** JSON. */
  readonly abi: string | undefined;
}

/** The protocol's contracts by the names that integrators know. */
export function contractsOf(protocol: Protocol): readonly NamedContract[] {
  const { token, wrapped, pool, queue, oracle, operators, validators, withdrawalVault, rewardsVault } = protocol;
  const { etherPool, router } = protocol.liquidity ?? {};
  const list = {
    estETH: token,
    westETH: wrapped,
    StakingPool: pool,
    WithdrawalQueue: queue,
    ReportOracle: oracle,
    OperatorRegistry: operators,
    ValidatorRegistry: validators,
    WithdrawalVault: withdrawalVault,
    ...(etherPool === undefined || router === undefined ? {} : { EtherPool: etherPool, Router: router }),
  };
  return [
    ...Object.entries(list).map(([name, contract]) => ({
      name,
      address: contract.target as string,
      abi: contract.interface.formatJson(),
    })),
    { name: "RewardsVault", address: rewardsVault, abi: undefined },
  ];
}
