/** I14: the oracle's grid and digest, and the wrapper's conversions, against their twins. */
import { expect } from "chai";
import { lastRefSlotAt, scheduleOf } from "../../../offchain/protocol/frames.ts";
import { reportDigest } from "../../../offchain/protocol/report.ts";
import { DAY, ETHER, gwei, units, wei } from "../../../offchain/protocol/units.ts";
import {
  fromWrappedDown,
  fromWrappedUp,
  previewDeposit,
  toWrappedDown,
  toWrappedUp,
} from "../../../offchain/protocol/wrapped.ts";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { Random } from "../protocol/random.ts";
import { Twins, deployed } from "./twins.ts";

describe("the oracle and the twin agree", () => {
  it("on what the committee signs", async () => {
    const { oracle } = await loadFixture(deployed);
    const { chainId } = await ethers.provider.getNetwork();
    const random = new Random(1n);
    const word = () => ethers.zeroPadValue(ethers.toBeHex(random.magnitude(0n, 2n ** 256n - 1n)), 32);
    for (let n = 0; n < 20; n++) {
      const report = {
        refSlot: random.magnitude(0n, 2n ** 64n - 1n),
        blockRoot: word(),
        clBalanceGwei: gwei(random.magnitude(0n, 2n ** 64n - 1n)),
        leavingGwei: gwei(random.magnitude(0n, 2n ** 64n - 1n)),
        withdrawalVaultBalance: wei(random.magnitude(0n, 2n ** 128n - 1n)),
        rewardsVaultBalance: wei(random.magnitude(0n, 2n ** 128n - 1n)),
        incident: random.chance(1n, 2n),
        prevReportHash: word(),
        committeeVersion: random.magnitude(0n, 2n ** 32n - 1n),
        validUntil: random.magnitude(0n, 2n ** 64n - 1n),
      };
      expect(await oracle.reportDigest(report)).to.equal(reportDigest(report, chainId, await oracle.getAddress()));
    }
  });

  it("on the reference slot of a time, and until when deposits stay open", async () => {
    const chain = await loadFixture(deployed);
    const { grid } = await Twins.start(chain);
    const random = new Random(2n);
    for (let n = 0; n < 10; n++) {
      await networkHelpers.time.increase(random.magnitude(1n, 3n * DAY));
      const now = BigInt(await networkHelpers.time.latest());
      const refSlot = lastRefSlotAt(now, grid);
      expect(await chain.oracle.nextRefSlot()).to.equal(refSlot);
      expect(await chain.oracle.openUntil(refSlot)).to.equal(scheduleOf(refSlot, grid).openUntil);
    }
  });
});

describe("the oracle", () => {
  it("awaits no report of a reference before the last execution: its frame is part of the next", async () => {
    const chain = await loadFixture(deployed);
    const twins = await Twins.start(chain);
    const { grid } = twins;
    const frame = grid.slotsPerFrame * 12n;
    // this test speaks for the oracle, whose own last slot stays the first
    const expectNext = async (slot: bigint) => expect(await chain.oracle.nextRefSlot()).to.equal(slot);
    expect(await twins.report({ clBalance: wei(0n), delay: 2n * frame - 1n })).to.equal("done");
    const executed = twins.lastRefTime + 2n * frame - 1n;
    expect(twins.model.books.lastReportTime).to.equal(executed);
    await networkHelpers.time.increaseTo(executed + 1n);
    await expectNext(grid.firstRefSlot); // the last one past, two frames after the first, was before the execution
    await networkHelpers.time.increaseTo(executed + 2n);
    await expectNext(grid.firstRefSlot + 3n * grid.slotsPerFrame);
  });

  it("awaits the report of a reference in whose second the last one was executed", async () => {
    const chain = await loadFixture(deployed);
    const twins = await Twins.start(chain);
    const { grid } = twins;
    const delay = grid.slotsPerFrame * 12n;
    expect(await twins.report({ clBalance: wei(0n), delay })).to.equal("done");
    await networkHelpers.time.increase(1n);
    expect(await chain.oracle.nextRefSlot()).to.equal(grid.firstRefSlot + 2n * grid.slotsPerFrame);
  });
});

describe("the wrapper and the twin agree", () => {
  it("on every conversion, at an uneven rate", async () => {
    const chain = await loadFixture(deployed);
    const { wrapped } = chain;
    const twins = await Twins.start(chain);
    const [ann] = chain.stakers;
    if (ann === undefined) throw new Error("nobody");
    await twins.deposit(ann, 12_345_678_901_234_567_891n);
    await twins.receive("rewards", ETHER);
    await twins.report({ clBalance: wei(0n), fromRewardsVault: wei(3_333_333_333_333_333n) });
    const { totals } = twins.model;
    const random = new Random(3n);
    for (let n = 0; n < 50; n++) {
      const amount = random.magnitude(0n, 120_000_000n * ETHER);
      expect(await wrapped.convertToShares(amount)).to.equal(toWrappedDown(wei(amount), totals));
      expect(await wrapped.previewDeposit(amount)).to.equal(previewDeposit(wei(amount), totals));
      expect(await wrapped.previewWithdraw(amount)).to.equal(toWrappedUp(wei(amount), totals));
      expect(await wrapped.convertToAssets(amount)).to.equal(fromWrappedDown(units(amount), totals));
      expect(await wrapped.previewMint(amount)).to.equal(fromWrappedUp(units(amount), totals));
    }
  });
});
