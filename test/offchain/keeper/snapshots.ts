/** Snapshots made by hand: what the keeper's plan is made from. */
import type { BeaconBlockInfo, ValidatorInfo } from "../../../offchain/beacon/types.ts";
import type { ValidatorEntry } from "../../../offchain/chain/validatorBook.ts";
import type { Action, ActionKind } from "../../../offchain/keeper/actions.ts";
import { planActions } from "../../../offchain/keeper/plan.ts";
import type { Plan } from "../../../offchain/keeper/plan.ts";
import type { Snapshot } from "../../../offchain/keeper/snapshot.ts";
import type { Hex } from "../../../offchain/util/hex.ts";
import { RULES } from "./world.ts";

export const FAR_FUTURE = 2n ** 64n - 1n;
export const HOUR = 3_600n;
export const DAY = 24n * HOUR;
const OURS: Hex = "0x01aa";
export const EPOCH = 1_000;
export const SLOT = EPOCH * 32;
/** Of the state. */
export const STATE_TIME = BigInt(SLOT * 12);

/** One key, as both layers see it. */
export interface Key {
  readonly entry?: Partial<ValidatorEntry>;
  /** Null: the consensus layer does not know it. */
  readonly validator?: Partial<ValidatorInfo> | null;
  /** Unix seconds. */
  readonly requestedAt?: bigint;
}

export const pubkeyOf = (index: number): Hex => `0xbb${index.toString(16).padStart(2, "0")}`;
export const keyRootOf = (index: number): Hex => `0xcc${index.toString(16).padStart(2, "0")}`;

/** A snapshot of a protocol with these keys, numbered from 0, in which nothing else is to be done. */
export function snapshotOf(keys: readonly Key[], change: Partial<Snapshot> = {}): Snapshot {
  const book = new Map<Hex, ValidatorEntry>();
  const validators = new Map<Hex, ValidatorInfo>();
  const exitRequestedAt = new Map<Hex, bigint>();
  keys.forEach(({ entry, validator, requestedAt }, index) => {
    const [pubkey, keyRoot] = [pubkeyOf(index), keyRootOf(index)];
    const status = entry?.status ?? "active";
    book.set(keyRoot, {
      keyRoot,
      pubkey,
      operatorId: 1n,
      status,
      tier: 0,
      sequence: index,
      validatorIndex: index,
      outOfTurn: false,
      fundedBlock: status === "predeposited" || status === "queued" ? undefined : 1,
      exitRequested: requestedAt !== undefined,
      withdrawableEpoch: undefined,
      slashed: false,
      weightStopped: false,
      ...entry,
    });
    if (requestedAt !== undefined) exitRequestedAt.set(keyRoot, requestedAt);
    if (validator === null) return;
    validators.set(pubkey, {
      pubkey,
      index,
      withdrawalCredentials: OURS,
      balanceGwei: 32_000_000_000n,
      effectiveBalanceGwei: 32_000_000_000n,
      slashed: false,
      activationEligibilityEpoch: 1n,
      activationEpoch: 2n,
      exitEpoch: FAR_FUTURE,
      withdrawableEpoch: FAR_FUTURE,
      ...validator,
    });
  });
  const count = (status: ValidatorEntry["status"]): bigint =>
    BigInt([...book.values()].filter((entry) => entry.status === status).length);
  return {
    now: STATE_TIME + 800n,
    executionBlock: 77,
    slotsPerEpoch: 32,
    secondsPerSlot: 12,
    genesisTime: 0,
    credentials: OURS,
    book,
    tiers: [
      {
        queued: count("queued"),
        funded: count("active") + count("exiting") + count("withdrawn"),
        leaving: count("exiting") + count("withdrawn") + BigInt(exitRequestedAt.size),
        targetShareBp: 10_000n,
        maxShareBp: 10_000n,
        exitHead: 0n,
      },
    ],
    exitRequestedAt,
    exitCauses: new Map(),
    settledEpochs: new Map(),
    depositable: 0n,
    exitDemand: 0n,
    openUntil: STATE_TIME + DAY,
    oldestRoundEnd: 0n,
    finalisable: 0n,
    treasury: 0n,
    state: {
      block: { slot: SLOT } as BeaconBlockInfo,
      finalizedEpoch: EPOCH,
      validators,
      pendingDepositsGwei: new Map(),
      owedWithdrawalsGwei: new Map(),
      totalActiveBalanceGwei: undefined,
      slashingsGwei: undefined,
    },
    ...change,
  };
}

export const plan = (keys: readonly Key[], change: Partial<Snapshot> = {}): Plan =>
  planActions(snapshotOf(keys, change), RULES);
export const actionsOf = (keys: readonly Key[], change: Partial<Snapshot> = {}): readonly Action[] =>
  plan(keys, change).actions;
export const about = (kind: ActionKind, index: number, slot = SLOT) => ({ kind, pubkey: pubkeyOf(index), slot });
export const asking = (index: number, ...passed: number[]) => ({
  ...about("requestExit", index),
  passed: passed.map(pubkeyOf),
});
