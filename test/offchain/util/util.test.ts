import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { JsonRpcProvider, Wallet, encryptKeystoreJson, verifyTypedData } from "ethers";
import { Registry } from "prom-client";
import { manualClock, systemClock } from "../../../offchain/util/clock.ts";
import { AppError, EXIT, exitCodeOf, messageOf, runProgram } from "../../../offchain/util/errors.ts";
import { Reasons, closeServer, makePulse, portOf, serveHealth } from "../../../offchain/util/health.ts";
import { hostOf } from "../../../offchain/util/http.ts";
import { askHosts, backoff } from "../../../offchain/util/retry.ts";
import { loadSigner } from "../../../offchain/util/signer.ts";
import { serveSigner } from "../signerServer.ts";

const NOTHING = {
  PRIVATE_KEY: undefined,
  KEYSTORE: undefined,
  KEYSTORE_PASSWORD: undefined,
  SIGNER_URL: undefined,
  SIGNER_ADDRESS: undefined,
};
const KEY = `0x${"11".repeat(32)}`;

async function failureOf(promise: Promise<unknown>): Promise<AppError> {
  try {
    await promise;
  } catch (error) {
    expect(error).to.be.instanceOf(AppError);
    return error as AppError;
  }
  throw new Error("it did not fail");
}

describe("errors of programs", () => {
  it("are one line each, without a stack unless asked for, and set the exit code", async () => {
    const before = process.exitCode;
    try {
      const lines: string[] = [];
      const print = (line: string) => lines.push(line);
      await runProgram(() => Promise.reject(new AppError(EXIT.unavailable, "no node answers")), {
        verbose: false,
        print,
      });
      expect(process.exitCode).to.equal(4);
      await runProgram(() => Promise.reject(new Error("first\n  at second")), { verbose: false, print });
      expect(process.exitCode).to.equal(1);
      expect(lines).to.deep.equal(["error: no node answers", "error: first"]);
      await runProgram(() => Promise.reject(new Error("deep")), { verbose: true, print });
      expect(lines.at(-1)).to.include("util.test.ts");
      await runProgram(() => Promise.resolve(EXIT.ok), { verbose: false, print });
      expect(process.exitCode).to.equal(0);
    } finally {
      process.exitCode = before ?? 0;
    }
    expect(messageOf("plain")).to.equal("plain");
    expect(messageOf(new Error(""))).to.equal("unknown error");
    expect(exitCodeOf("plain")).to.equal(EXIT.failure);
  });
});

describe("clocks", () => {
  it("wake sleepers in order, and those that an abort ends at once", async () => {
    const clock = manualClock(100);
    const woken: string[] = [];
    const stop = new AbortController();
    const sleeps = [
      clock.sleep(20).then(() => woken.push(`b${clock.now()}`)),
      clock.sleep(5).then(async () => {
        woken.push(`a${clock.now()}`);
        await clock.sleep(5);
        woken.push(`c${clock.now()}`);
      }),
    ];
    const stopped = clock.sleep(50, stop.signal).catch((error: unknown) => woken.push((error as Error).name));
    await clock.advance(30);
    await Promise.all(sleeps);
    expect(woken).to.deep.equal(["a105", "c110", "b120"]);
    expect(clock.now()).to.equal(130);
    expect(clock.sleepers).to.equal(1);
    stop.abort();
    await stopped;
    expect(woken.at(-1)).to.equal("AbortError");
    expect(clock.sleepers).to.equal(0);
    expect(await clock.sleep(1, stop.signal).catch((error: unknown) => (error as Error).name)).to.equal("AbortError");
    const before = systemClock.now();
    await systemClock.sleep(0);
    expect(systemClock.now()).to.be.at.least(before);
  });
});

describe("asking several hosts", () => {
  const onExhausted = () => new AppError(EXIT.unavailable, "nobody answers");

  it("goes on to the next, starts where it is told, and each is asked once", async () => {
    const asked: string[] = [];
    const ask = (host: string) => {
      asked.push(host);
      return host === "c" ? Promise.resolve(7) : Promise.reject(new Error(host));
    };
    expect(await askHosts(["a", "b", "c"], ask, { onExhausted })).to.deep.equal({ value: 7, host: 2 });
    expect(await askHosts(["a", "b", "c"], ask, { onExhausted, first: 2 })).to.deep.equal({ value: 7, host: 2 });
    expect(asked).to.deep.equal(["a", "b", "c", "c"]);
    const error = await failureOf(askHosts(["a", "b"], ask, { onExhausted, first: 1 }));
    expect(error.message).to.equal("nobody answers");
    expect(asked.slice(4)).to.deep.equal(["b", "a"]);
  });

  it("ends with an abort, and asks nobody then", async () => {
    const asked: string[] = [];
    const ask = (host: string) => Promise.resolve(asked.push(host));
    const aborted = await askHosts(["a"], ask, { onExhausted, signal: AbortSignal.abort() }).catch((e: unknown) => e);
    expect((aborted as Error).name).to.equal("AbortError");
    expect(asked).to.deep.equal([]);
  });

  it("waits longer each time, and shows no secret of a URL", () => {
    expect([1, 2, 3, 7, 1_000].map((attempt) => backoff(attempt))).to.deep.equal([1, 2, 4, 60, 60]);
    expect(hostOf("https://u:p@node.example:1/secret?key=1")).to.equal("node.example:1");
    expect(hostOf("nonsense")).to.equal("malformed URL");
  });
});

