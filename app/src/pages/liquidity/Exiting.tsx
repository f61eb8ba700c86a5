/** Leaving the pool: with one's part of both assets, or to ether as far as the fee allows. */
import type { ReactElement } from "react";
import { afterExit, exit, exitApproval, exitToEther, quoteExit, splitLeave } from "../../../../offchain/chain/index.ts";
import type { LeaveSplit } from "../../../../offchain/chain/index.ts";
import { unitsToShares } from "../../../../offchain/protocol/shares.ts";
import { wei } from "../../../../offchain/protocol/units.ts";
import type { Wei } from "../../../../offchain/protocol/units.ts";
import { fromWrappedDown } from "../../../../offchain/protocol/wrapped.ts";
import { usePoolAccount } from "../../data/liquidity.ts";
import { Amount } from "../../parts/Amount.tsx";
import { AmountForm, useAmountForm } from "../../parts/AmountForm.tsx";
import { Fact, Facts } from "../../parts/Card.tsx";
import { PermissionFact, usePermission } from "../../parts/Permission.tsx";
import { CostValue } from "../../parts/Send.tsx";
import { FeeSlider } from "../../parts/leaving/FeeSlider.tsx";
import { LeaveFacts, QueuedNote, leaveSentence } from "../../parts/leaving/LeaveFacts.tsx";
import { useFeeWish } from "../../parts/leaving/useFeeLimit.ts";
import type { FeeLimit } from "../../parts/leaving/useFeeLimit.ts";
import type { Intent } from "../../tx/useAction.ts";
import { useWallet } from "../../wallet/useWallet.ts";
import { useSpeech } from "../../words/context.tsx";
import { liquidityWords } from "../../words/liquidity.ts";
import type { FormProps } from "./Entering.tsx";

export function ExitWithBoth({ market }: FormProps): ReactElement {
  const { t, amount } = useSpeech(liquidityWords);
  const { address } = useWallet();
  const account = usePoolAccount(address);
  const form = useAmountForm({
    kinds: ["exit"],
    about: "liquidity",
    unit: "LP",
    balance: account.data?.lp,
    intent: (of) => ({ kind: "exit", amount: of, prepare: (context) => exit(context, wei(of)) }),
    against: (of) => tooMuch(of, market.pool.supply, t.field["too-large"]),
  });
  const { chosen } = form;
  const got = chosen === undefined ? undefined : quoteExit(market.pool, wei(chosen));
  return (
    <AmountForm
      form={form}
      label={chosen === undefined ? t.liquidity.leaveEmpty : t.liquidity.leaveButton(amount(chosen, "LP"))}
      kind="exit"
      isBusy={form.action.record?.state === "pending"}
      note={t.liquidity.always}
      done={(record) => (
        <p>
          {t.liquidity.left(amount(BigInt(record.outcome ?? 0), "ETH"), amount(BigInt(record.beside ?? 0), "estETH"))}
        </p>
      )}
    >
      <Facts>
        <Fact name={t.liquidity.youGet}>
          <strong>
            <Amount wei={got?.ether ?? 0n} unit="ETH" />
          </strong>
          <strong className="block">
            <Amount wei={got === undefined ? 0n : fromWrappedDown(got.units, market.totals)} unit="estETH" />
          </strong>
        </Fact>
        <Fact name={t.stake.cost}>
          <CostValue cost={form.cost} needs={chosen === undefined ? "amount" : "nothing"} />
        </Fact>
      </Facts>
    </AmountForm>
  );
}

interface Quote {
  readonly choice: FeeLimit;
  readonly own: Wei;
  readonly split: LeaveSplit | undefined;
}

export function ExitToEther({ market }: FormProps): ReactElement {
  const speech = useSpeech(liquidityWords);
  const { t, amount } = speech;
  const { address } = useWallet();
  const { data: account } = usePoolAccount(address);
  const permission = usePermission(address, account?.routerAllowance.LP);
  const wish = useFeeWish();
  const trading = market.calm ? market : undefined;
  const quote = (of: bigint | undefined): Quote => {
    if (of === undefined) return { choice: wish.limitFor(trading, undefined), own: wei(0n), split: undefined };
    const { own, after } = afterExit(market, wei(of));
    const moved = unitsToShares(own.units);
    const choice = wish.limitFor(market.calm ? after : undefined, moved);
    return { choice, own: own.ether, split: splitLeave(after, moved, choice.limit) };
  };
  const intent = (of: bigint): Intent => {
    if (permission.needsApproval(of))
      return { kind: "approve", amount: of, isStep: true, prepare: (context) => exitApproval(context, wei(of)) };
    const maxFeeBp = quote(of).choice.limit;
    const permit = !permission.isByApproval(of);
    return {
      kind: "exitToEther",
      amount: of,
      signsFirst: permit,
      prepare: (context) => exitToEther(context, wei(of), { maxFeeBp, permit }),
    };
  };
  const form = useAmountForm({
    kinds: ["exitToEther", "approve"],
    about: "liquidity-ether",
    unit: "LP",
    balance: account?.lp,
    intent,
    against: (of) => tooMuch(of, market.pool.supply, t.field["too-large"]),
    costKey: String(wish.wanted),
  });
  const { chosen } = form;
  const { choice, own, split } = quote(chosen);
  const isApproval = permission.needsApproval(chosen);
  const signsPermit = chosen !== undefined && !permission.isByApproval(chosen);
  const label = (): string => {
    if (chosen === undefined) return t.liquidity.leaveEmpty;
    return (isApproval ? t.leaving.approve : t.liquidity.leaveButton)(amount(chosen, "LP"));
  };
  return (
    <AmountForm
      form={form}
      label={label()}
      kind={isApproval ? "approve" : "exitToEther"}
      isBusy={form.action.record?.state === "pending"}
      signsPermit={signsPermit}
      done={(record) => {
        const got = amount(BigInt(record.outcome ?? 0), "ETH");
        const later = BigInt(record.beside ?? 0);
        if (record.kind === "approve") return <p>{t.leaving.approved(amount(BigInt(record.amount), "LP"))}</p>;
        return <p>{later > 0n ? t.leaving.doneBoth(got, amount(later, "ETH")) : t.leaving.doneNow(got)}</p>;
      }}
    >
      {market.calm && <FeeSlider choice={choice} said={leaveSentence(speech, split)} />}
      <Facts>
        {split === undefined ? (
          <Fact name={t.leaving.getNow}>
            <strong>
              <Amount wei={0n} unit="ETH" />
            </strong>
          </Fact>
        ) : (
          <LeaveFacts split={split} market={market} limit={choice.limit} own={own} />
        )}
        <PermissionFact permission={permission} amount={chosen} words={t.leaving} />
        <Fact name={t.stake.cost}>
          {signsPermit ? (
            <span className="quiet">{t.leaving.costAfter}</span>
          ) : (
            <CostValue cost={form.cost} needs={chosen === undefined ? "amount" : "nothing"} />
          )}
        </Fact>
      </Facts>
      {split !== undefined && <QueuedNote split={split} limit={choice.limit} />}
    </AmountForm>
  );
}

/** Without an account nothing else bounds it. */
function tooMuch(of: bigint, supply: Wei, sentence: string): string | undefined {
  return of > supply ? sentence : undefined;
}
