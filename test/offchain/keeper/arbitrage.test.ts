/** What the keeper buys from the EtherPool, queues and claims: the plan alone. */
import { expect } from "chai";
import { ETHER_POOL } from "../../../deploy/lib/parameters.ts";
import type { Action, Reason } from "../../../offchain/keeper/actions.ts";
import { ProfitBook, ROUND_TRIP_GAS, arbitrage, decide, tiedUp } from "../../../offchain/keeper/arbitrage.ts";
import type { ArbitrageRules, Purchase, Trading } from "../../../offchain/keeper/arbitrage.ts";
import { quoteBuy, roomOf } from "../../../offchain/protocol/etherPool.ts";
import type { EtherPool } from "../../../offchain/protocol/etherPool.ts";
import { BP, DAY, YEAR, bp, shares, units, wei } from "../../../offchain/protocol/units.ts";
import { fromWrappedDown } from "../../../offchain/protocol/wrapped.ts";

const ETH = 10n ** 18n;
const SHARES_OF_ETH = 10n ** 27n;
const NOW = 1_800_000_000n;
const GWEI = 10n ** 9n;
const { terms } = ETHER_POOL;

const RULES: ArbitrageRules = {
  most: 100n * ETH,
  mostADay: 100n * ETH,
  minProfit: 0n,
  minProfitBp: 2n,
  capitalCostBp: 300n,
  reserve: ETH,
};

/** Of 1,000 ETH, with `lacking` of the 300 that it should have. */
function poolLacking(lacking: bigint): EtherPool {
  return {
    terms: {
      minFeeBp: bp(terms.minFeeBp),
      maxFeeBp: bp(terms.maxFeeBp),
      targetBp: bp(terms.targetBp),
      rebateBp: bp(terms.rebateBp),
      entryFeeBp: bp(terms.entryFeeBp),
    },
    ether: wei(300n * ETH - lacking),
    units: units(700n * ETH + lacking),
    supply: wei(1_000n * ETH),
  };
}

interface Change extends Partial<Omit<Trading, "market">> {
  readonly market?: Partial<Trading["market"]>;
  readonly lacking?: bigint;
  readonly days?: bigint;
}

/** Forty lacking, three days to wait, gas for nothing, and enough ether for all. */
function tradingOf({ market, lacking = 40n * ETH, days = 3n, ...change }: Change = {}): Trading {
  const expected = NOW + days * DAY;
  return {
    account: "0x00000000000000000000000000000000000000aa",
    now: NOW,
    market: {
      pool: poolLacking(lacking),
      totals: { ether: wei(1_010n * ETH), shares: shares(1_000n * SHARES_OF_ETH) },
      calm: true,
      requestsPaused: false,
      ...market,
    },
    balance: wei(1_000n * ETH),
    held: shares(0n),
    waiting: wei(0n),
    claimable: [],
    spentToday: wei(0n),
    gasPrice: 0n,
    waitFor: () => ({ earliest: expected, expected, reason: "report" }),
    ...change,
  };
}

function bought(trading: Trading, rules = RULES): Purchase {
  const decided = decide(trading, rules);
  if (typeof decided === "string") throw new Error(`buys nothing: ${decided}`);
  return decided;
}

const kindsOf = (actions: readonly Action[]): string[] => actions.map(({ kind }) => kind);
function buying(trading: Trading, rules = RULES): Extract<Action, { kind: "buyFromPool" }> {
  const action = arbitrage(trading, rules).actions.find(({ kind }) => kind === "buyFromPool");
  if (action?.kind !== "buyFromPool") throw new Error("buys nothing");
  return action;
}

