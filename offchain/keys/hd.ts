/** Validator keys out of a mnemonic: BIP-39, EIP-2333 (the tree), EIP-2334 (the paths). */
import { randomBytes } from "node:crypto";
import { SecretKey } from "@chainsafe/blst";
import { Mnemonic, getBytes, hexlify, pbkdf2, toUtf8Bytes } from "ethers";
import { AppError, EXIT } from "../util/errors.ts";
import type { Hex } from "../util/hex.ts";
import { readWords } from "./wordLists.ts";

/** A signing key. Its secret is in closures, so that printing or logging the object shows none of it. */
export interface ValidatorKey {
  readonly index: number;
  /** EIP-2334 path of the signing key. */
  readonly path: string;
  readonly pubkey: Hex;
  sign(message: Uint8Array): Hex;
  /** 32 bytes, for a keystore. */
  secret(): Uint8Array;
}

export interface DeriveOptions {
  readonly mnemonic: string;
  /** BIP-39 passphrase, also called the 25th word. */
  readonly passphrase?: string;
  readonly first?: number;
  readonly count: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, count: number) => void;
}

const MAX_INDEX = 2 ** 32 - 1;
const PURPOSE = 12_381;
const COIN = 3_600;

/** 24 words from 256 bits of the system's randomness. */
export function newMnemonic(): string {
  return Mnemonic.fromEntropy(randomBytes(32)).phrase;
}

/**
 * Whole words of any of the lists of BIP-39, in lower case (NFKD) with single spaces, from what a person wrote: shortened to four letters or more,
 * in capitals, without accents. Does not repeat the words where it refuses.
 * @throws AppError (invalid)
 */
export function checkMnemonic(phrase: string): string {
  const words = phrase.normalize("NFKD").toLowerCase().trim().split(/\s+/);
  if (![12, 15, 18, 21, 24].includes(words.length))
    throw new AppError(
      EXIT.invalid,
      `a mnemonic has 12, 15, 18, 21 or 24 words, not ${words[0] === "" ? 0 : words.length}`,
    );
  const found = readWords(words);
  switch (found.kind) {
    case "read": {
      const [reading, ...others] = found.readings;
      if (reading !== undefined && others.length === 0) return reading.phrase;
      throw new AppError(
        EXIT.invalid,
        `the shortened words are ambiguous (${found.readings.map(({ language }) => language).join(", ")}): write whole words`,
      );
    }
    case "checksum":
      throw new AppError(
        EXIT.invalid,
        `not a mnemonic: the checksum is wrong (${found.languages.join(", ")}): a word is another, or their order`,
      );
    case "unknown words": {
      const { language, positions } = found;
      const which = positions.length === 1 ? `word ${positions[0]} is` : `words ${positions.join(", ")} are`;
      throw new AppError(EXIT.invalid, `not a mnemonic: ${which} not on the ${language} list`);
    }
  }
}

/** The signing keys m/12381/3600/i/0/0 for i from `first`. @throws AppError (invalid) */
export function deriveKeys({
  mnemonic,
  passphrase,
  first = 0,
  count,
  signal,
  onProgress,
}: DeriveOptions): ValidatorKey[] {
  if (!Number.isInteger(first) || !Number.isInteger(count) || first < 0 || count < 1 || first + count - 1 > MAX_INDEX)
    throw new AppError(EXIT.invalid, `keys ${first} to ${first + count - 1}: indices go from 0 to ${MAX_INDEX}`);
  const seed = seedOf(checkMnemonic(mnemonic), passphrase);
  const coin = SecretKey.deriveMasterEip2333(seed).deriveChildEip2333(PURPOSE).deriveChildEip2333(COIN);
  return Array.from({ length: count }, (_, offset) => {
    signal?.throwIfAborted();
    const index = first + offset;
    const secret = coin.deriveChildEip2333(index).deriveChildEip2333(0).deriveChildEip2333(0);
    onProgress?.(offset + 1, count);
    return keyOf(secret, index, `m/${PURPOSE}/${COIN}/${index}/0/0`);
  });
}

/** BIP-39, of words in any language. */
function seedOf(phrase: string, passphrase = ""): Uint8Array {
  const salt = toUtf8Bytes(`mnemonic${passphrase}`, "NFKD");
  return getBytes(pbkdf2(toUtf8Bytes(phrase, "NFKD"), salt, 2_048, 64, "sha512"));
}

/** @param secret 32 bytes @throws AppError (invalid) where it is not a key */
export function keyOfSecret(secret: Uint8Array, path: string): ValidatorKey {
  const index = Number(/^m\/12381\/3600\/(\d+)\/0\/0$/.exec(path)?.[1] ?? 0);
  try {
    return keyOf(SecretKey.fromBytes(secret), index, path);
  } catch {
    throw new AppError(EXIT.invalid, "the secret is not a BLS key");
  }
}

function keyOf(secret: SecretKey, index: number, path: string): ValidatorKey {
  return {
    index,
    path,
    pubkey: hexlify(secret.toPublicKey().toBytes()) as Hex,
    sign: (message) => hexlify(secret.sign(message).toBytes()) as Hex,
    secret: () => secret.toBytes(),
  };
}
