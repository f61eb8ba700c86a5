import type { ReactElement } from "react";
import type { OwnLending } from "../../../../offchain/chain/index.ts";
import { BP } from "../../../../offchain/protocol/units.ts";
import { useEtherPool, useLending } from "../../data/liquidity.ts";
import { Amount } from "../../parts/Amount.tsx";
import { Card, Fact, Facts, Loaded } from "../../parts/Card.tsx";
import { Term } from "../../parts/Term.tsx";
import { useWallet } from "../../wallet/useWallet.ts";
import { useSpeech } from "../../words/context.tsx";
import { liquidityWords } from "../../words/liquidity.ts";

/** What one lends, what it would give now, and what it earned against holding. */
export function OwnShare(): ReactElement {
  const { t } = useSpeech(liquidityWords);
  const { address } = useWallet();
  const lending = useLending(address);
  return (
    <Card title={t.liquidity.own}>
      {address === undefined ? (
        <p className="quiet">{t.liquidity.ownConnect}</p>
      ) : (
        <Loaded query={lending} lines={4}>
          {({ own }) =>
            own === undefined || (own.lp === 0n && (own.gain ?? 0n) === 0n) ? (
              <p className="quiet">{t.liquidity.ownEmpty}</p>
            ) : (
              <Own own={own} />
            )
          }
        </Loaded>
      )}
    </Card>
  );
}

function Own({ own }: { readonly own: OwnLending }): ReactElement {
  const { t, percent } = useSpeech(liquidityWords);
  const pool = useEtherPool().data?.pool;
  const { lp, ether, staked, worth, gain } = own;
  return (
    <Facts>
      <Fact name={t.liquidity.worth}>
        <strong>
          <Amount wei={worth} unit="ETH" />
        </strong>
      </Fact>
      <Fact name={t.liquidity.share}>
        {pool !== undefined && percent((lp * BP) / pool.supply)}
        <span className="quiet block under">
          <Amount wei={lp} unit="LP" />
        </span>
      </Fact>
      <Fact name={t.liquidity.gives}>
        <Amount wei={ether} unit="ETH" />
        <span className="block">
          <Amount wei={staked} unit="estETH" />
        </span>
      </Fact>
      <Fact name={<Term word={t.liquidity.against} meaning={t.liquidity.againstMeaning} />}>
        {gain === undefined ? (
          <span className="quiet">{t.liquidity.againstUnknown}</span>
        ) : (
          <span className={gain < 0n ? "bad" : "good"}>
            <Amount wei={gain} unit="ETH" signed />
          </span>
        )}
      </Fact>
    </Facts>
  );
}
