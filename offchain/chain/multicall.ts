/**
 * Many reads as of one block: one eth_call where the chain has Multicall3, otherwise calls at one block number, which ethers sends as one
 * JSON-RPC batch.
 */
import { Interface } from "ethers";
import type { Block, BlockTag, FunctionFragment, Provider } from "ethers";
import type { TypedContractMethod } from "../../typechain-types/common.ts";
import { AppError, EXIT } from "../util/errors.ts";
import { meaningOfThrown } from "./answers.ts";
import { ChainError, decodeRevert, readable, toChainError } from "./errors.ts";

/** The same on every chain that has it. */
export const MULTICALL3 = "0xcA11bde05977b3631167028862bE2a173976CA11";

const ABI = new Interface([
  "function aggregate3((address target, bool allowFailure, bytes callData)[] calls) payable returns ((bool success, bytes returnData)[])",
  "function getEthBalance(address account) view returns (uint256)",
  "function getBlockNumber() view returns (uint256)",
  "function getCurrentBlockTimestamp() view returns (uint256)",
]);
/** Calls in one aggregate: a node's gas limit for calls. */
const MAX_CALLS = 500;

/** What can be read from: a provider, and whether its chain has Multicall3. */
export interface Source {
  readonly provider: Provider;
  readonly multicall: boolean;
}

/** The block that values are as of. */
export interface BlockRef {
  readonly number: number;
  /** Unix seconds. */
  readonly timestamp: bigint;
}

/** The newest block, by hash too. */
export interface Head extends BlockRef {
  readonly hash: string;
}

export interface ReadOptions {
  /** The block to read as of, where it is known; by default the latest. */
  readonly at?: BlockRef | undefined;
}

/** What was called answered, but not as the function does: another contract is there, or none. */
export class NoSuchView extends AppError {
  constructor(target: string, options?: ErrorOptions) {
    super(
      EXIT.unavailable,
      `${target} does not answer as it should: another contract is there, or the node lacks the state of that block`,
      options,
    );
    this.name = "NoSuchView";
  }
}

/** One read, not yet made. */
export interface Call<T> {
  readonly target: string;
  readonly data: string;
  readonly decode: (data: string) => T;
  /** Instead of a refusal by the contract: its value. Nothing else has one. */
  readonly otherwise?: { readonly value: T };
  /** How it is read without Multicall3, if not by calling `target`. */
  readonly direct?: (provider: Provider, block: BlockTag) => Promise<T>;
}

type Calls = Readonly<Record<string, Call<unknown>>>;
type ValueOf<C> = C extends Call<infer T> ? T : never;
export type ValuesOf<C extends Calls> = { readonly [K in keyof C]: ValueOf<C[K]> };

interface Contract {
  readonly target: unknown;
  readonly interface: {
    encodeFunctionData(fragment: never, args?: never): string;
    decodeFunctionResult(fragment: never, data: never): unknown;
  };
}
type Outcome<R> = R extends readonly unknown[] ? R[0] : R;

/** A call of a view function: `call(token, token.sharesOf, account)`. */
export function call<A extends unknown[], R>(
  contract: Contract,
  method: TypedContractMethod<A, R, "view">,
  ...args: A
): Call<Outcome<R>> {
  const { fragment } = method;
  const abi = contract.interface as unknown as Interface;
  return {
    target: contract.target as string,
    data: abi.encodeFunctionData(fragment, args),
    decode: (data) => decoded(abi, fragment, data) as Outcome<R>,
  };
}

/** The same, with a value in place of a revert. */
export function orElse<T, U>({ target, data, decode }: Call<T>, value: U): Call<T | U> {
  return { target, data, decode, otherwise: { value } };
}

/** An account's ether. */
export function etherOf(account: string): Call<bigint> {
  return {
    target: MULTICALL3,
    data: ABI.encodeFunctionData("getEthBalance", [account]),
    decode: (data) => decoded(ABI, functionOf("getEthBalance"), data) as bigint,
    direct: (provider, block) => provider.getBalance(account, block),
  };
}

/**
 * Reads everything as of one block: `block`, by default the latest. One that was read before need not be looked up again.
 * @throws ChainError; what a contract refuses is decoded
 */
