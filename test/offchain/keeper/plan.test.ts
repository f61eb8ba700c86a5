import { expect } from "chai";
import type { BeaconBlockInfo, ValidatorInfo } from "../../../offchain/beacon/types.ts";
import type { ValidatorEntry } from "../../../offchain/chain/validatorBook.ts";
import { ACTION_KINDS, planActions } from "../../../offchain/keeper/plan.ts";
import type { Action, ActionKind, Plan } from "../../../offchain/keeper/plan.ts";
import type { Snapshot } from "../../../offchain/keeper/snapshot.ts";
import type { Hex } from "../../../offchain/util/hex.ts";
import { ETH, RULES } from "./world.ts";

const FAR_FUTURE = 2n ** 64n - 1n;
const HOUR = 3_600n;
const DAY = 24n * HOUR;
const OURS: Hex = "0x01aa";
const EPOCH = 1_000;
const SLOT = EPOCH * 32;
/** Of the state. */
const STATE_TIME = BigInt(SLOT * 12);

/** One key, as both layers see it. */
interface Key {
  readonly entry?: Partial<ValidatorEntry>;
  /** Null: the consensus layer does not know it. */
  readonly validator?: Partial<ValidatorInfo> | null;
  /** Unix seconds. */
  readonly requestedAt?: bigint;
}

const pubkeyOf = (index: number): Hex => `0xbb${index.toString(16).padStart(2, "0")}`;
const keyRootOf = (index: number): Hex => `0xcc${index.toString(16).padStart(2, "0")}`;

/** A snapshot of a protocol with these keys, numbered from 0, in which nothing else is to be done. */
function snapshotOf(keys: readonly Key[], change: Partial<Snapshot> = {}): Snapshot {
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
        exiting: count("exiting") + count("withdrawn"),
        requested: BigInt(exitRequestedAt.size),
        targetShareBp: 10_000n,
        maxShareBp: 10_000n,
        exitHead: 0n,
      },
    ],
    exitRequestedAt,
    depositable: 0n,
    exitDemand: 0n,
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

const plan = (keys: readonly Key[], change: Partial<Snapshot> = {}): Plan =>
  planActions(snapshotOf(keys, change), RULES);
const actionsOf = (keys: readonly Key[], change: Partial<Snapshot> = {}): readonly Action[] =>
  plan(keys, change).actions;
const about = (kind: ActionKind, index: number, slot = SLOT) => ({ kind, pubkey: pubkeyOf(index), slot });

