/**
 * Fields of the Beacon API's JSON: decimal numbers in strings, bytes in hexadecimal. Proxies and older clients write numbers and booleans as
 * JSON has them, or in strings: both are read, as long as nothing of their value is lost.
 */
import { z } from "zod";
import type { Hex } from "../util/hex.ts";

/** An epoch that is not set, 2^64 - 1, as a double holds it. */
const FAR_FUTURE_ROUNDED = 2 ** 64;

const decimal = z.union([
  z.string().regex(/^\d{1,20}$/),
  z
    .number()
    .refine((value) => (Number.isSafeInteger(value) && value >= 0) || value === FAR_FUTURE_ROUNDED, "a whole number")
    .transform((value) => (value === FAR_FUTURE_ROUNDED ? String(2n ** 64n - 1n) : String(value))),
]);

/** For slots, epochs and indices. */
export const numberField = decimal.transform(Number).refine(Number.isSafeInteger, "a number below 2^53");
export const bigintField = decimal.transform(BigInt);
/** Lower case. */
export const hexField = z
  .string()
  .regex(/^0[xX]([0-9a-fA-F]{2})*$/)
  .transform((text) => text.toLowerCase() as Hex);
export const booleanField = z
  .union([z.boolean(), z.enum(["true", "false"])])
  .transform((value) => value === true || value === "true");
