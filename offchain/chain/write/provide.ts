/** Lending to the EtherPool, and bringing ether back to it. */
import { formatEther } from "ethers";
import { quoteBuy, quoteEnter, quoteExit } from "../../protocol/etherPool.ts";
import type { Both } from "../../protocol/etherPool.ts";
import { splitProvide } from "../../protocol/router.ts";
import { unitsToShares } from "../../protocol/shares.ts";
import { units, wei } from "../../protocol/units.ts";
import type { Bp, Units, Wei } from "../../protocol/units.ts";
import { fromWrappedDown } from "../../protocol/wrapped.ts";
import { foretold } from "../errors.ts";
import { argsOf } from "../events.ts";
import type { ChainEvent } from "../events.ts";
import { liquidityOf, readEtherPool } from "../read/etherPool.ts";
import { leftBy, sharesApproval } from "./leave.ts";
import type { Left, Leaving } from "./leave.ts";
import { USUAL_FEE, termsOf } from "./limits.ts";
import type { Limits } from "./limits.ts";
import { approvalFor, signPermit } from "./permit.ts";
import { prepare } from "./prepare.ts";
import type { Amount, Context, Prepared } from "./prepare.ts";

/** What LP cost or gave, and how many. */
export interface Moved extends Both {
  readonly lp: Wei;
}

export interface ProvideOptions extends Limits {
  /** Refused while sellers pay more on top: who enters a drained pool pays for rebates. Default 30 bp. */
  readonly maxFeeBp?: Bp | undefined;
}

/** Lends ether: a part becomes estETH, and both enter the EtherPool. The result is LP; some wei come back. */
export async function provide(
  context: Context,
  amount: Wei,
  options: ProvideOptions = {},
): Promise<Prepared<bigint, Moved>> {
  const { router } = liquidityOf(context.protocol);
  const market = await readEtherPool(context.protocol);
  const { receiver, deadline, least } = await termsOf(context, market, options);
  const { maxFeeBp = USUAL_FEE } = options;
  const { lp } = foretold(() => splitProvide(market, amount, maxFeeBp));
  return prepare(context, {
    label: `lend ${formatEther(amount)} ETH to the EtherPool`,
    contract: router,
    method: router.provide,
    args: [least(lp), maxFeeBp, receiver, deadline],
    value: amount,
    flow: (got) => ({ gives: [of("ETH", amount)], gets: [of("LP", wei(got))] }),
    outcome: (events) => movedBy(events, "Entered"),
  });
}

/**
 * Enters with ether and estETH of one's own: as much of both as `lp` cost. Needs an approval of the EtherPool before (`enterApproval`).
 * What of the ether is not needed comes back.
 */
export async function enter(context: Context, lp: Wei, options: Limits = {}): Promise<Prepared<unknown, Moved>> {
  const { etherPool } = liquidityOf(context.protocol);
  const market = await readEtherPool(context.protocol);
  const { receiver, most } = await termsOf(context, market, options);
  const cost = foretold(() => quoteEnter(market.pool, lp));
  return prepare(context, {
    label: `enter the EtherPool with ${formatEther(lp)} LP`,
    contract: etherPool,
    method: etherPool.enter,
    args: [lp, most(cost.units), receiver],
    value: most(cost.ether),
    flow: () => ({ gives: amountsOf(cost, market), gets: [of("LP", lp)] }),
    outcome: (events) => movedBy(events, "Entered"),
  });
}

/** The approval of the EtherPool that `enter` lacks; undefined if it has enough. */
export async function enterApproval(
  context: Context,
  lp: Wei,
  options: Pick<Limits, "tolerance"> = {},
): Promise<Prepared<boolean, { readonly approved: Wei }> | undefined> {
  const { etherPool } = liquidityOf(context.protocol);
  const market = await readEtherPool(context.protocol);
  const { most } = await termsOf(context, market, options);
  const cost = foretold(() => quoteEnter(market.pool, lp));
  const moved = unitsToShares(units(most(cost.units)));
  return sharesApproval(context, etherPool, moved, market.totals);
}

