/** The fee curve by its definition: the potential in integers, its inverse by bisection. A second source for what tests expect of the pool. */

const BP = 10_000n;
const UNIT = 10n ** 9n;

export interface Curve {
  readonly target: bigint;
  readonly minFeeBp: bigint;
  readonly maxFeeBp: bigint;
}

export interface Totals {
  readonly totalEther: bigint;
  readonly totalShares: bigint;
}

function psi({ target: t, minFeeBp: min, maxFeeBp: max }: Curve, r: bigint): bigint {
  if (r <= t) return 2n * t * (BP + max) * r - (max - min) * r * r;
  return (2n * BP + max + min) * t * t + 2n * t * (BP + min) * (r - t);
}

/** What a seller of `worth` gets of `reserve`. */
export function soldFor(curve: Curve, reserve: bigint, worth: bigint): bigint {
  const goal = psi(curve, reserve) - 2n * curve.target * BP * worth;
  let [low, high] = [0n, reserve];
  while (low < high) {
    const middle = (low + high) / 2n;
    if (psi(curve, middle) >= goal) high = middle;
    else low = middle + 1n;
  }
  return reserve - low;
}

/** What `out` wei of `reserve` cost. */
export function costOf(curve: Curve, reserve: bigint, out: bigint): bigint {
  return ceilDiv(psi(curve, reserve) - psi(curve, reserve - out), 2n * curve.target * BP);
}

/** What estETH `paid` wei buy: a part of what sellers paid above the lowest fee for the same wei. */
export function boughtFor(curve: Curve, reserve: bigint, paid: bigint, rebateBp: bigint): bigint {
  const lowest = 2n * curve.target * (BP + curve.minFeeBp) * paid;
  const scarcity = psi(curve, reserve + paid) - psi(curve, reserve) - lowest;
  return paid + (rebateBp * scarcity) / (2n * curve.target * BP * BP);
}

export function worthOf(units: bigint, { totalEther, totalShares }: Totals): bigint {
  return (units * UNIT * totalEther) / totalShares;
}

export function unitsDown(worth: bigint, { totalEther, totalShares }: Totals): bigint {
  return (worth * totalShares) / (UNIT * totalEther);
}

export function unitsUp(worth: bigint, { totalEther, totalShares }: Totals): bigint {
  return ceilDiv(worth * totalShares, UNIT * totalEther);
}

export function ceilDiv(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b;
}
