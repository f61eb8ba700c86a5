/**
 * What may be done now, in the order in which it should be. Pure: a snapshot in, actions and reasons out. The contracts decide again; the plan
 * only has to be right about what is worth sending.
 */
import type { ValidatorEntry } from "../chain/validatorBook.ts";
import type { ValidatorInfo } from "../beacon/types.ts";
import { fundingOrder, nextTierToExit } from "../protocol/validatorOrder.ts";
import type { Hex } from "../util/hex.ts";
import type { Snapshot } from "./snapshot.ts";

export const ACTION_KINDS = [
  "proveSlashed",
  "proveWithdrawn",
  "proveExiting",
  "proveBelow",
  "expireExitRequest",
  "proveNotExiting",
  "continueFinalisation",
  "skipExited",
  "requestExit",
  "proveValidators",
  "dropQueued",
  "fundValidators",
  "payTreasury",
] as const;
export type ActionKind = (typeof ACTION_KINDS)[number];

export type Action =
  /** Proofs of one validator in the newest finalised state, or the state that `slot` names. */
  | {
      readonly kind:
        "proveSlashed" | "proveExiting" | "proveBelow" | "proveNotExiting" | "proveWithdrawn" | "requestExit";
      readonly pubkey: Hex;
      readonly slot: number;
    }
  | { readonly kind: "proveValidators" | "fundValidators"; readonly pubkeys: readonly Hex[] }
  | { readonly kind: "expireExitRequest" | "dropQueued"; readonly keyRoot: Hex }
  | { readonly kind: "skipExited"; readonly keyRoots: readonly Hex[] }
  | { readonly kind: "continueFinalisation" | "payTreasury" };

/** Why nothing of a kind is done. */
export const REASONS = [
  "nothing to do",
  "not worth it yet",
  "no ether to fund with",
  "every waiting tier is at its maximum",
  "no exit is needed",
  "the next validator can't exit yet",
  "an exit is being proven",
  "the consensus layer does not know the key yet",
  "foreign credentials",
  "gas is too expensive",
  "waiting to try again",
  "a transaction is pending",
] as const;
export type Reason = (typeof REASONS)[number];

export interface Rules {
  /** Most keys in one transaction; the contract takes 64. */
  readonly batch: number;
  /** Wei that continuing a finalisation must pay at least. */
  readonly minFinalisation: bigint;
  /** Wei of the treasury's fees that are worth a transaction. */
  readonly minTreasury: bigint;
}

export interface Plan {
  readonly actions: readonly Action[];
  readonly reasons: Readonly<Record<ActionKind, readonly Reason[]>>;
  /** Keys that were predeposited with our registry but belong to other credentials: never funded. */
  readonly foreign: readonly Hex[];
}

/** What the contract takes. */
export const MAX_BATCH = 64;
export const TOP_UP = 31n * 10n ** 18n;
const VALIDATOR_DEPOSIT = 32n * 10n ** 18n;
const BELOW_GWEI = 31_750_000_000n;
const PREDEPOSIT_GWEI = 1_000_000_000n;
const FAR_FUTURE = 2n ** 64n - 1n;
const EPOCHS_BEFORE_EXIT = 256n;
const HOUR = 3_600n;
const DAY = 24n * HOUR;

/** A key with what both layers say about it. */
interface Known {
  readonly entry: ValidatorEntry;
  readonly validator: ValidatorInfo;
}

export function planActions(snapshot: Snapshot, rules: Rules): Plan {
  const known = [...snapshot.book.values()].flatMap((entry): Known[] => {
    const validator = snapshot.state.validators.get(entry.pubkey);
    return validator === undefined ? [] : [{ entry, validator }];
  });
  const parts = [
    proofsOfLeaving(snapshot, known),
    outstandingRequests(snapshot, known),
    finalisation(snapshot, rules),
    exits(snapshot),
    keysToProve(snapshot, rules),
    funding(snapshot, rules),
    treasuryPayment(snapshot, rules),
  ];
  const actions = parts.flatMap((part) => part.actions);
  const reasons = Object.fromEntries(
    ACTION_KINDS.map((kind) => [kind, parts.flatMap((part) => part.reasons[kind] ?? [])]),
  ) as unknown as Record<ActionKind, Reason[]>;
  for (const kind of ACTION_KINDS)
    if (reasons[kind].length === 0 && !actions.some((action) => action.kind === kind))
      reasons[kind].push("nothing to do");
  return { actions, reasons, foreign: foreignKeys(snapshot, known) };
}

