/** Everything about the protocol that one screen shows, as of one block. */
import { bp, ray, shares, wei } from "../../protocol/units.ts";
import type { Bp, Ray, Shares, Wei } from "../../protocol/units.ts";
import { tolerates } from "../../protocol/books.ts";
import { SECONDS_PER_SLOT, slotTime } from "../../protocol/frames.ts";
import { toEtherDown } from "../../protocol/shares.ts";
import type { Totals } from "../../protocol/shares.ts";
import type { Protocol } from "../connect.ts";
import { call, orElse, readAll } from "../multicall.ts";
import type { BlockRef, Call, ReadOptions } from "../multicall.ts";

/** The contracts' own limit. */
const MAX_TIERS = 16;

export interface TierStatus {
  readonly id: number;
  readonly bondFirst: Wei;
  readonly bondNext: Wei;
  readonly feeBp: Bp;
  readonly targetShareBp: Bp;
  readonly maxShareBp: Bp;
  readonly open: boolean;
  readonly queue: TierQueue;
}

/** IValidatorRegistry.TierQueue. Sequences are places in the tier's order of proof. */
export interface TierQueue {
  readonly fundHead: number;
  readonly tail: number;
  readonly exitHead: number;
  readonly queued: number;
  /** Ever. */
  readonly funded: number;
  /** Ever asked to exit, or proven exiting or withdrawn without. */
  readonly leaving: number;
  readonly targetShareBp: number;
  readonly maxShareBp: number;
}

export type DepositBlock = "paused" | "overdue" | "capped";

/**
 * Why nothing is paid, and prices should not be taken at the rate: requests are paused; a report did not come, or waits for signatures or for
 * governance; none was applied so far; the last one forbade it; too many slashings that no report contains (docs/decisions/014).
 */
export type Unrest = "paused" | "overdue" | "new" | "incident" | "slashings";

export interface ProtocolStatus {
  readonly block: BlockRef;
  readonly totals: Totals;
  readonly rate: Ray;
  readonly pool: {
    /** Booked ether here. */
    readonly buffer: Wei;
    /** What unfinalised requests would get now. */
    readonly promised: Wei;
    readonly depositable: Wei;
    readonly etherAtValidators: Wei;
    /** What must come from further exits. */
    readonly exitDemand: Wei;
    /** Of what is at validators: on its way from them, as of the last report. */
    readonly leaving: Wei;
    readonly heldBack: Wei;
    readonly cover: Shares;
    readonly treasury: string;
    readonly treasuryShares: Shares;
    readonly feeBp: Bp;
    readonly maxAprBp: Bp;
  };
  readonly deposits: {
    /** Why none is taken; undefined while some are. */
    readonly blocked: DepositBlock | undefined;
    /** What may still be staked before the next report. */
    readonly room: Wei;
    /** Unix seconds. */
    readonly openUntil: bigint;
  };
  /** IStakingPool.calm: whether requests are open and what waits is paid as ether comes. */
  readonly payments: {
    readonly calm: boolean;
    /** Why not; undefined while it is. */
    readonly blocked: Unrest | undefined;
    /** Slashings proven that the last report did not contain, or may not have. */
    readonly unreportedSlashings: number;
  };
  readonly oracle: {
    readonly lastRefSlot: bigint;
    /** The newest slot that can be reported now; equal to the last one if none. */
    readonly nextRefSlot: bigint;
    /** Unix seconds. */
    readonly lastRefTime: bigint;
    readonly lastReportTime: bigint;
    readonly secondsPerFrame: bigint;
    readonly incident: boolean;
    /** In the last 30 days. */
    readonly fallBp: Bp;
    readonly committee: { readonly version: bigint; readonly members: bigint; readonly quorum: bigint };
  };
  readonly queue: {
    readonly lastRequestId: bigint;
    readonly lastFinalizedId: bigint;
    readonly waitingShares: Shares;
    /** At the present rate, rounded down. */
    readonly waitingEther: Wei;
    /** When the oldest round that waits ends or ended; undefined if none waits. Unix seconds. */
    readonly oldestRoundEnd: bigint | undefined;
    readonly paused: boolean;
  };
  readonly validators: {
    readonly queued: number;
    /** Funded, neither asked to exit nor proven exiting. */
    readonly active: number;
    /** Ever asked to exit, or proven exiting or withdrawn without. */
    readonly leaving: number;
    /** Whose turn it is to be funded; undefined if nothing is queued, or no tier has room. */
    readonly nextToFund: { readonly tier: number; readonly sequence: number } | undefined;
    readonly operators: number;
  };
  readonly tiers: readonly TierStatus[];
}

