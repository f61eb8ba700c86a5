import { expect } from "chai";
import { loadFixture, networkHelpers } from "../../helpers/network.ts";
import type { StateValidator } from "./beaconStates.ts";
import { fields } from "./fields.ts";
import {
  CURATED,
  ETH,
  ETH_GWEI,
  FAR_FUTURE,
  START_EPOCH,
  Status,
  active,
  fund,
  funded,
  key,
  keyRoot,
  pending,
  predeposit,
  proofOf,
  queued,
  range,
  registries,
  slotNow,
} from "./fixture.ts";
import type { Registries } from "./fixture.ts";

const HOUR = 3_600;
const DAY = 86_400;
const FULL = 32n * ETH;

/** Four validators of Alice, two of Bob; a demand for two. */
async function working() {
  const world = await loadFixture(registries);
  await funded(world, 1, range(4));
  await funded(world, 2, [4, 5]);
  await world.pool.setDemand(2n * FULL);
  return world;
}

async function requestedFirst() {
  const world = await loadFixture(working);
  await requestExit(world, 0);
  return world;
}

/** Half of the set each: Alice's tier has 0 to 3, Carol's 4 and 5. */
async function twoTiersWorking() {
  const world = await loadFixture(registries);
  await world.operators.setTier(0, { ...CURATED, targetShareBp: 5_000 });
  await world.operators.addTier({ ...CURATED, targetShareBp: 5_000, open: true });
  await world.operators.connect(world.carol).join(1, world.carol, "Carol");
  await funded(world, 1, range(4));
  await funded(world, 3, [4, 5]);
  await world.pool.setDemand(2n * FULL);
  return world;
}

async function requestExit(world: Registries, index: number, change: Partial<StateValidator> = {}, value = 1n) {
  const { proof } = await proofOf(world, active(world, index, change));
  return world.validators.connect(world.keeper).requestExit(key(index), proof, { value });
}

async function proveExiting(world: Registries, index: number, exitEpoch = START_EPOCH + 5) {
  const change = { exitEpoch, withdrawableEpoch: exitEpoch + 256 };
  const { proof } = await proofOf(world, active(world, index, change));
  return world.validators.connect(world.keeper).proveExiting(proof);
}

/** In the last slot of the epoch before the validator may be withdrawn. */
async function proveWithdrawn(
  world: Registries,
  index: number,
  balanceGwei: number,
  change: Partial<StateValidator> = {},
) {
  const withdrawableEpoch = Math.floor((await slotNow(world)) / 32);
  const validator = active(world, index, { exitEpoch: withdrawableEpoch - 256, withdrawableEpoch, ...change });
  const { proof, balance } = await proofOf(world, validator, { slot: withdrawableEpoch * 32 - 1, balanceGwei });
  return world.validators.connect(world.keeper).proveWithdrawn(proof, balance);
}

async function proveSlashed(world: Registries, index: number) {
  const { proof } = await proofOf(world, active(world, index, { slashed: true, exitEpoch: 2_000 }));
  return world.validators.connect(world.keeper).proveSlashed(proof);
}

async function proveBelow(world: Registries, index: number, balanceGwei: number, change: Partial<StateValidator> = {}) {
  const { proof, balance } = await proofOf(world, active(world, index, change), { balanceGwei });
  return world.validators.connect(world.keeper).proveBelow(proof, balance);
}

async function recordOf(world: Registries, index: number) {
  return fields(await world.validators.validator(keyRoot(index)));
}

async function queueOf(world: Registries, tier = 0) {
  return fields(await world.validators.tierQueue(tier));
}

/** A key in each status but Active. */
async function everyStatus() {
  const world = await loadFixture(working);
  await proveExiting(world, 0);
  await proveWithdrawn(world, 1, 32 * ETH_GWEI);
  await queued(world, 1, [6, 7]);
  await predeposit(world, 1, [8]);
  await world.operators.setTier(0, { ...CURATED, bondFirst: 50n * ETH });
  await world.validators.dropQueued(keyRoot(7));
  await world.operators.setTier(0, CURATED);
  return world;
}

