/** Who is asked to exit: validators of delinquent operators at once, others in turn while ether is owed (IValidatorExits.requestExit). */
import type { ValidatorEntry } from "../chain/validatorBook.ts";
import type { ValidatorInfo } from "../beacon/types.ts";
import { VALIDATOR_DEPOSIT } from "../protocol/units.ts";
import { nextTierToExit } from "../protocol/validatorOrder.ts";
import type { TierQueue } from "../protocol/validatorOrder.ts";
import type { Hex } from "../util/hex.ts";
import { FAR_FUTURE, MAX_BATCH } from "./actions.ts";
import type { Action, EjectionCause, Known, Part, Reason, Rules } from "./actions.ts";
import type { Snapshot } from "./snapshot.ts";

/** Principal less 1 ETH: below it anyone may make a validator exit. */
export const EJECT_BELOW_GWEI = 31_000_000_000n;
const EPOCHS_BEFORE_EXIT = 256n; // SHARD_COMMITTEE_PERIOD
const HOUR = 3_600n;
const DAY = 24n * HOUR;
/** An exit is asked on a state of the last hour; so much of it is left for the transaction to be mined. */
const TO_BE_MINED = 300n;

/** Why the validator may be made to exit now; undefined if it may not. */
export function ejectionCause({ entry, validator }: Known, { exitCauses }: Snapshot): EjectionCause | undefined {
  if (entry.status !== "active") return undefined;
  const cause = exitCauses.get(entry.operatorId);
  if (cause?.withoutDemand === true) return cause.indebted ? "debt" : "frozen";
  return isActive(validator) && validator.balanceGwei < EJECT_BELOW_GWEI ? "balance" : undefined;
}

/** No demand and no turn is needed; at most a batch in one turn. */
export function ejections(snapshot: Snapshot, known: readonly Known[], { batch }: Rules): Part {
  const actions: Action[] = [];
  const reasons = { eject: new Set<Reason>(), ejectBelow: new Set<Reason>() };
  for (const one of known) {
    const cause = ejectionCause(one, snapshot);
    if (cause === undefined) continue;
    const { pubkey } = one.entry;
    const kind = cause === "balance" ? "ejectBelow" : "eject";
    const obstacle = obstacleTo(one.entry, one.validator, snapshot);
    if (obstacle !== undefined) reasons[kind].add(obstacle);
    else if (actions.length < batch)
      actions.push(
        kind === "eject"
          ? { kind, pubkey, slot: snapshot.state.block.slot, cause }
          : { kind, pubkey, slot: snapshot.state.block.slot },
      );
  }
  return { actions, reasons: { eject: [...reasons.eject], ejectBelow: [...reasons.ejectBelow] } };
}

/** One exit at a time: after it, the demand and the order are others. `ejected` have been asked before. */
export function demandedExits(snapshot: Snapshot, ejected: ReadonlySet<Hex>): Part {
  const { exitDemand, oldestRoundEnd, now, book, state, exitCauses } = snapshot;
  const demand = exitDemand - VALIDATOR_DEPOSIT * BigInt(ejected.size);
  const isOld = oldestRoundEnd !== 0n && oldestRoundEnd + 3n * DAY <= now;
  if (demand < VALIDATOR_DEPOSIT && !(demand > 0n && isOld)) return none("no exit is needed");
  if (isTooOld(snapshot)) return none("the newest final state is too old");
  const ask = ({ pubkey }: ValidatorEntry, passed: readonly Hex[] = []): Part => ({
    actions: [{ kind: "requestExit", pubkey, slot: state.block.slot, passed }],
    reasons: {},
  });
  const canBeAsked = (entry: ValidatorEntry): boolean =>
    !ejected.has(entry.pubkey) && obstacleTo(entry, state.validators.get(entry.pubkey), snapshot) === undefined;
  const active = [...book.values()].filter(({ status }) => status === "active");
  // whose request came to nothing had its turn; a frozen operator's need none
  const outOfTurn = active.filter((entry) => entry.exitRequested || exitCauses.has(entry.operatorId));
  const first = outOfTurn.find(canBeAsked);
  return first === undefined ? inTurn(snapshot, ejected, canBeAsked, ask) : ask(first);
}

