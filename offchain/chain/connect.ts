/**
 * The protocol's contracts, found from two addresses and the Router's: whatever may be replaced (the pool, and what it names) is asked for, so that an
 * addresses file never grows old.
 */
import { ZeroAddress } from "ethers";
import type { Provider } from "ethers";
import { z } from "zod";
import { AppError, EXIT, messageOf } from "../util/errors.ts";
import { ChainError, toChainError } from "./errors.ts";
import { MULTICALL3, NoSuchView, blockRefOf, call, readAll } from "./multicall.ts";
import type { BlockRef, Source } from "./multicall.ts";
import { EtherPool__factory } from "../../typechain-types/factories/contracts/liquidity/EtherPool__factory.ts";
import { Router__factory } from "../../typechain-types/factories/contracts/liquidity/Router__factory.ts";
import { OperatorRegistry__factory } from "../../typechain-types/factories/contracts/validators/OperatorRegistry__factory.ts";
import { ReportOracle__factory } from "../../typechain-types/factories/contracts/oracle/ReportOracle__factory.ts";
import { StakedEther__factory } from "../../typechain-types/factories/contracts/token/StakedEther__factory.ts";
import { StakingPool__factory } from "../../typechain-types/factories/contracts/pool/StakingPool__factory.ts";
import { ValidatorRegistry__factory } from "../../typechain-types/factories/contracts/validators/ValidatorRegistry__factory.ts";
import { WithdrawalQueue__factory } from "../../typechain-types/factories/contracts/withdrawals/WithdrawalQueue__factory.ts";
import { WithdrawalVault__factory } from "../../typechain-types/factories/contracts/withdrawals/WithdrawalVault__factory.ts";
import { WrappedStakedEther__factory } from "../../typechain-types/factories/contracts/token/WrappedStakedEther__factory.ts";
import type { EtherPool } from "../../typechain-types/contracts/liquidity/EtherPool.ts";
import type { Router } from "../../typechain-types/contracts/liquidity/Router.ts";
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
  /** Of the EtherPool, which it names; undefined where there is none, or where the file is older than it. */
  router: hexAddress.optional(),
  /** The block before which nothing happened: where readers of events start. */
  fromBlock: z.number().int().nonnegative(),
});

export type Deployment = z.infer<typeof deploymentSchema>;

/** All contracts of one deployment, connected to the provider that reads go through. */
export interface Protocol {
  readonly chainId: bigint;
  readonly provider: Provider;
  /** Whether the chain has Multicall3. */
  readonly multicall: boolean;
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
  /** Undefined where the addresses file names none. */
  readonly liquidity: Liquidity | undefined;
}

/** The Router and the one pool that it trades with. */
export interface Liquidity {
  readonly router: Router;
  readonly etherPool: EtherPool;
}

export type ConnectErrorKind = "wrong-chain" | "not-deployed" | "miswired";

/** The addresses and the node don't fit together. */
export class ConnectError extends AppError {
  readonly kind: ConnectErrorKind;

