/** The committee's oracle daemons and the keeper as processes: the same programs that an operator runs (docs/running.md). */
import { existsSync, mkdirSync, openSync, readSync, statSync, closeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Devnet } from "./devnet.ts";
import { freePorts, heapLimits } from "./processes.ts";
import { ACCOUNT_NAMES } from "./protocol.ts";
import type { DeployedProtocol } from "./protocol.ts";
import type { ProcessSpec, Supervised } from "./supervisor.ts";

/** The devnet's slots take a fraction of a second: daemons look as often as they can. */
const ORACLE_PACE = { POLL_SECONDS: "1", TAKE_OVER_DELAY: "2" };
const KEEPER_PACE = { POLL_SECONDS: "1" };
const PREFIX = "ESTUARY_";
const LOOK_MS = 10;
/** Every frame has a report, and the keeper acts within minutes. */
const LONGEST_WAIT_MS = 120_000;

export interface Daemons {
  readonly members: readonly Supervised[];
  readonly keeper: Supervised;
  /** By name: where `/healthz`, `/readyz` and `/metrics` are. */
  readonly healthUrls: Readonly<Record<string, string>>;
}

/** Settings of a daemon beside, or in place of, those that all have: without ESTUARY_, by the daemon's name. */
export type OwnSettings = (name: string) => Readonly<Record<string, string>>;

/** Starts one member for each committee wallet, and a keeper with the account of that name. */
export async function startDaemons(
  devnet: Devnet,
  protocol: DeployedProtocol,
  own: OwnSettings = () => ({}),
): Promise<Daemons> {
  const { committee, wallets } = protocol;
  const ports = await freePorts(2 * committee.length + 1);
  const port = (index: number): number => ports[index] ?? 0;
  const doors = committee.map((_, index) => port(2 * index));
  const nodes = {
    EXECUTION_URLS: devnet.rpcUrl,
    BEACON_URLS: devnet.beaconUrl,
    DEPLOYMENT: protocol.deploymentFile,
  };
  const { folder } = devnet.options;
  const specs = committee.map((wallet, index) => {
    const name = `oracle-${index + 1}`;
    const data = join(folder, name);
    mkdirSync(data, { recursive: true });
    return daemon(folder, name, ["oracle.ts", "run"], port(2 * index + 1), {
      ...nodes,
      ...ORACLE_PACE,
      PRIVATE_KEY: wallet.privateKey,
      DATA_DIR: data,
      LISTEN_PORT: String(port(2 * index)),
      PEERS: doors
        .filter((_door, other) => other !== index)
        .map((door) => `http://127.0.0.1:${door}`)
        .join(","),
      ...own(name),
    });
  });
  const account = wallets[ACCOUNT_NAMES.indexOf("keeper")];
  if (account === undefined) throw new Error("the keeper has no account");
  const keeperSpec = daemon(folder, "keeper", ["keeper.ts"], port(2 * committee.length), {
    ...nodes,
    ...KEEPER_PACE,
    PRIVATE_KEY: account.privateKey,
    ...own("keeper"),
  });
  const [keeper, ...members] = await Promise.all([keeperSpec, ...specs].map((spec) => devnet.run(spec)));
  if (keeper === undefined) throw new Error("no keeper was started");
  const names = [...specs, keeperSpec].map(({ name }) => name);
  const healthPorts = [...committee.map((_, index) => port(2 * index + 1)), port(2 * committee.length)];
  const healthUrls = Object.fromEntries(
    names.map((name, index) => [name, `http://127.0.0.1:${healthPorts[index] ?? 0}`]),
  );
  return { members, keeper, healthUrls };
}

/**
 * Waits until one of the processes logs the message, kills it at that moment, and waits until it is well again.
 * @throws Error when none does in two minutes
 */
export async function killWhenItSays(processes: readonly Supervised[], message: string): Promise<Supervised> {
  const from = processes.map(({ spec }) => sizeOf(spec.logFile));
  const deadline = performance.now() + LONGEST_WAIT_MS;
  while (performance.now() < deadline) {
    const speaker = processes.find(({ spec }, index) =>
      textFrom(spec.logFile, from[index] ?? 0).includes(`"msg":"${message}"`),
    );
    if (speaker !== undefined) {
      await speaker.restart();
      return speaker;
    }
    await sleep(LOOK_MS);
  }
  throw new Error(`${processes.map(({ spec }) => spec.name).join(", ")}: none said "${message}"`);
}

function daemon(
  folder: string,
  name: string,
  [script, ...args]: readonly [string, ...string[]],
  healthPort: number,
  settings: Readonly<Record<string, string>>,
): ProcessSpec {
  // whatever this shell is set up for is another deployment
  const foreign = Object.keys(process.env).filter((key) => key.startsWith(PREFIX));
  const own = Object.entries({ ...settings, HEALTH_PORT: String(healthPort) });
  return {
    name,
    args: [...heapLimits(1, 128), fileURLToPath(import.meta.resolve(`../../scripts/${script}`)), ...args],
    // no .env file is read there
    cwd: folder,
    env: Object.fromEntries([
      ...foreign.map((key) => [key, undefined] as const),
      ...own.map(([key, value]) => [PREFIX + key, value] as const),
    ]),
    logFile: join(folder, `${name}.log`),
    isHealthy: async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).status === 200,
  };
}

function sizeOf(file: string): number {
  return existsSync(file) ? statSync(file).size : 0;
}

function textFrom(file: string, start: number): string {
  const length = sizeOf(file) - start;
  if (length <= 0) return "";
  const buffer = Buffer.alloc(length);
  const descriptor = openSync(file, "r");
  try {
    readSync(descriptor, buffer, 0, length, start);
  } finally {
    closeSync(descriptor);
  }
  return buffer.toString("utf8");
}
