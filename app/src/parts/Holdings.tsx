import type { ReactElement } from "react";
import { Link, useLocation } from "wouter";
import { useAccount, useRewards } from "../data/queries.ts";
import { useSpeech } from "../words/context.tsx";
import { Amount } from "./Amount.tsx";
import { Card, Fact, Facts, Loaded } from "./Card.tsx";
import { Term } from "./Term.tsx";

/** What an account holds, and what the last report changed. */
export function Holdings({ address }: { readonly address: string }): ReactElement {
  const { t } = useSpeech();
  const [path] = useLocation();
  const account = useAccount(address);
  const rewards = useRewards(address, "month");
  const last = rewards.data?.own.rewards.at(-1);
  const isOfLast = last !== undefined && last.block === rewards.data?.history.at(-1)?.block;
  return (
    <Card title={t.holdings.title} aside={path === "/wrap" ? undefined : <Link href="/wrap">{t.holdings.wrap}</Link>}>
      <Loaded query={account} lines={2}>
        {({ staked, wrapped, wrappedValue }) =>
          staked === 0n && wrapped === 0n ? (
            <p className="quiet">{t.holdings.empty}</p>
          ) : (
            <>
              <Facts>
                <Fact name={<Term word="estETH" meaning={t.terms.estEth} />}>
                  <Amount wei={staked} unit="estETH" />
                </Fact>
                {wrapped > 0n && (
                  <Fact name={<Term word="westETH" meaning={t.terms.westEth} />}>
                    <Amount wei={wrapped} unit="westETH" />
                    <span className="quiet block">
                      {t.holdings.worthBefore} <Amount wei={wrappedValue} unit="ETH" />
                    </span>
                  </Fact>
                )}
              </Facts>
              {isOfLast && (
                <p className="quiet last">
                  <span className={last.amount < 0n ? "bad" : "good"}>
                    <Amount wei={last.amount} unit="ETH" signed />
                  </span>{" "}
                  {t.holdings.lastReport}
                </p>
              )}
            </>
          )
        }
      </Loaded>
    </Card>
  );
}
