/** A chain with a month of the protocol's life on it, served beside the built app: what the browser tests and the screenshots look at. */
import { createServer } from "node:http";
import type { Server, ServerResponse } from "node:http";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { extname, join, normalize } from "node:path";
import type { AddressInfo } from "node:net";
import { HDNodeWallet, Mnemonic, ZeroAddress } from "ethers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { network } from "hardhat";
import { contractValidatorProof } from "../../offchain/beacon/contractProofs.ts";
import { fundValidators, predeposit, prove, startLocalProtocol } from "../../devnet/simulated/localProtocol.ts";
import type { LocalProtocol } from "../../devnet/simulated/localProtocol.ts";
import { serveRpc } from "../../devnet/rpcServer.ts";

const ETH = 10n ** 18n;
/** Hardhat's own. */
const MNEMONIC = "test test test test test test test test test test test junk";
const STRANGERS = 320;

export interface LocalChain {
  readonly p: LocalProtocol;
  /** Of the app. */
  readonly url: string;
  readonly rpcUrl: string;
  /** While true, the node answers nothing. */
  setDown(isDown: boolean): void;
  /** From now on the node thinks so long about each request, milliseconds. */
  setDelay(ms: number): void;
  /** Another day: blocks, and its report. */
  day(): Promise<void>;
  request(method: string, params?: readonly unknown[]): Promise<unknown>;
  stop(): Promise<void>;
}

export interface ChainOptions {
  readonly days: number;
  /** The built app. */
  readonly folder: string;
  readonly port?: number;
  /** How often a page looks for something new. Default 1: a test does not wait. */
  readonly pollSeconds?: number;
}

/** Alice has estETH and a request that can be claimed and one that waits; Bob has little; Carol has westETH. */
export async function startLocalChain({ days, folder, port = 0, pollSeconds = 1 }: ChainOptions): Promise<LocalChain> {
  const connection = await network.create();
  const p = await startLocalProtocol(connection, { beacon: { genesisValidators: STRANGERS } });
  const rewardsVault = await p.rewardsVault.getAddress();
  const day = async (): Promise<void> => {
    p.beacon.creditExecutionReward(rewardsVault, 6n * 10n ** 15n);
    await p.committee.report();
  };
  await live(p, days, day, (await connection.ethers.getSigners()).slice(9));

  const rpc = await serveRpc(connection.provider, 0);
  const rpcUrl = `http://127.0.0.1:${(rpc.address() as AddressInfo).port}`;
  const [token, wrapped] = await Promise.all([p.token.getAddress(), p.wrapped.getAddress()]);
  let isDown = false;
  let delay = 0;
  const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(MNEMONIC), "m/44'/60'/0'/0");
  const config = {
    network: "Local",
    deployment: { chainId: 31_337, token, wrapped, fromBlock: 0 },
    rpc: ["rpc"],
    clock: "chain",
    pollSeconds,
    accounts: [
      ["Alice", 4],
      ["Bob", 5],
      ["Carol", 6],
      ["Dave", 15],
    ].map(([name, index]) => ({ name, key: root.deriveChild(Number(index)).privateKey })),
  };
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://local").pathname;
    if (path === "/config.json") {
      answer(response, 200, "application/json", JSON.stringify(config));
      return;
    }
    if (path === "/rpc") {
      if (isDown) {
        request.socket.destroy();
        return;
      }
      return void forward(request, response, rpcUrl, delay).catch(() => response.destroy()); // the page went away meanwhile
    }
    void serveFile(folder, path, response);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    p,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    rpcUrl,
    setDown: (down) => {
      isDown = down;
    },
    setDelay: (ms) => {
      delay = ms;
    },
    day,
    request: (method, params = []) => connection.provider.request({ method, params: [...params] }),
    stop: async () => {
      await Promise.all([closed(server), closed(rpc)]);
      await connection.close();
    },
  };
}

async function live(
  p: LocalProtocol,
  days: number,
  day: () => Promise<void>,
  others: readonly HardhatEthersSigner[],
): Promise<void> {
  const stake = (who: HardhatEthersSigner, amount: bigint) =>
    p.pool.connect(who).deposit(who, ZeroAddress, { value: amount });
  await stake(p.alice, 130n * ETH);
  await stake(p.bob, 3n * ETH + 200_100_000_000_000_007n);
  await p.wrapped.connect(p.carol).stake(p.carol, ZeroAddress, { value: 20n * ETH });
  const keys = await fundValidators(p, 3, 0);
  const [joins] = others;
  if (joins === undefined) throw new Error("the network has too few accounts");
  await p.operators.connect(joins).join(1, joins, "Harbour Nodes");
  const operatorId = await p.operators.operatorCount();
  await p.operators.connect(joins).addBond(operatorId, { value: 5n * ETH });
  await prove(p, await predeposit(p, 2, 3, joins, operatorId));
  for (let count = 1; count <= days; count++) {
    if (count === Math.floor(days * 0.6)) await slash(p, keys[2]?.pubkey);
    // more than a day earns: a fall that everybody bears
    if (count === Math.floor(days * 0.8)) p.beacon.penalise(keys[0]?.pubkey ?? 0, 40_000_000n);
    if (count === days - 4) await p.queue.connect(p.alice).requestWithdrawals([ETH / 2n, (3n * ETH) / 10n], p.alice);
    await day();
  }
  await p.queue.connect(p.alice).requestWithdrawals([(3n * ETH) / 2n, 90n * ETH], p.alice);
}

async function slash(p: LocalProtocol, pubkey: string | undefined): Promise<void> {
  if (pubkey === undefined) return;
  const key = pubkey as `0x${string}`;
  p.beacon.slash(key);
  await p.beacon.advanceSlots(2);
  await p.validators.connect(p.keeper).proveSlashed(contractValidatorProof(p.beacon.proveValidator(key)));
}

async function forward(
  request: AsyncIterable<Buffer>,
  response: ServerResponse,
  url: string,
  delay: number,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  await sleep(delay);
  const answered = await fetch(url, { method: "POST", body: Buffer.concat(chunks) });
  answer(response, answered.status, "application/json", await answered.text());
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".json": "application/json",
};

async function serveFile(folder: string, path: string, response: ServerResponse): Promise<void> {
  const file = join(folder, normalize(path === "/" ? "/index.html" : path));
  try {
    answer(response, 200, TYPES[extname(file)] ?? "application/octet-stream", await readFile(file));
  } catch {
    answer(response, 404, "text/plain", "not found");
  }
}

function answer(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  response.writeHead(status, { "content-type": type });
  response.end(body);
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
