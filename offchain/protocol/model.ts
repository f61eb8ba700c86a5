/**
 * The whole ledger in integers: token, pool and queue, without a chain. Tests hold the contracts to it, and the demo reconciles with it.
 *
 * Operations bear the names of the contracts' and refuse with their errors; one that refuses changes nothing. Time, balances of vaults and
 * the weights of validators come in as arguments. Pause flags, allowances and roles are left to the contracts.
 */
import {
  buffer,
  depositable,
  etherAtValidators,
  exitDemand,
  mayFinalise,
  promised,
  slashingsAfter,
  tolerates,
} from "./books.ts";
import type { Books } from "./books.ts";
import { PAUSING_FALL } from "./bounds.ts";
import { ensure } from "./errors.ts";
import type { Schedule } from "./frames.ts";
import { max, min } from "./integers.ts";
import {
  EMPTY_QUEUE,
  MIN_REQUEST,
  closeRound,
  endUnitsOf,
  finalise,
  lastFinalizedId,
  payment,
  request,
  unfinalisedShares,
} from "./queue.ts";
import type { QueueState } from "./queue.ts";
import { FIRST_ALLOWANCE, allowanceAt, maxFeeShares, rateRise } from "./rails.ts";
import type { Rails } from "./rails.ts";
import { burnable, divisible, feeOn, fell, grossChange, recognise, splitFee } from "./rebase.ts";
import type { FeeSplit, Weights } from "./rebase.ts";
import {
  rateDown,
  rateUp,
  toEtherDisplayed,
  toEtherDown,
  toSharesDown,
  toSharesUp,
  transferredShares,
} from "./shares.ts";
import type { Totals } from "./shares.ts";
import {
  PREDEPOSIT,
  RAY,
  SHARES_PER_UNIT,
  SHARES_PER_WEI,
  TOP_UP,
  VALIDATOR_DEPOSIT,
  bp,
  ray,
  shares,
  wei,
} from "./units.ts";
import type { Bp, Ray, Shares, Wei } from "./units.ts";

/** Nothing is finalised in a report that lowers the rate by more. */
const MAX_FINALISING_FALL = bp(1n);
/** The pool counts slashings in 16 bits. */
const MAX_SLASHED = 65_535n;
const MIN_BOOTSTRAP = wei(10n ** 16n);
const MAX_UINT128 = 2n ** 128n - 1n;
/** The queue and the pool keep rates in 104 bits. */
const MAX_RATE = 2n ** 104n - 1n;

export interface Settings {
  readonly feeBp: Bp;
  readonly maxAprBp: Bp;
  /** By how much T may grow in deposits from one report to the next. */
  readonly depositCap: Wei;
  readonly secondsPerFrame: bigint;
  /** Accounts that the protocol itself holds shares in. */
  readonly queue: string;
  readonly operators: string;
  readonly treasury: string;
  readonly locked: string;
}

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

interface State {
  totals: Totals;
  held: Map<string, Shares>;
  books: Books;
  queue: QueueState;
  /** Of requests not claimed. */
  owners: Map<number, string>;
  rails: Rails;
  /** On the operators' account: fees not divided yet, and the treasury's part of those that are. */
  fees: { readonly undivided: Shares; readonly treasury: Shares };
}

export class ProtocolModel {
  settings: Settings;
  #state: State;

