/** What every daemon has: settings of its nodes and its health server, a loop, and a stop that is waited for. */
import type { Registry } from "prom-client";
import type { Clock } from "./clock.ts";
import { field, httpUrl, list, oneOf, text, wholeNumber } from "./config.ts";
import type { Environment } from "./config.ts";
import { EXIT, exitCodeOf, isAbort, messageOf } from "./errors.ts";
import { closeServer, makePulse, serveHealth } from "./health.ts";
import type { Pulse } from "./health.ts";
import type { Log } from "./log.ts";

export const DAEMON_FIELDS = {
  EXECUTION_URLS: field(list(httpUrl), {
    about: "JSON-RPC of execution nodes, separated by commas; the next is asked where one fails",
    secret: true,
  }),
  BEACON_URLS: field(list(httpUrl), { about: "Beacon API of consensus nodes, the same way", secret: true }),
  DEPLOYMENT: field(text, { about: "addresses file (JSON: chainId, token, wrapped, fromBlock)" }),
  LOG_LEVEL: field(oneOf("debug", "info", "warn", "error"), {
    about: "least severe level that is logged",
    fallback: "info",
  }),
  HEALTH_HOST: field(text, { about: "address that serves /metrics, /healthz and /readyz", fallback: "127.0.0.1" }),
  HEALTH_PORT: field(wholeNumber(0, 65_535), { about: "its port; 0 picks a free one", fallback: "9464" }),
  POLL_SECONDS: field(wholeNumber(1, 3_600), { about: "seconds between two turns of the loop", fallback: "12" }),
  REQUEST_TIMEOUT: field(wholeNumber(1, 600), { about: "seconds for one answer of a node", fallback: "15" }),
};

/** How a daemon's program is run: by a process, or by a test with a clock and a log of its own. */
export interface Program {
  readonly env: Environment;
  /** One JSON document instead of a table: of a check, or a dry run. */
  readonly json: boolean;
  readonly print: (line: string) => void;
  readonly clock?: Clock;
  readonly log?: Log;
  readonly signal?: AbortSignal;
}

/** Aborts at the first SIGINT or SIGTERM; a second one ends the process at once. */
export function stopSignal(log: Log): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(1);
      log.info({ signal: name }, "stopping after this turn");
      controller.abort();
    });
  return controller.signal;
}

/**
 * Turn after turn until the signal, never two at a time: what is late is skipped. An error ends no loop unless `isFatal`.
 * @param turn returns whether the daemon can do its work
 */
export async function runLoop(
  turn: (signal: AbortSignal) => Promise<boolean>,
  options: {
    readonly clock: Clock;
    readonly pulse: Pulse;
    readonly seconds: number;
    readonly log: Log;
    readonly signal: AbortSignal;
    readonly isFatal: (error: unknown) => boolean;
  },
): Promise<void> {
  const { clock, pulse, seconds, log, signal, isFatal } = options;
  const isStopped = (): boolean => signal.aborted;
  while (!isStopped()) {
    try {
      pulse.ready(await turn(signal));
    } catch (error) {
      if (isAbort(error) && isStopped()) return;
      if (isFatal(error)) throw error;
      pulse.ready(false);
      log.error({ error }, `the turn failed: ${messageOf(error)}`);
    }
    pulse.beat();
    await sleepUnless(clock, seconds, signal);
  }
}

/**
 * Repeats `start` while a node or the signer that it needs does not answer: a machine that boots starts everything at once. Alive meanwhile, and not
 * ready; the log says it when what is in the way changes.
 * @returns undefined where the signal came first
 * @throws what else `start` throws
 */
export async function whenAvailable<T>(
  start: () => Promise<T>,
  options: {
    readonly clock: Clock;
    readonly pulse: Pulse;
    readonly seconds: number;
    readonly log: Log;
    readonly signal: AbortSignal;
  },
): Promise<T | undefined> {
  const { clock, pulse, seconds, log, signal } = options;
  const isStopped = (): boolean => signal.aborted;
  let told = "";
  while (!isStopped()) {
    try {
      return await start();
    } catch (error) {
      if (exitCodeOf(error) !== EXIT.unavailable) throw error;
      const { message } = error as Error;
      if (message !== told) log.warn(`cannot start yet: ${message}`);
      told = message;
    }
    pulse.beat();
    await sleepUnless(clock, seconds, signal);
  }
  return undefined;
}

/** Sleeps, or returns where the signal comes. */
async function sleepUnless(clock: Clock, seconds: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(seconds, signal);
  } catch (error) {
    if (!isAbort(error)) throw error;
  }
}

/** The health server beside `run`, and gone after it. Stale after five turns without a beat, a minute at least. */
export async function withHealth<T>(
  registry: Registry,
  settings: { readonly HEALTH_HOST: string; readonly HEALTH_PORT: number; readonly POLL_SECONDS: number },
  clock: Clock,
  run: (pulse: Pulse) => Promise<T>,
): Promise<T> {
  const pulse = makePulse(clock, Math.max(60, 5 * settings.POLL_SECONDS));
  const server = await serveHealth(registry, pulse, settings.HEALTH_HOST, settings.HEALTH_PORT);
  try {
    return await run(pulse);
  } finally {
    await closeServer(server);
  }
}
