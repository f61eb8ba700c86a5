/** Staking where it gives the most: at the rate, or from the EtherPool, which gives a part of the fees that leavers paid to who brings ether. */
import { ZeroAddress, formatEther } from "ethers";
import { splitStake } from "../../protocol/router.ts";
import type { StakeSplit } from "../../protocol/router.ts";
import { toEtherDown } from "../../protocol/shares.ts";
import { SHARES_PER_UNIT, shares, wei } from "../../protocol/units.ts";
import type { Shares, Wei } from "../../protocol/units.ts";
import { argsOf } from "../events.ts";
import type { ChainEvent } from "../events.ts";
import { liquidityOf, readEtherPool } from "../read/etherPool.ts";
import { termsOf } from "./limits.ts";
import type { Limits } from "./limits.ts";
import { prepare } from "./prepare.ts";
import type { Context, Prepared } from "./prepare.ts";
import { readMarket } from "./price.ts";
import { stake, stakeAndWrap } from "./stake.ts";

export interface StakeBestOptions extends Limits {
  readonly referral?: string | undefined;
  /** For westETH. */
  readonly wrapped?: boolean | undefined;
}

export interface StakedBest {
  /** What all of it is worth: what was staked, and what the EtherPool gave. */
  readonly amount: Wei;
  /** As pool and EtherPool gave them; westETH is whole units of them. */
  readonly shares: Shares;
  /** Ether that bought from the EtherPool, and what it got beyond the rate. */
  readonly bought: Wei;
  readonly rebate: Wei;
}

/** What the way through the Router uses more, at most. */
const EXTRA_GAS = 45_000n;

/** Stakes ether where it gives the most: through the Router where the EtherPool's rebate is worth more than the gas, else directly. */
export async function stakeBest(
  context: Context,
  amount: Wei,
  options: StakeBestOptions = {},
): Promise<Prepared<bigint, StakedBest>> {
  const { protocol } = context;
  const { referral = ZeroAddress, wrapped = false } = options;
  const market = protocol.liquidity && (await readEtherPool(protocol));
  const split = market && splitStake(market, amount);
  if (market === undefined || split === undefined || !isWorthRouting(split, await gasPriceOf(context)))
    return direct(context, amount, options);
  const { router } = liquidityOf(protocol);
  const { receiver, deadline, least } = await termsOf(context, market, options);
  const asset = wrapped ? "westETH" : "estETH";
  return prepare(context, {
    label: `stake ${formatEther(amount)} ETH for ${asset}, ${formatEther(split.bought)} of them at the EtherPool`,
    contract: router,
    method: router.stake,
    args: [receiver, referral, least(split.shares), wrapped, deadline],
    value: amount,
    flow: (got) => {
      const worth = wrapped ? wei(got / SHARES_PER_UNIT) : toEtherDown(shares(got), market.totals);
      return { gives: [{ asset: "ETH", amount }], gets: [{ asset, amount: worth }] };
    },
    outcome: stakedBy,
  });
}

async function direct(
  context: Context,
  amount: Wei,
  { receiver, referral, wrapped = false }: StakeBestOptions,
): Promise<Prepared<bigint, StakedBest>> {
  const to = { ...(receiver === undefined ? {} : { receiver }), ...(referral === undefined ? {} : { referral }) };
  const prepared = wrapped ? await stakeAndWrap(context, amount, to) : await stake(context, amount, to);
  return {
    ...prepared,
    send: async (options) => {
      const sent = await prepared.send(options);
      return { ...sent, outcome: stakedBy(sent.events) };
    },
  };
}

function stakedBy(events: readonly ChainEvent[]): StakedBest {
  const [bought] = argsOf<{ ether_: bigint; value: bigint; units: bigint }>(events, "etherPool", "Bought");
  const [staked] = argsOf<{ amount: bigint; shares: bigint }>(events, "pool", "Deposited");
  const { ether_ = 0n, value = 0n, units = 0n } = bought ?? {};
  return {
    amount: wei(value + (staked?.amount ?? 0n)),
    shares: shares(units * SHARES_PER_UNIT + (staked?.shares ?? 0n)),
    bought: wei(ether_),
    rebate: wei(value - ether_),
  };
}

async function gasPriceOf({ protocol }: Context): Promise<bigint> {
  const { base, tip } = await readMarket(protocol.provider);
  return base + tip;
}

/** Whether what the EtherPool gives beyond the rate is more than the way there costs. @param gasPrice wei */
export function isWorthRouting({ gain }: Pick<StakeSplit, "gain">, gasPrice: bigint): boolean {
  return gain > EXTRA_GAS * gasPrice;
}
