import { useState } from "react";
import type { ReactElement } from "react";
import { addBond, moreKeys, withdrawBond } from "../../../../offchain/chain/index.ts";
import { toEtherDown, toSharesDown } from "../../../../offchain/protocol/shares.ts";
import { SHARES_PER_UNIT, shares, wei } from "../../../../offchain/protocol/units.ts";
import { useAccount, useStatus } from "../../data/queries.ts";
import { Amount } from "../../parts/Amount.tsx";
import { AmountForm, useAmountForm } from "../../parts/AmountForm.tsx";
import { Fact, Facts } from "../../parts/Card.tsx";
import { Choice } from "../../parts/Choice.tsx";
import { CostValue } from "../../parts/Send.tsx";
import { useWallet } from "../../wallet/useWallet.ts";
import { useSpeech } from "../../words/context.tsx";
import { operatorsWords } from "../../words/operators.ts";
import type { OwnProps } from "./OwnOperator.tsx";

export function AddBond({ operator }: OwnProps): ReactElement {
  const { t, count } = useSpeech(operatorsWords);
  const { bond: words } = t.operators;
  const { address } = useWallet();
  const account = useAccount(address);
  const status = useStatus();
  const { id, debt, bond, validators } = operator;
  const form = useAmountForm({
    kinds: ["addBond"],
    about: String(id),
    unit: "ETH",
    balance: account.data?.ether,
    intent: (of) => ({ kind: "addBond", amount: of, prepare: (context) => addBond(context, id, wei(of)) }),
  });
  const chosen = form.chosen ?? 0n;
  const repaid = chosen < debt ? chosen : debt;
  const terms = status.data?.tiers[operator.tier];
  const totals = status.data?.totals;
  const keys =
    terms === undefined || totals === undefined
      ? undefined
      : moreKeys(
          terms,
          wei(toEtherDown(bond.shares, totals) + chosen - repaid),
          BigInt(validators.queued),
          BigInt(validators.active),
        );
  return (
    // what the network cost leaves is the person's to judge: a bond is rarely everything
    <AmountForm form={form} field={{ most: 0n }} label={words.add} kind="addBond" done={() => <p>{words.added}</p>}>
      <Facts>
        <Fact name={words.after}>
          <strong>
            <Amount wei={bond.held + chosen - repaid} unit="ETH" />
          </strong>
        </Fact>
        {debt > 0n && (
          <Fact name={words.repays}>
            <Amount wei={repaid} unit="ETH" />
          </Fact>
        )}
        {keys !== undefined && <Fact name={words.carries}>{count(keys)}</Fact>}
        <Fact name={t.stake.cost}>
          <CostValue cost={form.cost} needs={form.chosen === undefined ? "amount" : "nothing"} />
        </Fact>
      </Facts>
    </AmountForm>
  );
}

type Asset = "estETH" | "westETH";

export function WithdrawBond({ operator }: OwnProps): ReactElement {
  const { t, amount } = useSpeech(operatorsWords);
  const { bond: words } = t.operators;
  const { address } = useWallet();
  const status = useStatus();
  const [asset, setAsset] = useState<Asset>("estETH");
  const { id, bond, owner } = operator;
  const { free, freeValue } = bond;
  const totals = status.data?.totals;
  // all of it to the last share; otherwise what the amount is worth
  const sharesFor = (of: bigint): bigint => {
    if (of === freeValue || totals === undefined) return free;
    const part = toSharesDown(wei(of), totals);
    return part < free ? part : free;
  };
  const isOwner = owner === address;
  const form = useAmountForm({
    kinds: ["withdrawBond", "withdrawBondWrapped"],
    about: String(id),
    unit: "ETH",
    balance: undefined,
    isBlocked: !isOwner || totals === undefined,
    intent: (of) => ({
      kind: asset === "estETH" ? "withdrawBond" : "withdrawBondWrapped",
      amount: of,
      prepare: (context) => withdrawBond(context, id, shares(sharesFor(of)), asset),
    }),
    against: (of) => (of > freeValue ? words.notFree(amount(freeValue, "ETH")) : undefined),
  });
  const chosen = form.chosen ?? 0n;
  const blocked =
    address === undefined || isOwner ? (freeValue === 0n ? words.nothingFree : undefined) : words.ownerOnly;
  return (
    <AmountForm
      form={form}
      field={{ most: freeValue, hint: words.freeOf(amount(freeValue, "ETH")) }}
      label={form.chosen === undefined ? words.withdraw : words.withdrawButton(amount(form.chosen, "ETH"))}
      kind="withdrawBond"
      done={(record) => (
        <p>
          {words.withdrawn(amount(BigInt(record.outcome ?? 0), record.kind === "withdrawBond" ? "estETH" : "westETH"))}
        </p>
      )}
    >
      <Choice name={words.receive} value={asset} options={["estETH", "westETH"]} onChange={setAsset} />
      <Facts>
        <Fact name={words.youGet}>
          <strong>
            <Amount
              wei={asset === "estETH" || chosen === 0n ? chosen : sharesFor(chosen) / SHARES_PER_UNIT}
              unit={asset}
            />
          </strong>
        </Fact>
        <Fact name={words.after}>
          <Amount wei={bond.held - chosen} unit="ETH" />
        </Fact>
        <Fact name={t.stake.cost}>
          <CostValue cost={form.cost} needs={form.chosen === undefined ? "amount" : "nothing"} />
        </Fact>
      </Facts>
      {blocked !== undefined && <p className="notice warn">{blocked}</p>}
    </AmountForm>
  );
}
