import type { ReactElement } from "react";
import { CLEAN_RECORD } from "../../../offchain/chain/index.ts";
import type { NamedOperator, OperatorRecord } from "../../../offchain/chain/index.ts";
import { useRecords } from "../data/operators.ts";
import { useOperators, useStatus } from "../data/queries.ts";
import { Amount } from "../parts/Amount.tsx";
import { Card, Loaded } from "../parts/Card.tsx";
import { Table } from "../parts/Table.tsx";
import { Term } from "../parts/Term.tsx";
import { useWallet } from "../wallet/useWallet.ts";
import { useSpeech } from "../words/context.tsx";
import { operatorsWords } from "../words/operators.ts";
import { OwnOperator } from "./operators/OwnOperator.tsx";
import { Standing, tierName } from "./operators/Standing.tsx";
import { Tiers } from "./operators/Tiers.tsx";

/** Rows that are drawn at first. */
const ROWS = 50;

export function Operators(): ReactElement {
  const { t } = useSpeech(operatorsWords);
  const { address } = useWallet();
  const status = useStatus();
  const operators = useOperators();
  const records = useRecords();
  const mine =
    operators.data?.filter(
      ({ owner, manager, rewardAddress }) => address !== undefined && [owner, manager, rewardAddress].includes(address),
    ) ?? [];
  return (
    <div className="page wide">
      <h1>{t.operators.title}</h1>
      {mine.map((operator) => (
        <OwnOperator key={String(operator.id)} operator={operator} />
      ))}
      <Card>
        <Loaded query={operators} lines={4}>
          {(list) =>
            list.length === 0 ? (
              <p className="quiet">{t.operators.list.empty}</p>
            ) : (
              <List operators={list} records={records.data} />
            )
          }
        </Loaded>
      </Card>
      <Card title={t.operators.tiers.title}>
        <ol className="numbered">
          {t.operators.tiers.steps.map((step) => (
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

interface ListProps {
  readonly operators: readonly NamedOperator[];
  readonly records: ReadonlyMap<bigint, OperatorRecord> | undefined;
}

function List({ operators, records }: ListProps): ReactElement {
  const { t, count } = useSpeech(operatorsWords);
  const { list } = t.operators;
  return (
    <Table
      name={t.operators.title}
      stacks
      most={ROWS}
      rows={operators}
      keyOf={({ id }) => String(id)}
      columns={[
        {
          name: list.name,
          cell: ({ name, id }) => (
            <>
              {name} <span className="quiet">#{String(id)}</span>
            </>
          ),
        },
        { name: list.tier, cell: ({ tier }) => tierName(tier, t) },
        { name: list.active, isNumber: true, cell: ({ validators }) => count(validators.active) },
        { name: list.queued, isNumber: true, cell: ({ validators }) => count(validators.queued) },
        { name: list.bond, isNumber: true, cell: ({ bond }) => <Amount wei={bond.held} unit="" /> },
        { name: list.required, isNumber: true, cell: ({ bond }) => <Amount wei={bond.required} unit="" /> },
        {
          name: list.record,
          head: <Term word={list.record} meaning={list.recordMeaning} />,
          cell: ({ id }) => (records === undefined ? "" : <Record record={records.get(id) ?? CLEAN_RECORD} />),
        },
        { name: list.standing, cell: (operator) => <Standing operator={operator} /> },
      ]}
    />
  );
}

function Record({ record: { slashed, lost } }: { readonly record: OperatorRecord }): ReactElement {
  const { t, count, amount } = useSpeech(operatorsWords);
  const { list } = t.operators;
  if (slashed === 0 && lost === 0n) return <span className="quiet">{list.clean}</span>;
  return (
    <>
      {[
        ...(slashed > 0 ? [list.slashed(count(slashed))] : []),
        ...(lost > 0n ? [list.lost(amount(lost, "ETH"))] : []),
      ].join(", ")}
    </>
  );
}
