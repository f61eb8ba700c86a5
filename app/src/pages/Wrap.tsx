import { useState } from "react";
import type { ReactElement } from "react";
import { approvalFor, unwrap, wrap, wrapWithPermit } from "../../../offchain/chain/index.ts";
import type { Context, Prepared, ProtocolStatus } from "../../../offchain/chain/index.ts";
import { toEtherDisplayed, unitsToShares } from "../../../offchain/protocol/shares.ts";
import { ETHER, units, wei } from "../../../offchain/protocol/units.ts";
import { fromWrappedDown, toWrappedDown } from "../../../offchain/protocol/wrapped.ts";
import { useCost } from "../data/cost.ts";
import { useNow } from "../data/now.ts";
import { useAccount, useAccountKind, useStatus } from "../data/queries.ts";
import { ActionButton } from "../parts/ActionButton.tsx";
import { Amount } from "../parts/Amount.tsx";
import { AmountField, readAmount } from "../parts/AmountField.tsx";
import { Card, Fact, Facts, Loaded } from "../parts/Card.tsx";
import { Choice } from "../parts/Choice.tsx";
import { Holdings } from "../parts/Holdings.tsx";
import { Progress, reasonIn } from "../parts/Progress.tsx";
import { failureOf, useAction } from "../tx/useAction.ts";
import type { Intent } from "../tx/useAction.ts";
import { useWallet } from "../wallet/useWallet.ts";
import { useSpeech } from "../words/context.tsx";
import { wrapWords } from "../words/wrap.ts";

type Direction = "wrap" | "unwrap";

/** A permit that is not used by then is worth nothing. */
const PERMIT_SECONDS = 1_800n;

export function Wrap(): ReactElement {
  const speech = useSpeech(wrapWords);
  const { t, amount } = speech;
  const { address, isWrongChain } = useWallet();
  const now = useNow();
  const [text, setText] = useState("");
  const [direction, setDirection] = useState<Direction>("wrap");
  const [prefersApproval, setPrefersApproval] = useState(false);
  const status = useStatus();
  const account = useAccount(address);
  const kind = useAccountKind(address);
  const action = useAction(["wrap", "unwrap", "approve"]);

  const isWrapping = direction === "wrap";
  const [from, to] = isWrapping ? ["estETH", "westETH"] : ["westETH", "estETH"];
  const balance = isWrapping ? account.data?.staked : account.data?.wrapped;
  const { wei: chosen, problem } = readAmount(text, speech, balance, from);
  const isApproved = chosen !== undefined && account.data !== undefined && account.data.wrapAllowance >= chosen;
  // contracts can't sign; whoever approved already need not
  const byApproval = kind.data === "contract" || prefersApproval || isApproved;
  const needsApproval = isWrapping && byApproval && chosen !== undefined && !isApproved;

  const got = (of: bigint, { totals }: ProtocolStatus): bigint =>
    isWrapping ? toWrappedDown(wei(of), totals) : toEtherDisplayed(unitsToShares(units(of)), totals);
  const estimate =
    (of: bigint) =>
    (context: Context): Promise<Prepared<unknown, unknown>> =>
      isWrapping ? wrap(context, wei(of)) : unwrap(context, wei(of));
  // a wrapping without its allowance can't be estimated
  const cost = useCost(
    [direction, String(chosen)],
    chosen === undefined || (isWrapping && !isApproved) || action.step !== "idle" ? undefined : estimate(chosen),
  );
  const refusal = cost.error === null || chosen === undefined ? undefined : reasonIn(failureOf(cost.error), t);

  const intent = (of: bigint): Intent => {
    if (!isWrapping) return { kind: "unwrap", amount: of, prepare: (context) => unwrap(context, wei(of)) };
    if (needsApproval)
      return {
        kind: "approve",
        amount: of,
        prepare: (context) => approvalFor(context, "estETH", context.protocol.wrapped, wei(of)),
      };
    if (byApproval) return { kind: "wrap", amount: of, prepare: (context) => wrap(context, wei(of)) };
    const deadline = BigInt(Math.floor(now.time)) + PERMIT_SECONDS;
    return {
      kind: "wrap",
      amount: of,
      signsFirst: true,
      prepare: (context) => wrapWithPermit(context, wei(of), deadline),
    };
  };
  const press = async (): Promise<void> => {
    if (chosen === undefined) return;
    if ((await action.run(intent(chosen))) && !needsApproval) setText("");
  };
  const isBusy = action.step !== "idle" || action.record?.state === "pending";
  const label = (): string => {
    if (chosen === undefined) return isWrapping ? t.wrap.toWrapped : t.wrap.toPlain;
    const what = amount(chosen, from);
    if (!isWrapping) return t.wrap.buttonBack(what);
    return needsApproval ? t.wrap.approve(what) : t.wrap.button(what);
  };
  return (
    <div className="page narrow">
      <h1>{t.wrap.title}</h1>
      <p className="quiet">{t.wrap.intro}</p>
      <Card>
        <Choice
          name={t.wrap.direction}
          value={direction}
          options={["wrap", "unwrap"]}
          labels={{ wrap: t.wrap.toWrapped, unwrap: t.wrap.toPlain }}
          onChange={(next) => {
            setDirection(next);
            setText("");
          }}
        />
        <AmountField text={text} onText={setText} unit={from} balance={balance} problem={problem} />
        <Loaded query={status} lines={3}>
          {(data) => (
            <Facts>
              <Fact name={t.wrap.youGet}>
                <strong>
                  <Amount wei={got(chosen ?? 0n, data)} unit={to} />
                </strong>
              </Fact>
              <Fact name={t.wrap.rate}>
                <Amount wei={fromWrappedDown(units(ETHER), data.totals)} unit="estETH" />
              </Fact>
              {isWrapping && (
                <Fact name={t.wrap.how}>
                  {byApproval ? (isApproved ? t.wrap.approvedAlready : t.wrap.byApproval) : t.wrap.bySignature}
                  {kind.data !== "contract" && !isApproved && (
                    <button
                      type="button"
                      className="link block right"
                      onClick={() => setPrefersApproval(!prefersApproval)}
                    >
                      {prefersApproval ? t.wrap.usePermit : t.wrap.useApproval}
                    </button>
                  )}
                </Fact>
              )}
            </Facts>
          )}
        </Loaded>
        {refusal !== undefined && !isWrongChain && (
          <p className="notice warn">{t.tx.because(t.stake.cannot, refusal)}</p>
        )}
        <ActionButton
          label={label()}
          disabled={chosen === undefined || refusal !== undefined || isBusy}
          onPress={() => void press()}
        />
        <Progress
          action={action}
          kind={needsApproval ? "approve" : direction}
          signsPermit={isWrapping && !byApproval}
          done={(record) => {
            const outcome = BigInt(record.outcome ?? 0);
            if (record.kind === "approve") return <p>{t.wrap.approved(amount(BigInt(record.amount), "estETH"))}</p>;
            return (
              <p>
                {record.kind === "wrap"
                  ? t.wrap.doneWrap(amount(outcome, "westETH"))
                  : t.wrap.doneUnwrap(amount(outcome, "estETH"))}
              </p>
            );
          }}
        />
      </Card>
      {address !== undefined && <Holdings address={address} />}
    </div>
  );
}