describe("the keeper's arbitrage", () => {
  it("buys up to where the last wei's rebate is the cost of waiting and the least profit", () => {
    const trading = tradingOf();
    const { amount, wait } = bought(trading);
    expect(wait).to.equal(3n * DAY);
    // by the design: BETA (phi - MIN) = c, c = 3% a year and 2 bp; phi is linear in what lacks
    const cost = (300 * 3) / 365 + 2;
    const left = (cost / Number(terms.rebateBp / 100n) / Number(terms.maxFeeBp - terms.minFeeBp)) * 100 * 300;
    expect(Math.abs(Number(amount) / 1e18 - (40 - left))).to.be.lessThan(1e-6);
    // nothing else pays better, the cost of the last wei taken into account
    const { market } = trading;
    const worth = (x: bigint): bigint => {
      const value = fromWrappedDown(quoteBuy(market.pool, wei(x), market.totals), market.totals);
      return (value - x) * YEAR * BP - x * (300n * wait + 2n * YEAR);
    };
    const step = ETH / 1_000n;
    expect(worth(amount) >= worth(amount - step) && worth(amount) >= worth(amount + step)).to.equal(true);
  });

  it("buys less where the wait is longer, and nothing where it costs more than the rebate", () => {
    const amounts = [1n, 5n, 10n, 20n].map((days) => bought(tradingOf({ days })).amount);
    expect([...amounts].sort((a, b) => (a > b ? -1 : 1))).to.deep.equal(amounts);
    expect(new Set(amounts).size).to.equal(4);
    // forty of 300 lack: the first wei's rebate is 19.3 bp, 21 days at 3% a year and 2 bp are 19.3
    expect(decide(tradingOf({ days: 22n }), RULES)).to.equal("it would not pay");
    expect(bought(tradingOf({ days: 20n })).amount > 0n).to.equal(true);
  });

  it("takes the shorter wait of a smaller purchase where that pays better", () => {
    const waitFor: Trading["waitFor"] = (amount) => {
      const expected = NOW + (amount > 8n * ETH ? 60n : 1n) * DAY;
      return { earliest: expected, expected, reason: "exits" };
    };
    // as much as a day's wait is worth would wait sixty: an eighth of it does not
    expect(bought(tradingOf({ waitFor }))).to.include({ amount: 5n * ETH, wait: DAY });
    expect(bought(tradingOf({ waitFor, lacking: 7n * ETH })).wait).to.equal(DAY);
  });

  it("counts gas, against the least profit in ether and in basis points", () => {
    const free = bought(tradingOf());
    const gasPrice = free.profit / ROUND_TRIP_GAS;
    const dear = tradingOf({ gasPrice });
    expect(decide(dear, RULES)).to.equal("it would not pay");
    const cheap = bought(tradingOf({ gasPrice: gasPrice / 4n }));
    expect(cheap.profit).to.equal(free.profit - ROUND_TRIP_GAS * (gasPrice / 4n));
    expect(decide(tradingOf(), { ...RULES, minProfit: free.profit + 1n })).to.equal("it would not pay");
    expect(bought(tradingOf(), { ...RULES, minProfit: free.profit }).profit).to.equal(free.profit);
    const few = bought(tradingOf(), { ...RULES, minProfitBp: 8n });
    expect(few.amount < free.amount).to.equal(true);
    expect(few.profit * BP >= few.amount * 8n).to.equal(true);
  });

  it("keeps within each limit, and says which holds it back", () => {
    const limited = (change: Change, rules: Partial<ArbitrageRules> = {}): bigint | Reason => {
      const decided = decide(tradingOf(change), { ...RULES, ...rules });
      return typeof decided === "string" ? decided : decided.amount;
    };
    expect(limited({}, { most: 5n * ETH })).to.equal(5n * ETH);
    expect(limited({ waiting: wei(2n * ETH) }, { most: 5n * ETH })).to.equal(3n * ETH);
    expect(limited({ waiting: wei(5n * ETH) }, { most: 5n * ETH })).to.equal("the limit is tied up");
    const claimable = [{ id: 1n, hint: 0n, amount: wei(5n * ETH) }];
    expect(limited({ claimable }, { most: 5n * ETH })).to.equal("the limit is tied up");
    expect(limited({ spentToday: wei(7n * ETH) }, { mostADay: 9n * ETH })).to.equal(2n * ETH);
    expect(limited({ spentToday: wei(9n * ETH) }, { mostADay: 9n * ETH })).to.equal("the day's limit is reached");
    expect(limited({ balance: wei(4n * ETH) })).to.equal(3n * ETH);
    expect(limited({ balance: wei(ETH) })).to.equal("the account has too little ether");
    expect(limited({ balance: wei(4n * ETH), gasPrice: GWEI })).to.equal(3n * ETH - ROUND_TRIP_GAS * GWEI);
  });

  it("buys nothing while not calm, while requests are paused, at the target, and while something is to be queued", () => {
    const held = (change: Change): unknown => decide(tradingOf(change), RULES);
    expect(held({ market: { calm: false } })).to.equal("the protocol is not calm");
    expect(held({ market: { calm: false, requestsPaused: true } })).to.equal("requests are paused");
    expect(held({ lacking: 0n })).to.equal("the pool is at its target");
    expect(held({ held: shares(SHARES_OF_ETH / 50n) })).to.equal("what was bought is not queued yet");
    const dust = held({ held: shares(SHARES_OF_ETH / 200n) });
    expect(dust, "what somebody gave it holds nothing up").to.have.property("amount");
  });

  it("loses at most down to the least profit, if price and gas both get as bad as it allows", () => {
    for (const gasPrice of [0n, GWEI, 20n * GWEI]) {
      const rules = { ...RULES, minProfit: ETH / 1_000n };
      const trading = tradingOf({ gasPrice });
      const { ether, minUnits, maxFeePerGas, expected } = buying(trading, rules);
      const worst = fromWrappedDown(minUnits, trading.market.totals);
      const left = worst - ether - expected.waiting - ROUND_TRIP_GAS * maxFeePerGas;
      expect(left >= rules.minProfit && left * BP >= ether * rules.minProfitBp).to.equal(true);
      expect(minUnits < expected.units && maxFeePerGas > gasPrice).to.equal(true);
      expect(left < expected.profit, "and there is room down to there").to.equal(true);
    }
  });

  it("claims what is worth its gas, in the queue's order, a hundred at a time", () => {
    const request = (id: bigint, amount: bigint) => ({ id, hint: id + 5n, amount: wei(amount) });
    const claimed = (trading: Trading) =>
      arbitrage(trading, RULES).actions.find((action) => action.kind === "claimBought");
    const mixed = [request(3n, ETH), request(4n, 100n), request(9n, 2n * ETH)];
    expect(claimed(tradingOf({ claimable: mixed, gasPrice: GWEI }))).to.deep.include({
      ids: [3n, 9n],
      hints: [8n, 14n],
      amount: 3n * ETH,
    });
    const dust = arbitrage(tradingOf({ claimable: [request(4n, 100n)], gasPrice: GWEI, lacking: 0n }), RULES);
    expect(dust.actions).to.deep.equal([]);
    expect(dust.reasons.claimBought).to.deep.equal(["not worth it yet"]);
    const many = Array.from({ length: 120 }, (_, id) => request(BigInt(id), ETH));
    expect(claimed(tradingOf({ claimable: many })))
      .to.have.property("ids")
      .with.length(100);
  });

  it("queues all estETH that it has, to the share, in pieces of 1,000 ETH; not dust, and not while requests are paused", () => {
    const queued = (held: bigint, market: Change["market"] = {}): readonly bigint[] | undefined => {
      const action = arbitrage(tradingOf({ held: shares(held), market }), RULES).actions.find(
        ({ kind }) => kind === "queueBought",
      );
      return action?.kind === "queueBought" ? action.shares : undefined;
    };
    expect(queued(5n * SHARES_OF_ETH + 7n)).to.deep.equal([5n * SHARES_OF_ETH + 7n]);
    const pieces = queued(2_400n * SHARES_OF_ETH + 1n) ?? [];
    expect(pieces).to.have.length(3);
    expect(pieces.reduce((sum, one) => sum + one, 0n)).to.equal(2_400n * SHARES_OF_ETH + 1n);
    expect(queued(SHARES_OF_ETH / 200n)).to.equal(undefined);
    expect(queued(5n * SHARES_OF_ETH, { calm: false, requestsPaused: true })).to.equal(undefined);
    expect(queued(5n * SHARES_OF_ETH, { calm: false }), "waits elsewhere").not.to.equal(undefined);
  });

  it("does nothing switched off, without an account, or where its books can't be read, and says so of all three", () => {
    const cases: [Parameters<typeof arbitrage>, Reason][] = [
      [[tradingOf(), undefined], "switched off"],
      [[undefined, RULES], "it has no account"],
      [["its own books can't be read", RULES], "its own books can't be read"],
    ];
    for (const [args, reason] of cases) {
      const { actions, reasons } = arbitrage(...args);
      expect(actions).to.deep.equal([]);
      expect(reasons).to.deep.equal({ claimBought: [reason], queueBought: [reason], buyFromPool: [reason] });
    }
    expect(kindsOf(arbitrage(tradingOf(), RULES).actions)).to.deep.equal(["buyFromPool"]);
  });

  it("counts what it brought: purchases, claims and gas, and what is tied up at the rate", () => {
    const book = new ProfitBook();
    const trading = tradingOf({ waiting: wei(3n * ETH), held: shares(SHARES_OF_ETH) });
    expect(tiedUp(trading)).to.equal(3n * ETH + (101n * ETH) / 100n);
    expect(book.profit(trading)).to.equal(0n);
    const action = buying(tradingOf());
    book.done(action, 5n);
    const now = tradingOf({ waiting: wei(3n * ETH + action.expected.value), held: shares(SHARES_OF_ETH) });
    expect(book.profit(now)).to.equal(action.expected.value - action.ether - 5n);
    book.done({ kind: "claimBought", ids: [1n], hints: [1n], amount: wei(3n * ETH), receiver: "" }, 7n);
    const later = tradingOf({ waiting: action.expected.value, held: shares(SHARES_OF_ETH) });
    expect(book.profit(later)).to.equal(action.expected.value - action.ether - 12n);
  });

  it("pays for waiting by the pool's own measure: nothing at the target, more where more lacks", () => {
    for (const lacking of [10n, 40n, 150n, 300n].map((eth) => eth * ETH)) {
      const trading = tradingOf({ lacking, balance: wei(10_000n * ETH) });
      const { amount, profit } = bought(trading, { ...RULES, most: 10_000n * ETH, mostADay: 10_000n * ETH });
      expect(amount <= roomOf(trading.market.pool) && profit > 0n).to.equal(true);
    }
  });
});
