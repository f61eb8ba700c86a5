/** The simulated layer behind the interface that the real devnet has: its Beacon API is served on loopback and read over HTTP. */
import type { NetworkConnection } from "hardhat/types/network";
import type { Settings } from "../../deploy/lib/parameters.ts";
import { BeaconClient } from "../../offchain/beacon/client.ts";
import { systemClock } from "../../offchain/util/clock.ts";
import { serveBeaconApi } from "../api/server.ts";
import { deriveValidatorKeys } from "../keys.ts";
import { startLocalProtocol } from "../localProtocol.ts";
import { beaconApi } from "../real/beaconApi.ts";
import { DEFAULT_PARAMETERS } from "../real/chainConfig.ts";
import type { World } from "./world.ts";

const SLOTS_PER_TICK = 16;
const EPOCHS_IN_HURRY = 4;

export async function simulatedWorld(
  connection: NetworkConnection,
  settings: Partial<Settings>,
  fork: "electra" | "fulu" = "electra",
): Promise<World> {
  const p = await startLocalProtocol(connection, {
    settings,
    beacon: { fork, rules: { minValidatorWithdrawabilityDelay: DEFAULT_PARAMETERS.withdrawabilityDelay } },
  });
  const { governor, alice, bob, carol, nodeOperator, keeper, beacon } = p;
  const server = await serveBeaconApi(beacon);
  const api = beaconApi(server.url);
  let inHurry = false;
  return {
    name: "simulated",
    keepsEveryBlock: false,
    contracts: p.contracts,
    provider: connection.ethers.provider,
    beacon: new BeaconClient({ urls: [server.url], clock: systemClock, maxLagSlots: Number.MAX_SAFE_INTEGER }),
    beaconJson: (path) => api.get(path),
    actors: { governor, alice, bob, carol, nodeOperator, keeper },
    committee: p.committee.wallets,
    quorum: p.committee.quorum,
    keys: deriveValidatorKeys(3),
    tick: async () => {
      if (inHurry) await beacon.advanceEpochs(EPOCHS_IN_HURRY);
      // blocks in a row: what was sent is included, and has a successor to be proven by
      else await beacon.advanceSlots(SLOTS_PER_TICK);
    },
    hurry: (on) => {
      inHurry = on;
      return Promise.resolve();
    },
    voteTwice: (key) => {
      beacon.slash(key.pubkey);
      return Promise.resolve();
    },
    disturb: () => Promise.resolve(undefined),
    stop: () => server.close(),
  };
}