/** The first tier by its share whose head can exit; those with a young head are passed over. */
function inTurn(
  snapshot: Snapshot,
  ejected: ReadonlySet<Hex>,
  canBeAsked: (entry: ValidatorEntry) => boolean,
  ask: (entry: ValidatorEntry, passed: readonly Hex[]) => Part,
): Part {
  const tiers = tiersAfter(snapshot, ejected);
  const stays = ({ status, exitRequested, pubkey }: ValidatorEntry): boolean =>
    status === "active" && !exitRequested && !ejected.has(pubkey);
  const passed: Hex[] = [];
  const left = new Set<number>();
  for (;;) {
    const tier = nextTierToExit(tiers, left);
    if (tier === undefined) return none(left.size > 0 ? "the next validator can't exit yet" : "no exit is needed");
    const { gone, head, own } = orderOf(snapshot, tier, stays);
    const ready = [...(gone.length === 0 && head !== undefined ? [head] : []), ...own].find(canBeAsked);
    if (ready !== undefined) return ask(ready, passed);
    if (gone.length > 0) return skipping(gone, ejected);
    const speaker = head ?? own[0];
    const validator = speaker && snapshot.state.validators.get(speaker.pubkey);
    if (speaker === undefined || validator === undefined) return none("the next validator can't exit yet");
    if (validator.exitEpoch !== FAR_FUTURE) return none("an exit is being proven");
    passed.push(speaker.pubkey);
    left.add(tier);
  }
}

interface Order {
  /** At the head of the order, and no longer there. */
  readonly gone: readonly ValidatorEntry[];
  /** The first that stays. */
  readonly head: ValidatorEntry | undefined;
  /** Funded by their operators out of turn, staying: each may go whenever the tier is next. */
  readonly own: readonly ValidatorEntry[];
}

function orderOf({ book, tiers }: Snapshot, tier: number, stays: (entry: ValidatorEntry) => boolean): Order {
  const exitHead = Number(tiers[tier]?.exitHead ?? 0n);
  const funded = [...book.values()].filter((entry) => entry.tier === tier && entry.fundedBlock !== undefined);
  const ahead = funded
    .filter(({ outOfTurn, sequence }) => !outOfTurn && (sequence ?? 0) >= exitHead)
    .sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0));
  const first = ahead.findIndex(stays);
  return {
    gone: first === -1 ? ahead : ahead.slice(0, first),
    head: ahead[first],
    own: funded.filter((entry) => entry.outOfTurn && stays(entry)),
  };
}

/** What was only now asked is passed over in a later turn. */
function skipping(gone: readonly ValidatorEntry[], ejected: ReadonlySet<Hex>): Part {
  const now = gone.findIndex(({ pubkey }) => ejected.has(pubkey));
  const left = gone.slice(0, now === -1 ? MAX_BATCH : Math.min(now, MAX_BATCH));
  if (left.length === 0) return none("an exit is being proven");
  return { actions: [{ kind: "skipExited", keyRoots: left.map(({ keyRoot }) => keyRoot) }], reasons: {} };
}

/** A tier's first request counts a validator as leaving. */
function tiersAfter({ book, tiers }: Snapshot, ejected: ReadonlySet<Hex>): TierQueue[] {
  const asked = [...book.values()].filter(({ pubkey, exitRequested }) => ejected.has(pubkey) && !exitRequested);
  return tiers.map((queue, tier) => ({
    ...queue,
    leaving: queue.leaving + BigInt(asked.filter((entry) => entry.tier === tier).length),
  }));
}

/** Why an active validator can't be asked to exit now. */
function obstacleTo(
  entry: ValidatorEntry,
  validator: ValidatorInfo | undefined,
  snapshot: Snapshot,
): Reason | undefined {
  if (validator === undefined) return "not active for 256 epochs yet";
  if (validator.exitEpoch !== FAR_FUTURE) return "an exit is being proven";
  if (isTooOld(snapshot)) return "the newest final state is too old";
  const requestedAt = snapshot.exitRequestedAt.get(entry.keyRoot);
  // a request shows in a state after an hour, if anything came of it
  if (requestedAt !== undefined && stateTime(snapshot) < requestedAt + HOUR) return "asked within the last hour";
  const epoch = BigInt(Math.floor(snapshot.state.block.slot / snapshot.slotsPerEpoch));
  return validator.activationEpoch + EPOCHS_BEFORE_EXIT > epoch ? "not active for 256 epochs yet" : undefined;
}

function isActive({ activationEpoch }: ValidatorInfo): boolean {
  return activationEpoch !== FAR_FUTURE;
}

function isTooOld(snapshot: Snapshot): boolean {
  return stateTime(snapshot) + HOUR < snapshot.now + TO_BE_MINED;
}

/** Unix seconds. */
function stateTime({ genesisTime, state, secondsPerSlot }: Snapshot): bigint {
  return BigInt(genesisTime + state.block.slot * secondsPerSlot);
}

function none(...reasons: Reason[]): Part {
  return { actions: [], reasons: { requestExit: reasons } };
}
