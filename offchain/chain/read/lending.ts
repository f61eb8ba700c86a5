/**
 * What lending to the EtherPool earned: of all who lend, in the last month, beside staking; and of one address, against holding the same as
 * estETH. From the pool's events, the chain's history of the rate, and what the pool holds now.
 */
import { getAddress, zeroPadValue } from "ethers";
import type { Interface, Log } from "ethers";
import { aprBp } from "../../protocol/apr.ts";
import { quoteExit, valueOf } from "../../protocol/etherPool.ts";
import type { EtherPool } from "../../protocol/etherPool.ts";
import { toEtherDown, toSharesDown, unitsToShares } from "../../protocol/shares.ts";
import type { Totals } from "../../protocol/shares.ts";
import { BP, DAY, YEAR, bp, shares, units, wei } from "../../protocol/units.ts";
import type { Bp, Wei } from "../../protocol/units.ts";
import type { Protocol } from "../connect.ts";
import { decodeEvents } from "../events.ts";
import type { ChainEvent } from "../events.ts";
import { EventsMissing, NOTHING_KEPT, readOn, readWhole } from "../feed.ts";
import type { Kept } from "../feed.ts";
import { monthAgo, spanOf } from "../history.ts";
import type { RebaseEntry } from "../history.ts";
import type { Head } from "../multicall.ts";
import { liquidityOf, readEtherPool } from "./etherPool.ts";
import type { EtherPoolStatus } from "./etherPool.ts";

/** All that moves the pool's books. */
export interface PoolEvent {
  readonly block: number;
  readonly logIndex: number;
  readonly transaction: string;
  readonly name: "Sold" | "Bought" | "Entered" | "Exited";
  /** What of the books it changed by: negative for what left. */
  readonly ether: bigint;
  readonly units: bigint;
  readonly lp: bigint;
  /** What was sold or bought, at the rate; 0 for entries and exits. */
  readonly value: Wei;
}

/** LP that came to an address, or left it: negative. */
export interface LpMovement {
  readonly block: number;
  readonly logIndex: number;
  readonly transaction: string;
  readonly lp: bigint;
}

/** For the next reading. */
export interface LendingKept {
  readonly trades: Kept<PoolEvent>;
  readonly entries: Kept<PoolEvent>;
  readonly movements: Kept<LpMovement>;
}

export interface Lending {
  readonly market: EtherPoolStatus;
  readonly kept: LendingKept;
}

export const NOTHING_LENT: LendingKept = {
  trades: NOTHING_KEPT,
  entries: NOTHING_KEPT,
  movements: NOTHING_KEPT,
};

export interface LendingOptions {
  /** The newest block, where it is known: all is asked for together. */
  readonly at?: Head | undefined;
  /** Whose movements of LP are read too. */
  readonly account?: string | undefined;
  /** What an earlier call gave for the same account. */
  readonly kept?: LendingKept;
}

/**
 * Sales and purchases of the last month; entries and exits of all time, which are compared with the LP that there are.
 * @throws ChainError: refused where the addresses file names no Router; AppError (unavailable)
 */
export async function readLending(
  protocol: Protocol,
  { account, at, kept = NOTHING_LENT }: LendingOptions = {},
): Promise<Lending> {
  const { provider, fromBlock } = protocol;
  const { etherPool } = liquidityOf(protocol);
  const reading = readEtherPool(protocol, { at });
  const block = at?.number ?? (await reading).block.number;
  const sinceMonth = await monthAgo(protocol, { at });
  const topic = (name: string): string => (etherPool.interface as Interface).getEvent(name)?.topicHash ?? "";
  const address = etherPool.target as string;
  const events = (names: readonly PoolEvent["name"][], first: number) => ({
    filter: { address, topics: [names.map(topic)] },
    fromBlock: first,
    decode: (logs: readonly Log[]) => decodeEvents(protocol, logs).map(poolEvent),
  });
  const [market, trades, entries, movements] = await Promise.all([
    reading,
    readOn(provider, events(["Sold", "Bought"], sinceMonth), kept.trades, block, { at }),
    readWhole(provider, kept.entries.items.length === 0, async (anew) => {
      const feed = events(["Entered", "Exited"], fromBlock);
      const [read, { pool }] = await Promise.all([
        readOn(provider, feed, anew ? NOTHING_KEPT : kept.entries, block, { at }),
        reading,
      ]);
      const supply = read.items.reduce((sum, { lp }) => sum + lp, 0n);
      if (supply !== pool.supply)
        throw new EventsMissing(`there are ${pool.supply} LP, entries and exits say ${supply}`);
      return read;
    }),
    account === undefined
      ? NOTHING_KEPT
      : movementsOf(protocol, account, kept.movements, block, { at, transfer: topic("Transfer") }),
  ]);
  return { market, kept: { trades, entries, movements } };
}

