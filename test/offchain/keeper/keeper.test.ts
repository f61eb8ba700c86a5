import { expect } from "chai";
import { predeposit } from "../../../devnet/simulated/localProtocol.ts";
import type { ValidatorKey } from "../../../devnet/keys.ts";
import { pubkeyRoot } from "../../../devnet/keys.ts";
import type { Keeper } from "../../../offchain/keeper/keeper.ts";
import { ETH, blockedBy, kinds, runDry, startWorld } from "./world.ts";
import type { KeeperWorld } from "./world.ts";

const STATUS = ["unknown", "predeposited", "queued", "active", "exiting", "withdrawn", "dropped"];

async function statusOf(world: KeeperWorld, key: ValidatorKey | undefined): Promise<string | undefined> {
  return STATUS[Number((await world.p.validators.validator(pubkeyRoot(key?.pubkey ?? "0x"))).status)];
}

async function known(world: KeeperWorld, keys: readonly ValidatorKey[]): Promise<void> {
  await world.p.beacon.advanceUntil((state) => keys.every(({ pubkey }) => state.validator(pubkey) !== undefined));
  await world.finalize();
}

describe("the keeper, on its own", () => {
  let world: KeeperWorld;
  let keeper: Keeper;
  let keys: ValidatorKey[];

  before(async () => {
    world = await startWorld();
    keeper = world.keeper();
  });
  after(() => world.close());

  it("waits for the consensus layer, proves keys of two tiers in one transaction, and funds them by turns", async () => {
    const { p } = world;
    await p.operators.connect(p.bob).join(1, p.bob, "Community");
    await p.operators.connect(p.bob).addBond(2, { value: 10n * ETH });
    keys = [...(await predeposit(p, 3, 0)), ...(await predeposit(p, 2, 3, p.bob, 2n))];
    await p.beacon.advanceSlots(1);
    await world.finalize();
    expect(await runDry(world, keeper)).to.deep.equal([]);
    expect(await blockedBy(world, "proveValidators")).to.deep.equal(["the consensus layer does not know the key yet"]);
    await known(world, keys);
    expect(kinds(await runDry(world, keeper))).to.deep.equal(["proveValidators"]);
    expect(await blockedBy(world, "fundValidators")).to.deep.equal(["no ether to fund with"]);
    await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 120n * ETH });
    const [first] = await runDry(world, keeper);
    expect(first).to.deep.equal({
      kind: "fundValidators",
      pubkeys: [keys[0], keys[3], keys[1], keys[4]].map((key) => key?.pubkey),
    });
    await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 60n * ETH });
    expect(kinds(await runDry(world, keeper))).to.deep.equal(["fundValidators"]);
    for (const key of keys) expect(await statusOf(world, key)).to.equal("active");
    expect(await blockedBy(world, "fundValidators")).to.deep.equal(["nothing to do"]);
  });

  it("asks for exits while ether is owed, when validators can leave, one after the other", async () => {
    const { p } = world;
    const { beacon } = p;
    await beacon.advanceUntil((state) =>
      keys.every(({ pubkey }) => (state.validator(pubkey)?.activationEpoch ?? Infinity) <= beacon.epoch),
    );
    await beacon.advanceEpochs(100);
    await p.committee.report();
    await p.queue.connect(p.alice).requestWithdrawals([110n * ETH], p.alice);
    await world.finalize();
    expect(await runDry(world, keeper)).to.deep.equal([]);
    expect(await blockedBy(world, "requestExit")).to.deep.equal(["the next validator can't exit yet"]);
    await beacon.advanceEpochs(260);
    await world.finalize();
    const asked = await runDry(world, keeper);
    expect(kinds(asked)).to.deep.equal(["requestExit", "requestExit"]);
    expect(await p.validators.exitDemand()).to.be.lessThan(32n * ETH);
    expect(await blockedBy(world, "requestExit")).to.deep.equal(["no exit is needed"]);
  });

  it("proves that they exit, and later what they brought back, in the last epoch before the sweep", async () => {
    const { p } = world;
    const { beacon } = p;
    await beacon.advanceSlots(2);
    await world.finalize();
    expect(kinds(await runDry(world, keeper))).to.deep.equal(["proveExiting", "proveExiting"]);
    const leaving = keys.filter(
      ({ pubkey }) => (beacon.stateAt().validator(pubkey)?.exitEpoch ?? Infinity) !== Infinity,
    );
    expect(leaving).to.have.length(2);
    const epochs = leaving.map(({ pubkey }) => beacon.stateAt().validator(pubkey)?.withdrawableEpoch ?? 0);
    const last = Math.max(...epochs);
    for (const epoch of [...new Set(epochs)].sort((a, b) => a - b)) {
      await beacon.advanceTo((epoch - 1) * 32 + 20);
      await beacon.advanceSlots(1);
    }
    await beacon.advanceTo((last + 1) * 32);
    await world.finalize();
    expect(kinds(await runDry(world, keeper))).to.deep.equal(["proveWithdrawn", "proveWithdrawn"]);
    for (const key of leaving) expect(await statusOf(world, key)).to.equal("withdrawn");
  });

  it("continues a finalisation as soon as there is ether for it", async () => {
    const { p } = world;
    await p.beacon.advanceEpochs(20);
    const frames =
      (BigInt(p.beacon.head.slot) - (await p.oracle.lastRefSlot())) / (await p.oracle.slotsPerFrame()) + 1n;
    await p.committee.report({}, p.committee.quorum, Number(frames));
    expect(await p.queue.oldestRoundEnd(), "the two brought less than was asked for").not.to.equal(0);
    await p.pool.connect(p.bob).deposit(p.bob, p.bob, { value: 20n * ETH });
    await world.finalize();
    expect(kinds(await runDry(world, keeper))).to.deep.equal(["continueFinalisation"]);
    expect(await p.queue.oldestRoundEnd()).to.equal(0);
  });

  it("proves a slashing and a balance that fell, and passes over both when the next must exit", async () => {
    const { p } = world;
    const { beacon } = p;
    const staying = [];
    for (const key of keys) if ((await statusOf(world, key)) === "active") staying.push(key);
    const [slashed, poor, third] = staying as [ValidatorKey, ValidatorKey, ValidatorKey];
    beacon.slash(slashed.pubkey);
    beacon.penalise(poor.pubkey, 400_000_000n);
    await world.finalize();
    const done = await runDry(world, keeper);
    expect(kinds(done).sort()).to.deep.equal(["proveBelow", "proveExiting", "proveSlashed"]);
    expect(done[0]).to.include({ kind: "proveSlashed", pubkey: slashed.pubkey });
    expect((await p.validators.validator(pubkeyRoot(slashed.pubkey))).slashed).to.equal(true);
    expect((await p.validators.validator(pubkeyRoot(poor.pubkey))).weightStopped).to.equal(true);
    expect((await p.validators.validator(pubkeyRoot(third.pubkey))).weightStopped).to.equal(false);
    expect(await runDry(world, keeper), "nothing is left").to.deep.equal([]);
  });

  it("starts anew in the middle without doing anything twice", async () => {
    const { p } = world;
    const nonce = await p.keeper.getNonce();
    const again = world.keeper();
    expect(await runDry(world, again)).to.deep.equal([]);
    expect(await p.keeper.getNonce()).to.equal(nonce);
  });
});
