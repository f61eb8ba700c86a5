/**
 * Validator keys (EIP-2333, EIP-2334) and the data of a deposit, signed over the real deposit domain.
 *
 * Test keys only: the secret stays in memory and is never written anywhere.
 */
import { PublicKey, SecretKey, Signature, verify } from "@chainsafe/blst";
import { DOMAIN_DEPOSIT } from "@lodestar/params";
import { ssz } from "@lodestar/types";
import { Mnemonic, getBytes, hexlify, sha256 } from "ethers";
import { MAINNET_RULES } from "./core/rules.ts";
import type { Hex } from "./core/state.ts";

export { pubkeyRoot } from "../offchain/beacon/proofs.ts";

/** The usual development mnemonic; its validators have no value anywhere. */
export const TEST_MNEMONIC = "test test test test test test test test test test test junk";

export interface ValidatorKey {
  readonly index: number;
  /** EIP-2334 path of the signing key. */
  readonly path: string;
  readonly pubkey: Hex;
  sign(message: Uint8Array): Hex;
}

/** The arguments of `deposit()` of the deposit contract, and what belongs to them. */
export interface DepositData {
  readonly pubkey: Hex;
  readonly withdrawalCredentials: Hex;
  readonly amountGwei: bigint;
  readonly signature: Hex;
  readonly depositDataRoot: Hex;
}

export interface DepositMessage {
  readonly pubkey: Hex;
  readonly withdrawalCredentials: Hex;
  readonly amountGwei: bigint;
}

const ZERO_SIGNATURE: Hex = `0x${"00".repeat(96)}`;

/** The signing keys m/12381/3600/i/0/0 for i from `first`. */
export function deriveValidatorKeys(count: number, first = 0, mnemonic = TEST_MNEMONIC): ValidatorKey[] {
  const seed = getBytes(Mnemonic.fromPhrase(mnemonic).computeSeed());
  const purpose = SecretKey.deriveMasterEip2333(seed).deriveChildEip2333(12381).deriveChildEip2333(3600);
  return Array.from({ length: count }, (_, offset) => {
    const index = first + offset;
    const secret = purpose.deriveChildEip2333(index).deriveChildEip2333(0).deriveChildEip2333(0);
    return {
      index,
      path: `m/12381/3600/${index}/0/0`,
      pubkey: toHex(secret.toPublicKey().toBytes()),
      sign: (message: Uint8Array): Hex => toHex(secret.sign(message).toBytes()),
    };
  });
}

/** Distinct valid public keys of nobody in particular, cheaper than a derivation. */
export function strangerPubkey(index: number): Hex {
  const ikm = getBytes(sha256(new TextEncoder().encode(`estuary stranger ${index}`)));
  return toHex(SecretKey.fromKeygen(ikm).toPublicKey().toBytes());
}

/** `prefix || 11 zero bytes || address`; prefix 0x01 (one 32 ETH validator) or 0x02 (compounding). */
export function withdrawalCredentials(address: string, prefix: "01" | "02" = "01"): Hex {
  return `0x${prefix}${"00".repeat(11)}${address.slice(2).toLowerCase()}`;
}

/** A first deposit with its proof of possession. */
export function signedDeposit(
  key: ValidatorKey,
  credentials: Hex,
  amountGwei: bigint,
  genesisForkVersion: Uint8Array = MAINNET_RULES.genesisForkVersion,
): DepositData {
  const message = { pubkey: key.pubkey, withdrawalCredentials: credentials, amountGwei };
  return withRoot(message, key.sign(depositSigningRoot(message, genesisForkVersion)));
}

/** A later deposit to a key: the consensus layer never looks at its signature. */
export function topUpDeposit(pubkey: Hex, credentials: Hex, amountGwei: bigint): DepositData {
  return withRoot({ pubkey, withdrawalCredentials: credentials, amountGwei }, ZERO_SIGNATURE);
}

export function depositSigningRoot(message: DepositMessage, genesisForkVersion: Uint8Array): Uint8Array {
  const forkDataRoot = ssz.phase0.ForkData.hashTreeRoot({
    currentVersion: genesisForkVersion,
    genesisValidatorsRoot: new Uint8Array(32),
  });
  const domain = new Uint8Array(32);
  domain.set(DOMAIN_DEPOSIT);
  domain.set(forkDataRoot.subarray(0, 28), 4);
  const objectRoot = ssz.phase0.DepositMessage.hashTreeRoot({
    pubkey: getBytes(message.pubkey),
    withdrawalCredentials: getBytes(message.withdrawalCredentials),
    amount: Number(message.amountGwei),
  });
  return ssz.phase0.SigningData.hashTreeRoot({ objectRoot, domain });
}

/** is_valid_deposit_signature: malformed points are invalid, not an error. */
export function isValidDepositSignature(
  message: DepositMessage,
  signature: Hex,
  genesisForkVersion: Uint8Array,
): boolean {
  try {
    const publicKey = PublicKey.fromBytes(getBytes(message.pubkey), true);
    const point = Signature.fromBytes(getBytes(signature), true);
    return verify(depositSigningRoot(message, genesisForkVersion), publicKey, point);
  } catch {
    return false;
  }
}

function withRoot(message: DepositMessage, signature: Hex): DepositData {
  const root = ssz.phase0.DepositData.hashTreeRoot({
    pubkey: getBytes(message.pubkey),
    withdrawalCredentials: getBytes(message.withdrawalCredentials),
    amount: Number(message.amountGwei),
    signature: getBytes(signature),
  });
  return { ...message, signature, depositDataRoot: toHex(root) };
}

function toHex(bytes: Uint8Array): Hex {
  return hexlify(bytes) as Hex;
}
