import { useState } from "react";
import type { ReactElement } from "react";
import { join } from "../../../../offchain/chain/index.ts";
import type { ProtocolStatus, TierStatus } from "../../../../offchain/chain/index.ts";
import { parseAddress } from "../../lib/address.ts";
import { Amount } from "../../parts/Amount.tsx";
import { Fact, Facts } from "../../parts/Card.tsx";
import { CostValue, Send, useSending } from "../../parts/Send.tsx";
import { Table } from "../../parts/Table.tsx";
import { TextField } from "../../parts/TextField.tsx";
import { useWallet } from "../../wallet/useWallet.ts";
import { useSpeech } from "../../words/context.tsx";
import { operatorsWords } from "../../words/operators.ts";
import { tierName } from "./Standing.tsx";

/** The contract's limit, in bytes of UTF-8. */
const NAME_BYTES = 64;

/** What each tier asks and gives, and the way in. */
export function Tiers({ status }: { readonly status: ProtocolStatus }): ReactElement {
  const { t, percent } = useSpeech(operatorsWords);
  const { tiers, join: words } = t.operators;
  const [joining, setJoining] = useState<TierStatus>();
  return (
    <>
      <Table
        name={tiers.title}
        stacks
        rows={status.tiers}
        keyOf={({ id }) => id}
        columns={[
          { name: t.operators.list.tier, cell: ({ id }) => tierName(id, t) },
          { name: tiers.first, isNumber: true, cell: ({ bondFirst }) => <Amount wei={bondFirst} unit="ETH" /> },
          { name: tiers.next, isNumber: true, cell: ({ bondNext }) => <Amount wei={bondNext} unit="ETH" /> },
          { name: tiers.earns, isNumber: true, cell: ({ feeBp }) => percent(feeBp) },
          {
            name: tiers.access,
            cell: (tier) =>
              tier.open ? (
                <button
                  type="button"
                  className="link"
                  aria-label={words.title(tierName(tier.id, t))}
                  aria-expanded={joining?.id === tier.id}
                  onClick={() => setJoining(tier)}
                >
                  {words.button}
                </button>
              ) : (
                <span className="quiet">{tiers.invitation}</span>
              ),
          },
        ]}
      />
      {joining !== undefined && <Join tier={joining} />}
    </>
  );
}

function Join({ tier }: { readonly tier: TierStatus }): ReactElement {
  const { t } = useSpeech(operatorsWords);
  const { join: words } = t.operators;
  const { address } = useWallet();
  const [name, setName] = useState("");
  const [other, setOther] = useState("");
  const bytes = new TextEncoder().encode(name.trim()).length;
  const parsed = other.trim() === "" ? { address, problem: undefined } : parseAddress(other);
  const to = parsed.address;
  const isFit = bytes > 0 && bytes <= NAME_BYTES && to !== undefined;
  const sending = useSending({
    kinds: ["join"],
    costKey: `${tier.id} ${to} ${name.trim()}`,
    intent: isFit
      ? { kind: "join", amount: 0n, prepare: (context) => join(context, BigInt(tier.id), to, name.trim()) }
      : undefined,
  });
  return (
    <div className="panel">
      <h3>{words.title(tierName(tier.id, t))}</h3>
      <TextField
        label={words.name}
        text={name}
        onText={setName}
        problem={bytes > NAME_BYTES ? words.nameProblem : undefined}
      />
      <TextField
        label={words.rewards}
        text={other}
        onText={setOther}
        placeholder={address ?? "0x"}
        problem={parsed.problem === undefined ? undefined : t.field.address[parsed.problem]}
      />
      {isFit && (
        <Facts>
          <Fact name={t.stake.cost}>
            <CostValue cost={sending.cost} needs="nothing" />
          </Fact>
        </Facts>
      )}
      <Send
        sending={sending}
        label={words.button}
        kind="join"
        onSent={() => setName("")}
        done={() => <p>{words.done}</p>}
      />
    </div>
  );
}
