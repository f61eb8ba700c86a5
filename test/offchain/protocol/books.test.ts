import { expect } from "chai";
import {
  buffer,
  depositable,
  etherAtValidators,
  exitDemand,
  mayFinalise,
  promised,
  slashingsAfter,
  tolerates,
} from "../../../offchain/protocol/books.ts";
import type { Books } from "../../../offchain/protocol/books.ts";
import { ProtocolModel } from "../../../offchain/protocol/model.ts";
import type { Totals } from "../../../offchain/protocol/shares.ts";
import { ETHER, bp, shares, wei } from "../../../offchain/protocol/units.ts";

const none = new ProtocolModel({
  feeBp: bp(0n),
  maxAprBp: bp(0n),
  depositCap: wei(0n),
  secondsPerFrame: 1n,
  queue: "",
  operators: "",
  treasury: "",
  locked: "",
}).books;

/** 200 ETH of which 100 ETH are here: two validators at the last reference, one funded since, and 4 ETH held back. */
const totals: Totals = { ether: wei(200n * ETHER), shares: shares(100n * 10n ** 27n) };
const books: Books = {
  ...none,
  clLast: wei(65n * ETHER),
  fundedAtLastRef: wei(64n * ETHER),
  funded: wei(96n * ETHER),
  heldBack: wei(4n * ETHER),
};
const inShares = (ether: bigint) => shares((ether * 10n ** 27n) / 2n);

describe("the pool's books", () => {
  it("derive what is at validators and what is here", () => {
    expect(etherAtValidators(books)).to.equal(97n * ETHER);
    expect(buffer(books, totals)).to.equal(107n * ETHER);
  });

  it("promise the present value of waiting requests, rounded up", () => {
    expect(promised(inShares(30n), totals)).to.equal(30n * ETHER);
    expect(promised(shares(1n), totals)).to.equal(1n);
    expect(promised(shares(0n), totals)).to.equal(0n);
  });

  it("let go to validators what is not promised", () => {
    expect(depositable(books, totals, inShares(30n))).to.equal(77n * ETHER);
    expect(depositable(books, totals, inShares(107n))).to.equal(0n);
    expect(depositable(books, totals, inShares(150n))).to.equal(0n);
  });

  it("demand exits for what is neither here nor on its way: begun at the last reference, or asked for since", () => {
    // 107 ETH are here and 97 ETH at validators
    const demand = (ether: bigint, leaving: bigint, asked: bigint) =>
      exitDemand({ ...books, leaving: wei(leaving) }, totals, inShares(ether), asked);
    expect(demand(107n, 0n, 0n)).to.equal(0n);
    expect(demand(120n, 0n, 0n)).to.equal(13n * ETHER);
    expect(demand(120n, 0n, 1n)).to.equal(0n);
    expect(demand(120n, 12n * ETHER, 0n)).to.equal(ETHER);
    expect(demand(120n, 13n * ETHER - 1n, 0n)).to.equal(1n);
    expect(demand(200n, 20n * ETHER, 2n)).to.equal(9n * ETHER); // 84 ETH of 93
  });

  it("demand nothing while all that is at validators is on its way: no more than T is promised", () => {
    const demand = (leaving: bigint, asked: bigint) =>
      exitDemand({ ...books, leaving: wei(leaving) }, totals, totals.shares, asked);
    expect(promised(totals.shares, totals)).to.equal(totals.ether);
    expect(demand(0n, 0n)).to.equal(93n * ETHER); // T less the buffer: what was held back is here too
    expect(demand(93n * ETHER - 1n, 0n)).to.equal(1n);
    for (const asked of [1n, 4n, 1_000n]) expect(demand(97n * ETHER, asked)).to.equal(0n);
    expect(demand(0n, 3n)).to.equal(0n); // 96 of 97 ETH
  });
});

/** The table of docs/decisions/014, in ETH: what a total tolerates, and what that many lose, and one more. */
const TABLE = [
  { total: 1_000n, tolerated: 1n, loss: "0.064", ofTotalBp: "0.64", toBlock: "0.13" },
  { total: 10_000n, tolerated: 10n, loss: "0.65", ofTotalBp: "0.65", toBlock: "0.71" },
  { total: 1_000_000n, tolerated: 400n, loss: "39.6", ofTotalBp: "0.40", toBlock: "39.7" },
  { total: 10_000_000n, tolerated: 400n, loss: "39.6", ofTotalBp: "0.04", toBlock: "39.7" },
];

