/** Who may ask the control of `npm run dev`, and for what. */
import { request } from "node:http";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { controlHandler } from "../../../../devnet/dev/control.ts";
import type { Controls } from "../../../../devnet/dev/control.ts";
import { servePages } from "../../../../devnet/dev/pages.ts";
import type { Pages } from "../../../../devnet/dev/pages.ts";

const ALICE = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65";
const PUBKEY = `0x${"ab".repeat(48)}`;

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

describe("the control of npm run dev", () => {
  let pages: Pages;
  let folder: string;
  const done: string[] = [];
  const state = {
    ...({ network: "simulated", daySeconds: 60, time: 1, nextReference: 2 } as const),
    ...{ silentUntil: undefined, validators: [], testEther: "1" },
  };
  const controls: Controls = {
    state: () => Promise.resolve(state),
    testEther: (address) => {
      done.push(`ether ${address}`);
      return Promise.resolve();
    },
    slash: (pubkey) => {
      done.push(`slash ${pubkey}`);
      return Promise.reject(new Error("validator 7 is not slashable"));
    },
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "estuary-pages-"));
    writeFileSync(join(folder, "index.html"), "<title>the app</title>");
    writeFileSync(join(tmpdir(), "estuary-outside.html"), "outside");
    pages = await servePages({
      ...{ folder, config: { a: 1 }, rpcUrl: "http://127.0.0.1:9", port: 0 },
      also: { control: controlHandler(controls) },
    });
  });
  after(async () => {
    await pages.close();
    rmSync(folder, { recursive: true });
    rmSync(join(tmpdir(), "estuary-outside.html"));
  });

  /** Not `fetch`, which sets Host and Origin by itself. */
  const ask = (
    body: unknown,
    headers: Record<string, string | undefined> = {},
    { method = "POST", path = "/control" } = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { origin, port } = new URL(pages.url);
      const all: Record<string, string | undefined> = { origin, "content-type": "application/json", ...headers };
      const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
      const sent = request({ host: "127.0.0.1", port, path, method, headers: given }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString("utf8"),
            headers: response.headers,
          }),
        );
      });
      sent.once("error", reject);
      sent.end(typeof body === "string" ? body : JSON.stringify(body));
    });

  it("answers the page that it serves with the state, and what can't be done there", async () => {
    const { status, body } = await ask({ action: "state" });
    expect(status).to.equal(200);
    const { silentUntil: _, ...shown } = state;
    expect(JSON.parse(body)).to.deep.equal({ ...shown, can: { nextDay: false, missReport: false, slash: true } });
  });

  it("does what is asked, and says why where it fails", async () => {
    expect((await ask({ action: "testEther", address: ALICE })).status).to.equal(200);
    const refused = await ask({ action: "slash", pubkey: PUBKEY });
    expect(refused).to.include({ status: 409, body: '{"error":"validator 7 is not slashable"}' });
    expect(await ask({ action: "nextDay" })).to.include({ status: 501, body: '{"error":"not on this network"}' });
    expect(done.splice(0)).to.deep.equal([`ether ${ALICE}`, `slash ${PUBKEY}`]);
  });

  it("does nothing for another site's page, however it asks", async () => {
    const give = { action: "testEther", address: ALICE };
    const { port } = new URL(pages.url);
    const attempts: [number, Promise<Answer>][] = [
      [403, ask(give, { origin: "https://other.example" })],
      [403, ask(give, { origin: "null" })],
      [403, ask(give, { origin: undefined })],
      // of another program on this machine
      [403, ask(give, { origin: "http://127.0.0.1:1" })],
      [415, ask(give, { "content-type": "text/plain" })],
      [405, ask("", {}, { method: "GET" })],
      [405, ask("", { "access-control-request-method": "POST" }, { method: "OPTIONS" })],
      // a name of theirs that leads here
      [421, ask(give, { host: `other.example:${port}`, origin: `http://other.example:${port}` })],
    ];
    for (const [index, [wanted, attempt]] of attempts.entries()) {
      const { status, headers } = await attempt;
      expect(status, String(index)).to.equal(wanted);
      expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).to.deep.equal([]);
    }
    expect(done).to.deep.equal([]);
  });

  it("takes nothing that it does not know", async () => {
    const wrong: [number, unknown][] = [
      [400, "{"],
      [400, { action: "format" }],
      [400, { action: "testEther" }],
      [400, { action: "testEther", address: "0x15d34aaf54267DB7D7c367839AAf71A00a2C6A65" }],
      [400, { action: "testEther", address: ALICE, amount: 1 }],
      [400, { action: "slash", pubkey: "0x12" }],
      [413, { action: "state", more: "x".repeat(20_000) }],
    ];
    for (const [status, body] of wrong)
      expect((await ask(body)).status, JSON.stringify(body).slice(0, 80)).to.equal(status);
    expect(done).to.deep.equal([]);
  });

  it("is beside the app's files, and nothing above their folder", async () => {
    expect((await ask("", {}, { method: "GET", path: "/" })).body).to.equal("<title>the app</title>");
    expect((await ask("", {}, { method: "GET", path: "/config.json" })).body).to.equal('{"a":1}');
    for (const path of ["/../estuary-outside.html", "/%2e%2e/estuary-outside.html", "/..%2festuary-outside.html"])
      expect((await ask("", {}, { method: "GET", path })).status, path).to.equal(404);
    expect((await ask("", { host: "other.example" }, { method: "GET", path: "/config.json" })).status).to.equal(421);
  });
});
