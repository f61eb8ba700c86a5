/** What signers of different makers answer to, each as its own documentation or source says. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { JsonRpcProvider, Signature, Transaction, Wallet, encryptKeystoreJson, verifyTypedData } from "ethers";
import type { TransactionLike } from "ethers";
import { readConfig } from "../../../offchain/util/config.ts";
import { closeServer, portOf } from "../../../offchain/util/health.ts";
import { ExternalSigner } from "../../../offchain/util/externalSigner.ts";
import { SIGNER_FIELDS, loadSigner } from "../../../offchain/util/signer.ts";

const KEY = `0x${"11".repeat(32)}`;
const OTHER = new Wallet(`0x${"22".repeat(32)}`);
const wallet = new Wallet(KEY);
const DOMAIN = { name: "Estuary", chainId: 31_337 };
const TYPES = { Report: [{ name: "refSlot", type: "uint64" }] };
const VALUE = { refSlot: 7n };

interface Call {
  readonly method: string;
  readonly params: readonly unknown[];
}
/** A result; an error; or a status with a body. */
type Answer =
  | { readonly result: unknown }
  | { readonly error: unknown; readonly status?: number }
  | { readonly status: number; readonly body: string };

const NO_METHOD = { error: { code: -32_601, message: "Method not found" } } as const;

async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "it did not fail",
    (error: unknown) => (error as Error).message,
  );
}

