/** How ether comes in, measured over the last days. */
import { SECONDS_PER_SLOT } from "../../protocol/frames.ts";
import { DAY, wei } from "../../protocol/units.ts";
import type { Wei } from "../../protocol/units.ts";
import type { Protocol } from "../connect.ts";
import { argsOf, decodeEvents } from "../events.ts";
import { readLogs } from "../logs.ts";
import type { RangeOptions } from "../logs.ts";

/** Sums over `seconds`, wei. */
export interface Inflow {
  readonly seconds: bigint;
  readonly deposited: Wei;
  readonly requested: Wei;
  /** Gains less losses that reports recognised. */
  readonly recognised: Wei;
}

/** Over about the last week. @throws AppError (unavailable) */
export async function readInflow(protocol: Protocol, options: RangeOptions = {}): Promise<Inflow> {
  const { provider, pool, queue } = protocol;
  const last = await provider.getBlock("latest");
  if (last === null) return { seconds: 0n, deposited: wei(0n), requested: wei(0n), recognised: wei(0n) };
  const from = Math.max(protocol.fromBlock, last.number - Number((7n * DAY) / SECONDS_PER_SLOT));
  const topics = [
    pool.interface.getEvent("Deposited").topicHash,
    pool.interface.getEvent("ReportApplied").topicHash,
    queue.interface.getEvent("WithdrawalRequested").topicHash,
  ];
  const address = [pool.target as string, queue.target as string];
  const [first, logs] = await Promise.all([
    provider.getBlock(from),
    readLogs(provider, { address, topics: [topics] }, from, last.number, options),
  ]);
  const events = decodeEvents(protocol, logs);
  const sum = (amounts: readonly bigint[]): Wei => wei(amounts.reduce((total, amount) => total + amount, 0n));
  return {
    seconds: BigInt(last.timestamp - (first?.timestamp ?? last.timestamp)),
    deposited: sum(argsOf<{ amount: bigint }>(events, "pool", "Deposited").map(({ amount }) => amount)),
    requested: sum(argsOf<{ amount: bigint }>(events, "queue", "WithdrawalRequested").map(({ amount }) => amount)),
    recognised: sum(argsOf<{ recognised: bigint }>(events, "pool", "ReportApplied").map((args) => args.recognised)),
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
