/** Public keys for `count` validators that no registry knows: the pool leaves that to its own. */
export function someKeys(count: bigint): string[] {
  return Array<string>(Number(count)).fill(`0x${"5a".repeat(48)}`);
}
