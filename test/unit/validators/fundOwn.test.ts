/** An operator funds a key of its own out of turn: with the real pool, so that the books are checked too. */
import { expect } from "chai";
import { DEPOSIT_CONTRACT } from "../../../devnet/predeploys.ts";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import {
  CURATED,
  ETH,
  Status,
  active,
  changeRate,
  fund,
  funded,
  key,
  keyRoot,
  predeposit,
  proofOf,
  queued,
  range,
  registries,
  requestExit,
  withPool,
} from "./fixture.ts";

const SHARES = 10n ** 9n;
const TOP_UP = 31n * ETH;

/** Carol staked less than a validator's worth; Alice has keys 0 and 1 in the queue, Bob 2 and 3. */
async function waiting() {
  const world = await loadFixture(withPool);
  await world.pool.connect(world.carol).deposit(world.carol, world.carol, { value: 20n * ETH });
  await queued(world, 1, [0, 1]);
  await queued(world, 2, [2, 3]);
  return world;
}

/** With the stubs: Alice's 0 to 3 funded in turn, then 5 by herself; 4 still waits. */
async function ownAmongOthers() {
  const world = await loadFixture(registries);
  await funded(world, 1, range(4));
  await queued(world, 1, [4, 5]);
  await world.validators.connect(world.alice).fundOwn(key(5), { value: TOP_UP });
  await world.pool.setDemand(1_000n * ETH);
  return world;
}

