import type { Server } from "node:http";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { fundedWallets } from "../../../devnet/real/executionGenesis.ts";
import { serveRpc } from "../../../devnet/rpcServer.ts";
import { predeposit } from "../../../devnet/simulated/localProtocol.ts";
import { keeperProgram } from "../../../offchain/keeper/program.ts";
import { EXIT } from "../../../offchain/util/errors.ts";
import { hostOf } from "../../../offchain/util/http.ts";
import { json, startProxy } from "../../helpers/hostile/proxy.ts";
import { closeServer, portOf } from "../../../offchain/util/health.ts";
import { terminated } from "../terminated.ts";
import { logInto } from "../logLines.ts";
import type { LogLine } from "../logLines.ts";
import { checksOf, refusalOf } from "../programRun.ts";
import type { Outcome } from "../programRun.ts";
import { startWorld } from "./world.ts";
import type { KeeperWorld } from "./world.ts";

/** The keeper of the local protocol. */
const KEY = fundedWallets(9).at(-1)?.privateKey ?? "";

describe("the keeper program", () => {
  let world: KeeperWorld;
  let rpc: Server;
  let folder: string;

  before(async () => {
    world = await startWorld({ trades: true });
    const { p, connection } = world;
    rpc = await serveRpc(connection.provider, 0);
    folder = mkdtempSync(join(tmpdir(), "estuary-keeper-"));
    const [token, wrapped] = await Promise.all([p.token.getAddress(), p.wrapped.getAddress()]);
    const router = world.protocol.liquidity?.router.target;
    const addresses = { chainId: 31_337, token, wrapped, fromBlock: 0 };
    writeFileSync(join(folder, "addresses.json"), JSON.stringify({ ...addresses, router }));
    writeFileSync(join(folder, "without.json"), JSON.stringify(addresses));
    const keys = await predeposit(p, 2, 0);
    await p.beacon.advanceUntil((state) => keys.every(({ pubkey }) => state.validator(pubkey) !== undefined));
    await world.finalize();
  });
  after(async () => {
    await world.close();
    await closeServer(rpc);
    rmSync(folder, { recursive: true });
  });

  const env = (change: Record<string, string> = {}): Record<string, string> => ({
    ESTUARY_EXECUTION_URLS: `http://127.0.0.1:${portOf(rpc)}`,
    ESTUARY_BEACON_URLS: world.api.url,
    ESTUARY_DEPLOYMENT: join(folder, "addresses.json"),
    ESTUARY_PRIVATE_KEY: KEY,
    ESTUARY_HEALTH_PORT: "0",
    ESTUARY_REQUEST_TIMEOUT: "2",
    ...change,
  });

  async function run(
    args: readonly string[],
    change: Record<string, string> = {},
    { json = true, signal = new AbortController().signal } = {},
  ): Promise<Outcome> {
    const printed: string[] = [];
    const lines: LogLine[] = [];
    const program = {
      env: env(change),
      json,
      print: (line: string) => printed.push(line),
      clock: world.clock,
      log: logInto(lines),
      signal,
    };
    const code = await keeperProgram(args, program);
    const all = JSON.stringify([printed, lines], (_, value: unknown) =>
      typeof value === "bigint" ? String(value) : value,
    );
    expect(all, "the key is nowhere").to.not.include(KEY.slice(2));
    return { code, printed, lines };
  }

  it("explains every precondition and what it would do, and ends with 0 where all hold", async () => {
    const outcome = await run(["check"]);
    const checks = checksOf(outcome);
    expect(Object.values(checks).filter(({ ok }) => !ok)).to.deep.equal([]);
    expect(Object.keys(checks)).to.deep.equal([
      ...[
        "execution node",
        "chains agree",
        "finality",
        "clock",
        "states",
        "proofs",
        "old states",
        "plan",
        "signer",
        "account",
        "arbitrage",
        "pending",
        "gas",
      ],
    ]);
    expect(outcome.code).to.equal(EXIT.ok);
    expect(checks["plan"]?.explanation).to.equal("proveValidators x1");
    expect(checks["proofs"]?.explanation).to.match(/^one made from the electra state at slot \d+$/);
    expect(checks["signer"]?.explanation).to.equal(await world.p.keeper.getAddress());
    const table = (await run(["check"], {}, { json: false })).printed[0] ?? "";
    expect(table.split("\n")).to.have.length(13);
    expect(table).to.match(/^ok {4}execution node {2}chain 31337, block \d+$/m);
  });

  it("says which precondition fails, and why", async () => {
    const dear = await run(["check"], { ESTUARY_MAX_FEE_GWEI: "0.000000001" });
    expect(dear.code).to.equal(EXIT.refused);
    expect(checksOf(dear)["gas"]).to.include({ ok: false });
    expect(checksOf(dear)["gas"]?.explanation).to.match(/only what is urgent would be sent/);

    const poor = await run(["check"], { ESTUARY_PRIVATE_KEY: `0x${"11".repeat(32)}` });
    expect(poor.code).to.equal(EXIT.refused);
    expect(checksOf(poor)["account"]).to.deep.include({ ok: false, explanation: "0.0 ETH for gas" });

    const noKey = await run(["check"], { ESTUARY_PRIVATE_KEY: "" });
    expect(noKey.code).to.equal(EXIT.usage);
    expect(checksOf(noKey)["signer"]?.explanation).to.match(/^no account: set one of/);
    const dry = await run(["check"], { ESTUARY_PRIVATE_KEY: "", ESTUARY_DRY_RUN: "true" });
    expect(dry.code).to.equal(EXIT.ok);

    const blind = await run(["check"], { ESTUARY_BEACON_URLS: "http://127.0.0.1:1" });
    expect(blind.code).to.equal(EXIT.unavailable);
    expect(checksOf(blind)["states"]).to.include({ ok: false });
    expect(checksOf(blind)["proofs"]?.explanation).to.equal("needs states");
  });

  it("buys from the EtherPool only where it is told to: it says what it would buy, or why nothing", async () => {
    const explained = async (change: Record<string, string>): Promise<string | undefined> =>
      checksOf(await run(["check"], change))["arbitrage"]?.explanation;
    const on = { ESTUARY_ARBITRAGE: "5", ESTUARY_ARBITRAGE_PROFIT: "0.0001" };
    expect(await explained({})).to.equal("switched off: ESTUARY_ARBITRAGE is not set");
    expect(await explained(on)).to.equal(
      "buys nothing: the pool is at its target; 0.0 of 5.0 ETH are tied up, 0.0 of 10.0 spent today",
    );
    const { p, protocol } = world;
    const etherPool = protocol.liquidity?.etherPool.connect(p.alice);
    if (etherPool === undefined) throw new Error("no pool");
    const most = 2n ** 96n - 1n;
    await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 90n * 10n ** 18n });
    await p.token.connect(p.alice).approve(etherPool, most);
    await etherPool.enter(60n * 10n ** 18n, most, p.alice, { value: 30n * 10n ** 18n });
    await etherPool.sellFor(10n * 10n ** 18n, most, p.alice);
    expect(await explained(on)).to.match(
      /^would buy for 5\.0 ETH what is worth 5\.0\d+, and wait \d+\.\d days: 0\.0\d+ ETH after 0\.\d+ of gas and 0\.\d+ for the wait; 0\.0 of 5\.0 ETH are tied up, 0\.0 of 10\.0 spent today$/,
    );
    const refused = async (change: Record<string, string>) => {
      const { exitCode, message } = await refusalOf(run(["check"], change));
      return `${exitCode}: ${message}`;
    };
    expect(await refused({ ...on, ESTUARY_DEPLOYMENT: join(folder, "without.json") })).to.equal(
      "2: ESTUARY_ARBITRAGE: the addresses file names no Router, and so no EtherPool",
    );
    expect(await refused({ ESTUARY_ARBITRAGE: "much" })).to.match(/^2: ESTUARY_ARBITRAGE: a decimal number/);
  });

  it("makes one turn, dry or not", async () => {
    const before = await world.p.keeper.getNonce();
    const dry = await run(["once"], { ESTUARY_DRY_RUN: "true" });
    expect(dry.lines.map(({ text }) => text)).to.deep.equal(["starting", "would send"]);
    expect(await world.p.keeper.getNonce()).to.equal(before);
    const { code, lines } = await run(["once"]);
    expect(code).to.equal(EXIT.ok);
    expect(lines.map(({ text }) => text)).to.deep.equal(["starting", "sent", "done"]);
    expect(await world.p.keeper.getNonce()).to.equal(before + 1);
  });

  it("runs until it is stopped, and ends with 0", async () => {
    const stop = new AbortController();
    const running = run(["run"], {}, { signal: stop.signal });
    stop.abort();
    const { code, lines } = await running;
    expect(code).to.equal(EXIT.ok);
    expect(lines.at(-1)?.text).to.equal("stopped");
  });

  it("waits for a node that is not up yet, and works when it is", async () => {
    const node = await startProxy(`http://127.0.0.1:${portOf(rpc)}`);
    const stop = new AbortController();
    let answered = 0;
    node.become([
      async (asked, forward) => {
        if (node.requests <= 5) return json(502, "starting");
        if (asked.body.includes("eth_getLogs") && ++answered === 2) stop.abort();
        return forward();
      },
    ]);
    const running = run(["run"], { ESTUARY_EXECUTION_URLS: node.url }, { signal: stop.signal });
    const { code, lines } = await running;
    await node.close();
    expect(code).to.equal(EXIT.ok);
    const told = lines.map(({ text }) => text).filter((text) => text.startsWith("cannot start"));
    expect(told).to.deep.equal([`cannot start yet: execution node ${hostOf(node.url)}: answered 502: starting`]);
    expect(lines.at(-1)?.text).to.equal("stopped");
  });

  it("is a program that ends with 0 at SIGTERM", async function () {
    this.timeout(60_000);
    const { code, output } = await terminated("keeper.ts", [], env(), folder);
    expect(output).to.match(/"msg":"stopping after this turn"/);
    expect(output).to.match(/"msg":"stopped"/);
    expect(code).to.equal(EXIT.ok);
  });

  it("names what is wrong with its arguments, configuration and nodes in a line each", async () => {
    const words = await refusalOf(run(["twice"]));
    expect(words).to.include({ exitCode: EXIT.usage, message: "usage: keeper [run|once|check] [--json], not twice" });
    const settings = await refusalOf(run(["once"], { ESTUARY_BATCH: "65", ESTUARY_POLL_SECONDS: "soon" }));
    expect(settings.exitCode).to.equal(EXIT.usage);
    expect(settings.message.split("\n").map((line) => line.split(":")[0])).to.have.members([
      "ESTUARY_BATCH",
      "ESTUARY_POLL_SECONDS",
    ]);
    const silent = await refusalOf(run(["once"], { ESTUARY_EXECUTION_URLS: "http://127.0.0.1:1" }));
    expect(silent.exitCode).to.equal(EXIT.unavailable);
    expect(silent.message).to.match(/127\.0\.0\.1:1/);
  });
});
