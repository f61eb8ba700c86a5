/**
 * The protocol's contracts, found from two addresses: whatever may be replaced (the pool, and what it names) is asked for, so that an
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

const contractsSchema = z.object({
  pool: hexAddress,
  queue: hexAddress,
  operators: hexAddress,
  validators: hexAddress,
  oracle: hexAddress,
  withdrawalVault: hexAddress,
  rewardsVault: hexAddress,
  /** That the Router names. */
  etherPool: hexAddress.optional(),
});

/** An addresses file: JSON. */
export const deploymentSchema = z.object({
  chainId: z.number().int().positive().transform(BigInt),
  token: hexAddress,
  wrapped: hexAddress,
  /** Of the EtherPool, which it names; undefined where there is none, or where the file is older than it. */
  router: hexAddress.optional(),
  /** The block before which nothing happened: where readers of events start. */
  fromBlock: z.number().int().nonnegative(),
  /** The other contracts as they are now, some of which may be replaced: known, they need not be found one after the other. */
  contracts: contractsSchema.optional(),
});

export type Deployment = z.infer<typeof deploymentSchema>;
type Contracts = z.infer<typeof contractsSchema>;

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
 * Finds the contracts, and checks that they are there and name each other. What the addresses file names of those that may be replaced says only
 * where to look first.
 * @throws AppError (unavailable) if the node does not answer; ConnectError if it serves another chain, or the contracts are not there or
 *   belong to different deployments
 */
export async function connect(provider: Provider, deployment: Deployment): Promise<Protocol> {
  const [network, block, multicall] = await Promise.all([
    provider.getNetwork(),
    blockRefOf(provider),
    hasMulticall(provider),
  ]).catch((error: unknown) => {
    if (error instanceof AppError) throw error;
    throw new AppError(EXIT.unavailable, `the node does not answer: ${toChainError(error).message}`, { cause: error });
  });
  if (network.chainId !== deployment.chainId)
    throw new ConnectError(
      "wrong-chain",
      `wrong chain: the node serves ${network.chainId}, the protocol is on ${deployment.chainId}`,
    );
  return connectAt({ provider, multicall }, deployment, block);
}

export async function hasMulticall(provider: Provider): Promise<boolean> {
  return (await provider.getCode(MULTICALL3)) !== "0x";
}

/**
 * The same where the chain is known, and its newest block: one wait, if the addresses file names all contracts and none was replaced.
 * @throws as `connect`
 */
export async function connectAt(source: Source, deployment: Deployment, block: BlockRef): Promise<Protocol> {
  if (block.number < deployment.fromBlock)
    throw new AppError(
      EXIT.unavailable,
      `the node is at block ${block.number}, before the protocol's first, ${deployment.fromBlock}: it is not synced`,
    );
  const deployed = expectDeployed(source.provider, deployment);
  // asked together; that there is no contract says more than what the lack of one leads to
  const whereDeployed = async <T>(work: Promise<T>): Promise<T> => {
    await Promise.allSettled([deployed, work]);
    await deployed;
    return work;
  };
  const named = namedProtocol(source, deployment);
  if (named !== undefined && (await whereDeployed(isWired(named, block)))) return named;
  const contracts = await whereDeployed(findContracts(source, deployment, block));
  const found = protocolOf(source, deployment, contracts);
  await expectWired(found, block);
  return found;
}

/** The contracts that the addresses file names, not asked for anything yet; undefined where it names only those that stay. */
export function namedProtocol(source: Source, deployment: Deployment): Protocol | undefined {
  const { contracts, router } = deployment;
  const isWhole = router === undefined || contracts?.etherPool !== undefined;
  return contracts === undefined || !isWhole ? undefined : protocolOf(source, deployment, contracts);
}

function protocolOf(source: Source, deployment: Deployment, at: Contracts): Protocol {
  const { provider } = source;
  const { chainId, token, wrapped, router, fromBlock } = deployment;
  return {
    ...source,
    chainId,
    fromBlock,
    token: StakedEther__factory.connect(token, provider),
    wrapped: WrappedStakedEther__factory.connect(wrapped, provider),
    pool: StakingPool__factory.connect(at.pool, provider),
    queue: WithdrawalQueue__factory.connect(at.queue, provider),
    operators: OperatorRegistry__factory.connect(at.operators, provider),
    validators: ValidatorRegistry__factory.connect(at.validators, provider),
    oracle: ReportOracle__factory.connect(at.oracle, provider),
    withdrawalVault: WithdrawalVault__factory.connect(at.withdrawalVault, provider),
    rewardsVault: at.rewardsVault,
    liquidity:
      router === undefined || at.etherPool === undefined
        ? undefined
        : {
            router: Router__factory.connect(router, provider),
            etherPool: EtherPool__factory.connect(at.etherPool, provider),
          },
  };
}

async function expectDeployed(provider: Provider, { chainId, token, wrapped, router }: Deployment): Promise<void> {
  const addresses = { estETH: token, westETH: wrapped, ...(router === undefined ? {} : { "the Router": router }) };
  const codes = await Promise.all(Object.values(addresses).map((address) => provider.getCode(address)));
  Object.entries(addresses).forEach(([name, address], index) => {
    if (codes[index] === "0x")
      throw new ConnectError(
        "not-deployed",
        `no contract at ${address} on chain ${chainId}: ${name} is not deployed there`,
      );
  });
}

