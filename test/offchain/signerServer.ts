/** An external signer over HTTP: the wallet's key stays in it. It answers only the methods it is told to have. */
import { createServer } from "node:http";
import type { TransactionLike, TypedDataDomain, TypedDataField, Wallet } from "ethers";
import { closeServer, portOf } from "../../offchain/util/health.ts";

export type SignerMethod =
  | "eth_signTypedData_v4"
  | "account_signTypedData"
  | "eth_signTransaction"
  | "account_signTransaction"
  | "eth_sendTransaction";

export interface SignerServer {
  readonly url: string;
  readonly asked: string[];
  /** What the person at the device does: looks, says no, or changes something. */
  person: "agrees" | "refuses" | { readonly changes: TransactionLike };
  close(): Promise<void>;
}

interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

class RpcError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** @param wallet with a provider, where it sends */
export async function serveSigner(wallet: Wallet, methods: readonly SignerMethod[]): Promise<SignerServer> {
  const answer = async ({ method, params }: Call): Promise<unknown> => {
    signer.asked.push(method);
    if (!methods.some((one) => one === method)) throw new RpcError(-32_601, `the method ${method} does not exist`);
    if (signer.person === "refuses") throw new RpcError(4_001, "User denied it");
    switch (method as SignerMethod) {
      case "eth_signTypedData_v4":
        return signTyped(wallet, JSON.parse(params[1] as string));
      case "account_signTypedData":
        return signTyped(wallet, params[1]);
      case "eth_signTransaction":
        return wallet.signTransaction(asked(params));
      case "account_signTransaction":
        return { raw: await wallet.signTransaction(asked(params)), tx: {} };
      case "eth_sendTransaction":
        return (await wallet.sendTransaction(asked(params))).hash;
    }
  };
  const asked = (params: readonly unknown[]): TransactionLike => {
    const { gas, from: _, ...rest } = params[0] as Record<string, string>;
    const changes = typeof signer.person === "object" ? signer.person.changes : {};
    return { ...rest, gasLimit: gas ?? null, type: 2, ...changes };
  };
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const call = JSON.parse(Buffer.concat(chunks).toString()) as Call;
      const reply = await answer(call).then(
        (result) => ({ result }),
        (error: unknown) => ({ error: { code: (error as RpcError).code, message: (error as RpcError).message } }),
      );
      response.end(JSON.stringify({ jsonrpc: "2.0", id: call.id, ...reply }));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const signer: SignerServer = {
    url: `http://127.0.0.1:${portOf(server)}`,
    asked: [],
    person: "agrees",
    close: () => closeServer(server),
  };
  return signer;
}

async function signTyped(wallet: Wallet, payload: unknown): Promise<string> {
  const { domain, types, message } = payload as {
    domain: TypedDataDomain;
    types: Record<string, TypedDataField[]>;
    message: Record<string, unknown>;
  };
  const { EIP712Domain: _, ...others } = types;
  return wallet.signTypedData(domain, others, message);
}
