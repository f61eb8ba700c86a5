/**
 * A beacon node client for the standard REST API (https://ethereum.github.io/beacon-APIs), over several nodes.
 *
 * TRUST. A block is verified: its SSZ root is the one asked for. Of a state read for a report, slot, chain and latest block are compared with the
 * block asked for, but its root is not computed (seconds of hashing): balances are as good as the node. That is why a committee reads
 * through different nodes. Proofs are verified: the state root comes out of them.
 */
import { SLOTS_PER_HISTORICAL_ROOT } from "@lodestar/params";
import { z } from "zod";
import type { Hex } from "../util/hex.ts";
import { hostOf } from "../util/http.ts";
import { Blocks, expectSame, headerSchema } from "./blocks.ts";
import { bigintField, hexField, numberField } from "./fields.ts";
import { BeaconNodes } from "./nodes.ts";
import type { NodeOptions } from "./nodes.ts";
import { contentsOf, downloadState, provableState, servesState } from "./stateDownload.ts";
import type { Download } from "./stateDownload.ts";
import type { Header } from "./proofs.ts";
import { branchInPeriod } from "./stateProofs.ts";
import type { StateContents } from "./stateReader.ts";
import type {
  BeaconBlockInfo,
  BeaconChain,
  BeaconSource,
  NodeStates,
  StateProofs,
  StateView,
  ValidatorInfo,
} from "./types.ts";

const finalitySchema = z.object({ data: z.object({ finalized: z.object({ epoch: numberField }) }) });
const validatorsSchema = z.object({
  data: z.array(
    z.object({
      index: numberField,
      balance: bigintField,
      validator: z.object({
        pubkey: hexField,
        withdrawal_credentials: hexField,
        effective_balance: bigintField,
        slashed: z.boolean(),
        activation_eligibility_epoch: bigintField,
        activation_epoch: bigintField,
        exit_epoch: bigintField,
        withdrawable_epoch: bigintField,
      }),
    }),
  ),
});
const depositsSchema = z.object({ data: z.array(z.object({ pubkey: hexField, amount: bigintField })) });

/** Not every node serves it. */
const STATES = "/eth/v2/debug/beacon/states/";

export class BeaconClient implements BeaconSource {
  readonly #nodes: BeaconNodes;

  constructor(options: NodeOptions) {
    this.#nodes = new BeaconNodes(options);
  }

  async chain(signal?: AbortSignal): Promise<BeaconChain> {
    return this.#nodes.chain(signal);
  }

  async head(signal?: AbortSignal): Promise<number> {
    const answer = await this.#json("/eth/v1/beacon/headers/head", headerSchema, signal);
    return answer.data.header.message.slot;
  }

  async finalizedSlot(signal?: AbortSignal): Promise<number> {
    const [chain, answer] = await Promise.all([
      this.#nodes.chain(signal),
      this.#json("/eth/v1/beacon/states/head/finality_checkpoints", finalitySchema, signal),
    ]);
    return answer.data.finalized.epoch * chain.slotsPerEpoch;
  }

  async blockAtOrBefore(slot: number, signal?: AbortSignal): Promise<BeaconBlockInfo> {
    return this.#nodes.ask(async (url) => new Blocks(this.#nodes, url, signal).atOrBefore(slot), signal);
  }

