/** Chromium as the tests and the screenshots start it: no account, no update, nothing in the background. */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";

const EXECUTABLE = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface BrowserOptions {
  readonly width: number;
  readonly height?: number;
  readonly theme?: "light" | "dark";
  readonly locale?: "en-GB" | "de-DE";
}

export interface Opened {
  readonly context: BrowserContext;
  /** Every URL that pages asked for. */
  readonly requests: readonly string[];
  /** Errors and warnings of the console, and what nobody caught. */
  readonly problems: string[];
  page(): Promise<Page>;
  close(): Promise<void>;
}

export async function openBrowser({
  width,
  height = 860,
  theme = "light",
  locale = "en-GB",
}: BrowserOptions): Promise<Opened> {
  if (!existsSync(EXECUTABLE))
    throw new Error(`no browser at ${EXECUTABLE}: install Debian's chromium, or name another Chromium in CHROMIUM`);
  const { chromium } = await import("playwright-core");
  const folder = await mkdtemp(join(tmpdir(), "estuary-app-"));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: EXECUTABLE,
    headless: true,
    args: FLAGS,
    viewport: { width, height },
    colorScheme: theme,
    locale,
    timezoneId: "UTC",
    reducedMotion: "reduce",
  });
  const requests: string[] = [];
  const problems: string[] = [];
  context.on("request", (request) => requests.push(request.url()));
  const watch = (page: Page): void => {
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(error.message));
  };
  return {
    context,
    requests,
    problems,
    page: async () => {
      const page = await context.newPage();
      watch(page);
      page.setDefaultTimeout(15_000);
      return page;
    },
    close: async () => {
      await context.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Connects with the test wallet, as a person does. */
export async function connectAs(page: Page, name: string): Promise<void> {
  await page.locator("header").getByRole("button").first().click();
  await page.getByRole("button", { name: /Test wallet/ }).click();
  await page.getByRole("button", { name: new RegExp(`^${name} `) }).click();
  await page.locator("header button.account").waitFor();
}

/** Opens a page of the app anew, and waits until everything on it has been read. */
export async function openPage(page: Page, url: string, path: string): Promise<void> {
  await page.goto("about:blank");
  await page.goto(`${url}#/${path}`);
  await page.locator("h1").waitFor();
  // the page's policy forbids what Playwright's own waiting for a function evaluates
  const deadline = Date.now() + 15_000;
  while (await page.evaluate<boolean>("document.querySelector('.lines') !== null")) {
    if (Date.now() > deadline) throw new Error(`${url}#/${path} is not read to its end`);
    await sleep(50);
  }
}

/** Text that is wider than its place, or a page wider than the window. */
export async function clipped(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const found = [];
    if (document.documentElement.scrollWidth > window.innerWidth + 1)
      found.push("the page is " + document.documentElement.scrollWidth + " px wide");
    for (const element of document.querySelectorAll("main *, header *, nav *")) {
      const box = element.getBoundingClientRect();
      if (box.width === 0 || element.closest(".hidden, .scroll, [popover], .skip, svg")) continue;
      if (element.tagName !== "INPUT" && element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX !== "visible")
        found.push("clipped: " + element.outerHTML.slice(0, 120));
      if (box.right > window.innerWidth + 1 || box.left < -1) found.push("outside: " + element.outerHTML.slice(0, 120));
    }
    return found;
  })()`);
}
