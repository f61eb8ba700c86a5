import { useState } from "react";
import type { ReactElement } from "react";
import type { EtherPoolStatus } from "../../../offchain/chain/index.ts";
import { useEtherPool, useHasPool, useLending, usePoolAccount } from "../data/liquidity.ts";
import { useAccount } from "../data/queries.ts";
import { Card, Loaded } from "../parts/Card.tsx";
import { Choice } from "../parts/Choice.tsx";
import { useWallet } from "../wallet/useWallet.ts";
import { useSpeech } from "../words/context.tsx";
import { liquidityWords } from "../words/liquidity.ts";
import { EnterWithBoth, EnterWithEther } from "./liquidity/Entering.tsx";
import { ExitToEther, ExitWithBoth } from "./liquidity/Exiting.tsx";
import { OwnShare } from "./liquidity/OwnShare.tsx";
import { Pool } from "./liquidity/Pool.tsx";

export function Liquidity(): ReactElement {
  const { t } = useSpeech(liquidityWords);
  const hasPool = useHasPool();
  return (
    <div className="page narrow">
      <h1>{t.liquidity.title}</h1>
      <p className="quiet">{hasPool ? t.liquidity.intro : t.liquidity.none}</p>
      {hasPool && <Cards />}
    </div>
  );
}

function Cards(): ReactElement {
  const { t } = useSpeech(liquidityWords);
  const { address } = useWallet();
  const pool = useEtherPool();
  // asked for together with what their places on the page wait for
  useAccount(address);
  usePoolAccount(address);
  useLending(address);
  return (
    <>
      <Card title={t.liquidity.pool}>
        <Loaded query={pool} lines={8}>
          {(market) => <Pool market={market} />}
        </Loaded>
      </Card>
      <OwnShare />
      <Card title={t.liquidity.act}>
        <Loaded query={pool} lines={6}>
          {(market) => <Acts market={market} />}
        </Loaded>
      </Card>
      <Card title={t.liquidity.risksTitle}>
        <ul className="risks">
          {t.liquidity.risks.map((risk) => (
            <li key={risk}>{risk}</li>
          ))}
        </ul>
      </Card>
    </>
  );
}

function Acts({ market }: { readonly market: EtherPoolStatus }): ReactElement {
  const { t } = useSpeech(liquidityWords);
  const [direction, setDirection] = useState<"lend" | "leave">("lend");
  const [assets, setAssets] = useState<"eth" | "both">("eth");
  const isLending = direction === "lend";
  const props = { market };
  const form = isLending
    ? { eth: <EnterWithEther {...props} />, both: <EnterWithBoth {...props} /> }
    : { eth: <ExitToEther {...props} />, both: <ExitWithBoth {...props} /> };
  return (
    <>
      <Choice
        name={t.liquidity.direction}
        value={direction}
        options={["lend", "leave"]}
        labels={t.liquidity}
        onChange={setDirection}
      />
      <Choice
        name={isLending ? t.liquidity.asset : t.liquidity.get}
        value={assets}
        options={["eth", "both"]}
        labels={t.liquidity}
        onChange={setAssets}
      />
      {form[assets]}
    </>
  );
}
