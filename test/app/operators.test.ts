/** An operator's whole life on the built app: Dave joins, bonds, drops his keys on the page, earns, and takes out what is his. Run by `npm run test:app`. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { ZeroAddress } from "ethers";
import type { Page } from "playwright-core";
import { commandsFor } from "../../app/src/pages/operators/commandsFor.ts";
import { deriveValidatorKeys } from "../../devnet/keys.ts";
import { prove } from "../../devnet/simulated/localProtocol.ts";
import { ValidatorReader } from "../../offchain/chain/validatorReader.ts";
import { runCli } from "../../offchain/cli/program.ts";
import { EXIT } from "../../offchain/util/errors.ts";
import type { Hex } from "../../offchain/util/hex.ts";
import { clipped, serious } from "./axe.ts";
import { connectAs, openBrowser, openPage } from "./browser.ts";
import type { Opened } from "./browser.ts";
import { badFiles, goodFile } from "./depositFiles.ts";
import type { DroppedFile } from "./depositFiles.ts";
import { startLocalChain } from "./localChain.ts";
import type { LocalChain } from "./localChain.ts";
import { describeWith } from "../helpers/describeWith.ts";

const describeApp = describeWith("APP_TESTS");
const ETH = 10n ** 18n;
/** Indices of keys: operator 1 has the first, nobody these. */
const [REGISTERED, FREE] = [0, 40];
const NAME = "Delta Nodes";

/** A table that became a list needs no scrolling. */
async function isScrolled(page: Page): Promise<boolean> {
  return page.evaluate<boolean>(
    "[...document.querySelectorAll('.scroll:has(.stack)')].some(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth + 1)",
  );
}

