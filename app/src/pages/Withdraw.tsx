import { useState } from "react";
import type { ReactElement } from "react";
import {
  leave,
  leaveApproval,
  requestWithdrawals,
  requestWrappedWithdrawals,
  splitAmount,
  splitLeave,
} from "../../../offchain/chain/index.ts";
import type { AccountStatus, LeaveSplit, Market, ProtocolStatus } from "../../../offchain/chain/index.ts";
import { toSharesDown, transferredShares, unitsToShares } from "../../../offchain/protocol/shares.ts";
import { units, wei } from "../../../offchain/protocol/units.ts";
import type { Shares, Wei } from "../../../offchain/protocol/units.ts";
import { fromWrappedDown } from "../../../offchain/protocol/wrapped.ts";
import { useEtherPool, useHasPool, usePoolAccount } from "../data/liquidity.ts";
import { useAccount, useOutlook, useStatus } from "../data/queries.ts";
import { Amount } from "../parts/Amount.tsx";
import { AmountForm, useAmountForm } from "../parts/AmountForm.tsx";
import { Card, Fact, Facts, Loaded } from "../parts/Card.tsx";
import { PermissionFact, usePermission } from "../parts/Permission.tsx";
import { CostValue } from "../parts/Send.tsx";
import { FeeSlider } from "../parts/leaving/FeeSlider.tsx";
import { LeaveFacts, QueuedNote, leaveSentence } from "../parts/leaving/LeaveFacts.tsx";
import { Waiting } from "../parts/leaving/Waiting.tsx";
import { useFeeWish } from "../parts/leaving/useFeeLimit.ts";
import type { FeeLimit } from "../parts/leaving/useFeeLimit.ts";
import type { Intent } from "../tx/useAction.ts";
import { useWallet } from "../wallet/useWallet.ts";
import { useSpeech } from "../words/context.tsx";
import { withdrawWords } from "../words/withdraw.ts";
import { Requests } from "./Requests.tsx";

const ASSETS = ["estETH", "westETH"] as const;
type Asset = (typeof ASSETS)[number];

export function Withdraw(): ReactElement {
  const speech = useSpeech(withdrawWords);
  const { t, amount } = speech;
  const { address } = useWallet();
  const [asset, setAsset] = useState<Asset>("estETH");
  const status = useStatus();
  useOutlook(); // asked for together with what its place on the page waits for
  const account = useAccount(address);
  const pool = useEtherPool();
  const hasPool = useHasPool();
  const permission = usePermission(address, usePoolAccount(address).data?.routerAllowance[asset]);
  const isPaused = status.data?.queue.paused === true;
  const isWrapped = asset === "westETH";
  const market = pool.data?.calm === true ? pool.data : undefined;
  const wish = useFeeWish();
  const quote = (of: bigint | undefined): { readonly choice: FeeLimit; readonly split: LeaveSplit | undefined } => {
    const moved = of === undefined ? undefined : sharesOf(of, asset, account.data, market);
    const choice = wish.limitFor(market, moved);
    const split = market === undefined || moved === undefined ? undefined : splitLeave(market, moved, choice.limit);
    return { choice, split };
  };

  const intent = (of: bigint): Intent => {
    const { choice, split } = quote(of);
    // all of it later: the queue itself takes it, without a permit and for less gas
    if (split === undefined || split.sold === 0n)
      return {
        kind: isWrapped ? "requestWrapped" : "request",
        amount: of,
        prepare: (context) => (isWrapped ? requestWrappedWithdrawals : requestWithdrawals)(context, wei(of)),
      };
    const options = { wrapped: isWrapped, maxFeeBp: choice.limit };
    if (permission.needsApproval(neededFor(of, asset)))
      return {
        kind: "approve",
        amount: of,
        isStep: true,
        prepare: (context) => leaveApproval(context, wei(of), options),
      };
    const permit = !permission.isByApproval(neededFor(of, asset));
    return {
      kind: "leave",
      amount: of,
      signsFirst: permit,
      prepare: (context) => leave(context, wei(of), { ...options, permit }),
    };
  };
  const form = useAmountForm({
    kinds: ["request", "requestWrapped", "leave", "approve"],
    about: "withdraw",
    unit: asset,
    balance: balanceOf(account.data, asset),
    intent,
    isBlocked: isPaused,
    costKey: String(wish.wanted),
  });
  const { chosen } = form;
  const { choice, split } = quote(chosen);
  const isSold = split !== undefined && split.sold > 0n;
  const needsApproval = isSold && chosen !== undefined && permission.needsApproval(neededFor(chosen, asset));
  const signsPermit = isSold && chosen !== undefined && !permission.isByApproval(neededFor(chosen, asset));
  const label = (): string => {
    if (chosen === undefined || split === undefined || !isSold) return t.withdraw.button;
    if (needsApproval) return t.leaving.approve(amount(chosen, asset));
    return (split.queued > 0n ? t.leaving.buttonBoth : t.leaving.buttonNow)(amount(split.ether, "ETH"));
  };
  return (
    <div className="page narrow">
      <h1>{t.withdraw.title}</h1>
      <Card>
        <AmountForm
          form={form}
          field={{ units: ASSETS, onUnit: (unit) => setAsset(unit === "westETH" ? "westETH" : "estETH") }}
          label={label()}
          isBusy={form.action.record?.state === "pending"}
          kind={isSold ? (needsApproval ? "approve" : "leave") : "request"}
          signsPermit={signsPermit}
          note={split === undefined || split.queued > 0n ? t.withdraw.cannotEarn : undefined}
          done={(record) => {
            const outcome = amount(BigInt(record.outcome ?? 0), "ETH");
            const later = BigInt(record.beside ?? 0);
            if (record.kind === "approve") return <p>{t.leaving.approved(amount(BigInt(record.amount), asset))}</p>;
            if (record.kind !== "leave") return <p>{t.withdraw.done(outcome)}</p>;
            return <p>{later > 0n ? t.leaving.doneBoth(outcome, amount(later, "ETH")) : t.leaving.doneNow(outcome)}</p>;
          }}
        >
          <Loaded query={status} lines={6}>
            {(data) => (
              <>
                {market !== undefined && !isPaused && <FeeSlider choice={choice} said={leaveSentence(speech, split)} />}
                {split !== undefined && market !== undefined && choice.isFixed && (
                  <p className="quiet under">{t.leaving.nothingSold}</p>
                )}
                <Facts>
                  {split !== undefined && market !== undefined && isSold ? (
                    <>
                      <LeaveFacts split={split} market={market} limit={choice.limit} />
                      <PermissionFact
                        permission={permission}
                        amount={chosen === undefined ? undefined : neededFor(chosen, asset)}
                        words={t.leaving}
                      />
                    </>
                  ) : (
                    <Later amount={paid(data, chosen, asset)} />
                  )}
                  <Fact name={t.stake.cost}>
                    {signsPermit ? (
                      <span className="quiet">{t.leaving.costAfter}</span>
                    ) : (
                      <CostValue cost={form.cost} needs={chosen === undefined ? "amount" : "nothing"} />
                    )}
                  </Fact>
                </Facts>
                <Notes status={data} isCalm={pool.data?.calm} hasPool={hasPool} chosen={chosen} split={split} />
                {split !== undefined && <QueuedNote split={split} limit={choice.limit} />}
              </>
            )}
          </Loaded>
        </AmountForm>
      </Card>
      <Requests address={address} />
    </div>
  );
}

