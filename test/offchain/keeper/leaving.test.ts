/** Who the keeper makes leave, on the contracts: in turn past the young, again, and out of turn. */
import { expect } from "chai";
import { toBeHex } from "ethers";
import { predeposit } from "../../../devnet/simulated/localProtocol.ts";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { pubkeyRoot } from "../../../devnet/keys.ts";
import type { ValidatorKey } from "../../../devnet/keys.ts";
import type { Action } from "../../../offchain/keeper/actions.ts";
import { ETH, blockedBy, kinds, runDry, startWorld } from "./world.ts";
import type { KeeperWorld } from "./world.ts";

const WITHDRAWAL_REQUESTS = "0x00000961Ef480Eb55e80D19ad83579A64c007002"; // EIP-7002
const COUNT_SLOT = "0x1";
const HEAD_SLOT = "0x2";
const TAIL_SLOT = "0x3";
const EPOCHS_A_DAY = 225;

/** Takes whatever was asked out of the predeploy's queue: the consensus layer never hears of it. */
async function dropRequests({ connection: { provider } }: KeeperWorld): Promise<void> {
  const head = (await provider.request({
    method: "eth_getStorageAt",
    params: [WITHDRAWAL_REQUESTS, HEAD_SLOT, "latest"],
  })) as string;
  for (const [slot, value] of [
    [TAIL_SLOT, head],
    [COUNT_SLOT, toBeHex(0, 32)],
  ])
    await provider.request({ method: "hardhat_setStorageAt", params: [WITHDRAWAL_REQUESTS, slot, value] });
}

async function known(world: KeeperWorld, keys: readonly ValidatorKey[]): Promise<void> {
  await world.p.beacon.advanceUntil((state) => keys.every(({ pubkey }) => state.validator(pubkey) !== undefined));
  await world.finalize();
}

async function mature(world: KeeperWorld, keys: readonly ValidatorKey[]): Promise<void> {
  const { beacon } = world.p;
  await beacon.advanceUntil((state) =>
    keys.every(({ pubkey }) => (state.validator(pubkey)?.activationEpoch ?? Infinity) + 256 <= beacon.epoch),
  );
  await world.finalize();
}

/** Of the newest frame that ended. */
async function report({ beacon, committee, oracle }: LocalProtocol): Promise<void> {
  const passed = (BigInt(beacon.head.slot) - (await oracle.lastRefSlot())) / (await oracle.slotsPerFrame());
  await committee.report({}, committee.wallets.length, passed > 0n ? Number(passed) : 1);
}

async function isAsked({ p }: KeeperWorld, { pubkey }: ValidatorKey): Promise<boolean> {
  return (await p.validators.validator(pubkeyRoot(pubkey))).exitRequestedAt !== 0n;
}

const exitsIn = (actions: readonly Action[]): Action[] =>
  actions.filter(({ kind }) => kind === "requestExit" || kind === "eject" || kind === "ejectBelow");

/** An action without the slot of its state. */
const asked = (action: Action | undefined) => ({ ...action, slot: undefined });

