/** Leaving at once and lending to that, as people do it: what is said before, what comes of it, and every mistake. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { formatEther } from "ethers";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import type { LiquidityContracts } from "../../../deploy/deployLiquidity.ts";
import { serveRpc } from "../../../devnet/rpcServer.ts";
import { openLiquidity } from "../../../devnet/simulated/localLiquidity.ts";
import { startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { formatDeployment } from "../../../offchain/chain/connect.ts";
import { runCli } from "../../../offchain/cli/program.ts";
import { closeServer, portOf } from "../../../offchain/util/health.ts";

const ETH = 10n ** 18n;
// the fifth account of the usual development mnemonic
const ALICE_KEY = "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a";

describe("the command line and the EtherPool", () => {
  let p: LocalProtocol;
  let liquidity: LiquidityContracts;
  let connection: NetworkConnection;
  let rpc: Server;
  let folder: string;
  let env: Record<string, string>;
  let snapshot: unknown;
  /** What happens while a person looks at the preview; undefined where nobody is there. */
  let meanwhile: (() => Promise<unknown>) | undefined;

  /** A pool of 100 ETH at its target; Alice has 60 estETH and 10 westETH. */
  before(async () => {
    connection = await network.create();
    p = await startLocalProtocol(connection);
    liquidity = await openLiquidity(connection, p);
    await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 70n * ETH });
    await p.token.connect(p.alice).approve(p.wrapped, 10n * ETH);
    await p.wrapped.connect(p.alice).wrap(10n * ETH);
    const later = 2n ** 40n;
    await liquidity.router.connect(p.bob).provide(0n, 30n, p.bob, later, { value: 100n * ETH });
    rpc = await serveRpc(connection.provider, 0);
    folder = mkdtempSync(join(tmpdir(), "estuary-liquidity-"));
    const [token, wrapped] = [p.token.target as string, p.wrapped.target as string];
    const router = liquidity.router.target as string;
    for (const [name, routed] of [
      ["with.json", { router }],
      ["without.json", {}],
    ] as const)
      writeFileSync(file(name), formatDeployment({ chainId: 31_337n, token, wrapped, ...routed, fromBlock: 0 }));
    env = {
      ESTUARY_EXECUTION_URLS: `http://127.0.0.1:${portOf(rpc)}`,
      ESTUARY_DEPLOYMENT: file("with.json"),
      ESTUARY_PRIVATE_KEY: ALICE_KEY,
    };
  });
  after(async () => {
    await closeServer(rpc);
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    meanwhile = undefined;
    snapshot = await connection.provider.request({ method: "evm_snapshot" });
  });
  afterEach(async () => {
    await connection.provider.request({ method: "evm_revert", params: [snapshot] });
  });

  const file = (name: string): string => join(folder, name);

  async function estuary(line: string, change: Record<string, string | undefined> = {}) {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await runCli(line.split(" "), {
      out: (text) => out.push(text),
      err: (text) => err.push(text),
      interactive: meanwhile !== undefined,
      confirm: async () => {
        await meanwhile?.();
        return true;
      },
      env: { ...env, ...change },
    });
    return { code, out: out.join("\n"), err: err.join("\n") };
  }

  async function done(line: string): Promise<{ out: string; err: string }> {
    const { code, ...said } = await estuary(line);
    expect(code, said.err).to.equal(0);
    return said;
  }

  async function json(line: string): Promise<Record<string, unknown>> {
    return JSON.parse((await done(`${line} --json`)).out) as Record<string, unknown>;
  }

  /** What may not change where a command is refused. */
  async function holdings(): Promise<string> {
    const { token, wrapped, queue, alice } = p;
    const { etherPool, router } = liquidity;
    return (
      await Promise.all([
        ...[token.sharesOf(alice), wrapped.balanceOf(alice), etherPool.balanceOf(alice), queue.balanceOf(alice)],
        ...[token.allowance(alice, router), token.allowance(alice, etherPool), wrapped.allowance(alice, router)],
        ...[etherPool.allowance(alice, router), etherPool.reserves(), alice.getNonce()],
      ])
    ).join();
  }

  describe("leave", () => {
    it("says before anything is signed what comes now, at which fee, what is queued, and when it is expected", async () => {
      const { out, err } = await done("leave 10 --max-fee 0.3 --dry-run");
      expect(err).to.include("transaction 1 of 2").and.include("transaction 2 of 2");
      const [approval = "", leaving = ""] = out.split(/\n(?=action +leave)/);
      for (const shown of [approval, leaving])
        expect(shown)
          .to.match(/^now +2\.\d+ ETH for 2\.\d+ estETH: a fee of 0\.\d{1,3}% on average$/m)
          .and.match(
            /^later +7\.\d+ ETH without a fee, by a withdrawal request; expected 20\d\d-.* UTC, with the next/m,
          );
      expect(approval).to.match(/^then +a second transaction: leave with 10\.0 estETH; gets about 2\.\d+ ETH$/m);
      expect(leaving)
        .to.match(/^sends +10 estETH$/m)
        .and.match(/^gets +about 2\.\d+ ETH$/m);
      // half way between the fee at the target and the limit, on average
      const [, average = "0"] = /a fee of (0\.\d+)%/.exec(leaving) ?? [];
      expect(Number(average)).to.be.within(0.19, 0.21);
    });

    it("gives what the quote said, as the chain has it, and approves once", async () => {
      const foretold = await json("leave 10 --dry-run");
      const quote = foretold["quote"] as Record<string, string>;
      expect(foretold).to.include({ dryRun: true, action: "leave with 10.0 estETH" });
      const had = await connection.ethers.provider.getBalance(p.carol);
      const { outcome, before } = (await json(`leave 10 --yes --receiver ${p.carol.address}`)) as {
        outcome: Record<string, unknown>;
        before: unknown[];
      };
      expect(before).to.have.length(1);
      expect(outcome).to.deep.include({ ether: quote["ether"], fee: quote["fee"], requestIds: ["1"] });
      expect((await connection.ethers.provider.getBalance(p.carol)) - had).to.equal(BigInt(quote["ether"] ?? 0));
      expect(await p.queue.ownerOf(1n)).to.equal(p.carol.address);
      // a hundredth more was approved
      const { out, err } = await done("leave 0.05 --max-fee 3 --yes");
      expect(err).to.not.include("transaction 1 of 2");
      expect(out).to.match(/^got +0\.049\d+ ETH, less a fee of 0\.000\d+ ETH$/m);
    });

    it("takes westETH, all of it, and a permit in place of the approval", async () => {
      const { out } = await done("leave all --wrapped --permit --yes");
      expect(out)
        .to.match(/^got +2\.\d+ ETH, less a fee of/m)
        .and.match(/^requests +1$/m)
        .and.match(/^expected +20\d\d-.*; then estuary claim$/m);
      expect(await p.wrapped.balanceOf(p.alice)).to.equal(0n);
      const dry = await done("leave all --permit --dry-run");
      expect(dry.out).to.match(/^fee +known once the permit is signed: not simulated$/m);
      await done("leave all --permit --max-fee 0 --yes");
      expect(await p.token.sharesOf(p.alice)).to.equal(0n);
    });

    it("says why nothing comes at once: a fee above the limit, a leg that is too small, a protocol that is not calm", async () => {
      const dear = await done("leave 1 --max-fee 0.09 --dry-run");
      expect(dear.out).to.match(/^now +nothing: the next wei costs 0\.10%, above 0\.09%$/m);
      await done("leave 30 --max-fee 1 --yes");
      const small = await done("leave 1 --max-fee 1 --dry-run");
      expect(small.out).to.match(/^now +nothing: what could be sold within 1\.00% is not worth its gas$/m);
      await connection.ethers.provider.send("evm_increaseTime", [30 * 86_400]);
      await connection.ethers.provider.send("evm_mine", []);
      const overdue = await done("leave 1 --dry-run");
      expect(overdue.out)
        .to.match(/^now +nothing: the EtherPool trades nothing now, estuary status says why$/m)
        .and.match(/^later +1 ETH without a fee/m);
      expect(overdue.out).to.not.match(/^gets/m);
    });

    it("is refused in one line, with its exit code, and nothing has changed", async () => {
      const before = await holdings();
      for (const [line, code, message] of [
        ["leave 0", 2, "amount: it must be more than 0"],
        ["leave -1", 2, "amount: a decimal number"],
        ["leave ten", 2, "amount: a decimal number"],
        ["leave 61", 1, "you have 60 estETH, less than 61 estETH"],
        ["leave 11 --wrapped", 1, "you have 10 westETH, less than 11 westETH"],
        ["leave 1 --max-fee 0.305", 2, "--max-fee: a decimal number with at most 2 places"],
        ["leave 1 --max-fee 101", 2, "--max-fee: per cent, at most 100, not 101"],
        ["leave 1 --min-ether x", 2, "--min-ether: a decimal number"],
        [
          "leave 10 --min-ether 5",
          5,
          /^error: 2\.\d+ ETH would come at once, less than the 5 ETH of --min-ether: nothing/,
        ],
        ["leave 60 --max-fee 100 --min-ether 40", 5, /^error: 30\.\d+ ETH would come at once/],
        // ten wei that would be queued, and one that would be sold
        ["leave 0.00000000000000001 --max-fee 0", 1, "would take none of it now"],
        ["leave 0.000000000000000001", 1, "the amount is zero"],
        ["leave 1 --minutes 0", 2, "--minutes: at least 1"],
        ["leave 1 --receiver 0x12", 2, "--receiver: an address"],
        [`leave 1 --receiver ${liquidity.router.target as string} --max-fee 0 --permit`, 1, "can't be the receiver"],
      ] as [string, number, string | RegExp][]) {
        const { code: came, out, err } = await estuary(`${line} --yes`);
        expect(came, `${line}: ${err}`).to.equal(code);
        if (typeof message === "string") expect(err, line).to.include(message);
        else expect(err, line).to.match(message);
        expect(out, line).to.equal("");
        expect(err.split("\n"), line).to.have.length(1);
      }
      const without = await estuary("leave 1 --yes", { ESTUARY_DEPLOYMENT: file("without.json") });
      expect(without).to.include({
        code: 5,
        err: "error: there is no EtherPool here: the addresses file names no Router",
      });
      expect(await holdings()).to.equal(before);
    });

    it("is refused where the deadline passed while somebody thought about it", async () => {
      await p.token.connect(p.alice).approve(liquidity.router, 100n * ETH);
      const before = await holdings();
      meanwhile = async () => {
        await connection.ethers.provider.send("evm_increaseTime", [6 * 60]);
        await connection.ethers.provider.send("evm_mine", []);
      };
      const { code, err } = await estuary("leave 1 --minutes 5");
      expect(code).to.equal(1);
      expect(err.split("\n").at(-1)).to.match(/^error: the transaction was meant for blocks until 20\d\d-/);
      expect(await holdings()).to.equal(before);
      meanwhile = () => Promise.resolve();
      expect((await estuary("leave 1 --minutes 5")).code).to.equal(0);
    });

    it("asks no contract account for a permit: its code would answer, not the key", async () => {
      // as an account that delegates its code (EIP-7702)
      const code = await connection.ethers.provider.getCode(p.wrapped);
      await connection.ethers.provider.send("hardhat_setCode", [p.alice.address, code]);
      const before = await holdings();
      const refused = await estuary("leave 1 --permit --yes");
      expect(refused).to.include({ code: 2 });
      expect(refused.err).to.equal(
        `error: --permit: ${p.alice.address} is a contract account, whose key signs no permit: leave it out`,
      );
      expect(await holdings()).to.equal(before);
    });
  });

  describe("pool", () => {
    it("shows ether, fee, worth, what the fee reaches and the queue's wait; and whose part is what", async () => {
      const { out } = await done("pool status");
      for (const row of [
        /^trades +open$/m,
        /^ether +30\.\d+ ETH, of a target of 30\.\d+ ETH$/m,
        /^estETH +70\.\d+ estETH$/m,
        /^worth +100\.\d+ ETH, of 100\.\d+ LP$/m,
        /^fee now +0\.1% on top of the next wei$/m,
        /^at 0\.30% +2\.\d+ estETH for 2\.\d+ ETH: 0\.2% on average$/m,
        /^brought back +no ether is wanted$/m,
        /^in the queue +1 ETH asked for now is expected 20\d\d-.* UTC, with the next report/m,
      ])
        expect(out).to.match(row);
      await done("leave 20 --max-fee 3 --yes");
      expect((await done("pool status")).out)
        .to.match(/^fee now +2\.\d+% on top of the next wei$/m)
        .and.match(/^at 0\.30% +nothing can be sold now$/m)
        .and.match(/^brought back +19\.\d+ ETH would get 0\.\d+ ETH on top$/m);
      expect((await done("pool status me")).out).to.match(/^LP +none$/m);
      const bob = await json(`pool status ${p.bob.address}`);
      expect(bob).to.have.property("lp", String(await liquidity.etherPool.balanceOf(p.bob)));
      expect(bob).to.have.nested.property("pool.ether", String((await liquidity.etherPool.reserves())[0]));
      const part = await liquidity.etherPool.quoteExit(await liquidity.etherPool.balanceOf(p.bob));
      const shown = (await done(`pool status ${p.bob.address}`)).out;
      expect(shown).to.include(
        `its part      ${formatEther(part.ether_)} ETH and ${formatEther(part.units)} estETH, worth`,
      );
      await p.queue.connect(p.guardian).pauseRequests(true);
      expect((await done("pool status")).out).to.match(/^trades +none now: estuary status says why; LPs come and go$/m);
    });

    it("takes ETH, gives LP, and gives it back in both assets or in ether", async () => {
      const provided = await done("pool provide 10 --yes");
      expect(provided.out).to.match(/^got +9\.\d+ LP$/m);
      const dry = await done("pool provide 10 --dry-run");
      expect(dry.out)
        .to.match(/^of it +[23]\.\d+ ETH lent as ETH, [67]\.\d+ ETH staked and lent as estETH$/m)
        .and.match(/^entry +0\.02% of it goes to the LPs that are there$/m);
      const lp = await liquidity.etherPool.balanceOf(p.alice);
      const both = await done("pool exit 4 --yes");
      expect(both.out).to.match(/^got +1\.2\d* ETH and 2\.8\d* estETH$|^got +1\.2\d* ETH and 2\.7\d* estETH$/m);
      expect(await liquidity.etherPool.balanceOf(p.alice)).to.equal(lp - 4n * ETH);
      const planned = await done("pool exit all --to-ether --dry-run");
      expect(planned.out)
        .to.match(/^own part +1\.\d+ ETH and 4\.\d+ estETH, of which$/m)
        .and.match(/^now +2\.\d+ ETH for 2\.\d+ estETH: a fee of 0\.2% on average$/m)
        .and.match(/^later +\d\.\d+ ETH without a fee/m);
      const left = await json("pool exit all --to-ether --permit --yes");
      expect(left).to.have.nested.property("outcome.requestIds").with.length(1);
      expect(await liquidity.etherPool.balanceOf(p.alice)).to.equal(0n);
    });

    it("takes ETH and estETH of one's own, after an approval", async () => {
      const dry = await done("pool enter 5 --dry-run");
      expect(dry.out)
        .to.match(/^sends +1\.5\d+ ETH and 3\.5\d+ estETH$/m)
        .and.match(/^gets +5 LP$/m);
      const { out } = await done("pool enter 5 --yes");
      expect(out)
        .to.match(/^gave +1\.5\d+ ETH and 3\.5\d+ estETH$/m)
        .and.match(/^got +5 LP$/m);
      expect(await liquidity.etherPool.balanceOf(p.alice)).to.equal(5n * ETH);
    });

    it("refuses in one line, with its exit code, and nothing has changed", async () => {
      const refusals = async (lines: readonly (readonly [string, number, string])[]) => {
        const before = await holdings();
        for (const [line, code, message] of lines) {
          const { code: came, err } = await estuary(`${line} --yes`);
          expect(came, `${line}: ${err}`).to.equal(code);
          expect(err, line).to.include(message);
          expect(err.split("\n"), line).to.have.length(1);
        }
        expect(await holdings()).to.equal(before);
      };
      await refusals([
        ["pool provide 0", 2, "amount: it must be more than 0"],
        ["pool provide 20000", 1, "20000"],
        ["pool provide 0.000000000000000001", 1, "would take none of it now"],
        ["pool enter 0", 2, "lp: it must be more than 0"],
        ["pool enter 90", 1, "90 LP cost 6"],
        ["pool exit 1", 1, "you have no LP"],
        ["pool status 0x12", 2, "address: an address"],
      ]);
      await done("pool provide 2 --yes");
      await refusals([
        ["pool exit 3", 1, "less than 3 LP"],
        ["pool exit 1 --min-ether 1", 2, "--min-ether: only with --to-ether"],
        ["pool exit all --to-ether --min-ether 3", 5, "of --min-ether: nothing was sent"],
      ]);
      await done("leave 30 --max-fee 3 --yes");
      await refusals([["pool provide 1", 1, "above the limit of 0.3%: who enters would pay for rebates"]]);
      await p.queue.connect(p.guardian).pauseRequests(true);
      await refusals([["leave 1", 1, "would take none of it now"]]);
      // an exit needs no calm, and what nothing takes comes as it is
      const paused = await done("pool exit 1 --to-ether --dry-run --permit");
      expect(paused.out)
        .to.match(/^now +nothing: the EtherPool trades nothing now/m)
        .and.match(/^as estETH +0\.9\d+ estETH$/m)
        .and.not.match(/^later/m);
      expect((await done("pool exit 1 --yes")).out).to.match(/^got +/m);
    });
  });

  it("completes the words", async () => {
    const { out } = await done("completion bash");
    expect(out).to.match(/"leave"\) words="--wrapped --max-fee --min-ether|"leave"\) words="--max-fee --min-ether/);
    expect(out).to.match(/"pool"\) words="status provide enter exit /);
  });
});
