import { keccak256 } from "ethers";
import type { ReactElement } from "react";

const SIZE = 5;
const HUES = 12;

/** A pattern of the address, mirrored: drawn here, asked of nobody. */
export function Identicon({ address }: { readonly address: string }): ReactElement {
  const digest = BigInt(keccak256(address));
  const half = Math.ceil(SIZE / 2);
  const cells: [number, number][] = [];
  for (let y = 0; y < SIZE; y++)
    for (let x = 0; x < half; x++)
      if (((digest >> BigInt(y * half + x)) & 1n) === 1n) {
        cells.push([x, y]);
        if (x !== SIZE - 1 - x) cells.push([SIZE - 1 - x, y]);
      }
  const hue = Number((digest >> 64n) % BigInt(HUES));
  return (
    <svg className={`identicon hue-${hue}`} viewBox={`0 0 ${SIZE} ${SIZE}`} aria-hidden="true">
      {cells.map(([x, y]) => (
        <rect key={`${x},${y}`} x={x} y={y} width="1.02" height="1.02" />
      ))}
    </svg>
  );
}
