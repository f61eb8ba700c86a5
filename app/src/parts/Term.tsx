import { useId } from "react";
import type { ReactElement } from "react";

export interface TermProps {
  readonly word: string;
  readonly meaning: string;
}

/** A word of the field with its sentence one tap away; a screen reader says the sentence with the word. */
export function Term({ word, meaning }: TermProps): ReactElement {
  const id = useId();
  return (
    <>
      <button type="button" className="term" popoverTarget={id} aria-describedby={id}>
        {word}
      </button>
      <span popover="auto" id={id} className="meaning">
        {meaning}
      </span>
    </>
  );
}
