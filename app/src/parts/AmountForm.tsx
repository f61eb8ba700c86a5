/** An amount, what comes of it, and the button that does it: staking, withdrawing, wrapping and bonds are entered alike. */
import { useState } from "react";
import type { ReactElement, ReactNode } from "react";
import type { Cost } from "../../../offchain/chain/index.ts";
import { useCost } from "../data/cost.ts";
import type { TxKind, TxRecord } from "../tx/store.ts";
import { failureOf, useAction } from "../tx/useAction.ts";
import type { Action, Intent } from "../tx/useAction.ts";
import { useWallet } from "../wallet/useWallet.ts";
import { useSpeech } from "../words/context.tsx";
import { ActionButton } from "./ActionButton.tsx";
import { Amount } from "./Amount.tsx";
import { AmountField, readAmount } from "./AmountField.tsx";
import type { AmountFieldProps } from "./AmountField.tsx";
import { Progress, reasonIn } from "./Progress.tsx";

export interface AmountFormOptions {
  /** What this form sends. */
  readonly kinds: readonly TxKind[];
  readonly unit: string;
  /** What the account has; undefined where nobody is connected. */
  readonly balance: bigint | undefined;
  readonly intent: (amount: bigint) => Intent;
  /** Why an amount that the account has is too much all the same: beside the field. */
  readonly against?: (amount: bigint) => string | undefined;
  /** Nothing can be sent now, whatever the amount. */
  readonly isBlocked?: boolean;
  /** What beside kind and amount the cost depends on. */
  readonly about?: string;
}

export interface AmountFormState {
  readonly text: string;
  readonly setText: (text: string) => void;
  readonly unit: string;
  readonly balance: bigint | undefined;
  /** What was entered, where it can be sent. */
  readonly chosen: bigint | undefined;
  readonly problem: string | undefined;
  readonly cost: Cost | undefined;
  /** Why the contract would refuse it, in words. */
  readonly refusal: string | undefined;
  readonly canSend: boolean;
  readonly action: Action;
  readonly send: () => void;
}

export function useAmountForm(options: AmountFormOptions): AmountFormState {
  const { kinds, unit, balance, intent, against, isBlocked = false, about = "" } = options;
  const speech = useSpeech();
  const action = useAction(kinds);
  const [text, setText] = useState("");
  const entered = readAmount(text, speech, balance, unit);
  const problem = entered.problem ?? (entered.wei === undefined ? undefined : against?.(entered.wei));
  const chosen = problem === undefined ? entered.wei : undefined;
  const intended = chosen === undefined ? undefined : intent(chosen);
  const isIdle = action.step === "idle";
  const cost = useCost(
    [intended?.kind, String(chosen), about],
    // what a permit allows can't be asked of the node before it is signed; a step may be taken already
    intended === undefined || intended.signsFirst === true || intended.isStep === true || isBlocked || !isIdle
      ? undefined
      : intended.prepare,
  );
  const refusal = cost.error === null || chosen === undefined ? undefined : reasonIn(failureOf(cost.error), speech.t);
  const send = async (): Promise<void> => {
    if (intended !== undefined && (await action.run(intended)) && intended.isStep !== true) setText("");
  };
  return {
    ...{ text, setText, unit, balance, chosen, problem, refusal, action },
    cost: cost.data,
    canSend: chosen !== undefined && refusal === undefined && !isBlocked && isIdle,
    send: () => void send(),
  };
}

export interface AmountFormProps {
  readonly form: AmountFormState;
  /** Of the field, where it is more than amount and balance. */
  readonly field?: Partial<Pick<AmountFieldProps, "units" | "onUnit" | "most" | "hint">>;
  readonly label: string;
  /** For sentences about what did not happen. */
  readonly kind: TxKind;
  readonly signsPermit?: boolean;
  /** In place of sending. */
  readonly instead?: (() => void) | undefined;
  readonly isBusy?: boolean;
  /** Under the button. */
  readonly note?: ReactNode;
  readonly done: (record: TxRecord) => ReactNode;
  /** Between field and button: what comes of it. */
  readonly children?: ReactNode;
}

export function AmountForm({ form, field, children, note, ...button }: AmountFormProps): ReactElement {
  const { t } = useSpeech();
  const { isWrongChain } = useWallet();
  const { label, instead, isBusy = false, kind, signsPermit = false, done } = button;
  return (
    <>
      <AmountField
        text={form.text}
        onText={form.setText}
        unit={form.unit}
        balance={form.balance}
        problem={form.problem}
        {...field}
      />
      {children}
      {form.refusal !== undefined && !isWrongChain && (
        <p className="notice warn">{t.tx.because(t.stake.cannot, form.refusal)}</p>
      )}
      <ActionButton
        label={label}
        disabled={instead === undefined && (!form.canSend || isBusy)}
        onPress={instead ?? form.send}
      />
      {note !== undefined && <p className="quiet under">{note}</p>}
      <Progress action={form.action} kind={kind} signsPermit={signsPermit} done={done} />
    </>
  );
}

/** What it costs to send, or what that waits for. */
export function CostValue({
  cost,
  needs,
}: {
  readonly cost: Cost | undefined;
  readonly needs: "amount" | "nothing";
}): ReactElement {
  const { t } = useSpeech();
  const { address } = useWallet();
  if (address === undefined) return <span className="quiet">{t.stake.costLater}</span>;
  if (cost !== undefined) return <Amount wei={cost.expectedFee} unit="ETH" round="up" />;
  return <span className="quiet">{needs === "amount" ? t.stake.costNeedsAmount : t.common.notKnown}</span>;
}
