/** Part of a state without the state: the keys' validators, the pending deposits and the finality, by the API's own routes. */
import { Mismatch, expectSame } from "./blockCodec.ts";
import type { BeaconNode, Told } from "./node.ts";
import { Unusable } from "./requests.ts";
import type { BeaconBlockInfo, StateView } from "./types.ts";
import type { Hex } from "../util/hex.ts";

/**
 * Sums over all validators are not known then.
 * @param pubkeys lower case
 */
export async function readByIds(node: BeaconNode, block: BeaconBlockInfo, pubkeys: readonly Hex[]): Promise<StateView> {
  if (block.unsettled?.owesWithdrawals === true)
    throw new Unusable(
      `serves no states, and slot ${block.slot} has no payload: what withdrawals it owes is in its state only`,
    );
  const state = new NamedState(node, block);
  const finalizedEpoch = await state.ask((id) => node.finalizedEpoch(id));
  const [validators, deposits] = await Promise.all([
    state.ask((id) => node.validators(id, pubkeys)),
    state.ask((id) => node.pendingDeposits(id)),
  ]);
  return {
    block,
    finalizedEpoch,
    validators,
    pendingDepositsGwei: depositsOf(block, pubkeys, deposits),
    owedWithdrawalsGwei: new Map(),
    totalActiveBalanceGwei: undefined,
    slashingsGwei: undefined,
  };
}

/** The state's pending deposits, and those of the block's own payload that the state does not know yet. */
export function depositsOf(
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

/**
 * A block's state by its root, which names nothing else; else by its slot. Nimbus finds states by slot only, and answered 500 to roots
 * (https://github.com/status-im/nimbus-eth2/issues/5001); Lodestar (https://github.com/ChainSafe/lodestar/issues/7780) and Teku
 * (https://github.com/Consensys-Incorporated/teku/issues/11050) lose the roots of final states.
 */
class NamedState {
  readonly #node: BeaconNode;
  readonly #block: BeaconBlockInfo;
  #shown: Promise<boolean | undefined> | undefined;

  constructor(node: BeaconNode, block: BeaconBlockInfo) {
    this.#node = node;
    this.#block = block;
  }

  async ask<T>(of: (id: string) => Promise<Told<T>>): Promise<T> {
    const { header, slot } = this.#block;
    return this.#node.first([
      async () => (await of(header.stateRoot)).value,
      async () => {
        this.#shown ??= this.#finalityAtSlot();
        const isFinal = await this.#shown;
        const { value, finalized } = await of(String(slot));
        // a machine behind the same URL that lags may answer with its head (https://github.com/sigp/lighthouse/issues/4041)
        if (isFinal === true && finalized === false)
          throw new Mismatch(`answered for slot ${slot} with a state that is not final, though the block is`);
        return value;
      },
    ]);
  }

  /** Whether the node calls the slot final, once it shows there the block that is asked for. */
  async #finalityAtSlot(): Promise<boolean | undefined> {
    const header = await this.#node.headerAt(this.#block.slot);
    expectSame("block", header?.root, this.#block.root);
    return header?.finalized;
  }
}