const NOT_ACTIVE = [
  [0, Status.Exiting],
  [1, Status.Withdrawn],
  [6, Status.Queued],
  [7, Status.Dropped],
  [8, Status.Predeposited],
  [9, Status.Unknown],
] as const;

const NOT_FUNDED = NOT_ACTIVE.slice(1);

describe("ValidatorRegistry: exits", () => {
  describe("requestExit", () => {
    it("asks the vault to exit the first funded validator, passing on the fee and the caller", async () => {
      const world = await loadFixture(working);
      const response = await requestExit(world, 0, {}, 123n);
      await expect(response).to.emit(world.validators, "ExitRequested").withArgs(1, keyRoot(0));
      await expect(response)
        .to.emit(world.vault, "Asked")
        .withArgs([key(0)], world.keeper, 123n);
      const now = BigInt(await networkHelpers.time.latest());
      expect(await recordOf(world, 0)).to.deep.include({ status: BigInt(Status.Active), exitRequestedAt: now });
      expect(await queueOf(world)).to.deep.include({ exitHead: 1n, requested: 1n, exiting: 0n });
      expect([...(await world.validators.nextToExit())]).to.deep.equal([0n, 1n]);
    });

    it("counts the validators that neither exit nor were asked to", async () => {
      const world = await loadFixture(working);
      await world.pool.setEcho(true);
      expect(await world.validators.exitDemand()).to.equal(6);
      await world.pool.setEcho(false);
      await requestExit(world, 0);
      await world.pool.setEcho(true);
      expect(await world.validators.exitDemand()).to.equal(5);
      await proveExiting(world, 0);
      expect(await world.validators.exitDemand()).to.equal(5);
      await proveExiting(world, 4);
      expect(await world.validators.exitDemand()).to.equal(4);
    });

    it("needs a full validator's demand", async () => {
      const world = await loadFixture(working);
      for (const demand of [0n, 1n, FULL - 1n]) {
        await world.pool.setDemand(demand);
        await expect(requestExit(world, 0))
          .to.be.revertedWithCustomError(world.validators, "NoDemand")
          .withArgs(demand);
      }
      await world.pool.setDemand(FULL);
      await requestExit(world, 0);
    });

    it("asks the pool about the validators that stay before this one goes", async () => {
      const world = await loadFixture(working);
      await world.pool.setEcho(true);
      await expect(requestExit(world, 0)).to.be.revertedWithCustomError(world.validators, "NoDemand").withArgs(6);
    });

    it("needs less when a request has waited for three days after its round", async () => {
      const world = await loadFixture(working);
      await world.pool.setDemand(1n);
      const start = await networkHelpers.time.latest();
      await world.queue.setOldestRoundEnd(start);
      const { proof } = await proofOf(world, active(world, 0));
      const call = () => world.validators.requestExit(key(0), proof, { value: 1n });
      await networkHelpers.time.setNextBlockTimestamp(start + 3 * DAY - 1);
      await expect(call()).to.be.revertedWithCustomError(world.validators, "NoDemand").withArgs(1);
      await networkHelpers.time.setNextBlockTimestamp(start + 3 * DAY);
      await world.pool.setDemand(0n);
      await expect(call()).to.be.revertedWithCustomError(world.validators, "NoDemand").withArgs(0);
      await world.pool.setDemand(1n);
      await call();
    });

    it("does not take a queue without requests for an old one", async () => {
      const world = await loadFixture(working);
      await world.pool.setDemand(FULL - 1n);
      await world.queue.setOldestRoundEnd(0);
      await expect(requestExit(world, 0)).to.be.revertedWithCustomError(world.validators, "NoDemand");
    });

    it("goes in the order of proof", async () => {
      const world = await loadFixture(working);
      await expect(requestExit(world, 1))
        .to.be.revertedWithCustomError(world.validators, "NotNext")
        .withArgs(keyRoot(1), 0, 1, 0, 0);
      await requestExit(world, 0);
      await requestExit(world, 1);
      await expect(requestExit(world, 4))
        .to.be.revertedWithCustomError(world.validators, "NotNext")
        .withArgs(keyRoot(4), 0, 4, 0, 2);
    });

    it("steps over keys that were dropped before they were funded", async () => {
      const world = await loadFixture(registries);
      await queued(world, 1, range(3));
      await world.operators.setTier(0, { ...CURATED, bondFirst: 50n * ETH });
      await world.validators.dropQueued(keyRoot(0));
      await world.operators.setTier(0, CURATED);
      await fund(world, [1, 2]);
      await world.pool.setDemand(FULL);
      expect([...(await world.validators.nextToExit())]).to.deep.equal([0n, 1n]);
      await requestExit(world, 1);
      expect(await queueOf(world)).to.deep.include({ exitHead: 2n, requested: 1n });
    });

    it("takes the tier most above its target, request by request", async () => {
      const world = await loadFixture(twoTiersWorking);
      for (const index of [0, 1]) {
        await expect(requestExit(world, 4))
          .to.be.revertedWithCustomError(world.validators, "NotNext")
          .withArgs(keyRoot(4), 1, 0, 0, index);
        await requestExit(world, index);
      }
      // two and two: the lower tier in a tie, then the other
      await requestExit(world, 2);
      await expect(requestExit(world, 3))
        .to.be.revertedWithCustomError(world.validators, "NotNext")
        .withArgs(keyRoot(3), 0, 3, 1, 0);
      await requestExit(world, 4);
    });

    it("needs a validator that the consensus layer will let go", async () => {
      const world = await loadFixture(working);
      const { validators } = world;
      const epoch = BigInt(Math.floor((await slotNow(world)) / 32));
      const young = Number(epoch) - 255;
      await expect(requestExit(world, 0, { activationEpoch: young }))
        .to.be.revertedWithCustomError(validators, "NotReadyToExit")
        .withArgs(young, FAR_FUTURE, epoch);
      await expect(requestExit(world, 0, { activationEpoch: Infinity }))
        .to.be.revertedWithCustomError(validators, "NotReadyToExit")
        .withArgs(FAR_FUTURE, FAR_FUTURE, epoch);
      await expect(requestExit(world, 0, { exitEpoch: 5_000 }))
        .to.be.revertedWithCustomError(validators, "NotReadyToExit")
        .withArgs(20, 5_000, epoch);
      await requestExit(world, 0, { activationEpoch: young - 1 });
    });

    it("needs the proof of the same key", async () => {
      const world = await loadFixture(working);
      const { proof } = await proofOf(world, active(world, 1));
      await expect(world.validators.requestExit(key(0), proof, { value: 1n }))
        .to.be.revertedWithCustomError(world.validators, "KeyMismatch")
        .withArgs(keyRoot(0), keyRoot(1));
      await expect(world.validators.requestExit("0x", proof, { value: 1n }))
        .to.be.revertedWithCustomError(world.validators, "BadPubkeyLength")
        .withArgs(0);
    });

    it("needs the protocol's credentials", async () => {
      const world = await loadFixture(working);
      const withdrawalCredentials = `0x02${world.credentials.slice(4)}` as const;
      await expect(requestExit(world, 0, { withdrawalCredentials }))
        .to.be.revertedWithCustomError(world.validators, "WrongCredentials")
        .withArgs(withdrawalCredentials.toLowerCase(), world.credentials);
    });

    it("is refused for a key that is not active", async () => {
      const world = await loadFixture(everyStatus);
      for (const [index, status] of NOT_ACTIVE) {
        await expect(requestExit(world, index))
          .to.be.revertedWithCustomError(world.validators, "WrongStatus")
          .withArgs(keyRoot(index), status);
      }
    });

    it("is refused while an earlier request is outstanding", async () => {
      const world = await loadFixture(requestedFirst);
      const { exitRequestedAt } = await recordOf(world, 0);
      await expect(requestExit(world, 0))
        .to.be.revertedWithCustomError(world.validators, "ExitAlreadyRequested")
        .withArgs(keyRoot(0), exitRequestedAt);
    });

    it("finds nothing to exit where nothing stays", async () => {
      const { validators } = await loadFixture(registries);
      await expect(validators.nextToExit()).to.be.revertedWithCustomError(validators, "NothingToExit");
    });
  });

  describe("a request that is not confirmed", () => {
    it("expires after a day", async () => {
      const world = await loadFixture(requestedFirst);
      const expiresAt = (await networkHelpers.time.latest()) + DAY;
      await networkHelpers.time.setNextBlockTimestamp(expiresAt - 1);
      await expect(world.validators.expireExitRequest(keyRoot(0)))
        .to.be.revertedWithCustomError(world.validators, "ExitNotExpired")
        .withArgs(keyRoot(0), expiresAt);
      await networkHelpers.time.setNextBlockTimestamp(expiresAt);
      await expect(world.validators.connect(world.carol).expireExitRequest(keyRoot(0)))
        .to.emit(world.validators, "ExitRequestExpired")
        .withArgs(1, keyRoot(0));
      expect(await recordOf(world, 0)).to.deep.include({ status: BigInt(Status.Active), exitRequestedAt: 0n });
      expect(await queueOf(world)).to.deep.include({ exitHead: 1n, requested: 0n });
    });

    it("is forgotten when a state an hour later shows no exit", async () => {
      const world = await loadFixture(requestedFirst);
      const notBefore = (await networkHelpers.time.latest()) + HOUR;
      await networkHelpers.time.increase(2 * HOUR);
      const slot = Math.ceil((notBefore - world.genesisTime) / 12);
      const slotTime = world.genesisTime + 12 * (slot - 1);
      const early = await proofOf(world, active(world, 0), { slot: slot - 1 });
      await expect(world.validators.proveNotExiting(early.proof))
        .to.be.revertedWithCustomError(world.validators, "ProofTooEarly")
        .withArgs(slotTime, notBefore);
      const exits = await proofOf(world, active(world, 0, { exitEpoch: 1_234 }), { slot });
      await expect(world.validators.proveNotExiting(exits.proof))
        .to.be.revertedWithCustomError(world.validators, "IsExiting")
        .withArgs(keyRoot(0), 1_234);
      const { proof } = await proofOf(world, active(world, 0), { slot });
      await expect(world.validators.connect(world.carol).proveNotExiting(proof))
        .to.emit(world.validators, "ExitRequestExpired")
        .withArgs(1, keyRoot(0));
      expect((await recordOf(world, 0))["exitRequestedAt"]).to.equal(0n);
      expect(await queueOf(world)).to.deep.include({ requested: 0n });
    });

    it("must exist", async () => {
      const world = await loadFixture(everyStatus);
      const { validators } = world;
      for (const index of range(10)) {
        await expect(validators.expireExitRequest(keyRoot(index)))
          .to.be.revertedWithCustomError(validators, "NotRequested")
          .withArgs(keyRoot(index));
        const { proof } = await proofOf(world, active(world, index));
        await expect(validators.proveNotExiting(proof))
          .to.be.revertedWithCustomError(validators, "NotRequested")
          .withArgs(keyRoot(index));
      }
    });

    it("may be made again, out of order, without moving the order", async () => {
      const world = await loadFixture(requestedFirst);
      await requestExit(world, 1);
      await networkHelpers.time.increase(DAY);
      await world.validators.expireExitRequest(keyRoot(0));
      await requestExit(world, 2);
      await requestExit(world, 0);
      expect(await queueOf(world)).to.deep.include({ exitHead: 3n, requested: 3n });
      await requestExit(world, 3);
    });

    it("may be made again only while its tier is next", async () => {
      const world = await loadFixture(twoTiersWorking);
      for (const index of [0, 1, 2]) await requestExit(world, index);
      await networkHelpers.time.increase(DAY);
      await world.validators.expireExitRequest(keyRoot(0));
      // two against two: the lower tier; then one against two
      await requestExit(world, 0);
      await networkHelpers.time.increase(DAY);
      await world.validators.expireExitRequest(keyRoot(1));
      await requestExit(world, 3);
      await expect(requestExit(world, 1))
        .to.be.revertedWithCustomError(world.validators, "NotNext")
        .withArgs(keyRoot(1), 0, 1, 1, 0);
    });
  });

  describe("proveExiting", () => {
    it("confirms a request", async () => {
      const world = await loadFixture(requestedFirst);
      const response = await proveExiting(world, 0);
      const withdrawable = START_EPOCH + 5 + 256;
      await expect(response).to.emit(world.validators, "Exiting").withArgs(1, keyRoot(0), withdrawable);
      await expect(response).to.emit(world.validators, "WeightStopped").withArgs(1, keyRoot(0));
      expect(await recordOf(world, 0)).to.deep.include({
        status: BigInt(Status.Exiting),
        weightStopped: true,
        exitRequestedAt: 0n,
      });
      expect(await queueOf(world)).to.deep.include({ funded: 6n, exiting: 1n, requested: 0n });
      expect(fields(await world.operators.operator(1))).to.deep.include({ active: 4n, weighted: 3n });
    });

    it("notes a validator that left by itself", async () => {
      const world = await loadFixture(working);
      await proveExiting(world, 2);
      expect(await queueOf(world)).to.deep.include({ exiting: 1n, requested: 0n, exitHead: 0n });
    });

    it("stops a weight once", async () => {
      const world = await loadFixture(working);
      await proveBelow(world, 0, 31 * ETH_GWEI);
      await expect(proveExiting(world, 0)).to.not.emit(world.validators, "WeightStopped");
      expect((await world.operators.operator(1)).weighted).to.equal(3);
    });

    it("refuses a validator without an exit epoch, and one that is not active", async () => {
      const world = await loadFixture(everyStatus);
      const { proof } = await proofOf(world, active(world, 2));
      await expect(world.validators.proveExiting(proof))
        .to.be.revertedWithCustomError(world.validators, "NotExiting")
        .withArgs(keyRoot(2));
      for (const [index, status] of NOT_ACTIVE) {
        await expect(proveExiting(world, index))
          .to.be.revertedWithCustomError(world.validators, "WrongStatus")
          .withArgs(keyRoot(index), status);
      }
    });
  });

  describe("skipExited", () => {
    it("moves the order past those that left by themselves", async () => {
      const world = await loadFixture(everyStatus);
      await world.validators.connect(world.carol).skipExited([keyRoot(0), keyRoot(1)]);
      expect((await queueOf(world))["exitHead"]).to.equal(2n);
      await requestExit(world, 2);
    });

    it("refuses them out of order and twice", async () => {
      const world = await loadFixture(everyStatus);
      const { validators } = world;
      await expect(validators.skipExited([keyRoot(1)]))
        .to.be.revertedWithCustomError(validators, "NotNext")
        .withArgs(keyRoot(1), 0, 1, 0, 0);
      await expect(validators.skipExited([keyRoot(0), keyRoot(0)]))
        .to.be.revertedWithCustomError(validators, "NotNext")
        .withArgs(keyRoot(0), 0, 0, 0, 1);
      await expect(validators.skipExited([])).to.be.revertedWithCustomError(validators, "NoKeys");
    });

    it("refuses those that did not leave", async () => {
      const world = await loadFixture(everyStatus);
      for (const [index, status] of [[2, Status.Active], ...NOT_ACTIVE.slice(2)] as const) {
        await expect(world.validators.skipExited([keyRoot(index)]))
          .to.be.revertedWithCustomError(world.validators, "WrongStatus")
          .withArgs(keyRoot(index), status);
      }
    });
  });

  describe("proveWithdrawn", () => {
    it("settles a whole validator without a loss", async () => {
      const world = await loadFixture(requestedFirst);
      await proveExiting(world, 0);
      for (const [index, balance] of [
        [0, 32 * ETH_GWEI],
        [1, 33 * ETH_GWEI],
      ] as const) {
        await expect(proveWithdrawn(world, index, balance))
          .to.emit(world.validators, "Withdrawn")
          .withArgs(1, keyRoot(index), balance, 0);
      }
      expect(fields(await world.operators.operator(1))).to.deep.include({
        active: 2n,
        weighted: 2n,
        bondShares: 4n * ETH * 10n ** 9n,
        debt: 0n,
      });
      expect(await world.pool.cover()).to.equal(0);
    });

    it("charges what is missing from 32 ETH", async () => {
      const world = await loadFixture(working);
      await expect(proveWithdrawn(world, 0, 32 * ETH_GWEI - 1))
        .to.emit(world.validators, "Withdrawn")
        .withArgs(1, keyRoot(0), 32 * ETH_GWEI - 1, 10n ** 9n);
      expect(await world.pool.cover()).to.equal(10n ** 9n * 10n ** 9n);
      await expect(proveWithdrawn(world, 1, 0))
        .to.emit(world.validators, "Withdrawn")
        .withArgs(1, keyRoot(1), 0, FULL);
    });

    it("takes a validator that nobody proved exiting, and counts it as gone", async () => {
      const world = await loadFixture(requestedFirst);
      await expect(proveWithdrawn(world, 0, 32 * ETH_GWEI)).to.emit(world.validators, "WeightStopped");
      expect(await recordOf(world, 0)).to.deep.include({ status: BigInt(Status.Withdrawn), exitRequestedAt: 0n });
      expect(await queueOf(world)).to.deep.include({ exiting: 1n, requested: 0n });
      await expect(proveExiting(world, 0)).to.be.revertedWithCustomError(world.validators, "WrongStatus");
    });

    it("counts one that was proven exiting once", async () => {
      const world = await loadFixture(working);
      await proveExiting(world, 0);
      await proveWithdrawn(world, 0, 32 * ETH_GWEI);
      expect(await queueOf(world)).to.deep.include({ exiting: 1n });
    });

    it("takes any state of the epoch before, and no other", async () => {
      const world = await loadFixture(working);
      const epoch = Math.floor((await slotNow(world)) / 32);
      const validator = active(world, 0, { exitEpoch: epoch - 256, withdrawableEpoch: epoch });
      for (const [slot, proven] of [
        [(epoch - 1) * 32 - 1, epoch - 2],
        [epoch * 32, epoch],
      ] as const) {
        const { proof, balance } = await proofOf(world, validator, { slot });
        await expect(world.validators.proveWithdrawn(proof, balance))
          .to.be.revertedWithCustomError(world.validators, "NotLastEpoch")
          .withArgs(proven, epoch);
      }
      const first = await proofOf(world, validator, { slot: (epoch - 1) * 32 });
      await world.validators.proveWithdrawn(first.proof, first.balance);
    });

    it("refuses a validator that will never be withdrawable", async () => {
      const world = await loadFixture(working);
      const slot = await slotNow(world);
      const { proof, balance } = await proofOf(world, active(world, 0), { slot });
      await expect(world.validators.proveWithdrawn(proof, balance))
        .to.be.revertedWithCustomError(world.validators, "NotLastEpoch")
        .withArgs(Math.floor(slot / 32), FAR_FUTURE);
    });

    it("refuses keys that are not funded, or were withdrawn before", async () => {
      const world = await loadFixture(everyStatus);
      for (const [index, status] of NOT_FUNDED) {
        await expect(proveWithdrawn(world, index, 32 * ETH_GWEI))
          .to.be.revertedWithCustomError(world.validators, "WrongStatus")
          .withArgs(keyRoot(index), status);
      }
    });

    it("refuses foreign credentials", async () => {
      const world = await loadFixture(working);
      const withdrawalCredentials = `0x00${world.credentials.slice(4)}` as const;
      await expect(proveWithdrawn(world, 0, 32 * ETH_GWEI, { withdrawalCredentials })).to.be.revertedWithCustomError(
        world.validators,
        "WrongCredentials",
      );
    });
  });
});

