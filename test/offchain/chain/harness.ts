/** The SDK connected to the local protocol; providers that count, refuse and fail. */
import type { Provider } from "ethers";
import { connect } from "../../../offchain/chain/connect.ts";
import type { Protocol } from "../../../offchain/chain/connect.ts";
import { MULTICALL3 } from "../../../offchain/chain/multicall.ts";
import type { LocalProtocol } from "../../../devnet/simulated/localProtocol.ts";
import { MulticallMock__factory } from "../../../typechain-types/factories/test/mocks/MulticallMock__factory.ts";
import { ethers, provider } from "../../helpers/network.ts";

export const ETH = 10n ** 18n;

/** @param router where there is one */
export async function sdkOf(
  p: LocalProtocol,
  through: Provider = ethers.provider,
  router?: { readonly target: unknown },
): Promise<Protocol> {
  return connect(through, {
    chainId: 31_337n,
    token: p.token.target as string,
    wrapped: p.wrapped.target as string,
    router: router?.target as string | undefined,
    fromBlock: 0,
  });
}

export async function placeMulticall(): Promise<void> {
  const factory = new MulticallMock__factory(await first());
  const deployed = await factory.deploy();
  await deployed.waitForDeployment();
  const code = await ethers.provider.getCode(deployed);
  await provider.request({ method: "hardhat_setCode", params: [MULTICALL3, code] });
}

/** A later fixture may be built on what a test leaves. */
export async function removeMulticall(): Promise<void> {
  await provider.request({ method: "hardhat_setCode", params: [MULTICALL3, "0x"] });
}

async function first() {
  const [signer] = await ethers.getSigners();
  if (signer === undefined) throw new Error("no account");
  return signer;
}

/** The network's provider, with some methods replaced; `asked` counts calls of each method. */
export function watched(replaced: Partial<Record<keyof Provider, (...args: never[]) => unknown>> = {}): {
  readonly provider: Provider;
  readonly asked: Map<string, number>;
} {
  const asked = new Map<string, number>();
  const wrapped = new Proxy(ethers.provider, {
    get: (target, property) => {
      const value: unknown = replaced[property as keyof Provider] ?? Reflect.get(target, property);
      if (typeof value !== "function" || typeof property !== "string") return value;
      return (...args: unknown[]): unknown => {
        asked.set(property, (asked.get(property) ?? 0) + 1);
        return (value as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  return { provider: wrapped, asked };
}

/** What `work` throws. */
export async function failure(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    return error as Error;
  }
  throw new Error("it did not fail");
}
