/** Keys of local networks: the usual development mnemonic, and strangers. */
import { SecretKey } from "@chainsafe/blst";
import { mainnetChainConfig } from "@lodestar/config/configs";
import { getBytes, hexlify, sha256 } from "ethers";
import { signDeposit } from "../offchain/keys/deposit.ts";
import type { DepositData } from "../offchain/keys/depositRoots.ts";
import { deriveKeys } from "../offchain/keys/hd.ts";
import type { ValidatorKey } from "../offchain/keys/hd.ts";
import type { Hex } from "../offchain/util/hex.ts";

export { pubkeyRoot } from "../offchain/beacon/proofs.ts";
export { isValidDepositSignature, topUpDeposit } from "../offchain/keys/deposit.ts";
export { depositSigningRoot, withdrawalCredentials } from "../offchain/keys/depositRoots.ts";
export type { DepositData, DepositMessage } from "../offchain/keys/depositRoots.ts";
export type { ValidatorKey } from "../offchain/keys/hd.ts";

/** Its validators have no value anywhere. */
export const TEST_MNEMONIC = "test test test test test test test test test test test junk";

/** The signing keys m/12381/3600/i/0/0 for i from `first`. */
export function deriveValidatorKeys(count: number, first = 0, mnemonic = TEST_MNEMONIC): ValidatorKey[] {
  return deriveKeys({ mnemonic, first, count });
}

/** Distinct valid public keys of nobody in particular, cheaper than a derivation. */
export function strangerPubkey(index: number): Hex {
  const ikm = getBytes(sha256(new TextEncoder().encode(`estuary stranger ${index}`)));
  return hexlify(SecretKey.fromKeygen(ikm).toPublicKey().toBytes()) as Hex;
}

/** A first deposit with its proof of possession, on the local network unless told. */
export function signedDeposit(
  key: ValidatorKey,
  credentials: Hex,
  amountGwei: bigint,
  genesisForkVersion: Uint8Array = mainnetChainConfig.GENESIS_FORK_VERSION,
): DepositData {
  return signDeposit(key, credentials, amountGwei, genesisForkVersion);
}
