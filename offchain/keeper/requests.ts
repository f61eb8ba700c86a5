/** Actions as transactions: proofs are fetched here, one state for all that need it. */
import { ZeroAddress } from "ethers";
import type { TransactionRequest } from "ethers";
import { contractValidatorBatch } from "../beacon/contractProofs.ts";
import type { BeaconBlockInfo, BeaconSource, StateProofs } from "../beacon/types.ts";
import type { Protocol } from "../chain/connect.ts";
import { liquidityOf } from "../chain/read/etherPool.ts";
import type { Hex } from "../util/hex.ts";
import type { Action } from "./actions.ts";
import type { Snapshot } from "./snapshot.ts";

/** Slots that EIP-4788 remembers, less what a transaction may take. */
const KEPT_SLOTS = 8_191 - 100;
const HOP_SLOTS = 8_192;

export class Proofs {
  readonly #beacon: BeaconSource;
  readonly #snapshot: Snapshot;
  readonly #wanted = new Map<number, Set<Hex>>();
  readonly #found = new Map<number, Promise<StateProofs>>();

  /** @param actions of the whole turn: each state is downloaded once */
  constructor(beacon: BeaconSource, snapshot: Snapshot, actions: readonly Action[]) {
    this.#beacon = beacon;
    this.#snapshot = snapshot;
    for (const action of actions) {
      if ("slot" in action) this.#want(action.slot, pubkeysOf(action));
      else if (action.kind === "proveValidators") this.#want(snapshot.state.block.slot, action.pubkeys);
    }
  }

  /** In the order of the keys. */
  async of(slot: number, pubkeys: readonly Hex[], signal?: AbortSignal): Promise<StateProofs> {
    const keys = [...(this.#wanted.get(slot) ?? [])];
    const found = this.#found.get(slot) ?? this.#prove(slot, keys, signal);
    this.#found.set(slot, found);
    const all = await found;
    const pick = <T>(items: readonly T[]): T[] => pubkeys.flatMap((pubkey) => items[keys.indexOf(pubkey)] ?? []);
    return { ...all, validators: pick(all.validators), balances: pick(all.balances) };
  }

  #want(slot: number, pubkeys: readonly Hex[]): void {
    const wanted = this.#wanted.get(slot) ?? new Set<Hex>();
    for (const pubkey of pubkeys) wanted.add(pubkey);
    this.#wanted.set(slot, wanted);
  }

  async #prove(slot: number, keys: readonly Hex[], signal: AbortSignal | undefined): Promise<StateProofs> {
    const newest = this.#snapshot.state.block;
    const block = slot === newest.slot ? newest : await this.#beacon.blockAtOrBefore(slot, signal);
    const head = Number(
      (this.#snapshot.now - BigInt(this.#snapshot.genesisTime)) / BigInt(this.#snapshot.secondsPerSlot),
    );
    if (block.slot >= head - KEPT_SLOTS) return this.#beacon.prove(block, keys, signal);
    return this.#beacon.proveThrough(await this.#stone(block, newest, head, signal), block, keys, signal);
  }

  /** The block to hop from: as late as block_roots reach, or the newest where that is forgotten too. */
  async #stone(
    block: BeaconBlockInfo,
    newest: BeaconBlockInfo,
    head: number,
    signal: AbortSignal | undefined,
  ): Promise<BeaconBlockInfo> {
    const reach = block.slot + HOP_SLOTS;
    if (reach >= newest.slot || reach < head - KEPT_SLOTS) return newest;
    return this.#beacon.blockAtOrBefore(reach, signal);
  }
}

/** @param exitFee wei for one EIP-7002 request now: sent twice, the excess comes back */
export async function requestFor(
  action: Action,
  protocol: Protocol,
  proofs: Proofs,
  snapshot: Snapshot,
  exitFee: () => Promise<bigint>,
  signal?: AbortSignal,
): Promise<TransactionRequest> {
  const { validators, pool, operators, queue } = protocol;
  switch (action.kind) {
    case "proveSlashed":
    case "proveExiting": {
      const [proof] = (await proofs.of(action.slot, [action.pubkey], signal)).validators;
      return validators[action.kind].populateTransaction(required(proof, action.pubkey));
    }
    case "proveWithdrawn":
    case "proveBelow": {
      const { validators: found, balances } = await proofs.of(action.slot, [action.pubkey], signal);
      const proof = required(found[0], action.pubkey);
      return validators[action.kind].populateTransaction(proof, required(balances[0], action.pubkey));
    }
    case "eject":
    case "requestExit": {
      const [proof, ...passed] = (await proofs.of(action.slot, pubkeysOf(action), signal)).validators;
      const value = 2n * (await exitFee());
      return validators.requestExit.populateTransaction(action.pubkey, required(proof, action.pubkey), passed, {
        value,
      });
    }
    case "ejectBelow": {
      const { validators: found, balances } = await proofs.of(action.slot, [action.pubkey], signal);
      const proof = required(found[0], action.pubkey);
      const balance = required(balances[0], action.pubkey);
      const value = 2n * (await exitFee());
      return validators.ejectBelow.populateTransaction(action.pubkey, proof, balance, { value });
    }
    case "proveValidators": {
      const { fork, validators: found } = await proofs.of(snapshot.state.block.slot, action.pubkeys, signal);
      return validators.proveValidators.populateTransaction(contractValidatorBatch(found, fork));
    }
    case "fundValidators":
      return validators.fundValidators.populateTransaction([...action.pubkeys]);
    case "dropQueued":
    case "skipExited":
      return validators[action.kind].populateTransaction([...action.keyRoots]);
    case "continueFinalisation":
      return pool.continueFinalisation.populateTransaction();
    case "payTreasury":
      return operators.payTreasury.populateTransaction();
    case "claimBought":
      return queue.claimWithdrawals.populateTransaction([...action.ids], [...action.hints], action.receiver);
    case "queueBought":
      return queue.requestWithdrawalsShares.populateTransaction([...action.shares], ZeroAddress);
    case "buyFromPool": {
      const { etherPool } = liquidityOf(protocol);
      return etherPool.buy.populateTransaction(action.minUnits, action.receiver, { value: action.ether });
    }
  }
}

/** Whose proofs an action brings, in order. */
function pubkeysOf(action: Extract<Action, { slot: number }>): Hex[] {
  return [action.pubkey, ...("passed" in action ? action.passed : [])];
}

function required<T>(proof: T | undefined, pubkey: Hex): T {
  if (proof === undefined) throw new Error(`no proof of ${pubkey}`);
  return proof;
}
