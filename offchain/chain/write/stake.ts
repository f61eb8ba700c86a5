/** Staking and wrapping. Amounts are wei of ETH, estETH or westETH (18 decimals each). */
import { Signature, ZeroAddress, formatEther } from "ethers";
import { SHARES_PER_UNIT, shares, wei } from "../../protocol/units.ts";
import type { Shares, Wei } from "../../protocol/units.ts";
import { call, readAll } from "../multicall.ts";
import { readable } from "../errors.ts";
import { argsOf } from "../events.ts";
import type { ChainEvent } from "../events.ts";
import { prepare } from "./prepare.ts";
import type { Amount, Context, Flow, Prepared, Target } from "./prepare.ts";

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
  const { protocol, signer } = context;
  const { token, wrapped } = protocol;
  const owner = await signer.getAddress();
  const { values } = await readAll(protocol, {
    nonce: call(token, token.nonces, owner),
    domain: call(token, token.eip712Domain),
  });
  const { name, version, chainId, verifyingContract } = values.domain as unknown as {
    name: string;
    version: string;
    chainId: bigint;
    verifyingContract: string;
  };
  const signature = await readable(() =>
    signer.signTypedData({ name, version, chainId, verifyingContract }, PERMIT_TYPES, {
      owner,
      spender: wrapped.target,
      value: amount,
      nonce: values.nonce,
      deadline,
    }),
  );
  const { v, r, s } = Signature.from(signature);
  return prepare(context, {
    label: `wrap ${formatEther(amount)} estETH`,
    contract: wrapped,
    method: wrapped.wrapWithPermit,
    args: [amount, deadline, v, r, s],
    flow: (minted) => flowOf(["estETH", amount], ["westETH", wei(minted)]),
    outcome: (events) => ({ wrapped: minted(events) }),
  });
}

const PERMIT_TYPES = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
};

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

/** The approval that `spender` lacks to move `amount` of the signer's estETH or westETH; undefined if it has enough. */
export async function approvalFor(
  context: Context,
  asset: "estETH" | "westETH",
  spender: Target | string,
  amount: Wei,
): Promise<Prepared<boolean, { readonly approved: Wei }> | undefined> {
  const { protocol, signer } = context;
  const address = typeof spender === "string" ? spender : (spender.target as string);
  const owner = await signer.getAddress();
  const { token, wrapped } = protocol;
  const isWrapped = asset === "westETH";
  const { values } = await readAll(protocol, {
    allowance: isWrapped
      ? call(wrapped, wrapped.allowance, owner, address)
      : call(token, token.allowance, owner, address),
  });
  if (values.allowance >= amount) return undefined;
  return prepare(context, {
    label: `let ${address} use ${formatEther(amount)} ${asset}`,
    contract: isWrapped ? wrapped : token,
    method: isWrapped ? wrapped.approve : token.approve,
    args: [address, amount],
    outcome: () => ({ approved: amount }),
  });
}

function flowOf(gives: readonly [Amount["asset"], Wei], gets: readonly [Amount["asset"], Wei]): Flow {
  const amountOf = ([asset, amount]: readonly [Amount["asset"], Wei]): Amount => ({ asset, amount });
  return { gives: [amountOf(gives)], gets: [amountOf(gets)] };
}

/** westETH that came out of nothing. */
function minted(events: readonly ChainEvent[]): Wei {
  const transfers = argsOf<{ from: string; value: bigint }>(events, "wrapped", "Transfer");
  return wei(transfers.filter(({ from }) => from === ZeroAddress).reduce((sum, { value }) => sum + value, 0n));
}
