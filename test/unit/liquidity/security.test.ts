/** EtherPool and Router: what broke in models and elsewhere, each a regression test, and the list of attacks. */
import { expect } from "chai";
import type { EtherPool } from "../../../typechain-types/index.ts";
import { worthOf } from "../../helpers/feeCurve.ts";
import { ethers, loadFixture, networkHelpers } from "../../helpers/network.ts";
import { ETH } from "../../helpers/reporting.ts";
import { NEVER, NOT_CALM, PARAMETERS, SEED, UNIT, books, liquid, scarce, totalsOf, unitsOf } from "./fixture.ts";
import type { Liquid } from "./fixture.ts";

const NO_LIMIT = ethers.MaxUint256;
const ALL = 10_000n;
const NOBODY = ethers.ZeroAddress;

/** Wei at the rate: ether, estETH and the part of the pool. Gas is not counted: Hardhat's accounts pay it, so ether is kept apart. */
async function worthInPool(p: Liquid, who: { readonly address: string }): Promise<bigint> {
  const { ether_, units, lp } = await books(p);
  const held = await p.etherPool.balanceOf(who.address);
  const totals = await totalsOf(p);
  const shares = await p.token.sharesOf(who.address);
  return (ether_ * held) / lp + worthOf((units * held) / lp + shares / UNIT, totals);
}

/** Of each of `acts` in turn what its sender's ether changed by, gas apart. */
async function etherOf(p: Liquid, who: { readonly address: string }, act: () => Promise<unknown>): Promise<bigint> {
  const before = await ethers.provider.getBalance(who.address);
  await networkHelpers.setNextBlockBaseFeePerGas(0n);
  await act();
  return (await ethers.provider.getBalance(who.address)) - before;
}

/** Free of charge, so that ether is what calls moved. */
const FREE = { gasPrice: 0n };

