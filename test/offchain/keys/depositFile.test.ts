import { expect } from "chai";
import { getBytes, hexlify } from "ethers";
import { ssz } from "@lodestar/types";
import { installPredeploys, DEPOSIT_CONTRACT } from "../../../devnet/predeploys.ts";
import { isSignedBy, signDeposit } from "../../../offchain/keys/deposit.ts";
import { MAX_KEYS, checkDepositFile, depositFile } from "../../../offchain/keys/depositFile.ts";
import { describeProblem } from "../../../offchain/keys/depositProblems.ts";
import { PREDEPOSIT_GWEI, withdrawalCredentials } from "../../../offchain/keys/depositRoots.ts";
import { deriveKeys } from "../../../offchain/keys/hd.ts";
import { NETWORKS } from "../../../offchain/keys/networks.ts";
import { secretIn } from "../../../offchain/keys/secrets.ts";
import { messageOf } from "../../../offchain/util/errors.ts";
import type { Hex } from "../../../offchain/util/hex.ts";
import { ethers, provider } from "../../helpers/network.ts";

const VAULT = `0x${"be".repeat(20)}`;
const CREDENTIALS = withdrawalCredentials(VAULT);
const HOODI = NETWORKS.hoodi.genesisForkVersion;
const EXPECTED = { withdrawalCredentials: CREDENTIALS, forkVersion: HOODI as Hex, isSignedBy };
const KEYS = deriveKeys({ mnemonic: "test test test test test test test test test test test junk", count: 3 });
const DEPOSITS = KEYS.map((key) => signDeposit(key, CREDENTIALS, PREDEPOSIT_GWEI, getBytes(HOODI)));

type Entry = Record<string, string | number>;

function entries(): Entry[] {
  return JSON.parse(depositFile(DEPOSITS, HOODI, "hoodi")) as Entry[];
}

async function problemsOf(
  list: unknown,
  expected: Partial<typeof EXPECTED> & { known?: ReadonlySet<Hex> } = {},
): Promise<readonly string[]> {
  const checked = await checkDepositFile(typeof list === "string" ? list : JSON.stringify(list), {
    ...EXPECTED,
    ...expected,
  });
  if (checked.ok) throw new Error("no problem was found");
  return checked.problems.map(describeProblem);
}

