/** From what both layers held at the reference slot to the committee's report. Pure: members with different nodes agree on every bit. */
import type { StateView } from "../beacon/types.ts";
import { SLOTS_PER_EPOCH, slotTime } from "../protocol/frames.ts";
import { isLeaving } from "../protocol/leaving.ts";
import { REPORT_VALIDITY } from "../protocol/report.ts";
import type { Report } from "../protocol/report.ts";
import { gwei } from "../protocol/units.ts";
import type { Wei } from "../protocol/units.ts";
import type { Hex } from "../util/hex.ts";
import { findIncident } from "./incident.ts";
import type { Finding, OwnValidator } from "./incident.ts";

/** Both layers in the post-state of the last block at or before the reference slot. */
export interface Snapshot {
  readonly refSlot: bigint;
  readonly state: StateView;
  /** Funded by the registry up to that execution block: whatever else names our vault is not ours to count. */
  readonly funded: readonly { readonly pubkey: Hex; readonly operatorId: bigint }[];
  /** 0x01 ++ 11 zero bytes ++ the withdrawal vault. */
  readonly withdrawalCredentials: Hex;
  readonly withdrawalVaultBalance: Wei;
  readonly rewardsVaultBalance: Wei;
  /** Of the operators that have slashed validators. */
  readonly bonds: ReadonlyMap<bigint, Wei>;
  readonly slotsPerFrame: bigint;
  /** Unix seconds. */
  readonly genesisTime: bigint;
}

/** What the contract says now. */
export interface Link {
  readonly prevReportHash: string;
  readonly committeeVersion: bigint;
}

export interface BuiltReport {
  readonly report: Report;
  readonly finding: Finding;
  /** Validators that were counted. */
  readonly counted: number;
  /** Funded keys whose credentials name somebody else: proven once, so this never happens; not counted if it does. */
  readonly foreign: readonly Hex[];
}

/** @throws RangeError if the state lacks a funded key: every one was in the registry when it was proven */
export function buildReport(snapshot: Snapshot, link: Link): BuiltReport {
  const { state, refSlot } = snapshot;
  const own: OwnValidator[] = [];
  const foreign: Hex[] = [];
  const seen = new Set<Hex>();
  let clBalance = 0n;
  let leaving = 0n;
  for (const { pubkey, operatorId } of snapshot.funded) {
    if (seen.has(pubkey)) throw new RangeError(`${pubkey} is funded twice`);
    seen.add(pubkey);
    const info = state.validators.get(pubkey);
    if (info === undefined) throw new RangeError(`the state of slot ${state.block.slot} has no validator ${pubkey}`);
    if (!areOurs(info.withdrawalCredentials, snapshot.withdrawalCredentials)) {
      foreign.push(pubkey);
      continue;
    }
    own.push({ operatorId, info });
    clBalance += info.balanceGwei;
    if (isLeaving(info, refSlot / SLOTS_PER_EPOCH)) leaving += info.balanceGwei;
    for (const onTheirWay of [state.pendingDepositsGwei, state.owedWithdrawalsGwei])
      clBalance += onTheirWay.get(pubkey) ?? 0n;
  }
  const finding = findIncident(state, own, snapshot.bonds, snapshot.slotsPerFrame);
  const report: Report = {
    refSlot,
    blockRoot: state.block.root,
    clBalanceGwei: gwei(clBalance),
    leavingGwei: gwei(leaving),
    withdrawalVaultBalance: snapshot.withdrawalVaultBalance,
    rewardsVaultBalance: snapshot.rewardsVaultBalance,
    incident: finding.incident,
    prevReportHash: link.prevReportHash,
    committeeVersion: link.committeeVersion,
    validUntil: slotTime(refSlot, snapshot.genesisTime) + REPORT_VALIDITY,
  };
  return { report, finding, counted: own.length, foreign };
}

/** The prefix is not looked at: 0x02 (EIP-7251) pays to the same address. */
function areOurs(credentials: Hex, protocol: Hex): boolean {
  return /^0x0[12]/.test(credentials) && credentials.slice(4).toLowerCase() === protocol.slice(4).toLowerCase();
}

/** The names of the fields in which two reports differ. */
export function differences(a: Report, b: Report): (keyof Report)[] {
  const text = (value: unknown): string => String(value).toLowerCase();
  return (Object.keys(a) as (keyof Report)[]).filter((name) => text(a[name]) !== text(b[name]));
}
