import { useState } from "react";
import type { ReactElement } from "react";
import { Link } from "wouter";
import { isWorthRouting, splitStake, stake, stakeAndWrap, stakeBest } from "../../../offchain/chain/index.ts";
import type { Context, Cost, Market, Prepared, ProtocolStatus, StakeSplit } from "../../../offchain/chain/index.ts";
import { aprSummary } from "../../../offchain/chain/index.ts";
import { toEtherDisplayed, toSharesDown, toUnitsDown } from "../../../offchain/protocol/shares.ts";
import { wei } from "../../../offchain/protocol/units.ts";
import { toWrappedDown } from "../../../offchain/protocol/wrapped.ts";
import { useCost } from "../data/cost.ts";
import { useNow } from "../data/now.ts";
import { useEtherPool } from "../data/liquidity.ts";
import { useAccount, useHistory, useOutlook, useStatus } from "../data/queries.ts";
import { Amount } from "../parts/Amount.tsx";
import { AmountForm, useAmountForm } from "../parts/AmountForm.tsx";
import { Card, Fact, Facts, Loaded } from "../parts/Card.tsx";
import { Choice } from "../parts/Choice.tsx";
import { Holdings } from "../parts/Holdings.tsx";
import { Risk, useRisk } from "../parts/Risk.tsx";
import { CostValue } from "../parts/Send.tsx";
import { Term } from "../parts/Term.tsx";
import { useWallet } from "../wallet/useWallet.ts";
import { useSpeech } from "../words/context.tsx";
import type { Speech } from "../words/context.tsx";

type Asset = "estETH" | "westETH";

/** Stands for any amount where only the network cost is asked. */
const SAMPLE = wei(10n ** 9n);

