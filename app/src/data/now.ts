/** What time it is for the chain, and how old what is shown is. */
import { useEffect, useState } from "react";
import { useChain } from "./chain.ts";
import { useStatus } from "./queries.ts";

/** Unix milliseconds, every `everyMs`. */
function useWallClock(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

export interface Now {
  /** Unix seconds: the wall's, or on a local chain the chain's own. */
  readonly time: number;
  /** Seconds since what is shown was true; undefined before the first answer. */
  readonly age: number | undefined;
  /** Of the newest block that was read. */
  readonly block: number | undefined;
}

export function useNow(): Now {
  const { config } = useChain();
  const { data, dataUpdatedAt } = useStatus();
  const wall = useWallClock(5_000) / 1_000;
  if (data === undefined) return { time: wall, age: undefined, block: undefined };
  const sinceRead = Math.max(0, wall - dataUpdatedAt / 1_000);
  const time = config.clock === "chain" ? Number(data.block.timestamp) + sinceRead : wall;
  return { time, age: Math.max(0, Math.round(time - Number(data.block.timestamp))), block: data.block.number };
}

/** Two slots. */
export const STALE_SECONDS = 24;
