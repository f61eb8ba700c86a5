/**
 * `npm run app:vitals`: what a person waits for, in Chromium with a four times slower CPU on the local network. JSON: milliseconds, and the
 * layout shift as the browser counts it. Exit codes: 0 within the limits, 1 above.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connectAs, openBrowser, openPage } from "./browser.ts";
import { startLocalChain } from "./localChain.ts";

const LIMITS = { largestContentfulPaint: 1_500, interactionToNextPaint: 200, layoutShift: 0.05 };
const SLOWER = 4;

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

async function measure(): Promise<Record<string, Vitals>> {
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
    const result: Record<string, Vitals> = {};
    for (const path of ["", "withdraw", "wrap", "rewards", "protocol", "operators", "build"]) {
      await openPage(page, chain.url, path);
      await sleep(1_000);
      const field = page.getByLabel("Amount", { exact: true });
      if ((await field.count()) > 0) await field.first().pressSequentially("1.5");
      await page.locator(".side .nav-link").nth(1).click();
      await sleep(1_000);
      result[path === "" ? "stake" : path] = await page.evaluate<Vitals>("vitals");
    }
    return result;
  } finally {
    await browser.close();
    await chain.stop();
  }
}

// a test run loads every file of this folder
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const pages = await measure();
  const names = Object.keys(LIMITS) as (keyof Vitals)[];
  const ok = Object.values(pages).every((vitals) => names.every((name) => vitals[name] <= LIMITS[name]));
  process.stdout.write(`${JSON.stringify({ ok, limits: LIMITS, slower: SLOWER, pages }, null, 2)}\n`);
  process.exitCode = ok ? 0 : 1;
}
