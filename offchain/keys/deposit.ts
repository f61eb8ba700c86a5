/** Deposits with their proof of possession: signed, and checked, with the library of C. */
import { PublicKey, Signature, verify } from "@chainsafe/blst";
import { getBytes } from "ethers";
import type { Hex } from "../util/hex.ts";
import { depositDataRoot, depositSigningRoot } from "./depositRoots.ts";
import type { DepositData, DepositMessage } from "./depositRoots.ts";
import type { ValidatorKey } from "./hd.ts";

const ZERO_SIGNATURE: Hex = `0x${"00".repeat(96)}`;

/** A first deposit with its proof of possession. @param genesisForkVersion 4 bytes: the network */
export function signDeposit(
  key: Pick<ValidatorKey, "pubkey" | "sign">,
  credentials: Hex,
  amountGwei: bigint,
  genesisForkVersion: Uint8Array,
): DepositData {
  const message = { pubkey: key.pubkey, withdrawalCredentials: credentials, amountGwei };
  return withRoot(message, key.sign(depositSigningRoot(message, genesisForkVersion)));
}

/** A later deposit to a key: the consensus layer never looks at its signature. */
export function topUpDeposit(pubkey: Hex, credentials: Hex, amountGwei: bigint): DepositData {
  return withRoot({ pubkey, withdrawalCredentials: credentials, amountGwei }, ZERO_SIGNATURE);
}

/** Of a proof of possession: malformed points are invalid, not an error. About 3 ms. */
export function isSignedBy(pubkey: Hex, signature: Hex, signingRoot: Uint8Array): boolean {
  try {
    const publicKey = PublicKey.fromBytes(getBytes(pubkey), true);
    const point = Signature.fromBytes(getBytes(signature), true);
    return verify(signingRoot, publicKey, point);
  } catch {
    return false;
  }
}

/** is_valid_deposit_signature */
export function isValidDepositSignature(
  message: DepositMessage,
  signature: Hex,
  genesisForkVersion: Uint8Array,
): boolean {
  return isSignedBy(message.pubkey, signature, depositSigningRoot(message, genesisForkVersion));
}

function withRoot(message: DepositMessage, signature: Hex): DepositData {
  return { ...message, signature, depositDataRoot: depositDataRoot(message, signature) };
}
