import type { ReactElement, ReactNode } from "react";
import { aprSummary } from "../../../offchain/chain/index.ts";
import type {
  Apr,
  ProtocolStatus,
  Protocol as Contracts,
  RebaseHistory,
  ValidatorBook,
  ValidatorStatus,
} from "../../../offchain/chain/index.ts";
import { rateDown } from "../../../offchain/protocol/shares.ts";
import { ETHER, units } from "../../../offchain/protocol/units.ts";
import { fromWrappedDown } from "../../../offchain/protocol/wrapped.ts";
import { contractsOf } from "../data/contracts.ts";
import { useProtocol } from "../data/chain.ts";
import { useNow } from "../data/now.ts";
import { useHistory, useOutlook, usePlaces, useStatus, useValidators } from "../data/queries.ts";
import type { Places } from "../data/queries.ts";
import { plain } from "../lib/units.ts";
import { Address } from "../parts/Address.tsx";
import { Amount } from "../parts/Amount.tsx";
import { Card, Fact, Facts, Figure, Loaded } from "../parts/Card.tsx";
import { Chart } from "../parts/Chart.tsx";
import { Term } from "../parts/Term.tsx";
import { useSpeech } from "../words/context.tsx";
import { protocolWords } from "../words/protocol.ts";

export function Protocol(): ReactElement {
  const { t } = useSpeech(protocolWords);
  const status = useStatus();
  // asked for together with what their places on the page wait for
  useOutlook();
  usePlaces();
  const history = useHistory("all");
  const validators = useValidators();
  const contracts = useProtocol();
  return (
    <div className="page wide">
      <h1>{t.protocol.title}</h1>
      <Card>
        <Loaded query={status} lines={2}>
          {(data) => <Head status={data} history={history.data} />}
        </Loaded>
      </Card>
      <Card title={t.protocol.where}>
        <Loaded query={status} lines={7}>
          {(data) => <Where status={data} />}
        </Loaded>
      </Card>
      <Card title={t.protocol.history}>
        <Loaded query={history} lines={9}>
          {(data) => <Rate history={data} />}
        </Loaded>
      </Card>
      <div className="columns">
        <Card title={t.protocol.committee}>
          <Loaded query={status} lines={6}>
            {(data) => <Reports status={data} />}
          </Loaded>
        </Card>
        <Card title={t.protocol.queue}>
          <Loaded query={status} lines={6}>
            {(data) => <Queue status={data} />}
          </Loaded>
        </Card>
        <Card title={t.protocol.keys}>
          <Loaded query={validators} lines={4}>
            {(data) => <Validators book={data} />}
          </Loaded>
        </Card>
        <Card title={t.protocol.contracts}>
          <Loaded query={contracts} lines={13}>
            {(data) => <Addresses contracts={data} />}
          </Loaded>
        </Card>
      </div>
    </div>
  );
}

function Head({
  status,
  history,
}: {
  readonly status: ProtocolStatus;
  readonly history: RebaseHistory | undefined;
}): ReactElement {
  const { t, percent, span } = useSpeech(protocolWords);
  const { week, month } = aprSummary(history?.items ?? []);
  const apr = (value: Apr | undefined): string => (value === undefined ? t.common.notKnown : percent(value.bp));
  const over = (value: Apr | undefined, usual: string): string =>
    value === undefined ? usual : t.stake.aprOver(span(Number(value.seconds)));
  return (
    <dl className="figures">
      <Figure name={t.protocol.tvl}>
        <Amount wei={status.totals.ether} unit="ETH" />
      </Figure>
      <Figure name={<Term word={over(week, t.protocol.apr7)} meaning={t.terms.apr} />}>{apr(week)}</Figure>
      <Figure name={<Term word={over(month, t.protocol.apr30)} meaning={t.terms.apr} />}>{apr(month)}</Figure>
      <Figure name={<Term word={t.protocol.rate} meaning={t.terms.westEth} />}>
        <Amount wei={fromWrappedDown(units(ETHER), status.totals)} unit="ETH" />
      </Figure>
      <Figure name={t.protocol.fee}>{percent(status.pool.feeBp)}</Figure>
    </dl>
  );
}

/** The diagram of docs/architecture.md with live figures. */
function Where({ status }: { readonly status: ProtocolStatus }): ReactElement {
  const { t } = useSpeech(protocolWords);
  const places = usePlaces();
  const { pool, totals, queue, validators } = status;
  const amount = (of: (data: Places) => bigint): ReactNode =>
    places.data === undefined ? t.common.notKnown : <Amount wei={of(places.data)} unit="ETH" />;
  return (
    <>
      <p className="quiet">{t.protocol.whereIntro}</p>
      <div className="flow">
        <Place name={t.protocol.stakers} note={t.protocol.stakersNote} leads>
          <Amount wei={totals.ether} unit="ETH" />
        </Place>
        <Place
          name={<Term word={t.protocol.buffer} meaning={t.terms.buffer} />}
          note={t.protocol.bufferNote}
          isStrong
          leads
        >
          <Amount wei={pool.buffer} unit="ETH" />
        </Place>
        <Place name={t.protocol.validators} note={t.protocol.validatorsCount(String(validators.active))} isStrong>
          <Amount wei={pool.etherAtValidators} unit="ETH" />
        </Place>
        <Place name={t.protocol.claims} note={t.protocol.claimsNote}>
          {amount(({ toClaim }) => toClaim)}
        </Place>
        <Place name={t.protocol.queueNode} note={t.protocol.queueNote}>
          <Amount wei={queue.waitingEther} unit="ETH" />
        </Place>
        <Place name={t.protocol.vaults} note={t.protocol.vaultsNote}>
          {amount(({ arrived }) => arrived)}
        </Place>
      </div>
      {(pool.leaving > 0n || pool.heldBack > 0n) && (
        <Facts>
          {pool.leaving > 0n && (
            <Fact name={t.protocol.leaving}>
              <Amount wei={pool.leaving} unit="ETH" />
            </Fact>
          )}
          {pool.heldBack > 0n && (
            <Fact name={<Term word={t.protocol.held} meaning={t.protocol.heldNote} />}>
              <Amount wei={pool.heldBack} unit="ETH" />
            </Fact>
          )}
        </Facts>
      )}
    </>
  );
}

