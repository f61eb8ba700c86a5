import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { SecretKey } from "@chainsafe/blst";
import { ContainerType, UintBigintType } from "@chainsafe/ssz";
import { DOMAIN_DEPOSIT } from "@lodestar/params";
import { ssz } from "@lodestar/types";
import { expect } from "chai";
import { AbiCoder, Mnemonic, concat, getBytes, hexlify, randomBytes, wordlists } from "ethers";
import { topUpDeposit } from "../../../offchain/keys/deposit.ts";
import { depositFile } from "../../../offchain/keys/depositFile.ts";
import {
  PREDEPOSIT_GWEI,
  depositDataRoot,
  depositMessageRoot,
  depositSigningRoot,
} from "../../../offchain/keys/depositRoots.ts";
import type { DepositMessage } from "../../../offchain/keys/depositRoots.ts";
import { checkMnemonic, deriveKeys, keyOfSecret, newMnemonic } from "../../../offchain/keys/hd.ts";
import { decryptKey, encryptKey, readKeystore, writeKeystores } from "../../../offchain/keys/keystore.ts";
import { parseDepositEvent } from "../../../devnet/simulated/execution.ts";
import { AppError } from "../../../offchain/util/errors.ts";
import { exactNumber } from "../../../offchain/util/exact.ts";
import type { Hex } from "../../../offchain/util/hex.ts";

const MNEMONIC = "test test test test test test test test test test test junk";
const PASSWORD = "correct horse";
// EIP-2335: "testpassword" in mathematical letters, and a key
const EIP_PASSWORD = "𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑";
const EIP_SECRET = "0x000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
const EIP_SALT = "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3";
const EIP_PUBKEY = "9612d7a727c9d0a22e185a1c768478dfe919cada9266988cb32359c11f2b7b27f4ae4040902382ae2910c15e2b420d07";
const EIP_PATH = "m/12381/60/3141592653/589793238";

async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    expect(error).to.be.instanceOf(AppError);
    return (error as AppError).message;
  }
  throw new Error("it was not refused");
}

/** The EIP's own files. */
function eipKeystore(kdf: object, checksum: string, message: string): string {
  return JSON.stringify({
    crypto: {
      kdf: { ...kdf, message: "" },
      checksum: { function: "sha256", params: {}, message: checksum },
      cipher: { function: "aes-128-ctr", params: { iv: "264daa3f303d7259501c93d997d84fe6" }, message },
    },
    description: "This is a test keystore that uses the KDF to secure the secret.",
    pubkey: EIP_PUBKEY,
    path: EIP_PATH,
    uuid: "1d85ae20-35c5-4611-98e8-aa14a633906f",
    version: 4,
  });
}

const EIP_SCRYPT = eipKeystore(
  { function: "scrypt", params: { dklen: 32, n: 262_144, p: 1, r: 8, salt: EIP_SALT } },
  "d2217fe5f3e9a1e34581ef8a78f7c9928e436d36dacc5e846690a5581e8ea484",
  "06ae90d55fe0a6e9c5c3bc5b170827b2e5cce3929ed3f116c2811e6366dfe20f",
);
const EIP_PBKDF2 = eipKeystore(
  { function: "pbkdf2", params: { dklen: 32, c: 262_144, prf: "hmac-sha256", salt: EIP_SALT } },
  "8a9f5d9912ed7e75ea794bc5a89bca5f193721d30868ade6f73043c6ea6febf1",
  "cee03fde2af33149775b7223e7845e4fb2c8ae1792e5f99fe9ecf474cc8c16ad",
);

