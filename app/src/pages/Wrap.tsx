import { useState } from "react";
import type { ReactElement } from "react";
import { approvalFor, unwrap, wrap, wrapWithPermit } from "../../../offchain/chain/index.ts";
import type { ProtocolStatus } from "../../../offchain/chain/index.ts";
import { toEtherDisplayed, unitsToShares } from "../../../offchain/protocol/shares.ts";
import { ETHER, units, wei } from "../../../offchain/protocol/units.ts";
import { fromWrappedDown, toWrappedDown } from "../../../offchain/protocol/wrapped.ts";
import { useNow } from "../data/now.ts";
import { useAccount, useStatus } from "../data/queries.ts";
import { Amount } from "../parts/Amount.tsx";
import { AmountForm, useAmountForm } from "../parts/AmountForm.tsx";
import { Card, Fact, Facts, Loaded } from "../parts/Card.tsx";
import { Choice } from "../parts/Choice.tsx";
import { Holdings } from "../parts/Holdings.tsx";
import { PermissionFact, usePermission } from "../parts/Permission.tsx";
import type { Intent } from "../tx/useAction.ts";
import { useWallet } from "../wallet/useWallet.ts";
import { useSpeech } from "../words/context.tsx";
import { wrapWords } from "../words/wrap.ts";

type Direction = "wrap" | "unwrap";

/** A permit that is not used by then is worth nothing. */
const PERMIT_SECONDS = 1_800n;

export function Wrap(): ReactElement {
  const { t, amount } = useSpeech(wrapWords);
  const { address } = useWallet();
  const now = useNow();
  const [direction, setDirection] = useState<Direction>("wrap");
  const status = useStatus();
  const account = useAccount(address);

  const isWrapping = direction === "wrap";
  const [from, to] = isWrapping ? ["estETH", "westETH"] : ["westETH", "estETH"];
  const balance = isWrapping ? account.data?.staked : account.data?.wrapped;
  const permission = usePermission(address, account.data?.wrapAllowance);
  const { isEnough, isByApproval } = permission;

  const got = (of: bigint, { totals }: ProtocolStatus): bigint =>
    isWrapping ? toWrappedDown(wei(of), totals) : toEtherDisplayed(unitsToShares(units(of)), totals);
  const intent = (of: bigint): Intent => {
    if (!isWrapping) return { kind: "unwrap", amount: of, prepare: (context) => unwrap(context, wei(of)) };
    if (isByApproval(of) && !isEnough(of))
      return {
        kind: "approve",
        amount: of,
        isStep: true,
        prepare: (context) => approvalFor(context, "estETH", context.protocol.wrapped, wei(of)),
      };
    if (isByApproval(of)) return { kind: "wrap", amount: of, prepare: (context) => wrap(context, wei(of)) };
    const deadline = BigInt(Math.floor(now.time)) + PERMIT_SECONDS;
    return {
      kind: "wrap",
      amount: of,
      signsFirst: true,
      prepare: (context) => wrapWithPermit(context, wei(of), deadline),
    };
  };
  const form = useAmountForm({ kinds: ["wrap", "unwrap", "approve"], unit: from, balance, intent });
  const { chosen } = form;
  const needsApproval = isWrapping && permission.needsApproval(chosen);
  const signsPermit = isWrapping && (chosen === undefined || !isByApproval(chosen));
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
            form.setText("");
          }}
        />
        <AmountForm
          form={form}
          label={label()}
          isBusy={form.action.record?.state === "pending"}
          kind={needsApproval ? "approve" : direction}
          signsPermit={signsPermit}
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
        >
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
                {isWrapping && <PermissionFact permission={permission} amount={chosen} words={t.wrap} />}
              </Facts>
            )}
          </Loaded>
        </AmountForm>
      </Card>
      {address !== undefined && <Holdings address={address} />}
    </div>
  );
}