/** @throws ChainError, AppError (unavailable) */
export async function readProtocol(protocol: Protocol, { at }: ReadOptions = {}): Promise<ProtocolStatus> {
  const { block, values } = await readAll(protocol, { ...statusCalls(protocol), ...tierCalls(protocol) }, at);
  const { totals: raw, books, policy, committee } = values;
  const [calm] = values.calm;
  const totals: Totals = { ether: wei(raw.totalEther), shares: shares(raw.totalShares) };
  const tiers = tiersFrom(values);
  const waitingShares = shares(values.waiting);
  const count = (of: (queue: TierQueue) => number): number => tiers.reduce((sum, { queue }) => sum + of(queue), 0);
  const ceiling = books.depositCeiling;
  const room = wei(totals.ether < ceiling ? ceiling - totals.ether : 0n);
  return {
    block,
    totals,
    rate: ray(values.rate),
    pool: {
      buffer: wei(values.buffer),
      promised: wei(values.promised),
      depositable: wei(values.depositable),
      etherAtValidators: wei(values.etherAtValidators),
      exitDemand: wei(values.exitDemand),
      leaving: wei(books.leaving),
      heldBack: wei(books.heldBack),
      cover: shares(books.cover),
      treasury: policy.treasury,
      treasuryShares: shares(values.treasuryShares),
      feeBp: bp(policy.feeBp),
      maxAprBp: bp(policy.maxAprBp),
    },
    deposits: {
      blocked: blockOf(values.depositsPaused, block.timestamp > books.openUntil, room === 0n),
      room,
      openUntil: books.openUntil,
    },
    payments: {
      calm,
      blocked: calm ? undefined : unrestOf(books, totals, values.requestsPaused, block.timestamp),
      unreportedSlashings: Number(books.slashedEarlier + books.slashed),
    },
    oracle: {
      lastRefSlot: values.lastRefSlot,
      nextRefSlot: values.nextRefSlot,
      lastRefTime: slotTime(values.lastRefSlot, values.genesisTime),
      lastReportTime: books.lastReportTime,
      secondsPerFrame: values.slotsPerFrame * SECONDS_PER_SLOT,
      incident: values.incident,
      fallBp: bp(values.fallBp),
      committee: { version: committee.version, members: committee.members, quorum: committee.quorum },
    },
    queue: {
      lastRequestId: values.lastRequestId,
      lastFinalizedId: values.lastFinalizedId,
      waitingShares,
      waitingEther: toEtherDown(waitingShares, totals),
      oldestRoundEnd: values.oldestRoundEnd === 0n ? undefined : values.oldestRoundEnd,
      paused: values.requestsPaused,
    },
    validators: {
      queued: count(({ queued }) => queued),
      active: count(({ funded, leaving }) => funded - leaving),
      leaving: count(({ leaving }) => leaving),
      nextToFund:
        values.nextToFund === undefined
          ? undefined
          : { tier: Number(values.nextToFund.tier), sequence: Number(values.nextToFund.sequence) },
      operators: Number(values.operatorCount),
    },
    tiers,
  };
}

