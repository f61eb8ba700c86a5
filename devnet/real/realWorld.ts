/** The real devnet behind the interface that the simulated layer has. */
import { setTimeout as sleep } from "node:timers/promises";
import { createBeaconConfig, chainConfigFromJson } from "@lodestar/config";
import { ssz } from "@lodestar/types";
import type { electra } from "@lodestar/types";
import { getBytes } from "ethers";
import { BeaconClient } from "../../offchain/beacon/client.ts";
import { systemClock } from "../../offchain/util/clock.ts";
import type { Hex } from "../../offchain/util/hex.ts";
import { deriveValidatorKeys } from "../keys.ts";
import type { ValidatorKey } from "../keys.ts";
import { ACTORS } from "../scenario/world.ts";
import type { Actor, World } from "../scenario/world.ts";
import { beaconApi } from "./beaconApi.ts";
import { killWhenItSays, startDaemons } from "./daemons.ts";
import type { Daemons, OwnSettings } from "./daemons.ts";
import type { Devnet } from "./devnet.ts";
import { ACCOUNT_NAMES } from "./protocol.ts";
import type { DeployedProtocol } from "./protocol.ts";
import { attestationRoot } from "./signing.ts";
import { epochOf } from "./transition.ts";
import type { BeaconApi } from "./validatorClient.ts";

const TICK_MS = 200;
const KEYS = 3;
const SLOTS_AFTER_FAULT = 8;
/** Full speed has a block in each of these slots: one when people act, one when they wait for hundreds of epochs. */
const BLOCK_EVERY = { acting: 4, inHurry: 8 };

export interface RealWorld extends World {
  readonly daemons: Daemons;
}

/** Starts a validator client for the keys, whose tips go to the rewards vault, the committee's daemons and the keeper. */
export async function realWorld(devnet: Devnet, protocol: DeployedProtocol, own?: OwnSettings): Promise<RealWorld> {
  const { contracts, provider, wallets } = protocol;
  const api = beaconApi(devnet.beaconUrl);
  const tips = (await contracts.rewardsVault.getAddress()).toLowerCase() as Hex;
  const [daemons] = await Promise.all([
    startDaemons(devnet, protocol, own),
    devnet.startValidators("validators", { first: 0, count: KEYS }, tips),
  ]);
  const { members, keeper } = daemons;
  await devnet.setPace({ slotMs: 0, blockEvery: BLOCK_EVERY.acting });
  const walletOf = (actor: Actor) => {
    const wallet = wallets[ACCOUNT_NAMES.indexOf(actor)];
    if (wallet === undefined) throw new Error(`no account for ${actor}`);
    return wallet.connect(provider);
  };
  const killClients = async (): Promise<string> => {
    for (const client of [devnet.execution, devnet.beacon]) {
      const { slot } = await devnet.status();
      await client.restart();
      await untilSlot(devnet, slot + SLOTS_AFTER_FAULT);
    }
    return "execution client and beacon node, one after the other";
  };
  const kill = {
    clients: killClients,
    member: async () => `${(await killWhenItSays(members, "report signed")).spec.name} with its report just signed`,
    keeper: async () => `${(await killWhenItSays([keeper], "sent")).spec.name} with its transaction on the way`,
  };
  return {
    daemons,
    name: "real",
    keepsEveryBlock: true,
    contracts,
    provider,
    beacon: new BeaconClient({
      urls: [devnet.beaconUrl],
      clock: systemClock,
      maxLagSlots: Number.MAX_SAFE_INTEGER,
    }),
    beaconJson: (path) => api.get(path),
    actors: Object.fromEntries(ACTORS.map((actor) => [actor, walletOf(actor)])) as unknown as World["actors"],
    keys: deriveValidatorKeys(KEYS),
    tick: async () => {
      await sleep(TICK_MS);
    },
    hurry: (on) => devnet.setPace({ blockEvery: on ? BLOCK_EVERY.inHurry : BLOCK_EVERY.acting }),
    voteTwice: async (key) => api.post("/eth/v2/beacon/pool/attester_slashings", await doubleVote(api, key)).then(noop),
    disturb: (fault) => kill[fault](),
    stop: () => devnet.stop(),
  };
}

/** Two attestations for one target epoch with different heads, each signed by the validator. */
async function doubleVote(api: BeaconApi, key: ValidatorKey): Promise<unknown> {
  const [{ data: spec }, { data: genesis }, { data: found }, { data: head }] = (await Promise.all([
    api.get("/eth/v1/config/spec"),
    api.get("/eth/v1/beacon/genesis"),
    api.get(`/eth/v1/beacon/states/head/validators?id=${key.pubkey}`),
    api.get("/eth/v1/beacon/headers/head"),
  ])) as [
    { data: Record<string, string> },
    { data: { genesis_validators_root: Hex } },
    { data: { index: string }[] },
    { data: { header: { message: { slot: string } } } },
  ];
  const config = createBeaconConfig(chainConfigFromJson(spec), getBytes(genesis.genesis_validators_root));
  const slot = Number(head.header.message.slot);
  const vote = (byte: number): electra.IndexedAttestationBigint => {
    const root = new Uint8Array(32).fill(byte);
    const source = { epoch: 0, root: new Uint8Array(32) };
    const data = { slot, index: 0, beaconBlockRoot: root, source, target: { epoch: epochOf(slot), root } };
    const signature = getBytes(key.sign(attestationRoot(config, data)));
    const bigint = ssz.phase0.AttestationDataBigint.fromJson(ssz.phase0.AttestationData.toJson(data));
    return { attestingIndices: [Number(found[0]?.index)], data: bigint, signature };
  };
  return ssz.electra.AttesterSlashing.toJson({ attestation1: vote(1), attestation2: vote(2) });
}

/** Blocks come again. */
async function untilSlot(devnet: Devnet, slot: number): Promise<void> {
  for (;;) {
    const status = await devnet.status().catch(() => undefined);
    if ((status?.slot ?? 0) >= slot) return;
    await sleep(TICK_MS);
  }
}

function noop(): void {
  // the answer has no body
}