/** All of it through the queue. */
function Later({ amount }: { readonly amount: Wei }): ReactElement {
  const { t } = useSpeech(withdrawWords);
  return (
    <>
      <Fact name={t.withdraw.youGet}>
        <strong>
          <Amount wei={amount} unit="ETH" />
        </strong>
      </Fact>
      <Waiting amount={amount} />
    </>
  );
}

interface NotesProps {
  readonly status: ProtocolStatus;
  /** Undefined while it is not known, or where there is no pool. */
  readonly isCalm: boolean | undefined;
  readonly hasPool: boolean;
  readonly chosen: bigint | undefined;
  readonly split: LeaveSplit | undefined;
}

/** What is not as usual, and why nothing is sold. */
function Notes({ status, isCalm, hasPool, chosen, split }: NotesProps): ReactElement {
  const { t } = useSpeech(withdrawWords);
  const { queue, payments } = status;
  const isQueued = split === undefined || split.sold === 0n;
  const pieces = chosen === undefined || !isQueued ? 1 : splitAmount(wei(chosen)).length;
  return (
    <>
      {pieces > 1 && <p className="quiet under">{t.withdraw.pieces(pieces)}</p>}
      {!hasPool && <p className="quiet under">{t.leaving.none}</p>}
      {queue.paused && <p className="notice warn">{t.withdraw.pausedNote}</p>}
      {!queue.paused && isCalm === false && <p className="notice warn">{t.leaving.notCalm}</p>}
      {!queue.paused && payments.blocked !== undefined && payments.blocked !== "new" && (
        <p className="notice warn">{t.withdraw.unrest}</p>
      )}
    </>
  );
}

function balanceOf(account: AccountStatus | undefined, asset: Asset): bigint | undefined {
  return asset === "estETH" ? account?.staked : account?.wrapped;
}

/** What the queue pays at most. */
function paid({ totals }: ProtocolStatus, chosen: bigint | undefined, asset: Asset): Wei {
  if (chosen === undefined) return wei(0n);
  return asset === "estETH" ? wei(chosen) : fromWrappedDown(units(chosen), totals);
}

/** The shares that leave with an amount: of estETH exactly those that the contract takes. */
function sharesOf(
  of: bigint,
  asset: Asset,
  account: AccountStatus | undefined,
  market: Market | undefined,
): Shares | undefined {
  if (asset === "westETH") return unitsToShares(units(of));
  if (account !== undefined) return transferredShares(wei(of), account.shares, account.totals);
  return market === undefined ? undefined : toSharesDown(wei(of), market.totals);
}

/** Shares of estETH are moved by an allowance of their ether, rounded up. */
function neededFor(amount: bigint, asset: Asset): bigint {
  return asset === "estETH" ? amount + 2n : amount;
}
