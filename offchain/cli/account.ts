/** Who acts: an address for what is read and simulated; its key only once something is sent. */
import { readFileSync } from "node:fs";
import { AbstractSigner, computeAddress, getAddress, isAddress } from "ethers";
import type {
  Provider,
  Signer,
  TransactionRequest,
  TransactionResponse,
  TypedDataDomain,
  TypedDataField,
} from "ethers";
import { AppError, EXIT } from "../util/errors.ts";
import { loadSigner } from "../util/signer.ts";
import type { SignerConfig } from "../util/signer.ts";
import type { Io } from "./io.ts";

/** The address of the configured key, without decrypting it; undefined where none is configured, or where the keystore does not tell it. */
export function keyAddress(config: SignerConfig): string | undefined {
  if (config.PRIVATE_KEY !== undefined) return addressOfKey(config.PRIVATE_KEY.trim());
  return config.KEYSTORE === undefined ? config.SIGNER_ADDRESS : addressInKeystore(config.KEYSTORE);
}

function addressOfKey(key: string): string | undefined {
  try {
    return computeAddress(key.startsWith("0x") ? key : `0x${key}`);
  } catch {
    // loading it says what is wrong, without the key
    return undefined;
  }
}

function addressInKeystore(file: string): string | undefined {
  try {
    const { address } = JSON.parse(readFileSync(file, "utf8")) as { address?: unknown };
    const text = `0x${String(address).replace(/^0x/i, "")}`.toLowerCase();
    return isAddress(text) ? getAddress(text) : undefined;
  } catch {
    return undefined;
  }
}

/** The configured signer; a keystore's password is asked for where it is not configured and somebody is here. @throws AppError */
export async function openSigner(config: SignerConfig, provider: Provider, io: Io): Promise<Signer> {
  const { KEYSTORE: keystore, KEYSTORE_PASSWORD: password } = config;
  if (keystore === undefined || password !== undefined || !io.interactive || io.prompts === undefined)
    return loadSigner(config, provider);
  const given = await io.prompts.secret(`Password of ${keystore}`);
  if (given === undefined) throw new AppError(EXIT.refused, "no password: nothing was sent");
  return loadSigner({ ...config, KEYSTORE_PASSWORD: given }, provider);
}

/** An account whose key is opened by the first signature: until then nobody is asked for anything. */
export class Account extends AbstractSigner {
  readonly #address: string;
  readonly #open: () => Promise<Signer>;
  #signer: Promise<Signer> | undefined;

  /** @param open once */
  constructor(address: string, provider: Provider, open: () => Promise<Signer>) {
    super(provider);
    this.#address = address;
    this.#open = open;
  }

  override getAddress(): Promise<string> {
    return Promise.resolve(this.#address);
  }

  override connect(): Signer {
    return this;
  }

  override async sendTransaction(transaction: TransactionRequest): Promise<TransactionResponse> {
    return (await this.#key()).sendTransaction(transaction);
  }

  override async signTransaction(transaction: TransactionRequest): Promise<string> {
    return (await this.#key()).signTransaction(transaction);
  }

  override async signMessage(message: string | Uint8Array): Promise<string> {
    return (await this.#key()).signMessage(message);
  }

  override async signTypedData(
    domain: TypedDataDomain,
    types: Record<string, TypedDataField[]>,
    value: Record<string, unknown>,
  ): Promise<string> {
    return (await this.#key()).signTypedData(domain, types, value);
  }

  async #key(): Promise<Signer> {
    this.#signer ??= this.#open();
    const signer = await this.#signer;
    const address = await signer.getAddress();
    if (address.toLowerCase() !== this.#address.toLowerCase())
      throw new AppError(EXIT.usage, `the key is that of ${address}, not of ${this.#address}`);
    return signer;
  }
}
