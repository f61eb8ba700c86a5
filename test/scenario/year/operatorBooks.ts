/**
 * What every operator has, kept apart from the contracts: rewards are handed out operator by operator at each division of fees, without an
 * accumulator. The ledger of shares beside it is a ProtocolModel; both are told only what people did.
 */
import { atStake, passMark, requiredBond } from "../../../offchain/protocol/bond.ts";
import type { ProtocolModel } from "../../../offchain/protocol/model.ts";
import { divisible, splitFee } from "../../../offchain/protocol/rebase.ts";
import type { FeeSplit, Weights } from "../../../offchain/protocol/rebase.ts";
import { toEtherDown, toSharesUp } from "../../../offchain/protocol/shares.ts";
import { ETHER, shares, wei } from "../../../offchain/protocol/units.ts";
import type { Shares, Wei } from "../../../offchain/protocol/units.ts";

const FINE_LIFETIME = 30n * 86_400n; // seconds

/** IOperatorRegistry.Tier */
export interface TierTerms {
  readonly bondFirst: bigint;
  readonly bondNext: bigint;
  readonly feeBp: bigint;
  readonly targetShareBp: bigint;
  readonly maxShareBp: bigint;
  readonly open: boolean;
}

export interface OperatorAccount {
  readonly id: bigint;
  readonly tier: number;
  /** Bonds as its tier has them now; the fee as when it joined. */
  terms: TierTerms;
  readonly owner: string;
  bond: Shares;
  debt: Wei;
  rewards: Shares;
  /** What a unit of its weight was paid of fees that nobody divided yet. */
  ahead: bigint;
  fine: { readonly shares: Shares; readonly expiresAt: bigint } | undefined;
  queued: bigint;
  active: bigint;
  weighted: bigint;
  frozen: boolean;
  /** Unix seconds; 0 while it is not frozen. */
  frozenAt: bigint;
  /** All rewards ever, for the year's sums. */
  earned: Shares;
}

export class OperatorBooks {
  readonly all: OperatorAccount[] = [];
  readonly #ledger: ProtocolModel;
  /** Sums of the year: shares that went to cover. */
  covered = shares(0n);
  debtRepaid = wei(0n);
  treasuryPaid = shares(0n);
  /** All fees ever, and those that nobody divided yet. */
  fees = shares(0n);
  #undivided = shares(0n);
  #treasury = shares(0n);

  constructor(ledger: ProtocolModel) {
    this.#ledger = ledger;
  }