describeApp("the app for operators", function () {
  this.timeout(120_000);
  let chain: LocalChain;
  let browser: Opened;
  let page: Page;
  let id: bigint;

  before(async () => {
    chain = await startLocalChain({ days: 8, folder: fileURLToPath(new URL("../../app/dist-local", import.meta.url)) });
    browser = await openBrowser({ width: 1_280 });
    page = await browser.page();
    // each step reads everything anew, on a machine that may be busy
    page.setDefaultTimeout(30_000);
    await openPage(page, chain.url, "operators");
  });
  after(async () => {
    await browser.close();
    await chain.stop();
  });

  const said = (text: string | RegExp) => page.getByText(text).first().waitFor();
  const button = (name: string | RegExp) => page.getByRole("button", { name, exact: typeof name === "string" });
  const sign = () => button("Sign").click();
  const own = () => page.locator(".card", { hasText: `Your operator: ${NAME}` });
  const panel = () => own().locator(".panel");
  const press = (name: string | RegExp) => panel().getByRole("button", { name }).click();
  const open = (name: string) => own().locator(".actions").getByRole("button", { name }).click();
  const field = () => panel().getByLabel("Amount", { exact: true });
  const bond = async (): Promise<bigint> => (await chain.p.operators.bondOf(id)).bond;
  /** In the order in which they are funded: all are of one tier. */
  const queuedKeys = async (): Promise<Hex[]> => {
    const { provider } = chain.p.keeper;
    if (provider === null) throw new Error("the keeper's account has no node");
    const book = await new ValidatorReader(chain.p.validators, provider, 0).bookAt(await provider.getBlockNumber());
    const queued = [...book.values()].filter(({ status }) => status === "queued");
    expect(new Set(queued.map(({ tier }) => tier)).size).to.equal(1);
    return queued.sort((one, other) => (one.sequence ?? 0) - (other.sequence ?? 0)).map(({ pubkey }) => pubkey);
  };
  /** A day that earns more than what was lost before: fees are of gains above the high-water mark. */
  const earn = async (): Promise<void> => {
    chain.p.beacon.creditExecutionReward(await chain.p.rewardsVault.getAddress(), ETH);
    await chain.day();
  };
  const credentials = async (): Promise<Hex> => (await chain.p.validators.withdrawalCredentials()) as Hex;
  const isBlocked = () => panel().getByRole("button", { name: "Deposit keys" }).isDisabled();
  const drop = async (...files: readonly DroppedFile[]): Promise<void> => {
    const made = files.map(({ name, text }) =>
      // ten million spaces are made where they are needed
      text.length > 1_000_000
        ? `new File([" ".repeat(${text.length})], ${JSON.stringify(name)})`
        : `new File([${JSON.stringify(text)}], ${JSON.stringify(name)})`,
    );
    const dataTransfer = await page.evaluateHandle(
      `(() => { const data = new DataTransfer(); for (const file of [${made.join()}]) data.items.add(file); return data; })()`,
    );
    await panel().locator(".drop").dispatchEvent("drop", { dataTransfer });
  };

  it("lists who runs validators: tier, bond against what is required, record with its meaning, standing", async () => {
    const row = page.getByRole("row", { name: /Operator One/ });
    expect(await row.innerText()).to.match(/Curated\s+3\s+0\s+3\.\d{4}\s+3\.0000\s+1 slashed\s+frozen: slashed/);
    expect(await page.getByRole("row", { name: /Harbour Nodes/ }).innerText()).to.match(/Community.*nothing lost/s);
    await button("Record").click();
    await said(/How well a single validator works day by day is not on chain/);
    await page.keyboard.press("Escape");
  });

  it("joins a tier under a name, with an address for rewards, and shows the operator as one's own", async () => {
    await connectAs(page, "Dave");
    await button("Join: Community").click();
    const name = page.getByLabel(/^Name, for everybody/);
    await name.fill("é".repeat(33));
    await said(/At most 64 characters/);
    await name.fill(NAME);
    const rewards = page.getByLabel(/Rewards may also be claimed by/);
    await rewards.fill("0x12");
    await said("This is not an address.");
    expect(await button("Join").last().isDisabled()).to.equal(true);
    await rewards.fill(chain.p.carol.address);
    await page.locator(".panel").getByRole("button", { name: "Join", exact: true }).click();
    await sign();
    await said("You joined. Your operator is above.");
    await said(new RegExp(`Your operator: ${NAME}`));
    id = await chain.p.operators.operatorCount();
    expect((await chain.p.operators.operator(id)).rewardAddress).to.equal(chain.p.carol.address);
  });

  it("adds bond, and says before how many keys it will carry", async () => {
    await open("Add bond");
    await field().fill("6");
    expect(await panel().innerText()).to.match(/Bond after that\s+6\.0000.ETH\s+More keys it carries then\s+9/);
    await press("Add bond");
    await sign();
    await said("Your bond is higher now.");
    expect((await bond()) >= 6n * ETH - 1_000n).to.equal(true);
    await own().getByText("More keys it carries").first().waitFor();
  });

  it("withdraws what is free as estETH and westETH, and refuses more beside the field", async () => {
    await open("Withdraw bond");
    await field().fill("7");
    await said(/Only 6\.0000.ETH are free: the rest stands for your keys/);
    expect(await field().inputValue()).to.equal("7");
    const before = await chain.p.token.balanceOf(await chain.p.operators.operator(id).then(({ owner }) => owner));
    await field().fill("0.5");
    await press(/^Withdraw 0\.5000/);
    await sign();
    await said(/Withdrawn\. You got 0\.5000.estETH/);
    const { owner } = await chain.p.operators.operator(id);
    const gained = (await chain.p.token.balanceOf(owner)) - before;
    expect(gained >= ETH / 2n - 3n && gained <= ETH / 2n, String(gained)).to.equal(true);
    await panel().getByRole("radio", { name: "westETH", exact: true }).check();
    await field().fill("0.25");
    await press(/^Withdraw 0\.2500/);
    await sign();
    await said(/Withdrawn\. You got 0\.2\d+.westETH/);
    expect((await chain.p.wrapped.balanceOf(owner)) > 0n).to.equal(true);
    expect((await bond()) <= 5_250_000_000_000_001_000n).to.equal(true);
  });

  it("loads what checks signatures only when a file is dropped", async () => {
    const isCheck = (url: string): boolean => /\/deposits-[^/]*\.js/.test(url);
    await open("Deposit keys");
    expect(browser.requests.some(isCheck)).to.equal(false);
    await drop({ name: "a.json", text: "{" });
    await said(/it is not JSON/);
    expect(browser.requests.some(isCheck)).to.equal(true);
  });

  it("says of each bad file in one sentence what is wrong, and loses nothing that was typed", async () => {
    await button("Join: Classic").click();
    await page.getByLabel(/^Name, for everybody/).fill("Typed before");
    const all = badFiles(await credentials(), REGISTERED, FREE);
    for (const file of all) {
      await drop(file);
      const note = panel().getByRole("alert");
      await note.filter({ hasText: file.sentence }).waitFor();
      expect(await note.count(), file.name).to.equal(1);
      expect(await note.innerText(), file.name).to.match(file.sentence);
      expect(await panel().getByText(file.name).count(), file.name).to.equal(1);
      expect(await isBlocked(), file.name).to.equal(true);
    }
    const [first, second] = all;
    if (first === undefined || second === undefined) throw new Error("no files");
    await drop(first, second);
    await said("One file at a time.");
    expect(await page.getByLabel(/^Name, for everybody/).inputValue()).to.equal("Typed before");
  });

  it("keeps nothing of a secret that was dropped by mistake", async () => {
    const secret = badFiles(await credentials(), REGISTERED, FREE).find(({ name }) => name === "mnemonic.json");
    if (secret === undefined) throw new Error("no such file");
    await drop(secret);
    await said(/nothing of them was kept/);
    const kept = await page.evaluate<string>(
      "document.documentElement.outerHTML + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)",
    );
    expect(kept).not.to.include("legal winner");
  });

  it("lists all problems of a file with several", async () => {
    const text = JSON.stringify([7, 8]);
    await drop({ name: "several.json", text });
    await panel().getByText("All 2 problems").click();
    await panel().getByText("Deposit 2: this is not deposit data.").waitFor();
  });

  it("deposits the keys of a dropped file, after it was checked, and shows them with what comes next", async () => {
    await drop(goodFile({ credentials: await credentials(), first: FREE, count: 2 }));
    await said(/deposit_data-40\.json is in order/);
    expect(await panel().innerText()).to.match(
      /Keys in it\s+2\s+You deposit now\s+2\.0000.ETH\s+Your bond carries\s+\d more/,
    );
    await press(/^Deposit 2 keys for 2\.0000/);
    await said(/with 2\.0 ETH/);
    await sign();
    await said(/2 keys deposited\. They appear below/);
    const [key] = deriveValidatorKeys(1, FREE);
    const book = await own().locator("tbody").innerText();
    expect(book).to.include(key?.pubkey.slice(0, 10));
    expect(book).to.include("The beacon chain must know it");
  });

  it("leaves out keys that were sent before, and says so of a file that has no others", async () => {
    await drop(goodFile({ credentials: await credentials(), first: FREE, count: 2 }));
    await said("All of its keys were deposited before.");
    await drop(goodFile({ credentials: await credentials(), first: FREE, count: 3 }));
    await said("2 were sent before and are left out");
    await panel()
      .getByRole("button", { name: /^Deposit 1 key for 1\.0000/ })
      .waitFor();
  });

  it("shows proven keys with their place in line, then as active with the command that ends them", async () => {
    await prove(chain.p, deriveValidatorKeys(2, FREE));
    await own()
      .getByText(/Number \d in line for 31.ETH/)
      .first()
      .waitFor();
    await chain.p.pool.connect(chain.p.bob).deposit(chain.p.bob, ZeroAddress, { value: 500n * ETH });
    await own()
      .getByText(/the ether is here/)
      .first()
      .waitFor();
    await chain.p.validators.connect(chain.p.keeper).fundValidators(await queuedKeys());
    await own().getByText("2 active").waitFor();
    await own()
      .getByRole("button", { name: /^Copy the command that makes 0x/ })
      .first()
      .waitFor();
  });

  it("claims rewards as estETH and westETH, and adds them to the bond", async () => {
    const { owner } = await chain.p.operators.operator(id);
    for (const [as, label, result] of [
      ["estETH", /^Claim 0\.\d+.estETH/, /Claimed 0\.\d+.estETH/],
      ["westETH", /^Claim 0\.\d+.westETH/, /Claimed 0\.\d+.westETH/],
      ["bond", /^Add 0\.\d+.ETH to the bond/, /Your rewards are part of your bond now/],
    ] as const) {
      await earn();
      const token = as === "westETH" ? chain.p.wrapped : chain.p.token;
      const before = as === "bond" ? await bond() : await token.balanceOf(owner);
      await openPage(page, chain.url, "operators");
      await open("Claim rewards");
      await panel().getByRole("radio", { name: as, exact: true }).check();
      await press(label);
      await sign();
      await said(result);
      const after = as === "bond" ? await bond() : await token.balanceOf(owner);
      expect(after > before, as).to.equal(true);
      await panel().getByRole("button", { name: "Close" }).click();
    }
    expect(await chain.p.operators.claimableShares(id)).to.equal(0n);
    await said("No rewards since the last claim. They come with each report.");
  });

  it("lets the reward address see the operator, claim, and nothing else", async () => {
    await page.locator("header button.account").click();
    await button("Disconnect").click();
    await connectAs(page, "Carol");
    await said(new RegExp(`Your operator: ${NAME}`));
    await open("Withdraw bond");
    await said("Only the owner may withdraw bond.");
    await open("Deposit keys");
    await said("Only the owner or the manager may deposit keys.");
    await earn();
    await open("Claim rewards");
    await panel()
      .getByRole("button", { name: /^Claim 0\.\d+/ })
      .click();
    await sign();
    await said(/Claimed 0\.\d+.estETH/);
  });

  it("shows commands that the command line takes as they are", async () => {
    await own().getByText("With the command line, where your keys stay").click();
    const shown = await own().locator(".commands code").allInnerTexts();
    const [active] = deriveValidatorKeys(1, FREE);
    expect(shown).to.deep.equal(commandsFor(id, "local", active?.pubkey).map(({ text }) => text));
    const folder = mkdtempSync(join(tmpdir(), "estuary-operators-"));
    const deployment = join(folder, "addresses.json");
    const [token, wrapped] = await Promise.all([chain.p.token.getAddress(), chain.p.wrapped.getAddress()]);
    writeFileSync(deployment, JSON.stringify({ chainId: 31_337, token, wrapped, fromBlock: 0 }));
    const beside: Readonly<Record<string, readonly string[]>> = {
      init: ["--execution-url", chain.rpcUrl, "--deployment", deployment, "--settings", join(folder, "estuary.env")],
      keys: ["--folder", folder],
      prove: ["--beacon", "http://127.0.0.1:1", "--dry-run"],
      requeue: ["--dry-run"],
      exit: ["--beacon", "http://127.0.0.1:1"],
    };
    // there is no consensus node; everything else is done
    const ends: Readonly<Record<string, number>> = { prove: EXIT.unavailable, exit: EXIT.unavailable };
    for (const text of shown) {
      const words = text.replace(/^npm run --silent estuary -- /, "").split(" ");
      const name = words[0] === "operator" ? (words[1] ?? "") : (words[0] ?? "");
      const said: string[] = [];
      const code = await runCli([...words, ...(beside[name] ?? [])], {
        out: (line) => said.push(line),
        err: (line) => said.push(line),
        interactive: false,
        confirm: () => Promise.resolve(false),
        env: {
          ESTUARY_EXECUTION_URLS: chain.rpcUrl,
          ESTUARY_DEPLOYMENT: deployment,
          ESTUARY_ACCOUNT: await chain.p.operators.operator(id).then(({ owner }) => owner),
          ESTUARY_MNEMONIC: "test test test test test test test test test test test junk",
          ESTUARY_KEYS_PASSWORD: "correct horse",
        },
      });
      expect(code, `${text}\n${said.join("\n")}`).to.equal(ends[name] ?? EXIT.ok);
    }
  });

  it("asks nobody else, and writes nothing to the console", () => {
    const others = browser.requests.filter((url) => !url.startsWith(chain.url) && !/^(data|blob):/.test(url));
    expect(others).to.deep.equal([]);
    expect(browser.problems).to.deep.equal([]);
  });

  it("has no serious fault for a screen reader, and clips nothing, in both themes, languages and widths, with everything open", async () => {
    const another = await openBrowser({ width: 1_280 });
    try {
      const view = await another.page();
      await view.goto(chain.url);
      await connectAs(view, "Dave");
      for (const language of ["en", "de"]) {
        await view.setViewportSize({ width: 1_280, height: 860 });
        await openPage(view, chain.url, "operators");
        await view.locator(".side .language select").selectOption(language);
        await view.locator(`html[lang=${language}]`).waitFor();
        await view.locator(".commands summary").click();
        await view.locator(".stack button[aria-expanded]").first().click();
        for (const panelAt of [0, 1, 2, 3]) {
          await view.locator(".actions button").nth(panelAt).click();
          if (panelAt === 3) {
            const buffer = Buffer.from("[7, 8]");
            await view.locator(".drop input").setInputFiles({ name: "bad.json", mimeType: "application/json", buffer });
            await view.locator(".drop.wrong").waitFor();
            await view.locator(".panel summary").click();
          }
          for (const colorScheme of ["light", "dark"] as const)
            for (const width of [360, 1_280]) {
              await view.emulateMedia({ colorScheme });
              await view.setViewportSize({ width, height: 860 });
              const where = `${language} ${colorScheme} ${width} px, panel ${panelAt}`;
              expect(await clipped(view), where).to.deep.equal([]);
              expect(await isScrolled(view), where).to.equal(false);
              if (panelAt === 3 || (width === 360 && colorScheme === "light"))
                expect(await serious(view), where).to.deep.equal([]);
            }
        }
      }
      expect(another.problems).to.deep.equal([]);
    } finally {
      await another.close();
    }
  });
});
