/** Repeatable random numbers. A failing property names its seed. */

export class Random {
  #state: bigint;

  constructor(seed: bigint) {
    this.#state = BigInt.asUintN(64, seed);
  }

  /** splitmix64 */
  word(): bigint {
    this.#state = BigInt.asUintN(64, this.#state + 0x9e3779b97f4a7c15n);
    let z = this.#state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    return z ^ (z >> 31n);
  }

  /** Even over [low, high]. */
  between(low: bigint, high: bigint): bigint {
    const wide = (this.word() << 64n) | this.word();
    return low + (wide % (high - low + 1n));
  }

  /** Even over the number of digits, so that 1 wei and 120 million ETH both come; the bounds themselves come often. */
  magnitude(low: bigint, high: bigint): bigint {
    if (this.chance(1n, 16n)) return this.chance(1n, 2n) ? low : high;
    const bits = this.between(0n, BigInt((high - low).toString(2).length));
    const drawn = this.between(0n, (1n << bits) - 1n);
    return drawn > high - low ? high : low + drawn;
  }

  chance(part: bigint, whole: bigint): boolean {
    return this.word() % whole < part;
  }

  pick<T>(list: readonly T[]): T {
    const picked = list[Number(this.word() % BigInt(list.length))];
    if (picked === undefined) throw new Error("nothing to pick from");
    return picked;
  }
}

/** Runs a property on `runs` seeds; a failure names the one that breaks it. `FUZZ_SEED` shifts them all. */
export function forSeeds(runs: number, property: (random: Random) => void): void {
  const base = BigInt(process.env["FUZZ_SEED"] ?? "1");
  for (let run = 0; run < runs; run++) {
    const seed = base + BigInt(run);
    try {
      property(new Random(seed));
    } catch (error) {
      throw new Error(`with seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
}

/** How much longer the long campaigns run: 1, or what `FUZZ_FACTOR` says. */
export function fuzzFactor(): number {
  return Number(process.env["FUZZ_FACTOR"] ?? "1");
}
