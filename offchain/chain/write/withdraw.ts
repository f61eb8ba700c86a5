/** Leaving: requests in pieces, and claims with their hints. Amounts are wei. */
import { formatEther } from "ethers";
import { ETHER, wei } from "../../protocol/units.ts";
import type { Wei } from "../../protocol/units.ts";
import { call, readAll } from "../multicall.ts";
import { ChainError } from "../errors.ts";
import { argsOf } from "../events.ts";
import type { ChainEvent } from "../events.ts";
import { prepare } from "./prepare.ts";
import type { Context, Prepared } from "./prepare.ts";

/** Requests are paid whole: smaller ones are reached by what little ether is there. */
const LARGEST_REQUEST = wei(1_000n * ETHER);
const MOST_REQUESTS = 100n;
/** Claims in one transaction. */
export const MOST_CLAIMS = 100;

export interface RequestOptions {
  /** Who owns the requests. Default: the signer. */
  readonly owner?: string;
  /** The largest request, wei. Default 1,000 ETH; more where that would make over 100 requests. */
  readonly largest?: Wei;
}

export interface Requested {
  readonly ids: readonly bigint[];
  readonly amount: Wei;
}

/** Equal pieces, the earlier ones one wei larger where it does not divide; their sum is `amount`. */
export function splitAmount(amount: Wei, largest: Wei = LARGEST_REQUEST): Wei[] {
  if (largest <= 0n) throw new RangeError("the largest request must be positive");
  const pieces = amount === 0n ? 1n : (amount + largest - 1n) / largest;
  const count = pieces > MOST_REQUESTS ? MOST_REQUESTS : pieces;
  return Array.from({ length: Number(count) }, (_, index) =>
    wei(amount / count + (BigInt(index) < amount % count ? 1n : 0n)),
  );
}

/** Requests withdrawals of estETH; needs no approval. The result is the requests' ids. */
export async function requestWithdrawals(
  context: Context,
  amount: Wei,
  options: RequestOptions = {},
): Promise<Prepared<bigint[], Requested>> {
  const { queue } = context.protocol;
  const owner = options.owner ?? (await context.signer.getAddress());
  return prepare(context, {
    label: `request the withdrawal of ${formatEther(amount)} estETH`,
    contract: queue,
    method: queue.requestWithdrawals,
    args: [splitAmount(amount, options.largest), owner],
    flow: () => ({ gives: [{ asset: "estETH", amount }], gets: [] }),
    outcome: requested,
  });
}

/** The same of westETH. */
export async function requestWrappedWithdrawals(
  context: Context,
  amount: Wei,
  options: RequestOptions = {},
): Promise<Prepared<bigint[], Requested>> {
  const { wrapped } = context.protocol;
  const owner = options.owner ?? (await context.signer.getAddress());
  return prepare(context, {
    label: `request the withdrawal of ${formatEther(amount)} westETH`,
    contract: wrapped,
    method: wrapped.requestWithdrawals,
    args: [splitAmount(amount, options.largest), owner],
    flow: () => ({ gives: [{ asset: "westETH", amount }], gets: [] }),
    outcome: requested,
  });
}

/**
 * Claims finalised requests of the signer, at most 100, with hints found for it.
 * @param receiver default: the signer
 * @throws ChainError (refused) for none or too many
 */
export async function claim(
  context: Context,
  ids: readonly bigint[],
  receiver?: string,
): Promise<Prepared<undefined, { readonly amount: Wei }>> {
  const { protocol, signer } = context;
  const { queue } = protocol;
  if (ids.length === 0) throw new ChainError("refused", "there is nothing to claim");
  if (ids.length > MOST_CLAIMS)
    throw new ChainError("refused", `${ids.length} requests at once are too many: at most ${MOST_CLAIMS}`);
  const sorted = [...ids].sort((a, b) => (a < b ? -1 : 1));
  const { values } = await readAll(protocol, {
    hints: call(queue, queue.findHints, sorted),
    amounts: call(queue, queue.getClaimableEther, sorted),
  });
  const amount = wei(values.amounts.reduce((total, one) => total + one, 0n));
  return prepare(context, {
    label: `claim ${sorted.length === 1 ? "a withdrawal" : `${sorted.length} withdrawals`}`,
    contract: queue,
    method: queue.claimWithdrawals,
    args: [sorted, [...values.hints], receiver ?? (await signer.getAddress())],
    flow: () => ({ gives: [], gets: [{ asset: "ETH", amount }] }),
    outcome: (events) => ({
      amount: sum(argsOf<{ amount: bigint }>(events, "queue", "WithdrawalClaimed")),
    }),
  });
}

/** Pays what finalised requests the ether that came since the last report. Anyone. The result is wei. */
export async function continueFinalisation(context: Context): Promise<Prepared<bigint, { readonly paid: Wei }>> {
  const { pool } = context.protocol;
  return prepare(context, {
    label: "continue the finalisation of withdrawals",
    contract: pool,
    method: pool.continueFinalisation,
    args: [],
    outcome: (events) => ({
      paid: wei(argsOf<{ paid: bigint }>(events, "pool", "FinalisationContinued")[0]?.paid ?? 0n),
    }),
  });
}

function requested(events: readonly ChainEvent[]): Requested {
  const made = argsOf<{ requestId: bigint; amount: bigint }>(events, "queue", "WithdrawalRequested");
  return { ids: made.map(({ requestId }) => requestId), amount: sum(made) };
}

function sum(list: readonly { readonly amount: bigint }[]): Wei {
  return wei(list.reduce((total, { amount }) => total + amount, 0n));
}
