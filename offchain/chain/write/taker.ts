/** Which transaction took a place of an account. */
import type { Provider, TransactionResponse } from "ethers";

/** Blocks that are looked through where states of the past are not served, or are wrong. */
const NEAR = 64;

/**
 * @param since a block in which the place was free @returns undefined where it can't be found: in blocks that the node does not show (yet)
 * @throws the node's error
 */
export async function takerOf(
  provider: Provider,
  from: string,
  nonce: number,
  since: number,
): Promise<TransactionResponse | undefined> {
  const head = await provider.getBlockNumber();
  const first = await firstWith(provider, from, nonce, since, head);
  const found = first === undefined ? undefined : await transactionIn(provider, first, from, nonce);
  if (found !== undefined) return found;
  for (let number = head; number > Math.max(since, head - NEAR); number--) {
    const near = await transactionIn(provider, number, from, nonce);
    if (near !== undefined) return near;
  }
  return undefined;
}

/** The first block after whose transactions the account has used the nonce; undefined where states are not served. */
async function firstWith(
  provider: Provider,
  from: string,
  nonce: number,
  since: number,
  head: number,
): Promise<number | undefined> {
  let [low, high] = [since, head];
  try {
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if ((await provider.getTransactionCount(from, middle)) > nonce) high = middle;
      else low = middle;
    }
    return high;
  } catch {
    return undefined;
  }
}

async function transactionIn(
  provider: Provider,
  number: number,
  from: string,
  nonce: number,
): Promise<TransactionResponse | undefined> {
  const block = await provider.getBlock(number, true);
  const isIt = (one: TransactionResponse): boolean =>
    one.nonce === nonce && one.from.toLowerCase() === from.toLowerCase();
  return block?.prefetchedTransactions.find(isIt);
}
