import type { ReactElement } from "react";
import type { NamedOperator } from "../../../../offchain/chain/index.ts";
import { passMark } from "../../../../offchain/protocol/bond.ts";
import { Term } from "../../parts/Term.tsx";
import { useSpeech } from "../../words/context.tsx";
import { operatorsWords } from "../../words/operators.ts";
import type { OperatorsPage } from "../../words/operators.ts";

/** Whether it can go on, in a word. */
export function Standing({ operator }: { readonly operator: NamedOperator }): ReactElement {
  const { t, amount } = useSpeech(operatorsWords);
  const { standing } = t.operators;
  const { frozen, debt, fine } = operator;
  if (debt > 0n) return <span className="tag bad">{standing.debt(amount(debt, "ETH"))}</span>;
  if (frozen)
    return (
      <span className="tag bad">
        <Term word={standing.frozen} meaning={t.terms.slashing} />
      </span>
    );
  if (fine !== undefined) return <span className="tag bad">{standing.fine}</span>;
  if (isShort(operator)) return <span className="tag">{standing.short}</span>;
  return <span className="tag good">{standing.ok}</span>;
}

/** Too small a bond for a further key. */
export function isShort({ bond }: NamedOperator): boolean {
  return bond.held < passMark(bond.required);
}

export function tierName(id: number, t: OperatorsPage): string {
  return t.operators.tiers.names[id] ?? t.operators.tiers.number(String(id));
}