export function Stake(): ReactElement {
  const speech = useSpeech();
  const { t, amount, percent, span } = speech;
  const { address } = useWallet();
  const [asset, setAsset] = useState<Asset>("estETH");
  const status = useStatus();
  const account = useAccount(address);
  const history = useHistory("month");
  const risk = useRisk(address);
  const blocked = useBlocked(status.data, speech);

  const prepare =
    (of: bigint) =>
    (context: Context): Promise<Prepared<unknown, unknown>> =>
      stakeBest(context, wei(of), { wrapped: asset === "westETH" });
  // the direct way: an amount that small never goes another one
  const least = (context: Context): Promise<Prepared<unknown, unknown>> =>
    asset === "estETH" ? stake(context, SAMPLE) : stakeAndWrap(context, SAMPLE);
  const sample = useCost(["stake", asset, "sample"], blocked === undefined ? least : undefined);
  // twice what it costs now: the next transaction needs some too
  const aside = sample.data === undefined ? undefined : sample.data.maxFee * 2n;
  const balance = account.data?.ether;
  const spendable = balance === undefined || aside === undefined ? undefined : balance > aside ? balance - aside : 0n;
  const room = status.data?.deposits.room;
  const form = useAmountForm({
    kinds: ["stake", "stakeAndWrap"],
    unit: "ETH",
    balance,
    intent: (of) => ({ kind: asset === "estETH" ? "stake" : "stakeAndWrap", amount: of, prepare: prepare(of) }),
    // where nothing can be staked at all, that is said already
    against: (of) => (room !== undefined && room > 0n && of > room ? t.stake.room(amount(room, "ETH")) : undefined),
    isBlocked: blocked !== undefined,
  });
  const { chosen } = form;
  const market = useEtherPool();
  const routed = routedBy(market.data, chosen, form.cost ?? sample.data);
  const got = (of: bigint, { totals }: ProtocolStatus): bigint => {
    if (routed !== undefined && of === chosen)
      return asset === "estETH" ? toEtherDisplayed(routed.shares, totals) : toUnitsDown(routed.shares);
    return asset === "estETH"
      ? toEtherDisplayed(toSharesDown(wei(of), totals), totals)
      : toWrappedDown(wei(of), totals);
  };
  const month = history.data === undefined ? undefined : aprSummary(history.data.items).month;
  const growth =
    month === undefined ? t.stake.growthUnknown : t.stake.growth(percent(month.bp), span(Number(month.seconds)));
  const isAsked = address !== undefined && risk.isNeeded;
  return (
    <div className="page narrow">
      <h1>{t.stake.title}</h1>
      <Card>
        <AmountForm
          form={form}
          field={{
            most: spendable,
            hint:
              spendable !== undefined && aside !== undefined && chosen === spendable
                ? t.stake.gasLeft(amount(aside, "ETH", "up"))
                : undefined,
          }}
          label={
            isAsked
              ? t.stake.riskAgree
              : chosen === undefined
                ? t.stake.buttonEmpty
                : t.stake.button(amount(chosen, "ETH"))
          }
          kind="stake"
          instead={isAsked ? risk.agree : undefined}
          note={
            status.data === undefined
              ? undefined
              : (asset === "estETH" ? t.stake.under : t.stake.underWrapped)(
                  amount(got(chosen ?? 10n ** 18n, status.data), asset),
                  growth,
                )
          }
          done={(record) => (
            <>
              <p>{t.stake.done(amount(BigInt(record.outcome ?? 0), record.kind === "stake" ? "estETH" : "westETH"))}</p>
              <p className="links">
                <Link href="/rewards">{t.stake.next.rewards}</Link>
                <Link href="/withdraw">{t.stake.next.withdraw}</Link>
              </p>
            </>
          )}
        >
          <Choice name={t.stake.receive} value={asset} options={["estETH", "westETH"]} onChange={setAsset} />
          <Loaded query={status} lines={5}>
            {(data) => (
              <>
                <Facts>
                  <Fact name={t.stake.youGet}>
                    <strong>
                      <Amount wei={got(chosen ?? 0n, data)} unit={asset} />
                    </strong>
                  </Fact>
                  <Fact
                    name={
                      <Term
                        word={month === undefined ? t.stake.apr : t.stake.aprOver(span(Number(month.seconds)))}
                        meaning={t.terms.apr}
                      />
                    }
                  >
                    {month === undefined ? t.common.notKnown : percent(month.bp)}
                  </Fact>
                  <Fact name={t.stake.fee}>{t.stake.feeOf(percent(data.pool.feeBp))}</Fact>
                  <Fact name={t.stake.cost}>
                    <CostValue cost={chosen === undefined ? sample.data : form.cost} needs="nothing" />
                  </Fact>
                </Facts>
                {routed !== undefined && <p className="notice good">{t.stake.fromPool(amount(routed.gain, "ETH"))}</p>}
                {blocked !== undefined && <p className="notice warn">{blocked}</p>}
              </>
            )}
          </Loaded>
          {isAsked && <Risk />}
        </AmountForm>
      </Card>
      {address === undefined ? <p className="quiet risk-note">{t.stake.risk}</p> : <Holdings address={address} />}
    </div>
  );
}

/** What staking `amount` gives where it goes through the Router, as `stakeBest` decides; undefined where it doesn't. */
function routedBy(
  market: Market | undefined,
  amount: bigint | undefined,
  cost: Cost | undefined,
): StakeSplit | undefined {
  if (market === undefined || amount === undefined) return undefined;
  const split = splitStake(market, wei(amount));
  const gasPrice = cost === undefined || cost.gas === 0n ? 0n : cost.expectedFee / cost.gas;
  return split.bought > 0n && isWorthRouting(split, gasPrice) ? split : undefined;
}

/** Why nothing can be staked now, and when that ends. */
function useBlocked(status: ProtocolStatus | undefined, { t, when }: Speech): string | undefined {
  const now = useNow();
  const outlook = useOutlook();
  const next = outlook.data === undefined ? undefined : when(Number(outlook.data.nextReport), now.time);
  switch (status?.deposits.blocked) {
    case "paused":
      return t.stake.paused;
    case "overdue":
      return next === undefined ? t.stake.overdue : t.stake.overdueSince(next);
    case "capped":
      return t.stake.capped(next ?? t.common.notKnown);
    case undefined:
      return undefined;
  }
}
