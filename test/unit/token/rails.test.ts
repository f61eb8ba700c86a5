/** The rails of estETH, with a pool that obeys the test: what not even a wrong pool can do. */
import { expect } from "chai";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { ETH, borrow } from "../../helpers/reporting.ts";
import type { IStakedEther } from "../../../typechain-types/contracts/token/IStakedEther.ts";

const DAY = 86_400n;
const PER_DAY = 10n ** 15n; // 10 bp, in 1e-18
const MOST = 30n * PER_DAY;
const SHARES = 10n ** 27n; // one ether's at the first rate
const U128 = 2n ** 128n;
const { time } = networkHelpers;

const ceilDiv = (a: bigint, b: bigint) => (a + b - 1n) / b;

/** The token alone, opened with one ether forty days ago; queue and fee receiver are plain accounts. */
async function ledger() {
  const [admin, queue, receiver, alice] = await ethers.getSigners();
  if (admin === undefined || queue === undefined || receiver === undefined || alice === undefined)
    throw new Error("no accounts");
  const authority = await ethers.deployContract("AccessManager", [admin.address]);
  const token = await ethers.deployContract("StakedEther", [authority, queue.address]);
  const stub = await ethers.deployContract("PoolStub", [token]);
  await token.replacePool(stub);
  await stub.open({ value: ETH });
  const pool = token.connect(await borrow(stub));
  await time.increase(40n * DAY);
  return { token, pool, stub, queue, receiver, alice };
}

type Ledger = Awaited<ReturnType<typeof ledger>>;

interface Change {
  readonly gain?: bigint;
  readonly paid?: bigint;
  readonly fee?: bigint;
  readonly burn?: bigint;
}

function rebase({ pool, receiver }: Ledger, { gain = 0n, paid = 0n, fee = 0n, burn = 0n }: Change) {
  const change: IStakedEther.RebaseStruct = {
    etherDelta: gain,
    etherPaid: paid,
    feeShares: fee,
    burnShares: burn,
    elapsed: DAY,
    feeReceiver: receiver,
  };
  return pool.rebase(change);
}

/** Spends all the allowance: the rate rises by three percent. */
async function spent(): Promise<Ledger> {
  const l = await loadFixture(ledger);
  await rebase(l, { gain: (3n * ETH) / 100n });
  return l;
}

async function expectTooFast(call: Promise<unknown>, { token }: Ledger, rise: bigint, allowance: bigint) {
  await expect(call).to.be.revertedWithCustomError(token, "RateRisesTooFast").withArgs(rise, allowance);
}

/** Seconds from the last block to the next. */
async function pass(seconds: bigint): Promise<void> {
  await time.setNextBlockTimestamp(BigInt(await time.latest()) + seconds);
}

/** `seconds` from now a rise by `allowance` passes, as far as whole wei reach it, and a wei more does not. Leaves no trace. */
async function expectAllowance(l: Ledger, seconds: bigint, allowance: bigint): Promise<void> {
  const { totalEther } = await l.token.totals();
  const gain = (totalEther * allowance) / ETH;
  const snapshot = await networkHelpers.takeSnapshot();
  await pass(seconds);
  const rise = ceilDiv((gain + 1n) * ETH, totalEther);
  expect(rise).to.be.greaterThan(allowance);
  await expectTooFast(rebase(l, { gain: gain + 1n }), l, rise, allowance);
  await snapshot.restore();
  await pass(seconds);
  await rebase(l, { gain });
  await snapshot.restore();
}

