/** Ether on its way into the pool: deposits, what stops them and by whose hand, and the limits of governance. */
import { expect } from "chai";
import type { BaseContract, ContractTransactionResponse } from "ethers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { ROLES } from "../../../deploy/roles.ts";
import { deriveValidatorKeys } from "../../../devnet/keys.ts";
import { DEPOSIT_CONTRACT } from "../../../devnet/predeploys.ts";
import { ethers, loadFixture, networkHelpers, provider } from "../../helpers/network.ts";
import { ETH, apply, borrow, fundWithoutKeys, request, staked } from "../../helpers/reporting.ts";
import type { Protocol } from "../../helpers/protocol.ts";
import { peersOf, policyOf } from "../../helpers/peersOf.ts";
import { someKeys } from "../../helpers/someKeys.ts";

const DEPOSIT_EVENT = [
  "event DepositEvent(bytes pubkey, bytes withdrawalCredentials, bytes amount, bytes signature, bytes index)",
];

const GWEI = 10n ** 9n;
const NOBODY = ethers.ZeroAddress;
const { time } = networkHelpers;

/** Deposits may raise T by ten ether between two reports. */
async function narrow() {
  const p = await loadFixture(staked);
  const { treasury, feeBp, maxAprBp } = await p.pool.policy();
  await p.pool.connect(p.governor).setPolicy({ treasury, feeBp, maxAprBp, depositCapGwei: 10n * 10n ** 9n });
  await apply(p, { gain: 123_456_789_012_345n });
  return p;
}

/** Every way of a staker in. */
const WAYS_IN: Record<string, (p: Protocol, who: HardhatEthersSigner, value: bigint) => Promise<unknown>> = {
  deposit: (p, who, value) => p.pool.connect(who).deposit(who, NOBODY, { value }),
  "plain transfer": (p, who, value) => who.sendTransaction({ to: p.pool, value }),
  "stake to westETH": (p, who, value) => p.wrapped.connect(who).stake(who, NOBODY, { value }),
  "plain transfer to westETH": (p, who, value) => who.sendTransaction({ to: p.wrapped, value }),
};

const WAYS_OUT: Record<string, (p: Protocol) => Promise<unknown>> = {
  "request of ether": (p) => p.queue.connect(p.alice).requestWithdrawals([ETH], p.alice),
  "request of shares": (p) => p.queue.connect(p.alice).requestWithdrawalsShares([10n ** 27n], p.alice),
  "request of westETH": (p) => p.wrapped.connect(p.alice).requestWithdrawals([ETH], p.alice),
};

describe("StakingPool: deposits", () => {
  it("mint to the receiver at the rate of now, rounded down, and say from whom, for whom and through whom", async () => {
    const p = await loadFixture(narrow);
    const [ether, shares] = await p.token.totals();
    const value = ETH + 3n;
    const minted = (value * shares) / ether;
    const pool = p.pool.connect(p.bob);
    const held = await p.token.sharesOf(p.carol);
    expect(await pool.deposit.staticCall(p.carol, p.keeper, { value })).to.equal(minted);
    await expect(pool.deposit(p.carol, p.keeper, { value }))
      .to.emit(p.pool, "Deposited")
      .withArgs(p.bob, p.carol, value, minted, p.keeper)
      .and.to.emit(p.token, "Transfer")
      .withArgs(NOBODY, p.carol, value);
    expect((await p.token.sharesOf(p.carol)) - held).to.equal(minted);
    expect(await p.token.totals()).to.deep.equal([ether + value, shares + minted]);
  });

  it("by plain transfer stake for their sender", async () => {
    const p = await loadFixture(narrow);
    const minted = await p.token.getSharesByPooledEth(ETH);
    await expect(p.carol.sendTransaction({ to: p.pool, value: ETH }))
      .to.emit(p.pool, "Deposited")
      .withArgs(p.carol, p.carol, ETH, minted, NOBODY);
    expect(await p.token.sharesOf(p.carol)).to.equal(minted);
    expect(await ethers.provider.getBalance(p.pool)).to.be.greaterThanOrEqual(await p.pool.buffer());
  });

  it("refuse nothing, on every way", async () => {
    const p = await loadFixture(narrow);
    for (const enter of Object.values(WAYS_IN))
      await expect(enter(p, p.carol, 0n))
        .to.be.revertedWithCustomError(p.pool, "ZeroDeposit")
        .withArgs();
  });

  it("reach the cap to the wei and no further, on every way, until the next report moves it", async () => {
    for (const enter of Object.values(WAYS_IN)) {
      const p = await loadFixture(narrow);
      const ether = await p.token.getTotalPooledEther();
      const ceiling = ether + 10n * ETH;
      expect((await p.pool.books()).depositCeiling).to.equal(ceiling);
      await enter(p, p.carol, 4n * ETH);
      await expect(enter(p, p.carol, 6n * ETH + 1n))
        .to.be.revertedWithCustomError(p.pool, "DepositCapReached")
        .withArgs(ceiling + 1n, ceiling);
      await enter(p, p.carol, 6n * ETH);
      await expect(enter(p, p.bob, 1n))
        .to.be.revertedWithCustomError(p.pool, "DepositCapReached")
        .withArgs(ceiling + 1n, ceiling);
      expect(await p.token.getTotalPooledEther()).to.equal(ceiling);
      await apply(p);
      await enter(p, p.carol, 10n * ETH);
    }
  });

  it("stop the second after the next report is due, on every way, until it is there", async () => {
    for (const enter of Object.values(WAYS_IN)) {
      const p = await loadFixture(narrow);
      const { openUntil } = await p.pool.books();
      await time.setNextBlockTimestamp(openUntil);
      await enter(p, p.carol, ETH);
      await time.setNextBlockTimestamp(openUntil + 1n);
      await expect(enter(p, p.carol, ETH))
        .to.be.revertedWithCustomError(p.pool, "ReportOverdue")
        .withArgs(openUntil);
      await apply(p);
      await enter(p, p.carol, ETH);
    }
  });
});

