/** Wallets that are not as one would wish: stubs that a page finds by EIP-6963. Run by `npm run test:app`. */
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { openBrowser, openPage } from "./browser.ts";
import type { Opened } from "./browser.ts";
import { startLocalChain } from "./localChain.ts";
import type { LocalChain } from "./localChain.ts";
import { describeWith } from "../helpers/describeWith.ts";

const describeApp = describeWith("APP_TESTS");

interface Stub {
  readonly name: string;
  readonly accounts: readonly string[];
  /** Hexadecimal. */
  readonly chainId?: string;
  /** An EIP-1193 code that eth_requestAccounts fails with. */
  readonly refuses?: number;
  /** Whether it knows the local chain only after it was added. */
  readonly knowsChain?: boolean;
}

/** Runs in the page: announces a wallet, and writes down what it was asked. */
function announce({ name, accounts, chainId = "0x7a69", refuses, knowsChain = true }: Stub): void {
  const asked: string[] = [];
  const listeners = new Map<string, ((value: unknown) => void)[]>();
  let [chain, isKnown, shown] = [chainId, knowsChain, accounts];
  const emit = (event: string, value: unknown): void => listeners.get(event)?.forEach((listener) => listener(value));
  const fail = (code: number): never => {
    throw Object.assign(new Error("refused"), { code });
  };
  const provider = {
    on: (event: string, listener: (value: unknown) => void) =>
      listeners.set(event, [...(listeners.get(event) ?? []), listener]),
    removeListener: () => undefined,
    request: async ({ method }: { method: string }): Promise<unknown> => {
      asked.push(method);
      await Promise.resolve();
      if (method === "eth_requestAccounts") return refuses === undefined ? shown : fail(refuses);
      if (method === "eth_accounts") return shown;
      if (method === "eth_chainId") return chain;
      if (method === "wallet_switchEthereumChain")
        return isKnown ? (emit("chainChanged", (chain = "0x7a69")), null) : fail(4902);
      if (method === "wallet_addEthereumChain") {
        isKnown = true;
        emit("chainChanged", (chain = "0x7a69"));
        return null;
      }
      // a person who thinks it over
      if (method === "eth_sendTransaction") return new Promise(() => undefined);
      return fail(4200);
    },
  };
  const turnTo = (next: string[]): void => emit("accountsChanged", (shown = next));
  const stubs = ((globalThis as unknown as { stubs?: Record<string, unknown> }).stubs ??= {});
  stubs[name] = { asked, turnTo };
  const detail = { info: { uuid: name, name, rdns: `test.${name}`, icon: "https://example.org/track.png" }, provider };
  const place = globalThis as unknown as EventTarget;
  const tell = (): boolean => place.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  place.addEventListener("eip6963:requestProvider", tell);
  tell();
}

/** As text: the loader of TypeScript wraps functions in a helper that a page does not have. */
function install(page: Page, stub: Stub): Promise<unknown> {
  return page.addInitScript({
    content: `globalThis.__name ??= (made) => made; (${announce.toString()})(${JSON.stringify(stub)});`,
  });
}

