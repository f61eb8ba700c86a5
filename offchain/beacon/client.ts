/**
 * A beacon node client for the standard REST API (https://ethereum.github.io/beacon-APIs), over several nodes.
 *
 * TRUST. A block is verified: its SSZ root is the one asked for. Of a state read for a report, slot, chain and latest block are compared with the
 * block asked for, but its root is not computed (seconds of hashing): balances are as good as the node. That is why a committee reads
 * through different nodes. Proofs are verified: the state root comes out of them.
 */
import { SLOTS_PER_HISTORICAL_ROOT } from "@lodestar/params";
import { messageOf } from "../util/errors.ts";
import type { Hex } from "../util/hex.ts";
import { Mismatch, expectSame } from "./blockCodec.ts";
import { Blocks } from "./blocks.ts";
import type { BeaconNode } from "./node.ts";
import { Unusable, isNotServed } from "./requests.ts";
import { BeaconNodes } from "./nodes.ts";
import type { NodeOptions } from "./nodes.ts";
import type { Header } from "./proofs.ts";
import { depositsOf, readByIds } from "./stateByIds.ts";
import { contentsOf, provableState } from "./stateDownload.ts";
import { branchInPeriod } from "./stateProofs.ts";
import type { StateContents } from "./stateReader.ts";
import type { BeaconBlockInfo, BeaconChain, BeaconSource, NodeServes, StateProofs, StateView } from "./types.ts";

export class BeaconClient implements BeaconSource {
  readonly #nodes: BeaconNodes;

  constructor(options: NodeOptions) {
    this.#nodes = new BeaconNodes(options);
  }

  async chain(signal?: AbortSignal): Promise<BeaconChain> {
    return this.#nodes.chain(signal);
  }

  async head(signal?: AbortSignal): Promise<number> {
    return this.#nodes.ask(async (node) => (await node.head()).slot, signal);
  }

