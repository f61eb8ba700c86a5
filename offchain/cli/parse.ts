/** Arguments that several commands have. */
import { AppError, EXIT } from "../util/errors.ts";
import type { Hex } from "../util/hex.ts";
import { whole } from "./session.ts";

/** @throws AppError (usage) */
export function operatorId(text: string): bigint {
  return BigInt(whole("id", text));
}

/** In lower case. @throws AppError (usage) */
export function publicKey(text: string): Hex {
  if (!/^0x[0-9a-f]{96}$/i.test(text)) throw new AppError(EXIT.usage, "a public key is 0x and 96 hexadecimal digits");
  return text.toLowerCase() as Hex;
}