describe("RateRails: how fast the rate rises", () => {
  it("by three percent at once, when a month's allowance is there, and by nothing more", async () => {
    const l = await loadFixture(ledger);
    await expectAllowance(l, 1n, MOST);
    await rebase(l, { gain: (3n * ETH) / 100n });
    expect(await l.token.rate()).to.equal((103n * 10n ** 27n) / 100n);
  });

  it("by ten basis points a day after that, in seconds", async () => {
    const l = await loadFixture(spent);
    for (const seconds of [1n, 12n, 864n, DAY, 3n * DAY]) await expectAllowance(l, seconds, (seconds * PER_DAY) / DAY);
  });

  it("carries what is unused over for thirty days, and no longer", async () => {
    const l = await loadFixture(spent);
    await expectAllowance(l, 29n * DAY, 29n * PER_DAY);
    for (const days of [30n, 31n, 400n]) await expectAllowance(l, days * DAY, MOST);
  });

  it("keeps what a small rise leaves", async () => {
    const l = await loadFixture(ledger);
    await rebase(l, { gain: ETH / 100n });
    await expectAllowance(l, DAY, MOST - ETH / 100n + PER_DAY);
    await pass(DAY);
    await rebase(l, {});
    await expectAllowance(l, DAY, MOST - ETH / 100n + 2n * PER_DAY);
  });

  it("gives nothing back for a fall, and its recovery is a rise like any", async () => {
    const l = await loadFixture(spent);
    await pass(DAY);
    await rebase(l, { gain: -ETH / 2n });
    await expectAllowance(l, DAY, 2n * PER_DAY);
  });

  it("counts burned shares like a gain", async () => {
    const l = await loadFixture(spent);
    await l.stub.deposit(l.queue, ethers.ZeroAddress, { value: ETH });
    const { totalShares } = await l.token.totals();
    // S falls by x: the rate rises by x / (S - x)
    const burn = (totalShares * PER_DAY) / (ETH + PER_DAY);
    const snapshot = await networkHelpers.takeSnapshot();
    await pass(DAY - 1n);
    await expectTooFast(rebase(l, { burn: burn + 1n }), l, PER_DAY + 1n, PER_DAY);
    await snapshot.restore();
    await pass(DAY - 1n);
    await rebase(l, { burn });
    expect(await l.token.sharesOf(l.queue)).to.be.greaterThan(0n);
  });

  it("does not mind ether that is paid with the shares it was owed for", async () => {
    const l = await loadFixture(spent);
    await l.stub.deposit(l.queue, ethers.ZeroAddress, { value: ETH });
    const [ether, shares] = await l.token.totals();
    const paid = ETH / 3n;
    const burn = (paid * shares) / ether;
    await rebase(l, { paid, burn });
    expect(await l.token.totals()).to.deep.equal([ether - paid, shares - burn]);
    expect(await l.token.rate()).to.equal((ether * 10n ** 36n) / shares);
  });
});

describe("RateRails: what may be minted as fee", () => {
  it("a fifth of a gain, in shares at the rate that follows, and not one more", async () => {
    const l = await loadFixture(ledger);
    for (const gain of [5n, 1_000_003n, ETH / 1_000n + 7n]) {
      const [ether, shares] = await l.token.totals();
      const most = ((gain / 5n) * shares) / (ether + gain - gain / 5n);
      await expect(rebase(l, { gain, fee: most + 1n }))
        .to.be.revertedWithCustomError(l.token, "FeeTooHigh")
        .withArgs(most + 1n, most);
      const held = await l.token.sharesOf(l.receiver);
      await expect(rebase(l, { gain, fee: most })).to.emit(l.token, "TokenRebased");
      expect((await l.token.sharesOf(l.receiver)) - held).to.equal(most);
      expect(await l.token.totals()).to.deep.equal([ether + gain, shares + most]);
      // worth a fifth of the gain at most
      expect((most * (ether + gain)) / (shares + most)).to.be.lessThanOrEqual(gain / 5n);
    }
  });

  it("nothing without a gain: not on payments, burns, losses, nor on four wei", async () => {
    const l = await loadFixture(ledger);
    await l.stub.deposit(l.queue, ethers.ZeroAddress, { value: ETH });
    const paid = ETH / 100n;
    for (const change of [
      { gain: 0n },
      { gain: -1n },
      { gain: -ETH / 10n },
      { gain: 4n },
      { paid, burn: paid * 10n ** 9n },
    ])
      await expect(rebase(l, { ...change, fee: 1n }))
        .to.be.revertedWithCustomError(l.token, "FeeTooHigh")
        .withArgs(1n, 0n);
  });
});

