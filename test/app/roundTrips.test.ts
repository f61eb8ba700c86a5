/**
 * How long a page waits for its node, in waits. A wait is a request to the node that began after another one had ended: whatever runs beside it, in
 * one batch or in several requests, is the same wait. Counted in the browser, of every request to the node from the page's start until it is quiet,
 * so that what one request needs of another's answer can't be hidden. Run by `npm run test:app`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import type { Page, Request } from "playwright-core";
import { MULTICALL3 } from "../../offchain/chain/multicall.ts";
import { MulticallMock__factory } from "../../typechain-types/factories/test/mocks/MulticallMock__factory.ts";
import { connectAs, openBrowser, openPage } from "./browser.ts";
import type { Opened } from "./browser.ts";
import type { LocalChain } from "./localChain.ts";
import { changeConfig, describeApp, ofSharedChain } from "./shared.ts";

/** So long a request takes: those of one wait overlap for certain, and what waits for an answer begins after it. */
const DELAY = 250;
/** Without a request for so long, nothing else comes. */
const QUIET = 4 * DELAY;

/** Waits until everything is read. Those that are histories read events, which a node may hand out in pieces; the others may wait twice. */
const PAGES: Readonly<Record<string, { readonly cold: number; readonly warm: number }>> = {
  "": { cold: 2, warm: 2 },
  withdraw: { cold: 2, warm: 2 },
  wrap: { cold: 2, warm: 2 },
  liquidity: { cold: 2, warm: 2 },
  operators: { cold: 2, warm: 2 },
  build: { cold: 2, warm: 2 },
  rewards: { cold: 2, warm: 2 },
  protocol: { cold: 4, warm: 2 },
};

interface Span {
  readonly from: number;
  to: number;
}

class Waits {
  readonly #spans = new Map<Request, Span>();
  #last = 0;

  constructor(page: Page) {
    page.on("request", (request) => {
      if (new URL(request.url()).pathname !== "/rpc") return;
      this.#spans.set(request, { from: performance.now(), to: Infinity });
      this.#last = performance.now();
    });
    const ended = (request: Request): void => {
      const span = this.#spans.get(request);
      if (span === undefined) return;
      span.to = performance.now();
      this.#last = span.to;
    };
    page.on("requestfinished", ended);
    page.on("requestfailed", ended);
  }

  clear(): void {
    this.#spans.clear();
    this.#last = performance.now();
  }

  async quiet(): Promise<void> {
    for (;;) {
      const isOpen = [...this.#spans.values()].some(({ to }) => to === Infinity);
      if (!isOpen && performance.now() - this.#last > QUIET) return;
      await sleep(20);
    }
  }

  /** The most requests of which each began after the one before had ended. */
  get count(): number {
    const ordered = [...this.#spans.values()].sort((a, b) => a.to - b.to);
    let [count, end] = [0, -Infinity];
    for (const { from, to } of ordered) {
      if (from < end) continue;
      count += 1;
      end = to;
    }
    return count;
  }
}

describeApp("what a page waits for", function () {
  this.timeout(120_000);
  const chain = ofSharedChain();
  let browser: Opened;
  let page: Page;
  let waits: Waits;

  before(async () => {
    browser = await openBrowser({ width: 1_280 });
    page = await browser.page();
    // nothing is looked for again by itself while it is counted
    await changeConfig(page, (config) => ({ ...config, pollSeconds: 600 }));
    waits = new Waits(page);
    await openPage(page, chain().url, "");
    await connectAs(page, "Alice");
    chain().setDelay(DELAY);
  });
  after(() => browser.close());

  const cold = async (path: string): Promise<number> => {
    await page.goto("about:blank");
    await waits.quiet();
    waits.clear();
    await openPage(page, chain().url, path);
    await waits.quiet();
    return waits.count;
  };
  /** Looks for a new block, as the page does every few seconds, and finds one. */
  const again = async (): Promise<number> => {
    await chain().request("evm_mine");
    waits.clear();
    await page.evaluate("window.dispatchEvent(new Event('online'))");
    await waits.quiet();
    return waits.count;
  };

  for (const isThere of [false, true])
    it(`is two answers of the node, ${isThere ? "with" : "without"} Multicall3, on opening and with each new block`, async () => {
      const code = isThere ? await multicallCode(chain()) : "0x";
      await chain().request("hardhat_setCode", [MULTICALL3, code]);
      const counted: Record<string, { cold: number; warm: number }> = {};
      for (const path of Object.keys(PAGES)) counted[path] = { cold: await cold(path), warm: await again() };
      for (const [path, most] of Object.entries(PAGES))
        for (const state of ["cold", "warm"] as const)
          expect(counted[path]?.[state], `${path} ${state}: ${JSON.stringify(counted)}`).to.be.within(1, most[state]);
    });

  it("is one answer, or none, from one page to the next", async () => {
    await cold("");
    // by then the app has loaded its other pages
    await sleep(3_000);
    for (const [name, most] of [
      ["Withdraw", 2],
      ["Liquidity", 2],
      ["Stake", 1],
      ["Build", 0],
    ] as const) {
      waits.clear();
      await page.locator(".side").getByRole("link", { name, exact: true }).click();
      await page.locator("h1").waitFor();
      await waits.quiet();
      expect(waits.count, name).to.be.at.most(most);
    }
  });
});

async function multicallCode(chain: LocalChain): Promise<string> {
  const deployed = await new MulticallMock__factory(chain.p.alice).deploy();
  return (await chain.request("eth_getCode", [await deployed.getAddress(), "latest"])) as string;
}