describe("health of a daemon", () => {
  it("serves metrics, says when its loop is stale, and when it is ready", async () => {
    const registry = new Registry();
    const clock = manualClock(1_000);
    const pulse = makePulse(clock, 60);
    const reasons = new Reasons(registry, "test_blocked", "why not", ["syncing", "paused"]);
    const server = await serveHealth(registry, pulse, "127.0.0.1", 0);
    const get = async (path: string, method = "GET") => {
      const response = await fetch(`http://127.0.0.1:${portOf(server)}${path}`, { method });
      return [response.status, await response.text()] as const;
    };
    try {
      reasons.set(["paused"]);
      const [status, body] = await get("/metrics");
      expect(status).to.equal(200);
      expect(body).to.include('estuary_test_blocked{reason="paused"} 1').and.include('{reason="syncing"} 0');
      expect(await get("/healthz")).to.deep.equal([200, "ok\n"]);
      expect(await get("/readyz")).to.deep.equal([503, "not ready\n"]);
      pulse.ready(true);
      expect(await get("/readyz")).to.deep.equal([200, "ok\n"]);
      await clock.advance(61);
      expect(await get("/healthz")).to.deep.equal([503, "stale\n"]);
      pulse.beat();
      expect((await get("/healthz"))[0]).to.equal(200);
      expect((await get("/other"))[0]).to.equal(404);
      expect((await get("/metrics", "POST"))[0]).to.equal(405);
    } finally {
      await closeServer(server);
    }
  });
});

describe("the account that signs", () => {
  const provider = new JsonRpcProvider("http://127.0.0.1:1", 31_337, { staticNetwork: true });
  after(() => provider.destroy());

  it("comes from a private key, a keystore with its password, or an external signer", async () => {
    const { address } = new Wallet(KEY);
    expect(await (await loadSigner({ ...NOTHING, PRIVATE_KEY: KEY.slice(2) }, provider)).getAddress()).to.equal(
      address,
    );
    const folder = mkdtempSync(join(tmpdir(), "estuary-"));
    const keystore = join(folder, "key.json");
    writeFileSync(
      keystore,
      await encryptKeystoreJson({ address, privateKey: KEY }, "secret", { scrypt: { N: 2, r: 1, p: 1 } }),
    );
    const fromFile = { ...NOTHING, KEYSTORE: keystore, KEYSTORE_PASSWORD: "secret" };
    expect(await (await loadSigner(fromFile, provider)).getAddress()).to.equal(address);
    const external = { ...NOTHING, SIGNER_URL: "http://127.0.0.1:1", SIGNER_ADDRESS: address };
    const signer = await loadSigner(external, provider);
    expect(await signer.getAddress()).to.equal(address);

    expect((await failureOf(loadSigner({ ...fromFile, KEYSTORE_PASSWORD: "wrong" }, provider))).message).to.equal(
      "ESTUARY_KEYSTORE: wrong password",
    );
    writeFileSync(keystore, "{}");
    expect((await failureOf(loadSigner(fromFile, provider))).message).to.include("is not a keystore");
    expect((await failureOf(loadSigner({ ...fromFile, KEYSTORE: `${keystore}x` }, provider))).message).to.include(
      "ENOENT",
    );
  });

  it("signs typed data by whichever method the external signer has", async () => {
    const domain = { name: "Estuary", chainId: 31_337 };
    const types = { Report: [{ name: "refSlot", type: "uint64" }] };
    const wallet = new Wallet(KEY);
    for (const method of ["eth_signTypedData_v4", "account_signTypedData"] as const) {
      const server = await serveSigner(wallet, [method]);
      const external = { ...NOTHING, SIGNER_URL: server.url, SIGNER_ADDRESS: wallet.address };
      try {
        const signer = await loadSigner(external, provider);
        const signature = await signer.signTypedData(domain, types, { refSlot: 7n });
        expect(verifyTypedData(domain, types, { refSlot: 7n }, signature)).to.equal(wallet.address);
        expect(server.asked.at(-1)).to.equal(method);
      } finally {
        await server.close();
      }
    }
    const none = await serveSigner(wallet, []);
    const signer = await loadSigner({ ...NOTHING, SIGNER_URL: none.url, SIGNER_ADDRESS: wallet.address }, provider);
    const error = await failureOf(signer.signTypedData(domain, types, { refSlot: 7n }));
    expect(error.exitCode).to.equal(EXIT.unavailable);
    expect(error.message).to.match(
      /^external signer 127\.0\.0\.1:\d+: eth_signTypedData: the method .* does not exist$/,
    );
    await none.close();
  });

  it("is exactly one, and a malformed key is not repeated", async () => {
    for (const [config, message] of [
      [NOTHING, "no account"],
      [{ ...NOTHING, PRIVATE_KEY: KEY, KEYSTORE: "x" }, "more than one account"],
      [{ ...NOTHING, KEYSTORE: "x" }, "ESTUARY_KEYSTORE_PASSWORD: is required"],
      [{ ...NOTHING, SIGNER_URL: "http://127.0.0.1:1" }, "ESTUARY_SIGNER_ADDRESS"],
      [{ ...NOTHING, PRIVATE_KEY: `${KEY}99` }, "not a private key"],
    ] as const) {
      const error = await failureOf(loadSigner(config, provider));
      expect(error.exitCode).to.equal(EXIT.usage);
      expect(error.message).to.include(message).and.not.include("1111");
    }
  });
});
