/** What time it is for the chain, and how old what is shown is. */
import { useEffect, useState } from "react";
import { useChain, useGround } from "./chain.ts";
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
  /** That it is of. */
  readonly block: number | undefined;
}

export function useNow(): Now {
  const { config } = useChain();
  const { data: ground, dataUpdatedAt } = useGround();
  const status = useStatus();
  const shown = status.data?.block;
  const wall = useWallClock(5_000) / 1_000;
  if (ground === undefined) return { time: wall, age: undefined, block: undefined };
  const since = (readAt: number): number => Math.max(0, wall - readAt / 1_000);
  const time = config.clock === "chain" ? Number(ground.head.timestamp) + since(dataUpdatedAt) : wall;
  if (shown === undefined) return { time, age: undefined, block: undefined };
  // a local chain's time leaps by hours from a block to the next: what is a block behind is not hours old
  const trueAt = shown.number >= ground.head.number ? dataUpdatedAt : status.dataUpdatedAt;
  const age = config.clock === "chain" ? since(trueAt) : Math.max(0, time - Number(shown.timestamp));
  return { time, age: Math.round(age), block: shown.number };
}

/** Two slots. */
export const STALE_SECONDS = 24;
