/** What a report makes of the ledger (docs/math.md, Report). The twin of `StakingPool.applyReport`. */
import { buffer, slashingsAfter, tolerates } from "./books.ts";
import type { Books } from "./books.ts";
import { PAUSING_FALL } from "./bounds.ts";
import { ensure } from "./errors.ts";
import type { Schedule } from "./frames.ts";
import { max } from "./integers.ts";
import { closeRound, finalise } from "./queue.ts";
import type { QueueState } from "./queue.ts";
import { spend } from "./rails.ts";
import type { Rails } from "./rails.ts";
import { burnable, fell, feeOn, grossChange, recognise } from "./rebase.ts";
import { rateDown, rateUp } from "./shares.ts";
import type { Totals } from "./shares.ts";
import { bp, shares, wei } from "./units.ts";
import type { Bp, Ray, Shares, Wei } from "./units.ts";

/** Nothing is finalised in a report that lowers the rate by more. */
const MAX_FINALISING_FALL = bp(1n);

export interface VaultBalance {
  /** As the committee reports it, at the reference block. */
  readonly reported: Wei;
  /** When the report is executed. */
  readonly held: Wei;
}

export interface ReportInput extends Schedule {
  /** Unix seconds. */
  readonly now: bigint;
  /** The time that the report counts, in seconds. */
  readonly elapsed: bigint;
  readonly clBalance: Wei;
  /** The part of it that is on its way out. */
  readonly leaving: Wei;
  readonly withdrawalVault: VaultBalance;
  readonly rewardsVault: VaultBalance;
  readonly incident: boolean;
}

export interface ReportOutcome {
  readonly before: Totals;
  /** After gain and fee: what the oracle judges. */
  readonly judged: Totals;
  readonly after: Totals;
  readonly gross: Wei;
  readonly recognised: Wei;
  readonly heldBack: Wei;
  readonly fee: Wei;
  /** To the operator registry, which divides them. */
  readonly feeShares: Shares;
  /** F */
  readonly finalisationRate: Ray;
  readonly finalisable: boolean;
  readonly paid: Wei;
  readonly burned: Shares;
  readonly sweptWithdrawals: Wei;
  readonly sweptRewards: Wei;
}

/** The part of the protocol's state that a report changes, accounts apart. */
export interface Ledger {
  readonly totals: Totals;
  readonly books: Books;
  readonly queue: QueueState;
  readonly rails: Rails;
}

export interface ReportLimits {
  readonly feeBp: Bp;
  readonly maxAprBp: Bp;
  /** By how much T may grow in deposits from one report to the next. */
  readonly depositCap: Wei;
}

/**
 * Amounts are in wei and shares; times are unix seconds.
 * @returns the ledger after it, and what came of it: `burned` leaves the queue's account, `feeShares` come to the operators'
 * @throws the error of the pool, the token or the queue that refuses it
 */
export function applyReport(
  ledger: Ledger,
  limits: ReportLimits,
  input: ReportInput,
): { readonly ledger: Ledger; readonly outcome: ReportOutcome } {
  const { books, totals: before } = ledger;
  ensure(input.refTime >= books.lastReportTime, "ReferenceTooOld", input.refTime, books.lastReportTime);
  const gain = gainOf(ledger, limits, input);
  const { judged, heldBack, recognised, feeShares } = gain;
  const finalisationRate = rateDown(judged);

  const next: Books = { ...books, clLast: input.clBalance, fundedAtLastRef: gain.fundedAtRef, heldBack };
  const slashings = slashingsAfter(books, input.refTime);
  const isTolerable = tolerates(slashings.slashedEarlier, judged.ether);
  const finalisable = !input.incident && !fell(before, judged, MAX_FINALISING_FALL) && isTolerable;
  const closed = closeRound(ledger.queue, input.nextCutoff);
  const finalised = finalisable
    ? finalise(closed.queue, finalisationRate, input.cutoff, buffer(next, judged))
    : { queue: closed.queue, paid: wei(0n), shares: shares(0n) };

  const { queue, paid } = finalised;
  const left = wei(judged.ether - paid);
  const cover = shares(books.cover + closed.remainder + finalised.shares);
  const burned = burnable(cover, judged.shares, left, before, limits.maxAprBp, input.elapsed);
  const after: Totals = { ether: left, shares: shares(judged.shares - burned) };
  const rails = spend(ledger.rails, before, after, recognised, feeShares, input.now);
  const afterwards: Books = {
    ...next,
    cover: shares(cover - burned),
    highWaterRate: max(books.highWaterRate, rateUp(after)),
    finalisationRate,
    lastRefTime: input.refTime,
    lastCutoff: input.cutoff,
    leaving: input.leaving,
    lastReportTime: input.now,
    ...slashings,
    depositCeiling: fell(before, judged, PAUSING_FALL) ? wei(0n) : wei(after.ether + limits.depositCap),
    openUntil: input.openUntil,
    finalisable,
  };
  const { fundedAtRef: _, ...told } = gain;
  return {
    ledger: { totals: after, books: afterwards, queue, rails },
    outcome: { ...told, before, after, finalisationRate, finalisable, paid, burned },
  };
}

type Gain = Pick<
  ReportOutcome,
  "judged" | "gross" | "recognised" | "heldBack" | "fee" | "feeShares" | "sweptWithdrawals" | "sweptRewards"
> & {
  /** Cumulative, as of the reference block. */
  readonly fundedAtRef: Wei;
};

/** What the report's balances add to T, and the fee on it. */
function gainOf({ books, totals }: Ledger, limits: ReportLimits, input: ReportInput): Gain {
  const fundedAtRef = input.refTime >= books.fundedTime ? books.funded : books.fundedBefore;
  const sweptWithdrawals = takenFrom("withdrawalVault", input.withdrawalVault);
  const sweptRewards = takenFrom("rewardsVault", input.rewardsVault);
  const gross = grossChange({
    clLast: books.clLast,
    cl: input.clBalance,
    fundedAtLastRef: books.fundedAtLastRef,
    fundedAtRef,
    fromWithdrawalVault: sweptWithdrawals,
    fromRewardsVault: sweptRewards,
    heldBack: books.heldBack,
  });
  const { recognised, heldBack } = recognise(gross, totals.ether, limits.maxAprBp, input.elapsed);
  const grown = wei(totals.ether + recognised);
  ensure(grown > 0n, "TotalWouldBeZero", recognised);
  const { fee, feeShares } = feeOn(recognised, grown, totals.shares, books.highWaterRate, limits.feeBp);
  const judged: Totals = { ether: grown, shares: shares(totals.shares + feeShares) };
  return { judged, gross, recognised, heldBack, fee, feeShares, sweptWithdrawals, sweptRewards, fundedAtRef };
}

/** What a report takes from a vault, which the error names: at most what it holds. */
function takenFrom(vault: "withdrawalVault" | "rewardsVault", { reported, held }: VaultBalance): Wei {
  ensure(reported <= held, "VaultBalanceImpossible", vault, reported, held);
  return reported;
}