interface Part {
  readonly actions: readonly Action[];
  readonly reasons: Partial<Record<ActionKind, readonly Reason[]>>;
}

/** Slashed, withdrawn, exiting, below: whatever the state shows and the registry does not know. The most urgent first. */
function proofsOfLeaving(snapshot: Snapshot, known: readonly Known[]): Part {
  const { block } = snapshot.state;
  const epoch = BigInt(Math.floor(block.slot / snapshot.slotsPerEpoch));
  const slashed: Action[] = [];
  const withdrawn: Action[] = [];
  const exiting: Action[] = [];
  const below: Action[] = [];
  for (const { entry, validator } of known) {
    const { pubkey } = entry;
    const isFunded = entry.status === "active" || entry.status === "exiting";
    if (!isFunded) continue;
    if (validator.slashed && !entry.slashed) slashed.push({ kind: "proveSlashed", pubkey, slot: block.slot });
    // a withdrawn validator's slashing can't be proven any more: first things first
    const isSettled = !validator.slashed || entry.slashed;
    const leaves = validator.withdrawableEpoch !== FAR_FUTURE && isSettled;
    if (leaves && epoch >= validator.withdrawableEpoch - 1n) {
      // the last slot of the epoch before, or as far as finality goes
      const last = Number(validator.withdrawableEpoch) * snapshot.slotsPerEpoch - 1;
      withdrawn.push({ kind: "proveWithdrawn", pubkey, slot: Math.min(last, block.slot) });
    } else if (validator.exitEpoch !== FAR_FUTURE) {
      if (entry.status === "active") exiting.push({ kind: "proveExiting", pubkey, slot: block.slot });
    } else if (isBelow(entry, validator, epoch)) {
      below.push({ kind: "proveBelow", pubkey, slot: block.slot });
    }
  }
  return { actions: [...slashed, ...withdrawn, ...exiting, ...below], reasons: {} };
}

function isBelow(entry: ValidatorEntry, validator: ValidatorInfo, epoch: bigint): boolean {
  return !entry.weightStopped && validator.activationEpoch <= epoch && validator.balanceGwei < BELOW_GWEI;
}

/** Requests to exit that nothing came of: forgotten after a day, or as soon as a later state shows that. */
function outstandingRequests(snapshot: Snapshot, known: readonly Known[]): Part {
  const stateTime = BigInt(snapshot.genesisTime + snapshot.state.block.slot * snapshot.secondsPerSlot);
  const actions: Action[] = [];
  for (const { entry, validator } of known) {
    const requestedAt = snapshot.exitRequestedAt.get(entry.keyRoot);
    if (requestedAt === undefined || validator.exitEpoch !== FAR_FUTURE) continue;
    if (stateTime >= requestedAt + HOUR)
      actions.push({ kind: "proveNotExiting", pubkey: entry.pubkey, slot: snapshot.state.block.slot });
    else if (snapshot.now >= requestedAt + DAY) actions.push({ kind: "expireExitRequest", keyRoot: entry.keyRoot });
  }
  return { actions, reasons: {} };
}

function finalisation({ finalisable }: Snapshot, { minFinalisation }: Rules): Part {
  if (finalisable === 0n) return { actions: [], reasons: {} };
  if (finalisable < minFinalisation) return { actions: [], reasons: { continueFinalisation: ["not worth it yet"] } };
  return { actions: [{ kind: "continueFinalisation" }], reasons: {} };
}

