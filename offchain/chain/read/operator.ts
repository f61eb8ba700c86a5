/** What an operator wants to know: bond, rewards, debt, fine, its validators by status, and when its keys will be funded. */
import { ZeroAddress, getAddress } from "ethers";
import { atStake, passMark, requiredBond } from "../../protocol/bond.ts";
import { fundingOrder } from "../../protocol/validatorOrder.ts";
import { toEtherDown } from "../../protocol/shares.ts";
import type { Totals } from "../../protocol/shares.ts";
import { DAY, TOP_UP, bp, shares, wei } from "../../protocol/units.ts";
import type { Bp, Shares, Wei } from "../../protocol/units.ts";
import type { Hex } from "../../util/hex.ts";
import { ceilDiv } from "../../protocol/integers.ts";
import type { Protocol } from "../connect.ts";
import { decodeEvents } from "../events.ts";
import type { ChainEvent } from "../events.ts";
import { EventsMissing, readWhole } from "../feed.ts";
import { readLogs } from "../logs.ts";
import type { RangeOptions } from "../logs.ts";
import { call, readAll } from "../multicall.ts";
import type { BlockRef, ReadOptions, ValuesOf } from "../multicall.ts";
import type { ValidatorBook, ValidatorEntry, ValidatorStatus } from "../validatorBook.ts";
import type { ValidatorReader } from "../validatorReader.ts";
import { readInflow, towardsFunding } from "./inflow.ts";
import { tierCalls, tiersFrom } from "./protocol.ts";
import type { TierStatus } from "./protocol.ts";

/** Keys that one batch may have. */
const BATCH = 64;

export interface Ejection {
  readonly cause: "debt" | "frozen";
  /** Unix seconds from which on it needs no demand for ether: at once for a debt, seven days after the slashing was proven. */
  readonly from: bigint;
}

/** OperatorRegistry.EJECT_AFTER: governance has so long to unfreeze an operator. */
const EJECT_AFTER = 7n * DAY;

export interface OperatorStatus {
  readonly block: BlockRef;
  readonly id: bigint;
  readonly owner: string;
  readonly pendingOwner: string | undefined;
  readonly manager: string | undefined;
  readonly rewardAddress: string;
  readonly tier: number;
  /** What its validators earn it, of the rewards of the pool's validators. */
  readonly feeBp: Bp;
  /** A slashing was proven: bond, queue and rewards stand still. */
  readonly frozen: boolean;
  /** Why its validators may be made to exit, whoever's turn it is; undefined if they may not. */
  readonly ejection: Ejection | undefined;
  readonly bond: {
    readonly shares: Shares;
    /** Bond, and 1 ETH for each queued key. */
    readonly held: Wei;
    readonly required: Wei;
    /** What may be withdrawn now. */
    readonly free: Shares;
    readonly freeValue: Wei;
    /** How many more keys it would carry, their own predeposits counted; at most one batch. */
    readonly moreKeys: number;
  };
  /** Wei that the bond could not cover. */
  readonly debt: Wei;
  readonly fine: { readonly shares: Shares; readonly value: Wei; readonly expiresAt: bigint } | undefined;
  readonly rewards: { readonly shares: Shares; readonly value: Wei };
  /** Proven and waiting; funded and not withdrawn; of these earning a fee. */
  readonly validators: { readonly queued: number; readonly active: number; readonly weighted: number };
}

/** @throws ChainError: there is no such operator */
export async function readOperator(protocol: Protocol, id: bigint, { at }: ReadOptions = {}): Promise<OperatorStatus> {
  const { token } = protocol;
  const calls = { totals: call(token, token.totals), ...operatorCalls(protocol, id), ...tierCalls(protocol) };
  const { block, values } = await readAll(protocol, calls, at);
  return operatorFrom(id, values, values.totals, tiersFrom(values), block);
}

// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- what the contracts' generated types say, five times as long
export function operatorCalls({ operators }: Pick<Protocol, "operators">, id: bigint) {
  return {
    operator: call(operators, operators.operator, id),
    bond: call(operators, operators.bondOf, id),
    free: call(operators, operators.freeBond, id),
    fine: call(operators, operators.fineOf, id),
    claimable: call(operators, operators.claimableShares, id),
  };
}

