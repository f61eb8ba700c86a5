/** Every page of the built app: what a screen reader meets, what is clipped, and what a production build holds. Run by `npm run test:app`. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { clipped, serious } from "./axe.ts";
import { connectAs, openBrowser, openPage } from "./browser.ts";
import { startLocalChain } from "./localChain.ts";
import type { LocalChain } from "./localChain.ts";
import { describeWith } from "../helpers/describeWith.ts";

const folder = (name: string): string => fileURLToPath(new URL(`../../app/${name}`, import.meta.url));
const PAGES = ["", "withdraw", "wrap", "rewards", "protocol", "operators", "liquidity", "build"];
const describeApp = describeWith("APP_TESTS");

describeApp("every page, in both themes and languages", function () {
  this.timeout(120_000);
  let chain: LocalChain;
  before(async () => {
    chain = await startLocalChain({ days: 8, folder: folder("dist-local") });
  });
  after(() => chain.stop());

  for (const [theme, locale, width] of [
    ["light", "en-GB", 1_280],
    ["dark", "en-GB", 360],
    ["light", "de-DE", 360],
    ["dark", "de-DE", 1_280],
  ] as const)
    it(`has no serious fault for a screen reader, and clips nothing (${theme}, ${locale}, ${width} px)`, async () => {
      const browser = await openBrowser({ width, theme, locale });
      try {
        const page = await browser.page();
        await page.goto(chain.url);
        await connectAs(page, "Alice");
        for (const path of PAGES) {
          await openPage(page, chain.url, path);
          expect(await serious(page), `${path} ${theme} ${locale}`).to.deep.equal([]);
          expect(await clipped(page), `${path} at ${width} px in ${locale}`).to.deep.equal([]);
        }
        expect(browser.problems).to.deep.equal([]);
      } finally {
        await browser.close();
      }
    });
});

describeApp("a production build", () => {
  it("has nothing of the test wallet, no inline script, and a strict policy", () => {
    const assets = join(folder("dist"), "assets");
    const scripts = readdirSync(assets).filter((name) => name.endsWith(".js"));
    expect(scripts.length).to.be.greaterThan(3);
    for (const name of scripts)
      for (const word of ["test-wallet", "Test wallet", "config.json"])
        expect(readFileSync(join(assets, name), "utf8").includes(word), `${word} in ${name}`).to.equal(false);
    const html = readFileSync(join(folder("dist"), "index.html"), "utf8");
    expect(html).to.match(/Content-Security-Policy" content="default-src 'none'; script-src 'self'; style-src 'self';/);
    expect(html).not.to.match(/<script(?![^>]*\bsrc=)/);
    expect(html).not.to.match(/(src|href)="\//);
  });
});
