/**
 * `npm run devnet`: a real Ethereum on this machine with the protocol deployed, until it is stopped. docs/devnet.md.
 * Exit codes: 0 stopped, 1 failure, 2 usage, 4 a client did not start.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { DEFAULT_PARAMETERS } from "../devnet/real/chainConfig.ts";
import type { DevnetParameters, Fork } from "../devnet/real/chainConfig.ts";
import { startDaemons } from "../devnet/real/daemons.ts";
import { OtherDevnetError } from "../devnet/real/devnet.ts";
import type { Devnet } from "../devnet/real/devnet.ts";
import { FUNDED_ACCOUNTS } from "../devnet/real/executionGenesis.ts";
import { choosePorts } from "../devnet/real/processes.ts";
import { ACCOUNT_NAMES, addressesOf, startWithProtocol } from "../devnet/real/protocol.ts";
import { ProcessError } from "../devnet/real/supervisor.ts";
import { answerHelp } from "./lib/usage.ts";

class UsageError extends Error {}

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());

async function main(): Promise<void> {
  const options = readOptions();
  const begin = performance.now();
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "estuary-devnet-"));
  let devnet: Devnet | undefined;
  try {
    const { parameters, pace } = options;
    const ports = await choosePorts(options.rpcPort, options.beaconPort);
    const feeRecipient = "0x00000000000000000000000000000000000fee00";
    // the deployment waits for blocks: let them come quickly
    const quickly = { ...pace, slotMs: 0, blockEvery: 1 };
    const started = await startWithProtocol(
      { folder, parameters, ports, pace: quickly, feeRecipient, onEvent: (line) => console.error(line) },
      stop.signal,
    );
    ({ devnet } = started);
    const { contracts, wallets, deploymentFile } = started.protocol;
    const tips = (await contracts.rewardsVault.getAddress()).toLowerCase() as `0x${string}`;
    if (options.keys > 0) await devnet.startValidators("validators", { first: 0, count: options.keys }, tips);
    if (options.daemons) await startDaemons(devnet, started.protocol);
    await devnet.setPace(pace);
    const row = (name: string, value: string): void => console.log(`${name.padEnd(16)} ${value}`);
    row("JSON-RPC", `${devnet.rpcUrl}  (chain ${parameters.chainId})`);
    row("Beacon API", devnet.beaconUrl);
    row("data", folder);
    row("addresses", deploymentFile);
    for (const [name, address] of Object.entries(await addressesOf(contracts))) row(name, address);
    wallets.forEach(({ address, privateKey }, index) =>
      row(ACCOUNT_NAMES[index] ?? `account ${index}`, `${address}  ${privateKey}`),
    );
    console.log(`${FUNDED_ACCOUNTS} accounts with 1,000,000 ETH each, of the mnemonic "test ... junk"`);
    console.log(`started in ${((performance.now() - begin) / 1_000).toFixed(1)} s; Ctrl-C stops`);
    await watch(devnet);
  } finally {
    await devnet?.stop();
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
  }
  console.log("stopped");
}

/** A line for each newly finalised epoch. */
async function watch(devnet: Devnet): Promise<void> {
  let finalized = -1;
  while (!stop.signal.aborted) {
    const status = await devnet.status().catch(() => undefined);
    if (status !== undefined && status.finalizedEpoch > finalized) {
      finalized = status.finalizedEpoch;
      console.log(`slot ${status.slot}, epoch ${status.epoch}, final ${finalized}, ${devnet.memory()} MiB`);
    }
    await sleep(1_000, undefined, { signal: stop.signal }).catch(() => undefined);
  }
}

interface Options {
  readonly parameters: DevnetParameters;
  readonly pace: { readonly slotMs: number; readonly blockEvery: number };
  readonly rpcPort: number;
  readonly beaconPort: number;
  readonly keys: number;
  readonly daemons: boolean;
  readonly folder: string | undefined;
}

function readOptions(): Options {
  answerHelp("devnet");
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: {
      fast: { type: "boolean", default: false },
      daemons: { type: "boolean", default: false },
      ...{ "slot-ms": text, "block-every": text, validators: text, fork: text, "reward-factor": text },
      ...{ "rpc-port": text, "beacon-port": text, keys: text, data: text },
    },
  });
  const number = (name: keyof typeof values, fallback: number, from: number, to: number): number => {
    const given = values[name];
    const value = given === undefined ? fallback : Number(given);
    if (!Number.isInteger(value) || value < from || value > to)
      throw new UsageError(`--${name}: a whole number from ${from} to ${to}, not ${given}`);
    return value;
  };
  const fork = values.fork ?? DEFAULT_PARAMETERS.fork;
  if (fork !== "electra" && fork !== "fulu") throw new UsageError(`--fork: electra or fulu, not ${fork}`);
  return {
    parameters: {
      ...DEFAULT_PARAMETERS,
      fork: fork satisfies Fork,
      genesisValidators: number("validators", DEFAULT_PARAMETERS.genesisValidators, 32, 4_096),
      rewardFactor: number("reward-factor", DEFAULT_PARAMETERS.rewardFactor, 1, 64),
    },
    pace: {
      slotMs: values.fast ? 0 : number("slot-ms", 12_000, 0, 3_600_000),
      blockEvery: number("block-every", 1, 1, 32),
    },
    rpcPort: number("rpc-port", 8_545, 0, 65_535),
    beaconPort: number("beacon-port", 5_052, 0, 65_535),
    keys: number("keys", 16, 0, 1_000),
    daemons: values.daemons,
    folder: values.data === undefined ? undefined : resolve(values.data),
  };
}

try {
  await main();
} catch (error) {
  const isUsage =
    error instanceof UsageError ||
    error instanceof OtherDevnetError ||
    String((error as { code?: unknown }).code).startsWith("ERR_PARSE_ARGS");
  if (!stop.signal.aborted) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = isUsage ? 2 : error instanceof ProcessError ? 4 : 1;
  }
}
