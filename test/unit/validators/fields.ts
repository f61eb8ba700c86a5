import type { Result } from "ethers";

/** A struct that a contract returned, by its names; chai compares it field by field. */
export function fields(struct: object): Record<string, unknown> {
  return (struct as Result).toObject();
}
