/** All that runs beside the local chain: its JSON-RPC and Beacon API, the app, the committee's members and the keeper. */
import { closeSync, mkdirSync, openSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { JsonRpcProvider } from "ethers";
import { deploymentOf, writeDeployment } from "../../offchain/chain/deploymentFile.ts";
import { closeServer } from "../../offchain/util/health.ts";
import { makeLog } from "../../offchain/util/log.ts";
import { serveRpc } from "../rpcServer.ts";
import { serveBeaconApi } from "../simulated/api/server.ts";
import type { DevChain } from "./chain.ts";
import { daemonClock } from "./clock.ts";
import { controlHandler } from "./control.ts";
import { runDaemons } from "./daemons.ts";
import { walletAccounts, walletOf } from "./month.ts";
import { servePages } from "./pages.ts";
import { simulatedControls } from "./simulatedControls.ts";

export const CHAIN_ID = 31_337;
/** How often a page looks for something new, and daemons. */
const LOOK_SECONDS = 2;

export interface DevNetworkOptions {
  /** The built app. */
  readonly app: string;
  /** 0 takes a free one. */
  readonly ports: { readonly rpc: number; readonly beacon: number; readonly app: number };
  /** Of the wall: what the developer panel says. */
  readonly daySeconds: number;
  /** Of the members' journals, and the daemons' log. */
  readonly folder: string;
  /** The addresses file that is written. */
  readonly deploymentFile: string;
}

export interface DevNetwork {
  readonly appUrl: string;
  readonly rpcUrl: string;
  readonly beaconUrl: string;
  close(): Promise<void>;
}

/** @throws where a port can't be taken */
export async function startDevNetwork(chain: DevChain, options: DevNetworkOptions): Promise<DevNetwork> {
  const { app, ports, daySeconds, folder, deploymentFile } = options;
  const { p } = chain;
  /** The newest is ended first. */
  const endings: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const end of endings.splice(0).reverse()) await end();
  };
  try {
    const rpc = await serveRpc(chain.provider, ports.rpc);
    endings.push(() => closeServer(rpc));
    const rpcUrl = `http://127.0.0.1:${(rpc.address() as AddressInfo).port}`;
    const forAll = await serveBeaconApi(p.beacon, ports.beacon);
    endings.push(() => forAll.close());
    // a committee that is to miss a report has a node that is out of order
    const forMembers = await serveBeaconApi(p.beacon);
    endings.push(() => forMembers.close());
    Object.defineProperty(forMembers.faults, "status", { get: () => (chain.isSilent() ? 503 : undefined) });

    const deployment = await deploymentOf(BigInt(CHAIN_ID), { ...p.contracts, ...chain.liquidity }, 0);
    writeDeployment(deploymentFile, deployment);
    const provider = new JsonRpcProvider(rpcUrl, CHAIN_ID, { staticNetwork: true, cacheTimeout: -1 });
    endings.push(() => provider.destroy());
    const pages = await servePages({
      folder: app,
      rpcUrl,
      port: ports.app,
      config: {
        network: "Local",
        deployment: { ...deployment, chainId: CHAIN_ID },
        rpc: ["rpc"],
        clock: "chain",
        pollSeconds: LOOK_SECONDS,
        accounts: walletAccounts(),
        control: "control",
      },
      also: { control: controlHandler(simulatedControls(chain, provider, daySeconds)) },
    });
    endings.push(() => pages.close());

    mkdirSync(folder, { recursive: true });
    const log = openSync(join(folder, "daemons.log"), "a");
    endings.push(() => closeSync(log));
    const end = new AbortController();
    const running = runDaemons({
      executionUrl: rpcUrl,
      beaconUrl: forMembers.url,
      keeperBeaconUrl: forAll.url,
      deployment: deploymentFile,
      folder: join(folder, "members"),
      memberKeys: p.committee.wallets.map(({ privateKey }) => privateKey),
      keeperKey: walletOf("keeper").privateKey,
      clock: daemonClock(chain),
      pollSeconds: LOOK_SECONDS,
      log: (name) => makeLog(name, "info", { to: log, pretty: false }),
      signal: end.signal,
    });
    endings.push(() => {
      end.abort();
      return running;
    });
    return { appUrl: pages.url, rpcUrl, beaconUrl: forAll.url, close };
  } catch (error) {
    await close();
    throw error;
  }
}
