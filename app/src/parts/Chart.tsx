/** Bars around zero, or a line: few marks, labelled, every point reachable by keyboard, with a table on demand. */
import { useId, useState } from "react";
import type { KeyboardEvent, ReactElement } from "react";
import { useSpeech } from "../words/context.tsx";
import { Table } from "./Table.tsx";

export interface Point {
  /** Unix seconds. */
  readonly time: number;
  /** Exact; only its place on the paper is a float. */
  readonly value: bigint;
}

export interface ChartProps {
  readonly kind: "bars" | "line";
  readonly title: string;
  readonly points: readonly Point[];
  readonly show: (value: bigint) => string;
  readonly valueName: string;
}

const WIDTH = 720;
const HEIGHT = 220;
/** Points that a press of a page's key passes. */
const PAGE = 10;
const PAD = { left: 4, right: 4, top: 12, bottom: 26 };

export function Chart({ kind, title, points, show, valueName }: ChartProps): ReactElement {
  const { t, day, date } = useSpeech();
  const [at, setAt] = useState<number>();
  const [isTable, setTable] = useState(false);
  const id = useId();
  const chosen = at === undefined ? points.at(-1) : points[Math.min(at, points.length - 1)];
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || chosen === undefined) return <></>;
  const { low, high, y } = scale(points, kind);
  const step = (WIDTH - PAD.left - PAD.right) / points.length;
  const x = (index: number): number => PAD.left + (index + 0.5) * step;
  const move = (event: KeyboardEvent): void => {
    const now = at ?? points.length - 1;
    const next = {
      ...{ ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1 },
      ...{ PageDown: now - PAGE, PageUp: now + PAGE, Home: 0, End: points.length - 1 },
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    setAt(Math.max(0, Math.min(points.length - 1, next)));
  };
  const path = points
    .map(({ value }, index) => `${index === 0 ? "M" : "L"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`)
    .join("");
  const marked = at === undefined ? points.length - 1 : Math.min(at, points.length - 1);
  return (
    <figure className={`chart of-${kind}`}>
      <figcaption id={id}>
        <span className="quiet">{title}</span>
        <button type="button" className="link" onClick={() => setTable(!isTable)}>
          {isTable ? t.common.asChart : t.common.asTable}
        </button>
      </figcaption>
      {isTable ? (
        <Table
          name={{ id }}
          rows={[...points].reverse()}
          keyOf={({ time }) => time}
          columns={[
            { name: t.common.date, cell: ({ time }) => date(time) },
            { name: valueName, isNumber: true, cell: ({ value }) => show(value) },
          ]}
        />
      ) : (
        <>
          <p className="reading" aria-live={at === undefined ? "off" : "polite"}>
            <strong className={chosen.value < 0n ? "bad" : ""}>{show(chosen.value)}</strong>{" "}
            <span className="quiet">{date(chosen.time)}</span>
          </p>
          <div
            className="plot"
            tabIndex={0}
            role="slider"
            aria-labelledby={id}
            aria-valuemin={0}
            aria-valuemax={points.length - 1}
            aria-valuenow={marked}
            aria-valuetext={`${date(chosen.time)}: ${show(chosen.value)}`}
            onKeyDown={move}
            onBlur={() => setAt(undefined)}
            onPointerLeave={() => setAt(undefined)}
            onPointerMove={(event) => {
              const box = event.currentTarget.getBoundingClientRect();
              const place = ((event.clientX - box.left) / box.width) * WIDTH;
              setAt(Math.max(0, Math.min(points.length - 1, Math.floor((place - PAD.left) / step))));
            }}
          >
            <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
              <line className="rule" x1={0} x2={WIDTH} y1={y(high)} y2={y(high)} />
              <line className="rule" x1={0} x2={WIDTH} y1={y(low)} y2={y(low)} />
              {kind === "bars" && <line className="zero" x1={0} x2={WIDTH} y1={y(0n)} y2={y(0n)} />}
              {kind === "bars" ? (
                points.map(({ value }, index) => (
                  <rect
                    key={index}
                    className={`${value < 0n ? "fall" : "gain"}${index === marked ? " marked" : ""}`}
                    x={x(index) - Math.max(0.5, Math.min(14, step * 0.36))}
                    width={Math.max(1, Math.min(28, step * 0.72))}
                    y={Math.min(y(value), y(0n))}
                    height={Math.max(value === 0n ? 0 : 1, Math.abs(y(value) - y(0n)))}
                  />
                ))
              ) : (
                <>
                  <path className="curve" d={path} />
                  <line className="cursor" x1={x(marked)} x2={x(marked)} y1={PAD.top} y2={HEIGHT - PAD.bottom} />
                </>
              )}
            </svg>
            <span className="tick high">{show(high)}</span>
            {low !== high && <span className="tick low">{show(low)}</span>}
            <span className="tick from">{day(first.time)}</span>
            <span className="tick to">{day(last.time)}</span>
          </div>
        </>
      )}
    </figure>
  );
}

/** Bars stand on zero; a line fills the height between its ends. */
function scale(
  points: readonly Point[],
  kind: "bars" | "line",
): { low: bigint; high: bigint; y: (value: bigint) => number } {
  const values = points.map(({ value }) => value);
  const start = kind === "bars" ? 0n : (values[0] ?? 0n);
  const low = values.reduce((least, value) => (value < least ? value : least), start);
  const high = values.reduce((most, value) => (value > most ? value : most), start);
  const range = high - low;
  const height = HEIGHT - PAD.top - PAD.bottom;
  const PARTS = 10_000n;
  return {
    low,
    high,
    y: (value) => {
      const part = range === 0n ? 0.5 : Number(((value - low) * PARTS) / range) / Number(PARTS);
      return PAD.top + height * (1 - part);
    },
  };
}
