/** Reports: submitted by anyone who has the committee's signatures. */
import type { Report } from "../../protocol/report.ts";
import type { Hex } from "../../util/hex.ts";
import { argsOf } from "../events.ts";
import { prepare } from "./prepare.ts";
import type { Context, Prepared } from "./prepare.ts";

/** IReportOracle.Signature (EIP-2098): r, and s with the parity of y in its highest bit. */
export interface ReportSignature {
  readonly r: string;
  readonly vs: string;
}

export interface ReportApplied {
  readonly reportHash: Hex;
  /** Basis points by which the rate fell. */
  readonly fallBp: bigint;
  /** Wei; negative for a loss. */
  readonly recognised: bigint;
  readonly fee: bigint;
  /** Wei, to finalised withdrawals. */
  readonly paid: bigint;
}

/** @param signatures sorted by ascending signer */
export async function submitReport(
  context: Context,
  report: Report,
  signatures: readonly ReportSignature[],
): Promise<Prepared<undefined, ReportApplied>> {
  const { oracle } = context.protocol;
  return prepare(context, {
    label: `submit the report of slot ${report.refSlot}`,
    contract: oracle,
    method: oracle.submitReport,
    args: [report, [...signatures]],
    outcome: (events) => {
      const [accepted] = argsOf<{ reportHash: Hex; fallBp: bigint }>(events, "oracle", "ReportAccepted");
      const [applied] = argsOf<{ recognised: bigint; fee: bigint; paid: bigint }>(events, "pool", "ReportApplied");
      return {
        reportHash: accepted?.reportHash ?? "0x",
        fallBp: accepted?.fallBp ?? 0n,
        recognised: applied?.recognised ?? 0n,
        fee: applied?.fee ?? 0n,
        paid: applied?.paid ?? 0n,
      };
    },
  });
}

/**
 * Makes known a report that a quorum signed and that needs more signatures, or governance: deposits, fundings and payments stop until a report is
 * applied. Anyone.
 * @param signatures sorted by ascending signer
 */
export async function announceReport(
  context: Context,
  report: Report,
  signatures: readonly ReportSignature[],
): Promise<Prepared<undefined, { readonly reportHash: Hex }>> {
  const { oracle } = context.protocol;
  return prepare(context, {
    label: `announce the report of slot ${report.refSlot}`,
    contract: oracle,
    method: oracle.announceReport,
    args: [report, [...signatures]],
    outcome: (events) => ({
      reportHash: argsOf<{ reportHash: Hex }>(events, "oracle", "ReportAnnounced")[0]?.reportHash ?? "0x",
    }),
  });
}

/** Removes a member that signed two different reports of one slot. Anyone. */
export async function proveEquivocation(
  context: Context,
  first: { readonly report: Report; readonly signature: ReportSignature },
  second: { readonly report: Report; readonly signature: ReportSignature },
): Promise<Prepared<undefined, { readonly removed: string | undefined }>> {
  const { oracle } = context.protocol;
  return prepare(context, {
    label: `prove that a member signed two reports of slot ${first.report.refSlot}`,
    contract: oracle,
    method: oracle.proveEquivocation,
    args: [first.report, first.signature, second.report, second.signature],
    outcome: (events) => ({ removed: argsOf<{ member: string }>(events, "oracle", "MemberRemoved")[0]?.member }),
  });
}
