import { expect } from "chai";
import type { ValidatorInfo } from "../../../offchain/beacon/types.ts";
import { ACTION_KINDS } from "../../../offchain/keeper/actions.ts";
import type { ActionKind } from "../../../offchain/keeper/actions.ts";
import { planActions } from "../../../offchain/keeper/plan.ts";
import type { Snapshot } from "../../../offchain/keeper/snapshot.ts";
import {
  EPOCH,
  FAR_FUTURE,
  SLOT,
  STATE_TIME,
  about,
  actionsOf,
  keyRootOf,
  plan,
  pubkeyOf,
  snapshotOf,
} from "./snapshots.ts";
import type { Key } from "./snapshots.ts";
import { ETH, RULES } from "./world.ts";

describe("the keeper's plan", () => {
  it("is empty where nothing is to be done, and says so of every action but exits and what is switched off", () => {
    const { actions, reasons, foreign } = plan([{}]);
    expect(actions).to.deep.equal([]);
    expect(foreign).to.deep.equal([]);
    const otherwise: Readonly<Partial<Record<ActionKind, string>>> = {
      requestExit: "no exit is needed",
      claimBought: "switched off",
      queueBought: "switched off",
      buyFromPool: "switched off",
    };
    for (const kind of ACTION_KINDS) expect(reasons[kind], kind).to.deep.equal([otherwise[kind] ?? "nothing to do"]);
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

    it("proves a slashing also of a key that was proven withdrawn, once", () => {
      const gone = { ...leaving, slashed: true, withdrawableEpoch: BigInt(EPOCH) + 5_000n };
      const settledEpochs = new Map([[keyRootOf(0), BigInt(EPOCH) - 5n]]);
      expect(actionsOf([{ entry: { status: "withdrawn" }, validator: gone }], { settledEpochs })).to.deep.equal([
        about("proveSlashed", 0),
      ]);
      const known: Key = { entry: { status: "withdrawn", slashed: true }, validator: gone };
      expect(actionsOf([known], { settledEpochs })).to.deep.equal([]);
      expect(actionsOf([{ entry: { status: "dropped", fundedBlock: undefined }, validator: gone }])).to.deep.equal([]);
    });

    it("proves a second withdrawal where a slashing after the first moved the last epoch, in the state of that one", () => {
      const end = EPOCH - 5;
      const gone = { ...leaving, slashed: true, withdrawableEpoch: BigInt(end) };
      const keys: Key[] = [{ entry: { status: "withdrawn", slashed: true }, validator: gone }];
      const settledIn = (epoch: number) => ({ settledEpochs: new Map([[keyRootOf(0), BigInt(epoch)]]) });
      expect(actionsOf(keys, settledIn(end - 8_000))).to.deep.equal([about("proveWithdrawn", 0, end * 32 - 1)]);
      expect(actionsOf(keys, settledIn(end)), "settled with that epoch").to.deep.equal([]);
      const early: Key[] = [{ ...keys[0], validator: { ...gone, withdrawableEpoch: BigInt(EPOCH) + 2n } }];
      expect(actionsOf(early, settledIn(end - 8_000)), "its last epoch has not come").to.deep.equal([]);
      const honest: Key[] = [{ entry: { status: "withdrawn" }, validator: { ...gone, slashed: false } }];
      expect(actionsOf(honest), "only a slashing moves it").to.deep.equal([]);
    });

    it("proves slashing and withdrawal of one key in one turn, the slashing first", () => {
      const gone = { ...leaving, slashed: true, withdrawableEpoch: BigInt(EPOCH) - 5n };
      expect(actionsOf([{ entry: { status: "exiting" }, validator: gone }])).to.deep.equal([
        about("proveSlashed", 0),
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

    it("skips fundings while a report is overdue or held, with a reason of its own", () => {
      const late = { depositable: 310n * ETH, openUntil: STATE_TIME + 799n };
      expect(plan([queued], late).actions).to.deep.equal([]);
      expect(plan([queued], late).reasons.fundValidators).to.deep.equal(["a report is overdue"]);
      expect(actionsOf([queued], { ...late, openUntil: STATE_TIME + 800n })).to.have.length(1);
      expect(plan([], late).reasons.fundValidators, "nothing waits").to.deep.equal(["nothing to do"]);
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

  it("continues no finalisation while a report is overdue or held, and says so where requests wait", () => {
    const late = { finalisable: RULES.minFinalisation, openUntil: 0n };
    const of = (oldestRoundEnd: bigint) => plan([], { ...late, oldestRoundEnd });
    expect(of(1n).actions).to.deep.equal([]);
    expect(of(1n).reasons.continueFinalisation).to.deep.equal(["a report is overdue"]);
    expect(plan([], { openUntil: 0n }).reasons.continueFinalisation).to.deep.equal(["nothing to do"]);
  });
});