describe("EtherPool and Router: regressions", () => {
  it("regression, liquidity: a fee by the end state of the whole swap: pieces of a sale get no more than the whole", async () => {
    // as at Meta Pool: 18.3 of 30 ETH are left, and 15 are sold. There 15 sales of one got 14.497, one of 15 got 14.328
    const p = await loadFixture(liquid);
    const pool = await ethers.deployContract("EtherPool", [p.token, PARAMETERS], { value: 100n * ETH });
    await p.token.connect(p.alice).approve(pool, NO_LIMIT);
    await pool.connect(p.alice).sellFor(817n * (ETH / 10n), NO_LIMIT, p.alice);
    expect(await pool.targetEther()).to.equal(30n * ETH);
    const units = await unitsOf(p, 15n * ETH);
    const whole = await pool.quoteSell(units);
    let pieces = 0n;
    for (let i = 0n; i < 15n; i++) {
      const piece = units / 15n + (i === 0n ? units % 15n : 0n);
      const paid = await pool.quoteSell(piece);
      await pool.connect(p.alice).sell(piece, paid, p.alice);
      pieces += paid;
    }
    expect(pieces).to.be.lessThan(whole + 1n);
    expect(whole - pieces).to.be.lessThan(16n);
    expect(whole).to.be.closeTo((14_725n * ETH) / 1_000n, ETH / 20n);
  });

  it("regression, liquidity: LPs enter with one asset at NAV: a flash entry moves neither asset nor price", async () => {
    const p = await loadFixture(scarce);
    const [before, fee, room] = [await books(p), await p.etherPool.marginalFee(), await p.etherPool.buyable()];
    // ten times the pool, and out again: it has less of both, the standing LPs have more
    const lp = 10n * before.lp;
    const [ether_, units] = await p.etherPool.quoteEnter(lp);
    await p.pool.connect(p.carol).deposit(p.carol, NOBODY, { value: 2_000n * ETH });
    await p.etherPool.connect(p.carol).enter(lp, units, p.carol, { value: ether_ });
    expect(await p.etherPool.marginalFee()).to.be.closeTo(fee, fee / 1_000n);
    const [out, back] = await p.etherPool.quoteExit(lp);
    await p.etherPool.connect(p.carol).exit(lp, out, back, p.carol);
    expect(out).to.be.lessThan(ether_);
    expect(back).to.be.lessThan(units);
    const after = await books(p);
    expect(after.lp).to.equal(before.lp);
    expect(after.ether_).to.be.greaterThan(before.ether_);
    expect(after.units).to.be.greaterThan(before.units);
    expect(await p.etherPool.buyable()).to.be.lessThan(room + 1n);
    // nor with ether alone through the Router: what comes out is its part of both
    await p.router.connect(p.dave).provide(0n, ALL, p.dave, NEVER, { value: 100n * ETH });
    const held = await p.etherPool.balanceOf(p.dave);
    const [part, rest] = await p.etherPool.quoteExit(held);
    const fraction = (await books(p)).ether_;
    expect(part * (await books(p)).lp).to.be.closeTo(fraction * held, (await books(p)).lp);
    expect(part + worthOf(rest, await totalsOf(p))).to.be.lessThan(100n * ETH);
  });

  it("regression, liquidity: one limit where two assets are added: an entrant behind a sale that emptied the pool is refused", async () => {
    const p = await loadFixture(liquid);
    const lp = 10n * ETH;
    const [ether_, units] = await p.etherPool.quoteEnter(lp);
    const limits = { value: (ether_ * 201n) / 200n, units: (units * 201n) / 200n };
    await p.pool.connect(p.carol).deposit(p.carol, NOBODY, { value: 50n * ETH });
    await p.etherPool.connect(p.alice).sellFor((await books(p)).ether_, NO_LIMIT, p.alice);
    const [, wanted] = await p.etherPool.quoteEnter(lp);
    await expect(p.etherPool.connect(p.carol).enter(lp, limits.units, p.carol, { value: limits.value }))
      .to.be.revertedWithCustomError(p.etherPool, "AboveMaximum")
      .withArgs(wanted, limits.units);
    await expect(p.router.connect(p.dave).provide(0n, 30n, p.dave, NEVER, { value: ETH }))
      .to.be.revertedWithCustomError(p.router, "MarginalFeeAboveMaximum")
      .withArgs(30_000_000n, 30n);
    // the other way round: ether in front of the entrant
    const s = await loadFixture(scarce);
    const [less, more] = await s.etherPool.quoteEnter(lp);
    await s.etherPool.connect(s.dave).buy(0n, s.dave, { value: await s.etherPool.buyable() });
    const [costs] = await s.etherPool.quoteEnter(lp);
    const limit = (less * 201n) / 200n;
    await expect(s.etherPool.connect(s.alice).enter(lp, (more * 201n) / 200n, s.alice, { value: limit }))
      .to.be.revertedWithCustomError(s.etherPool, "AboveMaximum")
      .withArgs(costs, limit);
  });

  it("L8: pushing the market as far as limits of 0.5% let an entrant in pays nobody", async () => {
    const p = await loadFixture(liquid);
    await p.pool.connect(p.carol).deposit(p.carol, NOBODY, { value: 2_000n * ETH });
    for (const lp of [10n * ETH, 500n * ETH]) {
      const snapshot = await networkHelpers.takeSnapshot();
      const [ether_, units] = await p.etherPool.quoteEnter(lp);
      const limits = { value: (ether_ * 201n) / 200n, units: (units * 201n) / 200n };
      const start = await worthInPool(p, p.alice);
      // units may cost half a percent more: that much may be sold in front
      const pushed = (await books(p)).units / 201n;
      let moved = await etherOf(p, p.alice, () => p.etherPool.connect(p.alice).sell(pushed, 0n, p.alice, FREE));
      await p.etherPool.connect(p.carol).enter(lp, limits.units, p.carol, { value: limits.value });
      const room = await p.etherPool.buyable();
      if (room > 0n)
        moved += await etherOf(p, p.alice, () =>
          p.etherPool.connect(p.alice).buy(0n, p.alice, { value: room < moved ? room : moved, ...FREE }),
        );
      expect((await worthInPool(p, p.alice)) + moved).to.be.lessThan(start);
      await snapshot.restore();
    }
  });

  it("regression, liquidity: a rebate larger than the fee: refused, and at its largest a round trip earns nothing", async () => {
    const p = await loadFixture(liquid);
    const factory = await ethers.getContractFactory("EtherPool");
    const open = (rebateBp: bigint) =>
      ethers.deployContract("EtherPool", [p.token, { ...PARAMETERS, rebateBp }], { value: 100n * ETH });
    await expect(open(10_001n)).to.be.revertedWithCustomError(factory, "OutOfRange").withArgs(10_001n, 0n, 10_000n);
    const pool = await open(10_000n);
    await p.token.connect(p.alice).approve(pool, NO_LIMIT);
    await pool.connect(p.alice).sellFor(70n * ETH, NO_LIMIT, p.alice); // at the target
    for (const amount of [30n * ETH, 7n * ETH, 12_345n]) {
      const had = await p.token.sharesOf(p.alice);
      await pool.connect(p.alice).sellFor(amount, NO_LIMIT, p.alice);
      await pool.connect(p.alice).buy(0n, p.alice, { value: amount });
      expect(await p.token.sharesOf(p.alice)).to.be.lessThan(had);
    }
  });

  it("regression, liquidity: the Router takes any leg: a wei of room, or two that can be sold, stop nobody", async () => {
    for (const room of [1n, 2n]) {
      const p = await loadFixture(scarce);
      await p.etherPool.connect(p.carol).buy(0n, p.carol, { value: (await p.etherPool.buyable()) - room });
      expect(await p.etherPool.buyable()).to.equal(room);
      for (const wrapped of [false, true])
        await p.router.connect(p.dave).stake(p.dave, NOBODY, 1n, wrapped, NEVER, { value: ETH });
    }
    const p = await loadFixture(scarce);
    const fee = (await p.etherPool.marginalFee()) / 100_000n + 1n;
    while ((await p.etherPool.sellableWithin(fee)) > 2n) {
      const units = await p.etherPool.sellableWithin(fee);
      await p.etherPool.connect(p.alice).sell(units > 1_000n ? units - 2n : units - 1n, 0n, p.alice);
    }
    expect(await p.etherPool.sellableWithin(fee)).to.be.greaterThan(0n);
    const sent = p.router.connect(p.alice).leaveShares(ETH * UNIT, fee, 0n, p.dave, NEVER);
    await expect(sent).not.to.emit(p.etherPool, "Sold");
    expect(await p.queue.ownerOf(1n)).to.equal(p.dave.address);
  });

  it("regression, liquidity: a market that trades while a fall is known: none once a slashing is proven, LPs leave whole", async () => {
    const p = await loadFixture(liquid);
    await NOT_CALM["slashings are proven"]?.(p);
    await expect(p.etherPool.connect(p.alice).sell(await unitsOf(p, ETH), 0n, p.alice)).to.be.revertedWithCustomError(
      p.etherPool,
      "NotCalm",
    );
    const { ether_, units, lp } = await books(p);
    const held = await p.etherPool.balanceOf(p.bob);
    await p.etherPool.connect(p.bob).exit(held, (ether_ * held) / lp, (units * held) / lp, p.bob);
  });

  it("regression, liquidity: what is paused while requests are: nobody leaves through LPs by an exit that the protocol closed", async () => {
    const p = await loadFixture(liquid);
    await p.queue.connect(p.guardian).pauseRequests(true);
    await expect(
      p.router.connect(p.alice).leaveShares(ETH * UNIT, ALL, 0n, p.alice, NEVER),
    ).to.be.revertedWithCustomError(p.router, "NothingToDo");
    await expect(p.etherPool.connect(p.alice).sellFor(ETH, NO_LIMIT, p.alice)).to.be.revertedWithCustomError(
      p.etherPool,
      "NotCalm",
    );
  });
});

