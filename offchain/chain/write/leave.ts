/** Leaving at once: estETH or westETH for ether of the EtherPool as far as its fee allows, and for a withdrawal request beyond. */
import { formatEther } from "ethers";
import { splitLeave } from "../../protocol/router.ts";
import { toEtherDown, toEtherUp, transferredShares, unitsToShares } from "../../protocol/shares.ts";
import type { Totals } from "../../protocol/shares.ts";
import { shares, units, wei } from "../../protocol/units.ts";
import type { Bp, Shares, Wei } from "../../protocol/units.ts";
import { ChainError, foretold } from "../errors.ts";
import { argsOf } from "../events.ts";
import type { ChainEvent } from "../events.ts";
import { call, readAll } from "../multicall.ts";
import { liquidityOf, readEtherPool } from "../read/etherPool.ts";
import { USUAL_FEE, termsOf } from "./limits.ts";
import type { Limits } from "./limits.ts";
import { approvalFor, signPermit } from "./permit.ts";
import { prepare } from "./prepare.ts";
import type { Context, Flow, Prepared, Target } from "./prepare.ts";

export interface LeaveOptions extends Omit<Limits, "tolerance"> {
  /** The highest fee on top of the last wei. Default 30 bp; 0 queues everything, 10,000 sells all that the pool's ether reaches for. */
  readonly maxFeeBp?: Bp | undefined;
  /** Ether at once, at least: for who would rather keep the token than queue it. Default 0. */
  readonly minEther?: Wei | undefined;
  /** The amount is westETH. */
  readonly wrapped?: boolean | undefined;
  /** Signs a permit (ERC-2612) in place of an approval: contract accounts often can't. */
  readonly permit?: boolean | undefined;
}

export interface Left {
  /** That came at once, and what the shares sold for it were worth beyond it. */
  readonly ether: Wei;
  readonly fee: Wei;
  /** Of what is queued; empty where all was sold. */
  readonly requestIds: readonly bigint[];
  readonly queued: Wei;
}

/** What `leave` returns: ether at once, and the id of the request, zero for none. */
export type Leaving = readonly [ether: bigint, requestId: bigint];

/**
 * Leaves with `amount` of estETH or westETH: ether at once as far as the fee allows, and a withdrawal request for the rest. Needs an approval
 * of the Router before (`leaveApproval`), or a permit.
 */
export async function leave(
  context: Context,
  amount: Wei,
  options: LeaveOptions = {},
): Promise<Prepared<Leaving, Left>> {
  const { protocol } = context;
  const { router } = liquidityOf(protocol);
  const { maxFeeBp = USUAL_FEE, minEther = wei(0n), wrapped = false, permit = false } = options;
  const [market, moved] = await Promise.all([readEtherPool(protocol), movedBy(context, amount, wrapped)]);
  const { receiver, deadline } = await termsOf(context, market, options);
  const asset = wrapped ? "westETH" : "estETH";
  const kept = toEtherDown(foretold(() => splitLeave(market, moved, maxFeeBp)).kept, market.totals);
  const shared = {
    label: `leave with ${formatEther(amount)} ${asset}`,
    contract: router,
    flow: ([ether]: Leaving): Flow => ({
      gives: [{ asset, amount: wrapped ? amount : wei(amount - kept) }],
      gets: ether === 0n ? [] : [{ asset: "ETH", amount: wei(ether) }],
    }),
    outcome: leftBy,
  };
  const terms = [wrapped ? amount : moved, maxFeeBp, minEther, receiver, deadline] as const;
  if (!permit) {
    const method = wrapped ? router.leaveWrapped : router.leaveShares;
    return prepare(context, { ...shared, method, args: [...terms] });
  }
  const value = wrapped ? amount : allowanceOf(moved, market.totals);
  const { v, r, s } = await signPermit(context, wrapped ? protocol.wrapped : protocol.token, router, value, deadline);
  const method = wrapped ? router.leaveWrappedWithPermit : router.leaveSharesWithPermit;
  return prepare(context, { ...shared, method, args: [...terms, { value, deadline, v, r, s }] });
}

/** The approval of the Router that `leave` lacks; undefined if it has enough. */
export async function leaveApproval(
  context: Context,
  amount: Wei,
  { wrapped = false }: Pick<LeaveOptions, "wrapped"> = {},
): Promise<Prepared<boolean, { readonly approved: Wei }> | undefined> {
  const { router } = liquidityOf(context.protocol);
  if (wrapped) return approvalFor(context, "westETH", router, amount);
  const [{ totals }, moved] = await Promise.all([readEtherPool(context.protocol), movedBy(context, amount, false)]);
  return sharesApproval(context, router, moved, totals);
}

/** Shares are moved by an allowance of their ether, which the next report may raise: a hundredth more is asked for where it lacks. */
export async function sharesApproval(
  context: Context,
  spender: Target,
  moved: Shares,
  totals: Totals,
): Promise<Prepared<boolean, { readonly approved: Wei }> | undefined> {
  const lacking = await approvalFor(context, "estETH", spender, toEtherUp(moved, totals));
  return lacking && approvalFor(context, "estETH", spender, allowanceOf(moved, totals));
}

function allowanceOf(moved: Shares, totals: Totals): Wei {
  const value = toEtherUp(moved, totals);
  return wei(value + value / 100n);
}

/** Shares that an amount of estETH is, of what the signer holds; of westETH, exactly. @throws ChainError (refused) where it is more */
async function movedBy({ protocol, signer }: Context, amount: Wei, wrapped: boolean): Promise<Shares> {
  if (wrapped) return unitsToShares(units(amount));
  const { token } = protocol;
  const owner = await signer.getAddress();
  const { values } = await readAll(protocol, {
    totals: call(token, token.totals),
    held: call(token, token.sharesOf, owner),
  });
  const totals = { ether: wei(values.totals.totalEther), shares: shares(values.totals.totalShares) };
  const moved = transferredShares(amount, shares(values.held), totals);
  if (moved === undefined)
    throw new ChainError("refused", `${owner} has less estETH than ${formatEther(amount)}: nothing was sent`);
  return moved;
}

export function leftBy(events: readonly ChainEvent[]): Left {
  const sold = argsOf<{ value: bigint; ether_: bigint }>(events, "etherPool", "Sold");
  const own = argsOf<{ ether_: bigint }>(events, "etherPool", "Exited");
  const requests = argsOf<{ requestId: bigint; amount: bigint }>(events, "queue", "WithdrawalRequested");
  const sum = (amounts: readonly bigint[]): Wei => wei(amounts.reduce((total, amount) => total + amount, 0n));
  return {
    ether: sum([...sold, ...own].map(({ ether_ }) => ether_)),
    fee: sum(sold.map(({ value, ether_ }) => value - ether_)),
    requestIds: requests.map(({ requestId }) => requestId),
    queued: sum(requests.map(({ amount }) => amount)),
  };
}
