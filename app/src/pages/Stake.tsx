import { useState } from "react";
import type { ReactElement } from "react";
import { Link } from "wouter";
import { stake, stakeAndWrap } from "../../../offchain/chain/index.ts";
import type { Context, Prepared, ProtocolStatus } from "../../../offchain/chain/index.ts";
import { aprSummary } from "../../../offchain/chain/index.ts";
import { toEtherDisplayed, toSharesDown } from "../../../offchain/protocol/shares.ts";
import { wei } from "../../../offchain/protocol/units.ts";
import { toWrappedDown } from "../../../offchain/protocol/wrapped.ts";
import { useCost } from "../data/cost.ts";
import { useNow } from "../data/now.ts";
import { useAccount, useHistory, useOutlook, useStatus } from "../data/queries.ts";
import { ActionButton } from "../parts/ActionButton.tsx";
import { Amount } from "../parts/Amount.tsx";
import { AmountField, readAmount } from "../parts/AmountField.tsx";
import { Card, Fact, Facts, Loaded } from "../parts/Card.tsx";
import { Choice } from "../parts/Choice.tsx";
import { Holdings } from "../parts/Holdings.tsx";
import { Progress, reasonIn } from "../parts/Progress.tsx";
import { Risk, useRisk } from "../parts/Risk.tsx";
import { Term } from "../parts/Term.tsx";
import { failureOf, useAction } from "../tx/useAction.ts";
import { useWallet } from "../wallet/useWallet.ts";
import { useSpeech } from "../words/context.tsx";
import type { Speech } from "../words/context.tsx";

type Asset = "estETH" | "westETH";

/** Stands for any amount where only the network cost is asked. */
const SAMPLE = wei(10n ** 9n);

export function Stake(): ReactElement {
  const speech = useSpeech();
  const { t, amount, percent, span } = speech;
  const { address, isWrongChain } = useWallet();
  const [text, setText] = useState("");
  const [asset, setAsset] = useState<Asset>("estETH");
  const status = useStatus();
  const account = useAccount(address);
  const history = useHistory("month");
  const action = useAction(["stake", "stakeAndWrap"]);
  const risk = useRisk(address);
  const blocked = useBlocked(status.data, speech);

  const prepare =
    (of: bigint) =>
    (context: Context): Promise<Prepared<unknown, unknown>> =>
      asset === "estETH" ? stake(context, wei(of)) : stakeAndWrap(context, wei(of));
  const sample = useCost(["stake", asset, "sample"], blocked === undefined ? prepare(SAMPLE) : undefined);
  // twice what it costs now: the next transaction needs some too
  const aside = sample.data === undefined ? undefined : sample.data.maxFee * 2n;
  const balance = account.data?.ether;
  const spendable = balance === undefined || aside === undefined ? undefined : balance > aside ? balance - aside : 0n;
  const entered = readAmount(text, speech, balance);
  const room = status.data?.deposits.room;
  const isAbove = entered.wei !== undefined && room !== undefined && entered.wei > room;
  const problem = entered.problem ?? (isAbove ? t.stake.room(amount(room, "ETH")) : undefined);
  const chosen = isAbove ? undefined : entered.wei;
  const cost = useCost(
    ["stake", asset, String(chosen)],
    chosen === undefined || blocked !== undefined || action.step !== "idle" ? undefined : prepare(chosen),
  );
  const refusal = cost.error === null || chosen === undefined ? undefined : reasonIn(failureOf(cost.error), t);
  const got = (of: bigint, { totals }: ProtocolStatus): bigint =>
    asset === "estETH" ? toEtherDisplayed(toSharesDown(wei(of), totals), totals) : toWrappedDown(wei(of), totals);
  const month = history.data === undefined ? undefined : aprSummary(history.data.items).month;
  const growth =
    month === undefined ? t.stake.growthUnknown : t.stake.growth(percent(month.bp), span(Number(month.seconds)));
  const press = async (): Promise<void> => {
    if (chosen === undefined) return;
    const kind = asset === "estETH" ? "stake" : "stakeAndWrap";
    if (await action.run({ kind, amount: chosen, prepare: prepare(chosen) })) setText("");
  };
  return (
    <div className="page narrow">
      <h1>{t.stake.title}</h1>
      <Card>
        <AmountField
          text={text}
          onText={setText}
          unit="ETH"
          balance={balance}
          most={spendable}
          problem={problem}
          hint={
            spendable !== undefined && aside !== undefined && chosen === spendable
              ? t.stake.gasLeft(amount(aside, "ETH", "up"))
              : undefined
          }
        />
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
                  <CostValue
                    isConnected={address !== undefined}
                    cost={(chosen === undefined ? sample : cost).data?.expectedFee}
                  />
                </Fact>
              </Facts>
              {blocked !== undefined && <p className="notice warn">{blocked}</p>}
            </>
          )}
        </Loaded>
        {address !== undefined && risk.isNeeded && <Risk />}
        {refusal !== undefined && !isWrongChain && (
          <p className="notice warn">{t.tx.because(t.stake.cannot, refusal)}</p>
        )}
        <ActionButton
          label={
            address !== undefined && risk.isNeeded
              ? t.stake.riskAgree
              : chosen === undefined
                ? t.stake.buttonEmpty
                : t.stake.button(amount(chosen, "ETH"))
          }
          disabled={
            !risk.isNeeded &&
            (chosen === undefined || blocked !== undefined || refusal !== undefined || action.step !== "idle")
          }
          onPress={() => (risk.isNeeded ? risk.agree() : void press())}
        />
        {status.data !== undefined && (
          <p className="quiet under">
            {(asset === "estETH" ? t.stake.under : t.stake.underWrapped)(
              amount(got(chosen ?? 10n ** 18n, status.data), asset),
              growth,
            )}
          </p>
        )}
        <Progress
          action={action}
          kind="stake"
          done={(record) => (
            <>
              <p>{t.stake.done(amount(BigInt(record.outcome ?? 0), record.kind === "stake" ? "estETH" : "westETH"))}</p>
              <p className="links">
                <Link href="/rewards">{t.stake.next.rewards}</Link>
                <Link href="/withdraw">{t.stake.next.withdraw}</Link>
              </p>
            </>
          )}
        />
      </Card>
      {address === undefined ? <p className="quiet risk-note">{t.stake.risk}</p> : <Holdings address={address} />}
    </div>
  );
}

function CostValue({
  isConnected,
  cost,
}: {
  readonly isConnected: boolean;
  readonly cost: bigint | undefined;
}): ReactElement {
  const { t } = useSpeech();
  if (!isConnected) return <span className="quiet">{t.stake.costLater}</span>;
  return cost === undefined ? (
    <span className="quiet">{t.common.notKnown}</span>
  ) : (
    <Amount wei={cost} unit="ETH" round="up" />
  );
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
