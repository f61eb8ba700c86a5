/** All behaviours, the clients as lists of them, and mixtures. */
import { BEACON_API } from "./behaviours/beaconApi.ts";
import { HISTORY } from "./behaviours/history.ts";
import { LIMITS } from "./behaviours/limits.ts";
import { MACHINES } from "./behaviours/machines.ts";
import { SPELLING } from "./behaviours/spelling.ts";
import { STATES } from "./behaviours/states.ts";
import { WIRE } from "./behaviours/wire.ts";
import { BEACON_CLIENTS, EXECUTION_CLIENTS } from "./behaviour.ts";
import type { Behaviour, Client, Dice, Effect, Layer } from "./behaviour.ts";
import type { Tamper } from "./proxy.ts";

/** In the order of the table in docs/hostile-nodes.md. */
export const CATALOGUE: readonly Behaviour[] = [
  ...WIRE,
  ...LIMITS,
  ...HISTORY,
  ...MACHINES,
  ...SPELLING,
  ...STATES,
  ...BEACON_API,
];

/** A server of one layer: who it is, and what it does. */
export interface Guise {
  readonly who: Client | "provider";
  readonly behaviours: readonly Behaviour[];
}

/** Behaviours of a server that are of the same kind contradict each other: a client has one answer to states by root. */
const MOST_OF_A_CLIENT = 4;
const MOST_OF_A_PROVIDER = 3;

/** Everything that a client, or some provider, is known for in this layer. */
export function knownFor(who: Client | "provider", layer: Layer): readonly Behaviour[] {
  return CATALOGUE.filter(({ by, layers }) => by.includes(who) && layers.includes(layer));
}

/**
 * A random server: a client with some of its behaviours, behind a provider's in half of the cases, or a provider's alone.
 * @param worst what it may come to for who has no other server
 */
export function drawGuise(dice: Dice, layer: Layer, worst: Exclude<Effect, "blinding">): Guise {
  const may = ({ effect }: Behaviour): boolean => effect === "harmless" || effect === worst;
  const clients = layer === "execution" ? EXECUTION_CLIENTS : BEACON_CLIENTS;
  const who: Client = dice.pick<Client>(clients, "client");
  const own = dice.sample(knownFor(who, layer).filter(may), MOST_OF_A_CLIENT);
  const proxied = dice.chance(0.5, "proxied");
  const others = proxied ? dice.sample(knownFor("provider", layer).filter(may), MOST_OF_A_PROVIDER) : [];
  return { who: proxied ? "provider" : who, behaviours: distinct([...others, ...own]) };
}

/** A server that is of no use: one blinding behaviour, and what else goes with it. */
export function drawBlind(dice: Dice, layer: Layer): Guise {
  const blinding = CATALOGUE.filter(({ effect, layers }) => effect === "blinding" && layers.includes(layer));
  const first = dice.pick(blinding, "blind");
  const rest = drawGuise(dice.of("rest"), layer, "harmless");
  return { who: first.by[0] ?? "provider", behaviours: [first, ...rest.behaviours.slice(0, 1)] };
}

export function tampersOf({ behaviours }: Guise, dice: Dice): Tamper[] {
  return behaviours.map(({ name, tamper }) => tamper(dice.of(name)));
}

export function describeGuise({ who, behaviours }: Guise): string {
  return `${who}: ${behaviours.map(({ name }) => name).join(", ") || "nothing odd"}`;
}

function distinct(list: readonly Behaviour[]): Behaviour[] {
  return [...new Set(list)];
}
