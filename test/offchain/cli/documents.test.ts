/** The documents' commands, run as they stand against one local chain; on other ports, with a folder for each document. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { serveBeaconApi } from "../../../devnet/simulated/api/server.ts";
import type { BeaconApi } from "../../../devnet/simulated/api/server.ts";
import { openLiquidity } from "../../../devnet/simulated/localLiquidity.ts";
import { startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { serveRpc } from "../../../devnet/rpcServer.ts";
import { formatDeployment } from "../../../offchain/chain/connect.ts";
import { runCli } from "../../../offchain/cli/program.ts";
import { closeServer, portOf } from "../../../offchain/util/health.ts";
import { difference, partsOf, readDocument, runCommands } from "./documents.ts";
import type { Command } from "./documents.ts";

const ETH = 10n ** 18n;
const EPOCH_SECONDS = 384;
/** Two frames, which cli.md lets pass, and one for a report that is due. */
const EPOCHS_BEFORE_NOW = 760;

describe("the documents", () => {
  let connection: NetworkConnection;
  let p: LocalProtocol;
  let rpc: Server;
  let api: BeaconApi;
  let folder: string;

  before(async () => {
    const start = new Date(Date.now() - EPOCHS_BEFORE_NOW * EPOCH_SECONDS * 1_000);
    connection = await network.create({ override: { initialDate: start.toISOString() } });
    p = await startLocalProtocol(connection);
    rpc = await serveRpc(connection.provider, 0);
    api = await serveBeaconApi(p.beacon);
    folder = mkdtempSync(join(tmpdir(), "estuary-docs-"));
  });
  after(async () => {
    await api.close();
    await closeServer(rpc);
    rmSync(folder, { recursive: true });
  });

  /** What the documents let happen on the chain, by their words. */
  const EVENTS: Record<string, (words: readonly string[]) => Promise<unknown>> = {
    "epochs pass": ([count = "1"]) => p.beacon.advanceEpochs(Number(count)),
    "reports come": async ([count = "1"]) => {
      for (let i = 0; i < Number(count); i++) {
        const passed = (BigInt(p.beacon.head.slot) - (await p.oracle.lastRefSlot())) / (await p.oracle.slotsPerFrame());
        await p.committee.report({}, p.committee.quorum, Math.max(1, Number(passed)));
      }
    },
    "the head is final": async () => {
      await p.beacon.advanceSlots(2);
      await p.beacon.finalize(p.beacon.head.slot - 1);
    },
    "ether is staked": ([amount = "1"]) => p.pool.connect(p.bob).deposit(p.bob, p.bob, { value: BigInt(amount) * ETH }),
    "ether are lent to an EtherPool": async ([amount = "1"]) => {
      const { router } = await openLiquidity(connection, p);
      await router.connect(p.bob).provide(0n, 30n, p.bob, 2n ** 40n, { value: BigInt(amount) * ETH });
      writeDeployment(join(folder, "cli.md"), { router: router.target as string });
    },
    "it is now": async () => {
      const slot = Math.floor((Date.now() / 1_000 - p.beacon.timeOf(0)) / 12);
      // with blocks on the way, which nodes are asked for
      while (p.beacon.head.slot < slot) {
        const left = slot - p.beacon.head.slot;
        await p.beacon.advanceTo(p.beacon.head.slot + Math.min(left, 32));
      }
    },
  };

  async function happen(event: string): Promise<void> {
    const [, count, name = ""] = /^(?:(\d+) )?(.+)$/.exec(event) ?? [];
    const act = EVENTS[name];
    if (act === undefined) throw new Error(`the test does not know: ${event}`);
    await act(count === undefined ? [] : [count]);
  }

  function writeDeployment(home: string, liquidity: { readonly router?: string } = {}): void {
    const [token, wrapped] = [p.token.target as string, p.wrapped.target as string];
    const deployment = { chainId: 31_337n, token, wrapped, ...liquidity, fromBlock: 0 };
    writeFileSync(join(home, "deployments/31337.json"), formatDeployment(deployment));
  }

  /** What a reader has: addresses of a local network, and a member's key. */
  async function prepare(home: string): Promise<void> {
    mkdirSync(join(home, "deployments"), { recursive: true });
    writeDeployment(home);
    const [member] = p.committee.wallets;
    writeFileSync(join(home, "member.key"), member?.privateKey ?? "", { mode: 0o600 });
    await p.bob.sendTransaction({ to: member?.address ?? null, value: ETH });
  }

  const here = (text: string): string =>
    text.replaceAll("127.0.0.1:8545", `127.0.0.1:${portOf(rpc)}`).replaceAll("127.0.0.1:5052", new URL(api.url).host);

  // in this order: the first ends before the present, the last goes on after it
  for (const name of ["cli.md", "running.md", "operators.md"])
    it(`run, and show what comes: ${name}`, async () => {
      const home = join(folder, name);
      await prepare(home);
      const parts = partsOf(readDocument(name));
      expect(parts.length, "blocks").to.be.above(2);
      for (const part of parts) {
        if ("event" in part) {
          await happen(part.event);
          continue;
        }
        const commands = part.commands.map((command): Command => ({ ...command, text: here(command.text) }));
        const outcomes = await runCommands(commands, home);
        for (const [i, { text, line, exitCode, shown }] of commands.entries()) {
          const { output = "", exitCode: code } = outcomes[i] ?? {};
          const came = output.replaceAll(home, "/srv/estuary");
          const place = `docs/${name}:${line}: ${text}\n${output}`;
          expect(code, place).to.equal(exitCode);
          expect(difference(shown.map(here), came), place).to.equal(undefined);
        }
      }
    }).timeout(300_000);

  it("would be found out: another word, a missing or a further line", () => {
    const came = "got  1.5 estETH\nfrom 0x12\nfee  3 ETH\n";
    expect(difference(["got 20 estETH", "from 0xabcdef", "fee 0.1 ETH"], came)).to.equal(undefined);
    expect(difference(["got 1 estETH", "..."], came)).to.equal(undefined);
    expect(difference(["...", "fee 1 ETH"], came)).to.equal(undefined);
    expect(difference(["got 1 westETH", "..."], came)).to.equal("shown: got 1 westETH\ncame:  got  1.5 estETH");
    expect(difference(["got 1 estETH", "from 0x1"], came)).to.equal("not shown: fee  3 ETH");
    expect(difference(["...", "fee 1 ETH", "done"], came)).to.equal("shown: done\ncame:  nothing more");
    expect(difference(["...", "tip 1 ETH"], came)).to.include("shown: tip 1 ETH");
  });

  it("have every command in the table of cli.md", async () => {
    const help = async (...words: string[]): Promise<string[]> => {
      const lines: string[] = [];
      const io = { out: (line: string) => lines.push(line), err: () => 0, interactive: false, env: {} };
      await runCli([...words, "--help"], { ...io, confirm: () => Promise.resolve(false) });
      const [, commands = ""] = /^Commands:\n((?: .*\n)*)/m.exec(`${lines.join("\n")}\n`) ?? [];
      return [...commands.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name = ""]) => name).filter((name) => name !== "help");
    };
    const rows = readDocument("cli.md").match(/^\| `.*$/gm) ?? [];
    const named = rows.join("\n");
    for (const name of await help())
      for (const path of [...(await help(name)).map((child) => `${name} ${child}`), name])
        expect(named, path).to.match(new RegExp(`\`${path}\\b`));
  });
});
