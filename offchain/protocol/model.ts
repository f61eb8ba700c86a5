/**
 * The whole ledger in integers: token, pool and queue, without a chain. Tests hold the contracts to it, and the demo reconciles with it.
 *
 * Operations bear the names of the contracts' and refuse with their errors; one that refuses changes nothing. Time, balances of vaults and
 * the weights of validators come in as arguments. Pause flags, allowances and roles are left to the contracts.
 */
import { applyReport } from "./applyReport.ts";
import type { Ledger, ReportInput, ReportLimits, ReportOutcome } from "./applyReport.ts";
import {
  EMPTY_BOOKS,
  afterFunding,
  afterSlashing,
  buffer,
  depositable,
  etherAtValidators,
  exitDemand,
  mayFinalise,
  promised,
} from "./books.ts";
import type { Books } from "./books.ts";
import { ensure } from "./errors.ts";
import { NO_FEES, divide, minted } from "./fees.ts";
import type { Fees } from "./fees.ts";
import type { Schedule } from "./frames.ts";
import { min } from "./integers.ts";
import {
  EMPTY_QUEUE,
  MIN_REQUEST,
  endUnitsOf,
  finalise,
  lastFinalizedId,
  payment,
  request,
  unfinalisedShares,
} from "./queue.ts";
import type { QueueState } from "./queue.ts";
import { FIRST_ALLOWANCE } from "./rails.ts";
import type { Rails } from "./rails.ts";
import type { FeeSplit, Weights } from "./rebase.ts";
import { toEtherDisplayed, toEtherDown, toSharesDown, toSharesUp, transferredShares } from "./shares.ts";
import type { Totals } from "./shares.ts";
import { PREDEPOSIT, RAY, SHARES_PER_UNIT, SHARES_PER_WEI, TOP_UP, shares, wei } from "./units.ts";
import type { Shares, Wei } from "./units.ts";

const MIN_BOOTSTRAP = wei(10n ** 16n);
const MAX_UINT128 = 2n ** 128n - 1n;
export interface Settings extends ReportLimits {
  readonly secondsPerFrame: bigint;
  /** Accounts that the protocol itself holds shares in. */
  readonly queue: string;
  readonly operators: string;
  readonly treasury: string;
  readonly locked: string;
}

type State = { -readonly [Key in keyof Ledger]: Ledger[Key] } & {
  held: Map<string, Shares>;
  /** Of requests not claimed. */
  owners: Map<number, string>;
  /** On the operators' account. */
  fees: Fees;
};

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
      fees: NO_FEES,
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

  /** As `request`, in exact shares of `from`. */
  requestShares(from: string, amounts: readonly Shares[], now: bigint, owner = from): readonly number[] {
    return this.#requestAll(owner, amounts, now, (model, amount) => {
      model.transferShares(from, model.settings.queue, amount);
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
    this.#state.books = afterFunding(this.books, count, now, this.settings.secondsPerFrame);
    return this.#mint(this.settings.operators, wei(PREDEPOSIT * count));
  }

  /** A slashing was proven in the state of a slot at `slotTime`. */
  noteSlashing(slotTime: bigint): void {
    this.#state.books = afterSlashing(this.books, slotTime);
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
    const { fees, split } = divide(this.#state.fees, this.settings.feeBp, weights);
    this.#state.fees = fees;
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
    const { queue: queueAccount, operators } = this.settings;
    const { ledger, outcome } = applyReport(this.#state, this.settings, input);
    this.#state = { ...this.#state, ...ledger, fees: minted(this.#state.fees, outcome.feeShares) };
    this.#debit(queueAccount, outcome.burned);
    this.#credit(operators, outcome.feeShares);
    return outcome;
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
}
