/** Staking and wrapping. Amounts are wei of ETH, estETH or westETH (18 decimals each). */
import { ZeroAddress, formatEther } from "ethers";
import { SHARES_PER_UNIT, shares, wei } from "../../protocol/units.ts";
import type { Shares, Wei } from "../../protocol/units.ts";
import { argsOf } from "../events.ts";
import type { ChainEvent } from "../events.ts";
import { signPermit } from "./permit.ts";
import { prepare } from "./prepare.ts";
import type { Amount, Context, Flow, Prepared } from "./prepare.ts";

export interface StakeOptions {
  /** Default: the signer. */
  readonly receiver?: string;
  readonly referral?: string;
}

export interface Staked {
  readonly amount: Wei;
  readonly shares: Shares;
}

/** Stakes ether for estETH. The result is shares minted, rounded down. */
export async function stake(
  context: Context,
  amount: Wei,
  options: StakeOptions = {},
): Promise<Prepared<bigint, Staked>> {
  const { pool } = context.protocol;
  const receiver = options.receiver ?? (await context.signer.getAddress());
  return prepare(context, {
    label: `stake ${formatEther(amount)} ETH for estETH`,
    contract: pool,
    method: pool.deposit,
    args: [receiver, options.referral ?? ZeroAddress],
    value: amount,
    // shares are worth what was staked, rounded down
    flow: () => flowOf(["ETH", amount], ["estETH", amount]),
    outcome: (events) => {
      const [deposited] = argsOf<{ amount: bigint; shares: bigint }>(events, "pool", "Deposited");
      return { amount: wei(deposited?.amount ?? 0n), shares: shares(deposited?.shares ?? 0n) };
    },
  });
}

/** Stakes ether for westETH. The result is westETH minted, rounded down. */
export async function stakeAndWrap(
  context: Context,
  amount: Wei,
  options: StakeOptions = {},
): Promise<Prepared<bigint, { readonly wrapped: Wei }>> {
  const { wrapped } = context.protocol;
  const receiver = options.receiver ?? (await context.signer.getAddress());
  return prepare(context, {
    label: `stake ${formatEther(amount)} ETH for westETH`,
    contract: wrapped,
    method: wrapped.stake,
    args: [receiver, options.referral ?? ZeroAddress],
    value: amount,
    flow: (minted) => flowOf(["ETH", amount], ["westETH", wei(minted)]),
    outcome: (events) => ({ wrapped: minted(events) }),
  });
}

/** Wraps estETH; needs an approval of westETH before (`approvalFor`). The result is westETH minted, rounded down. */
export async function wrap(context: Context, amount: Wei): Promise<Prepared<bigint, { readonly wrapped: Wei }>> {
  const { wrapped } = context.protocol;
  return prepare(context, {
    label: `wrap ${formatEther(amount)} estETH`,
    contract: wrapped,
    method: wrapped.wrap,
    args: [amount],
    flow: (minted) => flowOf(["estETH", amount], ["westETH", wei(minted)]),
    outcome: (events) => ({ wrapped: minted(events) }),
  });
}

/**
 * Wraps estETH with a signature in place of an approval (ERC-2612). Accounts that are contracts often can't sign: they approve.
 * @param deadline unix seconds
 */
export async function wrapWithPermit(
  context: Context,
  amount: Wei,
  deadline: bigint,
): Promise<Prepared<bigint, { readonly wrapped: Wei }>> {
  const { token, wrapped } = context.protocol;
  const { v, r, s } = await signPermit(context, token, wrapped, amount, deadline);
  return prepare(context, {
    label: `wrap ${formatEther(amount)} estETH`,
    contract: wrapped,
    method: wrapped.wrapWithPermit,
    args: [amount, deadline, v, r, s],
    flow: (minted) => flowOf(["estETH", amount], ["westETH", wei(minted)]),
    outcome: (events) => ({ wrapped: minted(events) }),
  });
}

/** Unwraps westETH to estETH, exactly 1e9 shares a wei. The result is estETH, rounded down. */
export async function unwrap(context: Context, amount: Wei): Promise<Prepared<bigint, { readonly shares: Shares }>> {
  const { wrapped } = context.protocol;
  return prepare(context, {
    label: `unwrap ${formatEther(amount)} westETH`,
    contract: wrapped,
    method: wrapped.unwrap,
    args: [amount],
    flow: (amountOut) => flowOf(["westETH", amount], ["estETH", wei(amountOut)]),
    outcome: () => ({ shares: shares(amount * SHARES_PER_UNIT) }),
  });
}

export function flowOf(gives: readonly [Amount["asset"], Wei], gets: readonly [Amount["asset"], Wei]): Flow {
  const amountOf = ([asset, amount]: readonly [Amount["asset"], Wei]): Amount => ({ asset, amount });
  return { gives: [amountOf(gives)], gets: [amountOf(gets)] };
}

/** westETH that came out of nothing. */
function minted(events: readonly ChainEvent[]): Wei {
  const transfers = argsOf<{ from: string; value: bigint }>(events, "wrapped", "Transfer");
  return wei(transfers.filter(({ from }) => from === ZeroAddress).reduce((sum, { value }) => sum + value, 0n));
}
