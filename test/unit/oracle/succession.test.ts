/** An oracle is replaced together with its pool, and goes on where its predecessor stopped. */
import { expect } from "chai";
import { LocalCommittee } from "../../../devnet/simulated/localCommittee.ts";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { peersOf, policyOf } from "../../helpers/peersOf.ts";
import { protocol } from "../../helpers/protocol.ts";
import { ETH } from "../../helpers/reporting.ts";
import { gwei } from "../../../offchain/protocol/units.ts";

const DAY = 86_400n;

/** Reports with and without a fall; a successor of oracle and pool, not in force yet. */
async function world() {
  const p = await loadFixture(protocol);
  await p.pool.connect(p.alice).deposit(p.alice, ethers.ZeroAddress, { value: 1_000n * ETH });
  await p.fundValidator(3);
  await p.report();
  const Oracle = await ethers.getContractFactory("ReportOracle");
  const grid = {
    genesisTime: await p.oracle.genesisTime(),
    firstRefSlot: 31n,
    slotsPerFrame: await p.oracle.slotsPerFrame(),
    finalisationMargin: 3_600n,
    grace: 21_600n,
  };
  const args = [p.authority, p.token, p.bounds, grid] as const;
  const oracle = await Oracle.deploy(...args, [], 0n, p.oracle);
  const peers = { ...(await peersOf(p.pool)), oracle, predecessor: p.pool };
  const pool = await ethers.deployContract("StakingPool", [p.authority, peers, await policyOf(p.pool)]);
  return { p, Oracle, args, oracle, pool };
}

describe("The succession of oracles", () => {
  it("takes last report, committee and the window of falls, once the live pool names it", async () => {
    const { p, oracle, pool } = await world();
    // two falls in the window, one of them about to leave it
    for (const [frames, lost] of [
      [1, 1n],
      [20, 3n],
    ] as const) {
      const read = await p.readReport({}, frames);
      const report = { ...read, clBalanceGwei: gwei(read.clBalanceGwei - lost * 10n ** 9n) };
      await p.oracle.submitReport(report, await p.sign(report, 9));
    }
    await p.oracle.connect(p.governor).setQuorum(6n);
    const [refSlot, hash, falls] = [
      await p.oracle.lastRefSlot(),
      await p.oracle.lastReportHash(),
      await p.oracle.fallInWindowBp(),
    ];
    expect(falls).to.be.greaterThan(15n);
    await expect(oracle.takeOver())
      .to.be.revertedWithCustomError(oracle, "NotLive")
      .withArgs(await p.oracle.getAddress());
    await p.token.connect(p.governor).replacePool(pool);
    await expect(oracle.connect(p.carol).takeOver())
      .to.emit(oracle, "TakenOver")
      .withArgs(await p.oracle.getAddress(), refSlot, hash, falls);

    expect(await oracle.lastRefSlot()).to.equal(refSlot);
    expect(await oracle.lastReportHash()).to.equal(hash);
    expect([...(await oracle.members())]).to.deep.equal([...(await p.oracle.members())]);
    const [old, now] = [await p.oracle.committee(), await oracle.committee()];
    expect([now.members, now.quorum, now.version]).to.deep.equal([old.members, old.quorum, old.version + 1n]);
    expect(await oracle.incident()).to.equal(true); // the last report lowered the rate
    expect(await p.oracle.incident()).to.equal(true);

    // both forget the older fall at the same moment, and the younger one
    await networkHelpers.time.increase(11n * DAY);
    expect(await oracle.fallInWindowBp()).to.equal(await p.oracle.fallInWindowBp());
    expect(await oracle.fallInWindowBp()).to.be.within(1n, falls - 1n);
    await networkHelpers.time.increase(30n * DAY);
    expect(await oracle.fallInWindowBp()).to.equal(0n);
    await expect(oracle.takeOver())
      .to.be.revertedWithCustomError(oracle, "NothingToTakeOver")
      .withArgs(await p.oracle.getAddress());

    const committee = new LocalCommittee({ ...p.contracts, oracle, pool }, p.beacon, p.committee.wallets, 6);
    await committee.report({}, 9, 42);
    expect(await oracle.incident()).to.equal(false);
    await pool.connect(p.bob).deposit(p.bob, ethers.ZeroAddress, { value: ETH });
  });

  it("accepts no report before, not even one without signatures", async () => {
    const { p, oracle, pool } = await world();
    const report = await p.readReport({ prevReportHash: ethers.ZeroHash, committeeVersion: 0n });
    for (const submit of ["submitReport", "announceReport"] as const) {
      await expect(oracle[submit](report, []))
        .to.be.revertedWithCustomError(oracle, "NotEnoughSignatures")
        .withArgs(0n, 255n);
    }
    expect([...(await oracle.members())]).to.deep.equal([]);
    await p.token.connect(p.governor).replacePool(pool);
    await expect(oracle.submitReport(report, [])).to.be.revertedWithCustomError(oracle, "NotEnoughSignatures");
  });

  it("is given no committee of its own, and the first oracle has nothing to take over", async () => {
    const { p, Oracle, args } = await world();
    await expect(Oracle.deploy(...args, [p.alice.address], 1n, p.oracle))
      .to.be.revertedWithCustomError(Oracle, "InvalidMember")
      .withArgs(p.alice.address);
    await expect(Oracle.deploy(...args, [], 0n, ethers.ZeroAddress))
      .to.be.revertedWithCustomError(Oracle, "QuorumOutOfRange")
      .withArgs(0n, 0n);
    await expect(p.oracle.takeOver())
      .to.be.revertedWithCustomError(p.oracle, "NothingToTakeOver")
      .withArgs(ethers.ZeroAddress);
  });

  it("refuses a grace as long as a frame: fundings would go on past the next reference", async () => {
    const { p, Oracle, args } = await world();
    const [authority, token, bounds, grid] = args;
    const deploy = (grace: bigint) =>
      Oracle.deploy(authority, token, bounds, { ...grid, grace }, [p.alice.address], 1n, ethers.ZeroAddress);
    await expect(deploy(DAY)).to.be.revertedWithCustomError(Oracle, "GraceTooLong").withArgs(DAY, DAY);
    await deploy(DAY - 1n);
  });
});