/** One after the other, from the two that stay. */
async function findContracts(source: Source, deployment: Deployment, block: BlockRef): Promise<Contracts> {
  const { provider } = source;
  const token = StakedEther__factory.connect(deployment.token, provider);
  const wrapped = WrappedStakedEther__factory.connect(deployment.wrapped, provider);
  const found = await orMiswired(deployment.token, "estETH", async () => {
    const calls = {
      pool: call(token, token.pool),
      queue: call(token, token.queue),
      wrappedToken: call(wrapped, wrapped.token),
    };
    return (await readAll(source, calls, block)).values;
  });
  if (found.pool === ZeroAddress)
    throw new ConnectError(
      "not-deployed",
      `the estETH at ${deployment.token} has no pool: its deployment is not finished`,
    );
  sameAddress(`${deployment.wrapped} wraps`, found.wrappedToken, deployment.token);
  const pool = StakingPool__factory.connect(found.pool, provider);
  const [peers, etherPool] = await Promise.all([
    orMiswired(found.pool, "the pool", async () => (await readAll(source, peersOf(pool), block)).values),
    findEtherPool(source, deployment, block),
  ]);
  return { pool: found.pool, queue: found.queue, ...peers, etherPool };
}

async function findEtherPool(source: Source, { router: at }: Deployment, block: BlockRef): Promise<string | undefined> {
  if (at === undefined) return undefined;
  const router = Router__factory.connect(at, source.provider);
  return orMiswired(at, "the Router", async () => {
    const { values } = await readAll(source, { etherPool: call(router, router.etherPool) }, block);
    return values.etherPool;
  });
}

function peersOf(pool: StakingPool) {
  return {
    operators: call(pool, pool.operators),
    validators: call(pool, pool.validators),
    oracle: call(pool, pool.oracle),
    withdrawalVault: call(pool, pool.withdrawalVault),
    rewardsVault: call(pool, pool.rewardsVault),
  };
}

async function isWired(protocol: Protocol, block: BlockRef): Promise<boolean> {
  try {
    await expectWired(protocol, block);
    return true;
  } catch (error) {
    if (error instanceof ConnectError) return false;
    throw error;
  }
}

async function expectWired(protocol: Protocol, block: BlockRef): Promise<void> {
  const { liquidity } = protocol;
  await Promise.all([
    expectCoreWired(protocol, block),
    liquidity === undefined ? undefined : expectLiquidityWired(protocol, liquidity, block),
  ]);
}

async function expectLiquidityWired(
  protocol: Protocol,
  { router, etherPool }: Liquidity,
  block: BlockRef,
): Promise<void> {
  const { token, wrapped, queue } = protocol;
  const at = router.target as string;
  const named = await orMiswired(at, "the Router", async () => {
    const calls = {
      token: call(router, router.token),
      wrapped: call(router, router.wrappedToken),
      queue: call(router, router.queue),
      etherPool: call(router, router.etherPool),
      ofPool: call(etherPool, etherPool.token),
    };
    return (await readAll(protocol, calls, block)).values;
  });
  sameAddress(`the Router ${at} routes`, named.token, token.target as string);
  sameAddress(`the Router ${at} wraps to`, named.wrapped, wrapped.target as string);
  sameAddress(`the Router ${at} queues at`, named.queue, queue.target as string);
  sameAddress(`the Router ${at} trades with`, named.etherPool, etherPool.target as string);
  sameAddress(`the EtherPool ${etherPool.target as string} trades`, named.ofPool, token.target as string);
}

async function expectCoreWired(protocol: Protocol, block: BlockRef): Promise<void> {
  const { token, wrapped, pool, queue, operators, validators, oracle, withdrawalVault, rewardsVault } = protocol;
  const address = token.target as string;
  const found = await orMiswired(address, "estETH", async () => {
    const calls = {
      ...peersOf(pool),
      pool: call(token, token.pool),
      queue: call(token, token.queue),
      wraps: call(wrapped, wrapped.token),
      mints: call(pool, pool.token),
      tokenOfQueue: call(queue, queue.token),
      tokenOfOperators: call(operators, operators.token),
      tokenOfOracle: call(oracle, oracle.token),
      tokenOfVault: call(withdrawalVault, withdrawalVault.token),
      itsValidators: call(operators, operators.validators),
      itsOperators: call(validators, validators.operators),
    };
    return (await readAll(protocol, calls, block)).values;
  });
  const expected = { pool, queue, operators, validators, oracle, withdrawalVault };
  for (const [name, { target }] of Object.entries(expected))
    sameAddress(`estETH ${address} has as its ${name}`, found[name as keyof typeof expected], target as string);
  sameAddress("the pool has as its rewardsVault", found.rewardsVault, rewardsVault);
  sameAddress(`${wrapped.target as string} wraps`, found.wraps, address);
  sameAddress(`the pool ${pool.target as string} mints`, found.mints, address);
  const back = {
    queue: found.tokenOfQueue,
    operators: found.tokenOfOperators,
    oracle: found.tokenOfOracle,
    vault: found.tokenOfVault,
  };
  for (const [name, named] of Object.entries(back))
    sameAddress(`the ${name} of estETH ${address} names`, named, address);
  sameAddress("the operator registry names", found.itsValidators, validators.target as string);
  sameAddress("the validator registry names", found.itsOperators, operators.target as string);
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
  const { chainId, token, wrapped, router, fromBlock, contracts } = deployment;
  return `${JSON.stringify({ chainId: Number(chainId), token, wrapped, router, fromBlock, contracts }, null, 2)}\n`;
}