describe("StakedEther: the limits of its numbers", () => {
  it("opens with a hundredth of an ether at least", async () => {
    const [admin] = await ethers.getSigners();
    if (admin === undefined) throw new Error("no account");
    const authority = await ethers.deployContract("AccessManager", [admin.address]);
    const token = await ethers.deployContract("StakedEther", [authority, admin.address]);
    const stub = await ethers.deployContract("PoolStub", [token]);
    await token.replacePool(stub);
    for (const amount of [0n, ETH / 100n - 1n])
      await expect(stub.open({ value: amount }))
        .to.be.revertedWithCustomError(token, "BootstrapTooSmall")
        .withArgs(amount, ETH / 100n);
    await expect(stub.open({ value: ETH / 100n }))
      .to.emit(token, "Transfer")
      .withArgs(ethers.ZeroAddress, await token.LOCKED(), ETH / 100n);
    expect(await token.totals()).to.deep.equal([ETH / 100n, SHARES / 100n]);
    await expect(stub.open({ value: ETH }))
      .to.be.revertedWithCustomError(token, "AlreadyBootstrapped")
      .withArgs(SHARES / 100n);
  });

  it("refuses a report that would leave no ether or no shares, or less than that", async () => {
    const l = await loadFixture(ledger);
    await l.stub.deposit(l.queue, ethers.ZeroAddress, { value: ETH });
    const [ether, shares] = await l.token.totals();
    for (const change of [{ gain: -ether }, { paid: ether }, { gain: -ETH, paid: ETH }])
      await expect(rebase(l, change)).to.be.revertedWithCustomError(l.token, "RateOutOfRange").withArgs();
    await expect(rebase(l, { burn: shares }))
      .to.be.revertedWithCustomError(l.token, "RateOutOfRange")
      .withArgs();
    await expect(rebase(l, { gain: -ether - 1n }))
      .to.be.revertedWithCustomError(l.token, "SafeCastOverflowedIntToUint")
      .withArgs(-1n);
    for (const change of [{ paid: ether + 1n }, { burn: shares + 1n }])
      await expect(rebase(l, change)).to.be.revertedWithPanic(0x11n);
    // no more than the queue holds
    await expect(rebase(l, { burn: SHARES + 1n, gain: -ETH })).to.be.revertedWithPanic(0x11n);
    expect(await l.token.totals()).to.deep.equal([ether, shares]);
  });

  it("refuses a rate of one ray or less, which marks an unwritten place of the history", async () => {
    const l = await loadFixture(ledger);
    await l.pool.mint(l.alice, 10n ** 29n - ETH); // 100 wei are now a rate of one
    const { totalEther, totalShares } = await l.token.totals();
    expect(totalShares).to.equal(10n ** 38n);
    for (const left of [1n, 99n, 100n, 199n])
      await expect(rebase(l, { gain: left - totalEther }))
        .to.be.revertedWithCustomError(l.token, "RateOutOfRange")
        .withArgs();
    await rebase(l, { gain: 200n - totalEther });
    expect(await l.token.rate()).to.equal(2n);
    expect(await l.token.rateAt(await time.latest())).to.equal(2n);
  });

  it("refuses a total above its type", async () => {
    const l = await loadFixture(ledger);
    await expect(rebase(l, { gain: U128 })).to.be.revertedWithCustomError(l.token, "SafeCastOverflowedUintDowncast");
    await expect(rebase(l, { gain: 2n ** 255n - 1n })).to.be.revertedWithPanic(0x11n);
  });

  it("refuses a rate that the queue and the pool can't keep in 104 bits, after twenty-seven years of three percent a month", async () => {
    const l = await loadFixture(ledger);
    const limit = 2n ** 104n;
    let rate = await l.token.rate();
    for (;;) {
      const { totalEther, totalShares } = await l.token.totals();
      const gain = (totalEther * MOST) / ETH;
      await pass(30n * DAY);
      if (((totalEther + gain) * 10n ** 36n) / totalShares >= limit) {
        await expect(rebase(l, { gain })).to.be.revertedWithCustomError(l.token, "RateOutOfRange").withArgs();
        break;
      }
      await rebase(l, { gain });
      rate = await l.token.rate();
    }
    expect(rate).to.be.within((limit * 97n) / 100n, limit - 1n);
    // nothing else is in the way
    await rebase(l, { gain: 1n });
    await l.stub.deposit(l.alice, ethers.ZeroAddress, { value: ETH });
    expect(await l.token.balanceOf(l.alice)).to.equal(ETH);
  });
});

