/**
 * Merkle trees over chunks of 32 bytes that lie in one array, hashed a piece at a time: `pause` is awaited in between, so that the trees of a
 * million leaves don't block the program. Pure.
 */
import { hashInto } from "@chainsafe/hashtree";
import { zeroNode } from "@chainsafe/persistent-merkle-tree";

/** Lets the event loop turn; rejects where the work is to end. */
export type Pause = () => Promise<void>;

export interface MerkleTree {
  readonly root: Uint8Array;
  /** Siblings from the leaf up to the root. */
  branch(index: number): Uint8Array[];
}

export interface FixedTree extends MerkleTree {
  /** Levels above the leaves that have anything but empty subtrees beside them. */
  readonly filled: number;
}

/** Pairs of chunks between two pauses: some milliseconds of hashing. */
const PAIRS = 2 ** 15;

/** A tree of `2^depth` leaves, of which the first are `chunks` and the rest are zero. */
export async function fixedTree(chunks: Uint8Array, depth: number, pause: Pause): Promise<FixedTree> {
  const levels = [chunks.length === 0 ? new Uint8Array(32) : chunks];
  for (let level = chunks; level.length > 32;) {
    level = await hashPairs(level, levels.length - 1, pause);
    levels.push(level);
  }
  const filled = levels.length - 1;
  let root = nodeAt(levels[filled], 0, filled);
  for (let height = filled; height < depth; height++) root = hashTwo(root, zeroNode(height).root);
  return {
    root,
    filled,
    branch: (index) =>
      Array.from({ length: depth }, (_, height) =>
        height < filled ? nodeAt(levels[height], Math.floor(index / 2 ** height) ^ 1, height) : zeroNode(height).root,
      ),
  };
}

/** EIP-7916: subtree k holds 4^k chunks, to the left of all that comes after it. */
export async function progressiveTree(chunks: Uint8Array, pause: Pause): Promise<MerkleTree> {
  const subtrees: { readonly first: number; readonly tree: FixedTree }[] = [];
  for (let first = 0; 32 * first < chunks.length;) {
    const depth = 2 * subtrees.length;
    const end = first + 2 ** depth;
    subtrees.push({ first, tree: await fixedTree(chunks.subarray(32 * first, 32 * end), depth, pause) });
    first = end;
  }
  /** rests[k]: the root over subtrees k and after. */
  const rests = [new Uint8Array(32)];
  for (const { tree } of subtrees.toReversed()) rests.unshift(hashTwo(tree.root, rests[0] ?? new Uint8Array(32)));
  return {
    root: rests[0] ?? new Uint8Array(32),
    branch(index) {
      const k = subtrees.findLastIndex(({ first }) => first <= index);
      const [subtree, rest] = [subtrees[k], rests[k + 1]];
      if (subtree === undefined || rest === undefined) throw new RangeError("an empty list has no branches");
      const before = subtrees.slice(0, k).map(({ tree }) => tree.root);
      return [...subtree.tree.branch(index - subtree.first), rest, ...before.reverse()];
    },
  };
}

export function hashTwo(left: Uint8Array, right: Uint8Array): Uint8Array<ArrayBuffer> {
  const [input, output] = [new Uint8Array(64), new Uint8Array(32)];
  input.set(left);
  input.set(right, 32);
  hashInto(input, output);
  return output;
}

/** One level up; a last node without a sibling gets an empty subtree. */
async function hashPairs(level: Uint8Array, height: number, pause: Pause): Promise<Uint8Array> {
  const pairs = Math.floor(level.length / 64);
  const isOdd = level.length % 64 !== 0;
  const output = new Uint8Array(32 * (pairs + (isOdd ? 1 : 0)));
  for (let from = 0; from < pairs; from += PAIRS) {
    const to = Math.min(pairs, from + PAIRS);
    hashInto(level.subarray(64 * from, 64 * to), output.subarray(32 * from, 32 * to));
    if (to < pairs) await pause();
  }
  if (isOdd) output.set(hashTwo(level.subarray(64 * pairs), zeroNode(height).root), 32 * pairs);
  return output;
}

function nodeAt(level: Uint8Array | undefined, index: number, height: number): Uint8Array {
  const node = level?.subarray(32 * index, 32 * index + 32);
  return node?.length === 32 ? node : zeroNode(height).root;
}
