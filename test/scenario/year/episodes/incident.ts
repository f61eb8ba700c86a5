/** Ten days of an incident: reports come and say so, nothing is paid, exits go on. Then all are paid in order. */
import * as keeper from "../keeper.ts";
import { waitUntilLate } from "../reports.ts";
import * as stakers from "../stakers.ts";
import { ETH } from "../stakers.ts";
import type { Episode } from "../story.ts";
import { exitsAsked } from "../world.ts";
import type { World } from "../world.ts";

const FIRST = 270;
const DAYS = 10;
/** When the whale asks, and for how much more than is there. */
const ASKED: Readonly<Record<number, bigint>> = { 270: 320n * ETH, 274: 160n * ETH };
/** When it asks in the last half hour, for four validators' worth: two are asked before the reference, two on the next day. */
const LATE_ON = 272;

export interface Incident extends Episode {
  /** Whether the committee says so on a day. */
  readonly isOn: (day: number) => boolean;
  readonly days: {
    readonly day: number;
    /** Wei, before exits were asked. */
    readonly demand: bigint;
    /** The same after the report. */
    readonly demandLeft: bigint;
    readonly promised: bigint;
    readonly finalisable: boolean;
    readonly paid: bigint;
    readonly careful: boolean;
    readonly lastFinalized: bigint;
  }[];
  /** Requests that waited at its end, in order, and what they were paid by the first report after it. */
  waiting: number[];
  exitsAsked: number;
  /** The last request that the first report after it paid, what it paid in all, and what its requests may claim. */
  lastFinalized: bigint;
  paid: bigint;
  owed: bigint;
}

export function incident(world: World, whale: string): Incident {
  const { p, ledger } = world;
  let demand = 0n;
  let asked = 0;
  const isOn = (day: number): boolean => day >= FIRST && day < FIRST + DAYS;
  const found: Incident = {
    isOn,
    days: [],
    waiting: [],
    exitsAsked: 0,
    lastFinalized: 0n,
    paid: 0n,
    owed: 0n,

    evening: async (day) => {
      const amount = ASKED[day];
      if (amount !== undefined) await stakers.requestUntil(world, whale, amount);
      if (day === FIRST) asked = world.asked.length;
      if (isOn(day)) demand = ledger.exitDemand(exitsAsked(world));
    },
    late: async (day) => {
      if (day !== LATE_ON) return;
      await waitUntilLate(world);
      await stakers.requestUntil(world, whale, 128n * ETH);
      await keeper.requestExits(world, 2);
    },
    night: async (day) => {
      const outcome = world.outcomes.at(-1);
      if (outcome === undefined || day < FIRST || day > FIRST + DAYS) return;
      const lastFinalized = await p.queue.lastFinalizedId();
      if (isOn(day)) {
        const { finalisable, paid } = outcome;
        const [careful, promised, demandLeft] = await Promise.all([
          p.oracle.incident(),
          p.pool.promised(),
          p.validators.exitDemand(),
        ]);
        found.days.push({ day, demand, demandLeft, promised, finalisable, paid, careful, lastFinalized });
      }
      if (day === FIRST + DAYS - 1) {
        found.exitsAsked = world.asked.length - asked;
        found.waiting = world.requests.map(({ id }) => id).filter((id) => BigInt(id) > lastFinalized);
      }
      if (day === FIRST + DAYS) {
        Object.assign(found, { lastFinalized, paid: outcome.paid });
        const ids = world.requests.map(({ id }) => id).filter((id) => id >= (found.waiting[0] ?? 0));
        found.owed = (await p.queue.getClaimableEther(ids)).reduce((sum, amount) => sum + amount, 0n);
      }
    },
  };
  return found;
}
