/** What a server does, in one small piece: composed into clients and providers by the catalogue. */
import { createHash } from "node:crypto";
import type { Reason } from "../../../offchain/oracle/metrics.ts";
import type { Tamper } from "./proxy.ts";

export const EXECUTION_CLIENTS = ["geth", "nethermind", "besu", "erigon", "reth"] as const;
export const BEACON_CLIENTS = ["lighthouse", "prysm", "teku", "nimbus", "lodestar", "grandine"] as const;
export type Client = (typeof EXECUTION_CLIENTS)[number] | (typeof BEACON_CLIENTS)[number];
export type Layer = "execution" | "beacon";

/**
 * What a daemon comes to whose only node answers so.
 * - harmless: nothing but the usual reasons
 * - passing: perhaps a reason for some turns; the report is made all the same
 * - blinding: perhaps nothing at all; what it signs is right, or it does not sign
 */
export type Effect = "harmless" | "passing" | "blinding";

export interface Behaviour {
  /** Unique. */
  readonly name: string;
  readonly layers: readonly Layer[];
  /** Who is known for it. Providers, and the proxies that people put before their nodes, are "provider". */
  readonly by: readonly (Client | "provider")[];
  /** What is answered, for the table. */
  readonly what: string;
  /** Where it is described or was reported. */
  readonly source: string;
  readonly effect: Effect;
  /** What a member may say beside the layer's own reason; only where the effect is not harmless. */
  readonly reasons?: readonly Reason[];
  /** Its answers can't be told from true ones one by one: what does not fit together is refused, and no other node is asked. */
  readonly isPlausible?: boolean;
  readonly tamper: (dice: Dice) => Tamper;
}

/** Decisions that depend on a seed and on how often the same was asked, not on time or on what else goes on. */
export class Dice {
  readonly #seed: string;
  readonly #asked = new Map<string, number>();

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** Dice of their own for a part of the whole. */
  of(part: string): Dice {
    return new Dice(`${this.#seed}/${part}`);
  }

  /** In [0, 1). */
  roll(key = ""): number {
    const count = (this.#asked.get(key) ?? 0) + 1;
    this.#asked.set(key, count);
    return createHash("sha256").update(`${this.#seed}|${key}|${count}`).digest().readUIntBE(0, 6) / 2 ** 48;
  }

  chance(probability: number, key = ""): boolean {
    return this.roll(key) < probability;
  }

  pick<T>(list: readonly T[], key = ""): T {
    const picked = list[Math.floor(this.roll(key) * list.length)];
    if (picked === undefined) throw new Error("nothing to pick from");
    return picked;
  }

  /** So many of the list, none twice, in an order of its own. */
  sample<T>(list: readonly T[], count: number): T[] {
    const rest = [...list];
    const picked: T[] = [];
    while (picked.length < count && rest.length > 0)
      picked.push(...rest.splice(Math.floor(this.roll("sample") * rest.length), 1));
    return picked;
  }
}

/** Counts by key: how often something was asked. */
export class Counts {
  readonly #counts = new Map<string, number>();

  next(key: string): number {
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    return count;
  }
}
