import { expect } from "chai";
import type { TransactionRequest } from "ethers";
import { predeposit } from "../../../devnet/simulated/localProtocol.ts";
import { pubkeyRoot } from "../../../devnet/keys.ts";
import type { ValidatorKey } from "../../../devnet/keys.ts";
import { BeaconClient } from "../../../offchain/beacon/client.ts";
import { branchInPeriod } from "../../../offchain/beacon/stateProofs.ts";
import { contractValidatorProof } from "../../../offchain/beacon/contractProofs.ts";
import { TooExpensive } from "../../../offchain/chain/write/price.ts";
import { TransactionPending } from "../../../offchain/keeper/sender.ts";
import { logInto } from "../logLines.ts";
import type { LogLine } from "../logLines.ts";
import { ETH, blockedBy, kinds, runDry, startWorld } from "./world.ts";
import type { KeeperWorld } from "./world.ts";

describe("the keeper, when something is in its way", () => {
  let world: KeeperWorld;
  let keys: ValidatorKey[];

  before(async () => {
    world = await startWorld();
    const { p } = world;
    await p.operators.connect(p.bob).join(1, p.bob, "Community");
    await p.operators.connect(p.bob).addBond(2, { value: 10n * ETH });
    await p.operators.connect(p.carol).join(1, p.carol, "Without a bond");
    keys = [
      ...(await predeposit(p, 2, 0)),
      ...(await predeposit(p, 1, 2, p.carol, 3n)),
      ...(await predeposit(p, 1, 3, p.bob, 2n)),
    ];
    await p.beacon.advanceUntil((state) => keys.every(({ pubkey }) => state.validator(pubkey) !== undefined));
    await world.finalize();
  });
  after(() => world.close());

  it("sends nothing in a dry run, but simulates: what it would cost, or why it would be refused", async () => {
    const { p } = world;
    const nonce = await p.keeper.getNonce();
    const lines: LogLine[] = [];
    const keeper = world.keeper({ sender: undefined, account: await p.keeper.getAddress(), log: logInto(lines) });
    const { plan, done } = await keeper.turn();
    expect(kinds(plan.actions)).to.deep.equal(["proveValidators"]);
    expect(done).to.deep.equal([]);
    expect(await p.keeper.getNonce()).to.equal(nonce);
    // one of the operators has no bond: refused with all four keys, and costed without that one
    expect(lines.map(({ text }) => text.split(":")[0])).to.deep.equal(["without this operator", "would send"]);
    expect(lines[0]?.text).to.match(/^without this operator: operator 3 has /);
    expect(Number(lines[1]?.fields["gas"])).to.be.within(150_000, 400_000);
  });

  it("waits for its own pending transaction, and says that it does", async () => {
    const sender = world.sender();
    sender.send = () => Promise.reject(new TransactionPending());
    await world.keeper({ sender }).turn();
    expect(await blockedBy(world, "proveValidators")).to.deep.equal(["a transaction is pending"]);
    const { done } = await world.keeper({ sender }).turn();
    expect(done, "and is not refused for that").to.deep.equal([]);
    expect(await blockedBy(world, "proveValidators")).to.deep.equal(["a transaction is pending"]);
  });

  it("holds back what is not urgent while gas is too expensive", async () => {
    const keeper = world.keeper({ sender: world.sender({ maxFeePerGas: 1n }) });
    expect(await runDry(world, keeper)).to.deep.equal([]);
    expect(await blockedBy(world, "proveValidators")).to.deep.equal(["gas is too expensive"]);
    const sender = world.sender({ maxFeePerGas: 1n });
    const to = await world.p.keeper.getAddress();
    const outcome = await sender.send({ to }).catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(TooExpensive);
    expect((await sender.send({ to }, { urgent: true })).status, "urgent ones have a limit of their own").to.equal(1);
  });

  it("proves the other keys when an operator's bond is too small", async () => {
    const done = await runDry(world, world.keeper());
    expect(done).to.deep.equal([
      { kind: "proveValidators", pubkeys: [keys[0], keys[1], keys[3]].map((key) => key?.pubkey) },
    ]);
    expect(await blockedBy(world, "proveValidators")).to.deep.equal(["waiting to try again"]);
    expect(await blockedBy(world, "fundValidators")).to.deep.equal(["no ether to fund with"]);
  });

  it("does nothing twice when somebody else was first", async () => {
    const { p } = world;
    await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 31n * ETH });
    const keeper = world.keeper({
      sender: {
        address: () => p.keeper.getAddress(),
        send: async (request: TransactionRequest, urgent: boolean) => {
          await p.validators.connect(p.carol).fundValidators([keys[0]?.pubkey ?? "0x"]);
          return world.sender().send(request, { urgent });
        },
      } as never,
    });
    const { done } = await keeper.turn();
    expect(done).to.deep.equal([]);
    expect(await blockedBy(world, "fundValidators")).to.deep.equal(["waiting to try again"]);
    expect(await runDry(world, world.keeper()), "the next snapshot shows it").to.deep.equal([]);
  });

  it("drops the key of a frozen operator that blocks the queue, and funds the next", async () => {
    const { p } = world;
    const first = keys[0] as ValidatorKey;
    await p.beacon.advanceUntil(
      (state) => (state.validator(first.pubkey)?.activationEpoch ?? Infinity) <= p.beacon.epoch,
    );
    p.beacon.slash(first.pubkey);
    await p.beacon.advanceSlots(2);
    await p.validators.connect(p.keeper).proveSlashed(contractValidatorProof(p.beacon.proveValidator(first.pubkey)));
    await p.committee.report();
    await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 62n * ETH });
    await world.finalize();
    const done = await runDry(world, world.keeper());
    expect(kinds(done).filter((kind) => kind !== "proveExiting")).to.deep.equal(["dropQueued", "fundValidators"]);
    expect(done.find(({ kind }) => kind === "fundValidators")).to.deep.include({ pubkeys: [keys[3]?.pubkey] });
  });

  it("proves what a withdrawn validator brought back though EIP-4788 has forgotten: by a hop", async () => {
    const { p } = world;
    const { beacon } = p;
    const third = keys[3] as ValidatorKey;
    await beacon.advanceUntil(
      (state) => (state.validator(third.pubkey)?.activationEpoch ?? Infinity) + 256 <= beacon.epoch,
    );
    beacon.voluntaryExit(third.pubkey);
    await beacon.advanceSlots(2);
    const epoch = beacon.stateAt().validator(third.pubkey)?.withdrawableEpoch ?? 0;
    await beacon.advanceTo((epoch - 1) * 32 + 31);
    await beacon.advanceSlots(1);
    // ten thousand slots later: beyond EIP-4788, within block_roots of a block that it still has
    await beacon.advanceTo((epoch - 1) * 32 + 8_100);
    await beacon.advanceTo((epoch - 1) * 32 + 10_000);
    await world.finalize();
    const done = await runDry(world, world.keeper());
    expect(kinds(done)).to.deep.equal(["proveWithdrawn"]);
    const { status } = await p.validators.validator(pubkeyRoot(third.pubkey));
    expect(status).to.equal(5);
  });

  it("is told in one line when the beacon node can't be used", async () => {
    world.api.faults.syncing = true;
    const outcome = await world
      .keeper()
      .turn()
      .catch((error: unknown) => (error as Error).message);
    world.api.faults.syncing = false;
    expect(outcome).to.match(/^beacon node 127\.0\.0\.1:\d+: is syncing$/);
  });
});

