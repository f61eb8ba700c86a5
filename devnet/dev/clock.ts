/** How time passes on the local chain: a day of the protocol, which is a frame of its reports, in so many seconds of the wall's. */
import type { Clock } from "../../offchain/util/clock.ts";
import { systemClock } from "../../offchain/util/clock.ts";
import type { DevChain } from "./chain.ts";

/** A day has so many steps at least: reports come soon after it ends, and what people send is soon part of a block. */
const STEPS_A_DAY = 8;
const SLOT_SECONDS = 12;

/** Until the signal. What is late is skipped: time stands still on a machine that sleeps. */
export async function letTimePass(chain: DevChain, daySeconds: number, signal: AbortSignal): Promise<void> {
  const seconds = Math.min(daySeconds / STEPS_A_DAY, SLOT_SECONDS);
  const slots = (seconds / daySeconds) * chain.slotsPerFrame;
  let rest = 0;
  const isStopped = (): boolean => signal.aborted;
  for (;;) {
    await systemClock.sleep(seconds, signal).catch(() => undefined);
    if (isStopped()) return;
    const whole = Math.floor(rest + slots);
    rest += slots - whole;
    if (whole > 0) await chain.advance(whole);
  }
}

/**
 * For daemons: it begins with the chain's time and goes as fast as the wall's, so that a chain whose days are shorter is never found to be behind,
 * whenever it was made.
 */
export function daemonClock({ p: { beacon } }: DevChain): Clock {
  const start = beacon.timeOf(beacon.head.slot) - performance.now() / 1_000;
  return {
    now: () => start + performance.now() / 1_000,
    sleep: (seconds, signal) => systemClock.sleep(seconds, signal),
  };
}
