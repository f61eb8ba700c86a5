import { useId } from "react";
import type { ReactElement } from "react";

export interface ChoiceProps<T extends string> {
  readonly name: string;
  readonly value: T;
  readonly options: readonly T[];
  readonly labels?: Readonly<Record<T, string>>;
  readonly onChange: (value: T) => void;
  /** A heading above says its name already. */
  readonly isNamed?: boolean;
}

/** One of a few, side by side: radio buttons, with their keys. */
export function Choice<T extends string>(props: ChoiceProps<T>): ReactElement {
  const { name, value, options, labels, onChange, isNamed = false } = props;
  const id = useId();
  return (
    <fieldset className="choice">
      <legend className={isNamed ? "hidden" : ""}>{name}</legend>
      <div>
        {options.map((option) => (
          <label key={option}>
            <input type="radio" name={id} checked={option === value} onChange={() => onChange(option)} />
            <span>{labels?.[option] ?? option}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
