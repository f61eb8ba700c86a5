/** Public keys for `count` validators, one after another, that no registry knows: the pool leaves that to its own. */
export function someKeys(count: bigint): string {
  return `0x${"5a".repeat(48 * Number(count))}`;
}
