import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { JsonRpcProvider, Wallet, formatEther } from "ethers";
import { network } from "hardhat";
import { serveBeaconApi } from "../../../devnet/simulated/api/server.ts";
import { fundValidators, startLocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { serveRpc } from "../../../devnet/rpcServer.ts";
import { runCli } from "../../../offchain/cli/program.ts";
import { sparkline } from "../../../offchain/cli/format.ts";
import { serveSigner } from "../signerServer.ts";

const ETH = 10n ** 18n;
// the fifth and eighth account of the usual development mnemonic: alice and the operator
const ALICE_KEY = "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a";
const OPERATOR_KEY = "0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356";
const MNEMONIC = "legal winner thank year wave sausage worth useful legal winner thank yellow";

/** A letter of an address with a checksum in the other case. */
function swapCase(address: string): string {
  return address.replace(
    /^(0x\d*)([a-zA-Z])/,
    (_, before: string, letter: string) =>
      before + (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()),
  );
}

describe("the command line", () => {
  let p: LocalProtocol;
  let ethers: Awaited<ReturnType<typeof network.create>>["ethers"];
  let server: Server;
  let folder: string;
  let env: Record<string, string>;
  let out: string[];
  let err: string[];
  let answer: boolean | undefined;

  before(async () => {
    const connection = await network.create();
    ({ ethers } = connection);
    p = await startLocalProtocol(connection);
    server = await serveRpc(connection.provider, 0);
    folder = mkdtempSync(join(tmpdir(), "estuary-cli-"));
    const deployment = join(folder, "deployment.json");
    const [token, wrapped] = await Promise.all([p.token.getAddress(), p.wrapped.getAddress()]);
    writeFileSync(deployment, JSON.stringify({ chainId: 31_337, token, wrapped, fromBlock: 0 }));
    env = {
      ESTUARY_EXECUTION_URLS: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      ESTUARY_DEPLOYMENT: deployment,
      ESTUARY_PRIVATE_KEY: ALICE_KEY,
    };
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    [out, err, answer] = [[], [], undefined];
  });

  async function estuary(line: string, change: Record<string, string | undefined> = {}): Promise<number> {
    return runCli(
      line
        .split(" ")
        .filter((word) => word !== "")
        .map((word) => (word === "''" ? "" : word)),
      {
        out: (text) => out.push(text),
        err: (text) => err.push(text),
        interactive: answer !== undefined,
        confirm: () => Promise.resolve(answer ?? false),
        env: { ...env, ...change },
        clock: { now: () => p.beacon.timeOf(p.beacon.head.slot), sleep: () => Promise.resolve() },
      },
    );
  }

  /** stdout is one JSON object. */
  function json(): Record<string, unknown> {
    expect(out).to.have.length(1);
    return JSON.parse(out[0] ?? "") as Record<string, unknown>;
  }

  it("shows the protocol, as a table and as JSON", async () => {
    expect(await estuary("status")).to.equal(0);
    expect(out.join()).to.include("deposits       open").and.include("committee      5 of 9 sign");
    out = [];
    expect(await estuary("status --json")).to.equal(0);
    expect(json()["totals"]).to.include({ ether: "10000000000000000" });
    expect(err).to.deep.equal([]);
  });

  it("stakes after a preview and a yes, and nothing without one", async () => {
    answer = false;
    expect(await estuary("stake 40")).to.equal(5);
    expect(err.at(-1)).to.equal("error: not confirmed: nothing was sent");
    expect(await p.token.balanceOf(p.alice)).to.equal(0);
    answer = true;
    expect(await estuary("stake 40")).to.equal(0);
    expect(err.join("\n")).to.include("stake 40.0 ETH for estETH").and.include("at most");
    expect(out.join()).to.include("got          40 estETH");
    expect(await p.token.balanceOf(p.alice)).to.equal(40n * ETH);
    answer = undefined;
    expect(await estuary("stake 1")).to.equal(5);
    expect(err.at(-1)).to.include("add --yes");
  });

  it("sends nothing in a dry run, which needs no key", async () => {
    const nonce = await p.alice.getNonce();
    expect(
      await estuary("stake 2 --dry-run --json", { ESTUARY_PRIVATE_KEY: undefined, ESTUARY_ACCOUNT: p.alice.address }),
    ).to.equal(0);
    expect(json()).to.include({ dryRun: true, action: "stake 2.0 ETH for estETH", from: p.alice.address });
    expect(await p.alice.getNonce()).to.equal(nonce);
    expect(
      await estuary("stake 2 --yes", { ESTUARY_PRIVATE_KEY: undefined, ESTUARY_ACCOUNT: p.alice.address }),
    ).to.equal(2);
    expect(err.at(-1)).to.include("no account");
  });

  it("wraps with the approval it needs, and unwraps", async () => {
    expect(await estuary("wrap 10 --yes --json")).to.equal(0);
    expect(json()).to.have.nested.property("outcome.wrapped", "10000000000000000000");
    expect(await p.wrapped.balanceOf(p.alice)).to.equal(10n * ETH);
    expect(await estuary("unwrap 4 --yes")).to.equal(0);
    expect(await p.wrapped.balanceOf(p.alice)).to.equal(6n * ETH);
    expect(await estuary("stake 5 --wrapped --yes")).to.equal(0);
    expect(await p.wrapped.balanceOf(p.alice)).to.equal(11n * ETH);
  });

  it("holds the second transaction of a command to --max-gas as it does the first", async () => {
    const [token, wrapped] = [p.token.connect(p.alice), p.wrapped.connect(p.alice)];
    const before = await wrapped.balanceOf(p.alice);
    await token.approve(wrapped, 2n * ETH);
    const dear = await wrapped.wrap.estimateGas(2n * ETH);
    await token.approve(wrapped, 0n);
    const cheap = await token.approve.estimateGas(wrapped, 2n * ETH);
    const { maxFeePerGas } = await ethers.provider.getFeeData();
    const between = (maxFeePerGas ?? 0n) * ((6n * (cheap + dear)) / 10n);
    expect(await estuary(`wrap 2 --yes --max-gas ${formatEther(between)}`)).to.equal(5);
    expect(err.join("\n")).to.include("let ").and.include("sent 0x");
    expect(err.at(-1)).to.include("above the limit").and.include("nothing was sent");
    expect(await p.token.allowance(p.alice, p.wrapped)).to.be.at.least(2n * ETH);
    expect(await p.wrapped.balanceOf(p.alice)).to.equal(before);
  });

  it("requests, waits, claims what is finalised, and shows each", async () => {
    expect(await estuary("claim --yes")).to.equal(0);
    expect(out).to.deep.equal(["nothing is claimable"]);
    expect(await estuary("unstake 8 --yes")).to.equal(0);
    expect(await estuary("unstake 1 --wrapped --yes")).to.equal(0);
    out = [];
    expect(await estuary("status me")).to.equal(0);
    expect(out.join()).to.include("waiting");
    await p.committee.report();
    await p.committee.report();
    out = [];
    expect(await estuary("status me --json")).to.equal(0);
    const { requests } = json() as { requests: { state: string }[] };
    expect(requests.map(({ state }) => state)).to.deep.equal(["claimable", "claimable"]);
    out = [];
    expect(await estuary("claim --yes")).to.equal(0);
    expect(out.join()).to.include("got          9 ETH");
    expect(await p.queue.balanceOf(p.alice)).to.equal(0);
  });

  it("draws the history and an address's rewards", async () => {
    await p.pool.connect(p.bob).deposit(p.bob, p.bob, { value: 62n * ETH });
    const [key] = await fundValidators(p, 1, 0);
    await p.beacon.advanceUntil(
      (state) => (state.validator(key?.pubkey ?? "0x")?.activationEpoch ?? Infinity) <= p.beacon.epoch,
    );
    await p.beacon.advanceDays(3);
    await p.committee.report();
    expect(await estuary("history me --last 5")).to.equal(0);
    expect(out.join("\n"))
      .to.match(/rate {2}[▁▂▃▄▅▆▇█]+/)
      .and.include("APR, 7 days")
      .and.include("rewards in all");
    out = [];
    expect(await estuary("history --json")).to.equal(0);
    expect(json()["reports"]).to.be.an("array").that.has.length.of.at.least(3);
    expect(sparkline([1, 2, 3])).to.equal("▁▅█");
    expect(sparkline([5, 5])).to.equal("▁▁");
  });

  it("takes an operator from a mnemonic to its predeposits", async () => {
    const secrets = {
      ESTUARY_MNEMONIC: MNEMONIC,
      ESTUARY_KEYS_PASSWORD: "a long password",
      ESTUARY_PRIVATE_KEY: OPERATOR_KEY,
    };
    const keys = join(folder, "keys");
    expect(
      await estuary(`operator keys --count 2 --first 7 --folder ${keys} --network 0x00000000 --kdf pbkdf2`, secrets),
    ).to.equal(0);
    const files = readdirSync(keys).sort();
    expect(files).to.have.length(3);
    expect(files[1]).to.match(/^keystore-m_12381_3600_7_0_0-\d+\.json$/);
    const text = [...out, ...err, ...files.map((file) => readFileSync(join(keys, file), "utf8"))].join("\n");
    expect(text).not.to.include("winner").and.not.include("a long password");
    const data = join(keys, files[0] ?? "");
    out = [];
    expect(await estuary(`operator predeposit 1 ${data} --network mainnet --yes --json`, secrets)).to.equal(0);
    const { outcome } = json() as { outcome: { keyRoots: string[] } };
    expect(outcome.keyRoots).to.have.length(2);
    expect((await p.validators.validator(outcome.keyRoots[0] ?? "")).status).to.equal(1);
    out = [];
    expect(await estuary("operator status 1 --limit 1")).to.equal(0);
    expect(out.join()).to.include("validators  3").and.include("active");
    out = [];
    expect(await estuary("operator status 1 --status predeposited --json")).to.equal(0);
    expect(json()["validators"]).to.have.nested.property("items.length", 2);
    // new words are shown only where keys of them will be made
    [answer, err] = [true, []];
    expect(await estuary("operator keys --count 0", { ESTUARY_KEYS_PASSWORD: "a long password" })).to.equal(2);
    expect(err).to.have.length(1);
    answer = undefined;
    // the same again has nothing left to send; another operator, another network: every problem is a line
    out = [];
    expect(await estuary(`operator predeposit 1 ${data} --network mainnet --yes`, secrets)).to.equal(0);
    expect(out).to.deep.equal(["all of its keys were sent before"]);
    expect(await estuary(`operator predeposit 2 ${data} --network hoodi --yes`, secrets)).to.equal(3);
    expect(err.at(-1)?.split("\n")).to.have.length(4);
    expect(err.at(-1)).to.include("is already in use").and.include("it is for mainnet, not for hoodi");
  });

  it("proves an operator's keys as soon as a final state has them, and says why not before", async () => {
    const api = await serveBeaconApi(p.beacon);
    try {
      const prove = `operator prove 1 --beacon ${api.url}`;
      expect(await estuary("operator prove 1")).to.equal(2);
      expect(err.at(-1)).to.match(/^error: no consensus node: set ESTUARY_BEACON_URLS or --beacon/);
      await p.beacon.advanceSlots(2);
      await p.beacon.finalize(p.beacon.head.slot - 1);
      expect(await estuary(`${prove} --yes`)).to.equal(0);
      expect(out).to.deep.equal(["no key to prove: the consensus layer does not know the key yet"]);
      await p.beacon.advanceEpochs(8);
      await p.beacon.advanceSlots(2);
      await p.beacon.finalize(p.beacon.head.slot);
      out = [];
      expect(await estuary(`${prove} --dry-run --json`)).to.equal(0);
      expect(json()).to.include({ dryRun: true, action: "prove 2 keys" });
      out = [];
      expect(await estuary(`${prove} --yes --json`)).to.equal(0);
      const { outcome } = json() as { outcome: { keyRoots: string[] } };
      expect((await p.validators.validator(outcome.keyRoots[1] ?? "")).status, "queued").to.equal(2);
      out = [];
      expect(await estuary(prove)).to.equal(0);
      expect(out).to.deep.equal(["no key to prove: nothing to do"]);
    } finally {
      await api.close();
    }
    expect(await estuary(`operator prove 1 --beacon ${api.url}`)).to.equal(4);
    expect(err.at(-1)).to.match(/^error: beacon node 127\.0\.0\.1:\d+: ECONNREFUSED$/);
  });

  it("adds bond, and explains what the contracts refuse", async () => {
    const operator = { ESTUARY_PRIVATE_KEY: OPERATOR_KEY };
    const frames =
      (BigInt(p.beacon.head.slot) - (await p.oracle.lastRefSlot())) / (await p.oracle.slotsPerFrame()) + 1n;
    await p.committee.report({}, p.committee.quorum, Number(frames));
    expect(await estuary("operator bond add 1 2 --yes", operator), err.join()).to.equal(0);
    expect((await p.operators.bondOf(1)).bond).to.be.at.least(3n * ETH - 1n);
    expect(await estuary("operator bond withdraw 1 500 --yes", operator)).to.equal(1);
    expect(err.at(-1))
      .to.match(/^error: .*bond/i)
      .and.not.include("0x");
    expect(await estuary("operator bond add 99 1 --yes", operator)).to.equal(1);
    expect(await estuary("operator bond lend 1 1 --yes", operator)).to.equal(2);
  });

  for (const methods of [["eth_signTransaction"], ["account_signTransaction"], ["eth_sendTransaction"]] as const) {
    it(`sends through an external signer that has ${methods.join()}, and never sees the key`, async () => {
      const node = new JsonRpcProvider(env["ESTUARY_EXECUTION_URLS"], 31_337n, { staticNetwork: true });
      const signer = await serveSigner(new Wallet(ALICE_KEY, node), methods);
      const external = {
        ESTUARY_PRIVATE_KEY: undefined,
        ESTUARY_SIGNER_URL: signer.url,
        ESTUARY_SIGNER_ADDRESS: p.alice.address.toLowerCase(),
      };
      try {
        const before = await p.token.balanceOf(p.alice);
        expect(await estuary("stake 1 --yes", external), err.join("\n")).to.equal(0);
        expect((await p.token.balanceOf(p.alice)) - before).to.be.closeTo(ETH, 2n);
        expect(signer.asked.at(-1)).to.equal(methods[0]);
        signer.person = "refuses";
        expect(await estuary("stake 1 --yes", external)).to.equal(1);
        expect(err.at(-1)).to.equal("error: the signature was refused in the wallet");
        if (methods[0] !== "eth_sendTransaction")
          for (const changes of [{ value: 5n }, { nonce: 99 }, { maxFeePerGas: 10n ** 12n }]) {
            signer.person = { changes };
            expect(await estuary("stake 1 --yes", external)).to.equal(5);
            expect(err.at(-1)).to.match(/^error: external signer 127\.0\.0\.1:\d+: it signed another transaction$/);
          }
        expect((await p.token.balanceOf(p.alice)) - before).to.be.closeTo(ETH, 2n);
      } finally {
        await signer.close();
        node.destroy();
      }
      expect(await estuary("stake 1 --yes", external)).to.equal(4);
      expect(err.at(-1)).to.match(/^error: external signer 127\.0\.0\.1:\d+: ECONNREFUSED$/);
    });
  }

  it("says when the external signer has no method for transactions", async () => {
    const signer = await serveSigner(new Wallet(ALICE_KEY), ["eth_signTypedData_v4"]);
    const external = {
      ESTUARY_PRIVATE_KEY: undefined,
      ESTUARY_SIGNER_URL: signer.url,
      ESTUARY_SIGNER_ADDRESS: p.alice.address,
    };
    try {
      expect(await estuary("stake 1 --yes", external)).to.equal(4);
      expect(err.at(-1)).to.include("eth_sendTransaction: the method eth_sendTransaction does not exist");
    } finally {
      await signer.close();
    }
  });

  it("checks that addresses, node and contracts fit together", async () => {
    expect(await estuary("deploy verify --json")).to.equal(0);
    expect(json()).to.include({ ok: true, chainId: "31337", pool: await p.pool.getAddress() });
    const other = join(folder, "other.json");
    writeFileSync(other, JSON.stringify({ chainId: 1, token: p.alice.address, wrapped: p.bob.address, fromBlock: 0 }));
    expect(await estuary(`status --deployment ${other}`)).to.equal(4);
    expect(err.at(-1)).to.include("serves chain 31337, not 1");
    writeFileSync(
      other,
      JSON.stringify({ chainId: 31_337, token: p.alice.address, wrapped: p.bob.address, fromBlock: 0 }),
    );
    expect(await estuary(`status --deployment ${other}`)).to.equal(2);
    expect(err.at(-1)).to.include("not deployed there");
    writeFileSync(other, "{}");
    expect(await estuary(`status --deployment ${other}`)).to.equal(2);
    expect(err.at(-1)?.split("\n")).to.have.length(4);
  });

  it("says in one line what a user did wrong, with the exit code for it", async () => {
    for (const [line, code, message, change] of [
      ["stake", 2, "missing required argument 'amount'"],
      ["stake -1", 2, "a decimal number"],
      ["stake 0", 2, "amount: it must be more than 0"],
      ["stake ''", 2, 'amount: a decimal number with at most 18 places, not ""'],
      ["stake 1.5eth", 2, 'amount: a decimal number with at most 18 places, not "1.5eth"'],
      ["stake 1e30", 2, 'not "1e30"'],
      [`stake ${"9".repeat(80)} --yes`, 2, "amount: more than all ether that there is"],
      ["stake 1 --receiver vitalik.eth --yes", 2, '--receiver: an address, not "vitalik.eth"'],
      [`stake 1 --receiver ${p.bob.address.toLowerCase().slice(2)} --yes`, 2, "--receiver: an address"],
      [`stake 1 --receiver ${swapCase(p.bob.address)} --yes`, 2, "--receiver: the checksum of"],
      [`stake 1 --receiver 0x${"0".repeat(40)} --yes`, 1, "can't receive"],
      [`status ${swapCase(p.bob.address)}`, 2, "address: the checksum of"],
      ["status XE65GB6LDNXYOFTX0NSV3FUWKOWIXAMJK36", 2, "address: an address, not"],
      ["history nobody", 2, 'address: an address, not "nobody"'],
      ["stake 1.0000000000000000001 --yes", 2, "at most 18 places"],
      ["stake 100000 --yes", 1, "this needs"],
      ["unstake 100000 --yes", 1, "you have"],
      ["unwrap 100000 --yes", 1, "westETH, less than 100000 westETH"],
      // nothing is approved before it is seen that the amount is not there
      ["wrap 100000 --yes", 1, "estETH, less than 100000 estETH"],
      ["wrap all --yes --dry-run", 1, "you have no estETH", { ESTUARY_PRIVATE_KEY: OPERATOR_KEY }],
      ["claim 12x --yes", 2, "a request is a number"],
      ["claim 99999 --yes", 1, "there is no withdrawal request 99999"],
      [`claim ${"9".repeat(80)} --yes`, 2, "a request is a number"],
      ["status nobody", 2, 'address: an address, not "nobody"'],
      ["sail", 2, "unknown command"],
      ["history --last none", 2, "--last"],
      ["stake 1 --yes --max-gas 0.0000001", 5, "above the limit"],
      ["status --rpc http://127.0.0.1:1", 4, "execution node 127.0.0.1:1"],
      ["status --rpc http://127.0.0.1:1,http://127.0.0.1:2", 4, "\nexecution node 127.0.0.1:2"],
      ["operator status 1 --status lost", 2, "--status: one of"],
      ["operator status 99", 1, "there is no operator 99"],
      [`operator status ${"9".repeat(20)}`, 2, "id: a whole number"],
      ["operator join 1 '' --yes", 2, "name: is empty"],
      ["operator join 1 name --reward-address bob.eth --yes", 2, "--reward-address: an address"],
      ["operator fund-own 0x12 --yes", 2, "a public key is 0x and 96"],
      ["operator predeposit 1 /nonexistent.json --yes", 2, "can't read /nonexistent.json"],
      ["operator keys --count 1", 2, "ESTUARY_KEYS_PASSWORD"],
      ["operator keys --count 0", 2, "--count: from 1 to 10000, not 0", { ESTUARY_KEYS_PASSWORD: "long enough" }],
      ["operator keys --count 99999", 2, "--count: from 1 to 10000", { ESTUARY_KEYS_PASSWORD: "long enough" }],
      ["operator keys --count 1", 3, "a password has at least 8", { ESTUARY_KEYS_PASSWORD: "short" }],
      ["committee check", 2, "ESTUARY_"],
      ["keeper once", 2, "ESTUARY_BEACON_URLS: is required"],
    ] as [string, number, string, Record<string, string>?][]) {
      [out, err] = [[], []];
      expect(await estuary(line, change), `${line}: ${err.join()}`).to.equal(code);
      expect(err.join("\n"), line)
        .to.include(message)
        .and.not.match(/^ +at |code=INVALID_ARGUMENT/m);
      expect(err, line).to.have.length(1);
      expect(out, line).to.deep.equal([]);
    }
  });

  it("helps, and completes commands and options in bash", async () => {
    expect(await estuary("--help")).to.equal(0);
    expect(out.join("\n")).to.include("Usage: estuary").and.include("stake").and.include("--dry-run");
    out = [];
    expect(await estuary("stake --help")).to.equal(0);
    expect(out.join("\n")).to.include("Example: estuary stake 1.5 --dry-run");
    out = [];
    expect(await estuary("completion")).to.equal(0);
    expect(out[0])
      .to.include('"operator") words="keys predeposit')
      .and.include("complete -o default -F _estuary estuary");
  });
});