describe("EtherPool and Router: attacks", () => {
  it("round trips in every order lose", async () => {
    const p = await loadFixture(scarce);
    await p.etherPool.connect(p.alice).approve(p.router, NO_LIMIT);
    const room = await p.etherPool.buyable();
    const units = await unitsOf(p, 3n * ETH);
    const rebates = 10n ** 17n; // half of what the scarcity of 30 ETH cost its seller, rounded up
    const acts: Readonly<Record<string, () => Promise<unknown>>> = {
      sell: () => p.etherPool.connect(p.alice).sell(units, 0n, p.alice, FREE),
      buy: () => p.etherPool.connect(p.alice).buy(0n, p.alice, { value: 3n * ETH, ...FREE }),
      enter: async () => {
        const [ether_] = await p.etherPool.quoteEnter(50n * ETH);
        return p.etherPool.connect(p.alice).enter(50n * ETH, NO_LIMIT, p.alice, { value: ether_, ...FREE });
      },
    };
    const names = Object.keys(acts);
    const orders = names.flatMap((a) => names.flatMap((b) => names.map((c) => [a, b, c])));
    expect(room).to.be.greaterThan(9n * ETH);
    for (const order of orders) {
      const snapshot = await networkHelpers.takeSnapshot();
      const start = await worthInPool(p, p.alice);
      let moved = 0n;
      for (const name of order) moved += await etherOf(p, p.alice, acts[name] ?? (() => Promise.resolve()));
      const lp = await p.etherPool.balanceOf(p.alice);
      if (lp > 0n)
        moved += await etherOf(p, p.alice, () => p.etherPool.connect(p.alice).exit(lp, 0n, 0n, p.alice, FREE));
      const gain = (await worthInPool(p, p.alice)) + moved - start;
      const bought = order.includes("buy");
      expect(gain, order.join(", ")).to.be.lessThan(bought ? rebates * BigInt(order.length) : 1n);
      await snapshot.restore();
    }
  });

  it("forced ether and donated shares, before the pool opens and between calls, change no price and no part", async () => {
    const p = await loadFixture(liquid);
    const donor = await ethers.getContractFactory("EtherPool");
    const at = ethers.getCreateAddress({
      from: p.carol.address,
      nonce: await ethers.provider.getTransactionCount(p.carol.address),
    });
    await networkHelpers.setBalance(at, 5n * ETH);
    await p.token.connect(p.alice).transferShares(at, ETH * UNIT);
    const pool = (await donor.connect(p.carol).deploy(p.token, PARAMETERS, { value: SEED })) as EtherPool;
    expect(await pool.getAddress()).to.equal(at);
    expect([...(await pool.reserves())]).to.deep.equal([SEED, 0n]);
    expect(await pool.value()).to.equal(SEED);

    const quotes = async () => [
      await p.etherPool.quoteSell(ETH),
      await p.etherPool.quoteSellFor(ETH),
      ...(await p.etherPool.quoteEnter(ETH)),
      ...(await p.etherPool.quoteExit(ETH)),
      await p.etherPool.value(),
      await p.etherPool.marginalFee(),
      await p.etherPool.sellableWithin(30n),
      await p.etherPool.buyable(),
    ];
    const before = await quotes();
    await networkHelpers.setBalance(
      await p.etherPool.getAddress(),
      (await ethers.provider.getBalance(p.etherPool)) + 100n * ETH,
    );
    await p.token.connect(p.alice).transferShares(p.etherPool, 100n * ETH * UNIT);
    expect(await quotes()).to.deep.equal(before);
    const held = await p.etherPool.balanceOf(p.bob);
    const [ether_, units] = await p.etherPool.quoteExit(held);
    await p.etherPool.connect(p.bob).exit(held, ether_, units, p.bob);
    expect(await ethers.provider.getBalance(p.etherPool)).to.be.greaterThan(100n * ETH);

    // what was forced into the Router stays there, whatever is called
    await networkHelpers.setBalance(await p.router.getAddress(), ETH);
    await p.token.connect(p.alice).transferShares(p.router, ETH * UNIT);
    await p.router.connect(p.alice).leaveShares(ETH * UNIT, ALL, 0n, p.dave, NEVER);
    await p.router.connect(p.carol).stake(p.carol, NOBODY, 0n, true, NEVER, { value: ETH });
    await p.router.connect(p.carol).provide(0n, ALL, p.carol, NEVER, { value: ETH });
    expect(await ethers.provider.getBalance(p.router)).to.equal(ETH);
    expect(await p.token.sharesOf(p.router)).to.equal(ETH * UNIT);
  });

  /** Every function of the pool that changes something, as calls of the receiver. */
  function everyCall({ etherPool, router }: Liquid, receiver: string) {
    const pool = etherPool.interface;
    const route = router.interface;
    return {
      pool: [
        { data: pool.encodeFunctionData("sell", [ETH, 0n, receiver]), value: 0n },
        { data: pool.encodeFunctionData("sellFor", [1_000n, NO_LIMIT, receiver]), value: 0n },
        { data: pool.encodeFunctionData("buy", [0n, receiver]), value: 1_000n },
        { data: pool.encodeFunctionData("enter", [1_000n, NO_LIMIT, receiver]), value: 10_000n },
        { data: pool.encodeFunctionData("exit", [1_000n, 0n, 0n, receiver]), value: 0n },
      ],
      router: [
        { data: route.encodeFunctionData("leaveShares", [ETH, ALL, 0n, receiver, NEVER]), value: 0n },
        { data: route.encodeFunctionData("provide", [0n, ALL, receiver, NEVER]), value: ETH },
        { data: route.encodeFunctionData("exitToEther", [1_000n, ALL, 0n, receiver, NEVER]), value: 0n },
      ],
    };
  }

  it("a receiver that re-enters every function is refused, and every view it reads is final", async () => {
    const p = await loadFixture(scarce);
    const receiver = await ethers.deployContract("ScriptedReceiver");
    const address = await receiver.getAddress();
    const run = (target: { getAddress(): Promise<string> }, data: string, value = 0n) =>
      target.getAddress().then((to) => receiver.execute(to, data, { value }));
    // it holds some of everything, and approved it
    await p.token.connect(p.alice).transferShares(receiver, 20n * ETH * UNIT);
    await p.etherPool.connect(p.bob).transfer(receiver, 10n * ETH);
    await networkHelpers.setBalance(address, 50n * ETH);
    for (const spender of [p.etherPool, p.router]) {
      const approve = p.token.interface.encodeFunctionData("approve", [await spender.getAddress(), NO_LIMIT]);
      await run(p.token, approve);
      await run(p.etherPool, approve);
    }
    const calls = everyCall(p, address);
    const [pool, router] = [await p.etherPool.getAddress(), await p.router.getAddress()];
    const views = [
      p.etherPool.interface.encodeFunctionData("reserves"),
      p.etherPool.interface.encodeFunctionData("value"),
      p.etherPool.interface.encodeFunctionData("marginalFee"),
      p.etherPool.interface.encodeFunctionData("buyable"),
      p.etherPool.interface.encodeFunctionData("sellableWithin", [100n]),
      p.etherPool.interface.encodeFunctionData("totalSupply"),
      p.etherPool.interface.encodeFunctionData("balanceOf", [address]),
      p.etherPool.interface.encodeFunctionData("quoteExit", [ETH]),
      p.etherPool.interface.encodeFunctionData("quoteEnter", [ETH]),
    ];
    const script = [
      ...calls.pool.map(({ data, value }) => ({ target: pool, data, value })),
      ...calls.router.map(({ data, value }) => ({ target: router, data, value })),
      ...views.map((data) => ({ target: pool, data, value: 0n })),
    ];
    const reentered = ethers.id("ReentrancyGuardReentrantCall()").slice(0, 10);
    const entry = p.etherPool.interface.encodeFunctionData("enter", [ETH, NO_LIMIT, address]);
    const triggers = [
      () => run(p.etherPool, p.etherPool.interface.encodeFunctionData("sell", [ETH, 0n, address])),
      () => run(p.etherPool, p.etherPool.interface.encodeFunctionData("sellFor", [ETH, NO_LIMIT, address])),
      () => run(p.etherPool, entry, 2n * ETH), // what is too much comes back
      () => run(p.etherPool, p.etherPool.interface.encodeFunctionData("exit", [ETH, 0n, 0n, address])),
      () => run(p.router, p.router.interface.encodeFunctionData("leaveShares", [ETH * UNIT, ALL, 0n, address, NEVER])),
    ];
    for (const trigger of triggers) {
      await receiver.setScript(script);
      await trigger();
      const results = await receiver.results();
      expect(results).to.have.length(script.length);
      results.slice(0, calls.pool.length).forEach(({ done, answer }) => {
        expect(done).to.equal(false);
        expect(answer.slice(0, 10)).to.equal(reentered);
      });
      results.slice(calls.pool.length, calls.pool.length + calls.router.length).forEach(({ done }) => {
        expect(done).to.equal(false);
      });
      const read = results.slice(-views.length).map(({ answer }) => answer);
      const now = await Promise.all(views.map((data) => ethers.provider.call({ to: pool, data })));
      expect(read).to.deep.equal(now);
    }
    await receiver.setScript([]);
  });

  it("a receiver that re-enters the Router while it gets what the Router sends takes nothing of anybody's", async () => {
    const p = await loadFixture(liquid);
    const receiver = await ethers.deployContract("ScriptedReceiver");
    const address = await receiver.getAddress();
    await p.etherPool.connect(p.bob).approve(p.router, NO_LIMIT);
    await networkHelpers.setBalance(address, 50n * ETH);
    const stake = p.router.interface.encodeFunctionData("stake", [address, NOBODY, 0n, true, NEVER]);
    const leave = p.router.interface.encodeFunctionData("leaveShares", [ETH * UNIT, ALL, 0n, address, NEVER]);
    const router = await p.router.getAddress();
    await receiver.setScript([
      { target: router, data: stake, value: ETH },
      { target: router, data: leave, value: 0n },
      { target: router, data: "0x", value: 1n },
    ]);
    const [expected] = await p.router.connect(p.bob).exitToEther.staticCall(ETH, ALL, 0n, p.dave, NEVER);
    await p.router.connect(p.bob).exitToEther(ETH, ALL, expected, address, NEVER);
    const [staked, left, sent] = await receiver.results();
    expect([staked?.done, left?.done, sent?.done]).to.deep.equal([true, false, false]);
    expect(await ethers.provider.getBalance(receiver)).to.equal(50n * ETH + expected - ETH);
    expect(await ethers.provider.getBalance(router)).to.equal(0n);
    expect(await p.token.sharesOf(router)).to.equal(0n);
  });

  it("R3: whoever is named, receiver or referral, is sent ether and nothing else", async () => {
    const p = await loadFixture(scarce);
    // takes ether without data alone: any call with data is refused, and would fail what made it
    const named = await ethers.deployContract("ScriptedReceiver");
    const refusing = await ethers.deployContract("RefusingOwner");
    await p.etherPool.connect(p.bob).approve(p.router, NO_LIMIT);
    await p.router.connect(p.carol).stake(named, refusing, 0n, false, NEVER, { value: ETH });
    await p.router.connect(p.carol).stake(named, refusing, 0n, true, NEVER, { value: 100n * ETH });
    await p.router.connect(p.carol).provide(0n, ALL, named, NEVER, { value: ETH });
    await p.router.connect(p.alice).leaveShares(100n * ETH * UNIT, ALL, 0n, named, NEVER);
    await p.router.connect(p.bob).exitToEther(ETH, ALL, 0n, named, NEVER);
    expect(await p.queue.balanceOf(named)).to.equal(2n);
  });

  it("has no owner, no role, and nothing that changes its parameters", async () => {
    const p = await loadFixture(liquid);
    for (const contract of [p.etherPool, p.router]) {
      const changing = contract.interface.fragments.flatMap((fragment) =>
        fragment.type === "function" && !("constant" in fragment && fragment.constant)
          ? [(fragment as { name?: string }).name ?? ""]
          : [],
      );
      expect(changing.filter((name) => /set|owner|pause|sweep|upgrade|admin|role|fee/i.test(name))).to.deep.equal([]);
    }
  });
});

