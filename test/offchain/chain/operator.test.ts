import { expect } from "chai";
import {
  fundingTime,
  readOperator,
  readOperatorNames,
  readOperatorValidators,
  readOperatorsOf,
} from "../../../offchain/chain/read/operator.ts";
import { contractBalanceProof, contractValidatorProof } from "../../../offchain/beacon/contractProofs.ts";
import { ValidatorReader, keyRootOf } from "../../../offchain/chain/validatorReader.ts";
import { wei } from "../../../offchain/protocol/units.ts";
import { predeposit, prove, startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { connection, ethers, loadFixture } from "../../helpers/network.ts";
import { ETH, failure, sdkOf } from "./harness.ts";

/** Operator 1 (curated): keys 0-2, of which 0 is funded. Operator 2 (Bob, community): keys 3-5, one only predeposited. 80 ETH staked. */
async function operating() {
  const p = await startLocalProtocol(connection);
  const { operators, validators, alice, bob } = p;
  await p.pool.connect(alice).deposit(alice, alice, { value: 80n * ETH });
  await operators.connect(bob).join(1, bob, "Bob");
  await operators.connect(bob).addBond(2, { value: 4n * ETH });
  await operators.connect(bob).rename(2, "Bob & Daughters");
  await operators.connect(bob).setManager(2, p.carol);
  const one = await predeposit(p, 3, 0);
  const two = await predeposit(p, 2, 3, bob, 2n);
  await prove(p, [...one, ...two]);
  await predeposit(p, 1, 5, bob, 2n);
  const [tier] = await validators.nextToFund();
  await validators.connect(p.keeper).fundValidators([(tier === 0n ? one : two)[0]?.pubkey ?? "0x"]);
  return { p, one, two };
}

describe("what an operator sees", () => {
  it("is its bond, rewards and validators as the contracts have them", async () => {
    const { p } = await loadFixture(operating);
    const sdk = await sdkOf(p);
    const bob = await readOperator(sdk, 2n);
    const [held, required] = await p.operators.bondOf(2n);
    expect(bob).to.include({ owner: p.bob.address, manager: p.carol.address, pendingOwner: undefined, tier: 1 });
    expect(bob).to.include({ frozen: false, debt: 0n, fine: undefined });
    expect(bob.bond).to.include({ held, required, free: await p.operators.freeBond(2n) });
    expect(bob.validators).to.deep.equal({ queued: 2, active: 0, weighted: 0 });
    expect(bob.feeBp).to.equal(600n);
    await p.operators.connect(p.guardian).lockFine(2n, ETH, `0x${"11".repeat(32)}`);
    const fined = await readOperator(sdk, 2n);
    expect(fined.fine?.value).to.be.greaterThan(ETH - 10n);
    expect(fined.bond.held).to.be.lessThan(bob.bond.held);
    expect((await failure(readOperator(sdk, 9n))).message).to.equal("there is no operator 9");
  });

  it("is how many more keys its bond carries: that many can be proven, and not one more", async () => {
    const { p } = await loadFixture(operating);
    const sdk = await sdkOf(p);
    const { moreKeys } = (await readOperator(sdk, 2n)).bond;
    expect(moreKeys).to.be.greaterThan(1).and.lessThan(64);
    const keys = await predeposit(p, moreKeys, 10, p.bob, 2n);
    await prove(p, keys);
    expect((await readOperator(sdk, 2n)).bond.moreKeys).to.equal(0);
    const another = await predeposit(p, 1, 40, p.bob, 2n);
    expect((await failure(prove(p, another))).message).to.contain("BondTooSmall");
    // a curated key brings all the bond that it needs
    expect((await readOperator(sdk, 1n)).bond.moreKeys).to.equal(64);
  });

  it("is found by its owner and its manager, under its present name", async () => {
    const { p } = await loadFixture(operating);
    const sdk = await sdkOf(p);
    expect(await readOperatorsOf(sdk, p.bob.address)).to.deep.equal([2n]);
    expect(await readOperatorsOf(sdk, p.carol.address)).to.deep.equal([2n]);
    expect(await readOperatorsOf(sdk, p.alice.address)).to.deep.equal([]);
    await p.operators.connect(p.bob).proposeOwner(2, p.alice);
    await p.operators.connect(p.alice).acceptOwnership(2);
    await p.operators.connect(p.alice).setManager(2, p.guardian);
    expect(await readOperatorsOf(sdk, p.bob.address)).to.deep.equal([]);
    expect(await readOperatorsOf(sdk, p.alice.address)).to.deep.equal([2n]);
    expect(await readOperatorsOf(sdk, p.carol.address)).to.deep.equal([]);
    expect(await readOperatorNames(sdk, [1n, 2n])).to.deep.equal(
      new Map([
        [1n, "Operator One"],
        [2n, "Bob & Daughters"],
      ]),
    );
  });

  it("is its validators by status, in pages", async () => {
    const { p, two } = await loadFixture(operating);
    const sdk = await sdkOf(p);
    const reader = new ValidatorReader(p.validators, ethers.provider, 0);
    const all = await readOperatorValidators(sdk, reader, 2n);
    expect(all.items.map(({ status }) => status)).to.deep.equal(["queued", "queued", "predeposited"]);
    const queued = await readOperatorValidators(sdk, reader, 2n, { status: "queued", offset: 1, limit: 5 });
    expect(queued.total).to.equal(2);
    expect(queued.items.map(({ pubkey }) => pubkey)).to.deep.equal([two[1]?.pubkey]);
    expect((await readOperatorValidators(sdk, reader, 1n, { status: "active" })).total).to.equal(1);
    expect(await readOperatorValidators(sdk, reader, 2n, { status: "withdrawn" })).to.deep.equal({
      items: [],
      total: 0,
    });
  });

  it("is the place of each queued key: the chain funds in that order", async () => {
    const { p, one, two } = await loadFixture(operating);
    const sdk = await sdkOf(p);
    const reader = new ValidatorReader(p.validators, ethers.provider, 0);
    const placed = [
      ...(await readOperatorValidators(sdk, reader, 1n, { status: "queued" })).items,
      ...(await readOperatorValidators(sdk, reader, 2n, { status: "queued" })).items,
    ].sort((a, b) => (a.funding?.position ?? 0) - (b.funding?.position ?? 0));
    expect(placed.map(({ funding }) => funding?.position)).to.deep.equal([0, 1, 2, 3]);
    // 80 - 31 ETH are left: one now, the next when more came in
    const now = BigInt((await ethers.provider.getBlock("latest"))?.timestamp ?? 0);
    expect(placed[0]?.funding?.expected).to.equal(now);
    expect(placed[1]?.funding?.expected).to.be.greaterThan(now);
    expect(placed[2]?.funding?.expected).to.be.greaterThan(placed[1]?.funding?.expected ?? 0n);
    await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 200n * ETH });
    for (const { pubkey } of placed) await p.validators.connect(p.keeper).fundValidators([pubkey]);
    for (const { pubkey } of [...one, ...two])
      expect((await p.validators.validator(keyRootOf(pubkey))).status).to.equal(3n);
  });

  it("is whether its validators are made to exit, why and from when on, and when one was asked", async () => {
    const { p, one } = await loadFixture(operating);
    const sdk = await sdkOf(p);
    const { beacon, validators, keeper, withdrawalVault } = p;
    const reader = new ValidatorReader(validators, ethers.provider, 0);
    const [key] = one;
    const pubkey = key?.pubkey ?? "0x";
    const proof = () => contractValidatorProof(beacon.proveValidator(pubkey));
    const read = async () => (await readOperator(sdk, 1n)).ejection;
    expect(await read()).to.equal(undefined);
    await beacon.advanceUntil((state) => (state.validator(pubkey)?.activationEpoch ?? Infinity) + 256 <= beacon.epoch);
    beacon.penalise(pubkey, 2n * 10n ** 9n);
    await beacon.advanceSlots(2);
    const balance = contractBalanceProof(beacon.proveBalance(pubkey));
    const value = await withdrawalVault.exitFee();
    await validators.connect(keeper).ejectBelow(pubkey, proof(), balance, { value });
    const asked = (await ethers.provider.getBlock("latest"))?.timestamp ?? 0;
    const [item] = (await readOperatorValidators(sdk, reader, 1n, { limit: 1 })).items;
    expect(item).to.include({ status: "active", exitRequested: true, exitRequestedAt: BigInt(asked) });

    beacon.slash(pubkey);
    await beacon.advanceSlots(2);
    await validators.connect(keeper).proveSlashed(proof());
    const frozenAt = BigInt((await ethers.provider.getBlock("latest"))?.timestamp ?? 0);
    expect(await read()).to.deep.equal({ cause: "frozen", from: frozenAt + 7n * 86_400n });
    expect(await p.operators.exitCause(1n)).to.deep.equal([true, false]);
    await p.operators.connect(p.governor).unfreeze(1n);
    expect(await read()).to.equal(undefined);

    const end = beacon.stateAt().validator(pubkey)?.withdrawableEpoch ?? 0;
    beacon.penalise(pubkey, 25n * 10n ** 9n);
    await beacon.advanceTo(end * 32 - 1);
    await beacon.advanceSlots(1);
    await validators
      .connect(keeper)
      .proveWithdrawn(
        contractValidatorProof(beacon.proveValidator(pubkey, end * 32 - 1)),
        contractBalanceProof(beacon.proveBalance(pubkey, end * 32 - 1)),
      );
    const { debt, ejection, block } = await readOperator(sdk, 1n);
    expect(debt).to.be.greaterThan(0n);
    expect(ejection).to.deep.equal({ cause: "debt", from: block.timestamp });
    expect(await p.operators.exitCause(1n)).to.deep.equal([true, true]);
  });

  it("has no time where nothing comes in", () => {
    expect(fundingTime(0, wei(31n * ETH), wei(0n), 5n)).to.equal(5n);
    expect(fundingTime(1, wei(31n * ETH), wei(0n), 5n)).to.equal(undefined);
    expect(fundingTime(1, wei(31n * ETH), wei(ETH), 5n)).to.equal(36n);
    expect(fundingTime(1, wei(31n * ETH - 1n), wei(ETH), 5n)).to.equal(37n);
  });
});
