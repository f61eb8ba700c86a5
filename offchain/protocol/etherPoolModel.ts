/**
 * An EtherPool beside the ledger that its estETH is in: books, LP and what each call moves, without a chain. Tests hold the contract to it,
 * and the demo reconciles with it. Operations bear the names of the contract's and refuse with its errors; one that refuses changes nothing.
 * Ether comes in and goes out as amounts; allowances and transfers of LP are left to the contract.
 */
import { ensure } from "./errors.ts";
import {
  MIN_SEED,
  buyable,
  quoteBuy,
  quoteEnter,
  quoteExit,
  quoteSell,
  quoteSellFor,
  sellableWithin,
} from "./etherPool.ts";
import type { Both, EtherPool, EtherPoolTerms } from "./etherPool.ts";
import type { ProtocolModel } from "./model.ts";
import { unitsToShares } from "./shares.ts";
import { units, wei } from "./units.ts";
import type { Bp, Units, Wei } from "./units.ts";

export class EtherPoolModel {
  /** Whose estETH the pool's is, in the ledger. */
  readonly account: string;
  readonly #ledger: ProtocolModel;
  /** As the withdrawal queue says. */
  requestsPaused = false;
  #pool: EtherPool;
  readonly #held: Map<string, Wei>;

  /** @param seed ether of the first LP, locked for ever */
  constructor(ledger: ProtocolModel, account: string, terms: EtherPoolTerms, seed: Wei, locked: string) {
    ensure(seed >= MIN_SEED, "SeedTooSmall", seed, MIN_SEED);
    this.#ledger = ledger;
    this.account = account;
    this.#pool = { terms, ether: seed, units: units(0n), supply: seed };
    this.#held = new Map([[locked, seed]]);
  }

  // --- views ---

  get pool(): EtherPool {
    return this.#pool;
  }

  balanceOf(account: string): Wei {
    return this.#held.get(account) ?? wei(0n);
  }

  get holders(): readonly string[] {
    return [...this.#held.keys()];
  }

  isCalm(now: bigint): boolean {
    return !this.requestsPaused && this.#ledger.isCalm(now);
  }

  /** Nothing while it is not calm. */
  sellableWithin(maxFeeBp: Bp, now: bigint): Units {
    return this.isCalm(now) ? sellableWithin(this.#pool, maxFeeBp, this.#ledger.totals) : units(0n);
  }

  /** Nothing while it is not calm. */
  buyable(now: bigint): Wei {
    return this.isCalm(now) ? buyable(this.#pool, this.#ledger.totals) : wei(0n);
  }

  // --- trades ---

  /** Ether for exactly `amount` units. */
  sell(seller: string, amount: Units, minEther: Wei, now: bigint): Wei {
    ensure(this.isCalm(now), "NotCalm");
    const out = quoteSell(this.#pool, amount, this.#ledger.totals);
    ensure(out >= minEther, "BelowMinimum", out, minEther);
    this.#take(seller, amount, wei(0n - out));
    return out;
  }

  /** Exactly `wanted` ether. Returns the units that it costs. */
  sellFor(seller: string, wanted: Wei, maxUnits: Units, now: bigint): Units {
    ensure(this.isCalm(now), "NotCalm");
    const cost = quoteSellFor(this.#pool, wanted, this.#ledger.totals);
    ensure(cost <= maxUnits, "AboveMaximum", cost, maxUnits);
    this.#take(seller, cost, wei(0n - wanted));
    return cost;
  }

  /** Units for exactly `amount` ether. */
  buy(receiver: string, amount: Wei, minUnits: Units, now: bigint): Units {
    ensure(this.isCalm(now), "NotCalm");
    const got = quoteBuy(this.#pool, amount, this.#ledger.totals);
    ensure(got >= minUnits, "BelowMinimum", got, minUnits);
    this.#give(receiver, got, amount);
    return got;
  }

  // --- LPs ---

  /** Exactly `amount` LP. Returns what they cost; ether sent beyond that goes back. */
  enter(from: string, receiver: string, amount: Wei, sent: Wei, maxUnits: Units): Both {
    const cost = quoteEnter(this.#pool, amount);
    ensure(cost.ether <= sent, "AboveMaximum", cost.ether, sent);
    ensure(cost.units <= maxUnits, "AboveMaximum", cost.units, maxUnits);
    this.#take(from, cost.units, cost.ether);
    this.#hold(receiver, amount);
    return cost;
  }

  /** Burns exactly `amount` LP. Returns what they give. */
  exit(owner: string, receiver: string, amount: Wei, minEther: Wei, minUnits: Units): Both {
    const got = quoteExit(this.#pool, amount);
    ensure(got.ether >= minEther, "BelowMinimum", got.ether, minEther);
    ensure(got.units >= minUnits, "BelowMinimum", got.units, minUnits);
    ensure(amount <= this.balanceOf(owner), "ERC20InsufficientBalance", owner, this.balanceOf(owner), amount);
    this.#give(receiver, got.units, wei(0n - got.ether));
    this.#hold(owner, wei(0n - amount));
    return got;
  }

  // --- internal ---

  /** Units come, and ether comes or goes. */
  #take(from: string, amount: Units, ether: Wei): void {
    this.#ledger.transferShares(from, this.account, unitsToShares(amount));
    this.#move(ether, amount);
  }

  /** Units go, and ether comes or goes. */
  #give(to: string, amount: Units, ether: Wei): void {
    this.#ledger.transferShares(this.account, to, unitsToShares(amount));
    this.#move(ether, units(0n - amount));
  }

  #move(ether: Wei, amount: Units): void {
    const { ether: had, units: held } = this.#pool;
    this.#pool = { ...this.#pool, ether: wei(had + ether), units: units(held + amount) };
  }

  /** LP that are made or burnt. */
  #hold(account: string, change: Wei): void {
    this.#held.set(account, wei(this.balanceOf(account) + change));
    this.#pool = { ...this.#pool, supply: wei(this.#pool.supply + change) };
  }
}
