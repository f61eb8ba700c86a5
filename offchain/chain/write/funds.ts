/** What a transaction may use and cost, and whether the account has it. */
import { formatEther, toQuantity } from "ethers";
import type { JsonRpcApiProvider, Provider } from "ethers";
import { ChainError } from "../errors.ts";

/** Units of gas that a transaction may use, of what it is expected to: a fifth more. */
export function gasLimitFor(gas: bigint): bigint {
  return (gas * 6n) / 5n;
}

/**
 * @param balance wei, like the others @param fee at most; undefined where it is not known
 * @throws ChainError (insufficient-funds) with what the account has and needs
 */
export function expectFunds(balance: bigint, value: bigint, fee: bigint | undefined): void {
  if (balance >= value + (fee ?? 0n)) return;
  const needs =
    fee === undefined
      ? `${formatted(value)} ETH and the fee`
      : `${formatted(value + fee)} ETH (${value === 0n ? "" : `value ${formatted(value)}, `}fee up to ${formatted(fee)})`;
  throw new ChainError("insufficient-funds", `the account has ${formatted(balance)} ETH, this needs ${needs}`);
}

/**
 * Of a transaction whose value the account lacks: nodes refuse to estimate that, unless they are told to think otherwise. Undefined where a node
 * can't, or where it would fail all the same.
 */
export async function gasDespiteBalance(
  provider: Provider,
  { from, to, data, value }: { from: string; to: string; data: string; value: bigint },
): Promise<bigint | undefined> {
  const { send } = provider as Partial<JsonRpcApiProvider>;
  const call = { from, to, data, value: toQuantity(value) };
  const rich = { [from]: { balance: toQuantity(value + 10n ** 24n) } };
  try {
    const answer: unknown = await send?.call(provider, "eth_estimateGas", [call, "latest", rich]);
    return answer === undefined ? undefined : BigInt(answer as string);
  } catch {
    return undefined;
  }
}

function formatted(wei: bigint): string {
  return formatEther(wei).replace(/\.0$/, "");
}
