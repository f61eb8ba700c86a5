/**
 * Takes the wall clock out of a local network: a block that nobody gave a time comes one second after the one before.
 * Otherwise timestamps, signatures over them, and with them the zero bytes of call data, would differ from run to run.
 */
interface Provider {
  request(args: { readonly method: string; readonly params?: readonly unknown[] | object }): Promise<unknown>;
}

const SENDING = new Set(["eth_sendTransaction", "eth_sendRawTransaction"]);

export function steadyClock(provider: Provider): void {
  const request = provider.request.bind(provider);
  let timed = false;
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = async (args: Parameters<Provider["request"]>[0]): Promise<unknown> => {
    if (!timed) {
      const block = (await request({ method: "eth_getBlockByNumber", params: ["latest", false] })) as {
        timestamp: string;
      };
      await request({ method: "evm_setNextBlockTimestamp", params: [Number(block.timestamp) + 1] });
    }
    timed = false;
    return request(args);
  };
  provider.request = (args) => {
    if (args.method === "evm_setNextBlockTimestamp") timed = true;
    if (args.method === "evm_mine") timed = false;
    if (!SENDING.has(args.method)) return request(args);
    const result = last.then(() => inTurn(args));
    last = result.catch(() => undefined);
    return result;
  };
}
