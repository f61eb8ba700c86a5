import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Wallet } from "ethers";
import { buildReport } from "../../../offchain/oracle/buildReport.ts";
import { Journal } from "../../../offchain/oracle/journal.ts";
import { signerOf } from "../../../offchain/oracle/wire.ts";
import type { Report } from "../../../offchain/protocol/report.ts";
import { gwei } from "../../../offchain/protocol/units.ts";
import { AppError, EXIT } from "../../../offchain/util/errors.ts";
import { scene, validator } from "./states.ts";

const ORACLE = `0x${"0c".repeat(20)}`;
const wallet = new Wallet(`0x${"05".repeat(32)}`);
const identity = { chainId: 1n, oracle: ORACLE, member: wallet.address };
const { report } = buildReport(scene({ validators: [validator(0)] }), {
  prevReportHash: `0x${"33".repeat(32)}`,
  committeeVersion: 1n,
});
const other: Report = { ...report, clBalanceGwei: gwei(report.clBalanceGwei + 1n) };

async function refusal(promise: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof promise === "function" ? promise() : promise);
  } catch (error) {
    expect(error).to.be.instanceOf(AppError);
    expect((error as AppError).exitCode).to.equal(EXIT.refused);
    return (error as AppError).message;
  }
  throw new Error("it was not refused");
}

describe("the journal of signatures", () => {
  let folder: string;
  let journal: Journal;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "estuary-journal-"));
    journal = new Journal(folder, identity);
  });

  afterEach(() => {
    journal.close();
    rmSync(folder, { recursive: true });
  });

  it("signs one report for a slot, and gives the same signature again", async () => {
    const signed = await journal.sign(report, wallet);
    expect(signerOf(signed, 1n, ORACLE)).to.equal(wallet.address.toLowerCase());
    expect(await journal.sign({ ...report }, wallet)).to.deep.equal(signed);
    expect(journal.signed).to.have.length(1);
  });

  it("never signs another report for that slot, in this run or the next", async () => {
    await journal.sign(report, wallet);
    expect(await refusal(journal.sign(other, wallet))).to.include("another report was signed");
    journal.close();
    journal = new Journal(folder, identity);
    expect(await refusal(journal.sign(other, wallet))).to.include("another report was signed");
    expect((await journal.sign(report, wallet)).report).to.deep.equal(report);
  });

  it("has the signature on disk before anybody gets it", async () => {
    const { signature } = await journal.sign(report, wallet);
    expect(readFileSync(journal.file, "utf8")).to.include(signature);
    expect(readdirSync(folder).filter((name) => name.endsWith(".new"))).to.deep.equal([]);
  });

  it("gives nothing away when the disk fails: what can't be written is not signed", async () => {
    rmSync(folder, { recursive: true });
    const failure = await journal.sign(report, wallet).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect((failure as NodeJS.ErrnoException).code).to.equal("ENOENT");
    expect(journal.signed).to.have.length(0);
    journal = new Journal(folder, identity);
  });

  it("signs two requests of one moment once", async () => {
    const slow = {
      signTypedData: async (...args: Parameters<Wallet["signTypedData"]>) => {
        await new Promise((resolve) => setImmediate(resolve));
        return wallet.signTypedData(...args);
      },
    };
    const [first, second] = await Promise.allSettled([journal.sign(report, slow), journal.sign(other, slow)]);
    expect([first.status, second.status].sort()).to.deep.equal(["fulfilled", "rejected"]);
    expect(journal.signed).to.have.length(1);
  });

  it("signs again for a changed committee: the contract counts that as another slot", async () => {
    await journal.sign(report, wallet);
    await journal.sign({ ...other, committeeVersion: 2n }, wallet);
    expect(journal.signed).to.have.length(2);
  });

  it("keeps more than are signed while a report is valid, and signs nothing older than what it dropped", async () => {
    const quick = { signTypedData: wallet.signTypedData.bind(wallet) };
    for (let i = 1n; i <= 501n; i++) await journal.sign({ ...report, refSlot: i * 32n + 31n }, quick);
    expect(journal.signed).to.have.length(500);
    const frames = (report.validUntil - 1_000n - report.refSlot * 12n) / 86_400n;
    expect(frames).to.equal(400n);
    expect(journal.signed.length).to.be.greaterThan(Number(frames));
    expect(await refusal(journal.sign({ ...other, refSlot: 63n }, wallet))).to.include("no longer knows");
    expect(await refusal(journal.sign({ ...other, refSlot: 31n }, wallet))).to.include("no longer knows");
  }).timeout(30_000);

  it("belongs to one process", async () => {
    expect(await refusal(() => new Journal(folder, identity))).to.include("another process");
  });

  it("is taken over from a process that died", async () => {
    await journal.sign(report, wallet);
    journal.close();
    const lock = join(folder, readdirSync(folder)[0]?.replace(/json$/, "lock") ?? "");
    // no process has this number: the limit of Linux is 2^22
    writeFileSync(lock, "4194305");
    journal = new Journal(folder, identity);
    expect(journal.signed).to.have.length(1);
  });

  it("refuses to begin from a damaged file or another member's", async () => {
    await journal.sign(report, wallet);
    journal.close();
    const text = readFileSync(journal.file, "utf8");
    writeFileSync(journal.file, text.slice(0, -20));
    expect(await refusal(() => new Journal(folder, identity))).to.include("is damaged");
    writeFileSync(journal.file, text.replace('"chainId": "1"', '"chainId": "2"'));
    expect(await refusal(() => new Journal(folder, identity))).to.include("another member, oracle or chain");
    writeFileSync(journal.file, text);
    journal = new Journal(folder, identity);
  });

  it("names the file that is damaged, whatever damaged it, and signs nothing from it", async () => {
    await journal.sign(report, wallet);
    await journal.sign({ ...report, refSlot: report.refSlot + 7_200n }, wallet);
    journal.close();
    const text = readFileSync(journal.file, "utf8");
    const content = JSON.parse(text) as { signed: { report: { refSlot: string } }[] };
    const [first, second] = content.signed;
    const asSecond = { ...first, report: { ...first?.report, refSlot: second?.report.refSlot } };
    for (const bytes of [
      "",
      "\0".repeat(text.length),
      text.slice(0, text.length / 2),
      text + text,
      "[]",
      "null",
      JSON.stringify({ ...content, signed: [first, first] }),
      JSON.stringify({ ...content, signed: [asSecond] }),
      JSON.stringify({
        ...content,
        signed: content.signed.map((one) => ({ ...one, signature: `0x${"11".repeat(65)}` })),
      }),
      JSON.stringify({ ...content, floor: "none" }),
    ]) {
      writeFileSync(journal.file, bytes);
      const message = await refusal(() => new Journal(folder, identity));
      expect(message).to.include("is damaged").and.include(journal.file);
    }
    writeFileSync(journal.file, text);
    journal = new Journal(folder, identity);
    expect(journal.signed).to.have.length(2);
  });

  it("does not take a signature of somebody else's key", async () => {
    const stranger = new Wallet(`0x${"06".repeat(32)}`);
    expect(await refusal(journal.sign(report, stranger))).to.include("not this member's");
    expect(journal.signed).to.have.length(0);
  });
});
