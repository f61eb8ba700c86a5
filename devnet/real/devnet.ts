/** A devnet in a data folder: started anew, or continued where it was stopped. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import type { Hex } from "../../offchain/util/hex.ts";
import { serveRpc } from "../rpcServer.ts";
import type { DevnetStatus } from "./api/devnetRoutes.ts";
import { beaconApi } from "./beaconApi.ts";
import type { DevnetParameters } from "./chainConfig.ts";
import { beaconProcess, executionProcess, prepareFolder, validatorProcess } from "./processes.ts";
import type { KeySource } from "./ownKeys.ts";
import type { Ports } from "./processes.ts";
import type { Pace } from "./slotLoop.ts";
import { executionRpc, rpcGateway } from "./rpcGateway.ts";
import { Supervised } from "./supervisor.ts";
import type { ProcessSpec } from "./supervisor.ts";

export interface DevnetOptions {
  readonly folder: string;
  readonly parameters: DevnetParameters;
  readonly ports: Ports;
  readonly pace: Pace;
  /** Who gets the tips of blocks that the node's own validators propose. */
  readonly feeRecipient: Hex;
  readonly onEvent: (line: string) => void;
}

export interface Devnet {
  readonly options: DevnetOptions;
  readonly rpcUrl: string;
  readonly beaconUrl: string;
  readonly execution: Supervised;
  readonly beacon: Supervised;
  /** Starts a validator client. */
  startValidators(name: string, keys: KeySource, feeRecipient: Hex): Promise<Supervised>;
  status(): Promise<DevnetStatus>;
  setPace(pace: Partial<Pace>): Promise<void>;
  /** Starts one more process, which is watched over and stopped like the others, before them. */
  run(spec: ProcessSpec): Promise<Supervised>;
  /** MiB of memory of all processes together, without this one; what they share is counted once. Linux only: elsewhere 0. */
  memory(): number;
  /** How often processes ended without being asked to. */
  crashes(): number;
  stop(): Promise<void>;
}

/** The folder belongs to a devnet with other parameters. */
export class OtherDevnetError extends Error {
  override readonly name = "OtherDevnetError";
}

/** How long a slot of the fast mode waits for a validator client. */
const PATIENCE_MS = 600;

export async function startDevnet(options: DevnetOptions, signal?: AbortSignal): Promise<Devnet> {
  const { folder, parameters, ports, onEvent } = options;
  mkdirSync(folder, { recursive: true });
  checkParameters(join(folder, "devnet.json"), parameters);
  prepareFolder(folder, parameters.chainId);
  const execution = new Supervised(executionProcess(folder, ports), onEvent);
  const beacon = new Supervised(beaconProcess(folder, ports, { ...options, patienceMs: PATIENCE_MS }), onEvent);
  const others: Supervised[] = [];
  const beaconUrl = `http://127.0.0.1:${ports.rest}`;
  const api = beaconApi(beaconUrl);
  let gateway: Server | undefined;
  const stop = async (): Promise<void> => {
    gateway?.close();
    gateway?.closeAllConnections();
    await Promise.all(others.map((process) => process.stop()));
    await beacon.stop();
    await execution.stop();
  };
  try {
    await execution.start(signal);
    await beacon.start(signal);
    gateway = await serveRpc(rpcGateway(executionRpc(`http://127.0.0.1:${ports.execution}`)), ports.rpc);
  } catch (error) {
    await stop();
    throw error;
  }
  const all = (): Supervised[] => [execution, beacon, ...others];
  const run = async (spec: ProcessSpec): Promise<Supervised> => {
    const started = new Supervised(spec, onEvent);
    others.push(started);
    await started.start(signal);
    return started;
  };
  return {
    options,
    rpcUrl: `http://127.0.0.1:${ports.rpc}`,
    beaconUrl,
    execution,
    beacon,
    startValidators: (name, keys, feeRecipient) => run(validatorProcess(folder, ports, name, keys, feeRecipient)),
    run,
    status: async () => (await api.get("/devnet/status")) as DevnetStatus,
    setPace: async (pace) => {
      await api.post("/devnet/pace", pace);
    },
    memory: () => all().reduce((sum, { pid }) => sum + memoryOf(pid), 0),
    crashes: () => all().reduce((sum, { crashes }) => sum + crashes, 0),
    stop,
  };
}

/** @throws OtherDevnetError */
function checkParameters(path: string, parameters: DevnetParameters): void {
  if (!existsSync(path)) {
    writeFileSync(path, JSON.stringify(parameters, undefined, 1));
    return;
  }
  let there: Partial<Record<string, unknown>>;
  try {
    there = JSON.parse(readFileSync(path, "utf8")) as typeof there;
  } catch {
    throw new OtherDevnetError(`${path} is not the file of a devnet: use another data folder`);
  }
  const differences = Object.entries(parameters)
    .filter(([name, value]) => there[name] !== value)
    .map(([name, value]) => `${name} is ${JSON.stringify(there[name])} there, not ${value}`);
  if (differences.length > 0)
    throw new OtherDevnetError(`${path}: ${differences.join("; ")}. Use the same, or another data folder`);
}

/** MiB, a share of what it shares with others. Linux only: elsewhere 0. */
export function memoryOf(pid: number | undefined): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    return Math.round(Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? "0") / 1_024);
  } catch {
    return 0; // it has just ended, or this is not Linux
  }
}
