/** Who has much, little, or a long past. Run by `npm run test:app`. */
import { expect } from "chai";
import { parseEther, toQuantity } from "ethers";
import type { Page } from "playwright-core";
import { clipped, connectAs, openBrowser, openPage } from "./browser.ts";
import type { Opened } from "./browser.ts";
import { REPORTS, REQUESTS, asPool, liveThroughYears, requestMany } from "./longLives.ts";
import { processorTime, strain } from "./pace.ts";
import { changeConfig, describeApp, ofSharedChain, remember } from "./shared.ts";

const MOST_MS = 2_000;

describeApp("the app with 1 wei and with 120 million ETH", function () {
  this.timeout(60_000);
  const chain = ofSharedChain();
  let browser: Opened;
  let page: Page;

  before(async () => {
    browser = await openBrowser({ width: 1_280 });
    page = await browser.page();
    await openPage(page, chain().url, "");
    await connectAs(page, "Bob");
    await page.getByRole("button", { name: "I understand" }).click();
  });
  after(() => browser.close());

  const open = (path: string): Promise<void> => openPage(page, chain().url, path);
  const field = () => page.getByLabel("Amount", { exact: true });
  const said = (text: string | RegExp) => page.getByText(text).first().waitFor();
  const sign = () => page.getByRole("button", { name: "Sign", exact: true }).click();

  let undo: () => Promise<void>;
  beforeEach(async () => {
    undo = await remember(chain());
  });
  afterEach(() => undo());

  it("stakes 1 wei, and says before anybody signs what can't be withdrawn of it", async () => {
    await open("");
    await field().fill("0.000000000000000001");
    await page.getByRole("button", { name: /^Stake 0\.000000000000000001/ }).click();
    await said("Stake 0.000000000000000001 ETH for estETH.");
    await sign();
    await said(/Staked\. You got 0\.000000000000000001.estETH/);
    await open("withdraw");
    await field().fill("0.000000000000000001");
    await page.locator(".notice.warn").filter({ hasText: "can't be sent" }).waitFor();
    expect(await page.getByRole("button", { name: "Request withdrawal" }).isDisabled()).to.equal(true);
  });

  it("shows and takes 120 million ETH, all decimals on demand, without clipping any", async () => {
    const most = parseEther("120000000.123456789012345678");
    const { bob, pool, token } = chain().p;
    await chain().request("hardhat_setBalance", [bob.address, toQuantity(most)]);
    // no deposit may be so large: the pool's own call of the token
    await asPool(chain(), async (signer) => {
      await token.connect(signer).mint(bob.address, most);
    });
    expect(await token.pool()).to.equal(await pool.getAddress());
    await open("");
    await page.locator(".entry-foot").getByText("of 120,000,000.12").waitFor();
    const held = page.locator(".card", { hasText: "You hold" }).locator(".amount").first();
    await held.getByText("120,000,003.").waitFor();
    expect(await held.getAttribute("data-exact")).to.match(/^120,000,003\.\d{18} estETH$/);
    await field().fill("120000000");
    await said(/The limit until the next report is reached/);
    for (const path of ["", "withdraw", "wrap", "rewards", "protocol"]) {
      await page.setViewportSize({ width: 360, height: 740 });
      await open(path);
      expect(await clipped(page), path).to.deep.equal([]);
    }
    await page.setViewportSize({ width: 1_280, height: 860 });
    await open("withdraw");
    await page.getByRole("button", { name: "max" }).click();
    expect(await field().inputValue()).to.match(/^120000003\.\d{18}$/);
    await page.getByText(/^Made in \d+ requests/).waitFor();
  });
});

describeApp("the app with long lives", function () {
  this.timeout(180_000);
  const chain = ofSharedChain();
  let browser: Opened;
  let page: Page;

  before(async () => {
    browser = await openBrowser({ width: 1_280 });
    page = await browser.page();
    // as a node is asked that is elsewhere than the page
    await changeConfig(page, (config) => ({ ...config, rpc: [chain().rpcUrl] }));
    await openPage(page, chain().url, "");
    await connectAs(page, "Bob");
    await page.getByRole("button", { name: "I understand" }).click();
  });
  after(() => browser.close());

  const open = (path: string): Promise<void> => openPage(page, chain().url, path);
  const said = (text: string | RegExp) => page.getByText(text).first().waitFor();

  /** Milliseconds until what `shown` finds is there, on a machine that does nothing else. */
  const picture = async (path: string, shown: string): Promise<number> => {
    await page.goto("about:blank");
    const before = processorTime();
    await page.goto(`${chain().url}#/${path}`);
    await page.locator(shown).first().waitFor();
    const taken = processorTime() - before;
    return taken / strain();
  };

  it(`draws the requests of who has ${REQUESTS} in under ${MOST_MS / 1_000} s, and claims the first hundred`, async () => {
    await requestMany(chain());
    const milliseconds = await picture("withdraw", ".requests li");
    expect(milliseconds).to.be.lessThan(MOST_MS);
    await said(/^Claim 100 requests/);
    expect(await page.locator(".requests li").count()).to.equal(20);
    await said(/^Show 9,?980 more$/);
  });

  it(`draws three years of daily reports in under ${MOST_MS / 1_000} s, and tells each of them`, async () => {
    await liveThroughYears(chain());
    const milliseconds = await picture("rewards", ".chart svg rect");
    expect(milliseconds).to.be.lessThan(MOST_MS);
    await page.getByRole("radio", { name: "all" }).check();
    await page.locator(".chart svg rect").nth(REPORTS).waitFor({ state: "attached" });
    const whole = await picture("protocol", ".chart svg path");
    expect(whole).to.be.lessThan(MOST_MS);
    await open("");
    await said(/last 30 days \d\.\d\d% a year after fees/);
  });

  it("wrote nothing to the console", () => {
    expect(browser.problems).to.deep.equal([]);
  });
});