describe("the keeper's plan", () => {
  it("is empty where nothing is to be done, and says so of every action but exits", () => {
    const { actions, reasons, foreign } = plan([{}]);
    expect(actions).to.deep.equal([]);
    expect(foreign).to.deep.equal([]);
    for (const kind of ACTION_KINDS)
      expect(reasons[kind], kind).to.deep.equal([kind === "requestExit" ? "no exit is needed" : "nothing to do"]);
  });

  describe("of proofs", () => {
    const leaving = { exitEpoch: 900n, withdrawableEpoch: BigInt(EPOCH) + 50n };

    it("has the most urgent first: slashed, withdrawn, exiting, below", () => {
      const keys: Key[] = [
        { validator: { balanceGwei: 31_749_999_999n } },
        { validator: leaving },
        { entry: { status: "exiting" }, validator: { ...leaving, withdrawableEpoch: BigInt(EPOCH) } },
        { validator: { slashed: true } },
      ];
      expect(actionsOf(keys)).to.deep.equal([
        about("proveSlashed", 3),
        about("proveWithdrawn", 2, EPOCH * 32 - 1),
        about("proveExiting", 1),
        about("proveBelow", 0),
      ]);
    });

    it("proves a withdrawal from the last epoch before it on, in the last slot of that epoch or as far as finality goes", () => {
      const withdrawable = (epoch: number): Key[] => [
        { entry: { status: "exiting" }, validator: { ...leaving, withdrawableEpoch: BigInt(epoch) } },
      ];
      expect(actionsOf(withdrawable(EPOCH + 2))).to.deep.equal([]);
      expect(actionsOf(withdrawable(EPOCH + 1))).to.deep.equal([about("proveWithdrawn", 0)]);
      expect(actionsOf(withdrawable(EPOCH))).to.deep.equal([about("proveWithdrawn", 0, SLOT - 1)]);
      expect(actionsOf(withdrawable(EPOCH - 600))).to.deep.equal([about("proveWithdrawn", 0, (EPOCH - 600) * 32 - 1)]);
    });

    it("proves a slashing before the same key's withdrawal, after which it could not be proven", () => {
      const gone = { ...leaving, slashed: true, withdrawableEpoch: BigInt(EPOCH) - 5n };
      expect(actionsOf([{ entry: { status: "exiting" }, validator: gone }])).to.deep.equal([about("proveSlashed", 0)]);
      expect(actionsOf([{ entry: { status: "exiting", slashed: true }, validator: gone }])).to.deep.equal([
        about("proveWithdrawn", 0, (EPOCH - 5) * 32 - 1),
      ]);
    });

    it("proves a low balance only once active, only once, and not of a validator that leaves", () => {
      const low = { balanceGwei: 31_749_999_999n };
      expect(actionsOf([{ validator: { balanceGwei: 31_750_000_000n } }]), "at the limit").to.deep.equal([]);
      expect(actionsOf([{ validator: { ...low, activationEpoch: BigInt(EPOCH) } }])).to.deep.equal([
        about("proveBelow", 0),
      ]);
      expect(actionsOf([{ validator: { ...low, activationEpoch: BigInt(EPOCH) + 1n } }])).to.deep.equal([]);
      expect(actionsOf([{ entry: { weightStopped: true }, validator: low }])).to.deep.equal([]);
      expect(actionsOf([{ entry: { status: "exiting" }, validator: { ...low, ...leaving } }])).to.deep.equal([]);
    });
  });

  describe("of exits that were asked for", () => {
    it("proves that one does not exit as soon as a final state is an hour later, and expires it after a day without one", () => {
      const asked = (ago: bigint, now = STATE_TIME + 800n): readonly Action[] =>
        actionsOf([{ requestedAt: STATE_TIME - ago }], { now });
      expect(asked(HOUR - 1n), "too early").to.deep.equal([]);
      expect(asked(HOUR)).to.deep.equal([about("proveNotExiting", 0)]);
      // without finality the state stays where it is, and the clock goes on
      expect(asked(0n, STATE_TIME + DAY - 1n)).to.deep.equal([]);
      expect(asked(0n, STATE_TIME + DAY)).to.deep.equal([{ kind: "expireExitRequest", keyRoot: keyRootOf(0) }]);
    });

    it("leaves a request alone whose validator exits: that is proven instead", () => {
      const exits = { exitEpoch: BigInt(EPOCH) + 5n, withdrawableEpoch: BigInt(EPOCH) + 261n };
      expect(actionsOf([{ requestedAt: STATE_TIME - DAY, validator: exits }])).to.deep.equal([
        about("proveExiting", 0),
      ]);
    });
  });

  describe("of exits to ask for", () => {
    const exitReasons = (keys: readonly Key[], change: Partial<Snapshot>) => plan(keys, change).reasons.requestExit;
    const full = { exitDemand: 32n * ETH };

    it("asks the first that may leave, one at a time", () => {
      expect(actionsOf([{}, {}], full)).to.deep.equal([about("requestExit", 0)]);
    });

    it("needs a whole validator's demand, or a small one that has waited three days", () => {
      const small = { exitDemand: 32n * ETH - 1n };
      expect(exitReasons([{}], small)).to.deep.equal(["no exit is needed"]);
      const now = STATE_TIME + 800n;
      expect(exitReasons([{}], { ...small, oldestRoundEnd: now - 3n * DAY + 1n })).to.deep.equal(["no exit is needed"]);
      expect(actionsOf([{}], { ...small, oldestRoundEnd: now - 3n * DAY })).to.deep.equal([about("requestExit", 0)]);
      expect(exitReasons([{}], { oldestRoundEnd: now - 30n * DAY }), "no demand at all").to.deep.equal([
        "no exit is needed",
      ]);
    });

    it("waits until the next has been active for 256 epochs", () => {
      const since = (epochs: number): Key[] => [{ validator: { activationEpoch: BigInt(EPOCH - epochs) } }];
      expect(exitReasons(since(255), full)).to.deep.equal(["the next validator can't exit yet"]);
      expect(actionsOf(since(256), full)).to.deep.equal([about("requestExit", 0)]);
    });

    it("says when the next is leaving by itself, which is proven first", () => {
      const keys: Key[] = [
        { validator: { exitEpoch: BigInt(EPOCH) + 5n, withdrawableEpoch: BigInt(EPOCH) + 261n } },
        {},
      ];
      const { actions, reasons } = plan(keys, full);
      expect(actions).to.deep.equal([about("proveExiting", 0)]);
      expect(reasons.requestExit).to.deep.equal(["an exit is being proven"]);
    });

    it("passes over those that left, before the next can be asked", () => {
      const gone: Key = { entry: { status: "withdrawn" }, validator: null };
      expect(actionsOf([gone, gone, {}], full)).to.deep.equal([
        { kind: "skipExited", keyRoots: [keyRootOf(0), keyRootOf(1)] },
      ]);
    });

    it("asks again whose request was forgotten, and takes one that was funded out of turn where the head can't leave", () => {
      const snapshot = snapshotOf([{}, { validator: { activationEpoch: BigInt(EPOCH) } }], full);
      const [tier] = snapshot.tiers;
      if (tier === undefined) throw new Error("no tier");
      const past = { ...snapshot, tiers: [{ ...tier, exitHead: 1n }] };
      expect(planActions(past, RULES).actions).to.deep.equal([about("requestExit", 0)]);
      const young: Key = { validator: { activationEpoch: BigInt(EPOCH) } };
      expect(actionsOf([young, { entry: { outOfTurn: true } }], full)).to.deep.equal([about("requestExit", 1)]);
    });
  });

  describe("of new keys", () => {
    const fresh = (validator: Partial<ValidatorInfo> | null = {}): Key => ({
      entry: { status: "predeposited", tier: undefined, sequence: undefined },
      validator:
        validator === null
          ? null
          : {
              balanceGwei: 10n ** 9n,
              effectiveBalanceGwei: 10n ** 9n,
              activationEligibilityEpoch: FAR_FUTURE,
              activationEpoch: FAR_FUTURE,
              ...validator,
            },
    });

    it("proves what the consensus layer knows as it must be, in batches", () => {
      const keys = Array.from({ length: 31 }, () => fresh());
      const batches = actionsOf(keys).map((action) => ("pubkeys" in action ? action.pubkeys.length : 0));
      expect(batches).to.deep.equal([30, 1]);
    });

    it("says why a key is not proven, and never proves one that nobody could fund", () => {
      const { actions, reasons, foreign } = plan([
        fresh(null),
        fresh({ withdrawalCredentials: "0x01bb" }),
        fresh({ slashed: true }),
        fresh({ effectiveBalanceGwei: 10n ** 9n - 1n }),
        fresh({ activationEligibilityEpoch: 5n }),
        fresh(),
      ]);
      expect(actions).to.deep.equal([{ kind: "proveValidators", pubkeys: [pubkeyOf(5)] }]);
      expect(reasons.proveValidators).to.have.members([
        "the consensus layer does not know the key yet",
        "foreign credentials",
      ]);
      expect(foreign).to.deep.equal([pubkeyOf(1)]);
    });

    const queued: Key = { entry: { status: "queued" }, validator: {} };

    it("funds as many as there is ether for, in the order of the queue", () => {
      const fund = (depositable: bigint) => actionsOf([queued, queued, queued], { depositable });
      expect(fund(31n * ETH - 1n)).to.deep.equal([]);
      expect(plan([queued], { depositable: 31n * ETH - 1n }).reasons.fundValidators).to.deep.equal([
        "no ether to fund with",
      ]);
      expect(fund(62n * ETH)).to.deep.equal([{ kind: "fundValidators", pubkeys: [pubkeyOf(0), pubkeyOf(1)] }]);
      expect(fund(6_200n * ETH)).to.deep.equal([
        { kind: "fundValidators", pubkeys: [pubkeyOf(0), pubkeyOf(1), pubkeyOf(2)] },
      ]);
    });

    it("funds nobody beyond a tier's greatest share", () => {
      const snapshot = snapshotOf([{}, queued], { depositable: 310n * ETH });
      const [tier] = snapshot.tiers;
      if (tier === undefined) throw new Error("no tier");
      const other = { ...tier, queued: 0n, funded: 0n };
      const { actions, reasons } = planActions({ ...snapshot, tiers: [{ ...tier, maxShareBp: 5_000n }, other] }, RULES);
      expect(actions).to.deep.equal([]);
      expect(reasons.fundValidators).to.deep.equal(["every waiting tier is at its maximum"]);
    });
  });

  it("pays what is worth a transaction, and waits with the rest", () => {
    const pays = (change: Partial<Snapshot>) => actionsOf([], change).map(({ kind }) => kind);
    expect(pays({ finalisable: RULES.minFinalisation, treasury: RULES.minTreasury })).to.deep.equal([
      "continueFinalisation",
      "payTreasury",
    ]);
    const { actions, reasons } = plan([], {
      finalisable: RULES.minFinalisation - 1n,
      treasury: RULES.minTreasury - 1n,
    });
    expect(actions).to.deep.equal([]);
    expect(reasons.continueFinalisation).to.deep.equal(["not worth it yet"]);
    expect(reasons.payTreasury).to.deep.equal(["not worth it yet"]);
  });
});