describe("Pauses", () => {
  const strangers = (p: Protocol) => [p.deployer, p.governor, p.treasury, p.alice, p.nodeOperator, p.keeper];

  async function expectRestricted(
    p: Protocol,
    call: (who: HardhatEthersSigner) => Promise<ContractTransactionResponse>,
    contract: BaseContract,
  ): Promise<void> {
    for (const who of [...strangers(p), await borrow(p.oracle), await borrow(p.token)])
      await expect(call(who)).to.be.revertedWithCustomError(contract, "AccessManagedUnauthorized").withArgs(who);
  }

  it("of deposits are the guardian's alone, close every way in, and nothing else", async () => {
    const p = await loadFixture(narrow);
    await p.wrapped.connect(p.alice).stake(p.alice, NOBODY, { value: 2n * ETH });
    await request(p, p.alice, ETH);
    await apply(p);
    await expectRestricted(p, (who) => p.pool.connect(who).pauseDeposits(true), p.pool);
    expect(await p.pool.depositsPaused()).to.be.false;
    await expect(p.pool.connect(p.guardian).pauseDeposits(true)).to.emit(p.pool, "DepositsPaused").withArgs(true);
    expect(await p.pool.depositsPaused()).to.be.true;
    for (const enter of Object.values(WAYS_IN))
      await expect(enter(p, p.carol, ETH))
        .to.be.revertedWithCustomError(p.pool, "DepositsArePaused")
        .withArgs();
    // a report opens no gate that a role closed
    await apply(p);
    await expect(p.carol.sendTransaction({ to: p.pool, value: 1n })).to.be.revertedWithCustomError(
      p.pool,
      "DepositsArePaused",
    );
    for (const leave of Object.values(WAYS_OUT)) await leave(p);
    await p.queue.connect(p.alice).claimWithdrawal(1n);
    await p.token.connect(p.alice).transfer(p.bob, ETH);
    await p.token.connect(p.alice).approve(p.wrapped, ETH);
    await p.wrapped.connect(p.alice).wrap(ETH);
    await expectRestricted(p, (who) => p.pool.connect(who).pauseDeposits(false), p.pool);
    await expect(p.pool.connect(p.guardian).pauseDeposits(false)).to.emit(p.pool, "DepositsPaused").withArgs(false);
    for (const enter of Object.values(WAYS_IN)) await enter(p, p.carol, ETH);
  });

  it("of requests are the guardian's alone, close every way into the queue, and nothing else", async () => {
    const p = await loadFixture(narrow);
    await p.wrapped.connect(p.alice).stake(p.alice, NOBODY, { value: 2n * ETH });
    await request(p, p.alice, ETH);
    await apply(p);
    await expectRestricted(p, (who) => p.queue.connect(who).pauseRequests(true), p.queue);
    await expect(p.queue.connect(p.guardian).pauseRequests(true)).to.emit(p.queue, "RequestsPaused").withArgs(true);
    for (const leave of Object.values(WAYS_OUT))
      await expect(leave(p)).to.be.revertedWithCustomError(p.queue, "RequestsArePaused").withArgs();
    for (const enter of Object.values(WAYS_IN)) await enter(p, p.carol, ETH);
    await p.queue.connect(p.alice).claimWithdrawals([1n], [], p.carol);
    await p.wrapped.connect(p.alice).unwrap(ETH);
    await apply(p);
    await expectRestricted(p, (who) => p.queue.connect(who).pauseRequests(false), p.queue);
    await expect(p.queue.connect(p.guardian).pauseRequests(false)).to.emit(p.queue, "RequestsPaused").withArgs(false);
    for (const leave of Object.values(WAYS_OUT).slice(0, 2)) await leave(p);
  });

  it("a claim is never paid to the pool, which would stake it for the queue: the request stays", async () => {
    const p = await loadFixture(staked);
    await request(p, p.alice, ETH);
    await apply(p);
    const [due] = await p.queue.getClaimableEther([1n]);
    await expect(p.queue.connect(p.alice).claimWithdrawals([1n], [], p.pool))
      .to.be.revertedWithCustomError(p.queue, "ClaimFailed")
      .withArgs(p.pool, due);
    const queue = await borrow(p.queue);
    await expect(queue.sendTransaction({ to: p.pool, value: 1n }))
      .to.be.revertedWithCustomError(p.pool, "StakesForQueue")
      .withArgs();
    await p.queue.connect(p.alice).claimWithdrawal(1n);
  });

  it("are no longer a guardian's whose role was taken", async () => {
    const p = await loadFixture(narrow);
    await p.authority.connect(p.governor).revokeRole(ROLES.PAUSER.id, p.guardian);
    for (const [contract, call] of [
      [p.pool, () => p.pool.connect(p.guardian).pauseDeposits(true)],
      [p.queue, () => p.queue.connect(p.guardian).pauseRequests(true)],
    ] as const)
      await expect(call()).to.be.revertedWithCustomError(contract, "AccessManagedUnauthorized").withArgs(p.guardian);
  });
});

