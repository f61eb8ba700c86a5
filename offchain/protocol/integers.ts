/** Integer arithmetic that bigint lacks. */

/** ceil(numerator / denominator), for a numerator >= 0 and a denominator > 0. */
export function ceilDiv(numerator: bigint, denominator: bigint): bigint {
  return (numerator + denominator - 1n) / denominator;
}

export function min<T extends bigint>(a: T, b: T): T {
  return a < b ? a : b;
}

export function max<T extends bigint>(a: T, b: T): T {
  return a > b ? a : b;
}

/** max(0, a - b) */
export function saturatingSub(a: bigint, b: bigint): bigint {
  return a > b ? a - b : 0n;
}

/** floor(sqrt(value)), for 0 <= value < 2^1023. Newton's steps fall from above to the root, whatever they start with. */
export function sqrtDown(value: bigint): bigint {
  if (value === 0n) return 0n;
  const closer = (root: bigint): bigint => (root + value / root) / 2n;
  let root = closer(BigInt(Math.floor(Math.sqrt(Number(value)))));
  for (let next = closer(root); next < root; next = closer(root)) root = next;
  return root;
}
