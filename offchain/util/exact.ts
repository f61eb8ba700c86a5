/** Where a format or a library wants a double: never one that has lost bits. */

/** @throws RangeError beyond 2^53 */
export function exactNumber(value: bigint): number {
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  if (value > most || value < -most) throw new RangeError(`${value} is not exact as a double`);
  return Number(value);
}
