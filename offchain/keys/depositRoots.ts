/**
 * What a deposit is, and its SSZ roots (consensus-specs, phase0/beacon-chain.md#deposits): sha256 alone, so that a browser has no more to load.
 * Tests compare them with the SSZ types.
 */
import { concat, getBytes, hexlify, sha256, zeroPadBytes } from "ethers";
import type { Hex } from "../util/hex.ts";

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

const ZERO_CHUNK = new Uint8Array(32);
/** DOMAIN_DEPOSIT. */
const DOMAIN_TYPE = "0x03000000";

/** `prefix || 11 zero bytes || address`; prefix 0x01 (one 32 ETH validator) or 0x02 (compounding). */
export function withdrawalCredentials(address: string, prefix: "01" | "02" = "01"): Hex {
  return `0x${prefix}${"00".repeat(11)}${address.slice(2).toLowerCase()}`;
}

/** @throws RangeError where the amount is no uint64 */
export function depositMessageRoot(message: DepositMessage): Uint8Array {
  return getBytes(rootOf(message, ZERO_CHUNK));
}

/** @throws RangeError where the amount is no uint64 */
export function depositDataRoot(message: DepositMessage, signature: Hex): Hex {
  const [first, second, third] = [0, 32, 64].map((from) => getBytes(signature).slice(from, from + 32));
  return rootOf(message, pair(pair(first, second), pair(third, ZERO_CHUNK))) as Hex;
}

/** What a key signs: the message under the domain of deposits, which is the same before and after every fork. */
export function depositSigningRoot(message: DepositMessage, genesisForkVersion: Uint8Array): Uint8Array {
  const forkDataRoot = getBytes(pair(zeroPadBytes(genesisForkVersion, 32), ZERO_CHUNK));
  const domain = concat([DOMAIN_TYPE, forkDataRoot.slice(0, 28)]);
  return getBytes(pair(depositMessageRoot(message), domain));
}

/** Of a container of key, credentials, amount and one field more. */
function rootOf(
  { pubkey, withdrawalCredentials: credentials, amountGwei }: DepositMessage,
  last: Uint8Array | string,
): string {
  if (amountGwei < 0n || amountGwei >= 1n << 64n) throw new RangeError(`${amountGwei} gwei are no uint64`);
  const amount = new Uint8Array(32);
  new DataView(amount.buffer).setBigUint64(0, amountGwei, true);
  return pair(pair(sha256(zeroPadBytes(pubkey, 64)), credentials), pair(hexlify(amount), last));
}

function pair(left: Uint8Array | string | undefined, right: Uint8Array | string | undefined): string {
  return sha256(concat([left ?? ZERO_CHUNK, right ?? ZERO_CHUNK]));
}