describe("external signers", () => {
  const provider = new JsonRpcProvider("http://127.0.0.1:1", 31_337, { staticNetwork: true });
  const servers: Server[] = [];
  const asked: (Call & { readonly headers: IncomingHttpHeaders })[] = [];

  after(() => provider.destroy());
  afterEach(async () => {
    asked.length = 0;
    for (const server of servers.splice(0)) await closeServer(server);
  });

  async function serve(answer: (call: Call) => Answer | Promise<Answer>, credentials = ""): Promise<ExternalSigner> {
    const server = createServer((request, response) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
        const call = JSON.parse(Buffer.concat(chunks).toString()) as Call;
        asked.push({ ...call, headers: request.headers });
        const given = await answer(call);
        response.statusCode = "status" in given ? (given.status ?? 200) : 200;
        response.end("body" in given ? given.body : JSON.stringify({ jsonrpc: "2.0", id: 1, ...given }));
      })();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    servers.push(server);
    return new ExternalSigner(`http://${credentials}127.0.0.1:${portOf(server)}`, wallet.address, provider);
  }
  const sign = (signer: ExternalSigner): Promise<string> => signer.signTypedData(DOMAIN, TYPES, VALUE);
  const right = (): Promise<string> => wallet.signTypedData(DOMAIN, TYPES, VALUE);

  for (const [maker, method, isText, refusal] of [
    ["Geth's kind and Frame", "eth_signTypedData_v4", true, NO_METHOD],
    ["Clef", "account_signTypedData", false, NO_METHOD],
    ["web3signer", "eth_signTypedData", true, { error: { code: -32_603, message: "Internal error" } }],
    [
      "a development node",
      "eth_signTypedData",
      false,
      { error: { code: -32_602, message: "Invalid params" }, status: 400 },
    ],
    [
      "a wallet that takes objects only",
      "eth_signTypedData_v4",
      false,
      { error: { code: -32_602, message: "invalid type" } },
    ],
  ] as const)
    it(`signs typed data with ${maker}`, async () => {
      const signer = await serve(async (call) => {
        if (call.method !== method) return NO_METHOD;
        return (typeof call.params[1] === "string") === isText ? { result: await right() } : refusal;
      });
      expect(verifyTypedData(DOMAIN, TYPES, VALUE, await sign(signer))).to.equal(wallet.address);
    });

  it("signs where web3signer passes a method that it does not have on to a node that is down, or refuses it in its own way", async () => {
    for (const passedOn of [
      { status: 504, body: "" },
      { error: { code: -32_604, message: "Method not enabled" } },
      { error: { code: -32_000, message: "rate limited" } },
      { error: "unsupported" },
    ]) {
      const signer = await serve(async ({ method }) =>
        method === "eth_signTypedData" ? { result: await right() } : passedOn,
      );
      expect(await sign(signer)).to.equal(await right());
    }
  });

  it("takes a signature in every form: its own field, r s v, 64 bytes, v of 0 or 1, no prefix", async () => {
    const signature = Signature.from(await right());
    const { r, s, yParity } = signature;
    for (const result of [
      { signature: signature.serialized },
      { signature: { r, s, v: yParity } },
      { r, s, v: signature.v },
      { r, s, yParity: `0x${yParity}` },
      signature.compactSerialized,
      `${r}${s.slice(2)}0${yParity}`,
      signature.serialized.slice(2),
    ]) {
      const signer = await serve(() => ({ result }));
      expect(await sign(signer), JSON.stringify(result)).to.equal(signature.serialized);
    }
  });

  it("refuses what another key signed, or this key for something else, and what is no signature", async () => {
    const foreign = await OTHER.signTypedData(DOMAIN, TYPES, VALUE);
    const other = await serve(() => ({ result: foreign }));
    expect(await failure(sign(other))).to.match(
      new RegExp(`^external signer 127.0.0.1:\\d+: it signed as ${OTHER.address}, not as ${wallet.address}`),
    );
    const wrong = await wallet.signTypedData(DOMAIN, TYPES, { refSlot: 8n });
    expect(await failure(sign(await serve(() => ({ result: wrong }))))).to.include("or signed something else");
    for (const result of [null, "0x", "yes", {}, [], 7])
      expect(await failure(sign(await serve(() => ({ result }))))).to.include("the answer is not a signature");
  });

  it("tells the refusal that is about the request, not the last missing method", async () => {
    const locked = await serve(({ method }) =>
      method === "account_signTypedData" ? { error: { code: -32_000, message: "authentication needed" } } : NO_METHOD,
    );
    expect(await failure(sign(locked))).to.match(/account_signTypedData: authentication needed$/);
    expect(await failure(sign(await serve(() => ({ status: 200, body: "<html>" }))))).to.include("not JSON-RPC");
    expect(await failure(sign(await serve(() => NO_METHOD)))).to.include("Method not found");
  });

  it("asks nothing more after a person's no", async () => {
    for (const error of [
      { code: 4_001, message: "User denied it" },
      { code: -32_000, message: "Request denied" },
      { code: -1, message: "User rejected the request" },
    ]) {
      asked.length = 0;
      const signer = await serve(() => ({ error }));
      const thrown = await sign(signer).catch((reason: unknown) => reason);
      expect(thrown).to.include({ code: 4_001 });
      expect(asked).to.have.length(1);
    }
  });

  it("sends the URL's user and password in a header and prints neither", async () => {
    const signer = await serve(() => ({ status: 401, body: '{"message":"unauthorised"}' }), "member:s3cr%2Ft@");
    const said = await failure(sign(signer));
    expect(asked[0]?.headers.authorization).to.equal(`Basic ${Buffer.from("member:s3cr/t").toString("base64")}`);
    expect(said).to.match(/^external signer 127\.0\.0\.1:\d+: answered 401: unauthorised$/);
    const gone = new ExternalSigner("http://member:s3cr3t@127.0.0.1:1", wallet.address, provider);
    expect(await failure(sign(gone))).to.not.include("s3cr3t");
  });

  const TRANSACTION = {
    to: OTHER.address,
    data: "0x",
    value: 1n,
    nonce: 3,
    chainId: 31_337n,
    gasLimit: 21_000n,
    maxFeePerGas: 10n,
    maxPriorityFeePerGas: 1n,
    type: 2,
  } satisfies TransactionLike;

  it("signs transactions with web3signer, Clef and others, and knows whose signature it is", async () => {
    const raw = await wallet.signTransaction(TRANSACTION);
    for (const [method, result] of [
      ["eth_signTransaction", raw],
      ["eth_signTransaction", { raw, tx: { hash: Transaction.from(raw).hash } }],
      ["account_signTransaction", { raw, tx: {} }],
      ["account_signTransaction", { rawTransaction: raw.slice(2) }],
    ] as const) {
      const signer = await serve((call) => (call.method === method ? { result } : NO_METHOD));
      expect(await signer.signTransaction(Transaction.from(TRANSACTION))).to.equal(raw);
    }
    const byOther = await OTHER.signTransaction(TRANSACTION);
    const wrong = await serve(() => ({ result: byOther }));
    expect(await failure(wrong.signTransaction(Transaction.from(TRANSACTION)))).to.include(
      `it signed as ${OTHER.address}, not as ${wallet.address}`,
    );
    const dearer = await wallet.signTransaction({ ...TRANSACTION, maxFeePerGas: 11n });
    const dear = await serve(() => ({ result: dearer }));
    expect(await failure(dear.signTransaction(Transaction.from(TRANSACTION)))).to.include("another transaction");
  });
});

