/** The pool's books and what derives from them (docs/math.md, Books). Nothing here is a balance: a donation moves no formula. */
import { max, saturatingSub } from "./integers.ts";
import { toEtherUp } from "./shares.ts";
import type { Totals } from "./shares.ts";
import { VALIDATOR_DEPOSIT, wei } from "./units.ts";
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
  /** When the last report was executed, and the one before it. */
  readonly lastReportTime: bigint;
  readonly previousReportTime: bigint;
  /** What the last report took from each vault. */
  readonly lastSweptWithdrawals: Wei;
  readonly lastSweptRewards: Wei;
  /** Latest slot time at which a slashing was proven. */
  readonly slashingTime: bigint;
  /** T may not exceed it until the next report. */
  readonly depositCeiling: Wei;
  /** Deposits pause when the next report is not there by then. */
  readonly openUntil: bigint;
  /** The last report allowed finalisation. */
  readonly finalisable: boolean;
}

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
 * What is promised, and neither here nor already on its way, when `staying` validators keep their 32 ETH:
 * max(0, promised - buffer - max(0, etherAtValidators - 32 ETH * staying)).
 */
export function exitDemand(books: Books, totals: Totals, unfinalisedShares: Shares, staying: bigint): Wei {
  const onItsWay = max(0n, etherAtValidators(books) - VALIDATOR_DEPOSIT * staying);
  return wei(max(0n, promised(unfinalisedShares, totals) - buffer(books, totals) - onItsWay));
}
