/** What a unit of gas is offered: for a first transaction and for what replaces it, never above a limit. All prices are wei a unit of gas. */
import { formatUnits } from "ethers";
import type { JsonRpcApiProvider, Provider } from "ethers";
import { ChainError } from "../errors.ts";

export interface Market {
  /** Of the newest block. */
  readonly base: bigint;
  /** What is paid beside it. */
  readonly tip: bigint;
}

export interface Price {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/** Nothing was sent: gas is above the limit. */
export class TooExpensive extends Error {
  constructor(feePerGas: bigint, limit: bigint) {
    super(`gas costs ${formatUnits(feePerGas, "gwei")} gwei, the limit is ${formatUnits(limit, "gwei")}`);
    this.name = "TooExpensive";
  }
}

const GWEI = 10n ** 9n;
/** Where no node says a tip that can be believed. */
const DEFAULT_TIP = GWEI;
/** A tip up to this is believed whatever the base fee. */
const PLAUSIBLE_TIP = 10n * GWEI;
const HISTORY_BLOCKS = 20;

/**
 * A tip of 0 or of more than ten times the base fee is not believed; nor have all nodes `eth_maxPriorityFeePerGas`, which is no part of the execution
 * API's specification: then the middle of what the last blocks paid (`eth_feeHistory`), or 1 gwei.
 * @throws ChainError (unavailable) where the newest block is not there
 */
export async function readMarket(provider: Provider): Promise<Market> {
  const [block, asked] = await Promise.all([provider.getBlock("latest"), askedTip(provider).catch(() => undefined)]);
  const base = block?.baseFeePerGas ?? undefined;
  if (base === undefined) throw new ChainError("unavailable", "the node's newest block has no base fee");
  const isPlausible = (tip: bigint | undefined): tip is bigint =>
    tip !== undefined && tip > 0n && (tip <= PLAUSIBLE_TIP || tip <= 10n * base);
  if (isPlausible(asked)) return { base, tip: asked };
  const paid = await paidTip(provider).catch(() => undefined);
  return { base, tip: isPlausible(paid) ? paid : DEFAULT_TIP };
}

async function askedTip(provider: Provider): Promise<bigint | undefined> {
  const { send } = provider as Partial<JsonRpcApiProvider>;
  if (send === undefined) return (await provider.getFeeData()).maxPriorityFeePerGas ?? undefined;
  return BigInt((await send.call(provider, "eth_maxPriorityFeePerGas", [])) as string);
}

async function paidTip(provider: Provider): Promise<bigint | undefined> {
  const { send } = provider as Partial<JsonRpcApiProvider>;
  const blocks = `0x${HISTORY_BLOCKS.toString(16)}`;
  const answer = (await send?.call(provider, "eth_feeHistory", [blocks, "latest", [50]])) as
    { readonly reward?: readonly (readonly string[])[] | null } | undefined;
  const paid = (answer?.reward ?? []).map(([middle = "0x0"]) => BigInt(middle)).filter((tip) => tip > 0n);
  return paid.sort((a, b) => (a < b ? -1 : 1))[Math.floor(paid.length / 2)];
}

/**
 * Twice the base fee and the tip, so that a few full blocks don't leave the transaction behind, but at most the limit.
 * @throws TooExpensive where the next block costs more than the limit
 */
export function priceWithin(market: Market, limit?: bigint): Price {
  const { base } = market;
  const tip = limit !== undefined && market.tip > limit ? DEFAULT_TIP : market.tip;
  if (limit !== undefined && base + tip > limit) throw new TooExpensive(base + tip, limit);
  return { maxFeePerGas: least(2n * base + tip, limit), maxPriorityFeePerGas: tip };
}

/**
 * For a replacement: an eighth more on both, or what the market asks now where that is more, at most the limit. What is sent stays sent: where the
 * market went beyond the limit, the limit is offered. Undefined where the limit leaves less than the tenth that nodes ask for (go-ethereum's
 * `txpool.pricebump`; Nethermind, Besu, Erigon and Reth have the same).
 */
export function dearer(before: Price, market: Market | undefined, limit: bigint): Price | undefined {
  const { base, tip } = market ?? { base: 0n, tip: 0n };
  const maxFeePerGas = least(raised(before.maxFeePerGas, 2n * base + tip), limit);
  const maxPriorityFeePerGas = least(raised(before.maxPriorityFeePerGas, tip), maxFeePerGas);
  const suffices = (old: bigint, now: bigint): boolean => now * 10n >= old * 11n && now > old;
  if (!suffices(before.maxFeePerGas, maxFeePerGas) || !suffices(before.maxPriorityFeePerGas, maxPriorityFeePerGas))
    return undefined;
  return { maxFeePerGas, maxPriorityFeePerGas };
}

function raised(old: bigint, market: bigint): bigint {
  const more = old + old / 8n + 1n;
  return market > more ? market : more;
}

function least(amount: bigint, limit: bigint | undefined): bigint {
  return limit !== undefined && amount > limit ? limit : amount;
}
