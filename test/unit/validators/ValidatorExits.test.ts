import { expect } from "chai";
import type { ContractTransactionResponse } from "ethers";
import type { ContractValidatorProof } from "../../../offchain/beacon/contractProofs.ts";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import type { StateValidator } from "./beaconStates.ts";
import { fields } from "./fields.ts";
import {
  CURATED,
  ETH,
  ETH_GWEI,
  FAR_FUTURE,
  SECONDS_PER_EPOCH,
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
  proveSlashed,
  proveWithdrawn,
  queued,
  range,
  registries,
  requestExit,
  slotNow,
} from "./fixture.ts";
import type { Registries } from "./fixture.ts";

const { time } = networkHelpers;
const HOUR = 3_600;
const DAY = 86_400;
const WEEK = 7 * DAY;
const FULL = 32n * ETH;
const YOUNG = { activationEpoch: Infinity };

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

/** Three tiers with a third each: Alice has 0 to 3, Carol 4 to 6, the keeper 7 and 8: their order of exits. */
async function threeTiersWorking() {
  const world = await loadFixture(registries);
  const third = { ...CURATED, targetShareBp: 3_333, open: true };
  await world.operators.setTier(0, third);
  for (const [tier, owner] of [
    [1, world.carol],
    [2, world.keeper],
  ] as const) {
    await world.operators.addTier(third);
    await world.operators.connect(owner).join(tier, owner, "Another");
  }
  await funded(world, 1, range(4));
  await funded(world, 3, range(3, 4));
  await funded(world, 4, range(2, 7));
  await world.pool.setDemand(FULL);
  return world;
}

async function proveExiting(world: Registries, index: number, exitEpoch = START_EPOCH + 5) {
  const change = { exitEpoch, withdrawableEpoch: exitEpoch + 256 };
  const { proof } = await proofOf(world, active(world, index, change));
  return world.validators.connect(world.keeper).proveExiting(proof);
}

async function proveBelow(world: Registries, index: number, balanceGwei: number, change: Partial<StateValidator> = {}) {
  const { proof, balance } = await proofOf(world, active(world, index, change), { balanceGwei });
  return world.validators.connect(world.keeper).proveBelow(proof, balance);
}

async function ejectBelow(world: Registries, index: number, balanceGwei: number, change: Partial<StateValidator> = {}) {
  const { proof, balance } = await proofOf(world, active(world, index, change), { balanceGwei });
  return world.validators.connect(world.keeper).ejectBelow(key(index), proof, balance, { value: 1n });
}

/** The proof of a head, as one passes it over. */
async function head(world: Registries, index: number, change: Partial<StateValidator> = YOUNG) {
  return (await proofOf(world, active(world, index, change))).proof;
}

/** Asks validator `index` to exit, passing over these heads. */
async function requestPassing(world: Registries, index: number, passed: readonly ContractValidatorProof[]) {
  return requestExit(world, index, {}, { passed });
}

async function recordOf(world: Registries, index: number) {
  return fields(await world.validators.validator(keyRoot(index)));
}

async function queueOf(world: Registries, tier = 0) {
  return fields(await world.validators.tierQueue(tier));
}

async function epochNow(world: Registries) {
  return Math.floor((await slotNow(world)) / 32);
}

async function expectAsked(
  world: Registries,
  response: ContractTransactionResponse,
  operatorId: number,
  index: number,
) {
  await expect(response).to.emit(world.validators, "ExitRequested").withArgs(operatorId, keyRoot(index));
  await expect(response)
    .to.emit(world.vault, "Asked")
    .withArgs([key(index)], world.keeper, 1n);
}

