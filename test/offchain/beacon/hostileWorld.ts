/** One simulated chain with missed slots, and clients of nodes in front of it that misbehave. */
import { network } from "hardhat";
import { serveBeaconApi } from "../../../devnet/simulated/api/server.ts";
import type { BeaconApi } from "../../../devnet/simulated/api/server.ts";
import { SimulatedBeacon } from "../../../devnet/simulated/beacon.ts";
import { BeaconClient } from "../../../offchain/beacon/client.ts";
import { hostileBeacon } from "../../helpers/hostile/beacon.ts";
import type { Behaviour, HostileBeacon } from "../../helpers/hostile/beacon.ts";

export interface HostileWorld {
  readonly beacon: SimulatedBeacon;
  readonly good: BeaconApi;
  /** What the clients' nodes failed with, since the last `reset`. */
  readonly failures: string[];
  /** Seconds that clients slept, since the last `reset`. */
  readonly slept: number[];
  node(...behaviours: readonly Behaviour[]): Promise<HostileBeacon>;
  client(...nodes: readonly { readonly url: string }[]): BeaconClient;
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** Its last blocks are in slots 100, 104, 105 and 106. */
export async function hostileWorld(): Promise<HostileWorld> {
  const { provider } = await network.create();
  const beacon = await SimulatedBeacon.start(provider, { genesisValidators: 70 });
  await beacon.advanceSlots(100);
  await beacon.missSlots(3);
  await beacon.advanceSlots(3);
  const good = await serveBeaconApi(beacon);
  const nodes: HostileBeacon[] = [];
  const failures: string[] = [];
  const slept: number[] = [];
  const clock = {
    now: () => beacon.timeOf(beacon.head.slot),
    sleep: (seconds: number) => {
      slept.push(seconds);
      return Promise.resolve();
    },
  };
  const reset = async (): Promise<void> => {
    for (const node of nodes.splice(0)) await node.close();
    failures.length = 0;
    slept.length = 0;
    for (const fault of Object.keys(good.faults)) Reflect.deleteProperty(good.faults, fault);
  };
  return {
    beacon,
    good,
    failures,
    slept,
    async node(...behaviours) {
      const node = await hostileBeacon(good.url, ...behaviours);
      nodes.push(node);
      return node;
    },
    client: (...urls) =>
      new BeaconClient({
        urls: urls.map(({ url }) => url),
        clock,
        chainId: 31_337n,
        timeoutSeconds: 2,
        onFailure: (host, message) => failures.push(`${host}: ${message}`),
      }),
    reset,
    async close() {
      await reset();
      await good.close();
    },
  };
}

/** The message of an error, every line of it. */
export async function messageOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "it did not fail",
    (error: unknown) => (error as Error).message,
  );
}
