/** The pool's books and what derives from them (docs/math.md, Books). Nothing here is a balance: a donation moves no formula. */
import { max, saturatingSub } from "./integers.ts";
import { toEtherUp } from "./shares.ts";
import type { Totals } from "./shares.ts";
import { RAY, VALIDATOR_DEPOSIT, ray, shares, wei } from "./units.ts";
import type { Ray, Shares, Wei } from "./units.ts";

/** IStakingPool.Books. Times are unix seconds. */
export interface Books {
  /** At validators, at the last reference slot. */
  readonly clLast: Wei;
  /** Cumulative, as of the last reference block. */
  readonly fundedAtLastRef: Wei;
  /** Cumulative: 32 ETH a validator. */
  readonly funded: Wei;
  /** Cumulative, by `fundingBoundary`. */
  readonly fundedBefore: Wei;
  /** The last reference time before the last funding. */
  readonly fundingBoundary: bigint;
  /** When the last funding was. */
  readonly fundedTime: bigint;
  /** Shares on the queue's account that wait to be burned. */
  readonly cover: Shares;
  /** Gains above the limit, not yet recognised. */
  readonly heldBack: Wei;
  /** The highest rate that paid its fee, rounded up. */
  readonly highWaterRate: Ray;
  /** F of the last report. */
  readonly finalisationRate: Ray;
  readonly lastRefTime: bigint;
  readonly lastCutoff: bigint;
  /** On its way from validators, at the last reference slot. */
  readonly leaving: Wei;
  /** When the last report was executed. */
  readonly lastReportTime: bigint;
  /** Latest slot time at which a slashing was proven. */
  readonly slashingTime: bigint;
  /** Slashings proven since the last report, in states after its reference. */
  readonly slashed: bigint;
  /** Those that the last report may not have contained. */
  readonly slashedEarlier: bigint;
  /** T may not exceed it until the next report. */
  readonly depositCeiling: Wei;
  /** Deposits pause when the next report is not there by then. */
  readonly openUntil: bigint;
  /** The last report allowed finalisation. */
  readonly finalisable: boolean;
}

/** Of a ledger that has not begun. */
export const EMPTY_BOOKS: Books = {
  clLast: wei(0n),
  fundedAtLastRef: wei(0n),
  funded: wei(0n),
  fundedBefore: wei(0n),
  fundingBoundary: 0n,
  fundedTime: 0n,
  cover: shares(0n),
  heldBack: wei(0n),
  highWaterRate: RAY,
  finalisationRate: ray(0n),
  lastRefTime: 0n,
  lastCutoff: 0n,
  leaving: wei(0n),
  lastReportTime: 0n,
  slashingTime: 0n,
  slashed: 0n,
  slashedEarlier: 0n,
  depositCeiling: wei(0n),
  openUntil: 0n,
  finalisable: false,
};

/** Exact: clLast + funded - fundedAtLastRef. */
export function etherAtValidators(books: Books): Wei {
  return wei(books.clLast + books.funded - books.fundedAtLastRef);
}

/** Exact: T + heldBack - etherAtValidators, the booked ether in the pool. */
export function buffer(books: Books, totals: Totals): Wei {
  return wei(totals.ether + books.heldBack - etherAtValidators(books));
}

/** What unfinalised requests would get at the current rate, rounded up. */
export function promised(unfinalisedShares: Shares, totals: Totals): Wei {
  return toEtherUp(unfinalisedShares, totals);
}

/** What may go to validators: max(0, buffer - promised). */
export function depositable(books: Books, totals: Totals, unfinalisedShares: Shares): Wei {
  return wei(saturatingSub(buffer(books, totals), promised(unfinalisedShares, totals)));
}

/**
 * What is promised, and neither here nor already on its way, when `asked` validators were asked to exit since an hour before the last
 * reference: max(0, promised - buffer - leaving - 32 ETH * asked). No demand is left where all that is at validators is coming: buffer and
 * that are at least T, which is the most that is promised.
 */
export function exitDemand(books: Books, totals: Totals, unfinalisedShares: Shares, asked: bigint): Wei {
  const there = buffer(books, totals) + books.leaving + VALIDATOR_DEPOSIT * asked;
  return wei(saturatingSub(promised(unfinalisedShares, totals), there));
}

/** Ether for each slashing that is tolerated: it loses 0.1 ETH in the end, a basis point of that. */
const TOLERANCE = 1_000n * 10n ** 18n;
/** Of more, the correlation between them counts. */
const MAX_TOLERATED = 400n;

/** The pool counts slashings in 16 bits. */
const MAX_SLASHED = 65_535n;

/** Whether so many slashings of 32 ETH that no report contains cost about a basis point at most (docs/decisions/014). */
export function tolerates(slashings: bigint, totalEther: Wei): boolean {
  return slashings <= MAX_TOLERATED && slashings * TOLERANCE <= totalEther;
}

/** The counts of slashings after a report of `refTime`: all proven in states up to it are in the report. */
export function slashingsAfter(books: Books, refTime: bigint): Pick<Books, "slashed" | "slashedEarlier"> {
  return { slashed: 0n, slashedEarlier: books.slashingTime <= refTime ? 0n : books.slashed };
}

/** Whether requests may be paid by the last report's numbers. */
export function mayFinalise(books: Books, totals: Totals, now: bigint): boolean {
  const isTolerable = tolerates(books.slashedEarlier + books.slashed, totals.ether);
  return books.finalisable && now <= books.openUntil && isTolerable;
}

/** The books after `count` validators were funded at `now`: 32 ETH each, whoever's they are. */
export function afterFunding(books: Books, count: bigint, now: bigint, secondsPerFrame: bigint): Books {
  const { fundingBoundary: last } = books;
  const boundary = now <= last ? last : now - 1n - ((now - 1n - last) % secondsPerFrame);
  const before = boundary === last ? {} : { fundedBefore: books.funded, fundingBoundary: boundary };
  return { ...books, ...before, funded: wei(books.funded + VALIDATOR_DEPOSIT * count), fundedTime: now };
}

/** The books after a slashing was proven in the state of a slot at `slotTime`. */
export function afterSlashing(books: Books, slotTime: bigint): Books {
  const isLater = slotTime > books.lastRefTime && books.slashed < MAX_SLASHED;
  return {
    ...books,
    slashingTime: max(books.slashingTime, slotTime),
    slashed: books.slashed + (isLater ? 1n : 0n),
  };
}
