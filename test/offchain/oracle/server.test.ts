import { once } from "node:events";
import type { Server } from "node:http";
import { connect } from "node:net";
import { expect } from "chai";
import { Wallet } from "ethers";
import { buildReport } from "../../../offchain/oracle/buildReport.ts";
import { makeExchange } from "../../../offchain/oracle/exchange.ts";
import { makeMetrics } from "../../../offchain/oracle/metrics.ts";
import { makePeer } from "../../../offchain/oracle/peers.ts";
import { makeRateLimit } from "../../../offchain/oracle/rateLimit.ts";
import { serveSignatures } from "../../../offchain/oracle/server.ts";
import { SignatureBook } from "../../../offchain/oracle/signatureBook.ts";
import type { Rules, Verdict } from "../../../offchain/oracle/signatureBook.ts";
import { encodeSigned } from "../../../offchain/oracle/wire.ts";
import type { SignedReport } from "../../../offchain/oracle/wire.ts";
import { REPORT_TYPES, reportDomain } from "../../../offchain/protocol/report.ts";
import type { Report } from "../../../offchain/protocol/report.ts";
import { gwei } from "../../../offchain/protocol/units.ts";
import { manualClock } from "../../../offchain/util/clock.ts";
import { closeServer, portOf } from "../../../offchain/util/health.ts";
import type { Hex } from "../../../offchain/util/hex.ts";
import { silentLog } from "../../../offchain/util/log.ts";
import { scene, validator } from "./states.ts";

const ORACLE = `0x${"0c".repeat(20)}`;
const members = [1, 2, 3].map((i) => new Wallet(`0x${String(i).repeat(64)}`));
const stranger = new Wallet(`0x${"07".repeat(32)}`);
const { report } = buildReport(scene({ validators: [validator(0)] }), {
  prevReportHash: `0x${"33".repeat(32)}`,
  committeeVersion: 2n,
});
const RULES: Rules = {
  chainId: 1n,
  oracle: ORACLE,
  members: new Set(members.map(({ address }) => address.toLowerCase())),
  committeeVersion: 2n,
  lastRefSlot: report.refSlot - 7_200n,
  nextRefSlot: report.refSlot,
  oldestRefSlot: report.refSlot,
  slotsPerFrame: 7_200n,
};

async function sign(wallet: Wallet | undefined, what: Report = report): Promise<SignedReport> {
  if (wallet === undefined) throw new Error("no wallet");
  const signature = await wallet.signTypedData(reportDomain(1n, ORACLE), REPORT_TYPES, { ...what });
  return { report: what, signature: signature as Hex };
}

