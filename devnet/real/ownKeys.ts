/** The keys that a validator client operates: some of the development mnemonic, or an operator's own keystores. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { readKeystore } from "../../offchain/keys/keystore.ts";
import { AppError, EXIT, messageOf } from "../../offchain/util/errors.ts";
import { deriveValidatorKeys } from "../keys.ts";
import type { ValidatorKey } from "../keys.ts";

export interface DevelopmentKeys {
  /** Keys m/12381/3600/i/0/0 for i from `first`. */
  readonly first: number;
  readonly count: number;
}

/** EIP-2335, all with one password. */
export interface Keystores {
  readonly folder: string;
  /** Its content is the password, but for one final newline. */
  readonly passwordFile: string;
}

export type KeySource = DevelopmentKeys | Keystores;

/** @throws AppError (invalid) that names the file which can't be read, is no keystore, or has another password */
export async function keysOf(source: KeySource): Promise<ValidatorKey[]> {
  if ("count" in source) return deriveValidatorKeys(source.count, source.first);
  const { folder, passwordFile } = source;
  const password = reading(passwordFile, () => readFileSync(passwordFile, "utf8")).replace(/\r?\n$/, "");
  const files = reading(folder, () => readdirSync(folder)).filter((name) => /^keystore.*\.json$/.test(name));
  if (files.length === 0) throw new AppError(EXIT.invalid, `no keystore-*.json in ${folder}`);
  const keys: ValidatorKey[] = [];
  // one after another: scrypt takes a quarter of a gigabyte
  for (const name of files.sort()) keys.push(await readKeystore(join(folder, name), password));
  const twice = keys.find(({ pubkey }, index) => keys.findIndex((key) => key.pubkey === pubkey) !== index);
  if (twice !== undefined) throw new AppError(EXIT.invalid, `two keystores in ${folder} hold ${twice.pubkey}`);
  return keys;
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new AppError(EXIT.invalid, `can't read ${path}: ${messageOf(error)}`);
  }
}
