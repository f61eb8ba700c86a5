import { expect } from "chai";
import { AbiCoder, ZeroAddress, dataSlice, hexlify, toBeHex, zeroPadValue } from "ethers";
import type { ContractTransactionReceipt, ContractTransactionResponse } from "ethers";
import { contractValidatorBatch } from "../../../offchain/beacon/contractProofs.ts";
import { withdrawalCredentials } from "../../../devnet/keys.ts";
import { DEPOSIT_CONTRACT } from "../../../devnet/predeploys.ts";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { validatorBatch, validatorProof } from "./beaconStates.ts";
import { fields } from "./fields.ts";
import {
  CURATED,
  ETH,
  ETH_GWEI,
  Status,
  allow,
  changeRate,
  fund,
  funded,
  key,
  keyRoot,
  pending,
  predeposit,
  predeposits,
  proofOf,
  prove,
  proveSlashed,
  proveWithdrawn,
  queued,
  range,
  registries,
  state,
} from "./fixture.ts";
import type { Registries } from "./fixture.ts";

const ZERO_SIGNATURE = `0x${"00".repeat(96)}`;

interface Deposit {
  readonly pubkey: string;
  readonly credentials: string;
  readonly gwei: bigint;
  readonly signature: string;
}

/** What the real deposit contract says it received. */
async function depositsOf(response: ContractTransactionResponse): Promise<Deposit[]> {
  const receipt = (await response.wait()) as ContractTransactionReceipt;
  return receipt.logs
    .filter((log) => log.address.toLowerCase() === DEPOSIT_CONTRACT)
    .map((log) => {
      const [pubkey, credentials, amount, signature] = AbiCoder.defaultAbiCoder().decode(
        ["bytes", "bytes", "bytes", "bytes", "bytes"],
        log.data,
      ) as unknown as [string, string, string, string];
      const gwei = Buffer.from(amount.slice(2), "hex").readBigUInt64LE();
      return { pubkey, credentials, gwei, signature };
    });
}

async function threeQueued() {
  const world = await loadFixture(registries);
  await queued(world, 1, range(3));
  return world;
}

/**
 * Alice's 8 and 9 are funded, 0 to 2 wait. 8 comes back with 30 ETH: her bond of two is gone, and lacks one for what is there.
 */
async function inDoubt() {
  const world = await loadFixture(registries);
  await funded(world, 1, [8, 9]);
  await queued(world, 1, range(3));
  await proveWithdrawn(world, 8, 30 * ETH_GWEI);
  return world;
}

/** A second tier, open, that wants 30%; Carol runs operator 3 there. */
async function twoTiers() {
  const world = await loadFixture(registries);
  await world.operators.setTier(0, { ...CURATED, targetShareBp: 7_000 });
  await world.operators.addTier({ ...CURATED, targetShareBp: 3_000, maxShareBp: 4_000, open: true });
  await world.operators.connect(world.carol).join(1, world.carol, "Carol");
  return world;
}

async function statusOf(world: Registries, index: number): Promise<bigint> {
  return (await world.validators.validator(keyRoot(index))).status;
}

