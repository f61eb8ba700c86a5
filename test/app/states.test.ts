/** What the protocol does not allow now: said before the button, in one sentence, with when it ends. Run by `npm run test:app`. */
import { expect } from "chai";
import type { Page } from "playwright-core";
import { connectAs, openBrowser, openPage } from "./browser.ts";
import type { Opened } from "./browser.ts";
import { describeApp, ofSharedChain, remember } from "./shared.ts";

const DAY = 86_400;
const WHEN = "(in \\d+ (h|min|s).*|\\d+ (h|min|s).* ago|\\d+ \\w+ \\d{4}.*)";

describeApp("what the app says before the button", function () {
  this.timeout(60_000);
  const chain = ofSharedChain();
  let browser: Opened;
  let page: Page;
  let undo: () => Promise<void>;

  before(async () => {
    browser = await openBrowser({ width: 1_280 });
    page = await browser.page();
    await openPage(page, chain().url, "");
    await connectAs(page, "Bob");
    await page.getByRole("button", { name: "I understand" }).click();
  });
  after(() => browser.close());
  beforeEach(async () => {
    undo = await remember(chain());
  });
  afterEach(() => undo());

  const open = (path: string): Promise<void> => openPage(page, chain().url, path);
  const field = () => page.getByLabel("Amount", { exact: true });
  const line = () => page.locator(".status-line");
  const notice = () => page.locator("main .notice.warn");
  const button = (name: string | RegExp) => page.getByRole("button", { name });
  /** The notice stands above the button, is one sentence or two, and the button can't be pressed. */
  const before_ = async (sentence: RegExp, name: string | RegExp): Promise<void> => {
    await notice().filter({ hasText: sentence }).first().waitFor();
    const [above, below] = [await notice().first().boundingBox(), await button(name).boundingBox()];
    expect((above?.y ?? Infinity) < (below?.y ?? 0), "the notice is above the button").to.equal(true);
    expect(await button(name).isDisabled()).to.equal(true);
  };

  it("deposits are paused, by whom, and who ends it", async () => {
    await open("");
    await field().fill("1");
    await button(/^Stake 1/).waitFor();
    const { pool, guardian } = chain().p;
    await pool.connect(guardian).pauseDeposits(true);
    await before_(/a guardian paused deposits\. When they open again is decided by/, /^Stake 1/);
    expect(await line().innerText()).to.equal("Staking is paused by a guardian. Withdrawals and claims go on.");
    expect(await field().inputValue()).to.equal("1");
  });

  it("the report is overdue since when; withdrawals go on", async () => {
    await chain().request("evm_increaseTime", [2 * DAY]);
    await chain().request("evm_mine");
    await open("");
    await field().fill("1");
    await before_(new RegExp(`Nothing can be staked until the next report comes\\. It was due ${WHEN}\\.`), /^Stake 1/);
    expect(await line().innerText()).to.match(
      new RegExp(`The daily report is late: it was due ${WHEN}\\. .*Claims go on`),
    );
    await open("withdraw");
    await field().fill("1");
    expect(await button("Request withdrawal").isEnabled()).to.equal(true);
    await notice().filter({ hasText: "Payments wait" }).waitFor();
  });

  it("the limit is reached, and when it is lifted", async () => {
    const { pool, bob } = chain().p;
    const { depositCeiling } = await pool.books();
    const { totalEther } = await chain().p.token.totals();
    const rest = depositCeiling - totalEther;
    await chain().request("hardhat_setBalance", [bob.address, `0x${(rest + 10n ** 21n).toString(16)}`]);
    await open("");
    await field().fill(String(rest / 10n ** 18n + 1n));
    await page.getByText(/^At most [\d,.]+.ETH can be staked before the next report\.$/).waitFor();
    await pool.connect(bob).deposit(bob, bob, { value: rest });
    await field().fill("1");
    await before_(new RegExp(`The limit until the next report is reached\\. It comes ${WHEN}\\.`), /^Stake/);
  });

  it("an incident, with what it means for who waits", async () => {
    await chain().p.committee.report({ incident: true });
    await open("withdraw");
    await notice()
      .filter({ hasText: "Payments wait: the last report does not allow them. Your place in the line stays." })
      .waitFor();
    expect(await line().innerText()).to.match(
      /^The last report stopped payments: an incident, or a large fall\. Withdrawal requests are not paid until/,
    );
    await open("protocol");
    await page.getByText("no: the last report forbids it").waitFor();
  });

  it("new requests are paused; what is ready can be claimed", async () => {
    await open("withdraw");
    await field().fill("1");
    await button("Request withdrawal").waitFor();
    await chain().p.queue.connect(chain().p.guardian).pauseRequests(true);
    await before_(/New requests are paused by a guardian\. What is ready can be claimed\./, "Request withdrawal");
    expect(await line().innerText()).to.equal(
      "New withdrawal requests are paused by a guardian. What is ready can be claimed.",
    );
  });

  it("a network cost that the account can't pay, and an amount that is more than it has", async () => {
    const { bob } = chain().p;
    await chain().request("hardhat_setBalance", [bob.address, "0x1000"]);
    await open("withdraw");
    await field().fill("1");
    await before_(/can't be sent/, "Request withdrawal");
    await field().fill("1000");
    await page.getByText(/^You have [\d.,]+.estETH\.$/).waitFor();
    expect(await button("Request withdrawal").isDisabled()).to.equal(true);
  });

  it("wrote nothing to the console", () => {
    expect(browser.problems).to.deep.equal([]);
  });
});