  /** Shares that the registry must hold: bonds, fines, rewards, the treasury's part, and fees not divided yet. */
  get held(): Shares {
    const sum = this.all.reduce((total, op) => total + op.bond + op.rewards + (op.fine?.shares ?? 0n), 0n);
    return shares(sum + this.#treasury + this.#undivided - this.#paidAhead);
  }

  /** All fees ever, by who has them: what must be equal to `fees`. */
  get divided(): Shares {
    const earned = this.all.reduce((sum, op) => sum + op.earned, 0n);
    return shares(earned + this.treasuryPaid + this.#treasury + this.#undivided - this.#paidAhead);
  }

  /** A report minted fees. */
  noteFees(minted: Shares): void {
    this.fees = shares(this.fees + minted);
    this.#undivided = shares(this.#undivided + minted);
  }

  join(id: bigint, tier: number, terms: TierTerms, owner: string): OperatorAccount {
    const none = {
      bond: shares(0n),
      rewards: shares(0n),
      earned: shares(0n),
      debt: wei(0n),
      fine: undefined,
      ahead: 0n,
    };
    const counts = { queued: 0n, active: 0n, weighted: 0n };
    const account = { id, tier, terms, owner, ...none, ...counts, frozen: false, frozenAt: 0n };
    this.all.push(account);
    return account;
  }

  required(op: OperatorAccount): Wei {
    return requiredBond(wei(op.terms.bondFirst), wei(op.terms.bondNext), op.queued + op.active);
  }

  atStake(op: OperatorAccount): Wei {
    return atStake(toEtherDown(op.bond, this.#ledger.totals), op.queued);
  }

  /** Whether another key would be accepted. */
  passes(op: OperatorAccount): boolean {
    return this.atStake(op) >= passMark(this.required(op));
  }

  // --- bonds ---

  addBond(op: OperatorAccount, amount: Shares): void {
    op.bond = shares(op.bond + amount - this.#repay(op, amount));
  }

  withdrawBond(op: OperatorAccount, amount: Shares, to: string): void {
    op.bond = shares(op.bond - amount);
    this.#ledger.transferShares(this.#ledger.settings.operators, to, amount);
  }

  /** @param amount wei, of which the bond covers what it can */
  penalise(op: OperatorAccount, amount: Wei): void {
    const { totals } = this.#ledger;
    const wanted = toSharesUp(amount, totals);
    const taken = wanted < op.bond ? wanted : op.bond;
    if (taken !== wanted) op.debt = wei(op.debt + amount - toEtherDown(taken, totals));
    op.bond = shares(op.bond - taken);
    this.#cover(taken);
  }

  lockFine(op: OperatorAccount, amount: Wei, now: bigint): void {
    const wanted = toSharesUp(amount, this.#ledger.totals);
    const locked = wanted < op.bond ? wanted : op.bond;
    op.bond = shares(op.bond - locked);
    op.fine = { shares: locked, expiresAt: now + FINE_LIFETIME };
  }

  confirmFine(op: OperatorAccount): void {
    this.#cover(this.#takeFine(op));
  }

  /** Cancelled or lapsed. */
  releaseFine(op: OperatorAccount): void {
    this.addBond(op, this.#takeFine(op));
  }

  // --- validators ---

  /** @param bondShares of all that were funded together, the remainder of an equal split to the first */
  funded(ops: readonly OperatorAccount[], bondShares: Shares): void {
    this.divide();
    const each = bondShares / BigInt(ops.length);
    ops.forEach((op, index) => {
      const extra = index === 0 ? bondShares % BigInt(ops.length) : 0n;
      op.bond = shares(op.bond + each + extra);
      op.queued--;
      op.active++;
      op.weighted++;
    });
  }

  weightStopped(op: OperatorAccount): void {
    this.divide();
    op.weighted--;
  }

  withdrawn(op: OperatorAccount, shortfall: Wei): void {
    this.divide();
    op.active--;
    if (shortfall > 0n) this.penalise(op, shortfall);
  }

  // --- fees ---

  /** Hands out the fees minted since the last time, by the weights until now. */
  divide(): void {
    const { increment, operatorShares, treasuryShares } = this.#ledger.divideFees(this.#weights());
    this.#treasury = shares(this.#treasury + treasuryShares);
    this.#undivided = shares(this.#undivided - operatorShares - treasuryShares);
    for (const op of this.all) {
      this.#reward(op, increment);
      op.ahead = 0n;
    }
  }

  /** What an operator could claim and what the treasury is owed, if the fees were divided now. */
  get claimable(): { readonly operators: readonly Shares[]; readonly treasury: Shares } {
    const { increment, treasuryShares } = this.#split();
    const operators = this.all.map((op) => {
      const all = op.rewards + (increment - op.ahead) * op.weighted * op.terms.feeBp;
      const debt = toSharesUp(op.debt, this.#ledger.totals);
      return shares(all > debt ? all - debt : 0n);
    });
    return { operators, treasury: shares(this.#treasury + treasuryShares) };
  }

  /** Takes an operator's rewards, debt repaid, out of its account. Returns what it may have. */
  collect(op: OperatorAccount): Shares {
    const { increment } = this.#split();
    this.#reward(op, increment);
    op.ahead = increment;
    const all = op.rewards;
    op.rewards = shares(0n);
    return shares(all - this.#repay(op, all));
  }

  payTreasury(): void {
    this.divide();
    this.treasuryPaid = shares(this.treasuryPaid + this.#ledger.payTreasury());
    this.#treasury = shares(0n);
  }

  // --- internal ---

  /** What a division would do now. */
  #split(): FeeSplit {
    return splitFee(divisible(this.#undivided), this.#ledger.settings.feeBp, this.#weights());
  }

  /** @param increment for a unit of weight, of all fees that were not divided */
  #reward(op: OperatorAccount, increment: bigint): void {
    const part = (increment - op.ahead) * op.weighted * op.terms.feeBp;
    op.rewards = shares(op.rewards + part);
    op.earned = shares(op.earned + part);
  }

  get #paidAhead(): bigint {
    return this.all.reduce((sum, op) => sum + op.ahead * op.weighted * op.terms.feeBp, 0n);
  }

  #weights(): Weights {
    return {
      total: this.all.reduce((sum, op) => sum + op.weighted * op.terms.feeBp, 0n),
      active: this.all.reduce((sum, op) => sum + op.active, 0n),
    };
  }

  #takeFine(op: OperatorAccount): Shares {
    if (op.fine === undefined) throw new Error(`operator ${op.id} has no fine`);
    const { shares: locked } = op.fine;
    op.fine = undefined;
    return locked;
  }

  #repay(op: OperatorAccount, available: Shares): Shares {
    if (op.debt === 0n) return shares(0n);
    const { totals } = this.#ledger;
    const wanted = toSharesUp(op.debt, totals);
    const used = wanted < available ? wanted : available;
    const repaid = used === wanted ? op.debt : toEtherDown(used, totals);
    op.debt = wei(op.debt - repaid);
    this.debtRepaid = wei(this.debtRepaid + repaid);
    this.#cover(used);
    return used;
  }

  #cover(amount: Shares): void {
    if (amount === 0n) return;
    this.#ledger.addCover(amount);
    this.covered = shares(this.covered + amount);
  }
}

/** The bond that keys need beside the ether that they bring. */
export function bondBeside(terms: TierTerms, keys: bigint): Wei {
  return wei(requiredBond(wei(terms.bondFirst), wei(terms.bondNext), keys) - keys * ETHER);
}
