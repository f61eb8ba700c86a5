/**
 * What this member has signed, on disk before it is sent: the contract removes a member that signed two reports for one reference slot (and one
 * version of the committee), and neither a crash nor a restart may lead there.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Signer } from "ethers";
import { z } from "zod";
import { REPORT_TYPES, reportDomain, reportHash } from "../protocol/report.ts";
import type { Report } from "../protocol/report.ts";
import { AppError, EXIT, messageOf } from "../util/errors.ts";
import type { Hex } from "../util/hex.ts";
import { releaseLock, takeLock } from "../util/lock.ts";
import { encodeSigned, signedReportSchema, signerOf } from "./wire.ts";
import type { SignedReport } from "./wire.ts";

/** More than are signed while a report is valid: each of them may still be approved. */
const KEPT = 500;
const journalSchema = z.object({
  chainId: z.string(),
  oracle: z.string(),
  member: z.string(),
  /** Nothing at or before it may be signed: its entries were dropped. */
  floor: z.number().int(),
  signed: z.array(signedReportSchema),
});

export interface Identity {
  readonly chainId: bigint;
  readonly oracle: string;
  readonly member: string;
}

export class Journal {
  readonly identity: Identity;
  readonly file: string;
  readonly #lock: string;
  #floor = 0;
  #signed: readonly SignedReport[] = [];

  /**
   * One process at a time: the lock names it.
   * @throws AppError: refused if another process holds it or the content is not this member's, usage if the folder can't be written
   */
  constructor(folder: string, identity: Identity) {
    const name = `signatures-${identity.chainId}-${identity.oracle}-${identity.member}`.toLowerCase();
    this.identity = identity;
    this.file = join(folder, `${name}.json`);
    this.#lock = join(folder, `${name}.lock`);
    try {
      mkdirSync(folder, { recursive: true });
      takeLock(this.#lock, "signs with this journal");
    } catch (error) {
      if (error instanceof AppError) throw error;
      throw new AppError(EXIT.usage, `ESTUARY_DATA_DIR: can't write ${folder} (${messageOf(error)})`);
    }
    try {
      this.#read();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Newest last. */
  get signed(): readonly SignedReport[] {
    return this.#signed;
  }

  find(refSlot: bigint, committeeVersion: bigint): SignedReport | undefined {
    return this.#signed.find(
      ({ report }) => report.refSlot === refSlot && report.committeeVersion === committeeVersion,
    );
  }

  /**
   * Signs, unless a report for that slot is signed already: that signature is returned if the report is the same.
   * When it returns, the signature is on disk.
   * @throws AppError: refused if another report was signed, unavailable if the signer does not answer
   */
  async sign(report: Report, signer: Pick<Signer, "signTypedData">): Promise<SignedReport> {
    const known = this.#known(report);
    if (known !== undefined) return known;
    const { chainId, oracle, member } = this.identity;
    const signature = await askSigner(signer, report, chainId, oracle);
    const signed = { report, signature };
    if (signerOf(signed, chainId, oracle) !== member.toLowerCase())
      throw new AppError(EXIT.refused, "the signer's signature is not this member's");
    // another call may have got here while the signer was thinking
    const meanwhile = this.#known(report);
    if (meanwhile !== undefined) return meanwhile;
    this.#write([...this.#signed, signed]);
    return signed;
  }

  close(): void {
    releaseLock(this.#lock);
  }

  #known(report: Report): SignedReport | undefined {
    const known = this.find(report.refSlot, report.committeeVersion);
    if (known === undefined) {
      if (report.refSlot > BigInt(this.#floor)) return undefined;
      throw new AppError(EXIT.refused, `the journal no longer knows what was signed for slot ${report.refSlot}`);
    }
    if (reportHash(known.report) === reportHash(report)) return known;
    throw new AppError(EXIT.refused, `another report was signed for slot ${report.refSlot}: this one is not`);
  }

  #read(): void {
    if (!existsSync(this.file)) return;
    let content: z.infer<typeof journalSchema>;
    try {
      content = journalSchema.parse(JSON.parse(readFileSync(this.file, "utf8")));
    } catch {
      throw this.#damaged();
    }
    const { chainId, oracle, member } = this.identity;
    const isOurs =
      content.chainId === String(chainId) && sameText(content.oracle, oracle) && sameText(content.member, member);
    if (!isOurs) throw new AppError(EXIT.refused, `${this.file} is the journal of another member, oracle or chain`);
    for (const [i, signed] of content.signed.entries())
      if (content.signed.slice(0, i).some((other) => isSameSlot(other, signed))) throw this.#damaged();
    // a signature that is nobody's means that some of the rest may be lost too
    if (content.signed.some((signed) => !sameText(signerOf(signed, chainId, oracle) ?? "", member)))
      throw this.#damaged();
    this.#floor = content.floor;
    this.#signed = content.signed;
  }

  /** An empty journal in its place could lead to a second signature. */
  #damaged(): AppError {
    return new AppError(EXIT.refused, `${this.file} is damaged: restore it, or wait a frame and remove it`);
  }

  #write(signed: readonly SignedReport[]): void {
    const dropped = signed.slice(0, Math.max(0, signed.length - KEPT));
    const floor = dropped.reduce((highest, { report }) => Math.max(highest, Number(report.refSlot)), this.#floor);
    const kept = signed.slice(dropped.length);
    const { chainId, oracle, member } = this.identity;
    const content = { chainId: String(chainId), oracle, member, floor, signed: kept.map(encodeSigned) };
    writeDurably(this.file, `${JSON.stringify(content, null, 1)}\n`);
    [this.#floor, this.#signed] = [floor, kept];
  }
}

async function askSigner(
  signer: Pick<Signer, "signTypedData">,
  report: Report,
  chainId: bigint,
  oracle: string,
): Promise<Hex> {
  try {
    return (await signer.signTypedData(reportDomain(chainId, oracle), REPORT_TYPES, { ...report })) as Hex;
  } catch (error) {
    throw new AppError(EXIT.unavailable, `the signer does not sign: ${messageOf(error)}`);
  }
}

/** Either the old content or the new is there after a crash, and the new once this returns. */
function writeDurably(file: string, text: string): void {
  const draft = `${file}.new`;
  const descriptor = openSync(draft, "w", 0o600);
  try {
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(draft, file);
  const folder = openSync(dirname(file), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function isSameSlot({ report: a }: SignedReport, { report: b }: SignedReport): boolean {
  return a.refSlot === b.refSlot && a.committeeVersion === b.committeeVersion;
}

function sameText(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
