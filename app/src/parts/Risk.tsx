import { useState } from "react";
import type { ReactElement } from "react";
import { useSpeech } from "../words/context.tsx";

const AGREED = "estuary.risk";

/** Before the first stake from this browser. */
export function useRisk(address: string | undefined): { readonly isNeeded: boolean; readonly agree: () => void } {
  const [isAgreed, setAgreed] = useState(() => {
    try {
      return localStorage.getItem(AGREED) !== null;
    } catch {
      return false;
    }
  });
  return {
    isNeeded: !isAgreed && address !== undefined,
    agree: () => {
      setAgreed(true);
      try {
        localStorage.setItem(AGREED, "1");
      } catch {
        // asked again next time
      }
    },
  };
}

export function Risk(): ReactElement {
  const { t } = useSpeech();
  return (
    <p className="notice" id="risk">
      {t.stake.risk}
    </p>
  );
}