/** One exit at a time: after it, the demand and the order are others. */
function exits(snapshot: Snapshot): Part {
  const { exitDemand, oldestRoundEnd, now, tiers, state } = snapshot;
  const isOld = oldestRoundEnd !== 0n && oldestRoundEnd + 3n * DAY <= now;
  const none = (...reasons: Reason[]): Part => ({ actions: [], reasons: { requestExit: reasons } });
  if (exitDemand < VALIDATOR_DEPOSIT && !(exitDemand > 0n && isOld)) return none("no exit is needed");
  const tier = nextTierToExit(tiers);
  if (tier === undefined) return none("no exit is needed");
  const entries = [...snapshot.book.values()].filter((entry) => entry.tier === tier && entry.fundedBlock !== undefined);
  const outOfTurn = entries.filter((entry) => entry.outOfTurn && entry.status === "active" && !entry.exitRequested);
  const exitHead = Number(tiers[tier]?.exitHead ?? 0n);
  const inOrder = entries.filter((entry) => !entry.outOfTurn).sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0));
  // whose request was forgotten may be asked again at any time
  const again = inOrder.filter(
    (entry) => (entry.sequence ?? 0) < exitHead && entry.status === "active" && !entry.exitRequested,
  );
  const ahead = inOrder.filter((entry) => (entry.sequence ?? 0) >= exitHead);
  const firstActive = ahead.findIndex(({ status }) => status === "active");
  const skipped = firstActive === -1 ? ahead : ahead.slice(0, firstActive);
  const skip: Action[] =
    skipped.length > 0
      ? [{ kind: "skipExited", keyRoots: skipped.slice(0, MAX_BATCH).map(({ keyRoot }) => keyRoot) }]
      : [];
  const head = ahead[firstActive];
  const candidates = [...again, ...(skip.length === 0 && head !== undefined ? [head] : []), ...outOfTurn];
  const ready = candidates.find((entry) => canExit(state.validators.get(entry.pubkey), snapshot));
  if (ready !== undefined)
    return { actions: [{ kind: "requestExit", pubkey: ready.pubkey, slot: state.block.slot }], reasons: {} };
  if (skip.length > 0) return { actions: skip, reasons: {} };
  const exitEpoch = head === undefined ? undefined : state.validators.get(head.pubkey)?.exitEpoch;
  const isLeaving = exitEpoch !== undefined && exitEpoch !== FAR_FUTURE;
  return none(isLeaving ? "an exit is being proven" : "the next validator can't exit yet");
}

function canExit(validator: ValidatorInfo | undefined, { state, slotsPerEpoch }: Snapshot): boolean {
  const epoch = BigInt(Math.floor(state.block.slot / slotsPerEpoch));
  if (validator === undefined) return false;
  return validator.exitEpoch === FAR_FUTURE && validator.activationEpoch + EPOCHS_BEFORE_EXIT <= epoch;
}

/** Predeposited keys that the consensus layer knows as they must be, in the order of their predeposits. */
function keysToProve(snapshot: Snapshot, { batch }: Rules): Part {
  const waiting = [...snapshot.book.values()].filter(({ status }) => status === "predeposited");
  const provable: Hex[] = [];
  const reasons = new Set<Reason>();
  for (const { pubkey } of waiting) {
    const validator = snapshot.state.validators.get(pubkey);
    if (validator === undefined) reasons.add("the consensus layer does not know the key yet");
    else if (validator.withdrawalCredentials !== snapshot.credentials) reasons.add("foreign credentials");
    else if (isProvable(validator)) provable.push(pubkey);
  }
  const actions: Action[] = [];
  for (let from = 0; from < provable.length; from += batch)
    actions.push({ kind: "proveValidators", pubkeys: provable.slice(from, from + batch) });
  return { actions, reasons: { proveValidators: [...reasons] } };
}

function isProvable(validator: ValidatorInfo): boolean {
  return (
    !validator.slashed &&
    validator.effectiveBalanceGwei >= PREDEPOSIT_GWEI &&
    validator.activationEligibilityEpoch === FAR_FUTURE
  );
}

function foreignKeys({ credentials }: Snapshot, known: readonly Known[]): Hex[] {
  return known
    .filter(
      ({ entry, validator }) => entry.status === "predeposited" && validator.withdrawalCredentials !== credentials,
    )
    .map(({ entry }) => entry.pubkey);
}

/** The next queued keys by turns of the tiers, as many as there is ether for. */
function funding(snapshot: Snapshot, { batch }: Rules): Part {
  const queued = [...snapshot.book.values()].filter(({ status }) => status === "queued");
  if (queued.length === 0) return { actions: [], reasons: {} };
  const affordable = Number(snapshot.depositable / TOP_UP);
  if (affordable === 0) return { actions: [], reasons: { fundValidators: ["no ether to fund with"] } };
  const byTier = Map.groupBy(queued, ({ tier }) => tier ?? -1);
  for (const entries of byTier.values()) entries.sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0));
  const pubkeys = fundingOrder(snapshot.tiers, Math.min(batch, affordable)).flatMap(
    (tier) => byTier.get(tier)?.shift()?.pubkey ?? [],
  );
  if (pubkeys.length === 0)
    return { actions: [], reasons: { fundValidators: ["every waiting tier is at its maximum"] } };
  return { actions: [{ kind: "fundValidators", pubkeys }], reasons: {} };
}

function treasuryPayment({ treasury: due }: Snapshot, { minTreasury }: Rules): Part {
  if (due === 0n) return { actions: [], reasons: {} };
  if (due < minTreasury) return { actions: [], reasons: { payTreasury: ["not worth it yet"] } };
  return { actions: [{ kind: "payTreasury" }], reasons: {} };
}
