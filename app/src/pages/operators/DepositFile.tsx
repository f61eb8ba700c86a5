/** The field for a file, and the sentence that stands beside it. */
import { useEffect, useId, useState } from "react";
import type { DragEvent, ReactElement } from "react";
import type { DepositProblem } from "../../../../offchain/keys/depositProblems.ts";
import { networkOfFork } from "../../../../offchain/keys/networks.ts";
import { WEI_PER_GWEI } from "../../../../offchain/protocol/units.ts";
import { shortAddress } from "../../lib/address.ts";
import { useSpeech } from "../../words/context.tsx";
import type { Speech } from "../../words/context.tsx";
import { operatorsWords } from "../../words/operators.ts";
import type { OperatorsPage } from "../../words/operators.ts";
import type { FileState, OutsideProblem } from "./useDepositFile.ts";

/** Problems that are listed at most. */
const MOST_LISTED = 20;

export interface DepositFileProps {
  readonly file: FileState;
  readonly onFile: (files: readonly File[]) => void;
}

export function DepositFile({ file, onFile }: DepositFileProps): ReactElement {
  const { t } = useSpeech(operatorsWords);
  const { keys: words } = t.operators;
  const id = useId();
  const [isOver, setOver] = useState(false);
  useOpensNoFiles();
  const isBad = file.state === "bad";
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    onFile([...event.dataTransfer.files]);
  };
  return (
    <div>
      <div
        className={`drop ${isOver ? "over" : ""} ${isBad ? "wrong" : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <label htmlFor={id} className="secondary">
          {words.choose}
          <input
            id={id}
            type="file"
            accept=".json,application/json"
            aria-invalid={isBad}
            aria-describedby={`${id}-note`}
            onChange={(event) => {
              onFile([...(event.target.files ?? [])]);
              // the same file, mended, is chosen again
              event.target.value = "";
            }}
          />
        </label>
        <span className="quiet">{file.state === "none" ? words.drop : file.name}</span>
      </div>
      <div id={`${id}-note`} className="under">
        <Note file={file} />
      </div>
    </div>
  );
}

function Note({ file }: { readonly file: FileState }): ReactElement | null {
  const speech = useSpeech(operatorsWords);
  const { t, count } = speech;
  const { keys: words } = t.operators;
  switch (file.state) {
    case "none":
      return null;
    case "checking":
      return (
        <p className="quiet" role="status">
          {file.count === 0 ? words.reading : words.checking(count(file.done), count(file.count))}
        </p>
      );
    case "good":
      return (
        <p className="good" role="status">
          {words.found(file.name)}
        </p>
      );
    case "bad": {
      const [first] = file.problems;
      return (
        <>
          <p className="bad" role="alert">
            {first === undefined ? "" : sentenceOf(first, speech)}
          </p>
          {file.problems.length > 1 && (
            <details>
              <summary>{words.all(count(file.problems.length))}</summary>
              <ul>
                {file.problems.slice(0, MOST_LISTED).map((problem, at) => (
                  <li key={at}>{sentenceOf(problem, speech)}</li>
                ))}
                {file.problems.length > MOST_LISTED && <li>…</li>}
              </ul>
            </details>
          )}
        </>
      );
    }
  }
}

/** A file that misses the field would replace the page, and what was typed. */
function useOpensNoFiles(): void {
  useEffect(() => {
    const stop = (event: Event): void => event.preventDefault();
    window.addEventListener("dragover", stop);
    window.addEventListener("drop", stop);
    return () => {
      window.removeEventListener("dragover", stop);
      window.removeEventListener("drop", stop);
    };
  }, []);
}

export function sentenceOf(problem: DepositProblem | OutsideProblem, speech: Speech<OperatorsPage>): string {
  const { file } = speech.t.operators;
  if ("deposit" in problem && problem.deposit !== undefined)
    return file.at(speech.count(problem.deposit), ofDeposit(problem, speech));
  switch (problem.kind) {
    case "too-large":
      return file.tooLarge(`${speech.count(Math.round(problem.bytes / 1_000_000))} MB`);
    case "all-sent":
      return file.allSent;
    case "secret":
      return file.secret[problem.secret];
    case "unreadable":
    case "several":
    case "registry":
    case "not-json":
    case "not-a-list":
    case "empty":
      return file[problem.kind];
  }
}

function ofDeposit(
  problem: Extract<DepositProblem, { readonly deposit: number }>,
  { t, amount }: Speech<OperatorsPage>,
): string {
  const { file } = t.operators;
  switch (problem.kind) {
    case "field":
      return problem.field === "entry" ? file.entry : file.field(problem.field);
    case "twice":
      return file.twice(String(problem.before));
    case "credentials":
      if (problem.isBls) return file.bls;
      return file.credentials(shortAddress(problem.owner ?? problem.found));
    case "amount":
      return file.amount(amount(problem.gwei * WEI_PER_GWEI, "ETH"));
    case "network":
      return file.network(
        networkOfFork(problem.found) ?? file.otherNetwork,
        networkOfFork(problem.ours) ?? file.thisNetwork,
      );
    case "network-name":
      return file.network(problem.found, networkOfFork(problem.ours) ?? file.thisNetwork);
    case "in-use":
    case "root":
    case "signature":
      return file[problem.kind];
  }
}