describe("the keeper, long after a validator was withdrawn", () => {
  let world: KeeperWorld;
  let key: ValidatorKey;
  let withdrawableEpoch: number;

  before(async () => {
    world = await startWorld();
    const { p } = world;
    const { beacon } = p;
    const keys = await predeposit(p, 1, 0);
    [key] = keys as [ValidatorKey];
    await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 40n * ETH });
    await beacon.advanceUntil((state) => state.validator(key.pubkey) !== undefined);
    await world.finalize();
    await runDry(world, world.keeper());
    await beacon.advanceUntil(
      (state) => (state.validator(key.pubkey)?.activationEpoch ?? Infinity) + 256 <= beacon.epoch,
    );
    beacon.voluntaryExit(key.pubkey);
    await beacon.advanceSlots(2);
    withdrawableEpoch = beacon.stateAt().validator(key.pubkey)?.withdrawableEpoch ?? 0;
    // the epoch before it ends with a block, and the period of 8192 slots with three missed slots
    const last = withdrawableEpoch * 32 - 1;
    await beacon.advanceTo(last);
    await beacon.advanceSlots(1);
    const end = last - (last % 8_192) + 8_191;
    await beacon.advanceTo(end - 3);
    await beacon.advanceTo(end + 2);
    await beacon.advanceTo(last + 26_000);
    await world.finalize();
  });
  after(() => world.close());

  it("proves through historical_summaries what it brought back, when block_roots have forgotten too", async () => {
    const done = await runDry(world, world.keeper());
    expect(done).to.deep.equal([{ kind: "proveWithdrawn", pubkey: key.pubkey, slot: withdrawableEpoch * 32 - 1 }]);
    const { status } = await world.p.validators.validator(pubkeyRoot(key.pubkey));
    expect(status).to.equal(5);
  });

  it("counts missed slots at the end of that period as the summary does, and tells other blocks from them", async () => {
    const { beacon } = world.p;
    const client = new BeaconClient({ urls: [world.api.url], clock: world.clock });
    const newest = await client.blockAtOrBefore(beacon.head.slot - 2);
    const old = await client.blockAtOrBefore(withdrawableEpoch * 32 - 1);
    const { validators } = await client.proveThrough(newest, old, [key.pubkey]);
    expect(validators[0]?.hops[0]?.branch).to.have.length(45);
    const last = await client.blockAtOrBefore(old.slot - (old.slot % 8_192) + 8_191);
    expect(last.slot, "missed slots at the end").to.equal(old.slot - (old.slot % 8_192) + 8_188);
    const roots = new Uint8Array(32 * 8_192).fill(7);
    const right = await branchInPeriod(old.slot, last, roots);
    const other = await branchInPeriod(old.slot, { ...last, root: old.root }, roots);
    expect(right.root).to.not.equal(other.root);
  });
});
