/** Nodes of one daemon, each behind a proxy that changes its guise; and how a frame's guises are drawn for a committee. */
import type { Behaviour, Dice, Effect, Layer } from "./behaviour.ts";
import { CATALOGUE, describeGuise, drawBlind, drawGuise, tampersOf } from "./catalogue.ts";
import type { Guise } from "./catalogue.ts";
import { startProxy } from "./proxy.ts";
import type { Credentials, Proxy } from "./proxy.ts";

export const LAYERS: readonly Layer[] = ["execution", "beacon"];

/**
 * - well: in each layer at least one node can be worked with
 * - blind: in one layer none, perhaps
 * - cut off: no node of one layer answers
 */
export type Fate = "well" | "blind" | "cut off";

export interface Disguised {
  readonly name: string;
  urls(layer: Layer): string[];
  /** What its nodes are now. */
  guises(layer: Layer): readonly Guise[];
  /** Draws new guises. */
  become(fate: Fate, dice: Dice): void;
  /** In one line. */
  describe(): string;
  /** How bad what its nodes do now may be, for who has them all. */
  worst(layer: Layer): Effect;
  /** How many its nodes have had. */
  readonly requests: number;
  close(): Promise<void>;
}

const SEVERITY: readonly Effect[] = ["harmless", "passing", "blinding"];
const FOR_GOOD = CATALOGUE.filter(({ name }) => name === "always a page" || name === "402");

/** @param targets honest servers of each layer @param credentials asked by all of its nodes, where given */
export async function disguise(
  name: string,
  targets: Readonly<Record<Layer, readonly string[]>>,
  credentials?: Credentials,
): Promise<Disguised> {
  const start = async (layer: Layer): Promise<Proxy[]> =>
    Promise.all(targets[layer].map(async (target) => startProxy(target, credentials)));
  const proxies = { execution: await start("execution"), beacon: await start("beacon") };
  const now: Record<Layer, readonly Guise[]> = { execution: [], beacon: [] };
  const put = (layer: Layer, guises: readonly Guise[], dice: Dice): void => {
    now[layer] = guises;
    for (const [i, proxy] of proxies[layer].entries()) {
      const guise = guises[i];
      proxy.become(guise === undefined ? [] : tampersOf(guise, dice.of(`${layer} ${i}`)));
    }
  };
  return {
    name,
    urls: (layer) => proxies[layer].map(({ url }) => url),
    guises: (layer) => now[layer],
    become: (fate, dice) => {
      const bad = fate === "well" ? undefined : dice.pick(LAYERS, "layer");
      for (const layer of LAYERS) {
        const count = proxies[layer].length;
        const own = dice.of(layer);
        put(layer, bad === layer ? drawBad(fate, own, layer, count) : drawWell(own, layer, count), own);
      }
    },
    describe: () =>
      `${name} | ${LAYERS.map((layer) => `${layer}: ${now[layer].map(describeGuise).join(" + ")}`).join(" | ")}`,
    get requests() {
      return LAYERS.flatMap((layer) => proxies[layer]).reduce((sum, { requests }) => sum + requests, 0);
    },
    worst: (layer) => worstOf(now[layer].flatMap(({ behaviours }) => behaviours)),
    close: async () => {
      await Promise.all(LAYERS.flatMap((layer) => proxies[layer].map(async (proxy) => proxy.close())));
    },
  };
}

export function worstOf(behaviours: readonly Behaviour[]): Effect {
  return SEVERITY[Math.max(0, ...behaviours.map(({ effect }) => SEVERITY.indexOf(effect)))] ?? "blinding";
}

/** One node that works, at a random place; the others may be blind. */
function drawWell(dice: Dice, layer: Layer, count: number): Guise[] {
  const good = Math.floor(dice.roll("good") * count);
  return Array.from({ length: count }, (_, i) => {
    const own = dice.of(String(i));
    return i !== good && own.chance(0.5, "is blind") ? drawBlind(own, layer) : drawGuise(own, layer, "passing");
  });
}

function drawBad(fate: Fate, dice: Dice, layer: Layer, count: number): Guise[] {
  return Array.from({ length: count }, (_, i) => {
    const own = dice.of(String(i));
    return fate === "blind" ? drawBlind(own, layer) : { who: "provider", behaviours: [own.pick(FOR_GOOD, "for good")] };
  });
}
