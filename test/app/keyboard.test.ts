/** What the app's own parts do for a keyboard and for a screen reader (docs/decisions/018). Run by `npm run test:app`. */
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { connectAs, openBrowser, openPage } from "./browser.ts";
import type { Opened } from "./browser.ts";
import { startLocalChain } from "./localChain.ts";
import type { LocalChain } from "./localChain.ts";
import { describeWith } from "../helpers/describeWith.ts";

const describeApp = describeWith("APP_TESTS");

describeApp("the app by keyboard", function () {
  this.timeout(120_000);
  let chain: LocalChain;
  let browser: Opened;
  let page: Page;

  before(async () => {
    chain = await startLocalChain({ days: 8, folder: fileURLToPath(new URL("../../app/dist-local", import.meta.url)) });
    browser = await openBrowser({ width: 1_280 });
    page = await browser.page();
    await openPage(page, chain.url, "");
  });
  after(async () => {
    await browser.close();
    await chain.stop();
  });

  /** What has the focus: its name, or its text. */
  const focused = (): Promise<string> =>
    page.evaluate<string>(
      "document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? ''",
    );
  const isInDialog = (): Promise<boolean> =>
    page.evaluate<boolean>(
      "document.activeElement?.closest('dialog') != null || document.activeElement === document.body",
    );

  it("opens a dialog with the focus in it, keeps it there, and gives it back however it is closed", async () => {
    for (const close of ["Escape", "Enter"]) {
      await page.locator("header").getByRole("button", { name: "Connect" }).press("Enter");
      const dialog = page.getByRole("dialog", { name: "Connect a wallet" });
      await dialog.waitFor();
      expect(await focused()).to.equal("Close");
      for (let tab = 0; tab < 6; tab++) {
        await page.keyboard.press("Tab");
        // between the last and the first the browser's own controls have their turn
        expect(await isInDialog(), `after ${tab + 1}`).to.equal(true);
      }
      await dialog.getByRole("button", { name: "Close" }).focus();
      await page.keyboard.press(close);
      await dialog.waitFor({ state: "detached" });
      expect(await focused(), close).to.equal("Connect");
    }
  });

  it("has the page behind a dialog neither reachable nor scrolled", async () => {
    await page.locator("header").getByRole("button", { name: "Connect" }).click();
    await page
      .getByRole("radio", { name: "westETH" })
      .evaluate((node) => (node as unknown as { focus(): void }).focus());
    expect(await isInDialog()).to.equal(true);
    expect(await page.evaluate<string>("getComputedStyle(document.body).overflowY")).to.equal("hidden");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  });

  it("chooses one of a few by arrows, as one stop of the tab key", async () => {
    const [plain, wrapped] = [
      page.getByRole("radio", { name: "estETH", exact: true }),
      page.getByRole("radio", { name: "westETH" }),
    ];
    await plain.focus();
    await page.keyboard.press("ArrowRight");
    expect(await wrapped.isChecked()).to.equal(true);
    await page.keyboard.press("ArrowRight");
    expect(await plain.isChecked()).to.equal(true);
    await page.keyboard.press("Tab");
    expect(await page.evaluate<string>("document.activeElement?.getAttribute('type') ?? ''")).not.to.equal("radio");
    expect(await page.getByRole("group", { name: "Receive" }).count()).to.equal(1);
  });

  it("says what a word means on Enter, lets Escape put it away, and tells a screen reader with the word", async () => {
    const word = page.locator("button.term", { hasText: "APR" }).first();
    const meaning = page.locator(".meaning", { hasText: "put as a yearly rate" }).first();
    await word.focus();
    expect(await meaning.isVisible()).to.equal(false);
    await page.keyboard.press("Enter");
    await meaning.waitFor();
    await page.keyboard.press("Escape");
    await meaning.waitFor({ state: "hidden" });
    expect(await page.evaluate<string>("document.activeElement?.className ?? ''")).to.equal("term");
    expect(await description(word.first())).to.match(/put as a yearly rate/);
  });

  it("reads all decimals of an amount to whoever can't see them", async () => {
    await connectAs(page, "Alice");
    const amount = page.locator(".amount.shortened").first();
    await amount.waitFor();
    expect(await description(amount)).to.match(/^\+?\d[\d,]*\.\d{5,18} \w+$/);
  });

  it("goes through a chart by arrows, pages and ends, and says each point", async () => {
    await openPage(page, chain.url, "rewards");
    const plot = page.getByRole("slider");
    await plot.focus();
    const at = async (): Promise<number> => Number(await plot.getAttribute("aria-valuenow"));
    const last = Number(await plot.getAttribute("aria-valuemax"));
    for (const [key, expected] of [
      ["ArrowLeft", last - 1],
      ["ArrowUp", last],
      ["ArrowRight", last],
      ["Home", 0],
      ["ArrowDown", 0],
      ["PageUp", Math.min(10, last)],
      ["PageDown", 0],
      ["End", last],
    ] as const) {
      await page.keyboard.press(key);
      expect(await at(), key).to.equal(expected);
    }
    expect(await plot.getAttribute("aria-valuetext")).to.match(/^\d+ \w+ \d{4}: [+−]?\d+\.\d+.ETH$/);
    await page.getByRole("button", { name: "Show as a table" }).click();
    expect(await page.locator(".chart tbody tr").count()).to.equal(last + 1);
  });

  it("chooses an example by arrows, too", async () => {
    await openPage(page, chain.url, "build");
    const examples = page.getByRole("group", { name: "Examples" }).getByRole("radio");
    await examples.first().focus();
    await page.keyboard.press("ArrowRight");
    expect(await examples.nth(1).isChecked()).to.equal(true);
    expect(browser.problems).to.deep.equal([]);
  });

  /** As the browser computes it for a screen reader. */
  async function description(element: ReturnType<Page["locator"]>): Promise<string> {
    const devtools = await browser.context.newCDPSession(page);
    try {
      await element.evaluate((node) => (node as unknown as { focus(): void }).focus());
      const { result } = await devtools.send("Runtime.evaluate", { expression: "document.activeElement" });
      const { nodes } = await devtools.send("Accessibility.getPartialAXTree", {
        objectId: result.objectId ?? "",
        fetchRelatives: false,
      });
      return String(nodes[0]?.description?.value ?? "");
    } finally {
      await devtools.detach();
    }
  }
});