describe("keys from a mnemonic", () => {
  it("follow the four vectors of EIP-2333", () => {
    for (const [seed, master, index, child] of [
      [
        "0xc55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04",
        6083874454709270928345386274498605044986640685124978867557563392430687146096n,
        0,
        20397789859736650942317412262472558107875392172444076792671091975210932703118n,
      ],
      [
        "0x3141592653589793238462643383279502884197169399375105820974944592",
        29757020647961307431480504535336562678282505419141012933316116377660817309383n,
        3_141_592_653,
        25457201688850691947727629385191704516744796114925897962676248250929345014287n,
      ],
      [
        "0x0099FF991111002299DD7744EE3355BBDD8844115566CC55663355668888CC00",
        27580842291869792442942448775674722299803720648445448686099262467207037398656n,
        4_294_967_295,
        29358610794459428860402234341874281240803786294062035874021252734817515685787n,
      ],
      [
        "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
        19022158461524446591288038168518313374041767046816487870552872741050760015818n,
        42,
        31372231650479070279774297061823572166496564838472787488249775572789064611981n,
      ],
    ] as const) {
      const parent = SecretKey.deriveMasterEip2333(getBytes(seed));
      expect(BigInt(hexlify(parent.toBytes()))).to.equal(master);
      expect(BigInt(hexlify(parent.deriveChildEip2333(index).toBytes()))).to.equal(child);
    }
    // the first seed is that of BIP-39's first words with its passphrase
    const words = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
    const seed = Mnemonic.fromPhrase(words, "TREZOR").computeSeed();
    expect(seed).to.equal(
      "0xc55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04",
    );
  });

  it("have the paths of EIP-2334, can go on later, and depend on the passphrase", () => {
    const seen: string[] = [];
    const keys = deriveKeys({
      mnemonic: MNEMONIC,
      count: 3,
      onProgress: (done, count) => seen.push(`${done}/${count}`),
    });
    expect(keys.map(({ path }) => path)).to.deep.equal([0, 1, 2].map((i) => `m/12381/3600/${i}/0/0`));
    expect(seen).to.deep.equal(["1/3", "2/3", "3/3"]);
    const [third] = deriveKeys({ mnemonic: ` ${MNEMONIC.toUpperCase().replaceAll(" ", "\n ")}`, first: 2, count: 1 });
    expect(third?.pubkey).to.equal(keys[2]?.pubkey);
    const [other] = deriveKeys({ mnemonic: MNEMONIC, passphrase: "x", count: 1 });
    expect(other?.pubkey).not.to.equal(keys[0]?.pubkey);
    const signal = AbortSignal.abort();
    expect(() => deriveKeys({ mnemonic: MNEMONIC, count: 1, signal })).to.throw("aborted");
  });

  it("show no secret when they are printed", () => {
    const [key] = deriveKeys({ mnemonic: MNEMONIC, count: 1 });
    const secret = hexlify(key?.secret() ?? "0x").slice(2);
    expect(secret).to.have.length(64);
    for (const shown of [inspect(key, { depth: 9 }), JSON.stringify(key)]) expect(shown).not.to.include(secret);
  });

  it("come from words in every language of BIP-39, whole or shortened to four letters", () => {
    for (const list of Object.values(wordlists)) {
      const { phrase, entropy } = Mnemonic.fromEntropy(randomBytes(16), null, list);
      const whole = phrase.normalize("NFKD").replace(/\s+/g, " ");
      expect(checkMnemonic(phrase)).to.equal(whole);
      expect(checkMnemonic(` ${phrase.toUpperCase()}\n`)).to.equal(whole);
      const short = phrase.split(/\s+/).map((word) => Array.from(word.normalize("NFC")).slice(0, 4).join(""));
      expect(checkMnemonic(short.join("  ")), entropy).to.equal(whole);
    }
    const spanish = "abaco ABACO abac ábac ábaco ábaco ábaco ábaco ábaco ábaco ábaco abie";
    expect(checkMnemonic(spanish)).to.equal(`${"ábaco ".repeat(11)}abierto`.normalize("NFKD"));
    // the vectors that BIP-39 names for Japanese (bip32JP): the seed is of the decomposed words
    const phrase = `${"あいこくしん\u3000".repeat(11)}あおぞら`;
    const [key] = deriveKeys({ mnemonic: phrase, passphrase: "㍍ガバヴァぱばぐゞちぢ十人十色", count: 1 });
    const seed =
      "0xa262d6fb6122ecf45be09c50492b31f92e9beb7d9a845987a02cefda57a15f9c467a17872029a9e92299b5cbdf306e3a0ee620245cbd508959b6cb7ca637bd55";
    const master = SecretKey.deriveMasterEip2333(getBytes(seed));
    const path = [12_381, 3_600, 0, 0, 0];
    const secret = path.reduce((parent, index) => parent.deriveChildEip2333(index), master);
    expect(key?.pubkey).to.equal(hexlify(secret.toPublicKey().toBytes()));
  });

  it("are refused where shortened words are those of two languages, and taken when they are whole", () => {
    const words = (code: string): string[] =>
      Array.from({ length: 2_048 }, (_, index) => wordlists[code]?.getWord(index).normalize("NFKD") ?? "");
    const [english, french] = [words("en"), words("fr")];
    const shortOf = (word: string): string => Array.from(word.normalize("NFC")).slice(0, 4).join("").normalize("NFKD");
    const french4 = new Map(french.map((word, index) => [shortOf(word), index]));
    const shared = english.filter((word) => word.length > 4 && french4.has(word.slice(0, 4)) && !french.includes(word));
    expect(shared.length).to.be.greaterThan(50);
    const [first = "", second = ""] = shared;
    let found: [string, string] | undefined;
    // one in 256 is a mnemonic in both
    for (let i = 0; found === undefined && i < 100_000; i++) {
      const picked = Array.from(
        { length: 12 },
        (_, at) => shared[(i * 7 + at * at * (i + 3)) % shared.length] ?? first,
      );
      const full = picked.join(" ");
      const other = picked.map((word) => french[french4.get(word.slice(0, 4)) ?? 0] ?? second).join(" ");
      if (Mnemonic.isValidMnemonic(full) && Mnemonic.isValidMnemonic(other, wordlists["fr"])) found = [full, other];
    }
    const [full = "", other = ""] = found ?? [];
    const short = full.split(" ").map((word) => word.slice(0, 4));
    expect(() => checkMnemonic(short.join(" "))).to.throw(AppError, "ambiguous (English, French): write whole words");
    expect(checkMnemonic(full)).to.equal(full);
    expect(checkMnemonic(other)).to.equal(other);
  });

  it("refuse words that are no mnemonic, without repeating them, and indices beyond the tree", () => {
    expect(checkMnemonic(newMnemonic()).split(" ")).to.have.length(24);
    expect(newMnemonic()).not.to.equal(newMnemonic());
    for (const [phrase, message] of [
      ["", "not 0"],
      ["test test", "not 2"],
      [MNEMONIC.replace("junk", "test"), "checksum"],
      [MNEMONIC.replace("junk", "estuary"), "English list"],
    ] as const)
      expect(() => checkMnemonic(phrase))
        .to.throw(AppError, message)
        .with.property("message")
        .that.does.not.include("estuary");
    for (const [first, count] of [
      [-1, 1],
      [0, 0],
      [2 ** 32 - 1, 2],
      [0.5, 1],
    ] as const)
      expect(() => deriveKeys({ mnemonic: MNEMONIC, first, count })).to.throw(AppError, "indices go from 0");
  });
});

