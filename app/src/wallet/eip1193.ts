/** What a wallet in the browser speaks (EIP-1193), and the errors that mean something to a person. */

export interface Eip1193 {
  request(args: { readonly method: string; readonly params?: readonly unknown[] | object }): Promise<unknown>;
  on?(event: string, listener: (...args: never[]) => void): unknown;
  removeListener?(event: string, listener: (...args: never[]) => void): unknown;
}

export const REJECTED = 4001;
export const UNAUTHORIZED = 4100;
export const UNKNOWN_CHAIN = 4902;
/** A request of the same kind is open in the wallet. */
export const ALREADY_OPEN = -32_002;

/** Wallets put the code where they like. */
export function codeOf(error: unknown): number | undefined {
  const { code, data, info } = (error ?? {}) as {
    code?: unknown;
    data?: { originalError?: { code?: unknown } };
    info?: { error?: { code?: unknown } };
  };
  for (const found of [data?.originalError?.code, info?.error?.code, code]) if (typeof found === "number") return found;
  return undefined;
}