describe("EtherPool: rates far from one", () => {
  const SLOTS = 16n;

  /** Writes T so that a unit is worth `numerator / denominator` of what it was. */
  async function scaleRate(p: Liquid, numerator: bigint, denominator: bigint): Promise<void> {
    const { totalEther, totalShares } = await totalsOf(p);
    const word = (totalShares << 128n) | totalEther;
    for (let slot = 0n; slot < SLOTS; slot++) {
      const read = await ethers.provider.getStorage(p.token, slot);
      if (BigInt(read) !== word) continue;
      const scaled = (totalShares << 128n) | ((totalEther * numerator) / denominator);
      await networkHelpers.setStorageAt(await p.token.getAddress(), slot, scaled);
      return;
    }
    throw new Error("no slot holds the totals");
  }

  for (const [name, numerator, denominator] of [
    ["a half", 1n, 2n],
    ["20 times", 20n, 1n],
    ["the highest that the token keeps", 19_000n, 1n],
    ["a millionth", 1n, 1_000_000n],
  ] as const)
    it(`at ${name}, sales, purchases, entries and exits are at it, and the pool owns what it says`, async () => {
      const p = await loadFixture(scarce);
      await scaleRate(p, numerator, denominator);
      const totals = await totalsOf(p);
      const { ether_, units } = await books(p);
      expect(await p.etherPool.value()).to.equal(ether_ + worthOf(units, totals));
      const some = (await p.etherPool.sellableWithin(200n)) / 2n + 1n;
      const paid = await p.etherPool.quoteSell(some);
      const worth = worthOf(some, totals);
      expect(paid).to.be.lessThan(worth + 1n);
      expect((paid + 1n) * 10_300n).to.be.greaterThan((worth - 1n) * 10_000n);
      if ((await p.token.sharesOf(p.alice)) >= some * UNIT)
        await p.etherPool.connect(p.alice).sell(some, paid, p.alice);
      // a unit below a wei is worth nothing by itself
      if (numerator < denominator)
        await expect(p.etherPool.quoteSell(1n)).to.be.revertedWithCustomError(p.etherPool, "ZeroAmount");
      const room = await p.etherPool.buyable();
      expect(room).to.be.greaterThan(0n);
      const bought = await p.etherPool.quoteBuy(room);
      expect(bought).to.be.lessThan((await books(p)).units + 1n);
      await p.etherPool.connect(p.carol).buy(bought, p.carol, { value: room });
      const [in_, more] = await p.etherPool.quoteEnter(ETH);
      await p.etherPool.connect(p.alice).enter(ETH, more, p.alice, { value: in_ });
      await p.etherPool.connect(p.alice).exit(ETH, 0n, 0n, p.alice);
      const [left, count] = await p.etherPool.reserves();
      expect(await ethers.provider.getBalance(p.etherPool)).to.equal(left);
      expect(await p.token.sharesOf(p.etherPool)).to.equal(count * UNIT);
      const provided = p.router.connect(p.dave).provide(0n, ALL, p.dave, NEVER, { value: ETH });
      const { depositCeiling } = await p.pool.books();
      if (totals.totalEther > depositCeiling) {
        await expect(provided).to.be.revertedWithCustomError(p.pool, "DepositCapReached");
        return;
      }
      await provided;
      expect(await p.etherPool.balanceOf(p.dave)).to.be.greaterThan(0n);
    });
});