describe("the keeper, while ether is owed", () => {
  let world: KeeperWorld;
  let old: ValidatorKey[];
  let young: ValidatorKey[];

  before(async () => {
    world = await startWorld();
    const { p } = world;
    old = await predeposit(p, 2, 0);
    await known(world, old);
    await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 63n * ETH });
    expect(kinds(await runDry(world, world.keeper()))).to.deep.equal(["proveValidators", "fundValidators"]);
    await mature(world, old);
  });
  after(() => world.close());

  it("keeper skips fundings when overdue, and when a report is held; with a reason of its own", async () => {
    const { p } = world;
    await report(p);
    await p.operators.connect(p.bob).join(1, p.bob, "Community");
    await p.operators.connect(p.bob).addBond(2, { value: 10n * ETH });
    await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 64n * ETH });
    young = await predeposit(p, 2, 2, p.bob, 2n);
    await known(world, young);
    const held = await p.committee.read();
    await p.oracle.connect(p.keeper).announceReport(held, await p.committee.sign(held));
    await world.finalize();
    const keeper = world.keeper();
    expect(kinds(await runDry(world, keeper))).to.deep.equal(["proveValidators"]);
    expect(await blockedBy(world, "fundValidators")).to.deep.equal(["a report is overdue"]);
    await p.oracle.submitReport(held, await p.committee.sign(held));
    await p.beacon.advanceEpochs(2 * EPOCHS_A_DAY);
    await world.finalize();
    expect(await runDry(world, keeper), "none came").to.deep.equal([]);
    expect(await blockedBy(world, "fundValidators")).to.deep.equal(["a report is overdue"]);
    await report(p);
    expect(kinds(await runDry(world, keeper))).to.deep.equal(["fundValidators"]);
  });

  it("keeper passes a young head, of the tier that would be next", async () => {
    const { p } = world;
    await p.queue.connect(p.alice).requestWithdrawals([60n * ETH], p.alice);
    await world.finalize();
    expect((await p.validators.nextToExit()).tier).to.equal(1n);
    const { done } = await world.keeper().turn();
    expect(done.map(({ action }) => asked(action))).to.deep.equal([
      { kind: "requestExit", pubkey: old[0]?.pubkey, slot: undefined, passed: [young[0]?.pubkey] },
    ]);
    expect(await isAsked(world, old[0] as ValidatorKey)).to.equal(true);
    // before a block hands it to the consensus layer
    await dropRequests(world);
  });

  it("keeper re-asks a dropped request after an hour, once a report counts it no longer", async () => {
    const { p } = world;
    await p.beacon.advanceEpochs(10);
    await world.finalize();
    const keeper = world.keeper();
    expect(await runDry(world, keeper), "what was asked counts until the next report").to.deep.equal([]);
    await p.beacon.advanceEpochs(EPOCHS_A_DAY);
    await report(p);
    expect(await p.validators.exitDemand()).to.be.at.least(32n * ETH);
    await world.finalize();
    const done = await runDry(world, keeper);
    expect(done.map(asked)).to.deep.equal([
      { kind: "requestExit", pubkey: old[0]?.pubkey, slot: undefined, passed: [] },
    ]);
    const { leaving } = await p.validators.tierQueue(0);
    expect(leaving, "it counts once in its tier").to.equal(1n);
  });

  it("proves it when the consensus layer takes the second one, and asks nobody else", async () => {
    await world.p.beacon.advanceSlots(2);
    await world.finalize();
    expect(kinds(await runDry(world, world.keeper()))).to.deep.equal(["proveExiting"]);
    expect(await blockedBy(world, "requestExit")).to.deep.equal(["no exit is needed"]);
  });
});

describe("the keeper, where nobody asks for ether: keeper ejects", () => {
  let world: KeeperWorld;
  let curated: ValidatorKey[];
  let slashing: ValidatorKey[];
  let indebted: ValidatorKey[];

  before(async () => {
    world = await startWorld();
    const { p } = world;
    for (const who of [p.bob, p.carol]) {
      await p.operators.connect(who).join(1, who, "Community");
      await p.operators.connect(who).addBond(await p.operators.operatorCount(), { value: 3n * ETH });
    }
    curated = await predeposit(p, 2, 0);
    slashing = await predeposit(p, 2, 2, p.bob, 2n);
    indebted = await predeposit(p, 2, 4, p.carol, 3n);
    const keys = [...curated, ...slashing, ...indebted];
    await known(world, keys);
    await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 200n * ETH });
    expect(kinds(await runDry(world, world.keeper()))).to.deep.equal(["proveValidators", "fundValidators"]);
    await mature(world, keys);
    await report(p);
    expect(await p.validators.exitDemand()).to.equal(0n);
  });
  after(() => world.close());

  it("what an operator has left seven days after a slashing, not before", async () => {
    const { p } = world;
    const { beacon } = p;
    const [slashed, left] = slashing as [ValidatorKey, ValidatorKey];
    beacon.slash(slashed.pubkey);
    await world.finalize();
    const proven = await runDry(world, world.keeper());
    expect(kinds(proven)).to.include("proveSlashed");
    expect(exitsIn(proven)).to.deep.equal([]);
    await beacon.advanceEpochs(7 * EPOCHS_A_DAY - 20);
    await world.finalize();
    expect(exitsIn(await runDry(world, world.keeper())), "governance still has time").to.deep.equal([]);
    await beacon.advanceEpochs(25);
    await world.finalize();
    const done = exitsIn(await runDry(world, world.keeper()));
    expect(done.map(asked)).to.deep.equal([{ kind: "eject", pubkey: left.pubkey, slot: undefined, cause: "frozen" }]);
    await beacon.advanceSlots(2);
    await world.finalize();
    expect(kinds(await runDry(world, world.keeper()))).to.deep.equal(["proveExiting"]);
  });

  it("a validator that lost more than 1 ETH, with its balance's proof", async () => {
    const { p } = world;
    const [poor, other] = curated as [ValidatorKey, ValidatorKey];
    p.beacon.penalise(poor.pubkey, 1_200_000_000n);
    p.beacon.penalise(other.pubkey, 900_000_000n);
    await world.finalize();
    const done = await runDry(world, world.keeper());
    expect(exitsIn(done).map(asked)).to.deep.equal([{ kind: "ejectBelow", pubkey: poor.pubkey, slot: undefined }]);
    expect(done.filter(({ kind }) => kind === "proveBelow")).to.have.length(2);
    await p.beacon.advanceSlots(2);
    await world.finalize();
    expect(kinds(await runDry(world, world.keeper()))).to.deep.equal(["proveExiting"]);
  });

  it("what an operator in debt has left", async () => {
    const { p } = world;
    const { beacon } = p;
    const [lost, left] = indebted as [ValidatorKey, ValidatorKey];
    beacon.voluntaryExit(lost.pubkey);
    await world.finalize();
    expect(exitsIn(await runDry(world, world.keeper()))).to.deep.equal([]);
    beacon.penalise(lost.pubkey, 20_000_000_000n);
    await beacon.advanceSlots(1);
    const end = beacon.stateAt().validator(lost.pubkey)?.withdrawableEpoch ?? 0;
    await beacon.advanceTo(end * 32 - 1);
    await beacon.advanceSlots(1);
    await world.finalize();
    const keeper = world.keeper();
    const first = await runDry(world, keeper);
    expect(first.some(({ kind }) => kind === "proveWithdrawn")).to.equal(true);
    expect((await p.operators.operator(3)).debt).to.be.greaterThan(0n);
    expect(exitsIn(first).map(asked)).to.deep.equal([
      { kind: "eject", pubkey: left.pubkey, slot: undefined, cause: "debt" },
    ]);
    const metric = await world.registry.getSingleMetric("estuary_keeper_delinquent_validators")?.get();
    const counted = metric?.values.map(({ labels, value }) => [labels["cause"], value]);
    expect(counted).to.deep.include(["debt", 1]);
    await beacon.advanceSlots(2);
    await world.finalize();
    await runDry(world, keeper);
  });
});

