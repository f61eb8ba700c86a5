/** The registries with the real pool, queue and vaults: each book moves by exactly what the other side says. */
import { expect } from "chai";
import { concat, toBeHex } from "ethers";
import { DEPOSIT_CONTRACT, WITHDRAWAL_REQUESTS } from "../../../devnet/predeploys.ts";
import { ethers, loadFixture, networkHelpers, provider } from "../../helpers/network.ts";
import { fields } from "./fields.ts";
import {
  ETH,
  ETH_GWEI,
  Status,
  active,
  key,
  keyRoot,
  proofOf,
  queued,
  range,
  slotNow,
  withPool,
  waiting,
} from "./fixture.ts";

type WithPool = Awaited<ReturnType<typeof withPool>>;

const SHARES = 10n ** 9n;
const DAY = 86_400;
const SYSTEM_ADDRESS = "0xfffffffffffffffffffffffffffffffffffffffe";

/** Carol staked for three validators; Alice has two keys in the queue, Bob two. */
async function staked() {
  const world = await loadFixture(withPool);
  await world.pool.connect(world.carol).deposit(world.carol, world.carol, { value: 96n * ETH });
  await queued(world, 1, [0, 1]);
  await queued(world, 2, [2, 3]);
  return world;
}

/** Three funded; the test is the oracle, and a report says they all work. */
async function working() {
  const world = await loadFixture(staked);
  await world.validators.fundValidators(range(4).map(key));
  await report(world, 96n * ETH);
  await drainExits();
  return world;
}

async function report(world: WithPool, clBalance: bigint, { withdrawalVault = 0n, elapsed = DAY } = {}) {
  await networkHelpers.time.increase(elapsed);
  const now = await networkHelpers.time.latest();
  return world.pool.applyReport({
    refTime: now,
    elapsed,
    clBalance,
    leaving: 0n,
    withdrawalVaultBalance: withdrawalVault,
    rewardsVaultBalance: 0n,
    cutoff: now,
    nextCutoff: now + DAY,
    openUntil: now + 100 * DAY,
    incident: false,
  });
}

async function requestExit(world: WithPool, index: number, value = ETH) {
  const { proof } = await proofOf(world, active(world, index));
  return world.validators.connect(world.keeper).requestExit(key(index), proof, [], { value });
}

/** What the predeploy hands to the consensus layer at the end of a block; the first time, it opens. */
async function drainExits(): Promise<string> {
  const call = { from: SYSTEM_ADDRESS, to: WITHDRAWAL_REQUESTS };
  await networkHelpers.impersonateAccount(SYSTEM_ADDRESS);
  await networkHelpers.setBalance(SYSTEM_ADDRESS, ETH);
  const requests = String(await provider.request({ method: "eth_call", params: [call, "latest"] }));
  await provider.request({ method: "eth_sendTransaction", params: [call] });
  return requests;
}