  constructor(kind: ConnectErrorKind, message: string) {
    super(EXIT.usage, message);
    this.name = "ConnectError";
    this.kind = kind;
  }
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
 * Finds the contracts, and checks that they are there and name each other.
 * @throws AppError (unavailable) if the node does not answer; ConnectError if it serves another chain, or the contracts are not there or
 *   belong to different deployments
 */
export async function connect(provider: Provider, deployment: Deployment): Promise<Protocol> {
  const { token: tokenAddress, wrapped: wrappedAddress, router: routerAddress } = deployment;
  const [network, block, tokenCode, wrappedCode, multicallCode, routerCode] = await Promise.all([
    provider.getNetwork(),
    blockRefOf(provider),
    ...[tokenAddress, wrappedAddress, MULTICALL3, ...(routerAddress === undefined ? [] : [routerAddress])].map(
      (address) => provider.getCode(address),
    ),
  ] as const).catch((error: unknown) => {
    if (error instanceof AppError) throw error;
    throw new AppError(EXIT.unavailable, `the node does not answer: ${toChainError(error).message}`, { cause: error });
  });
  if (network.chainId !== deployment.chainId)
    throw new ConnectError(
      "wrong-chain",
      `wrong chain: the node serves ${network.chainId}, the protocol is on ${deployment.chainId}`,
    );
  if (block.number < deployment.fromBlock)
    throw new AppError(
      EXIT.unavailable,
      `the node is at block ${block.number}, before the protocol's first, ${deployment.fromBlock}: it is not synced`,
    );
  for (const [name, address, code] of [
    ["estETH", tokenAddress, tokenCode],
    ["westETH", wrappedAddress, wrappedCode],
    ["the Router", routerAddress, routerCode],
  ] as const)
    if (code === "0x")
      throw new ConnectError(
        "not-deployed",
        `no contract at ${address} on chain ${network.chainId}: ${name} is not deployed there`,
      );
  const source = { provider, multicall: multicallCode !== "0x" };
  const token = StakedEther__factory.connect(tokenAddress, provider);
  const wrapped = WrappedStakedEther__factory.connect(wrappedAddress, provider);
  const found = await orMiswired(tokenAddress, "estETH", async () => {
    const { values } = await readAll(
      source,
      {
        pool: call(token, token.pool),
        queue: call(token, token.queue),
        wrappedToken: call(wrapped, wrapped.token),
      },
      block,
    );
    return values;
  });
  if (found.pool === ZeroAddress)
    throw new ConnectError("not-deployed", `the estETH at ${tokenAddress} has no pool: its deployment is not finished`);
  const pool = StakingPool__factory.connect(found.pool, provider);
  const peers = await orMiswired(found.pool, "the pool", async () => {
    const { values } = await readAll(
      source,
      {
        token: call(pool, pool.token),
        operators: call(pool, pool.operators),
        validators: call(pool, pool.validators),
        oracle: call(pool, pool.oracle),
        withdrawalVault: call(pool, pool.withdrawalVault),
        rewardsVault: call(pool, pool.rewardsVault),
      },
      block,
    );
    return values;
  });
  const protocol: Protocol = {
    ...source,
    chainId: network.chainId,
    fromBlock: deployment.fromBlock,
    token,
    wrapped,
    pool,
    queue: WithdrawalQueue__factory.connect(found.queue, provider),
    operators: OperatorRegistry__factory.connect(peers.operators, provider),
    validators: ValidatorRegistry__factory.connect(peers.validators, provider),
    oracle: ReportOracle__factory.connect(peers.oracle, provider),
    withdrawalVault: WithdrawalVault__factory.connect(peers.withdrawalVault, provider),
    rewardsVault: peers.rewardsVault,
    liquidity: routerAddress === undefined ? undefined : await liquidityAt(source, routerAddress, block),
  };
  sameAddress(`${wrappedAddress} wraps`, found.wrappedToken, tokenAddress);
  sameAddress(`the pool ${found.pool} mints`, peers.token, tokenAddress);
  await checkPeers(protocol, tokenAddress, block);
  return protocol;
}

async function liquidityAt(source: Source, address: string, block: BlockRef): Promise<Liquidity> {
  const router = Router__factory.connect(address, source.provider);
  const etherPool = await orMiswired(address, "the Router", async () => {
    const { values } = await readAll(source, { etherPool: call(router, router.etherPool) }, block);
    return values.etherPool;
  });
  return { router, etherPool: EtherPool__factory.connect(etherPool, source.provider) };
}

async function checkPeers(protocol: Protocol, tokenAddress: string, block: BlockRef): Promise<void> {
  const { queue, operators, validators, oracle, withdrawalVault } = protocol;
  const back = await orMiswired(tokenAddress, "estETH", async () => {
    const { values } = await readAll(
      protocol,
      {
        queue: call(queue, queue.token),
        operators: call(operators, operators.token),
        oracle: call(oracle, oracle.token),
        vault: call(withdrawalVault, withdrawalVault.token),
        itsValidators: call(operators, operators.validators),
        itsOperators: call(validators, validators.operators),
      },
      block,
    );
    return values;
  });
  for (const name of ["queue", "operators", "oracle", "vault"] as const)
    sameAddress(`the ${name} of estETH ${tokenAddress} names`, back[name], tokenAddress);
  sameAddress("the operator registry names", back.itsValidators, validators.target as string);
  sameAddress("the validator registry names", back.itsOperators, operators.target as string);
  if (protocol.liquidity !== undefined) await checkLiquidity(protocol, protocol.liquidity, block);
}

async function checkLiquidity(protocol: Protocol, { router, etherPool }: Liquidity, block: BlockRef): Promise<void> {
  const { token, wrapped, queue } = protocol;
  const at = router.target as string;
  const named = await orMiswired(at, "the Router", async () => {
    const { values } = await readAll(
      protocol,
      {
        token: call(router, router.token),
        wrapped: call(router, router.wrappedToken),
        queue: call(router, router.queue),
        ofPool: call(etherPool, etherPool.token),
      },
      block,
    );
    return values;
  });
  sameAddress(`the Router ${at} routes`, named.token, token.target as string);
  sameAddress(`the Router ${at} wraps to`, named.wrapped, wrapped.target as string);
  sameAddress(`the Router ${at} queues at`, named.queue, queue.target as string);
  sameAddress(`the EtherPool ${etherPool.target as string} trades`, named.ofPool, token.target as string);
}

function sameAddress(what: string, found: string, expected: string): void {
  if (found.toLowerCase() !== expected.toLowerCase())
    throw new ConnectError("miswired", `${what} ${found}, not ${expected}`);
}

/** A contract that refuses these questions, or answers something else, is another one. A node's failure says nothing of it. */
async function orMiswired<T>(address: string, name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const isAnotherOne = error instanceof NoSuchView || (error instanceof ChainError && error.kind === "reverted");
    if (!isAnotherOne) throw error;
    throw new ConnectError("miswired", `the contract at ${address} is not ${name}, or not whole: ${messageOf(error)}`);
  }
}

/** The addresses file of a deployment, as `parseDeployment` reads it. By custom `deployments/<chain id>.json`. */
export function formatDeployment(deployment: Deployment): string {
  const { chainId, token, wrapped, router, fromBlock } = deployment;
  return `${JSON.stringify({ chainId: Number(chainId), token, wrapped, router, fromBlock }, null, 2)}\n`;
}
