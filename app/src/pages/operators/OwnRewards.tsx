import { useState } from "react";
import type { ReactElement } from "react";
import { claimRewards, compoundRewards } from "../../../../offchain/chain/index.ts";
import { SHARES_PER_UNIT } from "../../../../offchain/protocol/units.ts";
import { Amount } from "../../parts/Amount.tsx";
import { Fact, Facts } from "../../parts/Card.tsx";
import { Choice } from "../../parts/Choice.tsx";
import { CostValue, Send, useSending } from "../../parts/Send.tsx";
import type { Intent } from "../../tx/useAction.ts";
import type { TxKind } from "../../tx/store.ts";
import { useWallet } from "../../wallet/useWallet.ts";
import { useSpeech } from "../../words/context.tsx";
import { operatorsWords } from "../../words/operators.ts";
import type { OwnProps } from "./OwnOperator.tsx";

type As = "estETH" | "westETH" | "bond";
const KINDS = {
  estETH: "claimRewards",
  westETH: "claimRewardsWrapped",
  bond: "compoundRewards",
} as const satisfies Record<As, TxKind>;

/** All rewards, to the account or into the bond. */
export function OwnRewards({ operator }: OwnProps): ReactElement {
  const { t, amount } = useSpeech(operatorsWords);
  const { rewards: words } = t.operators;
  const { address } = useWallet();
  const [as, setAs] = useState<As>("estETH");
  const { id, owner, rewardAddress, rewards, debt } = operator;
  const isAllowed = address === owner || address === rewardAddress;
  const isNothing = rewards.shares === 0n;
  const intent: Intent = {
    kind: KINDS[as],
    amount: rewards.value,
    prepare: (context) => (as === "bond" ? compoundRewards(context, id) : claimRewards(context, id, as)),
  };
  const isBlocked = isNothing || !isAllowed;
  const sending = useSending({ kinds: Object.values(KINDS), about: String(id), intent, isBlocked });
  const what =
    as === "westETH" ? amount(rewards.shares / SHARES_PER_UNIT, as) : amount(rewards.value, as === "bond" ? "ETH" : as);
  return (
    <>
      <Choice
        name={words.receive}
        value={as}
        options={["estETH", "westETH", "bond"]}
        labels={{ estETH: "estETH", westETH: "westETH", bond: words.asBond }}
        onChange={setAs}
      />
      <Facts>
        <Fact name={as === "bond" ? words.intoBond : words.youGet}>
          <strong>
            <Amount
              wei={as === "westETH" ? rewards.shares / SHARES_PER_UNIT : rewards.value}
              unit={as === "bond" ? "ETH" : as}
            />
          </strong>
        </Fact>
        <Fact name={t.stake.cost}>
          <CostValue cost={sending.cost} needs="nothing" />
        </Fact>
      </Facts>
      {isNothing && <p className="notice">{words.nothing}</p>}
      {!isNothing && !isAllowed && <p className="notice warn">{words.notYours}</p>}
      {debt > 0n && <p className="notice warn">{words.repaysFirst}</p>}
      <Send
        sending={sending}
        label={as === "bond" ? words.compound(what) : words.claim(what)}
        kind={KINDS[as]}
        isBusy={sending.action.record?.state === "pending"}
        done={(record) =>
          record.kind === "compoundRewards" ? (
            <p>{words.compounded}</p>
          ) : (
            <p>
              {words.claimed(
                amount(BigInt(record.outcome ?? 0), record.kind === "claimRewards" ? "estETH" : "westETH"),
              )}
            </p>
          )
        }
      />
    </>
  );
}