describeApp("the app with all kinds of wallets", function () {
  this.timeout(120_000);
  let chain: LocalChain;
  let browser: Opened;
  let page: Page;

  before(async () => {
    chain = await startLocalChain({ days: 6, folder: fileURLToPath(new URL("../../app/dist-local", import.meta.url)) });
  });
  after(() => chain.stop());
  beforeEach(async () => {
    browser = await openBrowser({ width: 1_280 });
    page = await browser.page();
  });
  afterEach(() => browser.close());

  const said = (text: string | RegExp) => page.getByText(text).first().waitFor();
  const withWallets = async (...stubs: Stub[]): Promise<void> => {
    for (const stub of stubs) await install(page, stub);
    await openPage(page, chain.url, "");
  };
  const connect = async (name: string): Promise<void> => {
    await page.locator("header").getByRole("button", { name: "Connect" }).click();
    await page.getByRole("button", { name }).click();
  };
  const askedOf = (name: string): Promise<string[]> =>
    page.evaluate(
      (key) => (globalThis as unknown as { stubs: Record<string, { asked: string[] }> }).stubs[key]?.asked ?? [],
      name,
    );

  it("lets a person choose among several, and asks the others nothing", async () => {
    await withWallets(
      { name: "First", accounts: [chain.p.bob.address] },
      { name: "Second", accounts: [chain.p.carol.address] },
    );
    await connect("Second");
    await said(/0x976E…0aa9/i);
    expect(await askedOf("First")).to.deep.equal([]);
  });

  it("reads nothing through the wallet, and asks its icon's host nothing", async () => {
    await withWallets({ name: "Quiet", accounts: [chain.p.bob.address] });
    await connect("Quiet");
    await said(/3\.\d{4}.estETH/);
    expect([...new Set(await askedOf("Quiet"))].sort()).to.deep.equal(["eth_chainId", "eth_requestAccounts"]);
    expect(browser.requests.filter((url) => url.includes("example.org"))).to.deep.equal([]);
  });

  it("offers to switch the network, and adds the chain where the wallet does not know it", async () => {
    await withWallets({ name: "Elsewhere", accounts: [chain.p.bob.address], chainId: "0x1", knowsChain: false });
    await connect("Elsewhere");
    await said("Your wallet is on another network. This page works on Local.");
    await page.getByRole("button", { name: "Switch to Local" }).click();
    await page.getByText("Your wallet is on another network").waitFor({ state: "detached" });
    expect(await askedOf("Elsewhere")).to.include("wallet_addEthereumChain");
  });

  it("says what to do where the wallet is locked, refuses, or has a question open", async () => {
    for (const [refuses, sentence] of [
      [undefined, "Your wallet is locked. Unlock it, then connect."],
      [4001, "You did not agree. Nothing was shared."],
      [-32_002, "Your wallet has an open question. Answer it there first."],
    ] as const) {
      const stub = { name: `Says${refuses ?? "Nothing"}`, accounts: [], ...(refuses === undefined ? {} : { refuses }) };
      await withWallets(stub);
      await connect(stub.name);
      await said(sentence);
    }
  });

  it("stops where the account changes in the middle, and shows the new account's own", async () => {
    await withWallets({ name: "Fickle", accounts: [chain.p.bob.address] });
    await connect("Fickle");
    await page.getByRole("button", { name: "I understand" }).click();
    await page.getByLabel("Amount", { exact: true }).fill("1");
    await page.getByRole("button", { name: /^Stake 1/ }).click();
    await said("Sign in your wallet");
    await page.evaluate(
      ([key, next]) =>
        (globalThis as unknown as { stubs: Record<string, { turnTo(list: string[]): void }> }).stubs[key ?? ""]?.turnTo(
          [next ?? ""],
        ),
      ["Fickle", chain.p.carol.address],
    );
    await said(/Your wallet changed to another account/);
    await said(/\d\.westETH|\d+\.\d{4}.westETH/);
  });

  it("lets a contract approve where it can't sign, and an account with delegated code sign", async () => {
    const [contract, delegated] = [chain.p.alice.address, chain.p.bob.address];
    await chain.request("hardhat_setCode", [contract, "0x00"]);
    await chain.request("hardhat_setCode", [delegated, `0xef0100${"11".repeat(20)}`]);
    try {
      for (const [account, way] of [
        [contract, "an approval first, then the wrapping"],
        [delegated, "one signature, one transaction"],
      ] as const) {
        await install(page, { name: `Code${account.slice(2, 6)}`, accounts: [account] });
        await openPage(page, chain.url, "wrap");
        if (await page.locator("header button.account").count()) {
          await page.locator("header button.account").click();
          await page.getByRole("button", { name: "Disconnect" }).click();
        }
        await connect(`Code${account.slice(2, 6)}`);
        await said(way);
      }
    } finally {
      await chain.request("hardhat_setCode", [contract, "0x"]);
      await chain.request("hardhat_setCode", [delegated, "0x"]);
    }
  });
});
