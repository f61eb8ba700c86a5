import { expect } from "chai";
import { bringToTarget, deployLiquidity } from "../../deploy/deployLiquidity.ts";
import { inspectLiquidity } from "../../deploy/lib/inspectLiquidity.ts";
import { ETHER_POOL } from "../../deploy/lib/parameters.ts";
import { openLiquidity } from "../../devnet/simulated/localLiquidity.ts";
import { startLocalProtocol } from "../../devnet/simulated/localProtocol.ts";
import { EtherPool__factory } from "../../typechain-types/index.ts";
import { connection, ethers, loadFixture } from "../helpers/network.ts";

const { seedWei, terms } = ETHER_POOL;

async function unopened() {
  const p = await startLocalProtocol(connection);
  return { p, liquidity: await deployLiquidity(connection, p) };
}

describe("EtherPool and Router, deployed over the core", () => {
  it("are what the settings say, and nobody can change them", async () => {
    const { p, liquidity } = await loadFixture(unopened);
    const { addresses, immutable, problems } = await inspectLiquidity(liquidity, p, ETHER_POOL);
    expect(problems).to.deep.equal([]);
    expect(addresses).to.deep.equal({ etherPool: liquidity.etherPool.target, router: liquidity.router.target });
    expect(immutable).to.include.members([
      `etherPool.token ${await p.token.getAddress()}`,
      "etherPool.minFeeBp 10",
      "etherPool.maxFeeBp 300",
      "etherPool.targetBp 3000",
      "etherPool.rebateBp 5000",
      "etherPool.entryFeeBp 2",
      `router.queue ${await p.queue.getAddress()}`,
    ]);
  });

  it("open with ether alone, and come to the target once the protocol is calm", async () => {
    const { p, liquidity } = await loadFixture(unopened);
    const { etherPool } = liquidity;
    expect(await etherPool.reserves()).to.deep.equal([seedWei, 0n]);
    expect(await bringToTarget(p, etherPool, p.deployer)).to.equal("not calm");
    await p.committee.report();
    expect(await bringToTarget(p, etherPool, p.deployer)).to.equal("sold");
    const [held, units] = await etherPool.reserves();
    expect(held)
      .to.equal((seedWei * terms.targetBp) / 10_000n)
      .and.to.equal(await etherPool.targetEther());
    // seven tenths, and the least fee on top
    expect(units).to.equal((7n * seedWei * (10_000n + terms.minFeeBp)) / 100_000n);
    expect(await etherPool.totalSupply()).to.equal(seedWei);
    expect(await p.token.allowance(p.deployer, etherPool)).to.equal(0n);
    expect(await bringToTarget(p, etherPool, p.deployer)).to.equal("at its target");
  });

  it("are opened at once on a local network", async () => {
    const p = await startLocalProtocol(connection);
    const { etherPool } = await openLiquidity(connection, p);
    expect((await etherPool.reserves())[0]).to.equal(await etherPool.targetEther());
    expect(await etherPool.buyable()).to.equal(0n);
    expect(await etherPool.sellableWithin(30)).to.be.greaterThan(0n);
  });

  it("are refused with other terms, less that is locked, or another Router", async () => {
    const { p, liquidity } = await loadFixture(unopened);
    const others = { seedWei: seedWei + 1n, terms: { ...terms, maxFeeBp: 299n } };
    const second = await ethers.deployContract("EtherPool", [p.token, { ...terms }], { value: seedWei });
    const router = await ethers.deployContract("Router", [second, p.wrapped]);
    const { problems } = await inspectLiquidity({ ...liquidity, router }, p, others);
    expect(problems).to.deep.equal([
      `router.etherPool is ${await second.getAddress()}, not ${await liquidity.etherPool.getAddress()}`,
      "etherPool.maxFeeBp is 300, not 299",
      `only ${seedWei} wei of LP are locked in the EtherPool, not ${seedWei + 1n}`,
    ]);
  });

  it("are refused behind a proxy", async () => {
    const { p, liquidity } = await loadFixture(unopened);
    const anything = liquidity.etherPool.interface.encodeFunctionData("symbol");
    const proxy = await ethers.deployContract("ERC1967Proxy", [liquidity.etherPool, anything]);
    const etherPool = EtherPool__factory.connect(await proxy.getAddress(), p.deployer);
    const router = await ethers.deployContract("Router", [etherPool, p.wrapped]);
    const { problems } = await inspectLiquidity({ etherPool, router }, p, { seedWei: 0n, terms });
    expect(problems).to.deep.equal(["etherPool is a proxy: it has an implementation"]);
  });
});