describe("a number for a library that wants doubles", () => {
  it("is exact or none", () => {
    for (const value of [0n, 32n * 10n ** 9n, 2n ** 53n - 1n, 1n - 2n ** 53n])
      expect(BigInt(exactNumber(value))).to.equal(value);
    for (const value of [2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 1n, -(2n ** 53n)])
      expect(() => exactNumber(value)).to.throw(RangeError, `${value} is not exact`);
  });

  it("is what the local network makes of a deposit's amount: a larger one stops it", () => {
    const encode = (amount: string) =>
      AbiCoder.defaultAbiCoder().encode(
        ["bytes", "bytes", "bytes", "bytes", "bytes"],
        [`0x${"a1".repeat(48)}`, `0x${"b2".repeat(32)}`, amount, `0x${"c3".repeat(96)}`, `0x${"00".repeat(8)}`],
      );
    expect(parseDepositEvent(encode("0x00ca9a3b00000000")).amountGwei).to.equal(1_000_000_000);
    expect(() => parseDepositEvent(encode("0x0100000000002000"))).to.throw(RangeError, "9007199254740993");
  });
});

describe("roots of deposits", () => {
  const message = (amountGwei: bigint): DepositMessage => ({
    pubkey: `0x${"a1".repeat(48)}`,
    withdrawalCredentials: `0x${"b2".repeat(32)}`,
    amountGwei,
  });
  const signature: Hex = `0x${"c3".repeat(96)}`;
  const amounts = [
    0n,
    1n,
    32n * 10n ** 9n,
    2n ** 53n - 1n,
    2n ** 53n,
    2n ** 53n + 1n,
    2n ** 63n + 12_345n,
    2n ** 64n - 1n,
  ];

  /** Of phase0, with the amount as a bigint: lodestar's own is a double. */
  const fields = { pubkey: ssz.BLSPubkey, withdrawalCredentials: ssz.Bytes32, amount: new UintBigintType(8) };
  const MESSAGE = new ContainerType(fields);
  const DATA = new ContainerType({ ...fields, signature: ssz.BLSSignature });
  const valueOf = ({ pubkey, withdrawalCredentials, amountGwei }: DepositMessage) => ({
    pubkey: getBytes(pubkey),
    withdrawalCredentials: getBytes(withdrawalCredentials),
    amount: amountGwei,
  });

  it("are those of the SSZ types for every uint64, also above 2^53 gwei", () => {
    for (const amount of amounts) {
      const value = valueOf(message(amount));
      const messageRoot = hexlify(MESSAGE.hashTreeRoot(value));
      const dataRoot = hexlify(DATA.hashTreeRoot({ ...value, signature: getBytes(signature) }));
      expect(hexlify(depositMessageRoot(message(amount))), `message of ${amount}`).to.equal(messageRoot);
      expect(depositDataRoot(message(amount), signature), `data of ${amount}`).to.equal(dataRoot);
    }
  });

  it("are signed under the domain of deposits of each network", () => {
    for (const version of ["0x00000000", "0x10000910", "0x90000069"]) {
      const genesisValidatorsRoot = new Uint8Array(32);
      const fork = ssz.phase0.ForkData.hashTreeRoot({ currentVersion: getBytes(version), genesisValidatorsRoot });
      const domain = getBytes(concat([DOMAIN_DEPOSIT, fork.subarray(0, 28)]));
      const objectRoot = MESSAGE.hashTreeRoot(valueOf(message(PREDEPOSIT_GWEI)));
      const expected = hexlify(ssz.phase0.SigningData.hashTreeRoot({ objectRoot, domain }));
      expect(hexlify(depositSigningRoot(message(PREDEPOSIT_GWEI), getBytes(version))), version).to.equal(expected);
    }
  });

  it("don't exist for an amount that is no uint64", () => {
    for (const amount of [-1n, 2n ** 64n]) {
      expect(() => depositMessageRoot(message(amount))).to.throw(RangeError, "no uint64");
      expect(() => depositDataRoot(message(amount), signature)).to.throw(RangeError, "no uint64");
    }
  });

  it("are not written to a file whose JSON would round the amount", () => {
    const file = (amount: bigint) => {
      const { pubkey, withdrawalCredentials } = message(amount);
      return depositFile([topUpDeposit(pubkey, withdrawalCredentials, amount)], "0x00000000", "mainnet");
    };
    expect(JSON.parse(file(2n ** 53n - 1n))).to.have.nested.property("[0].amount", 2 ** 53 - 1);
    expect(() => file(2n ** 53n + 1n)).to.throw(RangeError, "not exact");
  });
});

