/** A chain with a life so far, served beside the built app: what the browser tests and the screenshots look at. */
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { network } from "hardhat";
import type { LiquidityContracts } from "../../deploy/deployLiquidity.ts";
import { STRANGERS, day, liveThroughDays, walletAccounts } from "../../devnet/dev/month.ts";
import { servePages } from "../../devnet/dev/pages.ts";
import { serveRpc } from "../../devnet/rpcServer.ts";
import { startLocalProtocol } from "../../devnet/simulated/localProtocol.ts";
import type { LocalProtocol } from "../../devnet/simulated/localProtocol.ts";
import { deploymentOf } from "../../offchain/chain/deploymentFile.ts";
import { closeServer } from "../../offchain/util/health.ts";

export interface LocalChain {
  readonly p: LocalProtocol;
  readonly liquidity: LiquidityContracts;
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
  /** How often a page looks for something new. Default 1: a test does not wait. */
  readonly pollSeconds?: number;
}

/** Alice has estETH and a request that can be claimed and one that waits; Bob has little; Carol has westETH; Erin lends to the EtherPool. */
export async function startLocalChain({ days, folder, pollSeconds = 1 }: ChainOptions): Promise<LocalChain> {
  const connection = await network.create();
  const p = await startLocalProtocol(connection, { beacon: { genesisValidators: STRANGERS } });
  const liquidity = await liveThroughDays(p, connection, days);
  const rpc = await serveRpc(connection.provider, 0);
  const rpcUrl = `http://127.0.0.1:${(rpc.address() as AddressInfo).port}`;
  const deployment = await deploymentOf(31_337n, { ...p.contracts, ...liquidity }, 0);
  let isDown = false;
  let delay = 0;
  const config = {
    network: "Local",
    deployment: { ...deployment, chainId: 31_337 },
    rpc: ["rpc"],
    clock: "chain",
    pollSeconds,
    accounts: walletAccounts(),
  };
  const onForward = async (): Promise<"answer" | "drop"> => {
    if (isDown) return "drop";
    await sleep(delay);
    return "answer";
  };
  const pages = await servePages({ folder, config, rpcUrl, port: 0, onForward });
  return {
    p,
    liquidity,
    url: pages.url,
    rpcUrl,
    setDown: (down) => {
      isDown = down;
    },
    setDelay: (ms) => {
      delay = ms;
    },
    day: () => day(p),
    request: (method, params = []) => connection.provider.request({ method, params: [...params] }),
    stop: async () => {
      await Promise.all([pages.close(), closeServer(rpc)]);
      await connection.close();
    },
  };
}
