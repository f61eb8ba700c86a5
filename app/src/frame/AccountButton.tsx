import { useCallback, useState } from "react";
import type { ReactElement } from "react";
import { useChain } from "../data/chain.ts";
import { useNow } from "../data/now.ts";
import { useAccountKind } from "../data/queries.ts";
import { shortAddress } from "../lib/address.ts";
import { Address } from "../parts/Address.tsx";
import { Amount } from "../parts/Amount.tsx";
import { Dialog } from "../parts/Dialog.tsx";
import { Identicon } from "../parts/Identicon.tsx";
import { useTransactions } from "../tx/useTransactions.ts";
import type { TxKind } from "../tx/store.ts";
import { useWallet, useWalletStore } from "../wallet/useWallet.ts";
import { useSpeech } from "../words/context.tsx";
import { ConnectDialog } from "./ConnectDialog.tsx";

const UNITS: Readonly<Record<TxKind, string>> = {
  stake: "ETH",
  stakeAndWrap: "ETH",
  leave: "ETH",
  request: "estETH",
  requestWrapped: "westETH",
  claim: "ETH",
  approve: "estETH",
  wrap: "estETH",
  unwrap: "westETH",
  join: "ETH",
  addBond: "ETH",
  withdrawBond: "estETH",
  withdrawBondWrapped: "estETH",
  claimRewards: "estETH",
  claimRewardsWrapped: "estETH",
  compoundRewards: "estETH",
  predeposit: "ETH",
  provide: "ETH",
  enter: "LP",
  exit: "LP",
  exitToEther: "LP",
};

export function AccountButton(): ReactElement {
  const { t } = useSpeech();
  const { address } = useWallet();
  const [open, setOpen] = useState<"connect" | "account">();
  const close = useCallback(() => setOpen(undefined), []);
  const pending = useTransactions(address).filter(({ state }) => state === "pending").length;
  return (
    <>
      {address === undefined ? (
        <button type="button" className="secondary" onClick={() => setOpen("connect")}>
          {t.common.connect}
        </button>
      ) : (
        <button
          type="button"
          className="account"
          onClick={() => setOpen("account")}
          aria-label={`${t.wallet.account} ${shortAddress(address)}`}
        >
          {pending > 0 ? <span className="pending" aria-hidden="true" /> : <Identicon address={address} />}
          <span className="address">{shortAddress(address)}</span>
        </button>
      )}
      {open === "connect" && <ConnectDialog onClose={close} />}
      {open === "account" && address !== undefined && <AccountDialog address={address} onClose={close} />}
    </>
  );
}

function AccountDialog({ address, onClose }: { readonly address: string; readonly onClose: () => void }): ReactElement {
  const { t, when } = useSpeech();
  const { config } = useChain();
  const { active } = useWallet();
  const store = useWalletStore();
  const records = useTransactions(address);
  const kind = useAccountKind(address);
  useNow();
  return (
    <Dialog title={t.wallet.account} onClose={onClose}>
      <p className="account-line">
        <Identicon address={address} />
        <Address address={address} />
      </p>
      <p className="quiet">
        {active?.name} · {t.wallet.network(config.network)}
      </p>
      {kind.data === "contract" && <p className="quiet">{t.wallet.contract}</p>}
      <h3>{t.wallet.recent}</h3>
      {records.length === 0 ? (
        <p className="quiet">{t.wallet.nothingSent}</p>
      ) : (
        <ul className="records">
          {records.slice(0, 6).map((record) => (
            <li key={record.hash}>
              <span>
                {t.tx.kinds[record.kind]}{" "}
                {record.amount !== "0" && <Amount wei={BigInt(record.amount)} unit={UNITS[record.kind]} />}
              </span>
              <span className="quiet">
                {t.tx.states[record.state]} · {when(record.sentAt / 1_000, Date.now() / 1_000)}
              </span>
            </li>
          ))}
        </ul>
      )}
      <button
        type="button"
        className="secondary wide"
        onClick={() => {
          store.disconnect();
          onClose();
        }}
      >
        {t.wallet.disconnect}
      </button>
    </Dialog>
  );
}
