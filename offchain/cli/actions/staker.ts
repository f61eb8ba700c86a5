/** stake, unstake, claim, wrap, unwrap. */
import { readAccount } from "../../chain/read/account.ts";
import { readWithdrawals } from "../../chain/read/withdrawals.ts";
import { approvalFor } from "../../chain/write/permit.ts";
import { unwrap, wrap } from "../../chain/write/stake.ts";
import { stakeBest } from "../../chain/write/stakeBest.ts";
import { MOST_CLAIMS, claim, requestWithdrawals, requestWrappedWithdrawals } from "../../chain/write/withdraw.ts";
import { SHARES_PER_UNIT, wei } from "../../protocol/units.ts";
import type { Wei } from "../../protocol/units.ts";
import type { WaitEstimate, WaitReason } from "../../protocol/waiting.ts";
import { AppError, EXIT } from "../../util/errors.ts";
import { act, actApproved, step } from "../act.ts";
import { dateOf, ether } from "../format.ts";
import type { Row } from "../format.ts";
import { parseAddress, parseAmount } from "../session.ts";
import type { Session } from "../session.ts";

export interface ReceiverOption {
  readonly receiver?: string;
}

export interface WrappedOption {
  readonly wrapped?: boolean;
}

export async function stakeEther(
  session: Session,
  text: string,
  options: ReceiverOption & WrappedOption,
): Promise<void> {
  const amount = positive(text);
  const receiver = receiverOf(options);
  const isWrapped = options.wrapped === true;
  const asset = isWrapped ? "westETH" : "estETH";
  const receives: readonly Row[] = receiver === undefined ? [] : [["receiver", receiver]];
  await act(session, await stakeBest(await session.context(), amount, { receiver, wrapped: isWrapped }), {
    expected: () => receives,
    details: ({ amount: worth, shares, bought, rebate }) => [
      ["got", ether(isWrapped ? shares / SHARES_PER_UNIT : worth, asset)],
      ...(bought > 0n
        ? [["bought", `for ${ether(bought)} at the EtherPool, ${ether(rebate)} above the rate`] as const]
        : []),
      ...receives,
    ],
  });
}

export async function unstake(session: Session, text: string, options: WrappedOption): Promise<void> {
  const context = await session.context();
  const owner = await context.signer.getAddress();
  const held = await readAccount(session.protocol, owner);
  const isWrapped = options.wrapped === true;
  const amount = isWrapped ? partOf(held.wrapped, "westETH", text) : partOf(held.staked, "estETH", text);
  const worth = isWrapped ? await session.protocol.wrapped.getStETHByWstETH(amount) : amount;
  const prepared = isWrapped
    ? await requestWrappedWithdrawals(context, amount)
    : await requestWithdrawals(context, amount);
  await act(session, prepared, {
    expected: () => [["gets", `at most ${ether(worth)}, once it is finalised and claimed`]],
    details: ({ ids }) => requestRows(session, owner, ids),
  });
}

const WAITS_FOR: Readonly<Record<WaitReason, string>> = {
  report: "with the next report that may pay it",
  inflow: "when enough ether has come in",
  exits: "when validators have left for it",
};

export async function requestRows(session: Session, owner: string, ids: readonly bigint[]): Promise<readonly Row[]> {
  const { requests } = await readWithdrawals(session.protocol, owner);
  const waits = requests.flatMap(({ id, wait }) => (wait === undefined || !ids.includes(id) ? [] : [wait]));
  const [last] = waits.sort((a, b) => Number(b.expected - a.expected));
  return [
    ["requests", ids.join(", ")],
    ...(last === undefined ? [] : [["expected", `${waitText(last)}; then estuary claim`] as const]),
  ];
}

export function waitText({ expected, reason }: WaitEstimate): string {
  return `${dateOf(expected)}, ${WAITS_FOR[reason]}`;
}

export async function claimWithdrawals(
  session: Session,
  texts: readonly string[],
  options: ReceiverOption,
): Promise<void> {
  const receiver = receiverOf(options);
  const context = await session.context();
  const ids = texts.length > 0 ? texts.map(requestId) : await claimable(session, await context.signer.getAddress());
  if (ids.length === 0) {
    session.show({ claimed: [] }, () => "nothing is claimable");
    return;
  }
  const part = ids.slice(0, MOST_CLAIMS);
  const receives: readonly Row[] = receiver === undefined ? [] : [["receiver", receiver]];
  await act(session, await claim(context, part, receiver), {
    expected: () => receives,
    details: ({ amount }) => [["got", ether(amount)], ...receives],
  });
  if (ids.length > MOST_CLAIMS) session.io.err(`${ids.length - MOST_CLAIMS} more are claimable: run it again`);
}

export async function wrapStaked(session: Session, text: string): Promise<void> {
  const { protocol } = session;
  const context = await session.context();
  const held = await readAccount(protocol, await context.signer.getAddress());
  const amount = partOf(held.staked, "estETH", text);
  const wrapping = step(() => wrap(context, amount), {
    details: ({ wrapped }) => [["got", ether(wrapped, "westETH")]],
  });
  const gets = ether(await protocol.wrapped.getWstETHByStETH(amount), "westETH");
  await actApproved(session, await approvalFor(context, "estETH", protocol.wrapped, amount), wrapping, {
    action: `wrap ${ether(amount, "estETH")}`,
    rows: [
      ["sends", ether(amount, "estETH")],
      ["gets", `about ${gets}`],
    ],
  });
}

export async function unwrapStaked(session: Session, text: string): Promise<void> {
  const context = await session.context();
  const held = await readAccount(session.protocol, await context.signer.getAddress());
  const amount = partOf(held.wrapped, "westETH", text);
  await act(session, await unwrap(context, amount), {
    details: async ({ shares }) => [["got", await stakedOf(session, shares)]],
  });
}

/** What shares are worth now. */
export async function stakedOf({ protocol }: Session, shares: bigint): Promise<string> {
  return ether(await protocol.wrapped.getStETHByWstETH(shares / SHARES_PER_UNIT), "estETH");
}

async function claimable(session: Session, owner: string): Promise<bigint[]> {
  const { requests } = await readWithdrawals(session.protocol, owner);
  return requests.filter(({ state }) => state === "claimable").map(({ id }) => id);
}

export function positive(text: string): Wei {
  const amount = parseAmount("amount", text);
  if (amount === 0n) throw new AppError(EXIT.usage, "amount: it must be more than 0");
  return wei(amount);
}

/** Of what is held, before anything is sent. @throws AppError: usage for what is no amount, failure where it is more */
export function partOf(held: Wei, unit: "estETH" | "westETH" | "LP", text: string): Wei {
  const amount = text === "all" ? held : positive(text);
  if (held === 0n) throw new AppError(EXIT.failure, `you have no ${unit}`);
  if (amount > held)
    throw new AppError(EXIT.failure, `you have ${ether(held, unit)}, less than ${ether(amount, unit)}`);
  return amount;
}

export function receiverOf({ receiver }: ReceiverOption): string | undefined {
  return receiver === undefined ? undefined : parseAddress("--receiver", receiver);
}

function requestId(text: string): bigint {
  if (!/^\d{1,18}$/.test(text)) throw new AppError(EXIT.usage, `a request is a number, not ${text}`);
  return BigInt(text);
}
