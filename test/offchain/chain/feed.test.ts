import { expect } from "chai";
import type { Filter, Log, Provider } from "ethers";
import { NOTHING_KEPT, readOn } from "../../../offchain/chain/feed.ts";
import type { Kept } from "../../../offchain/chain/feed.ts";
import { readLogs } from "../../../offchain/chain/logs.ts";
import { AppError } from "../../../offchain/util/errors.ts";
import { failure } from "./harness.ts";

interface Item {
  readonly block: number;
  readonly text: string;
}

/** A chain of blocks by hash; block n has a log for each text. */
class Chain {
  blocks: { hash: string; texts: string[] }[] = [];
  asked: [number, number][] = [];
  /** Refuses longer ranges. */
  widest = Infinity;
  failAt: number | undefined;
  /** Blocks whose logs are left out. */
  hidden = new Set<number>();

  constructor(...texts: string[][]) {
    this.replace(0, texts);
  }

  replace(from: number, texts: string[][], branch = "a"): void {
    this.blocks = [
      ...this.blocks.slice(0, from),
      ...texts.map((list, i) => ({ hash: `${branch}${from + i}`, texts: list })),
    ];
  }

  get provider(): Provider {
    return {
      getBlock: (number: number) =>
        Promise.resolve(this.blocks[number] ? { number, hash: this.blocks[number].hash } : null),
      getLogs: ({ fromBlock, toBlock }: Filter) => {
        const [from, to] = [Number(fromBlock), Number(toBlock)];
        this.asked.push([from, to]);
        if (this.failAt !== undefined && from <= this.failAt && this.failAt <= to)
          return Promise.reject(new Error("connect ECONNREFUSED"));
        if (to - from + 1 > this.widest) return Promise.reject(new Error("query returned more than 10000 results"));
        const logs = this.blocks
          .slice(from, to + 1)
          .flatMap(({ hash, texts }, i) =>
            (this.hidden.has(from + i) ? [] : texts).map(
              (data, index) => ({ blockNumber: from + i, blockHash: hash, index, data }) as unknown as Log,
            ),
          );
        return Promise.resolve(logs);
      },
    } as unknown as Provider;
  }

  async on(kept: Kept<Item>, block: number, options = {}): Promise<Kept<Item>> {
    const decode = (logs: readonly Log[]): Item[] => logs.map((log) => ({ block: log.blockNumber, text: log.data }));
    return readOn(this.provider, { filter: {}, fromBlock: 0, decode }, kept, block, options);
  }
}

/** Of a chain that is final at once. */
const SETTLED = { unsettled: 0 };

const textsOf = ({ items }: Kept<Item>): string => items.map(({ text }) => text).join("");

