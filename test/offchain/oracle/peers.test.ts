/** What may come out of a peer's socket: whatever it is, the rest is read, and nobody waits long. */
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { Wallet } from "ethers";
import { buildReport } from "../../../offchain/oracle/buildReport.ts";
import { makeExchange } from "../../../offchain/oracle/exchange.ts";
import { makeMetrics } from "../../../offchain/oracle/metrics.ts";
import { makePeer } from "../../../offchain/oracle/peers.ts";
import { SignatureBook } from "../../../offchain/oracle/signatureBook.ts";
import { encodeSigned } from "../../../offchain/oracle/wire.ts";
import type { SignedReport } from "../../../offchain/oracle/wire.ts";
import { REPORT_TYPES, reportDomain } from "../../../offchain/protocol/report.ts";
import { gwei } from "../../../offchain/protocol/units.ts";
import { closeServer, portOf } from "../../../offchain/util/health.ts";
import type { Hex } from "../../../offchain/util/hex.ts";
import { silentLog } from "../../../offchain/util/log.ts";
import { scene, validator } from "./states.ts";

const ORACLE = `0x${"0c".repeat(20)}`;
const member = new Wallet(`0x${"1".repeat(64)}`);
const { report } = buildReport(scene({ validators: [validator(0)] }), {
  prevReportHash: `0x${"33".repeat(32)}`,
  committeeVersion: 2n,
});

describe("a peer's socket", function () {
  this.timeout(30_000);
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let good: SignedReport;
  let url: string;
  const server = createServer((request, response) => answer(request, response));
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${portOf(server)}`;
    const signature = await member.signTypedData(reportDomain(1n, ORACLE), REPORT_TYPES, { ...report });
    good = { report, signature: signature as Hex };
  });
  after(async () => closeServer(server));

  const says = (body: unknown): void => {
    answer = (_, response) => response.end(typeof body === "string" ? body : JSON.stringify(body));
  };

  it("gives its good signatures, and the bad ones beside them are counted", async () => {
    const other = { ...good, report: { ...report, refSlot: report.refSlot + 7_200n } };
    const bad = [
      null,
      1,
      [],
      {},
      { report: {} },
      { ...(encodeSigned(good) as object), signature: "0x12" },
      encodeSigned(other),
    ];
    says({ signatures: [...bad, encodeSigned(good), ...bad], more: true });
    const { signatures, skipped, reachable } = await makePeer(url).fetch(report.refSlot);
    expect(signatures).to.deep.equal([good]);
    expect([skipped, reachable]).to.deep.equal([14, true]);

    const book = new SignatureBook();
    book.setRules({
      chainId: 1n,
      oracle: ORACLE,
      members: new Set([member.address.toLowerCase()]),
      committeeVersion: 2n,
      lastRefSlot: report.refSlot - 7_200n,
      nextRefSlot: report.refSlot,
      oldestRefSlot: report.refSlot,
      slotsPerFrame: 7_200n,
    });
    const metrics = makeMetrics();
    await makeExchange([makePeer(url)], book, silentLog, metrics).fetch(report.refSlot);
    expect(book.at(report.refSlot)).to.have.length(1);
    expect((await metrics.skipped.get()).values).to.deep.include({ value: 14, labels: { peer: url.slice(7) } });
  });

  it("gives no more than all members could have signed twice", async () => {
    const many = Array.from({ length: 600 }, (_, i) =>
      encodeSigned({ ...good, report: { ...report, clBalanceGwei: gwei(BigInt(i)) } }),
    );
    says({ signatures: many });
    const { signatures, skipped } = await makePeer(url).fetch(report.refSlot);
    expect([signatures.length, skipped]).to.deep.equal([128, 472]);
  });

  for (const [title, body] of [
    ["no JSON", "<html>"],
    ["nothing", ""],
    ["another shape", { signatures: {} }],
    ["null", "null"],
    ["lists within lists", "[".repeat(200_000)],
    ["lists within lists, well formed", `{"signatures":[${"[".repeat(100_000)}${"]".repeat(100_000)}]}`],
    ["more than half a megabyte", `{"signatures":[],"more":"${"x".repeat(600_000)}"}`],
  ] as const)
    it(`gives nothing where it answers with ${title}`, async () => {
      says(body);
      const { signatures } = await makePeer(url).fetch(report.refSlot);
      expect(signatures).to.deep.equal([]);
    });

  it("gives nothing where it packs much into little", async () => {
    answer = (_, response) => {
      response.setHeader("content-encoding", "gzip");
      response.end(gzipSync(Buffer.alloc(50_000_000, " ")));
    };
    const { reachable, detail } = await makePeer(url).fetch(report.refSlot);
    expect([reachable, detail]).to.deep.equal([false, "an answer of more than 524288 bytes"]);
  });

  it("is not waited for where it sends a byte now and then", async () => {
    answer = (_, response) => {
      const dripping = setInterval(() => response.write(" "), 20);
      response.on("close", () => clearInterval(dripping));
    };
    const started = Date.now();
    expect(await makePeer(url, 0.3).fetch(report.refSlot)).to.deep.include({
      reachable: false,
      detail: "no answer within 0.3 s",
    });
    expect(await makePeer(url, 0.3).send(good)).to.deep.include({ taken: false, reachable: false });
    expect(Date.now() - started).to.be.lessThan(3_000);
  });

  it("leads nowhere else, and gets user and password in a header", async () => {
    let asked = 0;
    answer = (_, response) => {
      asked += 1;
      response.writeHead(302, { location: "/elsewhere" }).end();
    };
    expect((await makePeer(url).fetch(report.refSlot)).reachable).to.equal(false);
    expect(asked).to.equal(1);
    const seen: (string | undefined)[] = [];
    answer = ({ headers }, response) => {
      seen.push(headers.authorization);
      response.end(JSON.stringify({ signatures: [] }));
    };
    const peer = makePeer(url.replace("http://", "http://member:s3cr3t@"));
    await peer.fetch(report.refSlot);
    await peer.send(good);
    const basic = `Basic ${Buffer.from("member:s3cr3t").toString("base64")}`;
    expect(seen).to.deep.equal([basic, basic]);
    expect(peer.name).to.equal(url.slice(7));
  });
});
