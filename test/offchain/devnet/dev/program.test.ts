/** `npm run dev` as a person runs it. A minute and more: `npm run test:dev`, a step of the CI. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { ValidatorRegistry__factory } from "../../../../typechain-types/index.ts";
import { processesWith } from "../../processTable.ts";
import { describeWith } from "../../../helpers/describeWith.ts";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const MARK = "DEV_OF_A_TEST";
const BOB = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc";
const CAROL = "0x976EA74026E726554dB657fA54763abd0C3a0aa9";
const SLASHED = ValidatorRegistry__factory.createInterface().getEvent("Slashed").topicHash;
/** Sent to the pool: a stake. */
const STAKE = 5n * 10n ** 18n;

const describeDev = describeWith("DEV_TESTS");

describeDev("npm run dev", function () {
  this.timeout(300_000);
  let folder: string;
  let program: ChildProcess;
  let mark = "";
  let printed = "";

  const tree = (): string[] => processesWith(`${MARK}=${mark}`).map(({ line }) => line);
  const until = async (condition: () => boolean | Promise<boolean>, seconds: number, what: string): Promise<void> => {
    const deadline = performance.now() + seconds * 1_000;
    while (!(await condition())) {
      if (performance.now() > deadline) throw new Error(`${what}; still there:\n${tree().join("\n")}\n${printed}`);
      await sleep(100);
    }
  };
  /** As a person does, or without npm, which has exit codes of its own. */
  const start = async (how: "npm" | "node" = "npm"): Promise<void> => {
    mark = randomUUID();
    printed = "";
    const ports = ["--port", "0", "--beacon-port", "0", "--app-port", "0"];
    const [command, words] =
      how === "npm"
        ? (["npm", ["run", "--silent", "dev", "--"]] as const)
        : ([process.execPath, ["--import", "tsx", "scripts/run.ts", "dev"]] as const);
    program = spawn(command, [...words, ...ports, "--data", folder, "--day", "10s"], {
      cwd: ROOT,
      env: { ...process.env, [MARK]: mark },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [program.stdout, program.stderr])
      stream?.on("data", (text: Buffer) => (printed += text.toString("utf8")));
    await until(() => printed.includes("ready in ") || program.exitCode !== null, 200, "it is not ready");
  };
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    program.kill(signal);
    const isOver = (): boolean => tree().length === 0 && (program.exitCode ?? program.signalCode) !== null;
    await until(isOver, 30, "something goes on");
  };
  const urlOf = (row: string): string =>
    new RegExp(`^${row} +(http://127\\.0\\.0\\.1:\\d+)`, "m").exec(printed)?.[1] ?? "";
  const rpc = async (method: string, ...params: unknown[]): Promise<unknown> => {
    const response = await fetch(urlOf("JSON-RPC"), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    const { result, error } = (await response.json()) as { result?: unknown; error?: { message: string } };
    if (error !== undefined) throw new Error(error.message);
    return result;
  };
  const control = async (action: object): Promise<Record<string, unknown>> => {
    const origin = urlOf("the app");
    const headers = { "content-type": "application/json", origin };
    const response = await fetch(`${origin}/control`, { method: "POST", headers, body: JSON.stringify(action) });
    const body = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw new Error(String(body["error"]));
    return body;
  };
  const provenSlashings = async (): Promise<number> => {
    const logs = await rpc("eth_getLogs", { fromBlock: "earliest", toBlock: "latest", topics: [SLASHED] });
    return (logs as unknown[]).length;
  };
  const reports = (): number => printed.match(/^reported: /gm)?.length ?? 0;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "estuary-dev-program-"));
  });
  after(() => {
    for (const { pid } of processesWith(`${MARK}=${mark}`)) process.kill(pid, "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  let pool = "";
  let balance: unknown;
  let time = 0;

  it("starts with one table: what to open, addresses, and accounts with keys", async () => {
    await start();
    for (const row of ["the app", "JSON-RPC", "Beacon API"]) expect(urlOf(row), printed).not.to.equal("");
    for (const name of ["token", "pool", "queue", "oracle"])
      expect(printed).to.match(new RegExp(`^${name} +0x\\w{40}$`, "m"));
    for (const name of ["alice", "guardian", "keeper"])
      expect(printed).to.match(new RegExp(`^${name} +0x\\w{40} {2}0x\\w{64}$`, "m"));
    pool = /^pool +(0x\w{40})$/m.exec(printed)?.[1] ?? "";
    const page = await (await fetch(`${urlOf("the app")}/`)).text();
    expect(page).to.include("Content-Security-Policy");
    const config = (await (await fetch(`${urlOf("the app")}/config.json`)).json()) as Record<string, unknown>;
    expect(config).to.include({ network: "Local", clock: "chain", control: "control" });
  });

  it("has a committee that reports by itself, day after day", async () => {
    await until(() => reports() >= 2, 90, "no two reports come");
  });

  it("does what the panel asks: a day, a slashing that the keeper proves, test ether, a report that is missed", async () => {
    const had = BigInt((await rpc("eth_getBalance", CAROL, "latest")) as string);
    const before = await control({ action: "testEther", address: CAROL });
    expect(BigInt((await rpc("eth_getBalance", CAROL, "latest")) as string) - had).to.equal(100n * 10n ** 18n);
    const count = reports();
    const after = await control({ action: "nextDay" });
    expect(Number(after["time"])).to.be.greaterThan(Number(before["time"]));
    await until(() => reports() > count, 30, "the day has no report");

    const [validator] = after["validators"] as { pubkey: string }[];
    const slashed = await control({ action: "slash", pubkey: validator?.pubkey });
    expect((slashed["validators"] as unknown[]).length).to.equal((after["validators"] as unknown[]).length - 1);
    await until(async () => (await provenSlashings()) === 2, 30, "the keeper does not prove it");

    const silent = await control({ action: "missReport" });
    expect(Number(silent["silentUntil"])).to.be.greaterThan(Number(silent["nextReference"]));
    const missed = reports();
    await control({ action: "nextDay" });
    await sleep(6_000);
    expect(reports()).to.equal(missed);
    await control({ action: "nextDay" });
    await until(() => reports() > missed, 30, "the committee does not come back");
  });

  it("ends with Ctrl-C, and leaves no process", async () => {
    await rpc("eth_sendTransaction", { from: BOB, to: pool, value: `0x${STAKE.toString(16)}` });
    balance = await rpc("eth_getBalance", BOB, "latest");
    time = Number((await control({ action: "state" }))["time"]);
    await stop("SIGINT");
    expect(printed).to.match(/\nstopped\n$/);
  });

  it("goes on where it was stopped, and its committee reports on", async () => {
    await start("node");
    expect(printed).to.include("going on: ");
    expect(await rpc("eth_getBalance", BOB, "latest")).to.equal(balance);
    expect(Number((await control({ action: "state" }))["time"])).to.be.at.least(time);
    await until(() => reports() >= 1, 60, "no report comes");
    await stop("SIGTERM");
    expect(program.exitCode).to.equal(0);
  });

  it("says in a line which port is in use, with the way out, and ends with 4", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const options = ["--port", "0", "--beacon-port", String(port), "--app-port", "0", "--data", folder];
    const { status, stderr } = spawnSync("npm", ["run", "--silent", "dev", "--", ...options], {
      cwd: ROOT,
      encoding: "utf8",
    });
    server.close();
    expect(stderr).to.equal(
      `port ${port} (Beacon API) is in use, perhaps by another npm run dev: stop that, or give --beacon-port another, or 0 for a free one\n`,
    );
    expect(status).to.equal(4);
  });
});
