/** Deposits: the data, their roots, and the proof of possession over the deposit domain (consensus-specs, phase0/beacon-chain.md#deposits). */
import { PublicKey, Signature, verify } from "@chainsafe/blst";
import { ContainerType, UintBigintType } from "@chainsafe/ssz";
import { DOMAIN_DEPOSIT } from "@lodestar/params";
import { ssz } from "@lodestar/types";
import { getBytes, hexlify } from "ethers";
import type { Hex } from "../util/hex.ts";
import type { ValidatorKey } from "./hd.ts";

export interface DepositMessage {
  readonly pubkey: Hex;
  readonly withdrawalCredentials: Hex;
  readonly amountGwei: bigint;
}

/** The arguments of `deposit()` of the deposit contract, and what belongs to them. */
export interface DepositData extends DepositMessage {
  readonly signature: Hex;
  readonly depositDataRoot: Hex;
}

/** What the registry deposits for a key. */
export const PREDEPOSIT_GWEI = 1_000_000_000n;

/** Of phase0, with the amount as a bigint: lodestar's is a double, which is exact up to 2^53 only. */
const messageFields = {
  pubkey: ssz.BLSPubkey,
  withdrawalCredentials: ssz.Bytes32,
  amount: new UintBigintType(8),
};
const DEPOSIT_MESSAGE = new ContainerType(messageFields);
const DEPOSIT_DATA = new ContainerType({ ...messageFields, signature: ssz.BLSSignature });

const ZERO_SIGNATURE: Hex = `0x${"00".repeat(96)}`;

/** `prefix || 11 zero bytes || address`; prefix 0x01 (one 32 ETH validator) or 0x02 (compounding). */
export function withdrawalCredentials(address: string, prefix: "01" | "02" = "01"): Hex {
  return `0x${prefix}${"00".repeat(11)}${address.slice(2).toLowerCase()}`;
}

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

/** @throws RangeError where the amount is no uint64 */
export function depositMessageRoot(message: DepositMessage): Uint8Array {
  return DEPOSIT_MESSAGE.hashTreeRoot(fieldsOf(message));
}

/** @throws RangeError where the amount is no uint64 */
export function depositDataRoot(message: DepositMessage, signature: Hex): Hex {
  return hexlify(DEPOSIT_DATA.hashTreeRoot({ ...fieldsOf(message), signature: getBytes(signature) })) as Hex;
}

function fieldsOf({ pubkey, withdrawalCredentials: credentials, amountGwei }: DepositMessage) {
  if (amountGwei < 0n || amountGwei >= 1n << 64n) throw new RangeError(`${amountGwei} gwei are no uint64`);
  return { pubkey: getBytes(pubkey), withdrawalCredentials: getBytes(credentials), amount: amountGwei };
}

/** What a key signs: the message under the domain of deposits, which is the same before and after every fork. */
export function depositSigningRoot(message: DepositMessage, genesisForkVersion: Uint8Array): Uint8Array {
  const forkDataRoot = ssz.phase0.ForkData.hashTreeRoot({
    currentVersion: genesisForkVersion,
    genesisValidatorsRoot: new Uint8Array(32),
  });
  const domain = new Uint8Array(32);
  domain.set(DOMAIN_DEPOSIT);
  domain.set(forkDataRoot.subarray(0, 28), 4);
  return ssz.phase0.SigningData.hashTreeRoot({ objectRoot: depositMessageRoot(message), domain });
}

/** is_valid_deposit_signature: malformed points are invalid, not an error. About 3 ms. */
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
  return { ...message, signature, depositDataRoot: depositDataRoot(message, signature) };
}
