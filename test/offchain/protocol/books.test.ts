import { expect } from "chai";
import { buffer, depositable, etherAtValidators, exitDemand, promised } from "../../../offchain/protocol/books.ts";
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

  it("demand exits for what is neither here nor on its way", () => {
    expect(exitDemand(books, totals, inShares(107n), 3n)).to.equal(0n);
    expect(exitDemand(books, totals, inShares(120n), 3n)).to.equal(12n * ETHER); // 1 ETH of rewards is on its way
    expect(exitDemand(books, totals, inShares(120n), 2n)).to.equal(0n); // one validator leaves: 33 ETH are
    expect(exitDemand(books, totals, inShares(200n), 2n)).to.equal(60n * ETHER);
    expect(exitDemand(books, totals, inShares(200n), 4n)).to.equal(93n * ETHER); // staying ones may lack ether
  });
});
