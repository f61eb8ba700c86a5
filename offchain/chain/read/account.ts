/** What an address holds, as of one block. */
import { SHARES_PER_UNIT, shares, wei } from "../../protocol/units.ts";
import type { Shares, Wei } from "../../protocol/units.ts";
import { toEtherDisplayed, toEtherDown } from "../../protocol/shares.ts";
import type { Totals } from "../../protocol/shares.ts";
import type { Protocol } from "../connect.ts";
import { call, etherOf, readAll } from "../multicall.ts";
import type { BlockRef, ReadOptions } from "../multicall.ts";

export interface AccountStatus {
  readonly block: BlockRef;
  readonly address: string;
  /** ETH. */
  readonly ether: Wei;
  /** Of estETH. */
  readonly shares: Shares;
  /** estETH, as its balance shows. */
  readonly staked: Wei;
  /** westETH. */
  readonly wrapped: Wei;
  /** What that is worth, rounded down. */
  readonly wrappedValue: Wei;
  /** Withdrawal requests not yet claimed. */
  readonly openRequests: bigint;
  /** How much estETH the wrapper may move without a new approval. */
  readonly wrapAllowance: Wei;
  readonly totals: Totals;
}

/** @throws ChainError, AppError (unavailable) */
export async function readAccount(
  protocol: Protocol,
  address: string,
  { at }: ReadOptions = {},
): Promise<AccountStatus> {
  const { token, wrapped, queue } = protocol;
  const calls = {
    ether: etherOf(address),
    totals: call(token, token.totals),
    shares: call(token, token.sharesOf, address),
    wrapped: call(wrapped, wrapped.balanceOf, address),
    openRequests: call(queue, queue.balanceOf, address),
    wrapAllowance: call(token, token.allowance, address, wrapped.target),
  };
  const { block, values } = await readAll(protocol, calls, at);
  const totals: Totals = { ether: wei(values.totals.totalEther), shares: shares(values.totals.totalShares) };
  return {
    block,
    address,
    ether: wei(values.ether),
    shares: shares(values.shares),
    staked: toEtherDisplayed(shares(values.shares), totals),
    wrapped: wei(values.wrapped),
    wrappedValue: toEtherDown(shares(values.wrapped * SHARES_PER_UNIT), totals),
    openRequests: values.openRequests,
    wrapAllowance: wei(values.wrapAllowance),
    totals,
  };
}
