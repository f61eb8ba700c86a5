/** pool status, provide, enter, exit: lending to those who leave at once. */
import { formatEther, formatUnits } from "ethers";
import { foretold } from "../../chain/errors.ts";
import { readAccount } from "../../chain/read/account.ts";
import { liquidityOf, readEtherPool } from "../../chain/read/etherPool.ts";
import type { EtherPoolStatus } from "../../chain/read/etherPool.ts";
import { readOutlook } from "../../chain/read/outlook.ts";
import type { Moved } from "../../chain/write/provide.ts";
import { enter, enterApproval, exit, exitApproval, exitToEther, provide } from "../../chain/write/provide.ts";
import { buyable, quoteEnter, quoteExit, quoteSell, rebateOf, sellableWithin } from "../../protocol/etherPool.ts";
import type { Both } from "../../protocol/etherPool.ts";
import { LEG, splitExit, splitProvide } from "../../protocol/router.ts";
import { units, wei } from "../../protocol/units.ts";
import type { Bp, Units, Wei } from "../../protocol/units.ts";
import { fromWrappedDown, fromWrappedUp } from "../../protocol/wrapped.ts";
import { AppError, EXIT } from "../../util/errors.ts";
import { act, actApproved, step } from "../act.ts";
import { dateOf, ether, percent, percentOf, renderRows } from "../format.ts";
import type { Row } from "../format.ts";
import { parseAmount } from "../session.ts";
import type { Session } from "../session.ts";
import {
  actPermitted,
  checkPermit,
  checkLeast,
  feeOf,
  getsRow,
  leavingRows,
  leftRows,
  quoteOf,
  secondsOf,
  termsOf,
} from "./leave.ts";
import type { FeeOption, LeavingOptions, TimeOption } from "./leave.ts";
import { addressOf } from "./status.ts";
import { partOf, positive, receiverOf, waitText } from "./staker.ts";
import type { ReceiverOption } from "./staker.ts";

export type ProvideOptions = ReceiverOption & TimeOption & FeeOption;
export type EnterOptions = ReceiverOption;

export interface ExitOptions extends LeavingOptions {
  readonly toEther?: boolean;
}

// --- status ---

export async function poolStatus(session: Session, text: string | undefined, options: FeeOption): Promise<void> {
  const { protocol } = session;
  const maxFeeBp = feeOf(options);
  const owner = text === undefined ? undefined : await addressOf(session, text);
  const [status, outlook] = await Promise.all([readEtherPool(protocol), readOutlook(protocol)]);
  const lp = owner === undefined ? undefined : wei(await liquidityOf(protocol).etherPool.balanceOf(owner));
  const sellable = sellableOf(status, maxFeeBp);
  const bought = status.calm ? buyable(status.pool, status.totals) : wei(0n);
  const rebate = bought === 0n ? wei(0n) : rebateOf(status.pool, bought);
  const wait = outlook.waitFor(wei(10n ** 18n));
  const own = lp === undefined || lp === 0n ? undefined : quoteExit(status.pool, lp);
  const account = owner === undefined ? {} : { address: owner, lp: lp ?? 0n, part: own ?? { ether: 0n, units: 0n } };
  const more = { sellable: { maxFeeBp, ...sellable }, buyable: bought, rebate, wait };
  session.show({ ...status, ...more, ...account }, () =>
    renderRows([
      ...poolRows(status),
      [`at ${percent(maxFeeBp)}`, sellableText(sellable)],
      ["brought back", bought === 0n ? "no ether is wanted" : `${ether(bought)} would get ${ether(rebate)} on top`],
      ["in the queue", `1 ETH asked for now is expected ${waitText(wait)}`],
      ...(owner === undefined ? [] : [["address", owner] as const, ...partRows(status, lp ?? wei(0n), own)]),
    ]),
  );
}

function poolRows({ block, pool, totals, calm, target, value, marginalFee }: EtherPoolStatus): readonly Row[] {
  return [
    ["block", `${block.number}, ${dateOf(block.timestamp)}`],
    ["trades", calm ? "open" : "none now: estuary status says why; LPs come and go"],
    ["ether", `${ether(pool.ether)}, of a target of ${ether(target)}`],
    ["estETH", ether(fromWrappedDown(pool.units, totals), "estETH")],
    ["worth", `${ether(value)}, of ${ether(pool.supply, "LP")}`],
    ["fee now", `${formatUnits(marginalFee, 7)}% on top of the next wei`],
  ];
}

interface Sellable {
  readonly units: Units;
  readonly value: Wei;
  readonly ether: Wei;
}

/** What is too little for the Router to sell counts as none: of a wei, the pool would pay nothing. */
function sellableOf({ pool, totals, calm }: EtherPoolStatus, maxFeeBp: Bp): Sellable {
  const most = calm ? sellableWithin(pool, maxFeeBp, totals) : units(0n);
  const value = fromWrappedDown(most, totals);
  if (value < LEG) return { units: units(0n), value: wei(0n), ether: wei(0n) };
  return { units: most, value, ether: quoteSell(pool, most, totals) };
}

function sellableText({ value, ether: paid }: Sellable): string {
  if (paid === 0n) return "nothing can be sold now";
  return `${ether(value, "estETH")} for ${ether(paid)}: ${percentOf(value - paid, value)} on average`;
}

function partRows({ totals }: EtherPoolStatus, lp: Wei, own: Both | undefined): readonly Row[] {
  if (own === undefined) return [["LP", "none"]];
  const staked = fromWrappedDown(own.units, totals);
  return [
    ["LP", ether(lp, "LP")],
    ["its part", `${ether(own.ether)} and ${ether(staked, "estETH")}, worth ${ether(own.ether + staked)}`],
  ];
}

