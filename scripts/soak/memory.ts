/** Whether memory grows: the slope over the longest life of each process. */

export interface Sample {
  readonly pid: number;
  /** Seconds since anything. */
  readonly at: number;
  readonly mib: number;
}

export interface Slope {
  /** MiB a minute; undefined where no process lived long enough. */
  readonly perMinute: number | undefined;
  /** That life without its beginning. */
  readonly seconds: number;
  readonly peakMib: number;
  /** The mean of each minute of that life, from its beginning. */
  readonly course: readonly number[];
}

/** A process compiles its code, and lets its heap grow before it collects with zeal: what it takes then is no leak. */
const WARM_UP = 300;
/**
 * Less than that tells nothing: a heap breathes. A keeper was seen at 89, 123 and 89 MiB within six minutes, which is more than the limit in itself
 * over anything shorter than ten.
 */
const SHORTEST = 600;

/** Least squares. */
export function slopeOf(samples: readonly Sample[]): Slope {
  const lives = [...Map.groupBy(samples, ({ pid }) => pid).values()];
  const whole = lives.reduce<readonly Sample[]>((best, life) => (lengthOf(life) > lengthOf(best) ? life : best), []);
  const start = whole[0]?.at ?? 0;
  const minutes = Map.groupBy(whole, ({ at }) => Math.floor((at - start) / 60));
  const course = [...minutes.values()].map((minute) => Math.round(mean(minute.map(({ mib }) => mib))));
  const longest = whole.filter(({ at }) => at >= start + WARM_UP);
  const seconds = lengthOf(longest);
  const peakMib = Math.max(0, ...samples.map(({ mib }) => mib));
  if (seconds < SHORTEST) return { perMinute: undefined, seconds, peakMib, course };
  const meanAt = mean(longest.map(({ at }) => at));
  const meanMib = mean(longest.map(({ mib }) => mib));
  let [up, across] = [0, 0];
  for (const { at, mib } of longest) {
    up += (at - meanAt) * (mib - meanMib);
    across += (at - meanAt) ** 2;
  }
  return { perMinute: (60 * up) / across, seconds, peakMib, course };
}

function lengthOf(life: readonly Sample[]): number {
  return (life.at(-1)?.at ?? 0) - (life[0]?.at ?? 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
