import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { JsonRpcProvider, Wallet } from "ethers";
import { network } from "hardhat";
import { runOracle } from "../../../offchain/oracle/program.ts";
import type { Mode } from "../../../offchain/oracle/program.ts";
import { checksAsText } from "../../../offchain/util/check.ts";
import { EXIT } from "../../../offchain/util/errors.ts";
import { hostOf } from "../../../offchain/util/http.ts";
import { json, startProxy } from "../../helpers/hostile/proxy.ts";
import { serveSigner } from "../signerServer.ts";
import { terminated } from "../terminated.ts";
import { logInto } from "../logLines.ts";
import type { LogLine } from "../logLines.ts";
import { checksOf, refusalOf } from "../programRun.ts";
import type { Outcome } from "../programRun.ts";
import { startCommittee } from "./committee.ts";
import type { Committee, Place } from "./committee.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

describe("the oracle program", function () {
  this.timeout(120_000);
  let c: Committee;
  let folder: string;
  let place: Place;
  let key: string;

  before(async () => {
    c = await startCommittee(await network.create());
    folder = mkdtempSync(join(tmpdir(), "estuary-program-"));
    const { token, wrapped, fromBlock } = c.deployment;
    writeFileSync(join(folder, "addresses.json"), JSON.stringify({ chainId: 31_337, token, wrapped, fromBlock }));
    place = c.places[0] as Place;
    await c.stop(place);
    key = place.config.PRIVATE_KEY ?? "";
    writeFileSync(join(folder, "key"), `${key}\n`);
  });

  after(async () => {
    await c.close();
    rmSync(folder, { recursive: true });
  });

  const env = (change: Record<string, string> = {}) => ({
    ESTUARY_EXECUTION_URLS: c.executionUrl,
    ESTUARY_BEACON_URLS: place.beacon.url,
    ESTUARY_DEPLOYMENT: join(folder, "addresses.json"),
    ESTUARY_PRIVATE_KEY_FILE: join(folder, "key"),
    ESTUARY_DATA_DIR: join(folder, "data"),
    ESTUARY_PEERS: c.places
      .slice(1)
      .map(({ daemon }) => `http://127.0.0.1:${daemon?.port}`)
      .join(","),
    ESTUARY_LISTEN_PORT: "0",
    ESTUARY_HEALTH_PORT: "0",
    ESTUARY_REQUEST_TIMEOUT: "2",
    ...change,
  });

  async function run(
    mode: Mode,
    change: Record<string, string> = {},
    signal = new AbortController().signal,
  ): Promise<Outcome> {
    const printed: string[] = [];
    const lines: LogLine[] = [];
    const code = await runOracle(mode, {
      env: env(change),
      json: true,
      print: (line) => printed.push(line),
      clock: c.clock,
      log: logInto(lines),
      signal,
    });
    // whatever is printed or logged, the key is not in it
    expect(
      JSON.stringify([printed, lines], (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value)),
    ).not.to.include(key.slice(2));
    return { code, printed, lines };
  }

  it("explains every precondition, and ends with 0 where all hold", async () => {
    const outcome = await run("check");
    expect(Object.values(checksOf(outcome)).filter(({ ok }) => !ok)).to.deep.equal([]);
    expect(Object.keys(checksOf(outcome))).to.deep.equal([
      ...[
        "execution node",
        "chains agree",
        "finality",
        "clock",
        "reference",
        "events",
        "old state",
        "validators",
        "whole states",
        "frame",
        "signer",
        "signature",
        "member",
        "account",
        "journal",
        "peers",
      ],
    ]);
    expect(outcome.code).to.equal(EXIT.ok);
  });

  it("says which precondition fails and why: beacon node, membership, peers", async () => {
    place.beacon.faults.syncing = true;
    const syncing = await run("check");
    expect(syncing.code).to.equal(EXIT.unavailable);
    expect(checksOf(syncing)["finality"]).to.deep.include({ ok: false });
    expect(checksOf(syncing)["finality"]?.explanation).to.include("is syncing");
    delete place.beacon.faults.syncing;

    const stranger = await run("check", { ESTUARY_PRIVATE_KEY: `0x${"07".repeat(32)}`, ESTUARY_PRIVATE_KEY_FILE: "" });
    expect(stranger.code).to.equal(EXIT.refused);
    expect(checksOf(stranger)["member"]?.explanation).to.include("is not a member");
    expect(checksOf(stranger)["account"]?.ok).to.equal(false);

    place.beacon.faults.noDebug = true;
    const withoutStates = await run("check");
    // a warning: it runs, until a validator is slashed
    expect(withoutStates.code).to.equal(EXIT.ok);
    expect(checksOf(withoutStates)["whole states"]).to.deep.include({ ok: true, warning: true });
    expect(checksAsText(Object.values(checksOf(withoutStates)))).to.match(/^warn {2}whole states {4}no beacon node/m);
    expect(checksOf(withoutStates)["whole states"]?.explanation).to.match(
      /^no beacon node serves \/eth\/v2\/debug\/beacon\/states \(127\.0\.0\.1:\d+\): .*\(needs_whole_state\)$/,
    );
    const failover = await run("check", { ESTUARY_BEACON_URLS: `${place.beacon.url},${place.spare.url}` });
    expect(checksOf(failover)["whole states"]?.explanation).to.include("1 of 2 beacon nodes serve whole states");
    expect(checksOf(failover)["whole states"]).not.to.have.property("warning");
    delete place.beacon.faults.noDebug;

    const alone = await run("check", { ESTUARY_PEERS: "http://127.0.0.1:9,http://127.0.0.1:10" });
    expect(checksOf(alone)["peers"]?.explanation).to.include("0 of 2 answer, 2 are needed");
  });

  it("prints the report without signing it in a dry run, without a key", async () => {
    await c.nextFrame();
    const { code, printed } = await run("dry-run", { ESTUARY_PRIVATE_KEY_FILE: "" });
    const { report, validators } = JSON.parse(printed[0] ?? "") as {
      report: Record<string, unknown>;
      validators: number;
    };
    expect(code).to.equal(EXIT.ok);
    expect(validators).to.equal(4);
    expect(report).to.have.all.keys(
      ...["refSlot", "blockRoot", "clBalanceGwei", "leavingGwei", "withdrawalVaultBalance", "rewardsVaultBalance"],
      ...["incident", "prevReportHash", "committeeVersion", "validUntil"],
    );
  });

  it("reports once: waits for signatures and its turn, and ends", async () => {
    for (const other of c.places.slice(1, 3)) await other.daemon?.member.step();
    const running = run("once");
    for (let i = 0; i < 400 && (await c.p.oracle.lastRefSlot()) !== (await c.p.oracle.nextRefSlot()); i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (c.clock.sleepers > 0) await c.wait(12);
    }
    const outcome = await running;
    expect(outcome.code).to.equal(EXIT.ok);
    expect(JSON.parse(outcome.printed[0] ?? "")).to.deep.include({ submitted: true });
    expect((await run("once")).code).to.equal(EXIT.ok);
  });

  it("runs until it is stopped, answers for its health, and ends with 0", async () => {
    const stop = new AbortController();
    const running = run("run", {}, stop.signal);
    while (c.clock.sleepers === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    const { code, lines } = await running;
    expect(code).to.equal(EXIT.ok);
    expect(lines.map(({ text }) => text)).to.include.members(["oracle: run", "stopped"]);
    // the lock is gone: it can start again at once
    expect((await run("check")).code).to.equal(EXIT.ok);
  });

  it("waits for a node that is not up yet, and works when it is", async () => {
    const node = await startProxy(c.executionUrl);
    node.become([() => Promise.resolve(json(502, "starting"))]);
    const stop = new AbortController();
    const running = run("run", { ESTUARY_EXECUTION_URLS: node.url }, stop.signal);
    const asleep = async (): Promise<void> => {
      while (c.clock.sleepers === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await asleep();
    await c.wait(12);
    await asleep();
    node.become([]);
    await c.wait(12);
    await asleep();
    stop.abort();
    const { code, lines } = await running;
    await node.close();
    expect(code).to.equal(EXIT.ok);
    const told = lines.map(({ text }) => text).filter((text) => !text.includes("node failed"));
    expect(told.slice(0, 3)).to.deep.equal([
      "oracle: run",
      `cannot start yet: execution node ${hostOf(node.url)}: answered 502: starting`,
      "nodes and signer are there",
    ]);
  });

  it("stops while it waits for its nodes", async () => {
    const stop = new AbortController();
    const running = run("run", { ESTUARY_EXECUTION_URLS: "http://127.0.0.1:9" }, stop.signal);
    while (c.clock.sleepers === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    expect((await running).code).to.equal(EXIT.ok);
  });

  it("needs its configuration: every problem in a line of its own, exit code 2", async () => {
    const error = await refusalOf(
      run("run", { ESTUARY_DATA_DIR: "", ESTUARY_BEACON_URLS: "nonsense", ESTUARY_MAX_FEE_GWEI: "-1" }),
    );
    expect(error.exitCode).to.equal(EXIT.usage);
    expect(error.message.split("\n").map((line) => line.split(":")[0])).to.have.members([
      ...["ESTUARY_BEACON_URLS", "ESTUARY_DATA_DIR", "ESTUARY_MAX_FEE_GWEI"],
    ]);
    expect((await refusalOf(run("check", { ESTUARY_DEPLOYMENT: join(folder, "none.json") }))).exitCode).to.equal(
      EXIT.usage,
    );
    expect((await refusalOf(run("run", { ESTUARY_PRIVATE_KEY_FILE: "" }))).message).to.include("no account");
  });

  it("ends with 4 where no execution node answers, and with 2 on another chain", async () => {
    const silent = await refusalOf(run("check", { ESTUARY_EXECUTION_URLS: "http://127.0.0.1:9" }));
    expect(silent.exitCode).to.equal(EXIT.unavailable);
    const { token, wrapped } = c.deployment;
    writeFileSync(join(folder, "other.json"), JSON.stringify({ chainId: 5, token, wrapped, fromBlock: 0 }));
    const other = await refusalOf(run("check", { ESTUARY_DEPLOYMENT: join(folder, "other.json") }));
    expect(other.message).to.include("serves chain 31337, not 5");
  });

  it("signs and sends through an external signer, and never sees the key", async () => {
    const wallet = new Wallet(key, new JsonRpcProvider(c.executionUrl, 31_337n, { staticNetwork: true }));
    const signer = await serveSigner(wallet, ["eth_signTypedData_v4", "eth_signTransaction"]);
    const external = {
      ...place.config,
      PRIVATE_KEY: undefined,
      SIGNER_URL: signer.url,
      SIGNER_ADDRESS: wallet.address,
    };
    const refSlot = await c.nextFrame();
    place.config = { ...external, DATA_DIR: join(folder, "external") };
    await c.start(place);
    for (const { daemon } of c.places.slice(1, 3)) await daemon?.member.step();
    await place.daemon?.member.step();
    await c.wait(5 * 60);
    expect(await place.daemon?.member.step()).to.deep.include({ submitted: true, refSlot });
    expect(new Set(signer.asked)).to.deep.equal(new Set(["eth_signTypedData_v4", "eth_signTransaction"]));
    await c.stop(place);
    await signer.close();
    wallet.provider?.destroy();
  });

  it("is a program that ends with 0 at SIGTERM, and leaves its journal to the next", async function () {
    const settings = env({ ESTUARY_DATA_DIR: join(folder, "terminated") });
    for (let times = 0; times < 2; times++) {
      const { code, output } = await terminated("oracle.ts", ["run"], settings, folder);
      expect(output).to.match(/"msg":"stopping after this turn"/);
      expect(output).to.match(/"msg":"stopped"/);
      expect(code).to.equal(EXIT.ok);
    }
  });

  it("is a program: one readable line for a mistake, no stack trace", async () => {
    const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
      execFile(
        process.execPath,
        ["--import", "tsx", join(ROOT, "scripts/oracle.ts"), "chekc"],
        { cwd: ROOT },
        (error, _, text) => resolve({ code: error?.code, stderr: text }),
      );
    });
    expect(code).to.equal(EXIT.usage);
    expect(stderr).to.equal("error: usage: npm run oracle -- run | once | dry-run | check [--json] [--verbose]\n");
  });
});
