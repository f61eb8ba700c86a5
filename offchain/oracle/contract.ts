/** What the contracts say, all of one block. */
import type { Protocol } from "../chain/connect.ts";
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
  /** The execution block read from. */
  readonly block: { readonly number: number; readonly timestamp: number };
}

/**
 * @param now unix seconds
 * @throws AppError: unavailable where the node does not answer or is behind, failure where the pool was replaced (start again: the contracts are others)
 */
export async function readStanding(protocol: Protocol, now: number): Promise<Standing> {
  const { oracle, provider, token } = protocol;
  try {
    const block = await provider.getBlock("latest");
    if (block === null) throw new Error("no latest block");
    if (now - block.timestamp > MAX_LAG_SECONDS)
      throw new Error(`its newest block, ${block.number}, is ${Math.floor(now - block.timestamp)} s old`);
    const at = { blockTag: block.number };
    const [fixed, pool, committee, members, last, hash, next] = await Promise.all([
      readFixed(protocol),
      token.pool(at),
      oracle.committee(at),
      oracle.members(at),
      oracle.lastRefSlot(at),
      oracle.lastReportHash(at),
      oracle.nextRefSlot(at),
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
      lastReportHash: hash,
      slotsPerFrame: fixed.slotsPerFrame,
      genesisTime: fixed.genesisTime,
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

/** The newest slot of the grid that is final, after the last report; undefined where there is none. */
export function dueSlot(standing: Standing, finalizedSlot: bigint): bigint | undefined {
  const { lastRefSlot: last, nextRefSlot: next, slotsPerFrame } = standing;
  const newest = next < finalizedSlot ? next : finalizedSlot;
  const slot = newest <= last ? last : newest - ((newest - last) % slotsPerFrame);
  return slot > last ? slot : undefined;
}

/** Whose turn it is first, and how many turns later `member` is. The turn goes round with the frames. */
export function turnOf(standing: Standing, refSlot: bigint, member: string): number | undefined {
  const place = standing.turns.indexOf(member.toLowerCase());
  if (place < 0) return undefined;
  const count = standing.turns.length;
  const first = Number((refSlot / standing.slotsPerFrame) % BigInt(count));
  return (place - first + count) % count;
}
