/** The app on a chain that changes its mind, and behind a node that fails in parts. Run by `npm run test:app`. */
import { expect } from "chai";
import type { Page } from "playwright-core";
import { connectAs, openBrowser, openPage } from "./browser.ts";
import type { Opened } from "./browser.ts";
import { changeConfig, describeApp, ofSharedChain, remember } from "./shared.ts";

const ETH = 10n ** 18n;

interface Call {
  readonly id: number;
  readonly method: string;
}

describeApp("the app on a chain in trouble", function () {
  this.timeout(60_000);
  const chain = ofSharedChain();
  let browser: Opened;
  let page: Page;
  let undo: () => Promise<void>;

  before(async () => {
    browser = await openBrowser({ width: 1_280 });
    page = await browser.page();
    await openPage(page, chain().url, "");
    await connectAs(page, "Alice");
    await page.getByRole("button", { name: "I understand" }).click();
  });
  after(() => browser.close());
  beforeEach(async () => {
    undo = await remember(chain());
  });
  afterEach(async () => {
    chain().setDown(false);
    await browser.context.setOffline(false);
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await undo();
  });

  const open = (path: string): Promise<void> => openPage(page, chain().url, path);
  const said = (text: string | RegExp) => page.getByText(text).first().waitFor();
  const gone = (text: string | RegExp) => page.getByText(text).first().waitFor({ state: "detached" });
  const field = () => page.getByLabel("Amount", { exact: true });
  const held = () => page.locator(".card", { hasText: "You hold" }).locator(".amount").first();
  const stakeInPage = async (amount: string): Promise<void> => {
    await field().fill(amount);
    await page.getByRole("button", { name: new RegExp(`^Stake ${amount.replace(".", "\\.")}`) }).click();
    await page.getByRole("button", { name: "Sign", exact: true }).click();
  };
  /** The node answers a method with an error: in a batch only there. */
  const refuse = (method: string): Promise<unknown> =>
    page.route("**/rpc", async (route) => {
      const asked = route.request().postDataJSON() as Call | Call[];
      if (![asked].flat().some((call) => call.method === method)) return route.continue();
      const answered = (await (await route.fetch()).json()) as { id: number }[];
      const refused = { code: -32_603, message: "internal error" };
      const answers = [answered].flat().map((one) => {
        const call = [asked].flat().find(({ id }) => id === one.id);
        return call?.method === method ? { jsonrpc: "2.0", id: one.id, error: refused } : one;
      });
      await route.fulfill({ json: Array.isArray(asked) ? answers : answers[0] });
    });

  it("shows the balances of the branch that stayed, and follows a stake that is in no block any more", async () => {
    await open("");
    const before = await held().innerText();
    const back = await remember(chain());
    await stakeInPage("3");
    // some of it is bought of those who left at once, for a little more than the rate
    await said(/Staked\. You got 3\.0\d+.estETH/);
    const staked = await held().innerText();
    expect(staked).not.to.equal(before);
    // the other branch is longer, without Alice's stake
    await back();
    const { pool, bob } = chain().p;
    for (let block = 0; block < 3; block++) await pool.connect(bob).deposit(bob, bob, { value: ETH });
    await page.locator(".card", { hasText: "You hold" }).getByText(before).first().waitFor();
    await gone(/Staked\. You got 3\.0/);
    await said(/Waiting for a block/);
  });

  it("takes a transaction that was sped up in the wallet for what it is", async () => {
    await open("");
    await chain().request("evm_setAutomine", [false]);
    await stakeInPage("2.5");
    await said(/Waiting for a block/);
    const { alice } = chain().p;
    const [pending] = (await chain().request("eth_pendingTransactions")) as {
      input: string;
      to: string;
      value: string;
      gas: string;
    }[];
    if (pending === undefined) throw new Error("nothing is pending");
    const nonce = await alice.getNonce();
    const { to, input: data, value, gas } = pending;
    const sent = alice.sendTransaction({
      // what it takes is estimated after the first of the two, which had bought already
      ...{ to, data, value: BigInt(value), nonce, gasLimit: BigInt(gas) },
      ...{ maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 10n ** 11n },
    });
    await sent;
    await chain().request("evm_mine");
    await chain().request("evm_setAutomine", [true]);
    await said(/Staked\. You got 2\.5\d+.estETH/);
  });

  it("is opened while the node is away: says so, and reads when it is back", async () => {
    chain().setDown(true);
    await page.goto("about:blank");
    await page.goto(`${chain().url}#/withdraw`);
    await said(/This page cannot reach its node\. Your funds are not affected\. It tries again by itself\./);
    chain().setDown(false);
    await gone(/cannot reach its node/);
    await said("Time until paid");
    await page.locator(".requests li").first().waitFor();
  });

  it("fails in one card where the node refuses one question, and the page stays", async () => {
    await refuse("eth_getLogs");
    await page.goto("about:blank");
    await page.goto(`${chain().url}#/protocol`);
    await said("Signatures needed");
    await said("This could not be read.");
    const failed = page.locator(".card", { has: page.locator(".failed") });
    expect(await failed.locator("h2").allInnerTexts()).to.include("Rate");
    await page.locator(".flow .amount").first().waitFor();
    await page.unrouteAll({ behavior: "wait" });
    await failed.first().getByRole("button", { name: "Try again" }).click();
    await page.locator(".chart").first().waitFor();
    await gone("This could not be read.");
  });

  it("says that the person is offline, keeps what it read and what was typed, and reads on afterwards", async () => {
    await open("");
    await field().fill("1.25");
    await page.getByRole("button", { name: /^Stake 1\.2500/ }).waitFor();
    await browser.context.setOffline(true);
    await said("You are offline. Your funds are not affected.");
    expect(await field().inputValue()).to.equal("1.25");
    expect(await held().innerText()).to.match(/estETH/);
    await browser.context.setOffline(false);
    await gone("You are offline");
  });

  it("says that nothing is to be signed where the node serves another deployment", async () => {
    const stranger = "0x00000000000000000000000000000000000000aa";
    await changeConfig(page, (config) => ({ ...config, deployment: { ...config.deployment, token: stranger } }));
    await page.goto("about:blank");
    await page.goto(chain().url);
    await said("The node does not serve the deployment of this page. Do not sign anything here.");
    await page.locator(".failed").first().waitFor();
    expect(await page.getByRole("button", { name: /^Stake/ }).isDisabled()).to.equal(true);
  });

  it("says of which block it is where the node does not follow the chain", async () => {
    await changeConfig(page, (config) => ({ ...config, clock: "wall" }));
    // the wall's clock, a few minutes after the newest block's time
    const block = (await chain().request("eth_getBlockByNumber", ["latest", false])) as Record<string, string>;
    await page.clock.setFixedTime((Number(block["timestamp"]) + 300) * 1_000);
    await page.goto("about:blank");
    await page.goto(chain().url);
    await said(new RegExp(`As of block ${Number(block["number"]).toLocaleString("en")}, 5 min ago\\.`));
  });

  it("wrote nothing to the console but the requests that failed", () => {
    const others = browser.problems.filter((text) => !text.startsWith("Failed to load resource: net::"));
    expect(others).to.deep.equal([]);
  });
});
