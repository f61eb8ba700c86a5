/** What all browser tests of a run share: the chain, made once. */
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { startLocalChain } from "./localChain.ts";
import type { LocalChain } from "./localChain.ts";
import { describeWith } from "../helpers/describeWith.ts";

/** Without APP_TESTS they are passed over, so that `npm test` needs no browser. */
export const describeApp = describeWith("APP_TESTS");

const DAYS = 12;
let started: Promise<LocalChain> | undefined;

if (process.env["APP_TESTS"] === "1") after(async () => (await started)?.stop());

/** For one suite: the chain as it was when the run began. What the suite does to it is undone. */
export function ofSharedChain(): () => LocalChain {
  let chain: LocalChain | undefined;
  let undo: () => Promise<void> = async () => Promise.resolve();
  before(async function () {
    this.timeout(120_000);
    started ??= startLocalChain({ days: DAYS, folder: builtApp("dist-local") });
    chain = await started;
    undo = await remember(chain);
  });
  after(async () => {
    chain?.setDown(false);
    chain?.setDelay(0);
    await undo();
  });
  return () => {
    if (chain === undefined) throw new Error("the chain is there once the tests run");
    return chain;
  };
}

/** @returns what puts the chain back to where it is now, beacon chain and all */
export async function remember(chain: LocalChain): Promise<() => Promise<void>> {
  const snapshot = await chain.request("evm_snapshot");
  return async () => {
    await chain.request("evm_revert", [snapshot]);
    await chain.request("evm_setAutomine", [true]);
  };
}

export interface ServedConfig {
  readonly pollSeconds: number;
  readonly clock: string;
  readonly deployment: Readonly<Record<string, unknown>>;
}

/** The page finds another configuration than the one that is served. */
export async function changeConfig(page: Page, change: (config: ServedConfig) => object): Promise<void> {
  await page.route("**/config.json", async (route) => {
    const config = (await (await route.fetch()).json()) as ServedConfig;
    await route.fulfill({ json: change(config) });
  });
}

export function builtApp(name: "dist" | "dist-local"): string {
  return fileURLToPath(new URL(`../../app/${name}`, import.meta.url));
}
