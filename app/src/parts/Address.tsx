import { useState } from "react";
import type { ReactElement } from "react";
import { useChain } from "../data/chain.ts";
import { shortAddress } from "../lib/address.ts";
import { useSpeech } from "../words/context.tsx";

/** An address: short, whole on demand, and copied by its button. */
export function Address({
  address,
  long = false,
}: {
  readonly address: string;
  readonly long?: boolean;
}): ReactElement {
  const { config } = useChain();
  const text = <code className={long ? "address long" : "address"}>{long ? address : shortAddress(address)}</code>;
  return (
    <span className="with-copy">
      {config.explorer === undefined ? (
        <span title={address}>{text}</span>
      ) : (
        <a href={`${config.explorer}/address/${address}`} target="_blank" rel="noreferrer noopener" title={address}>
          {text}
        </a>
      )}
      <CopyButton text={address} />
    </span>
  );
}

/** @param name where the text beside it does not say what is copied */
export function CopyButton({ text, name }: { readonly text: string; readonly name?: string }): ReactElement {
  const { t } = useSpeech();
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => undefined,
    );
    setTimeout(() => setCopied(false), 1_500);
  };
  return (
    <button
      type="button"
      className="icon small"
      aria-label={isCopied ? t.common.copied : (name ?? t.common.copy)}
      onClick={() => void copy()}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        {isCopied ? <path d="M3 8.5l3.5 3.5L13 4.5" /> : <path d="M6 6h7v7H6zM10 6V3H3v7h3" />}
      </svg>
    </button>
  );
}
