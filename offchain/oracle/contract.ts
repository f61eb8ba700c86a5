/** What the contracts say, all of one block. */
import type { Protocol } from "../chain/connect.ts";
import { SECONDS_PER_SLOT, slotTime } from "../protocol/frames.ts";
import { ceilDiv, max } from "../protocol/integers.ts";
import type { Report } from "../protocol/report.ts";
import { MAX_LAG_SECONDS } from "../util/check.ts";
import { AppError, EXIT } from "../util/errors.ts";
import { layerError } from "./layers.ts";
import type { Rules } from "./signatureBook.ts";

export interface Standing extends Rules {
  readonly lastReportHash: string;
  /** Lower case, ascending: their turns. */
  readonly turns: readonly string[];
  readonly quorum: number;
  readonly genesisTime: bigint;
  /** Unix seconds until which the pool is open: in the past where the next report is overdue, or one was announced. */
  readonly openUntil: bigint;
  /** The execution block read from. */
  readonly block: { readonly number: number; readonly timestamp: number };
}

/**
 * @param now unix seconds
 * @throws AppError: unavailable where the node does not answer or is behind, failure where the pool was replaced (start again: the contracts are others)
 */
export async function readStanding(protocol: Protocol, now: number): Promise<Standing> {
  const { oracle, pool: ours, provider, token } = protocol;
  try {
    const block = await provider.getBlock("latest");
    if (block === null) throw new Error("no latest block");
    if (now - block.timestamp > MAX_LAG_SECONDS)
      throw new Error(`its newest block, ${block.number}, is ${Math.floor(now - block.timestamp)} s old`);
    const at = { blockTag: block.number };
    const [fixed, pool, committee, members, last, hash, next, books] = await Promise.all([
      readFixed(protocol),
      token.pool(at),
      oracle.committee(at),
      oracle.members(at),
      oracle.lastRefSlot(at),
      oracle.lastReportHash(at),
      oracle.nextRefSlot(at),
      ours.books(at),
    ]);
    if (pool.toLowerCase() !== fixed.pool.toLowerCase())
      throw new AppError(EXIT.failure, `the pool was replaced by ${pool}: start again`);
    const turns = members.map((member) => member.toLowerCase());
    return {
      chainId: protocol.chainId,
      oracle: fixed.oracle,
      members: new Set(turns),
      turns,
      committeeVersion: committee.version,
      quorum: Number(committee.quorum),
      lastRefSlot: last,
      nextRefSlot: next,
      oldestRefSlot: firstRefSlotFrom(books.lastReportTime, last, fixed),
      lastReportHash: hash,
      slotsPerFrame: fixed.slotsPerFrame,
      genesisTime: fixed.genesisTime,
      openUntil: books.openUntil,
      block: { number: block.number, timestamp: block.timestamp },
    };
  } catch (error) {
    throw layerError("execution", error);
  }
}

interface Fixed {
  readonly oracle: string;
  readonly pool: string;
  readonly slotsPerFrame: bigint;
  readonly genesisTime: bigint;
}

/** Immutable in the contracts: asked once. */
const fixedOf = new WeakMap<Protocol, Fixed>();

async function readFixed(protocol: Protocol): Promise<Fixed> {
  const known = fixedOf.get(protocol);
  if (known !== undefined) return known;
  const { oracle: contract } = protocol;
  const [oracle, pool, slotsPerFrame, genesisTime] = await Promise.all([
    contract.getAddress(),
    protocol.pool.getAddress(),
    contract.slotsPerFrame(),
    contract.genesisTime(),
  ]);
  const fixed = { oracle, pool, slotsPerFrame, genesisTime };
  fixedOf.set(protocol, fixed);
  return fixed;
}

/** The first slot of the grid after `last` whose time is `time` or later: the pool takes no older reference than its last report's execution. */
function firstRefSlotFrom(
  time: bigint,
  last: bigint,
  { slotsPerFrame, genesisTime }: Pick<Fixed, "slotsPerFrame" | "genesisTime">,
): bigint {
  const frames = ceilDiv(max(0n, time - slotTime(last, genesisTime)), slotsPerFrame * SECONDS_PER_SLOT);
  return last + max(1n, frames) * slotsPerFrame;
}

/** The newest slot of the grid that is final and that the pool would take; undefined where there is none. */
export function dueSlot(standing: Standing, finalizedSlot: bigint): bigint | undefined {
  const { lastRefSlot: last, nextRefSlot: next, oldestRefSlot: oldest, slotsPerFrame } = standing;
  const newest = next < finalizedSlot ? next : finalizedSlot;
  if (newest < oldest) return undefined;
  return newest - ((newest - last) % slotsPerFrame);
}

/** Whether the contract could still take it. */
export function isCurrent(report: Report, standing: Standing): boolean {
  return (
    report.refSlot >= standing.oldestRefSlot &&
    report.committeeVersion === standing.committeeVersion &&
    report.prevReportHash === standing.lastReportHash &&
    report.validUntil >= BigInt(standing.block.timestamp)
  );
}

/** Whose turn it is first, and how many turns later `member` is. The turn goes round with the frames. */
export function turnOf(standing: Standing, refSlot: bigint, member: string): number | undefined {
  const place = standing.turns.indexOf(member.toLowerCase());
  if (place < 0) return undefined;
  const count = standing.turns.length;
  const first = Number((refSlot / standing.slotsPerFrame) % BigInt(count));
  return (place - first + count) % count;
}
