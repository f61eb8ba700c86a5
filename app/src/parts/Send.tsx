/** What can be sent: its cost, why it would be refused, its button, and what came of it. */
import type { ReactElement, ReactNode } from "react";
import type { Cost } from "../../../offchain/chain/index.ts";
import { useCost } from "../data/cost.ts";
import type { TxKind, TxRecord } from "../tx/store.ts";
import { failureOf, useAction } from "../tx/useAction.ts";
import type { Action, Intent } from "../tx/useAction.ts";
import { useWallet } from "../wallet/useWallet.ts";
import { useSpeech } from "../words/context.tsx";
import { ActionButton } from "./ActionButton.tsx";
import { Amount } from "./Amount.tsx";
import { Progress, reasonIn } from "./Progress.tsx";

export interface SendingOptions {
  /** What this place sends. */
  readonly kinds: readonly TxKind[];
  /** Undefined while there is nothing to send. */
  readonly intent: Intent | undefined;
  /** Nothing can be sent now. */
  readonly isBlocked?: boolean;
  /** Whose it is, where a page has several places of these kinds. */
  readonly about?: string;
  /** What the cost depends on beside kind, amount and whose it is. */
  readonly costKey?: string;
}

export interface Sending {
  readonly action: Action;
  readonly cost: Cost | undefined;
  /** Why the contract would refuse it, in words. */
  readonly refusal: string | undefined;
  readonly canSend: boolean;
  /** Whether it was sent. */
  readonly send: () => Promise<boolean>;
}

export function useSending({ kinds, intent, isBlocked = false, about, costKey }: SendingOptions): Sending {
  const { t } = useSpeech();
  const action = useAction(kinds, about);
  const isIdle = action.step === "idle";
  const cost = useCost(
    [intent?.kind, String(intent?.amount), about, costKey],
    // what a permit allows can't be asked of the node before it is signed; a step may be taken already
    intent === undefined || intent.signsFirst === true || intent.isStep === true || isBlocked || !isIdle
      ? undefined
      : intent.prepare,
  );
  const refusal = cost.error === null || intent === undefined ? undefined : reasonIn(failureOf(cost.error), t);
  return {
    action,
    cost: cost.data,
    refusal,
    canSend: intent !== undefined && refusal === undefined && !isBlocked && isIdle,
    send: async () => intent !== undefined && action.run(intent),
  };
}

export interface SendProps {
  readonly sending: Sending;
  readonly label: string;
  /** For sentences about what did not happen. */
  readonly kind: TxKind;
  readonly signsPermit?: boolean;
  readonly onSent?: () => void;
  /** In place of sending. */
  readonly instead?: (() => void) | undefined;
  readonly isBusy?: boolean;
  /** Under the button. */
  readonly note?: ReactNode;
  readonly done: (record: TxRecord) => ReactNode;
}

export function Send(props: SendProps): ReactElement {
  const { sending, label, kind, signsPermit = false, onSent, instead, isBusy = false, note, done } = props;
  const { action, refusal, canSend, send } = sending;
  const { t } = useSpeech();
  const { isWrongChain } = useWallet();
  const press = async (): Promise<void> => {
    if (await send()) onSent?.();
  };
  return (
    <>
      {refusal !== undefined && !isWrongChain && <p className="notice warn">{t.tx.because(t.stake.cannot, refusal)}</p>}
      <ActionButton
        label={label}
        disabled={instead === undefined && (!canSend || isBusy)}
        onPress={instead ?? (() => void press())}
      />
      {note !== undefined && <p className="quiet under">{note}</p>}
      <Progress action={action} kind={kind} signsPermit={signsPermit} done={done} />
    </>
  );
}

/** What it costs to send, or what that waits for. */
export function CostValue({
  cost,
  needs,
}: {
  readonly cost: Cost | undefined;
  readonly needs: "amount" | "nothing";
}): ReactElement {
  const { t } = useSpeech();
  const { address } = useWallet();
  if (address === undefined) return <span className="quiet">{t.stake.costLater}</span>;
  if (cost !== undefined) return <Amount wei={cost.expectedFee} unit="ETH" round="up" />;
  return <span className="quiet">{needs === "amount" ? t.stake.costNeedsAmount : t.common.notKnown}</span>;
}
