/**
 * Makes a Hardhat network's chain a function of what was asked of it, and of nothing else: requests that change it are taken one after the other,
 * and a block that is mined because somebody sent a transaction is one second after its predecessor, however late it is. Whoever asks for the same
 * again gets the same blocks.
 */
import type { Provider } from "../provider.ts";
import { Turns } from "./turns.ts";

/** They mine, at a time that Hardhat takes from the wall's clock unless it is told. */
const MINING: ReadonlySet<string> = new Set([
  "eth_sendTransaction",
  "eth_sendRawTransaction",
  "evm_mine",
  "hardhat_mine",
]);

/** Changes the provider in place: whoever has it already is steadied too. */
export function steady(provider: Provider): void {
  const request = provider.request.bind(provider);
  const turns = new Turns();
  /** Somebody said when the next block is. */
  let isTold = false;
  const latest = async (): Promise<{ readonly number: string; readonly timestamp: string }> =>
    request({ method: "eth_getBlockByNumber", params: ["latest", false] });
  provider.request = (args) => {
    if (args.method === "evm_setNextBlockTimestamp")
      return turns.take(async () => {
        isTold = true;
        return request(args);
      });
    if (!MINING.has(args.method)) return request(args);
    return turns.take(async () => {
      const { number, timestamp } = await latest();
      if (!isTold)
        await request({ method: "evm_setNextBlockTimestamp", params: [`0x${(BigInt(timestamp) + 1n).toString(16)}`] });
      try {
        return await request(args);
      } finally {
        if ((await latest()).number !== number) isTold = false;
      }
    });
  };
}
