/**
 * `npm run dev`: the protocol on a long-lived local network, served over JSON-RPC on loopback until it is stopped. The beacon chain moves one
 * slot every `--slot-seconds`; each frame is reported as soon as it is final. Exit codes: 0 stopped, 1 failure, 2 usage.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { AddressInfo } from "node:net";
import { network } from "hardhat";
import { deploymentPath, writeDeployment } from "../offchain/chain/deploymentFile.ts";
import { serveRpc } from "../devnet/rpcServer.ts";
import { startLocalProtocol } from "../devnet/simulated/localProtocol.ts";
import { untilStopped } from "./lib/untilStopped.ts";

const stop = untilStopped();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "8545" },
      "slot-seconds": { type: "string", default: "12" },
    },
  });
  const port = wholeNumber("--port", values.port, 65_535);
  const slotSeconds = wholeNumber("--slot-seconds", values["slot-seconds"], 3_600);
  const connection = await network.create();
  const p = await startLocalProtocol(connection);
  const server = await serveRpc(connection.provider, port);
  console.log(`JSON-RPC        http://127.0.0.1:${(server.address() as AddressInfo).port}  (chain 31337)`);
  for (const [name, contract] of Object.entries(p.contracts) as [string, { getAddress(): Promise<string> }][])
    console.log(`${name.padEnd(15)} ${await contract.getAddress()}`);
  for (const name of ["governor", "guardian", "treasury", "alice", "bob", "carol", "nodeOperator", "keeper"] as const)
    console.log(`${name.padEnd(15)} ${p[name].address}  (unlocked, 10,000 ETH)`);
  const [token, wrapped] = await Promise.all([p.token.getAddress(), p.wrapped.getAddress()]);
  const file = deploymentPath(31_337n);
  writeDeployment(file, { chainId: 31_337n, token, wrapped, fromBlock: 0 });
  console.log(`addresses file  ${file}`);
  console.log(`a slot every ${slotSeconds} s; Ctrl-C stops`);
  const isStopped = (): boolean => stop.aborted;
  while (!isStopped()) {
    await sleep(slotSeconds * 1_000, undefined, { signal: stop }).catch(() => undefined);
    if (isStopped()) break;
    await p.beacon.advanceSlots(1);
    const due = await p.oracle.nextRefSlot();
    if (due > (await p.oracle.lastRefSlot()) && p.beacon.isFinalized(Number(due))) {
      await p.committee.report({ refSlot: due });
      console.log(`reported slot ${due}`);
    }
  }
  server.close();
  server.closeAllConnections();
  console.log("stopped");
}

class UsageError extends Error {}

function wholeNumber(option: string, text: string, limit: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > limit)
    throw new UsageError(`${option}: a whole number from 0 to ${limit}, not ${text}`);
  return value;
}

try {
  await main();
} catch (error) {
  if (!stop.aborted) {
    const isUsage =
      error instanceof UsageError || (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS") === true;
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = isUsage ? 2 : 1;
  }
}
