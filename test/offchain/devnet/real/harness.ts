/** A chain in this process: the published state transition, a fake execution layer, blocks in a temporary folder. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import "../../../../devnet/hasher.ts";
import type { SecretKey } from "@chainsafe/blst";
import { interopSecretKeys } from "@lodestar/state-transition";
import { Announcements } from "../../../../devnet/real/announcements.ts";
import { beaconGenesis } from "../../../../devnet/real/beaconGenesis.ts";
import { BlockStore } from "../../../../devnet/real/blockStore.ts";
import { BeaconChain } from "../../../../devnet/real/chain.ts";
import { DEFAULT_PARAMETERS, beaconConfigOf } from "../../../../devnet/real/chainConfig.ts";
import type { DevnetParameters, Fork } from "../../../../devnet/real/chainConfig.ts";
import { History } from "../../../../devnet/real/history.ts";
import { runSlot } from "../../../../devnet/real/slotLoop.ts";
import type { Pace, SlotLoopOptions } from "../../../../devnet/real/slotLoop.ts";
import { FakeEngine } from "./fakeEngine.ts";

export interface TestChain {
  readonly chain: BeaconChain;
  readonly engine: FakeEngine;
  readonly store: BlockStore;
  readonly folder: string;
  readonly parameters: DevnetParameters;
  readonly secrets: Map<number, SecretKey>;
  readonly announced: Announcements;
  readonly missed: number[];
  readonly pace: Pace;
  run(slots: number): Promise<void>;
  close(): void;
}

/** @param existing a folder whose chain goes on */
export async function startChain(
  options: { readonly fork?: Fork; readonly validators?: number; readonly existing?: string } = {},
): Promise<TestChain> {
  const parameters = {
    ...DEFAULT_PARAMETERS,
    fork: options.fork ?? "electra",
    genesisValidators: options.validators ?? 32,
  };
  const engine = new FakeEngine();
  const folder = options.existing ?? mkdtempSync(join(tmpdir(), "estuary-chain-"));
  const store = new BlockStore(folder);
  const genesis = beaconGenesis(parameters, await engine.block(0));
  const config = beaconConfigOf(parameters, genesis.genesisValidatorsRoot);
  const history = new History(config, store, genesis);
  const chain = new BeaconChain(config, engine, history, history.restore());
  const secrets = new Map(interopSecretKeys(parameters.genesisValidators).map((secret, index) => [index, secret]));
  const announced = new Announcements();
  const pace = { slotMs: 0, blockEvery: 1 };
  const missed: number[] = [];
  const loop: SlotLoopOptions = {
    chain,
    secrets,
    announced,
    feeRecipient: "0x00000000000000000000000000000000000fee00",
    pace,
    patienceMs: 0,
    events: {
      onSlot: () => undefined,
      onVotes: () => undefined,
      onMissed: (slot) => missed.push(slot),
      onError: (_, error) => {
        throw error;
      },
    },
  };
  let slot = chain.head.entry.slot;
  const run = async (slots: number): Promise<void> => {
    for (let step = 0; step < slots; step++) await runSlot(loop, ++slot, new AbortController().signal);
  };
  const close = (): void => {
    store.close();
    if (options.existing === undefined) rmSync(folder, { recursive: true, force: true });
  };
  return { chain, engine, store, folder, parameters, secrets, announced, missed, pace, run, close };
}
