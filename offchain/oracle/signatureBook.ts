/** Signatures that members have sent, in memory: what is here is verified, recent, and bounded. */
import { differences } from "./buildReport.ts";
import { reportHash } from "../protocol/report.ts";
import type { Report } from "../protocol/report.ts";
import type { Hex } from "../util/hex.ts";
import { signerOf } from "./wire.ts";
import type { SignedReport } from "./wire.ts";

/** Of one member and slot: one that is right, and evidence against it. */
const MAX_PER_SIGNER = 2;

/** What a signature is judged by: the contract as last read. */
export interface Rules {
  readonly chainId: bigint;
  readonly oracle: string;
  /** Lower case. */
  readonly members: ReadonlySet<string>;
  readonly committeeVersion: bigint;
  readonly lastRefSlot: bigint;
  /** The newest slot of the grid whose time has come; the last reported one where none may be reported. */
  readonly nextRefSlot: bigint;
  /** The first slot of the grid that may be reported: frames that ended before the last report was executed are part of the next. */
  readonly oldestRefSlot: bigint;
  readonly slotsPerFrame: bigint;
}

export type Verdict = "added" | "known" | "equivocation" | "full" | "wrong slot" | "wrong version" | "not a member";

export interface Entry extends SignedReport {
  readonly signer: Hex;
  readonly hash: string;
}

export class SignatureBook {
  /** Reference slot, then signer. */
  readonly #slots = new Map<bigint, Map<Hex, Entry[]>>();
  #rules: Rules | undefined;

  get rules(): Rules | undefined {
    return this.#rules;
  }

  /** Forgets what the new rules would no longer take; the last accepted slot stays, to compare with. */
  setRules(rules: Rules): void {
    this.#rules = rules;
    for (const [slot, bySigner] of this.#slots) {
      if (slot < rules.lastRefSlot) {
        this.#slots.delete(slot);
        continue;
      }
      if (slot === rules.lastRefSlot) continue;
      for (const [signer, entries] of bySigner) {
        const left = entries.filter(({ report }) => report.committeeVersion === rules.committeeVersion);
        if (rules.members.has(signer) && left.length > 0) bySigner.set(signer, left);
        else bySigner.delete(signer);
      }
    }
  }

  /** Cheap checks first: recovering a signer takes a millisecond. */
  add(signed: SignedReport): { readonly verdict: Verdict; readonly entry?: Entry } {
    const rules = this.#rules;
    const { report } = signed;
    if (rules === undefined || !isDue(report.refSlot, rules)) return { verdict: "wrong slot" };
    if (report.committeeVersion !== rules.committeeVersion) return { verdict: "wrong version" };
    const signer = signerOf(signed, rules.chainId, rules.oracle);
    if (signer === undefined || !rules.members.has(signer)) return { verdict: "not a member" };
    const bySigner = this.#slots.get(report.refSlot) ?? new Map<Hex, Entry[]>();
    const entries = bySigner.get(signer) ?? [];
    const entry: Entry = { ...signed, signer, hash: reportHash(report) };
    if (entries.some(({ hash }) => hash === entry.hash)) return { verdict: "known", entry };
    if (entries.length >= MAX_PER_SIGNER) return { verdict: "full", entry };
    this.#slots.set(report.refSlot, bySigner.set(signer, [...entries, entry]));
    return { verdict: entries.length === 0 ? "added" : "equivocation", entry };
  }

  at(refSlot: bigint): Entry[] {
    return [...(this.#slots.get(refSlot)?.values() ?? [])].flat();
  }

  /** For one report, sorted by signer as the contract wants them. */
  signaturesOf(report: Report): Entry[] {
    const wanted = reportHash(report);
    return this.at(report.refSlot)
      .filter(({ hash }) => hash === wanted)
      .sort((a, b) => (a.signer < b.signer ? -1 : 1));
  }

  /** Of current members, reports of the same slot and version that are not this one. */
  against(report: Report): { readonly entry: Entry; readonly fields: (keyof Report)[] }[] {
    const own = reportHash(report);
    return this.at(report.refSlot)
      .filter(({ hash, report: other }) => hash !== own && other.committeeVersion === report.committeeVersion)
      .map((entry) => ({ entry, fields: differences(report, entry.report) }));
  }
}

function isDue(refSlot: bigint, rules: Rules): boolean {
  const isOpen = refSlot >= rules.oldestRefSlot && refSlot <= rules.nextRefSlot;
  return isOpen && (refSlot - rules.lastRefSlot) % rules.slotsPerFrame === 0n;
}
