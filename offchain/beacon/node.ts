/**
 * One beacon node, and every spelling of the Beacon API (https://github.com/ethereum/beacon-APIs) that clients and the proxies before them are
 * known for. What is asked for is asked under each of its names until one is answered; what is answered is compared with what was asked for.
 */
import type { Hex } from "../util/hex.ts";
import { decodeBlock, decodeEnvelope, expectSame } from "./blockCodec.ts";
import type { Block, Envelope } from "./blockCodec.ts";
import { NodeRequests, Unusable, isMissing, isNoRoute, isNotServed, isTooLarge } from "./requests.ts";
import type { Habits, NodeContext } from "./requests.ts";
import {
  depositContractSchema,
  depositsSchema,
  finalitySchema,
  genesisSchema,
  headerSchema,
  specSchema,
  syncingSchema,
  validatorsSchema,
} from "./schemas.ts";
import type { Answer } from "./schemas.ts";
import { downloadState, servesState } from "./stateDownload.ts";
import type { Download } from "./stateDownload.ts";
import type { ValidatorInfo } from "./types.ts";

/** Bytes in a URL that everything on the way takes: 64 public keys (https://github.com/ethereum/beacon-APIs/issues/153). */
const MOST_IDS_IN_URL = 64;
/** In one POST: Lodestar takes about ten thousand (https://github.com/ChainSafe/lodestar/pull/6897). */
const MOST_IDS = 8_192;
/** Lodestar 1.44 refuses more than 20 in a URL (https://github.com/ChainSafe/lodestar/issues/9672). */
const LEAST_IDS = 16;

export function newHabits(): Habits {
  return { mostIds: MOST_IDS, mostIdsInUrl: MOST_IDS_IN_URL };
}

export type Genesis = Answer<typeof genesisSchema>["data"];
export interface Spec {
  readonly secondsPerSlot: number;
  readonly slotsPerEpoch: number;
  readonly chainId: bigint;
  readonly depositContract: Hex;
}

export interface HeaderInfo {
  readonly root: Hex;
  readonly slot: number;
  readonly finalized: boolean | undefined;
}

/** Of what a state's answers were made, where the node says: of final states only. */
export interface Told<T> {
  readonly value: T;
  readonly finalized: boolean | undefined;
}

export class BeaconNode {
  readonly url: string;
  readonly #requests: NodeRequests;

  constructor(url: string, context: NodeContext) {
    this.url = url;
    this.#requests = new NodeRequests(url, context);
  }

