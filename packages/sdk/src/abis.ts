/** `@estuary/sdk/abis`: as JSON, by the names of the contracts. */
import { StakedEther__factory } from "../../../typechain-types/factories/contracts/token/StakedEther__factory.ts";
import { WrappedStakedEther__factory } from "../../../typechain-types/factories/contracts/token/WrappedStakedEther__factory.ts";
import { StakingPool__factory } from "../../../typechain-types/factories/contracts/pool/StakingPool__factory.ts";
import { WithdrawalQueue__factory } from "../../../typechain-types/factories/contracts/withdrawals/WithdrawalQueue__factory.ts";
import { OperatorRegistry__factory } from "../../../typechain-types/factories/contracts/validators/OperatorRegistry__factory.ts";
import { ValidatorRegistry__factory } from "../../../typechain-types/factories/contracts/validators/ValidatorRegistry__factory.ts";
import { ReportOracle__factory } from "../../../typechain-types/factories/contracts/oracle/ReportOracle__factory.ts";
import { WithdrawalVault__factory } from "../../../typechain-types/factories/contracts/withdrawals/WithdrawalVault__factory.ts";
import { RewardsVault__factory } from "../../../typechain-types/factories/contracts/pool/RewardsVault__factory.ts";
import { EtherPool__factory } from "../../../typechain-types/factories/contracts/liquidity/EtherPool__factory.ts";
import { Router__factory } from "../../../typechain-types/factories/contracts/liquidity/Router__factory.ts";

export const ABIS = {
  StakedEther: StakedEther__factory.abi,
  WrappedStakedEther: WrappedStakedEther__factory.abi,
  StakingPool: StakingPool__factory.abi,
  WithdrawalQueue: WithdrawalQueue__factory.abi,
  OperatorRegistry: OperatorRegistry__factory.abi,
  ValidatorRegistry: ValidatorRegistry__factory.abi,
  ReportOracle: ReportOracle__factory.abi,
  WithdrawalVault: WithdrawalVault__factory.abi,
  RewardsVault: RewardsVault__factory.abi,
  EtherPool: EtherPool__factory.abi,
  Router: Router__factory.abi,
} as const;
