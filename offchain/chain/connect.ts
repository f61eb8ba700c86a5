/**
 * The protocol's contracts, found from two addresses: whatever may be replaced (the pool, and what it names) is asked for, so that an
 * addresses file never grows old.
 */
import type { Provider } from "ethers";
import { z } from "zod";
import { AppError, EXIT, messageOf } from "../util/errors.ts";
import { OperatorRegistry__factory } from "../../typechain-types/factories/contracts/validators/OperatorRegistry__factory.ts";
import { ReportOracle__factory } from "../../typechain-types/factories/contracts/oracle/ReportOracle__factory.ts";
import { StakedEther__factory } from "../../typechain-types/factories/contracts/token/StakedEther__factory.ts";
import { StakingPool__factory } from "../../typechain-types/factories/contracts/pool/StakingPool__factory.ts";
import { ValidatorRegistry__factory } from "../../typechain-types/factories/contracts/validators/ValidatorRegistry__factory.ts";
import { WithdrawalQueue__factory } from "../../typechain-types/factories/contracts/withdrawals/WithdrawalQueue__factory.ts";
import { WithdrawalVault__factory } from "../../typechain-types/factories/contracts/withdrawals/WithdrawalVault__factory.ts";
import { WrappedStakedEther__factory } from "../../typechain-types/factories/contracts/token/WrappedStakedEther__factory.ts";
import type { OperatorRegistry } from "../../typechain-types/contracts/validators/OperatorRegistry.ts";
import type { ReportOracle } from "../../typechain-types/contracts/oracle/ReportOracle.ts";
import type { StakedEther } from "../../typechain-types/contracts/token/StakedEther.ts";
import type { StakingPool } from "../../typechain-types/contracts/pool/StakingPool.ts";
import type { ValidatorRegistry } from "../../typechain-types/contracts/validators/ValidatorRegistry.ts";
import type { WithdrawalQueue } from "../../typechain-types/contracts/withdrawals/WithdrawalQueue.ts";
import type { WithdrawalVault } from "../../typechain-types/contracts/withdrawals/WithdrawalVault.ts";
import type { WrappedStakedEther } from "../../typechain-types/contracts/token/WrappedStakedEther.ts";

const hexAddress = z.string().regex(/^0x[0-9a-fA-F]{40}$/, "an address");

/** An addresses file: JSON. */
export const deploymentSchema = z.object({
  chainId: z.number().int().positive().transform(BigInt),
  token: hexAddress,
  wrapped: hexAddress,
  /** The block before which nothing happened: where readers of events start. */
  fromBlock: z.number().int().nonnegative(),
});

export type Deployment = z.infer<typeof deploymentSchema>;

export interface Protocol {
  readonly chainId: bigint;
  readonly provider: Provider;
  readonly fromBlock: number;
  readonly token: StakedEther;
  readonly wrapped: WrappedStakedEther;
  readonly pool: StakingPool;
  readonly queue: WithdrawalQueue;
  readonly operators: OperatorRegistry;
  readonly validators: ValidatorRegistry;
  readonly oracle: ReportOracle;
  readonly withdrawalVault: WithdrawalVault;
  readonly rewardsVault: string;
}

/**
 * The text of an addresses file.
 * @throws AppError (usage), a line for each problem
 */
export function parseDeployment(text: string, name: string): Deployment {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new AppError(EXIT.usage, `${name}: not JSON`);
  }
  const parsed = deploymentSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${name}: ${issue.path.join(".")}: ${issue.message}`);
  throw new AppError(EXIT.usage, problems.join("\n"));
}

/**
 * Finds the contracts.
 * @throws AppError: unavailable if the node does not answer, usage if it serves another chain or the contracts are not there
 */
export async function connect(provider: Provider, deployment: Deployment): Promise<Protocol> {
  const { token: tokenAddress, wrapped: wrappedAddress } = deployment;
  const [network, tokenCode, wrappedCode] = await Promise.all([
    provider.getNetwork(),
    provider.getCode(tokenAddress),
    provider.getCode(wrappedAddress),
  ]).catch((error: unknown) => {
    throw new AppError(EXIT.unavailable, `the node does not answer: ${messageOf(error)}`);
  });
  if (network.chainId !== deployment.chainId)
    throw new AppError(
      EXIT.usage,
      `wrong chain: the node serves ${network.chainId}, the protocol is on ${deployment.chainId}`,
    );
  for (const [name, address, code] of [
    ["estETH", tokenAddress, tokenCode],
    ["westETH", wrappedAddress, wrappedCode],
  ] as const)
    if (code === "0x")
      throw new AppError(
        EXIT.usage,
        `no contract at ${address} on chain ${network.chainId}: ${name} is not deployed there`,
      );
  const token = StakedEther__factory.connect(tokenAddress, provider);
  const wrapped = WrappedStakedEther__factory.connect(wrappedAddress, provider);
  try {
    const [poolAddress, queueAddress, wrappedToken] = await Promise.all([token.pool(), token.queue(), wrapped.token()]);
    if (wrappedToken.toLowerCase() !== tokenAddress.toLowerCase())
      throw new AppError(EXIT.usage, `${wrappedAddress} wraps ${wrappedToken}, not ${tokenAddress}`);
    const pool = StakingPool__factory.connect(poolAddress, provider);
    const [operators, validators, oracle, withdrawalVault, rewardsVault] = await Promise.all([
      pool.operators(),
      pool.validators(),
      pool.oracle(),
      pool.withdrawalVault(),
      pool.rewardsVault(),
    ]);
    return {
      chainId: network.chainId,
      provider,
      fromBlock: deployment.fromBlock,
      token,
      wrapped,
      pool,
      queue: WithdrawalQueue__factory.connect(queueAddress, provider),
      operators: OperatorRegistry__factory.connect(operators, provider),
      validators: ValidatorRegistry__factory.connect(validators, provider),
      oracle: ReportOracle__factory.connect(oracle, provider),
      withdrawalVault: WithdrawalVault__factory.connect(withdrawalVault, provider),
      rewardsVault,
    };
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError(EXIT.usage, `the contract at ${tokenAddress} is not estETH: ${messageOf(error)}`);
  }
}
