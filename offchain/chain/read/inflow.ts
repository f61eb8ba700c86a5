/** How ether comes in, measured over the last days. */
import type { Provider } from "ethers";
import { SECONDS_PER_SLOT } from "../../protocol/frames.ts";
import { DAY, wei } from "../../protocol/units.ts";
import type { Wei } from "../../protocol/units.ts";
import type { Protocol } from "../connect.ts";
import { readLogs, wordOf } from "../logs.ts";
import type { EventWord, RangeOptions } from "../logs.ts";
import { blockRefOf } from "../multicall.ts";

/** Sums over `seconds`, wei. */
export interface Inflow {
  readonly seconds: bigint;
  readonly deposited: Wei;
  readonly requested: Wei;
  /** Gains less losses that reports recognised. */
  readonly recognised: Wei;
}

export const NO_INFLOW: Inflow = { seconds: 0n, deposited: wei(0n), requested: wei(0n), recognised: wei(0n) };

/** As of the newest block that was asked for: what a page shows of it in several places is read once. */
const READ = new WeakMap<Provider, { readonly hash: string; readonly reading: Promise<Inflow> }>();

/** Over about the last week. @throws AppError (unavailable) */
export async function readInflow(protocol: Protocol, options: RangeOptions = {}): Promise<Inflow> {
  return readAnew(protocol, options, true);
}

/** The same without what was requested, which has no part in what comes to the buffer, and may be thousands of events: 0 in its place. */
export async function readQueueInflow(protocol: Protocol, options: RangeOptions = {}): Promise<Inflow> {
  const { provider } = protocol;
  const hash = options.at?.hash;
  const known = READ.get(provider);
  if (known !== undefined && known.hash === hash) return known.reading;
  const reading = readAnew(protocol, options, false);
  if (hash !== undefined) {
    READ.set(provider, { hash, reading });
    reading.catch(() => READ.delete(provider));
  }
  return reading;
}

async function readAnew(protocol: Protocol, options: RangeOptions, withRequests: boolean): Promise<Inflow> {
  const { provider, pool, queue } = protocol;
  const last = options.at ?? (await blockRefOf(provider));
  const from = Math.max(protocol.fromBlock, last.number - Number((7n * DAY) / SECONDS_PER_SLOT));
  const topics = [
    pool.interface.getEvent("Deposited").topicHash,
    pool.interface.getEvent("ReportApplied").topicHash,
    ...(withRequests ? [queue.interface.getEvent("WithdrawalRequested").topicHash] : []),
  ];
  const address = [pool.target as string, queue.target as string];
  const [first, logs] = await Promise.all([
    provider.getBlock(from),
    readLogs(provider, { address, topics: [topics] }, from, last.number, options),
  ]);
  const [deposited, applied, requested] = [
    wordOf(pool.interface.getEvent("Deposited"), "amount"),
    wordOf(pool.interface.getEvent("ReportApplied"), "recognised"),
    wordOf(queue.interface.getEvent("WithdrawalRequested"), "amount"),
  ];
  const sum = (word: EventWord): Wei => wei(logs.reduce((total, log) => total + (word(log) ?? 0n), 0n));
  return {
    seconds: first === null ? 0n : last.timestamp - BigInt(first.timestamp),
    deposited: sum(deposited),
    requested: sum(requested),
    recognised: sum(applied),
  };
}

/** Ether that comes to the buffer, wei a second, rounded down: waiting requests have the first claim on it. */
export function towardsQueue({ seconds, deposited, recognised }: Inflow): Wei {
  return perSecond(deposited + recognised, seconds);
}

/** What is left of it for validators. */
export function towardsFunding({ seconds, deposited, requested, recognised }: Inflow): Wei {
  return perSecond(deposited + recognised - requested, seconds);
}

function perSecond(amount: bigint, seconds: bigint): Wei {
  return wei(seconds === 0n || amount <= 0n ? 0n : amount / seconds);
}