  constructor(settings: Settings) {
    this.settings = settings;
    this.#state = {
      totals: { ether: wei(0n), shares: shares(0n) },
      held: new Map(),
      books: EMPTY_BOOKS,
      queue: EMPTY_QUEUE,
      owners: new Map(),
      rails: { allowance: 0n, updatedAt: 0n },
      fees: { undivided: shares(0n), treasury: shares(0n) },
    };
  }

  /** A model that goes its own way from here. */
  clone(): ProtocolModel {
    const copy = new ProtocolModel(this.settings);
    copy.#state = { ...this.#state, held: new Map(this.#state.held), owners: new Map(this.#state.owners) };
    return copy;
  }

  // --- views ---

  get totals(): Totals {
    return this.#state.totals;
  }

  get books(): Books {
    return this.#state.books;
  }

  get queue(): QueueState {
    return this.#state.queue;
  }

  get rails(): Rails {
    return this.#state.rails;
  }

  get accounts(): readonly string[] {
    return [...this.#state.held.keys()];
  }

  sharesOf(account: string): Shares {
    return this.#state.held.get(account) ?? shares(0n);
  }

  balanceOf(account: string): Wei {
    return toEtherDisplayed(this.sharesOf(account), this.totals);
  }

  /** Undefined once claimed. */
  ownerOf(requestId: number): string | undefined {
    return this.#state.owners.get(requestId);
  }

  lastFinalizedId(): number {
    return lastFinalizedId(this.queue);
  }

  unfinalisedShares(): Shares {
    return unfinalisedShares(this.queue);
  }

  etherAtValidators(): Wei {
    return etherAtValidators(this.books);
  }

  buffer(): Wei {
    return buffer(this.books, this.totals);
  }

  promised(): Wei {
    return promised(this.unfinalisedShares(), this.totals);
  }

  depositable(): Wei {
    return depositable(this.books, this.totals, this.unfinalisedShares());
  }

  /** @param asked validators asked to exit since an hour before the last reference */
  exitDemand(asked: bigint): Wei {
    return exitDemand(this.books, this.totals, this.unfinalisedShares(), asked);
  }

  /** Whether the last report's finalisation may go on. The contract's `calm` also asks whether requests are open. */
  isCalm(now: bigint): boolean {
    return mayFinalise(this.books, this.totals, now);
  }

  // --- stakers ---

  /** Opens the ledger with shares that are locked for ever, 1e9 for each wei. */
  bootstrap(
    amount: Wei,
    now: bigint,
    { refTime, nextCutoff, openUntil }: Pick<Schedule, "refTime" | "nextCutoff" | "openUntil">,
  ): void {
    const { settings } = this;
    ensure(this.totals.shares === 0n, "AlreadyBootstrapped", this.totals.shares);
    ensure(amount >= MIN_BOOTSTRAP, "BootstrapTooSmall", amount, MIN_BOOTSTRAP);
    const opening = { ether: amount, shares: shares(amount * SHARES_PER_WEI) };
    this.#state.totals = opening;
    this.#credit(settings.locked, opening.shares);
    this.#state.rails = { allowance: FIRST_ALLOWANCE, updatedAt: now };
    this.#state.queue = { ...EMPTY_QUEUE, nextCutoff };
    this.#state.books = {
      ...EMPTY_BOOKS,
      highWaterRate: RAY,
      lastRefTime: refTime,
      fundingBoundary: refTime,
      depositCeiling: wei(amount + settings.depositCap),
      openUntil,
    };
  }

  /** Mints floor(amount * S / T). */
  deposit(receiver: string, amount: Wei, now: bigint): Shares {
    const { books, totals } = this;
    ensure(amount > 0n, "ZeroDeposit");
    ensure(now <= books.openUntil, "ReportOverdue", books.openUntil);
    const grown = totals.ether + amount;
    ensure(grown <= books.depositCeiling, "DepositCapReached", grown, books.depositCeiling);
    return this.#mint(receiver, amount);
  }

  /** Moves min(floor(amount * S / T), held), at most the displayed balance. */
  transfer(from: string, to: string, amount: Wei): Shares {
    const moved = transferredShares(amount, this.sharesOf(from), this.totals);
    ensure(moved !== undefined, "ERC20InsufficientBalance", from, this.balanceOf(from), amount);
    this.#move(from, to, moved);
    return moved;
  }

  /** Moves exactly `amount`. */
  transferShares(from: string, to: string, amount: Shares): void {
    ensure(amount <= this.sharesOf(from), "SharesExceedBalance", from, amount, this.sharesOf(from));
    this.#move(from, to, amount);
  }

  /** Requests a withdrawal of each amount of the owner's estETH. Returns the ids. */
  request(owner: string, amounts: readonly Wei[], now: bigint): readonly number[] {
    return this.#requestAll(owner, amounts, now, (model, amount) => {
      ensure(amount >= MIN_REQUEST, "RequestTooSmall", amount, MIN_REQUEST);
      return model.transfer(owner, model.settings.queue, amount);
    });
  }

  /** As `request`, in exact shares. */
  requestShares(owner: string, amounts: readonly Shares[], now: bigint): readonly number[] {
    return this.#requestAll(owner, amounts, now, (model, amount) => {
      model.transferShares(owner, model.settings.queue, amount);
      const value = toEtherDown(amount, model.totals);
      ensure(value >= MIN_REQUEST, "RequestTooSmall", value, MIN_REQUEST);
      return amount;
    });
  }

  /** Pays a finalised request to its owner. */
  claim(caller: string, requestId: number): Wei {
    const amount = payment(this.queue, requestId);
    const owner = this.ownerOf(requestId);
    ensure(owner !== undefined, "AlreadyClaimed", requestId);
    ensure(owner === caller, "NotRequestOwner", requestId, caller, owner);
    const { finalisedUnits } = this.queue;
    ensure(amount !== undefined, "NotFinalized", requestId, endUnitsOf(this.queue, requestId), finalisedUnits);
    this.#state.owners.delete(requestId);
    return amount;
  }

  // --- anyone ---

  /**
   * Continues the last report's finalisation as far as the buffer now reaches: burns min(ceil(paid * S / T), the paid requests' shares),
   * and moves the rest of them to cover.
   */
  continueFinalisation(now: bigint): { readonly paid: Wei; readonly burned: Shares } {
    const { books, totals } = this;
    ensure(this.isCalm(now), "FinalisationNotAllowed");
    const finalised = finalise(this.queue, books.finalisationRate, books.lastCutoff, this.buffer());
    ensure(finalised.paid > 0n, "NothingToFinalise");
    const burned = min(toSharesUp(finalised.paid, totals), finalised.shares);
    this.#state.queue = finalised.queue;
    this.#state.books = { ...books, cover: shares(books.cover + finalised.shares - burned) };
    this.#state.totals = {
      ether: wei(totals.ether - finalised.paid),
      shares: shares(totals.shares - burned),
    };
    this.#debit(this.settings.queue, burned);
    return { paid: finalised.paid, burned };
  }

  // --- validators and operators ---

  /** Sends 31 ETH to each of `count` validators and credits the operators' 1 ETH each as bond. Returns the bond's shares. */
  fund(count: bigint, now: bigint): Shares {
    const wanted = wei(TOP_UP * count);
    ensure(wanted <= this.depositable(), "NotDepositable", wanted, this.depositable());
    return this.#noteFunding(count, now);
  }

  /** 31 ETH of an operator go to a proven validator of its own, as a deposit that never comes to the pool. */
  fundOwn(staker: string, now: bigint): Shares {
    this.deposit(staker, wei(TOP_UP), now);
    return this.#noteFunding(1n, now);
  }

  #noteFunding(count: bigint, now: bigint): Shares {
    ensure(now <= this.books.openUntil, "ReportOverdue", this.books.openUntil);
    const funded = wei(this.books.funded + VALIDATOR_DEPOSIT * count);
    const { fundingBoundary: last } = this.books;
    const boundary = now <= last ? last : now - 1n - ((now - 1n - last) % this.settings.secondsPerFrame);
    const before = boundary === last ? {} : { fundedBefore: this.books.funded, fundingBoundary: boundary };
    this.#state.books = { ...this.books, ...before, funded, fundedTime: now };
    return this.#mint(this.settings.operators, wei(PREDEPOSIT * count));
  }

  /** A slashing was proven in the state of a slot at `slotTime`. */
  noteSlashing(slotTime: bigint): void {
    const { books } = this;
    const isLater = slotTime > books.lastRefTime && books.slashed < MAX_SLASHED;
    this.#state.books = {
      ...books,
      slashingTime: max(books.slashingTime, slotTime),
      slashed: books.slashed + (isLater ? 1n : 0n),
    };
  }

  /** A report waits for signatures or for governance: no deposits, fundings or payments until one is applied. */
  hold(now: bigint): void {
    this.#state.books = { ...this.books, openUntil: now - 1n };
  }

  /** Moves shares of a bond to the queue's account; reports burn them. */
  addCover(amount: Shares): void {
    this.transferShares(this.settings.operators, this.settings.queue, amount);
    this.#state.books = { ...this.books, cover: shares(this.books.cover + amount) };
  }

  /** Divides the fees minted since the last division, by the weights that held since then. */
  divideFees(weights: Weights): FeeSplit {
    const { undivided, treasury } = this.#state.fees;
    const whole = divisible(undivided);
    const split = splitFee(whole, this.settings.feeBp, weights);
    this.#state.fees = { undivided: shares(undivided - whole), treasury: shares(treasury + split.treasuryShares) };
    return split;
  }

  /** Sends the treasury its part of the fees divided so far. */
  payTreasury(): Shares {
    const { treasury } = this.#state.fees;
    this.#move(this.settings.operators, this.settings.treasury, treasury);
    this.#state.fees = { ...this.#state.fees, treasury: shares(0n) };
    return treasury;
  }

  // --- the oracle ---

  /** Applies a report (docs/math.md, Report). */
  report(input: ReportInput): ReportOutcome {
    const { books, settings, totals: before } = this;
    const { elapsed, refTime } = input;
    ensure(refTime >= books.lastReportTime, "ReferenceTooOld", refTime, books.lastReportTime);
    const fundedAtRef = refTime >= books.fundedTime ? books.funded : books.fundedBefore;
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
    const { recognised, heldBack } = recognise(gross, before.ether, settings.maxAprBp, elapsed);
    const grown = wei(before.ether + recognised);
    ensure(grown > 0n, "TotalWouldBeZero", recognised);
    const { fee, feeShares } = feeOn(recognised, grown, before.shares, books.highWaterRate, settings.feeBp);
    const judged: Totals = { ether: grown, shares: shares(before.shares + feeShares) };
    const finalisationRate = rateDown(judged);

    const next: Books = { ...books, clLast: input.clBalance, fundedAtLastRef: fundedAtRef, heldBack };
    const slashings = slashingsAfter(books, refTime);
    const isTolerable = tolerates(slashings.slashedEarlier, judged.ether);
    const finalisable = !input.incident && !fell(before, judged, MAX_FINALISING_FALL) && isTolerable;
    const available = finalisable ? buffer(next, judged) : wei(0n);
    const closed = closeRound(this.queue, input.nextCutoff);
    const {
      queue,
      paid,
      shares: paidShares,
    } = finalisable
      ? finalise(closed.queue, finalisationRate, input.cutoff, available)
      : { queue: closed.queue, paid: wei(0n), shares: shares(0n) };

    const left = wei(grown - paid);
    const cover = shares(books.cover + closed.remainder + paidShares);
    const burned = burnable(cover, judged.shares, left, before, settings.maxAprBp, elapsed);
    const after: Totals = { ether: left, shares: shares(judged.shares - burned) };
    const rails = this.#spentRails(before, after, recognised, feeShares, input.now);

    this.#state.totals = after;
    this.#state.rails = rails;
    this.#state.queue = queue;
    this.#debit(settings.queue, burned);
    this.#credit(settings.operators, feeShares);
    this.#state.fees = { ...this.#state.fees, undivided: shares(this.#state.fees.undivided + feeShares) };
    this.#state.books = {
      ...next,
      cover: shares(cover - burned),
      highWaterRate: max(books.highWaterRate, rateUp(after)),
      finalisationRate,
      lastRefTime: refTime,
      lastCutoff: input.cutoff,
      leaving: input.leaving,
      lastReportTime: input.now,
      ...slashings,
      depositCeiling: fell(before, judged, PAUSING_FALL) ? wei(0n) : wei(after.ether + settings.depositCap),
      openUntil: input.openUntil,
      finalisable,
    };
    return {
      before,
      judged,
      after,
      gross,
      recognised,
      heldBack,
      fee,
      feeShares,
      finalisationRate,
      finalisable,
      paid,
      burned,
      sweptWithdrawals,
      sweptRewards,
    };
  }

  // --- internal ---

  #mint(to: string, amount: Wei): Shares {
    const { totals } = this;
    ensure(amount <= MAX_UINT128 - totals.ether, "TotalOverflow", amount);
    const minted = toSharesDown(amount, totals);
    this.#state.totals = { ether: wei(totals.ether + amount), shares: shares(totals.shares + minted) };
    this.#credit(to, minted);
    return minted;
  }

  #requestAll<T>(
    owner: string,
    amounts: readonly T[],
    now: bigint,
    pull: (model: ProtocolModel, amount: T) => Shares,
  ): readonly number[] {
    ensure(amounts.length > 0, "NoRequests");
    const attempt = this.clone();
    const pulled = amounts.map((amount) => pull(attempt, amount));
    for (const amount of pulled) ensure(amount >= SHARES_PER_UNIT, "RequestBelowUnit", amount);
    this.#state = attempt.#state;
    const first = this.queue.endUnits.length + 1;
    this.#state.queue = request(this.queue, pulled, this.totals, now, this.settings.secondsPerFrame);
    const ids = pulled.map((_, index) => first + index);
    for (const id of ids) this.#state.owners.set(id, owner);
    return ids;
  }

  #move(from: string, to: string, amount: Shares): void {
    this.#debit(from, amount);
    this.#credit(to, amount);
  }

  #credit(account: string, amount: Shares): void {
    if (amount !== 0n) this.#state.held.set(account, shares(this.sharesOf(account) + amount));
  }

  #debit(account: string, amount: Shares): void {
    if (amount !== 0n) this.#state.held.set(account, shares(this.sharesOf(account) - amount));
  }

  #spentRails(before: Totals, after: Totals, gain: Wei, feeShares: Shares, now: bigint): Rails {
    const maxShares = maxFeeShares(before, gain);
    ensure(feeShares <= maxShares, "FeeTooHigh", feeShares, maxShares);
    ensure(after.ether > 0n && after.shares > 0n, "RateOutOfRange");
    const allowance = allowanceAt(this.rails, now);
    const rise = rateRise(before, after);
    ensure(rise <= allowance, "RateRisesTooFast", rise, allowance);
    ensure(rateDown(after) <= MAX_RATE, "RateOutOfRange");
    return { allowance: allowance - rise, updatedAt: now };
  }
}

const EMPTY_BOOKS: Books = {
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

/** What a report takes from a vault, which the error names: at most what it holds. */
function takenFrom(vault: "withdrawalVault" | "rewardsVault", { reported, held }: VaultBalance): Wei {
  ensure(reported <= held, "VaultBalanceImpossible", vault, reported, held);
  return reported;
}
