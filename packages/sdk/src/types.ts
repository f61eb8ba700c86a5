/** `@estuary/sdk/types`: the contracts as typechain has them, and factories that connect them. */
export type { StakedEther } from "../../../typechain-types/contracts/token/StakedEther.ts";
export type { WrappedStakedEther } from "../../../typechain-types/contracts/token/WrappedStakedEther.ts";
export type { StakingPool } from "../../../typechain-types/contracts/pool/StakingPool.ts";
export type { WithdrawalQueue } from "../../../typechain-types/contracts/withdrawals/WithdrawalQueue.ts";
export type { OperatorRegistry } from "../../../typechain-types/contracts/validators/OperatorRegistry.ts";
export type { ValidatorRegistry } from "../../../typechain-types/contracts/validators/ValidatorRegistry.ts";
export type { ReportOracle } from "../../../typechain-types/contracts/oracle/ReportOracle.ts";
export type { WithdrawalVault } from "../../../typechain-types/contracts/withdrawals/WithdrawalVault.ts";
export type { RewardsVault } from "../../../typechain-types/contracts/pool/RewardsVault.ts";
export { StakedEther__factory } from "../../../typechain-types/factories/contracts/token/StakedEther__factory.ts";
export { WrappedStakedEther__factory } from "../../../typechain-types/factories/contracts/token/WrappedStakedEther__factory.ts";
export { StakingPool__factory } from "../../../typechain-types/factories/contracts/pool/StakingPool__factory.ts";
export { WithdrawalQueue__factory } from "../../../typechain-types/factories/contracts/withdrawals/WithdrawalQueue__factory.ts";
export { OperatorRegistry__factory } from "../../../typechain-types/factories/contracts/validators/OperatorRegistry__factory.ts";
export { ValidatorRegistry__factory } from "../../../typechain-types/factories/contracts/validators/ValidatorRegistry__factory.ts";
export { ReportOracle__factory } from "../../../typechain-types/factories/contracts/oracle/ReportOracle__factory.ts";
export { WithdrawalVault__factory } from "../../../typechain-types/factories/contracts/withdrawals/WithdrawalVault__factory.ts";
export { RewardsVault__factory } from "../../../typechain-types/factories/contracts/pool/RewardsVault__factory.ts";
