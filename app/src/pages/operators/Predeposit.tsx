/** Keys out of a file of deposit data: checked in the page, then deposited with 1 ETH each. */
import { useState } from "react";
import type { ReactElement } from "react";
import type { NamedOperator } from "../../../../offchain/chain/index.ts";
import { predeposit } from "../../../../offchain/chain/index.ts";
import type { KeyToDeposit } from "../../../../offchain/keys/depositFile.ts";
import { PREDEPOSIT } from "../../../../offchain/protocol/units.ts";
import { useOperatorValidators } from "../../data/queries.ts";
import { Amount } from "../../parts/Amount.tsx";
import { Fact, Facts } from "../../parts/Card.tsx";
import { CostValue, Send, useSending } from "../../parts/Send.tsx";
import { Term } from "../../parts/Term.tsx";
import type { Intent } from "../../tx/useAction.ts";
import { useWallet } from "../../wallet/useWallet.ts";
import { useSpeech } from "../../words/context.tsx";
import { operatorsWords } from "../../words/operators.ts";
import { DepositFile } from "./DepositFile.tsx";
import { useDepositFile } from "./useDepositFile.ts";
import type { OwnProps } from "./OwnOperator.tsx";

/** What `moreKeys` counts to. */
const MOST_COUNTED = 64;

export function Predeposit({ operator }: OwnProps): ReactElement {
  const { t, amount } = useSpeech(operatorsWords);
  const { keys: words } = t.operators;
  const { address } = useWallet();
  const { id, owner, manager } = operator;
  const { file, choose } = useDepositFile(id);
  const [sent, setSent] = useState(0);
  const batches = file.state === "good" ? file.batches.slice(sent) : [];
  const [batch] = batches;
  const count = batch?.length ?? 0;
  const isAllowed = address === undefined || address === owner || address === manager;
  const sending = useSending({
    kinds: ["predeposit"],
    about: String(id),
    // the same number of other keys costs the same, but need not succeed
    costKey: batch?.map(({ depositDataRoot }) => depositDataRoot).join() ?? "",
    intent: batch === undefined ? undefined : intentOf(id, batch),
    isBlocked: !isAllowed,
  });
  const keys = words.keyCount(count);
  return (
    <>
      <p className="quiet">{words.intro}</p>
      <DepositFile
        file={file}
        onFile={(list) => {
          setSent(0);
          choose(list);
        }}
      />
      {batch !== undefined && (
        <>
          <Facts>
            <Left batches={batches} sentBefore={file.state === "good" ? file.sent : 0} />
            <Fact name={words.deposit}>
              <strong>
                <Amount wei={PREDEPOSIT * BigInt(count)} unit="ETH" />
              </strong>
            </Fact>
            <Room operator={operator} />
            <Fact name={t.stake.cost}>
              <CostValue cost={sending.cost} needs="nothing" />
            </Fact>
          </Facts>
          <TooMany operator={operator} count={batches.flat().length} />
          <p className="notice">
            <span>
              <Term word={words.privately} meaning={words.privatelyMeaning} />: {words.privatelyWhy}
            </span>
          </p>
        </>
      )}
      {!isAllowed && <p className="notice warn">{words.notYours}</p>}
      <Send
        sending={sending}
        label={batch === undefined ? words.open : words.button(keys, amount(PREDEPOSIT * BigInt(count), "ETH"))}
        kind="predeposit"
        onSent={() => setSent(sent + 1)}
        done={(record) => <p>{words.done(words.keyCount(Number(record.outcome ?? 0)))}</p>}
      />
    </>
  );
}

function intentOf(id: bigint, deposits: readonly KeyToDeposit[]): Intent {
  return {
    kind: "predeposit",
    amount: PREDEPOSIT * BigInt(deposits.length),
    prepare: (context) => predeposit(context, id, deposits),
  };
}

function Left({
  batches,
  sentBefore,
}: {
  readonly batches: readonly (readonly KeyToDeposit[])[];
  readonly sentBefore: number;
}): ReactElement {
  const { t, count } = useSpeech(operatorsWords);
  const { keys: words } = t.operators;
  return (
    <Fact name={words.count}>
      {count(batches.flat().length)}
      {batches.length > 1 && <span className="quiet block under">{words.batches(count(batches.length))}</span>}
      {sentBefore > 0 && <span className="quiet block under">{words.leftOut(count(sentBefore))}</span>}
    </Fact>
  );
}

/** How many more keys the bond carries: those that wait for their proof take their places too. */
function useRoom({ id, bond }: NamedOperator): number | undefined {
  const own = useOperatorValidators(id);
  const unproven = own.data?.filter(({ status }) => status === "predeposited").length;
  return unproven === undefined ? undefined : Math.max(0, bond.moreKeys - unproven);
}

function Room({ operator }: OwnProps): ReactElement {
  const { t, count } = useSpeech(operatorsWords);
  const { keys: words } = t.operators;
  const room = useRoom(operator);
  const isAll = operator.bond.moreKeys >= MOST_COUNTED;
  return (
    <Fact name={words.room}>
      {room === undefined ? t.common.notKnown : (isAll ? words.roomMany : words.roomKeys)(count(room))}
    </Fact>
  );
}

function TooMany({ operator, count }: OwnProps & { readonly count: number }): ReactElement | null {
  const { t } = useSpeech(operatorsWords);
  const room = useRoom(operator);
  if (room === undefined || count <= room || operator.bond.moreKeys >= MOST_COUNTED) return null;
  return <p className="notice warn">{t.operators.keys.tooMany}</p>;
}
