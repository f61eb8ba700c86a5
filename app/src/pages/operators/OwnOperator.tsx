/** What an operator of the connected account has, what can be done with it, and what happens next to its validators. */
import { useId, useState } from "react";
import type { ReactElement } from "react";
import type { NamedOperator } from "../../../../offchain/chain/index.ts";
import { useNow } from "../../data/now.ts";
import { Address } from "../../parts/Address.tsx";
import { Amount } from "../../parts/Amount.tsx";
import { Card, Fact, Facts, Figure } from "../../parts/Card.tsx";
import { useWallet } from "../../wallet/useWallet.ts";
import { useSpeech } from "../../words/context.tsx";
import { operatorsWords } from "../../words/operators.ts";
import { AddBond, WithdrawBond } from "./Bond.tsx";
import { Commands } from "./Commands.tsx";
import { OwnRewards } from "./OwnRewards.tsx";
import { Predeposit } from "./Predeposit.tsx";
import { Standing, isShort, tierName } from "./Standing.tsx";
import { Validators } from "./Validators.tsx";

/** What one may do, one at a time. */
const PANELS = { addBond: AddBond, withdrawBond: WithdrawBond, rewards: OwnRewards, keys: Predeposit } as const;
type PanelName = keyof typeof PANELS;
const NAMES = Object.keys(PANELS) as PanelName[];

export interface OwnProps {
  readonly operator: NamedOperator;
}

export function OwnOperator({ operator }: OwnProps): ReactElement {
  const { t, count } = useSpeech(operatorsWords);
  const { own } = t.operators;
  const { bond } = operator;
  return (
    <Card title={own.title(operator.name, String(operator.id))} aside={<Standing operator={operator} />}>
      <dl className="figures">
        <Figure name={own.held}>
          <Amount wei={bond.held} unit="ETH" />
        </Figure>
        <Figure name={own.needed}>
          <Amount wei={bond.required} unit="ETH" />
        </Figure>
        <Figure name={own.free}>
          <Amount wei={bond.freeValue} unit="ETH" />
        </Figure>
        <Figure name={own.rewards}>
          <Amount wei={operator.rewards.value} unit="ETH" />
        </Figure>
        <Figure name={own.keysLeft}>{count(bond.moreKeys)}</Figure>
      </dl>
      <Troubles operator={operator} />
      <Actions operator={operator} />
      <Validators operator={operator} />
      <People operator={operator} />
      <Commands operator={operator} />
    </Card>
  );
}

/** What is not in order: what it means, and the way out. */
function Troubles({ operator }: OwnProps): ReactElement {
  const { t, amount, when } = useSpeech(operatorsWords);
  const now = useNow();
  const { own } = t.operators;
  const { debt, frozen, ejection, fine, bond } = operator;
  const missing = bond.required - bond.held;
  return (
    <>
      {debt > 0n && <p className="notice bad">{own.debt(amount(debt, "ETH", "up"))}</p>}
      {frozen && ejection?.cause === "frozen" && (
        <p className="notice bad">{own.frozen(when(Number(ejection.from), now.time))}</p>
      )}
      {fine !== undefined && (
        <p className="notice bad">{own.fine(amount(fine.value, "ETH"), when(Number(fine.expiresAt), now.time))}</p>
      )}
      {isShort(operator) && <p className="notice warn">{own.short(amount(missing, "ETH", "up"))}</p>}
    </>
  );
}

function Actions({ operator }: OwnProps): ReactElement {
  const { t } = useSpeech(operatorsWords);
  const [open, setOpen] = useState<PanelName>();
  const id = useId();
  const labels: Readonly<Record<PanelName, string>> = {
    addBond: t.operators.bond.add,
    withdrawBond: t.operators.bond.withdraw,
    rewards: t.operators.rewards.open,
    keys: t.operators.keys.open,
  };
  const Panel = open === undefined ? undefined : PANELS[open];
  return (
    <>
      <div className="actions">
        {NAMES.map((name) => (
          <button
            key={name}
            type="button"
            className="secondary"
            aria-expanded={open === name}
            aria-controls={id}
            onClick={() => setOpen(open === name ? undefined : name)}
          >
            {labels[name]}
          </button>
        ))}
      </div>
      <div id={id} className={Panel === undefined ? "" : "panel"} hidden={Panel === undefined}>
        {Panel !== undefined && <Panel operator={operator} />}
      </div>
    </>
  );
}

function People({ operator }: OwnProps): ReactElement {
  const { t, percent } = useSpeech(operatorsWords);
  const { address } = useWallet();
  const { own } = t.operators;
  const whose = (account: string): ReactElement => (
    <>
      <Address address={account} /> {account === address && <span className="quiet">({own.you})</span>}
    </>
  );
  return (
    <Facts>
      <Fact name={own.tier}>{own.tierFee(tierName(operator.tier, t), percent(operator.feeBp))}</Fact>
      <Fact name={own.owner}>{whose(operator.owner)}</Fact>
      <Fact name={own.manager}>
        {operator.manager === undefined ? <span className="quiet">{own.nobody}</span> : whose(operator.manager)}
      </Fact>
      <Fact name={own.rewardAddress}>{whose(operator.rewardAddress)}</Fact>
    </Facts>
  );
}