describe("the door to a member", () => {
  const clock = manualClock(1_000);
  let book: SignatureBook;
  let server: Server;
  let url: string;
  let verdicts: Verdict[];

  beforeEach(async () => {
    book = new SignatureBook();
    book.setRules(RULES);
    verdicts = [];
    const limit = { perSecond: 1, burst: 20, addresses: 10 };
    const onSigned = (verdict: Verdict) => verdicts.push(verdict);
    server = await serveSignatures({ book, own: () => [], clock, limit, onSigned }, "127.0.0.1", 0);
    url = `http://127.0.0.1:${portOf(server)}`;
  });

  afterEach(async () => closeServer(server));

  const post = async (body: unknown): Promise<{ status: number; text: string }> => {
    const response = await fetch(`${url}/v1/signatures`, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return { status: response.status, text: await response.text() };
  };

  it("takes a member's signature, once, and gives it to whoever asks", async () => {
    const signed = await sign(members[0]);
    expect((await post(encodeSigned(signed))).status).to.equal(202);
    expect((await post(encodeSigned(signed))).status).to.equal(200);
    const { signatures, reachable } = await makePeer(url).fetch(report.refSlot);
    expect(reachable).to.equal(true);
    expect(signatures).to.deep.equal([signed]);
    expect((await makePeer(url).fetch(report.refSlot + 7_200n)).signatures).to.deep.equal([]);
  });

  it("refuses a stranger's, and one over another chain or contract: the signature is the authentication", async () => {
    expect((await post(encodeSigned(await sign(stranger)))).status).to.equal(403);
    const [member] = members;
    for (const domain of [reportDomain(5n, ORACLE), reportDomain(1n, stranger.address)]) {
      const signature = await member?.signTypedData(domain, REPORT_TYPES, { ...report });
      expect((await post(encodeSigned({ report, signature: signature as Hex }))).status).to.equal(403);
    }
    const forged = await sign(member);
    const changed = { ...forged, report: { ...report, clBalanceGwei: gwei(1n) } };
    expect((await post(encodeSigned(changed))).status).to.equal(403);
    expect(book.at(report.refSlot)).to.deep.equal([]);
  });

  it("refuses the other s of a member's signature, which the contract would refuse", async () => {
    const { signature } = await sign(members[0]);
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const s = (order - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, "0");
    const v = signature.endsWith("1b") ? "1c" : "1b";
    const flipped = `${signature.slice(0, 66)}${s}${v}` as Hex;
    expect((await post(encodeSigned({ report, signature: flipped }))).status).to.equal(403);
  });

  it("takes only slots on the grid that are due, and only the committee of now", async () => {
    for (const refSlot of [RULES.lastRefSlot, report.refSlot + 7_200n, report.refSlot - 1n]) {
      const { status, text } = await post(encodeSigned(await sign(members[0], { ...report, refSlot })));
      expect([status, text]).to.deep.equal([409, '{"verdict":"wrong slot"}']);
    }
    const old = await sign(members[0], { ...report, committeeVersion: 1n });
    expect((await post(encodeSigned(old))).text).to.equal('{"verdict":"wrong version"}');
  });

  it("keeps two reports of a signer for one slot, as evidence, and no third", async () => {
    for (const clBalanceGwei of [1n, 2n, 3n])
      await post(encodeSigned(await sign(members[0], { ...report, clBalanceGwei: gwei(clBalanceGwei) })));
    expect(verdicts).to.deep.equal(["added", "equivocation", "full"]);
    expect(book.at(report.refSlot)).to.have.length(2);
  });

  it("says what is malformed", async () => {
    const good = encodeSigned(await sign(members[0])) as { report: Record<string, unknown>; signature: string };
    const cases: [unknown, string][] = [
      ["{", "not JSON"],
      [{}, "report: Required"],
      [{ ...good, report: { ...good.report, refSlot: 1 } }, "report.refSlot"],
      [{ ...good, report: { ...good.report, clBalanceGwei: "1.5" } }, "report.clBalanceGwei: a decimal number"],
      [{ ...good, report: { ...good.report, clBalanceGwei: (2n ** 64n).toString() } }, "a number of 64 bits"],
      [{ ...good, report: { ...good.report, more: true } }, "Unrecognized key"],
      [{ ...good, signature: "0x12" }, "signature: 65 bytes"],
    ];
    for (const [body, message] of cases) {
      const { status, text } = await post(body);
      expect(status).to.equal(400);
      expect(text).to.include(message);
    }
    expect((await fetch(`${url}/v1/signatures`)).status).to.equal(405);
    expect((await fetch(`${url}/v1/signatures/1`, { method: "DELETE" })).status).to.equal(405);
    expect((await fetch(`${url}/v1/other`)).status).to.equal(404);
  });

  it("reads at most four kilobytes, announced or not", async () => {
    expect((await post("x".repeat(5_000))).status).to.equal(413);
    const socket = connect(portOf(server), "127.0.0.1");
    socket.write("POST /v1/signatures HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
    for (let i = 0; i < 5; i++) socket.write(`400\r\n${"x".repeat(1_024)}\r\n`);
    const [data] = (await once(socket, "data")) as [Buffer];
    expect(data.toString()).to.match(/^HTTP\/1.1 413/);
    socket.destroy();
  });

  it("answers 429 to an address that asks too often, until time has passed", async () => {
    const ask = async () => (await fetch(`${url}/v1/signatures/1`)).status;
    for (let i = 0; i < 20; i++) expect(await ask()).to.equal(200);
    expect(await ask()).to.equal(429);
    await clock.advance(2);
    expect([await ask(), await ask(), await ask()]).to.deep.equal([200, 200, 429]);
  });

  it("takes nothing before the contract was read", async () => {
    const early = await serveSignatures({ book: new SignatureBook(), own: () => [], clock }, "127.0.0.1", 0);
    const body = JSON.stringify(encodeSigned(await sign(members[0])));
    const response = await fetch(`http://127.0.0.1:${portOf(early)}/v1/signatures`, { method: "POST", body });
    expect(response.status).to.equal(503);
    await closeServer(early);
  });

  it("is asked through an exchange that sends a report to each peer once, and survives peers that are down", async () => {
    const metrics = makeMetrics();
    const gone = makePeer("http://127.0.0.1:9");
    const mine = new SignatureBook();
    mine.setRules(RULES);
    const exchange = makeExchange([makePeer(url), gone], mine, silentLog, metrics);
    const signed = await sign(members[1]);
    for (let i = 0; i < 3; i++) await exchange.send(signed);
    expect(verdicts).to.deep.equal(["added"]);
    book.add(await sign(members[2]));
    await exchange.fetch(report.refSlot);
    expect(mine.at(report.refSlot)).to.have.length(2);
    const up = (await metrics.peerUp.get()).values.map(({ labels, value }) => [labels["peer"], value]);
    expect(up).to.have.deep.members([
      [new URL(url).host, 1],
      ["127.0.0.1:9", 0],
    ]);
  });
});

describe("the book of signatures", () => {
  it("sorts one report's signatures by signer, as the contract wants them", async () => {
    const book = new SignatureBook();
    book.setRules(RULES);
    for (const wallet of [...members].reverse()) book.add(await sign(wallet));
    const signers = book.signaturesOf(report).map(({ signer }) => BigInt(signer));
    expect(signers).to.deep.equal([...signers].sort((a, b) => (a < b ? -1 : 1)));
    expect(signers).to.have.length(3);
  });

  it("forgets older slots, those who left, and what was signed for the committee before", async () => {
    const book = new SignatureBook();
    book.setRules(RULES);
    for (const wallet of members) book.add(await sign(wallet));
    const [left] = RULES.members;
    book.setRules({ ...RULES, members: new Set([...RULES.members].filter((member) => member !== left)) });
    expect(book.at(report.refSlot)).to.have.length(2);
    book.setRules({ ...RULES, committeeVersion: 3n });
    expect(book.at(report.refSlot)).to.have.length(0);
    book.setRules(RULES);
    for (const wallet of members) book.add(await sign(wallet));
    book.setRules({ ...RULES, lastRefSlot: report.refSlot });
    expect(book.at(report.refSlot)).to.have.length(3);
    book.setRules({ ...RULES, lastRefSlot: report.refSlot + 7_200n });
    expect(book.at(report.refSlot)).to.have.length(0);
  });
});

describe("the rate limit", () => {
  it("remembers a bounded number of addresses: the longest unseen makes room", () => {
    const mayAsk = makeRateLimit(manualClock(0), { perSecond: 1, burst: 1, addresses: 2 });
    expect([mayAsk("a"), mayAsk("b"), mayAsk("a"), mayAsk("b")]).to.deep.equal([true, true, false, false]);
    expect(mayAsk("c")).to.equal(true);
    expect([mayAsk("b"), mayAsk("c")]).to.deep.equal([false, false]);
    expect(mayAsk("a")).to.equal(true);
  });
});
