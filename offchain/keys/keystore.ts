/** Encrypted keys in files: EIP-2335. */
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Keystore } from "@chainsafe/bls-keystore";
import { getBytes, hexlify } from "ethers";
import { AppError, EXIT, messageOf } from "../util/errors.ts";
import type { Hex } from "../util/hex.ts";
import { keyOfSecret } from "./hd.ts";
import type { ValidatorKey } from "./hd.ts";

export type Kdf = "scrypt" | "pbkdf2";

export interface WriteOptions {
  readonly folder: string;
  readonly password: string;
  /** Unix seconds, in the files' names as the launchpad's tool has them. */
  readonly time: number;
  /** Default scrypt. pbkdf2 is decrypted faster and with less memory, and resists guessing less. */
  readonly kdf?: Kdf;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, count: number) => void;
}

const MIN_PASSWORD = 8;

/**
 * Writes one file a key, readable by its owner alone; never over an existing one.
 * @returns the files' paths @throws AppError: invalid for a short password, failure where a file can't be written
 */
export async function writeKeystores(keys: readonly ValidatorKey[], options: WriteOptions): Promise<string[]> {
  const { folder, password, time, kdf = "scrypt", signal, onProgress } = options;
  checkPassword(password);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files: string[] = [];
  for (const key of keys) {
    signal?.throwIfAborted();
    const keystore = await encryptKey(key, password, kdf);
    const file = join(folder, `keystore-${key.path.replaceAll("/", "_")}-${time}.json`);
    try {
      await writeFile(file, keystore, { mode: 0o400, flag: "wx" });
      await chmod(file, 0o400);
    } catch (error) {
      throw new AppError(EXIT.failure, `can't write ${file}: ${messageOf(error)}`);
    }
    files.push(file);
    onProgress?.(files.length, keys.length);
  }
  return files;
}

/** @throws AppError (invalid) */
export function checkPassword(password: string): void {
  if (Array.from(password.normalize("NFKD")).length < MIN_PASSWORD)
    throw new AppError(EXIT.invalid, `a password has at least ${MIN_PASSWORD} characters`);
}

/** As JSON. */
export async function encryptKey(key: ValidatorKey, password: string, kdf: Kdf = "scrypt"): Promise<string> {
  const secret = key.secret();
  const salt = hexlify(crypto.getRandomValues(new Uint8Array(32))).slice(2);
  const module =
    kdf === "scrypt"
      ? ({ function: "scrypt", params: { dklen: 32, n: 262_144, r: 8, p: 1, salt } } as const)
      : ({ function: "pbkdf2", params: { dklen: 32, c: 262_144, prf: "hmac-sha256", salt } } as const);
  try {
    return (await Keystore.create(password, secret, getBytes(key.pubkey), key.path, "", module)).stringify();
  } finally {
    secret.fill(0);
  }
}

/** @throws AppError (invalid): no keystore, a wrong password, or a key that is not the one it says */
export async function readKeystore(file: string, password: string): Promise<ValidatorKey> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new AppError(EXIT.invalid, `can't read ${file}: ${messageOf(error)}`);
  }
  try {
    return await decryptKey(text, password);
  } catch (error) {
    throw error instanceof AppError ? new AppError(error.exitCode, `${file}: ${error.message}`) : error;
  }
}

/** @param json of a keystore @throws AppError (invalid) */
export async function decryptKey(json: string, password: string): Promise<ValidatorKey> {
  let keystore: Keystore;
  try {
    keystore = Keystore.parse(json);
  } catch {
    throw new AppError(EXIT.invalid, "not a keystore (EIP-2335)");
  }
  let secret: Uint8Array;
  try {
    if (!(await keystore.verifyPassword(password))) throw new AppError(EXIT.invalid, "wrong password");
    secret = await keystore.decrypt(password);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError(EXIT.invalid, `it can't be decrypted: ${messageOf(error)}`);
  }
  const key = keyOfSecret(secret, keystore.path);
  const stated: Hex = `0x${keystore.pubkey.replace(/^0x/, "").toLowerCase()}`;
  if (keystore.pubkey !== "" && stated !== key.pubkey)
    throw new AppError(EXIT.invalid, `it says it is the key ${stated}, and is ${key.pubkey}`);
  return key;
}
