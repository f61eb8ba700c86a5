/** How many requests an address may make: a bucket of tokens for each. */
import type { Clock } from "../util/clock.ts";

export interface Limit {
  readonly perSecond: number;
  readonly burst: number;
  /** Addresses remembered at once: the one unseen for the longest makes room. */
  readonly addresses: number;
}

export function makeRateLimit(clock: Clock, limit: Limit): (address: string) => boolean {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return (address) => {
    const now = clock.now();
    const bucket = buckets.get(address) ?? { tokens: limit.burst, at: now };
    const tokens = Math.min(limit.burst, bucket.tokens + Math.max(0, now - bucket.at) * limit.perSecond);
    // taken out and put back: the map's order is that of the last request
    buckets.delete(address);
    const [oldest] = buckets.keys();
    if (buckets.size >= limit.addresses && oldest !== undefined) buckets.delete(oldest);
    const allowed = tokens >= 1;
    buckets.set(address, { tokens: allowed ? tokens - 1 : tokens, at: now });
    return allowed;
  };
}
