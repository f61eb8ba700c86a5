/** How much of what leaves is sold at once: chosen by the fee that its last part may cost. */
import { useState } from "react";
import { limitsOf } from "../../../../offchain/chain/index.ts";
import type { Market } from "../../../../offchain/chain/index.ts";
import { BP, bp } from "../../../../offchain/protocol/units.ts";
import type { Bp, Shares } from "../../../../offchain/protocol/units.ts";

const FREE = bp(0n);
/** Others may sell first: where all is sold, its last part may cost so much more. */
const ROOM = 5n;

export interface FeeLimit {
  /** What is signed: basis points on top of the last wei; 0 sells nothing. */
  readonly limit: Bp;
  /** From now (0) to free (`last`). */
  readonly position: number;
  readonly last: number;
  /** Nothing of this amount can be sold: there is nothing to choose. */
  readonly isFixed: boolean;
  readonly choose: (position: number) => void;
}

export interface FeeWish {
  readonly wanted: Bp;
  /**
   * @param market undefined where nothing is sold
   * @param amount undefined before there is one: now or free can be chosen already
   */
  readonly limitFor: (market: Market | undefined, amount: Shares | undefined) => FeeLimit;
}

/** Nothing is sold that nobody asked for: it begins at free. */
export function useFeeWish(): FeeWish {
  const [wanted, setWanted] = useState<Bp>(FREE);
  const limitFor = (market: Market | undefined, amount: Shares | undefined): FeeLimit => {
    const limits = market === undefined ? [FREE] : amount === undefined ? [FREE, BP] : limitsOf(market, amount);
    const last = limits.length - 1;
    const chosen = limits.findLastIndex((limit) => limit <= wanted);
    const exact = limits[chosen] ?? FREE;
    const most = market?.pool.terms.maxFeeBp ?? FREE;
    const isMost = chosen === last && chosen > 0;
    return {
      limit: isMost ? bp(exact + ROOM < most ? exact + ROOM : most) : exact,
      position: last - chosen,
      last,
      isFixed: last === 0,
      // "now" is whatever it takes, also for another amount
      choose: (position) => setWanted(position === 0 && last > 0 ? BP : (limits[last - position] ?? FREE)),
    };
  };
  return { wanted, limitFor };
}