describe("ValidatorRegistry: bad news", () => {
  describe("proveSlashed", () => {
    it("freezes the operator, stops the weight and tells the pool when", async () => {
      const world = await loadFixture(working);
      const slot = await slotNow(world);
      const response = await proveSlashed(world, 1);
      await expect(response).to.emit(world.validators, "Slashed").withArgs(1, keyRoot(1));
      await expect(response).to.emit(world.validators, "WeightStopped").withArgs(1, keyRoot(1));
      await expect(response).to.emit(world.operators, "OperatorFrozen").withArgs(1, true);
      expect(await recordOf(world, 1)).to.deep.include({
        status: BigInt(Status.Active),
        slashed: true,
        weightStopped: true,
      });
      expect(fields(await world.operators.operator(1))).to.deep.include({ frozen: true, active: 4n, weighted: 3n });
      expect(fields(await world.operators.operator(2))).to.deep.include({ frozen: false, weighted: 2n });
      expect(await world.pool.slashingTime()).to.equal(world.genesisTime + 12 * slot);
    });

    it("takes one that already exits", async () => {
      const world = await loadFixture(working);
      await proveExiting(world, 1);
      await proveSlashed(world, 1);
      expect(await recordOf(world, 1)).to.deep.include({ status: BigInt(Status.Exiting), slashed: true });
    });

    it("lets the slashed validator be proven exiting and withdrawn", async () => {
      const world = await loadFixture(working);
      await proveSlashed(world, 1);
      await proveExiting(world, 1);
      await proveWithdrawn(world, 1, 30 * ETH_GWEI);
      expect(await recordOf(world, 1)).to.deep.include({ status: BigInt(Status.Withdrawn), slashed: true });
      expect(await world.pool.cover()).to.equal(2n * ETH * 10n ** 9n);
    });

    it("refuses it twice, without a slashing, and for keys that are not funded", async () => {
      const world = await loadFixture(everyStatus);
      const { validators } = world;
      const { proof } = await proofOf(world, active(world, 2));
      await expect(validators.proveSlashed(proof))
        .to.be.revertedWithCustomError(validators, "NotSlashed")
        .withArgs(keyRoot(2));
      await proveSlashed(world, 2);
      await expect(proveSlashed(world, 2))
        .to.be.revertedWithCustomError(validators, "ValidatorSlashed")
        .withArgs(keyRoot(2));
      for (const [index, status] of NOT_FUNDED) {
        await expect(proveSlashed(world, index))
          .to.be.revertedWithCustomError(validators, "WrongStatus")
          .withArgs(keyRoot(index), status);
      }
    });
  });

  describe("proveBelow", () => {
    it("stops the weight of a validator below 31.75 ETH", async () => {
      const world = await loadFixture(working);
      const limit = 31.75 * ETH_GWEI;
      await expect(proveBelow(world, 0, limit))
        .to.be.revertedWithCustomError(world.validators, "NotBelow")
        .withArgs(limit, limit);
      await expect(proveBelow(world, 0, limit - 1))
        .to.emit(world.validators, "WeightStopped")
        .withArgs(1, keyRoot(0));
      expect(await recordOf(world, 0)).to.deep.include({ status: BigInt(Status.Active), weightStopped: true });
      expect(fields(await world.operators.operator(1))).to.deep.include({ active: 4n, weighted: 3n, frozen: false });
    });

    it("refuses it twice", async () => {
      const world = await loadFixture(working);
      await proveBelow(world, 0, 1);
      await expect(proveBelow(world, 0, 1))
        .to.be.revertedWithCustomError(world.validators, "WeightAlreadyStopped")
        .withArgs(keyRoot(0));
    });

    it("waits for activation: the top-up may still be on its way", async () => {
      const world = await loadFixture(working);
      const epoch = Math.floor((await slotNow(world)) / 32);
      for (const [activationEpoch, shown] of [
        [Infinity, FAR_FUTURE],
        [epoch + 1, BigInt(epoch + 1)],
      ] as const) {
        const { proof, balance } = await proofOf(world, pending(world, 0, { activationEpoch }));
        await expect(world.validators.proveBelow(proof, balance))
          .to.be.revertedWithCustomError(world.validators, "NotActiveYet")
          .withArgs(shown, epoch);
      }
      await proveBelow(world, 0, 1, { activationEpoch: epoch });
    });

    it("refuses keys that are not active", async () => {
      const world = await loadFixture(everyStatus);
      for (const [index, status] of NOT_ACTIVE) {
        await expect(proveBelow(world, index, 1))
          .to.be.revertedWithCustomError(world.validators, "WrongStatus")
          .withArgs(keyRoot(index), status);
      }
    });
  });

  it("comes from a proof of this validator's balance in the same state", async () => {
    const world = await loadFixture(working);
    const rich = await proofOf(world, active(world, 0));
    const poor = await proofOf(world, active(world, 0), { balanceGwei: 1 });
    await expect(world.validators.proveBelow(rich.proof, poor.balance)).to.be.revertedWithCustomError(
      world.beaconProof,
      "ProofInvalid",
    );
  });
});
