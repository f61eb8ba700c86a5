/**
 * The Router over the ledger and an EtherPool, without a chain: which of them gets what, by `router.ts`, in the contract's order. What was
 * not used stays with the caller. Operations refuse with the contract's errors and change nothing then. Deadlines are left to the contract.
 */
import { ProtocolError, ensure } from "./errors.ts";
import type { EtherPoolModel } from "./etherPoolModel.ts";
import type { ProtocolModel } from "./model.ts";
import { legsOf, splitExit, splitLeave, splitProvide, splitStake } from "./router.ts";
import type { Market, Provision } from "./router.ts";
import { unitsToShares } from "./shares.ts";
import { shares, units, wei } from "./units.ts";
import type { Bp, Shares, Wei } from "./units.ts";

export interface Left {
  /** At once. */
  readonly ether: Wei;
  /** Undefined where nothing is queued. */
  readonly requestId: number | undefined;
}

export interface RouterStaked {
  readonly shares: Shares;
  /** Ether that goes back: a deposit was refused. */
  readonly back: Wei;
}

export class RouterModel {
  readonly #ledger: ProtocolModel;
  readonly #pool: EtherPoolModel;
  /** Its own account, empty between calls. */
  readonly #account: string;
  /** As the staking pool has it. */
  depositsPaused = false;

  constructor(ledger: ProtocolModel, pool: EtherPoolModel, account: string) {
    this.#ledger = ledger;
    this.#pool = pool;
    this.#account = account;
  }

  market(now: bigint): Market {
    const { pool, requestsPaused } = this.#pool;
    return { pool, totals: this.#ledger.totals, calm: this.#pool.isCalm(now), requestsPaused };
  }

  stake(receiver: string, amount: Wei, minShares: Shares, now: bigint): RouterStaked {
    const { bought, units: got, staked } = splitStake(this.market(now), amount);
    const minted = this.#mintable(staked, now);
    const all = shares(unitsToShares(got) + minted);
    ensure(all > 0n, "NothingToDo");
    ensure(all >= minShares, "BelowMinimum", all, minShares);
    if (bought > 0n) this.#pool.buy(receiver, bought, units(0n), now);
    if (minted > 0n) this.#ledger.deposit(receiver, staked, now);
    return { shares: all, back: minted > 0n ? wei(0n) : staked };
  }

  leaveShares(from: string, receiver: string, amount: Shares, maxFeeBp: Bp, minEther: Wei, now: bigint): Left {
    const market = this.market(now);
    const { sold, queued } = legsOf(market, amount, maxFeeBp);
    const taken = shares(unitsToShares(sold) + queued);
    ensure(taken > 0n, "NothingToDo");
    const held = this.#ledger.sharesOf(from);
    ensure(taken <= held, "SharesExceedBalance", from, taken, held);
    const split = splitLeave(market, amount, maxFeeBp);
    ensure(split.ether >= minEther, "BelowMinimum", split.ether, minEther);
    this.#ledger.transferShares(from, this.#account, taken);
    const requestId = this.#request(split.queued, receiver, now);
    if (split.sold > 0n) this.#pool.sell(this.#account, split.sold, wei(0n), now);
    return { ether: split.ether, requestId };
  }

  provide(receiver: string, amount: Wei, minLp: Wei, maxFeeBp: Bp, now: bigint): Provision {
    const plan = splitProvide(this.market(now), amount, maxFeeBp, minLp);
    if (plan.staked > 0n) this.#deposit(this.#account, plan.staked, now);
    this.#pool.enter(this.#account, receiver, plan.lp, plan.ether, plan.units);
    // what staking gave beyond whole units goes to the pool's account, and into no book
    this.#ledger.transferShares(this.#account, this.#pool.account, this.#ledger.sharesOf(this.#account));
    return plan;
  }

  exitToEther(owner: string, receiver: string, lp: Wei, maxFeeBp: Bp, minEther: Wei, now: bigint): Left {
    const held = this.#pool.balanceOf(owner);
    ensure(lp <= held, "ERC20InsufficientBalance", owner, held, lp);
    const { own, left } = splitExit(this.market(now), lp, maxFeeBp);
    const ether = wei(own.ether + left.ether);
    ensure(ether >= minEther, "BelowMinimum", ether, minEther);
    this.#pool.exit(owner, this.#account, lp, wei(0n), units(0n));
    const requestId = this.#request(left.queued, receiver, now);
    if (left.sold > 0n) this.#pool.sell(this.#account, left.sold, wei(0n), now);
    this.#ledger.transferShares(this.#account, receiver, this.#ledger.sharesOf(this.#account));
    return { ether, requestId };
  }

  // --- internal ---

  /** Shares that a deposit would mint; none where it is refused. */
  #mintable(amount: Wei, now: bigint): Shares {
    try {
      const attempt = this.#ledger.clone();
      return this.depositsPaused ? shares(0n) : attempt.deposit(this.#account, amount, now);
    } catch (error) {
      if (error instanceof ProtocolError) return shares(0n);
      throw error;
    }
  }

  #deposit(receiver: string, amount: Wei, now: bigint): void {
    ensure(!this.depositsPaused, "DepositsArePaused");
    this.#ledger.deposit(receiver, amount, now);
  }

  #request(amount: Shares, owner: string, now: bigint): number | undefined {
    if (amount === 0n) return undefined;
    return this.#ledger.requestShares(this.#account, [amount], now, owner)[0];
  }
}