  async finalizedSlot(signal?: AbortSignal): Promise<number> {
    const { slotsPerEpoch } = await this.#nodes.chain(signal);
    return this.#nodes.ask(async (node) => {
      const [epoch, head] = await Promise.all([node.finalizedEpoch("head"), node.head()]);
      const slot = epoch.value * slotsPerEpoch;
      if (slot > head.slot) throw new Unusable(`calls slot ${slot} final, and its head is at slot ${head.slot}`);
      return slot;
    }, signal);
  }

  async blockAtOrBefore(slot: number, signal?: AbortSignal): Promise<BeaconBlockInfo> {
    return this.#nodes.ask(async (node) => new Blocks(node).atOrBefore(slot), signal);
  }

  async readState(
    block: BeaconBlockInfo,
    pubkeys: readonly Hex[],
    signal?: AbortSignal,
    known: boolean | readonly Hex[] = false,
    whole = false,
  ): Promise<StateView> {
    const chain = await this.#nodes.chain(signal);
    const keys = lowerCase(pubkeys);
    const wanted = known === true ? keys : known === false ? [] : lowerCase(known);
    return this.#nodes.ask(async (node) => {
      const view = await this.#view(node, block, keys, chain.genesisValidatorsRoot, whole, signal);
      const missing = wanted.filter((pubkey) => !view.validators.has(pubkey));
      if (missing.length > 0)
        throw new Unusable(`lacks ${missing.length} of ${wanted.length} validators, ${missing[0]} first`);
      return view;
    }, signal);
  }

  async serving(block: BeaconBlockInfo, pubkeys: readonly Hex[], signal?: AbortSignal): Promise<readonly NodeServes[]> {
    const keys = lowerCase(pubkeys);
    const reasonOf = async (work: Promise<unknown>): Promise<string | undefined> =>
      work.then(
        () => undefined,
        (error: unknown) => {
          signal?.throwIfAborted();
          return messageOf(error);
        },
      );
    const found = await this.#nodes.askEach(
      async (node) => ({
        states: await reasonOf(stateBy(node, block, async (id) => node.servesState(id))),
        byIds: await reasonOf(readByIds(node, block, keys)),
      }),
      signal,
    );
    return found.map(({ host, answer, error }) => {
      const { states, byIds } = answer ?? { states: messageOf(error), byIds: messageOf(error) };
      return { host, lacksStates: states, lacksIds: byIds };
    });
  }

  async headersToPayload(slot: number, signal?: AbortSignal): Promise<readonly Header[]> {
    return this.#nodes.ask(async (node) => new Blocks(node).headersToPayload(slot), signal);
  }

  async prove(block: BeaconBlockInfo, pubkeys: readonly Hex[], signal?: AbortSignal): Promise<StateProofs> {
    const chain = await this.#nodes.chain(signal);
    const timestamp = await this.#timestampAfter(block, chain, signal);
    const keys = lowerCase(pubkeys);
    return this.#nodes.ask(async (node) => {
      const { fork, state, indices } = await this.#provable(node, block, keys, signal);
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
    const hop = await this.#nodes.ask(async (node) => {
      const { state } = await this.#provable(node, from, [], signal);
      if (block.slot + SLOTS_PER_HISTORICAL_ROOT >= from.slot)
        return { from: from.header, branch: state.blockRoot(block.slot) };
      const summary = state.summary(block.slot);
      const end = block.slot - (block.slot % SLOTS_PER_HISTORICAL_ROOT) + SLOTS_PER_HISTORICAL_ROOT - 1;
      const last = await new Blocks(node).atOrBefore(end);
      const period = await this.#provable(node, last, [], signal);
      const inPeriod = await branchInPeriod(block.slot, last, period.state.blockRoots());
      if (inPeriod.root !== summary.root) throw new Error(`the blocks up to slot ${end} are not those of its summary`);
      return { from: from.header, branch: [...inPeriod.branch, ...summary.branch] };
    }, signal);
    const { validators, ...rest } = await this.prove(block, pubkeys, signal);
    return { ...rest, validators: validators.map((proof) => ({ ...proof, rootTimestamp, hops: [hop] })) };
  }

  /** The timestamp of the first block after this one, under which EIP-4788 has its root. */
  async #timestampAfter(block: BeaconBlockInfo, chain: BeaconChain, signal: AbortSignal | undefined): Promise<bigint> {
    return this.#nodes.ask(async (node) => {
      const slot = await new Blocks(node).successor(block);
      return BigInt(chain.genesisTime + slot * chain.secondsPerSlot);
    }, signal);
  }

  /** Out of the whole state; of a node that can't serve it by the keys, unless only the whole one will do. */
  async #view(
    node: BeaconNode,
    block: BeaconBlockInfo,
    keys: readonly Hex[],
    genesisValidatorsRoot: Hex,
    whole: boolean,
    signal: AbortSignal | undefined,
  ): Promise<StateView> {
    try {
      return await stateBy(node, block, async (id) =>
        viewOf(
          block,
          keys,
          await node.state(id, async (download) => contentsOf(download, keys)),
          genesisValidatorsRoot,
        ),
      );
    } catch (error) {
      signal?.throwIfAborted();
      // a node that answers for another state than it was asked for is not asked for parts of it
      if (error instanceof Mismatch) throw error;
      if (whole)
        throw new Unusable(isNotServed(error) ? "does not serve states" : `serves no state: ${messageOf(error)}`, {
          cause: error,
        });
      return readByIds(node, block, keys);
    }
  }

  /** The state after a block, hashed and found to be that, and where the keys are in it. */
  async #provable(node: BeaconNode, block: BeaconBlockInfo, pubkeys: readonly Hex[], signal: AbortSignal | undefined) {
    try {
      return await stateBy(node, block, async (id) =>
        node.state(id, async (download) => provableState(download, block.header, pubkeys)),
      );
    } catch (error) {
      signal?.throwIfAborted();
      throw new Unusable(`proofs need whole states: ${messageOf(error)}`, { cause: error });
    }
  }
}

/** Some nodes find old states by slot only; what arrives is compared with the block in any case. */
async function stateBy<T>(node: BeaconNode, block: BeaconBlockInfo, ask: (id: string) => Promise<T>): Promise<T> {
  return node.first([async () => ask(block.header.stateRoot), async () => ask(String(block.slot))]);
}

function lowerCase(pubkeys: readonly Hex[]): Hex[] {
  return pubkeys.map((pubkey) => pubkey.toLowerCase() as Hex);
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