  async readState(
    block: BeaconBlockInfo,
    pubkeys: readonly Hex[],
    signal?: AbortSignal,
    complete = false,
    whole = false,
  ): Promise<StateView> {
    const chain = await this.#nodes.chain(signal);
    const keys = pubkeys.map((pubkey) => pubkey.toLowerCase() as Hex);
    return this.#nodes.ask(async (url) => {
      const contents = await this.#state(url, block, signal, async (download) => contentsOf(download, keys));
      if (contents === undefined && whole) throw new Error("does not serve states");
      const view =
        contents === undefined
          ? await this.#readByIds(url, block, keys, signal)
          : viewOf(block, keys, contents, chain.genesisValidatorsRoot);
      const missing = keys.filter((pubkey) => !view.validators.has(pubkey));
      if (complete && missing.length > 0)
        throw new Error(`lacks ${missing.length} of ${keys.length} validators, ${missing[0]} first`);
      return view;
    }, signal);
  }

  async servingStates(signal?: AbortSignal): Promise<readonly NodeStates[]> {
    return Promise.all(
      this.#nodes.urls.map(async (url) => {
        const host = hostOf(url);
        try {
          return { host, serves: await servesState(url, STATES + "finalized", this.#nodes.timeoutSeconds, signal) };
        } catch {
          signal?.throwIfAborted();
          return { host, serves: undefined };
        }
      }),
    );
  }

  async headersToPayload(slot: number, signal?: AbortSignal): Promise<readonly Header[]> {
    return this.#nodes.ask(async (url) => new Blocks(this.#nodes, url, signal).headersToPayload(slot), signal);
  }

  async prove(block: BeaconBlockInfo, pubkeys: readonly Hex[], signal?: AbortSignal): Promise<StateProofs> {
    const chain = await this.#nodes.chain(signal);
    const timestamp = await this.#timestampAfter(block, chain, signal);
    const keys = pubkeys.map((pubkey) => pubkey.toLowerCase() as Hex);
    return this.#nodes.ask(async (url) => {
      const { fork, state, indices } = await this.#provable(url, block, keys, signal);
      return {
        fork,
        block,
        validators: indices.map((index) => state.validator(index, timestamp)),
        balances: indices.map((index) => state.balance(index)),
      };
    }, signal);
  }

  async proveThrough(
    from: BeaconBlockInfo,
    block: BeaconBlockInfo,
    pubkeys: readonly Hex[],
    signal?: AbortSignal,
  ): Promise<StateProofs> {
    const chain = await this.#nodes.chain(signal);
    const rootTimestamp = await this.#timestampAfter(from, chain, signal);
    const hop = await this.#nodes.ask(async (url) => {
      const { state } = await this.#provable(url, from, [], signal);
      if (block.slot + SLOTS_PER_HISTORICAL_ROOT >= from.slot)
        return { from: from.header, branch: state.blockRoot(block.slot) };
      const summary = state.summary(block.slot);
      const end = block.slot - (block.slot % SLOTS_PER_HISTORICAL_ROOT) + SLOTS_PER_HISTORICAL_ROOT - 1;
      const last = await new Blocks(this.#nodes, url, signal).atOrBefore(end);
      const period = await this.#provable(url, last, [], signal);
      const inPeriod = await branchInPeriod(block.slot, last, period.state.blockRoots());
      if (inPeriod.root !== summary.root) throw new Error(`the blocks up to slot ${end} are not those of its summary`);
      return { from: from.header, branch: [...inPeriod.branch, ...summary.branch] };
    }, signal);
    const { validators, ...rest } = await this.prove(block, pubkeys, signal);
    return { ...rest, validators: validators.map((proof) => ({ ...proof, rootTimestamp, hops: [hop] })) };
  }

  /** The timestamp of the first block after this one, under which EIP-4788 has its root. */
  async #timestampAfter(block: BeaconBlockInfo, chain: BeaconChain, signal: AbortSignal | undefined): Promise<bigint> {
    return this.#nodes.ask(async (url) => {
      const slot = await new Blocks(this.#nodes, url, signal).successor(block);
      return BigInt(chain.genesisTime + slot * chain.secondsPerSlot);
    }, signal);
  }

  async #json<T>(
    path: string,
    schema: z.ZodType<T, z.ZodTypeDef, unknown>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    return this.#nodes.ask(async (url) => {
      const answer = await this.#nodes.json(url, path, schema, { signal });
      if (answer === undefined) throw new Error(`${path} answered 404`);
      return answer;
    }, signal);
  }

  /** What `use` makes of the state after a block; undefined where the node does not serve states. */
  async #state<T>(
    url: string,
    block: BeaconBlockInfo,
    signal: AbortSignal | undefined,
    use: (download: Download) => Promise<T>,
  ): Promise<T | undefined> {
    // a state is some hundred megabytes
    const timeoutSeconds = 12 * this.#nodes.timeoutSeconds;
    // some nodes find old states by slot only; what arrives is compared with the block in any case
    for (const id of [block.header.stateRoot, block.slot]) {
      const answer = await downloadState(url, `${STATES}${id}`, timeoutSeconds, signal, use);
      if ("value" in answer) return answer.value;
      if (answer.status !== 404) return undefined;
    }
    return undefined;
  }

  /** The state after a block, hashed and found to be that, and where the keys are in it. */
  async #provable(url: string, block: BeaconBlockInfo, pubkeys: readonly Hex[], signal: AbortSignal | undefined) {
    const found = await this.#state(url, block, signal, async (download) =>
      provableState(download, block.header, pubkeys),
    );
    if (found === undefined) throw new Error("does not serve states: proofs need them");
    return found;
  }

  /** The state's root, or the slot where a node finds states by slot only: then the block there must be this one. */
  async #stateId(url: string, block: BeaconBlockInfo, signal: AbortSignal | undefined): Promise<string> {
    const path = `/eth/v1/beacon/states/${block.header.stateRoot}/finality_checkpoints`;
    if ((await this.#nodes.json(url, path, finalitySchema, { signal })) !== undefined) return block.header.stateRoot;
    const there = await this.#nodes.json(url, `/eth/v1/beacon/headers/${block.slot}`, headerSchema, { signal });
    expectSame("block", there?.data.root, block.root);
    return String(block.slot);
  }

  /** Without the state: the keys' validators by POST. Sums over all validators are not known then. */
  async #readByIds(
    url: string,
    block: BeaconBlockInfo,
    pubkeys: readonly Hex[],
    signal: AbortSignal | undefined,
  ): Promise<StateView> {
    if (block.unsettled?.owesWithdrawals === true)
      throw new Error(
        `serves no states, and slot ${block.slot} has no payload: what withdrawals it owes is in its state only`,
      );
    const id = await this.#stateId(url, block, signal);
    const base = `/eth/v1/beacon/states/${id}`;
    const wanted = new Set(pubkeys);
    const body = { ids: pubkeys, statuses: null };
    const [found, deposits, finality] = await Promise.all([
      // without ids it would send all validators
      pubkeys.length === 0
        ? { data: [] }
        : this.#nodes.json(url, `${base}/validators`, validatorsSchema, { body, signal }),
      this.#nodes.json(url, `${base}/pending_deposits`, depositsSchema, { signal }),
      this.#nodes.json(url, `${base}/finality_checkpoints`, finalitySchema, { signal }),
    ]);
    if (found === undefined || deposits === undefined || finality === undefined)
      throw new Error(`does not have the state ${block.header.stateRoot}`);
    const validators = new Map<Hex, ValidatorInfo>();
    for (const { index, balance, validator } of found.data) {
      if (!wanted.has(validator.pubkey)) throw new Error(`answered with ${validator.pubkey}, which was not asked for`);
      validators.set(validator.pubkey, {
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
      });
    }
    const pending = deposits.data.flatMap(({ pubkey, amount }) =>
      wanted.has(pubkey) ? [[pubkey, amount] as const] : [],
    );
    return {
      block,
      finalizedEpoch: finality.data.finalized.epoch,
      validators,
      pendingDepositsGwei: depositsOf(block, pubkeys, pending),
      owedWithdrawalsGwei: new Map(),
      totalActiveBalanceGwei: undefined,
      slashingsGwei: undefined,
    };
  }
}

