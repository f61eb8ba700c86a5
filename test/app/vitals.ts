/**
 * `npm run app:vitals`: what a person waits for, in Chromium with a four times slower processor on the local network. JSON: milliseconds, and the
 * layout shift as the browser counts it. On a machine that is busy with something else, times are held against limits that are wider by as much as a
 * fixed piece of work takes longer, measured on the page itself right before; of several openings the best counts, since others' work only adds.
 * Exit codes: 0 within the limits, 1 above.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { connectAs, openBrowser, openPage } from "./browser.ts";
import { startLocalChain } from "./localChain.ts";
import { slowness } from "./pace.ts";

const LIMITS = { largestContentfulPaint: 1_500, interactionToNextPaint: 200, layoutShift: 0.05 };
const SLOWER = 4;
const MOST_TRIES = 5;

/** Runs before the page's own scripts. */
const OBSERVE = `
  globalThis.vitals = { largestContentfulPaint: 0, interactionToNextPaint: 0, layoutShift: 0 };
  new PerformanceObserver((list) => { for (const e of list.getEntries()) vitals.largestContentfulPaint = e.startTime; })
    .observe({ type: "largest-contentful-paint", buffered: true });
  new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) vitals.layoutShift += e.value; })
    .observe({ type: "layout-shift", buffered: true });
  new PerformanceObserver((list) => {
    for (const e of list.getEntries()) vitals.interactionToNextPaint = Math.max(vitals.interactionToNextPaint, e.duration);
  }).observe({ type: "event", buffered: true, durationThreshold: 16 });
`;

type Vitals = typeof LIMITS;
const NAMES = Object.keys(LIMITS) as (keyof Vitals)[];

interface Measured {
  readonly vitals: Vitals;
  /** How much longer scripts took than on a quiet machine. */
  readonly slowness: number;
  readonly ok: boolean;
}

async function measure(page: Page, url: string, path: string): Promise<Measured> {
  await page.goto("about:blank");
  const before = await slowness(page);
  await openPage(page, url, path);
  await sleep(1_000);
  const field = page.getByLabel("Amount", { exact: true });
  if ((await field.count()) > 0) await field.first().pressSequentially("1.5");
  await page.locator(".side .nav-link").nth(1).click();
  await sleep(1_000);
  const vitals = await page.evaluate<Vitals>("vitals");
  const slower = Math.max(before, await slowness(page));
  const allowed = (name: keyof Vitals): number => LIMITS[name] * (name === "layoutShift" ? 1 : slower);
  return { vitals, slowness: slower, ok: NAMES.every((name) => vitals[name] <= allowed(name)) };
}

async function best(page: Page, url: string, path: string): Promise<Measured & { readonly tries: number }> {
  for (let tries = 1; ; tries++) {
    const measured = await measure(page, url, path);
    if (measured.ok || tries === MOST_TRIES) return { ...measured, tries };
  }
}

async function measureAll(): Promise<Record<string, Measured>> {
  const folder = fileURLToPath(new URL("../../app/dist-local", import.meta.url));
  const chain = await startLocalChain({ days: 30, folder, pollSeconds: 12 });
  const browser = await openBrowser({ width: 1_280 });
  try {
    const page = await browser.page();
    await page.addInitScript({ content: OBSERVE });
    await openPage(page, chain.url, "");
    await connectAs(page, "Alice");
    await page.getByRole("button", { name: "I understand" }).click();
    const devtools = await browser.context.newCDPSession(page);
    await devtools.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
    const result: Record<string, Measured> = {};
    for (const path of ["", "withdraw", "wrap", "rewards", "protocol", "operators", "liquidity", "build"])
      result[path === "" ? "stake" : path] = await best(page, chain.url, path);
    return result;
  } finally {
    await browser.close();
    await chain.stop();
  }
}

// a test run loads every file of this folder
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const pages = await measureAll();
  const ok = Object.values(pages).every((page) => page.ok);
  process.stdout.write(`${JSON.stringify({ ok, limits: LIMITS, slower: SLOWER, pages }, null, 2)}\n`);
  process.exitCode = ok ? 0 : 1;
}
