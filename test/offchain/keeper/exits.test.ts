import { expect } from "chai";
import { planActions } from "../../../offchain/keeper/plan.ts";
import type { Plan } from "../../../offchain/keeper/plan.ts";
import type { Snapshot } from "../../../offchain/keeper/snapshot.ts";
import {
  DAY,
  EPOCH,
  FAR_FUTURE,
  HOUR,
  STATE_TIME,
  about,
  actionsOf,
  asking,
  keyRootOf,
  plan,
  snapshotOf,
} from "./snapshots.ts";
import type { Key } from "./snapshots.ts";
import { ETH, RULES } from "./world.ts";

describe("the keeper's plan of exits that were asked for", () => {
  const full = { exitDemand: 32n * ETH };

  it("leaves a request alone whose validator exits: that is proven instead", () => {
    const exits = { exitEpoch: BigInt(EPOCH) + 5n, withdrawableEpoch: BigInt(EPOCH) + 261n };
    expect(actionsOf([{ requestedAt: STATE_TIME - DAY, validator: exits }], full)).to.deep.equal([
      about("proveExiting", 0),
    ]);
  });

  it("re-asks a request that the consensus layer dropped, once a final state is an hour later, while ether is owed", () => {
    const asked = (ago: bigint, change: Partial<Snapshot> = full): Plan =>
      plan([{ requestedAt: STATE_TIME - ago }], change);
    expect(asked(HOUR - 1n).actions, "too early").to.deep.equal([]);
    expect(asked(HOUR).actions).to.deep.equal([asking(0)]);
    expect(asked(DAY, {}).actions, "no ether is owed").to.deep.equal([]);
    expect(asked(DAY, {}).reasons.requestExit).to.deep.equal(["no exit is needed"]);
  });

  it("re-asks before a new one in turn, and asks the next while the hour is not over", () => {
    const keys = (ago: bigint): Key[] => [{ requestedAt: STATE_TIME - ago }, {}];
    const tiers = snapshotOf(keys(DAY)).tiers.map((tier) => ({ ...tier, exitHead: 1n }));
    expect(actionsOf(keys(DAY), { ...full, tiers })).to.deep.equal([asking(0)]);
    expect(actionsOf(keys(HOUR - 1n), { ...full, tiers })).to.deep.equal([asking(1)]);
  });
});

