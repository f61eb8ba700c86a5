import { getAddress, isHexString } from "ethers";

export function shortAddress(address: string): string {
  return `${address.slice(0, 6)}…${address.slice(-4)}`;
}

export type AddressProblem = "empty" | "not-an-address" | "checksum";

/** What a person typed or pasted. An address in one case has no checksum to be wrong. */
export function parseAddress(
  text: string,
):
  | { readonly address: string; readonly problem?: never }
  | { readonly problem: AddressProblem; readonly address?: never } {
  const trimmed = text.trim();
  if (trimmed === "") return { problem: "empty" };
  if (!isHexString(trimmed, 20)) return { problem: "not-an-address" };
  try {
    return { address: getAddress(trimmed) };
  } catch {
    return { problem: "checksum" };
  }
}
