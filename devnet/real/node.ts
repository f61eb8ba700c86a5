/** The beacon node: chain, clock and Beacon API over one execution client. Runs in a process of its own, or in a test's. */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import "../hasher.ts";
import { SLOTS_PER_EPOCH } from "@lodestar/params";
import { interopSecretKeys } from "@lodestar/state-transition";
import type { BeaconStateElectra } from "@lodestar/state-transition";
import { ssz } from "@lodestar/types";
import type { Hex } from "../../offchain/util/hex.ts";
import { blockRoutes } from "./api/blockRoutes.ts";
import { devnetRoutes } from "./api/devnetRoutes.ts";
import { Events } from "./api/events.ts";
import { nodeRoutes } from "./api/nodeRoutes.ts";
import { poolRoutes } from "./api/poolRoutes.ts";
import { serveRoutes } from "./api/router.ts";
import { stateRoutes } from "./api/stateRoutes.ts";
import { validatorRoutes } from "./api/validatorRoutes.ts";
import { Announcements } from "./announcements.ts";
import { beaconGenesis } from "./beaconGenesis.ts";
import { BlockStore } from "./blockStore.ts";
import { BeaconChain } from "./chain.ts";
import { beaconConfigOf } from "./chainConfig.ts";
import type { DevnetParameters } from "./chainConfig.ts";
import { EngineUnreachableError } from "./engine.ts";
import type { Engine } from "./engine.ts";
import { History } from "./history.ts";
import { runSlots } from "./slotLoop.ts";
import type { Pace } from "./slotLoop.ts";
import { epochOf } from "./transition.ts";

export interface NodeOptions {
  readonly folder: string;
  readonly parameters: DevnetParameters;
  /** 0 picks a free one. */
  readonly restPort: number;
  readonly pace: Pace;
  readonly feeRecipient: Hex;
  readonly patienceMs: number;
  readonly log: (line: string) => void;
}

export interface BeaconNode {
  readonly chain: BeaconChain;
  readonly url: string;
  /** Ends when the loop does. */
  readonly done: Promise<void>;
  /** Finishes the slot, writes the head's state and closes everything. */
  stop(): Promise<void>;
}

export async function startNode(options: NodeOptions, engine: Engine): Promise<BeaconNode> {
  const { parameters, log, pace } = options;
  const store = new BlockStore(options.folder);
  const genesis = await genesisState(store, parameters, engine);
  const config = beaconConfigOf(parameters, genesis.genesisValidatorsRoot);
  const history = new History(config, store, genesis);
  const chain = new BeaconChain(config, engine, history, history.restore());
  await chain.syncEngine();

  const announced = new Announcements();
  const stopping = new AbortController();
  let slot = chain.head.entry.slot;
  let isEngineOffline = false;
  const events = new Events(chain);
  chain.onImport(({ finalized, entry }) => {
    isEngineOffline = false;
    if (finalized !== undefined)
      log(`slot ${entry.slot}, epoch ${epochOf(entry.slot)}: epoch ${finalized.epoch} is final`);
  });
  const server = await serveRoutes(
    [
      ...nodeRoutes(chain, () => isEngineOffline),
      ...stateRoutes(chain),
      ...blockRoutes(chain),
      ...poolRoutes(chain),
      ...validatorRoutes(chain, () => slot, announced),
      ...devnetRoutes(chain, pace),
      events.route(),
    ],
    options.restPort,
    (path, error) => log(`${path}: ${error.stack ?? error.message}`),
  );
  const done = runSlots(
    {
      chain,
      secrets: new Map(interopSecretKeys(parameters.genesisValidators).map((secret, index) => [index, secret])),
      announced,
      feeRecipient: options.feeRecipient,
      pace,
      patienceMs: options.patienceMs,
      events: {
        onSlot: (started, isProposed) => {
          slot = started;
          if (started % SLOTS_PER_EPOCH === 0) announced.forgetSilent(epochOf(started));
          events.send("devnet_slot", { slot: String(started), propose: isProposed });
        },
        onVotes: (of) => events.send("devnet_votes", { slot: String(of) }),
        onMissed: (missed, reason) => log(`slot ${missed} is missed: ${reason}`),
        onError: (failed, error) => {
          isEngineOffline = error instanceof EngineUnreachableError;
          log(`slot ${failed}: ${error.message}`);
        },
      },
    },
    stopping.signal,
  );
  const stop = async (): Promise<void> => {
    stopping.abort();
    await done;
    events.close();
    await closeServer(server);
    history.saveHead(chain.head.entry, chain.head.state);
    store.close();
  };
  return { chain, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, done, stop };
}

async function genesisState(
  store: BlockStore,
  parameters: DevnetParameters,
  engine: Engine,
): Promise<BeaconStateElectra> {
  const bytes = store.readState(0);
  if (bytes === undefined) return beaconGenesis(parameters, await engine.block(0));
  const { BeaconState } = ssz[parameters.fork] as typeof ssz.electra;
  return BeaconState.deserializeToViewDU(bytes);
}

async function closeServer(server: Server): Promise<void> {
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
}
