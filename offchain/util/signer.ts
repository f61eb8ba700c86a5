/** Who signs: a key from an encrypted keystore file, a private key, or an account of an external signer. Keys are never printed or logged. */
import { readFileSync } from "node:fs";
import { Wallet, toUtf8Bytes } from "ethers";
import type { Provider, Signer } from "ethers";
import { address, httpUrl, optional, text } from "./config.ts";
import { AppError, EXIT, codeOf, messageOf } from "./errors.ts";
import { ExternalSigner } from "./externalSigner.ts";

export const SIGNER_FIELDS = {
  PRIVATE_KEY: optional(text, { about: "private key of the account, 0x and 64 hexadecimal digits", secret: true }),
  KEYSTORE: optional(text, { about: "file of an encrypted keystore of the account (Web3 Secret Storage)" }),
  KEYSTORE_PASSWORD: optional(text, { about: "password of that keystore", secret: true }),
  SIGNER_URL: optional(httpUrl, { about: "JSON-RPC of an external signer" }),
  SIGNER_ADDRESS: optional(address, { about: "account of the external signer" }),
};

export interface SignerConfig {
  readonly PRIVATE_KEY: string | undefined;
  readonly KEYSTORE: string | undefined;
  readonly KEYSTORE_PASSWORD: string | undefined;
  readonly SIGNER_URL: string | undefined;
  readonly SIGNER_ADDRESS: string | undefined;
}

export function namesSigner(config: SignerConfig): boolean {
  return config.PRIVATE_KEY !== undefined || config.KEYSTORE !== undefined || config.SIGNER_URL !== undefined;
}

/**
 * @param asksPassword somebody is here to give a keystore's password
 * @throws AppError (usage) unless exactly one way is configured, with all that it needs
 */
export function checkSigner(config: Partial<SignerConfig>, asksPassword = false): void {
  const ways = [config.PRIVATE_KEY, config.KEYSTORE, config.SIGNER_URL].filter((way) => way !== undefined);
  if (ways.length !== 1)
    throw new AppError(
      EXIT.usage,
      `${ways.length === 0 ? "no account" : "more than one account"}: set one of ESTUARY_PRIVATE_KEY, ESTUARY_KEYSTORE, ESTUARY_SIGNER_URL`,
    );
  if (config.KEYSTORE !== undefined && config.KEYSTORE_PASSWORD === undefined && !asksPassword)
    throw new AppError(
      EXIT.usage,
      "ESTUARY_KEYSTORE_PASSWORD: is required with a keystore; an empty one is given by ESTUARY_KEYSTORE_PASSWORD_FILE",
    );
  if (config.SIGNER_URL !== undefined && config.SIGNER_ADDRESS === undefined)
    throw new AppError(EXIT.usage, "ESTUARY_SIGNER_ADDRESS: which account of the external signer");
}

/** @throws AppError (usage) unless exactly one way is configured, and it works */
export async function loadSigner(config: SignerConfig, provider: Provider): Promise<Signer> {
  checkSigner(config);
  if (config.PRIVATE_KEY !== undefined) return fromPrivateKey(config.PRIVATE_KEY, provider);
  if (config.KEYSTORE !== undefined) return fromKeystore(config.KEYSTORE, config.KEYSTORE_PASSWORD ?? "", provider);
  return new ExternalSigner(config.SIGNER_URL ?? "", config.SIGNER_ADDRESS ?? "", provider);
}

function fromPrivateKey(given: string, provider: Provider): Wallet {
  const key = given.trim().replace(/^0x/i, "");
  try {
    return new Wallet(`0x${key}`, provider);
  } catch {
    // the library's message has the key in it
    throw new AppError(EXIT.usage, "ESTUARY_PRIVATE_KEY: not a private key");
  }
}

async function fromKeystore(file: string, password: string, provider: Provider): Promise<Signer> {
  let json: string;
  try {
    json = readFileSync(file, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    throw new AppError(EXIT.usage, `ESTUARY_KEYSTORE: can't read ${file} (${codeOf(error)})`);
  }
  for (const bytes of spellingsOf(password)) {
    try {
      return (await Wallet.fromEncryptedJson(json, bytes)).connect(provider);
    } catch (error) {
      if (!messageOf(error).includes("incorrect password"))
        throw new AppError(EXIT.usage, `ESTUARY_KEYSTORE: ${file} is not a keystore`);
    }
  }
  throw new AppError(EXIT.usage, "ESTUARY_KEYSTORE: wrong password");
}

/** Libraries of JavaScript compose a password's letters (NFKC) before they encrypt with it, Geth takes its bytes as they come. */
function spellingsOf(password: string): Uint8Array[] {
  const forms = new Set([password.normalize("NFKC"), password, password.normalize("NFC"), password.normalize("NFD")]);
  return [...forms].map((form) => toUtf8Bytes(form));
}
