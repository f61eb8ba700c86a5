/** The developer panel of a local build, on the chain of `npm run dev` with its committee and keeper. Run by `npm run test:app`. */
import { readFileSync, readdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { openDevChain } from "../../devnet/dev/chain.ts";
import type { DevChain } from "../../devnet/dev/chain.ts";
import { startDevNetwork } from "../../devnet/dev/network.ts";
import type { DevNetwork } from "../../devnet/dev/network.ts";
import { walletOf } from "../../devnet/dev/month.ts";
import { clipped, serious } from "./axe.ts";
import { connectAs, openBrowser, openPage } from "./browser.ts";
import type { Opened } from "./browser.ts";
import { describeWith } from "../helpers/describeWith.ts";

const folderOf = (name: string): string => fileURLToPath(new URL(`../../app/${name}`, import.meta.url));
const describeApp = describeWith("APP_TESTS");
const ETH = 10n ** 18n;
/** Keeps what the line under the header says, however briefly. */
const WATCH_STATUS_LINES = `
  globalThis.statusLines = [];
  new MutationObserver(() => {
    const line = document.querySelector(".status-line");
    if (line !== null) statusLines.push(line.textContent);
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
`;

describeApp("the developer panel", function () {
  this.timeout(120_000);
  let chain: DevChain;
  let network: DevNetwork;
  let folder: string;
  let browser: Opened;
  let page: Page;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "estuary-panel-"));
    chain = await openDevChain({ journal: undefined, days: 8 });
    const ports = { rpc: 0, beacon: 0, app: 0 };
    const deploymentFile = join(folder, "deployment.json");
    network = await startDevNetwork(chain, {
      app: folderOf("dist-local"),
      ports,
      daySeconds: 60,
      folder,
      deploymentFile,
    });
    browser = await openBrowser({ width: 1_280 });
    page = await browser.page();
    await openPage(page, network.appUrl, "rewards");
  });
  after(async () => {
    await browser.close();
    await network.close();
    await chain.close();
    rmSync(folder, { recursive: true });
  });

  const press = (name: string | RegExp) => page.getByRole("button", { name }).click();
  const said = (text: string | RegExp) => page.locator(".developer").getByText(text).waitFor();
  const isOpen = () => page.getByText("Only on this machine").isVisible();

  it("opens and closes with the keyboard alone, and gives the focus back", async () => {
    const opener = page.getByRole("button", { name: "Developer" });
    await opener.focus();
    await page.keyboard.press("Enter");
    await page.getByText("Time on the chain").waitFor();
    await page.keyboard.press("Tab");
    expect(await page.locator(".developer-panel :focus").innerText()).to.equal("Jump to the next report");
    await page.keyboard.press("Escape");
    expect(await isOpen()).to.equal(false);
    expect(await page.locator(":focus").innerText()).to.equal("Developer");
    await press("Developer");
  });

  it("jumps a day: the committee's report comes, and the page shows it", async () => {
    await connectAs(page, "Alice");
    const rows = page.locator("tbody tr");
    await openPage(page, network.appUrl, "rewards");
    await press("Developer");
    const before = await rows.count();
    await page.evaluate(WATCH_STATUS_LINES);
    await press("Jump to the next report");
    await said(/A day has passed/);
    await rows.nth(before).waitFor({ timeout: 30_000 });
    // a day later in a moment: what is shown was read a second ago all the same
    expect(await page.evaluate<string[]>("statusLines")).to.deep.equal([]);
  });

  it("slashes the validator that is chosen: the keeper proves it", async () => {
    const options = page.getByLabel("Validator").locator("option");
    const count = await options.count();
    const [pubkey] = await page.getByLabel("Validator").selectOption({ index: count - 1 });
    await press("Slash it");
    await said(/signed two votes/);
    expect(chain.p.beacon.stateAt().validator(pubkey as `0x${string}`)?.slashed).to.equal(true);
    expect(await options.count()).to.equal(count - 1);
    await press("Jump to the next report");
    const proven = async (): Promise<number> =>
      (await chain.p.validators.queryFilter(chain.p.validators.filters.Slashed())).length;
    for (let wait = 0; (await proven()) < 2 && wait < 60; wait++) await page.waitForTimeout(500);
    expect(await proven()).to.equal(2);
  });

  it("hands out test ether to the account that is connected", async () => {
    const { address } = walletOf("alice");
    const balance = async (): Promise<bigint> =>
      BigInt((await chain.provider.request({ method: "eth_getBalance", params: [address, "latest"] })) as string);
    const before = await balance();
    await press(/^Give me 100/);
    await said("It is in your account.");
    expect((await balance()) - before).to.equal(100n * ETH);
  });

  it("lets the committee miss a report, which comes a day later", async () => {
    // the last day's is there: what is missed is the next one
    const due = BigInt(chain.nextReferenceSlot() - chain.slotsPerFrame);
    for (let wait = 0; (await chain.p.oracle.lastRefSlot()) < due && wait < 60; wait++) await page.waitForTimeout(500);
    await press("Miss the next report");
    await said(/The committee is silent until/);
    const last = await chain.p.oracle.lastRefSlot();
    await press("Jump to the next report");
    await said(/A day has passed/);
    await page.waitForTimeout(5_000);
    expect(await chain.p.oracle.lastRefSlot()).to.equal(last);
    await press("Jump to the next report");
    for (let wait = 0; (await chain.p.oracle.lastRefSlot()) === last && wait < 60; wait++)
      await page.waitForTimeout(500);
    expect(await chain.p.oracle.lastRefSlot()).to.equal(last + 2n * BigInt(chain.slotsPerFrame));
  });

  it("writes nothing to the console, and asks only its own page's place", () => {
    expect(browser.problems).to.deep.equal([]);
    expect(browser.requests.filter((url) => !url.startsWith(network.appUrl) && !url.startsWith("data:"))).to.deep.equal(
      [],
    );
  });

  for (const [theme, locale, width, title] of [
    ["light", "en-GB", 360, "Developer"],
    ["dark", "de-DE", 360, "Entwickler"],
    ["dark", "en-GB", 1_280, "Developer"],
    ["light", "de-DE", 1_280, "Entwickler"],
  ] as const)
    it(`has no serious fault for a screen reader, and clips nothing (${theme}, ${locale}, ${width} px)`, async () => {
      const other = await openBrowser({ width, theme, locale });
      try {
        const small = await other.page();
        await openPage(small, network.appUrl, "");
        await connectAs(small, "Alice");
        await small.getByRole("button", { name: title }).click();
        await small.locator(".developer select").waitFor();
        expect(await serious(small)).to.deep.equal([]);
        expect(await clipped(small, ".developer *")).to.deep.equal([]);
      } finally {
        await other.close();
      }
    });
});

describeApp("a production build, of the developer panel", () => {
  it("has nothing, where a local build has it", () => {
    const has = (build: string): boolean => {
      const assets = join(folderOf(build), "assets");
      const texts = readdirSync(assets).map((name) => readFileSync(join(assets, name), "utf8"));
      return texts.some((text) => /missReport|Only on this machine|developer-panel/.test(text));
    };
    expect(has("dist-local")).to.equal(true);
    expect(has("dist")).to.equal(false);
  });
});
