/** What a year leaves behind for its assertions, and what its episodes may do on a day. */
import type { Delinquents } from "./episodes/delinquents.ts";
import type { Fall } from "./episodes/fall.ts";
import type { Griefer } from "./episodes/griefer.ts";
import type { Incident } from "./episodes/incident.ts";
import type { Lending } from "./episodes/lending.ts";
import type { LateTier } from "./episodes/lateTier.ts";
import type { World } from "./world.ts";

export interface Year {
  readonly world: World;
  /** What differed, on the first day on which anything did. */
  readonly wrong: string[];
  readonly refusals: Record<string, string | undefined>;
  readonly counts: Record<"exitsOwn" | "slashed" | "failing" | "dropped" | "fundedOwn", number>;
  readonly debts: { most: bigint; afterwards: bigint };
  bondFreed: bigint;
  /** Has most of the ether, and stakes what fundings lack. */
  readonly whale: string;
  /** The day at whose end, or before, each request was paid. */
  readonly paidOn: Map<number, number>;
  readonly griefer: Griefer;
  readonly delinquents: Delinquents;
  readonly lateTier: LateTier;
  readonly fall: Fall;
  readonly incident: Incident;
  readonly lending: Lending;
}

/** Something that goes on for days. */
export interface Episode {
  /** Before stakers act and anyone funds. */
  readonly morning?: (day: number) => Promise<void>;
  /** After the fundings, before exits are asked. */
  readonly evening?: (day: number) => Promise<void>;
  /** After all that the day brought, before its end. */
  readonly late?: (day: number) => Promise<void>;
  /** In the minutes between the day's reference and its report. */
  readonly between?: (day: number) => Promise<void>;
  /** After the day's report, if it has one. */
  readonly night?: (day: number) => Promise<void>;
}