describe("events that are read on", () => {
  it("come once each, whatever the steps", async () => {
    const chain = new Chain(["a"], [], ["b", "c"], [], ["d"], ["e"]);
    for (const steps of [[5], [0, 1, 2, 3, 4, 5], [2, 2, 5], [4, 3, 5]]) {
      let kept: Kept<Item> = NOTHING_KEPT;
      for (const block of steps) kept = await chain.on(kept, block);
      expect(textsOf(kept), String(steps)).to.equal("abcde");
    }
  });

  it("resume from a cursor that was stored as JSON, without reading again what was read", async () => {
    const chain = new Chain(["a"], ["b"], ["c"], ["d"]);
    const first = await chain.on(NOTHING_KEPT, 1, SETTLED);
    const stored = JSON.parse(JSON.stringify(first)) as Kept<Item>;
    chain.asked = [];
    expect(textsOf(await chain.on(stored, 3, SETTLED))).to.equal("abcd");
    expect(chain.asked).to.deep.equal([[2, 3]]);
    chain.asked = [];
    const all = await chain.on(stored, 3, SETTLED);
    await chain.on(all, 3, SETTLED);
    expect(chain.asked).to.deep.equal([[2, 3]]);
  });

  it("of a replaced branch are dropped, and only from the fork on read again", async () => {
    const chain = new Chain(["a"], ["b"], ["c"], ["d"], ["e"]);
    const before = await chain.on(NOTHING_KEPT, 4, SETTLED);
    chain.replace(3, [["x"], [], ["y"]], "b");
    chain.asked = [];
    expect(textsOf(await chain.on(before, 5, SETTLED))).to.equal("abcxy");
    expect(chain.asked).to.deep.equal([[3, 5]]);
    expect(textsOf(before), "what was kept is a value").to.equal("abcde");
  });

  it("of the last three epochs are read again, and no others: a machine's index of logs may trail its blocks", async () => {
    const chain = new Chain(...Array.from({ length: 300 }, (_, block) => [`${block},`]));
    const all = chain.blocks.map(({ texts }) => texts).flat();
    chain.hidden = new Set([3, 190, 199]);
    const first = await chain.on(NOTHING_KEPT, 199);
    expect(first.items).to.have.length(197);
    chain.hidden.clear();
    chain.asked = [];
    const later = await chain.on(first, 210);
    expect(chain.asked).to.deep.equal([[104, 210]]);
    expect(textsOf(later)).to.equal([...all.slice(0, 3), ...all.slice(4, 211)].join(""));
    // however often it is read: what is settled stays known
    let kept = later;
    for (let block = 211; block < 299; block++) kept = await chain.on(kept, block);
    chain.asked = [];
    await chain.on(kept, 299);
    expect(chain.asked).to.deep.equal([[203, 299]]);
  });

  it("of a shorter branch are dropped too, and a branch from the start is read anew", async () => {
    const chain = new Chain(["a"], ["b"], ["c"], ["d"]);
    const before = await chain.on(NOTHING_KEPT, 3);
    chain.replace(2, [["x"]], "b");
    expect(textsOf(await chain.on(before, 2))).to.equal("abx");
    chain.replace(0, [["p"], ["q"], ["r"]], "c");
    expect(textsOf(await chain.on(before, 2))).to.equal("pqr");
  });

  it("are not passed over when a range fails in the middle: nothing advances", async () => {
    const chain = new Chain(["a"], ["b"], ["c"], ["d"], ["e"], ["f"]);
    const before = await chain.on(NOTHING_KEPT, 0);
    chain.failAt = 4;
    const error = await failure(chain.on(before, 5, { range: 2 }));
    expect(error).to.be.instanceOf(AppError);
    expect(chain.asked.length).to.be.greaterThan(2);
    chain.failAt = undefined;
    expect(textsOf(before)).to.equal("a");
    expect(textsOf(await chain.on(before, 5, { range: 2 }))).to.equal("abcdef");
  });

  it("are refused when the last block is replaced while reading, or is not there", async () => {
    const chain = new Chain(["a"], ["b"]);
    let reads = 0;
    const provider = {
      ...chain.provider,
      getBlock: (number: number) => Promise.resolve({ number, hash: `h${reads++}` }),
    } as unknown as Provider;
    const feed = { filter: {}, fromBlock: 0, decode: () => [] as Item[] };
    expect((await failure(readOn(provider, feed, NOTHING_KEPT, 1))).message).to.contain(
      "was replaced while it was read",
    );
    expect((await failure(chain.on(NOTHING_KEPT, 9))).message).to.equal("the node does not have execution block 9");
  });
});

describe("logs in ranges", () => {
  const texts = Array.from({ length: 40 }, (_, block) => [`${block},`]);

  it("halve where the node refuses, widen again, and lose nothing", async () => {
    const chain = new Chain(...texts);
    chain.widest = 3;
    const progress: number[] = [];
    const logs = await readLogs(chain.provider, {}, 0, 39, { range: 32, onProgress: (block) => progress.push(block) });
    expect(logs.map(({ data }) => data).join("")).to.equal(texts.join(""));
    expect(Math.max(...chain.asked.map(([from, to]) => to - from + 1))).to.equal(32);
    expect(progress.at(-1)).to.equal(39);
    expect(progress).to.deep.equal([...progress].sort((a, b) => a - b));
  });

  it("of a year take some thirty round trips, not one for each range", async () => {
    const days = Array.from({ length: 365 }, (_, day) => 7_200 * day);
    let [inFlight, most, rounds] = [0, 0, 0];
    const provider = {
      getBlock: (number: number) => Promise.resolve({ number, hash: "h" }),
      getLogs: async ({ fromBlock, toBlock }: Filter) => {
        if (inFlight === 0) rounds += 1;
        most = Math.max(most, ++inFlight);
        await new Promise(setImmediate);
        inFlight -= 1;
        return days
          .filter((block) => Number(fromBlock) <= block && block <= Number(toBlock))
          .map((blockNumber) => ({ blockNumber, index: 0 }));
      },
    } as unknown as Provider;
    const logs = await readLogs(provider, {}, 0, 365 * 7_200);
    expect(logs.map(({ blockNumber }) => blockNumber)).to.deep.equal(days);
    expect(most).to.equal(8);
    expect(rounds).to.be.at.most(36);
  });

  it("end with the node's own words when a single block is refused, at once when nobody answers", async () => {
    const chain = new Chain(...texts);
    chain.widest = 0;
    expect((await failure(readLogs(chain.provider, {}, 0, 39))).message).to.contain(
      "no logs of block 0: query returned",
    );
    chain.widest = Infinity;
    chain.failAt = 0;
    chain.asked = [];
    await failure(readLogs(chain.provider, {}, 0, 39));
    expect(chain.asked).to.have.length(1);
  });

  it("stop between two ranges when they are told to", async () => {
    const chain = new Chain(...texts);
    const control = new AbortController();
    const reading = readLogs(chain.provider, {}, 0, 39, {
      range: 4,
      signal: control.signal,
      onProgress: (block) => {
        if (block > 10) control.abort();
      },
    });
    expect((await failure(reading)).name).to.equal("AbortError");
    expect(chain.asked).to.have.length(3);
  });
});
