/** What is in the pool, what it costs to leave through it, and what lending gave beside staking. */
import type { ReactElement } from "react";
import type { EtherPoolStatus, PoolRecord } from "../../../../offchain/chain/index.ts";
import { BP_IN_NANO } from "../../../../offchain/protocol/feeCurve.ts";
import { BP } from "../../../../offchain/protocol/units.ts";
import { fromWrappedDown } from "../../../../offchain/protocol/wrapped.ts";
import { useLending } from "../../data/liquidity.ts";
import { Amount } from "../../parts/Amount.tsx";
import { Fact, Facts, Figure, Loaded } from "../../parts/Card.tsx";
import { Term } from "../../parts/Term.tsx";
import { useWallet } from "../../wallet/useWallet.ts";
import { useSpeech } from "../../words/context.tsx";
import { liquidityWords } from "../../words/liquidity.ts";

export function Pool({ market }: { readonly market: EtherPoolStatus }): ReactElement {
  const { t, percent } = useSpeech(liquidityWords);
  const { address } = useWallet();
  const lending = useLending(address);
  const { pool, totals, target, value, calm } = market;
  return (
    <>
      <dl className="figures">
        <Figure name={t.liquidity.worth}>
          <Amount wei={value} unit="ETH" />
        </Figure>
        <Figure name={<Term word={t.liquidity.feeNow} meaning={t.liquidity.feeNowMeaning} />}>
          {percent(feeBp(market))}
        </Figure>
      </dl>
      <Facts>
        <Fact name={t.liquidity.ether}>
          <Amount wei={pool.ether} unit="ETH" />
          <span className="quiet block under">{t.liquidity.targetOf(percent((pool.ether * BP) / target))}</span>
        </Fact>
        <Fact name={t.liquidity.staked}>
          <Amount wei={fromWrappedDown(pool.units, totals)} unit="estETH" />
        </Fact>
        <Fact name={t.liquidity.target}>
          <Amount wei={target} unit="ETH" />
        </Fact>
      </Facts>
      <Loaded query={lending} lines={4}>
        {({ record }) =>
          record === undefined ? (
            <p className="quiet under">{t.liquidity.early}</p>
          ) : (
            <Facts>
              <Record record={record} />
            </Facts>
          )
        }
      </Loaded>
      {!calm && <p className="notice warn">{t.liquidity.notCalm}</p>}
      <p className="notice">{t.liquidity.breakEven}</p>
    </>
  );
}

function Record({ record }: { readonly record: PoolRecord }): ReactElement {
  const { t, percent, span } = useSpeech(liquidityWords);
  const { seconds, turnoverBp, fees, rebates, lentBp, heldBp } = record;
  const time = span(Number(seconds));
  return (
    <>
      <Fact name={t.liquidity.turnover}>{t.liquidity.turnoverOf(percent(turnoverBp), time)}</Fact>
      <Fact name={<Term word={t.liquidity.earned} meaning={t.liquidity.earnedMeaning} />}>
        <Amount wei={fees - rebates} unit="ETH" />
      </Fact>
      <Fact name={<Term word={t.liquidity.lent} meaning={t.liquidity.lentMeaning(time)} />}>
        <strong>{t.liquidity.aYear(percent(lentBp))}</strong>
      </Fact>
      <Fact name={t.liquidity.held}>{t.liquidity.aYear(percent(heldBp))}</Fact>
    </>
  );
}

/** Of the next sale, rounded up. */
export function feeBp({ marginalFee }: EtherPoolStatus): bigint {
  return (marginalFee + BP_IN_NANO - 1n) / BP_IN_NANO;
}