describe("StakingPool: governance", () => {
  it("sets the policy within the contract's own limits", async () => {
    const p = await loadFixture(staked);
    const pool = p.pool.connect(p.governor);
    const policy = { treasury: p.carol.address, feeBp: 2_000n, maxAprBp: 3_000n, depositCapGwei: 5n };
    await expect(pool.setPolicy(policy)).to.emit(pool, "PolicyChanged").withArgs(p.carol, 2_000n, 3_000n, 5n);
    expect(await pool.policy()).to.deep.equal([p.carol.address, 2_000n, 3_000n, 5n]);
    await expect(pool.setPolicy({ ...policy, feeBp: 2_001n }))
      .to.be.revertedWithCustomError(pool, "OutOfRange")
      .withArgs(2_001n, 2_000n);
    await expect(pool.setPolicy({ ...policy, maxAprBp: 3_001n }))
      .to.be.revertedWithCustomError(pool, "OutOfRange")
      .withArgs(3_001n, 3_000n);
    await expect(pool.setPolicy({ ...policy, treasury: NOBODY }))
      .to.be.revertedWithCustomError(pool, "ZeroAddress")
      .withArgs();
    expect(await pool.policy()).to.deep.equal([p.carol.address, 2_000n, 3_000n, 5n]);
    // the ceiling follows with the next report
    await apply(p);
    const ether = await p.token.getTotalPooledEther();
    expect((await pool.books()).depositCeiling).to.equal(ether + 5n * GWEI);
  });

  it("pays the fee to the treasury that the policy names", async () => {
    const p = await loadFixture(staked);
    const { feeBp, maxAprBp, depositCapGwei } = await p.pool.policy();
    await p.pool.connect(p.governor).setPolicy({ treasury: p.carol, feeBp, maxAprBp, depositCapGwei });
    await apply(p, { gain: ETH / 10n });
    await p.operators.payTreasury();
    expect(await p.token.sharesOf(p.treasury)).to.equal(0n);
    expect(await p.token.balanceOf(p.carol)).to.be.within(ETH / 100n - 1n, ETH / 100n);
  });

  it("is governance's: nobody else sets the policy or opens the pool, and it opens once", async () => {
    const p = await loadFixture(staked);
    const policy = { treasury: p.carol.address, feeBp: 0n, maxAprBp: 0n, depositCapGwei: 0n };
    for (const who of [p.deployer, p.guardian, p.treasury, p.alice]) {
      const pool = p.pool.connect(who);
      for (const call of [() => pool.setPolicy(policy), () => pool.bootstrap(1n, 1n, 1n, { value: ETH })])
        await expect(call()).to.be.revertedWithCustomError(pool, "AccessManagedUnauthorized").withArgs(who);
    }
    await expect(p.pool.connect(p.governor).bootstrap(1n, 1n, 1n, { value: ETH }))
      .to.be.revertedWithCustomError(p.token, "AlreadyBootstrapped")
      .withArgs(await p.token.getTotalShares());
  });
});

