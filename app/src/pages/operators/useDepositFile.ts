/** A file of deposit data from the moment it is dropped: nothing of it is kept but what is to be sent. */
import { useEffect, useRef, useState } from "react";
import type { KeyToDeposit } from "../../../../offchain/keys/depositFile.ts";
import type { DepositProblem } from "../../../../offchain/keys/depositProblems.ts";
import type { Hex } from "../../../../offchain/util/hex.ts";
import { useCredentials, useDepositNetwork } from "../../data/operators.ts";
import { useValidators } from "../../data/queries.ts";

/** Deposit data of a thousand keys. */
const MOST_BYTES = 1_000_000;

/** What is wrong with it before, or beside, what is in it. */
export type OutsideProblem =
  | { readonly kind: "too-large"; readonly bytes: number }
  | { readonly kind: "unreadable" | "several" | "registry" | "all-sent" };

export type FileState =
  | { readonly state: "none" }
  | { readonly state: "checking"; readonly name: string; readonly done: number; readonly count: number }
  | { readonly state: "bad"; readonly name: string; readonly problems: readonly (DepositProblem | OutsideProblem)[] }
  | {
      readonly state: "good";
      readonly name: string;
      readonly batches: readonly (readonly KeyToDeposit[])[];
      /** Keys that were sent before, and left out. */
      readonly sent: number;
    };

export interface DepositFileUse {
  readonly file: FileState;
  readonly choose: (files: readonly File[]) => void;
}

export function useDepositFile(operatorId: bigint): DepositFileUse {
  const [file, setFile] = useState<FileState>({ state: "none" });
  const validators = useValidators();
  const credentials = useCredentials();
  const network = useDepositNetwork();
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  const check = async (chosen: File, signal: AbortSignal): Promise<FileState> => {
    const { name } = chosen;
    const bad = (problem: OutsideProblem): FileState => ({ state: "bad", name, problems: [problem] });
    if (chosen.size > MOST_BYTES) return bad({ kind: "too-large", bytes: chosen.size });
    const text = await chosen.text().catch(() => undefined);
    if (text === undefined) return bad({ kind: "unreadable" });
    const [{ checkDeposits }, book, ours] = await Promise.all([
      import("../../lib/deposits.ts"),
      validators.refetch(),
      credentials.data ?? credentials.refetch().then(({ data }) => data),
    ]);
    if (book.data === undefined || book.isError || ours === undefined) return bad({ kind: "registry" });
    const isSent = (entry: { readonly operatorId: bigint; readonly status: string }): boolean =>
      entry.operatorId === operatorId && entry.status === "predeposited";
    const entries = [...book.data.values()];
    const checked = await checkDeposits(text, {
      withdrawalCredentials: ours,
      forkVersion: network.forkVersion,
      known: keysOf(entries.filter((entry) => !isSent(entry))),
      sent: keysOf(entries.filter(isSent)),
      signal,
      onProgress: (done, count) => setFile({ state: "checking", name, done, count }),
    });
    if (!checked.ok) return { state: "bad", name, problems: checked.problems };
    if (checked.batches.length === 0) return bad({ kind: "all-sent" });
    return { state: "good", name, batches: checked.batches, sent: checked.sent };
  };

  const choose = (files: readonly File[]): void => {
    const [first] = files;
    if (first === undefined) return;
    running.current?.abort();
    const stop = new AbortController();
    running.current = stop;
    const { name } = first;
    if (files.length > 1) {
      setFile({ state: "bad", name, problems: [{ kind: "several" }] });
      return;
    }
    setFile({ state: "checking", name, done: 0, count: 0 });
    check(first, stop.signal).then(
      (result) => {
        if (!stop.signal.aborted) setFile(result);
      },
      () => {
        // the check itself could not be loaded, or another file came
        if (!stop.signal.aborted) setFile({ state: "bad", name, problems: [{ kind: "unreadable" }] });
      },
    );
  };
  return { file, choose };
}

function keysOf(entries: readonly { readonly pubkey: Hex }[]): ReadonlySet<Hex> {
  return new Set(entries.map(({ pubkey }) => pubkey));
}
