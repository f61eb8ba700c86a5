/** A signed report as members send and store it: JSON, numbers as decimal strings. */
import { Signature, recoverAddress } from "ethers";
import { z } from "zod";
import { reportDigest } from "../protocol/report.ts";
import type { Report } from "../protocol/report.ts";
import { gwei, wei } from "../protocol/units.ts";
import type { Hex } from "../util/hex.ts";

/** A signature's s is at most half of secp256k1's order (EIP-2): the contract refuses the other one. */
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

const uint = (bits: bigint) =>
  z
    .string()
    .regex(/^(0|[1-9]\d{0,38})$/, "a decimal number")
    .transform(BigInt)
    .refine((value) => value < 1n << bits, `a number of ${bits} bits`);
const bytes = (count: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${2 * count}}$`), `${count} bytes, hexadecimal`)
    .transform((text) => text.toLowerCase() as Hex);

const reportSchema = z
  .object({
    refSlot: uint(32n),
    blockRoot: bytes(32),
    clBalanceGwei: uint(64n).transform(gwei),
    leavingGwei: uint(64n).transform(gwei),
    withdrawalVaultBalance: uint(128n).transform(wei),
    rewardsVaultBalance: uint(128n).transform(wei),
    incident: z.boolean(),
    prevReportHash: bytes(32),
    committeeVersion: uint(32n),
    validUntil: uint(64n),
  })
  .strict();

export const signedReportSchema = z.object({ report: reportSchema, signature: bytes(65) }).strict();
const signedReportsSchema = z.object({ signatures: z.array(z.unknown()) });
/** Two of each of 64 members, the most that the contract has: a member's door gives no more. */
const MOST_SIGNATURES = 128;

export interface SignedReport {
  readonly report: Report;
  /** 65 bytes: r, s, v. */
  readonly signature: Hex;
}

/**
 * What a peer says about a slot: one bad item spoils none of the others.
 * @throws ZodError where it is no list of signatures at all
 */
export function readSignedReports(
  json: unknown,
  refSlot: bigint,
): { readonly signatures: readonly SignedReport[]; readonly skipped: number } {
  const { signatures: items } = signedReportsSchema.parse(json);
  const signatures: SignedReport[] = [];
  for (const item of items) {
    if (signatures.length === MOST_SIGNATURES) break;
    const parsed = signedReportSchema.safeParse(item);
    if (parsed.success && parsed.data.report.refSlot === refSlot) signatures.push(parsed.data);
  }
  return { signatures, skipped: items.length - signatures.length };
}

/** JSON-ready: what the schemas read. */
export function encodeSigned({ report, signature }: SignedReport): unknown {
  return { report: encodeReport(report), signature };
}

export function encodeReport(report: Report): Record<string, string | boolean> {
  return Object.fromEntries(
    Object.entries(report).map(([name, value]) => [name, typeof value === "bigint" ? value.toString() : value]),
  );
}

/** Who signed: lower case; undefined where the contract would not accept the signature as anybody's. */
export function signerOf({ report, signature }: SignedReport, chainId: bigint, oracle: string): Hex | undefined {
  try {
    const parsed = Signature.from(signature);
    if (BigInt(parsed.s) > HALF_ORDER) return undefined;
    return recoverAddress(reportDigest(report, chainId, oracle), parsed).toLowerCase() as Hex;
  } catch {
    return undefined;
  }
}

/** IReportOracle.Signature (EIP-2098). */
export function compact(signature: Hex): { r: string; vs: string } {
  const { r, yParityAndS } = Signature.from(signature);
  return { r, vs: yParityAndS };
}
