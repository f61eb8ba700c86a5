/** What a person meets: the settings file, questions, previews, passwords, words. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Wallet, encryptKeystoreJson } from "ethers";
import { network } from "hardhat";
import { serveBeaconApi } from "../../../devnet/simulated/api/server.ts";
import type { BeaconApi } from "../../../devnet/simulated/api/server.ts";
import { startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { serveRpc } from "../../../devnet/rpcServer.ts";
import { formatDeployment } from "../../../offchain/chain/connect.ts";
import type { Prompts } from "../../../offchain/cli/io.ts";
import { runCli } from "../../../offchain/cli/program.ts";
import { closeServer, portOf } from "../../../offchain/util/health.ts";
import { withSettings } from "../../../offchain/util/settings.ts";

// the fifth account of the usual development mnemonic
const ALICE_KEY = "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a";
const PASSWORD = " correct horse ";

describe("the command line, for people", () => {
  let p: LocalProtocol;
  let rpc: Server;
  let api: BeaconApi;
  let folder: string;
  let node: string;
  let settings: string;
  /** Answers to questions in their order, and the questions. */
  let answers: (string | boolean | undefined)[];
  let asked: string[];

  before(async () => {
    const connection = await network.create();
    p = await startLocalProtocol(connection);
    await p.pool.connect(p.alice).deposit(p.alice, p.alice, { value: 10n ** 19n });
    rpc = await serveRpc(connection.provider, 0);
    api = await serveBeaconApi(p.beacon);
    node = `http://127.0.0.1:${portOf(rpc)}`;
    folder = mkdtempSync(join(tmpdir(), "estuary-people-"));
    const [token, wrapped] = await Promise.all([p.token.getAddress(), p.wrapped.getAddress()]);
    writeFileSync(file("31337.json"), formatDeployment({ chainId: 31_337n, token, wrapped, fromBlock: 0 }));
    writeFileSync(file("alice.key"), `${ALICE_KEY}\n`);
    const keystore = await encryptKeystoreJson(new Wallet(ALICE_KEY), PASSWORD, { scrypt: { N: 1_024 } });
    writeFileSync(file("keystore.json"), keystore);
    settings = file("estuary.env");
    writeFileSync(
      settings,
      [
        `ESTUARY_EXECUTION_URLS=${node}`,
        `ESTUARY_DEPLOYMENT=${file("31337.json")}`,
        `ESTUARY_PRIVATE_KEY_FILE=${file("alice.key")}`,
        "",
      ].join("\n"),
    );
  });
  after(async () => {
    await api.close();
    await closeServer(rpc);
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    [answers, asked] = [[], []];
  });

  const file = (name: string): string => join(folder, name);

  function next<T>(question: string): Promise<T> {
    asked.push(question);
    return Promise.resolve(answers.shift() as T);
  }

  const prompts: Prompts = {
    secret: (question) => next(question),
    text: async (question, { check }) => {
      const answer = await next<string | undefined>(question);
      expect(answer === undefined ? undefined : check(answer), question).to.equal(undefined);
      return answer;
    },
    choose: (question) => next(question),
  };

  /** @param interactive whether a person is there */
  async function estuary(words: string[], interactive = false, env: Record<string, string | undefined> = {}) {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await runCli(words, {
      out: (text) => out.push(text),
      err: (text) => err.push(text),
      interactive,
      confirm: (question) => next(question),
      prompts,
      env,
    });
    return { code, out: out.join("\n"), err: err.join("\n") };
  }

  const withFile = (line: string, interactive = false, env: Record<string, string | undefined> = {}) =>
    estuary(line.split(" "), interactive, { ESTUARY_SETTINGS: settings, ...env });

  describe("estuary init", () => {
    const init = (...words: string[]) => estuary(["init", "--settings", file("init.env"), ...words]);

    it("writes from options what every command reads, tells what the nodes say and what is next", async () => {
      const words = ["--network", "local", "--execution-url", node, "--beacon-url", api.url];
      const { code, out, err } = await init(
        ...words,
        ...["--deployment", file("31337.json"), "--private-key-file", file("alice.key")],
      );
      expect(code, err).to.equal(0);
      expect(err)
        .to.match(/^execution node 127\.0\.0\.1:\d+: .*, chain 31337, block \d+ of 20\d\d-.* UTC$/m)
        .and.match(/^consensus node 127\.0\.0\.1:\d+: Estuary\/simulated, chain 31337, slot \d+, in sync$/m);
      expect(out)
        .to.include(`export ESTUARY_SETTINGS=${file("init.env")}`)
        .and.include("estuary status me");
      expect(statSync(file("init.env")).mode & 0o777).to.equal(0o600);
      expect(readFileSync(file("init.env"), "utf8")).to.not.include(ALICE_KEY.slice(2));
      expect(asked).to.deep.equal([]);
      const status = await withFile("status me --json", false, { ESTUARY_SETTINGS: file("init.env") });
      expect(status.code, status.err).to.equal(0);
      expect(JSON.parse(status.out)).to.have.property("address", p.alice.address);
    });

    it("writes over nothing unless told to", async () => {
      const before = readFileSync(file("init.env"), "utf8");
      const { code, err } = await init("--network", "local");
      expect(code).to.equal(5);
      expect(err).to.equal(`error: ${file("init.env")} exists: --force writes over it, --settings names another`);
      expect(readFileSync(file("init.env"), "utf8")).to.equal(before);
      const words = ["--network", "local", "--execution-url", node, "--deployment", file("31337.json"), "--force"];
      expect((await init(...words, "--private-key-file", file("alice.key"))).code).to.equal(0);
    });

    it("writes nothing where a value is wrong, names all at once, and repeats no password of a URL", async () => {
      const other = ["init", "--settings", file("none.env")];
      const deployment = ["--deployment", file("31337.json")];
      for (const [words, code, message] of [
        [[], 2, "ESTUARY_NETWORK: is required"],
        [["--network", "moon", "--beacon-url", "ftp://u:hush@b", "--signer-url", "http://s"], 2, "one of local"],
        [["--network", "hoodi", "--execution-url", node, ...deployment], 2, "is on chain 31337, not on 560048 (hoodi)"],
        [["--network", "local", "--execution-url", "http://u:hush@127.0.0.1:2", ...deployment], 4, "127.0.0.1:2"],
        [["--network", "local", "--execution-url", api.url, ...deployment], 4, "execution node"],
        [["--network", "local", "--execution-url", node, "--deployment", file("gone.json")], 2, "ENOENT"],
        [["--network", "local", "--keystore", "a", "--private-key-file", "b"], 2, "more than one account"],
      ] as [string[], number, string][]) {
        const { code: came, err } = await estuary([...other, ...words]);
        expect(came, err).to.equal(code);
        expect(err).to.include(message).and.not.include("hush");
        if (words.includes("moon"))
          expect(err).to.include("ESTUARY_BEACON_URLS: not an http(s) URL").and.include("--signer-address: both");
      }
      expect(() => statSync(file("none.env"))).to.throw("ENOENT");
    });

    it("asks a person for what no option gives, and writes despite a silent node only after a yes", async () => {
      const asking = file("asked.env");
      answers = ["local", node, "http://127.0.0.1:2", file("31337.json"), "keystore", file("keystore.json"), false];
      const refused = await estuary(["init", "--settings", asking], true);
      expect(refused.code).to.equal(4);
      expect(asked).to.have.length(7);
      expect(asked.at(-1)).to.match(/^Not every node answers/);
      answers = ["local", node, "", file("31337.json"), "keystore", file("keystore.json")];
      const { code, err } = await estuary(["init", "--settings", asking], true);
      expect(code, err).to.equal(0);
      expect(withSettings({ ESTUARY_SETTINGS: asking }).values).to.include({
        ESTUARY_EXECUTION_URLS: node,
        ESTUARY_KEYSTORE: file("keystore.json"),
        ESTUARY_NETWORK: "local",
      });
      // a question left unanswered ends it
      answers = ["local", undefined];
      expect((await estuary(["init", "--settings", file("left.env")], true)).code).to.equal(5);
    });
  });

  describe("an encrypted keystore", () => {
    const keystore = () => ({ ESTUARY_KEYSTORE: file("keystore.json") });

    it("is opened for what is sent only, after the yes, with the password as it was typed", async () => {
      for (const line of ["status me", "history me", "stake 1 --dry-run", "wrap 1 --dry-run"]) {
        const { code, err } = await withFile(line, true, keystore());
        expect(err, line).to.not.include("password");
        expect(code, err).to.equal(0);
      }
      expect(asked).to.deep.equal([]);
      answers = [false];
      expect((await withFile("stake 1", true, keystore())).code).to.equal(5);
      answers = [true, PASSWORD];
      const { code, err } = await withFile("stake 2", true, keystore());
      expect(code, err).to.equal(0);
      expect(asked).to.deep.equal(["Send it?", "Send it?", `Password of ${file("keystore.json")}`]);
    });

    it("needs a password setting where nobody can be asked, and sends nothing with a wrong one", async () => {
      const silent = await withFile("stake 1 --yes", false, keystore());
      expect(silent).to.include({ code: 2 });
      expect(silent.err).to.include("ESTUARY_KEYSTORE_PASSWORD: is required with a keystore");
      answers = ["wrong"];
      const wrong = await withFile("stake 1 --yes", true, keystore());
      expect(wrong).to.include({ code: 2, err: "error: ESTUARY_KEYSTORE: wrong password" });
    });
  });

  describe("a preview", () => {
    it("has what is sent along, the fee, both together and what comes back", async () => {
      const stake = await withFile("stake 1.5 --dry-run");
      expect(stake.out)
        .to.match(/^sends +1\.5 ETH$/m)
        .and.match(/^fee +about 0\.\d+ ETH, at most 0\.\d+ ETH$/m)
        .and.match(/^in all +at most 1\.5\d+ ETH$/m)
        .and.match(/^gets +about 1\.5 estETH$/m);
      expect((await withFile("stake 1 --wrapped --dry-run")).out).to.match(/^gets +about 1 westETH$/m);
      expect((await withFile("unstake 1 --dry-run")).out)
        .to.match(/^sends +1 estETH$/m)
        .and.match(/^gets +at most 1 ETH, once/m)
        .and.not.match(/^in all/m);
      answers = [false];
      const { err } = await withFile("stake 1.5", true);
      expect(err)
        .to.match(/^sends +1\.5 ETH$/m)
        .and.match(/^gets +about 1\.5 estETH$/m);
    });

    it("shows both transactions of a wrap without allowance", async () => {
      const { code, out, err } = await withFile("wrap 1 --dry-run");
      expect(code, err).to.equal(0);
      expect(err).to.include("transaction 1 of 2").and.include("transaction 2 of 2");
      expect(out).to.match(/^then +a second transaction: wrap 1 estETH; gets about 1 westETH$/m);
      const { before, ...last } = JSON.parse((await withFile("wrap 1 --dry-run --json")).out) as { before: object[] };
      expect(last).to.include({ dryRun: true, action: "wrap 1 estETH" });
      expect(before).to.have.length(1);
      expect(before[0]).to.have.nested.property("cost.maxFee");
    });

    it("takes --account where nothing is signed, and refuses another account where something would be", async () => {
      const other = `--account ${p.bob.address}`;
      expect((await withFile(`stake 1 --dry-run ${other}`)).out).to.include(p.bob.address);
      expect(JSON.parse((await withFile(`status me --json ${other}`)).out)).to.have.property("address", p.bob.address);
      const { code, err } = await withFile(`stake 1 --yes ${other}`);
      expect(code).to.equal(2);
      expect(err).to.include(`${p.bob.address} is not the account that signs, ${p.alice.address}`);
      expect((await withFile(`stake 1 --dry-run --account ${p.alice.address}`)).code).to.equal(0);
    });

    it("ends before the question where the fee may be above --max-gas", async () => {
      const { code, err } = await withFile("stake 1 --max-gas 0.0000001", true);
      expect(code).to.equal(5);
      expect(err).to.include("above the limit of 0.0000001 ETH: nothing was sent");
      expect(asked).to.deep.equal([]);
      expect((await withFile("keeper once --max-gas 1")).err).to.include("--max-gas: not for keeper once");
    });
  });

  it("names all settings that are missing at once, by what the command needs", async () => {
    const missing = async (line: string) => (await estuary(line.split(" "))).err.split("\n").length;
    expect(await missing("status")).to.equal(1);
    expect(await missing("stake 1 --yes")).to.equal(2);
    expect(await missing("operator prove 1 --yes")).to.equal(2);
    expect(await missing("keeper once")).to.equal(4);
    expect(await missing("committee report")).to.equal(5);
  });

  it("says what comes next: results, times with their zone, APR, an operator's name", async () => {
    expect((await withFile("wrap 1 --yes")).out).to.match(/^got +1 westETH$/m);
    expect((await withFile("unwrap 0.5 --yes")).out).to.match(/^got +0\.5 estETH$/m);
    const { out } = await withFile("unstake 0.5 --yes");
    expect(out).to.match(/^expected +20\d\d-\d\d-\d\d \d\d:\d\d UTC, with the next report/m);
    expect((await withFile("status")).out).to.match(/^APR +no report yet$/m);
    await p.committee.report();
    await p.committee.report();
    const status = (await withFile("status")).out;
    expect(status).to.match(/^APR +\d+\.\d\d% after fees, over 2\.0 days$/m);
    expect(status).to.match(/^last report +slot \d+, 20\d\d-\d\d-\d\d \d\d:\d\d UTC$/m);
    expect((await withFile("operator status 1")).out).to.match(/^operator +1, Operator One, tier 0$/m);
    expect((await withFile("stake 0 --yes")).err).to.equal("error: amount: it must be more than 0");
  });

  it("lists global options in the help of every command", async () => {
    for (const words of [["stake"], ["operator", "predeposit"], ["operator", "exit"], ["keeper", "once"], ["init"]]) {
      const { code, out } = await estuary([...words, "--help"]);
      expect(code).to.equal(0);
      for (const option of ["--dry-run", "--json", "--yes", "--max-gas", "--account", "--settings"])
        expect(out, words.join(" ")).to.include(option);
    }
  });

  describe("completion", () => {
    const script = async (shell: string): Promise<string> => (await estuary(["completion", shell])).out;

    it("offers in bash what may come after the words so far, arguments and options passed over", async () => {
      const file = join(folder, "completion.bash");
      writeFileSync(file, await script("bash"));
      const complete = (...words: string[]): string[] => {
        const line = `source '${file}'; COMP_WORDS=(estuary ${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length}; _estuary; echo "\${COMPREPLY[@]}"`;
        const { stdout, stderr } = spawnSync("bash", ["-c", line], { encoding: "utf8" });
        expect(stderr).to.equal("");
        return stdout.trim().split(" ");
      };
      expect(complete("sta")).to.deep.equal(["stake", "status"]);
      expect(complete("operator", "pre")).to.deep.equal(["predeposit"]);
      expect(complete("operator", "keys", "--c")).to.deep.equal(["--count"]);
      expect(complete("stake", "1.5", "--w")).to.deep.equal(["--wrapped"]);
      expect(complete("--json", "operator", "status", "7", "--dry")).to.deep.equal(["--dry-run"]);
    });

    it("is a script that the shell takes, wherever it is installed", async () => {
      for (const shell of ["bash", "zsh", "fish"]) {
        const text = await script(shell);
        expect(text, shell).to.include("predeposit").and.include("max-gas");
        const { error, status, stderr } = spawnSync(shell, ["-n"], { input: text, encoding: "utf8" });
        if (error === undefined) expect(status, stderr).to.equal(0);
      }
      expect((await estuary(["completion", "tcsh"])).code).to.equal(2);
    });
  });
});
