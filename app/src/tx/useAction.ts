/** One action of a page, from the press of its button until it is in a block. */
import { useEffect, useRef, useState } from "react";
import { ChainError, toChainError } from "../../../offchain/chain/index.ts";
import type { Context, Prepared } from "../../../offchain/chain/index.ts";
import { useChain, useProtocol } from "../data/chain.ts";
import { codeOf, UNAUTHORIZED } from "../wallet/eip1193.ts";
import { useWallet } from "../wallet/useWallet.ts";
import type { TxKind, TxRecord } from "./store.ts";
import { useTransactions, useTxStore } from "./useTransactions.ts";

export interface Failure {
  /** Name of a contract's error, or what else went wrong. */
  readonly name: string;
  /** The SDK's sentence. */
  readonly sentence: string;
}

export type Step = "idle" | "checking" | "signing";

export interface Intent {
  readonly kind: TxKind;
  readonly amount: bigint;
  readonly prepare: (context: Context) => Promise<Prepared<unknown, unknown> | undefined>;
  /** Asked of the wallet before the transaction: a permit. */
  readonly signsFirst?: boolean;
  /** The same amount is sent next: what was entered stays. */
  readonly isStep?: boolean;
}

export interface Action {
  readonly step: Step;
  readonly failure: Failure | undefined;
  /** What was sent last, of these kinds, and not yet put aside. */
  readonly record: TxRecord | undefined;
  readonly run: (intent: Intent) => Promise<boolean>;
  /** Puts the result aside. */
  readonly dismiss: () => void;
}

/** @param about only what was sent for this one: a page may have several places of the same kinds */
export function useAction(kinds: readonly TxKind[], about?: string): Action {
  const { provider } = useChain();
  const { data: protocol } = useProtocol();
  const { signer, address } = useWallet();
  const store = useTxStore();
  const [step, setStep] = useState<Step>("idle");
  const [failure, setFailure] = useState<Failure>();
  const running = useRef<AbortController>(undefined);
  const latest = useTransactions(address).find((one) => kinds.includes(one.kind) && one.about === about);
  const record = latest?.dismissed === true ? undefined : latest;

  // another account in the middle: what is being signed belongs to the one before
  useEffect(
    () => () => {
      if (running.current === undefined) return;
      running.current.abort();
      running.current = undefined;
      setStep("idle");
      setFailure({ name: "account-changed", sentence: "" });
    },
    [address],
  );

  const run = async ({ kind, amount, prepare, signsFirst = false }: Intent): Promise<boolean> => {
    if (protocol === undefined || signer === undefined || address === undefined) return false;
    const stop = new AbortController();
    running.current = stop;
    setFailure(undefined);
    setStep(signsFirst ? "signing" : "checking");
    try {
      const prepared = await prepare({ protocol, signer });
      if (prepared === undefined) return true;
      setStep("checking");
      await prepared.simulate();
      if (stop.signal.aborted) return false;
      setStep("signing");
      const [sentBlock, nextNonce] = await Promise.all([
        provider.getBlockNumber(),
        provider.getTransactionCount(address, "pending"),
      ]);
      const { to, data, value } = prepared.transaction;
      // also where the person turned to another account meanwhile: it was sent
      await sent(prepared, stop, (hash) =>
        store.add({
          ...{ hash, kind, from: address, to, data, value: String(value), amount: String(amount) },
          ...(about === undefined ? {} : { about }),
          ...{ sentAt: Date.now(), sentBlock, nextNonce, state: "pending", dismissed: false },
        }),
      );
      return true;
    } catch (error) {
      if (!stop.signal.aborted) setFailure(failureOf(error));
      return false;
    } finally {
      if (running.current === stop) {
        running.current = undefined;
        setStep("idle");
      }
    }
  };

  return {
    step,
    failure,
    record,
    run,
    dismiss: () => {
      setFailure(undefined);
      if (record !== undefined) store.update(record.hash, { dismissed: true });
    },
  };
}

/** Until the wallet gave its hash: `useTracking` waits for the block, also after a reload. */
async function sent(
  prepared: Prepared<unknown, unknown>,
  stop: AbortController,
  onHash: (hash: string) => void,
): Promise<void> {
  const waiting = new AbortController();
  return new Promise((resolve, reject) => {
    stop.signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
    prepared
      .send({
        signal: waiting.signal,
        onSent: (hash) => {
          onHash(hash);
          resolve();
          waiting.abort();
        },
      })
      .catch((error: unknown) => reject(error instanceof Error ? error : new Error(String(error))));
  });
}

export function failureOf(error: unknown): Failure {
  const known = toChainError(error);
  if (codeOf(error) === UNAUTHORIZED || codeOf(known.cause) === UNAUTHORIZED)
    return { name: "locked", sentence: known.message };
  if (!(known instanceof ChainError)) return { name: "unknown", sentence: known.message };
  return { name: known.revert?.name ?? known.kind, sentence: known.message };
}
