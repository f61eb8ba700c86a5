import { Component } from "react";
import type { ReactElement, ReactNode } from "react";
import { useSpeech } from "../words/context.tsx";

interface Props {
  readonly children: ReactNode;
}

/** A defect in one page leaves the frame, and a way on. */
export class Boundary extends Component<Props, { readonly error: unknown }> {
  override state: { readonly error: unknown } = { error: undefined };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    return this.state.error === undefined ? this.props.children : <Broken error={this.state.error} />;
  }
}

function Broken({ error }: { readonly error: unknown }): ReactElement {
  const { t } = useSpeech();
  return (
    <div className="card broken" role="alert">
      <p>{t.state.broken}</p>
      <p className="quiet">
        <code>{error instanceof Error ? error.message : String(error)}</code>
      </p>
      <button type="button" className="primary" onClick={() => location.reload()}>
        {t.state.reload}
      </button>
    </div>
  );
}