/** What `n` slashed validators of 32 ETH lose in the end, ETH, of 35M ETH staked. */
function lossOf(n: number): number {
  const initial = 32 / 4_096;
  const baseReward = (32 * 64) / Math.sqrt(35e6 * 1e9); // ETH an epoch, of 1 ETH in gwei: 64 / sqrt(total in gwei)
  const attestations = (8_192 * baseReward * (14 + 26)) / 64; // source and target; a late head costs nothing
  return n * (initial + attestations) + (3 * (32 * n) ** 2) / 35e6;
}

describe("slashings that no report contains", () => {
  it("are tolerated up to one in 1,000 ETH, and 400", () => {
    for (const { total, tolerated } of TABLE) {
      const ether = wei(total * ETHER);
      expect(tolerates(0n, ether) && tolerates(tolerated, ether), `${tolerated} of ${total}`).to.equal(true);
      expect(tolerates(tolerated + 1n, ether), `${tolerated + 1n} of ${total}`).to.equal(false);
    }
    expect(tolerates(1n, wei(1_000n * ETHER - 1n))).to.equal(false);
    expect(tolerates(0n, wei(1n))).to.equal(true);
    expect([399n, 400n].map((count) => tolerates(count, wei(400_000n * ETHER - 1n)))).to.deep.equal([true, false]);
    expect([400n, 401n].map((count) => tolerates(count, wei(400_000n * ETHER)))).to.deep.equal([true, false]);
    expect([400n, 401n].map((count) => tolerates(count, wei(120_000_000n * ETHER)))).to.deep.equal([true, false]);
  });

  it("cost less than a basis point of what tolerates them, as docs/decisions/014 says", () => {
    const as = (shown: string, value: number) => value.toFixed(shown.length - shown.indexOf(".") - 1);
    for (const { total, tolerated, loss, ofTotalBp, toBlock } of TABLE) {
      const [lost, more] = [lossOf(Number(tolerated)), lossOf(Number(tolerated) + 1)];
      const lostBp = (lost / Number(total)) * 10_000;
      expect([as(loss, lost), as(ofTotalBp, lostBp), as(toBlock, more)]).to.deep.equal([loss, ofTotalBp, toBlock]);
      expect(lostBp < 1).to.equal(true);
    }
    // what a rule without the 400 would let pass
    expect([1_000, 10_000].map((n) => as("1.52", lossOf(n) / n / 0.1))).to.deep.equal(["1.52", "9.42"]);
    // a tenth of an ether each, while they are at most 410
    for (let n = 1; n <= 410; n++) expect(lossOf(n) <= n / 10, `${n} slashed`).to.equal(true);
    expect(lossOf(420) > 42).to.equal(true);
  });

  it("are all forgotten by a report whose reference is not before the latest of them, and none otherwise", () => {
    const counted = { ...books, slashed: 7n, slashedEarlier: 9n, slashingTime: 1_000n };
    const after = (slashedEarlier: bigint) => ({ slashed: 0n, slashedEarlier });
    expect(slashingsAfter(counted, 999n)).to.deep.equal(after(7n));
    expect(slashingsAfter(counted, 1_000n)).to.deep.equal(after(0n));
    expect(slashingsAfter(counted, 1_001n)).to.deep.equal(after(0n));
    expect(slashingsAfter({ ...counted, slashed: 0n }, 999n)).to.deep.equal(after(0n));
  });

  it("stop what pays by the last report's numbers, counted together with those of before it", () => {
    const open: Books = { ...books, finalisable: true, openUntil: 500n };
    const rich: Totals = { ...totals, ether: wei(3_000n * ETHER) };
    const may = (changes: Partial<Books>, now = 500n) => mayFinalise({ ...open, ...changes }, rich, now);
    expect(may({})).to.equal(true);
    expect(may({}, 501n), "overdue").to.equal(false);
    expect(may({ finalisable: false }), "not by this report").to.equal(false);
    for (const [slashed, slashedEarlier] of [
      [3n, 0n],
      [0n, 3n],
      [1n, 2n],
    ] as const) {
      expect(may({ slashed, slashedEarlier })).to.equal(true);
      expect(may({ slashed: slashed + 1n, slashedEarlier })).to.equal(false);
      expect(may({ slashed, slashedEarlier: slashedEarlier + 1n })).to.equal(false);
    }
  });
});