export function operatorFrom(
  id: bigint,
  values: ValuesOf<ReturnType<typeof operatorCalls>>,
  { totalEther, totalShares }: { readonly totalEther: bigint; readonly totalShares: bigint },
  tiers: readonly TierStatus[],
  block: BlockRef,
): OperatorStatus {
  const { operator, fine } = values;
  const totals: Totals = { ether: wei(totalEther), shares: shares(totalShares) };
  const valueOf = (amount: bigint): Wei => toEtherDown(shares(amount), totals);
  const tier = Number(operator.tier);
  const terms = tiers[tier];
  return {
    block,
    id,
    owner: operator.owner,
    pendingOwner: unlessZero(operator.pendingOwner),
    manager: unlessZero(operator.manager),
    rewardAddress: operator.rewardAddress,
    tier,
    feeBp: bp(operator.feeBp),
    frozen: operator.frozen,
    ejection: ejectionOf(operator, block.timestamp),
    bond: {
      shares: shares(operator.bondShares),
      held: wei(values.bond.bond),
      required: wei(values.bond.required),
      free: shares(values.free),
      freeValue: valueOf(values.free),
      moreKeys:
        terms === undefined ? 0 : moreKeys(terms, valueOf(operator.bondShares), operator.queued, operator.active),
    },
    debt: wei(operator.debt),
    fine:
      fine.shares === 0n
        ? undefined
        : { shares: shares(fine.shares), value: valueOf(fine.shares), expiresAt: fine.expiresAt },
    rewards: { shares: shares(values.claimable), value: valueOf(values.claimable) },
    validators: {
      queued: Number(operator.queued),
      active: Number(operator.active),
      weighted: Number(operator.weighted),
    },
  };
}

function ejectionOf(
  { debt, frozen, frozenAt }: { readonly debt: bigint; readonly frozen: boolean; readonly frozenAt: bigint },
  now: bigint,
): Ejection | undefined {
  if (debt > 0n) return { cause: "debt", from: now };
  return frozen ? { cause: "frozen", from: frozenAt + EJECT_AFTER } : undefined;
}

/** Keys that could be proven one after the other; each brings its own 1 ETH. @param bond without the 1 ETH of queued keys */
export function moreKeys(
  { bondFirst, bondNext }: Pick<TierStatus, "bondFirst" | "bondNext">,
  bond: Wei,
  queued: bigint,
  active: bigint,
): number {
  let count = 0;
  while (count < BATCH) {
    const next = BigInt(count + 1);
    const required = requiredBond(bondFirst, bondNext, queued + active + next);
    if (atStake(bond, queued + next) < passMark(required)) break;
    count += 1;
  }
  return count;
}

function unlessZero(address: string): string | undefined {
  return address === ZeroAddress ? undefined : address;
}

/** The operators that an address owns or manages, ascending. @throws AppError (unavailable) */
export async function readOperatorsOf(
  protocol: Protocol,
  address: string,
  options: RangeOptions = {},
): Promise<bigint[]> {
  const { operators } = protocol;
  const account = getAddress(address);
  return readOperatorEvents(
    protocol,
    ["OperatorAdded", "OwnerChanged", "ManagerChanged"],
    options,
    async (events, at) => {
      const named = events.filter(({ args }) => Object.values(args).includes(account));
      const ids = [...new Set(named.map(({ args }) => args["operatorId"] as bigint))].sort((a, b) => (a < b ? -1 : 1));
      if (ids.length === 0) return [];
      const calls = Object.fromEntries(ids.map((id) => [String(id), call(operators, operators.operator, id)]));
      const { values } = await readAll(protocol, calls, at);
      return ids.filter((id) => values[String(id)]?.owner === account || values[String(id)]?.manager === account);
    },
  );
}

/** The names that operators gave themselves, as of now. @throws AppError (unavailable) */
export async function readOperatorNames(
  protocol: Protocol,
  ids: readonly bigint[],
  options: RangeOptions = {},
): Promise<Map<bigint, string>> {
  return readOperatorEvents(protocol, ["OperatorAdded", "OperatorRenamed"], options, (events) => {
    const named = events.map(({ args }) => args as { operatorId: bigint; name: string });
    return new Map(named.filter(({ operatorId }) => ids.includes(operatorId)).map((one) => [one.operatorId, one.name]));
  });
}

/** What `use` makes of the operator registry's events: as many were added as it counts. */
async function readOperatorEvents<T>(
  protocol: Protocol,
  names: readonly ("OperatorAdded" | "OperatorRenamed" | "OwnerChanged" | "ManagerChanged")[],
  options: RangeOptions,
  use: (events: readonly ChainEvent[], latest: number) => T | Promise<T>,
): Promise<T> {
  const { provider, operators, fromBlock } = protocol;
  const topics = [names.map((name) => operators.interface.getEvent(name).topicHash)];
  return readWhole(provider, true, async () => {
    const latest = await provider.getBlockNumber();
    const [logs, { values }] = await Promise.all([
      readLogs(provider, { address: operators.target, topics }, fromBlock, latest, options),
      readAll(protocol, { count: call(operators, operators.operatorCount) }, latest),
    ]);
    const events = decodeEvents(protocol, logs);
    const added = events.filter(({ name }) => name === "OperatorAdded").length;
    if (BigInt(added) !== values.count)
      throw new EventsMissing(`the registry counts ${values.count} operators, its events ${added}`);
    return use(events, latest);
  });
}

// --- validators ---

export interface QueuedKey {
  /** From 0: how many keys are funded before it. */
  readonly position: number;
  /** When the ether for it will be here, unix seconds; undefined if nothing comes in. */
  readonly expected: bigint | undefined;
}

