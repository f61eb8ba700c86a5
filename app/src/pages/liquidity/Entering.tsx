/** Lending: from ether alone, a part of which is staked on the way, or with both assets. */
import type { ReactElement } from "react";
import {
  USUAL_FEE,
  enter,
  enterApproval,
  lpFor,
  mostOf,
  provide,
  quoteEnter,
  splitProvide,
} from "../../../../offchain/chain/index.ts";
import type { EtherPoolStatus, Provision } from "../../../../offchain/chain/index.ts";
import { BP_IN_NANO } from "../../../../offchain/protocol/feeCurve.ts";
import { toEtherUp, unitsToShares } from "../../../../offchain/protocol/shares.ts";
import { units, wei } from "../../../../offchain/protocol/units.ts";
import { fromWrappedUp } from "../../../../offchain/protocol/wrapped.ts";
import { usePoolAccount } from "../../data/liquidity.ts";
import { useAccount, useStatus } from "../../data/queries.ts";
import { Amount } from "../../parts/Amount.tsx";
import { AmountForm, useAmountForm } from "../../parts/AmountForm.tsx";
import { Fact, Facts } from "../../parts/Card.tsx";
import { CostValue } from "../../parts/Send.tsx";
import { useWallet } from "../../wallet/useWallet.ts";
import { useSpeech } from "../../words/context.tsx";
import { liquidityWords } from "../../words/liquidity.ts";
import { feeBp } from "./Pool.tsx";

export interface FormProps {
  readonly market: EtherPoolStatus;
}

export function EnterWithEther({ market }: FormProps): ReactElement {
  const { t, amount, percent } = useSpeech(liquidityWords);
  const { address } = useWallet();
  const account = useAccount(address);
  const isClosed = useStatus().data?.deposits.blocked !== undefined;
  const isDrained = market.marginalFee > USUAL_FEE * BP_IN_NANO;
  const form = useAmountForm({
    kinds: ["provide"],
    about: "liquidity",
    unit: "ETH",
    balance: account.data?.ether,
    intent: (of) => ({ kind: "provide", amount: of, prepare: (context) => provide(context, wei(of)) }),
    isBlocked: isDrained || isClosed,
  });
  const { chosen } = form;
  const quote: Provision | undefined =
    chosen === undefined || isDrained || lpFor(market.pool, market.totals, wei(chosen)) === 0n
      ? undefined
      : splitProvide(market, wei(chosen), USUAL_FEE);
  return (
    // what the network cost leaves is the person's to judge: lending is rarely everything
    <AmountForm
      form={form}
      field={{ most: 0n }}
      label={chosen === undefined ? t.liquidity.lendEmpty : t.liquidity.lendButton(amount(chosen, "ETH"))}
      kind="provide"
      isBusy={form.action.record?.state === "pending"}
      done={(record) => <p>{t.liquidity.lent1(amount(BigInt(record.outcome ?? 0), "LP"))}</p>}
    >
      <Facts>
        <Fact name={t.liquidity.youGet}>
          <strong>
            <Amount wei={quote?.lp ?? 0n} unit="LP" />
          </strong>
        </Fact>
        <Fact name={t.liquidity.entering}>
          <Amount wei={quote?.ether ?? 0n} unit="ETH" />
        </Fact>
        <Fact name={t.liquidity.staking}>
          <Amount wei={quote?.staked ?? 0n} unit="ETH" />
        </Fact>
        <Fact name={t.liquidity.entryFee}>{percent(market.pool.terms.entryFeeBp)}</Fact>
        <Fact name={t.stake.cost}>
          <CostValue cost={form.cost} needs={chosen === undefined ? "amount" : "nothing"} />
        </Fact>
      </Facts>
      {isDrained && <p className="notice warn">{t.liquidity.drained(percent(feeBp(market)))}</p>}
      {isClosed && <p className="notice warn">{t.liquidity.noDeposits}</p>}
    </AmountForm>
  );
}

export function EnterWithBoth({ market }: FormProps): ReactElement {
  const { t, amount, percent } = useSpeech(liquidityWords);
  const { address } = useWallet();
  const { data: account } = useAccount(address);
  const allowance = usePoolAccount(address).data?.poolAllowance;
  const { pool, totals } = market;
  const costOf = (of: bigint) => {
    const lp = lpFor(pool, totals, wei(of));
    if (lp === 0n) return undefined;
    const { ether, units: moved } = quoteEnter(pool, lp);
    const most = units(mostOf(moved));
    return { lp, ether, staked: fromWrappedUp(moved, totals), allowed: toEtherUp(unitsToShares(most), totals) };
  };
  const needsApproval = (of: bigint): boolean => allowance !== undefined && allowance < (costOf(of)?.allowed ?? 0n);
  const form = useAmountForm({
    kinds: ["enter", "approve"],
    about: "liquidity-both",
    unit: "ETH",
    balance: undefined,
    intent: (of) => {
      const lp = costOf(of)?.lp ?? wei(0n);
      return needsApproval(of)
        ? { kind: "approve", amount: of, isStep: true, prepare: (context) => enterApproval(context, lp) }
        : { kind: "enter", amount: of, prepare: (context) => enter(context, lp) };
    },
    against: (of) => {
      const cost = costOf(of);
      if (cost === undefined || account === undefined) return undefined;
      const sent = mostOf(cost.ether);
      if (sent > account.ether) return t.liquidity.tooLittle(amount(sent, "ETH", "up"), amount(account.ether, "ETH"));
      return cost.staked > account.staked
        ? t.liquidity.tooLittle(amount(cost.staked, "estETH", "up"), amount(account.staked, "estETH"))
        : undefined;
    },
    costKey: String(allowance),
  });
  const { chosen } = form;
  const cost = chosen === undefined ? undefined : costOf(chosen);
  const isApproval = chosen !== undefined && needsApproval(chosen);
  const label = (): string => {
    if (chosen === undefined) return t.liquidity.lendEmpty;
    return isApproval
      ? t.leaving.approve(amount(cost?.staked ?? 0n, "estETH", "up"))
      : t.liquidity.lendButton(amount(chosen, "ETH"));
  };
  return (
    <AmountForm
      form={form}
      field={{ hint: t.liquidity.togetherHint }}
      label={label()}
      kind={isApproval ? "approve" : "enter"}
      isBusy={form.action.record?.state === "pending"}
      done={(record) => (
        <p>
          {record.kind === "approve"
            ? t.leaving.approved(amount(BigInt(record.amount), "ETH"))
            : t.liquidity.lent1(amount(BigInt(record.outcome ?? 0), "LP"))}
        </p>
      )}
    >
      <Facts>
        <Fact name={t.liquidity.youGive}>
          <Amount wei={cost?.ether ?? 0n} unit="ETH" round="up" />
          <span className="block">
            <Amount wei={cost?.staked ?? 0n} unit="estETH" round="up" />
          </span>
        </Fact>
        <Fact name={t.liquidity.youGet}>
          <strong>
            <Amount wei={cost?.lp ?? 0n} unit="LP" />
          </strong>
        </Fact>
        <Fact name={t.liquidity.entryFee}>{percent(pool.terms.entryFeeBp)}</Fact>
        <Fact name={t.leaving.how}>{isApproval ? t.leaving.byApproval : t.leaving.approvedAlready}</Fact>
        <Fact name={t.stake.cost}>
          <CostValue cost={form.cost} needs={chosen === undefined ? "amount" : "nothing"} />
        </Fact>
      </Facts>
    </AmountForm>
  );
}
