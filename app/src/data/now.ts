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
  const shown = useStatus().data?.block;
  const wall = useWallClock(5_000) / 1_000;
  if (ground === undefined) return { time: wall, age: undefined, block: undefined };
  const sinceRead = Math.max(0, wall - dataUpdatedAt / 1_000);
  const time = config.clock === "chain" ? Number(ground.head.timestamp) + sinceRead : wall;
  if (shown === undefined) return { time, age: undefined, block: undefined };
  return { time, age: Math.max(0, Math.round(time - Number(shown.timestamp))), block: shown.number };
}

/** Two slots. */
export const STALE_SECONDS = 24;
