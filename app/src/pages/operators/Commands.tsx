/** What the page can't do, as the command line's exact words: keys stay where they are. */
import type { ReactElement } from "react";
import { useDepositNetwork } from "../../data/operators.ts";
import { useOperatorValidators } from "../../data/queries.ts";
import { CopyButton } from "../../parts/Address.tsx";
import { useSpeech } from "../../words/context.tsx";
import { operatorsWords } from "../../words/operators.ts";
import { commandsFor } from "./commandsFor.ts";
import type { OwnProps } from "./OwnOperator.tsx";

export function Commands({ operator }: OwnProps): ReactElement {
  const { t } = useSpeech(operatorsWords);
  const { commands: words } = t.operators;
  const network = useDepositNetwork();
  const validators = useOperatorValidators(operator.id);
  const active = validators.data?.find(({ status }) => status === "active")?.pubkey;
  return (
    <details className="commands">
      <summary>{words.title}</summary>
      <p className="quiet under">{words.intro}</p>
      <dl>
        {commandsFor(operator.id, network.name, active).map(({ name, text }) => (
          <div key={name}>
            <dt>{words[name]}</dt>
            <dd className="with-copy">
              <code>{text}</code>
              <CopyButton text={text} />
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
