/** Proofs of possession without the library of C. Loaded when a file of deposit data is dropped. */
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { getBytes } from "ethers";
import type { Hex } from "../../../offchain/util/hex.ts";

/** Of Ethereum's consensus layer: keys in G1, signatures in G2 (draft-irtf-cfrg-bls-signature, proof-of-possession scheme). */
const DOMAIN = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

/** As `offchain/keys/deposit.ts` has it: malformed points are invalid, not an error. */
export function isSignedBy(pubkey: Hex, signature: Hex, signingRoot: Uint8Array): boolean {
  const { longSignatures: scheme, G1 } = bls12_381;
  try {
    const key = G1.Point.fromBytes(getBytes(pubkey));
    const point = scheme.Signature.fromBytes(getBytes(signature));
    // not at infinity, and of the subgroup
    key.assertValidity();
    point.assertValidity();
    return scheme.verify(point, scheme.hash(signingRoot, DOMAIN), key);
  } catch {
    return false;
  }
}
