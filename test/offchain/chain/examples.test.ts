import { expect } from "chai";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { readDeployment, writeDeployment } from "../../../offchain/chain/deploymentFile.ts";
import { openLiquidity } from "../../../devnet/simulated/localLiquidity.ts";
import { fundValidators, predeposit, prove, startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { serveRpc } from "../../../devnet/rpcServer.ts";
import { connection, loadFixture, provider } from "../../helpers/network.ts";
import { ETH } from "./harness.ts";

const EXAMPLES = resolve("docs/examples");

async function running() {
  const p = await startLocalProtocol(connection);
  await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 100n * ETH });
  await fundValidators(p, 1, 0);
  await prove(p, await predeposit(p, 2, 1));
  await p.committee.report();
  await p.queue.connect(p.alice).requestWithdrawals([3n * ETH], p.alice);
  await p.committee.report();
  const liquidity = await openLiquidity(connection, p);
  await liquidity.router.connect(p.bob).provide(0, 30, p.bob, 2n ** 64n, { value: 100n * ETH });
  return { ...p, liquidity };
}

describe("the examples for integrators", function () {
  this.timeout(60_000);
  let folder = "";
  let server: Server | undefined;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "estuary-"));
  });
  after(() => rmSync(folder, { recursive: true }));
  afterEach(() => {
    server?.close();
    server?.closeAllConnections();
  });

  /** What the example prints. */
  async function run(name: string, account: string): Promise<string> {
    const p = await loadFixture(running);
    const file = join(folder, "deployments", "31337.json");
    writeDeployment(file, {
      chainId: 31_337n,
      token: p.token.target as string,
      wrapped: p.wrapped.target as string,
      router: p.liquidity.router.target as string,
      fromBlock: 0,
    });
    expect(readDeployment(file).token).to.equal(p.token.target);
    server = await serveRpc(provider, 0);
    const env = {
      ...process.env,
      NODE_OPTIONS: "",
      RPC_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      DEPLOYMENT: file,
      ACCOUNT: account,
    };
    const child = spawn(process.execPath, ["--import", "tsx", join(EXAMPLES, name)], { env });
    let printed = "";
    child.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    const code = await new Promise<number | null>((done) => child.on("close", done));
    expect(code, printed).to.equal(0);
    return printed;
  }

  it("show the protocol's status", async () => {
    const p = await loadFixture(running);
    const printed = await run("status.ts", p.bob.address);
    expect(printed).to.match(/^staked {7}168\.\d+ ETH$/m);
    expect(printed).to.match(/^validators {3}1 active, 2 queued$/m);
    expect(printed).to.match(/^APR, 7 days {2}\d[\d.]*%$/m);
  });

  it("stake, request and explain a refusal", async () => {
    const p = await loadFixture(running);
    const printed = await run("stake.ts", p.bob.address);
    expect(printed).to.contain("staked 2.0 ETH in block").and.contain("requests 2 for ");
    expect(printed).to.contain("RequestTooSmall: a withdrawal request needs at least 100 wei, not 1 wei");
    expect(await p.queue.balanceOf(p.bob)).to.equal(1n);
  });

  it("leave at once, and by the queue", async () => {
    const p = await loadFixture(running);
    const printed = await run("leave.ts", p.alice.address);
    expect(printed).to.match(/^now {4}2\.0\d+ ETH for 2\.0\d+ estETH$/m);
    expect(printed).to.match(/^later {2}0\.9\d+ ETH, about 20\S+Z$/m);
    expect(printed).to.match(/^got {4}2\.0\d+ ETH, and request 2$/m);
  });

  it("claim", async () => {
    const p = await loadFixture(running);
    const printed = await run("claim.ts", p.alice.address);
    expect(printed).to.match(/^request 1: (2\.9+|3\.0) ETH, claimable\nclaimed (2\.9+|3\.0) ETH\n$/);
    expect(await p.queue.balanceOf(p.alice)).to.equal(0n);
  });

  it("list rewards", async () => {
    const p = await loadFixture(running);
    const printed = await run("rewards.ts", p.alice.address);
    expect(printed).to.match(/^time,reward,value\n(20\S+,0\.\d+,\d+\.\d+\n){2}total,0\.\d+,\n$/);
  });

  it("show an operator", async () => {
    const p = await loadFixture(running);
    const printed = await run("operator.ts", p.nodeOperator.address);
    expect(printed).to.match(/^operator 1: bond 3\.\d+ of 3\.0 ETH required$/m);
    expect(printed).to.match(/queued, place 0\n.*queued, place 1/);
  });

  it("are all run here, and all in docs/integrators.md", () => {
    // Vault.sol is compiled and used by test/packages
    const files = readdirSync(EXAMPLES).filter((name) => name !== "open.ts" && name !== "Vault.sol");
    expect(files.sort()).to.deep.equal(["claim.ts", "leave.ts", "operator.ts", "rewards.ts", "stake.ts", "status.ts"]);
    const guide = readFileSync("docs/integrators.md", "utf8");
    for (const file of files) expect(guide).to.contain(`examples/${file}`);
  });
});
