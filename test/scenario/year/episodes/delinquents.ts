/** Operators that don't leave (docs/operators.md): one frozen, one in debt, and a validator that loses too much. Others make theirs exit. */
import { keysOf, stayingOf } from "../cast.ts";
import type { Cast } from "../cast.ts";
import * as keeper from "../keeper.ts";
import * as stakers from "../stakers.ts";
import { ETH } from "../stakers.ts";
import type { Episode } from "../story.ts";
import type { Validator } from "../turns.ts";
import type { World } from "../world.ts";

/** The slashing that freezes is one of the year's events. */
const FROZEN_ON = 100;
const BELOW_ON = 112;
const IN_DEBT_ON = 176;
const OF_DEBTOR = 12;

export interface Delinquents extends Episode {
  readonly refusals: Record<string, string | undefined>;
  /** Asked while it was frozen for less than seven days, when ether was needed. */
  readonly outOfTurn: Validator[];
  /** Asked after seven days, without demand. */
  readonly ejected: Validator[];
  readonly ofDebtor: Validator[];
  readonly below: Validator[];
  /** Seconds for which the frozen one was, when it was ejected. */
  frozenFor: bigint;
  debt: bigint;
}

export function delinquents(world: World, whale: string, cast: () => Cast): Delinquents {
  const { p, chain } = world;
  const refuse = async (name: string, [validator]: readonly Validator[]): Promise<void> => {
    if (validator === undefined) throw new Error(`nobody for ${name}`);
    found.refusals[name] = await keeper.exitRefusal(world, validator);
  };
  const frozen = () => stayingOf(world, cast().slashed[0] ?? cast().griefer);
  const found: Delinquents = {
    refusals: {},
    outOfTurn: [],
    ejected: [],
    ofDebtor: [],
    below: [],
    frozenFor: 0n,
    debt: 0n,

    morning: async (day) => {
      switch (day) {
        case FROZEN_ON + 1:
          await refuse("frozen, on the next day", frozen());
          break;
        case FROZEN_ON + 3: {
          await stakers.requestUntil(world, whale, 33n * ETH);
          await refuse("another's, out of turn", stayingOf(world, cast().cleared).slice(-1));
          const [validator] = frozen().slice(-1);
          if (validator === undefined) break;
          await keeper.requestExit(world, validator);
          found.outOfTurn.push(validator);
          await refuse("frozen, once the ether is on its way", frozen());
          break;
        }
        case FROZEN_ON + 6:
          await refuse("frozen for six days", frozen());
          break;
        case FROZEN_ON + 8: {
          found.frozenFor = (await chain.now()) - (cast().slashed[0]?.frozenAt ?? 0n);
          const { validator: next } = await keeper.nextToExit(world);
          if (next !== undefined) await refuse("another's, whose turn it is", [next]);
          await eject(frozen(), found.ejected);
          const [unlucky] = found.ejected;
          if (unlucky !== undefined) p.beacon.penalise(unlucky.key.pubkey, 3n * 10n ** 8n);
          break;
        }
        case BELOW_ON: {
          const [, validator] = keysOf(world, cast().failing).slice(-2);
          if (validator !== undefined) p.beacon.penalise(validator.key.pubkey, 8n * 10n ** 8n);
          break;
        }
        case BELOW_ON + 1: {
          const [other, validator] = keysOf(world, cast().failing).slice(-2);
          if (other === undefined || validator === undefined) break;
          found.refusals["half an ether below"] = await keeper.belowRefusal(world, other);
          await refuse("more than one below, without its balance", [validator]);
          await keeper.ejectBelow(world, validator);
          found.below.push(validator);
          break;
        }
        case IN_DEBT_ON:
          found.debt = cast().indebted.debt;
          await eject(stayingOf(world, cast().indebted).slice(0, OF_DEBTOR), found.ofDebtor);
          break;
      }
    },
  };
  return found;

  async function eject(validators: readonly Validator[], into: Validator[]): Promise<void> {
    for (const validator of validators) {
      await keeper.requestExit(world, validator);
      into.push(validator);
    }
  }
}