describe("StakingPool: peers", () => {
  it("obeys the registries alone, each in its own part", async () => {
    const p = await loadFixture(staked);
    for (const who of [p.governor, p.guardian, p.alice, await borrow(p.oracle), await borrow(p.operators)]) {
      const pool = p.pool.connect(who);
      for (const call of [() => pool.fundValidators(someKeys(1n)), () => pool.noteSlashing(1n)])
        await expect(call()).to.be.revertedWithCustomError(pool, "OnlyValidators").withArgs(who);
    }
    for (const who of [p.governor, p.alice, await borrow(p.oracle), await borrow(p.validators)])
      await expect(p.pool.connect(who).addCover(1n))
        .to.be.revertedWithCustomError(p.pool, "OnlyOperators")
        .withArgs(who);
  });

  it("funds no more than is depositable, 31 ether a validator", async () => {
    const p = await loadFixture(staked);
    await request(p, p.alice, 100n * ETH);
    const pool = p.pool.connect(await borrow(p.validators));
    const depositable = await pool.depositable();
    expect(depositable).to.equal((await pool.buffer()) - 100n * ETH);
    const most = depositable / (31n * ETH);
    await expect(pool.fundValidators(someKeys(most + 1n)))
      .to.be.revertedWithCustomError(pool, "NotDepositable")
      .withArgs((most + 1n) * 31n * ETH, depositable);
    const bond = most * ETH;
    const shares = await p.token.getSharesByPooledEth(bond);
    const [held, ether] = [await p.token.sharesOf(p.operators), await p.token.getTotalPooledEther()];
    await expect(pool.fundValidators(someKeys(most)))
      .to.emit(pool, "ValidatorsFunded")
      .withArgs(most, shares);
    expect((await p.token.sharesOf(p.operators)) - held).to.equal(shares);
    expect(await p.token.getTotalPooledEther()).to.equal(ether + bond);
    expect(await pool.depositable()).to.equal(depositable - most * 31n * ETH);
  });

  it("funds exactly what is depositable, to the wei", async () => {
    const p = await loadFixture(staked);
    const missing = 31n * ETH - ((await p.pool.depositable()) % (31n * ETH));
    await p.pool.connect(p.carol).deposit(p.carol, NOBODY, { value: missing - 1n });
    const count = ((await p.pool.depositable()) + 1n) / (31n * ETH);
    const pool = p.pool.connect(await borrow(p.validators));
    await expect(pool.fundValidators(someKeys(count)))
      .to.be.revertedWithCustomError(pool, "NotDepositable")
      .withArgs(count * 31n * ETH, count * 31n * ETH - 1n);
    await p.pool.connect(p.carol).deposit(p.carol, NOBODY, { value: 1n });
    await fundWithoutKeys(p, count);
    expect(await p.pool.depositable()).to.equal(0n);
    expect(await ethers.provider.getBalance(p.pool)).to.be.greaterThanOrEqual(await p.pool.buffer());
  });

  it("deposits to the deposit contract alone, with the withdrawal vault's credentials, whatever the registry says", async () => {
    const p = await loadFixture(staked);
    const pool = p.pool.connect(await borrow(p.validators));
    const deposits = new ethers.Contract(DEPOSIT_CONTRACT, DEPOSIT_EVENT, ethers.provider);
    const [before, held] = [await ethers.provider.getBalance(DEPOSIT_CONTRACT), await ethers.provider.getBalance(pool)];
    const keys = [1, 2].map((index) => deriveValidatorKeys(1, index)[0]?.pubkey ?? "0x");
    const receipt = await (await pool.fundValidators(keys)).wait();
    const logs = (receipt?.logs ?? []).filter(({ address }) => address.toLowerCase() === DEPOSIT_CONTRACT);
    const found = logs.map((log) => deposits.interface.parseLog(log)?.args.slice(0, 4));
    const credentials = `0x01${"00".repeat(11)}${(await p.withdrawalVault.getAddress()).slice(2).toLowerCase()}`;
    expect(found).to.deep.equal(keys.map((key) => [key, credentials, "0x0076be3707000000", `0x${"00".repeat(96)}`]));
    expect((await ethers.provider.getBalance(DEPOSIT_CONTRACT)) - before).to.equal(62n * ETH);
    expect(held - (await ethers.provider.getBalance(pool))).to.equal(62n * ETH);
  });

  it("funds whole keys only, and nothing if one deposit fails", async () => {
    const p = await loadFixture(staked);
    const pool = p.pool.connect(await borrow(p.validators));
    for (const length of [1, 47, 49, 95])
      await expect(pool.fundValidators([...someKeys(1n), `0x${"5a".repeat(length)}`]))
        .to.be.revertedWithCustomError(pool, "BadPubkeyLength")
        .withArgs(length);
    const books = await pool.books();
    // a deposit contract that refuses: revert(0, 0)
    await provider.request({ method: "hardhat_setCode", params: [DEPOSIT_CONTRACT, "0x5f5ffd"] });
    await expect(pool.fundValidators(someKeys(2n))).to.be.revertedWithoutReason(ethers);
    expect(await pool.books()).to.deep.equal(books);
  });

  it("is never made for a deposit contract that is not there: its ether would be lost", async () => {
    const p = await loadFixture(staked);
    const peers = { ...(await peersOf(p.pool)), depositContract: p.carol, predecessor: p.pool };
    const code = await ethers.getContractFactory("StakingPool");
    await expect(code.deploy(p.authority, peers, await policyOf(p.pool)))
      .to.be.revertedWithCustomError(p.pool, "NoDepositContract")
      .withArgs(p.carol);
  });

  it("asks for exits of what is promised and neither here nor on its way", async () => {
    const p = await loadFixture(staked);
    expect(await p.pool.exitDemand(0n)).to.equal(0n);
    // ten validators hold 320 ether, 40 of them on their way out; the pool has 690.01
    await apply(p, { leaving: 40n * ETH });
    await request(p, p.alice, 600n * ETH);
    await request(p, p.bob, 400n * ETH);
    const [promised, buffer, away] = [await p.pool.promised(), await p.pool.buffer(), await p.pool.etherAtValidators()];
    expect([promised, away]).to.deep.equal([1_000n * ETH, 320n * ETH]);
    expect((await p.pool.books()).leaving).to.equal(40n * ETH);
    for (const [asked, coming] of [
      [0n, 40n * ETH],
      [1n, 72n * ETH],
      [5n, 200n * ETH],
      [8n, 296n * ETH],
      [10_000n, 320_040n * ETH], // more than there is at validators: no demand either
    ] as const) {
      const demand = promised - buffer - coming;
      expect(await p.pool.exitDemand(asked)).to.equal(demand > 0n ? demand : 0n);
    }
    expect(await p.pool.exitDemand(0n)).to.equal(promised - buffer - 40n * ETH);
    expect(await p.pool.depositable()).to.equal(0n);
    // what left falls out of it in the report that brings it: nothing is counted twice, and there is no gap
    await give(p, 40n * ETH);
    const demand = await p.pool.exitDemand(0n);
    await apply(p, { gain: -40n * ETH, leaving: 0n, cutoff: 0n });
    expect(await p.pool.exitDemand(0n)).to.equal(demand);
  });
});

async function give(p: Awaited<ReturnType<typeof staked>>, amount: bigint): Promise<void> {
  const vault = await p.withdrawalVault.getAddress();
  await networkHelpers.setBalance(vault, (await ethers.provider.getBalance(vault)) + amount);
}