function statusCalls({ token, pool, queue, operators, validators, oracle }: Protocol) {
  return {
    totals: call(token, token.totals),
    rate: call(token, token.rate),
    buffer: call(pool, pool.buffer),
    promised: call(pool, pool.promised),
    depositable: call(pool, pool.depositable),
    etherAtValidators: call(pool, pool.etherAtValidators),
    books: call(pool, pool.books),
    calm: call(pool, pool.calm),
    policy: call(pool, pool.policy),
    depositsPaused: call(pool, pool.depositsPaused),
    exitDemand: call(validators, validators.exitDemand),
    nextToFund: orElse(call(validators, validators.nextToFund), undefined),
    treasuryShares: call(operators, operators.treasuryShares),
    operatorCount: call(operators, operators.operatorCount),
    lastRefSlot: call(oracle, oracle.lastRefSlot),
    nextRefSlot: call(oracle, oracle.nextRefSlot),
    genesisTime: call(oracle, oracle.genesisTime),
    slotsPerFrame: call(oracle, oracle.slotsPerFrame),
    incident: call(oracle, oracle.incident),
    fallBp: call(oracle, oracle.fallInWindowBp),
    committee: call(oracle, oracle.committee),
    lastRequestId: call(queue, queue.lastRequestId),
    lastFinalizedId: call(queue, queue.lastFinalizedId),
    waiting: call(queue, queue.unfinalisedShares),
    oldestRoundEnd: call(queue, queue.oldestRoundEnd),
    requestsPaused: call(queue, queue.requestsPaused),
  };
}

type Books = ReturnType<Protocol["pool"]["books"]> extends Promise<infer T> ? T : never;
type RawTier = ReturnType<Protocol["operators"]["tier"]> extends Promise<infer T> ? T : never;
type RawQueue = ReturnType<Protocol["validators"]["tierQueue"]> extends Promise<infer T> ? T : never;
type TierCalls = Record<`tier${number}`, Call<RawTier | undefined>> & Record<`queue${number}`, Call<RawQueue>>;

/** All that there can be: asking for their number first would be another round trip. */
export function tierCalls({ operators, validators }: Pick<Protocol, "operators" | "validators">): TierCalls {
  const ids = Array.from({ length: MAX_TIERS }, (_, id) => id);
  return Object.fromEntries(
    ids.flatMap((id) => [
      [`tier${id}`, orElse(call(operators, operators.tier, id), undefined)],
      [`queue${id}`, call(validators, validators.tierQueue, id)],
    ]),
  ) as TierCalls;
}

export function tiersFrom(
  values: Readonly<Record<`tier${number}`, RawTier | undefined>> & Readonly<Record<`queue${number}`, RawQueue>>,
): TierStatus[] {
  const tiers: TierStatus[] = [];
  for (let id = 0; id < MAX_TIERS; id++) {
    const [tier, queue] = [values[`tier${id}`], values[`queue${id}`]];
    if (tier === undefined || queue === undefined) break;
    tiers.push({
      id,
      bondFirst: wei(tier.bondFirst),
      bondNext: wei(tier.bondNext),
      feeBp: bp(tier.feeBp),
      targetShareBp: bp(tier.targetShareBp),
      maxShareBp: bp(tier.maxShareBp),
      open: tier.open,
      queue: queueFrom(queue),
    });
  }
  return tiers;
}

function queueFrom(queue: RawQueue): TierQueue {
  return {
    fundHead: Number(queue.fundHead),
    tail: Number(queue.tail),
    exitHead: Number(queue.exitHead),
    queued: Number(queue.queued),
    funded: Number(queue.funded),
    leaving: Number(queue.leaving),
    targetShareBp: Number(queue.targetShareBp),
    maxShareBp: Number(queue.maxShareBp),
  };
}

function blockOf(paused: boolean, overdue: boolean, full: boolean): DepositBlock | undefined {
  if (paused) return "paused";
  if (overdue) return "overdue";
  return full ? "capped" : undefined;
}

/** Of a pool that is not calm. */
function unrestOf(
  books: Pick<Books, "openUntil" | "lastReportTime" | "slashed" | "slashedEarlier">,
  totals: Totals,
  requestsPaused: boolean,
  now: bigint,
): Unrest {
  if (requestsPaused) return "paused";
  if (now > books.openUntil) return "overdue";
  if (books.lastReportTime === 0n) return "new";
  return tolerates(books.slashedEarlier + books.slashed, totals.ether) ? "incident" : "slashings";
}
