import { deriveKeyFromMnemonic } from "@chainsafe/bls-keygen";
import { PublicKey, SecretKey, Signature, verify } from "@chainsafe/blst";
import { expect } from "chai";
import { concat, getBytes, hexlify, sha256, zeroPadBytes } from "ethers";
import {
  TEST_MNEMONIC,
  deriveValidatorKeys,
  isValidDepositSignature,
  pubkeyRoot,
  signedDeposit,
  strangerPubkey,
  topUpDeposit,
  withdrawalCredentials,
} from "../../../devnet/keys.ts";
import { MAINNET_RULES } from "../../../devnet/simulated/state/rules.ts";

const [KEY] = deriveValidatorKeys(1) as [ReturnType<typeof deriveValidatorKeys>[number]];
const CREDENTIALS = withdrawalCredentials("0xAbcdef0123456789abcdef0123456789ABCDEF01");
const AMOUNT_GWEI = 32_000_000_000n;

const hash = (left: string, right: string): string => sha256(concat([left, right]));
const ZERO = `0x${"00".repeat(32)}`;
const AMOUNT_CHUNK = zeroPadBytes("0x0040597307000000", 32); // 32e9, little-endian

describe("devnet keys", () => {
  it("derives the keys of EIP-2334 that another implementation derives", () => {
    const keys = deriveValidatorKeys(2, 7);
    for (const key of keys) {
      const secret = SecretKey.fromBytes(deriveKeyFromMnemonic(TEST_MNEMONIC, key.path));
      expect(key.pubkey).to.equal(hexlify(secret.toPublicKey().toBytes()));
    }
    expect(keys.map(({ path }) => path)).to.deep.equal(["m/12381/3600/7/0/0", "m/12381/3600/8/0/0"]);
  });

  it("builds credentials in lower case", () => {
    expect(CREDENTIALS).to.equal("0x010000000000000000000000abcdef0123456789abcdef0123456789abcdef01");
  });

  it("roots a public key as sha256 of its bytes and 16 zero bytes", () => {
    expect(pubkeyRoot(KEY.pubkey)).to.equal(sha256(concat([KEY.pubkey, `0x${"00".repeat(16)}`])));
  });

  it("signs a deposit over mainnet's deposit domain", () => {
    const { signature } = signedDeposit(KEY, CREDENTIALS, AMOUNT_GWEI);
    const message = hash(hash(pubkeyRoot(KEY.pubkey), CREDENTIALS), hash(AMOUNT_CHUNK, ZERO));
    const domain = "0x03000000f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a9";
    const root = getBytes(hash(message, domain));
    expect(verify(root, PublicKey.fromBytes(getBytes(KEY.pubkey)), Signature.fromBytes(getBytes(signature)))).to.equal(
      true,
    );
  });

  it("computes the deposit data root", () => {
    const { signature, depositDataRoot } = signedDeposit(KEY, CREDENTIALS, AMOUNT_GWEI);
    const [a, b, c] = [0, 32, 64].map((start) => `0x${signature.slice(2 + start * 2, 66 + start * 2)}`) as [
      string,
      string,
      string,
    ];
    const signatureRoot = hash(hash(a, b), hash(c, ZERO));
    const expected = hash(hash(pubkeyRoot(KEY.pubkey), CREDENTIALS), hash(AMOUNT_CHUNK, signatureRoot));
    expect(depositDataRoot).to.equal(expected);
  });

  it("rejects a signature over anything else, and malformed points without an error", () => {
    const version = MAINNET_RULES.genesisForkVersion;
    const data = signedDeposit(KEY, CREDENTIALS, AMOUNT_GWEI);
    expect(isValidDepositSignature(data, data.signature, version)).to.equal(true);
    expect(isValidDepositSignature({ ...data, amountGwei: 1n }, data.signature, version)).to.equal(false);
    expect(isValidDepositSignature({ ...data, pubkey: strangerPubkey(1) }, data.signature, version)).to.equal(false);
    expect(isValidDepositSignature(data, data.signature, Uint8Array.of(1, 0, 0, 0))).to.equal(false);
    const topUp = topUpDeposit(KEY.pubkey, CREDENTIALS, AMOUNT_GWEI);
    expect(isValidDepositSignature(topUp, topUp.signature, version)).to.equal(false);
    const infinity = { ...data, pubkey: `0xc0${"00".repeat(47)}` } as const;
    expect(isValidDepositSignature(infinity, `0xc0${"00".repeat(95)}`, version)).to.equal(false);
  });
});
