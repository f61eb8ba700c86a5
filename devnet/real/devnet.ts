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
import type { Ports, ValidatorClientFile } from "./processes.ts";
import type { Pace } from "./slotLoop.ts";
import { executionRpc, rpcGateway } from "./rpcGateway.ts";
import { Supervised } from "./supervisor.ts";

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
  /** Starts a validator client for keys of the development mnemonic. */
  startValidators(name: string, keys: ValidatorClientFile["keys"], feeRecipient: Hex): Promise<Supervised>;
  status(): Promise<DevnetStatus>;
  setPace(pace: Partial<Pace>): Promise<void>;
  /** MiB of memory of all processes together. */
  memory(): number;
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
  prepareFolder(folder, parameters.chainId, Math.floor(Date.now() / 1_000));
  const execution = new Supervised(executionProcess(folder, ports), onEvent);
  const beacon = new Supervised(beaconProcess(folder, ports, { ...options, patienceMs: PATIENCE_MS }), onEvent);
  const clients: Supervised[] = [];
  const beaconUrl = `http://127.0.0.1:${ports.rest}`;
  const api = beaconApi(beaconUrl);
  let gateway: Server | undefined;
  const stop = async (): Promise<void> => {
    gateway?.close();
    gateway?.closeAllConnections();
    await Promise.all(clients.map((client) => client.stop()));
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
  return {
    options,
    rpcUrl: `http://127.0.0.1:${ports.rpc}`,
    beaconUrl,
    execution,
    beacon,
    startValidators: async (name, keys, feeRecipient) => {
      const client = new Supervised(validatorProcess(folder, ports, name, keys, feeRecipient), onEvent);
      clients.push(client);
      await client.start(signal);
      return client;
    },
    status: async () => (await api.get("/devnet/status")) as DevnetStatus,
    setPace: async (pace) => {
      await api.post("/devnet/pace", pace);
    },
    memory: () => [execution, beacon, ...clients].reduce((sum, { pid }) => sum + residentMiB(pid), 0),
    stop,
  };
}

/** @throws OtherDevnetError */
function checkParameters(path: string, parameters: DevnetParameters): void {
  const text = JSON.stringify(parameters, undefined, 1);
  if (!existsSync(path)) writeFileSync(path, text);
  else if (readFileSync(path, "utf8") !== text)
    throw new OtherDevnetError(`${path} has other parameters: use them, or another data folder`);
}

/** Linux only; elsewhere 0. */
function residentMiB(pid: number | undefined): number {
  const path = `/proc/${pid}/status`;
  if (pid === undefined || !existsSync(path)) return 0;
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(path, "utf8"))?.[1] ?? "0") / 1_024);
}
