/** Whose turn it is to be funded and to exit, kept apart from the contracts: shares decide between tiers, order of proof within. */
import type { ValidatorKey } from "../../../devnet/keys.ts";
import type { Hex } from "../../../devnet/simulated/state/state.ts";
import type { Wei } from "../../../offchain/protocol/units.ts";
import type { OperatorAccount } from "./operatorBooks.ts";

export type Status = "predeposited" | "queued" | "dropped" | "active" | "exiting" | "withdrawn";

export interface Validator {
  readonly key: ValidatorKey;
  readonly keyRoot: Hex;
  readonly operator: OperatorAccount;
  status: Status;
  /** Unix seconds. */
  fundedAt: bigint;
  slashed: boolean;
  /** Proven below 31.75 ETH, slashed or leaving. */
  weightless: boolean;
  /** Asked to exit, and not proven to leave yet. */
  requested: boolean;
  /** Funded by its operator, out of turn. */
  own: boolean;
  /** What it brought back too little, once it is withdrawn. */
  shortfall: Wei;
}

export class Tier {
  readonly targetBp: bigint;
  readonly maxBp: bigint;
  /** By sequence; undefined where a key was dropped or funded out of turn. */
  readonly order: (Validator | undefined)[] = [];
  readonly outOfTurn: Validator[] = [];
  fundHead = 0;
  exitHead = 0;
  funded = 0n;
  /** Ever asked to exit, or proven to leave without; each once. */
  leaving = 0n;

  constructor(targetBp: bigint, maxBp: bigint) {
    this.targetBp = targetBp;
    this.maxBp = maxBp;
  }

  get present(): bigint {
    return this.funded - this.leaving;
  }

  push(validator: Validator): void {
    this.order.push(validator);
  }

  /** A key that loses its place: dropped, or funded out of turn. */
  remove(validator: Validator): void {
    this.order[this.order.indexOf(validator)] = undefined;
  }

  nextQueued(): Validator | undefined {
    while (this.fundHead < this.order.length && this.order[this.fundHead] === undefined) this.fundHead++;
    return this.order[this.fundHead];
  }

  /** The head of the order of exits, if it is funded: perhaps one that leaves already. */
  nextFunded(): Validator | undefined {
    while (this.exitHead < this.fundHead && this.order[this.exitHead] === undefined) this.exitHead++;
    return this.exitHead < this.fundHead ? this.order[this.exitHead] : undefined;
  }
}

/** The tier furthest below its target among those with queued keys; the lower of two that are alike. */
export function tierToFund(tiers: readonly Tier[]): Tier | undefined {
  const waiting = tiers.filter((tier) => tier.nextQueued() !== undefined);
  const total = 1n + presentIn(tiers);
  return furthest(
    waiting.filter((tier) => tier.present * 10_000n < tier.maxBp * total),
    (tier) => tier.targetBp * total - tier.present * 10_000n,
  );
}

/** The tier furthest above its target among those with validators present, but for those that are passed over. */
export function tierToExit(tiers: readonly Tier[], passed: readonly Tier[] = []): Tier | undefined {
  const total = presentIn(tiers);
  return furthest(
    tiers.filter((tier) => tier.present > 0n && !passed.includes(tier)),
    (tier) => tier.present * 10_000n - tier.targetBp * total,
  );
}

export function presentIn(tiers: readonly Tier[]): bigint {
  return tiers.reduce((sum, tier) => sum + tier.present, 0n);
}

function furthest(tiers: readonly Tier[], gap: (tier: Tier) => bigint): Tier | undefined {
  let best: Tier | undefined;
  for (const tier of tiers) if (best === undefined || gap(tier) > gap(best)) best = tier;
  return best;
}