async function movementsOf(
  protocol: Protocol,
  account: string,
  kept: Kept<LpMovement>,
  block: number,
  { at, transfer }: Pick<LendingOptions, "at"> & { readonly transfer: string },
): Promise<Kept<LpMovement>> {
  const { etherPool } = liquidityOf(protocol);
  const { provider, fromBlock } = protocol;
  const owner = zeroPadValue(getAddress(account), 32);
  const read = (topics: (string | null)[], sign: bigint) =>
    readOn(
      provider,
      {
        filter: { address: etherPool.target, topics },
        fromBlock,
        decode: (logs: readonly Log[]) => decodeEvents(protocol, logs).flatMap((event) => movement(event, sign)),
      },
      { cursor: kept.cursor, items: kept.items.filter(({ lp }) => lp > 0n === sign > 0n) },
      block,
      { at },
    );
  const [came, left] = await Promise.all([read([transfer, null, owner], 1n), read([transfer, owner], -1n)]);
  return { cursor: came.cursor, items: [...came.items, ...left.items].sort(inOrder) };
}

/** None of nothing: anybody may send that. */
function movement({ block, logIndex, transaction, args }: ChainEvent, sign: bigint): LpMovement[] {
  const lp = sign * (args["value"] as bigint);
  return lp === 0n ? [] : [{ block, logIndex, transaction, lp }];
}

const SIGNS = {
  Sold: { ether: -1n, units: 1n, lp: 0n },
  Bought: { ether: 1n, units: -1n, lp: 0n },
  Entered: { ether: 1n, units: 1n, lp: 1n },
  Exited: { ether: -1n, units: -1n, lp: -1n },
} as const;

function poolEvent({ block, logIndex, transaction, name, args }: ChainEvent): PoolEvent {
  const kind = name as PoolEvent["name"];
  const sign = SIGNS[kind];
  const amount = (of: string): bigint => (args[of] as bigint | undefined) ?? 0n;
  return {
    ...{ block, logIndex, transaction, name: kind },
    ether: sign.ether * amount("ether_"),
    units: sign.units * amount("units"),
    lp: sign.lp * amount("lp"),
    value: wei(amount("value")),
  };
}

// --- all who lend ---

export interface PoolRecord {
  /** Between two reports' reference times: a month, or as long as there is a pool. */
  readonly seconds: bigint;
  /** What leavers sold, at the rate. */
  readonly sold: Wei;
  /** What they paid for it, and what of that who brought ether got. */
  readonly fees: Wei;
  readonly rebates: Wei;
  /** Sold in a day, of what the pool was worth at the mean of the reports. */
  readonly turnoverBp: Bp;
  /** What all who lend gained together, of what the pool was worth at that mean: a year, without compounding. Entry fees are nobody's gain. */
  readonly lentBp: Bp;
  /** What estETH grew by. */
  readonly heldBp: Bp;
}

const MONTH = 30n * DAY;

/** Undefined until there were two reports since the pool was opened. */
export function poolRecord({ market, kept }: Lending, history: readonly RebaseEntry[]): PoolRecord | undefined {
  const opened = kept.entries.items[0];
  const known = history.filter(({ block }) => block <= market.block.number);
  const last = known.at(-1);
  if (opened === undefined || last === undefined) return undefined;
  const since = known.filter((entry) => isBefore(opened, entry));
  const base = since.findLast((entry) => spanOf(entry, last) >= MONTH) ?? since[0];
  if (base === undefined || base === last) return undefined;
  const events = [...kept.trades.items, ...kept.entries.items].sort(inOrder);
  const seconds = spanOf(base, last);
  const within = events.filter((event) => isBefore(base, event) && isBefore(event, last));
  const of = (name: PoolEvent["name"]): readonly PoolEvent[] => within.filter((event) => event.name === name);
  const sum = (list: readonly PoolEvent[], value: (event: PoolEvent) => bigint): Wei =>
    wei(list.reduce((total, event) => total + value(event), 0n));
  const sold = sum(of("Sold"), ({ value }) => value);
  const reports = since.slice(since.indexOf(base));
  const worths = reports.map((entry) => valueOf(booksAt(market.pool, events, entry), entry.after));
  const mean = worths.reduce<bigint>((total, one) => total + one, 0n) / BigInt(worths.length);
  const lent = [...of("Entered"), ...of("Exited")].reduce((total, event) => total + worthOf(event, known), 0n);
  const gained = (worths.at(-1) ?? 0n) - (worths[0] ?? 0n) - lent;
  return {
    seconds,
    sold,
    fees: sum(of("Sold"), ({ value, ether }) => value + ether),
    rebates: sum(of("Bought"), ({ value, ether }) => value - ether),
    turnoverBp: bp((sold * BP * DAY) / (mean * seconds)),
    lentBp: bp((gained * BP * YEAR) / (mean * seconds)),
    heldBp: aprBp(base.after, last.after, seconds),
  };
}

