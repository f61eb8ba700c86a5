/** What an operator of the connected account has, and what happens next to each of its validators. */
import { useState } from "react";
import type { ReactElement } from "react";
import { addBond, claimRewards } from "../../../offchain/chain/index.ts";
import type { OperatorValidator } from "../../../offchain/chain/index.ts";
import { wei } from "../../../offchain/protocol/units.ts";
import { useNow } from "../data/now.ts";
import { useAccount, useOperatorValidators } from "../data/queries.ts";
import type { NamedOperator } from "../data/queries.ts";
import { ActionButton } from "../parts/ActionButton.tsx";
import { CopyButton } from "../parts/Address.tsx";
import { Amount } from "../parts/Amount.tsx";
import { AmountField, readAmount } from "../parts/AmountField.tsx";
import { Card, Figure, Loaded } from "../parts/Card.tsx";
import { Progress } from "../parts/Progress.tsx";
import { useAction } from "../tx/useAction.ts";
import { useWallet } from "../wallet/useWallet.ts";
import { useSpeech } from "../words/context.tsx";
import type { Speech } from "../words/context.tsx";
import { operatorsWords } from "../words/operators.ts";
import type { OperatorsPage } from "../words/operators.ts";
import { Standing } from "./Operators.tsx";

export function OwnOperator({ operator }: { readonly operator: NamedOperator }): ReactElement {
  const { t, amount, count } = useSpeech(operatorsWords);
  const { isWrongChain } = useWallet();
  const rewards = useAction(["claimRewards"]);
  const [isBonding, setBonding] = useState(false);
  const { bond } = operator;
  const claim = (): void =>
    void rewards.run({
      kind: "claimRewards",
      amount: operator.rewards.value,
      prepare: (context) => claimRewards(context, operator.id),
    });
  const isBusy = rewards.step !== "idle" || rewards.record?.state === "pending" || isWrongChain;
  return (
    <Card title={t.operators.mine(operator.name)} aside={<Standing operator={operator} />}>
      <dl className="figures">
        <Figure name={t.operators.held}>
          <Amount wei={bond.held} unit="ETH" />
        </Figure>
        <Figure name={t.operators.needed}>
          <Amount wei={bond.required} unit="ETH" />
        </Figure>
        <Figure name={t.operators.free}>
          <Amount wei={bond.freeValue} unit="ETH" />
        </Figure>
        <Figure name={t.operators.rewards}>
          <Amount wei={operator.rewards.value} unit="ETH" />
        </Figure>
        <Figure name={t.operators.keysLeft}>{count(bond.moreKeys)}</Figure>
      </dl>
      <div className="links">
        <button type="button" className="secondary" disabled={isBusy || operator.rewards.value === 0n} onClick={claim}>
          {t.operators.claim}
        </button>
        <button type="button" className="secondary" aria-expanded={isBonding} onClick={() => setBonding(!isBonding)}>
          {t.operators.addBond}
        </button>
      </div>
      <Progress
        action={rewards}
        kind="claimRewards"
        done={(record) => <p>{t.operators.claimed(amount(BigInt(record.outcome ?? 0), "estETH"))}</p>}
      />
      {isBonding && <AddBond id={operator.id} />}
      <Validators id={operator.id} />
    </Card>
  );
}

function AddBond({ id }: { readonly id: bigint }): ReactElement {
  const speech = useSpeech(operatorsWords);
  const { t } = speech;
  const { address } = useWallet();
  const account = useAccount(address);
  const action = useAction(["addBond"]);
  const [text, setText] = useState("");
  const { wei: chosen, problem } = readAmount(text, speech, account.data?.ether);
  const press = async (): Promise<void> => {
    if (chosen === undefined) return;
    const prepare = (context: Parameters<typeof addBond>[0]): ReturnType<typeof addBond> =>
      addBond(context, id, wei(chosen));
    if (await action.run({ kind: "addBond", amount: chosen, prepare })) setText("");
  };
  return (
    <div className="join">
      <AmountField text={text} onText={setText} unit="ETH" balance={account.data?.ether} most={0n} problem={problem} />
      <ActionButton
        label={t.operators.addBond}
        disabled={chosen === undefined || action.step !== "idle"}
        onPress={() => void press()}
      />
      <Progress action={action} kind="addBond" done={() => <p>{t.operators.bonded}</p>} />
    </div>
  );
}

function Validators({ id }: { readonly id: bigint }): ReactElement {
  const speech = useSpeech(operatorsWords);
  const { t } = speech;
  const now = useNow();
  const query = useOperatorValidators(id);
  const command = `npm run --silent estuary -- operator --help`;
  return (
    <>
      <h3>{t.operators.validators}</h3>
      <Loaded query={query}>
        {(list) =>
          list.length === 0 ? (
            <p className="quiet">{t.operators.noValidators}</p>
          ) : (
            <div className="scroll" tabIndex={0} role="region" aria-label={t.operators.validators}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t.operators.key}</th>
                    <th scope="col">{t.operators.state}</th>
                    <th scope="col">{t.operators.what}</th>
                  </tr>
                </thead>
                <tbody>
                  {list.map((entry) => (
                    <tr key={entry.keyRoot}>
                      <td>
                        <span className="with-copy">
                          <code title={entry.pubkey}>{`${entry.pubkey.slice(0, 10)}…${entry.pubkey.slice(-4)}`}</code>
                          <CopyButton text={entry.pubkey} />
                        </span>
                      </td>
                      <td>{t.states[entry.status]}</td>
                      <td>{nextOf(entry, speech, now.time)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Loaded>
      <p className="quiet under">
        {t.operators.cli} <code>{command}</code>
      </p>
    </>
  );
}

function nextOf(
  { status, funding, exitRequestedAt }: OperatorValidator,
  { t, when, count }: Speech<OperatorsPage>,
  now: number,
): string {
  const { following } = t.operators;
  switch (status) {
    case "queued": {
      if (funding === undefined) return following.noPlace;
      const place = count(funding.position + 1);
      return funding.expected === undefined
        ? following.queued(place)
        : following.queuedUntil(place, when(Number(funding.expected), now));
    }
    case "active":
      return exitRequestedAt === undefined ? following.active : following.asked(when(Number(exitRequestedAt), now));
    case "predeposited":
    case "exiting":
    case "withdrawn":
    case "dropped":
      return following[status];
  }
}
