/** What the keeper's own trades with the EtherPool are decided from. */
import { zeroPadValue } from "ethers";
import type { Log } from "ethers";
import type { Protocol } from "../chain/connect.ts";
import { NOTHING_KEPT } from "../chain/feed.ts";
import type { Kept } from "../chain/feed.ts";
import { parsedLog, readLogs } from "../chain/logs.ts";
import { call, etherOf, readAll } from "../chain/multicall.ts";
import type { BlockRef } from "../chain/multicall.ts";
import { liquidityOf, readEtherPool } from "../chain/read/etherPool.ts";
import { readOutlook } from "../chain/read/outlook.ts";
import { readWithdrawals } from "../chain/read/withdrawals.ts";
import type { OwnerEvent } from "../chain/read/withdrawals.ts";
import { readMarket } from "../chain/write/price.ts";
import { buyable } from "../protocol/etherPool.ts";
import { SECONDS_PER_SLOT } from "../protocol/frames.ts";
import { DAY, shares, wei } from "../protocol/units.ts";
import type { Wei } from "../protocol/units.ts";
import type { Reason } from "./actions.ts";
import type { Trading } from "./arbitrage.ts";

export class TradingReader {
  readonly #protocol: Protocol;
  readonly #account: string;
  #kept: Kept<OwnerEvent> = NOTHING_KEPT;
  /** The block of its last transaction. */
  #mined = 0;

  constructor(protocol: Protocol, account: string) {
    this.#protocol = protocol;
    this.#account = account;
  }

  /** What was decided from an older block would be decided twice. */
  mined(block: number): void {
    this.#mined = Math.max(this.#mined, block);
  }

  /** @throws ChainError, AppError (unavailable) */
  async read(signal?: AbortSignal): Promise<Trading | Reason> {
    const [protocol, account] = [this.#protocol, this.#account];
    const options = signal === undefined ? {} : { signal };
    const status = await readEtherPool(protocol);
    const { block } = status;
    if (block.number < this.#mined) return "the node is behind";
    const [own, requests, { base, tip }, spentToday, outlook] = await Promise.all([
      readAll(
        protocol,
        { balance: etherOf(account), held: call(protocol.token, protocol.token.sharesOf, account) },
        block,
      ),
      readWithdrawals(protocol, account, { ...options, kept: this.#kept }),
      readMarket(protocol.provider),
      this.#spentWithin(block, signal),
      status.calm && buyable(status.pool, status.totals) > 0n ? readOutlook(protocol, options) : undefined,
    ]);
    this.#kept = requests.kept;
    const waiting = requests.requests.filter(({ state }) => state === "waiting");
    return {
      account,
      now: block.timestamp,
      market: status,
      balance: wei(own.values.balance),
      held: shares(own.values.held),
      waiting: wei(waiting.reduce((sum, { amount }) => sum + amount, 0n)),
      claimable: requests.requests.flatMap(({ id, hint, claimable }) =>
        hint === undefined ? [] : [{ id, hint, amount: claimable }],
      ),
      spentToday,
      gasPrice: base + tip,
      waitFor: outlook?.waitFor,
    };
  }

  /** What the account itself spent within a day. Blocks are a slot apart at least: the last day's are among so many. */
  async #spentWithin(block: BlockRef, signal: AbortSignal | undefined): Promise<Wei> {
    const { provider, fromBlock } = this.#protocol;
    const { etherPool } = liquidityOf(this.#protocol);
    const filter = {
      address: etherPool.target as string,
      topics: [etherPool.interface.getEvent("Bought").topicHash, zeroPadValue(this.#account, 32)],
    };
    const first = Math.max(fromBlock, block.number - Number(DAY / SECONDS_PER_SLOT));
    const logs = await readLogs(provider, filter, first, block.number, signal === undefined ? {} : { signal });
    const numbers = [...new Set(logs.map(({ blockNumber }) => blockNumber))];
    const times = await Promise.all(numbers.map(async (one) => (await provider.getBlock(one))?.timestamp));
    // one that is not known counts
    const isOld = (number: number): boolean =>
      block.timestamp - BigInt(times[numbers.indexOf(number)] ?? block.timestamp) >= DAY;
    const spent = (log: Log): bigint =>
      (parsedLog(etherPool.interface, log)?.args["ether_"] as bigint | undefined) ?? 0n;
    return wei(logs.reduce((sum, log) => (isOld(log.blockNumber) ? sum : sum + spent(log)), 0n));
  }
}
