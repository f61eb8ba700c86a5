/** An amount, what comes of it, and the button that does it: staking, withdrawing, wrapping and bonds are entered alike. */
import { useState } from "react";
import type { ReactElement, ReactNode } from "react";
import type { Intent } from "../tx/useAction.ts";
import { useSpeech } from "../words/context.tsx";
import { AmountField, readAmount } from "./AmountField.tsx";
import type { AmountFieldProps } from "./AmountField.tsx";
import { Send, useSending } from "./Send.tsx";
import type { SendProps, Sending, SendingOptions } from "./Send.tsx";

export interface AmountFormOptions extends Omit<SendingOptions, "intent"> {
  readonly unit: string;
  /** What the account has; undefined where nobody is connected. */
  readonly balance: bigint | undefined;
  readonly intent: (amount: bigint) => Intent;
  /** Why an amount that the account has is too much all the same: beside the field. */
  readonly against?: (amount: bigint) => string | undefined;
}

export interface AmountFormState extends Sending {
  readonly text: string;
  readonly setText: (text: string) => void;
  readonly unit: string;
  readonly balance: bigint | undefined;
  /** What was entered, where it can be sent. */
  readonly chosen: bigint | undefined;
  readonly problem: string | undefined;
  /** The same amount is sent next. */
  readonly isStep: boolean;
}

export function useAmountForm({ unit, balance, intent, against, ...options }: AmountFormOptions): AmountFormState {
  const speech = useSpeech();
  const [text, setText] = useState("");
  const entered = readAmount(text, speech, balance, unit);
  const problem = entered.problem ?? (entered.wei === undefined ? undefined : against?.(entered.wei));
  const chosen = problem === undefined ? entered.wei : undefined;
  const intended = chosen === undefined ? undefined : intent(chosen);
  const sending = useSending({ ...options, intent: intended });
  return { ...sending, text, setText, unit, balance, chosen, problem, isStep: intended?.isStep === true };
}

export interface AmountFormProps extends Omit<SendProps, "sending" | "onSent"> {
  readonly form: AmountFormState;
  /** Of the field, where it is more than amount and balance. */
  readonly field?: Partial<Pick<AmountFieldProps, "units" | "onUnit" | "most" | "hint">>;
  /** Between field and button: what comes of it. */
  readonly children?: ReactNode;
}

export function AmountForm({ form, field, children, ...send }: AmountFormProps): ReactElement {
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
      <Send sending={form} onSent={() => form.isStep || form.setText("")} {...send} />
    </>
  );
}