/** What was asked for, of a state that is the block's as far as it shows without its root. */
function viewOf(
  block: BeaconBlockInfo,
  pubkeys: readonly Hex[],
  contents: StateContents,
  genesisValidatorsRoot: Hex,
): StateView {
  expectSame("chain", contents.genesisValidatorsRoot, genesisValidatorsRoot);
  expectSame("slot", contents.slot, block.slot);
  expectSame("parent", contents.latestBlock.parentRoot, block.header.parentRoot);
  expectSame("body", contents.latestBlock.bodyRoot, block.header.bodyRoot);
  return {
    block,
    finalizedEpoch: contents.finalizedEpoch,
    validators: new Map(contents.validators.map((validator) => [validator.pubkey, validator])),
    pendingDepositsGwei: depositsOf(block, pubkeys, contents.pendingDepositsGwei),
    owedWithdrawalsGwei: new Map(block.unsettled?.owesWithdrawals === true ? contents.expectedWithdrawalsGwei : []),
    totalActiveBalanceGwei: contents.totalActiveBalanceGwei,
    slashingsGwei: contents.slashingsGwei,
  };
}

/** The state's pending deposits, and those of the block's own payload that the state does not know yet. */
function depositsOf(
  { unsettled }: BeaconBlockInfo,
  pubkeys: readonly Hex[],
  pending: readonly (readonly [Hex, bigint])[],
): Map<Hex, bigint> {
  const sums = new Map<Hex, bigint>();
  const wanted = new Set(pubkeys);
  for (const [pubkey, amount] of [...pending, ...(unsettled?.deposits ?? [])])
    if (wanted.has(pubkey)) sums.set(pubkey, (sums.get(pubkey) ?? 0n) + amount);
  return sums;
}
