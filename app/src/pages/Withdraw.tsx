import { useState } from "react";
import type { ReactElement, ReactNode } from "react";
import { requestWithdrawals, requestWrappedWithdrawals, splitAmount } from "../../../offchain/chain/index.ts";
import type { AccountStatus, Context, Prepared, ProtocolStatus } from "../../../offchain/chain/index.ts";
import { units, wei } from "../../../offchain/protocol/units.ts";
import type { Wei } from "../../../offchain/protocol/units.ts";
import { fromWrappedDown } from "../../../offchain/protocol/wrapped.ts";
import { useCost } from "../data/cost.ts";
import { useNow } from "../data/now.ts";
import { useAccount, useOutlook, useStatus } from "../data/queries.ts";
import { ActionButton } from "../parts/ActionButton.tsx";
import { Amount } from "../parts/Amount.tsx";
import { AmountField, readAmount } from "../parts/AmountField.tsx";
import { Card, Fact, Facts, Loaded } from "../parts/Card.tsx";
import { Progress, reasonIn } from "../parts/Progress.tsx";
import { Term } from "../parts/Term.tsx";
import { failureOf, useAction } from "../tx/useAction.ts";
import { useWallet } from "../wallet/useWallet.ts";
import { useSpeech } from "../words/context.tsx";
import { withdrawWords } from "../words/withdraw.ts";
import { Requests } from "./Requests.tsx";

const ASSETS = ["estETH", "westETH"] as const;
type Asset = (typeof ASSETS)[number];

export function Withdraw(): ReactElement {
  const speech = useSpeech(withdrawWords);
  const { t, amount } = speech;
  const { address, isWrongChain } = useWallet();
  const [text, setText] = useState("");
  const [asset, setAsset] = useState<Asset>("estETH");
  const status = useStatus();
  const account = useAccount(address);
  const action = useAction(["request", "requestWrapped"]);
  const balance = balanceOf(account.data, asset);
  const { wei: chosen, problem } = readAmount(text, speech, balance, asset);
  const isPaused = status.data?.queue.paused === true;
  const prepare =
    (of: bigint) =>
    (context: Context): Promise<Prepared<unknown, unknown>> =>
      asset === "estETH" ? requestWithdrawals(context, wei(of)) : requestWrappedWithdrawals(context, wei(of));
  const cost = useCost(
    ["request", asset, String(chosen)],
    chosen === undefined || isPaused || action.step !== "idle" ? undefined : prepare(chosen),
  );
  const refusal = cost.error === null || chosen === undefined ? undefined : reasonIn(failureOf(cost.error), t);
  const paid = (data: ProtocolStatus): Wei => {
    if (chosen === undefined) return wei(0n);
    return asset === "estETH" ? wei(chosen) : fromWrappedDown(units(chosen), data.totals);
  };
  const press = async (): Promise<void> => {
    if (chosen === undefined) return;
    const kind = asset === "estETH" ? "request" : "requestWrapped";
    if (await action.run({ kind, amount: chosen, prepare: prepare(chosen) })) setText("");
  };
  const pieces = chosen === undefined ? 1 : splitAmount(wei(chosen)).length;
  return (
    <div className="page narrow">
      <h1>{t.withdraw.title}</h1>
      <Card>
        <AmountField
          text={text}
          onText={setText}
          unit={asset}
          units={ASSETS}
          onUnit={(unit) => setAsset(unit === "westETH" ? "westETH" : "estETH")}
          balance={balance}
          problem={problem}
        />
        <Loaded query={status} lines={6}>
          {(data) => (
            <>
              <Facts>
                <Fact name={t.withdraw.youGet}>
                  <strong>
                    <Amount wei={paid(data)} unit="ETH" />
                  </strong>
                </Fact>
                <Waiting amount={paid(data)} />
                <Fact name={t.stake.cost}>
                  {cost.data === undefined ? (
                    <span className="quiet">
                      {address === undefined
                        ? t.stake.costLater
                        : chosen === undefined
                          ? t.stake.costNeedsAmount
                          : t.common.notKnown}
                    </span>
                  ) : (
                    <Amount wei={cost.data.expectedFee} unit="ETH" round="up" />
                  )}
                </Fact>
              </Facts>
              {pieces > 1 && <p className="quiet under">{t.withdraw.pieces(pieces)}</p>}
              {isPaused && <p className="notice warn">{t.withdraw.pausedNote}</p>}
              {!isPaused && data.payments.blocked !== undefined && data.payments.blocked !== "new" && (
                <p className="notice warn">{t.withdraw.unrest}</p>
              )}
            </>
          )}
        </Loaded>
        {refusal !== undefined && !isWrongChain && (
          <p className="notice warn">{t.tx.because(t.stake.cannot, refusal)}</p>
        )}
        <ActionButton
          label={t.withdraw.button}
          disabled={chosen === undefined || isPaused || refusal !== undefined || action.step !== "idle"}
          onPress={() => void press()}
        />
        <p className="quiet under">{t.withdraw.cannotEarn}</p>
        <Progress
          action={action}
          kind="request"
          done={(record) => <p>{t.withdraw.done(amount(BigInt(record.outcome ?? 0), "ETH"))}</p>}
        />
      </Card>
      <Requests address={address} />
    </div>
  );
}

/** How long it takes, and on what that rests. */
function Waiting({ amount }: { readonly amount: Wei }): ReactNode {
  const { t, when, range } = useSpeech(withdrawWords);
  const now = useNow();
  const outlook = useOutlook();
  if (outlook.data === undefined)
    return [t.withdraw.wait, t.withdraw.ahead, t.withdraw.nextReport].map((name) => (
      <Fact key={name} name={name}>
        {t.common.notKnown}
      </Fact>
    ));
  const { waitFor, nextReport, ahead, block } = outlook.data;
  const { earliest, expected, reason } = waitFor(amount);
  const at = Number(block.timestamp);
  return (
    <>
      <Fact name={t.withdraw.wait}>
        {t.withdraw.waitAbout(range(Number(earliest) - at, Number(expected) - at))}
        <span className="quiet block under">{t.withdraw.reason[reason]}</span>
      </Fact>
      <Fact name={t.withdraw.ahead}>
        <Amount wei={ahead} unit="ETH" />
      </Fact>
      <Fact name={<Term word={t.withdraw.nextReport} meaning={t.terms.report} />}>
        {when(Number(nextReport), now.time)}
      </Fact>
    </>
  );
}

function balanceOf(account: AccountStatus | undefined, asset: Asset): bigint | undefined {
  return asset === "estETH" ? account?.staked : account?.wrapped;
}