describe("Registries with the real pool", () => {
  it("fund what the pool can spare: T and the bonds grow by 1 ETH a key, the buffer shrinks by 31", async () => {
    const world = await loadFixture(staked);
    const { pool, token, operators, validators } = world;
    const before = { ether: await token.getTotalPooledEther(), buffer: await pool.buffer() };
    const deposits = await ethers.provider.getBalance(DEPOSIT_CONTRACT);
    await expect(validators.fundValidators(range(4).map(key)))
      .to.emit(pool, "ValidatorsFunded")
      .withArgs(3, 3n * ETH * SHARES);
    expect(await token.getTotalPooledEther()).to.equal(before.ether + 3n * ETH);
    expect(await pool.buffer()).to.equal(before.buffer - 93n * ETH);
    expect(await pool.etherAtValidators()).to.equal(96n * ETH);
    expect(await ethers.provider.getBalance(pool)).to.equal(await pool.buffer());
    expect((await ethers.provider.getBalance(DEPOSIT_CONTRACT)) - deposits).to.equal(93n * ETH);
    expect(await token.sharesOf(operators)).to.equal(3n * ETH * SHARES);
    expect((await operators.operator(1)).bondShares).to.equal(2n * ETH * SHARES);
    expect((await operators.operator(2)).bondShares).to.equal(ETH * SHARES);
    expect((await validators.validator(keyRoot(3))).status).to.equal(Status.Queued);
  });

  it("fund nothing with ether that is promised to withdrawals", async () => {
    const world = await loadFixture(staked);
    const { pool, queue, validators, carol } = world;
    await queue.connect(carol).requestWithdrawals([66n * ETH + 1n], carol);
    expect(await pool.depositable()).to.equal(31n * ETH - 1n);
    await expect(validators.fundValidators(range(4).map(key))).to.be.revertedWithCustomError(
      validators,
      "NothingToFund",
    );
    await pool.connect(carol).deposit(carol, carol, { value: 1n });
    await validators.fundValidators(range(4).map(key));
    expect((await validators.tierQueue(0)).funded).to.equal(1);
  });

  it("refuse to be the pool for anyone else", async () => {
    const { pool, operators, admin } = await loadFixture(withPool);
    await expect(pool.fundValidators([key(1)]))
      .to.be.revertedWithCustomError(pool, "OnlyValidators")
      .withArgs(admin);
    await expect(pool.noteSlashing(1)).to.be.revertedWithCustomError(pool, "OnlyValidators").withArgs(admin);
    await expect(pool.addCover(1)).to.be.revertedWithCustomError(pool, "OnlyOperators").withArgs(admin);
    await expect(operators.setTotalFee(1)).to.be.revertedWithCustomError(operators, "OnlyPool").withArgs(admin);
  });

  it("divide a report's fee, all of which the token mints to the operators' account", async () => {
    const world = await loadFixture(working);
    const { operators, token } = world;
    const held = await token.sharesOf(operators);
    await report(world, 96n * ETH + ETH / 100n);
    const fee = (await token.sharesOf(operators)) - held;
    expect(await token.totalFeeShares()).to.equal(fee);
    const divided = fee - (await waiting(token));
    const paid = divided - (await operators.treasuryShares());
    // 5% of 10%, of which every validator is a third
    expect(divided / 2n - paid).to.be.within(0n, 1_500n);
    expect(await operators.claimableShares(1)).to.equal((paid / 3n) * 2n);
    expect(await operators.claimableShares(2)).to.equal(paid / 3n);
    await operators.connect(world.alice).claimRewards(1, world.alice);
    await operators.connect(world.bob).claimRewards(2, world.bob);
    await operators.payTreasury();
    expect(await token.sharesOf(operators)).to.equal(held + (await waiting(token)));
  });

  it("pay an operator who claims after each report what one gets who waits, and divide each fee once", async () => {
    const world = await loadFixture(working);
    const { operators, token, alice, bob } = world;
    const held = await token.sharesOf(operators);
    let perWeight = await operators.rewardTotals();
    let claimed = 0n;
    for (let day = 1n; day <= 5n; day++) {
      await report(world, 96n * ETH + (day * ETH) / 97n);
      expect(await operators.connect(bob).claimRewards.staticCall(2, bob)).to.be.greaterThan(0n);
      const before = await token.sharesOf(alice);
      await operators.connect(alice).claimRewards(1, alice);
      claimed += (await token.sharesOf(alice)) - before;
      await expect(operators.connect(alice).claimRewards(1, alice)).to.be.revertedWithCustomError(
        operators,
        "NothingToClaim",
      );
      // whoever claims divides nothing for others: what they see stays the same
      expect(await operators.claimableShares(2)).to.equal(claimed / 2n);
      const now = await operators.rewardTotals();
      expect(now.sharesPerWeight).to.be.greaterThan(perWeight.sharesPerWeight);
      perWeight = now;
    }
    await operators.payTreasury();
    await operators.connect(bob).claimRewards(2, bob);
    expect(await token.sharesOf(bob)).to.equal(claimed / 2n);
    expect(await token.sharesOf(operators)).to.equal(held + (await waiting(token)));
  });

  it("ask for exits while requests lack ether, count what is on its way, and then no more", async () => {
    const world = await loadFixture(working);
    const { pool, queue, validators, carol } = world;
    const buffer = await pool.buffer();
    await expect(requestExit(world, 0)).to.be.revertedWithCustomError(validators, "NoDemand").withArgs(0);
    await queue.connect(carol).requestWithdrawals([buffer + 40n * ETH], carol);
    expect(await validators.exitDemand()).to.equal(40n * ETH);
    await requestExit(world, 0);
    expect(await validators.exitDemand()).to.equal(8n * ETH);
    await expect(requestExit(world, 1))
      .to.be.revertedWithCustomError(validators, "NoDemand")
      .withArgs(8n * ETH);
  });

  it("ask for the last small part three days after its round", async () => {
    const world = await loadFixture(working);
    const { pool, queue, validators, carol } = world;
    await queue.connect(carol).requestWithdrawals([(await pool.buffer()) + ETH], carol);
    const roundEnd = Number(await queue.oldestRoundEnd());
    await networkHelpers.time.increaseTo(roundEnd + 3 * DAY - 60);
    await expect(requestExit(world, 0)).to.be.revertedWithCustomError(validators, "NoDemand").withArgs(ETH);
    await networkHelpers.time.increaseTo(roundEnd + 3 * DAY);
    await requestExit(world, 0);
  });

  it("send the request to EIP-7002 from the vault, at its fee, and the rest back to the caller", async () => {
    const world = await loadFixture(working);
    const { pool, queue, vault, carol, keeper } = world;
    await queue.connect(carol).requestWithdrawals([(await pool.buffer()) + 40n * ETH], carol);
    const fee = await vault.exitFee();
    expect(fee).to.be.greaterThan(0n);
    const before = await ethers.provider.getBalance(keeper);
    const { proof } = await proofOf(world, active(world, 0));
    const response = await world.validators.connect(keeper).requestExit(key(0), proof, [], { value: ETH });
    const receipt = await response.wait();
    const gas = receipt === null ? 0n : receipt.gasUsed * receipt.gasPrice;
    expect(before - (await ethers.provider.getBalance(keeper))).to.equal(fee + gas);
    const source = (await vault.getAddress()).toLowerCase();
    expect(await drainExits()).to.equal(concat([source, key(0), toBeHex(0, 8)]));
    expect(await ethers.provider.getBalance(world.validators)).to.equal(0n);
  });

  it("refuse a request that pays less than the fee, and change nothing", async () => {
    const world = await loadFixture(working);
    const { pool, queue, vault, validators, carol } = world;
    await queue.connect(carol).requestWithdrawals([(await pool.buffer()) + 40n * ETH], carol);
    const fee = await vault.exitFee();
    await expect(requestExit(world, 0, fee - 1n))
      .to.be.revertedWithCustomError(vault, "FeeAboveMaximum")
      .withArgs(fee, fee - 1n);
    expect(fields(await validators.tierQueue(0))).to.deep.include({ leaving: 0n, exitHead: 0n });
  });

  it("let nobody else ask the vault", async () => {
    const { vault, admin } = await loadFixture(working);
    await expect(vault.requestExits([key(0)], admin))
      .to.be.revertedWithCustomError(vault, "OnlyValidators")
      .withArgs(admin);
  });

  it("move a proven shortfall from the bond to cover; T and the rate wait for the report", async () => {
    const world = await loadFixture(working);
    const { pool, token, operators, queue } = world;
    const before = await token.totals();
    const epoch = Math.floor((await slotNow(world)) / 32);
    const validator = active(world, 0, { exitEpoch: epoch - 256, withdrawableEpoch: epoch });
    const { proof, balance } = await proofOf(world, validator, { slot: epoch * 32 - 1, balanceGwei: 31 * ETH_GWEI });
    await world.validators.proveWithdrawn(proof, balance);
    expect([...(await token.totals())]).to.deep.equal([...before]);
    const taken = ETH * SHARES;
    expect((await pool.books()).cover).to.equal(taken);
    expect(await token.sharesOf(queue)).to.equal(taken);
    expect((await operators.operator(1)).bondShares).to.equal(2n * ETH * SHARES - taken);
    // the report takes the loss, and the cover with it
    const rate = await token.rate();
    await report(world, 95n * ETH);
    await report(world, 95n * ETH, { elapsed: 2 * DAY });
    expect((await pool.books()).cover).to.be.lessThan(taken);
    expect(await token.rate()).to.be.greaterThan((rate * 99n) / 100n);
  });

  it("stop finalisation from a proven slashing until a report knows of it", async () => {
    const world = await loadFixture(working);
    const { pool, validators, queue, carol } = world;
    await queue.connect(carol).requestWithdrawals([ETH], carol);
    await networkHelpers.time.increase(3_600);
    const slot = await slotNow(world);
    const { proof } = await proofOf(world, active(world, 0, { slashed: true, exitEpoch: 2_000 }), { slot });
    await expect(validators.proveSlashed(proof))
      .to.emit(pool, "SlashingNoted")
      .withArgs(world.genesisTime + 12 * slot);
    expect((await pool.books()).slashingTime).to.equal(world.genesisTime + 12 * slot);
    await expect(pool.continueFinalisation()).to.be.revertedWithCustomError(pool, "FinalisationNotAllowed");
    await report(world, 96n * ETH);
    expect(await queue.lastFinalizedId()).to.equal(1);
  });

  it("I8: hold every share they record, bonds in ether included", async () => {
    const world = await loadFixture(working);
    const { token, operators } = world;
    await report(world, 96n * ETH + ETH / 50n);
    await operators.connect(world.alice).addBond(1, { value: 3n * ETH });
    await operators.connect(world.alice).withdrawBond(1, ETH * SHARES, world.alice);
    let recorded = (await operators.treasuryShares()) + (await waiting(token));
    for (const id of [1, 2]) {
      recorded += (await operators.operator(id)).bondShares + (await operators.claimableShares(id));
    }
    expect(await token.sharesOf(operators)).to.equal(recorded);
  });
});
