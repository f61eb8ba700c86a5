/** Time, injected: what waits can be tested without waiting. Runs in browsers too. */
export interface Clock {
  /** Unix seconds, with a fraction. */
  now(): number;
  /** Resolves after so many seconds; rejects with AbortError as soon as the signal says so. */
  sleep(seconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now() / 1_000,
  sleep: (seconds, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(abortError(signal));
        return;
      }
      const stop = (): void => {
        clearTimeout(timer);
        reject(abortError(signal));
      };
      const wake = (): void => {
        signal?.removeEventListener("abort", stop);
        resolve();
      };
      const timer = setTimeout(wake, Math.min(MOST_MILLISECONDS, Math.max(0, seconds) * 1_000));
      signal?.addEventListener("abort", stop, { once: true });
    }),
};

/** Timers take no more: they would fire at once. */
const MOST_MILLISECONDS = 2 ** 31 - 1;

/** A clock that stands still until `advance`: sleepers wake in order. */
export interface ManualClock extends Clock {
  advance(seconds: number): Promise<void>;
  /** How many sleep. */
  readonly sleepers: number;
}

export function manualClock(start = 0): ManualClock {
  let now = start;
  const waiting = new Set<{ readonly until: number; readonly wake: () => void }>();
  const settle = async (): Promise<void> => {
    // what a sleeper does when it wakes may itself take turns of the event loop
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    now: () => now,
    get sleepers() {
      return waiting.size;
    },
    sleep: (seconds, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) {
          reject(abortError(signal));
          return;
        }
        const stop = (): void => {
          waiting.delete(entry);
          reject(abortError(signal));
        };
        const entry = {
          until: now + Math.max(0, seconds),
          wake: () => {
            signal?.removeEventListener("abort", stop);
            resolve();
          },
        };
        signal?.addEventListener("abort", stop, { once: true });
        waiting.add(entry);
      }),
    async advance(seconds) {
      const end = now + seconds;
      for (;;) {
        await settle();
        const next = [...waiting].filter(({ until }) => until <= end).sort((a, b) => a.until - b.until)[0];
        if (next === undefined) break;
        now = Math.max(now, next.until);
        waiting.delete(next);
        next.wake();
      }
      now = end;
      await settle();
    },
  };
}

function abortError(signal: AbortSignal | undefined): Error {
  const { reason } = (signal ?? {}) as { reason?: unknown };
  return reason instanceof Error ? reason : new DOMException("aborted", "AbortError");
}
