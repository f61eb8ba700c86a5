import { useId, useLayoutEffect, useRef } from "react";
import type { ReactElement, ReactNode } from "react";
import { useSpeech } from "../words/context.tsx";

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** The browser's own dialog: it keeps the focus, closes by Escape, and gives the focus back to what opened it. */
export function Dialog({ title, onClose, children }: DialogProps): ReactElement {
  const { t } = useSpeech();
  const id = useId();
  const element = useRef<HTMLDialogElement>(null);
  // closed while it is still in the page: the browser gives the focus back then only
  useLayoutEffect(() => {
    const dialog = element.current;
    if (dialog?.open === false) dialog.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={element}
      aria-labelledby={id}
      // Escape: the browser's own closing is heard of only in the next frame, in which somebody may have opened it again
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === element.current) onClose();
      }}
    >
      <div className="dialog">
        <div className="card-head">
          <h2 id={id}>{title}</h2>
          <button type="button" className="icon" aria-label={t.common.close} onClick={onClose}>
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <path d="M3 3l10 10M13 3L3 13" />
            </svg>
          </button>
        </div>
        {children}
      </div>
    </dialog>
  );
}
