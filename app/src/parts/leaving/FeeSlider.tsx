import { useId } from "react";
import type { ReactElement } from "react";
import { useSpeech } from "../../words/context.tsx";
import { leavingWords } from "../../words/leaving.ts";
import type { FeeLimit } from "./useFeeLimit.ts";

export interface FeeSliderProps {
  readonly choice: FeeLimit;
  /** What the position means, in a sentence. */
  readonly said: string;
}

/** From now to free: the browser's own slider, with its keys. */
export function FeeSlider({ choice, said }: FeeSliderProps): ReactElement {
  const { t } = useSpeech(leavingWords);
  const id = useId();
  const { position, last, isFixed, choose } = choice;
  return (
    <div className="slider">
      <label htmlFor={id}>{t.leaving.when}</label>
      <input
        id={id}
        type="range"
        min={0}
        max={isFixed ? 1 : last}
        step={1}
        value={isFixed ? 1 : position}
        disabled={isFixed}
        aria-valuetext={said}
        onChange={(event) => choose(Number(event.target.value))}
      />
      <div className="slider-ends" aria-hidden="true">
        <span>{t.leaving.now}</span>
        <span>{t.leaving.free}</span>
      </div>
    </div>
  );
}
