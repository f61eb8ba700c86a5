/** Handing a transaction to nodes, by signers of every kind. */
import type { Provider, Signer, TransactionRequest } from "ethers";
import { isAbort } from "../../util/errors.ts";
import { NoMethod } from "../../util/externalSigner.ts";
import { ChainError, toChainError } from "../errors.ts";

/** Geth, Reth and Erigon; Nethermind; Besu; Parity and Infura; Erigon's older ones. */
const KNOWN = /already.?(known|imported|exists?|in (the )?(mem)?pool)|known transaction|existing tx with same hash/i;

/** Signed, where the signer gives that away without sending: its hash is known whatever becomes of the request. */
export async function signedBy(signer: Signer, request: TransactionRequest): Promise<string | undefined> {
  // accounts of wallets (EIP-1193) sign only what they send
  if ("sendUncheckedTransaction" in signer || typeof signer.signTransaction !== "function") return undefined;
  try {
    return await signer.signTransaction(request);
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown };
    const canNot =
      error instanceof NoMethod ||
      code === "UNSUPPORTED_OPERATION" ||
      /not (implemented|supported)/i.test(String(message));
    if (canNot) return undefined;
    throw toChainError(error);
  }
}

/** By a signer that only sends, and may choose fees and nonce itself. */
export async function sendBy(
  signer: Signer,
  request: TransactionRequest,
): Promise<{ readonly hash: string; readonly nonce: number | undefined }> {
  const { sendUncheckedTransaction } = signer as Partial<{
    sendUncheckedTransaction(request: TransactionRequest): Promise<string>;
  }>;
  try {
    // ethers' sendTransaction of such an account waits until its node shows it, which one that was sent in private never does
    if (sendUncheckedTransaction !== undefined)
      return { hash: await sendUncheckedTransaction.call(signer, request), nonce: undefined };
    return await signer.sendTransaction(request);
  } catch (error) {
    throw toChainError(error);
  }
}

/** @returns why it may not have been taken; undefined where it was, whatever the node said */
export async function broadcast(provider: Provider, raw: string, hash: string): Promise<ChainError | undefined> {
  try {
    await provider.broadcastTransaction(raw);
    return undefined;
  } catch (error) {
    if (isAbort(error)) throw error;
    if (KNOWN.test(wordsOf(error)) || (await isKnown(provider, hash))) return undefined;
    const failure = toChainError(error);
    if (failure instanceof ChainError) return failure;
    return new ChainError("unavailable", failure.message, { cause: error });
  }
}

/** Whether a node has it, mined or waiting; not where it can't be asked. */
export async function isKnown(provider: Provider, hash: string): Promise<boolean> {
  try {
    return (await provider.getTransaction(hash)) !== null;
  } catch {
    return false;
  }
}

/** All messages in it; libraries put the node's own deep inside. */
function wordsOf(error: unknown, depth = 0): string {
  if (typeof error !== "object" || error === null || depth > 4) return "";
  const { message, error: inner, info, cause } = error as Record<string, unknown>;
  const own = typeof message === "string" ? message : "";
  return [own, ...[inner, info, cause].map((next) => wordsOf(next, depth + 1))].join(" ");
}
