import type { ReactNode } from "react";
import type { Wei } from "../../../../offchain/protocol/units.ts";
import { useNow } from "../../data/now.ts";
import { useOutlook } from "../../data/queries.ts";
import { useSpeech } from "../../words/context.tsx";
import { leavingWords } from "../../words/leaving.ts";
import { Amount } from "../Amount.tsx";
import { Fact } from "../Card.tsx";
import { Term } from "../Term.tsx";

/** How long a request takes, and on what that rests. */
export function Waiting({ amount }: { readonly amount: Wei }): ReactNode {
  const { t, when, range } = useSpeech(leavingWords);
  const now = useNow();
  const outlook = useOutlook();
  if (outlook.data === undefined)
    return [t.leaving.wait, t.leaving.ahead, t.leaving.nextReport].map((name) => (
      <Fact key={name} name={name}>
        {t.common.notKnown}
      </Fact>
    ));
  const { waitFor, nextReport, ahead, block } = outlook.data;
  const { earliest, expected, reason } = waitFor(amount);
  const at = Number(block.timestamp);
  return (
    <>
      <Fact name={t.leaving.wait}>
        {t.leaving.waitAbout(range(Number(earliest) - at, Number(expected) - at))}
        <span className="quiet block under">{t.leaving.reason[reason]}</span>
      </Fact>
      <Fact name={t.leaving.ahead}>
        <Amount wei={ahead} unit="ETH" />
      </Fact>
      <Fact name={<Term word={t.leaving.nextReport} meaning={t.terms.report} />}>
        {when(Number(nextReport), now.time)}
      </Fact>
    </>
  );
}

/** In words, "about 3 to 5 days"; undefined before it is known. */
export function useWaitRange(amount: Wei): string | undefined {
  const { t, range } = useSpeech(leavingWords);
  const { data } = useOutlook();
  if (data === undefined) return undefined;
  const { earliest, expected } = data.waitFor(amount);
  const at = Number(data.block.timestamp);
  return t.leaving.waitAbout(range(Number(earliest) - at, Number(expected) - at));
}
