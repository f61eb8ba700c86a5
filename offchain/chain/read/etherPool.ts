/** The EtherPool as of one block. What it would pay and cost is then computed here, without asking again (offchain/protocol/router.ts). */
import { marginalFee, valueOf } from "../../protocol/etherPool.ts";
import type { EtherPool } from "../../protocol/etherPool.ts";
import type { Market } from "../../protocol/router.ts";
import { bp, shares, units, wei } from "../../protocol/units.ts";
import type { Wei } from "../../protocol/units.ts";
import type { Liquidity, Protocol } from "../connect.ts";
import { ChainError } from "../errors.ts";
import { call, readAll } from "../multicall.ts";
import type { BlockRef, ReadOptions } from "../multicall.ts";

export interface EtherPoolStatus extends Market {
  readonly block: BlockRef;
  /** Ether from which on sellers pay the least fee, and above which nothing is sold back. */
  readonly target: Wei;
  /** Of all that LPs have, at the rate; rounded down. */
  readonly value: Wei;
  /** What the next wei costs a seller on top, in 1e-9, rounded up. */
  readonly marginalFee: bigint;
}

/** @throws ChainError: refused where the addresses file names no Router; AppError (unavailable) */
export async function readEtherPool(protocol: Protocol, { at }: ReadOptions = {}): Promise<EtherPoolStatus> {
  const { token, pool, queue } = protocol;
  const { etherPool } = liquidityOf(protocol);
  const calls = {
    totals: call(token, token.totals),
    calm: call(pool, pool.calm),
    requestsPaused: call(queue, queue.requestsPaused),
    reserves: call(etherPool, etherPool.reserves),
    supply: call(etherPool, etherPool.totalSupply),
    target: call(etherPool, etherPool.targetEther),
    minFeeBp: call(etherPool, etherPool.minFeeBp),
    maxFeeBp: call(etherPool, etherPool.maxFeeBp),
    targetBp: call(etherPool, etherPool.targetBp),
    rebateBp: call(etherPool, etherPool.rebateBp),
    entryFeeBp: call(etherPool, etherPool.entryFeeBp),
  };
  const { block, values } = await readAll(protocol, calls, at);
  const found: EtherPool = {
    terms: {
      minFeeBp: bp(values.minFeeBp),
      maxFeeBp: bp(values.maxFeeBp),
      targetBp: bp(values.targetBp),
      rebateBp: bp(values.rebateBp),
      entryFeeBp: bp(values.entryFeeBp),
    },
    ether: wei(values.reserves.ether_),
    units: units(values.reserves.units),
    supply: wei(values.supply),
  };
  const [calm] = values.calm;
  const totals = { ether: wei(values.totals.totalEther), shares: shares(values.totals.totalShares) };
  return {
    block,
    pool: found,
    totals,
    calm,
    requestsPaused: values.requestsPaused,
    target: wei(values.target),
    value: valueOf(found, totals),
    marginalFee: marginalFee(found),
  };
}

/** What an address has at the EtherPool, and what it lets move. */
export interface EtherPoolAccount {
  readonly block: BlockRef;
  readonly lp: Wei;
  /** Of the Router, to leave with. */
  readonly routerAllowance: Readonly<Record<"estETH" | "westETH" | "LP", Wei>>;
  /** Of the EtherPool, to enter with: estETH. */
  readonly poolAllowance: Wei;
}

/** @throws ChainError: refused where the addresses file names no Router; AppError (unavailable) */
export async function readEtherPoolAccount(
  protocol: Protocol,
  address: string,
  { at }: ReadOptions = {},
): Promise<EtherPoolAccount> {
  const { token, wrapped } = protocol;
  const { etherPool, router } = liquidityOf(protocol);
  const calls = {
    lp: call(etherPool, etherPool.balanceOf, address),
    estETH: call(token, token.allowance, address, router.target),
    westETH: call(wrapped, wrapped.allowance, address, router.target),
    LP: call(etherPool, etherPool.allowance, address, router.target),
    toPool: call(token, token.allowance, address, etherPool.target),
  };
  const { block, values } = await readAll(protocol, calls, at);
  const { lp, estETH, westETH, LP, toPool } = values;
  return {
    block,
    lp: wei(lp),
    routerAllowance: { estETH: wei(estETH), westETH: wei(westETH), LP: wei(LP) },
    poolAllowance: wei(toPool),
  };
}

/** @throws ChainError (refused) where the addresses file names no Router */
export function liquidityOf({ liquidity }: Protocol): Liquidity {
  if (liquidity === undefined)
    throw new ChainError("refused", "there is no EtherPool here: the addresses file names no Router");
  return liquidity;
}
