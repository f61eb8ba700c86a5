/** Leaving at once and lending to the EtherPool, on the built app: what is said before equals what the chain then does. Run by `npm run test:app`. */
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { expect } from "chai";
import type { Locator, Page } from "playwright-core";
import { leave } from "../../offchain/chain/write/leave.ts";
import { connect } from "../../offchain/chain/connect.ts";
import { bp, wei } from "../../offchain/protocol/units.ts";
import { clipped, serious } from "./axe.ts";
import { connectAs, openBrowser, openPage } from "./browser.ts";
import type { Opened } from "./browser.ts";
import { startLocalChain } from "./localChain.ts";
import type { LocalChain } from "./localChain.ts";
import { describeWith } from "../helpers/describeWith.ts";

const describeApp = describeWith("APP_TESTS");
const FOLDER = fileURLToPath(new URL("../../app/dist-local", import.meta.url));
const ETH = 10n ** 18n;

describeApp("leaving at once, and lending to those who do", function () {
  this.timeout(120_000);
  let chain: LocalChain;
  let browser: Opened;
  let page: Page;

  before(async () => {
    chain = await startLocalChain({ days: 10, folder: FOLDER });
    browser = await openBrowser({ width: 1_280 });
    page = await browser.page();
    page.setDefaultTimeout(30_000);
    await openPage(page, chain.url, "");
    await connectAs(page, "Alice");
  });
  after(async () => {
    await browser.close();
    await chain.stop();
  });
  afterEach(async function () {
    const faults = process.env["APP_FAULTS"];
    if (this.currentTest?.state === "failed" && faults !== undefined)
      await page.screenshot({
        path: join(faults, `${this.currentTest.title.slice(0, 40).replace(/\W+/g, "-")}.png`),
        fullPage: true,
      });
  });

  const open = (path: string): Promise<void> => openPage(page, chain.url, path);
  const said = (text: string | RegExp) => page.getByText(text).first().waitFor();
  const field = () => page.getByLabel("Amount", { exact: true });
  const slider = () => page.getByRole("slider", { name: "When you get it" });
  const button = (name: string | RegExp) => page.getByRole("button", { name, exact: typeof name === "string" });
  const sign = () => button("Sign").click();
  const primary = () => page.locator("button.primary.wide");
  const card = (title: string): Locator => page.locator(".card", { has: page.getByRole("heading", { name: title }) });
  /** Exact, of the value beside a name. */
  const valueOf = async (name: string | RegExp, within: Locator = page.locator("main")): Promise<bigint> => {
    const shown = within.locator("dl > div", { hasText: name }).locator(".amount").first();
    await shown.waitFor();
    const text = (await shown.getAttribute("data-exact")) ?? (await shown.innerText());
    const [whole = "0", fraction = ""] = (text.split(/\s/)[0] ?? "").replace(/[+,]/g, "").split(".");
    return BigInt(whole) * ETH + BigInt(fraction.padEnd(18, "0"));
  };
  const switchTo = async (name: string): Promise<void> => {
    await page.locator("header button.account").click();
    await button("Disconnect").click();
    await connectAs(page, name);
  };
  const lastSale = async () => {
    const { etherPool } = chain.liquidity;
    const sold = await etherPool.queryFilter(etherPool.filters.Sold());
    const args = sold.at(-1)?.args;
    if (args === undefined) throw new Error("nothing was sold");
    return args;
  };
  const paused = async (isPaused: boolean): Promise<void> => {
    await chain.p.queue.connect(chain.p.guardian).pauseRequests(isPaused);
  };

  it("begins at free: nothing is sold that nobody asked for, and a request costs no fee", async () => {
    await open("withdraw");
    await field().fill("0.5");
    await slider().waitFor();
    await said("You get at most");
    expect(await primary().innerText()).to.equal("Request withdrawal");
    expect(await slider().getAttribute("aria-valuetext")).to.match(/^0\.5000.ETH later, free\.$/);
    await primary().click();
    await said(/Request withdrawals of 0\.5/);
    await button("Reject").click();
    await said("You did not sign. Nothing was sent.");
    await button("Close").click();
  });

  it("leaves at once with all of it: the ether that was said before, for the fee that was said, by a permit", async () => {
    await field().fill("2");
    await slider().press("Home");
    const before = { queue: await chain.p.queue.balanceOf(chain.p.alice), ether: await valueOf("You get now") };
    const fee = await valueOf("Fee, on average");
    expect(await page.getByText("You get later").count()).to.equal(0);
    expect(await slider().getAttribute("aria-valuetext")).to.match(/now, for 0\.\d\d% on average\.$/);
    await button(/^Get 1\.99\d\d.ETH now$/).click();
    await said(/use 2\.02\d* estETH, until/);
    await sign();
    await said(/Leave with 1\.\d+ shares of estETH: sold up to \d+ bp/);
    await button("Reject").click();
    await said("You did not sign. Nothing was sent.");
    expect(await field().inputValue()).to.equal("2");
    await primary().click();
    await sign();
    await sign();
    await said(/Done\. 1\.99\d\d.ETH is in your account\./);
    const sale = await lastSale();
    expect(sale.ether_).to.equal(before.ether);
    expect(sale.value - sale.ether_).to.equal(fee);
    expect(await chain.p.queue.balanceOf(chain.p.alice)).to.equal(before.queue);
    await button("Close").click();
  });

  it("sells what the slider allows and says before that the rest is queued, and what that is", async () => {
    await field().fill("8");
    await slider().press("Home");
    const most = Number(await slider().getAttribute("max"));
    expect(most).to.be.greaterThan(20);
    // with the keys of a slider, to where about half of it is sold
    for (let count = 0; count < 3; count++) await slider().press("PageUp");
    await said(/ETH can't be sold within \d\.\d\d%: it becomes a withdrawal request, paid without a fee in about/);
    const [now, later] = [await valueOf("You get now"), await valueOf("You get later")];
    expect(now > ETH && later > ETH, `${now} ${later}`).to.equal(true);
    await button(/^Get \d\.\d{4}.ETH now, the rest later$/).click();
    await sign();
    await sign();
    await said(/Done\. \d\.\d{4}.ETH is in your account; at most \d\.\d{4}.ETH come later/);
    expect((await lastSale()).ether_).to.equal(now);
    const requests = await chain.p.queue.queryFilter(chain.p.queue.filters.WithdrawalRequested());
    expect(requests.at(-1)?.args.amount).to.equal(later);
    await page.locator(".requests li", { hasText: "waiting" }).last().waitFor();
    await button("Close").first().click();
  });

  it("leaves from westETH, also by an approval in place of a signature", async () => {
    await switchTo("Carol");
    await open("withdraw");
    await page.getByLabel("Currency").selectOption("westETH");
    await field().fill("1.5");
    await slider().press("Home");
    await button("Use an approval instead").click();
    await button(/^Approve 1\.5000.westETH$/).click();
    await sign();
    await said(/Approved\. Now send 1\.5000.westETH\./);
    const ether = await valueOf("You get now");
    const before = await chain.p.wrapped.balanceOf(chain.p.carol);
    await button(/^Get 1\.\d{4}.ETH now$/).click();
    await said(/Leave with 1\.5 westETH/);
    await sign();
    await said(/Done\. 1\.\d{4}.ETH is in your account\./);
    expect((await lastSale()).ether_).to.equal(ether);
    expect(before - (await chain.p.wrapped.balanceOf(chain.p.carol))).to.equal((3n * ETH) / 2n);
    await button("Close").first().click();
  });

  it("says beside the field what is wrong with an amount, also where it is to be sold", async () => {
    for (const [text, sentence] of [
      ["1,5", /a point for decimals/],
      ["1e3", /without an exponent/],
      ["-1", /above zero/],
      ["20000", /You have/],
    ] as const) {
      await field().fill(text);
      await said(sentence);
      expect(await field().inputValue()).to.equal(text);
      expect(await primary().isDisabled()).to.equal(true);
    }
    // below the least request and the least that is sold
    await page.getByLabel("Currency").selectOption("estETH");
    await field().fill("0.00000000000000005");
    await said(/You have|can't be sent|can't pay this at once/);
  });

  it("says that the pool gives more than the rate for ether, and stakes through it: what was said is what comes", async () => {
    await open("");
    await button("I understand").click();
    await field().fill("3");
    await said(/more than the rate: a part is bought of those who leave at once/);
    const promised = await valueOf("You get");
    const before = await chain.p.token.balanceOf(chain.p.carol);
    expect(promised > 3n * ETH).to.equal(true);
    await button(/^Stake 3\.0000/).click();
    await said("Stake 3.0 ETH for estETH.");
    await said(`To ${await chain.liquidity.router.getAddress()}, with 3.0 ETH.`);
    await sign();
    await said(/Staked\. You got 3\.\d{4}.estETH/);
    const gained = (await chain.p.token.balanceOf(chain.p.carol)) - before;
    expect(gained).to.be.within(promised - 3n, promised + 3n);
  });

  it("lends ether: a part is staked, both enter, and the share appears", async () => {
    // ether back to the pool: lending with ether waits until it is above the least
    const { etherPool } = chain.liquidity;
    const room = await etherPool.buyable();
    if (room > 0n) await etherPool.connect(chain.p.bob).buy(0, chain.p.bob, { value: room });
    await switchTo("Dave");
    await open("liquidity");
    await said("You lend nothing here yet.");
    await field().fill("10");
    await page.getByRole("radio", { name: "ETH", exact: true }).check();
    await field().fill("10");
    const lp = await valueOf("You get", card("Lend or leave"));
    await button(/^Lend 10\.0000.ETH$/).click();
    await said("Lend 10.0 ETH to the pool.");
    await button("Reject").click();
    await said("You did not sign. Nothing was sent.");
    await primary().click();
    await sign();
    await said(/Lent\. You have \d+\.\d{4}.LP more\./);
    const dave = await accountOf("Dave");
    expect(await etherPool.balanceOf(dave)).to.equal(lp);
    const worth = await valueOf("Worth", card("Your share"));
    // the entry fee of 0.02%, of which Dave's own share comes back
    expect(worth).to.be.within((9_997n * ETH) / 1_000n, 10n * ETH);
    await button("Close").first().click();
  });

  it("enters with both assets after one approval of estETH, and refuses what one does not have", async () => {
    await page.getByRole("radio", { name: "ETH and estETH" }).check();
    await field().fill("1");
    await said(/It takes \d\.\d+.estETH; you have 0.estETH\./);
    const dave = await accountOf("Dave");
    await chain.p.pool.connect(chain.p.bob).deposit(dave, dave, { value: 2n * ETH });
    await page.getByText(/It takes/).waitFor({ state: "detached" });
    const lp = await valueOf("You get", card("Lend or leave"));
    const before = await chain.liquidity.etherPool.balanceOf(dave);
    await button(/^Approve 0\.\d{4}.estETH$/).click();
    await sign();
    await said(/Approved\. Now send/);
    await button(/^Lend 1\.0000.ETH$/).click();
    await said(/Enter the pool with 0\.\d+ LP/);
    await sign();
    await said(/Lent\. You have 0\.\d{4}.LP more\./);
    expect((await chain.liquidity.etherPool.balanceOf(dave)) - before).to.equal(lp);
    await button("Close").first().click();
  });

  it("shows what is in the pool, what it turned over and what lending gave beside holding, and how that is computed", async () => {
    const pool = card("In the pool");
    expect(await valueOf("Worth", pool)).to.be.greaterThan(60n * ETH);
    const [held] = await chain.liquidity.etherPool.reserves();
    expect(await valueOf("Ether", pool)).to.equal(held);
    expect(await pool.innerText()).to.match(/\d\.\d\d% of the pool, last \d+ days/);
    expect(await pool.innerText()).to.match(
      /Lending gave\s+-?−?\d+\.\d\d% a year\s+Holding estETH gave\s+−?\d+\.\d\d% a year/,
    );
    await said(/Below about 1% sold a day, lending earns less than staking/);
    await button("Against holding estETH").click();
    await said(/less what you put in/);
    await page.keyboard.press("Escape");
    // Dave paid for entering
    const gain = await card("Your share")
      .locator("dl > div", { hasText: "Against holding" })
      .locator(".amount")
      .innerText();
    expect(gain).to.match(/^−0\.00/);
  });

  it("exits with both, always: also while nothing trades", async () => {
    await paused(true);
    await said(/Nothing trades now/);
    await page.getByRole("radio", { name: "Leave", exact: true }).check();
    await field().fill("1");
    const dave = await accountOf("Dave");
    const before = await chain.p.token.balanceOf(dave);
    const ether = await valueOf("You get", card("Lend or leave"));
    await button(/^Take out 1\.0000.LP$/).click();
    await said("Exit the pool with 1.0 LP, for both assets.");
    await sign();
    await said(/Taken out\. You got 0\.\d{4}.ETH and 0\.\d{4}.estETH\./);
    const { etherPool } = chain.liquidity;
    const exited = (await etherPool.queryFilter(etherPool.filters.Exited())).at(-1)?.args;
    expect(exited?.ether_).to.equal(ether);
    expect((await chain.p.token.balanceOf(dave)) > before).to.equal(true);
    await paused(false);
    await page.getByText(/Nothing trades now/).waitFor({ state: "detached" });
    await button("Close").first().click();
  });

  it("exits to ether by a permit, as far as the slider says; the rest is queued", async () => {
    await page.getByRole("radio", { name: "ETH", exact: true }).check();
    await field().fill("4");
    await slider().press("Home");
    const ether = await valueOf("You get now");
    const dave = await accountOf("Dave");
    const before = await chain.liquidity.etherPool.balanceOf(dave);
    await button(/^Take out 4\.0000.LP$/).click();
    await sign();
    await said(/Leave with 4\.0 LP of the pool/);
    await sign();
    await said(/Done\. \d\.\d{4}.ETH is in your account/);
    const { etherPool } = chain.liquidity;
    const exited = (await etherPool.queryFilter(etherPool.filters.Exited())).at(-1)?.args.ether_ ?? 0n;
    expect(exited + (await lastSale()).ether_).to.equal(ether);
    expect(before - (await etherPool.balanceOf(dave))).to.equal(4n * ETH);
    await button("Close").first().click();
  });

  it("says on both pages that nothing trades, and works as it does without a pool", async () => {
    await switchTo("Bob");
    await open("withdraw");
    await field().fill("0.25");
    await slider().press("Home");
    await button(/^Get 0\.24\d\d.ETH now$/).waitFor();
    // a slashing is proven: payments wait until the report after
    await chain.p.pool.connect(chain.p.guardian).pauseDeposits(false);
    await chain.request("evm_increaseTime", [3 * 86_400]);
    await chain.request("evm_mine");
    await said(/Nothing can be sold at once now/);
    expect(await slider().count()).to.equal(0);
    await button("Request withdrawal").click();
    await said(/Request withdrawals of 0\.25/);
    await sign();
    await said(/Requested\. You get at most 0\.2500.ETH/);
    await open("liquidity");
    await said(/Nothing trades now/);
    await open("withdraw");
    await paused(true);
    await said("New requests are paused by a guardian. What is ready can be claimed.");
    await paused(false);
  });

  it("writes nothing to the console, and asks nobody else", () => {
    expect(browser.problems).to.deep.equal([]);
    expect(browser.requests.filter((url) => !/^(data|blob):/.test(url) && !url.startsWith(chain.url))).to.deep.equal(
      [],
    );
  });

  const accountOf = async (name: string): Promise<string> => {
    const { walletOf } = await import("../../devnet/dev/month.ts");
    return walletOf(name.toLowerCase() as "dave").address;
  };
});

describeApp("pages of the pool for eyes and screen readers", function () {
  this.timeout(120_000);
  let chain: LocalChain;
  before(async () => {
    chain = await startLocalChain({ days: 8, folder: FOLDER });
    // some estETH has been sold: fees are above the least, and a sale in part can be chosen
    const { p, liquidity } = chain;
    const deployment = {
      chainId: 31_337n,
      token: p.token.target as string,
      wrapped: p.wrapped.target as string,
      router: liquidity.router.target as string,
      fromBlock: 0,
    };
    const { provider } = p.token.runner ?? {};
    if (provider === null || provider === undefined) throw new Error("no provider");
    const protocol = await connect(provider, deployment);
    await (await leave({ protocol, signer: p.alice }, wei(3n * ETH), { permit: true, maxFeeBp: bp(300n) })).send();
  });
  after(() => chain.stop());

  for (const [theme, locale, width] of [
    ["light", "en-GB", 1_280],
    ["dark", "en-GB", 360],
    ["light", "de-DE", 360],
    ["dark", "de-DE", 1_280],
  ] as const)
    it(`has no serious fault, and clips nothing, in any of its states (${theme}, ${locale}, ${width} px)`, async () => {
      const browser = await openBrowser({ width, theme, locale });
      try {
        const page = await browser.page();
        const isFine = async (what: string): Promise<void> => {
          expect(await serious(page), `${what} ${theme} ${locale}`).to.deep.equal([]);
          expect(await clipped(page), `${what} at ${width} px in ${locale}`).to.deep.equal([]);
        };
        await openPage(page, chain.url, "liquidity");
        await isFine("liquidity without a wallet");
        await connectAs(page, "Erin");
        await openPage(page, chain.url, "liquidity");
        await isFine("liquidity");
        const radios = page.locator(".choice input");
        for (const [direction, assets] of [
          [0, 2],
          [0, 3],
          [1, 2],
          [1, 3],
        ] as const) {
          await radios.nth(direction).check();
          await radios.nth(assets).check();
          await page.getByRole("textbox").first().fill("2");
          await isFine(`liquidity ${direction} ${assets}`);
        }
        await openPage(page, chain.url, "withdraw");
        await page.getByRole("textbox").first().fill("12");
        await page.getByRole("slider").press("Home");
        await page.getByRole("slider").press("PageUp");
        await isFine("withdraw, in part");
        expect(browser.problems).to.deep.equal([]);
      } finally {
        await browser.close();
      }
    });
});
