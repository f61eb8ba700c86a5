/** Fields of the Beacon API's JSON: decimal numbers in strings, bytes in hexadecimal. */
import { z } from "zod";
import type { Hex } from "../util/hex.ts";

const decimal = z.string().regex(/^\d+$/);

/** For slots, epochs and indices. */
export const numberField = decimal.transform(Number).refine(Number.isSafeInteger, "a number below 2^53");
export const bigintField = decimal.transform(BigInt);
/** Lower case. */
export const hexField = z
  .string()
  .regex(/^0x([0-9a-fA-F]{2})*$/)
  .transform((text) => text.toLowerCase() as Hex);
