import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import {
  HostFailure,
  askHttp,
  endpointOf,
  explanationOf,
  retryAfter,
  statusFailure,
} from "../../../offchain/util/http.ts";
import { closeServer } from "../../../offchain/util/health.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

describe("requests to a host", () => {
  let handler: Handler;
  let url: string;
  const server = createServer((request, response) => handler(request, response));
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => closeServer(server));

  async function failureOf(work: Promise<unknown>): Promise<HostFailure> {
    const error: unknown = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).to.be.instanceOf(HostFailure);
    return error as HostFailure;
  }

  it("split credentials off a URL, and send them decoded", async () => {
    let seen: string | undefined;
    handler = ({ headers, url: path }, response) => {
      seen = `${headers.authorization ?? ""} ${path ?? ""}`;
      response.end("ok");
    };
    const withUser = url.replace("http://", "http://m%C3%A9mber:s%40cr3t%25@");
    const { status, bytes } = await askHttp(`${withUser}/base/`, "/path", { timeoutSeconds: 5 });
    expect(status).to.equal(200);
    expect(new TextDecoder().decode(bytes)).to.equal("ok");
    expect(seen).to.equal(`Basic ${Buffer.from("mémber:s@cr3t%").toString("base64")} /base/path`);
    expect(endpointOf(withUser)).to.include({ url, host: url.slice(7) });
    expect(endpointOf(url).headers).to.deep.equal({});
  });

  it("keep the query of a URL, which may hold a key, behind the path", async () => {
    const seen: (string | undefined)[] = [];
    handler = ({ url: path }, response) => {
      seen.push(path);
      response.end("ok");
    };
    for (const [base, path] of [
      ["", "/eth"],
      ["/base/?key=k3y", "/eth"],
      ["/base?key=k3y", "/eth?id=1"],
      ["?key=k3y", "/eth"],
      ["/base?key=k3y", ""],
    ] as const)
      await askHttp(url + base, path, { timeoutSeconds: 5 });
    expect(seen).to.deep.equal([
      "/eth",
      "/base/eth?key=k3y",
      "/base/eth?id=1&key=k3y",
      "/eth?key=k3y",
      "/base?key=k3y",
    ]);
  });

  it("never tell more of a URL than its host", async () => {
    handler = ({ socket }) => socket.destroy();
    const secret = `${url.replace("http://", "http://user:s3cr3t@")}/k3y?token=t0ken`;
    const broken = await failureOf(askHttp(secret, "", { timeoutSeconds: 5 }));
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
    const { port } = gone.address() as AddressInfo;
    await closeServer(gone);
    const refused = await failureOf(askHttp(`http://user:s3cr3t@127.0.0.1:${port}/k3y`, "", { timeoutSeconds: 5 }));
    expect(refused.message).to.equal("ECONNREFUSED");
    for (const text of [broken.message, refused.message]) expect(text).to.not.match(/s3cr3t|k3y|t0ken/);
    expect(() => endpointOf("user:s3cr3t@host:x"))
      .to.throw(RangeError)
      .with.property("message")
      .not.include("s3cr3t");
  });

  it("read what is compressed, asked for or not", async () => {
    handler = (_, response) => {
      response.setHeader("content-encoding", "gzip");
      response.end(gzipSync("compressed"));
    };
    const { bytes } = await askHttp(url, "", { timeoutSeconds: 5 });
    expect(new TextDecoder().decode(bytes)).to.equal("compressed");
  });

  it("end after their time, at their signal and at their size", async () => {
    handler = () => undefined;
    expect((await failureOf(askHttp(url, "", { timeoutSeconds: 0.05 }))).message).to.equal("no answer within 0.05 s");
    const stop = new AbortController();
    const asked = askHttp(url, "", { timeoutSeconds: 5, signal: stop.signal }).catch((error: unknown) => error);
    stop.abort();
    expect(await asked).to.have.property("name", "AbortError");
    handler = (_, response) => response.end("x".repeat(1_000));
    const { message } = await failureOf(askHttp(url, "", { timeoutSeconds: 5, mostBytes: 999 }));
    expect(message).to.equal("an answer of more than 999 bytes");
  });

  it("tell the host's own sentence and how long it wants to be left alone", async () => {
    handler = (_, response) => {
      response.writeHead(429, { "retry-after": "7", "content-type": "application/json" });
      response.end('{"jsonrpc":"2.0","error":{"code":-32005,"message":"slow\\ndown"}}');
    };
    const failure = statusFailure(await askHttp(url, "", { timeoutSeconds: 5 }), "/path");
    expect(failure).to.include({ message: "/path answered 429: slow down", status: 429, waitSeconds: 7 });
    const says = (text: string): string => explanationOf({ bytes: new TextEncoder().encode(text) });
    expect(says('{"code":400,"message":"bad"}')).to.equal("bad");
    expect(says('{"error":"unauthorised"}')).to.equal("unauthorised");
    expect(says('[{"error":{"message":"first"}}]')).to.equal("first");
    expect(says("plain words")).to.equal("plain words");
    for (const nothing of ["", "<html>502</html>", "{}", "[]", "null"]) expect(says(nothing)).to.equal("");
    expect(retryAfter(new Headers({ "retry-after": new Date(Date.now() + 30_000).toUTCString() }))).to.be.within(
      28,
      31,
    );
    expect(retryAfter(new Headers({ "retry-after": "86400" }))).to.equal(600);
    expect(retryAfter(new Headers({ "retry-after": "soon" }))).to.equal(undefined);
    expect(retryAfter(new Headers())).to.equal(undefined);
  });
});
