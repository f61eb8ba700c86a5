import { useState } from "react";
import type { ReactElement, ReactNode } from "react";
import { requestWithdrawals, requestWrappedWithdrawals, splitAmount } from "../../../offchain/chain/index.ts";
import type { AccountStatus, Context, Prepared, ProtocolStatus } from "../../../offchain/chain/index.ts";
import { units, wei } from "../../../offchain/protocol/units.ts";
import type { Wei } from "../../../offchain/protocol/units.ts";
import { fromWrappedDown } from "../../../offchain/protocol/wrapped.ts";
import { useNow } from "../data/now.ts";
import { useAccount, useOutlook, useStatus } from "../data/queries.ts";
import { Amount } from "../parts/Amount.tsx";
import { AmountForm, useAmountForm } from "../parts/AmountForm.tsx";
import { Card, Fact, Facts, Loaded } from "../parts/Card.tsx";
import { CostValue } from "../parts/Send.tsx";
import { Term } from "../parts/Term.tsx";
import { useWallet } from "../wallet/useWallet.ts";
import { useSpeech } from "../words/context.tsx";
import { withdrawWords } from "../words/withdraw.ts";
import { Requests } from "./Requests.tsx";

const ASSETS = ["estETH", "westETH"] as const;
type Asset = (typeof ASSETS)[number];

export function Withdraw(): ReactElement {
  const { t, amount } = useSpeech(withdrawWords);
  const { address } = useWallet();
  const [asset, setAsset] = useState<Asset>("estETH");
  const status = useStatus();
  useOutlook(); // asked for together with what its place on the page waits for
  const account = useAccount(address);
  const isPaused = status.data?.queue.paused === true;
  const prepare =
    (of: bigint) =>
    (context: Context): Promise<Prepared<unknown, unknown>> =>
      asset === "estETH" ? requestWithdrawals(context, wei(of)) : requestWrappedWithdrawals(context, wei(of));
  const form = useAmountForm({
    kinds: ["request", "requestWrapped"],
    unit: asset,
    balance: balanceOf(account.data, asset),
    intent: (of) => ({ kind: asset === "estETH" ? "request" : "requestWrapped", amount: of, prepare: prepare(of) }),
    isBlocked: isPaused,
  });
  const { chosen } = form;
  const paid = (data: ProtocolStatus): Wei => {
    if (chosen === undefined) return wei(0n);
    return asset === "estETH" ? wei(chosen) : fromWrappedDown(units(chosen), data.totals);
  };
  const pieces = chosen === undefined ? 1 : splitAmount(wei(chosen)).length;
  return (
    <div className="page narrow">
      <h1>{t.withdraw.title}</h1>
      <Card>
        <AmountForm
          form={form}
          field={{ units: ASSETS, onUnit: (unit) => setAsset(unit === "westETH" ? "westETH" : "estETH") }}
          label={t.withdraw.button}
          kind="request"
          note={t.withdraw.cannotEarn}
          done={(record) => <p>{t.withdraw.done(amount(BigInt(record.outcome ?? 0), "ETH"))}</p>}
        >
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
                    <CostValue cost={form.cost} needs={chosen === undefined ? "amount" : "nothing"} />
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
        </AmountForm>
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
