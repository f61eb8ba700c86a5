/** For whoever works on Estuary, in local builds only: what a network does by itself in days, at a press. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useRef, useState } from "react";
import type { ReactElement } from "react";
import { useChain } from "../data/chain.ts";
import { Fact, Facts, Lines } from "../parts/Card.tsx";
import { useWallet } from "../wallet/useWallet.ts";
import { useSpeech } from "../words/context.tsx";
import { ControlRefusal, control } from "./control.ts";
import type { ControlAction, ControlState } from "./control.ts";
import "./style.css";
import { DEVELOPER_WORDS } from "./words.ts";

/** @param props.url of the control */
export function DeveloperPanel({ url }: { readonly url: string }): ReactElement {
  const { locale } = useSpeech();
  const t = DEVELOPER_WORDS[locale];
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const opener = useRef<HTMLButtonElement>(null);
  return (
    <aside
      className="developer"
      aria-label={t.title}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !isOpen) return;
        setOpen(false);
        opener.current?.focus();
      }}
    >
      <button
        ref={opener}
        type="button"
        className="network developer-opener"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setOpen(!isOpen)}
      >
        {t.title}
      </button>
      <div id={id} hidden={!isOpen}>
        {isOpen && <Opened url={url} />}
      </div>
    </aside>
  );
}

function Opened({ url }: { readonly url: string }): ReactElement {
  const { locale, moment, span, when } = useSpeech();
  const t = DEVELOPER_WORDS[locale];
  const { config } = useChain();
  const client = useQueryClient();
  const key = ["developer", url];
  const { data: state, isError } = useQuery({
    queryKey: key,
    queryFn: () => control(url, { action: "state" }),
    refetchInterval: config.pollSeconds * 1_000,
  });
  const [said, setSaid] = useState<{ readonly text: string; readonly isBad: boolean }>();
  const [isWorking, setWorking] = useState(false);
  const act = async (action: ControlAction, done: string): Promise<void> => {
    setWorking(true);
    setSaid({ text: t.working, isBad: false });
    try {
      client.setQueryData(key, await control(url, action));
      setSaid({ text: done, isBad: false });
      await client.invalidateQueries({ queryKey: ["read"] });
    } catch (error) {
      setSaid({ text: error instanceof ControlRefusal ? t.refused(error.message) : t.away, isBad: true });
    } finally {
      setWorking(false);
    }
  };
  return (
    <section className="card developer-panel">
      <p className="quiet under">{t.about}</p>
      {state === undefined && (isError ? <p className="bad">{t.away}</p> : <Lines count={4} />)}
      {state !== undefined && (
        <>
          <Facts>
            <Fact name={t.time}>{moment(state.time)}</Fact>
            <Fact name={t.next}>{when(state.nextReference, state.time)}</Fact>
            <Fact name={t.day}>{span(state.daySeconds)}</Fact>
            {state.silentUntil !== undefined && <Fact name={t.silent}>{moment(state.silentUntil)}</Fact>}
          </Facts>
          <Actions state={state} isWorking={isWorking} act={(action, done) => void act(action, done)} />
        </>
      )}
      <p className={said?.isBad === true ? "bad under" : "under"} role="status">
        {said?.text}
      </p>
    </section>
  );
}

interface ActionsProps {
  readonly state: ControlState;
  readonly isWorking: boolean;
  readonly act: (action: ControlAction, done: string) => void;
}

function Actions({ state, isWorking, act }: ActionsProps): ReactElement {
  const { locale, amount } = useSpeech();
  const t = DEVELOPER_WORDS[locale];
  const { address } = useWallet();
  const { can, validators, testEther } = state;
  const button = (label: string, action: ControlAction, done: string): ReactElement => (
    <button
      type="button"
      className="secondary small-button wide"
      disabled={isWorking}
      onClick={() => act(action, done)}
    >
      {label}
    </button>
  );
  return (
    <>
      {state.network === "devnet" && <p className="under">{t.devnet}</p>}
      {can.nextDay && button(t.nextDay, { action: "nextDay" }, t.nextDayDone)}
      {can.missReport && button(t.missReport, { action: "missReport" }, t.missReportDone)}
      {can.slash && <Slash validators={validators} isWorking={isWorking} act={act} />}
      {address === undefined ? (
        <p className="quiet under">{t.testEtherConnect}</p>
      ) : (
        button(t.testEther(amount(testEther, "ETH")), { action: "testEther", address }, t.testEtherDone)
      )}
    </>
  );
}

function Slash({
  validators,
  isWorking,
  act,
}: Omit<ActionsProps, "state"> & Pick<ControlState, "validators">): ReactElement {
  const { locale } = useSpeech();
  const t = DEVELOPER_WORDS[locale];
  const [chosen, setChosen] = useState<string>();
  const pubkey = validators.find((one) => one.pubkey === chosen)?.pubkey ?? validators[0]?.pubkey;
  if (pubkey === undefined) return <p className="quiet under">{t.noValidator}</p>;
  return (
    <div className="developer-slash">
      <select aria-label={t.validator} value={pubkey} onChange={(event) => setChosen(event.target.value)}>
        {validators.map((one) => (
          <option key={one.pubkey} value={one.pubkey}>
            {one.operator} · {one.pubkey.slice(0, 10)}…
          </option>
        ))}
      </select>
      <button
        type="button"
        className="secondary small-button"
        disabled={isWorking}
        onClick={() => act({ action: "slash", pubkey }, t.slashDone)}
      >
        {t.slash}
      </button>
    </div>
  );
}
