/** What the keeper can do, and why it does not. */
import type { ValidatorEntry } from "../chain/validatorBook.ts";
import type { ValidatorInfo } from "../beacon/types.ts";
import type { Units, Wei } from "../protocol/units.ts";
import type { Hex } from "../util/hex.ts";
import type { ArbitrageRules, Purchase } from "./arbitrage.ts";

/** In the order of a plan: bad news first, then who must leave, then who may; last what is on the account's own behalf. */
export const ACTION_KINDS = [
  "proveSlashed",
  "proveWithdrawn",
  "proveExiting",
  "proveBelow",
  "continueFinalisation",
  "eject",
  "ejectBelow",
  "skipExited",
  "requestExit",
  "proveValidators",
  "dropQueued",
  "fundValidators",
  "payTreasury",
  "claimBought",
  "queueBought",
  "buyFromPool",
] as const;
export type ActionKind = (typeof ACTION_KINDS)[number];

/** Why a validator is asked to exit out of turn. */
export const EJECTION_CAUSES = ["debt", "frozen", "balance"] as const;
export type EjectionCause = (typeof EJECTION_CAUSES)[number];

export type Action =
  /** Proofs of one validator in the newest finalised state, or the state that `slot` names. */
  | {
      readonly kind: "proveSlashed" | "proveExiting" | "proveBelow" | "proveWithdrawn" | "ejectBelow";
      readonly pubkey: Hex;
      readonly slot: number;
    }
  /** Without demand, for what its operator owes or did. */
  | { readonly kind: "eject"; readonly pubkey: Hex; readonly slot: number; readonly cause: EjectionCause }
  /** On demand; `passed` are young heads of tiers that would be next, in that order. */
  | { readonly kind: "requestExit"; readonly pubkey: Hex; readonly slot: number; readonly passed: readonly Hex[] }
  | { readonly kind: "proveValidators" | "fundValidators"; readonly pubkeys: readonly Hex[] }
  | { readonly kind: "dropQueued" | "skipExited"; readonly keyRoots: readonly Hex[] }
  | { readonly kind: "continueFinalisation" | "payTreasury" }
  /** What comes of its own requests. */
  | {
      readonly kind: "claimBought";
      readonly ids: readonly bigint[];
      readonly hints: readonly bigint[];
      readonly amount: Wei;
      readonly receiver: string;
    }
  | { readonly kind: "queueBought"; readonly shares: readonly bigint[] }
  /** From the EtherPool, where a unit of gas costs no more than `maxFeePerGas` wei. */
  | {
      readonly kind: "buyFromPool";
      readonly ether: Wei;
      readonly minUnits: Units;
      readonly maxFeePerGas: bigint;
      readonly receiver: string;
      readonly expected: Purchase;
    };

/** Why nothing of a kind is done. */
export const REASONS = [
  "nothing to do",
  "not worth it yet",
  "a report is overdue",
  "no ether to fund with",
  "every waiting tier is at its maximum",
  "no exit is needed",
  "the next validator can't exit yet",
  "not active for 256 epochs yet",
  "an exit is being proven",
  "asked within the last hour",
  "the newest final state is too old",
  "the consensus layer does not know the key yet",
  "foreign credentials",
  "gas is too expensive",
  "waiting to try again",
  "a transaction is pending",
  "switched off",
  "it has no account",
  "its own books can't be read",
  "the node is behind",
  "requests are paused",
  "the protocol is not calm",
  "the pool is at its target",
  "what was bought is not queued yet",
  "the limit is tied up",
  "the day's limit is reached",
  "the account has too little ether",
  "it would not pay",
] as const;
export type Reason = (typeof REASONS)[number];

export interface Rules {
  /** Most keys in one transaction, and most ejections in one turn; the contract takes 64 keys. */
  readonly batch: number;
  /** Wei that continuing a finalisation must pay at least. */
  readonly minFinalisation: bigint;
  /** Wei of the treasury's fees that are worth a transaction. */
  readonly minTreasury: bigint;
  /** Undefined: it buys nothing. */
  readonly arbitrage?: ArbitrageRules | undefined;
}

/** What a part of the plan comes to. */
export interface Part {
  readonly actions: readonly Action[];
  readonly reasons: Partial<Record<ActionKind, readonly Reason[]>>;
}

/** A key with what both layers say about it. */
export interface Known {
  readonly entry: ValidatorEntry;
  readonly validator: ValidatorInfo;
}

/** What the contract takes. */
export const MAX_BATCH = 64;
export const FAR_FUTURE = 2n ** 64n - 1n;
