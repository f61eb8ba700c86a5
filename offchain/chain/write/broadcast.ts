/** Handing a transaction to nodes, by signers of every kind. */
import type { Provider, Signer, TransactionRequest } from "ethers";
import { NoMethod, isAbort } from "../../util/errors.ts";
import { meaningOfThrown } from "../answers.ts";
import { ChainError, toChainError } from "../errors.ts";

/** Geth, Reth and Erigon; Nethermind; Besu; Parity and Infura; Erigon's older ones. */
const KNOWN = /already.?(known|imported|exists?|in (the )?(mem)?pool)|known transaction|existing tx with same hash/i;

/**
 * Nethermind's FeeTooLow and FeeTooLowToCompete, which its own broadcaster may send all the same (NethermindEth/nethermind, TxPool.cs); Geth's
 * "txpool is full".
 */
const POOL_FULL = /fee ?too ?low|pool is full/i;

/** Why a transaction may have reached no node. */
export interface Doubt {
  /** A node refused it for sure; or said no and may have taken it; or nobody answered. */
  readonly kind: "refused" | "doubtful" | "unreachable";
  readonly failure: ChainError;
}

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
    const failure = toChainError(error);
    if (!(failure instanceof ChainError) || failure.kind !== "unavailable") throw failure;
    const message = `${failure.message}. Whether the signer sent it is not known: look at the account before you try again`;
    throw new ChainError("unavailable", message, { cause: error });
  }
}

/** @returns why it may not have been taken; undefined where it was, whatever the node said */
export async function broadcast(provider: Provider, raw: string, hash: string): Promise<Doubt | undefined> {
  try {
    await provider.broadcastTransaction(raw);
    return undefined;
  } catch (error) {
    if (isAbort(error)) throw error;
    const words = wordsOf(error);
    if (KNOWN.test(words) || (await isKnown(provider, hash))) return undefined;
    if (POOL_FULL.test(words)) {
      const message = "the fee is too low: the node's pool is full of dearer transactions";
      return { kind: "doubtful", failure: new ChainError("underpriced", message, { cause: error }) };
    }
    const readable = toChainError(error);
    const kind = readable instanceof ChainError ? readable.kind : "unavailable";
    const isRefused = kind === "unavailable" && meaningOfThrown(error, "eth_sendRawTransaction") === "request";
    const failure = new ChainError(isRefused ? "unknown" : kind, readable.message, { cause: error });
    if (failure.kind === "unavailable") return { kind: "unreachable", failure };
    return { kind: failure.kind === "underpriced" ? "refused" : "doubtful", failure };
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
