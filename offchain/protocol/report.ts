/** The committee's report as typed data, EIP-712 (docs/math.md, The report's hash). */
import { TypedDataEncoder } from "ethers";
import type { TypedDataDomain, TypedDataField } from "ethers";
import { DAY } from "./units.ts";
import type { Gwei, Wei } from "./units.ts";

/**
 * Seconds that a signed report may be submitted, from its reference time. The same for every member, so no setting. Longer than any vote about a fall:
 * a report is applied once at most, as the next names it as its predecessor.
 */
export const REPORT_VALIDITY = 400n * DAY;

/** IReportOracle.Report. */
export interface Report {
  readonly refSlot: bigint;
  /** 32 bytes, hexadecimal. */
  readonly blockRoot: string;
  /** All keys funded as of the reference block. */
  readonly clBalanceGwei: Gwei;
  /** The balances among them that are on their way out (leaving.ts). */
  readonly leavingGwei: Gwei;
  readonly withdrawalVaultBalance: Wei;
  readonly rewardsVaultBalance: Wei;
  readonly incident: boolean;
  /** 32 bytes, hexadecimal. */
  readonly prevReportHash: string;
  readonly committeeVersion: bigint;
  /** Unix seconds. */
  readonly validUntil: bigint;
}

export const REPORT_TYPES: Record<string, TypedDataField[]> = {
  Report: [
    { name: "refSlot", type: "uint64" },
    { name: "blockRoot", type: "bytes32" },
    { name: "clBalanceGwei", type: "uint64" },
    { name: "leavingGwei", type: "uint64" },
    { name: "withdrawalVaultBalance", type: "uint128" },
    { name: "rewardsVaultBalance", type: "uint128" },
    { name: "incident", type: "bool" },
    { name: "prevReportHash", type: "bytes32" },
    { name: "committeeVersion", type: "uint32" },
    { name: "validUntil", type: "uint64" },
  ],
};

/** The domain that members sign in: one chain, one oracle. */
export function reportDomain(chainId: bigint, oracle: string): TypedDataDomain {
  return { name: "Estuary ReportOracle", version: "1", chainId, verifyingContract: oracle };
}

/** hashStruct(report): the hash that the next report names as its predecessor. */
export function reportHash(report: Report): string {
  return TypedDataEncoder.hashStruct("Report", REPORT_TYPES, { ...report });
}

/** What a member signs: keccak256(0x1901 ++ domain separator ++ hashStruct(report)). */
export function reportDigest(report: Report, chainId: bigint, oracle: string): string {
  return TypedDataEncoder.hash(reportDomain(chainId, oracle), REPORT_TYPES, { ...report });
}
