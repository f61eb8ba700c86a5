import type { ReactElement, ReactNode } from "react";
import { useChain } from "../data/chain.ts";
import { useNow } from "../data/now.ts";
import type { TxRecord } from "../tx/store.ts";
import type { Action, Failure } from "../tx/useAction.ts";
import { useSpeech } from "../words/context.tsx";
import type { Words } from "../words/en/index.ts";
import type { TxKind } from "../tx/store.ts";

export interface ProgressProps {
  readonly action: Action;
  /** What the page's button does: for sentences about what did not happen. */
  readonly kind: TxKind;
  readonly signsPermit?: boolean;
  /** Said when it is done, with ways onward. */
  readonly done: (record: TxRecord) => ReactNode;
}

/** From signature to inclusion, and what came of it. */
export function Progress({ action, kind, signsPermit = false, done }: ProgressProps): ReactElement | null {
  const { t } = useSpeech();
  const { step, failure, record, dismiss } = action;
  if (step !== "idle") {
    const text = step === "checking" ? t.tx.checking : signsPermit ? t.tx.signingPermit : t.tx.signing;
    return (
      <div className="progress" role="status">
        <Steps at={step === "checking" ? 0 : 1} />
        <p>{text}</p>
      </div>
    );
  }
  if (failure !== undefined)
    return (
      <div className={failure.name === "rejected-by-user" ? "notice" : "notice bad"} role="alert">
        <p>{failureSentence(failure, kind, t)}</p>
        <button type="button" className="link" onClick={dismiss}>
          {t.common.close}
        </button>
      </div>
    );
  if (record === undefined) return null;
  if (record.state === "pending") return <Pending record={record} />;
  if (record.state === "done")
    return (
      <div className="notice good" role="status">
        <div className="grow">{done(record)}</div>
        <button type="button" className="link" onClick={dismiss}>
          {t.common.close}
        </button>
      </div>
    );
  return (
    <div className="notice bad" role="alert">
      <p>{endSentence(record, t)}</p>
      <button type="button" className="link" onClick={dismiss}>
        {t.common.close}
      </button>
    </div>
  );
}

function Pending({ record }: { readonly record: TxRecord }): ReactElement {
  const { t, span } = useSpeech();
  const { config } = useChain();
  useNow(); // again every few seconds
  return (
    <div className="progress" role="status">
      <Steps at={2} />
      <p>
        {t.tx.sent} {t.tx.since(span(Math.max(0, (Date.now() - record.sentAt) / 1_000)))}.{" "}
        <span className="quiet">{t.tx.safe}</span>
      </p>
      {config.explorer !== undefined && (
        <a href={`${config.explorer}/tx/${record.hash}`} target="_blank" rel="noreferrer noopener">
          {t.tx.view}
        </a>
      )}
    </div>
  );
}

function Steps({ at }: { readonly at: number }): ReactElement {
  const { t } = useSpeech();
  return (
    <ol className="steps">
      {t.tx.steps.map((name, index) => (
        <li
          key={name}
          className={index < at ? "past" : index === at ? "present" : ""}
          aria-current={index === at ? "step" : undefined}
        >
          {name}
        </li>
      ))}
    </ol>
  );
}

/** Why nothing was sent, in words. */
export function failureSentence(failure: Failure, kind: TxKind, t: Words): string {
  const { name } = failure;
  if (name === "rejected-by-user") return t.tx.rejected;
  if (name === "locked") return t.tx.locked;
  if (name === "account-changed") return t.tx.accountChanged;
  if (name === "unavailable") return t.tx.unavailable;
  if (name === "insufficient-funds") return t.tx.funds;
  return t.tx.because(t.tx.nothing[kind], reasonIn(failure, t));
}

/** The contract's reason in the app's language; where the catalogue has none, in the SDK's words. */
export function reasonIn({ name, sentence }: Failure, t: Words): string {
  const own = t.reverts[name] ?? sentence;
  return own === "" ? t.tx.unknownReason : own.replace(/\.$/, "");
}

export function endSentence(record: TxRecord, t: Words): string {
  const nothing = t.tx.nothing[record.kind];
  if (record.state === "replaced") return t.tx.replaced(nothing);
  if (record.state === "dropped") return t.tx.dropped(nothing);
  return t.tx.because(nothing, record.reason === undefined ? t.tx.unknownReason : reasonIn(record.reason, t));
}
