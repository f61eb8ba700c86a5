/** Filling a run of equal leaves of a Merkle vector in O(log n) new nodes: skipped slots repeat one root thousands of times. */
import { BranchNode, LeafNode } from "@chainsafe/persistent-merkle-tree";
import type { Node } from "@chainsafe/persistent-merkle-tree";

/** The tree of `depth` levels with leaves `from` to `to` (exclusive) replaced by `value`. */
export function fillLeaves(root: Node, depth: number, from: number, to: number, value: Uint8Array): Node {
  const uniform: Node[] = [LeafNode.fromRoot(value)];
  for (let level = 1; level <= depth; level++) {
    const child = uniform[level - 1] as Node;
    uniform.push(new BranchNode(child, child));
  }
  const fill = (node: Node, level: number, start: number): Node => {
    const end = start + 2 ** level;
    if (to <= start || end <= from) return node;
    if (from <= start && end <= to) return uniform[level] as Node;
    const middle = start + 2 ** (level - 1);
    return new BranchNode(fill(node.left, level - 1, start), fill(node.right, level - 1, middle));
  };
  return fill(root, depth, 0);
}

/** Splits the slots from `from` to `to` (exclusive) into runs that do not wrap around a ring of `size` positions. */
export function ringRuns(from: number, to: number, size: number): { start: number; end: number; next: number }[] {
  const runs: { start: number; end: number; next: number }[] = [];
  let slot = from;
  while (slot < to) {
    const start = slot % size;
    const length = Math.min(size - start, to - slot);
    slot += length;
    runs.push({ start, end: start + length, next: slot });
  }
  return runs;
}
