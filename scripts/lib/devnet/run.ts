/** The devnet with the protocol on it, until it is stopped. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startDaemons } from "../../../devnet/real/daemons.ts";
import type { Daemons } from "../../../devnet/real/daemons.ts";
import type { Devnet } from "../../../devnet/real/devnet.ts";
import { FUNDED_ACCOUNTS } from "../../../devnet/real/executionGenesis.ts";
import { keysOf } from "../../../devnet/real/ownKeys.ts";
import { choosePorts } from "../../../devnet/real/processes.ts";
import { ACCOUNT_NAMES, addressesOf, startWithProtocol } from "../../../devnet/real/protocol.ts";
import type { DeployedProtocol } from "../../../devnet/real/protocol.ts";
import { UsageError } from "./options.ts";
import type { Options } from "./options.ts";

/** Something that is served beside the devnet: printed before all else, and ended before it. */
export interface Beside {
  readonly name: string;
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Prints what was started, then a line for each finalised epoch.
 * @throws UsageError, OtherDevnetError, AppError (invalid: the own keys), ProcessError
 */
export async function runDevnet(
  options: Options,
  stop: AbortSignal,
  serveBeside?: (devnet: Devnet, protocol: DeployedProtocol) => Promise<Beside>,
): Promise<void> {
  const begin = performance.now();
  await checkOwnKeys(options);
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "estuary-devnet-"));
  let devnet: Devnet | undefined;
  let beside: Beside | undefined;
  try {
    const { parameters, pace, keystores } = options;
    const ports = await choosePorts(options.rpcPort, options.beaconPort);
    const feeRecipient = "0x00000000000000000000000000000000000fee00";
    // the deployment waits for blocks: let them come quickly
    const quickly = { ...pace, slotMs: 0, blockEvery: 1 };
    const started = await startWithProtocol(
      { folder, parameters, ports, pace: quickly, feeRecipient, onEvent: (line) => console.error(line) },
      stop,
    );
    ({ devnet } = started);
    const tips = (await started.protocol.contracts.rewardsVault.getAddress()).toLowerCase() as `0x${string}`;
    if (options.keys > 0) await devnet.startValidators("validators", { first: 0, count: options.keys }, tips);
    if (keystores !== undefined) await devnet.startValidators("own-validators", keystores, tips);
    const daemons = options.daemons ? await startDaemons(devnet, started.protocol) : undefined;
    await devnet.setPace(pace);
    beside = await serveBeside?.(devnet, started.protocol);
    if (beside !== undefined) row(beside.name, beside.url);
    await print(devnet, started.protocol, daemons);
    console.log(`started in ${((performance.now() - begin) / 1_000).toFixed(1)} s; Ctrl-C stops`);
    await watch(devnet, stop);
  } finally {
    await beside?.close();
    await devnet?.stop();
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

/** @throws UsageError where two clients would sign with one key */
async function checkOwnKeys({ keys, keystores }: Options): Promise<void> {
  if (keystores === undefined) return;
  const own = await keysOf(keystores);
  const development = await keysOf({ first: 0, count: keys });
  for (const { pubkey } of own) {
    const number = development.findIndex((key) => key.pubkey === pubkey);
    if (number !== -1)
      throw new UsageError(`${pubkey} is development key ${number}, which --keys ${keys} operates: give --keys 0`);
  }
}

async function print(devnet: Devnet, protocol: DeployedProtocol, daemons: Daemons | undefined): Promise<void> {
  const { contracts, wallets, deploymentFile } = protocol;
  const { folder, parameters } = devnet.options;
  row("JSON-RPC", `${devnet.rpcUrl}  (chain ${parameters.chainId})`);
  row("Beacon API", devnet.beaconUrl);
  row("data", folder);
  row("addresses", deploymentFile);
  for (const [name, address] of Object.entries(await addressesOf(contracts))) row(name, address);
  wallets.forEach(({ address, privateKey }, index) =>
    row(ACCOUNT_NAMES[index] ?? `account ${index}`, `${address}  ${privateKey}`),
  );
  console.log(`${FUNDED_ACCOUNTS} accounts with 1,000,000 ETH each, of the mnemonic "test ... junk"`);
  for (const [name, url] of Object.entries(daemons?.healthUrls ?? {})) row(name, `${url}/metrics, /healthz, /readyz`);
  console.log("\nfor a shell that uses it:");
  const settings = { EXECUTION_URLS: devnet.rpcUrl, BEACON_URLS: devnet.beaconUrl, DEPLOYMENT: deploymentFile };
  for (const [name, value] of Object.entries(settings)) console.log(`export ESTUARY_${name}='${value}'`);
  for (const [name, url] of Object.entries(daemons?.healthUrls ?? {}))
    console.log(`export ${name.toUpperCase().replace("-", "_")}_URL='${url}'`);
  console.log();
}

function row(name: string, value: string): void {
  console.log(`${name.padEnd(16)} ${value}`);
}

async function watch(devnet: Devnet, stop: AbortSignal): Promise<void> {
  let finalized = -1;
  while (!stop.aborted) {
    const status = await devnet.status().catch(() => undefined);
    if (status !== undefined && status.finalizedEpoch > finalized) {
      finalized = status.finalizedEpoch;
      console.log(`slot ${status.slot}, epoch ${status.epoch}, final ${finalized}, ${devnet.memory()} MiB`);
    }
    await sleep(1_000, undefined, { signal: stop }).catch(() => undefined);
  }
}
