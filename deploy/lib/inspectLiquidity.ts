/** What EtherPool and Router are made of, that nothing of it can change, and that nobody owns them. */
import { ZeroHash, id } from "ethers";
import type { Provider } from "ethers";
import type { Contracts } from "../deploy.ts";
import type { LiquidityContracts } from "../deployLiquidity.ts";
import type { EtherPoolSettings } from "./parameters.ts";

export interface LiquidityInspection {
  readonly addresses: Readonly<Record<keyof LiquidityContracts, string>>;
  /** One line each, of what is immutable. */
  readonly immutable: readonly string[];
  /** One line each; empty when all is well. */
  readonly problems: readonly string[];
}

/** EIP-1967: where proxies keep their code, who may change it, and what names the code. */
const PROXY_SLOTS = ["implementation", "admin", "beacon"].map(
  (name) => [name, `0x${(BigInt(id(`eip1967.proxy.${name}`)) - 1n).toString(16)}`] as const,
);
/** What contracts that somebody rules answer. */
const RULERS = ["owner()", "authority()", "pendingOwner()"].map((name) => [name, id(name).slice(0, 10)] as const);

/** Compares with what the network's settings say. */
export async function inspectLiquidity(
  { etherPool, router }: LiquidityContracts,
  { token, wrapped, queue }: Pick<Contracts, "token" | "wrapped" | "queue">,
  { terms, seedWei }: EtherPoolSettings,
): Promise<LiquidityInspection> {
  const addresses = { etherPool: await etherPool.getAddress(), router: await router.getAddress() };
  const names = Object.keys(terms) as (keyof typeof terms)[];
  const found = await Promise.all(names.map(async (name) => (await etherPool[name]()).toString()));
  const locked = await etherPool.balanceOf(await etherPool.LOCKED());
  const checks: [string, string, string][] = [
    ["etherPool.token", await etherPool.token(), await token.getAddress()],
    ["router.etherPool", await router.etherPool(), addresses.etherPool],
    ["router.token", await router.token(), await token.getAddress()],
    ["router.wrappedToken", await router.wrappedToken(), await wrapped.getAddress()],
    ["router.queue", await router.queue(), await queue.getAddress()],
    ...names.map((name, i): [string, string, string] => [`etherPool.${name}`, found[i] ?? "", terms[name].toString()]),
  ];
  const wrong = checks
    .filter(([, value, expected]) => value !== expected)
    .map(([what, value, expected]) => `${what} is ${value}, not ${expected}`);
  const open = locked < seedWei ? [`only ${locked} wei of LP are locked in the EtherPool, not ${seedWei}`] : [];
  const { provider } = etherPool.runner ?? {};
  if (provider === undefined || provider === null) throw new Error("the EtherPool is connected to no provider");
  const ruled = await Promise.all(Object.entries(addresses).map(([name, at]) => rulersOf(provider, name, at)));
  return {
    addresses,
    immutable: checks.map(([what, value]) => `${what} ${value}`),
    problems: [...wrong, ...open, ...ruled.flat()],
  };
}

/** Signs of somebody who may change a contract. */
async function rulersOf(provider: Provider, name: string, at: string): Promise<string[]> {
  const proxies = PROXY_SLOTS.map(async ([slot, place]) =>
    (await provider.getStorage(at, place)) === ZeroHash ? [] : [`${name} is a proxy: it has an ${slot}`],
  );
  const rulers = RULERS.map(async ([question, data]) => {
    const answer = await provider.call({ to: at, data }).catch(() => "0x");
    return answer === "0x" ? [] : [`${name} answers ${question}: somebody rules it`];
  });
  return (await Promise.all([...proxies, ...rulers])).flat();
}