// --- coming and leaving ---

export async function provideEther(session: Session, text: string, options: ProvideOptions): Promise<void> {
  const amount = positive(text);
  const [maxFeeBp, receiver, seconds] = [feeOf(options), receiverOf(options), secondsOf(options)];
  const context = await session.context();
  const market = await readEtherPool(session.protocol);
  const plan = foretold(() => splitProvide(market, amount, maxFeeBp));
  const { entryFeeBp } = market.pool.terms;
  const rows: readonly Row[] = [
    ["of it", `${ether(plan.ether)} lent as ETH, ${ether(plan.staked)} staked and lent as estETH`],
    ["entry", `${percent(entryFeeBp)} of it goes to the LPs that are there`],
    ...receiverRow(receiver),
  ];
  await act(session, await provide(context, amount, { maxFeeBp, receiver, seconds }), {
    expected: () => rows,
    details: (moved) => [["got", ether(moved.lp, "LP")], ...receiverRow(receiver)],
    quote: plan,
  });
}

export async function enterPool(session: Session, text: string, options: EnterOptions): Promise<void> {
  const lp = wei(parseAmount("lp", text));
  if (lp === 0n) throw new AppError(EXIT.usage, "lp: it must be more than 0");
  const receiver = receiverOf(options);
  const context = await session.context();
  const [market, held] = await Promise.all([
    readEtherPool(session.protocol),
    readAccount(session.protocol, await context.signer.getAddress()),
  ]);
  const cost = foretold(() => quoteEnter(market.pool, lp));
  const staked = fromWrappedUp(cost.units, market.totals);
  for (const [has, needs, unit] of [
    [held.staked, staked, "estETH"],
    [held.ether, cost.ether, "ETH"],
  ] as const)
    if (has < needs)
      throw new AppError(
        EXIT.failure,
        `${ether(lp, "LP")} cost ${ether(needs, unit)}, and you have ${ether(has, unit)}`,
      );
  const next = step(() => enter(context, lp, { receiver }), {
    expected: () => receiverRow(receiver),
    details: (moved) => [...movedRows(market, moved, "gave"), ["got", ether(moved.lp, "LP")]],
    quote: cost,
  });
  await actApproved(session, await enterApproval(context, lp), next, {
    action: `enter the EtherPool with ${formatEther(lp)} LP`,
    rows: [
      ["sends", `${ether(cost.ether)} and ${ether(staked, "estETH")}`],
      ["gets", ether(lp, "LP")],
      ...receiverRow(receiver),
    ],
    quote: cost,
  });
}

export async function exitPool(session: Session, text: string, options: ExitOptions): Promise<void> {
  const context = await session.context();
  const owner = await context.signer.getAddress();
  const held = wei(await liquidityOf(session.protocol).etherPool.balanceOf(owner));
  const lp = partOf(held, "LP", text);
  if (options.toEther === true) return exitAll(session, lp, options);
  const unfit = (["maxFee", "minEther", "permit", "minutes"] as const).find((name) => options[name] !== undefined);
  if (unfit !== undefined) throw new AppError(EXIT.usage, `${OPTION[unfit]}: only with --to-ether`);
  const receiver = receiverOf(options);
  const market = await readEtherPool(session.protocol);
  await act(session, await exit(context, lp, { receiver }), {
    expected: () => receiverRow(receiver),
    details: (moved) => [...movedRows(market, moved, "got"), ...receiverRow(receiver)],
    quote: foretold(() => quoteExit(market.pool, lp)),
  });
}

const OPTION = { maxFee: "--max-fee", minEther: "--min-ether", permit: "--permit", minutes: "--minutes" } as const;

/** Its part of the ether, and `leave` with its part of the estETH. */
async function exitAll(session: Session, lp: Wei, options: ExitOptions): Promise<void> {
  const terms = termsOf(options);
  const context = await session.context();
  const owner = await context.signer.getAddress();
  await checkPermit(session, owner, terms);
  const market = await readEtherPool(session.protocol);
  const { own, left } = foretold(() => splitExit(market, lp, terms.maxFeeBp));
  const atOnce = wei(own.ether + left.ether);
  checkLeast(atOnce, terms);
  const rows: readonly Row[] = [
    ["own part", `${ether(own.ether)} and ${ether(fromWrappedDown(own.units, market.totals), "estETH")}, of which`],
    ...(await leavingRows(session, market, left, terms, "as estETH")),
  ];
  const quote = { part: own, ...quoteOf(left, terms), ether: atOnce };
  const next = step(() => exitToEther(context, lp, terms), {
    expected: () => rows,
    details: (got) => leftRows(session, got, terms.receiver ?? owner),
    quote,
  });
  const plan = {
    action: `exit the EtherPool with ${formatEther(lp)} LP, to ether`,
    rows: [["sends", ether(lp, "LP")], ...getsRow(atOnce), ...rows] as const,
    quote,
  };
  if (terms.permit) return actPermitted(session, next, plan);
  await actApproved(session, await exitApproval(context, lp), next, plan);
}

function movedRows({ totals }: EtherPoolStatus, { ether: moved, units: amount }: Moved, name: string): readonly Row[] {
  return [[name, `${ether(moved)} and ${ether(fromWrappedDown(amount, totals), "estETH")}`]];
}

function receiverRow(receiver: string | undefined): readonly Row[] {
  return receiver === undefined ? [] : [["receiver", receiver]];
}
