import { useId } from "react";
import type { ReactElement, ReactNode } from "react";

export interface TextFieldProps {
  readonly label: string;
  readonly text: string;
  readonly onText: (text: string) => void;
  /** What is wrong with it: beside the field. */
  readonly problem: string | undefined;
  readonly placeholder?: string;
  /** Beside it, in its line. */
  readonly button?: ReactNode;
}

export function TextField({ label, text, onText, problem, placeholder, button }: TextFieldProps): ReactElement {
  const id = useId();
  return (
    <div>
      <label className="text-label" htmlFor={id}>
        {label}
      </label>
      <div className="text-entry">
        <input
          id={id}
          value={text}
          placeholder={placeholder}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => onText(event.target.value)}
          aria-invalid={problem !== undefined}
          aria-describedby={`${id}-note`}
        />
        {button}
      </div>
      <p
        id={`${id}-note`}
        className={problem === undefined ? "hidden" : "bad under"}
        role={problem === undefined ? undefined : "alert"}
      >
        {problem}
      </p>
    </div>
  );
}
