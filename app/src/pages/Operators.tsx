import { useState } from "react";
import type { ReactElement } from "react";
import { join } from "../../../offchain/chain/index.ts";
import type { ProtocolStatus, TierStatus } from "../../../offchain/chain/index.ts";
import { useOperators, useOwnOperators, useStatus } from "../data/queries.ts";
import type { NamedOperator } from "../data/queries.ts";
import { ActionButton } from "../parts/ActionButton.tsx";
import { Amount } from "../parts/Amount.tsx";
import { Card, Loaded } from "../parts/Card.tsx";
import { Progress } from "../parts/Progress.tsx";
import { Term } from "../parts/Term.tsx";
import { useAction } from "../tx/useAction.ts";
import { useWallet } from "../wallet/useWallet.ts";
import { useSpeech } from "../words/context.tsx";
import { operatorsWords } from "../words/operators.ts";
import type { OperatorsPage } from "../words/operators.ts";
import { OwnOperator } from "./OwnOperator.tsx";

/** The contract's limit, in bytes of UTF-8. */
const NAME_BYTES = 64;

export function Operators(): ReactElement {
  const { t } = useSpeech(operatorsWords);
  const { address } = useWallet();
  const status = useStatus();
  const operators = useOperators(status.data?.validators.operators);
  const own = useOwnOperators(address);
  const mine = operators.data?.filter(({ id }) => own.data?.includes(id) === true) ?? [];
  return (
    <div className="page wide">
      <h1>{t.operators.title}</h1>
      {mine.map((operator) => (
        <OwnOperator key={String(operator.id)} operator={operator} />
      ))}
      <Card>
        <Loaded query={operators} lines={4}>
          {(list) => (list.length === 0 ? <p className="quiet">{t.operators.empty}</p> : <List operators={list} />)}
        </Loaded>
      </Card>
      <Card title={t.operators.tiers}>
        <ol className="numbered">
          {t.operators.steps.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
        <Loaded query={status} lines={4}>
          {(data) => <Tiers status={data} />}
        </Loaded>
      </Card>
    </div>
  );
}

function List({ operators }: { readonly operators: readonly NamedOperator[] }): ReactElement {
  const { t, count } = useSpeech(operatorsWords);
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={t.operators.title}>
      <table className="stack">
        <thead>
          <tr>
            <th scope="col">{t.operators.name}</th>
            <th scope="col">{t.operators.tier}</th>
            <th scope="col" className="number">
              {t.operators.active}
            </th>
            <th scope="col" className="number">
              {t.operators.queued}
            </th>
            <th scope="col" className="number">
              {t.operators.bond}
            </th>
            <th scope="col" className="number">
              {t.operators.required}
            </th>
            <th scope="col">{t.operators.standing}</th>
          </tr>
        </thead>
        <tbody>
          {operators.map((operator) => (
            <tr key={String(operator.id)}>
              <td>
                {operator.name} <span className="quiet">#{String(operator.id)}</span>
              </td>
              <td data-label={t.operators.tier}>{tierName(operator.tier, t)}</td>
              <td className="number" data-label={t.operators.active}>
                {count(operator.validators.active)}
              </td>
              <td className="number" data-label={t.operators.queued}>
                {count(operator.validators.queued)}
              </td>
              <td className="number" data-label={t.operators.bond}>
                <Amount wei={operator.bond.held} unit="" />
              </td>
              <td className="number" data-label={t.operators.required}>
                <Amount wei={operator.bond.required} unit="" />
              </td>
              <td data-label={t.operators.standing}>
                <Standing operator={operator} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Standing({ operator }: { readonly operator: NamedOperator }): ReactElement {
  const { t, amount } = useSpeech(operatorsWords);
  const { frozen, debt, fine, bond } = operator;
  if (debt > 0n) return <span className="tag bad">{t.operators.debt(amount(debt, "ETH"))}</span>;
  if (frozen)
    return (
      <span className="tag bad">
        <Term word={t.operators.frozen} meaning={t.terms.slashing} />
      </span>
    );
  if (fine !== undefined) return <span className="tag bad">{t.operators.fine}</span>;
  if (bond.held < bond.required) return <span className="tag">{t.operators.short}</span>;
  return <span className="tag good">{t.operators.ok}</span>;
}

export function tierName(id: number, t: OperatorsPage): string {
  return t.operators.tierNames[id] ?? t.operators.tierNumber(String(id));
}

function Tiers({ status }: { readonly status: ProtocolStatus }): ReactElement {
  const { t, percent } = useSpeech(operatorsWords);
  const [joining, setJoining] = useState<TierStatus>();
  return (
    <>
      <div className="scroll" tabIndex={0} role="region" aria-label={t.operators.tiers}>
        <table className="stack">
          <thead>
            <tr>
              <th scope="col">{t.operators.tier}</th>
              <th scope="col" className="number">
                {t.operators.first}
              </th>
              <th scope="col" className="number">
                {t.operators.next}
              </th>
              <th scope="col" className="number">
                {t.operators.earns}
              </th>
              <th scope="col">{t.operators.access}</th>
            </tr>
          </thead>
          <tbody>
            {status.tiers.map((tier) => (
              <tr key={tier.id}>
                <td>{tierName(tier.id, t)}</td>
                <td className="number" data-label={t.operators.first}>
                  <Amount wei={tier.bondFirst} unit="ETH" />
                </td>
                <td className="number" data-label={t.operators.next}>
                  <Amount wei={tier.bondNext} unit="ETH" />
                </td>
                <td className="number" data-label={t.operators.earns}>
                  {percent(tier.feeBp)}
                </td>
                <td data-label={t.operators.access}>
                  {tier.open ? (
                    <button
                      type="button"
                      className="link"
                      aria-label={`${t.operators.join}: ${tierName(tier.id, t)}`}
                      onClick={() => setJoining(tier)}
                    >
                      {t.operators.join}
                    </button>
                  ) : (
                    <span className="quiet">{t.operators.invitation}</span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {joining !== undefined && <Join tier={joining} />}
    </>
  );
}

function Join({ tier }: { readonly tier: TierStatus }): ReactElement {
  const { t } = useSpeech(operatorsWords);
  const { address } = useWallet();
  const action = useAction(["join"]);
  const [name, setName] = useState("");
  const bytes = new TextEncoder().encode(name.trim()).length;
  const isFit = bytes > 0 && bytes <= NAME_BYTES;
  const press = async (): Promise<void> => {
    if (address === undefined || !isFit) return;
    const intent = {
      kind: "join" as const,
      amount: 0n,
      prepare: (context: Parameters<typeof join>[0]) => join(context, BigInt(tier.id), address, name.trim()),
    };
    if (await action.run(intent)) setName("");
  };
  return (
    <div className="join">
      <h3>{`${t.operators.join}: ${tierName(tier.id, t)}`}</h3>
      <div>
        <label className="text-label" htmlFor="operator-name">
          {t.operators.joinName}
        </label>
        <div className="text-entry">
          <input
            id="operator-name"
            value={name}
            autoComplete="off"
            onChange={(event) => setName(event.target.value)}
            aria-invalid={bytes > NAME_BYTES}
            aria-describedby="operator-name-note"
          />
        </div>
        <p id="operator-name-note" className={bytes > NAME_BYTES ? "bad under" : "hidden"}>
          {t.operators.nameEmpty}
        </p>
      </div>
      <ActionButton label={t.operators.join} disabled={!isFit || action.step !== "idle"} onPress={() => void press()} />
      <Progress action={action} kind="join" done={() => <p>{t.operators.joined}</p>} />
    </div>
  );
}