describe("StakedEther: the pool it obeys", () => {
  it("is the one that governance placed last, and the old one no longer", async () => {
    const l = await loadFixture(ledger);
    const next = await ethers.deployContract("PoolStub", [l.token]);
    // the stub does not hand over: the change is refused as a whole
    await expect(l.token.replacePool(next)).to.revert(ethers);
    expect(await l.token.pool()).to.equal(await l.stub.getAddress());
    for (const call of [
      () => next.deposit(l.alice, ethers.ZeroAddress, { value: 1n }),
      () => next.open({ value: ETH }),
    ])
      await expect(call()).to.be.revertedWithCustomError(l.token, "OnlyPool").withArgs(next, l.stub);
  });

  it("tells nobody before there is one", async () => {
    const [admin, alice] = await ethers.getSigners();
    if (admin === undefined || alice === undefined) throw new Error("no accounts");
    const authority = await ethers.deployContract("AccessManager", [admin.address]);
    const token = await ethers.deployContract("StakedEther", [authority, admin.address]);
    await expect(token.connect(alice).mint(alice, 1n))
      .to.be.revertedWithCustomError(token, "OnlyPool")
      .withArgs(alice, ethers.ZeroAddress);
    const stub = await ethers.deployContract("PoolStub", [token]);
    await expect(token.replacePool(stub)).to.emit(token, "PoolChanged").withArgs(ethers.ZeroAddress, stub);
  });

  it("keeps the rates of the last 400 reports, the first one included until then", async () => {
    const l = await loadFixture(ledger);
    const { token } = l;
    const times = [(await token.queryFilter(token.filters.Transfer()))[0]?.blockNumber ?? 0];
    const opened = (await ethers.provider.getBlock(times[0] ?? 0))?.timestamp ?? 0;
    await expect(token.rateAt(opened - 1))
      .to.be.revertedWithCustomError(token, "NoRateAt")
      .withArgs(opened - 1);
    const rates: [number, bigint][] = [[opened, await token.rate()]];
    for (let n = 0; n < 400; n++) {
      await time.increase(3_600);
      await rebase(l, n % 10 === 0 ? { gain: 10n ** 12n } : {});
      rates.push([await time.latest(), await token.rate()]);
      if (n === 398) expect(await token.rateAt(opened)).to.equal(rates[0]?.[1]);
    }
    await expect(token.rateAt(opened)).to.be.revertedWithCustomError(token, "NoRateAt").withArgs(opened);
    for (const [at, rate] of rates.slice(1)) expect(await token.rateAt(at)).to.equal(rate);
    expect(await token.rateAt(2n ** 40n)).to.equal(await token.rate());
  });

  it("I11: allow the longest report at once, so that no donation blocks the first one", async () => {
    const [admin, queue, receiver] = await ethers.getSigners();
    if (admin === undefined || queue === undefined || receiver === undefined) throw new Error("no accounts");
    const authority = await ethers.deployContract("AccessManager", [admin.address]);
    const token = await ethers.deployContract("StakedEther", [authority, queue.address]);
    const stub = await ethers.deployContract("PoolStub", [token]);
    await token.replacePool(stub);
    await stub.open({ value: ETH });
    // two frames of a day at the 30% a year that a pool may at most recognise
    const gain = (ETH * 3_000n * 2n) / (10_000n * 365n);
    const change = { etherDelta: gain, etherPaid: 0n, burnShares: 0n, elapsed: 2n * DAY, feeReceiver: receiver };
    await stub.rebase({ ...change, feeShares: 0n });
    expect(await token.getTotalPooledEther()).to.equal(ETH + gain);
  });
});