describe("secrets", () => {
  const provider = new JsonRpcProvider("http://127.0.0.1:1", 31_337, { staticNetwork: true });
  const folder = mkdtempSync(join(tmpdir(), "estuary-"));
  const CHEAP = { scrypt: { N: 2, r: 1, p: 1 } };
  after(() => {
    provider.destroy();
    rmSync(folder, { recursive: true });
  });

  async function loaded(keystore: string, password: string): Promise<string> {
    writeFileSync(join(folder, "key.json"), keystore);
    writeFileSync(join(folder, "password"), password);
    const config = readConfig(SIGNER_FIELDS, {
      ESTUARY_KEYSTORE: join(folder, "key.json"),
      ESTUARY_KEYSTORE_PASSWORD_FILE: join(folder, "password"),
    });
    return (await loadSigner(config, provider)).getAddress();
  }

  it("are taken as they are, but for one line break at the end of a file", async () => {
    for (const password of [" correct horse ", "   ", "\ttabs\t", "pass\nword", "pass\n", "", "pässwörd ﬁ 密码"]) {
      const keystore = await encryptKeystoreJson(wallet, password, CHEAP);
      for (const end of ["\n", "\r\n"]) expect(await loaded(keystore, password + end)).to.equal(wallet.address);
    }
    expect(readConfig(SIGNER_FIELDS, { ESTUARY_KEYSTORE_PASSWORD: "  " }).KEYSTORE_PASSWORD).to.equal("  ");
    const keystore = await encryptKeystoreJson(wallet, "trimmed", CHEAP);
    expect(await failure(loaded(keystore, " trimmed"))).to.equal("ESTUARY_KEYSTORE: wrong password");
  });

  it("open keystores of Geth too, which does not compose letters, and of tools that write Crypto or a mark before the JSON", async () => {
    const decomposed = "pässword".normalize("NFD");
    const keystore = await encryptKeystoreJson(wallet, Buffer.from(decomposed), CHEAP);
    expect(await loaded(keystore, decomposed)).to.equal(wallet.address);
    const { crypto, Crypto, ...rest } = JSON.parse(await encryptKeystoreJson(wallet, "x", CHEAP)) as Record<
      string,
      unknown
    >;
    const inner = crypto ?? Crypto;
    expect(await loaded(JSON.stringify({ ...rest, Crypto: inner }), "x")).to.equal(wallet.address);
    expect(await loaded(`\uFEFF${JSON.stringify({ ...rest, crypto: inner })}\n`, "x")).to.equal(wallet.address);
  });

  it("open the keystore of the Web3 Secret Storage definition that has pbkdf2", async () => {
    const keystore = {
      crypto: {
        cipher: "aes-128-ctr",
        cipherparams: { iv: "6087dab2f9fdbbfaddc31a909735c1e6" },
        ciphertext: "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        kdf: "pbkdf2",
        kdfparams: {
          c: 262_144,
          dklen: 32,
          prf: "hmac-sha256",
          salt: "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
        },
        mac: "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
      },
      id: "3198bc9c-6672-5ab3-d995-4942343ae5b6",
      version: 3,
    };
    expect(await loaded(JSON.stringify(keystore), "testpassword")).to.equal(
      "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b",
    );
  });

  it("take a private key with or without its prefix, and with what surrounds it in a file", async () => {
    for (const text of [KEY, KEY.slice(2), ` ${KEY}\n`, `0X${KEY.slice(2)}\r\n`]) {
      writeFileSync(join(folder, "key"), text);
      const config = readConfig(SIGNER_FIELDS, { ESTUARY_PRIVATE_KEY_FILE: join(folder, "key") });
      expect(await (await loadSigner(config, provider)).getAddress()).to.equal(wallet.address);
    }
  });
});
