/** Which typed error a call was refused with, decoded from the revert's data: several may be right. */
import type { ErrorDescription, Interface } from "ethers";

interface HasInterface {
  readonly interface: Interface;
}

/** @throws if it was not refused, or not with an error that `contract` knows */
export async function refusalOf(contract: HasInterface, sent: Promise<unknown>): Promise<string> {
  const error = await sent.then(
    () => {
      throw new Error("it was not refused");
    },
    (reason: unknown) => reason,
  );
  return decodedError(error, [contract]).name;
}

/** @throws the error itself, where it has no revert data that one of the contracts knows */
export function decodedError(error: unknown, contracts: readonly HasInterface[]): ErrorDescription {
  const data = dataOf(error);
  for (const contract of contracts) {
    const parsed = data === undefined ? null : contract.interface.parseError(data);
    if (parsed !== null) return parsed;
  }
  throw error;
}

function dataOf(error: unknown): string | undefined {
  for (let at = error; typeof at === "object" && at !== null; at = (at as { cause?: unknown }).cause) {
    const { data } = at as { data?: unknown };
    if (typeof data === "string" && data.length >= 10) return data;
    const inner = (data as { data?: unknown } | undefined)?.data;
    if (typeof inner === "string" && inner.length >= 10) return inner;
  }
  return undefined;
}
