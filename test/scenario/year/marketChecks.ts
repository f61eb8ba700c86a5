/** The EtherPool's books, and that the Router keeps nothing. */
import { unitsToShares } from "../../../offchain/protocol/shares.ts";
import type { Line } from "./checks.ts";
import type { World } from "./world.ts";

/** What staking gave lenders beyond whole units goes to the pool, and into no book. */
const DUST = 10n ** 4n * 10n ** 9n; // shares: less than a unit for each of those

/** Every day. */
export async function marketLines({ p, chain, ledger, market }: World): Promise<Line[]> {
  if (market === undefined) return [];
  const { contracts, pool } = market;
  const { etherPool, router } = contracts;
  const [reserves, supply, ether, held, passed, left] = await Promise.all([
    etherPool.reserves(),
    etherPool.totalSupply(),
    chain.etherOf(etherPool.target as string),
    p.token.sharesOf(etherPool),
    chain.etherOf(router.target as string),
    p.token.sharesOf(router),
  ]);
  const booked = unitsToShares(pool.pool.units);
  return [
    { name: "the EtherPool's ether, booked", chain: reserves.ether_, books: pool.pool.ether },
    { name: "the EtherPool's units, booked", chain: reserves.units, books: pool.pool.units },
    { name: "LP", chain: supply, books: pool.pool.supply },
    { name: "L1: the EtherPool's ether", chain: ether, books: pool.pool.ether },
    { name: "L1: shares of the EtherPool", chain: held, books: ledger.sharesOf(pool.account) },
    { name: "L1: its shares are its units", chain: held >= booked && held < booked + DUST, books: true },
    { name: "R1: the Router's ether", chain: passed, books: 0n },
    { name: "R1: shares of the Router", chain: left, books: 0n },
  ];
}

/** Of each lender. */
export async function lenderLines({ market }: World): Promise<Line[]> {
  const { contracts, pool } = market ?? {};
  if (contracts === undefined || pool === undefined) return [];
  return Promise.all(
    pool.holders.map(async (holder) => ({
      name: `LP of ${holder}`,
      chain: await contracts.etherPool.balanceOf(holder),
      books: pool.balanceOf(holder),
    })),
  );
}