describe("the keeper's plan of exits to ask for", () => {
  const exitReasons = (keys: readonly Key[], change: Partial<Snapshot>) => plan(keys, change).reasons.requestExit;
  const full = { exitDemand: 32n * ETH };

  it("asks the first that may leave, one at a time", () => {
    expect(actionsOf([{}, {}], full)).to.deep.equal([asking(0)]);
  });

  it("needs a whole validator's demand, or a small one that has waited three days", () => {
    const small = { exitDemand: 32n * ETH - 1n };
    expect(exitReasons([{}], small)).to.deep.equal(["no exit is needed"]);
    const now = STATE_TIME + 800n;
    expect(exitReasons([{}], { ...small, oldestRoundEnd: now - 3n * DAY + 1n })).to.deep.equal(["no exit is needed"]);
    expect(actionsOf([{}], { ...small, oldestRoundEnd: now - 3n * DAY })).to.deep.equal([asking(0)]);
    expect(exitReasons([{}], { oldestRoundEnd: now - 30n * DAY }), "no demand at all").to.deep.equal([
      "no exit is needed",
    ]);
  });

  it("waits until the next has been active for 256 epochs", () => {
    const since = (epochs: number): Key[] => [{ validator: { activationEpoch: BigInt(EPOCH - epochs) } }];
    expect(exitReasons(since(255), full)).to.deep.equal(["the next validator can't exit yet"]);
    expect(actionsOf(since(256), full)).to.deep.equal([asking(0)]);
  });

  it("says when the next is leaving by itself, which is proven first", () => {
    const keys: Key[] = [{ validator: { exitEpoch: BigInt(EPOCH) + 5n, withdrawableEpoch: BigInt(EPOCH) + 261n } }, {}];
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

  it("takes one that was funded out of turn where the head can't leave", () => {
    const young: Key = { validator: { activationEpoch: BigInt(EPOCH) } };
    expect(actionsOf([young, { entry: { outOfTurn: true } }], full)).to.deep.equal([asking(1)]);
  });

  it("passes over a head that was asked out of turn", () => {
    expect(actionsOf([{ requestedAt: STATE_TIME - 60n }, {}], full)).to.deep.equal([
      { kind: "skipExited", keyRoots: [keyRootOf(0)] },
    ]);
  });

  it("asks only on a state that is less than an hour old when it is mined", () => {
    const asked = (age: bigint) => plan([{}], { ...full, now: STATE_TIME + age });
    expect(asked(HOUR - 300n).actions).to.deep.equal([asking(0)]);
    expect(asked(HOUR - 299n).actions).to.deep.equal([]);
    expect(asked(HOUR - 299n).reasons.requestExit).to.deep.equal(["the newest final state is too old"]);
  });
});

describe("the keeper's plan of tiers whose head is too young", () => {
  const full = { exitDemand: 32n * ETH };
  const young = { activationEpoch: BigInt(EPOCH - 255) };
  const at = (tier: number, sequence: number, more: Key = {}): Key => ({
    ...more,
    entry: { tier, sequence, ...more.entry },
  });
  /** Tiers by what they aim at, with the validators that these keys are. */
  function scene(keys: readonly Key[], targets: readonly bigint[], exitHeads: readonly bigint[] = []): Snapshot {
    const snapshot = snapshotOf(keys, full);
    const entries = [...snapshot.book.values()];
    const [first] = snapshot.tiers;
    if (first === undefined) throw new Error("no tier");
    const tiers = targets.map((targetShareBp, tier) => {
      const theirs = entries.filter((entry) => entry.tier === tier);
      const left = theirs.filter(({ status, exitRequested }) => status !== "active" || exitRequested);
      return {
        ...first,
        funded: BigInt(theirs.length),
        leaving: BigInt(left.length),
        targetShareBp,
        exitHead: exitHeads[tier] ?? 0n,
      };
    });
    return { ...snapshot, tiers };
  }
  const decide = (snapshot: Snapshot): Plan => planActions(snapshot, RULES);

  it("passes a young head, and asks the head of the tier after it with the young one's proof", () => {
    const keys = [at(0, 0), at(1, 0, { validator: young }), at(1, 1, { validator: young })];
    expect(decide(scene(keys, [5_000n, 5_000n])).actions).to.deep.equal([asking(0, 1)]);
  });

  it("passes several in the order in which they would be next, and says so where none is left", () => {
    const keys = [
      at(0, 0, { validator: young }),
      at(1, 0),
      ...[0, 1].map((sequence) => at(2, sequence, { validator: young })),
    ];
    expect(decide(scene(keys, [3_333n, 3_334n, 3_333n])).actions).to.deep.equal([asking(1, 2, 0)]);
    const all = keys.map((key) => ({ ...key, validator: young }));
    const { actions, reasons } = decide(scene(all, [3_333n, 3_334n, 3_333n]));
    expect(actions).to.deep.equal([]);
    expect(reasons.requestExit).to.deep.equal(["the next validator can't exit yet"]);
  });

  it("counts one that is not active yet as young", () => {
    const waiting = { activationEpoch: FAR_FUTURE };
    const keys = [at(0, 0), at(1, 0, { validator: waiting }), at(1, 1, { validator: waiting })];
    expect(decide(scene(keys, [5_000n, 5_000n])).actions).to.deep.equal([asking(0, 1)]);
  });

  it("passes no tier whose head leaves by itself: that is proven first", () => {
    const leaving = { exitEpoch: BigInt(EPOCH) + 5n, withdrawableEpoch: BigInt(EPOCH) + 261n };
    const keys = [at(0, 0), at(1, 0, { validator: leaving }), at(1, 1)];
    const { actions, reasons } = decide(scene(keys, [5_000n, 5_000n]));
    expect(actions).to.deep.equal([about("proveExiting", 1)]);
    expect(reasons.requestExit).to.deep.equal(["an exit is being proven"]);
  });

  it("takes a ready one that was funded out of turn from the tier that is next, rather than pass it", () => {
    const own: Key = { entry: { outOfTurn: true } };
    const keys = [at(0, 0), at(1, 0, { validator: young }), at(1, 1, own)];
    expect(decide(scene(keys, [5_000n, 5_000n])).actions).to.deep.equal([asking(2)]);
  });

  it("lets any that was funded out of turn speak for a tier that has only such", () => {
    const own: Key = { entry: { outOfTurn: true }, validator: young };
    const keys = [at(0, 0), at(1, 0, own), at(1, 1, own)];
    expect(decide(scene(keys, [5_000n, 5_000n])).actions).to.deep.equal([asking(0, 1)]);
  });

  it("moves the head of a tier first where it is one that no longer stays", () => {
    const gone: Key = { entry: { status: "withdrawn" }, validator: null };
    const keys = [at(0, 0), at(1, 0, gone), ...[1, 2].map((sequence) => at(1, sequence, { validator: young }))];
    expect(decide(scene(keys, [5_000n, 5_000n])).actions).to.deep.equal([
      { kind: "skipExited", keyRoots: [keyRootOf(1)] },
    ]);
    expect(decide(scene(keys, [5_000n, 5_000n], [0n, 1n])).actions).to.deep.equal([asking(0, 2)]);
  });
});

describe("the keeper's plan of ejections", () => {
  const indebted = { exitCauses: new Map([[1n, { indebted: true, withoutDemand: true }]]) };
  const frozenLong = { exitCauses: new Map([[1n, { indebted: false, withoutDemand: true }]]) };
  const frozen = { exitCauses: new Map([[1n, { indebted: false, withoutDemand: false }]]) };
  const ejecting = (index: number, cause: "debt" | "frozen") => ({ ...about("eject", index), cause });

  it("ejects all validators of an operator in debt, without demand", () => {
    const { actions, delinquent } = plan([{}, {}, { entry: { operatorId: 2n } }], indebted);
    expect(actions).to.deep.equal([ejecting(0, "debt"), ejecting(1, "debt")]);
    expect(delinquent).to.deep.equal({ debt: 2, frozen: 0, balance: 0 });
  });

  it("ejects those of an operator frozen for seven days, and of one frozen for less only on demand, out of turn", () => {
    expect(actionsOf([{}], frozenLong)).to.deep.equal([ejecting(0, "frozen")]);
    const keys: Key[] = [{ entry: { operatorId: 2n } }, {}];
    expect(plan(keys, frozen)).to.deep.include({ actions: [], delinquent: { debt: 0, frozen: 0, balance: 0 } });
    expect(actionsOf(keys, { ...frozen, exitDemand: 32n * ETH })).to.deep.equal([asking(1)]);
  });

  it("ejects a validator below 31 ETH with its balance's proof, whoever its operator is", () => {
    const withBalance = (balanceGwei: bigint): Key[] => [
      { entry: { weightStopped: true }, validator: { balanceGwei } },
    ];
    expect(actionsOf(withBalance(31_000_000_000n)), "at the limit").to.deep.equal([]);
    expect(actionsOf(withBalance(30_999_999_999n))).to.deep.equal([about("ejectBelow", 0)]);
    expect(plan(withBalance(30_999_999_999n)).delinquent.balance).to.equal(1);
    const waiting = [{ validator: { balanceGwei: 10n ** 9n, activationEpoch: FAR_FUTURE } }];
    expect(plan(waiting).delinquent.balance, "its top-up is still on the way").to.equal(0);
  });

  it("waits while one is too young, was asked within the hour, or the state is too old; then asks again", () => {
    const reasonsOf = (key: Key, change: Partial<Snapshot> = {}) =>
      plan([key], { ...indebted, ...change }).reasons.eject;
    expect(reasonsOf({ validator: { activationEpoch: BigInt(EPOCH - 255) } })).to.deep.equal([
      "not active for 256 epochs yet",
    ]);
    expect(reasonsOf({ requestedAt: STATE_TIME - HOUR + 1n })).to.deep.equal(["asked within the last hour"]);
    expect(reasonsOf({}, { now: STATE_TIME + HOUR })).to.deep.equal(["the newest final state is too old"]);
    expect(actionsOf([{ requestedAt: STATE_TIME - HOUR }], indebted)).to.deep.equal([ejecting(0, "debt")]);
  });

  it("comes after bad news and before exits in turn, at most a batch at a time", () => {
    const keys: Key[] = [{ entry: { operatorId: 2n }, validator: { slashed: true, exitEpoch: 1_100n } }, {}];
    expect(actionsOf(keys, indebted)).to.deep.equal([
      about("proveSlashed", 0),
      about("proveExiting", 0),
      ejecting(1, "debt"),
    ]);
    const many = Array.from({ length: RULES.batch + 1 }, (): Key => ({}));
    expect(actionsOf(many, indebted)).to.have.length(RULES.batch);
  });

  it("counts what it ejects as on its way: exits in turn are for the rest of the demand, and of the tiers after it", () => {
    const keys: Key[] = [{ entry: { operatorId: 2n } }, {}, { entry: { operatorId: 2n } }];
    expect(actionsOf(keys, { ...indebted, exitDemand: 32n * ETH })).to.deep.equal([ejecting(1, "debt")]);
    expect(actionsOf(keys, { ...indebted, exitDemand: 64n * ETH })).to.deep.equal([ejecting(1, "debt"), asking(0)]);
  });

  it("passes over in a later turn what it only now ejects", () => {
    const keys: Key[] = [{}, { entry: { operatorId: 2n } }];
    const { actions, reasons } = plan(keys, { ...indebted, exitDemand: 64n * ETH });
    expect(actions).to.deep.equal([ejecting(0, "debt")]);
    expect(reasons.requestExit).to.deep.equal(["an exit is being proven"]);
  });
});
