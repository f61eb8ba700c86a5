/**
 * `npm run app:shots [-- <folder>]`: every page in both themes at 360 and 1,280 px, and the states that look different, as PNGs. By default to
 * app/dist-shots.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { connectAs, openBrowser, openPage } from "./browser.ts";
import type { Hex } from "../../offchain/util/hex.ts";
import { badFiles, goodFile } from "./depositFiles.ts";
import type { DroppedFile } from "./depositFiles.ts";
import { startLocalChain } from "./localChain.ts";
import type { LocalChain } from "./localChain.ts";

/** Of a validator that nobody brought. */
const FREE_KEY = 40;
const PAGES = ["stake", "withdraw", "wrap", "rewards", "protocol", "operators", "liquidity", "build"];
const pathOf = (name: string): string => (name === "stake" ? "" : name);
const folderOf = (name: string): string => fileURLToPath(new URL(`../../app/${name}`, import.meta.url));

async function shootAll(chain: LocalChain, folder: string): Promise<void> {
  for (const theme of ["light", "dark"] as const)
    for (const width of [360, 1_280]) {
      const browser = await openBrowser({ width, theme, height: width === 360 ? 740 : 860 });
      const page = await browser.page();
      const shoot = (name: string): Promise<unknown> =>
        page.screenshot({ path: join(folder, `${name}-${theme}-${width}.png`), fullPage: true });
      const go = async (name: string): Promise<void> => {
        await openPage(page, chain.url, pathOf(name));
      };
      await go("stake");
      await shoot("stake-no-wallet");
      await connectAs(page, "Alice");
      for (const name of PAGES) {
        await go(name);
        await shoot(name);
      }
      await states(chain, page, go, shoot);
      await operator(chain, page, go, shoot);
      await browser.close();
    }
}

/** What differs from the ordinary: empty, signing, done, paused, the node away. */
async function states(
  chain: LocalChain,
  page: Page,
  go: (name: string) => Promise<void>,
  shoot: (name: string) => Promise<unknown>,
): Promise<void> {
  const { pool, queue, guardian } = chain.p;
  await go("stake");
  await page.getByRole("button", { name: "I understand" }).click();
  await page.getByLabel("Amount", { exact: true }).fill("1.5");
  await page.getByRole("button", { name: /^Stake 1/ }).click();
  await page.getByRole("button", { name: "Sign", exact: true }).waitFor();
  await shoot("stake-signing");
  await page.getByRole("button", { name: "Reject" }).click();
  await page.getByText(/You did not sign/).waitFor();
  await shoot("stake-rejected");
  await page.getByRole("button", { name: /^Stake 1/ }).click();
  await page.getByRole("button", { name: "Sign", exact: true }).click();
  await page.getByText(/Staked\./).waitFor();
  await shoot("stake-done");
  await pool.connect(guardian).pauseDeposits(true);
  await page.getByText(/Nothing can be staked now/).waitFor();
  await shoot("stake-paused");
  await pool.connect(guardian).pauseDeposits(false);
  await go("withdraw");
  await page.getByLabel("Amount", { exact: true }).fill("9");
  await page.getByRole("slider").press("Home");
  await shoot("withdraw-now");
  await page.getByRole("slider").press("PageUp");
  await page.getByRole("slider").press("PageUp");
  await shoot("withdraw-part");
  await queue.connect(guardian).pauseRequests(true);
  await page
    .getByText(/New requests are paused/)
    .last()
    .waitFor();
  await shoot("withdraw-paused");
  await go("liquidity");
  await page.getByText(/Nothing trades now/).waitFor();
  await shoot("liquidity-paused");
  await queue.connect(guardian).pauseRequests(false);
  await page.getByText(/Nothing trades now/).waitFor({ state: "detached" });
  await page.getByLabel("Amount", { exact: true }).fill("2");
  await shoot("liquidity-lend");
  await go("protocol");
  chain.setDown(true);
  await page.getByText(/cannot reach its node/).waitFor();
  await shoot("protocol-node-down");
  await page.reload();
  await page.getByText(/tries again by itself/).waitFor();
  await page.waitForTimeout(2_000);
  await shoot("protocol-never-read");
  chain.setDown(false);
  await page.getByText(/tries again by itself/).waitFor({ state: "detached" });
}

/** What an operator sees: its own, a file that is refused and one that is in order. */
async function operator(
  chain: LocalChain,
  page: Page,
  go: (name: string) => Promise<void>,
  shoot: (name: string) => Promise<unknown>,
): Promise<void> {
  await page.locator("header button.account").click();
  await page.getByRole("button", { name: "Disconnect" }).click();
  await connectAs(page, "Harbour Nodes");
  await go("operators");
  await page.locator(".actions").waitFor();
  await page.locator(".panel").or(page.locator(".tags")).first().waitFor();
  await shoot("operators-own");
  for (const [name, button] of [
    ["add-bond", "Add bond"],
    ["withdraw-bond", "Withdraw bond"],
    ["rewards", "Claim rewards"],
    ["keys", "Deposit keys"],
  ] as const) {
    await page.locator(".actions").getByRole("button", { name: button }).click();
    const field = page.locator(".panel").getByLabel("Amount", { exact: true });
    if ((await field.count()) > 0) await field.fill("0.25");
    // the network's cost has been asked
    await page.waitForTimeout(1_000);
    await shoot(`operators-${name}`);
  }
  const credentials = (await chain.p.validators.withdrawalCredentials()) as Hex;
  const choose = async ({ name, text }: DroppedFile): Promise<void> =>
    page.locator(".drop input").setInputFiles({ name, mimeType: "application/json", buffer: Buffer.from(text) });
  for (const file of badFiles(credentials, 0, FREE_KEY).filter(({ name }) =>
    ["keystore.json", "twice.json"].includes(name),
  )) {
    await choose(file);
    await page.getByText(file.sentence).first().waitFor();
    await shoot(`operators-${file.name.replace(".json", "")}`);
  }
  await choose(goodFile({ credentials, first: FREE_KEY, count: 2 }));
  await page.getByText(/is in order/).waitFor();
  await page.waitForTimeout(1_000);
  await page.locator(".commands summary").click();
  await shoot("operators-file");
}

// a test run loads every file of this folder
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? folderOf("dist-shots");
  await mkdir(folder, { recursive: true });
  const chain = await startLocalChain({ days: 30, folder: folderOf("dist-local") });
  try {
    await shootAll(chain, folder);
    process.stdout.write(`${folder}\n`);
  } finally {
    await chain.stop();
  }
}
