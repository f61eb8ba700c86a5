/**
 * A tier opens in the middle of the year and aims at no share of the set: once it has validators it is furthest above its target. While they
 * are too young to exit its head is passed over; then it is not.
 */
import { stayingOf } from "../cast.ts";
import * as keeper from "../keeper.ts";
import type { OperatorAccount } from "../operatorBooks.ts";
import * as op from "../operators.ts";
import * as stakers from "../stakers.ts";
import { ETH } from "../stakers.ts";
import type { Episode } from "../story.ts";
import { Tier, tierToExit } from "../turns.ts";
import type { Validator } from "../turns.ts";
import type { World } from "../world.ts";

const OPENS_ON = 204;
const KEYS = 18;
/** A key more, for when nothing may be funded. */
const LAST_KEY_ON = 329;
const TERMS = {
  bondFirst: 2n * ETH,
  bondNext: ETH,
  feeBp: 550n,
  targetShareBp: 0n,
  maxShareBp: 500n,
  open: true,
} as const;

export interface LateTier extends Episode {
  readonly tier: Tier;
  /** Its keys, once predeposited; proven by itself. */
  keys: readonly Validator[];
  readonly refusals: Record<string, string | undefined>;
  /** Whether it was the next to exit, on the day of its youth and on the day after. */
  readonly isNext: boolean[];
  /** Of all tiers, on these two days: who was asked, and whose heads were passed over for it. */
  readonly asked: { validators: readonly Validator[]; passed: readonly Validator[] }[];
}

export function lateTier(world: World, whale: string): LateTier {
  const { p, chain, terms, tiers } = world;
  const id = tiers.length;
  let account: OperatorAccount | undefined;
  let old = 0; // a slot of the day of their fundings
  const head = (): Validator => {
    const validator = found.tier.nextFunded();
    if (validator === undefined) throw new Error("the late tier has no head");
    return validator;
  };
  const found: LateTier = {
    tier: new Tier(TERMS.targetShareBp, TERMS.maxShareBp),
    keys: [],
    refusals: {},
    isNext: [],
    asked: [],

    morning: async (day) => {
      switch (day) {
        case OPENS_ON:
          await chain.send(p.governor.address, p.operators.addTier.populateTransaction(TERMS));
          terms.push(TERMS);
          tiers.push(found.tier);
          account = await op.join(world, id, "late tier");
          found.keys = await op.predepositAll(world, account, KEYS);
          break;
        case OPENS_ON + 1:
          await op.prove(world, found.keys);
          break;
        case OPENS_ON + 2: {
          await stakers.requestUntil(world, whale, 320n * ETH);
          found.isNext.push(tierToExit(tiers) === found.tier);
          const { validator } = await keeper.nextToExit(world);
          if (validator === undefined) break;
          found.refusals["too young"] = await keeper.exitRefusal(world, head());
          found.refusals["another, without a word of the head"] = await keeper.exitRefusal(world, validator);
          const yesterday = [keeper.proofOf(world, head(), old)];
          found.refusals["another, by a state of yesterday"] = await keeper.exitRefusal(world, validator, yesterday);
          await note();
          break;
        }
        case OPENS_ON + 3: {
          const [other] = found.asked.flatMap(({ validators }) => validators).slice(-1);
          const next = other === undefined ? undefined : stayingOf(world, other.operator)[0];
          await stakers.requestUntil(world, whale, 192n * ETH);
          found.isNext.push(tierToExit(tiers) === found.tier);
          if (next === undefined) break;
          const proof = keeper.proofOf(world, head());
          found.refusals["another, past a head that is old enough"] = await keeper.exitRefusal(world, next, [proof]);
          await note();
          break;
        }
        case LAST_KEY_ON:
          if (account !== undefined) found.keys = [...found.keys, ...(await op.predepositAll(world, account, 1))];
          break;
      }
    },
    evening: async (day) => {
      if (day === OPENS_ON + 1) old = p.beacon.provenSlot;
    },
  };
  return found;

  async function note(): Promise<void> {
    const before = world.passed.length;
    const validators = await keeper.requestExits(world);
    found.asked.push({ validators, passed: world.passed.slice(before) });
  }
}
