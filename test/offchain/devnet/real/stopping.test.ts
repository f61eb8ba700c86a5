import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { processesWith } from "../../processTable.ts";
import { describeWith } from "../../../helpers/describeWith.ts";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const MARK = "DEVNET_OF_A_TEST";

/** A minute of whole devnets: `npm run test:devnet`, a step of the CI. */
const describeDevnet = describeWith("DEVNET_TESTS");

describeDevnet("npm run devnet ends, and all that it started", () => {
  let npm: ChildProcess | undefined;
  let mark = "";
  let printed = "";

  const start = (): ChildProcess => {
    mark = randomUUID();
    printed = "";
    const options = ["--fast", "--validators", "32", "--keys", "1", "--rpc-port", "0", "--beacon-port", "0"];
    const child = spawn("npm", ["run", "--silent", "devnet", "--", ...options], {
      cwd: ROOT,
      env: { ...process.env, [MARK]: mark },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text: Buffer) => (printed += text.toString("utf8")));
    npm = child;
    return child;
  };
  const tree = (): string[] => processesWith(`${MARK}=${mark}`).map(({ line }) => line);
  const until = async (condition: () => boolean, seconds: number, what: string): Promise<void> => {
    const deadline = performance.now() + seconds * 1_000;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`${what}; still there:\n${tree().join("\n")}\n${printed}`);
      await sleep(100);
    }
  };
  const has = (name: string): boolean => tree().some((line) => line.includes(name));

  afterEach(() => {
    for (const { pid } of processesWith(`${MARK}=${mark}`)) process.kill(pid, "SIGKILL");
    npm = undefined;
  });

  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"] as const) {
    it(`when npm gets ${signal}, while the contracts are being deployed`, async function () {
      this.timeout(240_000);
      start();
      await until(() => has("beaconNode.main.ts"), 180, "it does not start");
      expect(has("@ethereumjs/client"), "the other client").to.be.true;
      npm?.kill(signal);
      await until(() => tree().length === 0, 30, "something goes on");
    });
  }

  it("when the process under npm is killed, once everything runs", async function () {
    this.timeout(300_000);
    start();
    await until(() => printed.includes("Ctrl-C stops"), 240, "it does not start");
    expect(printed).to.match(/export ESTUARY_EXECUTION_URLS='http:\/\/127\.0\.0\.1:\d+'/);
    expect(has("validatorClient.main.ts"), "a validator client").to.be.true;
    const supervisor = processesWith(`${MARK}=${mark}`).find(({ line }) => line.includes("scripts/run.ts devnet"));
    if (supervisor === undefined) throw new Error(`no supervisor among\n${tree().join("\n")}`);
    process.kill(supervisor.pid, "SIGKILL");
    await until(() => tree().length === 0, 30, "something goes on");
  });
});
