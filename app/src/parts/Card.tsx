import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactElement, ReactNode } from "react";
import { useSpeech } from "../words/context.tsx";

export interface CardProps {
  readonly title?: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
}

export function Card({ title, aside, children, className = "" }: CardProps): ReactElement {
  return (
    <section className={`card ${className}`}>
      {title !== undefined && (
        <div className="card-head">
          <h2>{title}</h2>
          {aside}
        </div>
      )}
      {children}
    </section>
  );
}

/** The shape of what comes. */
export function Lines({ count = 3 }: { readonly count?: number }): ReactElement {
  const { t } = useSpeech();
  return (
    <div className="lines" role="status" aria-label={t.common.loading}>
      {Array.from({ length: count }, (_, index) => (
        <span key={index} className="line" />
      ))}
    </div>
  );
}

export interface LoadedProps<T> {
  readonly query: UseQueryResult<T>;
  readonly lines?: number;
  readonly children: (data: T) => ReactNode;
}

/** One part of a page: what it waits for, or that it failed, without the page failing. What was read before stays. */
export function Loaded<T>({ query, lines = 3, children }: LoadedProps<T>): ReactElement {
  const { t } = useSpeech();
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (!query.isError) return <Lines count={lines} />;
  return (
    <div className="failed" role="alert">
      <p>{t.state.cardFailed}</p>
      <button type="button" className="link" onClick={() => void query.refetch()}>
        {t.common.retry}
      </button>
    </div>
  );
}

/** Names and values, a line each. */
export function Facts({ children }: { readonly children: ReactNode }): ReactElement {
  return <dl className="facts">{children}</dl>;
}

export function Fact({ name, children }: { readonly name: ReactNode; readonly children: ReactNode }): ReactElement {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A figure that a page opens with. */
export function Figure({ name, children }: { readonly name: ReactNode; readonly children: ReactNode }): ReactElement {
  return (
    <div className="figure">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