describe("the keeper, when keys of one operator block the queue", () => {
  let world: KeeperWorld;
  let keys: ValidatorKey[];

  before(async () => {
    world = await startWorld();
    const { p } = world;
    for (const who of [p.bob, p.carol]) {
      await p.operators.connect(who).join(1, who, "Community");
      await p.operators.connect(who).addBond(await p.operators.operatorCount(), { value: 10n * ETH });
    }
    keys = [...(await predeposit(p, 5, 0, p.bob, 2n)), ...(await predeposit(p, 1, 5, p.carol, 3n))];
    await known(world, keys);
    expect(kinds(await runDry(world, world.keeper()))).to.deep.equal(["proveValidators"]);
    await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 32n * ETH });
  });
  after(() => world.close());

  const statuses = async () =>
    Promise.all(keys.map(async ({ pubkey }) => (await world.p.validators.validator(pubkeyRoot(pubkey))).status));
  const [QUEUED, ACTIVE, DROPPED] = [2n, 3n, 6n];
  const dropsIn = (actions: readonly Action[]) =>
    actions.flatMap((action) => (action.kind === "dropQueued" ? [action.keyRoots] : []));
  const rootsOf = (...indices: number[]) => indices.map((index) => pubkeyRoot(keys[index]?.pubkey ?? "0x"));

  it("drops so many in one transaction that its bond suffices for the rest", async () => {
    const { p } = world;
    // with 2.6 ETH beside 1 ETH a key two keys (4.5 ETH at 98%) are covered, three (6 ETH) are not
    await p.operators.connect(p.guardian).lockFine(2, 7_400_000_000_000_000_000n, `0x${"11".repeat(32)}`);
    const done = await runDry(world, world.keeper());
    expect(kinds(done)).to.deep.equal(["dropQueued", "fundValidators"]);
    expect(dropsIn(done)).to.deep.equal([rootsOf(0, 1, 2)]);
    expect(await statuses()).to.deep.equal([DROPPED, DROPPED, DROPPED, ACTIVE, QUEUED, QUEUED]);
  });

  it("drops all keys of a frozen one in one transaction: batches of drops", async () => {
    const { p } = world;
    const { beacon } = p;
    await p.operators.connect(p.governor).cancelFine(2);
    await p.validators.connect(p.bob).requeue(rootsOf(0, 1, 2));
    const victim = keys[3] as ValidatorKey;
    await beacon.advanceUntil((state) => (state.validator(victim.pubkey)?.activationEpoch ?? Infinity) <= beacon.epoch);
    beacon.slash(victim.pubkey);
    await world.finalize();
    expect(kinds(await runDry(world, world.keeper()))).to.include("proveSlashed");
    await report(p);
    await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 200n * ETH });
    await world.finalize();
    const done = await runDry(world, world.keeper());
    expect(dropsIn(done)).to.deep.equal([rootsOf(4, 0, 1, 2)]);
    expect(await statuses()).to.deep.equal([DROPPED, DROPPED, DROPPED, 4n, DROPPED, ACTIVE]);
  });
});
