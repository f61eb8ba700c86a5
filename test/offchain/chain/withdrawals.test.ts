import { expect } from "chai";
import { readInflow, towardsFunding, towardsQueue } from "../../../offchain/chain/read/inflow.ts";
import { readWithdrawals } from "../../../offchain/chain/read/withdrawals.ts";
import { claim } from "../../../offchain/chain/write/withdraw.ts";
import { wei } from "../../../offchain/protocol/units.ts";
import { fundValidators, startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { connection, ethers, loadFixture } from "../../helpers/network.ts";
import { ETH, failure, sdkOf, watched } from "./harness.ts";

/** Alice: 1 and 2 finalised, 1 claimed, 3 given to Bob, 4 and 5 wait behind Carol's; most ether is at a validator. */
async function leaving() {
  const p = await startLocalProtocol(connection);
  const { alice, bob, carol } = p;
  await p.pool.connect(alice).deposit(alice, alice, { value: 40n * ETH });
  await p.pool.connect(carol).deposit(carol, carol, { value: 20n * ETH });
  await fundValidators(p, 1, 0);
  await p.queue.connect(alice).requestWithdrawals([ETH, 2n * ETH, ETH], alice);
  await p.queue.connect(alice).transferFrom(alice, bob, 3n);
  await p.committee.report();
  const { amount } = await (async () => {
    const [claimable] = await p.queue.getClaimableEther([1n]);
    await p.queue.connect(alice).claimWithdrawal(1n);
    return { amount: claimable ?? 0n };
  })();
  await p.queue.connect(carol).requestWithdrawals([18n * ETH], carol);
  await p.queue.connect(alice).requestWithdrawals([ETH, 30n * ETH], alice);
  return { p, amount };
}

describe("the withdrawal requests of an owner", () => {
  it("are all found, in every state, with what they pay", async () => {
    const { p, amount } = await loadFixture(leaving);
    const sdk = await sdkOf(p);
    const alice = await readWithdrawals(sdk, p.alice.address);
    expect(alice.requests.map(({ id, state }) => [id, state])).to.deep.equal([
      [1n, "claimed"],
      [2n, "claimable"],
      [3n, "transferred"],
      [5n, "waiting"],
      [6n, "waiting"],
    ]);
    expect(alice.requests[0]?.amount).to.equal(amount);
    const [two = 0n] = await p.queue.getClaimableEther([2n]);
    expect(alice.requests[1]).to.include({ claimable: two, hint: 1n, wait: undefined });
    expect(alice.claimable).to.equal(two);
    expect((await readWithdrawals(sdk, p.bob.address)).requests.map(({ id, state }) => [id, state])).to.deep.equal([
      [3n, "claimable"],
    ]);
    expect((await readWithdrawals(sdk, p.guardian.address)).requests).to.deep.equal([]);
  });

  it("are claimed with what was found, and read on from what is kept", async () => {
    const { p } = await loadFixture(leaving);
    const { provider, asked } = watched();
    const sdk = await sdkOf(p, provider);
    const before = await readWithdrawals(sdk, p.alice.address);
    const ids = before.requests.filter(({ state }) => state === "claimable").map(({ id }) => id);
    const paid = await (await claim({ protocol: sdk, signer: p.alice }, ids)).send();
    expect(paid.outcome.amount).to.equal(before.claimable);
    asked.clear();
    const after = await readWithdrawals(sdk, p.alice.address, { kept: before.kept });
    expect(after.requests.map(({ state }) => state)).to.deep.equal([
      ...["claimed", "claimed", "transferred", "waiting", "waiting"],
    ]);
    expect(after.requests[1]?.amount).to.equal(before.claimable);
    expect(after.claimable).to.equal(0n);
  });

  it("wait for the next report where the ether is here, and longer where it is not", async () => {
    const { p } = await loadFixture(leaving);
    const sdk = await sdkOf(p);
    const { requests } = await readWithdrawals(sdk, p.alice.address);
    const [near, far] = requests.filter(({ state }) => state === "waiting").map(({ wait }) => wait);
    const now = BigInt((await ethers.provider.getBlock("latest"))?.timestamp ?? 0);
    const nextRef = (await p.oracle.genesisTime()) + ((await p.oracle.lastRefSlot()) + 225n * 32n) * 12n;
    expect(near?.reason).to.equal("report");
    expect(near?.earliest).to.be.greaterThan(now).and.to.be.at.least(nextRef);
    expect(far?.earliest).to.equal(near?.earliest);
    expect(far?.reason).to.not.equal("report");
    expect(far?.expected).to.be.at.least(far?.earliest ?? 0n);
    // the report does pay the near one then, and not the far one
    await p.committee.report();
    const reported = BigInt((await ethers.provider.getBlock("latest"))?.timestamp ?? 0);
    const later = await readWithdrawals(sdk, p.alice.address);
    expect(later.requests.slice(3).map(({ state }) => state)).to.deep.equal(["claimable", "waiting"]);
    const off = reported - (near?.expected ?? 0n);
    expect(off > -3_600n && off < 3_600n, `${off} s`).to.equal(true);
  });

  it("are read however many they are, in pieces that a node allows", async () => {
    const { p } = await loadFixture(leaving);
    const amounts = Array.from({ length: 100 }, (_, index) => 1_000n + BigInt(index));
    await p.pool.connect(p.bob).deposit(p.bob, p.bob, { value: ETH });
    for (let n = 0; n < 6; n++) await p.queue.connect(p.bob).requestWithdrawals(amounts, p.bob);
    const { requests } = await readWithdrawals(await sdkOf(p), p.bob.address);
    expect(requests).to.have.length(601);
    expect(requests.every(({ amount, id }) => id === 3n || amount <= 1_100n)).to.equal(true);
    expect(requests.filter(({ wait }) => wait !== undefined)).to.have.length(600);
    const control = AbortSignal.abort();
    expect((await failure(readWithdrawals(await sdkOf(p), p.bob.address, { signal: control }))).name).to.equal(
      "AbortError",
    );
  });

  it("have as inflow what was staked and earned, and for validators what is left of it", async () => {
    const { p } = await loadFixture(leaving);
    const sdk = await sdkOf(p);
    const inflow = await readInflow(sdk);
    expect(inflow.deposited).to.equal(60n * ETH);
    expect(inflow.requested)
      .to.be.greaterThan(52n * ETH - 10n)
      .and.to.be.at.most(53n * ETH);
    expect(inflow.seconds).to.be.greaterThan(0n);
    const plain = { seconds: 10n, deposited: wei(100n), requested: wei(30n), recognised: wei(-20n) };
    expect(towardsQueue(plain)).to.equal(8n);
    expect(towardsFunding(plain)).to.equal(5n);
    expect(towardsFunding({ ...plain, requested: wei(300n) })).to.equal(0n);
    expect(towardsQueue({ ...plain, seconds: 0n })).to.equal(0n);
  });
});
