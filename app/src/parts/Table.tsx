/** A table that scrolls in its own place; on a narrow screen one of many columns becomes a list of names and values. */
import { useState } from "react";
import type { ReactElement, ReactNode } from "react";
import { useSpeech } from "../words/context.tsx";

export interface Column<T> {
  readonly name: string;
  readonly cell: (row: T) => ReactNode;
  /** Right-aligned. */
  readonly isNumber?: boolean;
  /** What it stands for, where the name needs a sentence on tap. */
  readonly head?: ReactNode;
  readonly className?: (row: T) => string;
}

export interface TableProps<T> {
  /** For screen readers; where a heading says it, its id. */
  readonly name: string | { readonly id: string };
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string | number;
  /** The first column names the row: the others become its list on a narrow screen. */
  readonly stacks?: boolean;
  /** Rows that are drawn at first; ten times as many with each press. */
  readonly most?: number;
}

export function Table<T>({ name, columns, rows, keyOf, stacks = false, most }: TableProps<T>): ReactElement {
  const { t, count } = useSpeech();
  const [shown, setShown] = useState(most ?? rows.length);
  const last = most === undefined ? rows.length : shown;
  return (
    <>
      <div
        className={most === undefined ? "scroll" : "scroll whole"}
        tabIndex={0}
        role="region"
        {...(typeof name === "string" ? { "aria-label": name } : { "aria-labelledby": name.id })}
      >
        <table className={stacks ? "stack" : ""}>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.name} scope="col" className={column.isNumber === true ? "number" : ""}>
                  {column.head ?? column.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, last).map((row) => (
              <tr key={keyOf(row)}>
                {columns.map((column, at) => (
                  <td
                    key={column.name}
                    className={`${column.isNumber === true ? "number" : ""} ${column.className?.(row) ?? ""}`.trim()}
                    {...(stacks && at > 0 ? { "data-label": column.name } : {})}
                  >
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {most !== undefined && rows.length > last && (
        <button type="button" className="link" onClick={() => setShown(shown + 10 * most)}>
          {t.common.more(count(rows.length - last))}
        </button>
      )}
    </>
  );
}