interface PlaceProps {
  readonly name: ReactNode;
  readonly note: string;
  readonly children: ReactNode;
  readonly isStrong?: boolean;
  readonly leads?: boolean;
}

function Place({ name, note, children, isStrong = false, leads = false }: PlaceProps): ReactElement {
  return (
    <div className={`place${isStrong ? " strong" : ""}${leads ? " to" : ""}`}>
      <span>{name}</span>
      <strong>{children}</strong>
      <span className="quiet">{note}</span>
    </div>
  );
}

function Rate({ history }: { readonly history: RebaseHistory }): ReactElement {
  const { t, date, separators } = useSpeech(protocolWords);
  const entries = history.items;
  const [first, last] = [entries[0], entries.at(-1)];
  if (first === undefined || last === undefined) return <p className="quiet">{t.protocol.historyEmpty}</p>;
  const points = [
    { time: Number(first.timestamp - first.counted), value: rateDown(first.before) },
    ...entries.map(({ timestamp, after }) => ({ time: Number(timestamp), value: rateDown(after) })),
  ];
  return (
    <Chart
      kind="line"
      title={t.protocol.historyTitle(date(points[0]?.time ?? 0), date(Number(last.timestamp)))}
      valueName={t.protocol.rate}
      points={points}
      // a rate of 27 decimals: six of them tell one day from the next
      show={(value) => `${plain(value / 10n ** 21n, 6, separators, 6)}\u00a0ETH`}
    />
  );
}

function Reports({ status }: { readonly status: ProtocolStatus }): ReactElement {
  const { t, when, percent } = useSpeech(protocolWords);
  const now = useNow();
  const outlook = useOutlook();
  const { oracle, payments } = status;
  return (
    <Facts>
      <Fact name={<Term word={t.protocol.lastReport} meaning={t.terms.report} />}>
        {oracle.lastReportTime === 0n ? t.common.none : when(Number(oracle.lastReportTime), now.time)}
      </Fact>
      <Fact name={t.protocol.nextReport}>
        {outlook.data === undefined ? t.common.notKnown : when(Number(outlook.data.nextReport), now.time)}
      </Fact>
      <Fact name={t.protocol.quorum}>
        {t.protocol.quorumOf(String(oracle.committee.quorum), String(oracle.committee.members))}
      </Fact>
      <Fact name={t.protocol.fall}>{percent(oracle.fallBp)}</Fact>
      <Fact name={t.protocol.payments}>
        {payments.blocked === undefined ? (
          t.protocol.paymentsYes
        ) : (
          <span className="warn">{t.protocol.paymentsNo[payments.blocked]}</span>
        )}
      </Fact>
    </Facts>
  );
}

function Queue({ status }: { readonly status: ProtocolStatus }): ReactElement {
  const { t, when, count } = useSpeech(protocolWords);
  const now = useNow();
  const { queue, pool } = status;
  const round = queue.oldestRoundEnd === undefined ? undefined : Number(queue.oldestRoundEnd);
  return (
    <Facts>
      <Fact name={t.protocol.waiting}>
        <Amount wei={queue.waitingEther} unit="ETH" />
      </Fact>
      <Fact name={t.protocol.inLine}>{count(queue.lastRequestId - queue.lastFinalizedId)}</Fact>
      <Fact name={t.protocol.oldest}>
        {round === undefined
          ? t.protocol.nobody
          : (round <= now.time ? t.protocol.roundEnded : t.protocol.roundEnds)(when(round, now.time))}
      </Fact>
      <Fact name={t.protocol.inBuffer}>
        <Amount wei={pool.buffer} unit="ETH" />
      </Fact>
      <Fact name={t.protocol.exitDemand}>
        <Amount wei={pool.exitDemand} unit="ETH" />
      </Fact>
    </Facts>
  );
}

const STATES: readonly ValidatorStatus[] = ["active", "exiting", "queued", "predeposited", "withdrawn", "dropped"];

function Validators({ book }: { readonly book: ValidatorBook }): ReactElement {
  const { t, count } = useSpeech(protocolWords);
  const all = [...book.values()];
  const slashed = all.filter((entry) => entry.slashed).length;
  return (
    <Facts>
      {STATES.map((state) => {
        const number = all.filter(({ status }) => status === state).length;
        return number === 0 && state !== "active" ? null : (
          <Fact key={state} name={t.states[state]}>
            {count(number)}
          </Fact>
        );
      })}
      <Fact name={<Term word={t.protocol.slashed} meaning={t.terms.slashing} />}>{count(slashed)}</Fact>
    </Facts>
  );
}

function Addresses({ contracts }: { readonly contracts: Contracts }): ReactElement {
  const { t } = useSpeech(protocolWords);
  return (
    <>
      <Facts>
        {contractsOf(contracts).map(({ name, address }) => (
          <Fact key={name} name={name}>
            <Address address={address} />
          </Fact>
        ))}
      </Facts>
      <p className="quiet under">{t.common.contractsNote}</p>
    </>
  );
}
