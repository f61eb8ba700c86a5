/** The processes of a devnet: how each is started in a data folder, and how one sees that it is well. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hexlify, randomBytes } from "ethers";
import type { Hex } from "../../offchain/util/hex.ts";
import type { DevnetParameters } from "./chainConfig.ts";
import { executionGenesis } from "./executionGenesis.ts";
import type { KeySource } from "./ownKeys.ts";
import type { Pace } from "./slotLoop.ts";
import type { ProcessSpec } from "./supervisor.ts";

export interface Ports {
  /** JSON-RPC for everybody: the gateway. */
  readonly rpc: number;
  /** JSON-RPC of the execution client itself. */
  readonly execution: number;
  readonly engine: number;
  /** The execution client's peer port: bound on loopback, used by nobody. */
  readonly peer: number;
  /** Beacon API. */
  readonly rest: number;
}

/** A validator client's first line, once it has its keys and the beacon node answers. */
export const FOLLOWS = "follows the beacon node with";

/** What the beacon node's process reads. */
export interface BeaconNodeFile {
  readonly folder: string;
  readonly parameters: DevnetParameters;
  readonly restPort: number;
  readonly engineUrl: string;
  readonly jwtFile: string;
  readonly pace: Pace;
  readonly feeRecipient: Hex;
  readonly patienceMs: number;
}

/** What the validator client's process reads. */
export interface ValidatorClientFile {
  readonly beaconUrl: string;
  readonly keys: KeySource;
  readonly feeRecipient: Hex;
  readonly protectionFile: string;
}

/**
 * Node's options for a small heap, in MiB: left to itself, a process takes what an idle machine has, and a dozen of them run here.
 * @param young of each half of the young generation @param old of the old one
 */
export function heapLimits(young: number, old: number): string[] {
  return [`--max-semi-space-size=${young}`, `--max-old-space-size=${old}`];
}

/** Execution genesis and Engine API secret, written once. @returns the genesis time, unix seconds */
export function prepareFolder(folder: string, chainId: number): number {
  mkdirSync(join(folder, "execution"), { recursive: true });
  if (!existsSync(genesisPath(folder)))
    writeFileSync(genesisPath(folder), JSON.stringify(executionGenesis(chainId, Math.floor(Date.now() / 1_000))));
  if (!existsSync(jwtPath(folder))) writeFileSync(jwtPath(folder), hexlify(randomBytes(32)).slice(2), { mode: 0o600 });
  const { timestamp } = JSON.parse(readFileSync(genesisPath(folder), "utf8")) as { timestamp: string };
  return Number(timestamp);
}

export function executionProcess(folder: string, ports: Ports): ProcessSpec {
  const flags: Record<string, string | number | boolean> = {
    dataDir: join(folder, "execution"),
    gethGenesis: genesisPath(folder),
    rpc: true,
    rpcAddr: "127.0.0.1",
    rpcPort: ports.execution,
    rpcEngine: true,
    rpcEngineAddr: "127.0.0.1",
    rpcEnginePort: ports.engine,
    jwtSecret: jwtPath(folder),
    isSingleNode: true,
    discDns: false,
    discV4: false,
    maxPeers: 0,
    extIP: "127.0.0.1",
    port: ports.peer,
    saveReceipts: true,
  };
  return {
    name: "execution client",
    args: [
      ...heapLimits(8, 320),
      `--import=${import.meta.resolve("./executionPreload.ts")}`,
      fileURLToPath(import.meta.resolve("@ethereumjs/client")),
      ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
      "--no-logFile",
    ],
    logFile: join(folder, "execution.log"),
    isHealthy: async () => {
      const request = { jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] };
      const response = await fetch(`http://127.0.0.1:${ports.execution}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(request),
      });
      return response.ok;
    },
  };
}

export function beaconProcess(
  folder: string,
  ports: Ports,
  options: Pick<BeaconNodeFile, "parameters" | "pace" | "feeRecipient" | "patienceMs">,
): ProcessSpec {
  const file: BeaconNodeFile = {
    ...options,
    folder: join(folder, "beacon"),
    restPort: ports.rest,
    engineUrl: `http://127.0.0.1:${ports.engine}`,
    jwtFile: jwtPath(folder),
  };
  mkdirSync(file.folder, { recursive: true });
  const path = join(folder, "beacon.json");
  writeFileSync(path, JSON.stringify(file, undefined, 1));
  return {
    name: "beacon node",
    args: [...heapLimits(4, 320), fileURLToPath(import.meta.resolve("./beaconNode.main.ts")), path],
    logFile: join(folder, "beacon.log"),
    isHealthy: async () => (await fetch(`http://127.0.0.1:${ports.rest}/eth/v1/node/health`)).status === 200,
  };
}

/** @param name tells apart several clients of one devnet */
export function validatorProcess(
  folder: string,
  ports: Ports,
  name: string,
  keys: KeySource,
  feeRecipient: Hex,
): ProcessSpec {
  const file: ValidatorClientFile = {
    beaconUrl: `http://127.0.0.1:${ports.rest}`,
    keys,
    feeRecipient,
    protectionFile: join(folder, `${name}.protection.json`),
  };
  const path = join(folder, `${name}.json`);
  writeFileSync(path, JSON.stringify(file, undefined, 1));
  const logFile = join(folder, `${name}.log`);
  return {
    name,
    args: [...heapLimits(1, 128), fileURLToPath(import.meta.resolve("./validatorClient.main.ts")), path],
    logFile,
    // it has no port: its first line says that it follows the beacon node
    isHealthy: () => Promise.resolve(existsSync(logFile) && readFileSync(logFile, "utf8").includes(FOLLOWS)),
  };
}

/** The wished ports, and free ones for what nobody has to know; 0 means free as well. */
export async function choosePorts(rpc = 0, rest = 0): Promise<Ports> {
  const [freeRpc = 0, freeRest = 0, execution = 0, engine = 0, peer = 0] = await freePorts(5);
  return { rpc: rpc === 0 ? freeRpc : rpc, rest: rest === 0 ? freeRest : rest, execution, engine, peer };
}

/** Ports of loopback that nobody uses. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function genesisPath(folder: string): string {
  return join(folder, "genesis.json");
}

function jwtPath(folder: string): string {
  return join(folder, "jwt.hex");
}
