import { expect } from "chai";
import { network } from "hardhat";
import { DemoMarket } from "../../devnet/demo/liquidity.ts";
import { isEqual, reconcile, residualWei } from "../../devnet/demo/reconcile.ts";
import { tellStory } from "../../devnet/demo/story.ts";
import { DemoWorld, ETH } from "../../devnet/demo/world.ts";
import { startLocalProtocol } from "../../devnet/simulated/localProtocol.ts";
import { wei, gwei } from "../../offchain/protocol/units.ts";

describe("The demo", () => {
  it("goes through the whole life cycle and reconciles to the wei", async () => {
    const heard: string[] = [];
    const details: string[] = [];
    const result = await tellStory(await network.create(), {
      onStep: ({ name }, detail) => {
        heard.push(name);
        details.push(detail);
      },
      onProgress: () => undefined,
    });
    expect(result.reconciliation.filter((line) => !isEqual(line))).to.deep.equal([]);
    expect(result.residualWei).to.equal("0");
    expect(result.ok).to.equal(true);
    expect(result.steps.map(({ name }) => name)).to.deep.equal(heard);
    expect(result.validators).to.deep.equal({ proven: 7, funded: 7, exited: 5, slashed: 1, ejected: 1 });
    expect(result.aprBp).to.be.within(200, 400);
    expect(heard).to.include.members(["LP enters", "leave at once", "arbitrage brings ether", "LP leaves"]);
    const units = result.reconciliation.map(({ unit, name }) => `${name} (${unit})`);
    expect(units).to.include.members(["the EtherPool's estETH, booked (units)", "LP of the lender (LP)"]);
    expect(details.some((line) => line.includes("too young to leave"))).to.equal(true);
    for (const name of ["depositedWei", "rewardsWei", "feeWei", "lossWei", "claimedWei", "pooledWei"] as const)
      expect(BigInt(result.totals[name]) > 0n, name).to.equal(true);
  });

  /** Two stakers, two validators, a request, and two reports. */
  async function shortStory(): Promise<DemoWorld> {
    const world = await DemoWorld.open(await startLocalProtocol(await network.create()));
    const { p } = world;
    await world.stake(p.alice, 70n * ETH);
    await world.stakeWrapped(p.carol, 5n * ETH);
    const { feeBp } = await p.operators.tier(0);
    await world.predepositAndProve({ id: p.operatorId, owner: p.nodeOperator, tier: 0, feeBp }, 2, 0);
    expect(await world.fundAll()).to.equal(2);
    await world.report();
    await world.request(p.alice, ETH);
    return world;
  }

  async function differing(world: DemoWorld): Promise<string[]> {
    const { lines } = await reconcile(world);
    const names = lines.filter((line) => !isEqual(line)).map(({ name }) => name);
    const inWei = lines.some((line) => line.unit === "wei" && !isEqual(line));
    expect(residualWei(lines) > 0n, "the residual counts what differs in wei").to.equal(inWei);
    return names;
  }

  it("does not reconcile with a wei that nobody staked or a gwei that no validator has", async () => {
    const world = await shortStory();
    await world.report();
    expect(await differing(world)).to.deep.equal([]);

    const { p } = world;
    world.deposited -= 1n;
    expect(await differing(world)).to.deep.equal(["pooled = deposited + bonds + recognised - claimed - owed"]);
    world.deposited += 1n;

    const { clBalanceGwei } = await p.committee.read();
    await world.report({ clBalanceGwei: gwei(clBalanceGwei + 1n) });
    const wrong = await differing(world);
    expect(wrong).to.include.members(["pooled ether T", "ether at validators", "shares of the treasury"]);
    expect(wrong).to.not.include("shares of alice");

    world.books.deposit(p.alice.address, wei(1n), world.books.books.openUntil);
    expect(await differing(world)).to.include("shares of alice");
  });

  it("does not reconcile with a wei that somebody gave the EtherPool, or a sale that only the chain knows", async () => {
    const connection = await network.create();
    const world = await DemoWorld.open(await startLocalProtocol(connection));
    const { p } = world;
    const [purse] = (await connection.ethers.getSigners()).slice(12);
    if (purse === undefined) throw new Error("the network has too few accounts");
    world.market = await DemoMarket.deploy(connection, world, purse);
    await world.stake(p.alice, 20n * ETH);
    await world.report();
    await world.market.bringToTarget();
    await world.market.provide(p.bob, 20n * ETH, 30n);
    await world.market.leave(p.alice, 3n * ETH, 100n);
    expect((await world.market.stake(p.carol, ETH)).gain > 0n).to.equal(true);
    expect(await differing(world)).to.deep.equal([]);

    const pool = world.market.etherPool;
    await connection.ethers.provider.send("hardhat_setBalance", [
      pool.target as string,
      `0x${((await world.etherOf(pool)) + 1n).toString(16)}`,
    ]);
    expect(await differing(world)).to.deep.equal(["the EtherPool's ether = its book"]);

    await p.token.connect(p.alice).approve(pool, ETH);
    await pool.connect(p.alice).sell(10n ** 17n, 0n, p.alice);
    expect(await differing(world)).to.include.members([
      "the EtherPool's ether, booked",
      "the EtherPool's estETH, booked",
    ]);
  });
});