/** A key in each status but Active. */
async function everyStatus() {
  const world = await loadFixture(working);
  await queued(world, 1, [6, 7]);
  await proveExiting(world, 0);
  // two ETH of the bond of four are gone: it lacks one for what is queued
  await proveWithdrawn(world, 1, 30 * ETH_GWEI);
  await predeposit(world, 1, [8]);
  await world.validators.dropQueued([keyRoot(7)]);
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

const NEVER_FUNDED = NOT_ACTIVE.slice(2);

describe("ValidatorExits: exits", () => {
  describe("requestExit", () => {
    it("asks the vault to exit the first funded validator, passing on the fee and the caller", async () => {
      const world = await loadFixture(working);
      const response = await requestExit(world, 0, {}, { value: 123n });
      await expect(response).to.emit(world.validators, "ExitRequested").withArgs(1, keyRoot(0));
      await expect(response)
        .to.emit(world.vault, "Asked")
        .withArgs([key(0)], world.keeper, 123n);
      const now = BigInt(await time.latest());
      expect(await recordOf(world, 0)).to.deep.include({ status: BigInt(Status.Active), exitRequestedAt: now });
      expect(await queueOf(world)).to.deep.include({ exitHead: 1n, leaving: 1n, funded: 6n });
      expect([...(await world.validators.nextToExit())]).to.deep.equal([0n, 1n]);
    });

    it("tells the pool how many exits were asked since an hour before the last reference, this one not", async () => {
      const world = await loadFixture(working);
      const { pool, validators } = world;
      const asked: number[] = [];
      for (const index of [0, 1, 2]) {
        await requestExit(world, index);
        asked.push(await time.latest());
        await time.increase(600);
      }
      const [first = 0, , last = 0] = asked;
      await pool.setEcho(true);
      await expect(requestExit(world, 3)).to.be.revertedWithCustomError(validators, "NoDemand").withArgs(3);
      for (const [reference, count] of [
        [0, 3],
        [first, 3],
        [first + HOUR - 1, 3],
        [first + HOUR, 2],
        [last + HOUR - 1, 1],
        [last + HOUR, 0],
      ] as const) {
        await pool.setRefTime(reference);
        expect(await validators.exitDemand(), `reference ${reference - first}`).to.equal(count);
      }
    });

    it("does not count those that leave by themselves as asked", async () => {
      const world = await loadFixture(requestedFirst);
      await proveExiting(world, 0);
      await proveExiting(world, 4);
      await world.pool.setEcho(true);
      expect(await world.validators.exitDemand()).to.equal(1);
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

    it("needs less when a request has waited for three days after its round", async () => {
      const world = await loadFixture(working);
      await world.pool.setDemand(1n);
      const start = await time.latest();
      await world.queue.setOldestRoundEnd(start);
      await time.increaseTo(start + 3 * DAY - 60);
      const { proof } = await proofOf(world, active(world, 0));
      const call = () => world.validators.requestExit(key(0), proof, [], { value: 1n });
      await time.setNextBlockTimestamp(start + 3 * DAY - 1);
      await expect(call()).to.be.revertedWithCustomError(world.validators, "NoDemand").withArgs(1);
      await time.setNextBlockTimestamp(start + 3 * DAY);
      await world.pool.setDemand(0n);
      await expect(call()).to.be.revertedWithCustomError(world.validators, "NoDemand").withArgs(0);
      await world.pool.setDemand(1n);
      await call();
    });

    it("does not take a queue without requests for an old one", async () => {
      const world = await loadFixture(working);
      await world.pool.setDemand(FULL - 1n);
      await world.queue.setOldestRoundEnd(0);
      await expect(requestExit(world, 0))
        .to.be.revertedWithCustomError(world.validators, "NoDemand")
        .withArgs(FULL - 1n);
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
      const { validators, operators } = world;
      await funded(world, 1, [8, 9]);
      await queued(world, 1, range(3));
      await proveWithdrawn(world, 8, 30 * ETH_GWEI);
      await validators.dropQueued([keyRoot(0)]);
      await operators.addBond(1, { value: ETH });
      await fund(world, [1, 2]);
      await world.pool.setDemand(FULL);
      await validators.skipExited([keyRoot(8)]);
      await requestExit(world, 9);
      expect([...(await validators.nextToExit())]).to.deep.equal([0n, 3n]);
      await requestExit(world, 1);
      expect(await queueOf(world)).to.deep.include({ exitHead: 4n, leaving: 3n });
    });

    it("asks the tiers in turn, be it in a burst within minutes: what was asked is present no longer", async () => {
      const world = await loadFixture(twoTiersWorking);
      const order = [0, 1, 2, 4, 3, 5];
      const start = await time.latest();
      for (const [i, index] of order.entries()) {
        for (const other of [0, 4].map((first) => order.slice(i).find((left) => left >= first) ?? index))
          if (other !== index)
            await expect(requestExit(world, other)).to.be.revertedWithCustomError(world.validators, "NotNext");
        await requestExit(world, index);
      }
      expect((await time.latest()) - start).to.be.lessThan(HOUR);
      expect((await queueOf(world))["leaving"]).to.equal(4n);
      expect((await queueOf(world, 1))["leaving"]).to.equal(2n);
    });

    it("needs a validator that the consensus layer will let go", async () => {
      const world = await loadFixture(working);
      const { validators } = world;
      const epoch = BigInt(await epochNow(world));
      const young = Number(epoch) - 255;
      await expect(requestExit(world, 0, { activationEpoch: young }))
        .to.be.revertedWithCustomError(validators, "NotReadyToExit")
        .withArgs(young, FAR_FUTURE, epoch);
      await expect(requestExit(world, 0, YOUNG))
        .to.be.revertedWithCustomError(validators, "NotReadyToExit")
        .withArgs(FAR_FUTURE, FAR_FUTURE, epoch);
      await expect(requestExit(world, 0, { exitEpoch: 5_000 }))
        .to.be.revertedWithCustomError(validators, "NotReadyToExit")
        .withArgs(20, 5_000, epoch);
      await requestExit(world, 0, { activationEpoch: young - 1 });
    });

    it("needs a state of the last hour", async () => {
      const world = await loadFixture(working);
      const slot = (await slotNow(world)) - 10;
      const slotTime = world.genesisTime + 12 * slot;
      const { proof } = await proofOf(world, active(world, 0), { slot });
      const call = () => world.validators.requestExit(key(0), proof, [], { value: 1n });
      await time.setNextBlockTimestamp(slotTime + HOUR + 1);
      await expect(call())
        .to.be.revertedWithCustomError(world.validators, "StateTooOld")
        .withArgs(slotTime, slotTime + 1);
      const earlier = await proofOf(world, active(world, 0), { slot: slot + 1 });
      await time.setNextBlockTimestamp(slotTime + 12 + HOUR);
      await world.validators.requestExit(key(0), earlier.proof, [], { value: 1n });
    });

    it("needs the proof of the same key", async () => {
      const world = await loadFixture(working);
      const { proof } = await proofOf(world, active(world, 1));
      await expect(world.validators.requestExit(key(0), proof, [], { value: 1n }))
        .to.be.revertedWithCustomError(world.validators, "KeyMismatch")
        .withArgs(keyRoot(0), keyRoot(1));
      await expect(world.validators.requestExit("0x", proof, [], { value: 1n }))
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
        await expect(ejectBelow(world, index, 1))
          .to.be.revertedWithCustomError(world.validators, "WrongStatus")
          .withArgs(keyRoot(index), status);
      }
    });

    it("finds nothing to exit where nothing stays", async () => {
      const { validators } = await loadFixture(registries);
      await expect(validators.nextToExit()).to.be.revertedWithCustomError(validators, "NothingToExit");
    });
  });

  describe("a head that can't exit yet", () => {
    it("B: stops no exit: its tier is passed over, and the next one asked", async () => {
      const world = await loadFixture(twoTiersWorking);
      const { validators } = world;
      expect([...(await validators.nextToExit())]).to.deep.equal([0n, 0n]);
      await expect(requestExit(world, 0, YOUNG)).to.be.revertedWithCustomError(validators, "NotReadyToExit");
      await expect(requestExit(world, 4))
        .to.be.revertedWithCustomError(validators, "NotNext")
        .withArgs(keyRoot(4), 1, 0, 0, 0);
      await expectAsked(world, await requestPassing(world, 4, [await head(world, 0)]), 3, 4);
      expect(await queueOf(world, 1)).to.deep.include({ exitHead: 1n, leaving: 1n });
      // for that call only: the order of the tier is as it was
      expect(await queueOf(world)).to.deep.include({ exitHead: 0n, leaving: 0n });
      await expect(requestExit(world, 5))
        .to.be.revertedWithCustomError(validators, "NotNext")
        .withArgs(keyRoot(5), 1, 1, 0, 0);
    });

    it("was active for less than 256 epochs in the state that shows it", async () => {
      const world = await loadFixture(twoTiersWorking);
      const epoch = await epochNow(world);
      const ready = await head(world, 0, { activationEpoch: epoch - 256 });
      await expect(requestPassing(world, 4, [ready]))
        .to.be.revertedWithCustomError(world.validators, "ReadyToExit")
        .withArgs(keyRoot(0), epoch - 256, epoch);
      await requestPassing(world, 4, [await head(world, 0, { activationEpoch: epoch - 255 })]);
    });

    it("is shown in a state of the last hour", async () => {
      const world = await loadFixture(twoTiersWorking);
      const slot = (await slotNow(world)) - 10;
      const slotTime = world.genesisTime + 12 * slot;
      const old = await proofOf(world, active(world, 0, YOUNG), { slot });
      await time.increaseTo(slotTime + HOUR - 30);
      const { proof } = await proofOf(world, active(world, 4));
      const call = () => world.validators.requestExit(key(4), proof, [old.proof], { value: 1n });
      await time.setNextBlockTimestamp(slotTime + HOUR + 1);
      await expect(call())
        .to.be.revertedWithCustomError(world.validators, "StateTooOld")
        .withArgs(slotTime, slotTime + 1);
    });

    it("is the head: neither another of its tier nor of a tier whose turn it is not", async () => {
      const world = await loadFixture(threeTiersWorking);
      const { validators } = world;
      await expect(requestPassing(world, 4, [await head(world, 1)]))
        .to.be.revertedWithCustomError(validators, "NotNext")
        .withArgs(keyRoot(1), 0, 1, 0, 0);
      await expect(requestPassing(world, 4, [await head(world, 7)]))
        .to.be.revertedWithCustomError(validators, "NotNext")
        .withArgs(keyRoot(7), 2, 0, 0, 0);
      const [first, second] = [await head(world, 0), await head(world, 4)];
      await expect(requestPassing(world, 7, [second, first]))
        .to.be.revertedWithCustomError(validators, "NotNext")
        .withArgs(keyRoot(4), 1, 0, 0, 0);
      await expect(requestPassing(world, 7, [first, first]))
        .to.be.revertedWithCustomError(validators, "NotNext")
        .withArgs(keyRoot(0), 0, 0, 1, 0);
      await expect(requestPassing(world, 7, [first]))
        .to.be.revertedWithCustomError(validators, "NotNext")
        .withArgs(keyRoot(7), 2, 0, 1, 0);
      await requestPassing(world, 7, [first, second]);
    });

    it("leaves nothing to exit where every tier is passed over, even for one funded out of turn", async () => {
      const world = await loadFixture(twoTiersWorking);
      await queued(world, 1, [9]);
      await world.validators.connect(world.alice).fundOwn(key(9), { value: 31n * ETH });
      const both = [await head(world, 0), await head(world, 4)];
      for (const index of [0, 4, 9])
        await expect(requestPassing(world, index, both)).to.be.revertedWithCustomError(
          world.validators,
          "NothingToExit",
        );
      const thrice = [...both, await head(world, 0)];
      await expect(requestPassing(world, 0, thrice)).to.be.revertedWithCustomError(world.validators, "NothingToExit");
    });

    it("is not one of a tier passed over that the caller then asks", async () => {
      const world = await loadFixture(twoTiersWorking);
      await expect(requestPassing(world, 0, [await head(world, 0)]))
        .to.be.revertedWithCustomError(world.validators, "NotNext")
        .withArgs(keyRoot(0), 0, 0, 1, 0);
    });

    it("stays: one that was asked out of turn, exits or is no validator of the protocol is no excuse", async () => {
      const world = await loadFixture(twoTiersWorking);
      const { validators } = world;
      await ejectBelow(world, 0, 1);
      const { exitRequestedAt } = await recordOf(world, 0);
      await expect(requestPassing(world, 4, [await head(world, 0)]))
        .to.be.revertedWithCustomError(validators, "ExitAlreadyRequested")
        .withArgs(keyRoot(0), exitRequestedAt);
      await validators.skipExited([keyRoot(0)]);
      await expect(requestPassing(world, 4, [await head(world, 1, { ...YOUNG, exitEpoch: 1_234 })]))
        .to.be.revertedWithCustomError(validators, "IsExiting")
        .withArgs(keyRoot(1), 1_234);
      await proveExiting(world, 1);
      await expect(requestPassing(world, 4, [await head(world, 1)]))
        .to.be.revertedWithCustomError(validators, "WrongStatus")
        .withArgs(keyRoot(1), Status.Exiting);
      const withdrawalCredentials = `0x02${world.credentials.slice(4)}` as const;
      await expect(requestPassing(world, 4, [await head(world, 2, { ...YOUNG, withdrawalCredentials })]))
        .to.be.revertedWithCustomError(validators, "WrongCredentials")
        .withArgs(withdrawalCredentials.toLowerCase(), world.credentials);
    });

    it("is proven", async () => {
      const world = await loadFixture(twoTiersWorking);
      const real = await head(world, 0, {});
      const forged = { ...real, validator: { ...real.validator, activationEpoch: 2n ** 64n - 1n } };
      await expect(requestPassing(world, 4, [forged])).to.be.revertedWithCustomError(world.beaconProof, "ProofInvalid");
    });

    it("may be any one funded out of turn where its tier has no others, and only there", async () => {
      const world = await loadFixture(twoTiersWorking);
      const { validators, alice } = world;
      await queued(world, 1, [8, 9]);
      for (const index of [8, 9]) await validators.connect(alice).fundOwn(key(index), { value: 31n * ETH });
      await expect(requestPassing(world, 4, [await head(world, 9)]))
        .to.be.revertedWithCustomError(validators, "NotNext")
        .withArgs(keyRoot(9), 0, 5, 0, 0);
      for (const index of range(4)) await ejectBelow(world, index, 1);
      await validators.skipExited(range(4).map(keyRoot));
      // two and two: the lower tier in a tie
      expect([...(await validators.nextToExit())]).to.deep.equal([0n, 4n]);
      await requestPassing(world, 4, [await head(world, 9)]);
    });
  });

  describe("a validator that was asked before", () => {
    it("is not asked again on a state less than an hour after that", async () => {
      const world = await loadFixture(requestedFirst);
      const askedAt = await time.latest();
      const slot = Math.ceil((askedAt + HOUR - world.genesisTime) / 12);
      await time.increaseTo(askedAt + HOUR + 60);
      const early = await proofOf(world, active(world, 0), { slot: slot - 1 });
      await expect(world.validators.requestExit(key(0), early.proof, [], { value: 1n }))
        .to.be.revertedWithCustomError(world.validators, "ExitAlreadyRequested")
        .withArgs(keyRoot(0), askedAt);
      await expect(world.validators.ejectBelow(key(0), early.proof, early.balance, { value: 1n }))
        .to.be.revertedWithCustomError(world.validators, "ExitAlreadyRequested")
        .withArgs(keyRoot(0), askedAt);
      const { proof } = await proofOf(world, active(world, 0), { slot });
      await world.validators.requestExit(key(0), proof, [], { value: 1n });
    });

    it("may be asked again by anyone, out of turn, where the layer dropped the request, and counts again", async () => {
      const world = await loadFixture(twoTiersWorking);
      for (const index of [0, 1, 2]) await requestExit(world, index);
      await time.increase(HOUR + 60);
      // the tier of the asked has one, the other two: it is not its turn
      expect([...(await world.validators.nextToExit())]).to.deep.equal([1n, 0n]);
      const { proof } = await proofOf(world, active(world, 1));
      await expect(world.validators.connect(world.bob).requestExit(key(1), proof, [], { value: 1n }))
        .to.emit(world.validators, "ExitRequested")
        .withArgs(1, keyRoot(1));
      expect((await recordOf(world, 1))["exitRequestedAt"]).to.equal(BigInt(await time.latest()));
      expect(await queueOf(world)).to.deep.include({ exitHead: 3n, leaving: 3n });
      await world.pool.setEcho(true);
      expect(await world.validators.exitDemand()).to.equal(4);
    });

    it("is asked again on demand only", async () => {
      const world = await loadFixture(requestedFirst);
      await time.increase(HOUR + 60);
      await world.pool.setDemand(FULL - 1n);
      await expect(requestExit(world, 0))
        .to.be.revertedWithCustomError(world.validators, "NoDemand")
        .withArgs(FULL - 1n);
    });

    it("leaves once, however it is proven in the end", async () => {
      const world = await loadFixture(requestedFirst);
      await time.increase(HOUR + 60);
      await requestExit(world, 0);
      await proveExiting(world, 0);
      await proveWithdrawn(world, 0, 32 * ETH_GWEI);
      expect(await queueOf(world)).to.deep.include({ leaving: 1n, funded: 6n });
    });
  });

  describe("E: a validator nobody would keep", () => {
    /** Alice's first validator comes back with 20 ETH: her bond of four lacks eight. No ether is wanted. */
    async function indebted() {
      const world = await loadFixture(working);
      await world.pool.setDemand(0n);
      await proveWithdrawn(world, 0, 20 * ETH_GWEI);
      return world;
    }

    it("of an operator with debt is asked at any time, until the debt is repaid", async () => {
      const world = await loadFixture(indebted);
      await expectAsked(world, await requestExit(world, 2), 1, 2);
      expect(await queueOf(world)).to.deep.include({ exitHead: 0n, leaving: 2n });
      await expect(requestExit(world, 4)).to.be.revertedWithCustomError(world.validators, "NoDemand").withArgs(0);
      await world.operators.addBond(1, { value: 8n * ETH });
      await expect(requestExit(world, 3)).to.be.revertedWithCustomError(world.validators, "NoDemand").withArgs(0);
    });

    it("of an operator with debt is asked again out of turn and without demand too", async () => {
      const world = await loadFixture(indebted);
      await requestExit(world, 2);
      await time.increase(HOUR + 60);
      await requestExit(world, 2);
      expect(await queueOf(world)).to.deep.include({ leaving: 2n });
    });

    it("of a frozen operator is asked out of turn at once, but for seven days on demand only", async () => {
      const world = await loadFixture(working);
      const { pool, validators } = world;
      await proveSlashed(world, 0);
      const frozenAt = await time.latest();
      await requestExit(world, 3);
      await pool.setDemand(FULL - 1n);
      await time.increaseTo(frozenAt + WEEK - 60);
      const { proof } = await proofOf(world, active(world, 2));
      const call = () => validators.connect(world.keeper).requestExit(key(2), proof, [], { value: 1n });
      await time.setNextBlockTimestamp(frozenAt + WEEK - 1);
      await expect(call())
        .to.be.revertedWithCustomError(validators, "NoDemand")
        .withArgs(FULL - 1n);
      await time.setNextBlockTimestamp(frozenAt + WEEK);
      await expectAsked(world, await call(), 1, 2);
    });

    it("of an operator that governance unfroze waits for its turn again", async () => {
      const world = await loadFixture(working);
      await proveSlashed(world, 0);
      await time.increase(WEEK);
      await world.operators.unfreeze(1);
      await expect(requestExit(world, 3))
        .to.be.revertedWithCustomError(world.validators, "NotNext")
        .withArgs(keyRoot(3), 0, 3, 0, 0);
      await world.pool.setDemand(0n);
      await expect(requestExit(world, 0)).to.be.revertedWithCustomError(world.validators, "NoDemand").withArgs(0);
    });

    it("of another operator is protected by demand and turn whatever happens to its neighbours", async () => {
      const world = await loadFixture(indebted);
      await proveSlashed(world, 1);
      await time.increase(WEEK);
      await expect(requestExit(world, 5)).to.be.revertedWithCustomError(world.validators, "NoDemand").withArgs(0);
      await world.pool.setDemand(FULL);
      await expect(requestExit(world, 5))
        .to.be.revertedWithCustomError(world.validators, "NotNext")
        .withArgs(keyRoot(5), 0, 5, 0, 0);
    });

    it("needs no heads to be passed over, and none is read", async () => {
      const world = await loadFixture(indebted);
      const real = await head(world, 0, {});
      await requestPassing(world, 2, [{ ...real, rootTimestamp: 1n }]);
    });

    it("with more than an ether less than its principal is asked at any time", async () => {
      const world = await loadFixture(working);
      await world.pool.setDemand(0n);
      for (const balance of [31 * ETH_GWEI, 32 * ETH_GWEI, 33 * ETH_GWEI])
        await expect(ejectBelow(world, 3, balance))
          .to.be.revertedWithCustomError(world.validators, "NotBelow")
          .withArgs(balance, 31 * ETH_GWEI);
      await expectAsked(world, await ejectBelow(world, 3, 31 * ETH_GWEI - 1), 1, 3);
      expect((await recordOf(world, 3))["exitRequestedAt"]).to.equal(BigInt(await time.latest()));
      expect(await queueOf(world)).to.deep.include({ exitHead: 0n, leaving: 1n });
      await world.pool.setEcho(true);
      expect(await world.validators.exitDemand()).to.equal(1);
    });

    it("is still one that the consensus layer will let go, in a state of now", async () => {
      const world = await loadFixture(indebted);
      const { validators } = world;
      const epoch = await epochNow(world);
      for (const change of [YOUNG, { activationEpoch: epoch - 255 }, { exitEpoch: 5_000 }]) {
        await expect(requestExit(world, 2, change)).to.be.revertedWithCustomError(validators, "NotReadyToExit");
        await expect(ejectBelow(world, 2, 1, change)).to.be.revertedWithCustomError(validators, "NotReadyToExit");
      }
      const slot = (await slotNow(world)) - HOUR / 12 - 2;
      const slotTime = world.genesisTime + 12 * slot;
      const old = await proofOf(world, active(world, 2), { slot, balanceGwei: 1 });
      const at = (await time.latest()) + 10;
      await time.setNextBlockTimestamp(at);
      await expect(validators.ejectBelow(key(2), old.proof, old.balance, { value: 1n }))
        .to.be.revertedWithCustomError(validators, "StateTooOld")
        .withArgs(slotTime, at - HOUR);
      await time.setNextBlockTimestamp(at + 1);
      await expect(validators.requestExit(key(2), old.proof, [], { value: 1n }))
        .to.be.revertedWithCustomError(validators, "StateTooOld")
        .withArgs(slotTime, at + 1 - HOUR);
      const other = await proofOf(world, active(world, 3), { balanceGwei: 1 });
      await expect(validators.ejectBelow(key(2), other.proof, other.balance, { value: 1n }))
        .to.be.revertedWithCustomError(validators, "KeyMismatch")
        .withArgs(keyRoot(2), keyRoot(3));
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
      expect(await queueOf(world)).to.deep.include({ funded: 6n, leaving: 1n });
      expect(fields(await world.operators.operator(1))).to.deep.include({ active: 4n, weighted: 3n });
    });

    it("notes a validator that left by itself", async () => {
      const world = await loadFixture(working);
      await proveExiting(world, 2);
      expect(await queueOf(world)).to.deep.include({ leaving: 1n, exitHead: 0n });
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

    it("moves it past a head that was asked out of turn and has not exited yet", async () => {
      const world = await loadFixture(working);
      await ejectBelow(world, 0, 1);
      await expect(requestExit(world, 1))
        .to.be.revertedWithCustomError(world.validators, "NotNext")
        .withArgs(keyRoot(1), 0, 1, 0, 0);
      await world.validators.connect(world.carol).skipExited([keyRoot(0)]);
      expect(await queueOf(world)).to.deep.include({ exitHead: 1n, leaving: 1n });
      await requestExit(world, 1);
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

    it("refuses those that stay, or were never funded", async () => {
      const world = await loadFixture(everyStatus);
      for (const [index, status] of [[2, Status.Active], ...NEVER_FUNDED] as const) {
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

    it("keeps what came back of the principal, and the epoch", async () => {
      const world = await loadFixture(working);
      for (const [index, balance, kept] of [
        [0, 33, 32n],
        [1, 30, 30n],
      ] as const) {
        const settledEpoch = BigInt(await epochNow(world));
        await proveWithdrawn(world, index, balance * ETH_GWEI);
        const fundedGwei = kept * BigInt(ETH_GWEI);
        expect(await recordOf(world, index)).to.deep.include({ fundedGwei, settledEpoch });
      }
    });

    it("takes a validator that nobody proved exiting, and counts it as gone", async () => {
      const world = await loadFixture(requestedFirst);
      await expect(proveWithdrawn(world, 0, 32 * ETH_GWEI)).to.emit(world.validators, "WeightStopped");
      expect(await recordOf(world, 0)).to.deep.include({ status: BigInt(Status.Withdrawn), exitRequestedAt: 0n });
      await proveWithdrawn(world, 1, 32 * ETH_GWEI);
      expect(await queueOf(world)).to.deep.include({ leaving: 2n });
      await expect(proveExiting(world, 0)).to.be.revertedWithCustomError(world.validators, "WrongStatus");
    });

    it("counts one that was proven exiting once", async () => {
      const world = await loadFixture(working);
      await proveExiting(world, 0);
      await proveWithdrawn(world, 0, 32 * ETH_GWEI);
      expect(await queueOf(world)).to.deep.include({ leaving: 1n });
    });

    it("takes any state of the epoch before, and no other", async () => {
      const world = await loadFixture(working);
      const epoch = await epochNow(world);
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

    it("refuses keys that were never funded", async () => {
      const world = await loadFixture(everyStatus);
      for (const [index, status] of NEVER_FUNDED) {
        await expect(proveWithdrawn(world, index, 32 * ETH_GWEI))
          .to.be.revertedWithCustomError(world.validators, "WrongStatus")
          .withArgs(keyRoot(index), status);
      }
    });

    it("refuses a second proof of a validator that was not slashed, of whatever epoch and balance", async () => {
      const world = await loadFixture(everyStatus);
      const before = await recordOf(world, 1);
      for (const balance of [0, 29 * ETH_GWEI, 32 * ETH_GWEI]) {
        await expect(proveWithdrawn(world, 1, balance))
          .to.be.revertedWithCustomError(world.validators, "NotSlashed")
          .withArgs(keyRoot(1));
        await time.increase(SECONDS_PER_EPOCH);
      }
      expect(await recordOf(world, 1)).to.deep.equal(before);
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

  describe("G: a validator slashed in its last epoch, after it was proven withdrawn", () => {
    const SHARES = 10n ** 9n;

    /** Settled with 31 ETH: one ETH of Alice's four was charged. */
    async function settled() {
      const world = await loadFixture(working);
      await proveWithdrawn(world, 0, 31 * ETH_GWEI);
      return world;
    }

    it("freezes its operator and is noted, once", async () => {
      const world = await loadFixture(settled);
      const slot = await slotNow(world);
      const response = await proveSlashed(world, 0);
      await expect(response).to.emit(world.validators, "Slashed").withArgs(1, keyRoot(0));
      await expect(response).to.emit(world.operators, "OperatorFrozen").withArgs(1, true);
      await expect(response).to.not.emit(world.validators, "WeightStopped");
      expect(await world.pool.slashingTime()).to.equal(world.genesisTime + 12 * slot);
      expect(await recordOf(world, 0)).to.deep.include({ status: BigInt(Status.Withdrawn), slashed: true });
      await expect(proveSlashed(world, 0))
        .to.be.revertedWithCustomError(world.validators, "ValidatorSlashed")
        .withArgs(keyRoot(0));
    });

    it("costs its operator what is missing beyond the first time, once", async () => {
      const world = await loadFixture(settled);
      const { operators, pool, validators } = world;
      expect(await pool.cover()).to.equal(ETH * SHARES);
      const { active: before, weighted } = await operators.operator(1);
      await time.increase(8_192 * SECONDS_PER_EPOCH);
      const settledEpoch = BigInt(await epochNow(world));
      const response = await proveWithdrawn(world, 0, 30.5 * ETH_GWEI, { slashed: true });
      await expect(response)
        .to.emit(validators, "Withdrawn")
        .withArgs(1, keyRoot(0), 30.5 * ETH_GWEI, ETH / 2n);
      await expect(response).to.emit(operators, "PenaltyTaken");
      expect(await pool.cover()).to.equal((3n * ETH * SHARES) / 2n);
      expect(fields(await operators.operator(1))).to.deep.include({ active: before, weighted, debt: 0n });
      const status = BigInt(Status.Withdrawn);
      expect(await recordOf(world, 0)).to.deep.include({ status, fundedGwei: 30_500_000_000n, settledEpoch });
      expect(await queueOf(world)).to.deep.include({ leaving: 1n });
      await expect(proveWithdrawn(world, 0, 20 * ETH_GWEI, { slashed: true }))
        .to.be.revertedWithCustomError(validators, "AlreadySettled")
        .withArgs(keyRoot(0), settledEpoch);
      expect(await pool.cover()).to.equal((3n * ETH * SHARES) / 2n);
    });

    it("costs nothing where nothing more is missing, and gives nothing back", async () => {
      const world = await loadFixture(settled);
      await time.increase(DAY);
      const response = await proveWithdrawn(world, 0, 32 * ETH_GWEI, { slashed: true });
      await expect(response)
        .to.emit(world.validators, "Withdrawn")
        .withArgs(1, keyRoot(0), 32 * ETH_GWEI, 0);
      await expect(response).to.not.emit(world.operators, "PenaltyTaken");
      expect(await world.pool.cover()).to.equal(ETH * SHARES);
      expect((await recordOf(world, 0))["fundedGwei"]).to.equal(31n * BigInt(ETH_GWEI));
    });

    it("was settled for good if it was slashed before: the epoch does not move", async () => {
      const world = await loadFixture(working);
      const settledEpoch = await epochNow(world);
      await proveWithdrawn(world, 1, 31 * ETH_GWEI, { slashed: true });
      expect(await epochNow(world), "the same epoch").to.equal(settledEpoch);
      await expect(proveWithdrawn(world, 1, 29 * ETH_GWEI, { slashed: true }))
        .to.be.revertedWithCustomError(world.validators, "AlreadySettled")
        .withArgs(keyRoot(1), settledEpoch);
    });
  });

  it("works at the registry's address only: its own storage knows no verifier and no key", async () => {
    const world = await loadFixture(working);
    const exits = await ethers.getContractAt("ValidatorExits", await world.validators.exits());
    for (const peer of ["token", "operators", "withdrawalVault", "depositContract", "genesisTime"] as const)
      expect(await exits[peer](), peer).to.equal(await world.validators[peer]());
    expect(await exits.withdrawalCredentials()).to.equal(world.credentials);
    expect(await exits.beaconProof()).to.equal(ethers.ZeroAddress);
    const { proof, balance } = await proofOf(world, active(world, 0, { slashed: true }), { balanceGwei: 1 });
    for (const call of [
      () => exits.requestExit(key(0), proof, [], { value: 1n }),
      () => exits.ejectBelow(key(0), proof, balance, { value: 1n }),
      () => exits.proveExiting(proof),
      () => exits.proveWithdrawn(proof, balance),
      () => exits.proveSlashed(proof),
      () => exits.proveBelow(proof, balance),
    ])
      await expect(call()).to.be.revertedWithoutReason(ethers);
    await expect(exits.skipExited([keyRoot(0)]))
      .to.be.revertedWithCustomError(exits, "WrongStatus")
      .withArgs(keyRoot(0), Status.Unknown);
    expect(await recordOf(world, 0)).to.deep.include({ status: BigInt(Status.Active), exitRequestedAt: 0n });
  });
});

describe("ValidatorExits: bad news", () => {
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

    it("refuses it twice, without a slashing, and for keys that were never funded", async () => {
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
      for (const [index, status] of NEVER_FUNDED) {
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
