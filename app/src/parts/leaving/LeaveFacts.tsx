/** What comes of leaving: ether at once with its fee, a request later without one. */
import type { ReactElement } from "react";
import type { LeaveSplit, Market } from "../../../../offchain/chain/index.ts";
import { toEtherDown } from "../../../../offchain/chain/index.ts";
import { BP, wei } from "../../../../offchain/protocol/units.ts";
import type { Bp, Wei } from "../../../../offchain/protocol/units.ts";
import { useSpeech } from "../../words/context.tsx";
import type { Speech } from "../../words/context.tsx";
import { leavingWords } from "../../words/leaving.ts";
import type { LeavingPage } from "../../words/leaving.ts";
import { Amount } from "../Amount.tsx";
import { Fact } from "../Card.tsx";
import { Term } from "../Term.tsx";
import { Waiting, useWaitRange } from "./Waiting.tsx";

export interface LeaveFactsProps {
  readonly split: LeaveSplit;
  readonly market: Market;
  readonly limit: Bp;
  /** Of one's own in the pool, which comes without a fee. */
  readonly own?: Wei;
}

export function LeaveFacts({ split, market, limit, own = wei(0n) }: LeaveFactsProps): ReactElement {
  const { t, percent } = useSpeech(leavingWords);
  const { ether, fee, queuedValue, kept, sold } = split;
  return (
    <>
      <Fact name={t.leaving.getNow}>
        <strong>
          <Amount wei={ether + own} unit="ETH" />
        </strong>
      </Fact>
      {sold > 0n && (
        <Fact name={<Term word={t.leaving.fee} meaning={t.leaving.feeMeaning(percent(limit))} />}>
          {percent(averageFee(split))}
          <span className="quiet block under">
            <Amount wei={fee} unit="ETH" round="up" />
          </span>
        </Fact>
      )}
      {queuedValue > 0n && (
        <>
          <Fact name={t.leaving.getLater}>
            <strong>
              <Amount wei={queuedValue} unit="ETH" />
            </strong>
            <span className="quiet block under">{t.leaving.laterFree}</span>
          </Fact>
          <Waiting amount={queuedValue} />
        </>
      )}
      {kept > 0n && toEtherDown(kept, market.totals) > 0n && (
        <Fact name={t.leaving.kept}>
          <Amount wei={toEtherDown(kept, market.totals)} unit="estETH" />
        </Fact>
      )}
    </>
  );
}

/** Basis points of what is sold, rounded up. */
function averageFee({ ether, fee }: LeaveSplit): bigint {
  const value = ether + fee;
  return value === 0n ? 0n : (fee * BP + value - 1n) / value;
}

/** What a position of the slider means, for who hears it. */
export function leaveSentence({ t, amount, percent }: Speech<LeavingPage>, split: LeaveSplit | undefined): string {
  if (split === undefined) return "";
  const { ether, queuedValue, sold } = split;
  const now = sold === 0n ? undefined : t.leaving.saidNow(amount(ether, "ETH"), percent(averageFee(split)));
  const later = queuedValue === 0n ? undefined : t.leaving.saidLater(amount(queuedValue, "ETH"));
  return [now, later].filter((part) => part !== undefined).join(" ");
}

/** Said before the button where not all can be sold that is to be sold. */
export function QueuedNote({ split, limit }: { readonly split: LeaveSplit; readonly limit: Bp }): ReactElement | null {
  const { t, amount, percent } = useSpeech(leavingWords);
  const wait = useWaitRange(split.queuedValue);
  if (split.queuedValue === 0n || split.sold === 0n) return null;
  return <p className="notice">{t.leaving.queued(amount(split.queuedValue, "ETH"), percent(limit), wait)}</p>;
}