/** The books as they were at one event: backwards from now. */
function booksAt(pool: EtherPool, events: readonly PoolEvent[], at: Place): EtherPool {
  const later = events.filter((event) => isBefore(at, event));
  const less = (of: (event: PoolEvent) => bigint): bigint => later.reduce((sum, event) => sum + of(event), 0n);
  return {
    ...pool,
    ether: wei(pool.ether - less(({ ether }) => ether)),
    units: units(pool.units - less((event) => event.units)),
    supply: wei(pool.supply - less(({ lp }) => lp)),
  };
}

/** What an entry brought, at the rate of its time; negative for an exit. */
function worthOf({ ether, units: moved, ...place }: PoolEvent, history: readonly RebaseEntry[]): bigint {
  const at = history.findLast((entry) => isBefore(entry, place))?.after;
  return ether + (at === undefined ? 0n : valueOfShares(unitsToShares(units(moved)), at));
}

// --- one who lends ---

export interface OwnLending {
  readonly lp: Wei;
  /** What leaving with all of it gives, and what that is worth at the rate. */
  readonly ether: Wei;
  readonly staked: Wei;
  readonly worth: Wei;
  /**
   * Beyond what estETH would be worth that had been held instead: of all that went in and did not come out, each at the rate of its time.
   * Undefined where LP came or went otherwise than by entering and leaving.
   */
  readonly gain: Wei | undefined;
}

/** @param history of all time @param lp held as of `market` */
export function ownLending({ market, kept }: Lending, history: readonly RebaseEntry[], lp: Wei): OwnLending {
  const { pool, totals } = market;
  const own = lp === 0n ? { ether: wei(0n), units: units(0n) } : quoteExit(pool, lp);
  const staked = toEtherDown(unitsToShares(own.units), totals);
  const worth = wei(own.ether + staked);
  const brought = sharesBrought(kept, history, totals);
  const counted = kept.movements.items.reduce((sum, change) => sum + change.lp, 0n);
  const isKnown = brought !== undefined && counted === lp;
  const instead = brought === undefined ? 0n : valueOfShares(brought, totals);
  return { lp, ether: own.ether, staked, worth, gain: isKnown ? wei(worth - instead) : undefined };
}

/** Shares that would be held instead; negative where more came out than went in. */
function sharesBrought(kept: LendingKept, history: readonly RebaseEntry[], now: Totals): bigint | undefined {
  let brought = 0n;
  for (const moved of kept.movements.items) {
    const cause = kept.entries.items.find(
      ({ transaction, lp }) => transaction === moved.transaction && lp === moved.lp,
    );
    if (cause === undefined) return undefined;
    const at = history.findLast((entry) => isBefore(entry, cause))?.after ?? history[0]?.before ?? now;
    const sign = moved.lp < 0n ? -1n : 1n;
    brought += sign * toSharesDown(wei(sign * cause.ether), at) + unitsToShares(units(cause.units));
  }
  return brought;
}

function valueOfShares(amount: bigint, totals: Totals): bigint {
  const size: bigint = toEtherDown(shares(amount < 0n ? -amount : amount), totals);
  return amount < 0n ? -size : size;
}

// --- order ---

interface Place {
  readonly block: number;
  readonly logIndex: number;
}

function isBefore(one: Place, other: Place): boolean {
  return inOrder(one, other) < 0;
}

function inOrder(one: Place, other: Place): number {
  return one.block - other.block || one.logIndex - other.logIndex;
}
