import type { ClipboardEvent, ReactElement } from "react";
import type { Rounding } from "../lib/units.ts";
import { useSpeech } from "../words/context.tsx";

export interface AmountProps {
  readonly wei: bigint;
  /** Empty where a column names it. */
  readonly unit: string;
  readonly round?: Rounding;
  /** A plus where it is above zero. */
  readonly signed?: boolean;
}

/** An amount. What was shortened shows all its decimals on hover and focus, and gives them when copied. */
export function Amount({ wei, unit, round = "nearest", signed = false }: AmountProps): ReactElement {
  const { ether } = useSpeech();
  const { text, exact } = ether(wei, round);
  const sign = signed && wei > 0n ? "+" : "";
  if (text === exact)
    return (
      <span className="amount">
        {sign}
        {text}
        {unit !== "" && <span className="unit">{`\u00a0${unit}`}</span>}
      </span>
    );
  const copy = (event: ClipboardEvent): void => {
    const selected = window
      .getSelection()
      ?.toString()
      .replace(/\u00a0/g, " ")
      .trim();
    if (selected !== `${sign}${text}` && selected !== `${sign}${text} ${unit}`) return;
    event.clipboardData.setData("text/plain", `${sign}${exact} ${unit}`);
    event.preventDefault();
  };
  return (
    <span
      className="amount shortened"
      tabIndex={0}
      data-exact={`${sign}${exact} ${unit}`}
      aria-description={`${sign}${exact} ${unit}`}
      onCopy={copy}
    >
      {sign}
      {text}
      {unit !== "" && <span className="unit">{`\u00a0${unit}`}</span>}
    </span>
  );
}
