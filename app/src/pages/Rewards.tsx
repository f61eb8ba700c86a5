import { useState } from "react";
import type { ReactElement, SubmitEvent } from "react";
import { useLocation } from "wouter";
import { aprSummary } from "../../../offchain/chain/index.ts";
import type { Apr, Reward } from "../../../offchain/chain/index.ts";
import { DAY, YEAR } from "../../../offchain/protocol/units.ts";
import { useNow } from "../data/now.ts";
import { useRewards } from "../data/queries.ts";
import type { Rewards as RewardsData } from "../data/queries.ts";
import { parseAddress } from "../lib/address.ts";
import { toCsv } from "../lib/csv.ts";
import { download } from "../parts/download.ts";
import { machine } from "../lib/units.ts";
import { Address } from "../parts/Address.tsx";
import { Amount } from "../parts/Amount.tsx";
import { Card, Figure, Lines, Loaded } from "../parts/Card.tsx";
import { Chart } from "../parts/Chart.tsx";
import { Choice } from "../parts/Choice.tsx";
import { Table } from "../parts/Table.tsx";
import { Term } from "../parts/Term.tsx";
import { TextField } from "../parts/TextField.tsx";
import { useWallet } from "../wallet/useWallet.ts";
import { useSpeech } from "../words/context.tsx";
import { rewardsWords } from "../words/rewards.ts";

type Range = "month" | "year" | "all";
const SECONDS: Readonly<Record<Range, bigint | undefined>> = { month: 30n * DAY, year: YEAR, all: undefined };
const ROWS = 31;

export function Rewards({ address: named }: { readonly address?: string }): ReactElement {
  const { t } = useSpeech(rewardsWords);
  const { address: own } = useWallet();
  const [, go] = useLocation();
  const parsed = named === undefined ? undefined : parseAddress(named);
  const address = parsed === undefined ? own : parsed.address;
  const rewards = useRewards(address);
  const [text, setText] = useState(named ?? "");
  const [problem, setProblem] = useState<string | undefined>(
    parsed?.problem === undefined ? undefined : t.field.address[parsed.problem],
  );
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const result = parseAddress(text);
    if (result.problem !== undefined) {
      setProblem(t.field.address[result.problem]);
      return;
    }
    setProblem(undefined);
    go(`/rewards/${result.address}`);
  };
  return (
    <div className="page wide">
      <h1>{t.rewards.title}</h1>
      <form onSubmit={submit}>
        <TextField
          label={t.rewards.address}
          text={text}
          onText={setText}
          problem={problem}
          placeholder={own ?? "0x"}
          button={
            <button type="submit" className="secondary">
              {t.rewards.show}
            </button>
          }
        />
      </form>
      {address === undefined ? (
        <Card>
          <p className="quiet">{t.rewards.connect}</p>
        </Card>
      ) : rewards.data === undefined && !rewards.isError ? (
        <Card>
          <Lines count={13} />
        </Card>
      ) : (
        <Loaded query={rewards}>
          {(data) => <Shown key={address} address={address} data={data} isOwn={address === own} />}
        </Loaded>
      )}
    </div>
  );
}

function Shown({
  address,
  data,
  isOwn,
}: {
  readonly address: string;
  readonly data: RewardsData;
  readonly isOwn: boolean;
}): ReactElement {
  const { t, ether, date, percent, span, amount } = useSpeech(rewardsWords);
  const now = useNow();
  const [range, setRange] = useState<Range>("month");
  const { rewards } = data.own;
  const last = rewards.at(-1);
  if (last === undefined)
    return (
      <Card>
        {!isOwn && <Address address={address} />}
        <p className="quiet">{t.rewards.empty}</p>
      </Card>
    );
  const seconds = SECONDS[range];
  const shown =
    seconds === undefined ? rewards : rewards.filter(({ timestamp }) => Number(timestamp) > now.time - Number(seconds));
  const total = shown.reduce((sum, { amount: earned }) => sum + earned, 0n);
  const falls = shown.filter(({ amount: earned }) => earned < 0n);
  const fallen = falls.at(-1);
  const { week, month } = aprSummary(data.history);
  const apr = (value: Apr | undefined): string => (value === undefined ? t.common.notKnown : percent(value.bp));
  const over = (value: Apr | undefined, usual: string): string =>
    value === undefined ? usual : t.stake.aprOver(span(Number(value.seconds)));
  const [first] = shown;
  const show = (value: bigint): string => `${value > 0n ? "+" : ""}${ether(value).text}\u00a0ETH`;
  return (
    <>
      <Card>
        <dl className="figures">
          <Figure name={`${t.rewards.total}, ${t.rewards.over[range]}`}>
            <Amount wei={total} unit="ETH" signed />
          </Figure>
          <Figure name={t.rewards.value}>
            <Amount wei={last.value} unit="ETH" />
          </Figure>
          <Figure name={<Term word={over(week, t.rewards.week)} meaning={t.terms.apr} />}>{apr(week)}</Figure>
          <Figure name={<Term word={over(month, t.rewards.month)} meaning={t.terms.apr} />}>{apr(month)}</Figure>
        </dl>
        <Choice
          name={t.rewards.range}
          value={range}
          options={["month", "year", "all"]}
          labels={t.rewards.over}
          onChange={setRange}
        />
        {first !== undefined && (
          <Chart
            kind="bars"
            title={t.rewards.chart(date(Number(first.timestamp)), date(Number(last.timestamp)))}
            valueName={t.rewards.earned}
            points={shown.map(({ timestamp, amount: earned }) => ({ time: Number(timestamp), value: earned }))}
            show={show}
          />
        )}
        {fallen !== undefined && (
          <p className="notice bad">
            {t.rewards.fell(date(Number(fallen.timestamp)), amount(0n - fallen.amount, "ETH"))}
          </p>
        )}
      </Card>
      <Card
        title={t.rewards.table}
        aside={
          <button type="button" className="link" onClick={() => saveCsv(address, rewards)}>
            {t.rewards.csv}
          </button>
        }
      >
        <Table
          name={t.rewards.table}
          most={ROWS}
          rows={[...shown].reverse()}
          keyOf={({ block }) => block}
          columns={[
            { name: t.common.date, cell: ({ timestamp }) => date(Number(timestamp)) },
            {
              name: t.rewards.earned,
              isNumber: true,
              className: (reward) => (reward.amount < 0n ? "bad" : ""),
              cell: (reward) => <Amount wei={reward.amount} unit="" signed />,
            },
            { name: t.rewards.worth, isNumber: true, cell: ({ value }) => <Amount wei={value} unit="" /> },
          ]}
        />
        <p className="quiet under">{t.rewards.rounding}</p>
      </Card>
    </>
  );
}

/** For a spreadsheet: all decimals, a point, UTC. */
function saveCsv(address: string, rewards: readonly Reward[]): void {
  const head = ["time_utc", "block", "earned_eth", "balance_eth"];
  const rows = rewards.map(({ timestamp, block, amount, value }) => [
    new Date(Number(timestamp) * 1_000).toISOString(),
    String(block),
    machine(amount),
    machine(value),
  ]);
  download(`estuary-rewards-${address}.csv`, toCsv([head, ...rows]), "text/csv");
}
