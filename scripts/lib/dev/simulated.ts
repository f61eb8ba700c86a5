/** `npm run dev`: the simulated chain with all that runs beside it, until it is stopped. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openDevChain } from "../../../devnet/dev/chain.ts";
import type { DevChain } from "../../../devnet/dev/chain.ts";
import { letTimePass } from "../../../devnet/dev/clock.ts";
import { NUMBERS, walletOf } from "../../../devnet/dev/month.ts";
import { CHAIN_ID, startDevNetwork } from "../../../devnet/dev/network.ts";
import { addressesOf } from "../../../devnet/real/protocol.ts";
import { deploymentPath } from "../../../offchain/chain/deploymentFile.ts";
import { systemClock } from "../../../offchain/util/clock.ts";
import { releaseLock, takeLock } from "../../../offchain/util/lock.ts";
import { LOCAL_APP, buildLocalApp } from "../build.ts";
import type { DevOptions } from "./options.ts";
import { tableOf } from "./table.ts";

/** @throws AppError: invalid (what is kept), refused (another process has the folder) */
export async function runSimulated(options: DevOptions, stop: AbortSignal): Promise<void> {
  const { folder } = options;
  mkdirSync(folder, { recursive: true });
  const lock = join(folder, "lock");
  takeLock(lock, "runs in this folder");
  try {
    await run(options, stop);
  } finally {
    releaseLock(lock);
  }
}

async function run(options: DevOptions, stop: AbortSignal): Promise<void> {
  const begin = performance.now();
  const { folder, daySeconds } = options;
  const journal = join(folder, "journal.jsonl");
  if (options.fresh)
    for (const name of [journal, join(folder, "members")]) rmSync(name, { recursive: true, force: true });
  // on the other core
  const built = buildLocalApp(stop);
  built.catch(() => undefined);
  const chain = await openDevChain({ journal, onProgress: (text) => console.log(text), signal: stop });
  try {
    await built;
    const deploymentFile = deploymentPath(BigInt(CHAIN_ID));
    const network = await startDevNetwork(chain, {
      app: LOCAL_APP,
      ports: { rpc: options.port, beacon: options.beaconPort, app: options.appPort },
      daySeconds,
      folder,
      deploymentFile,
    });
    try {
      const contracts = await addressesOf({ ...chain.p.contracts, ...chain.liquidity });
      console.log(tableOf({ ...network, chainId: CHAIN_ID, deploymentFile, folder, contracts, accounts: accounts() }));
      const seconds = ((performance.now() - begin) / 1_000).toFixed(1);
      console.log(`\nready in ${seconds} s: open ${network.appUrl}`);
      console.log(`a day takes ${daySeconds} s; Ctrl-C stops, and the same command goes on from there`);
      await Promise.all([letTimePass(chain, daySeconds, stop), tellReports(chain, stop)]);
    } finally {
      await network.close();
    }
  } finally {
    await chain.close();
  }
}

/** A line for each report that the committee brings. */
async function tellReports({ p }: DevChain, stop: AbortSignal): Promise<void> {
  let last = await p.oracle.lastRefSlot();
  const isStopped = (): boolean => stop.aborted;
  while (!isStopped()) {
    await systemClock.sleep(1, stop).catch(() => undefined);
    const now = await p.oracle.lastRefSlot();
    if (now > last) console.log(`reported: slot ${now}, ${dateOf(p.beacon.timeOf(Number(now)))}`);
    last = now;
  }
}

function dateOf(time: number): string {
  return `${new Date(time * 1_000).toISOString().slice(0, 16).replace("T", " ")} UTC on the chain`;
}

function accounts(): { readonly name: string; readonly address: string; readonly key: string }[] {
  return (Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]).map((name) => {
    const { address, privateKey } = walletOf(name);
    return { name, address, key: privateKey };
  });
}
