/**
 * What may be done now, in the order in which it should be. Pure: a snapshot in, actions and reasons out. The contracts decide again; the plan
 * only has to be right about what is worth sending.
 */
import type { ValidatorEntry } from "../chain/validatorBook.ts";
import type { ValidatorInfo } from "../beacon/types.ts";
import { TOP_UP } from "../protocol/units.ts";
import { fundingOrder } from "../protocol/validatorOrder.ts";
import type { Hex } from "../util/hex.ts";
import { ACTION_KINDS, EJECTION_CAUSES, FAR_FUTURE } from "./actions.ts";
import { arbitrage } from "./arbitrage.ts";
import type { Action, ActionKind, EjectionCause, Known, Part, Reason, Rules } from "./actions.ts";
import { demandedExits, ejectionCause, ejections } from "./exits.ts";
import type { Snapshot } from "./snapshot.ts";

export interface Plan {
  readonly actions: readonly Action[];
  readonly reasons: Readonly<Record<ActionKind, readonly Reason[]>>;
  /** Keys that were predeposited with our registry but belong to other credentials: never funded. */
  readonly foreign: readonly Hex[];
  /** Validators that may be made to exit out of turn and without demand, those that were asked included. */
  readonly delinquent: Readonly<Record<EjectionCause, number>>;
}

const BELOW_GWEI = 31_750_000_000n;
const PREDEPOSIT_GWEI = 1_000_000_000n;

export function planActions(snapshot: Snapshot, rules: Rules): Plan {
  const known = [...snapshot.book.values()].flatMap((entry): Known[] => {
    const validator = snapshot.state.validators.get(entry.pubkey);
    return validator === undefined ? [] : [{ entry, validator }];
  });
  const ejected = ejections(snapshot, known, rules);
  const parts = [
    badNews(snapshot, known),
    finalisation(snapshot, rules),
    ejected,
    demandedExits(snapshot, new Set(ejected.actions.flatMap((action) => ("pubkey" in action ? [action.pubkey] : [])))),
    keysToProve(snapshot, rules),
    funding(snapshot, rules),
    treasuryPayment(snapshot, rules),
    arbitrage(snapshot.trading, rules.arbitrage),
  ];
  const actions = parts.flatMap((part) => part.actions);
  const reasons = Object.fromEntries(
    ACTION_KINDS.map((kind) => [kind, parts.flatMap((part) => part.reasons[kind] ?? [])]),
  ) as unknown as Record<ActionKind, Reason[]>;
  for (const kind of ACTION_KINDS)
    if (reasons[kind].length === 0 && !actions.some((action) => action.kind === kind))
      reasons[kind].push("nothing to do");
  const causes = known.map((one) => ejectionCause(one, snapshot));
  const delinquent = Object.fromEntries(
    EJECTION_CAUSES.map((cause) => [cause, causes.filter((one) => one === cause).length]),
  ) as Record<EjectionCause, number>;
  return { actions, reasons, foreign: foreignKeys(snapshot, known), delinquent };
}

/** Slashed, withdrawn, exiting, below: whatever the state shows and the registry does not know. The most urgent first. */
function badNews(snapshot: Snapshot, known: readonly Known[]): Part {
  const { block } = snapshot.state;
  const epoch = BigInt(Math.floor(block.slot / snapshot.slotsPerEpoch));
  const slashed: Action[] = [];
  const withdrawn: Action[] = [];
  const exiting: Action[] = [];
  const below: Action[] = [];
  for (const { entry, validator } of known) {
    const { pubkey } = entry;
    if (entry.fundedBlock === undefined) continue;
    if (validator.slashed && !entry.slashed) slashed.push({ kind: "proveSlashed", pubkey, slot: block.slot });
    if (isToSettle(entry, validator, snapshot, epoch)) {
      // the last slot of the epoch before, or as far as finality goes
      const last = Number(validator.withdrawableEpoch) * snapshot.slotsPerEpoch - 1;
      withdrawn.push({ kind: "proveWithdrawn", pubkey, slot: Math.min(last, block.slot) });
    } else if (entry.status !== "active") {
      continue;
    } else if (validator.exitEpoch !== FAR_FUTURE) {
      exiting.push({ kind: "proveExiting", pubkey, slot: block.slot });
    } else if (isBelow(entry, validator, epoch)) {
      below.push({ kind: "proveBelow", pubkey, slot: block.slot });
    }
  }
  return { actions: [...slashed, ...withdrawn, ...exiting, ...below], reasons: {} };
}

/** From its last epoch on; again where a slashing after the first proof moved that epoch. */
function isToSettle(
  entry: ValidatorEntry,
  { slashed, withdrawableEpoch }: ValidatorInfo,
  { settledEpochs }: Snapshot,
  epoch: bigint,
): boolean {
  if (withdrawableEpoch === FAR_FUTURE || epoch < withdrawableEpoch - 1n) return false;
  const settled = settledEpochs.get(entry.keyRoot);
  return entry.status !== "withdrawn" || (slashed && settled !== undefined && withdrawableEpoch > settled);
}

function isBelow(entry: ValidatorEntry, validator: ValidatorInfo, epoch: bigint): boolean {
  return !entry.weightStopped && validator.activationEpoch <= epoch && validator.balanceGwei < BELOW_GWEI;
}

function finalisation(snapshot: Snapshot, { minFinalisation }: Rules): Part {
  const { finalisable, oldestRoundEnd } = snapshot;
  if (isOverdue(snapshot) && oldestRoundEnd !== 0n)
    return { actions: [], reasons: { continueFinalisation: ["a report is overdue"] } };
  if (finalisable === 0n) return { actions: [], reasons: {} };
  if (finalisable < minFinalisation) return { actions: [], reasons: { continueFinalisation: ["not worth it yet"] } };
  return { actions: [{ kind: "continueFinalisation" }], reasons: {} };
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
  if (isOverdue(snapshot)) return { actions: [], reasons: { fundValidators: ["a report is overdue"] } };
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

/** A report did not come, or one was announced that waits for signatures or for governance: neither fundings nor payments. */
function isOverdue({ now, openUntil }: Snapshot): boolean {
  return now > openUntil;
}
