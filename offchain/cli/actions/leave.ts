/** leave: ether at once as far as the fee reaches, and a withdrawal request for the rest. What both give is told before. */
import { formatEther } from "ethers";
import { foretold } from "../../chain/errors.ts";
import { readAccount } from "../../chain/read/account.ts";
import type { AccountStatus } from "../../chain/read/account.ts";
import { readEtherPool } from "../../chain/read/etherPool.ts";
import type { EtherPoolStatus } from "../../chain/read/etherPool.ts";
import { readOutlook } from "../../chain/read/outlook.ts";
import { leave, leaveApproval } from "../../chain/write/leave.ts";
import type { Left } from "../../chain/write/leave.ts";
import { USUAL_FEE } from "../../chain/write/limits.ts";
import { BP_IN_NANO } from "../../protocol/feeCurve.ts";
import { splitLeave } from "../../protocol/router.ts";
import type { LeaveSplit } from "../../protocol/router.ts";
import { toEtherDown, transferredShares, unitsToShares } from "../../protocol/shares.ts";
import { BP, bp, units, wei } from "../../protocol/units.ts";
import type { Bp, Shares, Wei } from "../../protocol/units.ts";
import { ensure } from "../../protocol/errors.ts";
import { AppError, EXIT, messageOf } from "../../util/errors.ts";
import { actAll, actApproved, foreseen, step } from "../act.ts";
import type { Plan, Step } from "../act.ts";
import { ether, percent, percentOf } from "../format.ts";
import type { Row } from "../format.ts";
import { parseAmount, parseDecimal, whole } from "../session.ts";
import type { Session } from "../session.ts";
import { partOf, receiverOf, requestRows, waitText } from "./staker.ts";
import type { ReceiverOption, WrappedOption } from "./staker.ts";

export interface TimeOption {
  readonly minutes?: string;
}

export interface FeeOption {
  readonly maxFee?: string;
}

export interface LeavingOptions extends ReceiverOption, TimeOption, FeeOption {
  readonly minEther?: string;
  readonly permit?: boolean;
}

export interface LeaveOptions extends LeavingOptions, WrappedOption {}

/** What is checked and said before anything is signed. */
export interface LeavingTerms {
  readonly maxFeeBp: Bp;
  readonly minEther: Wei;
  readonly permit: boolean;
  readonly receiver: string | undefined;
  readonly seconds: bigint | undefined;
}

export async function leaveAtOnce(session: Session, text: string, options: LeaveOptions): Promise<void> {
  const terms = termsOf(options);
  const wrapped = options.wrapped === true;
  const context = await session.context();
  const owner = await context.signer.getAddress();
  await checkPermit(session, owner, terms);
  const [market, held] = await Promise.all([readEtherPool(session.protocol), readAccount(session.protocol, owner)]);
  const amount = wrapped ? partOf(held.wrapped, "westETH", text) : partOf(held.staked, "estETH", text);
  const split = foretold(() => splitLeave(market, sharesOf(held, amount, wrapped), terms.maxFeeBp));
  foretold(() => ensure(split.ether > 0n || split.queued > 0n, "NothingToDo"));
  checkLeast(split.ether, terms);
  const rows = await leavingRows(session, market, split, terms);
  const quote = quoteOf(split, terms);
  const next = step(() => leave(context, amount, { ...terms, wrapped }), {
    expected: () => rows,
    details: (left) => leftRows(session, left, terms.receiver ?? owner),
    quote,
  });
  const asset = wrapped ? "westETH" : "estETH";
  const plan: Plan = {
    action: `leave with ${formatEther(amount)} ${asset}`,
    rows: [["sends", ether(amount, asset)], ...getsRow(split.ether), ...rows],
    quote,
  };
  if (terms.permit) return actPermitted(session, next, plan);
  await actApproved(session, await leaveApproval(context, amount, { wrapped }), next, plan);
}

function sharesOf({ shares: held, totals }: AccountStatus, amount: Wei, wrapped: boolean): Shares {
  return wrapped ? unitsToShares(units(amount)) : (transferredShares(amount, held, totals) ?? held);
}

// --- what leaving has in common with an exit of the EtherPool to ether ---

/** @throws AppError (usage) */
export function termsOf(options: LeavingOptions): LeavingTerms {
  return {
    maxFeeBp: feeOf(options),
    minEther: wei(options.minEther === undefined ? 0n : parseAmount("--min-ether", options.minEther)),
    permit: options.permit === true,
    receiver: receiverOf(options),
    seconds: secondsOf(options),
  };
}