describe("fundOwn", () => {
  it("funds a key out of turn with its operator's 31 ETH, for ordinary estETH; the buffer stays", async () => {
    const world = await waiting();
    const { pool, token, operators, validators, bob } = world;
    const before = {
      ether: await token.getTotalPooledEther(),
      buffer: await pool.buffer(),
      deposits: await ethers.provider.getBalance(DEPOSIT_CONTRACT),
      registry: await ethers.provider.getBalance(validators),
    };
    const call = validators.connect(bob).fundOwn(key(3), { value: TOP_UP });
    await expect(call).to.emit(validators, "FundedOwn").withArgs(2, keyRoot(3));
    await expect(call)
      .to.emit(pool, "Deposited")
      .withArgs(bob, bob, TOP_UP, TOP_UP * SHARES, ethers.ZeroAddress);
    await expect(call)
      .to.emit(pool, "ValidatorsFunded")
      .withArgs(1, ETH * SHARES);
    expect(await token.balanceOf(bob)).to.equal(TOP_UP);
    expect((await operators.operator(2)).bondShares).to.equal(ETH * SHARES);
    expect(await token.getTotalPooledEther()).to.equal(before.ether + 32n * ETH);
    expect(await pool.etherAtValidators()).to.equal(32n * ETH);
    expect(await pool.buffer()).to.equal(before.buffer);
    expect(await ethers.provider.getBalance(pool)).to.equal(before.buffer);
    expect((await ethers.provider.getBalance(DEPOSIT_CONTRACT)) - before.deposits).to.equal(TOP_UP);
    expect(await ethers.provider.getBalance(validators)).to.equal(before.registry);
    const record = await validators.validator(keyRoot(3));
    expect(record.status).to.equal(Status.Active);
    expect(record.fundedGwei).to.equal(32n * 10n ** 9n);
    const queue = await validators.tierQueue(0);
    expect([queue.fundHead, queue.queued, queue.funded]).to.deep.equal([0n, 3n, 1n]);
  });

  it("works while every ether of the pool is promised: a predeposit is never stranded", async () => {
    const world = await waiting();
    await world.queue.connect(world.carol).requestWithdrawals([20n * ETH], world.carol);
    expect(await world.pool.depositable()).to.be.lessThan(TOP_UP);
    const buffer = await world.pool.buffer();
    await world.validators.connect(world.alice).fundOwn(key(0), { value: TOP_UP });
    expect(await world.pool.buffer()).to.equal(buffer);
    expect(await world.validators.exitDemand()).to.equal(0);
  });

  it("lets the manager pay, who gets the estETH", async () => {
    const world = await waiting();
    await world.operators.connect(world.alice).setManager(1, world.keeper);
    await world.validators.connect(world.keeper).fundOwn(key(1), { value: TOP_UP });
    expect(await world.token.balanceOf(world.keeper)).to.equal(TOP_UP);
    expect(await world.token.balanceOf(world.alice)).to.equal(0);
  });

  it("costs what a deposit costs at any rate, and credits the bond at that rate", async () => {
    const world = await loadFixture(registries);
    await queued(world, 1, [0]);
    await changeRate(world, 1n, 40n);
    const expected = await world.token.getSharesByPooledEth(TOP_UP);
    await world.validators.connect(world.alice).fundOwn(key(0), { value: TOP_UP });
    expect(await world.token.sharesOf(world.alice)).to.equal(expected);
    expect((await world.operators.operator(1)).bondShares).to.equal(await world.token.getSharesByPooledEth(ETH));
  });

  it("takes no turn from others: the queue goes on over the hole", async () => {
    const world = await loadFixture(registries);
    await queued(world, 1, [0, 1, 2]);
    await world.validators.connect(world.alice).fundOwn(key(1), { value: TOP_UP });
    await fund(world, [0, 2]);
    const queue = await world.validators.tierQueue(0);
    expect([queue.fundHead, queue.queued, queue.funded]).to.deep.equal([3n, 0n, 3n]);
  });

  it("is passed over by who funds the queue, whether before or in the same transaction's prefix", async () => {
    const world = await loadFixture(registries);
    await queued(world, 1, [0, 1]);
    await world.validators.connect(world.alice).fundOwn(key(0), { value: TOP_UP });
    await fund(world, [0, 1]);
    expect((await world.validators.validator(keyRoot(1))).status).to.equal(Status.Active);
  });

  it("D: stays within its tier's maximum, as the others do", async () => {
    const world = await loadFixture(registries);
    const { operators, validators, alice, carol } = world;
    await operators.setTier(0, { ...CURATED, targetShareBp: 3_000, maxShareBp: 3_000 });
    await operators.addTier({ ...CURATED, targetShareBp: 7_000, open: true });
    await operators.connect(carol).join(1, carol, "Carol");
    await queued(world, 1, [0, 1, 2]);
    await queued(world, 3, range(3, 10));
    const own = (index: number) => validators.connect(alice).fundOwn(key(index), { value: TOP_UP });
    // of none, and itself: the first may be anybody's
    await own(1);
    await expect(own(2)).to.be.revertedWithCustomError(validators, "TierAtMaximum").withArgs(0, 1, 2, 3_000);
    await fund(world, range(2, 10));
    // the fourth of 4: one of 4 is below 30%, so is the one after the fourth
    await own(2);
    await fund(world, [12]);
    await expect(own(0)).to.be.revertedWithCustomError(validators, "TierAtMaximum").withArgs(0, 2, 6, 3_000);
    await expect(fund(world, [0])).to.be.revertedWithCustomError(validators, "NothingToFund");
  });

  it("gives no protection from exits: whenever its tier is next, it may go before the head", async () => {
    const world = await loadFixture(ownAmongOthers);
    await expect(requestExit(world, 1)).to.be.revertedWithCustomError(world.validators, "NotNext");
    await requestExit(world, 5);
    await requestExit(world, 0);
    expect((await world.validators.tierQueue(0)).leaving).to.equal(2);
  });

  it("leaves nobody behind: when all others of its tier have gone, it can still be asked to exit", async () => {
    const world = await loadFixture(ownAmongOthers);
    for (const index of range(4)) await requestExit(world, index);
    await requestExit(world, 5);
    const queue = await world.validators.tierQueue(0);
    expect(queue.funded - queue.leaving).to.equal(0);
    await expect(requestExit(world, 5)).to.be.revertedWithCustomError(world.validators, "ExitAlreadyRequested");
    // where the layer dropped the request it may be asked again, and the order of the others is as it was
    await networkHelpers.time.increase(2 * 3_600);
    await requestExit(world, 5);
    await fund(world, [4]);
    expect([...(await world.validators.nextToExit())]).to.deep.equal([0n, 4n]);
  });

  it("goes only when its tier is next", async () => {
    const world = await loadFixture(ownAmongOthers);
    const { operators, validators, carol } = world;
    await operators.addTier({ ...CURATED, targetShareBp: 0 });
    await operators.addOperator(1, carol.address, carol.address, "Carol");
    await fund(world, [4]);
    await funded(world, 3, [9]);
    await expect(requestExit(world, 5))
      .to.be.revertedWithCustomError(validators, "NotNext")
      .withArgs(keyRoot(5), 0, 5, 1, 0);
    await requestExit(world, 9);
    await requestExit(world, 5);
  });

  it("refuses another amount, a key that is not queued, a stranger, a frozen or indebted operator", async () => {
    const world = await loadFixture(registries);
    const { validators, alice, bob } = world;
    const own = validators.connect(alice);
    await queued(world, 1, [0]);
    await predeposit(world, 1, [1]);
    for (const value of [0n, TOP_UP - 1n, TOP_UP + 1n, 32n * ETH])
      await expect(own.fundOwn(key(0), { value }))
        .to.be.revertedWithCustomError(validators, "WrongValue")
        .withArgs(value, TOP_UP);
    await expect(own.fundOwn(key(1), { value: TOP_UP }))
      .to.be.revertedWithCustomError(validators, "WrongStatus")
      .withArgs(keyRoot(1), Status.Predeposited);
    await expect(own.fundOwn(key(7), { value: TOP_UP }))
      .to.be.revertedWithCustomError(validators, "WrongStatus")
      .withArgs(keyRoot(7), Status.Unknown);
    await expect(validators.connect(bob).fundOwn(key(0), { value: TOP_UP }))
      .to.be.revertedWithCustomError(world.operators, "NotOperatorOwner")
      .withArgs(1, bob);
    await own.fundOwn(key(0), { value: TOP_UP });
    await expect(own.fundOwn(key(0), { value: TOP_UP }))
      .to.be.revertedWithCustomError(validators, "WrongStatus")
      .withArgs(keyRoot(0), Status.Active);
    await queued(world, 1, [2]);
    const { proof } = await proofOf(world, active(world, 0, { slashed: true }));
    await validators.proveSlashed(proof);
    await expect(own.fundOwn(key(2), { value: TOP_UP }))
      .to.be.revertedWithCustomError(world.operators, "OperatorIsFrozen")
      .withArgs(1);
  });

  it("is a deposit: it waits while deposits are paused, overdue or at the cap", async () => {
    const world = await waiting();
    const { pool, validators, alice } = world;
    await pool.pauseDeposits(true);
    await expect(validators.connect(alice).fundOwn(key(0), { value: TOP_UP })).to.be.revertedWithCustomError(
      pool,
      "DepositsArePaused",
    );
    await pool.pauseDeposits(false);
    await networkHelpers.time.increase(2_000 * 86_400);
    await expect(validators.connect(alice).fundOwn(key(0), { value: TOP_UP })).to.be.revertedWithCustomError(
      pool,
      "ReportOverdue",
    );
    await expect(pool.fundOwn(key(0), alice, { value: TOP_UP }))
      .to.be.revertedWithCustomError(pool, "OnlyValidators")
      .withArgs(world.admin);
  });
});