/** Leaves the EtherPool with one's part of both assets. Needs no approval, and is always possible. */
export async function exit(context: Context, lp: Wei, options: Limits = {}): Promise<Prepared<unknown, Moved>> {
  const { etherPool } = liquidityOf(context.protocol);
  const market = await readEtherPool(context.protocol);
  const { receiver, least } = await termsOf(context, market, options);
  const got = foretold(() => quoteExit(market.pool, lp));
  return prepare(context, {
    label: `exit the EtherPool with ${formatEther(lp)} LP`,
    contract: etherPool,
    method: etherPool.exit,
    args: [lp, least(got.ether), least(got.units), receiver],
    flow: () => ({ gives: [of("LP", lp)], gets: amountsOf(got, market) }),
    outcome: (events) => movedBy(events, "Exited"),
  });
}

export interface ExitOptions extends Omit<Limits, "tolerance"> {
  /** As for `leave`, of the units: the highest fee on top of the last wei. Default 30 bp. */
  readonly maxFeeBp?: Bp | undefined;
  /** Ether at once, at least. Default 0. */
  readonly minEther?: Wei | undefined;
  /** Signs a permit in place of an approval of the Router (`approvalFor(context, "LP", router, lp)`). */
  readonly permit?: boolean | undefined;
}

/** Leaves the EtherPool, and the protocol with what estETH comes of it, as `leave` does. Needs an approval of the Router, or a permit. */
export async function exitToEther(
  context: Context,
  lp: Wei,
  options: ExitOptions = {},
): Promise<Prepared<Leaving, Left>> {
  const { router, etherPool } = liquidityOf(context.protocol);
  const market = await readEtherPool(context.protocol);
  const { receiver, deadline } = await termsOf(context, market, options);
  const { maxFeeBp = USUAL_FEE, minEther = wei(0n), permit = false } = options;
  const shared = {
    label: `exit the EtherPool with ${formatEther(lp)} LP, to ether`,
    contract: router,
    flow: ([ether]: Leaving) => ({ gives: [of("LP", lp)], gets: ether === 0n ? [] : [of("ETH", wei(ether))] }),
    outcome: leftBy,
  };
  const terms = [lp, maxFeeBp, minEther, receiver, deadline] as const;
  if (!permit) return prepare(context, { ...shared, method: router.exitToEther, args: [...terms] });
  const { v, r, s } = await signPermit(context, etherPool, router, lp, deadline);
  const args = [...terms, { value: lp, deadline, v, r, s }] as const;
  return prepare(context, { ...shared, method: router.exitToEtherWithPermit, args: [...args] });
}

/** The approval of the Router that `exitToEther` lacks; undefined if it has enough. */
export async function exitApproval(
  context: Context,
  lp: Wei,
): Promise<Prepared<boolean, { readonly approved: Wei }> | undefined> {
  return approvalFor(context, "LP", liquidityOf(context.protocol).router, lp);
}

export interface Purchase {
  readonly ether: Wei;
  readonly units: Units;
}

/** Buys estETH of the EtherPool, up to its target: at the rate and a part of what leavers paid. The result is units, 1e9 shares each. */
export async function buy(context: Context, amount: Wei, options: Limits = {}): Promise<Prepared<bigint, Purchase>> {
  const { etherPool } = liquidityOf(context.protocol);
  const market = await readEtherPool(context.protocol);
  const { receiver, least } = await termsOf(context, market, options);
  const expected = foretold(() => quoteBuy(market.pool, amount, market.totals));
  return prepare(context, {
    label: `buy estETH of the EtherPool for ${formatEther(amount)} ETH`,
    contract: etherPool,
    method: etherPool.buy,
    args: [least(expected), receiver],
    value: amount,
    flow: (got) => ({
      gives: [of("ETH", amount)],
      gets: [of("estETH", fromWrappedDown(units(got), market.totals))],
    }),
    outcome: (events) => {
      const [bought] = argsOf<{ ether_: bigint; units: bigint }>(events, "etherPool", "Bought");
      return { ether: wei(bought?.ether_ ?? 0n), units: units(bought?.units ?? 0n) };
    },
  });
}

function movedBy(events: readonly ChainEvent[], name: "Entered" | "Exited"): Moved {
  const [moved] = argsOf<{ lp: bigint; ether_: bigint; units: bigint }>(events, "etherPool", name);
  return { lp: wei(moved?.lp ?? 0n), ether: wei(moved?.ether_ ?? 0n), units: units(moved?.units ?? 0n) };
}

function amountsOf({ ether, units: amount }: Both, { totals }: Parameters<typeof splitProvide>[0]): Amount[] {
  return [of("ETH", ether), of("estETH", fromWrappedDown(amount, totals))].filter((one) => one.amount > 0n);
}

function of(asset: Amount["asset"], amount: Wei): Amount {
  return { asset, amount };
}
