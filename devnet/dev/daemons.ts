/** The committee's members and the keeper: the programs that an operator runs (docs/running.md), in this process, over the same sockets. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { keeperProgram } from "../../offchain/keeper/program.ts";
import { runOracle } from "../../offchain/oracle/program.ts";
import type { Clock } from "../../offchain/util/clock.ts";
import type { Program } from "../../offchain/util/daemon.ts";
import { isAbort, messageOf } from "../../offchain/util/errors.ts";
import type { Log } from "../../offchain/util/log.ts";
import { freePorts } from "../real/processes.ts";

export interface DaemonOptions {
  readonly executionUrl: string;
  /** Of the members. */
  readonly beaconUrl: string;
  readonly keeperBeaconUrl: string;
  /** The addresses file. */
  readonly deployment: string;
  /** Of the members' journals. */
  readonly folder: string;
  readonly memberKeys: readonly string[];
  readonly keeperKey: string;
  readonly clock: Clock;
  /** Seconds between two turns. */
  readonly pollSeconds: number;
  readonly log: (name: string) => Log;
  readonly signal: AbortSignal;
}

/** Another member submits when the one whose turn it is has not. */
const TAKE_OVER_SECONDS = 3;
const RESTART_SECONDS = 5;
/** A block is mined for each transaction. */
const RECEIPT_SECONDS = 20;

/** Starts them all. @returns when they have stopped */
export async function runDaemons(options: DaemonOptions): Promise<void> {
  const { memberKeys, folder, executionUrl, beaconUrl, keeperBeaconUrl, deployment, pollSeconds } = options;
  const ports = await freePorts(memberKeys.length);
  const common = {
    ESTUARY_EXECUTION_URLS: executionUrl,
    ESTUARY_DEPLOYMENT: deployment,
    ESTUARY_HEALTH_PORT: "0",
    ESTUARY_POLL_SECONDS: String(pollSeconds),
  };
  const members = memberKeys.map((key, index) => {
    const name = `oracle-${index + 1}`;
    const data = join(folder, name);
    mkdirSync(data, { recursive: true });
    const env = {
      ...common,
      ESTUARY_BEACON_URLS: beaconUrl,
      ESTUARY_PRIVATE_KEY: key,
      ESTUARY_DATA_DIR: data,
      ESTUARY_LISTEN_PORT: String(ports[index] ?? 0),
      ESTUARY_TAKE_OVER_DELAY: String(TAKE_OVER_SECONDS),
      ESTUARY_RECEIPT_TIMEOUT: String(RECEIPT_SECONDS),
      ESTUARY_PEERS: ports
        .filter((_, other) => other !== index)
        .map((port) => `http://127.0.0.1:${port}`)
        .join(","),
    };
    return lasting(options, name, env, (program) => runOracle("run", program));
  });
  const env = { ...common, ESTUARY_BEACON_URLS: keeperBeaconUrl, ESTUARY_PRIVATE_KEY: options.keeperKey };
  await Promise.all([...members, lasting(options, "keeper", env, (program) => keeperProgram(["run"], program))]);
}

/** What ends is started again, as whoever runs it would. */
async function lasting(
  { clock, signal, log: logOf }: DaemonOptions,
  name: string,
  env: Readonly<Record<string, string>>,
  run: (program: Program) => Promise<unknown>,
): Promise<void> {
  const log = logOf(name);
  const isStopped = (): boolean => signal.aborted;
  while (!isStopped()) {
    try {
      await run({ env, json: false, print: () => undefined, clock, log, signal });
    } catch (error) {
      if (isAbort(error) && isStopped()) return;
      log.error({ error }, `it ended: ${messageOf(error)}`);
    }
    if (!isStopped()) await clock.sleep(RESTART_SECONDS, signal).catch(() => undefined);
  }
}
