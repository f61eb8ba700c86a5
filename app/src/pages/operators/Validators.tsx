import type { ReactElement } from "react";
import type {
  NamedOperator,
  OperatorValidator,
  ProtocolStatus,
  ValidatorStatus,
} from "../../../../offchain/chain/index.ts";
import { SECONDS_PER_SLOT, firstSlotOf } from "../../../../offchain/protocol/frames.ts";
import { useNow } from "../../data/now.ts";
import { useOperatorValidators, useStatus } from "../../data/queries.ts";
import { CopyButton } from "../../parts/Address.tsx";
import { Loaded } from "../../parts/Card.tsx";
import { Table } from "../../parts/Table.tsx";
import { useSpeech } from "../../words/context.tsx";
import type { Speech } from "../../words/context.tsx";
import { operatorsWords } from "../../words/operators.ts";
import type { OperatorsPage } from "../../words/operators.ts";
import { exitCommand } from "./commandsFor.ts";
import type { OwnProps } from "./OwnOperator.tsx";

/** What asks for something first. */
const ORDER: readonly ValidatorStatus[] = ["dropped", "exiting", "active", "queued", "predeposited", "withdrawn"];
/** Rows that are drawn at first. */
const ROWS = 20;

export function Validators({ operator }: OwnProps): ReactElement {
  const speech = useSpeech(operatorsWords);
  const { t, count } = speech;
  const { validators: words } = t.operators;
  const now = useNow();
  const status = useStatus();
  const query = useOperatorValidators(operator.id);
  return (
    <>
      <h3>{words.title}</h3>
      <Loaded query={query}>
        {(list) => {
          if (list.length === 0) return <p className="quiet">{words.none}</p>;
          const byState = ORDER.map((state) => list.filter((entry) => entry.status === state));
          return (
            <>
              <ul className="tags">
                {byState.map((entries, at) => {
                  const state = ORDER[at];
                  return state === undefined || entries.length === 0 ? null : (
                    <li key={state} className="tag">
                      {count(entries.length)} {t.states[state]}
                    </li>
                  );
                })}
              </ul>
              <Table
                name={words.title}
                stacks
                most={ROWS}
                rows={byState.flat()}
                keyOf={({ keyRoot }) => keyRoot}
                columns={[
                  {
                    name: words.key,
                    cell: ({ pubkey }) => (
                      <span className="with-copy">
                        <code title={pubkey}>{shortKey(pubkey)}</code>
                        <CopyButton text={pubkey} />
                      </span>
                    ),
                  },
                  {
                    name: words.state,
                    cell: (entry) => (
                      <>
                        {t.states[entry.status]}
                        {entry.slashed && <span className="tag bad">{words.slashed}</span>}
                      </>
                    ),
                  },
                  {
                    name: words.what,
                    className: () => "wrap",
                    cell: (entry) => nextOf(entry, operator, status.data, speech, now.time),
                  },
                  {
                    name: words.exit,
                    cell: (entry) =>
                      entry.status === "active" ? (
                        <span className="with-copy">
                          {words.command}
                          <CopyButton text={exitCommand(entry.pubkey)} name={words.copyExit(shortKey(entry.pubkey))} />
                        </span>
                      ) : null,
                  },
                ]}
              />
            </>
          );
        }}
      </Loaded>
    </>
  );
}

function shortKey(pubkey: string): string {
  return `${pubkey.slice(0, 10)}…${pubkey.slice(-4)}`;
}

function nextOf(
  entry: OperatorValidator,
  { ejection }: NamedOperator,
  status: ProtocolStatus | undefined,
  { t, when, count }: Speech<OperatorsPage>,
  now: number,
): string {
  const { following } = t.operators.validators;
  const { funding, exitRequestedAt, withdrawableEpoch } = entry;
  switch (entry.status) {
    case "queued": {
      if (funding === undefined) return following.noPlace;
      const place = count(funding.position + 1);
      if (funding.expected === undefined) return following.queued(place);
      const expected = Number(funding.expected);
      return expected <= now ? following.queuedNow(place) : following.queuedUntil(place, when(expected, now));
    }
    case "active":
      if (exitRequestedAt !== undefined) return following.asked(when(Number(exitRequestedAt), now));
      if (ejection !== undefined) return following.ejected;
      return entry.weightStopped ? following.below : following.active;
    case "exiting":
      if (withdrawableEpoch === undefined || status === undefined) return following.exiting;
      return following.exitingUntil(when(epochTime(withdrawableEpoch, status), now));
    case "predeposited":
    case "withdrawn":
    case "dropped":
      return following[entry.status];
  }
}

/** Unix seconds: counted from the slot of the last report, whose time is known. */
function epochTime(epoch: bigint, { oracle }: ProtocolStatus): number {
  return Number(oracle.lastRefTime + (firstSlotOf(epoch) - oracle.lastRefSlot) * SECONDS_PER_SLOT);
}
