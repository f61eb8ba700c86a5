/** estuary operator exit, with real keys against the simulated layer's Beacon API, which verifies the signature on its own. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { network } from "hardhat";
import { serveBeaconApi } from "../../../devnet/simulated/api/server.ts";
import type { BeaconApi } from "../../../devnet/simulated/api/server.ts";
import { TEST_MNEMONIC } from "../../../devnet/keys.ts";
import type { ValidatorKey } from "../../../devnet/keys.ts";
import { fundValidators, startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { runCli } from "../../../offchain/cli/program.ts";
import { encryptKey } from "../../../offchain/keys/keystore.ts";
import { closeServer, portOf } from "../../../offchain/util/health.ts";

const ETH = 10n ** 18n;
const PASSWORD = "a long password";

describe("estuary operator exit", () => {
  let p: LocalProtocol;
  let api: BeaconApi;
  let folder: string;
  let keys: ValidatorKey[];
  let answer: boolean | undefined;

  before(async () => {
    p = await startLocalProtocol(await network.create());
    api = await serveBeaconApi(p.beacon);
    folder = mkdtempSync(join(tmpdir(), "estuary-exit-"));
    await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 100n * ETH });
    keys = await fundValidators(p, 3, 0);
    for (const [i, key] of keys.entries())
      writeFileSync(join(folder, `key${i}.json`), await encryptKey(key, PASSWORD, "pbkdf2"));
    await p.beacon.advanceUntil((state) =>
      keys.every(({ pubkey }) => (state.validator(pubkey)?.activationEpoch ?? Infinity) <= p.beacon.epoch),
    );
  });
  after(async () => {
    await api.close();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => (answer = undefined));

  async function exit(line: string, env: Record<string, string | undefined> = {}) {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await runCli(["operator", "exit", ...line.split(" ")], {
      out: (text) => out.push(text),
      err: (text) => err.push(text),
      interactive: answer !== undefined,
      confirm: () => Promise.resolve(answer ?? false),
      prompts: {
        secret: () => Promise.resolve(PASSWORD),
        text: () => Promise.resolve(undefined),
        choose: () => Promise.resolve(undefined),
      },
      env: { ESTUARY_BEACON_URLS: api.url, ESTUARY_KEYS_PASSWORD: PASSWORD, ...env },
    });
    return { code, out: out.join("\n"), err: err.join("\n") };
  }

  const file = (name: string): string => join(folder, name);
  const key = (i: number): string => keys[i]?.pubkey ?? "";
  const indexOf = (i: number): number => p.beacon.head.state.indexByPubkey.get(keys[i]?.pubkey ?? "0x") ?? -1;
  const exitEpoch = (i: number): number | undefined => p.beacon.head.state.validators[indexOf(i)]?.exitEpoch;

  it("refuses before the validator was active for 256 epochs, and says from when on", async () => {
    const { code, err } = await exit(`${key(0)} --keystore ${file("key0.json")} --yes`);
    expect(code).to.equal(5);
    expect(err).to.match(/^error: it must have been active for 256 epochs: from epoch \d+ on, it is \d+ now; --out/);
    await p.beacon.advanceEpochs(260);
  });

  it("signs, checks and hands over after a yes; the validator leaves", async () => {
    const line = `${key(0)} --keystore ${file("key0.json")}`;
    expect((await exit(line)).code).to.equal(5);
    answer = false;
    const no = await exit(line);
    expect(no).to.include({ code: 5 });
    expect(no.err).to.include("leave for good").and.include("stands in the way  nothing");
    const dry = await exit(`${line} --dry-run`);
    expect(dry).to.include({ code: 0 });
    expect(dry.out).to.include("nothing was signed or sent");
    answer = true;
    const done = await exit(line, { ESTUARY_KEYS_PASSWORD: undefined });
    expect(done, done.err).to.include({ code: 0 });
    expect(done.out).to.include("handed to 127.0.0.1");
    await p.beacon.advanceSlots(1);
    expect(exitEpoch(0)).to.be.below(Infinity);
    const again = await exit(`${line} --yes`);
    expect(again).to.include({ code: 5 });
    expect(again.err).to.match(/it leaves already, in epoch \d+/);
  });

  it("signs without a node into a file that its owner alone reads, and hands that over later", async () => {
    const offline = { ESTUARY_BEACON_URLS: undefined, ESTUARY_MNEMONIC: TEST_MNEMONIC };
    const index = indexOf(1);
    const chain = `--genesis-validators-root ${p.beacon.genesisValidatorsRoot} --capella-fork-version 0x03000000`;
    const out = file("exit.json");
    const signed = await exit(`${key(1)} --validator-index ${index} ${chain} --out ${out}`, offline);
    expect(signed, signed.err).to.include({ code: 0 });
    expect(statSync(out).mode & 0o777).to.equal(0o600);
    expect(JSON.parse(readFileSync(out, "utf8"))).to.have.nested.property("message.epoch", "0");
    expect((await exit(`${key(1)} --validator-index ${index} ${chain} --out ${out}`, offline)).code).to.equal(1);
    expect(exitEpoch(1)).to.equal(Infinity);
    const other = await exit(`${key(2)} --in ${out} --yes`);
    expect(other).to.include({ code: 3 });
    expect(other.err).to.include(`it is for validator ${index}`);
    const sent = await exit(`${key(1)} --in ${out} --yes --json`);
    expect(sent, sent.err).to.include({ code: 0 });
    expect(JSON.parse(sent.out)).to.have.nested.property("exit.message.validator_index", String(index));
    await p.beacon.advanceSlots(1);
    expect(exitEpoch(1)).to.be.below(Infinity);
  });

  it("sends nothing that another key or another chain signed", async () => {
    const wrong = await exit(`${key(2)} --keystore ${file("key0.json")} --yes`);
    expect(wrong).to.include({ code: 3 });
    expect(wrong.err).to.include(`it is the key ${key(0)}`);
    const index = indexOf(2);
    const offline = { ESTUARY_BEACON_URLS: undefined };
    const hoodi = `--validator-index ${index} --network hoodi --keystore ${file("key2.json")} --out ${file("hoodi.json")}`;
    expect((await exit(`${key(2)} ${hoodi}`, offline)).code).to.equal(0);
    const refused = await exit(`${key(2)} --in ${file("hoodi.json")} --yes`);
    expect(refused).to.include({ code: 3 });
    expect(refused.err).to.include("the signature is not this key's, for this validator on this chain");
  });

  it("tells a node's refusal in its words, asks every node, and says what is missing at once", async () => {
    const refusing: Server = createServer((request, response) => {
      if (request.method === "POST")
        response
          .writeHead(400)
          .end(JSON.stringify({ code: 400, message: "Invalid voluntary exit: in the pool already" }));
      else response.writeHead(307, { location: api.url + (request.url ?? "") }).end();
    });
    await new Promise<void>((resolve) => refusing.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${portOf(refusing)}`;
    const line = `${key(2)} --keystore ${file("key2.json")} --yes`;
    try {
      const refused = await exit(line, { ESTUARY_BEACON_URLS: url });
      expect(refused).to.include({ code: 1 });
      expect(refused.err).to.match(/refuses the exit: Invalid voluntary exit: in the pool already$/);
      const both = await exit(line, { ESTUARY_BEACON_URLS: `${url},${api.url}` });
      expect(both, both.err).to.include({ code: 0 });
    } finally {
      await closeServer(refusing);
    }
    const missing: [string, number, string, Record<string, string | undefined>?][] = [
      [`${key(2)} --yes`, 2, "no consensus node", { ESTUARY_BEACON_URLS: undefined }],
      [`${key(2)} --yes`, 4, "consensus node 127.0.0.1:9", { ESTUARY_BEACON_URLS: "http://127.0.0.1:9" }],
      [`0x${"ab".repeat(48)} --yes`, 3, "no validator with this key"],
      ["0x12 --yes", 2, "a public key is 0x and 96"],
    ];
    for (const [words, code, message, env] of missing) {
      const said = await exit(words, env);
      expect(said, words).to.include({ code });
      expect(said.err).to.include(message);
    }
  });
});
