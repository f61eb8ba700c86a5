/** The one button of a page: it connects, switches the network, or does what the page is for. */
import { useState } from "react";
import type { ReactElement } from "react";
import { useChain, useProtocol } from "../data/chain.ts";
import { ConnectDialog } from "../frame/ConnectDialog.tsx";
import { useWallet, useWalletStore } from "../wallet/useWallet.ts";
import { useSpeech } from "../words/context.tsx";

export interface ActionButtonProps {
  readonly label: string;
  readonly disabled: boolean;
  readonly onPress: () => void;
}

export function ActionButton({ label, disabled, onPress }: ActionButtonProps): ReactElement {
  const { t } = useSpeech();
  const { config, chainId } = useChain();
  const { data: protocol } = useProtocol();
  const { address, isWrongChain, problem } = useWallet();
  const store = useWalletStore();
  const [isConnecting, setConnecting] = useState(false);
  const [hasFailed, setFailed] = useState(false);
  if (address === undefined)
    return (
      <>
        {problem === "locked" && <p className="warn">{t.wallet.locked}</p>}
        <button type="button" className="primary wide" onClick={() => setConnecting(true)}>
          {t.wallet.title}
        </button>
        {isConnecting && <ConnectDialog onClose={() => setConnecting(false)} />}
      </>
    );
  if (isWrongChain) {
    const { network: name, rpc, explorer } = config;
    const turn = (): Promise<void> =>
      store.switchTo({ chainId, name, rpc, explorer }).then(
        () => setFailed(false),
        () => setFailed(true),
      );
    return (
      <>
        <p className="warn" role="alert">
          {hasFailed ? t.wallet.switchFailed(name) : t.wallet.wrongChain(name)}
        </p>
        <button type="button" className="primary wide" onClick={() => void turn()}>
          {t.wallet.switch(name)}
        </button>
      </>
    );
  }
  return (
    <button type="button" className="primary wide" disabled={disabled || protocol === undefined} onClick={onPress}>
      {label}
    </button>
  );
}
