/**
 * Units of amounts, as types that do not mix, and the constants that they hang on. The twin of contracts/shared/Units.sol.
 *
 * Arithmetic on a branded amount gives a plain bigint; naming its unit again (`wei(a + b)`) is a statement about the formula.
 */

declare const unit: unique symbol;
type In<U extends string> = bigint & { readonly [unit]: U };

/** 1e-18 ETH; signed where a gain or a loss is meant. */
export type Wei = In<"wei">;
/** 1e-9 ETH: amounts of the consensus layer. */
export type Gwei = In<"gwei">;
/** Shares of the pool, 27 decimals: 1e9 for one wei at genesis. */
export type Shares = In<"shares">;
/** 1e9 shares: one westETH wei, and what the withdrawal queue counts in. */
export type Units = In<"units">;
/** A rate: wei for 1e9 shares, times 1e27. */
export type Ray = In<"ray">;
/** Basis points: 1/10000. */
export type Bp = In<"bp">;

export const wei = (value: bigint): Wei => value as Wei;
export const gwei = (value: bigint): Gwei => value as Gwei;
export const shares = (value: bigint): Shares => value as Shares;
export const units = (value: bigint): Units => value as Units;
export const ray = (value: bigint): Ray => value as Ray;
export const bp = (value: bigint): Bp => value as Bp;

export const WEI_PER_GWEI = 10n ** 9n;
export const ETHER = wei(10n ** 18n);
/** Basis points in one. */
export const BP = bp(10_000n);
/** Seconds in 365 days. */
export const YEAR = 31_536_000n;
export const DAY = 86_400n;
/** The rate at genesis. */
export const RAY = ray(10n ** 27n);
export const SHARES_PER_WEI = 10n ** 9n;
export const SHARES_PER_UNIT = 10n ** 9n;

export const VALIDATOR_DEPOSIT = wei(32n * ETHER);
export const PREDEPOSIT = wei(ETHER);
export const TOP_UP = wei(31n * ETHER);

/** Exact: a consensus-layer amount in wei. */
export function gweiToWei(amount: Gwei): Wei {
  return wei(amount * WEI_PER_GWEI);
}

/** Rounds down. */
export function weiToGweiDown(amount: Wei): Gwei {
  return gwei(amount / WEI_PER_GWEI);
}
