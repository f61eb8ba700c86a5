/** What is wrong with a page for a screen reader, or for an eye. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** What axe-core finds that is serious or critical. */
export async function serious(page: Page): Promise<string[]> {
  // the policy forbids the page's own scripts to be added to: this one comes over the debugger
  await page.evaluate(readFileSync(AXE, "utf8"));
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { impact: string; id: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
  });
}

/** Text that is wider than its place, or a page wider than the window. */
export async function clipped(page: Page, selector = "main *, header *, nav *"): Promise<string[]> {
  return page.evaluate(`(() => {
    const found = [];
    if (document.documentElement.scrollWidth > window.innerWidth + 1)
      found.push("the page is " + document.documentElement.scrollWidth + " px wide");
    for (const element of document.querySelectorAll(${JSON.stringify(selector)})) {
      const box = element.getBoundingClientRect();
      if (box.width === 0 || element.closest(".hidden, .scroll, [popover], .skip, svg")) continue;
      if (element.tagName !== "INPUT" && element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX !== "visible")
        found.push("clipped: " + element.outerHTML.slice(0, 120));
      if (box.right > window.innerWidth + 1 || box.left < -1) found.push("outside: " + element.outerHTML.slice(0, 120));
    }
    return found;
  })()`);
}
