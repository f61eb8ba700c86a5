/** The interfaces of all contracts of the protocol. */
import type { InterfaceAbi } from "ethers";
import { AccessManager__factory } from "../../typechain-types/factories/@openzeppelin/contracts/access/manager/AccessManager__factory.ts";
import { EtherPool__factory } from "../../typechain-types/factories/contracts/liquidity/EtherPool__factory.ts";
import { Router__factory } from "../../typechain-types/factories/contracts/liquidity/Router__factory.ts";
import { ReportBounds__factory } from "../../typechain-types/factories/contracts/oracle/ReportBounds__factory.ts";
import { ReportOracle__factory } from "../../typechain-types/factories/contracts/oracle/ReportOracle__factory.ts";
import { RewardsVault__factory } from "../../typechain-types/factories/contracts/pool/RewardsVault__factory.ts";
import { StakingPool__factory } from "../../typechain-types/factories/contracts/pool/StakingPool__factory.ts";
import { StakedEther__factory } from "../../typechain-types/factories/contracts/token/StakedEther__factory.ts";
import { WrappedStakedEther__factory } from "../../typechain-types/factories/contracts/token/WrappedStakedEther__factory.ts";
import { BeaconProof__factory } from "../../typechain-types/factories/contracts/validators/BeaconProof__factory.ts";
import { OperatorRegistry__factory } from "../../typechain-types/factories/contracts/validators/OperatorRegistry__factory.ts";
import { ValidatorRegistry__factory } from "../../typechain-types/factories/contracts/validators/ValidatorRegistry__factory.ts";
import { WithdrawalQueue__factory } from "../../typechain-types/factories/contracts/withdrawals/WithdrawalQueue__factory.ts";
import { WithdrawalVault__factory } from "../../typechain-types/factories/contracts/withdrawals/WithdrawalVault__factory.ts";

export const CONTRACT_ABIS: readonly InterfaceAbi[] = [
  StakedEther__factory.abi,
  WrappedStakedEther__factory.abi,
  StakingPool__factory.abi,
  WithdrawalQueue__factory.abi,
  OperatorRegistry__factory.abi,
  ValidatorRegistry__factory.abi,
  BeaconProof__factory.abi,
  ReportOracle__factory.abi,
  ReportBounds__factory.abi,
  WithdrawalVault__factory.abi,
  RewardsVault__factory.abi,
  EtherPool__factory.abi,
  Router__factory.abi,
  AccessManager__factory.abi,
];