describe("ValidatorRegistry", () => {
  describe("when deployed", () => {
    it("derives its credentials from the vault", async () => {
      const { validators, vault, credentials } = await loadFixture(registries);
      expect(await validators.withdrawalCredentials()).to.equal(credentials);
      expect(dataSlice(credentials, 0, 12)).to.equal(`0x01${"00".repeat(11)}`);
      expect(dataSlice(credentials, 12).toLowerCase()).to.equal((await vault.getAddress()).toLowerCase());
    });

    it("is initialised once, and its code never", async () => {
      const { validators, validatorsCode, manager, beaconProof } = await loadFixture(registries);
      for (const contract of [validators, validatorsCode]) {
        await expect(contract.initialize(manager, beaconProof)).to.be.revertedWithCustomError(
          contract,
          "InvalidInitialization",
        );
      }
    });

    it("is not initialised without a verifier", async () => {
      const { validatorsCode, manager } = await loadFixture(registries);
      const data = validatorsCode.interface.encodeFunctionData("initialize", [await manager.getAddress(), ZeroAddress]);
      await expect(ethers.deployContract("ERC1967Proxy", [validatorsCode, data])).to.be.revertedWithCustomError(
        validatorsCode,
        "ZeroAddress",
      );
    });

    it("names its peers", async () => {
      const world = await loadFixture(registries);
      expect(await world.validators.token()).to.equal(await world.token.getAddress());
      expect(await world.validators.operators()).to.equal(await world.operators.getAddress());
      expect(await world.validators.withdrawalVault()).to.equal(await world.vault.getAddress());
      expect((await world.validators.depositContract()).toLowerCase()).to.equal(DEPOSIT_CONTRACT);
      expect(await world.validators.genesisTime()).to.equal(world.genesisTime);
      expect(await world.validators.beaconProof()).to.equal(await world.beaconProof.getAddress());
      expect(await world.validators.tierCount()).to.equal(1);
    });

    it("needs a deposit contract that is there", async () => {
      const { token, vault, operators, keeper } = await loadFixture(registries);
      const code = await ethers.getContractFactory("ValidatorRegistry");
      await expect(code.deploy(token, vault, operators, keeper, 0n))
        .to.be.revertedWithCustomError(code, "NoDepositContract")
        .withArgs(keeper);
    });

    it("takes no plain ether", async () => {
      const { validators, alice } = await loadFixture(registries);
      await expect(alice.sendTransaction({ to: validators, value: 1n })).to.be.revert(ethers);
    });
  });

  describe("governance", () => {
    it("replaces the verifier, which decides from then on", async () => {
      const world = await loadFixture(registries);
      await predeposit(world, 1, [0]);
      const later = await ethers.deployContract("BeaconProof", [0, 10n ** 9n, 10n ** 10n, 10n ** 10n]);
      await expect(world.validators.setBeaconProof(later))
        .to.emit(world.validators, "BeaconProofChanged")
        .withArgs(await later.getAddress());
      const { proof } = await proofOf(world, pending(world, 0));
      await expect(
        world.validators.proveValidators(contractValidatorBatch([proof], "electra")),
      ).to.be.revertedWithCustomError(later, "SlotOutsideLayout");
    });

    it("does not accept no verifier", async () => {
      const { validators } = await loadFixture(registries);
      await expect(validators.setBeaconProof(ZeroAddress)).to.be.revertedWithCustomError(validators, "ZeroAddress");
    });

    it("is nobody else", async () => {
      const { validators, validatorsCode, beaconProof, alice } = await loadFixture(registries);
      await expect(validators.connect(alice).setBeaconProof(beaconProof))
        .to.be.revertedWithCustomError(validators, "AccessManagedUnauthorized")
        .withArgs(alice);
      await expect(validators.connect(alice).upgradeToAndCall(validatorsCode, "0x"))
        .to.be.revertedWithCustomError(validators, "AccessManagedUnauthorized")
        .withArgs(alice);
    });

    it("H, R: does not upgrade to code that names another peer, whichever it is", async () => {
      const world = await loadFixture(registries);
      const { validators, operators, token, vault, queue, genesisTime, credentials } = world;
      const elsewhere = await queue.getAddress();
      const asWord = (address: string) => zeroPadValue(address, 32).toLowerCase();
      const peers: [string, string, string, string, number] = [
        await token.getAddress(),
        await vault.getAddress(),
        await operators.getAddress(),
        DEPOSIT_CONTRACT,
        genesisTime,
      ];
      const other = asWord(elsewhere);
      for (const [peer, at, changed, named, current] of [
        ["token", 0, elsewhere, other, asWord(peers[0])],
        ["withdrawalCredentials", 1, elsewhere, withdrawalCredentials(elsewhere), credentials],
        ["operators", 2, elsewhere, other, asWord(peers[2])],
        ["depositContract", 3, elsewhere, other, asWord(DEPOSIT_CONTRACT)],
        ["genesisTime", 4, genesisTime + 12, toBeHex(genesisTime + 12, 32), toBeHex(genesisTime, 32)],
      ] as const) {
        const next = await ethers.deployContract("ValidatorRegistry", peers.with(at, changed));
        await expect(validators.upgradeToAndCall(next, "0x"))
          .to.be.revertedWithCustomError(validators, "PeerChanged")
          .withArgs(peer, named, current);
      }
      await validators.upgradeToAndCall(await ethers.deployContract("ValidatorRegistry", peers), "0x");
    });

    it("brings the code of exits with its own: an upgrade replaces both", async () => {
      const { validators, token, vault, operators, genesisTime } = await loadFixture(registries);
      const before = await validators.exits();
      const args = [token, vault, operators, DEPOSIT_CONTRACT, genesisTime];
      const next = await ethers.deployContract("ValidatorRegistry", args);
      await validators.upgradeToAndCall(next, "0x");
      expect(await validators.exits())
        .to.equal(await next.exits())
        .and.not.equal(before);
    });

    it("upgrades the code and keeps the records", async () => {
      const world = await loadFixture(threeQueued);
      const { validators, token, vault, operators, genesisTime } = world;
      const args = [token, vault, operators, DEPOSIT_CONTRACT, genesisTime];
      const next = await ethers.deployContract("ValidatorRegistry", args);
      await expect(validators.upgradeToAndCall(next, "0x"))
        .to.emit(validators, "Upgraded")
        .withArgs(await next.getAddress());
      expect(await statusOf(world, 2)).to.equal(Status.Queued);
      await fund(world, range(3));
      expect(await statusOf(world, 2)).to.equal(Status.Active);
    });

    it("sets tiers through the operator registry only", async () => {
      const { validators, admin } = await loadFixture(registries);
      await expect(validators.onTierSet(0, 1, 1))
        .to.be.revertedWithCustomError(validators, "OnlyOperators")
        .withArgs(admin);
    });

    it("changes a tier's shares without touching its queue", async () => {
      const world = await loadFixture(threeQueued);
      await world.operators.setTier(0, { ...CURATED, targetShareBp: 6_000, maxShareBp: 9_000 });
      const queue = fields(await world.validators.tierQueue(0));
      expect(queue).to.deep.include({ queued: 3n, tail: 3n, targetShareBp: 6_000n, maxShareBp: 9_000n });
      expect(await world.validators.tierCount()).to.equal(1);
    });
  });

  describe("predeposit", () => {
    it("deposits 1 ETH for each key with the protocol's credentials", async () => {
      const world = await loadFixture(registries);
      const before = await ethers.provider.getBalance(DEPOSIT_CONTRACT);
      const response = await predeposit(world, 1, [0, 1]);
      const { signatures } = predeposits(world, [0, 1]);
      const expected = [0, 1].map((i) => ({
        pubkey: key(i),
        credentials: world.credentials,
        gwei: BigInt(ETH_GWEI),
        signature: signatures[i],
      }));
      expect(await depositsOf(response)).to.deep.equal(expected);
      expect((await ethers.provider.getBalance(DEPOSIT_CONTRACT)) - before).to.equal(2n * ETH);
      expect(await ethers.provider.getBalance(world.validators)).to.equal(0n);
    });

    it("binds each key to its operator", async () => {
      const world = await loadFixture(registries);
      const response = await predeposit(world, 2, [5, 6]);
      await expect(response)
        .to.emit(world.validators, "Predeposited")
        .withArgs(2, [keyRoot(5), keyRoot(6)]);
      for (const i of [5, 6]) {
        expect(fields(await world.validators.validator(keyRoot(i)))).to.deep.equal({
          operatorId: 2n,
          tier: 0n,
          status: BigInt(Status.Predeposited),
          slashed: false,
          weightStopped: false,
          sequence: 0n,
          validatorIndex: 0n,
          fundedGwei: 0n,
          exitRequestedAt: 0n,
          settledEpoch: 0n,
        });
      }
    });

    it("takes 64 keys at once", async () => {
      const world = await loadFixture(registries);
      await predeposit(world, 1, range(64));
      expect(await statusOf(world, 63)).to.equal(Status.Predeposited);
    });

    it("is for the operator's owner", async () => {
      const world = await loadFixture(registries);
      const { pubkeys, signatures, roots } = predeposits(world, [0]);
      for (const [operatorId, caller] of [
        [1, world.bob],
        [3, world.bob],
        [0, world.bob],
        [2n ** 32n + 1n, world.alice],
      ] as const) {
        const call = world.validators
          .connect(caller)
          .predeposit(operatorId, pubkeys, signatures, roots, { value: ETH });
        await expect(call)
          .to.be.revertedWithCustomError(world.operators, "NotOperatorOwner")
          .withArgs(operatorId, caller);
      }
    });

    it("refuses no keys, lists of different lengths and another amount", async () => {
      const world = await loadFixture(registries);
      const { validators } = world;
      const { pubkeys, signatures, roots } = predeposits(world, [0, 1]);
      const alices = validators.connect(world.alice);
      const value = 2n * ETH;
      await expect(alices.predeposit(1, [], [], [])).to.be.revertedWithCustomError(validators, "NoKeys");
      const many = predeposits(world, range(65));
      await expect(alices.predeposit(1, many.pubkeys, many.signatures, many.roots, { value: 65n * ETH }))
        .to.be.revertedWithCustomError(validators, "TooManyKeys")
        .withArgs(65, 64);
      await expect(alices.predeposit(1, pubkeys, signatures.slice(1), roots, { value }))
        .to.be.revertedWithCustomError(validators, "LengthMismatch")
        .withArgs(2, 1);
      await expect(alices.predeposit(1, pubkeys, signatures, [...roots, ...roots], { value }))
        .to.be.revertedWithCustomError(validators, "LengthMismatch")
        .withArgs(2, 4);
      for (const wrong of [0n, ETH, 2n * ETH - 1n, 2n * ETH + 1n, 3n * ETH]) {
        await expect(alices.predeposit(1, pubkeys, signatures, roots, { value: wrong }))
          .to.be.revertedWithCustomError(validators, "WrongValue")
          .withArgs(wrong, 2n * ETH);
      }
    });

    it("refuses public keys and signatures of another length", async () => {
      const world = await loadFixture(registries);
      const { validators } = world;
      const { pubkeys, signatures, roots } = predeposits(world, [0]);
      const alices = validators.connect(world.alice);
      await expect(alices.predeposit(1, [`${pubkeys[0]}00`], signatures, roots, { value: ETH }))
        .to.be.revertedWithCustomError(validators, "BadPubkeyLength")
        .withArgs(49);
      await expect(alices.predeposit(1, pubkeys, [`0x${"5a".repeat(95)}`], roots, { value: ETH }))
        .to.be.revertedWithCustomError(validators, "BadSignatureLength")
        .withArgs(95);
    });

    it("refuses what the deposit contract refuses, and changes nothing", async () => {
      const world = await loadFixture(registries);
      const { pubkeys, signatures } = predeposits(world, [0]);
      const call = world.validators
        .connect(world.alice)
        .predeposit(1, pubkeys, signatures, [keyRoot(0)], { value: ETH });
      await expect(call).to.be.revertedWith(
        "DepositContract: reconstructed DepositData does not match supplied deposit_data_root",
      );
      expect(await statusOf(world, 0)).to.equal(Status.Unknown);
    });

    it("J: goes on without the keys that somebody else predeposited first, and returns their ether", async () => {
      const world = await loadFixture(registries);
      const { validators, alice } = world;
      // seen in the pool of transactions, one of Alice's keys is predeposited by Bob
      await predeposit(world, 2, [1]);
      const [before, deposited] = await Promise.all([
        ethers.provider.getBalance(alice),
        ethers.provider.getBalance(DEPOSIT_CONTRACT),
      ]);
      const response = await predeposit(world, 1, [0, 1, 2]);
      await expect(response)
        .to.emit(validators, "Predeposited")
        .withArgs(1, [keyRoot(0), keyRoot(2)]);
      expect((await depositsOf(response)).map((deposit) => deposit.pubkey)).to.deep.equal([key(0), key(2)]);
      expect((await ethers.provider.getBalance(DEPOSIT_CONTRACT)) - deposited).to.equal(2n * ETH);
      expect(await ethers.provider.getBalance(validators)).to.equal(0n);
      const receipt = (await response.wait()) as ContractTransactionReceipt;
      const fee = receipt.gasUsed * receipt.gasPrice;
      expect(before - (await ethers.provider.getBalance(alice))).to.equal(2n * ETH + fee);
      const bound = range(3).map(async (i) => (await validators.validator(keyRoot(i))).operatorId);
      expect(await Promise.all(bound)).to.deep.equal([1n, 2n, 1n]);
    });

    it("knows a key from its first appearance on, be it in the same call, and whatever became of it", async () => {
      const world = await loadFixture(registries);
      const { validators } = world;
      const twice = await predeposit(world, 1, [0, 0]);
      await expect(twice)
        .to.emit(validators, "Predeposited")
        .withArgs(1, [keyRoot(0)]);
      expect(await depositsOf(twice)).to.have.length(1);
      const refused = async (operatorId: number) => {
        await expect(predeposit(world, operatorId, [0]))
          .to.be.revertedWithCustomError(validators, "AllKeysKnown")
          .withArgs(1);
      };
      for (const operatorId of [1, 2]) await refused(operatorId);
      await prove(world, [0]);
      await refused(2);
      await fund(world, [0]);
      await refused(1);
    });

    it("does nothing where the ether that is left can't be returned", async () => {
      const world = await loadFixture(registries);
      const { validators, operators, bob } = world;
      const owner = await ethers.deployContract("RefusingOwner");
      await operators.addOperator(0, owner, bob, "No ether, please");
      await predeposit(world, 2, [1]);
      const execute = (indices: readonly number[]) => {
        const { pubkeys, signatures, roots } = predeposits(world, indices);
        const data = validators.interface.encodeFunctionData("predeposit", [3, pubkeys, signatures, roots]);
        return owner.execute(validators, data, { value: ETH * BigInt(indices.length) });
      };
      await expect(execute([0, 1]))
        .to.be.revertedWithCustomError(validators, "RefundFailed")
        .withArgs(owner, ETH);
      expect(await statusOf(world, 0)).to.equal(Status.Unknown);
      await execute([0]);
      expect(await statusOf(world, 0)).to.equal(Status.Predeposited);
    });

    it("is for the operator's manager too, who gets what is returned", async () => {
      const world = await loadFixture(registries);
      const { validators, operators, alice, keeper } = world;
      await operators.connect(alice).setManager(1, keeper);
      await predeposit(world, 2, [1]);
      const { pubkeys, signatures, roots } = predeposits(world, [0, 1]);
      const call = validators.connect(keeper).predeposit(1, pubkeys, signatures, roots, { value: 2n * ETH });
      await expect(call).to.changeEtherBalances(ethers, [keeper, alice], [-ETH, 0n]);
    });
  });

  describe("proveValidators", () => {
    it("puts keys into their tier's queue in the order of the proofs", async () => {
      const world = await loadFixture(registries);
      const { validators } = world;
      await predeposit(world, 1, [0, 1]);
      await predeposit(world, 2, [2]);
      const response = await prove(world, [1, 2, 0]);
      for (const [sequence, i] of [1, 2, 0].entries()) {
        const operatorId = i === 2 ? 2 : 1;
        await expect(response).to.emit(validators, "Proven").withArgs(operatorId, keyRoot(i), 0, sequence, sequence);
        expect(fields(await validators.validator(keyRoot(i)))).to.deep.include({
          operatorId: BigInt(operatorId),
          status: BigInt(Status.Queued),
          sequence: BigInt(sequence),
          validatorIndex: BigInt(sequence),
          fundedGwei: 0n,
        });
      }
      expect(fields(await validators.tierQueue(0))).to.deep.include({ tail: 3n, queued: 3n, fundHead: 0n, funded: 0n });
      expect((await world.operators.operator(1)).queued).to.equal(2);
      expect((await world.operators.operator(2)).queued).to.equal(1);
      expect([...(await validators.nextToFund())]).to.deep.equal([0n, 0n]);
    });

    it("takes more effective balance than 1 ETH: anyone may have deposited to the key", async () => {
      const world = await loadFixture(registries);
      await predeposit(world, 1, [0]);
      const { proof } = await proofOf(world, pending(world, 0, { effectiveBalance: 3 * ETH_GWEI }));
      await world.validators.connect(world.keeper).proveValidators(contractValidatorBatch([proof], "electra"));
      expect(await statusOf(world, 0)).to.equal(Status.Queued);
    });

    it("refuses credentials that are not exactly the protocol's", async () => {
      const world = await loadFixture(registries);
      await predeposit(world, 1, [0]);
      const { credentials } = world;
      for (const foreign of [
        `0x00${credentials.slice(4)}`,
        `0x02${credentials.slice(4)}`,
        `0x01${"00".repeat(10)}01${credentials.slice(26)}`,
        zeroPadValue(world.alice.address, 32).replace("0x00", "0x01"),
      ] as `0x${string}`[]) {
        const { proof } = await proofOf(world, pending(world, 0, { withdrawalCredentials: foreign }));
        await expect(world.validators.proveValidators(contractValidatorBatch([proof], "electra")))
          .to.be.revertedWithCustomError(world.validators, "WrongCredentials")
          .withArgs(foreign.toLowerCase(), credentials);
      }
    });

    it("refuses a validator that is slashed, too small, or on its way to activation", async () => {
      const world = await loadFixture(registries);
      const { validators } = world;
      await predeposit(world, 1, [0]);
      const slashed = await proofOf(world, pending(world, 0, { slashed: true }));
      await expect(validators.proveValidators(contractValidatorBatch([slashed.proof], "electra")))
        .to.be.revertedWithCustomError(validators, "ValidatorSlashed")
        .withArgs(keyRoot(0));
      const small = await proofOf(world, pending(world, 0, { effectiveBalance: ETH_GWEI - 1 }));
      await expect(validators.proveValidators(contractValidatorBatch([small.proof], "electra")))
        .to.be.revertedWithCustomError(validators, "EffectiveBalanceTooSmall")
        .withArgs(ETH_GWEI - 1);
      const eligible = await proofOf(world, pending(world, 0, { activationEligibilityEpoch: 77 }));
      await expect(validators.proveValidators(contractValidatorBatch([eligible.proof], "electra")))
        .to.be.revertedWithCustomError(validators, "AlreadyEligible")
        .withArgs(77);
    });

    it("I: goes on without the keys that somebody else proved first", async () => {
      const world = await loadFixture(registries);
      const { validators } = world;
      await predeposit(world, 1, range(3));
      const fixture = await state(
        world,
        range(3).map((index) => pending(world, index)),
      );
      await validators.connect(world.bob).proveValidators(validatorBatch(fixture, [1]));
      const response = await validators.proveValidators(validatorBatch(fixture, range(3)));
      for (const [sequence, index] of [
        [1, 0],
        [2, 2],
      ] as const)
        await expect(response).to.emit(validators, "Proven").withArgs(1, keyRoot(index), 0, sequence, index);
      expect(fields(await validators.tierQueue(0))).to.deep.include({ tail: 3n, queued: 3n });
      expect((await world.operators.operator(1)).queued).to.equal(3);
    });

    it("refuses keys that nobody predeposited, and a batch of which nothing is left", async () => {
      const world = await loadFixture(registries);
      const { validators } = world;
      const { proof } = await proofOf(world, pending(world, 0));
      const batch = (count: number) => contractValidatorBatch(Array(count).fill(proof), "electra");
      await expect(validators.proveValidators(batch(1)))
        .to.be.revertedWithCustomError(validators, "WrongStatus")
        .withArgs(keyRoot(0), Status.Unknown);
      await predeposit(world, 1, [0]);
      await validators.proveValidators(batch(2));
      expect(fields(await validators.tierQueue(0))).to.deep.include({ tail: 1n, queued: 1n });
      const refused = async (count: number) => {
        await expect(validators.proveValidators(batch(count)))
          .to.be.revertedWithCustomError(validators, "AllKeysKnown")
          .withArgs(count);
      };
      await refused(1);
      await fund(world, [0]);
      await refused(2);
      await expect(validators.proveValidators({ ...batch(1), validators: [] })).to.be.revertedWithCustomError(
        validators,
        "NoKeys",
      );
    });

    it("takes 64 keys and no more", async () => {
      const world = await loadFixture(registries);
      const { validators } = world;
      await predeposit(world, 1, range(64));
      const fixture = await state(
        world,
        range(65).map((index) => pending(world, index)),
      );
      await expect(validators.proveValidators(validatorBatch(fixture, range(65))))
        .to.be.revertedWithCustomError(validators, "TooManyKeys")
        .withArgs(65, 64);
      await validators.proveValidators(validatorBatch(fixture, range(64)));
      expect(fields(await validators.tierQueue(0))).to.deep.include({ tail: 64n, queued: 64n });
    });

    it("refuses the proof of another validator in the same state", async () => {
      const world = await loadFixture(registries);
      await predeposit(world, 1, [0]);
      const foreign = pending(world, 1, { withdrawalCredentials: `0x01${"00".repeat(11)}${"99".repeat(20)}` });
      const both = await state(world, [pending(world, 0), foreign]);
      const stolen = { ...validatorProof(both, 1), validator: validatorProof(both, 0).validator };
      await expect(
        world.validators.proveValidators(contractValidatorBatch([stolen], "electra")),
      ).to.be.revertedWithCustomError(world.beaconProof, "ProofInvalid");
    });

    it("refuses a key whose operator has too little at stake", async () => {
      const world = await loadFixture(registries);
      await world.operators.setTier(0, { ...CURATED, bondFirst: 3n * ETH, bondNext: 2n * ETH });
      await predeposit(world, 1, [0, 1]);
      const both = await state(world, [pending(world, 0), pending(world, 1)]);
      const [first, second] = [validatorProof(both, 0), validatorProof(both, 1)];
      await expect(world.validators.proveValidators(contractValidatorBatch([first], "electra")))
        .to.be.revertedWithCustomError(world.operators, "BondTooSmall")
        .withArgs(1, ETH, (294n * ETH) / 100n);
      await world.operators.addBond(1, { value: 2n * ETH });
      await world.validators.proveValidators(contractValidatorBatch([first], "electra"));
      await expect(world.validators.proveValidators(contractValidatorBatch([second], "electra")))
        .to.be.revertedWithCustomError(world.operators, "BondTooSmall")
        .withArgs(1, 4n * ETH, (49n * ETH) / 10n);
      expect((await world.operators.operator(1)).queued).to.equal(1);
    });
  });

  describe("fundValidators", () => {
    it("tops each key up with 31 ETH, unsigned, from the pool", async () => {
      const world = await loadFixture(threeQueued);
      const before = await ethers.provider.getBalance(DEPOSIT_CONTRACT);
      const response = await fund(world, range(3));
      const expected = range(3).map((i) => ({
        pubkey: key(i),
        credentials: world.credentials,
        gwei: 31n * BigInt(ETH_GWEI),
        signature: ZERO_SIGNATURE,
      }));
      expect(await depositsOf(response)).to.deep.equal(expected);
      expect((await ethers.provider.getBalance(DEPOSIT_CONTRACT)) - before).to.equal(93n * ETH);
      expect(await ethers.provider.getBalance(world.validators)).to.equal(0n);
      await expect(response).to.emit(world.validators, "Funded").withArgs(0, 0, 3);
    });

    it("activates the records and moves the queue", async () => {
      const world = await loadFixture(threeQueued);
      await fund(world, range(2));
      for (const i of range(2)) {
        expect(fields(await world.validators.validator(keyRoot(i)))).to.deep.include({
          status: BigInt(Status.Active),
          fundedGwei: 32n * BigInt(ETH_GWEI),
          weightStopped: false,
          exitRequestedAt: 0n,
        });
      }
      expect(await statusOf(world, 2)).to.equal(Status.Queued);
      expect(fields(await world.validators.tierQueue(0))).to.deep.include({
        fundHead: 2n,
        tail: 3n,
        exitHead: 0n,
        queued: 1n,
        funded: 2n,
        leaving: 0n,
      });
      expect([...(await world.validators.nextToFund())]).to.deep.equal([0n, 2n]);
    });

    it("credits each operator's 1 ETH a key as bond, and starts its weight", async () => {
      const world = await loadFixture(registries);
      const { operators, token } = world;
      await predeposit(world, 1, [0, 1, 3]);
      await predeposit(world, 2, [2, 4]);
      await prove(world, range(5));
      const response = await fund(world, range(5));
      // runs: 1 1 | 2 | 1 | 2
      for (const [operatorId, keys] of [
        [1, 2n],
        [2, 1n],
        [1, 1n],
        [2, 1n],
      ] as const) {
        await expect(response)
          .to.emit(operators, "BondAdded")
          .withArgs(operatorId, keys * ETH * 10n ** 9n);
      }
      expect(fields(await operators.operator(1))).to.deep.include({
        bondShares: 3n * ETH * 10n ** 9n,
        queued: 0n,
        active: 3n,
        weighted: 3n,
      });
      expect(fields(await operators.operator(2))).to.deep.include({ bondShares: 2n * ETH * 10n ** 9n, active: 2n });
      expect(await token.sharesOf(operators)).to.equal(5n * ETH * 10n ** 9n);
    });

    it("records every share it got: what does not divide goes to the first operator", async () => {
      const world = await loadFixture(registries);
      await changeRate(world, 1n, 12_345n);
      await predeposit(world, 1, [0]);
      await predeposit(world, 2, [1, 2]);
      await prove(world, range(3));
      await fund(world, range(3));
      const held = await world.token.sharesOf(world.operators);
      const first = (await world.operators.operator(1)).bondShares;
      const second = (await world.operators.operator(2)).bondShares;
      expect(first + second).to.equal(held);
      expect(held % 3n, "the case is the one meant").to.not.equal(0n);
      expect(first).to.equal(held / 3n + (held % 3n));
      expect(second).to.equal((held / 3n) * 2n);
    });

    it("funds as many as the pool has ether for", async () => {
      const world = await loadFixture(threeQueued);
      const value = 62n * ETH + 30n * ETH;
      await world.pool.setDepositable(value, { value });
      expect(await world.validators.fundValidators.staticCall(range(3).map(key))).to.equal(2);
      await world.validators.fundValidators(range(3).map(key));
      expect(await statusOf(world, 1)).to.equal(Status.Active);
      expect(await statusOf(world, 2)).to.equal(Status.Queued);
      expect(await world.pool.depositable()).to.equal(30n * ETH);
    });

    it("skips keys that somebody else funded first", async () => {
      const world = await loadFixture(threeQueued);
      await fund(world, [0]);
      await allow(world, 3);
      const response = await world.validators.fundValidators(range(3).map(key));
      expect((await depositsOf(response)).map((deposit) => deposit.pubkey)).to.deep.equal([key(1), key(2)]);
      expect(await world.pool.depositable()).to.equal(31n * ETH);
    });

    it("skips keys that were dropped in the meantime", async () => {
      const world = await loadFixture(inDoubt);
      await world.validators.dropQueued([keyRoot(1)]);
      await world.operators.addBond(1, { value: ETH });
      const response = await fund(world, range(3));
      expect((await depositsOf(response)).map((deposit) => deposit.pubkey)).to.deep.equal([key(0), key(2)]);
      expect(fields(await world.validators.tierQueue(0))).to.deep.include({ fundHead: 5n, queued: 0n, funded: 4n });
    });

    it("skips keys wherever they are in the list, and funds the rest in one deposit each", async () => {
      const world = await loadFixture(inDoubt);
      await world.validators.dropQueued([keyRoot(1)]);
      await world.operators.addBond(1, { value: ETH });
      await fund(world, [0]);
      await allow(world, 2);
      const list = [key(8), key(0), key(1), key(2), key(1), key(2)];
      expect(await world.validators.fundValidators.staticCall(list)).to.equal(1);
      const response = await world.validators.fundValidators(list);
      expect((await depositsOf(response)).map((deposit) => deposit.pubkey)).to.deep.equal([key(2)]);
      await expect(response).to.emit(world.validators, "Funded").withArgs(0, 4, 5);
    });

    it("refuses to fund nothing", async () => {
      const world = await loadFixture(threeQueued);
      const { validators } = world;
      await expect(validators.fundValidators(range(3).map(key))).to.be.revertedWithCustomError(
        validators,
        "NothingToFund",
      );
      await world.pool.setDepositable(31n * ETH - 1n);
      await expect(validators.fundValidators(range(3).map(key))).to.be.revertedWithCustomError(
        validators,
        "NothingToFund",
      );
      await allow(world, 3);
      await expect(validators.fundValidators([])).to.be.revertedWithCustomError(validators, "NothingToFund");
      await validators.fundValidators(range(3).map(key));
      await allow(world, 3);
      await expect(validators.fundValidators(range(3).map(key))).to.be.revertedWithCustomError(
        validators,
        "NothingToFund",
      );
      await expect(validators.nextToFund()).to.be.revertedWithCustomError(validators, "NothingToFund");
    });

    it("refuses keys out of order, and says whose turn it is", async () => {
      const world = await loadFixture(threeQueued);
      const { validators } = world;
      await allow(world, 3);
      await expect(validators.fundValidators([key(1)]))
        .to.be.revertedWithCustomError(validators, "NotNext")
        .withArgs(keyRoot(1), 0, 1, 0, 0);
      await expect(validators.fundValidators([key(0), key(2)]))
        .to.be.revertedWithCustomError(validators, "NotNext")
        .withArgs(keyRoot(2), 0, 2, 0, 1);
    });

    it("funds a key once, even when it is passed twice", async () => {
      const world = await loadFixture(threeQueued);
      await allow(world, 3);
      const response = await world.validators.fundValidators([key(0), key(0), key(1)]);
      expect((await depositsOf(response)).map((deposit) => deposit.pubkey)).to.deep.equal([key(0), key(1)]);
    });

    it("refuses keys that were not proven", async () => {
      const world = await loadFixture(threeQueued);
      const { validators } = world;
      await predeposit(world, 1, [3]);
      await allow(world, 5);
      for (const [index, status] of [
        [3, Status.Predeposited],
        [9, Status.Unknown],
      ] as const) {
        await expect(validators.fundValidators([key(index)]))
          .to.be.revertedWithCustomError(validators, "WrongStatus")
          .withArgs(keyRoot(index), status);
      }
      await expect(validators.fundValidators([`${key(0)}00`]))
        .to.be.revertedWithCustomError(validators, "BadPubkeyLength")
        .withArgs(49);
    });

    it("takes the tier furthest below its target, key by key", async () => {
      const world = await loadFixture(twoTiers);
      await queued(world, 1, range(7));
      await queued(world, 3, range(3, 7));
      expect([...(await world.validators.nextToFund())]).to.deep.equal([0n, 0n]);
      const order = [0, 7, 1, 2, 3, 8, 4, 5, 9, 6];
      const response = await fund(world, order);
      expect((await depositsOf(response)).map((deposit) => deposit.pubkey)).to.deep.equal(order.map(key));
      await expect(response).to.emit(world.validators, "Funded").withArgs(0, 0, 7);
      await expect(response).to.emit(world.validators, "Funded").withArgs(1, 0, 3);
    });

    it("refuses a tier whose turn it is not", async () => {
      const world = await loadFixture(twoTiers);
      await queued(world, 1, [0]);
      await queued(world, 3, [1]);
      await allow(world, 2);
      await expect(world.validators.fundValidators([key(1)]))
        .to.be.revertedWithCustomError(world.validators, "NotNext")
        .withArgs(keyRoot(1), 1, 0, 0, 0);
    });

    it("stops where every tier with queued keys is at its maximum", async () => {
      const world = await loadFixture(twoTiers);
      await queued(world, 1, [0]);
      await queued(world, 3, [1, 2, 3]);
      await allow(world, 4);
      // the second of three is the last that starts below 40% of all, itself included
      const keys = range(4).map(key);
      expect(await world.validators.fundValidators.staticCall(keys)).to.equal(3);
      await world.validators.fundValidators(keys);
      await expect(world.validators.fundValidators([key(3)])).to.be.revertedWithCustomError(
        world.validators,
        "NothingToFund",
      );
    });

    it("leaves the protocol's own key out of a foreign deposit: a donation to it changes nothing", async () => {
      const world = await loadFixture(threeQueued);
      await networkHelpers.setBalance(await world.validators.getAddress(), 5n * ETH);
      await fund(world, range(3));
      expect(await ethers.provider.getBalance(world.validators)).to.equal(5n * ETH);
    });
  });

  describe("dropQueued and requeue", () => {
    it("drops a key whose operator's bond became too small by a penalty, and funds the next", async () => {
      const world = await loadFixture(inDoubt);
      const { validators, operators } = world;
      await queued(world, 2, [5]);
      await expect(validators.connect(world.keeper).dropQueued([keyRoot(0)]))
        .to.emit(validators, "Dropped")
        .withArgs(1, keyRoot(0));
      expect(await statusOf(world, 0)).to.equal(Status.Dropped);
      expect((await operators.operator(1)).queued).to.equal(2);
      expect(fields(await validators.tierQueue(0))).to.deep.include({ fundHead: 2n, tail: 6n, queued: 3n });
      expect([...(await validators.nextToFund())]).to.deep.equal([0n, 3n]);
      await operators.addBond(1, { value: ETH });
      await fund(world, [1, 2, 5]);
      expect(await statusOf(world, 5)).to.equal(Status.Active);
    });

    it("drops nothing while the bond suffices, be the operator in doubt or not", async () => {
      const world = await loadFixture(inDoubt);
      const { validators, operators } = world;
      await queued(world, 2, [5]);
      await expect(validators.dropQueued([keyRoot(5)]))
        .to.be.revertedWithCustomError(operators, "NotInDoubt")
        .withArgs(2);
      await operators.addBond(1, { value: ETH });
      await expect(validators.dropQueued([keyRoot(0)]))
        .to.be.revertedWithCustomError(operators, "BondSuffices")
        .withArgs(1, 4n * ETH, 4n * ETH);
    });

    it("C: drops nothing where a tier's bond was raised: keys are funded under the terms of their proof", async () => {
      const world = await loadFixture(threeQueued);
      const { validators, operators } = world;
      await operators.setTier(0, { ...CURATED, bondFirst: 50n * ETH, bondNext: 50n * ETH });
      await expect(validators.dropQueued(range(3).map(keyRoot)))
        .to.be.revertedWithCustomError(operators, "NotInDoubt")
        .withArgs(1);
      await fund(world, range(3));
      expect(await statusOf(world, 2)).to.equal(Status.Active);
    });

    it("C2: drops nothing after a fall of the rate alone", async () => {
      const world = await loadFixture(registries);
      const { validators, operators } = world;
      const dear = { ...CURATED, bondFirst: 10n * ETH, bondNext: ETH, targetShareBp: 0 };
      await operators.addTier(dear);
      await operators.addOperator(1, world.carol, world.carol, "Carol");
      await operators.addBond(3, { value: 9n * ETH });
      await queued(world, 3, [0]);
      await changeRate(world, -1n, 10n);
      const { bond, required } = await operators.bondOf(3);
      expect(bond).to.be.lessThan((required * 98n) / 100n);
      await expect(validators.dropQueued([keyRoot(0)]))
        .to.be.revertedWithCustomError(operators, "NotInDoubt")
        .withArgs(3);
      await fund(world, [0]);
    });

    it("N: drops all keys of a frozen operator in one call, whoever dropped some of them before", async () => {
      const world = await loadFixture(registries);
      const { validators, operators } = world;
      await funded(world, 1, [9]);
      await queued(world, 1, range(5));
      await queued(world, 2, [6]);
      await proveSlashed(world, 9);
      await validators.connect(world.bob).dropQueued([keyRoot(2)]);
      const response = await validators.dropQueued([keyRoot(9), ...range(5).map(keyRoot), keyRoot(0), keyRoot(99)]);
      const dropped = await validators.queryFilter(validators.filters.Dropped(), response.blockNumber ?? 0);
      expect(dropped.map(({ args }) => args.keyRoot)).to.deep.equal([0, 1, 3, 4].map(keyRoot));
      expect((await operators.operator(1)).queued).to.equal(0);
      await fund(world, [6]);
      expect(await statusOf(world, 6)).to.equal(Status.Active);
    });

    it("drops none of them where one must stay", async () => {
      const world = await loadFixture(inDoubt);
      await queued(world, 2, [5]);
      await expect(world.validators.dropQueued([keyRoot(0), keyRoot(5)]))
        .to.be.revertedWithCustomError(world.operators, "NotInDoubt")
        .withArgs(2);
      expect(await statusOf(world, 0)).to.equal(Status.Queued);
    });

    it("drops only queued keys, and puts back only dropped ones", async () => {
      const world = await loadFixture(registries);
      const { validators, alice } = world;
      await predeposit(world, 1, [1]);
      await funded(world, 1, [0]);
      for (const [index, status] of [
        [0, Status.Active],
        [1, Status.Predeposited],
        [2, Status.Unknown],
      ] as const) {
        await expect(validators.dropQueued([keyRoot(index)]))
          .to.be.revertedWithCustomError(validators, "NoneQueued")
          .withArgs(1);
        await expect(validators.connect(alice).requeue([keyRoot(index)]))
          .to.be.revertedWithCustomError(validators, "WrongStatus")
          .withArgs(keyRoot(index), status);
      }
      await expect(validators.dropQueued([])).to.be.revertedWithCustomError(validators, "NoneQueued").withArgs(0);
      await expect(validators.requeue([])).to.be.revertedWithCustomError(validators, "NoKeys");
    });

    it("puts dropped keys back at the end, once the bond suffices", async () => {
      const world = await loadFixture(inDoubt);
      const { validators, operators, alice } = world;
      await validators.dropQueued([keyRoot(0), keyRoot(1)]);
      const requeue = (...indices: number[]) => validators.connect(alice).requeue(indices.map(keyRoot));
      await expect(requeue(0))
        .to.be.revertedWithCustomError(operators, "BondTooSmall")
        .withArgs(1, 2n * ETH, (3n * ETH * 98n) / 100n);
      await operators.addBond(1, { value: ETH });
      await expect(requeue(0, 2, 1))
        .to.be.revertedWithCustomError(validators, "WrongStatus")
        .withArgs(keyRoot(2), Status.Queued);
      const response = await requeue(1, 0);
      await expect(response).to.emit(validators, "Proven").withArgs(1, keyRoot(1), 0, 5, 1);
      await expect(response).to.emit(validators, "Proven").withArgs(1, keyRoot(0), 0, 6, 0);
      const order = await fund(world, [2, 1, 0]);
      expect((await depositsOf(order)).map((deposit) => deposit.pubkey)).to.deep.equal([key(2), key(1), key(0)]);
      expect(fields(await validators.tierQueue(0))).to.deep.include({ fundHead: 7n, tail: 7n, queued: 0n, funded: 5n });
    });

    it("Q: puts a key back for its operator's owner or manager alone: it binds their free bond", async () => {
      const world = await loadFixture(inDoubt);
      const { validators, operators, alice, bob, keeper } = world;
      await validators.dropQueued([keyRoot(0), keyRoot(1)]);
      await operators.addBond(1, { value: 5n * ETH });
      const free = await operators.freeBond(1);
      for (const stranger of [bob, keeper])
        await expect(validators.connect(stranger).requeue([keyRoot(0)]))
          .to.be.revertedWithCustomError(operators, "NotOperatorOwner")
          .withArgs(1, stranger);
      expect(await operators.freeBond(1)).to.equal(free);
      await operators.connect(alice).setManager(1, keeper);
      await validators.connect(keeper).requeue([keyRoot(0)]);
      await validators.connect(alice).requeue([keyRoot(1)]);
    });
  });

  it("reports a record of zeros for a key it does not know", async () => {
    const { validators } = await loadFixture(registries);
    const record = Object.values(fields(await validators.validator(hexlify(new Uint8Array(32)))));
    expect(record.every((value) => value === 0n || value === false)).to.equal(true);
  });
});
