/** Somebody's withdrawal requests: what each pays, where it stands, and the claim of one or many. */
import { useState } from "react";
import type { ReactElement } from "react";
import { MOST_CLAIMS, claim } from "../../../offchain/chain/index.ts";
import type { OwnerRequests, WithdrawalRequest } from "../../../offchain/chain/index.ts";
import { useNow } from "../data/now.ts";
import { useStatus, useWithdrawals } from "../data/queries.ts";
import { Amount } from "../parts/Amount.tsx";
import { Card, Loaded } from "../parts/Card.tsx";
import { Progress } from "../parts/Progress.tsx";
import { Term } from "../parts/Term.tsx";
import { useAction } from "../tx/useAction.ts";
import { useWallet } from "../wallet/useWallet.ts";
import { useSpeech } from "../words/context.tsx";
import { withdrawWords } from "../words/withdraw.ts";

/** Rows that are drawn at once: owners may have thousands. */
const PAGE = 20;

export function Requests({ address }: { readonly address: string | undefined }): ReactElement {
  const { t } = useSpeech(withdrawWords);
  const query = useWithdrawals(address);
  return (
    <Card title={t.withdraw.list}>
      {address === undefined ? (
        <p className="quiet">{t.withdraw.listConnect}</p>
      ) : (
        <Loaded query={query}>{(data) => <List data={data} />}</Loaded>
      )}
    </Card>
  );
}

function List({ data }: { readonly data: OwnerRequests }): ReactElement {
  const { t, amount, count } = useSpeech(withdrawWords);
  const { isWrongChain } = useWallet();
  const action = useAction(["claim"]);
  const [unwanted, setUnwanted] = useState<ReadonlySet<bigint>>(new Set());
  const [shown, setShown] = useState(PAGE);
  const [isOldShown, setOldShown] = useState(false);
  const isOld = ({ state }: WithdrawalRequest): boolean => state === "claimed" || state === "transferred";
  const open = data.requests.filter((request) => !isOld(request));
  const old = data.requests.filter(isOld).reverse();
  const ready = open.filter(({ state }) => state === "claimable");
  const wanted = ready.filter(({ id }) => !unwanted.has(id)).slice(0, MOST_CLAIMS);
  const sum = wanted.reduce((total, { claimable }) => total + claimable, 0n);
  const isIdle = action.step === "idle" && action.record?.state !== "pending" && !isWrongChain;
  const claimThese = (list: readonly WithdrawalRequest[]): void => {
    const ids = list.map(({ id }) => id);
    const total = list.reduce((part, { claimable }) => part + claimable, 0n);
    void action.run({ kind: "claim", amount: total, prepare: (context) => claim(context, ids) });
  };
  const toggle = (id: bigint): void => {
    const next = new Set(unwanted);
    if (!next.delete(id)) next.add(id);
    setUnwanted(next);
  };
  // what can be claimed first, then in the order of the line
  const rows = [...ready, ...open.filter(({ state }) => state === "waiting"), ...(isOldShown ? old : [])];
  return (
    <>
      {rows.length === 0 ? (
        <p className="quiet">{t.withdraw.listEmpty}</p>
      ) : (
        <ul className="requests">
          {rows.slice(0, shown).map((request) => (
            <Row
              key={String(request.id)}
              request={request}
              isWanted={!unwanted.has(request.id)}
              onToggle={ready.length > 1 && request.state === "claimable" ? () => toggle(request.id) : undefined}
              hasBoxes={ready.length > 1}
              onClaim={request.state === "claimable" && isIdle ? () => claimThese([request]) : undefined}
            />
          ))}
        </ul>
      )}
      {rows.length + data.unread > shown && (
        <button type="button" className="link" onClick={() => setShown(shown + 5 * PAGE)}>
          {t.common.more(count(rows.length + data.unread - shown))}
        </button>
      )}
      {ready.length > 1 && (
        <>
          <button
            type="button"
            className="secondary wide"
            disabled={!isIdle || wanted.length === 0}
            onClick={() => claimThese(wanted)}
          >
            {t.withdraw.claimAll(wanted.length, amount(sum, "ETH"))}
          </button>
          {ready.length > MOST_CLAIMS && <p className="quiet under">{t.withdraw.mostClaims(MOST_CLAIMS)}</p>}
        </>
      )}
      <Progress
        action={action}
        kind="claim"
        done={(record) => <p>{t.withdraw.claimed(amount(BigInt(record.outcome ?? 0), "ETH"))}</p>}
      />
      {old.length > 0 && (
        <button type="button" className="link" onClick={() => setOldShown(!isOldShown)}>
          {isOldShown ? t.withdraw.hideOld : t.withdraw.showOld(count(old.length))}
        </button>
      )}
    </>
  );
}

interface RowProps {
  readonly request: WithdrawalRequest;
  readonly isWanted: boolean;
  readonly hasBoxes: boolean;
  readonly onToggle: (() => void) | undefined;
  readonly onClaim: (() => void) | undefined;
}

function Row({ request, isWanted, hasBoxes, onToggle, onClaim }: RowProps): ReactElement {
  const { t, when, count } = useSpeech(withdrawWords);
  const now = useNow();
  const { id, state, wait } = request;
  // requests are paid in the order of their numbers
  const finalized = useStatus().data?.queue.lastFinalizedId ?? id - 1n;
  const isLess = state === "claimable" && request.claimable < request.amount;
  return (
    <li>
      {onToggle === undefined ? (
        <span className={hasBoxes ? "no-box" : ""} />
      ) : (
        <input type="checkbox" checked={isWanted} onChange={onToggle} aria-label={t.withdraw.select(`#${id}`)} />
      )}
      <span className="what">
        <span className="quiet">#{String(id)}</span>
        <strong>
          <Amount wei={state === "claimable" ? request.claimable : request.amount} unit="ETH" />
        </strong>
        <span className={state === "claimable" ? "tag good" : "tag"}>{t.withdraw.states[state]}</span>
      </span>
      {onClaim === undefined ? (
        <span />
      ) : (
        <button type="button" className="secondary small-button" onClick={onClaim}>
          {t.withdraw.claimOne}
        </button>
      )}
      {wait !== undefined && (
        <span className="note">
          {t.withdraw.expected(count(id - finalized), when(Number(wait.expected), now.time))}{" "}
          {t.leaving.reason[wait.reason]}
        </span>
      )}
      {isLess && (
        <span className="note">
          <Term word={t.withdraw.lowerWord} meaning={t.terms.slashing} /> <Amount wei={request.amount} unit="ETH" />
        </span>
      )}
    </li>
  );
}