export async function readAll<C extends Calls>(
  source: Source,
  calls: C,
  block: BlockTag | BlockRef = "latest",
): Promise<{ readonly block: BlockRef; readonly values: ValuesOf<C> }> {
  const list = Object.values(calls);
  const result = await readable(async () => {
    if (!source.multicall || list.length > MAX_CALLS) return separately(source, list, block);
    try {
      return await aggregate(source, list, block);
    } catch (error) {
      // more gas than the node allows for one call
      if (error instanceof ChainError || meaningOfThrown(error, "eth_call") !== "size") throw error;
      return separately(source, list, block);
    }
  });
  const values = Object.fromEntries(Object.keys(calls).map((name, index) => [name, result.values[index]]));
  return { block: result.block, values: values as ValuesOf<C> };
}

interface Read {
  readonly block: BlockRef;
  readonly values: readonly unknown[];
}

async function aggregate(
  { provider }: Source,
  calls: readonly Call<unknown>[],
  block: BlockTag | BlockRef,
): Promise<Read> {
  const entries = calls.map(({ target, data }) => [target, true, data]);
  const own = ["getBlockNumber", "getCurrentBlockTimestamp"].map((name) => [
    MULTICALL3,
    false,
    ABI.encodeFunctionData(name),
  ]);
  const data = ABI.encodeFunctionData("aggregate3", [[...entries, ...own]]);
  const answer = await provider.call({ to: MULTICALL3, data, blockTag: isRef(block) ? block.number : block });
  const [results] = decodeOr(MULTICALL3, () => ABI.decodeFunctionResult("aggregate3", answer)) as unknown as [
    readonly [boolean, string][],
  ];
  const [number, timestamp] = results.slice(calls.length).map(([, returned]) => BigInt(returned));
  const found = { number: Number(number), timestamp: timestamp ?? 0n };
  const values = await Promise.all(
    calls.map((one, index) => {
      const [success, returned] = results[index] ?? [true, "0x"];
      if (success) return decodeOr(one.target, () => one.decode(returned));
      // without data it may as well have run out of what gas the node allows for all of them
      if (returned === "0x") return separate(provider, one, found);
      if (one.otherwise !== undefined) return one.otherwise.value;
      const revert = decodeRevert(returned);
      throw new ChainError("reverted", revert?.message ?? `the contract refused: ${returned}`, { revert });
    }),
  );
  return { block: found, values };
}

async function separately(
  { provider }: Source,
  calls: readonly Call<unknown>[],
  block: BlockTag | BlockRef,
): Promise<Read> {
  const found = isRef(block) ? block : await blockRefOf(provider, block);
  return { block: found, values: await Promise.all(calls.map((one) => separate(provider, one, found))) };
}

async function separate(provider: Provider, one: Call<unknown>, { number }: BlockRef): Promise<unknown> {
  if (one.direct !== undefined) return one.direct(provider, number);
  let answer: string;
  try {
    answer = await provider.call({ to: one.target, data: one.data, blockTag: number });
  } catch (error) {
    // a node that fails is not a contract that refuses
    if (one.otherwise === undefined || !isRefusal(error)) throw error;
    return one.otherwise.value;
  }
  return decodeOr(one.target, () => one.decode(answer));
}

function decodeOr<T>(target: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw new NoSuchView(target, { cause: error });
  }
}

/** @throws AppError (unavailable) */
export async function blockRefOf(provider: Provider, block: BlockTag = "latest"): Promise<BlockRef> {
  const { number, timestamp } = await blockAt(provider, block);
  return { number, timestamp: BigInt(timestamp) };
}

/** For reading everything as of one block, together. @throws AppError (unavailable) */
export async function headOf(provider: Provider): Promise<Head> {
  const { number, timestamp, hash } = await blockAt(provider, "latest");
  if (hash === null) throw new AppError(EXIT.unavailable, "the node's newest block has no hash");
  return { number, timestamp: BigInt(timestamp), hash };
}

async function blockAt(provider: Provider, block: BlockTag): Promise<Block> {
  const found = await provider.getBlock(block);
  if (found === null) throw new AppError(EXIT.unavailable, `the node does not have block ${String(block)}`);
  return found;
}

function isRef(block: BlockTag | BlockRef): block is BlockRef {
  return typeof block === "object";
}

function isRefusal(error: unknown): boolean {
  const readable = toChainError(error);
  return readable instanceof ChainError && readable.kind === "reverted";
}

function decoded(abi: Interface, fragment: FunctionFragment, data: string): unknown {
  const values = abi.decodeFunctionResult(fragment, data);
  return fragment.outputs.length === 1 ? (values[0] as unknown) : values;
}

function functionOf(name: string): FunctionFragment {
  const fragment = ABI.getFunction(name);
  if (fragment === null) throw new Error(`no function ${name}`);
  return fragment;
}
