import { readFileSync } from "node:fs";
import { expect } from "chai";
import { fillTables } from "../../../scripts/lib/operations.ts";
import { BEACON_CLIENTS, Dice, EXECUTION_CLIENTS } from "../../helpers/hostile/behaviour.ts";
import { CATALOGUE, describeGuise, drawBlind, drawGuise, knownFor } from "../../helpers/hostile/catalogue.ts";
import { startProxy } from "../../helpers/hostile/proxy.ts";
import { catalogueTables } from "../../helpers/hostile/table.ts";
import { slopeOf } from "../../../scripts/soak/memory.ts";
import { secretsIn, shapesOf, unhandledIn } from "../../../scripts/soak/output.ts";

describe("hostile: the kit", () => {
  it("names every behaviour once in a layer, with a source that can be read", () => {
    for (const layer of ["execution", "beacon"] as const) {
      const names = CATALOGUE.filter(({ layers }) => layers.includes(layer)).map(({ name }) => name);
      expect(new Set(names).size).to.equal(names.length);
    }
    for (const { source } of CATALOGUE) expect(source).to.match(/^https:\/\/[^ ]+$/);
  });

  it("knows something of every client", () => {
    for (const client of EXECUTION_CLIENTS) expect(knownFor(client, "execution")).to.not.be.empty;
    for (const client of BEACON_CLIENTS) expect(knownFor(client, "beacon")).to.not.be.empty;
  });

  it("draws the same guises from the same seed, and others from another", () => {
    const draw = (seed: string): string[] =>
      Array.from({ length: 20 }, (_, i) => {
        const dice = new Dice(seed).of(String(i));
        return `${describeGuise(drawGuise(dice, "beacon", "passing"))}; ${describeGuise(drawBlind(dice, "execution"))}`;
      });
    expect(draw("a")).to.deep.equal(draw("a"));
    expect(draw("a")).to.not.deep.equal(draw("b"));
  });

  it("lets nobody through without the password", async () => {
    const proxy = await startProxy("http://127.0.0.1:9", { user: "a", password: "b:c" });
    try {
      const bare = proxy.url.replace(/\/\/.*@/, "//");
      expect((await fetch(bare)).status).to.equal(401);
      const headers = { authorization: `Basic ${Buffer.from("a:b:c").toString("base64")}` };
      // nobody listens behind it
      expect((await fetch(bare, { headers })).status).to.equal(502);
    } finally {
      await proxy.close();
    }
  });

  it("is documented: docs/hostile-nodes.md shows the catalogue (npm run docs:hostile writes it)", () => {
    const text = readFileSync(new URL("../../../docs/hostile-nodes.md", import.meta.url), "utf8");
    expect(fillTables(text, catalogueTables())).to.equal(text);
  });
});

describe("the soak's judgement", () => {
  const life = (pid: number, seconds: number, perMinute: number) =>
    Array.from({ length: seconds / 5 }, (_, i) => ({ pid, at: 5 * i, mib: 80 + (perMinute * 5 * i) / 60 }));

  it("sees memory that grows, of the longest life, without its beginning", () => {
    expect(slopeOf(life(1, 1_000, 6)).perMinute).to.be.within(5.999, 6.001);
    expect(slopeOf([...life(1, 1_000, 0), ...life(2, 600, 9)]).perMinute).to.be.within(-0.001, 0.001);
  });

  it("says nothing of a life that was too short", () => {
    expect(slopeOf(life(1, 890, 6)).perMinute).to.equal(undefined);
  });

  it("finds a secret in every shape, and does not repeat it", () => {
    const shapes = shapesOf([`0x${"ab".repeat(32)}`], [{ user: "u", password: "p/w" }]);
    const header = Buffer.from("u:p/w").toString("base64");
    for (const line of ["AB".repeat(32), "p%2Fw", "p/w", header]) {
      const found = secretsIn(new Map([["a.log", `x ${line} y`]]), shapes);
      expect(found).to.not.be.empty;
      expect(JSON.stringify(found)).to.not.include(line);
    }
    expect(secretsIn(new Map([["a.log", "all is well"]]), shapes)).to.be.empty;
  });

  it("finds a rejection that nobody caught", () => {
    const text = "fine\n[UnhandledPromiseRejection: This error originated ...]\n";
    expect(unhandledIn(new Map([["a.log", text]]))).to.have.length(1);
  });
});
