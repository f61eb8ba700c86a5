/**
 * JSON-RPC in front of the execution client, which leaves out or gets wrong what wallets and Ignition rely on: the `pending` block and
 * nonce, the priority fee, estimates of calls that fail or forward gas, the price in receipts. Everything else passes through.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Provider } from "../provider.ts";

const PRIORITY_FEE = 10n ** 9n;
/** A call keeps 1/64 of its gas from what it calls (EIP-150): nested calls need more than they spend. */
const ESTIMATE_PERCENT = 130n;
const MAX_RECEIPTS = 2_000;
const RECEIPT_ATTEMPTS = 5;
const RECEIPT_RETRY_MS = 50;

/** An error of the execution client, in the form that its callers get. */
class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: number;
  readonly data: unknown;

  constructor(error: { readonly code: number; readonly message: string; readonly data?: unknown }) {
    super(error.message);
    this.code = error.code;
    this.data = error.data;
  }
}

interface ReceiptJson {
  readonly transactionHash: string;
  readonly blockNumber: string;
  readonly effectiveGasPrice: string;
}

/** The execution client's own JSON-RPC. */
export function executionRpc(url: string): Provider {
  let id = 0;
  return {
    request: async ({ method, params }) => {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: ++id, method, params: params ?? [] }),
      });
      const answer = (await response.json()) as { result?: unknown; error?: ConstructorParameters<typeof RpcError>[0] };
      if (answer.error !== undefined) throw new RpcError(answer.error);
      return answer.result;
    },
  };
}

export function rpcGateway(inner: Provider): Provider {
  // the client executes the whole block again for each receipt, and the chain has no reorganisations
  const receipts = new Map<string, ReceiptJson>();
  const receipt = async (hash: string): Promise<ReceiptJson | null> => {
    const known = receipts.get(hash);
    if (known !== undefined) return known;
    const found = await repriced(inner, await receiptOf(inner, hash));
    if (found !== null) receipts.set(hash, found);
    if (receipts.size > MAX_RECEIPTS) receipts.delete(receipts.keys().next().value ?? "");
    return found;
  };
  return {
    request: async ({ method, params: given = [] }) => {
      if (method === "eth_getTransactionCount" && given[1] === "pending")
        return pendingNonce(inner, String(given[0]).toLowerCase());
      const params = given.map((value) => (value === "pending" ? "latest" : value));
      switch (method) {
        case "eth_maxPriorityFeePerGas":
          return quantity(PRIORITY_FEE);
        case "eth_estimateGas":
          return estimate(inner, params);
        case "eth_getTransactionReceipt":
          return receipt(String(params[0]));
        default:
          return inner.request({ method, params });
      }
    },
  };
}

/** The first nonce that is neither in the chain nor in the pool. */
async function pendingNonce(inner: Provider, address: string): Promise<string> {
  const mined = await inner.request({ method: "eth_getTransactionCount", params: [address, "latest"] });
  const pool = (await inner.request({ method: "txpool_content" })) as {
    pending: Record<string, Record<string, unknown>>;
  };
  const waiting = Object.entries(pool.pending).find(([sender]) => sender.toLowerCase() === address)?.[1] ?? {};
  const nonces = new Set(Object.keys(waiting).map(BigInt));
  let next = BigInt(mined);
  while (nonces.has(next)) next++;
  return quantity(next);
}

/** @throws what the call itself reverts with: the client's estimate would hide it */
async function estimate(inner: Provider, params: readonly unknown[]): Promise<string> {
  const given = params[0] as { readonly from?: string; readonly to?: string | null } & Record<string, unknown>;
  // prices don't matter here, and the client takes a transaction without a type for one that pays nothing
  const call = Object.fromEntries(
    ["from", "to", "gas", "value", "data", "input"]
      .filter((name) => given[name] !== undefined && given[name] !== null)
      .map((name) => [name, given[name]]),
  );
  if (call["to"] !== undefined) await inner.request({ method: "eth_call", params: [call, "latest"] });
  const spent = BigInt(await inner.request({ method: "eth_estimateGas", params: [call, "latest"] }));
  return quantity((spent * ESTIMATE_PERCENT) / 100n);
}

/** Null as long as the transaction is in no block; the client can fail while the block is being written. */
async function receiptOf(inner: Provider, hash: string): Promise<ReceiptJson | null> {
  for (let attempt = 1; ; attempt++) {
    try {
      return (await inner.request({ method: "eth_getTransactionReceipt", params: [hash] })) as ReceiptJson | null;
    } catch (error) {
      if (attempt === RECEIPT_ATTEMPTS) throw error;
      await sleep(RECEIPT_RETRY_MS);
    }
  }
}

/** The client's receipts say the priority fee where they should say what a unit of gas cost (EIP-1559). */
async function repriced(inner: Provider, receipt: ReceiptJson | null): Promise<ReceiptJson | null> {
  if (receipt === null) return null;
  const [transaction, block] = (await Promise.all([
    inner.request({ method: "eth_getTransactionByHash", params: [receipt.transactionHash] }),
    inner.request({ method: "eth_getBlockByNumber", params: [receipt.blockNumber, false] }),
  ])) as [{ maxFeePerGas?: string; maxPriorityFeePerGas?: string }, { baseFeePerGas: string }];
  if (transaction.maxFeePerGas === undefined || transaction.maxPriorityFeePerGas === undefined) return receipt;
  const wished = BigInt(block.baseFeePerGas) + BigInt(transaction.maxPriorityFeePerGas);
  const limit = BigInt(transaction.maxFeePerGas);
  return { ...receipt, effectiveGasPrice: quantity(wished < limit ? wished : limit) };
}

function quantity(value: bigint): string {
  return `0x${value.toString(16)}`;
}
