import { useId } from "react";
import type { ReactElement, ReactNode } from "react";
import { editable, parseAmount } from "../lib/units.ts";
import type { ParsedAmount } from "../lib/units.ts";
import { useSpeech } from "../words/context.tsx";
import type { Speech } from "../words/context.tsx";

export interface AmountFieldProps {
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly unit: string;
  /** Other units to choose from. */
  readonly units?: readonly string[];
  readonly onUnit?: (unit: string) => void;
  /** What the account has; undefined where nobody is connected. */
  readonly balance: bigint | undefined;
  /** What `max` fills in, where it is not the balance. */
  readonly most?: bigint | undefined;
  readonly problem: string | undefined;
  readonly hint?: ReactNode;
}

export function AmountField(props: AmountFieldProps): ReactElement {
  const { text, onText, unit, units = [], onUnit, balance, most = balance, problem, hint } = props;
  const { t, amount, separators } = useSpeech();
  const id = useId();
  const fill = (value: bigint): void => onText(editable(value, separators));
  return (
    <div className="amount-field">
      <div className={problem === undefined ? "entry" : "entry wrong"}>
        <label htmlFor={id} className="hidden">
          {t.common.amount}
        </label>
        <input
          id={id}
          inputMode="decimal"
          autoComplete="off"
          spellCheck={false}
          placeholder="0"
          value={text}
          onChange={(event) => onText(event.target.value)}
          aria-invalid={problem !== undefined}
          aria-describedby={`${id}-note`}
        />
        {units.length > 1 ? (
          <select value={unit} onChange={(event) => onUnit?.(event.target.value)} aria-label={t.common.asset}>
            {units.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        ) : (
          <span className="entry-unit">{unit}</span>
        )}
      </div>
      <div className="entry-foot">
        <span
          id={`${id}-note`}
          className={problem === undefined ? "quiet" : "bad"}
          role={problem === undefined ? undefined : "alert"}
        >
          {problem ?? hint ?? (balance === undefined ? "\u00a0" : t.common.of(amount(balance, unit)))}
        </span>
        {most !== undefined && most > 0n && (
          <span className="fills">
            <button type="button" className="link" onClick={() => fill(most / 2n)}>
              {t.common.half}
            </button>
            <span aria-hidden="true"> · </span>
            <button type="button" className="link" onClick={() => fill(most)}>
              {t.common.max}
            </button>
          </span>
        )}
      </div>
    </div>
  );
}

/** What was entered, and the sentence that stands beside the field where it is none. Nothing is said of an empty field. */
export function readAmount(
  text: string,
  { t, separators, amount }: Speech,
  balance?: bigint,
  unit = "ETH",
): { readonly wei: bigint | undefined; readonly problem: string | undefined } {
  const parsed: ParsedAmount = parseAmount(text, separators);
  if (parsed.problem === "empty") return { wei: undefined, problem: undefined };
  if (parsed.problem !== undefined) return { wei: undefined, problem: t.field[parsed.problem] };
  // "0" and "0.00" are on the way to an amount
  if (parsed.wei === 0n) return { wei: undefined, problem: undefined };
  if (balance !== undefined && parsed.wei > balance)
    return { wei: undefined, problem: t.field["too-much"](amount(balance, unit)) };
  return { wei: parsed.wei, problem: undefined };
}
