import { useEffect } from "react";
import type { ReactElement } from "react";
import { Dialog } from "../parts/Dialog.tsx";
import { useWallet, useWalletStore } from "../wallet/useWallet.ts";
import { useSpeech } from "../words/context.tsx";

export function ConnectDialog({ onClose }: { readonly onClose: () => void }): ReactElement {
  const { t } = useSpeech();
  const store = useWalletStore();
  const { wallets, isConnecting, problem, address } = useWallet();
  useEffect(() => {
    if (address !== undefined) onClose();
  }, [address, onClose]);
  useEffect(() => () => store.forgive(), [store]);
  return (
    <Dialog title={t.wallet.title} onClose={onClose}>
      {wallets.length === 0 ? (
        <>
          <p>{t.wallet.nothing}</p>
          <p className="quiet">{t.wallet.nothingHow}</p>
        </>
      ) : (
        <>
          <p className="quiet">{t.wallet.choose}</p>
          <ul className="wallets">
            {wallets.map((wallet) => (
              <li key={wallet.id}>
                <button
                  type="button"
                  className="secondary wide"
                  disabled={isConnecting}
                  onClick={() => void store.connect(wallet)}
                >
                  {wallet.icon !== undefined && <img src={wallet.icon} alt="" width="24" height="24" />}
                  {wallet.name}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
      {isConnecting && <p role="status">{t.wallet.connecting}</p>}
      {problem !== undefined && (
        <p role="alert" className="bad">
          {t.wallet[problem]}
        </p>
      )}
    </Dialog>
  );
}
