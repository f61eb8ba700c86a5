/** Several hosts that answer the same: the next one is asked where an answer may differ there. */
import { isAbort } from "./errors.ts";

export interface Failure {
  readonly host: string;
  readonly error: unknown;
}

/**
 * Asks the hosts in order, from `first` on, until one answers; each once.
 * @throws the error of `onExhausted` when no host answered; the signal's reason when aborted
 */
export async function askHosts<T>(
  hosts: readonly string[],
  ask: (host: string) => Promise<T>,
  options: {
    readonly first?: number;
    readonly signal?: AbortSignal | undefined;
    readonly onFailure?: (failure: Failure) => void;
    readonly onExhausted: (failures: readonly Failure[]) => Error;
  },
): Promise<{ readonly value: T; readonly host: number }> {
  const failures: Failure[] = [];
  for (let i = 0; i < hosts.length; i++) {
    const position = ((options.first ?? 0) + i) % hosts.length;
    const host = hosts[position] ?? "";
    options.signal?.throwIfAborted();
    try {
      return { value: await ask(host), host: position };
    } catch (error) {
      if (isAbort(error) && options.signal?.aborted === true) throw error;
      failures.push({ host, error });
      options.onFailure?.({ host, error });
    }
  }
  throw options.onExhausted(failures);
}

/** Seconds to wait before attempt `attempt` (from 1): doubles up to `most`. */
export function backoff(attempt: number, { first = 1, most = 60 }: { first?: number; most?: number } = {}): number {
  return Math.min(most, first * 2 ** Math.min(attempt - 1, 30));
}