describe("keystores", () => {
  for (const [name, json] of [
    ["scrypt", EIP_SCRYPT],
    ["pbkdf2", EIP_PBKDF2],
  ] as const) {
    it(`of EIP-2335 with ${name} are decrypted, the password normalized and without control characters`, async () => {
      const key = await decryptKey(json, EIP_PASSWORD);
      expect(hexlify(key.secret())).to.equal(EIP_SECRET);
      expect(key.pubkey).to.equal(`0x${EIP_PUBKEY}`);
      expect(key.path).to.equal(EIP_PATH);
      const plain = await decryptKey(json, "testpassword\u{1f511}\u0000\n\u007f");
      expect(plain.pubkey).to.equal(key.pubkey);
      expect(await refusal(decryptKey(json, "testpassword"))).to.equal("wrong password");
    });
  }

  it("are written for their owner alone, under the launchpad's names, and read back", async () => {
    const folder = join(mkdtempSync(join(tmpdir(), "estuary-")), "keys");
    const keys = deriveKeys({ mnemonic: MNEMONIC, first: 4, count: 2 });
    const files = await writeKeystores(keys, { folder, password: PASSWORD, time: 1_700_000_000, kdf: "pbkdf2" });
    expect(files).to.deep.equal([4, 5].map((i) => join(folder, `keystore-m_12381_3600_${i}_0_0-1700000000.json`)));
    for (const [i, file] of files.entries()) {
      expect(statSync(file).mode & 0o777).to.equal(0o400);
      expect(readFileSync(file, "utf8")).not.to.include(hexlify(keys[i]?.secret() ?? "0x").slice(2));
      const read = await readKeystore(file, PASSWORD);
      expect(read.pubkey).to.equal(keys[i]?.pubkey);
      expect(read.index).to.equal(4 + i);
      const message = Uint8Array.of(1, 2, 3);
      expect(read.sign(message)).to.equal(keys[i]?.sign(message));
    }
    expect(
      await refusal(writeKeystores(keys, { folder, password: PASSWORD, time: 1_700_000_000, kdf: "pbkdf2" })),
    ).to.include("can't write");
    expect(await refusal(readKeystore(files[0] ?? "", "wrong"))).to.equal(`${files[0]}: wrong password`);
  }).timeout(60_000);

  it("with scrypt, the default, are decrypted by the password alone", async () => {
    const [key] = deriveKeys({ mnemonic: MNEMONIC, count: 1 }) as [ReturnType<typeof deriveKeys>[number]];
    const json = await encryptKey(key, PASSWORD);
    expect((JSON.parse(json) as { crypto: { kdf: { function: string } } }).crypto.kdf.function).to.equal("scrypt");
    expect((await decryptKey(json, PASSWORD)).pubkey).to.equal(key.pubkey);
  });

  it("are refused with one line: short passwords, other files, another key than stated", async () => {
    const folder = mkdtempSync(join(tmpdir(), "estuary-"));
    const keys = deriveKeys({ mnemonic: MNEMONIC, count: 1 });
    expect(await refusal(writeKeystores(keys, { folder, password: "1234567", time: 1 }))).to.equal(
      "a password has at least 8 characters",
    );
    const file = join(folder, "other.json");
    for (const text of ["", "[]", "{}", '{"version":3}']) {
      writeFileSync(file, text);
      expect(await refusal(readKeystore(file, PASSWORD))).to.equal(`${file}: not a keystore (EIP-2335)`);
    }
    expect(await refusal(readKeystore(`${file}x`, PASSWORD))).to.include("can't read");
    const odd = EIP_SCRYPT.replace('"n":262144', '"n":3');
    expect(await refusal(decryptKey(odd, EIP_PASSWORD))).to.include("it can't be decrypted");
    const [key] = keys as [(typeof keys)[0]];
    const lie = (await encryptKey(key, PASSWORD, "pbkdf2")).replace(key.pubkey.slice(2), EIP_PUBKEY);
    expect(await refusal(decryptKey(lie, PASSWORD))).to.include(`it says it is the key 0x${EIP_PUBKEY}`);
    expect(() => keyOfSecret(new Uint8Array(32), "")).to.throw(AppError, "not a BLS key");
  });
});
