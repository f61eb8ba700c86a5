/** What the page can't do, as the command line's exact words: keys stay where they are. */
import type { ReactElement } from "react";
import { useDepositNetwork } from "../../data/operators.ts";
import { useOperatorValidators } from "../../data/queries.ts";
import { CopyButton } from "../../parts/Address.tsx";
import { useSpeech } from "../../words/context.tsx";
import { operatorsWords } from "../../words/operators.ts";
import type { OwnProps } from "./OwnOperator.tsx";

const ESTUARY = "npm run --silent estuary --";

export interface Command {
  readonly name: "settings" | "keys" | "prove" | "requeue" | "status" | "exit";
  readonly text: string;
}

/** @param network as `--network` takes it @param active a public key: the last command is for a validator that runs */
export function commandsFor(operatorId: bigint, network: string, active: string | undefined): readonly Command[] {
  // a fork version is no name of `init`: it asks for the nodes
  const init = network.startsWith("0x") ? "init" : `init --network ${network}`;
  return [
    { name: "settings", text: `${ESTUARY} ${init}` },
    { name: "keys", text: `${ESTUARY} operator keys --count 1 --network ${network}` },
    { name: "prove", text: `${ESTUARY} operator prove ${operatorId}` },
    { name: "requeue", text: `${ESTUARY} operator requeue ${operatorId}` },
    { name: "status", text: `${ESTUARY} operator exits ${operatorId}` },
    ...(active === undefined ? [] : [{ name: "exit" as const, text: exitCommand(active) }]),
  ];
}

export function exitCommand(pubkey: string): string {
  return `${ESTUARY} operator exit ${pubkey} --keystore keystore.json`;
}

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
