/**
 * The built app in a real browser on a real local chain. `npm run test:app` builds and runs it; without APP_TESTS it is passed over, so that
 * `npm test` needs no browser.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { connectAs, openBrowser, openPage } from "./browser.ts";
import type { Opened } from "./browser.ts";
import { startLocalChain } from "./localChain.ts";
import type { LocalChain } from "./localChain.ts";
import { describeWith } from "../helpers/describeWith.ts";

const folder = (name: string): string => fileURLToPath(new URL(`../../app/${name}`, import.meta.url));
const describeApp = describeWith("APP_TESTS");

describeApp("the app in a browser", function () {
  this.timeout(120_000);
  let chain: LocalChain;
  let browser: Opened;
  let page: Page;

  before(async () => {
    chain = await startLocalChain({ days: 12, folder: folder("dist-local") });
    browser = await openBrowser({ width: 1_280 });
    page = await browser.page();
  });

  after(async () => {
    await browser.close();
    await chain.stop();
  });

  afterEach(async function () {
    const folderOfFaults = process.env["APP_FAULTS"];
    if (this.currentTest?.state === "failed" && folderOfFaults !== undefined)
      await page.screenshot({
        path: join(folderOfFaults, `${this.currentTest.title.slice(0, 40).replace(/\W+/g, "-")}.png`),
        fullPage: true,
      });
  });

  const open = async (path: string): Promise<void> => {
    await openPage(page, chain.url, path);
  };
  const field = () => page.getByLabel("Amount", { exact: true });
  const sign = () => page.getByRole("button", { name: "Sign", exact: true }).click();
  const said = (text: string | RegExp) => page.getByText(text).first().waitFor();

  it("connects a wallet that announces itself, and shows what the account holds", async () => {
    await open("");
    await connectAs(page, "Alice");
    await said(/with the last report/);
    expect(await page.locator(".card", { hasText: "You hold" }).innerText()).to.match(/\d+\.\d{4}.estETH/);
  });

  it("tells the risk before the first stake, once", async () => {
    await said(/The contracts are not audited/);
    await page.getByRole("button", { name: "I understand" }).click();
    expect(await page.getByText("The contracts are not audited").count()).to.equal(0);
  });

  it("says beside the field what is wrong with an amount, and keeps what was typed", async () => {
    const wrong: [string, RegExp][] = [
      ["1,5", /a point for decimals/],
      ["1e3", /without an exponent/],
      ["-1", /above zero/],
      ["0.1234567890123456789", /At most 18 decimals/],
      ["20000", /You have/],
      ["abc", /not a number/],
    ];
    for (const [text, sentence] of wrong) {
      await field().fill(text);
      await said(sentence);
      expect(await field().inputValue()).to.equal(text);
    }
    await field().fill("  1.5 ");
    await page.getByRole("button", { name: /^Stake 1\.5000.ETH$/ }).waitFor();
  });

  it("stakes: what is signed is said in words, a rejection changes nothing, and the balance grows by what was promised", async () => {
    await page.getByRole("button", { name: /^Stake 1\.5000/ }).click();
    await said("Stake 1.5 ETH for estETH.");
    await page.getByRole("button", { name: "Reject" }).click();
    await said("You did not sign. Nothing was sent.");
    const before = await chain.p.token.balanceOf(chain.p.alice);
    await page.getByRole("button", { name: /^Stake 1\.5000/ }).click();
    await sign();
    // some of it is bought of those who left at once, for a little more than the rate
    await said(/Staked\. You got 1\.50\d\d.estETH/);
    const gained = (await chain.p.token.balanceOf(chain.p.alice)) - before;
    expect(gained >= 1_499_999_999_999_999_998n && gained <= 1_510_000_000_000_000_000n, String(gained)).to.equal(true);
  });

  it("stakes straight to westETH", async () => {
    const before = await chain.p.wrapped.balanceOf(chain.p.alice);
    await page.getByRole("radio", { name: "westETH" }).check();
    await field().fill("0.25");
    await page.getByRole("button", { name: /^Stake 0\.2500/ }).click();
    await said("Stake 0.25 ETH for westETH.");
    await sign();
    await said(/Staked\. You got 0\.\d+.westETH/);
    expect((await chain.p.wrapped.balanceOf(chain.p.alice)) > before).to.equal(true);
  });

  it("follows what was sent over a reload", async () => {
    await open("");
    await chain.request("evm_setAutomine", [false]);
    try {
      await field().fill("0.1");
      await page.getByRole("button", { name: /^Stake 0\.1000/ }).click();
      await sign();
      await said(/Waiting for a block/);
      await page.reload();
      await said(/Waiting for a block/);
    } finally {
      await chain.request("evm_mine");
      await chain.request("evm_setAutomine", [true]);
    }
    await said(/Staked\. You got 0\.1000.estETH/);
  });

  it("says that a transaction was replaced in the wallet, and that nothing was staked", async () => {
    await open("");
    await chain.request("evm_setAutomine", [false]);
    try {
      await field().fill("0.2");
      await page.getByRole("button", { name: /^Stake 0\.2000/ }).click();
      await sign();
      await said(/Waiting for a block/);
      const nonce = await chain.p.alice.getNonce();
      const fees = { maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 10n ** 11n };
      await chain.p.alice.sendTransaction({ to: chain.p.alice, value: 0n, nonce, ...fees });
    } finally {
      await chain.request("evm_mine");
      await chain.request("evm_setAutomine", [true]);
    }
    await said("Your transaction was replaced in your wallet by another one. Nothing was staked.");
  });

  it("says a refusal of the contract in words before anybody signs", async () => {
    await open("");
    await chain.p.pool.connect(chain.p.guardian).pauseDeposits(true);
    await said(/Nothing can be staked now: a guardian paused deposits/);
    await chain.p.pool.connect(chain.p.guardian).pauseDeposits(false);
    await page.getByText(/Nothing can be staked now/).waitFor({ state: "detached" });
  });

  it("says why a transaction failed that the chain took and reverted", async () => {
    await chain.request("evm_setAutomine", [false]);
    try {
      await field().fill("0.3");
      await page.getByRole("button", { name: /^Stake 0\.3000/ }).click();
      await page.getByRole("button", { name: "Sign", exact: true }).waitFor();
      const fees = { maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 10n ** 11n };
      await chain.p.pool.connect(chain.p.guardian).pauseDeposits(true, fees);
      await sign();
      await said(/Waiting for a block/);
      await chain.request("evm_mine");
    } finally {
      await chain.request("evm_setAutomine", [true]);
    }
    await said(/Nothing was staked: deposits are paused/);
    await chain.p.pool.connect(chain.p.guardian).pauseDeposits(false);
  });

  it("says that a transaction is lost where the chain was reset under the page, and shows the balances of now", async () => {
    await open("");
    const before = await page.locator(".card", { hasText: "You hold" }).locator(".amount").first().innerText();
    const snapshot = await chain.request("evm_snapshot");
    await chain.p.pool.connect(chain.p.alice).deposit(chain.p.alice, chain.p.alice, { value: 10n ** 18n });
    await chain.request("evm_setAutomine", [false]);
    try {
      await field().fill("0.4");
      await page.getByRole("button", { name: /^Stake 0\.4000/ }).click();
      await sign();
      await said(/Waiting for a block/);
    } finally {
      await chain.request("evm_revert", [snapshot]);
      await chain.request("evm_setAutomine", [true]);
    }
    await said("The network does not know your transaction any more. Nothing was staked.");
    await page.locator(".card", { hasText: "You hold" }).getByText(before).first().waitFor();
  });

  it("requests a withdrawal without an approval, and lists it with its place", async () => {
    await open("withdraw");
    await field().fill("0.75");
    await page.getByRole("button", { name: "Request withdrawal" }).click();
    await said(/Request withdrawals of 0\.75/);
    await sign();
    await said(/Requested\. You get at most 0\.7500.ETH/);
    await page.locator(".requests li", { hasText: "#5" }).getByText("waiting").waitFor();
  });

  it("claims one, then the rest that is ready", async () => {
    await chain.day();
    await chain.day();
    const row = page.locator(".requests li", { hasText: "#1" });
    const before = await chain.p.queue.balanceOf(chain.p.alice);
    await row.getByRole("button", { name: "Claim" }).click();
    await sign();
    await said(/Claimed\. 0\.5000.ETH is in your account/);
    expect(await chain.p.queue.balanceOf(chain.p.alice)).to.equal(before - 1n);
    await page.getByRole("button", { name: /^Claim 2 requests/ }).click();
    await sign();
    await said(/Claimed\. 1\.8000.ETH is in your account/);
    expect(await chain.p.queue.balanceOf(chain.p.alice)).to.equal(before - 3n);
  });

  it("wraps with a permit: one signature, one transaction", async () => {
    await open("wrap");
    const before = await chain.p.wrapped.balanceOf(chain.p.alice);
    await field().fill("2");
    await page.getByRole("button", { name: /^Wrap 2\.0000/ }).click();
    await said(/use 2\.0 estETH, until/);
    await sign();
    await said("Wrap 2.0 estETH, with the permit signed before.");
    await sign();
    await said(/Wrapped\. You got \d\.\d+.westETH/);
    expect((await chain.p.wrapped.balanceOf(chain.p.alice)) > before).to.equal(true);
  });

  it("wraps with an approval, and unwraps", async () => {
    await page.getByRole("button", { name: "Use an approval instead" }).click();
    await field().fill("1");
    await page.getByRole("button", { name: /^Approve 1\.0000/ }).click();
    await sign();
    await said(/Approved\. Now wrap/);
    await page.getByRole("button", { name: /^Wrap 1\.0000/ }).click();
    await sign();
    await said(/Wrapped\. You got/);
    await page.getByRole("radio", { name: "Unwrap" }).check();
    await field().fill("0.5");
    await page.getByRole("button", { name: /^Unwrap 0\.5000/ }).click();
    await sign();
    await said(/Unwrapped\. You got/);
  });

  it("shows a fall as plainly as a gain, and hands out all decimals", async () => {
    await open("rewards");
    await said(/the balance fell by/);
    expect(await page.locator("td.bad").count()).to.be.greaterThan(0);
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download CSV" }).click(),
    ]);
    const text = readFileSync(await file.path(), "utf8");
    expect(text.split("\r\n")[0]).to.equal("time_utc,block,earned_eth,balance_eth");
    expect(text).to.match(/,-0\.\d{10,18},/);
  });

  it("refuses an address with a wrong checksum in one sentence", async () => {
    await page.getByLabel("Address").fill("0x15d34aaf54267DB7D7c367839AAf71A00a2C6A65");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await said(/checksum is wrong/);
  });

  it("keeps what it read when the node is away, says since when, and goes on when it is back", async () => {
    await open("protocol");
    await said(/Signatures needed/);
    const faults = browser.problems.length;
    chain.setDown(true);
    await said(/This page cannot reach its node\. What you see is as of .* Your funds are not affected\./);
    expect(await page.getByText("Signatures needed").count()).to.equal(1);
    chain.setDown(false);
    await page.getByText(/cannot reach its node/).waitFor({ state: "detached" });
    // the browser itself writes a line for each request that failed
    browser.problems.splice(faults);
  });

  it("shows the shape of what comes while a slow node thinks, then all of it", async () => {
    chain.setDelay(400);
    try {
      await page.goto("about:blank");
      await page.goto(`${chain.url}#/protocol`);
      await page.locator(".lines").first().waitFor();
      expect(await page.getByText("This could not be read").count()).to.equal(0);
      await said(/Signatures needed/);
      await page.locator(".flow .amount").first().waitFor();
    } finally {
      chain.setDelay(0);
    }
  });

  it("asks nobody but the place that it came from, and writes nothing to the console", () => {
    const others = browser.requests.filter(
      (url) => !url.startsWith(chain.url) && !url.startsWith("data:") && !url.startsWith("blob:"),
    );
    expect(others).to.deep.equal([]);
    expect(browser.problems).to.deep.equal([]);
  });
});
