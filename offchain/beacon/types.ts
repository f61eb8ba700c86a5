/** What the protocol's programs ask of the consensus layer. `BeaconClient` answers over HTTP. */
import type { Hex } from "../util/hex.ts";
import type { ContractBalanceProof, ContractValidatorProof } from "./contractProofs.ts";
import type { ForkName, Header } from "./proofs.ts";

/** Constants of a chain. */
export interface BeaconChain {
  /** Of the execution layer, as the consensus layer's configuration names it. */
  readonly chainId: bigint;
  readonly depositContract: Hex;
  /** Unix seconds. */
  readonly genesisTime: number;
  /** 4 bytes. */
  readonly genesisForkVersion: Hex;
  readonly slotsPerEpoch: number;
  readonly secondsPerSlot: number;
}

export interface BeaconBlockInfo {
  readonly header: Header;
  readonly root: Hex;
  readonly slot: number;
  /** The execution block that it carries; in Gloas its payload, or where that does not count the last one before. */
  readonly execution: { readonly number: number; readonly hash: Hex; readonly timestamp: number };
  /** In Gloas: in what its state and that execution block are apart. */
  readonly unsettled?: {
    /** Deposits of the execution block that the state does not have yet, in gwei by public key. */
    readonly deposits: ReadonlyMap<Hex, bigint>;
    /** Whether the withdrawals that the state expects are in none of the execution blocks so far. */
    readonly owesWithdrawals: boolean;
  };
}

export interface ValidatorInfo {
  readonly pubkey: Hex;
  readonly index: number;
  readonly withdrawalCredentials: Hex;
  readonly balanceGwei: bigint;
  readonly effectiveBalanceGwei: bigint;
  readonly slashed: boolean;
  /** 2^64 - 1 where not set, like the other epochs. */
  readonly activationEligibilityEpoch: bigint;
  readonly activationEpoch: bigint;
  readonly exitEpoch: bigint;
  readonly withdrawableEpoch: bigint;
}

/** Part of one post-state: the validators and deposits of the keys asked for, and sums over all. */
export interface StateView {
  readonly block: BeaconBlockInfo;
  readonly finalizedEpoch: number;
  /** By public key; a key that is not in the registry is not in the map. */
  readonly validators: ReadonlyMap<Hex, ValidatorInfo>;
  /** By public key: the sum of its deposits that are on their way, where there are any. */
  readonly pendingDepositsGwei: ReadonlyMap<Hex, bigint>;
  /** By public key: withdrawals that left the balance and are in no execution block yet. Only in Gloas. */
  readonly owedWithdrawalsGwei: ReadonlyMap<Hex, bigint>;
  /** Effective balances of all active validators; undefined where the node serves no states. */
  readonly totalActiveBalanceGwei: bigint | undefined;
  /** The sum of the state's `slashings` vector; undefined where the node serves no states. */
  readonly slashingsGwei: bigint | undefined;
}

/** Of one node: why it does not answer in either way; undefined where it does. */
export interface NodeServes {
  readonly host: string;
  /** Of the whole state. */
  readonly lacksStates: string | undefined;
  /** Of single validators, pending deposits and finality. */
  readonly lacksIds: string | undefined;
}

export interface StateProofs {
  readonly fork: ForkName;
  readonly block: BeaconBlockInfo;
  /** In the order of the keys asked for. */
  readonly validators: readonly ContractValidatorProof[];
  readonly balances: readonly ContractBalanceProof[];
}

export interface BeaconSource {
  chain(signal?: AbortSignal): Promise<BeaconChain>;
  /** The slot of the head. */
  head(signal?: AbortSignal): Promise<number>;
  /** The first slot of the finalised epoch: up to it nothing can change. */
  finalizedSlot(signal?: AbortSignal): Promise<number>;
  /** The last block at or before a slot, missed slots stepped over: a later block must show, by its parents, that they were. */
  blockAtOrBefore(slot: number, signal?: AbortSignal): Promise<BeaconBlockInfo>;
  /**
   * @param known keys that are in the registry for certain, or true for all: an answer without one is no answer
   * @param whole the sums over all validators are needed: a node that serves no states can't answer
   */
  readState(
    block: BeaconBlockInfo,
    pubkeys: readonly Hex[],
    signal?: AbortSignal,
    known?: boolean | readonly Hex[],
    whole?: boolean,
  ): Promise<StateView>;
  /** What each of the nodes serves of a block's state; nothing of the whole state is read. */
  serving(block: BeaconBlockInfo, pubkeys: readonly Hex[], signal?: AbortSignal): Promise<readonly NodeServes[]>;
  /**
   * The header of the last block at or before a slot, and those of the blocks without a payload that follow it (Gloas): the root of the last is what
   * EIP-4788 has first after the slot. One alone where the next block has a payload, as always before Gloas.
   */
  headersToPayload(slot: number, signal?: AbortSignal): Promise<readonly Header[]>;
  /** Proofs in the post-state of a block that has a successor: EIP-4788 stores its root under the successor's timestamp. */
  prove(block: BeaconBlockInfo, pubkeys: readonly Hex[], signal?: AbortSignal): Promise<StateProofs>;
  /**
   * The same by a hop from a newer block whose root EIP-4788 still has: through its `block_roots` up to 8192 slots back, and through
   * `historical_summaries` from before that. For the latter the node must have the state at the end of that period too.
   */
  proveThrough(
    from: BeaconBlockInfo,
    block: BeaconBlockInfo,
    pubkeys: readonly Hex[],
    signal?: AbortSignal,
  ): Promise<StateProofs>;
}
