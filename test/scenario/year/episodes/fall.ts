/**
 * Validators of every classic operator lose their whole stake: a fall of 4%, which governance must approve. The members sign it, it is
 * announced, and everything waits for six days. It is applied as signed; the frames in between are one report, and its gains count for two.
 */
import { ZeroAddress } from "ethers";
import { fallBp } from "../../../../offchain/protocol/bounds.ts";
import type { ReportOutcome } from "../../../../offchain/protocol/applyReport.ts";
import { maxGain } from "../../../../offchain/protocol/rebase.ts";
import { reportHash } from "../../../../offchain/protocol/report.ts";
import type { Report } from "../../../../offchain/protocol/report.ts";
import { bp } from "../../../../offchain/protocol/units.ts";
import { stayingOf } from "../cast.ts";
import * as op from "../operators.ts";
import { announce, approve, read, refusalOf, report, skipFrame, submit } from "../reports.ts";
import * as stakers from "../stakers.ts";
import { ETH } from "../stakers.ts";
import type { Episode } from "../story.ts";
import type { Validator } from "../turns.ts";
import type { World } from "../world.ts";
import type { LateTier } from "./lateTier.ts";

const FALLS_ON = 330;
const DAYS = 6;
/** The day at whose end it is applied. */
export const FALL_APPLIED = FALLS_ON + DAYS;
const CLASSIC = 2;
const BP = 10_000n;
const FALL_BP = 400n;
const SUPERMAJORITY = 7; // of nine

export interface Fall extends Episode {
  /** Whether deposits and fundings are impossible on a day. */
  readonly isClosed: (day: number) => boolean;
  /** Ends a day in its own way. Returns whether it did. */
  readonly end: (day: number) => Promise<boolean>;
  readonly victims: Validator[];
  /** By what was tried: the names of all answers, day after day. */
  readonly refusals: Record<string, (string | undefined)[]>;
  announced: bigint; // unix seconds
  applied: bigint;
  told: Report | undefined;
  appliedHash: string;
  /** The fall's, and the one of the merged frames. */
  readonly outcomes: ReportOutcome[];
  /** The most that two frames may gain, wei, of the T that the merged report found. */
  limit: bigint;
  /** Held back at the end of each day from the merged report on, until nothing is. */
  readonly heldBack: bigint[];
}

export function fall(world: World, late: LateTier): Fall {
  const { p, chain, at, ledger } = world;
  const note = (name: string, answer: string | undefined): void => {
    (found.refusals[name] ??= []).push(answer);
  };
  const isClosed = (day: number): boolean => day > FALLS_ON && day <= FALLS_ON + DAYS + 1;
  const found: Fall = {
    isClosed,
    victims: [],
    refusals: {},
    announced: 0n,
    applied: 0n,
    told: undefined,
    appliedHash: "",
    outcomes: [],
    limit: 0n,
    heldBack: [],

    morning: async (day) => {
      if (!isClosed(day)) return;
      // more than two frames may gain
      p.beacon.creditExecutionReward(at.rewardsVault, 6n * ETH);
      await attempts();
    },
    evening: async (day) => {
      if (day !== FALLS_ON) return;
      await op.prove(world, late.keys.slice(-1));
      await stakers.stakeFor(world, await chain.account("hopeful"), 40n * ETH);
      loseStakes();
    },
    end: async (day) => {
      const { told } = found;
      if (day === FALLS_ON) {
        found.told = await read(world);
        await attempts("before: ");
        note("five signatures", await refusalOf(world, found.told));
        note("seven signatures, no approval", await refusalOf(world, found.told, SUPERMAJORITY));
        found.announced = await announce(world, found.told);
        await attempts();
        return true;
      }
      if (told === undefined || !isClosed(day)) return false;
      if (day <= FALLS_ON + DAYS) await skipFrame(world);
      if (day < FALLS_ON + DAYS) note("seven signatures, no approval", await refusalOf(world, told, SUPERMAJORITY));
      if (day === FALLS_ON + DAYS) {
        await approve(world, reportHash(told));
        found.outcomes.push(await submit(world, told, SUPERMAJORITY));
        found.applied = await chain.now();
        found.appliedHash = await p.oracle.lastReportHash();
        const between = await p.committee.read({ refSlot: world.lastFrameEnd });
        note("a frame that ended meanwhile", await refusalOf(world, between));
      }
      if (day > FALLS_ON + DAYS) {
        found.limit = maxGain(ledger.totals.ether, ledger.settings.maxAprBp, 2n * ledger.settings.secondsPerFrame);
        found.outcomes.push(await report(world));
      }
      return true;
    },
    night: async (day) => {
      const isLeft = found.heldBack.at(-1) !== 0n;
      if (day > FALLS_ON + DAYS && isLeft) found.heldBack.push((await p.pool.books()).heldBack);
    },
  };
  return found;

  /** Whole stakes, each of the operator with the most that are left, so that the bonds suffice; until it is 4%. */
  function loseStakes(): void {
    const groups = world.operators.all.filter(({ tier }) => tier === CLASSIC).map((one) => stayingOf(world, one));
    for (let left = (ledger.totals.ether * FALL_BP) / BP; left > 0n; left -= 32n * ETH) {
      const victim = groups.sort((a, b) => b.length - a.length)[0]?.pop();
      if (victim === undefined) throw new Error("too few classic validators");
      p.beacon.penalise(victim.key.pubkey, 32n * 10n ** 9n);
      found.victims.push(victim);
    }
  }

  /** Whatever must not go on. */
  async function attempts(when = ""): Promise<void> {
    const { pool, validators, operators, wrapped } = p;
    const who = at.keeper;
    const [key] = late.keys.slice(-1);
    if (key === undefined) throw new Error("no key waits");
    const { pubkey } = key.key;
    const { id, owner } = key.operator;
    note(`${when}a deposit`, await chain.refusal(who, pool.deposit.populateTransaction(who, ZeroAddress), ETH));
    note(
      `${when}a deposit as westETH`,
      await chain.refusal(who, wrapped.stake.populateTransaction(who, ZeroAddress), ETH),
    );
    note(`${when}a bond`, await chain.refusal(who, operators.addBond.populateTransaction(id), ETH));
    note(`${when}a funding`, await chain.refusal(who, validators.fundValidators.populateTransaction([pubkey])));
    note(
      `${when}an own funding`,
      await chain.refusal(owner, validators.fundOwn.populateTransaction(pubkey), 31n * ETH),
    );
    note(`${when}going on with payments`, await chain.refusal(who, pool.continueFinalisation.populateTransaction()));
  }
}

/** By how much the rate fell, in basis points, rounded up. */
export function fallOf({ before, judged }: ReportOutcome): bigint {
  return bp(fallBp(before, judged));
}