export interface OperatorValidator extends ValidatorEntry {
  /** Of queued keys, where their turn will come. */
  readonly funding: QueuedKey | undefined;
  /** When it was asked to exit last, unix seconds; until its exit is proven. */
  readonly exitRequestedAt: bigint | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Of all pages. */
  readonly total: number;
}

export interface ValidatorQuery extends RangeOptions {
  readonly status?: ValidatorStatus;
  /** Default 0. */
  readonly offset?: number;
  /** Default 50. */
  readonly limit?: number;
}

/**
 * The validators of an operator, in the order of their predeposits.
 * @param reader keeps what it read: the next call reads only what came since
 * @throws AppError (unavailable)
 */
export async function readOperatorValidators(
  protocol: Protocol,
  reader: ValidatorReader,
  operatorId: bigint,
  { status, offset = 0, limit = 50, ...options }: ValidatorQuery = {},
): Promise<Page<OperatorValidator>> {
  const latest = options.at?.number ?? (await protocol.provider.getBlockNumber());
  const book = await reader.bookAt(latest, options);
  const all = [...book.values()].filter(
    (entry) => entry.operatorId === operatorId && (status === undefined || entry.status === status),
  );
  const shown = all.slice(offset, offset + limit);
  const [fundingOf, requestedAt] = await Promise.all([
    shown.some((entry) => entry.status === "queued")
      ? readFunding(protocol, book, latest, options)
      : (): undefined => undefined,
    readRequests(protocol, shown, latest),
  ]);
  const items = shown.map((entry) => ({
    ...entry,
    funding: fundingOf(entry),
    exitRequestedAt: requestedAt.get(entry.keyRoot),
  }));
  return { items, total: all.length };
}

async function readFunding(
  protocol: Protocol,
  book: ValidatorBook,
  latest: number,
  options: RangeOptions,
): Promise<(entry: ValidatorEntry) => QueuedKey | undefined> {
  const { pool } = protocol;
  const [{ block, values }, inflow] = await Promise.all([
    readAll(protocol, { depositable: call(pool, pool.depositable), ...tierCalls(protocol) }, latest),
    readInflow(protocol, options),
  ]);
  const positions = fundingPositions(book, tiersFrom(values));
  return ({ keyRoot }) => {
    const position = positions.get(keyRoot);
    if (position === undefined) return undefined;
    const expected = fundingTime(position, wei(values.depositable), towardsFunding(inflow), block.timestamp);
    return { position, expected };
  };
}

/** By key root. */
async function readRequests(
  protocol: Protocol,
  entries: readonly ValidatorEntry[],
  latest: number,
): Promise<Map<Hex, bigint>> {
  const { validators } = protocol;
  const asked = entries.filter(({ exitRequested }) => exitRequested);
  if (asked.length === 0) return new Map();
  const calls = Object.fromEntries(
    asked.map(({ keyRoot }) => [keyRoot, call(validators, validators.validator, keyRoot)]),
  );
  const { values } = await readAll(protocol, calls, latest);
  return new Map(asked.map(({ keyRoot }) => [keyRoot, values[keyRoot]?.exitRequestedAt ?? 0n]));
}

/** Where in the common order of all tiers each queued key stands, by key root; keys of tiers at their maximum have no place yet. */
export function fundingPositions(book: ValidatorBook, tiers: readonly TierStatus[]): Map<string, number> {
  const waiting = new Map<number, ValidatorEntry[]>();
  for (const entry of book.values()) {
    if (entry.status !== "queued" || entry.tier === undefined) continue;
    const list = waiting.get(entry.tier) ?? [];
    list.push(entry);
    waiting.set(entry.tier, list);
  }
  for (const list of waiting.values()) list.sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0));
  const queues = tiers.map(({ queue }) => ({
    queued: BigInt(queue.queued),
    funded: BigInt(queue.funded),
    leaving: BigInt(queue.leaving),
    targetShareBp: BigInt(queue.targetShareBp),
    maxShareBp: BigInt(queue.maxShareBp),
  }));
  const count = tiers.reduce((sum, { queue }) => sum + queue.queued, 0);
  const taken = new Map<number, number>();
  const positions = new Map<string, number>();
  fundingOrder(queues, count).forEach((tier, position) => {
    const rank = taken.get(tier) ?? 0;
    taken.set(tier, rank + 1);
    const entry = waiting.get(tier)?.[rank];
    if (entry !== undefined) positions.set(entry.keyRoot, position);
  });
  return positions;
}

/** @param inflow wei a second */
export function fundingTime(position: number, depositable: Wei, inflow: Wei, now: bigint): bigint | undefined {
  const missing = TOP_UP * BigInt(position + 1) - depositable;
  if (missing <= 0n) return now;
  return inflow > 0n ? now + ceilDiv(missing, inflow) : undefined;
}