/** @throws AppError (usage) */
export function feeOf({ maxFee }: FeeOption): Bp {
  if (maxFee === undefined) return USUAL_FEE;
  const parsed = parseDecimal("--max-fee", maxFee, 2);
  if (parsed > BP) throw new AppError(EXIT.usage, `--max-fee: per cent, at most 100, not ${maxFee}`);
  return bp(parsed);
}

/** @throws AppError (usage) */
export function secondsOf({ minutes }: TimeOption): bigint | undefined {
  if (minutes === undefined) return undefined;
  const count = whole("--minutes", minutes);
  if (count === 0) throw new AppError(EXIT.usage, "--minutes: at least 1");
  return BigInt(count) * 60n;
}

/** A contract's permit is its own code's answer (ERC-1271): no key signs it. @throws AppError (usage) */
export async function checkPermit({ protocol }: Session, owner: string, { permit }: LeavingTerms): Promise<void> {
  if (permit && (await protocol.provider.getCode(owner)) !== "0x")
    throw new AppError(EXIT.usage, `--permit: ${owner} is a contract account, whose key signs no permit: leave it out`);
}

/** What would be refused after an approval was paid for. @throws AppError (refused) */
export function checkLeast(atOnce: Wei, { minEther }: LeavingTerms): void {
  if (atOnce >= minEther) return;
  const least = `the ${ether(minEther)} of --min-ether`;
  throw new AppError(EXIT.refused, `${ether(atOnce)} would come at once, less than ${least}: nothing was sent`);
}

export async function actPermitted(session: Session, next: Step, plan: Plan): Promise<void> {
  const isDry = session.options.dryRun === true;
  await actAll(session, [isDry ? foreseen(plan, "known once the permit is signed: not simulated") : next]);
}

export function getsRow(atOnce: Wei): readonly Row[] {
  return atOnce > 0n ? [["gets", `about ${ether(atOnce)}`]] : [];
}

/** At once, at which fee; later, and when; and what neither takes, by a name. */
export async function leavingRows(
  session: Session,
  market: EtherPoolStatus,
  split: LeaveSplit,
  { maxFeeBp, receiver }: LeavingTerms,
  rest = "stays",
): Promise<readonly Row[]> {
  const { ether: paid, fee, sold, queued, queuedValue, kept } = split;
  const now = sold > 0n ? `${ether(paid)} ${soldFor(paid, fee)}` : whyNothing(market, maxFeeBp);
  return [
    ["now", now],
    ...(queued > 0n ? [["later", await laterText(session, queuedValue)] as const] : []),
    ...(kept > 0n ? [[rest, ether(toEtherDown(kept, market.totals), "estETH")] as const] : []),
    ...(receiver === undefined ? [] : [["receiver", receiver] as const]),
  ];
}

function soldFor(paid: Wei, fee: Wei): string {
  return `for ${ether(paid + fee, "estETH")}: a fee of ${percentOf(fee, paid + fee)} on average`;
}

function whyNothing({ calm, marginalFee }: EtherPoolStatus, maxFeeBp: Bp): string {
  if (!calm) return "nothing: the EtherPool trades nothing now, estuary status says why";
  const feeBp = (marginalFee + BP_IN_NANO - 1n) / BP_IN_NANO;
  return feeBp > maxFeeBp
    ? `nothing: the next wei costs ${percent(feeBp)}, above ${percent(maxFeeBp)}`
    : `nothing: what could be sold within ${percent(maxFeeBp)} is not worth its gas`;
}

async function laterText({ protocol }: Session, amount: Wei): Promise<string> {
  const text = `${ether(amount)} without a fee, by a withdrawal request`;
  try {
    return `${text}; expected ${waitText((await readOutlook(protocol)).waitFor(amount))}`;
  } catch (error) {
    // how ether came in is read from logs, which not every node has: without it one can still leave
    return `${text}; when is unknown: ${messageOf(error)}`;
  }
}

export function quoteOf({ sold, ether: paid, fee, queuedValue }: LeaveSplit, { maxFeeBp }: LeavingTerms): object {
  return { maxFeeBp, soldUnits: sold, ether: paid, fee, queued: queuedValue };
}

export async function leftRows(session: Session, left: Left, owner: string): Promise<readonly Row[]> {
  const { ether: paid, fee, requestIds } = left;
  return [
    ["got", `${ether(paid)}${fee > 0n ? `, less a fee of ${ether(fee)}` : ""}`],
    ...(requestIds.length > 0 ? await requestRows(session, owner, requestIds) : []),
  ];
}