  async genesis(): Promise<Genesis> {
    return (await this.#requests.json("/eth/v1/beacon/genesis", genesisSchema)).data;
  }

  /**
   * SLOT_DURATION_MS replaces SECONDS_PER_SLOT (https://github.com/OffchainLabs/prysm/issues/16484,
   * https://github.com/status-im/nimbus-eth2/pull/7662): either will do, both must agree.
   */
  async spec(): Promise<Spec> {
    const { data } = await this.#requests.json("/eth/v1/config/spec", specSchema);
    const { SECONDS_PER_SLOT: seconds, SLOT_DURATION_MS: ms } = data;
    const secondsPerSlot = ms === undefined ? seconds : ms / 1_000;
    if (secondsPerSlot === undefined) throw new Unusable("does not say how long a slot is");
    if (!Number.isInteger(secondsPerSlot) || secondsPerSlot === 0) throw new Unusable(`has slots of ${ms} ms`);
    if (seconds !== undefined && seconds !== secondsPerSlot)
      throw new Unusable(`says that a slot has ${seconds} s, and that it has ${ms} ms`);
    const {
      DEPOSIT_CHAIN_ID: chainId,
      DEPOSIT_CONTRACT_ADDRESS: depositContract,
      SLOTS_PER_EPOCH: slotsPerEpoch,
    } = data;
    if (chainId !== undefined && depositContract !== undefined)
      return { secondsPerSlot, slotsPerEpoch, chainId, depositContract };
    const deposits = (await this.#requests.json("/eth/v1/config/deposit_contract", depositContractSchema)).data;
    return { secondsPerSlot, slotsPerEpoch, chainId: deposits.chain_id, depositContract: deposits.address };
  }

  /** The head's slot. @throws Unusable */
  async syncedTo(): Promise<number> {
    let answer: Answer<typeof syncingSchema>;
    try {
      answer = await this.#requests.json("/eth/v1/node/syncing", syncingSchema);
    } catch (error) {
      // a provider without `node/` routes: what it says of its head is not optimistic, and the clock tells whether it lags
      if (isNotServed(error)) return (await this.head()).slot;
      throw error;
    }
    const { is_syncing, is_optimistic, el_offline, head_slot } = answer.data;
    if (is_syncing) throw new Unusable("is syncing");
    if (is_optimistic === true) throw new Unusable("is optimistic: its execution layer has not verified its head");
    if (el_offline === true) throw new Unusable("has lost its execution layer");
    return head_slot;
  }

  async head(): Promise<HeaderInfo> {
    const header = await this.#header("head");
    if (header === undefined) throw new Unusable("does not show its head");
    return header;
  }

  /** Undefined where this node shows no canonical block there: it may be missed, or the node may not have it. */
  async headerAt(slot: number): Promise<HeaderInfo | undefined> {
    const header = await this.#header(String(slot));
    if (header !== undefined) expectSame("slot of the header", header.slot, slot);
    return header;
  }

  async #header(id: string): Promise<HeaderInfo | undefined> {
    const path = `/eth/v1/beacon/headers/${id}`;
    const { data = null, finalized } =
      (await this.#requests.orMissing(async () => this.#requests.json(path, headerSchema))) ?? {};
    if (data === null || data.canonical === false) return undefined;
    return { root: data.root, slot: data.header.message.slot, finalized };
  }

  /** A block of which the chain says that it is there, verified by its root. @param slot where it is known, for nodes that find blocks by slot only */
  async block(root: Hex, slot?: number): Promise<Block> {
    const at = async (id: Hex | number): Promise<Block> =>
      decodeBlock(await this.#requests.encoded(`/eth/v2/beacon/blocks/${id}`), root);
    try {
      return await this.first([
        async () => this.#requests.known(() => at(root)),
        ...(slot === undefined ? [] : [async () => at(slot)]),
      ]);
    } catch (error) {
      if (isMissing(error)) throw new Unusable(`does not have the block ${root}`, { cause: error });
      throw error;
    }
  }

  /** The payload of a block of Gloas, as the node sent it: the caller compares it with the bid. The plural was this route's name in drafts. */
  async envelope(root: Hex): Promise<Envelope> {
    const path = "/eth/v1/beacon/execution_payload_envelope";
    const at = async (route: string): Promise<Envelope> =>
      decodeEnvelope(await this.#requests.encoded(`${route}/${root}`), root);
    try {
      return await this.first([async () => at(path), async () => at(`${path}s`)]);
    } catch (error) {
      if (isMissing(error)) throw new Unusable(`does not have the payload of the block ${root}`, { cause: error });
      throw error;
    }
  }

  /** The epoch that is final in a state. @param id head, a slot, or the state's root */
  async finalizedEpoch(id: string): Promise<Told<number>> {
    const path = `/eth/v1/beacon/states/${id}/finality_checkpoints`;
    const { data, finalized } = await this.#requests.json(path, finalitySchema);
    return { value: data.finalized.epoch, finalized };
  }

  /** Of every key, also of those that were not asked for. */
  async pendingDeposits(id: string): Promise<Told<readonly (readonly [Hex, bigint])[]>> {
    const path = `/eth/v1/beacon/states/${id}/pending_deposits`;
    const { data, finalized } = await this.#requests.json(path, depositsSchema);
    return { value: data.map(({ pubkey, amount }) => [pubkey, amount] as const), finalized };
  }

  /**
   * Those of the keys that the state knows, each once.
   * By POST, which not every node and proxy has (https://github.com/ChainSafe/lodestar/pull/6897: Grandine and Charon had not), without
   * `statuses`, as Teku refuses null there (https://github.com/Consensys-Incorporated/teku/issues/9687); else by GET. In as many requests as the node
   * wants, which is remembered.
   */
  async validators(id: string, pubkeys: readonly Hex[]): Promise<Told<ReadonlyMap<Hex, ValidatorInfo>>> {
    const base = `/eth/v1/beacon/states/${id}/validators`;
    const found = new Map<Hex, ValidatorInfo>();
    const indices = new Set<number>();
    const finality = new Set<boolean | undefined>();
    for (let at = 0; at < pubkeys.length;) {
      const { ids, answer } = await this.#someValidators(base, pubkeys.slice(at));
      const wanted = new Set(ids);
      for (const entry of answer.data) {
        const { pubkey } = entry.validator;
        if (!wanted.has(pubkey)) throw new Unusable(`answered with ${pubkey}, which was not asked for`);
        if (found.has(pubkey) || indices.has(entry.index)) throw new Unusable(`answered with ${pubkey} twice`);
        found.set(pubkey, validatorOf(entry));
        indices.add(entry.index);
      }
      finality.add(answer.finalized);
      at += ids.length;
    }
    return { value: found, finalized: finality.has(false) ? false : finality.has(true) ? true : undefined };
  }

  /** Of as many keys as the node takes at once, from the first on. */
  async #someValidators(base: string, pubkeys: readonly Hex[]): Promise<Part> {
    const { habits } = this.#requests.context;
    const json = this.#requests.json.bind(this.#requests);
    const byGet = async (): Promise<Part> =>
      inPart(pubkeys, habits, "mostIdsInUrl", async (ids) => json(`${base}?id=${ids.join(",")}`, validatorsSchema));
    if (habits.mostIds === 0) return byGet();
    const refusals: unknown[] = [];
    const byPost = async (): Promise<Part> =>
      inPart(pubkeys, habits, "mostIds", async (ids) => json(base, validatorsSchema, { ids })).catch(
        (error: unknown) => {
          refusals.push(error);
          throw error;
        },
      );
    const part = await this.first([byPost, byGet]);
    if (refusals.some(isNoRoute)) habits.mostIds = 0;
    return part;
  }

  /** One thing under several names (NodeRequests.first). */
  async first<T>(asks: readonly (() => Promise<T>)[]): Promise<T> {
    return this.#requests.first(asks);
  }

  /** What `use` makes of a state, as it arrives. @param id a slot, or the state's root */
  async state<T>(id: string, use: (download: Download) => Promise<T>): Promise<T> {
    const { timeoutSeconds, signal } = this.#requests.context;
    // a state is some hundred megabytes
    return this.#requests.patiently(() => downloadState(this.url, statePath(id), 12 * timeoutSeconds, signal, use));
  }

  /** Nothing of the state is read. @throws HostFailure where the node serves no such state */
  async servesState(id: string): Promise<void> {
    const { timeoutSeconds, signal } = this.#requests.context;
    await this.#requests.patiently(() => servesState(this.url, statePath(id), timeoutSeconds, signal));
  }
}

function statePath(id: string): string {
  return `/eth/v2/debug/beacon/states/${id}`;
}

interface Part {
  readonly ids: readonly Hex[];
  readonly answer: Answer<typeof validatorsSchema>;
}

/** Fewer ids where the node refuses so many; what it takes is remembered. */
async function inPart(
  all: readonly Hex[],
  habits: Habits,
  limit: keyof Habits,
  ask: (ids: readonly Hex[]) => Promise<Part["answer"]>,
): Promise<Part> {
  const most = Math.min(habits[limit], all.length);
  for (let size = most; ; size = Math.max(LEAST_IDS, Math.floor(size / 4))) {
    const ids = all.slice(0, size);
    try {
      const answer = await ask(ids);
      if (size < most) habits[limit] = size;
      return { ids, answer };
    } catch (error) {
      if (size <= LEAST_IDS || !isTooLarge(error)) throw error;
    }
  }
}

function validatorOf({ index, balance, validator }: Answer<typeof validatorsSchema>["data"][number]): ValidatorInfo {
  return {
    pubkey: validator.pubkey,
    index,
    withdrawalCredentials: validator.withdrawal_credentials,
    balanceGwei: balance,
    effectiveBalanceGwei: validator.effective_balance,
    slashed: validator.slashed,
    activationEligibilityEpoch: validator.activation_eligibility_epoch,
    activationEpoch: validator.activation_epoch,
    exitEpoch: validator.exit_epoch,
    withdrawableEpoch: validator.withdrawable_epoch,
  };
}