describe("files of deposit data", () => {
  it("are written as the launchpad's tools do, and read back as arguments of predeposit", async () => {
    const [first] = entries();
    expect(Object.keys(first ?? {})).to.deep.equal([
      ...["pubkey", "withdrawal_credentials", "amount", "signature", "deposit_message_root", "deposit_data_root"],
      ...["fork_version", "network_name", "deposit_cli_version"],
    ]);
    expect(first).to.include({ amount: 1_000_000_000, fork_version: "10000910", network_name: "hoodi" });
    expect(first?.["pubkey"]).to.equal(KEYS[0]?.pubkey.slice(2));
    const checked = await checkDepositFile(depositFile(DEPOSITS, HOODI, "hoodi"), EXPECTED);
    expect(checked).to.deep.equal({
      ok: true,
      sent: 0,
      batches: [DEPOSITS.map(({ pubkey, signature, depositDataRoot }) => ({ pubkey, signature, depositDataRoot }))],
    });
    const prefixed = entries().map((entry) => ({ ...entry, pubkey: `0x${String(entry["pubkey"]).toUpperCase()}` }));
    expect((await checkDepositFile(JSON.stringify(prefixed), EXPECTED)).ok, "with 0x and in capitals").to.equal(true);
  });

  it("have the roots of the SSZ types, which the real deposit contract accepts", async () => {
    await installPredeploys(provider);
    const [signer] = await ethers.getSigners();
    const contract = new ethers.Contract(
      DEPOSIT_CONTRACT,
      ["function deposit(bytes,bytes,bytes,bytes32) payable"],
      signer,
    );
    for (const deposit of DEPOSITS) {
      const message = {
        pubkey: getBytes(deposit.pubkey),
        withdrawalCredentials: getBytes(CREDENTIALS),
        amount: Number(deposit.amountGwei),
      };
      const data = { ...message, signature: getBytes(deposit.signature) };
      expect(deposit.depositDataRoot).to.equal(hexlify(ssz.phase0.DepositData.hashTreeRoot(data)));
      const send = contract.getFunction("deposit");
      await send(deposit.pubkey, CREDENTIALS, deposit.signature, deposit.depositDataRoot, { value: 10n ** 18n });
    }
    const root = hexlify(
      ssz.phase0.DepositMessage.hashTreeRoot({
        pubkey: getBytes(DEPOSITS[1]?.pubkey ?? "0x"),
        withdrawalCredentials: getBytes(CREDENTIALS),
        amount: 1_000_000_000,
      }),
    );
    expect(entries()[1]?.["deposit_message_root"]).to.equal(root.slice(2));
  });

  it("go out at most 64 keys a transaction", async () => {
    const keys = deriveKeys({
      mnemonic: "test test test test test test test test test test test junk",
      count: MAX_KEYS + 1,
    });
    const many = keys.map((key) => signDeposit(key, CREDENTIALS, PREDEPOSIT_GWEI, getBytes(HOODI)));
    const seen: number[] = [];
    const checked = await checkDepositFile(depositFile(many, HOODI, "hoodi"), {
      ...EXPECTED,
      onProgress: (done) => void seen.push(done),
    });
    if (!checked.ok) throw new Error(checked.problems.map(describeProblem).join());
    expect(checked.batches.map(({ length }) => length)).to.deep.equal([64, 1]);
    expect(checked.batches.flat().map(({ signature }) => signature)).to.deep.equal(
      many.map(({ signature }) => signature),
    );
    expect(seen).to.have.length(65);
    const stopped = { ...EXPECTED, signal: AbortSignal.abort() };
    const end = await checkDepositFile(depositFile(many, HOODI, "hoodi"), stopped).catch(messageOf);
    expect(end).to.include("aborted");
  });

  it("are refused with the credentials' owner named: another address, BLS, compounding", async () => {
    const sign = (credentials: Hex) =>
      JSON.parse(
        depositFile(
          [signDeposit(KEYS[0] as (typeof KEYS)[0], credentials, PREDEPOSIT_GWEI, getBytes(HOODI))],
          HOODI,
          "hoodi",
        ),
      ) as Entry[];
    const other = `0x${"ab".repeat(20)}`;
    expect(await problemsOf(sign(withdrawalCredentials(other)))).to.deep.equal([
      `deposit 1: its withdrawal credentials are those of ${other} (type 0x01), not this protocol's: ${CREDENTIALS}`,
    ]);
    expect(await problemsOf(sign(`0x00${"11".repeat(31)}`))).to.deep.equal([
      "deposit 1: its withdrawal credentials are a BLS key (0x00), not this protocol's vault",
    ]);
    expect((await problemsOf(sign(withdrawalCredentials(VAULT, "02"))))[0]).to.include(`those of ${VAULT} (type 0x02)`);
    expect((await problemsOf(sign(`0x01${"00".repeat(10)}01${VAULT.slice(2)}`)))[0]).to.include(
      `are 0x01${"00".repeat(10)}01`,
    );
  });

  it("are refused for another network, named where it is known", async () => {
    expect(await problemsOf(entries(), { forkVersion: NETWORKS.mainnet.genesisForkVersion })).to.deep.equal(
      [1, 2, 3].map((i) => `deposit ${i}: it is for hoodi, not for mainnet`),
    );
    expect((await problemsOf(entries(), { forkVersion: "0x10000038" }))[0]).to.include(
      "not for the network with fork version 0x10000038",
    );
    expect(await problemsOf(entries().map((entry) => ({ ...entry, network_name: "mainnet" })))).to.deep.equal(
      [1, 2, 3].map((i) => `deposit ${i}: its network_name is mainnet, not hoodi`),
    );
    // signed for hoodi, and says it is for mainnet
    const relabelled = entries().map((entry) => ({ ...entry, fork_version: "00000000" }));
    const problems = await problemsOf(relabelled, { forkVersion: "0x00000000" });
    expect(problems).to.have.length(6);
    expect(problems[0]).to.equal("deposit 1: its network_name is hoodi, not mainnet");
    expect(problems[1]).to.include("the signature is not valid");
  });

  it("are refused with another amount, changed roots, a signature of something else or of nothing", async () => {
    const [first] = entries() as [Entry];
    const [key] = KEYS as [(typeof KEYS)[0]];
    const whole = depositFile([signDeposit(key, CREDENTIALS, 32n * PREDEPOSIT_GWEI, getBytes(HOODI))], HOODI, "hoodi");
    expect(await problemsOf(whole)).to.deep.equal([
      "deposit 1: the amount is 32000000000 gwei; a predeposit is 1000000000 (1 ETH)",
    ]);
    expect(await problemsOf([{ ...first, deposit_message_root: "11".repeat(32) }])).to.deep.equal([
      "deposit 1: deposit_message_root does not fit the other fields",
    ]);
    expect(await problemsOf([{ ...first, deposit_data_root: "11".repeat(32) }])).to.deep.equal([
      "deposit 1: deposit_data_root does not fit the other fields",
    ]);
    const other = entries()[1]?.["signature"] as string;
    for (const signature of [other, "00".repeat(96), `c0${"00".repeat(95)}`, "ff".repeat(96)]) {
      const problems = await problemsOf([{ ...first, signature }]);
      expect(problems).to.have.length(2);
      expect(problems[1]).to.include("the signature is not valid for this key, amount, credentials and hoodi");
    }
  });

  it("are refused with a key twice, or one that is in use", async () => {
    const [first, second] = entries();
    expect(await problemsOf([first, second, first])).to.deep.equal([
      `deposit 3: the key ${KEYS[0]?.pubkey} is also deposit 1`,
    ]);
    expect(await problemsOf(entries(), { known: new Set([KEYS[1]?.pubkey as Hex]) })).to.deep.equal([
      `deposit 2: the key ${KEYS[1]?.pubkey} is already in use`,
    ]);
  });

  it("leave out keys that were sent before, and check them all the same", async () => {
    const sent = new Set([KEYS[0]?.pubkey as Hex, KEYS[2]?.pubkey as Hex]);
    const checked = await checkDepositFile(depositFile(DEPOSITS, HOODI, "hoodi"), { ...EXPECTED, sent });
    expect(checked.ok && checked.batches.flat().map(({ pubkey }) => pubkey)).to.deep.equal([KEYS[1]?.pubkey]);
    expect(checked).to.have.property("sent", 2);
    const spoilt = entries().map((entry) => ({ ...entry, amount: 2 }));
    expect(await checkDepositFile(JSON.stringify(spoilt), { ...EXPECTED, sent })).to.have.property("ok", false);
  });

  it("are refused with every problem of every deposit at once", async () => {
    const [first, second] = entries() as [Entry, Entry];
    const problems = await problemsOf([
      { ...first, amount: 5, fork_version: "00000000" },
      7,
      { ...second, pubkey: "0x12", amount: -1 },
      second,
    ]);
    expect(problems).to.deep.equal([
      "deposit 1: the amount is 5 gwei; a predeposit is 1000000000 (1 ETH)",
      "deposit 1: it is for mainnet, not for hoodi",
      "deposit 1: deposit_message_root does not fit the other fields",
      "deposit 1: deposit_data_root does not fit the other fields",
      "deposit 2: entry: Expected object, received number",
      "deposit 3: pubkey: 48 bytes in hexadecimal",
      "deposit 3: amount: Number must be greater than or equal to 0",
    ]);
    expect(await problemsOf("{")).to.deep.equal(["not JSON"]);
    expect(await problemsOf({})).to.deep.equal(["not a list of deposits"]);
    expect(await problemsOf([])).to.deep.equal(["no deposit in it"]);
  });

  it("are told from secrets that were given by mistake, whatever they are written in", async () => {
    const words = "legal winner thank year wave sausage worth useful legal winner thank yellow";
    const keystore = { crypto: { kdf: {}, checksum: {}, cipher: {} }, path: "m/12381/3600/0/0/0", version: 4 };
    const secrets: [string, ReturnType<typeof secretIn>][] = [
      [JSON.stringify(keystore), "keystore"],
      [JSON.stringify([keystore]), "keystore"],
      [JSON.stringify({ Crypto: { ciphertext: "00" }, address: "00" }), "keystore"],
      [`${words}\n`, "mnemonic"],
      [words.split(" ").join("\n"), "mnemonic"],
      [
        words
          .split(" ")
          .map((word, at) => `${at + 1}. ${word.slice(0, 4).toUpperCase()}`)
          .join("\n"),
        "mnemonic",
      ],
      [JSON.stringify({ name: "wallet", mnemonic: words }), "mnemonic"],
      [JSON.stringify({ note: words }), "mnemonic"],
      [`0x${"12".repeat(32)}`, "key"],
      [JSON.stringify({ accounts: [{ private_key: "ab" }] }), "key"],
      [depositFile(DEPOSITS, HOODI, "hoodi"), undefined],
      ["{", undefined],
      ["twelve", undefined],
    ];
    for (const [text, secret] of secrets) expect(secretIn(text), text).to.equal(secret);
    const told = await problemsOf(JSON.stringify(keystore));
    expect(told).to.deep.equal(["a keystore: it stays with your validator; deposit data is in deposit_data-*.json"]);
    for (const text of [words, `0x${"12".repeat(32)}`]) expect((await problemsOf(text)).join()).not.to.include(text);
  });
});
